"""How good a model is: calibration curve and decision curve."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from responder_model.performance import CalibrationCurve, DecisionCurve
from responder_model.words import say
from .drawing import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    VERMILION,
    legend_below,
    open_frame,
    percent,
    percent_axes,
)

Array = NDArray[np.float64]

# Strip below a calibration curve that shows where the patients are.
STRIP_MIDDLE, STRIP_HEIGHT, STRIP_BOTTOM = -0.14, 0.08, -0.25
# Patients treated otherwise below which the interval of a gain is not to be trusted.
FEWEST_CHANGED = 10


def plot_calibration_curve(
    curve: CalibrationCurve, *, ax: Axes, lang: str = "en"
) -> Axes:
    """Draw observed against predicted response, and where the patients are.

    Parameters
    ----------
    curve : CalibrationCurve
        From ``performance.calibration_curve``.
    ax : matplotlib Axes
        Where to draw; returned. Below zero: responders upwards and non-responders
        downwards, by predicted probability, bars of fewer than 10 left out.
    lang : {"en", "fr"}
        Language of the words.
    """
    ax.plot(
        [0, 1], [0, 1], color=GREY, ls="--", lw=1.2, label=say("figure.ideal", lang)
    )
    ax.fill_between(curve.probability, curve.lower, curve.upper, color=BLUE, alpha=0.2)
    marker = "o" if curve.probability.size == 1 else None
    key = "fitted" if curve.smoother == "logistic" else "smoothed"
    label = say(f"figure.{key}", lang, confidence=100 * curve.confidence)
    ax.plot(
        curve.probability,
        curve.observed,
        color=BLUE,
        lw=2.2,
        marker=marker,
        label=label,
    )
    percent_axes(ax, bottom=STRIP_BOTTOM)
    _draw_strip(curve, ax, lang)
    _write_sides(ax, lang)
    counts = say("figure.counts", lang, n=curve.n_patients, events=curve.n_events)
    ax.set_xlabel(say("figure.predicted", lang))
    ax.set_ylabel(
        say("figure.observed", lang), y=(0.5 - STRIP_BOTTOM) / (1 - STRIP_BOTTOM)
    )
    legend_below(ax, counts)
    return ax


def _draw_strip(curve: CalibrationCurve, ax: Axes, lang: str) -> None:
    """Bars of patients per bin of probability, responders up, the others down."""
    if not curve.responders.any() and not curve.non_responders.any():
        text = say("figure.few_to_place", lang)
        ax.text(0.5, STRIP_MIDDLE, text, ha="center", fontsize="small", color=GREY)
        return
    left, width = curve.bin_edges[:-1], np.diff(curve.bin_edges)
    most = max(curve.responders.max(), curve.non_responders.max(), 1)
    up = STRIP_HEIGHT * curve.responders / most
    down = STRIP_HEIGHT * curve.non_responders / most
    for height, colour in ((up, BLUE), (-down, ORANGE)):
        ax.bar(left, height, 0.9 * width, STRIP_MIDDLE, align="edge", color=colour)
    ax.axhline(STRIP_MIDDLE, color=BLACK, lw=0.6)
    ax.axhline(0.0, color="0.8", lw=0.8)
    note = say("figure.left_out", lang)
    ax.text(0.01, -0.012, note, va="top", fontsize="small", color=GREY)
    words = (("responders", 0.045, BLUE), ("non_responders", -0.045, "#8A5A00"))
    for key, shift, colour in words:
        ax.annotate(
            say(f"figure.{key}", lang),
            (1.0, STRIP_MIDDLE + shift),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize="small",
            color=colour,
            annotation_clip=False,
        )


def _write_sides(ax: Axes, lang: str) -> None:
    """Say which side of the diagonal means what, in corners away from the curve."""
    places = (("too_low", 0.02, 0.97, "left"), ("too_high", 0.98, 0.03, "right"))
    for key, x, y, side in places:
        ax.text(
            x,
            y,
            say(f"figure.{key}", lang),
            ha=side,
            va="center",
            fontsize="small",
            fontstyle="italic",
            color=GREY,
            zorder=0,
        )


def plot_decision_curve(curve: DecisionCurve, *, ax: Axes, lang: str = "en") -> Axes:
    """Draw net benefit against the threshold, for the model and for no model.

    Parameters
    ----------
    curve : DecisionCurve
        From ``performance.decision_curve``.
    ax : matplotlib Axes
        Where to draw; returned. A bar at the bottom marks the thresholds at which the
        model is better than treating everybody and nobody.
    lang : {"en", "fr"}
        Language of the words.
    """
    t = curve.thresholds
    highest = curve.net_benefit if curve.upper is None else curve.upper
    lowest = curve.net_benefit if curve.lower is None else curve.lower
    floor, top = benefit_room(curve.net_benefit, lowest, highest, curve.treat_all)
    bottom = floor - 0.22 * top
    ax.set_ylim(bottom, top)
    ax.set_xlim(float(t.min()), float(t.max()) if t.size > 1 else float(t.min()) + 0.01)
    label = say("figure.treat_by_model", lang)
    if curve.lower is not None and curve.upper is not None:
        confidence = 100 * curve.confidence
        label = say("figure.treat_by_model_interval", lang, confidence=confidence)
        lower = np.maximum(curve.lower, floor)
        ax.fill_between(t, lower, curve.upper, color=BLUE, alpha=0.2)
    ax.plot(t, curve.net_benefit, color=BLUE, lw=2.2, label=label)
    draw_treat_all(t, curve.treat_all, ax=ax, lang=lang, floor=floor)
    ax.axhline(0.0, color=BLACK, ls=":", label=say("figure.treat_none", lang))
    _draw_gain(curve, ax, lang, bottom + 0.06 * top, 0.04 * top)
    ax.xaxis.set_major_formatter(percent)
    ax.yaxis.set_major_formatter(percent)
    ax.set_xlabel(say("figure.threshold", lang))
    ax.set_ylabel(say("figure.net_benefit", lang))
    counts = say("figure.counts", lang, n=curve.n_patients, events=curve.n_events)
    legend_below(ax, counts)
    open_frame(ax)
    return ax


def benefit_room(
    net_benefit: Array, lower: Array, upper: Array, treat_all: Array
) -> tuple[float, float]:
    """Lowest and highest net benefit that are drawn.

    Treating everybody harms without bound, and so may the lower end of an interval:
    the model's curve is what the frame is for.
    """
    top = 1.05 * max(float(upper.max()), float(treat_all.max()), 0.01)
    lowest = float(net_benefit.min())
    return min(0.0, lowest, max(float(lower.min()), lowest - top)), top


def draw_treat_all(
    thresholds: Array, benefit: Array, *, ax: Axes, lang: str, floor: float
) -> None:
    """Draw treating everybody down to the floor, where an arrow ends the line."""
    t, y, key, marker = thresholds, benefit, "treat_all", ""
    inside = y >= floor
    if not inside.all():
        # net benefit of treating everybody falls as the threshold rises
        at = float(np.interp(-floor, -y, t))
        t, y = np.append(t[inside], at), np.append(y[inside], floor)
        key, marker = "treat_all_below", "v"
    label = say(f"figure.{key}", lang)
    ax.plot(t, y, VERMILION, ls="--", marker=marker, markevery=[-1], label=label)


def _draw_gain(
    curve: DecisionCurve, ax: Axes, lang: str, bottom: float, height: float
) -> None:
    """Bar along the thresholds with a gain; filled where its interval is above 0."""
    better = curve.gain > 0.0
    surely = np.zeros_like(better)
    if curve.gain_lower is not None:
        surely = (curve.gain_lower > 0.0) & (curve.n_changed >= FEWEST_CHANGED)
    shapes = (("better", better, "white", "////"), ("surely", surely, GREEN, None))
    for key, where, colour, hatch in shapes:
        if where.any():
            ax.broken_barh(
                _stretches(curve.thresholds, where),
                (bottom, height),
                facecolor=colour,
                edgecolor=GREEN,
                hatch=hatch,
                linewidth=0.8,
                zorder=3,
                label=say(f"figure.{key}", lang),
            )


def _stretches(
    thresholds: NDArray[np.float64], where: NDArray[np.bool_]
) -> list[tuple[float, float]]:
    """Start and width of each run; a threshold stands for half the way to the next."""
    middles = (thresholds[1:] + thresholds[:-1]) / 2.0
    edges = np.concatenate([thresholds[:1], middles, thresholds[-1:]])
    steps = np.diff(np.concatenate([[0], where.astype(int), [0]]))
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    return [
        (float(edges[start]), float(edges[end] - edges[start]))
        for start, end in zip(starts, ends, strict=True)
    ]
