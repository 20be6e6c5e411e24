"""The first screen of ``check``: what was made of a file, and what it is good for."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from responder_model.labels import label_of
from responder_model.vocabulary import find_heading, likely_fields, show
from responder_model.words import Note, say
from .output import PIPED_WIDTH

if TYPE_CHECKING:
    from responder_model.cohort import Inspection, Survey

# Headings that are named on the screen.
MOST_HEADINGS = 20
# What the screen says itself, and need not be noted again.
SAID = frozenset(
    {
        "formats.sheet_read",
        "cohort.unknown_column",
        "cohort.nameless_column",
        "cohort.more_unknown_columns",
    }
)


# What a row of the screen is about, and its lines.
Row = tuple[str, Sequence[str]]


def screen(rows: Sequence[Row]) -> Iterator[str]:
    """Lines of the screen, as wide as the terminal."""
    indent = max(len(label) for label, _ in rows) + 2
    for label, texts in rows:
        for place, text in enumerate(texts):
            yield from _wrapped("" if place else label, text, indent)


def screen_rows(
    path: Path, whole: Inspection, found: Survey, lang: str, *, all_names: bool = False
) -> list[Row]:
    """What the screen says, row by row.

    Parameters
    ----------
    path : path-like
        The file.
    whole : Inspection
        What was read in it.
    found : Survey
        What its cohort is good for.
    lang : {"en", "fr"}
    all_names : bool
        Name every heading that is not read, or read as a synonym, however many.
    """
    most = None if all_names else MOST_HEADINGS
    rows: list[Row] = [
        ("file", [str(path)]),
        ("sheet", [] if whole.sheet is None else [f"'{whole.sheet}'"]),
        ("patients", [_patients(whole, lang)]),
        ("columns", [_columns(whole, lang)]),
        ("understood", _understood(whole, lang, most=most)),
        ("not_read", _not_read(whole, lang, most=most)),
        ("outcomes", _outcomes(whole, found, lang)),
        ("models", _models(found, lang)),
        ("absent", _absent(found, lang)),
        ("open", _open(whole, lang)),
    ]
    return [(say(f"cli.screen_{key}", lang), texts) for key, texts in rows if texts]


def _wrapped(label: str, text: str, indent: int) -> Iterable[str]:
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else PIPED_WIDTH
    first, rest = label.ljust(indent), " " * indent
    return textwrap.wrap(
        text,
        width=max(width, 3 * indent),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _patients(whole: Inspection, lang: str) -> str:
    n = len(whole.cohort)
    if whole.n_left_out:
        return say("cli.screen_left_out", lang, n=n, left_out=whole.n_left_out)
    return str(n) if n else say("cli.screen_no_patient", lang)


def _columns(whole: Inspection, lang: str) -> str:
    n_read = sum(field is not None for _, field in whole.columns)
    return say("cli.screen_read", lang, n=n_read, of=len(whole.columns))


def _not_read(whole: Inspection, lang: str, *, most: int | None) -> list[str]:
    """Headings that are not read, those that may mean a field first."""
    names = [name for name, field in whole.columns if field is None]
    ordered = sorted(names, key=lambda name: not likely_fields(name))
    return _listed([f"'{show(name)}'" for name in ordered], lang, most=most)


def _understood(whole: Inspection, lang: str, *, most: int | None) -> list[str]:
    """Headings that are no field's name or label, and the field read from each."""
    told = [
        f"'{show(name)}' = {label_of(field, lang)}"
        for name, field in whole.columns
        if field is not None and not _is_own(name)
    ]
    return _listed(told, lang, most=most)


def _is_own(name: str) -> bool:
    heading = find_heading(name)
    return heading is not None and heading.own


def _listed(told: Sequence[str], lang: str, *, most: int | None) -> list[str]:
    names = ", ".join(told[:most])
    left = len(told) - (len(told) if most is None else most)
    if left > 0:
        return [say("cli.screen_more", lang, names=names, n=left)]
    return [names] if names else []


def _outcomes(whole: Inspection, found: Survey, lang: str) -> list[str]:
    lines = []
    for count in found.outcomes:
        told = {"decision": count.decision, "n": count.n_known}
        told |= {"of": len(whole.cohort), "yes": count.n_events}
        told |= {"no": count.n_non_events}
        undecided = count.n_known - count.n_events - count.n_non_events
        if not count.n_known:
            note = Note("cli.screen_outcome_none", decision=count.decision)
        elif undecided:
            note = Note("cli.screen_outcome_open", **told, open=undecided)
        else:
            note = Note("cli.screen_outcome", **told)
        lines.append(note.text(lang))
    return lines


def _models(found: Survey, lang: str) -> list[str]:
    """Each model that can be developed, then the others by what they lack."""
    lines, lacking = [], dict[tuple[Note, ...], list[str]]()
    for model in found.models:
        n, of = len(model.recorded), len(model.recorded) + len(model.absent)
        if model.lacks:
            lacking.setdefault(model.lacks, []).append(model.target)
        else:
            lines.append(say("cli.screen_can", lang, target=model.target, n=n, of=of))
    for lacks, targets in lacking.items():
        said = lacks[0] if len(lacks) == 1 else Note("cli.both", **_two(lacks))
        told = {"targets": tuple(targets), "lacks": said}
        lines.append(say("cli.screen_cannot", lang, **told))
    return lines


def _two(lacks: Sequence[Note]) -> dict[str, Note]:
    """Of outcome and predictors, what is lacking of each."""
    return dict(zip(("first", "second"), lacks, strict=True))


def _absent(found: Survey, lang: str) -> Sequence[str]:
    """Predictors of models that can be developed of which the file knows nothing."""
    possible = [model for model in found.models if not model.lacks]
    names = tuple(dict.fromkeys(name for model in possible for name in model.absent))
    return [say("cli.screen_stands", lang, names=names)] if names else []


def _open(whole: Inspection, lang: str) -> list[str]:
    """What may change these counts."""
    refused = [p for p in whole.problems if p.field not in ("file", "table")]
    counts = {"questions": len(whole.questions), "problems": len(refused)}
    return [say("cli.screen_as_read", lang, **counts)] if any(counts.values()) else []
