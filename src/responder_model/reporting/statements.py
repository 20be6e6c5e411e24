"""What only the authors know: their own words for items that a run cannot fill."""

from __future__ import annotations

import tomllib
from pathlib import Path

from responder_model.errors import ResponderModelError
from responder_model.reporting.texts import read_texts

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
        msg = f"statements must be a TOML file in UTF-8: {error}."
        raise ResponderModelError(msg) from error
    return check_statements(table)


def check_statements(table: dict[str, object]) -> dict[str, str]:
    """Return statements by number of TRIPOD+AI, or refuse them with every problem.

    Examples
    --------
    >>> check_statements({"18a": " No funding. "})
    {'18a': 'No funding.'}
    """
    known = set(tripod_numbers())
    problems = [f"{key} is no number of TRIPOD+AI" for key in table if key not in known]
    problems += [
        f"{key} must be text of 1 to {LONGEST} characters"
        for key, text in table.items()
        if not (isinstance(text, str) and 0 < len(text.strip()) <= LONGEST)
    ]
    if problems:
        msg = f"statements are not valid: {'; '.join(problems)}."
        raise ResponderModelError(msg)
    return {key: " ".join(str(text).split()) for key, text in table.items()}
