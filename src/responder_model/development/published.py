"""The published-evidence models: what is known with no patient of one's own.

They are the view, at zero patients, of the mixture from which every development starts:
the same components and weights, collapsed to one Gaussian for each cut-off.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from importlib.resources import files

import numpy as np

from responder_model.artifact.evidence import as_kept
from responder_model.artifact.reading import as_published
from responder_model.cumulative_logit.components import prior_discrepancy
from responder_model.cumulative_logit.mixture import Component as Posterior
from responder_model.cumulative_logit.mixture import collapse
from responder_model.errors import ResponderModelError
from responder_model.evidence import Evidence, packaged_evidence
from responder_model.features import Array, Encoder, Population, expit
from responder_model.model import Model, reference_limits
from responder_model.priors import PriorSet, build_priors, implied_c_statistic
from responder_model.schema import dictionary
from responder_model.words import Note, say
from .parts import component, linear_part

NAME = "published evidence"
# Standard deviations and nodes of the grid on which a local rate moves the level.
_GRID = np.linspace(-6.0, 6.0, 2001)


def published_model(
    decision: str,
    moment: str | None = None,
    *,
    exclude_evidence: Iterable[str] = (),
    local_rate: tuple[int, int] | None = None,
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
    local_rate : (int, int), optional
        ``(responders, tested)`` of the centre itself: patients with the outcome at the
        main cut-off (``rtms_response``: responders after the test; ``emcs_success``:
        successes) of all who were tested, or implanted. It moves the level of the
        model and makes it surer; the centre needs no rows for it.

    Returns
    -------
    Model
        Provenance ``published``; its coefficients and covariance are those of the
        mixture of priors, its population the dictionary's reference population. It has
        its digest, the released one unless evidence is left out or a rate is local.

    Raises
    ------
    EvidenceError
        For an unknown overlap group.
    ResponderModelError
        For a local rate that is not two whole numbers, 0 <= responders <= tested.

    Examples
    --------
    >>> model = published_model("rtms_response", "screening")
    >>> model.provenance
    'published'
    >>> 0.3 < model.predict({"age": 56}).probability < 0.55
    True
    >>> published_model("emcs_success", exclude_evidence=["saint_etienne"]).name
    'published evidence without saint_etienne'
    >>> local = published_model("rtms_response", "screening", local_rate=(60, 100))
    >>> local.predict({}).probability > model.predict({}).probability
    True
    """
    decision, moment = dictionary().check_target(decision, moment)
    excluded = packaged_evidence().check_groups(exclude_evidence)
    return _published(decision, moment, excluded, check_local_rate(local_rate))


def check_local_rate(rate: object) -> tuple[int, int] | None:
    """Return (responders, tested) as whole numbers; None where nothing was given.

    Examples
    --------
    >>> check_local_rate((40, 30))
    Traceback (most recent call last):
    ...
    responder_model.errors.ResponderModelError: local_rate (--responders and\
 --tested) must be (responders, tested) in whole numbers, 0 <= responders <=\
 tested, tested at least 1, got (40, 30).
    """
    if rate is None:
        return None
    pair = list(rate) if isinstance(rate, tuple | list) else []
    whole = all(type(n) is int or isinstance(n, np.integer) for n in pair)
    if len(pair) == 2 and whole and 0 <= pair[0] <= pair[1] and pair[1] >= 1:
        return int(pair[0]), int(pair[1])
    raise ResponderModelError(Note("refusal.local_rate", got=repr(rate)))


