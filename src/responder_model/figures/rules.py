"""Rules over many patients: what stopping saves and loses, what data are worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from responder_model.words import say
from responder_model.words.numbers import format_number
from .drawing import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    STYLES,
    VERMILION,
    legend_below,
    open_frame,
    percent,
    write_beside,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from responder_model.rules import InformationWorth, StoppingRule, StoppingRules

# One look a session, so that a grey print can be read; open markers: probability.
_LOOKS = ((BLUE, "o"), (VERMILION, "s"), (GREEN, "^"))
_LINES = {"relief": "-", "probability": ":"}
_ROOM = 1.12
# Percent of a unit of their thresholds.
_UNITS = {"relief": 1, "probability": 100}


def plot_stopping(
    found: Sequence[StoppingRules], *, ax: Axes, lang: str = "en"
) -> Axes:
    """Draw what stopping rules save and lose, of 100 patients.

    Parameters
    ----------
    found : sequence of StoppingRules
        One a session, from ``stopping_rule``.
    ax : matplotlib Axes
        Where to draw; returned.
    lang : {"en", "fr"}
        Language of the words.
    """
    for rules, (colour, marker) in zip(found, _LOOKS, strict=False):
        for kind in _LINES:
            points = [rule for rule in rules.rules if rule.kind == kind]
            if points:
                _frontier(ax, points, (colour, marker))
        label = say("rules.line_session", lang, session=rules.session)
        ax.plot([], [], color=colour, marker=marker, linestyle="none", label=label)
    for kind, style in _LINES.items():
        label, face = say(f"rules.line_{kind}", lang), _face(kind, GREY)
        ax.plot([], [], linestyle=style, label=label, color=GREY, marker="o", mfc=face)
    every = [rule for rules in found for rule in rules.rules]
    right = _ROOM * max((rule.saved.value for rule in every), default=1.0)
    top = _ROOM * max((rule.lost.upper for rule in every), default=1.0)
    for rules in found[:1]:
        _even_line(ax, rules, right, top, lang)
    ax.set_xlim(0.0, right)
    ax.set_ylim(0.0, top)
    ax.set_xlabel(say("rules.axis_saved", lang))
    ax.set_ylabel(say("rules.axis_lost", lang))
    open_frame(ax)
    legend_below(ax)
    _write_thresholds(ax, found, lang)
    return ax


def _write_thresholds(ax: Axes, found: Sequence[StoppingRules], lang: str) -> None:
    """Threshold of the first and the last rule of each line, where no line runs."""
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    for rules, (colour, _) in zip(found, _LOOKS, strict=False):
        for kind, unit in _UNITS.items():
            points = [rule for rule in rules.rules if rule.kind == kind]
            for rule in _ends(points):
                text = f"{format_number(rule.threshold * unit, lang)} %"
                write_beside(ax, text, (rule.saved.value, rule.lost.value), colour)


def _ends(points: list[StoppingRule]) -> list[StoppingRule]:
    """Last of a line, and first: but rules on probability all begin near 0."""
    if len(points) > 1 and points[0].kind == "relief":
        return [points[0], points[-1]]
    return points[-1:]


def _frontier(ax: Axes, points: list[StoppingRule], look: tuple[str, str]) -> None:
    """One kind of rule after one session, with 95 % intervals of responders lost."""
    colour, marker = look
    kind = points[0].kind
    x = [rule.saved.value for rule in points]
    y = [rule.lost.value for rule in points]
    ax.vlines(
        x,
        [rule.lost.lower for rule in points],
        [rule.lost.upper for rule in points],
        color=colour,
        linewidth=0.8,
        alpha=0.45,
    )
    face = _face(kind, colour)
    ax.plot(x, y, color=colour, linestyle=_LINES[kind], marker=marker, mfc=face)


def _face(kind: str, colour: str) -> str:
    """Inside of a marker: open where the rule is on probability."""
    return colour if kind == "relief" else "white"


def _even_line(
    ax: Axes, rules: StoppingRules, right: float, top: float, lang: str
) -> None:
    """Where a rule neither pays nor costs."""
    end = min(right, top * rules.cost)
    cost = format_number(rules.cost, lang, ".1f")
    label = say("rules.line_even", lang, cost=cost)
    ax.plot([0.0, end], [0.0, end / rules.cost], color=GREY, label=label, zorder=1)


def plot_worth(found: InformationWorth, *, ax: Axes, lang: str = "en") -> Axes:
    """Draw what a model and more patients are worth, by threshold.

    Parameters
    ----------
    found : InformationWorth
        From ``value_of_information``, at several thresholds.
    ax : matplotlib Axes
        Where to draw; returned.
    lang : {"en", "fr"}
        Language of the words.
    """
    x = [row.threshold for row in found.rows]
    today = [row.today for row in found.rows]
    ax.plot(x, today, color=BLUE, marker="o", label=say("worth.line_today", lang))
    for k, sample in enumerate(found.rows[0].samples):
        colour, marker, style = STYLES[k % len(STYLES)]
        y = [row.today + row.samples[k].records for row in found.rows]
        label = say("worth.line_sample", lang, n=sample.n)
        ax.plot(x, y, color=colour, marker=marker, linestyle=style, label=label)
    y = [row.today + row.perfect for row in found.rows]
    ax.plot(x, y, color=BLACK, linewidth=1.0, label=say("worth.line_perfect", lang))
    ax.set_xlim(0.0, 1.0)
    ax.set_ylim(bottom=0.0)
    ax.xaxis.set_major_formatter(percent)
    ax.set_xlabel(say("worth.axis_threshold", lang))
    ax.set_ylabel(say("worth.axis_worth", lang))
    open_frame(ax)
    legend_below(ax)
    return ax
