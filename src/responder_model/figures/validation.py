"""How good a model is: calibration, decision curve, stability, learning curve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from responder_model.figures.explanations import save_figure
from responder_model.labels import format_number, format_percent
from responder_model.performance import (
    CalibrationCurve,
    DecisionCurve,
    InstabilityCurve,
    LearningCurve,
    patients_to_match,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

# Okabe and Ito: safe for colour-blind eyes; line style or marker differs as well, so
# that a grey print can be read.
BLUE, VERMILION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
PURPLE, SKY, BLACK, GREY = "#CC79A7", "#56B4E9", "#000000", "#6E6E6E"
STYLES = (
    (VERMILION, "s", "--"),
    (GREEN, "^", "-."),
    (ORANGE, "D", ":"),
    (PURPLE, "v", (0, (5, 1, 1, 1))),
    (SKY, "P", (0, (3, 1))),
    (GREY, "X", (0, (1, 1))),
)
# Strip below a calibration curve that shows where the patients are.
STRIP_MIDDLE, STRIP_HEIGHT, STRIP_BOTTOM = -0.14, 0.08, -0.25

TEXTS = {
    "predicted": {
        "en": "predicted probability of response, %",
        "fr": "probabilité de réponse prédite, %",
    },
    "observed": {
        "en": "patients who responded, %",
        "fr": "patients ayant répondu, %",
    },
    "ideal": {"en": "ideal", "fr": "idéal"},
    "curve": {
        "en": "observed, smoothed, with {c} % band",
        "fr": "observé, lissé, avec bande à {c} %",
    },
    "too_low": {"en": "predictions too low", "fr": "prédictions trop basses"},
    "too_high": {"en": "predictions too high", "fr": "prédictions trop hautes"},
    "responders": {"en": "responders", "fr": "répondeurs"},
    "non_responders": {"en": "non-responders", "fr": "non-répondeurs"},
    "counts": {
        "en": "{n} patients, {e} responders",
        "fr": "{n} patients, {e} répondeurs",
    },
    "threshold": {
        "en": "threshold: least probability of response that justifies treating, %",
        "fr": "seuil : probabilité minimale de réponse qui justifie de traiter, %",
    },
    "net_benefit": {
        "en": "net benefit: responders treated per 100 patients,\n"
        "less the cost of those treated in vain",
        "fr": "bénéfice net : répondeurs traités pour 100 patients,\n"
        "moins le coût de ceux traités en vain",
    },
    "model": {
        "en": "treat by the model, with {c} % interval",
        "fr": "traiter selon le modèle, avec intervalle à {c} %",
    },
    "model_alone": {"en": "treat by the model", "fr": "traiter selon le modèle"},
    "treat_all": {"en": "treat everybody", "fr": "traiter tout le monde"},
    "treat_none": {"en": "treat nobody", "fr": "ne traiter personne"},
    "better": {
        "en": "model better than both: in these patients",
        "fr": "modèle meilleur que les deux : chez ces patients",
    },
    "surely": {
        "en": "model better than both: interval excludes chance",
        "fr": "modèle meilleur que les deux : l'intervalle exclut le hasard",
    },
    "developed": {
        "en": "probability by the developed model, %",
        "fr": "probabilité selon le modèle développé, %",
    },
    "resampled": {
        "en": "probability by models from resamples, %",
        "fr": "probabilité selon les modèles rééchantillonnés, %",
    },
    "range": {
        "en": "{c} % of the models from resamples",
        "fr": "{c} % des modèles rééchantillonnés",
    },
    "median": {"en": "their median", "fr": "leur médiane"},
    "same": {"en": "same as the developed model", "fr": "comme le modèle développé"},
    "mape": {
        "en": "mean difference: {m} points\n{n} patients, {r} resamples",
        "fr": "différence moyenne : {m} points\n{n} patients, {r} rééchantillons",
    },
    "n_patients": {
        "en": "patients in development",
        "fr": "patients pour le développement",
    },
    "error": {
        "en": "excess log loss × 1000 (lower is better)",
        "fr": "excès de perte logarithmique × 1000 (plus bas est mieux)",
    },
    "match": {
        "en": "best peer needs {n} patients\nto match us at {m}",
        "fr": "le meilleur concurrent demande\n{n} patients pour nous égaler à {m}",
    },
    "no_match": {
        "en": "no peer matches our {m} patients\nwithin this range",
        "fr": "aucun concurrent n'égale\nnos {m} patients dans cette plage",
    },
}


def _percent(value: float, _: object = None) -> str:
    return f"{100 * value:.0f}"


def _percent_axes(ax: Axes, *, bottom: float = 0.0) -> None:
    ticks = np.linspace(0.0, 1.0, 6)
    ax.set_xlim(0.0, 1.0)
    ax.set_ylim(bottom, 1.0)
    ax.set_xticks(ticks)
    ax.set_yticks(ticks)
    ax.xaxis.set_major_formatter(_percent)
    ax.yaxis.set_major_formatter(_percent)
    ax.set_aspect("equal")
    _open_frame(ax)


def _open_frame(ax: Axes) -> None:
    ax.spines[["top", "right"]].set_visible(False)


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
        downwards, by predicted probability.
    lang : {"en", "fr"}
        Language of the words.
    """
    confidence = format_number(100 * curve.confidence, lang)
    ax.plot([0, 1], [0, 1], color=GREY, ls="--", lw=1.2, label=TEXTS["ideal"][lang])
    ax.fill_between(curve.probability, curve.lower, curve.upper, color=BLUE, alpha=0.2)
    marker = "o" if curve.probability.size == 1 else None
    label = TEXTS["curve"][lang].format(c=confidence)
    ax.plot(
        curve.probability,
        curve.observed,
        color=BLUE,
        lw=2.2,
        marker=marker,
        label=label,
    )
    _percent_axes(ax, bottom=STRIP_BOTTOM)
    _draw_strip(curve, ax, lang)
    _write_sides(ax, lang)
    counts = TEXTS["counts"][lang].format(n=curve.n_patients, e=curve.n_events)
    ax.legend(loc="upper left", frameon=False, fontsize="small", title=counts)
    ax.set_xlabel(TEXTS["predicted"][lang])
    ax.set_ylabel(TEXTS["observed"][lang], y=(0.5 - STRIP_BOTTOM) / (1 - STRIP_BOTTOM))
    return ax


