"""Every error that the package raises on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any


class ResponderModelError(Exception):
    """Root of the package's own errors; its text never holds a patient's value."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One offending cell of a cohort file.

    Parameters
    ----------
    row : int or None
        Line of the file with the header as line 1; None for a whole column.
    field : str
        Name of the column.
    found : str
        What stands there: a patient's value, shown on screen, never logged.
    allowed : str
        The rule that it breaks.
    choices : tuple of str
        Values that may be meant, where what stands there leaves a doubt or names more
        than one; shown on screen, never logged.
    """

    row: int | None
    field: str
    found: str
    allowed: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a cohort leaves open, and how to answer it.

    Parameters
    ----------
    code : str
        What kind of doubt it is.
    field : str
        The field whose values depend on the answer.
    rows : tuple of int
        Lines of the file that it is about.
    text : str
        The doubt in words; it may quote patients, and is shown on screen, never logged.
    answers : tuple of str
        Lines of a mapping file (``CohortMap``), of which one is to be chosen.
    """

    code: str
    field: str
    rows: tuple[int, ...]
    text: str
    answers: tuple[str, ...]


class InvalidCohortError(ResponderModelError):
    """A cohort that cannot be read; carries every problem and question at once.

    ``str(error)`` names fields and rules only; ``problems`` and ``questions`` also hold
    what was found.
    """

    def __init__(
        self,
        problems: tuple[Problem, ...],
        notices: tuple[str, ...] = (),
        questions: tuple[Question, ...] = (),
    ) -> None:
        self.problems = problems
        self.notices = notices
        self.questions = questions
        rules = sorted({f"{p.field} must be {p.allowed}" for p in problems})
        doubts = sorted({f"{q.field} ({q.code})" for q in questions})
        told = [f"{_count(len(problems), 'problem')}: " + "; ".join(rules)]
        asked = f"{_count(len(questions), 'open question')}: " + "; ".join(doubts)
        told = [
            *(told if problems or not questions else ()),
            *([asked] if doubts else ()),
        ]
        super().__init__("; ".join(told))

    def __reduce__(self) -> tuple[Any, ...]:
        # an exception is pickled with its message alone, which is not its arguments
        return type(self), (self.problems, self.notices, self.questions)

    @property
    def unexplained(self) -> tuple[Problem, ...]:
        """Problems that no question is about: an answer does not mend them."""
        asked = {(q.field, row) for q in self.questions for row in q.rows}
        return tuple(p for p in self.problems if (p.field, p.row) not in asked)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


class InvalidPatientError(ResponderModelError):
    """A patient who cannot be scored; ``problems`` maps predictor to message.

    ``str(error)`` names the predictors only; the messages may quote what was found.
    """

    def __init__(self, problems: dict[str, str]) -> None:
        self.problems = problems
        super().__init__("not valid: " + ", ".join(problems))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)


class DevelopmentError(ResponderModelError):
    """A model that cannot be developed or validated as asked."""


class DisclosureError(ResponderModelError):
    """A model that would give patients away if it left its centre."""


class EvidenceError(ResponderModelError):
    """An evidence file that breaks a rule of the evidence base."""


class UntrustedModelError(ResponderModelError):
    """A model folder that is altered, incomplete, unknown or unsafe."""


class TrackingError(ResponderModelError):
    """A store of runs that cannot be used."""


class MissingExtraError(ResponderModelError, ImportError):
    """A library that only some users install is asked for; says how to install it."""

    def __init__(self, *, library: str, extra: str) -> None:
        self.library = library
        self.extra = extra
        super().__init__(
            f"{library} is not installed: pip install 'responder-model[{extra}]'.",
            name=library,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), library=self.library, extra=self.extra), ()
