"""The dictionary of a model folder, read with care and compared with the installed.

What a model means is what its own dictionary says. Names and words are read by the
installed one, which may therefore know more, and say it otherwise, but must not mean
another thing by a name that the model has.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable

from responder_model import schema
from responder_model.errors import ResponderModelError, UntrustedModelError
from responder_model.features import Encoder
from responder_model.vocabulary import show
from responder_model.words import LANGUAGES, Note
from .kinds import read_as

# Characters of a line of the dictionary; the longest has about 400.
_LONGEST_LINE = 4000


def read_dictionary(data: bytes) -> schema.Dictionary:
    """Dictionary of a folder, every part of it of the kind that it must be.

    Raises
    ------
    UntrustedModelError
        For anything else.
    """
    if data == schema.dictionary_text().encode():
        return schema.dictionary()
    table = _parse(data)
    read_as(table, schema.Dictionary, "dictionary.toml")
    if wrong := _inconsistency(table):
        raise UntrustedModelError(Note("artifact.own_names", place=show(wrong)))
    return table


def _parse(data: bytes) -> schema.Dictionary:
    try:
        text = data.decode("utf-8")
        # reading a key takes the square of its length
        if max(map(len, text.splitlines()), default=0) > _LONGEST_LINE:
            raise ValueError
        return schema.parse_dictionary(text)
    except (
        tomllib.TOMLDecodeError,
        UnicodeDecodeError,
        RecursionError,
        KeyError,
        TypeError,
        AttributeError,
        ValueError,
        ResponderModelError,
    ):
        raise UntrustedModelError(Note("artifact.no_dictionary")) from None


def _inconsistency(table: schema.Dictionary) -> str | None:
    """First part that names what the dictionary does not have."""
    moments = {moment.name for moment in table.moments}
    for decision in table.decisions.values():
        if not _is_consistent(decision, table, moments):
            return decision.name
    for row in table.fields.values():
        if not _is_declared(row, table, moments):
            return row.name
    for series in table.series:
        if not set(series.fields) <= set(table.fields):
            return series.name
    return None if table.resolution > 0.0 else "resolution"


def _is_consistent(
    decision: schema.Decision, table: schema.Dictionary, moments: set[str]
) -> bool:
    cuts = decision.cut_points
    fields = {decision.outcome, decision.binary_outcome, decision.requires} - {None}
    return (
        bool(decision.moments)
        and set(decision.moments) <= moments
        and fields <= set(table.fields)
        and list(cuts) == sorted(set(cuts))
        and {decision.main_cut_point, *decision.served_cut_points} <= set(cuts)
    )


def _is_declared(
    row: schema.Field, table: schema.Dictionary, moments: set[str]
) -> bool:
    names = row.category_names
    others = [name for name in (row.derived_from, row.indicates) if name is not None]
    if row.known_from not in moments or not set(others) <= set(table.fields):
        return False
    if not all(set(LANGUAGES) <= set(words) for words in _words_of(row)):
        return False
    if row.kind == "number":
        return row.minimum is not None and row.maximum is not None
    if row.kind != "category":
        return True
    follows = table.derived_categories(row.name).values()
    weighed = {name for contrast in row.contrasts for name in contrast.weights}
    return len(names) == len(set(names)) > 1 and {*follows, *weighed} <= set(names)


def _words_of(row: schema.Field) -> Iterable[Iterable[str]]:
    yield row.label
    if row.unit is not None:
        yield row.unit
    for category in row.categories:
        yield category.label


def check_meaning(encoder: Encoder) -> None:
    """Refuse a model whose names mean something else in the installed dictionary.

    Raises
    ------
    UntrustedModelError
        Names the predictors, or the decision.
    """
    theirs, ours = encoder.dictionary, schema.dictionary()
    if theirs is ours:
        return
    differing = [n for n in encoder.predictors if not _means_the_same(theirs, ours, n)]
    decision = encoder.decision
    if _rule(theirs, decision) != _rule(ours, decision):
        differing.append(decision)
    if encoder.moment not in ours.decisions[decision].moments:
        differing.append(encoder.moment)
    if differing:
        names = ", ".join(map(show, differing[:10]))
        raise UntrustedModelError(Note("artifact.dictionary_differs", names=names))


def _means_the_same(
    theirs: schema.Dictionary, ours: schema.Dictionary, name: str
) -> bool:
    """Whether a field is the same in both; categories may have been added to ours."""
    first, second = theirs.fields[name], ours.fields.get(name)
    if second is None or not set(first.category_names) <= set(second.category_names):
        return False
    return _kind(first) == _kind(second) and _unit(first) == _unit(second)


def _kind(row: schema.Field) -> tuple[object, ...]:
    return row.kind, row.transform, row.known_from, row.derived_from, row.indicates


def _unit(row: schema.Field) -> str | None:
    """Unit of a field whatever word is used for it."""
    from responder_model.vocabulary.units import unit_named

    if row.unit is None:
        return None
    return unit_named(row.unit["en"]) or row.unit["en"]


def _rule(table: schema.Dictionary, name: str) -> tuple[object, ...] | None:
    decision = table.decisions.get(name)
    if decision is None:
        return None
    outcome = (decision.outcome, decision.binary_outcome, decision.requires)
    return (*outcome, decision.comparison, decision.main_cut_point)
