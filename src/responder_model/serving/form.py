"""The form of one question, made from the dictionary: no second list of fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from responder_model.errors import Problem
from responder_model.reporting.texts import number
from responder_model.schema import Field, dictionary
from responder_model.vocabulary import INVALID, YES_NO, read_value
from responder_model.words import say
from .entries import NOT_KNOWN, Entries


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One answer of a group of radio buttons."""

    value: str
    label: str
    element: str
    chosen: bool


@dataclass(frozen=True, kw_only=True)
class Choices:
    """Answers under one heading; without a heading where there is one group."""

    heading: str
    answers: tuple[Choice, ...]


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a record said: in general, and beside each field.

    ``entered`` is what stands beside a value that is not the record's; empty where no
    record was read.
    """

    lead: tuple[str, ...] = ()
    beside: Mapping[str, str] = field(default_factory=dict)
    entered: str = ""


NOTHING_TOLD = Told()


@dataclass(frozen=True, kw_only=True)
class Control:
    """What is asked about one field, and what was entered.

    ``name`` is that of the form; ``element`` the first element to put the focus on.
    ``text`` is a number as it was typed, ``choices`` the answers of any other field;
    ``told`` what a record says of it.
    """

    name: str
    element: str
    label: str
    help: str
    unit: str
    bounds: str
    input_mode: str
    text: str
    is_unknown: bool
    choices: tuple[Choices, ...]
    problems: tuple[str, ...]
    told: str

    @property
    def described_by(self) -> str:
        """Elements that describe it: its help, where it stands, and what is wrong."""
        parts = [f"{self.name}-help"] if self.help else []
        if self.told:
            parts.append(f"{self.name}-told")
        if self.problems:
            parts.append(f"{self.name}-problem")
        return " ".join(parts)


@dataclass(frozen=True, kw_only=True)
class Part:
    """Controls of what becomes known at one moment."""

    moment: str
    heading: str
    controls: tuple[Control, ...]


def form_parts(
    decision: str,
    moment: str,
    entries: Entries,
    *,
    lang: str,
    problems: Sequence[Problem] = (),
    prefix: str = "",
    told: Told = NOTHING_TOLD,
) -> tuple[Part, ...]:
    """Return what is asked at a moment, then what was asked before, newest first.

    Parameters
    ----------
    decision, moment : str
        The question.
    entries : mapping
        Texts by field; those of other questions are not shown.
    lang : {"en", "fr"}
    problems : sequence of Problem
        What was refused, told at its control.
    prefix : str, optional
        Begins the names of controls, for a second patient on one page.
    told : Told, optional
        What a record said of the fields.

    Examples
    --------
    >>> parts = form_parts("rtms_response", "session_1", {}, lang="en")
    >>> [control.name for control in parts[0].controls]
    ['relief_1', 'relief_days_1']
    """
    table = dictionary()
    rows = [r for r in table.predictors(decision, moment) if not r.derived_from]
    controls = [
        (row, _control(row, entries, lang, problems, prefix=prefix, told=told))
        for row in rows
    ]
    return tuple(
        Part(
            moment=found.name,
            heading=say("page.known", lang, moment=found.name),
            controls=tuple(c for row, c in controls if row.known_from == found.name),
        )
        for found in reversed(table.moments)
        if any(row.known_from == found.name for row in rows)
    )


def _control(
    row: Field,
    entries: Entries,
    lang: str,
    problems: Iterable[Problem],
    *,
    prefix: str,
    told: Told,
) -> Control:
    name, texts = prefix + row.name, entries.get(row.name, ())
    typed = [text for text in texts if text != NOT_KNOWN]
    is_number = row.kind == "number"
    choices = () if is_number else _choices(row, name, texts, lang)
    first = name if is_number else choices[0].answers[0].element
    return Control(
        name=name,
        element=first,
        label=row.label[lang],
        help=row.help[lang],
        unit=row.unit[lang] if row.unit else "",
        bounds=_bounds(row, lang) if is_number else "",
        input_mode=_input_mode(row),
        text=" ".join(typed) if is_number else "",
        is_unknown=NOT_KNOWN in texts,
        choices=choices,
        problems=tuple(p.text(lang) for p in problems if p.field == row.name),
        told=told.beside.get(row.name, ""),
    )


def _bounds(row: Field, lang: str) -> str:
    low, high = (number(bound, lang, "g") for bound in (row.minimum, row.maximum))
    return say("page.from_to", lang, minimum=low, maximum=high)


def _input_mode(row: Field) -> str:
    """Keyboard of a telephone: those with digits alone have no minus."""
    if row.kind != "number" or row.minimum is None or row.minimum < 0:
        return "text"
    return "numeric" if row.integer else "decimal"


def _choices(
    row: Field, name: str, texts: Sequence[str], lang: str
) -> tuple[Choices, ...]:
    """Answers in groups: by type of lesion where categories have one."""
    chosen = _chosen(row, texts)
    groups: dict[str, list[Choice]] = {}
    if row.kind == "boolean":
        for value, word in zip(YES_NO["en"], YES_NO[lang], strict=True):
            groups.setdefault("", []).append(_choice(name, value, word, chosen))
    for category in row.categories:
        choice = _choice(name, category.name, category.label[lang], chosen)
        groups.setdefault(category.lesion_type or "", []).append(choice)
    unknown = _choice(name, NOT_KNOWN, say("page.not_known", lang), chosen)
    headed = [_group(row, of, found, lang) for of, found in groups.items()]
    if len(headed) == 1:
        return (Choices(heading="", answers=(*headed[0].answers, unknown)),)
    return (*headed, Choices(heading="", answers=(unknown,)))


def _group(row: Field, lesion_type: str, found: list[Choice], lang: str) -> Choices:
    """Answers under the value that follows from them."""
    fields = dictionary().fields.values()
    follows = [field.name for field in fields if field.derived_from == row.name]
    heading = ""
    if lesion_type and follows:
        heading = say("page.answer", lang, field=follows[0], value=lesion_type)
    return Choices(heading=heading, answers=tuple(found))


def _choice(name: str, value: str, label: str, chosen: str) -> Choice:
    element = f"{name}-{value}"
    return Choice(value=value, label=label, element=element, chosen=value == chosen)


def _chosen(row: Field, texts: Sequence[str]) -> str:
    """Value of the button that is on: what is known, else "not known"."""
    found = read_value(row, texts[0]) if texts else None
    if found is None or found is INVALID:
        return NOT_KNOWN
    if row.kind == "boolean":
        return YES_NO["en"][0 if found else 1]
    return str(found)
