"""What surrounds the patients of a request, and how its body is read.

A body is strict JSON: UTF-8, finite numbers, every key once, every value of the type
that the schema names. Refusals list all that is wrong and repeat nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from responder_model.artifact.strict_json import MAX_DEPTH, parse_json
from responder_model.errors import InvalidPatientError, Problem, UntrustedModelError
from responder_model.model import Model
from responder_model.schema import dictionary
from responder_model.words import LANGUAGES, Note
from .fields import check_types, field_item
from .problems import Item, Kind, Refused

Language = Literal["en", "fr"]
Patient = dict[str, Any]


class Envelope(BaseModel):
    """What every request may say."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)

    lang: Language = "en"


class Question(Envelope):
    """A question and a moment; the moment may be left out where there is one."""

    decision: str
    moment: str | None = None
    centre: str | None = None


class ManyPatients(Question):
    """Patients of one question."""

    patients: list[Patient] = Field(min_length=1)


class OnePatient(Question):
    """One patient of one question."""

    patient: Patient


class Path(Envelope):
    """One patient, with all that is known today."""

    patient: Patient


class Stopping(Envelope):
    """Rules of one moment, or of all; ``cost`` of a lost responder in sessions."""

    moment: str | None = None
    cost: float | None = Field(default=None, gt=0)


E = TypeVar("E", bound=Envelope)


def read_envelope(body: bytes, kind: type[E], depth: int = MAX_DEPTH) -> E:
    """Read a body whose objects and lists stand ``depth`` deep in each other at most.

    Raises
    ------
    Refused
        ``bad_json`` for what is no strict JSON, ``invalid_request`` for what is no
        such envelope.
    """
    try:
        plain = parse_json(body, Note("serving.body"), depth)
    except UntrustedModelError as error:
        raise Refused(Kind.BAD_JSON, [Item(pointer="", allowed=error.said)]) from None
    lang = plain.get("lang") if isinstance(plain, dict) else None
    spoken = lang if lang in LANGUAGES else None
    try:
        return kind.model_validate(plain)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        items = [_item(row, kind) for row in found]
        raise Refused(Kind.INVALID_REQUEST, items, lang=spoken) from None


def _item(row: Mapping[str, Any], kind: type[Envelope]) -> Item:
    """One fault that pydantic found, by its kind: its text may hold what was sent."""
    where, known = row["loc"], tuple(kind.model_fields)
    if row["type"] == "extra_forbidden":
        return Item(pointer="", allowed=Note("serving.unknown_key", known=known))
    # names of ours and positions: below them are keys that the sender chose
    ours = [part for part in where if isinstance(part, int) or part in known]
    pointer = "".join(f"/{part}" for part in ours)
    return Item(
        pointer=pointer, allowed=_RULES.get(row["type"], Note("serving.object"))
    )


_RULES = {
    "missing": Note("serving.required"),
    "string_type": Note("serving.text"),
    "list_type": Note("serving.list"),
    "float_type": Note("serving.positive"),
    "greater_than": Note("serving.positive"),
    "too_short": Note("serving.at_least_one"),
    "literal_error": Note("serving.one_of", values=LANGUAGES),
}


# ---------------------------------------------------------------- question and patients


def check_question(asked: Question) -> tuple[str, str]:
    """Decision and moment that are asked for.

    Raises
    ------
    Refused
        ``invalid_request`` for a decision or a moment that is none.
    """
    decisions = dictionary().decisions
    if asked.decision not in decisions:
        raise no_such(asked, decision=tuple(decisions))
    moments = decisions[asked.decision].moments
    moment = asked.moment
    if moment is None and len(moments) == 1:
        moment = moments[0]
    if moment not in moments:
        raise no_such(asked, moment=moments)
    return asked.decision, moment


def no_such(asked: Envelope, **allowed: tuple[str, ...]) -> Refused:
    """Refusal of a name that is none of those allowed, by key of the envelope."""
    items = [
        Item(pointer=f"/{key}", allowed=Note("serving.one_of", values=values))
        for key, values in allowed.items()
    ]
    return Refused(Kind.INVALID_REQUEST, items, lang=asked.lang)


def check_patients(
    patients: Iterable[tuple[str, Patient]], model: Model, *, lang: str
) -> None:
    """Refuse patients whom a model cannot score, with every problem of all of them.

    Parameters
    ----------
    patients : iterable of (str, dict)
        JSON pointer to each, and its values.

    Raises
    ------
    Refused
        ``invalid_patient``.
    """
    items = []
    for pointer, values in patients:
        found = check_types(values, pointer)
        wrong = {item.field for item in found}
        known = dictionary().fields
        rest = {k: v for k, v in values.items() if k in known and k not in wrong}
        items += found
        try:
            model.check_patient(rest)
        except InvalidPatientError as error:
            items += patient_items(error.problems, pointer)
    if items:
        raise Refused(Kind.INVALID_PATIENT, items, lang=lang)


def patient_items(problems: Iterable[Problem], pointer: str) -> list[Item]:
    """Problems of a patient's fields, without what was found."""
    return [field_item(p.field, pointer, p.allowed) for p in problems]
