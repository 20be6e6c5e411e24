"""Set a sheet as one HTML file that needs nothing else, printed on one page of A4."""

from __future__ import annotations

import base64

from jinja2 import Environment, PackageLoader, StrictUndefined

from responder_model import __version__
from responder_model.sheets.sheet import Sheet
from responder_model.words import say

# Letters in points by the characters that a page must hold.
_SIZES = ((2500, 9.0), (3500, 8.0), (4500, 7.2), (5300, 6.4))
_SMALLEST = 5.8
# Characters of a line, or of the least that a row of a table takes.
_ROW = 110


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
    text = [sheet.headline, *sheet.lines, *sheet.notes, *sheet.models]
    rows = ("".join(row) for t in sheet.tables for row in (t.heads, *t.rows))
    # however short its cells are, a row takes a line
    length = sum(map(len, text)) + sum(max(len(row), _ROW) for row in rows)
    return next((size for most, size in _SIZES if length <= most), _SMALLEST)
