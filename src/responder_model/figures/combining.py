"""Level and effects of centres that were combined: forest plots side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from responder_model.words import say
from responder_model.words.numbers import format_number
from .coefficients import column_label
from .drawing import BLACK, BLUE, GREY, VERMILION, open_frame, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from responder_model.combining import Combination, Effect, Member

_IN_A_ROW = 3  # panels
_LEAST_SIZE, _MOST_SIZE = 4.0, 10.0
_WIDEST = 6.0


def plot_effect(
    effect: Effect,
    members: Sequence[Member],
    without: Effect | None,
    *,
    ax: Axes,
    decision: str,
    lang: str = "en",
) -> Axes:
    """Draw one effect of each centre, of all, and of a new centre.

    Parameters
    ----------
    effect : Effect
        From ``Combination.effects``.
    members : sequence of Member
        Larger squares weigh more; the open one contradicts the others.
    without : Effect or None
        The same effect without the centres that contradict.
    ax : matplotlib Axes
        Where to draw; returned.
    decision : str
        Names the units.
    lang : {"en", "fr"}
        Language of the words.
    """
    heaviest = max((member.weight for member in members), default=0.0) or 1.0
    for place, (member, found) in enumerate(zip(members, effect.centres, strict=True)):
        if found is None:
            words = say("combining.figure_nothing", lang)
            ax.annotate(words, (0.0, place), ha="center", fontsize="x-small")
            continue
        size = _LEAST_SIZE + (_MOST_SIZE - _LEAST_SIZE) * max(member.weight, 0.0) / (
            heaviest
        )
        odd = member.contradicts
        colour, face = (VERMILION, "white") if odd else (BLUE, BLUE)
        _draw(ax, place, found, colour, "s", face=face, size=size)
    rows = [(effect.common, "D", BLACK, "-"), (effect.new, None, BLACK, "--")]
    if without is not None:
        rows += [(without.common, "D", GREY, "-"), (without.new, None, GREY, "--")]
    for place, (found, marker, colour, line) in enumerate(rows, start=len(members)):
        face = colour if colour == BLACK else "white"
        _draw(ax, place, found, colour, marker, face=face, size=7.0, line=line)
    ax.axvline(0.0, color=GREY, linewidth=0.8, linestyle=":")
    ax.axhline(len(members) - 0.5, color=GREY, linewidth=0.8)
    ax.set_title(_title(effect, decision, lang), fontsize="medium")
    ax.xaxis.set_major_formatter(lambda x, _: format_number(x, lang, ".3g"))
    ax.set_xlim(*_span(effect, without))
    open_frame(ax)
    return ax


def _draw(
    ax: Axes,
    place: int,
    found: tuple[float, float, float],
    colour: str,
    marker: str | None,
    *,
    face: str,
    size: float,
    line: str = "-",
) -> None:
    mean, low, high = found
    ax.plot([low, high], [place, place], line, color=colour, linewidth=1.5)
    if marker is not None:
        ax.plot(mean, place, marker, color=colour, mfc=face, markersize=size)


def _span(effect: Effect, without: Effect | None) -> tuple[float, float]:
    """Limits that hold every mean and what all share; long intervals are cut."""
    shown = [one for one in (*effect.centres, effect.common, effect.new) if one]
    shown += [without.common, without.new] if without else []
    ends = np.clip([x for one in shown for x in one], -_WIDEST, _WIDEST)
    half = 0.05 * max(float(np.ptp(ends)), 0.2)
    return min(float(ends.min()), 0.0) - half, max(float(ends.max()), 0.0) + half


def _title(effect: Effect, decision: str, lang: str) -> str:
    if effect.column == "level":
        return say("combining.figure_level", lang)
    words = column_label(effect.column, decision, lang)
    return words.replace(" vs ", "\nvs ").replace(": ", ":\n", 1)


def draw_combination(
    found: Combination, path: Path, *, title: str, lang: str = "en"
) -> Path:
    """Write level and strongest effects as one PNG.

    Parameters
    ----------
    found : Combination
        From ``combine``.
    path : Path
        PNG to write; returned.
    title : str
        Heading: the decision and the model.
    lang : {"en", "fr"}
        Language of the words.
    """
    shown = found.strongest
    names = _names(found, lang)
    n_rows = -(-len(shown) // _IN_A_ROW)
    height = n_rows * (1.4 + 0.28 * len(names)) + 1.2
    figure = Figure(figsize=(11.0, height), layout="constrained")
    axes = figure.subplots(n_rows, _IN_A_ROW, sharey=True, squeeze=False).ravel()
    decision = found.model.decision
    for ax, place in zip(axes, shown, strict=False):
        without = None if found.without is None else found.without.effects[place]
        plot_effect(
            found.effects[place],
            found.members,
            without,
            ax=ax,
            decision=decision,
            lang=lang,
        )
    axes[0].set_yticks(range(len(names)), names)
    axes[0].set_ylim(len(names) - 0.5, -0.5)
    for ax in axes[len(shown) :]:
        ax.set_visible(False)
    figure.suptitle(f"{title}\n{say('combining.figure_axis', lang)}", fontsize="large")
    return save_figure(figure, path, provenance=found.model.provenance, lang=lang)


def _names(found: Combination, lang: str) -> list[str]:
    names = [
        say(
            "combining.figure_against" if one.contradicts else "combining.figure_one",
            lang,
            centre=one.name,
            weight=one.weight,
        )
        for one in found.members
    ]
    names += [say(f"combining.figure_{key}", lang) for key in ("all", "new")]
    if found.without is not None:
        names += [
            say(f"combining.figure_{key}_without", lang) for key in ("all", "new")
        ]
    return names
