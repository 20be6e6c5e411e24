"""One patient over the visits of the test: what was said, and what may be said next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from responder_model.labels import short_moment
from responder_model.words import say
from . import drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from responder_model.visits import Course, Possible, Visit

# Room left and right of the first and last visit, in visits; labels beside the last.
_ROOM, _LABELS = 0.35, 0.55
# Distance of the three possible sessions from one another.
_APART = 0.16
# Height of a line of their labels, as a share of the axis.
_LINE = 0.035


def plot_course(found: Course, *, ax: Axes, lang: str = "en") -> Axes:
    """Draw a patient's probability at each visit, and after the next session.

    Parameters
    ----------
    found : Course
        From ``course``.
    ax : matplotlib Axes
        Where to draw; returned.
    lang : {"en", "fr"}
        Language of the words.
    """
    _said(ax, found.visits, lang)
    moments = [visit.moment for visit in found.visits]
    if found.ahead is not None:
        _next(ax, found, found.ahead.possible, lang)
        moments.append(found.ahead.moment)
    right = len(moments) - 1 + (_ROOM if found.ahead is None else _LABELS)
    ax.set_xlim(-_ROOM, right)
    ax.set_ylim(0.0, 1.0)
    labels = [short_moment(moment, lang) for moment in moments]
    ax.set_xticks(range(len(moments)), labels)
    ax.set_yticks([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    ax.yaxis.set_major_formatter(drawing.percent)
    ax.set_ylabel(say("course.axis", lang))
    drawing.open_frame(ax)
    drawing.legend_below(ax)
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    for at, visit in enumerate(found.visits):
        p = visit.prediction.probability
        drawing.write_beside(ax, drawing.percent(p), (at, p), drawing.BLACK)
    return ax


def _said(ax: Axes, visits: tuple[Visit, ...], lang: str) -> None:
    """What was said at each visit, beside the average patient."""
    x = list(range(len(visits)))
    told = [visit.prediction for visit in visits]
    ax.vlines(
        x,
        [p.interval[0] for p in told],
        [p.interval[1] for p in told],
        color=drawing.BLUE,
        linewidth=2.0,
        label=say("course.line_patient", lang),
    )
    ax.plot(x, [p.probability for p in told], color=drawing.BLUE, marker="o")
    ax.hlines(
        [p.verdict.average for p in told],
        [at - 0.15 for at in x],
        [at + 0.15 for at in x],
        color=drawing.GREY,
        linestyle="--",
        label=say("course.line_average", lang),
    )


def _next(ax: Axes, found: Course, possible: tuple[Possible, ...], lang: str) -> None:
    """What would be said after the next session, for three reliefs."""
    ahead = found.ahead
    if ahead is None:
        return
    last = len(found.visits) - 1
    middle = len(possible) // 2
    beside = last + 1 + _APART * (len(possible) - 1 - middle)
    heights = spread([row.probability for row in possible], _LINE)
    for k, row in enumerate(possible):
        x = last + 1 + _APART * (k - middle)
        ax.plot(
            [last, x],
            [found.now.probability, row.probability],
            color=drawing.VERMILION,
            linestyle=":",
            linewidth=1.0,
            zorder=1,
        )
        ax.vlines(
            x, *row.interval, color=drawing.VERMILION, linestyle="-", linewidth=0.8
        )
        ax.plot(
            x,
            row.probability,
            color=drawing.VERMILION,
            marker="s",
            markerfacecolor="white",
            linestyle="none",
            label=None if k else say("course.line_next", lang),
        )
        told = {"field": ahead.predictor, "value": row.relief, "p": row.probability}
        ax.annotate(
            say("course.next_label", lang, **told),
            (beside, heights[k]),
            (8, 0),
            textcoords="offset points",
            va="center",
            size="small",
        )


def spread(heights: list[float], apart: float) -> list[float]:
    """Rising heights moved away from one another until labels have room.

    Examples
    --------
    >>> spread([0.40, 0.41, 0.9], 0.04)
    [0.385, 0.425, 0.9]
    """
    moved = list(heights)
    for _ in moved:
        for k in range(len(moved) - 1):
            lack = apart - (moved[k + 1] - moved[k])
            if lack > 0.0:
                moved[k] -= lack / 2.0
                moved[k + 1] += lack / 2.0
    return [round(height, 6) for height in moved]
