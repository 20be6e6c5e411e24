"""Bring a model up to date with a cohort: its posterior becomes the prior."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import numpy as np

from responder_model.cohort import check_cohort, outcome_levels
from responder_model.cumulative_logit.components import Prior
from responder_model.development.from_cohort import check_overlap, model_from
from responder_model.development.settings import Settings
from responder_model.errors import DevelopmentError
from responder_model.features import Population
from responder_model.features.population import REFERENCE_WEIGHT
from responder_model.model import Limits, Model
from responder_model.model.limits import NumberLimits
from responder_model.sample_size import sample_size_verdict

if TYPE_CHECKING:
    import pandas as pd

# Beginning of the note that an updated model carries.
_UPDATED = "Updated from "
_HOW_OFTEN = ("none", "few", "enough")


def update(
    model: Model, cohort: pd.DataFrame, *, name: str | None = None, seed: int = 0
) -> Model:
    """Update a model with new patients, component by component.

    Each component of the mixture starts from its own posterior and the components are
    weighed anew, which is exact up to Laplace's approximation: updating with one cohort
    after another is like developing on both. Means and limits of the population are
    pooled. Trees cannot be updated without their patients: the challenger is developed
    on the new cohort alone, under the usual rule. Apparent performance is that on the
    new cohort; the sample-size verdict counts all patients.

    Parameters
    ----------
    model : Model
        Published or developed.
    cohort : DataFrame
        New patients; none of them may have been in the model's own cohort or evidence.
    name : str, optional
        Name of the new model; default: both names.
    seed : int
        Seed of folds and trees.

    Raises
    ------
    DevelopmentError
        As ``develop``.

    Examples
    --------
    >>> import responder_model as rm
    >>> model = rm.published_model("rtms_response", moment="screening")
    >>> newer = rm.update(model, rm.simulate_cohort(n_patients=60, seed=1))
    >>> newer.provenance, model.n_patients < newer.n_patients
    ('simulated', True)
    """
    settings = _settings(model, seed)
    cohort = check_cohort(cohort)
    check_overlap(cohort, settings)
    procedure = settings.build_procedure(report_challenger=settings.challenger)
    procedure.set_params(posterior=posterior_of(model))
    procedure.fit(cohort, outcome_levels(cohort, settings.decision))
    fresh = model_from(procedure, cohort, settings, name or _name(model, cohort))
    provenances = {model.provenance, fresh.provenance}
    n_patients = model.n_patients + fresh.n_patients
    n_events = model.n_events + fresh.n_events
    verdict = sample_size_verdict(
        n_patients=n_patients,
        n_events=n_events,
        n_candidate_parameters=len(model.encoder.derived),
    )
    return replace(
        fresh,
        provenance="simulated" if "simulated" in provenances else fresh.provenance,
        population=_pool_populations(model.population, fresh.population),
        limits=_widen(model.limits, fresh.limits),
        n_patients=n_patients,
        n_events=n_events,
        sample_size=asdict(verdict),
        notes=tuple(dict.fromkeys((*model.notes, _origin(model), *fresh.notes))),
    )


def posterior_of(model: Model) -> tuple[Prior, ...]:
    """Components of a model as the prior of its update."""
    if not model.components:
        msg = "model must keep its components, got none. Develop it again."
        raise DevelopmentError(msg)
    return tuple(
        Prior.from_posterior(part.name, part.mean, part.covariance, part.weight)
        for part in model.components
        if part.weight > 0.0
    )


def is_updated(model: Model) -> bool:
    """Whether a model came from another one and new patients."""
    return any(note.startswith(_UPDATED) for note in model.notes)


def is_updated_from(model: Model, earlier: Model) -> bool:
    """Whether a model is the update of an earlier one, by the notes of both."""
    same = (model.decision, model.moment) == (earlier.decision, earlier.moment)
    origins = [note for note in model.notes if note.startswith(_UPDATED)]
    return same and origins[-1:] == [_origin(earlier)]


def _origin(model: Model) -> str:
    return f"{_UPDATED}{model.name}."


def _settings(model: Model, seed: int) -> Settings:
    parts = model.settings or {
        "decision": model.decision,
        "moment": model.moment,
        "exclude_evidence": model.excluded_evidence,
        "predictors": model.encoder.predictors,
    }
    return replace(Settings.from_json(parts), seed=seed)


def _name(model: Model, cohort: pd.DataFrame) -> str:
    return f"{model.name}, updated with {cohort.attrs.get('name', 'a cohort')}"


def _pool_populations(before: Population, now: Population) -> Population:
    """Weighted moments of two populations; the reference counts as a few patients."""
    weight = max(float(before.n_patients), REFERENCE_WEIGHT)
    share = weight / (weight + now.n_patients)
    gap = before.mean - now.mean
    return Population(
        mean=share * before.mean + (1.0 - share) * now.mean,
        covariance=share * before.covariance
        + (1.0 - share) * now.covariance
        + share * (1.0 - share) * np.outer(gap, gap),
        n_patients=before.n_patients + now.n_patients,
    )


def _widen(before: Limits, now: Limits) -> Limits:
    """Limits that hold both populations."""
    numbers = dict(before.numbers)
    for name, row in now.numbers.items():
        old = numbers.get(name, row)
        numbers[name] = NumberLimits(
            usual=_span(old.usual, row.usual), widest=_span(old.widest, row.widest)
        )
    seen = {name: dict(row) for name, row in before.seen.items()}
    for name, values in now.seen.items():
        for value, how_often in values.items():
            known = seen.setdefault(name, {}).get(value, "none")
            seen[name][value] = max(known, how_often, key=_HOW_OFTEN.index)
    states = [s for s in (before.non_responders, now.non_responders) if s]
    together = set(before.never_together) & set(now.never_together)
    return Limits(
        numbers=numbers,
        seen=seen,
        never_together=tuple(sorted(together)),
        usual_distance=max(before.usual_distance, now.usual_distance),
        widest_distance=max(before.widest_distance, now.widest_distance),
        non_responders=min(states) if states else None,
    )


def _span(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    return min(a[0], b[0]), max(a[1], b[1])
