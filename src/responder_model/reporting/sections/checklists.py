"""TRIPOD+AI, PROBAST+AI and the list of logged values that both refer to."""

from __future__ import annotations

from collections.abc import Sequence

from responder_model.reporting.blocks import (
    Block,
    Bullets,
    Cell,
    Link,
    Paragraph,
    Section,
)
from responder_model.reporting.checklists import Answer, Item, probast, tally, tripod
from responder_model.reporting.content import Content, shorten
from responder_model.reporting.values import ANCHOR

# Longest list of values printed below an answer; the rest stands in the section named.
MOST_LINKS = 6


def tripod_section(content: Content) -> Section:
    """The 27 items, each filled from the run or listed as blank."""
    items = tripod(content.values, content.lang)
    counted = tally(items)
    text = content.say(
        "tripod_lead",
        any=len(counted.filled) + len(counted.partly),
        filled=len(counted.filled),
        blank=len(counted.blank),
        not_applicable=len(counted.not_applicable),
    )
    stated = sum(any(a.is_stated for a in item.answers) for item in items)
    if stated:
        text = f"{text} {content.say('tripod_stated', n=stated)}"
    blanks = [item for item in items if item.status == "blank"]
    blocks: list[Block] = [
        Paragraph(text=text),
        _table(content, items, "tripod_caption", with_judgement=False),
        Paragraph(text=content.say("tripod_blank", n=len(blanks))),
        Bullets(items=tuple(Cell(text=f"{i.number} {i.title}") for i in blanks)),
    ]
    return Section(
        anchor="tripod", title=content.say("section_tripod"), blocks=tuple(blocks)
    )


def probast_section(content: Content) -> Section:
    """The signalling questions, with what the run says to each."""
    items = probast(content.values, content.lang)
    blanks = sum(item.status == "blank" for item in items)
    filled = sum(item.status == "filled" for item in items)
    lead = content.say("probast_lead", filled=filled, blank=blanks, n=len(items))
    blocks: tuple[Block, ...] = (
        Paragraph(text=lead),
        _table(content, items, "probast_caption", with_judgement=True),
    )
    return Section(
        anchor="probast", title=content.say("section_probast"), blocks=blocks
    )


def _table(
    content: Content, items: Sequence[Item], caption: str, *, with_judgement: bool
) -> Block:
    rows: list[tuple[Cell | str, ...]] = []
    part = ""
    width = 4 if with_judgement else 3
    for item in items:
        if item.part != part:
            part = item.part
            head = Cell(text=content.say(f"part_{part}"), is_head=True)
            rows.append((head, *([""] * (width - 1))))
        row: tuple[Cell | str, ...] = (item.number, item.title, _answer(content, item))
        if with_judgement:
            row = (*row, content.say(f"judgement_{item.judgement or 'reviewer'}"))
        rows.append(row)
    columns = ["item", "title", "from_run"]
    columns += ["judgement"] if with_judgement else []
    return content.table(
        content.say(caption), [content.say(name) for name in columns], rows
    )


def _answer(content: Content, item: Item) -> Cell:
    if item.status == "blank":
        return Cell(text=content.say("blank"))
    links = []
    for answer in item.answers:
        if answer.see:
            title = content.say(f"section_{answer.see.replace('-', '_')}")
            links.append(Link(text=title, anchor=answer.see))
    keys = dict.fromkeys(key for answer in item.answers for key in answer.keys)
    links += list(content.links(*list(keys)[:MOST_LINKS]))
    text = " ".join(_words(content, answer) for answer in item.answers)
    return Cell(text=text, links=tuple(dict.fromkeys(links)))


def _words(content: Content, answer: Answer) -> str:
    """What an answer says; the authors' own words are quoted as theirs."""
    if not answer.is_stated:
        return answer.text
    return content.say("authors_state") + content.colon + answer.text


def logged(content: Content) -> Section:
    """Every value that the report states, under the name that the run logs it by."""
    rows = [
        (Cell(text=name, anchor=ANCHOR + name), shorten(value.text[content.lang], 400))
        for name, value in sorted(content.values.items())
    ]
    table = content.table(
        content.say("values_caption"),
        (content.say("name"), content.say("value")),
        rows,
    )
    blocks: tuple[Block, ...] = (Paragraph(text=content.say("values_lead")), table)
    return Section(anchor="values", title=content.say("section_values"), blocks=blocks)
