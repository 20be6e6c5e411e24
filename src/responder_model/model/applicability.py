"""Whether a model applies to a patient: one check per predictor, pair and distance.

Checks are compiled once per model and run on arrays, so that one patient and a million
are judged by the same code. Levels: 0 inside, 1 borderline, 2 outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from responder_model.features import Array, Encoder, Population
from responder_model.schema import Field
from responder_model.words import Note
from .limits import (
    Limits,
    category_names,
    non_responders,
    number_columns,
    preceding_test,
    session_reliefs,
    whitening,
)

Levels = NDArray[np.int8]

_CLASS_LEVEL = {"none": 2, "few": 1, "enough": 0}


@dataclass(frozen=True, kw_only=True, eq=False)
class Checks:
    """Compiled checks of one model.

    Columns of ``levels``: numbers, categories, pairs, then joint distance, preceding
    test, whether anything is known, and whether any relief of the sessions so far is.
    """

    encoder: Encoder
    limits: Limits
    numbers: NDArray[np.int64]  # positions of the numbers among the predictors
    bounds: Array  # (4, n_numbers): widest low, usual low, usual high, widest high
    categories: NDArray[np.int64]  # positions of yes/no and categories
    offsets: NDArray[np.int64]  # start of each one's block in `table`
    table: Levels  # level of each value; the last of a block is "missing"
    missing_codes: Array  # code that stands for missing
    pairs: tuple[tuple[int, int, Levels], ...]  # positions and table (k + 1, m + 1)
    reliefs: NDArray[np.int64]  # positions of the reliefs of sessions
    columns: NDArray[np.int64]  # base columns of the joint distance
    whitening: Array

    def levels(self, raw: Array, deviation: Array) -> Levels:
        """Level of each check, (n, n_checks).

        ``raw`` has the raw predictors; ``deviation`` the filled base columns minus the
        population mean.
        """
        parts = [self._number_levels(raw), self._category_levels(raw)]
        parts += [self._pair_levels(raw, *pair) for pair in self.pairs]
        parts += [self._distance_levels(deviation), self._test_levels(raw)]
        parts.append(np.asarray(np.isnan(raw).all(axis=1, keepdims=True), np.int8))
        if len(self.reliefs):
            unknown = np.isnan(raw[:, self.reliefs]).all(axis=1, keepdims=True)
            parts.append(np.asarray(unknown, np.int8))
        return np.concatenate(parts, axis=1)

    def _number_levels(self, raw: Array) -> Levels:
        x = raw[:, self.numbers]
        low, usual_low, usual_high, high = self.bounds
        levels = ((x < usual_low) | (x > usual_high)).astype(np.int8)
        if levels.any():
            levels += (x < low) | (x > high)
        return np.asarray(levels)

    def _category_levels(self, raw: Array) -> Levels:
        x = raw[:, self.categories]
        codes = np.where(np.isnan(x), self.missing_codes, x).astype(np.int64)
        return np.asarray(self.table[codes + self.offsets])

    def _pair_levels(self, raw: Array, i: int, j: int, table: Levels) -> Levels:
        rows, columns = (
            np.where(np.isnan(raw[:, k]), size - 1, raw[:, k]).astype(np.int64)
            for k, size in zip((i, j), table.shape, strict=True)
        )
        return np.asarray(table[rows, columns][:, None])

    def _distance_levels(self, deviation: Array) -> Levels:
        white = deviation[:, self.columns] @ self.whitening.T
        squared = np.einsum("ij,ij->i", white, white)[:, None]
        usual = (squared > self.limits.usual_distance).astype(np.int8)
        return np.asarray(usual + (squared > self.limits.widest_distance))

    def _test_levels(self, raw: Array) -> Levels:
        """Failed test: outside, or borderline where enough had failed; unknown test."""
        if self.limits.non_responders is None:
            return np.zeros((len(raw), 1), dtype=np.int8)
        failed, known = non_responders(self.encoder, raw)
        level = 1 if self.limits.non_responders == "enough" else 2
        return np.where(known, np.where(failed, level, 0), 1).astype(np.int8)[:, None]

    def reasons(self, levels: Levels, raw: Array) -> tuple[Note, ...]:
        """Why one patient is not inside; ``levels`` (n_checks,), ``raw`` (k,)."""
        found: list[Note] = []
        fields, start = self.encoder.fields, len(self.numbers)
        for check in np.flatnonzero(levels):
            k = int(check) - start
            if k < 0:
                found.append(self._number_reason(int(check), raw))
            elif k < len(self.categories):
                row = fields[int(self.categories[k])]
                key = "unseen" if levels[check] == 2 else "rare"
                value = _value(row, raw[int(self.categories[k])])
                found.append(Note(f"model.{key}", field=row.name, value=value))
            elif k < len(self.categories) + len(self.pairs):
                found.append(self._pair_reason(k - len(self.categories), raw))
            else:
                last = k - len(self.categories) - len(self.pairs)
                found.append(self._last_reason(last, raw))
        return tuple(found)

    def _number_reason(self, check: int, raw: Array) -> Note:
        position = int(self.numbers[check])
        row = self.encoder.fields[position]
        given = {"field": row.name, "value": float(raw[position])}
        if row.name not in self.limits.numbers:
            return Note("model.never_recorded", **given)
        low, high = self.limits.numbers[row.name].usual
        return Note("model.range", **given, low=low, high=high)

    def _pair_reason(self, k: int, raw: Array) -> Note:
        i, j, _ = self.pairs[k]
        first, second = self.encoder.fields[i], self.encoder.fields[j]
        return Note(
            "model.never_together",
            first=first.name,
            first_value=_value(first, raw[i]),
            second=second.name,
            second_value=_value(second, raw[j]),
        )

    def _last_reason(self, last: int, raw: Array) -> Note:
        if last == 0:
            return Note("model.distance")
        if last > 1:
            return Note("model.nothing_known" if last == 2 else "model.no_relief")
        _, known = non_responders(self.encoder, raw[None])
        return Note("model.non_responder" if known[0] else "model.test_unknown")


def _value(row: Field, code: float) -> bool | str:
    """Yes/no or category of a field by the number that stands for it."""
    return bool(code) if row.kind == "boolean" else row.category_names[int(code)]


def compile_checks(encoder: Encoder, limits: Limits, population: Population) -> Checks:
    """Compile the checks of a model."""
    kinds = np.array([row.kind == "number" for row in encoder.fields])
    numbers = np.flatnonzero(kinds)
    names = [encoder.predictors[k] for k in numbers]
    bounds = partial(_bounds, encoder.dictionary.resolution / 2, limits)
    categories = np.flatnonzero(~kinds)
    blocks = [_block(encoder.fields[k], limits) for k in categories]
    sizes = np.array([len(block) for block in blocks], dtype=np.int64)
    return Checks(
        encoder=encoder,
        limits=limits,
        numbers=numbers,
        bounds=np.array([bounds(name) for name in names]).reshape(-1, 4).T,
        categories=categories,
        offsets=np.cumsum(sizes) - sizes,
        table=np.concatenate([*blocks, np.zeros(0, dtype=np.int8)]),
        missing_codes=(sizes - 1).astype(np.float64),
        pairs=_compile_pairs(encoder, limits),
        reliefs=np.flatnonzero(np.isin(encoder.predictors, session_reliefs(encoder))),
        columns=number_columns(encoder, population),
        whitening=whitening(encoder, population),
    )


def _bounds(
    half: float, limits: Limits, name: str
) -> tuple[float, float, float, float]:
    row = limits.numbers.get(name)
    if row is None:
        # never recorded: unusual, whatever it is
        return (-np.inf, np.inf, -np.inf, np.inf)
    # at a bound is within it, also where arithmetic in binary lies beside it
    (usual_low, usual_high), (low, high) = row.usual, row.widest
    return (low - half, usual_low - half, usual_high + half, high + half)


def _block(row: Field, limits: Limits) -> Levels:
    """Level of each value of one predictor, then of missing; all 1 if unrecorded."""
    names = category_names(row)
    seen = limits.seen.get(row.name)
    levels = [1 if seen is None else _CLASS_LEVEL[seen[name]] for name in names]
    return np.array([*levels, 0], dtype=np.int8)


def _compile_pairs(
    encoder: Encoder, limits: Limits
) -> tuple[tuple[int, int, Levels], ...]:
    tables: dict[tuple[int, int], Levels] = {}
    for a, first, b, second in limits.never_together:
        i, j = encoder.predictors.index(a), encoder.predictors.index(b)
        rows, columns = (
            encoder.fields[i].category_names,
            encoder.fields[j].category_names,
        )
        shape = (len(rows) + 1, len(columns) + 1)
        table = tables.setdefault((i, j), np.zeros(shape, dtype=np.int8))
        table[rows.index(first), columns.index(second)] = 2
    return tuple((i, j, table) for (i, j), table in tables.items())


def failed_tests(encoder: Encoder, raw: Array) -> NDArray[np.bool_]:
    """Whether each patient is known to have failed the preceding test, (n,)."""
    if preceding_test(encoder) is None:
        return np.zeros(len(raw), dtype=bool)
    failed, known = non_responders(encoder, raw)
    return np.asarray(failed & known, dtype=bool)
