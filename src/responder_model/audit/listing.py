"""Answers that a recall is about: by their model, or by the codes that they used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from responder_model.errors import ResponderModelError
from responder_model.words import Note
from .entry import read_line
from .head import files_of

Row = Mapping[str, Any]
# How a digest is written where an answer names a model.
PREFIX = "sha256:"


@dataclass(frozen=True, kw_only=True)
class Affected:
    """What ``affected`` found.

    Parameters
    ----------
    rows : tuple of mapping
        Lines of the answers, as they stand in the trail, oldest first.
    n_answers : int
        All answers of the trail.
    n_unreadable : int
        Lines that cannot be read.
    models, mappings : mapping
        Answers by digest of a model, and by version of the table of codes.
    """

    rows: tuple[Row, ...]
    n_answers: int
    n_unreadable: int
    models: Mapping[str, int]
    mappings: Mapping[str, int]

    @property
    def requests(self) -> tuple[str, ...]:
        """Requests, each once: one may have had several patients."""
        return tuple(dict.fromkeys(row["request"] for row in self.rows))


def affected(
    folder: Path, *, model: str | None = None, mapping: str | None = None
) -> Affected:
    """List the answers in which a model, or a version of the codes, had a part.

    It reads what stands there: whether that is true, ``verify_trail`` says.

    Parameters
    ----------
    folder : Path
        A trail.
    model : str, optional
        Digest, with or without ``sha256:`` before it.
    mapping : str, optional
        Version of the table of codes; with ``model``, both must have had a part.

    Raises
    ------
    ResponderModelError
        For a folder that holds no trail.
    """
    digest = None if model is None else model.removeprefix(PREFIX)
    rows: list[Row] = []
    models: Counter[str] = Counter()
    mappings: Counter[str] = Counter()
    n_answers = n_unreadable = 0
    for told in _told(folder):
        if "event" in told:
            continue
        if not _is_answer(told):
            n_unreadable += 1
            continue
        n_answers += 1
        used = (told["model"], *told.get("also", ()))
        codes = told.get("mapping", "")
        models.update(used)
        mappings.update([codes] if codes else [])
        if digest in (None, *used) and mapping in (None, codes):
            rows.append(told)
    return Affected(
        rows=tuple(rows),
        n_answers=n_answers,
        n_unreadable=n_unreadable,
        models=models,
        mappings=mappings,
    )


def _is_answer(told: Row) -> bool:
    """Whether a line has what every answer has: nobody may have verified it."""
    also = told.get("also", [])
    texts = [
        told.get("mapping", ""),
        *map(told.get, ("request", "decision", "model")),
        *(also if isinstance(also, list) else [None]),
    ]
    try:
        datetime.fromisoformat(told["time"])
    except (KeyError, TypeError, ValueError):
        return False
    return all(isinstance(text, str) for text in texts)


def _told(folder: Path) -> Iterator[dict[str, Any]]:
    files = list(files_of(folder))
    if not files:
        raise ResponderModelError(Note("audit.no_trail", name=folder.name))
    for _, path in files:
        with path.open("rb") as file:
            yield from map(read_line, file)
