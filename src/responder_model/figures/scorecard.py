"""The points table as a nomogram: one scale per predictor, one for the sum."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from responder_model.figures.drawing import BLACK, BLUE, GREY
from responder_model.labels import describe_cut_point
from responder_model.schema import dictionary
from responder_model.scorecard.page import label, value_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from responder_model.scorecard import PointsRow, PointsTable

TEXTS = {
    "points": {"en": "points", "fr": "points"},
    "total": {"en": "total of points", "fr": "total des points"},
    "probability": {
        "en": "probability of relief",
        "fr": "probabilité d'un soulagement",
    },
    "others": {"en": "and {n} others", "fr": "et {n} autres"},
    "other": {"en": "and 1 other", "fr": "et 1 autre"},
    "reading": {
        "en": "Read the points of each predictor on the top scale, add them, and read "
        "the probability below the total.\nOnly for patients in whom every predictor "
        "shown is known. Exact figures: the points table.",
        "fr": "Lire les points de chaque prédicteur sur l'échelle du haut, les "
        "additionner, et lire la probabilité sous le total.\nSeulement si tous les "
        "prédicteurs montrés sont connus. Chiffres exacts : la table de points.",
    },
}
# Percents that the last scale may mark, those that a reader looks for first.
PERCENTS = (50, 10, 90, 30, 70, 20, 80, 5, 95, 40, 60, 1, 99, 2, 98, 15, 85)
# Least distance of two labels on one scale, as a share of its length, and where labels
# that are closer go: levels above the scale.
_APART = 0.055
_LEVELS = 3
_LETTER = 0.0088
_JOINED = "\N{NO-BREAK SPACE}"
_LONGEST = 34
_WIDEST_NAME = 32


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
    n_rows = len(table.rows)
    _points_scale(ax, n_rows + 1.0, longest, lang)
    for k, row in enumerate(table.rows):
        _predictor_scale(ax, n_rows - k, row, longest, lang)
    _total_scale(ax, table, lang)
    decision = dictionary().decisions[table.card.decision]
    cut = describe_cut_point(decision, table.card.cut_points[table.card.main])
    cut = cut.replace(" ", _JOINED)  # stays on one line
    _name(ax, -1.2, f"{TEXTS['probability'][lang]} {cut}")
    ax.set_xlim(-0.36, 1.04)
    ax.set_ylim(-2.5, n_rows + 1.8)
    ax.text(-0.36, -2.4, TEXTS["reading"][lang], fontsize="small", va="bottom")
    ax.set_axis_off()
    return ax


def nomogram_size(table: PointsTable) -> tuple[float, float]:
    """Width and height, inches, at which nothing overlaps."""
    return 11.0, 3.0 + 0.5 * len(table.rows)


def _name(ax: Axes, y: float, text: str) -> None:
    lines = textwrap.fill(text, _WIDEST_NAME).replace(_JOINED, " ")
    ax.text(-0.36, y, lines, va="center", fontsize="small", fontweight="bold")


def _scale(ax: Axes, y: float, low: float, high: float, colour: str = BLACK) -> None:
    ax.plot([low, high], [y, y], color=colour, linewidth=1.0)


def _tick(ax: Axes, x: float, y: float, text: str, level: int = 0) -> None:
    """Mark a place and write above it, higher where others stand close."""
    rise = 0.16 + 0.21 * level
    ax.plot([x, x], [y, y + rise - 0.04], color=GREY if level else BLACK, linewidth=0.7)
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    place = {"ha": "center", "va": "bottom"}
    ax.text(x, y + rise, text, place, fontsize="x-small", bbox=ground)


def _points_scale(ax: Axes, y: float, longest: int, lang: str) -> None:
    _name(ax, y, TEXTS["points"][lang])
    _scale(ax, y, 0.0, 1.0, BLUE)
    for points in _round_steps(longest, 10):
        _tick(ax, points / longest, y, f"{points:g}")


def _round_steps(highest: float, n_steps: int) -> list[float]:
    """Round numbers from 0 to the highest, about so many."""
    size = 10.0 ** np.floor(np.log10(highest / n_steps))
    step = next(s * size for s in (1, 2, 5, 10) if highest / (s * size) <= n_steps)
    return [k * step for k in range(int(highest / step + 1e-9) + 1)]


def _predictor_scale(
    ax: Axes, y: float, row: PointsRow, longest: int, lang: str
) -> None:
    """Scale of one predictor; values with the same points share a label."""
    _name(ax, y, label(row, lang))
    _scale(ax, y, 0.0, max(row.points.values()) / longest)
    marks = _number_marks(row, longest, lang) if row.is_number else _joined(row, lang)
    ends: list[float] = [-1.0] * _LEVELS
    for points, text in sorted(marks):
        x = points / longest
        half = 0.5 * _LETTER * len(text)
        free = [k for k in range(_LEVELS) if ends[k] < x - half]
        level = free[0] if free else int(np.argmin(ends))
        ends[level] = x + half
        _tick(ax, x, y, text, level)


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
    others = TEXTS["other" if rest == 1 else "others"][lang].format(n=rest)
    return f"{', '.join(kept)} {others}"


def _number_marks(row: PointsRow, longest: int, lang: str) -> list[tuple[float, str]]:
    """Points and values of a number that stand far enough apart, ends included."""
    items = list(row.points.items())
    kept = [items[0]]
    for value, points in items[1:-1]:
        near = min(abs(points - p) for p in (kept[-1][1], items[-1][1]))
        if near / longest >= _APART:
            kept.append((value, points))
    return [(points, value_text(row, v, lang)) for v, points in [*kept, items[-1]]]


def _total_scale(ax: Axes, table: PointsTable, lang: str) -> None:
    """Total of points, and the probability at the same places."""
    _name(ax, 0.0, TEXTS["total"][lang])
    highest = sum(max(row.points.values()) for row in table.rows) or 1
    _scale(ax, 0.0, 0.0, 1.0, BLUE)
    for points in _round_steps(highest, 10):
        _tick(ax, points / highest, 0.0, f"{points:g}")
    within = {p: t for p, t in table.totals.items() if 0 <= t <= highest}
    places = [total / highest for total in within.values()]
    _scale(ax, -1.2, min(places, default=0.0), max(places, default=1.0), BLUE)
    marked: list[float] = []
    for percent in (p for p in PERCENTS if p in within):
        x = within[percent] / highest
        if all(abs(x - other) >= 0.75 * _APART for other in marked):
            _tick(ax, x, -1.2, f"{percent} %")
            marked.append(x)
