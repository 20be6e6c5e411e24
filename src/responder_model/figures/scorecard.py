"""The points table as a nomogram: one scale per predictor, one for the sum."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from responder_model.labels import describe_cut_point
from responder_model.schema import dictionary
from responder_model.scorecard import PointsRow, PointsTable
from responder_model.scorecard.page import label, value_text
from responder_model.words import say
from .drawing import BLACK, BLUE, GREY

# Percents that the last scale may mark, those that a reader looks for first.
PERCENTS = (50, 10, 90, 30, 70, 20, 80, 5, 95, 40, 60, 1, 99, 2, 98, 15, 85)
# Least distance of two labels on one scale, as a share of its length. Labels that are
# closer go to further levels above it; a row is as high as its levels need.
_APART = 0.055
_FIRST, _LEVEL, _ROW = 0.16, 0.21, 1.0
# Width of a letter as a share of the scales, and where labels may begin and end.
_LETTER = 0.0088
_LEFT, _RIGHT = -0.03, 1.05
_JOINED = "\N{NO-BREAK SPACE}"
_LONGEST = 34
_WIDEST_NAME = 32
# What the longest scale is worth.
_HUNDRED = 100.0


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A value on a scale: its place, and where its label stands above it."""

    x: float
    text: str
    at: float  # middle of the label
    level: int


def plot_nomogram(table: PointsTable, *, ax: Axes, lang: str = "en") -> Axes:
    """Draw a points table as a nomogram.

    Parameters
    ----------
    table : PointsTable
        From ``scorecard.build_points``.
    ax : matplotlib Axes
        Where to draw; returned.
    lang : {"en", "fr"}
        Language of names and values.
    """
    longest = max((max(row.points.values()) for row in table.rows), default=1)
    marks = [_marks(row, longest, lang) for row in table.rows]
    heights = [_height(row) for row in marks]
    top = _ROW + sum(heights)
    _points_scale(ax, top, lang)
    y = top
    for row, placed, height in zip(table.rows, marks, heights, strict=True):
        y -= height
        _predictor_scale(ax, y, row, placed, longest, lang)
    _total_scale(ax, table, longest, lang)
    decision = dictionary().decisions[table.card.decision]
    cut = describe_cut_point(decision, table.card.cut_points[table.card.main])
    cut = cut.replace(" ", _JOINED)  # stays on one line
    _name(ax, -1.2, say("figure.relief_probability", lang, cut=cut))
    ax.set_xlim(-0.36, 1.06)
    ax.set_ylim(-3.5, top + 0.8)
    _average_interval(ax, table)
    low, high = table.card.average_interval
    sure = {"low": low, "high": high, "n": table.card.n_patients}
    reading = say("figure.card_reading", lang, n=longest)
    behind = "patients" if table.card.n_patients else "published"
    reading += "\n" + say(f"figure.card_sure_{behind}", lang, **sure)
    if any(map(_turns, table.rows)):
        reading += "\n" + say("figure.card_turns", lang)
    ax.text(-0.36, -3.4, reading, fontsize="small", va="bottom")
    ax.set_axis_off()
    return ax


def nomogram_size(table: PointsTable, lang: str = "en") -> tuple[float, float]:
    """Width and height, inches, at which nothing overlaps."""
    longest = max((max(row.points.values()) for row in table.rows), default=1)
    rows = sum(_height(_marks(row, longest, lang)) for row in table.rows)
    return 11.0, 3.45 + 0.5 * rows


def _height(marks: list[Mark]) -> float:
    """Height of a row: that of its labels, with room below the next one."""
    levels = 1 + max((mark.level for mark in marks), default=0)
    return max(_ROW, 2.0 * _FIRST + _LEVEL * levels)


def _name(ax: Axes, y: float, text: str) -> None:
    lines = textwrap.fill(text, _WIDEST_NAME).replace(_JOINED, " ")
    ax.text(-0.36, y, lines, va="center", fontsize="small", fontweight="bold")


def _scale(ax: Axes, y: float, low: float, high: float, colour: str = BLACK) -> None:
    ax.plot([low, high], [y, y], color=colour, linewidth=1.0)


def _tick(ax: Axes, y: float, mark: Mark) -> None:
    """Mark a place and write above it, higher where others stand close."""
    rise = _FIRST + _LEVEL * mark.level
    colour = GREY if mark.level else BLACK
    ax.plot([mark.x, mark.x], [y, y + rise - 0.04], color=colour, linewidth=0.7)
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    place = {"ha": "center", "va": "bottom"}
    ax.text(mark.at, y + rise, mark.text, place, fontsize="x-small", bbox=ground)


def _points_scale(ax: Axes, y: float, lang: str) -> None:
    _name(ax, y, say("scorecard.points", lang))
    _scale(ax, y, 0.0, 1.0, BLUE)
    for points in _round_steps(_HUNDRED, 10):
        x = points / _HUNDRED
        _tick(ax, y, Mark(x=x, text=f"{points:g}", at=x, level=0))


