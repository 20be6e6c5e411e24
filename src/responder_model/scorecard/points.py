"""Points that add up to a probability: what a printed card holds.

One point is a fixed step of log-odds. Each predictor has a list of values with whole
points, 0 for the value that adds least; a second list has the total at which each
percent is reached. Between two listed numbers one interpolates. The step is the largest
of ``STEPS`` for which no patient's probability can be wrong by more than one percentage
point, whatever the values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from responder_model.errors import ResponderModelError
from responder_model.features import Array, logit
from responder_model.words import Note
from .card import Scorecard, Term, added_by

# Log-odds that one point may stand for, coarsest first.
STEPS = (0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001)
# Percents whose totals are listed.
_PERCENTS = (0.1, 0.2, 0.5, *map(float, range(1, 100)), 99.5, 99.8, 99.9)
# Largest error of a probability, and what reading between two percents, or beyond the
# last one, takes of it.
LARGEST_ERROR = 0.01
_READING_ERROR = 0.001
# Steepest that a probability follows its log-odds.
_STEEPEST = 0.25
# Most values that are listed of a number on a plain scale, and of one whose effect
# bends between them.
_MOST_VALUES, _MOST_OF_A_CURVE = 25, 80
# Steps between these values; not below 1 for whole numbers.
_VALUE_STEPS = (0.2, 0.5, 1, 2, 5, 10, 20, 50)
# Values that are listed of a number on a logarithmic scale.
_ROUND_VALUES = (
    *(0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 21, 24),
    *(28, 32, 36, 42, 48, 54, 60, 72, 84, 96, 120, 144, 180, 240, 300, 360, 480, 600),
    *(720, 840, 960),
)


@dataclass(frozen=True, kw_only=True)
class PointsRow:
    """Points of one predictor: by number, rising, or by category."""

    predictor: str
    is_number: bool
    points: Mapping[Any, int]

    def read(self, value: Any) -> float:
        """Points of one value, as a reader of the card finds them."""
        if not self.is_number:
            return self.points[value]
        values, points = list(self.points), list(self.points.values())
        return float(np.interp(float(value), values, points))


@dataclass(frozen=True, kw_only=True)
class PointsTable:
    """A printable card.

    Parameters
    ----------
    card : Scorecard
        What it writes out, at the main cut-off.
    step : float
        Log-odds of one point.
    rows : tuple of PointsRow
        One per predictor that adds anything.
    totals : dict
        Percent to the total of points at which it is reached.
    start : float
        Log-odds at a total of 0.
    largest_error : float
        Bound on the error of any patient's probability.
    """

    card: Scorecard
    step: float
    rows: tuple[PointsRow, ...]
    totals: Mapping[float, int]
    start: float
    largest_error: float

    def total(self, values: Mapping[str, Any]) -> float:
        """Total of one patient; every predictor of ``rows`` must be known."""
        return sum(row.read(values[row.predictor]) for row in self.rows)

    def percent(self, total: float) -> float:
        """Probability in percent that the last list gives for a total."""
        percents, totals = list(self.totals), list(self.totals.values())
        return float(np.interp(total, totals, percents))


def build_points(card: Scorecard) -> PointsTable:
    """Turn a scorecard into points.

    Raises
    ------
    ResponderModelError
        When not even the finest step keeps the error within one percentage point.

    Examples
    --------
    >>> import responder_model as rm
    >>> from responder_model.scorecard import build_scorecard
    >>> model = rm.published_model("rtms_response", "screening")
    >>> card = build_scorecard(model, known=["aetiology", "severe_dysaesthesia"])
    >>> points = build_points(card)
    >>> points.largest_error <= 0.01
    True
    """
    terms = [term for term in card.terms if term.moves(card.main)]
    values = {term.predictor: listed_values(term) for term in terms}
    for step in STEPS:
        table = _with_step(card, terms, values, step)
        if table.largest_error <= LARGEST_ERROR:
            return table
    raise ResponderModelError(Note("scorecard.exact", share=LARGEST_ERROR))


def listed_values(term: Term) -> list[Any]:
    """Values that are listed of one predictor."""
    row = term.field
    if not term.transform:
        return list(term.log_odds)
    low, high = float(row.minimum or 0.0), float(row.maximum or 0.0)
    if term.transform != "identity":
        return [low, *(x for x in _ROUND_VALUES if low < x < high), high]
    most = _MOST_OF_A_CURVE if term.curve else _MOST_VALUES
    least = 1 if row.integer or not term.curve else 0
    step = next(s for s in _VALUE_STEPS if s >= least and (high - low) / s <= most)
    first = (math.floor(low / step) + 1) * step
    return [low, *np.arange(first, high, step).round(6).tolist(), high]


def _with_step(
    card: Scorecard, terms: list[Term], values: Mapping[str, list[Any]], step: float
) -> PointsTable:
    rows, start, error = [], card.constant[card.main], 0.0
    for term in terms:
        listed = values[term.predictor]
        added = [added_by(term, value, card.main) for value in listed]
        least = min(added)
        points = {
            value: math.floor((a - least) / step + 0.5)
            for value, a in zip(listed, added, strict=True)
        }
        row = PointsRow(
            predictor=term.predictor, is_number=bool(term.transform), points=points
        )
        rows.append(row)
        start += least
        error += _row_error(card, term, row, least, step)
    return PointsTable(
        card=card,
        step=step,
        rows=tuple(rows),
        totals=_totals(rows, start, step),
        start=start,
        largest_error=_STEEPEST * (error + 0.5 * step) + _READING_ERROR,
    )


def _row_error(
    card: Scorecard, term: Term, row: PointsRow, least: float, step: float
) -> float:
    """Largest error of one predictor's points, in log-odds.

    For a number: that of straight lines between the listed points, on a fine grid;
    for a whole one, at whole values.
    """
    values = list(row.points)
    if row.is_number and term.field.integer:
        values = list(range(math.ceil(values[0]), math.floor(values[-1]) + 1))
    elif row.is_number:
        ends = zip(values, values[1:], strict=False)
        values = [x for low, high in ends for x in np.linspace(low, high, 9).tolist()]
    exact = [added_by(term, value, card.main) - least for value in values]
    read = [step * row.read(value) for value in values]
    return float(np.abs(np.array(read) - exact).max())


def _totals(rows: list[PointsRow], start: float, step: float) -> dict[float, int]:
    """Percents within reach and the next one beyond, with the total nearest to each."""
    highest = sum(max(row.points.values()) for row in rows)
    percents = np.array(_PERCENTS)
    totals: Array = (logit(percents / 100.0) - start) / step
    first = max(0, int(np.searchsorted(totals, 0.0)) - 1)
    last = int(np.searchsorted(totals, highest)) + 1
    return {
        percent: math.floor(total + 0.5)
        for percent, total in zip(
            _PERCENTS[first:last], totals[first:last].tolist(), strict=True
        )
    }
