"""One column, read as its heading and a mapping say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from responder_model.errors import Problem, Question
from responder_model.schema import Field, dictionary
from responder_model.vocabulary import (
    INVALID,
    PSEUDONYM,
    Heading,
    are_births,
    are_names,
    find_heading,
    is_formula,
    is_missing,
    names_person,
    own_unit,
    show,
)
from responder_model.vocabulary.categories import named_site
from responder_model.words import Note
from .asking import TIMES, ask_of_blanks, ask_of_plain
from .columns import category_dtype, distinct_values, read_cell, read_column
from .following import contradicting
from .mapping import CohortMap

Mask = NDArray[np.bool_]
# Marks beside which a blank may be a no.
CROSSES = frozenset({"x", "+", "✓", "✔", "coché", "checked"})
# Identifiers that are worth a look: no digit, a date, a long number, a space, the sign
# with which a formula begins, or a word before a year.
_SUSPECT = (
    r"^[^0-9]+$|[0-9]{1,4}[/.\-][0-9]{1,2}[/.\-][0-9]{1,4}|^[0-9ABab .\-]{13,}$| "
    r"|^[=+@\-]|^[0-9]{8}$|[A-Za-zéûÉÛ]{3}[./\-]*(?:19|20)[0-9]{2}"
)
NO_HEADING = Note("cohort.no_heading")
NO_FORMULA = Note("cohort.no_formula")
# What stands for a cell of another unit that is no value, so that it is refused.
_REFUSED = "?"


@dataclass(frozen=True, kw_only=True)
class ReadColumn:
    """A column in its field's type, the cells that are refused, and what is open."""

    values: pd.Series
    refused: Mask
    questions: tuple[Question, ...] = ()


def read_by_map(
    heading: Heading, cells: pd.Series, rows: NDArray[np.int64], how: CohortMap
) -> ReadColumn:
    """Read a column: missing codes and words of the mapping, units, signs, blanks."""
    field, prepared = heading.field, _prepared(heading, cells, how)
    values, refused = read_column(field, prepared)
    if field.kind == "number" and how.signs.get(field.name) == "reversed":
        values = 0.0 - values
    if field.kind == "category" and (alike := _letters_of_one(prepared, values)).any():
        refused, values = refused | alike, values.mask(alike)
    if field.kind != "boolean":
        plain = _plain_beside_units(heading, cells, how)
        asked = (ask_of_plain(field, rows[plain]),) if plain.any() else ()
        return ReadColumn(values=values, refused=refused, questions=asked)
    if (ones := _ones_beside_twos(cells, prepared)).any():
        # where 1 and 2 are the answers, 1 may be no
        refused, values = refused | ones, values.mask(ones)
    if refused.any() and _holds(cells, "+"):
        # beside a plus a dash is a minus
        return read_by_map(heading, cells.replace("-", "no"), rows, how)
    return _with_blanks(heading, cells, values, refused, rows, how)


def _prepared(heading: Heading, cells: pd.Series, how: CohortMap) -> pd.Series:
    """Cells as the mapping reads them, in the field's own unit."""
    field = heading.field
    unit = how.unit_of(field.name) or heading.unit
    touched = field.kind != "text" and (how.missing_codes or field.name in how.values)
    if not touched and (unit is None or field.kind != "number"):
        return cells

    def prepared(cell: Any) -> Any:
        meant = how.replaced(field, cell)
        if meant is not cell or unit is None:
            return meant
        found = read_cell(field, cell, unit=unit)
        return _REFUSED if found is INVALID else found

    codes, distinct = distinct_values(cells)
    meant = pd.Series([*map(prepared, distinct), None], dtype=object)
    return meant.iloc[codes].set_axis(cells.index)


def with_named_sites(
    cohort: pd.DataFrame,
    frame: pd.DataFrame,
    headings: Mapping[int, Heading],
    rows: NDArray[np.int64],
) -> tuple[pd.DataFrame, list[Problem], list[Note]]:
    """Fill unknown lesion sites that the words of an aetiology name, and say so.

    A site that differs from the one that the words name is refused.
    """
    places = [p for p, h in headings.items() if h.field.name == "aetiology"]
    if not places:
        return cohort, [], []
    codes, distinct = distinct_values(frame.iloc[:, places[0]])
    words = [getattr(cell, "label", cell) for cell in distinct]
    sites = [named_site(word) if isinstance(word, str) else None for word in words]
    if not any(sites):
        return cohort, [], []
    field = dictionary().fields["lesion_site"]
    named = pd.Series([*sites, None], dtype=category_dtype(field)).iloc[codes]
    named.index = cohort.index
    named = named.where(cohort["aetiology"].notna())
    given = cohort.get(field.name)
    if given is None:
        given = named.where(np.zeros(len(named), dtype=bool))
    allowed = Note("cohort.follows", source="aetiology")
    problems = contradicting(given, named, rows, allowed)
    filled = given.where(given.notna(), named)
    n_filled = int(filled.notna().sum() - given.notna().sum())
    told = [Note("cohort.sites_named", n=n_filled)] if n_filled else []
    return cohort.assign(**{field.name: filled}), problems, told


def _plain_beside_units(heading: Heading, cells: pd.Series, how: CohortMap) -> Mask:
    """Numbers without a unit, where others name one that is not the field's own."""
    field, nothing = heading.field, np.zeros(len(cells), dtype=bool)
    is_text = isinstance(cells.dtype, pd.StringDtype) or cells.dtype == object
    if not is_text or own_unit(field) not in TIMES:
        return nothing
    if heading.unit is not None or field.name in how.units:
        return nothing
    codes, distinct = distinct_values(cells)
    numbers = [_plain_number(cell) for cell in distinct]
    is_foreign = any(
        number is None and isinstance(cell, str) and _names_other_unit(field, cell)
        for cell, number in zip(distinct, numbers, strict=True)
    )
    is_plain = np.array([*(number is not None for number in numbers), False])
    return is_plain[codes] if is_foreign else nothing


