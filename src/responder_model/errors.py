"""Every error that the package raises on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from responder_model.words import Naming, Note, in_words


class ResponderModelError(Exception):
    """Root of the package's own errors; its text never holds a patient's value.

    ``str(error)`` is English; ``text`` says it in another language.
    """

    def __init__(self, said: Note | str, **parts: Any) -> None:
        self.said = said
        super().__init__(said, **parts)

    def __str__(self) -> str:
        return self.text()

    def text(self, lang: str = "en") -> str:
        """What was refused and what to do, in a language."""
        return in_words(self.said, lang)


# What a problem may be about where it is no field.
_THINGS = ("file", "table", "line")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One value that is refused: a cell of a file, or a predictor of a patient.

    Parameters
    ----------
    field : str
        Name in the dictionary; the name that was given where it is none.
    allowed : Note
        The rule that the value breaks.
    found : str
        What stands there: a patient's value, shown on screen, never logged.
    row : int or None
        Line of the file with the header as line 1; None for a whole column, and for a
        single patient.
    heading : str or None
        Name of the column in the file, where it is another one than the field's.
    choices : tuple of str
        Values that may be meant, where what stands there leaves a doubt or names more
        than one; shown on screen, never logged.
    """

    field: str
    allowed: Note | str
    found: str = ""
    row: int | None = None
    heading: str | None = None
    choices: tuple[str, ...] = ()

    @property
    def rule(self) -> str:
        """Code of the rule."""
        return self.allowed.code if isinstance(self.allowed, Note) else self.allowed

    def name(self, lang: str = "en", naming: Naming | None = None) -> str:
        """How a person knows the field: its label, and the file's own heading.

        Examples
        --------
        >>> rule = Note("patient.given_once")
        >>> Problem(field="age", allowed=rule, heading="Alter").name("fr")
        'Âge (« Alter »)'
        """
        if self.field in _THINGS:
            return Note(f"cohort.{self.field}").text(lang)
        values = {"field": self.field, "heading": self.heading}
        key = "name" if self.heading is None else "name_and_heading"
        return Note(f"patient.{key}", **values).text(lang, naming=naming)

    def text(self, lang: str = "en", naming: Naming | None = None) -> str:
        """Sentence with what was found: for the screen, not for a log.

        Examples
        --------
        >>> Problem(field="age", allowed=Note("patient.given_once")).text()
        'Age must be given once only.'
        """
        key = "problem" if self.found else "problem_without_value"
        parts = {"name": self.name(lang, naming), "allowed": self.allowed}
        said = Note(f"patient.{key}", **parts, found=self.found)
        sentences = [said.text(lang, naming=naming)]
        if self.choices:
            sentences.append(
                Note("patient.which", field=self.field, choices=self.choices).text(lang)
            )
        return " ".join(sentences)

    def to_dict(self, lang: str = "en") -> dict[str, Any]:
        """Plain data for JSON; the sentence is in the language."""
        return {
            "field": self.field,
            "heading": self.heading,
            "row": self.row,
            "rule": self.rule,
            "allowed": in_words(self.allowed, lang),
            "text": self.text(lang),
            "found": self.found,
            "choices": list(self.choices),
        }


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
    text : Note
        The doubt; it may quote patients, and is shown on screen, never logged.
    answers : tuple of str
        Lines of a mapping file (``CohortMap``), of which one is to be chosen.
    """

    code: str
    field: str
    rows: tuple[int, ...]
    text: Note
    answers: tuple[str, ...]

    def to_dict(self, lang: str = "en") -> dict[str, Any]:
        """Plain data for JSON; the sentence is in the language."""
        return {
            "code": self.code,
            "field": self.field,
            "rows": list(self.rows),
            "values": self.text.to_dict()["values"],
            "text": self.text.text(lang),
            "answers": list(self.answers),
        }


class _RefusedValuesError(ResponderModelError):
    """Carries every problem at once; its text names fields and rules only."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("")

    def text(self, lang: str = "en") -> str:
        """Fields and the rules they break, without what was found."""
        rules = dict.fromkeys(_rule(problem, lang) for problem in self.problems)
        n = len(self.problems)
        key = "one_problem" if n == 1 else "problems"
        return Note(f"patient.{key}", n=n, rules="; ".join(sorted(rules))).text(lang)

    def __reduce__(self) -> tuple[Any, ...]:
        # an exception is pickled with its message alone, which is not its arguments
        return type(self), (self.problems,)


def _rule(problem: Problem, lang: str) -> str:
    parts = {"name": problem.name(lang), "allowed": problem.allowed}
    return Note("patient.rule", **parts).text(lang)


class InvalidCohortError(_RefusedValuesError):
    """A cohort that cannot be read; carries every problem and question at once.

    ``str(error)`` names fields and rules only; ``problems`` and ``questions`` also hold
    what was found.
    """

    def __init__(
        self,
        problems: tuple[Problem, ...],
        notices: tuple[Note | str, ...] = (),
        questions: tuple[Question, ...] = (),
    ) -> None:
        self.notices = notices
        self.questions = questions
        super().__init__(problems)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems, self.notices, self.questions)

    def text(self, lang: str = "en") -> str:
        """Fields and the rules they break, and fields in doubt."""
        if not self.questions:
            return super().text(lang)
        doubts = {f"{q.field} ({q.code})" for q in self.questions}
        n = len(self.questions)
        key = "one_open_question" if n == 1 else "open_questions"
        asked = Note(f"cohort.{key}", n=n, doubts="; ".join(sorted(doubts))).text(lang)
        return f"{super().text(lang)}; {asked}" if self.problems else asked

    @property
    def unexplained(self) -> tuple[Problem, ...]:
        """Problems that no question is about: an answer does not mend them."""
        asked = {(q.field, row) for q in self.questions for row in q.rows}
        return tuple(p for p in self.problems if (p.field, p.row) not in asked)


class InvalidPatientError(_RefusedValuesError):
    """A patient who cannot be scored; carries every problem at once.

    ``str(error)`` names fields and rules only; ``problems`` also hold what was found.
    """

    def text(self, lang: str = "en") -> str:
        """Fields and the rules they break, without what was found."""
        names = tuple(dict.fromkeys(problem.field for problem in self.problems))
        rules = "; ".join(_rule(problem, lang) for problem in self.problems)
        return Note("patient.not_valid", names=names, rules=rules).text(lang)


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
