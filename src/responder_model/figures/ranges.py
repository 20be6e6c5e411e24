"""Probabilities with their intervals on one scale, told apart without colour."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from responder_model.words import say
from . import drawing

_WIDEST_NAME = 44
# Rows by which names of marks stand above each other.
_LEVEL = 0.6


@dataclass(frozen=True, kw_only=True)
class Range:
    """One probability with its interval.

    Parameters
    ----------
    label : str
        Whose it is.
    value, lower, upper : float
        In 0-1.
    weak : bool
        Beside the point: drawn thin, with an open mark.
    """

    label: str
    value: float
    lower: float
    upper: float
    weak: bool = False


def ranges_picture(
    rows: Sequence[Range], *, marks: Sequence[tuple[float, str]] = (), lang: str = "en"
) -> bytes:
    """PNG of ``plot_ranges``, as high as its rows need."""
    return drawing.picture_of(
        lambda ax: plot_ranges(rows, marks=marks, ax=ax, lang=lang),
        size=(drawing.PAGE_WIDTH, 0.7 + 0.23 * (len(rows) + _LEVEL * len(marks))),
    )


def plot_ranges(
    rows: Sequence[Range],
    *,
    ax: Axes,
    marks: Sequence[tuple[float, str]] = (),
    lang: str = "en",
) -> Axes:
    """Draw probabilities with their intervals, the first on top.

    Parameters
    ----------
    rows : sequence of Range
        What is drawn.
    ax : matplotlib Axes
        Where to draw; returned.
    marks : sequence of (float, str)
        Probabilities to compare with, and their names.
    lang : {"en", "fr"}
        Language of the axis.
    """
    height = len(rows)
    for k, row in enumerate(rows):
        y = height - 1 - k
        colour = drawing.GREY if row.weak else drawing.BLUE
        width = 1.2 if row.weak else 3.0
        ax.plot([row.lower, row.upper], [y, y], color=colour, linewidth=width)
        face = "white" if row.weak else colour
        marker = "s" if row.weak else "o"
        ax.plot([row.value], [y], marker=marker, color=colour, markerfacecolor=face)
    for level, (place, name) in enumerate(sorted(marks)):
        top = height - 0.4 + _LEVEL * level
        ax.plot(
            [place, place],
            [-0.6, top],
            color=drawing.BLACK,
            linestyle=":",
            linewidth=1.2,
        )
        words = f"{name} {100 * place:.0f}"
        ax.text(place, top, words, ha="center", va="bottom", fontsize="small")
    ax.set_xlim(0.0, 1.0)
    ax.set_ylim(-0.6, height - 0.4 + _LEVEL * len(marks))
    names = [textwrap.fill(row.label, _WIDEST_NAME) for row in reversed(rows)]
    ax.set_yticks(range(height), names)
    ax.xaxis.set_major_formatter(drawing.percent)
    ax.set_xlabel(say("sheet.axis", lang))
    drawing.open_frame(ax)
    return ax
