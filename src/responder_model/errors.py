"""Every error that the package raises on purpose."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any

from responder_model.words import Naming, Note, in_words, plain, read_words

__all__ = [
    "DevelopmentError",
    "DisclosureError",
    "EvidenceError",
    "InvalidCohortError",
    "InvalidPatientError",
    "MissingExtraError",
    "Problem",
    "Question",
    "ResponderModelError",
    "TrackingError",
    "UntrustedModelError",
    "check_one_of",
    "got",
    "refused_by_system",
    "system_reason",
]


class ResponderModelError(Exception):
    """Root of the package's own errors; its text never holds a patient's value.

    ``str(error)`` is English; ``text`` says it in another language.
    """

    def __init__(self, said: Note, **parts: Any) -> None:
        self.said = said
        super().__init__(said, **parts)

    def __str__(self) -> str:
        return self.text()

    def text(self, lang: str = "en") -> str:
        """What was refused and what to do, in a language."""
        return self.said.text(lang)


def got(value: object, among: Iterable[str] = ()) -> Note | str:
    """What was given, as a sentence quotes it, and which of some words it may mean.

    Examples
    --------
    >>> str(got("Emcs_succes", ("rtms_response", "emcs_success")))
    "'Emcs_succes' (did you mean emcs_success?)"
    >>> str(got("elsewhere", ("test",))), str(got(None)), got(1.5).text("fr")
    ("'elsewhere'", 'none', '1,5')
    """
    if isinstance(value, float):
        return Note("argument.number", number=float(value))
    if not isinstance(value, str):
        return Note("argument.nothing") if value is None else str(value)
    quoted = Note("argument.quoted", text=value)
    by_small = {name.casefold(): name for name in among}
    near = get_close_matches(value.casefold(), by_small, n=1)
    if not near:
        return quoted
    return Note("argument.near", got=quoted, near=by_small[near[0]])


def check_one_of(
    value: object,
    allowed: Iterable[str],
    *,
    name: str,
    error: type[ResponderModelError] = ResponderModelError,
) -> None:
    """Refuse a word that is none of those that are known, of an argument."""
    known = tuple(allowed)
    if value not in known:
        said = {"name": name, "allowed": known, "got": got(value, known)}
        raise error(Note("argument.one_of", **said))


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
    found : str or Note
        What stands there as it is written, or what it is: a patient's value, shown on
        screen, never logged.
    row : int or None
        Line of the file with the header as line 1; None for a whole column, and for a
        single patient.
    heading : str or None
        Name of the column in the file, where it is another one than the field's.
    choices : tuple of str
        Values that may be meant, where what stands there leaves a doubt or names more
        than one; shown on screen, never logged.
    file : str
        Name of the file, where several are read together.
    """

    field: str
    allowed: Note
    found: str | Note = ""
    row: int | None = None
    heading: str | None = None
    choices: tuple[str, ...] = ()
    file: str = ""

    @property
    def rule(self) -> str:
        """Code of the rule."""
        return self.allowed.code

    def name(self, lang: str = "en", naming: Naming | None = None) -> str:
        """How a person knows the field: its label, and the file's own heading.

        Examples
        --------
        >>> rule = Note("patient.given_once")
        >>> Problem(field="age", allowed=rule, heading="Alter").name("fr")
        'Âge (« Alter »)'
        """
        return self._name().text(lang, naming=naming)

    def _name(self) -> Note:
        if not self.file:
            return self._own_name()
        parts = {"name": self._own_name(), "file": self.file}
        return Note("patient.name_in_file", **parts)

    def _own_name(self) -> Note:
        if self.field in _THINGS:
            return Note(f"cohort.{self.field}")
        if self.heading is None:
            return Note("patient.name", field=self.field)
        values = {"field": self.field, "heading": self.heading}
        return Note("patient.name_and_heading", **values)

    def without_value(self) -> Note:
        """Field and rule: what a log may hold."""
        return Note("patient.rule", name=self._name(), allowed=self.allowed)

    def text(self, lang: str = "en", naming: Naming | None = None) -> str:
        """Sentence with what was found: for the screen, not for a log.

        Examples
        --------
        >>> Problem(field="age", allowed=Note("patient.given_once")).text()
        'Age must be given once only.'
        """
        parts = {"name": self._name(), "allowed": self.allowed}
        said = [
            Note("patient.problem", **parts, found=self.found)
            if self.found
            else Note("patient.problem_without_value", **parts)
        ]
        if self.choices:
            which = {"field": self.field, "choices": self.choices}
            said.append(Note("patient.which", **which))
        return " ".join(note.text(lang, naming=naming) for note in said)

    def to_dict(self, lang: str = "en") -> dict[str, Any]:
        """Plain data for JSON; the sentence is in the language."""
        return {
            "field": self.field,
            "heading": self.heading,
            "row": self.row,
            **({"file": self.file} if self.file else {}),
            "rule": self.rule,
            "values": plain(self.allowed.values),
            "allowed": self.allowed.text(lang),
            "text": self.text(lang),
            "found": in_words(self.found, lang),
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

    def doubt(self) -> Note:
        """Field in doubt: what a log may hold."""
        return Note("patient.name", field=self.field)

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
        super().__init__(self._summary())

    def _summary(self) -> Note:
        """Fields and the rules they break, without what was found."""
        rules = tuple(dict.fromkeys(p.without_value() for p in self.problems))
        return Note("patient.problems", n=len(self.problems), rules=rules)

    def __reduce__(self) -> tuple[Any, ...]:
        # an exception is pickled with its message alone, which is not its arguments
        return type(self), (self.problems,)


class InvalidCohortError(_RefusedValuesError):
    """A cohort that cannot be read; carries every problem and question at once.

    ``str(error)`` names fields and rules only; ``problems`` and ``questions`` also hold
    what was found.
    """

    def __init__(
        self,
        problems: tuple[Problem, ...],
        notices: tuple[Note, ...] = (),
        questions: tuple[Question, ...] = (),
    ) -> None:
        self.notices = notices
        self.questions = questions
        super().__init__(problems)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems, self.notices, self.questions)

    def _summary(self) -> Note:
        """Fields and the rules they break, and fields in doubt."""
        if not self.questions:
            return super()._summary()
        doubts = tuple(dict.fromkeys(question.doubt() for question in self.questions))
        asked = Note("cohort.open_questions", n=len(self.questions), doubts=doubts)
        if not self.problems:
            return asked
        return Note("cohort.both", problems=super()._summary(), asked=asked)

    @property
    def unexplained(self) -> tuple[Problem, ...]:
        """Problems that no question is about: an answer does not mend them."""
        asked = {(q.field, row) for q in self.questions for row in q.rows}
        return tuple(p for p in self.problems if (p.field, p.row) not in asked)


