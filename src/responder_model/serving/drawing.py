"""Drawings of a probability: one hundred patients, and an interval on its scale.

Shape and ``fill`` say what is meant, never a colour or a style sheet: they read the
same in grey, on paper, in forced colours and wherever the page loses its style.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import chain, pairwise, repeat

from markupsafe import Markup

from responder_model.words.numbers import of_100

# Patients in an array and in a row of it.
PATIENTS, ROW = 100, 10
# Distance of circles, and their radii, in units of the drawing.
_STEP, _RADIUS, _DOT = 10, 3.8, 1.5
# Width of the scale of a bar, and what stands free at its ends.
_SCALE, _MARGIN, _HEIGHT = 300, 8, 26

# How a patient of the array is drawn.
FILLED, DOTTED, EMPTY = "filled", "dotted", "empty"
MARKS = (FILLED, DOTTED, EMPTY)


def counts(*bounds: float) -> tuple[int, ...]:
    """Patients of 100 below the first bound, between each two, and above the last.

    Each bound is rounded by itself, so that the number at which a tone of the array
    ends is the one that the text gives. For one bound that is the largest remainder.

    Examples
    --------
    >>> counts(0.524), counts(0.084, 0.936)
    ((52, 48), (8, 86, 6))
    """
    ends = [0, *map(of_100, bounds), PATIENTS]
    return tuple(after - before for before, after in pairwise(ends))


def marks_for(tones: Sequence[int]) -> tuple[str, ...]:
    """Marks of two tones or of three; the last is always empty.

    Examples
    --------
    >>> marks_for((52, 48))
    ('filled', 'empty')
    """
    return MARKS if len(tones) == len(MARKS) else (FILLED, EMPTY)


def icon_array(tones: Sequence[int], words: str) -> Markup:
    """Ten rows of ten circles, filled from the top.

    Parameters
    ----------
    tones : sequence of int
        Patients of each tone, 100 in all.
    words : str
        What the drawing says, for who does not see it.
    """
    drawn = chain.from_iterable(
        repeat(mark, n) for mark, n in zip(marks_for(tones), tones, strict=True)
    )
    parts = [
        _circle(mark, k % ROW * _STEP + _STEP / 2, k // ROW * _STEP + _STEP / 2)
        for k, mark in enumerate(drawn)
    ]
    # each is markup of numbers alone, and is not escaped a hundred times
    circles = Markup("".join(parts))  # noqa: S704
    size = ROW * _STEP
    return Markup(
        '<svg class="array" role="img" aria-label="{}" viewBox="0 0 {} {}" '
        'width="{}" height="{}">{}</svg>'
    ).format(words, size, size, 2 * size, 2 * size, circles)


@cache
def key_of(mark: str) -> Markup:
    """One circle of the array, for its legend."""
    return Markup(
        '<svg class="key" aria-hidden="true" viewBox="0 0 {0} {0}" '
        'width="18" height="18">{1}</svg>'
    ).format(_STEP, _circle(mark, _STEP / 2, _STEP / 2))


@cache
def _circle(mark: str, x: float, y: float) -> Markup:
    """One patient; ``currentColor`` follows forced colours and prints black."""
    fill = "currentColor" if mark == FILLED else "none"
    ring = Markup(
        '<circle class="{}" cx="{:g}" cy="{:g}" r="{}" fill="{}" '
        'stroke="currentColor" stroke-width="0.8"/>'
    ).format(mark, x, y, _RADIUS, fill)
    if mark != DOTTED:
        return ring
    dot = Markup('<circle cx="{:g}" cy="{:g}" r="{}" fill="currentColor"/>')
    return ring + dot.format(x, y, _DOT)


def interval_bar(
    probability: float,
    interval: tuple[float, float] | None = None,
    *,
    average: float | None = None,
) -> Markup:
    """Scale from 0 to 100 with an interval, its probability and the average patient's.

    What it shows stands in words beside it, so that it is hidden from screen readers.
    """
    base, top = _HEIGHT - 6, _HEIGHT / 2 - 2
    parts = [_line(0, base, 1, base, width=1)]
    parts += [_line(share, base, share, base + 4, width=1) for share in (0, 0.5, 1)]
    if interval is not None:
        low, high = interval
        parts.append(_line(low, top, high, top, width=3))
        parts += [_line(end, top - 5, end, top + 5, width=1.5) for end in interval]
    if average is not None:
        parts.append(_line(average, 0, average, base, width=1.5, dash="3 2"))
    parts.append(_dot(probability, top))
    # numbers alone: nothing to escape
    return Markup(  # noqa: S704
        f'<svg class="bar" aria-hidden="true" viewBox="0 0 {_SCALE + 2 * _MARGIN} '
        f'{_HEIGHT}" width="{_SCALE}">{"".join(parts)}</svg>'
    )


def _place(share: float) -> float:
    return round(_MARGIN + _SCALE * share, 1)


def _line(
    x1: float, y1: float, x2: float, y2: float, *, width: float, dash: str = "none"
) -> str:
    """Line between two shares of the scale, at heights of the drawing."""
    return (
        f'<line x1="{_place(x1):g}" y1="{y1:g}" x2="{_place(x2):g}" y2="{y2:g}" '
        f'stroke="currentColor" stroke-width="{width:g}" stroke-dasharray="{dash}"/>'
    )


def _dot(share: float, height: float) -> str:
    place = f'cx="{_place(share):g}" cy="{height:g}"'
    return f'<circle {place} r="5" fill="currentColor" stroke="currentColor"/>'