def _plain_number(cell: Any) -> float | None:
    try:
        number = float(str(cell).replace(",", "."))
    except ValueError:
        return None
    return None if np.isnan(number) or number == 0 else number


def _names_other_unit(field: Field, text: str) -> bool:
    """Whether a text is a number with another unit than the field's."""
    found = re.match(r"\s*[0-9]+(?:[.,][0-9]+)?(?=\s*[^\W\d_])", text)
    read = read_cell(field, text) if found else INVALID
    return found is not None and read not in (INVALID, None, _plain_number(found[0]))


def _holds(cells: pd.Series, mark: str) -> bool:
    return bool((cells.astype(object) == mark).any())


def _letters_of_one(cells: pd.Series, values: pd.Series) -> Mask:
    """Cells of letters that name one category, where two do and nothing names another.

    H and M are a man in French and English, a man and a woman in Spanish.
    """
    place = values.cat.codes.to_numpy()
    is_read = place >= 0
    if not is_read.any() or place[is_read].min() < place.max():
        return np.zeros(len(cells), dtype=bool)
    codes, distinct = distinct_values(cells)
    words = [show(getattr(cell, "label", cell)).casefold() for cell in distinct]
    is_letter = np.array([*(len(w) == 1 and w.isalpha() for w in words), False])
    letters = is_letter[codes] & is_read
    found = {words[code] for code in codes[letters].tolist()}
    return np.asarray(letters & (len(found) > 1))


def _ones_beside_twos(cells: pd.Series, prepared: pd.Series) -> Mask:
    """Ones that no mapping explains, in a column that has twos and no zero."""
    if getattr(cells.dtype, "kind", "O") == "b":
        return np.zeros(len(cells), dtype=bool)
    codes, distinct = distinct_values(cells)
    numbers = np.array([*map(_code, distinct), None], dtype=object)
    if 2 not in numbers or 0 in numbers:
        return np.zeros(len(cells), dtype=bool)
    left = np.array([_code(cell) == 1 for cell in prepared], dtype=bool)
    ones: Mask = np.array([number == 1 for number in numbers], dtype=bool)[codes]
    return left & ones


def _code(cell: Any) -> int | None:
    """Whole number of a cell that holds nothing else."""
    if isinstance(cell, bool | np.bool_) or not isinstance(
        cell, str | int | float | np.integer
    ):
        return None
    text = show(cell).strip()
    return int(text[0]) if re.fullmatch(r"[0-9](?:[.,]0*)?", text) else None


def _with_blanks(
    heading: Heading,
    cells: pd.Series,
    values: pd.Series,
    refused: Mask,
    rows: NDArray[np.int64],
    how: CohortMap,
) -> ReadColumn:
    """Fill blanks that mean no, or ask where only crosses stand beside them."""
    field = heading.field
    meaning = how.blanks.get(field.name)
    unknown = values.isna().to_numpy() & ~refused
    if meaning == "missing" or not unknown.any():
        return ReadColumn(values=values, refused=refused)
    only_yes = bool(values.any()) and bool(values.dropna().all())
    if meaning is None and not only_yes:
        return ReadColumn(values=values, refused=refused)
    blank = unknown & np.array([is_missing(cell) for cell in cells], dtype=bool)
    if meaning == "no":
        filled = values.copy()
        filled.loc[blank] = False
        return ReadColumn(values=filled, refused=refused)
    if not blank.any():
        return ReadColumn(values=values, refused=refused)
    words = {str(cell).strip().casefold() for cell in cells[~blank & ~refused]}
    asked = (ask_of_blanks(field, rows[blank]),) if words <= CROSSES else ()
    return ReadColumn(values=values, refused=refused, questions=asked)


def check_identifiers(values: pd.Series, rows: NDArray[np.int64]) -> list[Problem]:
    """Refuse names, dates and numbers of persons, and forget them."""
    texts = pa.array(values, type=pa.string(), from_pandas=True)
    suspect = pc.match_substring_regex(texts, _SUSPECT)
    places = np.flatnonzero(
        suspect.to_pandas().fillna(value=False).to_numpy(dtype=bool)
    )
    found = {int(place): str(values.iloc[place]) for place in places}
    texts_found, n_given = set(found.values()), values.notna().sum()
    all_persons = len(found) > n_given / 2 and (
        are_names(texts_found) or (len(found) == n_given and are_births(texts_found))
    )
    rules = {place: _broken(text, all_persons) for place, text in found.items()}
    wrong = {place: rule for place, rule in rules.items() if rule is not None}
    values.iloc[np.array([*wrong], dtype=np.intp)] = None
    name = str(values.name)
    return [
        Problem(
            row=int(rows[place]),
            field=name,
            found="" if rule is PSEUDONYM else show(found[place]),
            allowed=rule,
        )
        for place, rule in wrong.items()
    ]


def _broken(text: str, all_persons: bool) -> Note | None:  # noqa: FBT001
    """Rule that an identifier breaks, if any."""
    if all_persons or names_person(text):
        return PSEUDONYM
    heading = find_heading(text)
    # a synonym may be somebody's initials
    if heading is not None and heading.own:
        return NO_HEADING
    return NO_FORMULA if is_formula(text) else None
