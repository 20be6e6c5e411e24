"""Check one patient at the door: every problem at once, in the user's words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from responder_model.errors import InvalidPatientError
from responder_model.schema import Decision, Dictionary, Field, dictionary
from responder_model.vocabulary import (
    INVALID,
    PSEUDONYM,
    Heading,
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

Value = float | bool | str


def check_patient(
    values: Mapping[str, Any], decision: str, moment: str | None = None
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

    Returns
    -------
    dict of str to float, bool or str
        What the model may use, in dictionary order; missing values are left out, and
        so are fields of the dictionary that this model does not use.
        ``lesion_type`` is filled from the aetiology.

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
    table = dictionary()
    decision, moment = table.check_target(decision, moment)
    if not isinstance(values, Mapping):
        message = "patient must be a mapping of predictor to value."
        raise InvalidPatientError({"patient": message})
    known = _known_names(table, moment)
    clean: dict[str, Value] = {}
    problems: dict[str, str] = {}
    for key, value in values.items():
        heading = find_heading(key if isinstance(key, str) else show(key))
        name = heading.field.name if heading else show(key)
        if heading is None:
            problems[name] = unknown_message(name)
        elif is_missing(value):
            continue
        elif name in clean:
            problems[name] = f"{name} must be given once only."
        else:
            _read(heading, value, moment, clean if name in known else None, problems)
    problems |= contradictions(clean)
    if problems:
        raise InvalidPatientError(problems)
    _derive(clean)
    return {
        name: clean[name] for name in _used(table, decision, moment) if name in clean
    }


def _read(
    heading: Heading,
    value: Any,
    moment: str,
    clean: dict[str, Value] | None,
    problems: dict[str, str],
) -> None:
    # `clean` is None for a field that is known only later than the moment.
    field = heading.field
    found = read_value(field, value, unit=heading.unit)
    if field.role == "identifier" and names_person(str(found)):
        problems[field.name] = f"{field.name} must be {PSEUDONYM}."
        return
    if found is None:
        return
    if clean is None:
        problems[field.name] = later_message(field, moment)
    elif found is INVALID:
        message = f"{field.name} must be {field.rule}, got {show(value)}."
        meant = " or ".join(choices(field, value))
        problems[field.name] = (
            f"{message} Which is meant: {meant}?" if meant else message
        )
    elif heading.unit is None and may_be_fraction(field, value):
        problems[field.name] = (
            f"{field.name} must be in %, got {show(value)}, which may be a fraction. "
            f"Write {show(100 * float(found))} or, for less than 1 %, {show(value)} %."
        )
    else:
        clean[field.name] = found


def find_key(key: object) -> Field | None:
    """Return the field that a key of a patient means, whatever object it is.

    Examples
    --------
    >>> find_key("Âge").name, find_key(10**5000)
    ('age', None)
    """
    return find_field(key if isinstance(key, str) else show(key))


def later_message(field: Field, moment: str) -> str:
    """Say that a value is known only later than a moment."""
    return (
        f"{field.name} is known only from {field.known_from}, later than {moment}. "
        "Leave it out."
    )


def unknown_message(name: str) -> str:
    """Say that a name is not in the dictionary, and which one is likely meant."""
    message = f"{name} is not a field of the dictionary."
    likely = " or ".join(field.name for field in likely_fields(name))
    return f"{message} Nearest known name: {likely}." if likely else message


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


def _derive(clean: dict[str, Value]) -> None:
    for name, source, derived in _derivations(dictionary()):
        if source in clean and str(clean[source]) in derived:
            clean[name] = derived[str(clean[source])]


def contradictions(clean: Mapping[str, Value]) -> dict[str, str]:
    """Return what contradicts itself in a patient's cleaned values, by field.

    Examples
    --------
    >>> contradictions({"aetiology": "amputation", "lesion_type": "central"})
    {'lesion_type': 'lesion_type must be peripheral, as aetiology says, got central.'}
    """
    table = dictionary()
    problems = {}
    for name, source, derived in _derivations(table):
        due = derived.get(str(clean.get(source)))
        if due is not None and clean.get(name, due) != due:
            problems[name] = (
                f"{name} must be {due}, as {source} says, got {clean[name]}."
            )
    for decision in table.decisions.values():
        name, due_outcome = decision.binary_outcome, _binary_outcome(decision, clean)
        if due_outcome is not None and clean.get(name, due_outcome) != due_outcome:
            word = "yes" if due_outcome else "no"
            problems[name] = f"{name} must be {word}, as {decision.outcome} says."
    return problems


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
