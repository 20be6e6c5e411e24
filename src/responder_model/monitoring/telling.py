"""What monitoring found, as sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from responder_model.performance.calibration import slope_says_little
from responder_model.words import Note
from .process import ALARM
from .result import Monitoring

# Evidence is told up to here.
MOST_SHOWN = 1000


def tell(found: Monitoring) -> Monitoring:
    """Return the result with its sentences, the state first."""
    return replace(found, messages=tuple(_messages(found)))


def _messages(found: Monitoring) -> Iterator[Note]:
    yield _state(found)
    if found.state == "calibrated":
        yield _hidden(found)
    if found.n_known:
        yield Note(
            "monitoring.observed",
            observed=found.observed,
            expected=found.expected,
            n=found.n_known,
        )
    for name, (value, low, high) in found.measures.items():
        yield Note(f"monitoring.{name}", value=value, low=low, high=high)
        if name == "calibration_slope" and slope_says_little(low, high):
            yield Note("monitoring.wide_slope")
    yield Note(
        "monitoring.counts",
        due=found.n_due,
        known=found.n_known,
        missing=found.n_due - found.n_known,
        waiting=found.n_waiting,
    )
    if found.early_warning and found.alarm is None:
        yield Note("monitoring.early", day=found.early_warning.isoformat())
    yield from _mend(found)
    yield from _inputs(found)
    if found.n_set_aside:
        yield Note("monitoring.set_aside", n=found.n_set_aside)
    if found.provenance == "simulated":
        yield Note("monitoring.simulated")


def _state(found: Monitoring) -> Note:
    values = {"evidence": shown(found.highest), "n": found.n_known}
    if found.n_set_aside and not found.n_due + found.n_waiting:
        return Note("monitoring.none_of_model")
    if found.state == "nothing_due":
        return Note("monitoring.nothing_due", waiting=found.n_waiting)
    if found.state == "calibrated":
        return Note(
            "monitoring.calibrated", evidence=shown(found.evidence), n=found.n_known
        )
    if found.state == "depends":
        return _depends(found)
    assert found.alarm is not None
    day = found.alarm.isoformat()
    return Note(f"monitoring.{found.state}", day=day, **values)


def shown(evidence: float) -> Note | float:
    """Evidence with two figures; beyond a thousand nobody asks how much."""
    if evidence > MOST_SHOWN:
        return Note("monitoring.more_than", most=MOST_SHOWN)
    return float(f"{evidence:.2g}")


def _depends(found: Monitoring) -> Note:
    """Say on which side of the alarm the missing outcomes put the series."""
    missing = found.n_due - found.n_known
    sides = [found.if_none_responded >= ALARM, found.if_all_responded >= ALARM]
    key = "depends_alarm" if found.is_alarm else "depends_none"
    if not found.is_alarm:
        which = "none" if sides[0] else "all"
    else:
        which = "none" if not sides[0] else "all"
    return Note(
        f"monitoring.{key}_{which}",
        n=found.n_known,
        missing=missing,
        evidence=shown(found.highest),
    )


def _hidden(found: Monitoring) -> Note:
    if found.detectable is None:
        return Note("monitoring.nothing_would_have_shown", n=found.n_known)
    return Note("monitoring.would_not_have_shown", shift=found.detectable)


def _mend(found: Monitoring) -> Iterator[Note]:
    """Say which update is asked for, what it gains and for whom it changes what."""
    mend = found.mend
    asks = found.state != "calibrated" or found.early_warning is not None
    if mend.kind == "none" or not asks:
        return
    yield Note(f"monitoring.update_{mend.kind}", gain=mend.gain)
    yield Note(
        "monitoring.changes",
        mean=100.0 * mend.mean_change,
        largest=100.0 * mend.largest_change,
    )
    yield from mend.said


def _inputs(found: Monitoring) -> Iterator[Note]:
    """Say whether other patients are sent, and how many the model is not for."""
    if not found.n_predicted:
        return
    changed = [one for one in found.inputs if one.is_flagged]
    if not changed:
        yield Note("monitoring.inputs_alike", n=found.n_predicted)
    for one in changed:
        yield one.said
    yield Note("monitoring.outside", outside=found.n_outside, n=found.n_predicted)
