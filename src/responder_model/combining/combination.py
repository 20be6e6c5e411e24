"""From the models of centres to one for a new centre, or for one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from responder_model.combining.heterogeneity import (
    Between,
    Member,
    between,
    members_of,
)
from responder_model.combining.members import check_members, common_priors
from responder_model.combining.product import (
    ALIKE,
    APART,
    Floats,
    Gaussian,
    Likelihoods,
    Spread,
    gaussian_of,
    likelihoods_of,
    multiply,
    variances_of,
)
from responder_model.cumulative_logit.components import Prior
from responder_model.cumulative_logit.earlier import Missed
from responder_model.cumulative_logit.mixture import Component as Posterior
from responder_model.cumulative_logit.mixture import collapse
from responder_model.development.parts import component, linear_part
from responder_model.development.updating import mean_variance_in, widen_limits
from responder_model.disclosure import Disclosure, Fingerprints
from responder_model.errors import ResponderModelError
from responder_model.features import Population
from responder_model.features.population import REFERENCE_WEIGHT
from responder_model.model import LinearPart, Model
from responder_model.sample_size import sample_size_verdict
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
    models: Sequence[Model],
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
    models : sequence of Model
        One a centre, developed on its patients: not updated, of one question, with the
        same predictors.
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
    check_members(models)
    if for_member is not None and not 0 <= for_member < len(models):
        raise ResponderModelError(
            Note("combining.no_such_member", n=len(models), place=for_member)
        )
    common = common_priors(models)
    n_cuts = len(models[0].rules.cut_points)
    spreads = ALIKE if alike else APART
    priors = [gaussian_of(prior) for prior in common]
    parts = [likelihoods_of(models, k) for k in range(len(common))]
    moved = [
        [
            part.apart(variances_of(spread, part.vector.shape[1], n_cuts))
            for spread in spreads
        ]
        for part in parts
    ]
    found = list(
        _posteriors(common, priors, moved, parts, spreads, n_cuts, member=for_member)
    )
    weights = _shares(np.array([one.log_evidence for one in found]))
    mixture = tuple(
        replace(one, weight=float(w))
        for one, w in zip(found, weights, strict=True)
        if alike or w > _NEGLIGIBLE
    )
    held = members_of(
        models,
        priors,
        np.array([prior.weight for prior in common]),
        parts,
        moved,
        spreads,
    )
    by_spread = weights.reshape(len(common), len(spreads)).sum(axis=0)
    apart = between(held, spreads, by_spread)
    model = _model(models, mixture, for_member, name)
    notes = (*model.notes, *_notes(models, held))
    return Combination(model=replace(model, notes=notes), members=held, between=apart)


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


def _normalised(mixture: Sequence[Posterior]) -> list[Posterior]:
    """Weights that add up to 1, and the evidence of the patients alone."""
    total = sum(one.weight for one in mixture)
    return [
        replace(
            one,
            weight=one.weight / total,
            log_evidence=float(one.log_evidence - np.log(one.prior.weight)),
        )
        for one in mixture
    ]


def _linear(base: Model, mixture: Sequence[Posterior]) -> tuple[LinearPart, ...]:
    """One part for each served cut-off."""
    target = base.rules
    cuts = target.cut_points
    return tuple(
        linear_part(
            cut,
            collapse(mixture, cuts.index(cut), len(cuts), target.main_index),
            base.encoder.projection,
        )
        for cut in target.served_cut_points
    )


def _model(
    models: Sequence[Model],
    mixture: Sequence[Posterior],
    member: int | None,
    name: str | None,
) -> Model:
    base = models[0]
    mixture = _normalised(mixture)
    linear = _linear(base, mixture)
    main = linear[base.main_index]
    population = pooled_population(models)
    n = np.array([model.n_patients for model in models])
    n_events = sum(model.n_events for model in models)
    limits = base.limits
    for model in models[1:]:
        limits = widen_limits(limits, model.limits)
    simulated = any(model.provenance == "simulated" for model in models)
    excluded = sorted({group for m in models for group in m.excluded_evidence})
    return Model(
        decision=base.decision,
        moment=base.moment,
        provenance="simulated" if simulated else "cohort",
        name=name or _name(models, member),
        encoder=base.encoder,
        population=population,
        limits=limits,
        linear=linear,
        mean_variance=mean_variance_in(main, population),
        discrepancy=float(n @ [model.discrepancy for model in models] / n.sum()),
        components=tuple(component(one) for one in mixture),
        missed=sum((model.missed for model in models), Missed()),
        priors=base.priors,
        evidence=base.evidence.behind(base.decision, without=excluded),
        settings=base.settings
        and replace(
            base.settings,
            exclude_evidence=tuple(excluded),
            challenger=False,
            table=base.dictionary,
        ),
        sample_size=sample_size_verdict(
            n_patients=int(n.sum()),
            n_events=n_events,
            n_candidate_parameters=len(base.encoder.derived),
        ),
        n_patients=int(n.sum()),
        n_events=n_events,
        excluded_evidence=tuple(excluded),
        notes=(Note("development.combined", n=len(models)),),
        disclosure=_disclosure(models),
        fingerprints=_fingerprints(models),
    )


def pooled_population(models: Sequence[Model]) -> Population:
    """Moments of all patients; the reference, worth some, is counted once."""
    reference = Population.reference(models[0].encoder).covariance
    n = np.array([float(model.population.n_patients) for model in models])
    means = np.array([model.population.mean for model in models])
    mean = n @ means / n.sum()
    scatter = REFERENCE_WEIGHT * reference
    for size, model in zip(n, models, strict=True):
        gap = model.population.mean - mean
        scatter = scatter + (REFERENCE_WEIGHT + size) * model.population.covariance
        scatter = scatter - REFERENCE_WEIGHT * reference + size * np.outer(gap, gap)
    return Population(
        mean=mean,
        covariance=scatter / (REFERENCE_WEIGHT + n.sum()),
        n_patients=int(n.sum()),
    )


def _disclosure(models: Sequence[Model]) -> Disclosure | None:
    rules = [model.disclosure for model in models]
    known = [rule for rule in rules if rule is not None]
    if len(known) < len(rules):
        return None
    first = known[0]
    left_out = set(first.contrasts_left_out).intersection(
        *(rule.contrasts_left_out for rule in known)
    )
    return Disclosure(
        k=min(rule.k for rule in known),
        n=sum(rule.n for rule in known),
        n_since_release=sum(rule.n_since_release for rule in known),
        events_since_release=sum(rule.events_since_release for rule in known),
        parameters=max(rule.parameters for rule in known),
        contrasts_left_out=tuple(
            one for one in first.contrasts_left_out if one in left_out
        ),
    )


def _fingerprints(models: Sequence[Model]) -> Fingerprints | None:
    """Of all patients, where one key made them."""
    known = [model.fingerprints for model in models]
    found = known[0]
    for more in known[1:]:
        if found is None or more is None or found.key != more.key:
            return None
        found = found + more
    return found


def _name(models: Sequence[Model], member: int | None) -> str:
    whole = " + ".join(model.name for model in models)
    return whole if member is None else f"{models[member].name} ({whole})"


def _notes(models: Sequence[Model], members: Sequence[Member]) -> Iterator[Note]:
    trees = tuple(model.name for model in models if model.pool is not None)
    if trees:
        yield Note("development.combined_without_trees", models=", ".join(trees))
    against = tuple(member.name for member in members if member.contradicts)
    if against:
        yield Note("development.combined_contradicts", models=", ".join(against))
    kinds = {model.provenance for model in models}
    if len(kinds) > 1:
        yield Note("development.combined_simulated")
