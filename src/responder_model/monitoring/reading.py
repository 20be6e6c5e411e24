"""Read what was predicted and what became of it, and put both together."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.artifact import digest_of
from responder_model.cohort import outcome_levels
from responder_model.formats import Doubt
from responder_model.model import Model
from responder_model.vocabulary import find_field, is_missing
from responder_model.words import Note
from .lines import DAY, PATIENT, Lines, refuse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_DIGEST, _SIMULATED = "model_digest", "simulated"


@dataclass(frozen=True, kw_only=True, eq=False)
class Followed:
    """Predictions of one model whose outcome is due, in the order in which it was.

    Parameters
    ----------
    due : tuple of date
        When each outcome was due.
    log_odds : ndarray of shape (n, n_served)
        What was served at each cut-off.
    lower, upper : ndarray of shape (n,)
        Served cut-offs that the outcome passes, at least and at most; everything
        between where it is missing.
    known : ndarray of shape (n,)
        Whether the outcome is known.
    n_waiting : int
        Predictions whose outcome is not due yet.
    n_set_aside : int
        Lines of other models.
    simulated : bool
        Whether any prediction is marked as of a simulated patient or model.
    predictors : DataFrame or None
        Predictors of all who were predicted, whether due or not, in order of the file;
        None where the file holds none.
    learned : DataFrame or None
        Predictors and outcome of those due and known, as a cohort.
    notices : tuple of Note
        How the files were read.
    """

    due: tuple[date, ...]
    log_odds: Floats
    lower: Ints
    upper: Ints
    known: NDArray[np.bool_]
    n_waiting: int
    n_set_aside: int
    simulated: bool
    predictors: pd.DataFrame | None = None
    learned: pd.DataFrame | None = None
    notices: tuple[Note, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class _Predictions:
    """Lines of one model, with the lines of others by their patients."""

    lines: dict[str, int]  # place of each patient
    days: tuple[date, ...]
    log_odds: Floats
    predictors: pd.DataFrame | None
    others: frozenset[str]
    n_set_aside: int
    simulated: bool


def read_followed(
    model: Model,
    predictions: str | PathLike[str],
    outcomes: str | PathLike[str],
    *,
    due_days: int,
    today: date,
    beside: Collection[str] = (),
) -> Followed:
    """Put predictions and outcomes of the same patients together.

    Parameters
    ----------
    model, predictions, outcomes
        As for ``monitor``.
    due_days : int
        Days from a prediction until its outcome is due.
    today : date
        Outcomes due until this day count.
    beside : collection of str
        Digests of models that are monitored beside this one: their lines are not
        counted as set aside.

    Raises
    ------
    InvalidCohortError
        With every line of both files that cannot be meant: a date that is none or to
        come, a probability outside 0-1 or rising with the cut-off, two predictions or
        two outcomes of a patient, an outcome before its prediction or of nobody.
    """
    wanted = tuple(f"probability_{cut:g}" for cut in model.served_cut_points)
    first = Lines(predictions, (PATIENT, DAY, _DIGEST, *wanted))
    then = Lines(outcomes, (PATIENT, DAY))
    predicted = _predictions(model, first, wanted, today, beside)
    found = _outcomes(model, then, predicted, today)
    refuse(first, then)
    assert predicted is not None  # else columns are missing, which is refused
    notices = tuple(dict.fromkeys((*first.notices, *then.notices)))
    return _together(model, predicted, found, due_days, today, notices)


# ---------------------------------------------------------------- predictions


def _predictions(
    model: Model,
    file: Lines,
    wanted: tuple[str, ...],
    today: date,
    beside: Collection[str],
) -> _Predictions | None:
    if not file.whole:
        return None
    cells = file.cells
    digests = cells[_DIGEST].astype(str)
    own = (digests == digest_of(model)).to_numpy(dtype=bool)
    patients = [str(cell).strip() for cell in cells[PATIENT]]
    ours = np.flatnonzero(own)
    lines: dict[str, int] = {}
    days: list[date] = []
    for place in map(int, ours):
        days.append(file.day(place, today) or date.min)  # refused
        named = cells[PATIENT].iloc[place]
        if is_missing(named) or isinstance(named, Doubt):
            file.refuse(place, PATIENT, "given")
        elif patients[place] in lines:
            file.refuse(place, PATIENT, "one_prediction")
        else:
            lines[patients[place]] = len(days) - 1
    marks = cells.get("provenance")
    known = digests.isin([digest_of(model), *beside]).to_numpy(dtype=bool)
    return _Predictions(
        lines=lines,
        days=tuple(days),
        log_odds=_served(file, ours, wanted),
        predictors=_predictors(model, file, ours),
        others=frozenset(p for p, mine in zip(patients, own, strict=True) if not mine),
        n_set_aside=int((~known).sum()),
        simulated=marks is not None and bool((marks.iloc[ours] == _SIMULATED).any()),
    )


def _served(file: Lines, ours: Ints, wanted: tuple[str, ...]) -> Floats:
    """Log-odds of our lines, (n, n_served); lines that cannot be meant are refused."""
    served = np.full((len(ours), len(wanted)), 0.5)
    for k, place in enumerate(map(int, ours)):
        chances = [_probability(file.cells[name].iloc[place]) for name in wanted]
        known = [chance for chance in chances if chance is not None]
        if len(known) < len(chances):
            file.refuse(place, "probability", "probability")
        elif any(b > a for a, b in zip(known, known[1:], strict=False)):
            file.refuse(place, "probability", "falling")
        else:
            served[k] = known
    inside = np.clip(served, 1e-9, 1.0 - 1e-9)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def _probability(cell: Any) -> float | None:
    try:
        found = float(cell)
    except (TypeError, ValueError):
        return None
    return found if 0.0 <= found <= 1.0 else None


def _predictors(model: Model, file: Lines, ours: Ints) -> pd.DataFrame | None:
    """Predictors of our lines, where the file has any."""
    named = {str(name): find_field(str(name)) for name in file.cells}
    read = {
        name
        for name, field in named.items()
        if field is not None and field.name in model.encoder.predictors
    }
    if not read:
        return None
    return file.cohort(ours, leave=[name for name in named if name not in read])


# ---------------------------------------------------------------- outcomes


@dataclass(frozen=True, kw_only=True, eq=False)
class _Outcomes:
    """Known outcomes, by the place of their patient among the predictions."""

    places: Ints
    lower: Ints
    upper: Ints
    cells: pd.DataFrame  # the outcome as it was given


def _outcomes(
    model: Model, file: Lines, predicted: _Predictions | None, today: date
) -> _Outcomes:
    nobody = np.empty(0, dtype=np.int64)
    if not file.whole:
        return _Outcomes(places=nobody, lower=nobody, upper=nobody, cells=file.cells)
    cohort = file.cohort(np.arange(len(file.rows)))
    levels = outcome_levels(cohort, model.decision)
    places: dict[int, int] = {}
    for line, patient in enumerate(cohort[PATIENT]):
        day = file.day(line, today)
        if predicted is None:
            continue
        place = predicted.lines.get(str(patient))
        if place is None:
            if str(patient) not in predicted.others:
                file.refuse(line, PATIENT, "predicted")
        elif day is not None and day < predicted.days[place]:
            file.refuse(line, DAY, "after_prediction")
        elif levels.observed[line]:
            places[place] = line
    chosen = np.array(list(places.values()), dtype=np.int64)
    rules = model.dictionary.decisions[model.decision]
    given = [c for c in (rules.outcome, rules.binary_outcome) if c in cohort]
    return _Outcomes(
        places=np.array(list(places), dtype=np.int64),
        lower=levels.lower[chosen],
        upper=levels.upper[chosen],
        cells=cohort[given].iloc[chosen].reset_index(drop=True),
    )


def _together(
    model: Model,
    predicted: _Predictions,
    found: _Outcomes,
    due_days: int,
    today: date,
    notices: tuple[Note, ...],
) -> Followed:
    n, highest = len(predicted.days), len(model.served_cut_points)
    known = np.zeros(n, dtype=bool)
    lower = np.zeros(n, dtype=np.int64)
    upper = np.full(n, highest, dtype=np.int64)
    known[found.places] = True
    passed = served_cuts_passed(model)
    lower[found.places] = passed[found.lower]
    upper[found.places] = passed[found.upper]
    due = [day + timedelta(days=due_days) for day in predicted.days]
    order = sorted((k for k in range(n) if due[k] <= today), key=due.__getitem__)
    return Followed(
        due=tuple(due[k] for k in order),
        log_odds=predicted.log_odds[order],
        lower=lower[order],
        upper=upper[order],
        known=known[order],
        n_waiting=n - len(order),
        n_set_aside=predicted.n_set_aside,
        simulated=predicted.simulated or model.provenance == _SIMULATED,
        predictors=predicted.predictors,
        learned=_learned(predicted, found, set(order)),
        notices=notices,
    )


def _learned(
    predicted: _Predictions, found: _Outcomes, due: set[int]
) -> pd.DataFrame | None:
    """Predictors and outcome of those whose outcome is due and known."""
    if predicted.predictors is None:
        return None
    kept = [k for k, place in enumerate(found.places.tolist()) if place in due]
    rows = predicted.predictors.iloc[found.places[kept]].reset_index(drop=True)
    outcome = found.cells.iloc[kept].reset_index(drop=True)
    rows = rows.drop(columns=[c for c in outcome if c in rows])
    patients = {place: patient for patient, place in predicted.lines.items()}
    names = [patients[place] for place in found.places[kept].tolist()]
    return pd.concat([pd.Series(names, name=PATIENT), rows, outcome], axis=1)


def served_cuts_passed(model: Model) -> Ints:
    """Served cut-offs that each fitted level passes, (n_fitted + 1,)."""
    fitted = model.rules.cut_points
    served = model.served_cut_points
    return np.array(
        [
            sum(cut in served for cut in fitted[:level])
            for level in range(len(fitted) + 1)
        ],
        dtype=np.int64,
    )