def _round_steps(highest: float, n_steps: int) -> list[float]:
    """Round numbers from 0 to the highest, about so many."""
    size = 10.0 ** np.floor(np.log10(highest / n_steps))
    step = next(s * size for s in (1, 2, 5, 10) if highest / (s * size) <= n_steps)
    return [k * step for k in range(int(highest / step + 1e-9) + 1)]


def _predictor_scale(
    ax: Axes, y: float, row: PointsRow, marks: list[Mark], longest: int, lang: str
) -> None:
    """Scale of one predictor with its values."""
    _name(ax, y, label(row, lang))
    _scale(ax, y, 0.0, max(row.points.values()) / longest)
    for mark in marks:
        _tick(ax, y, mark)


def _marks(row: PointsRow, longest: int, lang: str) -> list[Mark]:
    """Values of a predictor, each label on the lowest level where it is free.

    Values with the same points share a label.
    """
    values = _number_marks(row, longest, lang) if row.is_number else _joined(row, lang)
    ends: list[float] = []
    placed = []
    for points, text in sorted(values):
        x, half = points / longest, 0.5 * _LETTER * (len(text) + 1)
        at = min(max(x, _LEFT + half), _RIGHT - half)
        free = (k for k, end in enumerate(ends) if end <= at - half)
        level = next(free, len(ends))
        ends[level : level + 1] = [at + half]
        placed.append(Mark(x=x, text=text, at=at, level=level))
    return placed


def _joined(row: PointsRow, lang: str) -> list[tuple[float, str]]:
    """Points and names of categories; those with equal points together."""
    names: dict[int, list[str]] = {}
    for value, points in row.points.items():
        names.setdefault(points, []).append(value_text(row, value, lang))
    return [(points, _shortened(texts, lang)) for points, texts in names.items()]


def _shortened(texts: list[str], lang: str) -> str:
    """Join names until the label is long; count the rest, in words: "+8" are points."""
    kept = [texts[0]]
    for text in texts[1:]:
        if len(", ".join([*kept, text])) > _LONGEST:
            break
        kept.append(text)
    rest = len(texts) - len(kept)
    if not rest:
        return ", ".join(kept)
    return say("figure.and_others", lang, kept=tuple(kept), n=rest)


def _number_marks(row: PointsRow, longest: int, lang: str) -> list[tuple[float, str]]:
    """Points and values of a number that stand far enough apart.

    Ends are included, and where an effect that bends turns: to read between two values
    they must stand on the same side of it.
    """
    items = list(row.points.items())
    whole = list(row.points.values())
    turn = max(whole.index(min(whole)), whole.index(max(whole)), key=_from_ends(whole))
    kept = [items[0]]
    for k, (value, points) in enumerate(items[1:-1], start=1):
        ahead = [turn] if k < turn else []
        ends = (kept[-1][1], items[-1][1], *(whole[at] for at in ahead))
        near = min(abs(points - p) for p in ends)
        if k == turn or near / longest >= _APART:
            kept.append((value, points))
    return [(points, value_text(row, v, lang)) for v, points in [*kept, items[-1]]]


def _turns(row: PointsRow) -> bool:
    steps = (
        np.sign(np.diff(list(row.points.values()))) if row.is_number else np.zeros(1)
    )
    return bool(steps.min() < 0.0 < steps.max())


def _from_ends(values: list[int]) -> Callable[[int], int]:
    return lambda at: min(at, len(values) - 1 - at)


def _total_scale(ax: Axes, table: PointsTable, longest: int, lang: str) -> None:
    """Total of points, and the probability at the same places."""
    _name(ax, 0.0, say("figure.card_total", lang))
    highest = sum(max(row.points.values()) for row in table.rows) or 1
    _scale(ax, 0.0, 0.0, 1.0, BLUE)
    whole = _HUNDRED * highest / longest
    for points in _round_steps(whole, 10):
        x = points / whole
        _tick(ax, 0.0, Mark(x=x, text=f"{points:g}", at=x, level=0))
    within = {p: t for p, t in table.totals.items() if 0 <= t <= highest}
    places = [total / highest for total in within.values()]
    _scale(ax, -1.2, min(places, default=0.0), max(places, default=1.0), BLUE)
    marked: list[float] = []
    for percent in (p for p in PERCENTS if p in within):
        x = within[percent] / highest
        if all(abs(x - other) >= 0.75 * _APART for other in marked):
            _tick(ax, -1.2, Mark(x=x, text=f"{percent} %", at=x, level=0))
            marked.append(x)


def _average_interval(ax: Axes, table: PointsTable) -> None:
    """Draw the interval of the average patient below the scale of probabilities."""
    highest = sum(max(row.points.values()) for row in table.rows) or 1
    percents = [100.0 * limit for limit in table.card.average_interval]
    totals = np.interp(percents, list(table.totals), list(table.totals.values()))
    ends = np.clip(totals / highest, 0.0, 1.0)
    ax.plot(ends, [-1.45, -1.45], color=GREY, linewidth=4.0, solid_capstyle="butt")
