"""What a report is made of, before it becomes HTML or Markdown."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Link:
    """A reference to an anchor in the same report."""

    text: str
    anchor: str


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A cell with references below its text, or with an anchor of its own.

    A line break in the text is kept on the page.
    """

    text: str
    links: tuple[Link, ...] = ()
    anchor: str = ""
    is_head: bool = False


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """Running text; ``tone`` sets it apart."""

    text: str
    tone: str = ""  # "", "warning", "note" or "quote"
    links: tuple[Link, ...] = ()
    kind: str = field(default="paragraph", init=False)


@dataclass(frozen=True, kw_only=True)
class Bullets:
    """A list; each item may have links."""

    items: tuple[Cell, ...]
    kind: str = field(default="bullets", init=False)


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table with its caption above and its note below.

    ``numeric`` columns are aligned to the right; ``simulated`` puts the word before
    the caption.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    numeric: tuple[int, ...] = ()
    simulated: bool = False
    kind: str = field(default="table", init=False)


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure as PNG bytes, with a caption that says what to see.

    ``width`` in CSS pixels is the same share of the drawn size for every figure, so
    that letters are as large in a wide one as in a narrow one.
    """

    name: str  # of the file beside the Markdown
    png: bytes
    caption: str
    alt: str
    width: int
    kind: str = field(default="picture", init=False)


@dataclass(frozen=True, kw_only=True)
class Heading:
    """A heading within a section."""

    text: str
    anchor: str = ""
    kind: str = field(default="heading", init=False)


Block = Paragraph | Bullets | Table | Picture | Heading


@dataclass(frozen=True, kw_only=True)
class Section:
    """A numbered part of the report with an anchor of its own."""

    anchor: str
    title: str
    blocks: tuple[Block, ...]


def cells(*texts: str) -> tuple[Cell, ...]:
    """One row of plain text."""
    return tuple(Cell(text=text) for text in texts)
