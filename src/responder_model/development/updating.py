"""Bring a model up to date with a cohort: its posterior becomes the prior."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from responder_model.artifact import digest_of
from responder_model.cohort import check_cohort, outcome_levels
from responder_model.cumulative_logit.components import Prior
from responder_model.cumulative_logit.earlier import Earlier
from responder_model.cumulative_logit.mixture import prior_at
from responder_model.development.building import procedure_from
from responder_model.development.centres import coded
from responder_model.development.changing import (
    GRID,
    merged,
    tell_changes,
    that_may_change,
)
from responder_model.development.from_cohort import (
    check_overlap,
    develop,
    model_from,
    size_verdict,
)
from responder_model.development.newcomers import new_patients, notes_of_update
from responder_model.development.parts import component
from responder_model.development.pooled import (
    joint_disclosure,
    joint_fingerprints,
    pooled_populations,
    widen_limits,
)
from responder_model.development.procedure import CURVES_FROM, Procedure
from responder_model.development.recalibrating import SHIFTS, recalibrated
from responder_model.errors import DevelopmentError
from responder_model.features import is_curve
from responder_model.model import Component, Model, Pool
from responder_model.model.given import check_model
from responder_model.model.trees import join_pools
from responder_model.settings import METHODS, Settings
from responder_model.words import Note, say

# p-value below which an update says that its patients conflict with the model.
CONFLICT = 0.05

Method = Literal["bayes", "auto", "in_the_large", "recalibration", "refit"]


def update(
    model: Model,
    cohort: pd.DataFrame,
    *,
    name: str | None = None,
    seed: int = 0,
    count_again: bool = False,
    small_cells: int | None = None,
    stays_here: bool = False,
    power: float = 1.0,
    method: Method = "bayes",
) -> Model:
    """Update a model with new patients, component by component.

    Each component of the mixture starts from its own posterior and the components are
    weighed anew, which is exact up to Laplace's approximation: updating with one cohort
    after another is like developing on both. Means and limits of the population are
    pooled. Trees cannot be updated without their patients: the challenger is developed
    on the new cohort alone, under the usual rule, and stands beside the earlier one,
    each with the weight that it earned times its patients' share of all. Apparent
    performance is that on the new cohort; the sample-size verdict counts all patients.

    The columns are those of the model: it has no curves where it began with fewer than
    40 patients or none, and a note says so.

    Any number of new patients is accepted, with one outcome class too. Fewer than
    ``small_cells`` move only the level, and the model stays in the centre until as many
    have gathered.

    Parameters
    ----------
    model : Model
        Published or developed.
    cohort : DataFrame
        Patients; those who are in the model already are left out, so that an export of
        all patients may be given each time.
    name : str, optional
        Name of the new model; default: both names.
    seed : int
        Seed of folds and trees.
    count_again : bool
        Learn from patients who are in the model already, too: for those who are alike
        by chance.
    small_cells : int, optional
        As for ``develop``; default: the model's own.
    stays_here : bool
        Mark the model as one that never leaves its centre; with ``small_cells=0`` it
        then learns from however few.
    power : float
        What the information of the earlier model counts, above 0 to 1: for patients who
        conflict with it, as the notes of an update say. Half leaves it the means, with
        SDs that are 1.4 times as wide.
    method : {"bayes", "auto", "in_the_large", "recalibration", "refit"}
        ``bayes``: the new patients are like the earlier ones. ``auto``: they may differ
        as those of another centre may, in their rate, in the strength of all effects or
        in single ones; how much is learned, and a note says what has changed. Or:
        ``in_the_large``, ``recalibration`` (see ``recalibrating``), or ``refit``, a
        development on the cohort alone with the model's settings: today's evidence,
        nothing of the earlier patients.

    Raises
    ------
    DevelopmentError
        Without any new patient whose outcome is known; patients of the evidence; a
        recalibration of patients who all have one outcome, or too few with one; a
        refit where ``develop`` refuses.

    Examples
    --------
    >>> import responder_model as rm
    >>> model = rm.published_model("rtms_response", moment="screening")
    >>> newer = rm.update(model, rm.simulate_cohort(n_patients=60, seed=1))
    >>> newer.provenance, model.n_patients < newer.n_patients
    ('simulated', True)
    """
    check_model(model)
    _check_method(method)
    settings = _settings(model, seed)
    settings = replace(
        settings,
        table=model.dictionary,
        small_cells=settings.small_cells if small_cells is None else small_cells,
        stays_here=settings.stays_here or stays_here,
        power=power,
        method=method,
    )
    if power != 1.0 and method not in ("bayes", "auto"):
        raise DevelopmentError(Note("refusal.power_of_method", method=method))
    cohort = check_cohort(cohort)
    check_overlap(cohort, settings)
    if method == "refit":
        return _refitted(model, cohort, settings, name)
    name = name or _name(model, cohort)
    if settings.centres == "coded":
        cohort = coded(cohort, model.centre_names)
    cohort, known = new_patients(model, cohort, count_again=count_again)
    if method in SHIFTS:
        return recalibrated(model, cohort, settings, name, known)
    return _learned(model, cohort, settings, name, known)


def _learned(
    model: Model,
    cohort: pd.DataFrame,
    settings: Settings,
    name: str,
    known: tuple[Note, ...],
) -> Model:
    """Take the posterior of a model as the prior of checked new patients."""
    procedure = procedure_from(
        settings, report_challenger=settings.challenger, model=model
    )
    earlier = start_of(model, settings)
    procedure.set_params(earlier=earlier, centres=centres_of(model))
    procedure.fit(cohort, outcome_levels(cohort, procedure.target))
    fresh = model_from(procedure, cohort, settings, name)
    changes: tuple[Note, ...] = ()
    if settings.method == "auto":
        fresh = _without_changes(fresh, procedure, earlier)
        changes = (tell_changes(procedure.estimator_.components_),)
    provenances = {model.provenance, fresh.provenance}
    n_patients = model.n_patients + fresh.n_patients
    if n_patients >= CURVES_FROM and not procedure.priors_.curves:
        known = (*known, Note("development.straight", n=CURVES_FROM))
    n_events = model.n_events + fresh.n_events
    population = pooled_populations(model, fresh)
    return replace(
        fresh,
        provenance="simulated" if "simulated" in provenances else fresh.provenance,
        evidence=model.evidence,
        population=population,
        mean_variance=fresh.main.mean_variance(population),
        pool=_pool_trees(model, fresh),
        limits=widen_limits(model.limits, fresh.limits),
        n_patients=n_patients,
        n_events=n_events,
        sample_size=size_verdict(procedure, n_patients, n_events),
        notes=_notes(model, fresh, (*known, *fresh.notes, *changes)),
        disclosure=joint_disclosure(model, fresh),
        fingerprints=joint_fingerprints(model, fresh),
        parent=digest_of(model),
    )


def _refitted(
    model: Model, cohort: pd.DataFrame, settings: Settings, name: str | None
) -> Model:
    """Develop anew on a cohort alone, as the earlier model was."""
    fresh = develop(cohort, settings=settings, name=name)
    told = Note("development.refitted", model=model.name)
    return replace(fresh, notes=(told, *fresh.notes), parent=digest_of(model))


def _without_changes(fresh: Model, procedure: Procedure, earlier: Earlier) -> Model:
    """Make the changes of each component one again, so that updates do not grow."""
    fitted = procedure.estimator_
    return replace(
        fresh,
        components=tuple(map(component, merged(fitted.components_))),
        cut_components=tuple(
            tuple(map(component, merged(fitted.cut_components_[cut])))
            for cut in earlier.at_cuts
        ),
    )


def start_of(model: Model, settings: Settings) -> Earlier:
    """Where the update that settings describe starts: a model, or changes of it."""
    earlier = earlier_of(model, settings.power)
    if settings.method != "auto":
        return earlier
    bends = np.array([is_curve(name) for name in model.encoder.derived])
    n_cuts = len(model.rules.cut_points)
    return replace(
        earlier,
        components=that_may_change(earlier.components, n_cuts, bends),
        at_cuts={
            cut: that_may_change(priors, 1, bends)
            for cut, priors in earlier.at_cuts.items()
        },
        n_changes=len(GRID),
    )


def _check_method(method: str) -> None:
    if method not in METHODS:
        methods = ", ".join(METHODS)
        raise DevelopmentError(
            Note("refusal.update_method", methods=methods, method=method)
        )


def _notes(model: Model, fresh: Model, told: tuple[Note, ...]) -> tuple[Note, ...]:
    """Notes of the earlier model and of its update."""
    power = fresh.settings.power if fresh.settings else 1.0
    return notes_of_update(model, (*told, *_conflict(fresh, power)))


def _conflict(fresh: Model, power: float) -> tuple[Note, ...]:
    """What is said where the patients of an update lie elsewhere than expected."""
    p_value = fresh.performance.prior_conflict_p_value
    if p_value is None or not p_value < CONFLICT:
        return ()
    code = "conflict" if power == 1.0 else "conflict_still"
    return (Note(f"development.{code}", p=p_value),)


def _pool_trees(model: Model, fresh: Model) -> Pool | None:
    """Trees of both, each with the share of its patients in all patients."""
    n_patients = model.n_patients + fresh.n_patients
    shares = [
        replace(one.pool, weight=one.pool.weight * one.n_patients / n_patients)
        for one in (model, fresh)
        if one.pool is not None
    ]
    return join_pools(shares) if shares else None


def earlier_of(model: Model, power: float = 1.0) -> Earlier:
    """What a model leaves to its update, all of it raised to a power."""
    if not model.components:
        raise DevelopmentError(Note("refusal.no_components"))
    cuts = model.rules.cut_points
    served = [cuts.index(cut) for cut in model.served_cut_points]
    components = _as_priors(model.components, power)
    if model.cut_components:
        kept = [_as_priors(parts, power) for parts in model.cut_components]
        at_cuts = dict(zip(served, kept, strict=True))
    else:
        rest = len(cuts), model.rules.main_index
        at_cuts = {
            cut: tuple(prior_at(one, cut, *rest) for one in components)
            for cut in served
        }
    return Earlier(
        components=components,
        at_cuts=at_cuts,
        missed=model.missed.times(power),
        n_patients=model.n_patients,
    )


def _as_priors(components: Sequence[Component], power: float) -> tuple[Prior, ...]:
    parts = [part for part in components if part.weight > 0.0]
    weights = np.array([part.weight for part in parts]) ** power
    weights /= weights.sum()
    return tuple(
        Prior.from_posterior(
            part.name, part.mean, part.covariance / power, weight, part.centre_sd
        )
        for part, weight in zip(parts, weights.tolist(), strict=True)
    )


def centres_of(model: Model) -> tuple[str, ...] | None:
    """Centres whose levels a model's components hold; None where it can have none.

    Patients of a model that told no centres apart may be of several.
    """
    if model.settings and model.settings.centres == "ignored":
        return None
    if model.n_patients and not model.centres:
        return None
    return tuple(level.name for level in model.centres)


def is_updated_from(model: Model, earlier: Model) -> bool:
    """Whether a model is the update of an earlier one, by its digest."""
    return model.is_update and model.parent == digest_of(earlier)


def _settings(model: Model, seed: int) -> Settings:
    table = model.dictionary
    if model.settings is not None:
        return replace(model.settings, seed=seed, table=table)
    return Settings(
        decision=model.decision,
        moment=model.moment,
        seed=seed,
        exclude_evidence=model.excluded_evidence,
        predictors=model.encoder.predictors,
        table=table,
    )


def _name(model: Model, cohort: pd.DataFrame) -> str:
    joint = say("names.updated_with", "en")
    return f"{model.name}{joint}{cohort.attrs.get('name', 'a cohort')}"
