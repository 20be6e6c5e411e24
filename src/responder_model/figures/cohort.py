"""A cohort as it was read: what is missing where, and how its values lie."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from responder_model.labels import label_of
from responder_model.schema import Field, Reference, dictionary
from responder_model.words import say
from .drawing import BLUE, ORANGE, SKY, VERMILION, open_frame, percent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

# Distributions beside each other, and categories of one that are drawn.
N_ACROSS, MOST_CATEGORIES = 3, 8
# Share of the reference from which a category that nobody has is drawn.
USUAL = 0.05
# Standard deviations that hold 95 % of the reference.
NORMAL_975 = 1.96
N_BINS = 16
_BACK = {"identity": lambda x: x, "log": math.exp, "log1p": math.expm1}


def plot_missingness(
    cohort: pd.DataFrame,
    *,
    ax: Axes,
    refused: Mapping[str, Collection[int]],
    lang: str = "en",
) -> Axes:
    """Draw each patient's known, missing and refused values, in the file's order.

    Parameters
    ----------
    cohort : DataFrame
        Typed columns.
    ax : Axes
    refused : mapping
        Places of patients whose cell was refused, by field.
    lang : {"en", "fr"}
    """
    names = [str(name) for name in cohort.columns]
    state = np.array(cohort.isna().T, dtype=np.int64)
    for row, name in enumerate(names):
        state[row, list(refused.get(name, ()))] = 2
    colours = ListedColormap([SKY, "white", VERMILION])
    ends = (0.5, len(cohort) + 0.5, len(names) - 0.5, -0.5)
    ax.imshow(
        state,
        aspect="auto",
        extent=ends,
        cmap=colours,
        vmin=0,
        vmax=2,
        interpolation="none",
    )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    share = (state > 0).mean(axis=1) if len(cohort) else np.zeros(len(names))
    labels = [
        f"{label_of(name, lang)}  {percent(p)} %"
        for name, p in zip(names, share, strict=True)
    ]
    ax.set_yticks(range(len(names)), labels, fontsize="small")
    ax.set_yticks(np.arange(len(names)) - 0.5, minor=True)
    ax.grid(axis="y", which="minor", color="0.8", linewidth=0.5)
    ax.tick_params(which="both", length=0)
    ax.set_xlabel(say("file.in_order", lang))
    keys = ("known", "missing", "refused")
    ax.legend(
        handles=[
            Patch(facecolor=colours(k), edgecolor="0.5", label=say(f"file.{key}", lang))
            for k, key in enumerate(keys)
        ],
        loc="lower center",
        bbox_to_anchor=(0.4, 1.0),
        ncols=3,
        frameon=False,
        fontsize="small",
    )
    return ax


def draw_missingness(
    cohort: pd.DataFrame, *, refused: Mapping[str, Collection[int]], lang: str = "en"
) -> Figure:
    """Return the picture of what is missing, as high as it has columns."""
    size = (9, 1.4 + 0.22 * cohort.shape[1])
    figure = Figure(figsize=size, layout="constrained")
    plot_missingness(cohort, ax=figure.add_subplot(), refused=refused, lang=lang)
    return figure


def drawn_fields(cohort: pd.DataFrame) -> list[Field]:
    """Fields whose values are drawn: not texts, and known for somebody."""
    fields = [dictionary().fields[str(name)] for name in cohort.columns]
    return [f for f in fields if f.kind != "text" and cohort[f.name].notna().any()]


def draw_distributions(cohort: pd.DataFrame, *, lang: str = "en") -> Figure:
    """Return a picture of each field's values, beside the dictionary's reference."""
    fields = drawn_fields(cohort)
    n_down = max(1, math.ceil(len(fields) / N_ACROSS))
    figure = Figure(figsize=(10, 2.3 * n_down), layout="constrained")
    for place, field in enumerate(fields, start=1):
        ax = figure.add_subplot(n_down, N_ACROSS, place)
        plot_distribution(field, cohort[field.name], ax=ax, lang=lang)
    return figure


def plot_distribution(
    field: Field, cells: pd.Series, *, ax: Axes, lang: str = "en"
) -> Axes:
    """Draw the values of one field, and where those of the reference lie.

    Numbers as counts, over the range that holds 95 % of the reference and its middle;
    categories and yes as shares, with the reference's share as a mark.
    """
    known = cells.dropna()
    if field.kind == "number":
        _plot_numbers(field, known.to_numpy(dtype=np.float64), ax, lang)
    else:
        _plot_shares(field, known, ax, lang)
    count = f"(n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{len(known)})"
    title = textwrap.wrap(label_of(field.name, lang), 34)
    ax.set_title("\n".join([*title[:-1], f"{title[-1]} {count}"]), fontsize=8)
    ax.tick_params(labelsize=7)
    open_frame(ax)
    return ax


def _plot_numbers(
    field: Field, numbers: NDArray[np.float64], ax: Axes, lang: str
) -> None:
    ends = [numbers.min(), numbers.max()]
    if has_reference(field):
        low, middle, high = reference_range(field)
        ax.axvspan(low, high, color=ORANGE, alpha=0.25, linewidth=0)
        ax.axvline(middle, color=ORANGE, linewidth=1.5)
        ends += [low, high]
    ax.hist(numbers, bins=N_BINS, range=(min(ends), max(ends)), color=BLUE)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    if field.unit:
        ax.set_xlabel(field.unit[lang], fontsize=7)


def has_reference(field: Field) -> bool:
    """Whether the dictionary says what is usual before a decision.

    Of an outcome it says what is usual in those who go on to the next decision.
    """
    outcomes = {
        name
        for decision in dictionary().decisions.values()
        for name in (decision.outcome, decision.binary_outcome)
    }
    return field.reference != Reference() and field.name not in outcomes


def reference_range(field: Field) -> tuple[float, float, float]:
    """Where 95 % of the reference lie, and its middle, within the field's limits.

    Examples
    --------
    >>> low, middle, high = reference_range(dictionary().fields["pain_intensity"])
    >>> low < middle < high <= 10
    True
    """
    usual, back = field.reference, _BACK[field.transform]
    lowest = -math.inf if field.minimum is None else field.minimum
    highest = math.inf if field.maximum is None else field.maximum
    ends = (usual.mean + k * usual.sd for k in (-NORMAL_975, 0.0, NORMAL_975))
    low, middle, high = (min(highest, max(lowest, back(end))) for end in ends)
    return low, middle, high


def shares_of(field: Field, known: pd.Series, lang: str) -> list[tuple[str, Any, Any]]:
    """Label, share and the reference's share of each category that is drawn."""
    if field.kind == "boolean":
        usual = field.reference.mean if has_reference(field) else None
        return [(say("file.yes", lang), float(known.astype(float).mean()), usual)]
    usual_of = field.reference.proportions
    counted = known.astype(object).value_counts(normalize=True)
    rows = [
        (c.label[lang], float(counted.get(c.name, 0.0)), usual_of.get(c.name))
        for c in field.categories
    ]
    told = [row for row in rows if row[1] > 0 or (row[2] or 0.0) >= USUAL]
    return sorted(told, key=lambda row: -row[1])[:MOST_CATEGORIES]


def _plot_shares(field: Field, known: pd.Series, ax: Axes, lang: str) -> None:
    rows: Sequence[tuple[str, Any, Any]] = shares_of(field, known, lang)[::-1]
    ax.barh(range(len(rows)), [share for _, share, _ in rows], color=BLUE, height=0.6)
    for place, (_, _, usual) in enumerate(rows):
        if usual is not None:
            ax.plot(usual, place, marker="D", color=ORANGE, markeredgecolor="0.2")
    ax.set_yticks(range(len(rows)), [textwrap.shorten(r[0], 26) for r in rows])
    ax.set_ylim(-0.6, max(len(rows), 2) - 0.4)
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(percent)
    ax.set_xlabel("%", fontsize=7)