@cache
def _published(
    decision: str,
    moment: str,
    excluded: tuple[str, ...],
    local_rate: tuple[int, int] | None,
) -> Model:
    encoder = Encoder.for_decision(decision, moment)
    target = dictionary().decisions[decision]
    priors = build_priors(decision, moment, exclude_evidence=excluded)
    if local_rate is not None:
        priors = with_local_rate(priors, local_rate)
    population = Population.reference(encoder)
    mixture = prior_mixture(encoder, priors)
    cuts, main = target.cut_points, target.main_index
    linear = tuple(
        linear_part(
            cut,
            collapse(mixture, cuts.index(cut), len(cuts), main),
            encoder.projection,
        )
        for cut in target.served_cut_points
    )
    own = linear[target.served_cut_points.index(target.main_cut_point)]
    model = Model(
        decision=decision,
        moment=moment,
        provenance="published",
        name=_name(excluded, local_rate),
        encoder=encoder,
        population=population,
        limits=reference_limits(encoder, population),
        linear=linear,
        mean_variance=own.mean_variance(population),
        discrepancy=prior_discrepancy(),
        components=tuple(component(part) for part in mixture),
        priors=priors,
        evidence=_behind(decision, excluded),
        pool=None,
        n_patients=0,
        n_events=0,
        excluded_evidence=excluded,
        notes=(),
    )
    found = as_published(model)
    if not excluded and local_rate is None:
        object.__setattr__(found, "digest", _released_digests().get(found.target))
        return found
    from responder_model.artifact import digest_of

    digest_of(found)
    return found


@cache
def _behind(decision: str, excluded: tuple[str, ...]) -> Evidence:
    """Evidence that the models of all moments share."""
    behind = packaged_evidence().behind(decision, without=excluded)
    return as_kept(behind, decision)


@cache
def _released_digests() -> dict[str, str]:
    """Digests of the released models, which would take long to work out here."""
    path = files("responder_model") / "data" / "published_digests.json"
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _name(excluded: tuple[str, ...], local_rate: tuple[int, int] | None) -> str:
    name = NAME
    if excluded:
        name = say("names.without", "en", name=name, groups=", ".join(excluded))
    if local_rate is None:
        return name
    responders, tested = local_rate
    return say("names.with_rate", "en", name=name, k=responders, n=tested)


def with_local_rate(priors: PriorSet, rate: tuple[int, int]) -> PriorSet:
    """Priors whose level has seen how many patients of a centre had the outcome.

    The binomial likelihood of the rate, at what the level means over patients (see step
    3 of ``priors.build``), times the prior of the level, by moments on a grid.
    """
    k, n = rate
    mean, sd = priors.anchor
    level = mean + sd * _GRID
    share = expit(level / priors.level_scale)
    log_weight = k * np.log(share) + (n - k) * np.log1p(-share) - 0.5 * _GRID**2
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    centre = float(weight @ level)
    spread = float(np.sqrt(weight @ (level - centre) ** 2))
    note = f"level from the evidence and {k} of {n} patients of the centre"
    return replace(priors, anchor=(centre, spread), notes=(*priors.notes, note))


def prior_mixture(encoder: Encoder, priors: PriorSet) -> tuple[Posterior, ...]:
    """Components that a development starts from, each its own prior."""
    return tuple(
        Posterior(
            prior=prior,
            mean=prior.mean,
            covariance=prior.spread,
            log_evidence=0.0,
            weight=prior.weight,
        )
        for prior in priors.mixture(encoder.derived)
    )


def prior_draws(model: Model, n: int, *, seed: int = 0) -> Array:
    """Truths that a published model expects: level and model columns, (n, 1 + K).

    Drawn from its mixture; the level is that of the main cut-off.
    """
    rng = np.random.default_rng(seed)
    weights = np.array([part.prior_weight for part in model.components])
    which = rng.choice(len(weights), size=n, p=weights / weights.sum())
    mean = np.array([part.prior_mean for part in model.components])[which]
    sd = np.array([part.prior_sd for part in model.components])[which]
    draws = mean + sd * rng.normal(size=mean.shape)
    n_cuts = len(model.rules.cut_points)
    return np.delete(draws, np.arange(1, n_cuts), axis=1)


def claimed_c_statistics(model: Model, n: int, *, seed: int = 0) -> Array:
    """c-statistics, in the reference population, of truths that a model expects, (n,).

    Examples
    --------
    >>> found = claimed_c_statistics(published_model("rtms_response", "screening"), 300)
    >>> bool(np.median(found) <= 0.70)
    True
    """
    draws, projection = prior_draws(model, n, seed=seed), model.encoder.projection
    sigma = projection @ model.population.covariance @ projection.T
    spread = np.einsum("ik,kl,il->i", draws[:, 1:], sigma, draws[:, 1:])
    pairs = zip(draws[:, 0].tolist(), spread.tolist(), strict=True)
    return np.array([implied_c_statistic(level, variance) for level, variance in pairs])
