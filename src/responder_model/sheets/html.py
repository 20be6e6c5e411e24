"""Set a sheet as one HTML file that needs nothing else, printed on one page of A4."""

from __future__ import annotations

import base64
import math

from jinja2 import Environment, PackageLoader, StrictUndefined

from responder_model import __version__
from responder_model.tables import Table
from responder_model.words import say
from .sheet import Sheet

# Letters in points, of which the largest is taken that fits.
_SIZES = (9.0, 8.5, 8.0, 7.5, 7.25, 7.0, 6.75, 6.5, 6.0, 5.5)
# Paper between the margins, mm.
_WIDE, _HIGH = 190.0, 277.0
# Width of a picture at most, mm.
_PICTURE = 0.88 * _WIDE
# mm of a line, and of a letter on average, per point.
_LINE, _LETTER = 0.3528 * 1.25, 0.3528 * 0.53


def render_html(sheet: Sheet) -> str:
    """Return a page with its picture inside; no script, no address, autoescaped."""
    environment = Environment(
        loader=PackageLoader("responder_model", "sheets/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    printed = say("sheet.page_of", sheet.lang, day=sheet.day, version=__version__)
    return environment.get_template("sheet.html").render(
        sheet=sheet,
        picture=base64.b64encode(sheet.picture).decode("ascii"),
        printed=printed,
        warning=say("model.simulated", sheet.lang) if sheet.simulated else "",
        size=_size(sheet),
    )


def _size(sheet: Sheet) -> float:
    """Size of the letters at which all is expected to fit on one page."""
    return next((s for s in _SIZES if _height(sheet, s) <= _HIGH), _SIZES[-1])


def _height(sheet: Sheet, size: float) -> float:
    """Height of a sheet on paper in letters of this size, mm; rather more than less."""
    wide = int(_WIDE / (_LETTER * size))
    small = (*sheet.notes, *sheet.models, sheet.footer)
    lines: float = sum(math.ceil(len(text) / wide) for text in (*sheet.lines, *small))
    lines += math.ceil(1.25 * len(sheet.headline) / wide) + len(sheet.lines) // 2 + 6
    lines += sum(_table_lines(table, wide) for table in sheet.tables)
    pixels_wide, pixels_high = sheet.picture_pixels
    picture = min(sheet.picture_height, _PICTURE * pixels_high / pixels_wide)
    return lines * size * _LINE + picture


def _table_lines(table: Table, wide: int) -> float:
    """Lines of a table with its title; figures are not broken, words are."""
    widths = [
        max(map(len, column)) + 2
        for column in zip(table.heads, *table.rows, strict=True)
    ]
    words, figures = widths[: table.n_words], widths[table.n_words :]
    room = (wide - sum(figures)) / sum(words)
    rows = (
        max(
            math.ceil(len(cell) / (room * width)) if room < 1.0 else 1
            for cell, width in zip(cells, words, strict=False)
        )
        for cells in (table.heads, *table.rows)
    )
    # a rule and a gap below each row
    return 2.0 + sum(1.15 * n if n == 1 else n + 0.15 for n in rows)
