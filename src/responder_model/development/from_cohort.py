"""Develop a model from a centre's cohort and the published evidence."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.cohort import check_cohort, outcome_levels
from responder_model.cumulative_logit.components import is_published
from responder_model.disclosure import SMALL_CELLS, Disclosure, fingerprints_of
from responder_model.errors import DevelopmentError
from responder_model.evidence import packaged_evidence
from responder_model.features import Array, expit
from responder_model.model import (
    CentreLevel,
    Component,
    LinearPart,
    Model,
    Pool,
    describe_limits,
)
from responder_model.model.batch import check_jobs, raw_cohort
from responder_model.model.limits import Limits
from responder_model.model.parts import ApparentPerformance
from responder_model.performance import core_measures
from responder_model.performance.core import CORE, CoreMeasures
from responder_model.sample_size import SampleSizeVerdict, sample_size_verdict
from responder_model.settings import Settings
from responder_model.words import Note
from .building import procedure_from
from .centres import coded
from .notes import development_notes
from .outcomes import at_cut, order_of, split_levels
from .parts import centre_levels, component, linear_part
from .procedure import Procedure

# Centre whose patients stand behind the published rTMS evidence, and its group.
_EVIDENCE_CENTRES = {"saint etienne": "saint_etienne"}


def develop(
    cohort: pd.DataFrame,
    decision: str | None = None,
    moment: str | None = None,
    *,
    settings: Settings | None = None,
    seed: int = 0,
    n_jobs: int = 1,
    exclude_evidence: Sequence[str] = (),
    small_cells: int = SMALL_CELLS,
    stays_here: bool = False,
    name: str | None = None,
) -> Model:
    """Develop one decision model on a cohort.

    Parameters
    ----------
    cohort : DataFrame
        From ``read_cohort`` or ``simulate_cohort``, or hand-made in dictionary form.
        Columns that are not known at the moment are left unused and listed in
        ``model.notes``.
    decision, moment : str
        The decision model; or give ``settings`` instead.
    settings : Settings, optional
        Everything at once, e.g. from a TOML file.
    seed : int
        Seed of folds and trees.
    n_jobs : int
        Threads that share the folds of the challenger; no number depends on it.
    exclude_evidence : sequence of str
        Overlap groups whose evidence leaves the prior: required for a cohort whose
        patients are in the published evidence.
    small_cells : int
        Nothing is learned that fewer patients decide (``disclosure``).
    stays_here : bool
        Mark the model as one that never leaves its centre; needed for
        ``small_cells=0``.
    name : str, optional
        Name of the model; default: the cohort's.

    Returns
    -------
    Model

    Raises
    ------
    DevelopmentError
        Too few patients, one outcome class, or a cohort that is part of the evidence
        with that evidence left in.

    Examples
    --------
    >>> import responder_model as rm
    >>> cohort = rm.simulate_cohort(n_patients=60, seed=0)
    >>> model = develop(cohort, "rtms_response", moment="session_2")
    >>> model.provenance, model.n_patients
    ('simulated', 54)
    """
    settings = _settings(
        settings,
        decision,
        moment,
        seed=seed,
        exclude_evidence=tuple(exclude_evidence),
        small_cells=small_cells,
        stays_here=stays_here,
    )
    cohort = check_cohort(cohort)
    check_overlap(cohort, settings)
    if settings.centres == "coded":
        cohort = coded(cohort)
    levels = outcome_levels(cohort, settings.decision)
    procedure = procedure_from(settings, report_challenger=settings.challenger)
    procedure.set_params(n_jobs=check_jobs(n_jobs)).fit(cohort, levels)
    return model_from(procedure, cohort, settings, name)


def _settings(
    settings: Settings | None,
    decision: str | None,
    moment: str | None,
    **rest: Any,
) -> Settings:
    if settings is not None:
        if decision is not None:
            raise DevelopmentError(Note("refusal.decision_twice"))
        return settings
    if decision is None:
        raise DevelopmentError(Note("refusal.decision_missing"))
    return Settings(decision=decision, moment=moment or "", **rest)


def check_overlap(cohort: pd.DataFrame, settings: Settings) -> None:
    """Refuse a cohort whose patients the prior already contains."""
    groups = set(cohort.attrs.get("overlap_groups", ()))
    if "centre" in cohort.columns:
        for centre in cohort["centre"].dropna().unique():
            group = _EVIDENCE_CENTRES.get(_plain(str(centre)))
            groups |= {group} if group else set()
    left_in = sorted(groups - set(settings.exclude_evidence))
    if left_in:
        groups_left = {"groups": tuple(left_in), "argument": repr(left_in)}
        raise DevelopmentError(Note("refusal.own_evidence", **groups_left))


def _plain(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join(plain.lower().replace("-", " ").replace("st ", "saint ").split())


def model_from(
    procedure: Procedure, cohort: pd.DataFrame, settings: Settings, name: str | None
) -> Model:
    """Released values of a fitted procedure: aggregates, no patient."""
    estimator, encoder = procedure.estimator_, procedure.encoder_
    levels = outcome_levels(cohort, procedure.target)
    lower, upper = split_levels(levels, procedure.target)
    outcome = at_cut(lower, upper, procedure.target.main_index)
    known = (upper - lower) < len(procedure.target.cut_points)
    raw, outcome = raw_cohort(encoder, cohort)[known], outcome[known]
    order = order_of(raw, lower[known], upper[known])
    raw, outcome = raw[order], outcome[order]
    performance = _performance(procedure, raw, outcome, levels.definition)
    n_patients, n_events = len(raw), int(np.nansum(outcome))
    return Model(
        decision=settings.decision,
        moment=settings.moment,
        provenance=cohort.attrs.get("provenance", "cohort"),
        name=name or str(cohort.attrs.get("name", "cohort")),
        encoder=encoder,
        population=procedure.population_,
        limits=_limits(procedure, raw, settings),
        linear=_linear_parts(procedure),
        mean_variance=procedure.mean_variance_,
        discrepancy=estimator.discrepancy_,
        centres=_centres(procedure),
        components=tuple(map(component, estimator.components_)),
        cut_components=_at_cuts(procedure),
        missed=estimator.missed_,
        priors=procedure.priors_,
        evidence=packaged_evidence().behind(
            settings.decision, without=settings.exclude_evidence
        ),
        pool=_pool(procedure),
        settings=settings,
        sample_size=size_verdict(procedure, int((~np.isnan(outcome)).sum()), n_events),
        performance=performance,
        n_patients=n_patients,
        n_events=n_events,
        excluded_evidence=settings.exclude_evidence,
        notes=development_notes(cohort, encoder, settings, known),
        mapping=cohort.attrs.get("mapping", {}),
        disclosure=_disclosure(procedure, settings, n_patients, n_events),
        fingerprints=fingerprints_of(cohort[known]),
    )


def _limits(procedure: Procedure, raw: Array, settings: Settings) -> Limits:
    """Range of what was learned from, gaps filled in."""
    encoder, population = procedure.encoder_, procedure.population_
    z = encoder.encode(raw)
    z[:, procedure.left_out_] = np.nan
    no_direction = np.zeros((1, len(encoder.columns)))
    filled, _ = population.impute(z, no_direction, encoder.interval(raw))
    cells = settings.small_cells
    return describe_limits(encoder, raw, filled, population, small_cells=cells)


def size_verdict(
    procedure: Procedure, n_patients: int, n_events: int
) -> SampleSizeVerdict:
    """Verdict on a number of patients.

    Of one outcome class, the proportion is the one that the evidence expects.
    """
    one_class = n_events in (0, n_patients)
    expected = float(expit(np.array(procedure.priors_.anchor[0])))
    return sample_size_verdict(
        n_patients=n_patients,
        n_events=n_events,
        n_candidate_parameters=len(procedure.encoder_.derived),
        outcome_proportion=expected if one_class else None,
    )


def _disclosure(
    procedure: Procedure, settings: Settings, n: int, n_events: int
) -> Disclosure:
    left_out = procedure.left_out_
    columns = procedure.encoder_.columns
    return Disclosure(
        k=settings.small_cells,
        n=n,
        n_since_release=n,
        events_since_release=n_events,
        parameters=int((~left_out).sum())
        + len(procedure.open_cuts_)
        + len(procedure.centres_),
        contrasts_left_out=tuple(columns[k].name for k in np.flatnonzero(left_out)),
        stays_here=settings.stays_here,
    )


def _linear_parts(procedure: Procedure) -> tuple[LinearPart, ...]:
    cuts = procedure.target.cut_points
    return tuple(
        linear_part(
            cut,
            procedure.estimator_.served_[cuts.index(cut)],
            procedure.encoder_.projection,
        )
        for cut in procedure.target.served_cut_points
    )


def _at_cuts(procedure: Procedure) -> tuple[tuple[Component, ...], ...]:
    found, cuts = procedure.estimator_.cut_components_, procedure.target.cut_points
    return tuple(
        tuple(map(component, found[cuts.index(cut)]))
        for cut in procedure.target.served_cut_points
    )


def _centres(procedure: Procedure) -> tuple[CentreLevel, ...]:
    target, served = procedure.target, procedure.estimator_.served_
    return centre_levels(
        procedure.centres_,
        [served[target.cut_points.index(cut)] for cut in target.served_cut_points],
        target.served_cut_points.index(target.main_cut_point),
        procedure.encoder_.projection,
    )


def _pool(procedure: Procedure) -> Pool | None:
    pool = procedure.pool_
    if pool.trees is None:
        return None
    return Pool(
        weight=pool.weight,
        offset=pool.offset,
        slope=pool.slope,
        trees=pool.trees.to_json(),
    )


def _performance(
    procedure: Procedure, raw: Array, outcome: NDArray[np.float64], definition: str
) -> ApparentPerformance:
    """Apparent performance, the challenger's figures, weight and conflict."""
    judged = ~np.isnan(outcome)
    probability = expit(procedure.linear_predictor_raw(raw[judged]))
    pool = procedure.pool_
    overall, by_column = procedure.estimator_.prior_conflict()
    names = procedure.encoder_.derived
    apparent = measured_unless_few(
        outcome[judged], probability, least=procedure.small_cells
    )
    return ApparentPerformance(
        apparent=apparent.values,
        not_measured=apparent.failures,
        challenger={
            "weight": pool.weight,
            "out_of_fold_log_loss": pool.log_loss_challenger,
            "evidence_out_of_fold_log_loss": pool.log_loss_evidence,
        },
        published_component_weight=sum(
            component.weight
            for component in procedure.estimator_.components_
            if is_published(component.prior.name)
        ),
        prior_conflict_p_value=overall,
        prior_conflict_p_values={
            name: by_column[f"x{k}"] for k, name in enumerate(names) if by_column
        },
        outcome_definition=definition,
    )


def measured_unless_few(
    outcome: Array, probability: Array, *, least: int
) -> CoreMeasures:
    """Measures; none of fewer than ``least``, whose probabilities they tell."""
    if len(outcome) >= least:
        return core_measures(outcome, probability)
    reason = Note("performance.few_measured", least=least)
    return CoreMeasures(values={}, failures=dict.fromkeys(CORE, reason))
