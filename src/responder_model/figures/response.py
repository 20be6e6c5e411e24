"""Who responded, by aetiology or any other category, with intervals."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from responder_model.errors import ResponderModelError
from responder_model.labels import NOT_GIVEN
from responder_model.performance import Estimate, proportion_estimate
from responder_model.schema import dictionary
from responder_model.words import Note, say
from . import drawing

SMALL_CELL = 10  # patients below which a group is not shown by itself


@dataclass(frozen=True, kw_only=True)
class ResponseRow:
    """Response in one group of patients."""

    group: str | None  # category name; "" not given; None several small groups
    n_patients: int
    n_events: int
    estimate: Estimate
    predicted: float | None  # mean predicted probability


@dataclass(frozen=True, kw_only=True)
class ResponseTable:
    """Response by group: no group of fewer than ``small_cell`` patients."""

    field: str
    rows: tuple[ResponseRow, ...]  # largest first, the small groups together last
    overall: float | None  # None: too few patients in all
    small_cell: int
    confidence: float


def response_by_aetiology(
    outcome: ArrayLike,
    aetiology: Sequence[Any],
    *,
    predicted: ArrayLike | None = None,
    field: str = "aetiology",
    apart: Collection[str] | None = None,
    small_cell: int = SMALL_CELL,
    confidence: float = 0.95,
) -> ResponseTable:
    """Proportion of responders by aetiology with Wilson intervals.

    Groups of fewer than ``small_cell`` patients are put together, with the next
    smallest group if need be, so that no small group can be worked out.

    Parameters
    ----------
    outcome : array_like of shape (n_patients,)
        1 = responder, 0 = non-responder.
    aetiology : sequence of shape (n_patients,)
        Category of each patient; None or NaN is a group of its own, "not given".
    predicted : array_like of shape (n_patients,), optional
        Predicted probability, whose mean is set beside the proportion.
    field : str, default "aetiology"
        Field of the dictionary that holds the categories.
    apart : collection of str, optional
        Categories that may stand by themselves; by default every one.
    small_cell : int, default 10
        Least number of patients of a group that is shown.
    confidence : float, default 0.95
        Coverage of the intervals.

    Examples
    --------
    >>> table = response_by_aetiology([1, 0, 1, 1], ["amputation"] * 4, small_cell=2)
    >>> table.rows[0].n_events, table.overall
    (3, 0.75)
    """
    y = np.asarray(outcome, dtype=np.float64)
    p = None if predicted is None else np.asarray(predicted, dtype=np.float64)
    names = np.array([_name(value) for value in aetiology], dtype=object)
    if y.size != names.size or (p is not None and p.size != y.size):
        said = Note(
            "argument.same_length",
            names=("outcome", "aetiology", "predicted"),
            n=(y.size, names.size, y.size if p is None else p.size),
        )
        raise ResponderModelError(said)
    if not ((y == 0.0) | (y == 1.0)).all():
        raise ResponderModelError(Note("performance.outcome_binary"))
    groups = _groups(names, small_cell, apart)
    rows = tuple(
        _row(group, np.isin(names, members), y, p, confidence)
        for group, members in groups
    )
    overall = float(y.mean()) if y.size >= small_cell else None
    return ResponseTable(
        field=field,
        rows=rows,
        overall=overall,
        small_cell=small_cell,
        confidence=confidence,
    )


def _name(value: Any) -> str:
    return "" if value is None or value != value else str(value)


def _groups(
    names: Any, small_cell: int, apart: Collection[str] | None
) -> list[tuple[str | None, list[str]]]:
    """Groups with their categories, largest first; the others together last."""
    found, counts = np.unique(names.astype(str), return_counts=True)
    order = np.lexsort((found, -counts))
    sizes = [(str(found[k]), int(counts[k])) for k in order]
    allowed = {name for name, _ in sizes} if apart is None else set(apart)
    large = [(name, n) for name, n in sizes if n >= small_cell and name in allowed]
    small = [row for row in sizes if row not in large]
    while small and large and sum(n for _, n in small) < small_cell:
        small.insert(0, large.pop())
    groups: list[tuple[str | None, list[str]]] = [(name, [name]) for name, _ in large]
    if small and sum(n for _, n in small) >= small_cell:
        groups.append((None, [name for name, _ in small]))
    return groups


def _row(
    group: str | None, inside: Any, y: Any, p: Any, confidence: float
) -> ResponseRow:
    n, events = int(inside.sum()), int(y[inside].sum())
    return ResponseRow(
        group=group,
        n_patients=n,
        n_events=events,
        estimate=proportion_estimate(events, n, confidence=confidence),
        predicted=None if p is None else float(p[inside].mean()),
    )


def plot_response_by_aetiology(
    table: ResponseTable, *, ax: Axes, lang: str = "en"
) -> Axes:
    """Draw the proportion of responders of each group with its interval.

    Parameters
    ----------
    table : ResponseTable
        From :func:`response_by_aetiology`.
    ax : matplotlib Axes
        Where to draw; returned.
    lang : {"en", "fr"}
        Language of the words.
    """
    rows = table.rows[::-1]
    if not rows:
        text = say("figure.too_few", lang, n=table.small_cell)
        ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center")
    for y, row in enumerate(rows):
        _draw_row(ax, y, row, lang)
    ax.plot([], [], "o-", color=drawing.BLUE, label=_observed(table, lang))
    if any(row.predicted is not None for row in rows):
        label = say("figure.mean_predicted", lang)
        ax.plot([], [], "D", mfc="none", mec=drawing.VERMILION, ls="", label=label)
    if table.overall is not None:
        label = say("figure.all", lang, p=table.overall)
        ax.axvline(
            table.overall, color=drawing.GREY, ls="--", lw=1.2, zorder=0, label=label
        )
    ax.set_yticks(range(len(rows)), [_label(table, row, lang) for row in rows])
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(0.0, 1.0)
    ax.xaxis.set_major_formatter(drawing.percent)
    ax.set_xlabel(say("figure.observed", lang))
    ax.set_ylim(-0.6, max(len(rows), 1) - 0.4)
    drawing.legend_below(ax)
    drawing.open_frame(ax)
    return ax


def _observed(table: ResponseTable, lang: str) -> str:
    return say("figure.observed_interval", lang, confidence=100 * table.confidence)


def _draw_row(ax: Axes, y: int, row: ResponseRow, lang: str) -> None:
    """Interval, proportion, prediction, and the counts at the right."""
    found = row.estimate
    ax.plot([found.lower, found.upper], [y, y], color=drawing.BLUE, lw=2.0)
    ax.plot([found.value], [y], "o", color=drawing.BLUE, ms=6)
    if row.predicted is not None:
        ax.plot([row.predicted], [y], "D", mfc="none", mec=drawing.VERMILION, ms=6)
    ax.annotate(
        say("figure.of", lang, events=row.n_events, n=row.n_patients),
        (1.0, y),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        fontsize="small",
        annotation_clip=False,
    )


def _label(table: ResponseTable, row: ResponseRow, lang: str) -> str:
    if row.group is None:
        return say("figure.pooled", lang)
    if row.group == "":
        return NOT_GIVEN[lang]
    categories = dictionary().fields[table.field].categories
    labels = {category.name: category.label[lang] for category in categories}
    return labels.get(row.group, row.group)
