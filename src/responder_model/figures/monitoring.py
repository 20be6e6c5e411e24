"""A model in use, month by month: evidence of a change, and successes too many."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from responder_model.labels import decision_label, moment_label
from responder_model.words import say
from responder_model.words.numbers import format_number
from . import drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from responder_model.monitoring import Level, Monitoring, Month

# Evidence is drawn from here to there.
_LEAST, _MOST = 0.05, 1e4
_MOST_LABELS = 9


def plot_evidence(
    months: Sequence[Month], *, ax: Axes, alarm: float, lang: str = "en"
) -> Axes:
    """Draw the evidence that a model's probabilities hold no longer, on a log scale.

    Parameters
    ----------
    months : sequence of Month
        From ``Monitoring.months``, oldest first.
    ax : matplotlib Axes
        Where to draw; returned.
    alarm : float
        Evidence that raises the alarm, drawn as a line.
    lang : {"en", "fr"}
        Language of the words.
    """
    evidence = np.clip([month.evidence for month in months], _LEAST, _MOST)
    places = np.arange(len(months))
    ax.plot(places, evidence, "o-", color=drawing.BLUE, linewidth=1.5, markersize=4)
    ax.axhline(alarm, color=drawing.VERMILION, linewidth=1.5, linestyle="--")
    ax.axhline(1.0, color=drawing.GREY, linewidth=0.8, linestyle=":")
    ax.text(
        0.01,
        alarm * 1.12,
        say("monitoring.figure_alarm", lang, alarm=alarm),
        color=drawing.VERMILION,
        fontsize="small",
        transform=ax.get_yaxis_transform(),
    )
    ax.set_yscale("log")
    ax.set_ylim(_LEAST, max(100.0, 2.0 * float(evidence.max(initial=1.0))))
    ax.yaxis.set_major_formatter(lambda x, _: format_number(x, lang, "g"))
    ax.set_ylabel(say("monitoring.figure_evidence", lang))
    return _by_month(ax, months, wide=True)


def plot_observed_expected(
    months: Sequence[Month], *, ax: Axes, lang: str = "en"
) -> Axes:
    """Draw how many more successes there were than the model expected, so far.

    Parameters
    ----------
    months : sequence of Month
        From ``Monitoring.months``, oldest first.
    ax : matplotlib Axes
        Where to draw; returned. The band is where 95 % of series of a model that is
        right lie at any one month.
    lang : {"en", "fr"}
        Language of the words.
    """
    places = np.arange(len(months))
    more = np.array([month.observed - month.expected for month in months])
    half = 1.96 * np.sqrt([month.variance for month in months])
    ax.fill_between(places, -half, half, color=drawing.GREY, alpha=0.25, linewidth=0)
    ax.plot(places, more, "o-", color=drawing.BLACK, linewidth=1.5, markersize=4)
    ax.axhline(0.0, color=drawing.GREY, linewidth=0.8, linestyle=":")
    ax.yaxis.set_major_formatter(lambda x, _: format_number(x, lang, "g"))
    ax.set_ylabel(say("monitoring.figure_more", lang))
    ax.set_xlabel(say("monitoring.figure_month", lang))
    return _by_month(ax, months, wide=False)


def _by_month(ax: Axes, months: Sequence[Month], *, wide: bool) -> Axes:
    most = _MOST_LABELS if wide else _MOST_LABELS // 2
    step = -(-len(months) // most) or 1
    shown = list(range(0, len(months), step))
    labels = [f"{months[k].month}\nn = {months[k].n}" for k in shown]
    ax.set_xticks(shown, labels, fontsize="small")
    drawing.open_frame(ax)
    return ax


def plot_levels(levels: Sequence[Level], *, ax: Axes, lang: str = "en") -> Axes:
    """Draw how many patients reached each level, beside how many were expected.

    Parameters
    ----------
    levels : sequence of Level
        From ``Monitoring.levels``, lowest first.
    ax : matplotlib Axes
        Where to draw; returned.
    lang : {"en", "fr"}
        Language of the words.
    """
    places = np.arange(len(levels))
    expected = [level.expected for level in levels]
    observed = [float(level.observed) for level in levels]
    for counts, colour, name, side in (
        (expected, drawing.GREY, "expected", -0.18),
        (observed, drawing.BLUE, "observed", 0.18),
    ):
        label = say(f"monitoring.figure_{name}", lang)
        ax.bar(places + side, counts, 0.36, color=colour, label=label)
    ax.set_xticks(places, [level_name(level, lang) for level in levels])
    ax.set_xlabel(say("monitoring.figure_level", lang))
    ax.set_ylabel(say("monitoring.figure_patients", lang))
    ax.yaxis.set_major_formatter(lambda x, _: format_number(x, lang, "g"))
    ax.legend(frameon=False, fontsize="small")
    drawing.open_frame(ax)
    return ax


def level_name(level: Level, lang: str) -> str:
    """Level by the cut-offs that it lies between."""
    bounds = {"above": level.above, "below": level.below}
    ends = [f"_{name}" for name, bound in bounds.items() if bound is not None]
    return say("monitoring.level" + "".join(ends), lang, **bounds)


def monitoring_figure(
    models: Sequence[Monitoring], *, alarm: float, lang: str = "en"
) -> Figure:
    """Figure with a column for each model: evidence, O - E, and levels.

    Parameters
    ----------
    models : sequence of Monitoring
        At least one.
    alarm : float
        Evidence that raises the alarm.
    lang : {"en", "fr"}
        Language of the words.
    """
    figure = Figure(figsize=(9.0, 6.4 * len(models)), layout="constrained")
    parts = figure.subfigures(len(models), squeeze=False)[:, 0]
    for found, part in zip(models, parts, strict=True):
        panels = part.subplot_mosaic([["evidence"] * 2, ["more", "levels"]])
        plot_evidence(found.months, ax=panels["evidence"], alarm=alarm, lang=lang)
        plot_observed_expected(found.months, ax=panels["more"], lang=lang)
        plot_levels(found.levels, ax=panels["levels"], lang=lang)
        label = decision_label(found.decision, lang)
        moment = moment_label(found.moment, lang)
        title = f"{label}\n{moment} ({found.digest[:12]})"
        panels["evidence"].set_title(title)
    return figure


def draw_monitoring(
    models: Sequence[Monitoring], path: Path, *, alarm: float, lang: str = "en"
) -> Path:
    """Write ``monitoring_figure`` as PNG, with the research-use line.

    Parameters
    ----------
    models, alarm, lang
        As for ``monitoring_figure``.
    path : Path
        PNG to write; returned.
    """
    figure = monitoring_figure(models, alarm=alarm, lang=lang)
    simulated = any(found.provenance == "simulated" for found in models)
    made = "simulated" if simulated else models[0].provenance
    return drawing.save_figure(figure, path, provenance=made, lang=lang)
