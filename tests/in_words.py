"""What notes and problems say, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from responder_model.words import Note
from responder_model.words import in_words as words_of


def said(notes: Iterable[Note | str], lang: str = "en") -> list[str]:
    """Sentences of notes."""
    return [words_of(note, lang) for note in notes]


def told(error: Any, lang: str = "en") -> dict[str, str]:
    """Sentence of each problem, by field."""
    return {problem.field: problem.text(lang) for problem in error.problems}


def as_printed(row: Any) -> dict[str, Any]:
    """A criterion of the sample size as ``--json`` prints it."""
    return {**asdict(row), "definition": row.definition.to_dict("en")}
