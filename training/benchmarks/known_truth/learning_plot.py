"""How many patients a method needs: errors against the size of the development."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from known_truth.learning import LearningCurve, patients_to_match
from responder_model.figures.drawing import (
    BLACK,
    BLUE,
    STYLES,
    Line,
    legend_below,
    open_frame,
)
from responder_model.words.numbers import format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TEXTS = {
    "n_patients": {
        "en": "patients in development",
        "fr": "patients pour le développement",
    },
    "error": {
        "en": "excess log loss × 1000 (lower is better)",
        "fr": "excès de perte logarithmique × 1000 (plus bas est mieux)",
    },
    "match": {
        "en": "{ours} at {m} patients\nis matched by {peer} at {n}",
        "fr": "{ours} avec {m} patients\négalé par {peer} avec {n}",
    },
    "no_match": {
        "en": "{ours} at {m} patients\nis matched by no other in this range",
        "fr": "{ours} avec {m} patients\nn'est égalé par aucun autre dans cette plage",
    },
}


def plot_learning_curve(
    curves: Sequence[LearningCurve],
    *,
    ax: Axes,
    lang: str = "en",
    at: float = 50.0,
    label: str | None = None,
) -> Axes:
    """Draw the error of several methods against the number of patients.

    Parameters
    ----------
    curves : sequence of LearningCurve
        Ours first, then the peers, from ``learning.learning_curve``.
    ax : matplotlib Axes
        Where to draw, on logarithmic scales; returned. The arrow shows how many
        patients the best peer needs to match ours at ``at`` patients; the title of
        the legend says it in words.
    lang : {"en", "fr"}
        Language of the words.
    at : float, default 50
        Number of patients of that comparison; no arrow when ours was not measured
        there.
    label : str, optional
        Name of the error with its unit; by default excess log loss × 1000.
    """
    _draw_curve(curves[0], ax, (BLUE, "o", "-"), width=2.6)
    for k, curve in enumerate(curves[1:]):
        _draw_curve(curve, ax, STYLES[k % len(STYLES)], width=1.4)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ticks = sorted({float(n) for curve in curves for n in curve.n_patients})
    ax.set_xticks(ticks, [f"{n:g}" for n in ticks])
    ax.minorticks_off()
    _set_error_axis(curves, ax, lang)
    match = _draw_match(curves, ax, lang, at)
    ax.grid(axis="y", color="0.9", lw=0.8)
    ax.set_xlabel(TEXTS["n_patients"][lang])
    ax.set_ylabel(TEXTS["error"][lang] if label is None else label)
    legend_below(ax, match)
    open_frame(ax)
    return ax


def _draw_curve(
    curve: LearningCurve, ax: Axes, style: tuple[str, str, Line], *, width: float
) -> None:
    """Line with a marker at each size and bars of Monte-Carlo error."""
    colour, marker, line = style
    ax.errorbar(
        curve.n_patients,
        curve.error,
        1.96 * curve.standard_error,
        color=colour,
        marker=marker,
        ms=6,
        ls=line,
        lw=width,
        capsize=3,
        label=curve.name,
    )


def _set_error_axis(curves: Sequence[LearningCurve], ax: Axes, lang: str) -> None:
    """Mark 1, 2, 5, 10, … on the logarithmic axis of errors."""
    errors = np.concatenate([curve.error for curve in curves])
    low, high = errors.min() / 1.4, errors.max() * 1.4
    decades = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    marks = np.array([m * 10.0**d for d in decades for m in (1, 2, 5)])
    marks = marks[(marks >= low) & (marks <= high)]
    ax.set_ylim(low, high)
    ax.set_yticks(marks, [format_number(mark, lang, ".3g") for mark in marks])
    ax.minorticks_off()


def _draw_match(
    curves: Sequence[LearningCurve], ax: Axes, lang: str, at: float
) -> str | None:
    """Arrow from our error at one size to where the best peer reaches it; in words."""
    ours = curves[0]
    here = np.flatnonzero(ours.n_patients == at)
    if here.size == 0 or len(curves) == 1:
        return None
    error = float(ours.error[here[0]])
    found = [(patients_to_match(curve, error), curve.name) for curve in curves[1:]]
    needed = sorted((n, name) for n, name in found if n is not None)
    if needed:
        n, peer = needed[0]
        arrow = {"arrowstyle": "->", "color": BLACK, "lw": 1.2, "shrinkA": 7}
        ax.annotate("", (n, error), xytext=(at, error), arrowprops=arrow)
        return TEXTS["match"][lang].format(
            ours=ours.name, m=f"{at:g}", peer=peer, n=f"{n:.0f}"
        )
    ax.axhline(error, color=BLACK, lw=1.0, ls=":")
    return TEXTS["no_match"][lang].format(ours=ours.name, m=f"{at:g}")
