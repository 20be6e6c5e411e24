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


class InvalidCohortError(ResponderModelError):
    """A cohort that cannot be read; carries every problem at once.

    ``str(error)`` names fields and rules only; ``problems`` also hold what was found.
    """

    def __init__(
        self, problems: tuple[Problem, ...], notices: tuple[str, ...] = ()
    ) -> None:
        self.problems = problems
        self.notices = notices
        rules = sorted({f"{p.field} must be {p.allowed}" for p in problems})
        count = f"{len(problems)} problem" + ("" if len(problems) == 1 else "s")
        super().__init__(f"{count}: " + "; ".join(rules))

    def __reduce__(self) -> tuple[Any, ...]:
        # an exception is pickled with its message alone, which is not its arguments
        return type(self), (self.problems, self.notices)


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
