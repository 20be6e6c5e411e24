"""The published-evidence models: what is known with no patient of one's own."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np

from responder_model.artifact.reading import as_published
from responder_model.cumulative_logit.components import (
    prior_discrepancy,
    robust_priors,
)
from responder_model.evidence import packaged_evidence
from responder_model.features import Array, Encoder, Population
from responder_model.model import Component, LinearPart, Model, reference_limits
from responder_model.priors import PriorSet, build_priors
from responder_model.schema import Decision, dictionary

NAME = "published evidence"


def published_model(
    decision: str, moment: str | None = None, *, exclude_evidence: Iterable[str] = ()
) -> Model:
    """Return the model that rests on the published evidence alone.

    Parameters
    ----------
    decision : str
        ``rtms_response`` or ``emcs_success``.
    moment : str, optional
        May be left out where the decision has one moment.
    exclude_evidence : iterable of str
        Overlap groups whose evidence leaves the model: those of the patients that it
        will be measured on. Its name then says so.

    Returns
    -------
    Model
        Provenance ``published``; its coefficients are the prior means, its covariance
        the prior's, its population the dictionary's reference population.

    Raises
    ------
    EvidenceError
        For an unknown overlap group.

    Examples
    --------
    >>> model = published_model("rtms_response", "screening")
    >>> model.provenance
    'published'
    >>> 0.3 < model.predict({"age": 56}).probability < 0.55
    True
    >>> published_model("emcs_success", exclude_evidence=["saint_etienne"]).name
    'published evidence without saint_etienne'
    """
    decision, moment = dictionary().check_target(decision, moment)
    excluded = packaged_evidence().check_groups(exclude_evidence)
    return _published(decision, moment, excluded)


@cache
def _published(decision: str, moment: str, excluded: tuple[str, ...]) -> Model:
    encoder = Encoder.for_decision(decision, moment)
    target = dictionary().decisions[decision]
    priors = build_priors(decision, moment, exclude_evidence=excluded)
    population = Population.reference(encoder)
    linear = tuple(
        _linear_part(encoder, priors, target, cut) for cut in target.served_cut_points
    )
    main = linear[target.served_cut_points.index(target.main_cut_point)]
    model = Model(
        decision=decision,
        moment=moment,
        provenance="published",
        name=f"{NAME} without {', '.join(excluded)}" if excluded else NAME,
        encoder=encoder,
        population=population,
        limits=reference_limits(encoder, population),
        linear=linear,
        mean_variance=_mean_variance(main, population),
        discrepancy=prior_discrepancy(),
        components=_prior_components(encoder, priors),
        priors=priors.to_json(),
        pool=None,
        settings={},
        sample_size={},
        performance={},
        n_patients=0,
        n_events=0,
        excluded_evidence=excluded,
        notes=(),
    )
    return as_published(model)


def _linear_part(
    encoder: Encoder, priors: PriorSet, target: Decision, cut: float
) -> LinearPart:
    """Prior of (intercept at one cut point, base coefficients)."""
    mean, sd = coefficient_priors(encoder, priors)
    projection = encoder.projection
    at, main = target.cut_points.index(cut), target.main_index
    between = np.array(priors.gaps[min(at, main) : max(at, main)])
    shift = float(between.sum()) * (1.0 if at < main else -1.0)
    covariance = np.zeros((len(encoder.columns) + 1,) * 2)
    covariance[0, 0] = priors.anchor[1] ** 2 + ((priors.gap_sd * between) ** 2).sum()
    covariance[1:, 1:] = (projection * (sd**2)[:, None]).T @ projection
    return LinearPart(
        cut_point=cut,
        intercept=float(priors.anchor[0] + shift),
        coefficients=mean @ projection,
        covariance=covariance,
    )


def coefficient_priors(encoder: Encoder, priors: PriorSet) -> tuple[Array, Array]:
    """Published mean and SD of each model column, (n_derived,) each."""
    rows = [priors.columns[name] for name in encoder.derived]
    return np.array([row.mean for row in rows]), np.array([row.sd for row in rows])


def _mean_variance(main: LinearPart, population: Population) -> float:
    """Mean prior variance of the linear predictor in the reference population."""
    spread = main.covariance[1:, 1:] * population.covariance
    return float(main.covariance[0, 0] + spread.sum())


def _prior_components(encoder: Encoder, priors: PriorSet) -> tuple[Component, ...]:
    """Prior components that a development or an update starts from."""
    mean, sd = coefficient_priors(encoder, priors)
    shapes = robust_priors(
        mean,
        sd,
        len(mean),
        anchor=priors.anchor,
        gaps=np.array(priors.gaps),
        gap_sd=priors.gap_sd,
    )
    return tuple(
        Component(
            name=prior.name,
            prior_mean=prior.mean,
            prior_sd=prior.sd,
            prior_weight=prior.weight,
            weight=prior.weight,
            log_evidence=0.0,
            mean=prior.mean,
            covariance=np.diag(prior.sd**2),
        )
        for prior in shapes
    )
