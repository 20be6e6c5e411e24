"""Turn sections into one HTML file, or into Markdown with figures beside it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from .blocks import Cell, Link, Section

if TYPE_CHECKING:
    from .content import Content

TEMPLATES = "reporting/templates"
# Space of French before a sign, which must not begin a line, and before a percent sign.
_SIGN = re.compile(r" (?=[:;?!%»](?:\W|$))|(?<=«) ")
# Characters that mean something in Markdown.
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#~])")


@cache
def environment(templates: str, *, html: bool) -> Environment:
    """Templates of a folder of the package: escaped in HTML, strict about names."""
    environment = Environment(
        loader=PackageLoader("responder_model", templates),
        autoescape=html,
        finalize=unbroken if html else None,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["data_uri"] = data_uri
    environment.filters["md"] = markdown_text
    environment.filters["md_cell"] = markdown_cell
    environment.filters["md_link"] = markdown_link
    environment.filters["anchor"] = _anchor
    return environment


def to_html(content: Content, sections: Sequence[Section]) -> str:
    """One self-contained page: style and figures inside, nothing is fetched."""
    template = environment(TEMPLATES, html=True).get_template("report.html.j2")
    style = environment(TEMPLATES, html=True).get_template("report.css").render()
    # the style holds our own words only: the one text that is not escaped
    style = Markup(style + _margins(content))  # noqa: S704
    return template.render(style=style, **_parts(content, sections))


def _margins(content: Content) -> str:
    """Print the research-use line, the simulated label and the page on every page."""
    words = [content.say("research_short")]
    if content.simulated:
        words.insert(0, content.say("simulated_short"))
    head = json.dumps(" · ".join(words), ensure_ascii=False)
    number = 'counter(page) " / " counter(pages)'
    font = "font: 7.5pt sans-serif; color: #555;"
    return (
        f"@page {{ @top-left {{ content: {head}; {font} }} "
        f"@bottom-right {{ content: {number}; {font} }} }}\n"
    )


def to_markdown(content: Content, sections: Sequence[Section]) -> str:
    """Markdown whose figures stand in ``figures_<lang>/`` beside it."""
    template = environment(TEMPLATES, html=False).get_template("report.md.j2")
    text = template.render(**_parts(content, sections))
    return re.sub(r"\n{3,}", "\n\n", text).rstrip("\n") + "\n"


def _parts(content: Content, sections: Sequence[Section]) -> dict[str, Any]:
    return {
        "lang": content.lang,
        "title": content.title(),
        "name": content.name_of(content.model),
        "simulated": content.simulated,
        "software": content.values["model.software"].text[content.lang],
        "sections": sections,
        "say": content.say,
    }


def unbroken(value: Any) -> Any:
    """Text whose French and percent signs stay on the line of what is before them.

    Examples
    --------
    >>> len(unbroken("seuil : 50").split(" "))
    2
    """
    if isinstance(value, str) and not isinstance(value, Markup):
        return _SIGN.sub("\N{NO-BREAK SPACE}", value)
    return value


def data_uri(png: bytes) -> str:
    """PNG as an address that needs no file.

    Examples
    --------
    >>> data_uri(b"png")
    'data:image/png;base64,cG5n'
    """
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


def markdown_text(text: str) -> str:
    r"""Text in which nothing is taken for Markdown or HTML.

    Examples
    --------
    >>> markdown_text("a|b_c <i>")
    'a\\|b\\_c \\<i\\>'
    """
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def markdown_cell(cell: Cell) -> str:
    """Cell with its anchor and links on one line."""
    text = markdown_text(cell.text)
    if cell.is_head and text:
        text = f"**{text}**"
    if cell.anchor:
        text = f'<a id="{_anchor(cell.anchor)}"></a>{text}'
    links = "; ".join(markdown_link(link) for link in cell.links)
    return " ".join(part for part in (text, f"→ {links}" if links else "") if part)


def markdown_link(link: Link) -> str:
    """Link to an anchor of the same file."""
    return f"[{markdown_text(link.text)}](#{_anchor(link.anchor)})"


def _anchor(text: str) -> str:
    return re.sub(r"[^0-9A-Za-z_.-]", "-", text)
