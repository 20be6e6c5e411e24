"""What only the authors know: their own words for items that a run cannot fill."""

from __future__ import annotations

import tomllib
from pathlib import Path

from responder_model.errors import ResponderModelError, toml_fault
from responder_model.words import Note
from .texts import read_texts

# First part of the names under which statements are logged.
PREFIX = "authors."
LONGEST = 2000


def tripod_numbers() -> tuple[str, ...]:
    """Numbers of the parts of TRIPOD+AI, in order."""
    return tuple(item["number"] for item in read_texts("tripod")["items"])


def read_statements(path: str | Path) -> dict[str, str]:
    """Read the authors' statements: TOML with numbers of TRIPOD+AI as keys.

    For example ``17 = "Ethics committee X, approval Y; consent waived."``. They stand
    in the report as the authors' words, beside what the run says.

    Raises
    ------
    ResponderModelError
        With every unknown number, and every statement that is no text.
    """
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        said = Note("refusal.statements_file", why=toml_fault(error))
        raise ResponderModelError(said) from error
    return check_statements(table)


def check_statements(table: dict[str, object]) -> dict[str, str]:
    """Return statements by number of TRIPOD+AI, or refuse them with every problem.

    Examples
    --------
    >>> check_statements({"18a": " No funding. "})
    {'18a': 'No funding.'}
    """
    known = set(tripod_numbers())
    problems = [Note("refusal.no_number", key=key) for key in table if key not in known]
    problems += [
        Note("refusal.statement_length", key=key, most=LONGEST)
        for key, text in table.items()
        if not (isinstance(text, str) and 0 < len(text.strip()) <= LONGEST)
    ]
    if problems:
        said = Note("refusal.statements", problems=tuple(problems))
        raise ResponderModelError(said)
    return {key: " ".join(str(text).split()) for key, text in table.items()}
