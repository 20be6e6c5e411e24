"""What a cohort's numbers leave open: asked about, never guessed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from responder_model.errors import Problem, Question
from responder_model.schema import Field, dictionary
from responder_model.vocabulary import is_allowed, own_unit, show
from responder_model.words import Note
from .asking import Numbers, Rows, question
from .mapping import CohortMap

# Codes for a missing value in SPSS, Stata and REDCap files that a field may also allow.
# They are asked about where they stand apart from the values, or stand there too often.
WORST = (-99.0, -98.0, -97.0, -96.0, -95.0, -88.0, -77.0)
CODES = (*WORST, -9.0, 98.0, 99.0, 777.0, 888.0, 999.0, 9999.0, -999.0)
# These are values too, unless a column that cannot hold them has one, relief is never
# worse by another number, or every other relief of a column is rounded.
SMALL = (-8.0, -7.0, -1.0)
# To what people round relief, and how many must, so that another number is no value.
ROUND, FEWEST_ROUND = 5.0, 8
NO_FRACTION = Note("cohort.no_fraction")
# Fewest other values from which a code can be told.
FEWEST_OTHERS = 2
# Share of a field's range within which a value has neighbours.
NEIGHBOURHOOD = 0.1
# Standard deviations of a count by which a code stands out among the numbers around it.
CHANCE = 4
# Fewest worse patients, and their share, from which a sign may be turned round.
FEWEST_WORSE, SHARE_WORSE = 5, 0.75
# Values of relief in a file from which it may be points, and the end of their scale.
FEWEST_POINTS, MOST_POINTS = 8, 10
# Follow-up after an implant that the dictionary asks for, in months.
LEAST_FOLLOW_UP = 12
# Fewest values from which a median says something.
FEWEST_VALUES = 3
# Values of a column that are offered for an answer one by one.
MOST_SINGLE = 5


def ask_of_values(
    cohort: pd.DataFrame, problems: Sequence[Problem], rows: Rows, how: CohortMap
) -> Iterator[Question]:
    """Ask what the numbers of a cohort leave open.

    Parameters
    ----------
    cohort : DataFrame
        Typed columns.
    problems : sequence of Problem
        Refused cells, which a question may explain.
    rows : array of int
        Row number of each patient.
    how : CohortMap
        What is answered already.
    """
    fields = [dictionary().fields[str(name)] for name in cohort.columns]
    numbers = {
        field.name: cohort[field.name].to_numpy(dtype=np.float64, na_value=np.nan)
        for field in fields
        if field.kind == "number"
    }
    yield from _codes(fields, numbers, problems, rows, how)
    yield from _points(numbers, rows, how)
    for name, values in numbers.items():
        yield from _of_numbers(dictionary().fields[name], values, problems, rows, how)


def _of_numbers(
    field: Field,
    values: Numbers,
    problems: Sequence[Problem],
    rows: Rows,
    how: CohortMap,
) -> Iterator[Question]:
    unit = own_unit(field)
    if unit == "percent":
        if field.name not in how.units:
            yield from _fractions(field, values, rows)
        if field.name not in how.signs:
            yield from _signs(field, values, rows)
    elif field.name not in how.units and unit == "month":
        yield from _years(field, values, rows)
    elif field.name not in how.units and unit == "point":
        if field.maximum == 10:
            yield from _hundred(field, values, problems)
        yield from _ones(field, values, rows)


def _fractions(field: Field, values: Numbers, rows: Rows) -> Iterator[Question]:
    size = np.abs(values)
    known = size[~np.isnan(size)]
    between = (size > 0) & (size < 1)
    ones_only = len(known) >= FEWEST_VALUES and known.max() == 1
    answers = (f'units.{field.name} = "fraction"', f'units.{field.name} = "percent"')
    if not (between.any() or ones_only):
        return
    if known.max() <= 1:
        text = Note("cohort.all_fractions", field=field.name)
        yield question("fractions", field, rows[size > 0], text, answers)
    else:
        text = Note("cohort.some_fractions", field=field.name)
        singles = [
            f'values.{field.name}."{value:g}" = {100 * value:g}'
            for value in dict.fromkeys(values[between][:MOST_SINGLE].tolist())
        ]
        yield question("fractions", field, rows[between], text, (*singles, answers[1]))


def fractions(cohort: pd.DataFrame, rows: Rows, how: CohortMap) -> list[Problem]:
    """Refuse each value of a part of a table that may be a fraction."""
    found = []
    for name in map(str, cohort.columns):
        field = dictionary().fields[name]
        if own_unit(field) == "percent" and name not in how.units:
            size = np.abs(cohort[name].to_numpy(dtype=np.float64, na_value=np.nan))
            found += [
                Problem(
                    row=int(rows[place]),
                    field=name,
                    found=show(cohort[name].iloc[place]),
                    allowed=NO_FRACTION,
                )
                for place in np.flatnonzero((size > 0) & (size < 1))
            ]
    return found


def _signs(field: Field, values: Numbers, rows: Rows) -> Iterator[Question]:
    worse, given = values < 0, np.nan_to_num(values) != 0
    if worse.sum() >= FEWEST_WORSE and worse.sum() >= SHARE_WORSE * given.sum():
        counts = {"n": int(worse.sum()), "of": int(given.sum())}
        text = Note("cohort.below_zero", field=field.name, **counts)
        answers = (
            f'signs.{field.name} = "reversed"',
            f'signs.{field.name} = "as written"',
        )
        yield question("sign", field, rows[worse], text, answers)


def _years(field: Field, values: Numbers, rows: Rows) -> Iterator[Question]:
    known = values[~np.isnan(values)]
    if field.transform == "log":
        usual = math.exp(field.reference.mean)
        low = math.exp(field.reference.mean - 2 * field.reference.sd)
    else:
        usual = low = float(LEAST_FOLLOW_UP)
    if len(known) < FEWEST_VALUES:
        return
    median = float(np.median(known))
    units = [(low > median, "years")]
    if field.transform == "log":
        units.append((median > usual**2 / low, "days"))
    for is_unlikely, unit in units:
        if is_unlikely:
            months = {"median": median, "usual": round(usual)}
            text = Note(f"cohort.{unit}", field=field.name, **months)
            stated = (f'units.{field.name} = "{name}"' for name in (unit, "months"))
            at = rows[~np.isnan(values)]
            yield question(unit, field, at, text, tuple(stated))


def _points(
    numbers: Mapping[str, Numbers], rows: Rows, how: CohortMap
) -> Iterator[Question]:
    """Ask whether relief is points of a scale, where no relief of the file is above 10.

    Where it is never above 1, fractions are asked about.
    """
    fields = [dictionary().fields[name] for name in numbers]
    reliefs = [f for f in fields if own_unit(f) == "percent"]
    size = {f.name: np.abs(np.nan_to_num(numbers[f.name])) for f in reliefs}
    given = sum(int((part > 0).sum()) for part in size.values())
    most = max((float(part.max(initial=0.0)) for part in size.values()), default=0.0)
    if given < FEWEST_POINTS or not 1 < most <= MOST_POINTS:
        return
    for field in reliefs:
        if field.name not in how.units and size[field.name].max(initial=0.0) > 1:
            text = Note("cohort.points", field=field.name)
            answers = (f'units.{field.name} = "percent"',)
            at = rows[size[field.name] > 0]
            yield question("points", field, at, text, answers)


def _ones(field: Field, values: Numbers, rows: Rows) -> Iterator[Question]:
    """Ask whether a score that is 0 or 1 in all is a yes or no."""
    known = values[~np.isnan(values)]
    if len(known) >= FEWEST_VALUES and set(pd.unique(known)) == {0.0, 1.0}:
        text = Note("cohort.ones", field=field.name)
        answers = (
            f'units.{field.name} = "points"',
            f'values.{field.name} = {{ "0" = "", "1" = "" }}',
        )
        yield question("yes or no", field, rows[~np.isnan(values)], text, answers)


def _hundred(
    field: Field, values: Numbers, problems: Sequence[Problem]
) -> Iterator[Question]:
    """Ask whether a scale that should end at 10 ends at 100."""
    refused = [p for p in problems if p.field == field.name and p.row is not None]
    found = [(_number(p.found), p.row or 0) for p in refused]
    above = [row for n, row in found if n is not None and 10 < n <= 100]
    if (
        len(above) >= 2
        and len(above) == len(refused)
        and len(above) > np.sum(values > 0)
    ):
        text = Note("cohort.scale", field=field.name, n=len(above))
        answers = (f'units.{field.name} = "/100"', f'units.{field.name} = "/10"')
        yield question("scale", field, above, text, answers)


# ---------------------------------------------------------------- missing codes


def _codes(
    fields: Sequence[Field],
    numbers: Mapping[str, Numbers],
    problems: Sequence[Problem],
    rows: Rows,
    how: CohortMap,
) -> Iterator[Question]:
    """Ask of every usual code in every column, once one column gives one away."""
    refused = [(p.field, _number(p.found), p.row) for p in problems if p.row]
    known: tuple[float, ...] = (*CODES, *SMALL)
    outside = [(name, code, row) for name, code, row in refused if code in known]
    if not (outside or _only_small_below_0(numbers) or _small_beside_round(numbers)):
        known = CODES
        if not any(
            _gives_code_away(dictionary().fields[name], values)
            for name, values in numbers.items()
        ):
            return
    nothing = np.zeros(len(rows))
    for field in fields:
        for code in known:
            inside = rows[numbers.get(field.name, nothing) == code].tolist()
            beyond = [
                row for name, c, row in outside if (name, c) == (field.name, code)
            ]
            at = sorted({*inside, *beyond})
            if at and not how.knows_code(field.name, code):
                told = {"code": f"{code:g}", "n": len(at)}
                text = Note("cohort.missing_code", field=field.name, **told)
                answers = (
                    f"missing_codes = [{code:g}]",
                    f"kept.{field.name} = [{code:g}]",
                )
                yield question("missing code", field, at, text, answers)


def _only_small_below_0(numbers: Mapping[str, Numbers]) -> bool:
    """Whether relief is below 0 by small codes alone: people say 5 or 10 % worse."""
    worse = [values[values < 0] for values in numbers.values()]
    found = any(map(len, worse))
    return found and all(np.isin(part, (-9.0, *SMALL)).all() for part in worse)


def _small_beside_round(numbers: Mapping[str, Numbers]) -> bool:
    """Whether a column of rounded relief has a small code: nobody says 9 % worse."""
    for values in numbers.values():
        small = np.isin(values, (-9.0, *SMALL))
        others = values[~small & ~np.isnan(values)]
        if small.any() and len(others) >= FEWEST_ROUND and not (others % ROUND).any():
            return True
    return False


def _gives_code_away(field: Field, values: Numbers) -> bool:
    """Whether a code in a column stands apart from its values, or there too often."""
    distinct, numbers = np.unique(values[~np.isnan(values)], return_counts=True)
    counts = dict(zip(distinct.tolist(), numbers.tolist(), strict=True))
    codes = [code for code in CODES if code in counts and is_allowed(field, code)]
    others = {number: n for number, n in counts.items() if number not in CODES}
    if not codes or field.minimum is None or field.maximum is None:
        return False
    if sum(others.values()) < FEWEST_OTHERS:
        return False
    span = NEIGHBOURHOOD * (field.maximum - field.minimum)
    for code in codes:
        # 99 % of relief is near to complete relief, a value
        may_be_alone = own_unit(field) != "percent" or code in WORST
        if may_be_alone and min(abs(other - code) for other in others) > span:
            return True
        if counts[code] > _expected(field, others, code):
            return True
    return False


def _expected(field: Field, others: Mapping[float, int], code: float) -> float:
    """How often a code may stand there as a value: as its neighbours, and by chance.

    Multiples of 5 are no neighbours: people round to them. A file that holds its rows
    several times has more of each, so that the commonest neighbour counts too.
    """
    steps = [code + step for step in range(-8, 9) if step and (code + step) % 5]
    counts = [others.get(n, 0) for n in steps if is_allowed(field, n)]
    mean = float(np.mean(counts))
    return max(mean + CHANCE * math.sqrt(mean + 1), 2.0 * float(max(counts)))


def _number(found: str | Note) -> float | None:
    try:
        return float(str(found).replace(",", "."))
    except ValueError:
        return None
