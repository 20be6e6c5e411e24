"""The model of all centres: mixture, population, limits and what must be said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from responder_model.cumulative_logit.earlier import Missed
from responder_model.cumulative_logit.mixture import Component as Posterior
from responder_model.cumulative_logit.mixture import collapse
from responder_model.development.parts import component, linear_part
from responder_model.development.pooled import widen_limits
from responder_model.disclosure import Disclosure, Fingerprints
from responder_model.disclosure.fingerprints import known_key
from responder_model.features import Population
from responder_model.features.population import REFERENCE_WEIGHT
from responder_model.model import Limits, LinearPart, Model, reference_limits
from responder_model.sample_size import sample_size_verdict
from responder_model.settings import Settings
from responder_model.words import Note
from .contribution import Contribution
from .heterogeneity import Member


def model_of(
    centres: Sequence[Contribution],
    base: Model,
    mixture: Sequence[Posterior],
    *,
    member: int | None,
    name: str | None,
) -> Model:
    """Model of all centres.

    Parameters
    ----------
    centres : sequence of Contribution
        In the order in which they were given.
    base : Model
        Whose dictionary, columns and settings it has.
    mixture : sequence of Component
        Posteriors of components and spreads.
    member : int or None
        Whose own model it is.
    name : str or None
        Its name; None joins all names.
    """
    mixture = _normalised(mixture)
    linear = _linear(base, mixture)
    population = pooled_population(centres, base)
    n = np.array([one.n_patients for one in centres])
    n_events = sum(one.n_events for one in centres)
    simulated = any(one.provenance == "simulated" for one in centres)
    excluded = sorted({group for one in centres for group in one.excluded_evidence})
    return Model(
        decision=base.decision,
        moment=base.moment,
        provenance="simulated" if simulated else "cohort",
        name=name or _name(centres, member),
        encoder=base.encoder,
        population=population,
        limits=_limits(centres, base),
        linear=linear,
        mean_variance=linear[base.main_index].mean_variance(population),
        discrepancy=float(n @ [one.discrepancy for one in centres] / n.sum()),
        components=tuple(component(one) for one in mixture),
        # a file made for leaving holds nothing of it
        missed=sum((one.model.missed for one in centres if one.model), Missed()),
        priors=base.priors,
        evidence=base.evidence.behind(base.decision, without=excluded),
        settings=_settings(base, tuple(excluded)),
        sample_size=sample_size_verdict(
            n_patients=int(n.sum()),
            n_events=n_events,
            n_candidate_parameters=len(base.encoder.derived),
        ),
        n_patients=int(n.sum()),
        n_events=n_events,
        excluded_evidence=tuple(excluded),
        notes=(Note("development.combined", n=len(centres)),),
        disclosure=_disclosure(centres),
        fingerprints=_fingerprints(centres),
    )


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


def _settings(base: Model, excluded: tuple[str, ...]) -> Settings:
    """Settings of the first folder; of files alone those that ``share`` has."""
    own = base.settings or Settings(
        decision=base.decision, moment=base.moment, centres="ignored"
    )
    return replace(
        own, exclude_evidence=excluded, challenger=False, table=base.dictionary
    )


def _limits(centres: Sequence[Contribution], base: Model) -> Limits:
    """Limits that hold every folder's patients; of files alone the published ones."""
    known = [one.model.limits for one in centres if one.model is not None]
    if len(known) < len(centres):
        known.append(reference_limits(base.encoder, base.population))
    limits = known[0]
    for more in known[1:]:
        limits = widen_limits(limits, more)
    return limits


def pooled_population(centres: Sequence[Contribution], base: Model) -> Population:
    """Moments of all patients; the reference, worth some, is counted once."""
    reference = Population.reference(base.encoder).covariance
    n = np.array([float(one.population.n_patients) for one in centres])
    means = np.array([one.population.mean for one in centres])
    mean = n @ means / n.sum()
    scatter = REFERENCE_WEIGHT * reference
    for size, one in zip(n, centres, strict=True):
        gap = one.population.mean - mean
        scatter = scatter + (REFERENCE_WEIGHT + size) * one.population.covariance
        scatter = scatter - REFERENCE_WEIGHT * reference + size * np.outer(gap, gap)
    return Population(
        mean=mean,
        covariance=scatter / (REFERENCE_WEIGHT + n.sum()),
        n_patients=int(n.sum()),
    )


def _disclosure(centres: Sequence[Contribution]) -> Disclosure | None:
    """Of a model that continues each of its members, as an update does.

    One that may not leave by itself is not named: beside a model that it continues, the
    whole would tell of its few new patients.
    """
    rules = [one.disclosure for one in centres]
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
        ancestors=tuple(
            digest
            for one, rule in zip(centres, known, strict=True)
            if rule.may_leave
            for digest in (*rule.ancestors, one.digest)
        ),
    )


def _fingerprints(centres: Sequence[Contribution]) -> Fingerprints | None:
    """Of all patients of one key: of this centre's where a member has it.

    Those of other keys can be compared with nobody here.
    """
    known = [one.fingerprints for one in centres if one.fingerprints is not None]
    if len(known) < len(centres):
        return None
    own = known_key()
    key = own if own in [one.key for one in known] else known[0].key
    first, *rest = (one for one in known if one.key == key)
    return sum(rest, first)


def _name(centres: Sequence[Contribution], member: int | None) -> str:
    whole = " + ".join(one.name for one in centres)
    return whole if member is None else f"{centres[member].name} ({whole})"


def notes_of(
    centres: Sequence[Contribution], members: Sequence[Member], bent: Sequence[str]
) -> Iterator[Note]:
    """What a reader of the combined model must know of its centres."""
    against = tuple(member.name for member in members if member.contradicts)
    if against:
        yield Note("development.combined_contradicts", models=", ".join(against))
    trees = [one.name for one in centres if one.model and one.model.pool is not None]
    if trees:
        yield Note("development.combined_without_trees", models=", ".join(trees))
    if bent:
        yield Note("development.combined_straight", models=", ".join(bent))
    files = [one.name for one in centres if one.model is None]
    if files:
        yield Note("development.combined_without_limits", models=", ".join(files))
    keys = [one.fingerprints.key if one.fingerprints else None for one in centres]
    if None in keys or len(set(keys)) > 1:
        yield Note("development.combined_not_compared")
    if len({one.provenance for one in centres}) > 1:
        yield Note("development.combined_simulated")
