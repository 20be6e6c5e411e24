"""A model in use, month by month: evidence of a change, and successes too many."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from responder_model.figures.drawing import (
    BLACK,
    BLUE,
    GREY,
    VERMILION,
    open_frame,
    save_figure,
)
from responder_model.words import say
from responder_model.words.numbers import format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from responder_model.monitoring import Monitoring, Month

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
    ax.plot(places, evidence, "o-", color=BLUE, linewidth=1.5, markersize=4)
    ax.axhline(alarm, color=VERMILION, linewidth=1.5, linestyle="--")
    ax.axhline(1.0, color=GREY, linewidth=0.8, linestyle=":")
    ax.text(
        0.01,
        alarm * 1.12,
        say("monitoring.figure_alarm", lang, alarm=alarm),
        color=VERMILION,
        fontsize="small",
        transform=ax.get_yaxis_transform(),
    )
    ax.set_yscale("log")
    ax.set_ylim(_LEAST, max(100.0, 2.0 * float(evidence.max(initial=1.0))))
    ax.yaxis.set_major_formatter(lambda x, _: format_number(x, lang, "g"))
    ax.set_ylabel(say("monitoring.figure_evidence", lang))
    return _by_month(ax, months)


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
    ax.fill_between(places, -half, half, color=GREY, alpha=0.25, linewidth=0)
    ax.plot(places, more, "o-", color=BLACK, linewidth=1.5, markersize=4)
    ax.axhline(0.0, color=GREY, linewidth=0.8, linestyle=":")
    ax.yaxis.set_major_formatter(lambda x, _: format_number(x, lang, "g"))
    ax.set_ylabel(say("monitoring.figure_more", lang))
    ax.set_xlabel(say("monitoring.figure_month", lang))
    return _by_month(ax, months)


def _by_month(ax: Axes, months: Sequence[Month]) -> Axes:
    step = -(-len(months) // _MOST_LABELS) or 1
    shown = list(range(0, len(months), step))
    labels = [f"{months[k].month}\nn = {months[k].n}" for k in shown]
    ax.set_xticks(shown, labels, fontsize="small")
    open_frame(ax)
    return ax


def draw_monitoring(
    found: Monitoring, path: Path, *, title: str, alarm: float, lang: str = "en"
) -> Path:
    """Write both as one PNG.

    Parameters
    ----------
    found : Monitoring
        From ``monitor``.
    path : Path
        PNG to write; returned.
    title : str
        Heading: the decision and the model.
    alarm : float
        Evidence that raises the alarm.
    lang : {"en", "fr"}
        Language of the words.
    """
    figure = Figure(figsize=(7.5, 7.0), layout="constrained")
    above, below = figure.subplots(2, 1)
    plot_evidence(found.months, ax=above, alarm=alarm, lang=lang)
    plot_observed_expected(found.months, ax=below, lang=lang)
    above.set_title(title)
    return save_figure(figure, path, provenance=found.provenance, lang=lang)
