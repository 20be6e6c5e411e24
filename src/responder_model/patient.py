"""Check one patient at the door: every problem at once, in the user's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from responder_model.errors import InvalidPatientError, Problem
from responder_model.schema import Decision, Dictionary, Field, dictionary
from responder_model.vocabulary import (
    INVALID,
    PSEUDONYM,
    choices,
    find_field,
    find_heading,
    is_missing,
    likely_fields,
    may_be_fraction,
    names_person,
    read_value,
    show,
)
from responder_model.words import Note

__all__ = [
    "check_patient",
    "contradictions",
    "find_key",
    "given_twice",
    "known_later",
    "latest_moment",
    "no_mapping",
    "unknown_name",
]

Value = float | bool | str


def check_patient(
    values: Mapping[str, Any],
    decision: str,
    moment: str | None = None,
    *,
    table: Dictionary | None = None,
) -> dict[str, Value]:
    """Return a patient's predictors, cleaned; refuse with every problem at once.

    Parameters
    ----------
    values : mapping
        Value by predictor name, label or synonym. Yes/no, True/False, 1/0, English or
        French words, numbers as text with a decimal comma or with a unit ("2 years")
        are read; None, not-a-number, blank, NA, ND and words for them are missing.
    decision, moment : str
        The decision model; the moment may be left out where there is only one.
    table : Dictionary, optional
        Dictionary of the model; default: the installed one, by which names are read
        in any case. A field that only the installed one has is left out.

    Returns
    -------
    dict of str to float, bool or str
        What the model may use, in dictionary order; missing values are left out, and
        so are fields of the dictionary that this model does not use.
        ``lesion_type`` is filled from the aetiology, and ``lesion_site`` where the
        words of the aetiology name one ("AVC isch. thalamique").

    Raises
    ------
    InvalidPatientError
        For an unknown name, a value out of range, an unknown category, a value that
        is known only later than the moment, or values that contradict each other.

    Examples
    --------
    >>> check_patient({"age": "54,5", "aetiology": "AVC ischémique"}, "rtms_response",
    ...               "screening")
    {'age': 54.5, 'aetiology': 'ischaemic_stroke', 'lesion_type': 'central'}
    """
    table = table or dictionary()
    decision, moment = table.check_target(decision, moment)
    if not isinstance(values, Mapping):
        raise InvalidPatientError((no_mapping("patient"),))
    known = _known_names(table, moment)
    clean: dict[str, Value] = {}
    problems: list[Problem] = []
    named: dict[str, Value] = {}
    for key, value in values.items():
        heading = find_heading(key if isinstance(key, str) else show(key))
        name = heading.field.name if heading else show(key)
        if heading is None:
            problems.append(Problem(field=name, allowed=unknown_name(name)))
        elif is_missing(value) or name not in table.fields:
            continue
        elif name in clean:
            problems.append(given_twice(name))
        else:
            field = table.fields[name]
            into = clean if name in known else None
            _read(field, value, heading.unit, moment, into, problems)
            # the dictionary's own name of a cause names no site beside it
            is_word = name == "aetiology" and isinstance(value, str)
            if is_word and clean.get(name, value) != value:
                named = _named_site(value, table)
    problems += _with_site(named, clean)
    problems += contradictions(clean, table)
    if problems:
        raise InvalidPatientError(tuple(problems))
    _derive(clean, table)
    return {
        name: clean[name] for name in _used(table, decision, moment) if name in clean
    }


def _read(
    field: Field,
    value: Any,
    unit: str | None,
    moment: str,
    clean: dict[str, Value] | None,
    problems: list[Problem],
) -> None:
    # `clean` is None for a field that is known only later than the moment.
    found = read_value(field, value, unit=unit)
    if field.role == "identifier" and names_person(str(found)):
        problems.append(Problem(field=field.name, allowed=PSEUDONYM))
        return
    if found is None:
        return
    if clean is None:
        problems.append(Problem(field=field.name, allowed=known_later(field, moment)))
    elif found is INVALID:
        problem = Problem(field=field.name, allowed=field.rule, found=show(value))
        problems.append(replace(problem, choices=tuple(choices(field, value))))
    elif unit is None and field.kind == "number" and may_be_fraction(field, value):
        allowed = Note("patient.no_fraction")
        problems.append(Problem(field=field.name, allowed=allowed, found=show(value)))
    else:
        clean[field.name] = found


def _named_site(text: str, table: Dictionary) -> dict[str, Value]:
    """Lesion site that the words of an aetiology name, if any."""
    from responder_model.vocabulary.categories import named_site

    field, site = table.fields.get("lesion_site"), named_site(text)
    return {field.name: site} if field and site in field.category_names else {}


def _with_site(named: Mapping[str, Value], clean: dict[str, Value]) -> list[Problem]:
    """Add what an aetiology names; refuse another site that is given beside it."""
    for name, site in named.items():
        if clean.setdefault(name, site) != site:
            field = dictionary().fields[name]
            return [_contradiction(field, clean[name], site, "aetiology")]
    return []


def find_key(key: object) -> Field | None:
    """Return the field that a key of a patient means, whatever object it is.

    Examples
    --------
    >>> find_key("Âge").name, find_key(10**5000)
    ('age', None)
    """
    return find_field(key if isinstance(key, str) else show(key))


def latest_moment(patient: Any, test: Decision) -> str:
    """Latest moment of a decision's models from which a value is given.

    Examples
    --------
    >>> from responder_model.schema import dictionary
    >>> latest_moment({"relief_2": 40}, dictionary().decisions["rtms_response"])
    'session_2'
    """
    latest = 0
    for name, value in patient.items() if isinstance(patient, Mapping) else ():
        field = find_key(name)
        if field is None or is_missing(value) or field.known_from not in test.moments:
            continue
        if test.name in field.used_by:
            latest = max(latest, test.moments.index(field.known_from))
    return test.moments[latest]


def known_later(field: Field, moment: str) -> Note:
    """Rule that a value breaks that is known only later than a moment."""
    times = {"known_from": field.known_from, "moment": moment}
    return Note("patient.known_later", **times)


def unknown_name(name: str) -> Note:
    """Rule that a name breaks that is not in the dictionary, and what may be meant."""
    likely = tuple(field.name for field in likely_fields(name))
    return Note("patient.likely" if likely else "patient.unknown", nearest=likely)


def given_twice(name: str) -> Problem:
    """Problem of a predictor that is given twice."""
    return Problem(field=name, allowed=Note("patient.given_once"))


def no_mapping(argument: str) -> Problem:
    """Problem of an argument that is no mapping of predictor to value."""
    return Problem(field=argument, allowed=Note("patient.mapping"))


@lru_cache(maxsize=64)
def _known_names(table: Dictionary, moment: str) -> frozenset[str]:
    return frozenset(name for name in table.fields if table.is_known(name, moment))


@lru_cache(maxsize=64)
def _used(table: Dictionary, decision: str, moment: str) -> tuple[str, ...]:
    return tuple(field.name for field in table.predictors(decision, moment))


@lru_cache(maxsize=8)
def _derivations(table: Dictionary) -> tuple[tuple[str, str, dict[str, str]], ...]:
    return tuple(
        (field.name, field.derived_from, table.derived_categories(field.name))
        for field in table.fields.values()
        if field.derived_from
    )


def _derive(clean: dict[str, Value], table: Dictionary) -> None:
    for name, source, derived in _derivations(table):
        if source in clean and str(clean[source]) in derived:
            clean[name] = derived[str(clean[source])]


def contradictions(
    clean: Mapping[str, Value], table: Dictionary | None = None
) -> list[Problem]:
    """Return what contradicts itself in a patient's cleaned values.

    Examples
    --------
    >>> found = contradictions({"aetiology": "amputation", "lesion_type": "central"})
    >>> [problem.text() for problem in found]
    ['Lesion type must be peripheral, as Aetiology says, got central.']
    """
    table = table or dictionary()
    due: dict[str, tuple[Value | None, str]] = {}
    for name, source, derived in _derivations(table):
        due[name] = derived.get(str(clean.get(source))), source
    for decision in table.decisions.values():
        implied = _binary_outcome(decision, clean)
        due[decision.binary_outcome] = implied, decision.outcome
    return [
        _contradiction(table.fields[name], clean[name], value, source)
        for name, (value, source) in due.items()
        if value is not None and clean.get(name, value) != value
    ]


def _contradiction(field: Field, found: Value, due: Value, source: str) -> Problem:
    allowed = Note("patient.follows", field=field.name, due=due, source=source)
    return Problem(
        field=field.name,
        allowed=allowed,
        found=Note("patient.value", field=field.name, value=found),
    )


def _binary_outcome(decision: Decision, clean: Mapping[str, Value]) -> bool | None:
    """Outcome at the main cut-off as the other values imply it, None if they do not."""
    relief = clean.get(decision.outcome)
    if relief is None:
        return None
    passed = bool(decision.passes(float(relief), decision.main_cut_point))
    if not passed or decision.requires is None:
        return passed
    improved = clean.get(decision.requires)
    return None if improved is None else bool(improved)
