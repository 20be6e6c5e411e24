"""Set a sheet as one page of PDF, without a browser: the only place of fpdf2."""

from __future__ import annotations

import datetime
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING

from responder_model import __version__
from responder_model.errors import MissingExtraError, ResponderModelError
from responder_model.figures.drawing import font_file
from responder_model.tables import Table
from responder_model.words import Note, say
from .sheet import Sheet

if TYPE_CHECKING:
    from fpdf import FPDF

# Letters in points: the largest at which all fits on one page.
_SIZES = (9.5, 9.0, 8.5, 8.0, 7.5, 7.0, 6.5, 6.0, 5.5)
# Letters of notes and tables are smaller, but not below this where the text is above.
_SMALL = 6.5
_MARGIN = 10.0  # mm
_LINE = 0.3528 * 1.25  # mm of a line per point of its letters
_FONT = "DejaVu"
# Height of the picture at most, mm per point of the letters.
_PICTURE = 8.5
# Letters of 7.5 points, the smallest of a picture, do not become smaller than 6.5.
_LEAST_SCALE = 0.87
_INK, _FAINT = 20, 110
# Characters that a column of words takes at most, before it breaks.
_WIDEST_WORDS = 48


def render_pdf(sheet: Sheet) -> bytes:
    """Return one page of A4; the same sheet gives the same bytes.

    Raises
    ------
    MissingExtraError
        Where fpdf2 is not installed.
    ResponderModelError
        For a sheet that does not fit on one page in letters that can be read.
    """
    with _document(sheet) as trial:
        place = bisect_left(_SIZES, 1, key=lambda size: _fits(sheet, size, trial))
    if place == len(_SIZES):
        raise ResponderModelError(Note("sheet.does_not_fit"))
    with _document(sheet) as document:
        _fits(sheet, _SIZES[place], document)
        return bytes(document.output())


def _fits(sheet: Sheet, size: float, document: FPDF) -> bool:
    """Set a sheet in letters of this size; whether it takes one more page only."""
    document.add_page()
    page = document.page_no()
    for set_part in _Setter(sheet, size, document).parts():
        set_part()
        if document.page_no() != page:
            return False
    return True


class _Setter:
    """Sets a sheet in letters of one size, on as many pages as that takes."""

    def __init__(self, sheet: Sheet, size: float, document: FPDF) -> None:
        self.sheet, self.size, self.document = sheet, size, document

    def parts(self) -> Iterator[Callable[[], None]]:
        """What sets the page, one part after the other."""
        yield self.set_head
        yield self.set_picture
        for table in self.sheet.tables:
            yield partial(self.set_table, table)
        for line in self.sheet.lines:
            yield partial(self.write, line, after=0.4)
        for note in self.sheet.notes:
            yield partial(self.write, f"– {note}", smaller=1.0, grey=_INK)
        yield self.set_foot

    def _letters(self, more: float) -> float:
        """Size of letters that are so many points more than those of the text."""
        return max(self.size + more, min(self.size, _SMALL))

    def write(
        self,
        text: str,
        *,
        bold: bool = False,
        larger: float = 0.0,
        smaller: float = 0.0,
        grey: int = _INK,
        after: float = 0.0,
    ) -> None:
        """Write a paragraph over the whole width."""
        size = self._letters(larger - smaller)
        self.document.set_font(_FONT, "B" if bold else "", size)
        self.document.set_text_color(grey)
        self.document.multi_cell(
            0, size * _LINE, text, align="L", new_x="LMARGIN", new_y="NEXT"
        )
        self.document.set_y(self.document.get_y() + after * self.size * _LINE)

    def set_head(self) -> None:
        """Title, what the sheet is known by, and the answer."""
        if self.sheet.simulated:
            self.write(say("model.simulated", self.sheet.lang), bold=True)
        self.write(self.sheet.title, bold=True, larger=3.5, after=0.1)
        label = f"{self.sheet.label}, " if self.sheet.label else ""
        self.write(f"{label}{self.sheet.day}", grey=_FAINT, after=0.5)
        self.write(self.sheet.headline, bold=True, larger=1.0, after=0.5)

    def set_picture(self) -> None:
        """Draw the picture, in the middle, with its words for who cannot see it."""
        document = self.document
        wide, high = self.sheet.picture_pixels
        whole = document.epw / wide
        scale = min(whole, max(_PICTURE * self.size / high, _LEAST_SCALE * whole))
        document.image(
            BytesIO(self.sheet.picture),
            x=_MARGIN + (document.epw - scale * wide) / 2.0,
            w=scale * wide,
            h=scale * high,
            alt_text=self.sheet.picture_text,
        )
        document.set_y(document.get_y() + 0.4 * self.size * _LINE)

    def set_table(self, table: Table) -> None:
        """Set a table with its title; figures to the right."""
        self.write(table.title, bold=True, after=0.2)
        size = self._letters(-0.5)
        self.document.set_font(_FONT, "", size)
        n_figures = len(table.heads) - table.n_words
        with self.document.table(
            text_align=("LEFT",) * table.n_words + ("RIGHT",) * n_figures,
            col_widths=_widths(table),
            line_height=size * _LINE,
            borders_layout="HORIZONTAL_LINES",
            padding=0.3,
        ) as rows:
            for cells in (table.heads, *table.rows):
                row = rows.row()
                for cell in cells:
                    row.cell(cell)
        self.document.set_y(self.document.get_y() + 0.6 * self.size * _LINE)

    def set_foot(self) -> None:
        """Which models answered, and the line that stands below every sheet."""
        self.document.set_y(self.document.get_y() + 0.5 * self.size * _LINE)
        for model in self.sheet.models:
            self.write(model, smaller=1.5, grey=_FAINT)
        lang = self.sheet.lang
        printed = say("sheet.page_of", lang, day=self.sheet.day, version=__version__)
        self.write(printed, smaller=1.5, grey=_FAINT)
        self.write(self.sheet.footer, bold=True)


@contextmanager
def _document(sheet: Sheet) -> Iterator[FPDF]:
    """Empty document with its fonts; nothing in it tells the hour or the machine."""
    try:
        from fpdf import FPDF
    except ImportError:
        raise MissingExtraError(library="fpdf2", extra="pdf") from None
    document = FPDF(format="A4")
    document.set_margin(_MARGIN)
    document.set_auto_page_break(True, _MARGIN)  # noqa: FBT003 - fpdf2's own
    document.add_font(_FONT, "", font_file())
    document.add_font(_FONT, "B", font_file(bold=True))
    document.set_title(sheet.title)
    document.set_lang(sheet.lang)
    midnight = datetime.time(tzinfo=datetime.UTC)
    document.set_creation_date(datetime.datetime.combine(sheet.date, midnight))
    yield document
    # fpdf2 leaves the files of its fonts open
    for font in document.fonts.values():
        font.ttfont.close()  # type: ignore[union-attr]


def _widths(table: Table) -> tuple[int, ...]:
    """Width of each column by its longest cell; figures are not broken."""
    lengths = [
        max(8, *map(len, column))
        for column in zip(table.heads, *table.rows, strict=True)
    ]
    words = [min(_WIDEST_WORDS, length) for length in lengths[: table.n_words]]
    return (*words, *(length + 2 for length in lengths[table.n_words :]))
