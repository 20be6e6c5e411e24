"""From the models of centres to one for a new centre, or for one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from responder_model.combining.contribution import (
    Contribution,
    beliefs,
    contribution_of,
)
from responder_model.combining.heterogeneity import (
    Between,
    Member,
    between,
    members_of,
)
from responder_model.combining.members import check_members, own_priors
from responder_model.combining.product import (
    ALIKE,
    APART,
    Floats,
    Gaussian,
    Likelihoods,
    Spread,
    gaussian_of,
    multiply,
    of_component,
    variances_of,
)
from responder_model.combining.whole import model_of, notes_of
from responder_model.cumulative_logit.components import Prior
from responder_model.cumulative_logit.mixture import Component as Posterior
from responder_model.development import published_model
from responder_model.errors import ResponderModelError
from responder_model.model import Model
from responder_model.words import Note

# Components below this share of the posterior are left out.
_NEGLIGIBLE = 1e-4


@dataclass(frozen=True, kw_only=True)
class Combination:
    """A model of several centres, and how they agree.

    Parameters
    ----------
    model : Model
        For a centre that is none of them, or for the member that was asked for.
    members : tuple of Member
        Each centre beside the others.
    between : Between
        How far centres lie apart.
    """

    model: Model
    members: tuple[Member, ...]
    between: Between

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, without the model."""
        return {
            "members": [vars(member) for member in self.members],
            "between": vars(self.between),
            "n_patients": self.model.n_patients,
            "n_events": self.model.n_events,
            "provenance": self.model.provenance,
        }


def combine(
    models: Sequence[Model | Contribution],
    *,
    for_member: int | None = None,
    alike: bool = False,
    name: str | None = None,
) -> Combination:
    """Combine developed models of centres from their folders alone.

    The evidence counts once, each centre's patients once; what centres have in common
    and how far they lie apart is learned from all. No patient is exchanged. Trees are
    left out: they cannot be combined without patients.

    Parameters
    ----------
    models : sequence of Model or Contribution
        One a centre: its folder, developed on its patients and not updated, or what
        ``share`` made of them; of one question, with the same predictors.
    for_member : int, optional
        Place of the member whose own model is wanted: what it shares with the others,
        and its own level. Default: for a new centre.
    alike : bool
        Suppose that centres do not differ. Models of such centres can be combined in
        steps.
    name : str, optional
        Name of the model; default: all names.

    Returns
    -------
    Combination

    Raises
    ------
    ResponderModelError
        With every reason why the models cannot be combined.

    Examples
    --------
    >>> import responder_model as rm
    >>> settings = rm.Settings(decision="rtms_response", moment="screening",
    ...     challenger=False)
    >>> models = [rm.develop(rm.simulate_cohort(n_patients=60, seed=seed),
    ...     settings=settings) for seed in (1, 2)]
    >>> found = combine(models)
    >>> found.model.n_patients == sum(model.n_patients for model in models)
    True
    """
    base = _base(models)
    check_members(models, base)
    if for_member is not None and not 0 <= for_member < len(models):
        raise ResponderModelError(
            Note("combining.no_such_member", n=len(models), place=for_member)
        )
    centres = [
        one if isinstance(one, Contribution) else contribution_of(one) for one in models
    ]
    columns = base.encoder.derived
    learned = [one.of_all(columns) for one in centres]
    excluded = {group for one in centres for group in one.excluded_evidence}
    common = own_priors(base, excluded)
    n_cuts = len(base.rules.cut_points)
    spreads = ALIKE if alike else APART
    priors = [gaussian_of(prior) for prior in common]
    parts = [of_component(learned, k) for k in range(len(common))]
    moved = [_apart(part, spreads, n_cuts) for part in parts]
    found = list(
        _posteriors(common, priors, moved, parts, spreads, n_cuts, member=for_member)
    )
    weights = _shares(np.array([one.log_evidence for one in found]))
    mixture = tuple(
        replace(one, weight=float(w))
        for one, w in zip(found, weights, strict=True)
        if alike or w > _NEGLIGIBLE
    )
    believed = [
        beliefs(part, own_priors(base, one.excluded_evidence))
        for one, part in zip(centres, learned, strict=True)
    ]
    held = members_of(
        centres,
        np.array(believed),
        priors,
        np.array([prior.weight for prior in common]),
        parts,
        moved,
        spreads,
    )
    by_spread = weights.reshape(len(common), len(spreads)).sum(axis=0)
    apart = between(held, spreads, by_spread)
    model = model_of(centres, base, mixture, member=for_member, name=name)
    notes = (*model.notes, *notes_of(centres, held))
    return Combination(model=replace(model, notes=notes), members=held, between=apart)


def _apart(
    part: Likelihoods, spreads: Sequence[Spread], n_cuts: int
) -> list[Likelihoods]:
    """What centres say of their common level and effects, at each spread."""
    size = part.vector.shape[1]
    return [part.apart(variances_of(spread, size, n_cuts)) for spread in spreads]


def _base(models: Sequence[Model | Contribution]) -> Model:
    """Whose dictionary and columns count: the first folder's, else the installed."""
    for one in models:
        if isinstance(one, Model):
            return one
    if not models:
        raise ResponderModelError(
            Note("combining.refused", reasons=(Note("combining.two_models", n=0),))
        )
    return published_model(models[0].decision, models[0].moment)


def _posteriors(
    common: Sequence[Prior],
    priors: Sequence[Gaussian],
    moved: Sequence[Sequence[Likelihoods]],
    parts: Sequence[Likelihoods],
    spreads: Sequence[Spread],
    n_cuts: int,
    *,
    member: int | None,
) -> Iterator[Posterior]:
    """One a component and spread, its log evidence with the spread's prior weight."""
    others = [c for c in range(len(parts[0].constant)) if c != member]
    for prior, start, part, ways in zip(common, priors, parts, moved, strict=True):
        for spread, rest in zip(spreads, ways, strict=True):
            variances = variances_of(spread, len(start.vector), n_cuts)
            found = multiply(start, rest.of(others))
            mean, covariance = found.mean, found.covariance + np.diag(variances)
            log_z = found.log_weight
            if member is not None:
                precision = np.asarray(np.linalg.inv(covariance))
                new = Gaussian(precision=precision, vector=precision @ mean)
                own = multiply(new, part.of([member]))
                mean, covariance = own.mean, own.covariance
                log_z += own.log_weight
            yield Posterior(
                prior=replace(prior, weight=prior.weight * spread.weight),
                mean=mean,
                covariance=covariance,
                log_evidence=log_z + np.log(prior.weight * spread.weight),
            )


def _shares(log_weight: Floats) -> Floats:
    share = np.exp(log_weight - log_weight.max())
    return np.asarray(share / share.sum())
