"""What is wrong in a cohort and what is open, as a person reads it on stderr."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import typer

from responder_model.errors import InvalidCohortError, Problem, Question
from responder_model.words import Note, in_words, say
from .options import spoken

# Rows of one question or group that are named, and values of one rule.
MOST_ROWS = 10
MOST_VALUES = 20


def print_findings(found: InvalidCohortError, *, cell_by_cell: bool = False) -> None:
    """Print questions with their answers, then problems, grouped by what they break.

    ``cell_by_cell`` names all rows of a question and, last, each refused cell.
    """
    lang = spoken()
    for question in found.questions:
        _say(asked(question, lang, all_rows=cell_by_cell))
        for answer in question.answers:
            _say(f"    {answer}")
    if found.questions:
        _say(say("cli.how_to_answer", lang))
    for line in grouped(found.unexplained, lang):
        _say(line)
    for problem in found.unexplained if cell_by_cell else ():
        _say(_cell(problem, lang))


def _say(line: str) -> None:
    typer.echo(line, err=True)


def asked(question: Question, lang: str, *, all_rows: bool = False) -> str:
    """Question with its rows."""
    rows = shown_rows(question.rows, most=None if all_rows else MOST_ROWS)
    return say("cli.question", lang, said=question.text, rows=rows)


def shown_rows(rows: Sequence[int], *, most: int | None = MOST_ROWS) -> str:
    """Numbers of the first rows, with a mark where there are more."""
    more = " …" if most is not None and len(rows) > most else ""
    return ", ".join(map(str, rows[:most])) + more


def groups_of(
    problems: Iterable[Problem], lang: str
) -> dict[tuple[str, str], dict[str, list[Problem]]]:
    """Problems by field and rule, and then by what was found."""
    groups: dict[tuple[str, str], dict[str, list[Problem]]] = {}
    for problem in problems:
        rule = problem.name(lang), problem.allowed.text(lang)
        found = in_words(problem.found, lang)
        groups.setdefault(rule, {}).setdefault(found, []).append(problem)
    return groups


def grouped(problems: Iterable[Problem], lang: str) -> Iterator[str]:
    """Each rule that is broken once, and below it what breaks it, with its rows."""
    for (name, allowed), by_value in groups_of(problems, lang).items():
        alike = [problem for same in by_value.values() for problem in same]
        if alike[0].row is None:
            yield from dict.fromkeys(problem.text(lang) for problem in alike)
            continue
        yield say("cli.group_rule", lang, name=name, allowed=allowed)
        ordered = sorted(by_value.items(), key=lambda item: -len(item[1]))
        for found, same in ordered[:MOST_VALUES]:
            yield f"    {_found(found, same, lang)}"
        if len(ordered) > MOST_VALUES:
            left = len(ordered) - MOST_VALUES
            yield "    " + say("cli.group_more", lang, n=left)


def _found(found: str, same: Sequence[Problem], lang: str) -> str:
    """Value and the rows where it stands, or the rows alone where it is not shown."""
    rows = [problem.row for problem in same if problem.row is not None]
    key = ("group_found" if found else "group_unsaid") + ("_once" * (len(rows) == 1))
    # a value that is not shown has no gap
    value = {"found": found} if found else {}
    line = say(f"cli.{key}", lang, n=len(rows), rows=shown_rows(rows), **value)
    return f"{line}. {_which(same[0], lang)}" if same[0].choices else line


def _which(problem: Problem, lang: str) -> str:
    parts = {"field": problem.field, "choices": problem.choices}
    return say("patient.which", lang, **parts)


def _cell(problem: Problem, lang: str) -> str:
    row = "" if problem.row is None else problem.row
    parts = {"row": row, "name": problem.name(lang), "found": problem.found}
    return say("cli.cell", lang, **parts)


def count_findings(found: InvalidCohortError) -> Note:
    """Say how many problems and open questions there are."""
    counts = (
        Note("cli.problems", n=len(found.unexplained)),
        Note("cli.open_questions", n=len(found.questions)),
    )
    told = [count for count in counts if count.values["n"]]
    if len(told) == len(counts):
        return Note("cli.both", first=told[0], second=told[1])
    return told[0] if told else counts[0]
