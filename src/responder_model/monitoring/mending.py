"""What would mend a model that does not hold: which update, its gain, and for whom.

With the predictors of the monitored patients at hand it is the update that may change:
the weights of its grid say what has changed. From the served log-odds alone, it is a
new level, or a new level and slope. Nothing is ever updated here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.development import update
from responder_model.errors import ResponderModelError
from responder_model.model import Model
from responder_model.model.scores import probability_of
from responder_model.words import Note
from .process import Evidence, Series

Floats = NDArray[np.float64]
Kind = Literal["none", "in_the_large", "recalibration", "update"]

# Levels and slopes that are tried; a level moves by at most 2 log-odds.
_LEVELS = np.linspace(-2.0, 2.0, 81)
_SLOPES = np.linspace(0.1, 2.5, 49)
# Fewest patients of whom a mean change is told, and how many groups are named.
_FEWEST, _MOST_GROUPS = 5, 3
# From how far on a group's mean change is another one than that of all.
_APART = 0.03


@dataclass(frozen=True, kw_only=True)
class Mend:
    """The update that monitored patients ask for.

    Parameters
    ----------
    kind : {"none", "in_the_large", "recalibration", "update"}
        ``update``: of the model, by its predictors (``update --method auto``).
    gain : float
        What it would gain in log loss a patient: as the new probabilities expect it,
        or at the best fit less what fitting gains of itself.
    mean_change, largest_change : float
        Of the probability at the main cut-off, over the monitored patients: mean of
        its size, and the largest with its sign.
    said : tuple of Note
        What has changed, and for whom the probability would change most.
    """

    kind: Kind
    gain: float
    mean_change: float = 0.0
    largest_change: float = 0.0
    said: tuple[Note, ...] = ()


NOTHING = Mend(kind="none", gain=0.0)


def mend(
    model: Model, series: Series, evidence: Evidence, learned: pd.DataFrame | None
) -> Mend:
    """Name the update that a series asks for; none where it asks for none.

    Parameters
    ----------
    model : Model
        That is monitored.
    series : Series
        Known outcomes.
    evidence : Evidence
        Of that series.
    learned : DataFrame or None
        Predictors and outcomes of the same patients.
    """
    shares = {name: float(share) for name, share in evidence.shares.items()}
    kind = max(shares, key=lambda name: shares[name])
    if kind == "nothing":
        return NOTHING
    if learned is not None and len(learned):
        try:
            return _by_update(model, learned)
        except ResponderModelError:
            # such patients cannot update it: what they were told is left
            pass
    return _by_log_odds(series, model.main_index, level_only=kind == "rate")


# ---------------------------------------------------------------- with predictors


def _by_update(model: Model, learned: pd.DataFrame) -> Mend:
    settings = model.settings
    if settings is not None:  # trees are no part of what has changed
        settings = replace(settings, challenger=False)
    newer = update(replace(model, settings=settings, pool=None), learned, method="auto")
    before, after = (
        one.predict_cohort(learned)["probability"].to_numpy(dtype=np.float64)
        for one in (replace(model, pool=None), newer)
    )
    changed = [note for note in newer.notes if note.code == "development.changed"]
    return _mend(
        "update", before, after, (*changed, *_whom(model, learned, after - before))
    )


def _whom(model: Model, learned: pd.DataFrame, change: Floats) -> Iterator[Note]:
    """Groups by one predictor whose mean change is furthest from that of all."""
    whole = float(change.mean())
    groups = [g for g in _groups(model, learned, change) if abs(g[2] - whole) > _APART]
    groups.sort(key=lambda group: -abs(group[2] - whole))
    for name, value, mean, n in groups[:_MOST_GROUPS]:
        which = {"field": name, "value": value, "change": 100.0 * mean, "n": n}
        yield Note("monitoring.whom", **which)


def _groups(
    model: Model, learned: pd.DataFrame, change: Floats
) -> Iterator[tuple[str, str | bool, float, int]]:
    for row in model.encoder.fields:
        if row.kind == "number" or row.name not in learned:
            continue
        cells = learned[row.name]
        for value in cells.dropna().unique():
            chosen = (cells == value).to_numpy(dtype=bool, na_value=False)
            if chosen.sum() >= _FEWEST:
                value = value if isinstance(value, str) else bool(value)
                yield row.name, value, float(change[chosen].mean()), int(chosen.sum())


# ---------------------------------------------------------------- without


def _by_log_odds(series: Series, main: int, *, level_only: bool) -> Mend:
    """Best new level, or level and slope, about the average patient.

    At the main cut-off alone, as the update that is named fits it.
    """
    series = _at_main(series, main)
    if not len(series.lower):
        return NOTHING
    slopes = np.ones(1) if level_only else _SLOPES
    tried = [(float(a), float(b)) for b in slopes for a in _LEVELS]
    served = float(series.log_likelihood().sum())
    fits = [float(series.log_likelihood(a, b).sum()) for a, b in tried]
    a, b = tried[int(np.argmax(fits))]
    n_numbers = 1 if level_only else 2
    # Akaike's penalty: what fitting a number gains of itself
    gain = max(max(fits) - served - n_numbers, 0.0) / len(series.lower)
    served_log_odds = series.log_odds[:, 0]
    moved = series.centre + a + b * (served_log_odds - series.centre)
    before, after = (probability_of(x) for x in (served_log_odds, moved))
    kind: Kind = "in_the_large" if level_only else "recalibration"
    return replace(_mend(kind, before, after, tuple(_told(before, after))), gain=gain)


def _at_main(series: Series, main: int) -> Series:
    """Yes or no at the main cut-off, of those of whom it is known."""
    answered = (series.lower > main) | (series.upper <= main)
    yes = (series.lower[answered] > main).astype(np.int64)
    log_odds = series.log_odds[answered, main : main + 1]
    return Series(log_odds=log_odds, lower=yes, upper=yes, centre=series.centre)


def _told(before: Floats, after: Floats) -> Iterator[Note]:
    """What patients with a low, middle and high probability would be told."""
    for p in np.quantile(before, [0.1, 0.5, 0.9]):
        k = int(np.abs(before - p).argmin())
        yield Note("monitoring.told", before=float(before[k]), after=float(after[k]))


def _mend(kind: Kind, before: Floats, after: Floats, said: tuple[Note, ...]) -> Mend:
    """Mend with its changes; the gain is the one that the new probabilities expect."""
    change = after - before
    gain = after * np.log(after / before)
    gain += (1.0 - after) * np.log((1.0 - after) / (1.0 - before))
    return Mend(
        kind=kind,
        gain=float(gain.mean()),
        mean_change=float(np.abs(change).mean()),
        largest_change=float(change[np.abs(change).argmax()]),
        said=said,
    )
