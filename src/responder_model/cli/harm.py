"""How published harm reads on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from responder_model.evidence import HarmRow, harm_rows, treatment_of
from responder_model.schema import dictionary
from responder_model.words import say
from .output import print_json, print_lines

if TYPE_CHECKING:
    from responder_model.tables import Table


def print_harm(
    decision: str | None, lang: str, *, other_use: bool, json_output: bool
) -> None:
    """Print harm and durability of the treatment of a decision, or of all."""
    names = tuple(dictionary().decisions) if decision is None else (decision,)
    found = {
        treatment: harm_rows(treatment, other_use=other_use)
        for treatment in map(treatment_of, names)
    }
    if json_output:
        print_json(
            {name: [row.to_dict(lang) for row in rows] for name, rows in found.items()}
        )
        return
    for name, rows in found.items():
        print_lines(harm_lines(rows, say(f"harm.title_{name}", lang), lang))
        print_lines([""])
    print_lines([say("implant.same_for_everybody", lang)])


def harm_lines(rows: Sequence[HarmRow], title: str, lang: str) -> Iterator[str | Table]:
    """Yield what somebody counted, and what nobody did, where there is such a thing."""
    from responder_model.tables import harm_table

    yield harm_table(rows, title, lang, about=True)
    names = tuple(row.label for row in rows if row.share is None)
    if names:
        yield say("implant.unknown", lang, names=names)
