"""Where a table begins: titles above it, two lines of headings, a line of units."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from responder_model.errors import InvalidCohortError, Problem
from responder_model.vocabulary import find_field, show
from responder_model.words import Note
from . import table as tables
from .judging import judged
from .table import (
    Line,
    Part,
    Source,
    TablePart,
    check_width,
    is_blank_line,
    lines_table,
)

# Lines among which headings are looked for.
TOP_LINES = 30
_LONGEST = 120  # letters of a heading
# What stands in a line of units: a unit, a scale or the answers that are allowed.
_UNIT = re.compile(
    r"[\[(]?\s*(ans?|ann[ée]es?|years?|yrs?|mois|months?|semaines?|sem|weeks?|jours?|j|"
    r"days?|d|%|mm|cm|points?|pts|/\s*\d+|\d+\s*(?:[-–à]|to)\s*\d+|"
    r"oui\s*/\s*non|o\s*/\s*n|yes\s*/\s*no|y\s*/\s*n|[hmf]\s*/\s*[hmf]|"
    r"texte?|nombre|number|score|date|codes?|id)\s*[\])]?",
    re.IGNORECASE,
)
# Units that change what a number means; the others only repeat what the field says.
_OF_TIME = re.compile(r"an|ann|year|yr|mois|month|sem|week|jour|j$|day|d$|mm|cm")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where the headings of a table stand, and where its patients begin.

    Parameters
    ----------
    header : tuple of str
        Headings, without blank ones at the end.
    header_line, first_line : int
        Line of the headings, which is row 1; line from which patients stand.
    n_known : int
        Fields of the dictionary among the headings.
    n_cells : int
        Cells of the line of the headings, blank ones too.
    notices : tuple of Note
        What was made of the lines above.
    """

    header: tuple[str, ...]
    header_line: int
    first_line: int
    n_known: int
    n_cells: int = 0
    notices: tuple[Note, ...] = ()

    def source(self, lines: Sequence[Line], *, notices: Sequence[Note] = ()) -> Source:
        """Lines in memory as a source."""
        check_width(self.header)
        numbered = [(line - self.header_line + 1, cells) for line, cells in lines]
        return judged(
            Source(
                header=self.header,
                extent=len(numbered),
                unit="patients",
                parts=partial(_line_parts, self.header, numbered),
                notices=(*notices, *self.notices),
            )
        )


def _line_parts(
    header: Sequence[str],
    lines: Sequence[Line],
    places: Sequence[int],
    done: Collection[int],
) -> Iterator[Part]:
    size, rest = tables.PART_ROWS, iter(lines)
    for index, part in enumerate(iter(lambda: list(islice(rest, size)), [])):
        if index not in done:
            yield TablePart(index=index, content=lines_table(header, part, places))


def find_layout(lines: Sequence[Line]) -> Layout:
    """Find the headings among the first lines.

    They are in the line that names most fields of the dictionary, the first of such
    lines; where none names any, in the first line with a word. A line of groups above
    it ("Relief", "", ""), or one of details below it ("session 1", "session 2"), is
    part of the headings where more fields are known by both together.
    """
    top = [
        (number, _names(cells))
        for number, cells in islice(lines, TOP_LINES)
        if not is_blank_line(cells) and not _is_separator_note(cells)
    ]
    if not top:
        return Layout(header=(), header_line=0, first_line=1, n_known=0)
    place = _place_of_headings([names for _, names in top])
    header, last, notices = _joined(top, place)
    units = top[last + 1][1] if last + 1 < len(top) else []
    known = n_known(header)
    if known and _is_units(header, units):
        header = _with_units(header, units)
        known = n_known(header)
        last += 1
        notices.append(Note("formats.units_line", line=top[last][0]))
    if place and known:
        line = top[place][0]
        notices.append(Note("formats.headings_line", line=line))
        notices.append(Note("formats.rows_from_headings", after=line + 1))
    return Layout(
        header=tuple(header),
        header_line=top[place][0],
        first_line=top[last][0] + 1,
        n_known=known,
        n_cells=next(len(cells) for number, cells in lines if number == top[place][0]),
        notices=tuple(notices),
    )


def _place_of_headings(lines: Sequence[Sequence[str]]) -> int:
    """Place of the line that names most fields, the first of such lines.

    A line half of whose cells name fields is taken at once: below it stand patients.
    """
    best, most = 0, 0
    for place, names in enumerate(lines):
        known = n_known(names)
        if known > most:
            best, most = place, known
        if known >= 2 and 2 * known >= sum(bool(name.strip()) for name in names):
            break
    return best


def n_known(names: Sequence[str]) -> int:
    """Count the fields of the dictionary that headings name."""
    words = (n for n in names if 0 < len(n) <= _LONGEST and not _is_number(n))
    return len({field.name for field in map(find_field, words) if field})


def _names(cells: Sequence[Any]) -> list[str]:
    names = ["" if cell is None else str(cell) for cell in cells]
    while names and not names[-1].strip():
        names.pop()
    return names


def _is_separator_note(cells: Sequence[Any]) -> bool:
    # Excel may write "sep=;" above the headings.
    return str(cells[0]).lower().startswith("sep=") and is_blank_line(cells[1:])


def _joined(
    top: Sequence[tuple[int, list[str]]], place: int
) -> tuple[list[str], int, list[Note]]:
    """Headings, the last of their lines, and what to say of them."""
    names = top[place][1]
    ways = [(names, place)]
    if place + 1 < len(top) and not any(map(_is_number, top[place + 1][1])):
        ways.append((_both(names, top[place + 1][1]), place + 1))
    if place:
        ways.append((_both(top[place - 1][1], names), place))
    header, last = max(ways, key=lambda way: n_known(way[0])) if ways[1:] else ways[0]
    told = [] if header is names else [Note("formats.two_lines")]
    return header, last, told


def _both(groups: Sequence[str], details: Sequence[str]) -> list[str]:
    """Headings of a line of groups, each over the details to its right."""
    names, group = [], ""
    for place in range(max(len(groups), len(details))):
        here = groups[place].strip() if place < len(groups) else ""
        detail = details[place].strip() if place < len(details) else ""
        group = here or (group if detail else "")
        names.append(f"{group} {detail}".strip())
    return names


def _is_number(text: str) -> bool:
    return text.strip().replace(",", ".", 1).replace(".", "", 1).isdigit()


def _is_units(header: Sequence[str], cells: Sequence[str]) -> bool:
    """Whether a line below the headings holds units only, and none is a patient's."""
    given = [cell for cell in cells if cell.strip()]
    return (
        bool(given)
        and len(cells) <= len(header)
        and all(_UNIT.fullmatch(cell.strip()) for cell in given)
        and any(not cell.strip("[]()/ ").isdigit() for cell in given)
    )


def _with_units(header: Sequence[str], units: Sequence[str]) -> list[str]:
    """Headings with the units below them, where these are not the field's own."""
    named = list(header)
    for place, cell in enumerate(units):
        unit = cell.strip(" []()")
        field = find_field(header[place])
        if field is None or not _OF_TIME.match(unit.lower()) or "[" in header[place]:
            continue
        named[place] = f"{header[place]} [{unit}]"
        if find_field(named[place]) is not field:
            problem = Problem(
                row=None,
                field=field.name,
                found=show(cell),
                allowed=Note("formats.known_unit"),
            )
            raise InvalidCohortError((problem,))
    return named
