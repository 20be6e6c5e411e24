"""Follow a model in use: evidence, early warning, what could have been found, words."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import groupby
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from responder_model.artifact import digest_of
from responder_model.errors import ResponderModelError
from responder_model.model import Model
from responder_model.model.given import check_model
from responder_model.model.scores import probability_of
from responder_model.performance.calibration import (
    calibration_in_the_large_estimate,
    calibration_slope_estimate,
)
from responder_model.words import Note
from .inputs import inputs_of, outside
from .mending import mend
from .process import (
    ALARM,
    Evidence,
    Series,
    beyond_own_uncertainty,
    early_warning,
    evidence_of_change,
    simulated,
)
from .reading import Followed, read_followed
from .result import Level, Monitoring, Month, State
from .telling import tell

Floats = NDArray[np.float64]

# Days from a prediction until its outcome is due, where nobody says: the end of the
# test is weeks after screening, the outcome of an implant a year after it.
DUE_DAYS = {"rtms_response": 120, "emcs_success": 400}
# Early warning: one unchanged series in twenty, in so many years.
_EARLY_SHARE, _EARLY_YEARS = 0.95, 5.0
_N_SERIES, _FEWEST, _MOST = 1000, 60, 1500
# Shifts that are tried for what could have been found, in log-odds.
_TRIED = (0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0)
_N_TRIALS = 200
_SEED = 0


def monitor(
    model: Model,
    predictions: str | PathLike[str],
    outcomes: str | PathLike[str],
    *,
    due_days: int | None = None,
    today: date | None = None,
) -> Monitoring:
    """Say whether a model's probabilities still hold in the patients it was used on.

    Everything is computed from the two files, so that looking daily or yearly gives the
    same series. A patient counts from the day on which the outcome was due, known or
    not: those that come early are mostly successes, and would raise false alarms.

    Parameters
    ----------
    model : Model
        The model in use; lines of other models are set aside and counted.
    predictions : path-like
        A line for each prediction: ``patient_id``, ``date`` (2026-05-03),
        ``model_digest`` and ``probability_CUT`` at each served cut-off, as
        ``score --date`` writes them.
    outcomes : path-like
        A line for each known outcome: ``patient_id``, ``date``, and the outcome as in a
        cohort (relief, or yes/no).
    due_days : int, optional
        Days from a prediction until its outcome is due; 120 for the response to rTMS,
        400 for an implant.
    today : date, optional
        Outcomes due until this day count; by default the day it is.

    Returns
    -------
    Monitoring
        With an alarm where the evidence reached 20: while a model is calibrated, at
        most one series in twenty ever does, however often it is looked at.

    Raises
    ------
    InvalidCohortError
        With every line of either file that cannot be meant.
    """
    check_model(model)
    followed = read_followed(
        model,
        predictions,
        outcomes,
        due_days=due_days_of(model, due_days),
        today=this_day(today),
    )
    return follow(model, followed)


def due_days_of(model: Model, due_days: int | None) -> int:
    """Days until an outcome is due, as given or as usual for the decision."""
    days = DUE_DAYS[model.decision] if due_days is None else due_days
    if days < 0:
        raise ResponderModelError(Note("monitoring.due_days", days=days))
    return days


def this_day(today: date | None) -> date:
    """Return the day until which outcomes count."""
    return datetime.now(UTC).date() if today is None else today


def follow(model: Model, followed: Followed) -> Monitoring:
    """Monitor what was read; see ``monitor``."""
    known = _series(followed, model.baseline, followed.known)
    evidence = evidence_of_change(known)
    due = [day for day, seen in zip(followed.due, followed.known, strict=True) if seen]
    main = model.main_index
    first = int(evidence.alarm()) if due else -1
    highest = _highest(evidence)
    beyond = beyond_own_uncertainty(known, model.scorer.variance_base, evidence.log_e)
    none, everyone = (
        _assumed(followed, model.baseline, main, yes) for yes in (False, True)
    )
    own = float(np.exp(beyond.max(initial=0.0)))
    state = _state(highest, own, (none, everyone), n_due=len(followed.due))
    observed, expected, answered = _counts(known, main)
    predicted = followed.predictors
    n_outside, n_predicted = (0, 0) if predicted is None else outside(model, predicted)
    found = Monitoring(
        model=model.name,
        digest=digest_of(model),
        decision=model.decision,
        moment=model.moment,
        provenance="simulated" if followed.simulated else model.provenance,
        state=state,
        evidence=float(np.exp(evidence.log_e[-1])) if due else 1.0,
        highest=highest,
        alarm=due[first] if first >= 0 else None,
        beyond_uncertainty=own,
        if_none_responded=none,
        if_all_responded=everyone,
        early_warning=_warned(known, due),
        n_due=len(followed.due),
        n_known=len(due),
        n_waiting=followed.n_waiting,
        n_set_aside=followed.n_set_aside,
        observed=observed,
        expected=expected,
        measures=_measures(*answered),
        shares={name: float(share) for name, share in evidence.shares.items()},
        detectable=_detectable(known) if state == "calibrated" else None,
        mend=mend(model, known, evidence, followed.learned),
        inputs=() if predicted is None else inputs_of(model, predicted),
        n_predicted=n_predicted,
        n_outside=n_outside,
        levels=tuple(_levels(known, model.served_cut_points)),
        path=tuple(
            dict(zip(due, np.exp(evidence.log_e).tolist(), strict=True)).items()
        ),
        months=tuple(_months(known, evidence, due, main)),
        messages=(),
    )
    return tell(found)


def _series(followed: Followed, centre: float, chosen: NDArray[np.bool_]) -> Series:
    return Series(
        log_odds=followed.log_odds[chosen],
        lower=followed.lower[chosen],
        upper=followed.upper[chosen],
        centre=centre,
    )


def _highest(evidence: Evidence) -> float:
    return float(np.exp(evidence.log_e.max(initial=0.0)))


def _assumed(followed: Followed, centre: float, main: int, responded: bool) -> float:  # noqa: FBT001
    """Highest evidence with every missing outcome on one side of the main cut-off."""
    series = _series(followed, centre, np.ones(len(followed.due), dtype=bool))
    low = np.where(followed.known, series.lower, main + 1 if responded else 0)
    top = series.log_odds.shape[1]
    high = np.where(followed.known, series.upper, top if responded else main)
    whole = Series(log_odds=series.log_odds, lower=low, upper=high, centre=centre)
    return _highest(evidence_of_change(whole))


def _state(
    highest: float, own: float, assumed: tuple[float, float], *, n_due: int
) -> State:
    if not n_due:
        return "nothing_due"
    alarms = {highest >= ALARM, *(value >= ALARM for value in assumed)}
    if len(alarms) > 1:
        return "depends"
    if highest < ALARM:
        return "calibrated"
    return "changed" if own >= ALARM else "off"


# ---------------------------------------------------------------- early, and too late


def _warned(series: Series, due: list[date]) -> date | None:
    """Day of the early warning, by a threshold for five years of such patients."""
    if len(due) < 2:
        return None
    years = max((due[-1] - due[0]).days / 365.25, 1.0)
    n = int(np.clip(len(due) / years * _EARLY_YEARS, _FEWEST, _MOST))
    rng = np.random.default_rng(_SEED)
    unchanged = simulated(series.log_odds, series.centre, rng, n_series=_N_SERIES, n=n)
    threshold = np.quantile(early_warning(unchanged).max(axis=-1), _EARLY_SHARE)
    reached = early_warning(series) >= threshold
    return due[int(reached.argmax())] if reached.any() else None


def _detectable(series: Series) -> float | None:
    """Smallest shift tried that half of such series would have shown by now."""
    n = series.log_odds.shape[0]
    if not n:
        return None

    def is_found(shift: float) -> bool:
        rng = np.random.default_rng(_SEED)
        tried = simulated(
            series.log_odds, series.centre, rng, n_series=_N_TRIALS, n=n, shift=shift
        )
        return float((evidence_of_change(tried).alarm() >= 0).mean()) >= 0.5

    # the larger a shift, the more often it is found
    place = bisect_left(_TRIED, True, key=is_found)  # noqa: FBT003
    return _TRIED[place] if place < len(_TRIED) else None


# ---------------------------------------------------------------- observed, expected


def _counts(series: Series, main: int) -> tuple[int, float, tuple[Floats, Floats]]:
    """Return observed and expected, and outcome and probability of each patient."""
    answered = (series.lower > main) | (series.upper <= main)
    y = (series.lower[answered] > main).astype(np.float64)
    p = probability_of(series.log_odds[answered, main])
    return int(y.sum()), float(p.sum()), (y, p)


def _measures(y: Floats, p: Floats) -> dict[str, tuple[float, float, float]]:
    found: dict[str, tuple[float, float, float]] = {}
    if not len(y):
        return found
    for name, estimate in (
        ("calibration_in_the_large", calibration_in_the_large_estimate),
        ("calibration_slope", calibration_slope_estimate),
    ):
        try:
            value = estimate(y, p, confidence=0.95)
        except ResponderModelError:
            continue
        found[name] = (value.value, value.lower, value.upper)
    return found


def _levels(series: Series, cuts: tuple[float, ...]) -> Iterator[Level]:
    """Yield what was observed and expected of each level, where it is known which."""
    exact = series.lower == series.upper
    reached = probability_of(series.log_odds[exact])
    ends = np.ones((len(reached), 1))
    expected = -np.diff(np.hstack([ends, reached, 0.0 * ends]), axis=1).sum(axis=0)
    observed = np.bincount(series.lower[exact], minlength=len(cuts) + 1)
    bounds = (None, *cuts, None)
    for k, (low, high) in enumerate(zip(bounds, bounds[1:], strict=False)):
        yield Level(
            above=low,
            below=high,
            observed=int(observed[k]),
            expected=float(expected[k]),
        )


def _months(
    series: Series, evidence: Evidence, due: list[date], main: int
) -> Iterator[Month]:
    """Yield where the series stood at the end of each month.

    Patients of whom the main cut-off is not known count in the evidence alone.
    """
    answered = (series.lower > main) | (series.upper <= main)
    p = np.where(answered, probability_of(series.log_odds[:, main]), 0.0)
    observed = np.cumsum(answered & (series.lower > main))
    expected, variance = np.cumsum(p), np.cumsum(p * (1.0 - p))
    for month, places in groupby(range(len(due)), lambda k: due[k].strftime("%Y-%m")):
        last = max(places)
        yield Month(
            month=month,
            n=last + 1,
            evidence=float(np.exp(evidence.log_e[last])),
            observed=int(observed[last]),
            expected=float(expected[last]),
            variance=float(variance[last]),
        )
