"""How much a model depends on who was in the cohort, after Riley and Collins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from responder_model.figures.drawing import (
    BLACK,
    BLUE,
    GREY,
    legend_below,
    open_frame,
    percent,
    percent_axes,
)
from responder_model.figures.validation import TEXTS as MODEL_TEXTS
from responder_model.figures.validation import benefit_room, draw_treat_all
from responder_model.performance import DecisionInstability, InstabilityCurve
from responder_model.words.numbers import format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TEXTS = MODEL_TEXTS | {
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
    "developed_benefit": {"en": "developed model", "fr": "modèle développé"},
    "in_development": {
        "en": "{n} patients of the development, {e} responders, {r} resamples",
        "fr": "{n} patients du développement, {e} répondeurs, {r} rééchantillons",
    },
    "mape": {
        "en": "mean difference: {m} points\n{n} patients, {r} resamples",
        "fr": "différence moyenne : {m} points\n{n} patients, {r} rééchantillons",
    },
    "other_side": {
        "en": "models from resamples that put these patients\n"
        "on the other side of the threshold, %",
        "fr": "modèles rééchantillonnés qui classent ces patients\n"
        "de l'autre côté du seuil, %",
    },
    "group": {"en": "groups of at least 10", "fr": "groupes d'au moins 10"},
    "parted": {"en": "threshold of {t} %", "fr": "seuil de {t} %"},
    "resamples": {
        "en": "{n} patients, {r} resamples",
        "fr": "{n} patients, {r} rééchantillons",
    },
}


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
    percent_axes(ax)
    error = format_number(100 * curve.overall_mean_absolute_error, lang, ".2g")
    mape = TEXTS["mape"][lang]
    ax.set_xlabel(TEXTS["developed"][lang])
    ax.set_ylabel(TEXTS["resampled"][lang])
    legend_below(ax, mape.format(m=error, n=curve.n_patients, r=curve.n_resamples))
    return ax


def plot_decision_instability(
    curve: DecisionInstability, *, ax: Axes, lang: str = "en"
) -> Axes:
    """Draw the net benefit of models from resamples beside the developed model's.

    Parameters
    ----------
    curve : DecisionInstability
        From ``Stability.decision_instability``.
    ax : matplotlib Axes
        Where to draw; returned.
    lang : {"en", "fr"}
        Language of the words.
    """
    t = curve.thresholds
    label = TEXTS["range"][lang].format(c=format_number(100 * curve.share, lang))
    floor, top = benefit_room(
        np.minimum(curve.net_benefit, curve.median),
        curve.lower,
        curve.upper,
        curve.treat_all,
    )
    lower = np.maximum(curve.lower, floor)
    ax.fill_between(t, lower, curve.upper, color=BLUE, alpha=0.2, label=label)
    draw_treat_all(t, curve.treat_all, ax=ax, lang=lang, floor=floor)
    lines = (
        ("median", curve.median, BLUE, "-.", 1.4),
        ("developed_benefit", curve.net_benefit, BLUE, "-", 2.2),
        ("treat_none", np.zeros_like(t), BLACK, ":", 1.4),
    )
    for key, benefit, colour, style, width in lines:
        label = TEXTS[key][lang]
        ax.plot(t, benefit, color=colour, ls=style, lw=width, label=label)
    ax.set_ylim(floor - 0.1 * top, top)
    ax.set_xlim(float(t.min()), float(t.max()) if t.size > 1 else float(t.min()) + 0.01)
    ax.xaxis.set_major_formatter(percent)
    ax.yaxis.set_major_formatter(percent)
    ax.set_xlabel(TEXTS["threshold"][lang])
    ax.set_ylabel(TEXTS["net_benefit"][lang])
    counts = TEXTS["in_development"][lang]
    legend_below(
        ax,
        counts.format(n=curve.n_patients, e=curve.n_events, r=curve.n_resamples),
    )
    open_frame(ax)
    return ax


def plot_classification_instability(
    curve: InstabilityCurve, *, ax: Axes, lang: str = "en"
) -> Axes:
    """Draw how often a model from a resample would classify patients otherwise.

    Parameters
    ----------
    curve : InstabilityCurve
        From ``performance.instability_curve``: groups of patients, never one.
    ax : matplotlib Axes
        Where to draw; returned.
    lang : {"en", "fr"}
        Language of the words.
    """
    threshold = format_number(100 * curve.threshold, lang)
    label = TEXTS["parted"][lang].format(t=threshold)
    ax.axvline(curve.threshold, color=GREY, ls="--", lw=1.2, label=label)
    group = TEXTS["group"][lang]
    x, y = curve.probability, curve.other_side
    ax.plot(x, y, color=BLUE, lw=2.2, marker="o", ms=4, label=group)
    ax.set_xlim(0.0, 1.0)
    ax.set_ylim(0.0, max(0.5, 1.05 * float(y.max())))
    ax.xaxis.set_major_formatter(percent)
    ax.yaxis.set_major_formatter(percent)
    open_frame(ax)
    ax.set_xlabel(TEXTS["developed"][lang])
    ax.set_ylabel(TEXTS["other_side"][lang])
    counts = TEXTS["resamples"][lang]
    legend_below(ax, counts.format(n=curve.n_patients, r=curve.n_resamples))
    return ax