def _draw_strip(curve: CalibrationCurve, ax: Axes, lang: str) -> None:
    """Bars of patients per bin of probability, responders up, the others down."""
    left, width = curve.bin_edges[:-1], np.diff(curve.bin_edges)
    most = max(curve.responders.max(), curve.non_responders.max(), 1)
    up = STRIP_HEIGHT * curve.responders / most
    down = STRIP_HEIGHT * curve.non_responders / most
    at = {"align": "edge", "linewidth": 0.0}
    ax.bar(left, up, 0.9 * width, bottom=STRIP_MIDDLE, color=BLUE, **at)
    ax.bar(left, -down, 0.9 * width, bottom=STRIP_MIDDLE, color=ORANGE, **at)
    ax.axhline(STRIP_MIDDLE, color=BLACK, lw=0.6)
    ax.axhline(0.0, color="0.8", lw=0.8)
    words = (("responders", 0.045, BLUE), ("non_responders", -0.045, "#8A5A00"))
    for key, shift, colour in words:
        ax.annotate(
            TEXTS[key][lang],
            (1.0, STRIP_MIDDLE + shift),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize="small",
            color=colour,
            annotation_clip=False,
        )


def _write_sides(ax: Axes, lang: str) -> None:
    """Say which side of the diagonal means what."""
    for key, x, y in (("too_low", 0.27, 0.60), ("too_high", 0.73, 0.40)):
        ax.text(
            x,
            y,
            TEXTS[key][lang],
            rotation=45,
            ha="center",
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
    confidence = format_number(100 * curve.confidence, lang)
    label = TEXTS["model_alone"][lang]
    if curve.lower is not None and curve.upper is not None:
        label = TEXTS["model"][lang].format(c=confidence)
        ax.fill_between(t, curve.lower, curve.upper, color=BLUE, alpha=0.2)
    ax.plot(t, curve.net_benefit, color=BLUE, lw=2.2, label=label)
    ax.plot(
        t, curve.treat_all, color=VERMILION, ls="--", label=TEXTS["treat_all"][lang]
    )
    ax.axhline(0.0, color=BLACK, ls=":", label=TEXTS["treat_none"][lang])
    top = 1.15 * max(float(np.max(curve.net_benefit)), float(np.max(curve.treat_all)))
    top = max(top, 0.01)
    ax.set_ylim(-0.22 * top, top)
    ax.set_xlim(float(t.min()), float(t.max()) if t.size > 1 else float(t.min()) + 0.01)
    _draw_gain(curve, ax, lang, -0.16 * top, 0.04 * top)
    ax.xaxis.set_major_formatter(_percent)
    ax.yaxis.set_major_formatter(_percent)
    ax.set_xlabel(TEXTS["threshold"][lang])
    ax.set_ylabel(TEXTS["net_benefit"][lang])
    counts = TEXTS["counts"][lang].format(n=curve.n_patients, e=curve.n_events)
    ax.legend(loc="upper right", frameon=False, fontsize="small", title=counts)
    _open_frame(ax)
    return ax


def _draw_gain(
    curve: DecisionCurve, ax: Axes, lang: str, bottom: float, height: float
) -> None:
    """Bar along the thresholds with a gain; filled where chance is excluded."""
    better = curve.gain > 0.0
    surely = np.zeros_like(better)
    if curve.gain_lower is not None:
        surely = curve.gain_lower > 0.0
    shapes = (("better", better, "none", "////"), ("surely", surely, GREEN, None))
    for key, where, colour, hatch in shapes:
        if where.any():
            ax.fill_between(
                curve.thresholds,
                bottom,
                bottom + height,
                where=where.tolist(),
                facecolor=colour,
                edgecolor=GREEN,
                hatch=hatch,
                linewidth=0.8,
                label=TEXTS[key][lang],
            )


def plot_stability(curve: InstabilityCurve, *, ax: Axes, lang: str = "en") -> Axes:
    """Draw what models from resamples would have said instead.

    Parameters
    ----------
    curve : InstabilityCurve
        From ``performance.instability_curve``: groups of patients, never one.
    ax : matplotlib Axes
        Where to draw; returned.
    lang : {"en", "fr"}
        Language of the words.
    """
    x = curve.probability
    share = format_number(100 * curve.share, lang)
    ax.plot([0, 1], [0, 1], color=GREY, ls="--", lw=1.2, label=TEXTS["same"][lang])
    label = TEXTS["range"][lang].format(c=share)
    if x.size == 1:
        ends = [curve.median - curve.lower, curve.upper - curve.median]
        ax.errorbar(x, curve.median, ends, color=BLUE, capsize=4, label=label)
    else:
        ax.fill_between(x, curve.lower, curve.upper, color=BLUE, alpha=0.2, label=label)
    median = TEXTS["median"][lang]
    ax.plot(x, curve.median, color=BLUE, lw=2.2, marker="o", ms=4, label=median)
    _percent_axes(ax)
    error = format_number(100 * curve.overall_mean_absolute_error, lang, ".2g")
    ax.text(
        0.98,
        0.03,
        TEXTS["mape"][lang].format(m=error, n=curve.n_patients, r=curve.n_resamples),
        transform=ax.transAxes,
        ha="right",
        va="bottom",
        fontsize="small",
    )
    ax.legend(loc="upper left", frameon=False, fontsize="small")
    ax.set_xlabel(TEXTS["developed"][lang])
    ax.set_ylabel(TEXTS["resampled"][lang])
    return ax


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
        Ours first, then the peers, from ``performance.learning_curve``.
    ax : matplotlib Axes
        Where to draw, on logarithmic scales; returned. The arrow shows how many
        patients the best peer needs to match ours at ``at`` patients.
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
    _draw_match(curves, ax, lang, at)
    ax.grid(axis="y", color="0.9", lw=0.8)
    ax.set_xlabel(TEXTS["n_patients"][lang])
    ax.set_ylabel(TEXTS["error"][lang] if label is None else label)
    ax.legend(frameon=False, fontsize="small")
    _open_frame(ax)
    return ax


def _draw_curve(
    curve: LearningCurve, ax: Axes, style: tuple[str, str, object], *, width: float
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
) -> None:
    """Arrow from our error at one size to where the best peer reaches it."""
    ours = curves[0]
    here = np.flatnonzero(ours.n_patients == at)
    if here.size == 0 or len(curves) == 1:
        return
    error = float(ours.error[here[0]])
    needed = [n for c in curves[1:] if (n := patients_to_match(c, error)) is not None]
    words = {"fontsize": "small", "va": "top", "ha": "left", "color": BLACK}
    offset = {"xytext": (4, -6), "textcoords": "offset points"}
    if not needed:
        text = TEXTS["no_match"][lang].format(m=f"{at:g}")
        ax.axhline(error, color=BLACK, lw=1.0, ls=":")
        ax.annotate(text, (at, error), **offset, **words)
        return
    n = min(needed)
    arrow = {"arrowstyle": "->", "color": BLACK, "lw": 1.2, "shrinkA": 6, "shrinkB": 0}
    ax.annotate("", (n, error), xytext=(at, error), arrowprops=arrow)
    text = TEXTS["match"][lang].format(n=f"{n:.0f}", m=f"{at:g}")
    ax.annotate(text, (n, error), **offset, **words)


def draw_figure(
    plot: Callable[[Axes], Axes],
    path: Path,
    *,
    title: str,
    provenance: str,
    lang: str = "en",
    size: tuple[float, float] = (7.0, 6.0),
) -> Path:
    """Write one figure as PNG, with the research-use line and the simulated label.

    Parameters
    ----------
    plot : callable
        Draws on the axes that it is given: ``lambda ax: plot_stability(c, ax=ax)``.
    path : Path
        PNG to write; returned.
    title : str
        Heading of the figure.
    provenance : str
        Of the patients; "simulated" is written across the figure.
    lang : {"en", "fr"}
        Language of the words.
    size : tuple of float
        Width and height, inches.
    """
    figure = Figure(figsize=size, layout="constrained")
    ax = plot(figure.add_subplot())
    ax.set_title(title)
    return save_figure(figure, path, provenance=provenance, lang=lang)