class InvalidPatientError(_RefusedValuesError):
    """A patient who cannot be scored; carries every problem at once.

    ``str(error)`` names fields and rules only; ``problems`` also hold what was found.
    """

    def _summary(self) -> Note:
        """Fields and the rules they break, without what was found."""
        names = tuple(dict.fromkeys(problem.field for problem in self.problems))
        rules = tuple(problem.without_value() for problem in self.problems)
        return Note("patient.not_valid", names=names, rules=rules)


def toml_fault(error: Exception) -> Note:
    """Why a file is no TOML, or cannot be read; its reader says so in English."""
    if isinstance(error, OSError):
        return system_reason(error)
    found = _PLACE_IN_TOML.search(str(error))
    if found is None:
        return Note("file.no_toml")
    return Note("file.no_toml_at", line=int(found[1]), column=int(found[2]))


# How the reader of TOML says where it stopped.
_PLACE_IN_TOML = re.compile(r"\(at line (\d+), column (\d+)\)")


def system_reason(error: OSError | ValueError) -> Note:
    """Why the operating system refused; its own words where the reason is unusual.

    Examples
    --------
    >>> system_reason(FileNotFoundError(2, "No such file or directory")).text("fr")
    'fichier ou dossier introuvable'
    """
    if not isinstance(error, OSError):  # a name that no file can have
        return Note("system.EINVAL")
    reason = errno.errorcode.get(error.errno or 0, "")
    if reason in read_words("system"):
        return Note(f"system.{reason}")
    return Note("system.other", reason=error.strerror or str(error))


def refused_by_system(error: OSError) -> Note:
    """What the operating system refused, and why."""
    reason = system_reason(error)
    if error.filename is None:
        return Note("system.refused", reason=reason)
    return Note("system.cannot_be_used", name=str(error.filename), reason=reason)


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
        said = Note("system.not_installed", library=library, extra=extra)
        super().__init__(said, name=library)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), library=self.library, extra=self.extra), ()
