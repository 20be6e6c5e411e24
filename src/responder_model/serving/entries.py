"""What was entered on a page: texts by field, kept as they were typed.

Entries travel from page to page as fields of a form, never in an address or a cookie.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from responder_model.errors import InvalidPatientError, Problem
from responder_model.patient import Value, check_patient
from responder_model.schema import dictionary
from responder_model.words import Note

# Texts of each field that is not blank; more than one where two controls disagree.
Entries = Mapping[str, tuple[str, ...]]

# What the answer "not known" sends: a word for a missing value, as in a file.
NOT_KNOWN = "nd"
# Names that begin so are the page's own controls, not fields.
OWN = "_"
# Names of the second patient of a comparison.
OTHER = "other."
# Names of where values stand in a record: ``sources`` reads them.
RECORD = "record."


def read_entries(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Entries of a form that was sent; blanks and the page's own controls left out.

    Examples
    --------
    >>> read_entries([("age", " 54 "), ("dn4", ""), ("_do", "score"), ("age", "nd")])
    {'age': ('54', 'nd')}
    """
    found: dict[str, tuple[str, ...]] = {}
    for name, text in pairs:
        text = text.strip()
        if text and not name.startswith(OWN) and text not in found.get(name, ()):
            found[name] = (*found.get(name, ()), text)
    return found


def of_patient(entries: Entries) -> dict[str, tuple[str, ...]]:
    """Entries of the patient alone, without those of another one."""
    return {k: texts for k, texts in entries.items() if not k.startswith(OTHER)}


def of_other(entries: Entries) -> dict[str, tuple[str, ...]]:
    """Entries of the second patient of a comparison, by the names of fields.

    Examples
    --------
    >>> of_other({"age": ("54",), "other.age": ("70",)})
    {'age': ('70',)}
    """
    return {
        k.removeprefix(OTHER): texts
        for k, texts in entries.items()
        if k.startswith(OTHER)
    }


def pairs_of(entries: Entries) -> Iterator[tuple[str, str]]:
    """Names and texts, as hidden fields carry them."""
    for name, texts in entries.items():
        for text in texts:
            yield name, text


def is_carried(name: str, decision: str, moment: str) -> bool:
    """Whether an entry belongs to another question or a later moment, or to a record.

    It is kept for when the page comes to it, and is no value of this one.
    """
    if name.startswith(RECORD):
        return True
    table = dictionary()
    row = table.fields.get(name)
    if row is None or row.role != "predictor":
        return False
    return row not in table.predictors(decision, moment)


def carried(entries: Entries, decision: str, moment: str) -> dict[str, tuple[str, ...]]:
    """Entries that travel along, see ``is_carried``."""
    return {k: v for k, v in entries.items() if is_carried(k, decision, moment)}


def patient_of(
    entries: Entries, decision: str, moment: str
) -> tuple[dict[str, str], dict[str, Value]]:
    """Return what a model is given, and the same cleaned.

    Raises
    ------
    InvalidPatientError
        With every problem at once, those of ``check_patient`` and a value beside the
        answer "not known".

    Examples
    --------
    >>> given, known = patient_of({"age": ("54,5",)}, "rtms_response", "screening")
    >>> given, known
    ({'age': '54,5'}, {'age': 54.5})
    """
    own = {k: v for k, v in entries.items() if not is_carried(k, decision, moment)}
    given = {name: texts[0] for name, texts in own.items() if len(texts) == 1}
    problems = [_both(name) for name, texts in own.items() if len(texts) > 1]
    known: dict[str, Value] = {}
    try:
        known = check_patient(given, decision, moment)
    except InvalidPatientError as error:
        problems += error.problems
    if problems:
        raise InvalidPatientError(_in_order(problems))
    return given, known


def _both(name: str) -> Problem:
    return Problem(field=name, allowed=Note("page.value_or_not_known"))


def _in_order(problems: list[Problem]) -> tuple[Problem, ...]:
    """Problems in the order of the form; names that are no field come last."""
    order: dict[str, Any] = {name: k for k, name in enumerate(dictionary().fields)}
    last = len(order)
    return tuple(sorted(problems, key=lambda problem: order.get(problem.field, last)))
