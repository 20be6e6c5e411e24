"""How published harm reads on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from responder_model.cli.output import console, print_json
from responder_model.evidence import HarmRow, harm_rows, treatment_of
from responder_model.schema import dictionary
from responder_model.words import say

if TYPE_CHECKING:
    from rich.table import Table


def print_harm(
    decision: str | None, lang: str, *, other_use: bool, json_output: bool
) -> None:
    """Print harm and durability of the treatment of a decision, or of all."""
    names = tuple(dictionary().decisions) if decision is None else (decision,)
    found = dict(_rows(names, other_use=other_use))
    if json_output:
        print_json(
            {name: [row.to_dict(lang) for row in rows] for name, rows in found.items()}
        )
        return
    out = console()
    for name, rows in found.items():
        out.print(harm_table(rows, say(f"harm.title_{name}", lang), lang))
        for line in unknown_harms(rows, lang):
            out.print(line)
        out.print()
    out.print(say("implant.same_for_everybody", lang))


def _rows(
    decisions: Sequence[str], *, other_use: bool
) -> Iterator[tuple[str, tuple[HarmRow, ...]]]:
    for treatment in map(treatment_of, decisions):
        yield treatment, harm_rows(treatment, other_use=other_use)


def harm_table(rows: Sequence[HarmRow], title: str, lang: str) -> Table:
    """One line for each outcome that somebody counted."""
    from rich.table import Table

    heads = (say(f"implant.{key}", lang) for key in ("outcome", "how_often", "about"))
    table = Table(*heads, title=title, title_justify="left")
    for row in rows:
        if row.share is not None:
            about = f"{row.about.text(lang)} {row.basis.text(lang)}"
            table.add_row(row.label.text(lang), row.figure.text(lang), about)
    return table


def unknown_harms(rows: Sequence[HarmRow], lang: str) -> Iterator[str]:
    """What nobody counted, where there is such a thing."""
    names = tuple(row.label for row in rows if row.share is None)
    if names:
        yield say("implant.unknown", lang, names=names)
