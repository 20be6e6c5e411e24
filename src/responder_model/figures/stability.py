"""How much a model depends on who was in the cohort, after Riley and Collins."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from responder_model.performance import DecisionInstability, InstabilityCurve
from responder_model.words import say
from .drawing import BLACK, BLUE, GREY, legend_below, open_frame, percent, percent_axes
from .validation import benefit_room, draw_treat_all


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
    ax.plot([0, 1], [0, 1], color=GREY, ls="--", lw=1.2, label=say("figure.same", lang))
    label = say("figure.resampled_range", lang, share=100 * curve.share)
    if x.size == 1:
        ends = [curve.median - curve.lower, curve.upper - curve.median]
        ax.errorbar(x, curve.median, ends, color=BLUE, capsize=4, label=label)
    else:
        ax.fill_between(x, curve.lower, curve.upper, color=BLUE, alpha=0.2, label=label)
    median = say("figure.resampled_median", lang)
    ax.plot(x, curve.median, color=BLUE, lw=2.2, marker="o", ms=4, label=median)
    percent_axes(ax)
    error = 100 * curve.overall_mean_absolute_error
    ax.set_xlabel(say("figure.developed", lang))
    ax.set_ylabel(say("figure.resampled", lang))
    told = {"n": curve.n_patients, "resamples": curve.n_resamples}
    legend_below(ax, say("figure.mape", lang, error=error, **told))
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
    label = say("figure.resampled_range", lang, share=100 * curve.share)
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
        ("resampled_median", curve.median, BLUE, "-.", 1.4),
        ("developed_benefit", curve.net_benefit, BLUE, "-", 2.2),
        ("treat_none", np.zeros_like(t), BLACK, ":", 1.4),
    )
    for key, benefit, colour, style, width in lines:
        label = say(f"figure.{key}", lang)
        ax.plot(t, benefit, color=colour, ls=style, lw=width, label=label)
    ax.set_ylim(floor - 0.1 * top, top)
    ax.set_xlim(float(t.min()), float(t.max()) if t.size > 1 else float(t.min()) + 0.01)
    ax.xaxis.set_major_formatter(percent)
    ax.yaxis.set_major_formatter(percent)
    ax.set_xlabel(say("figure.threshold", lang))
    ax.set_ylabel(say("figure.net_benefit", lang))
    told = {"n": curve.n_patients, "events": curve.n_events}
    told["resamples"] = curve.n_resamples
    legend_below(ax, say("figure.in_development", lang, **told))
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
    label = say("figure.parted", lang, threshold=100 * curve.threshold)
    ax.axvline(curve.threshold, color=GREY, ls="--", lw=1.2, label=label)
    group = say("figure.groups", lang)
    x, y = curve.probability, curve.other_side
    ax.plot(x, y, color=BLUE, lw=2.2, marker="o", ms=4, label=group)
    ax.set_xlim(0.0, 1.0)
    ax.set_ylim(0.0, max(0.5, 1.05 * float(y.max())))
    ax.xaxis.set_major_formatter(percent)
    ax.yaxis.set_major_formatter(percent)
    open_frame(ax)
    ax.set_xlabel(say("figure.developed", lang))
    ax.set_ylabel(say("figure.other_side", lang))
    told = {"n": curve.n_patients, "resamples": curve.n_resamples}
    legend_below(ax, say("figure.resamples", lang, **told))
    return ax
