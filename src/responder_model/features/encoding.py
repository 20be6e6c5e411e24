"""From dictionary values to numbers: one encoder for development and prediction.

Two steps, numpy only. ``raw`` holds one number per predictor (categories as codes,
yes/no as 1/0, NaN for missing): trees read it. ``encode`` turns it into *base columns*
in reference units: ``(x - reference mean) / reference SD`` for a number, the centred
contrast for yes/no and categories. *Model columns*, which carry priors, are linear in
the base columns (``projection``): mean relief so far and its trend, else the column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from responder_model.errors import DevelopmentError
from responder_model.schema import Dictionary, Field, dictionary
from responder_model.words import Note
from .columns import Array, Column, columns_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A column known only to lie in an interval, one pair of bounds per patient."""

    column: int
    lower: Array
    upper: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Encoder:
    """How the values of one decision model become columns.

    Examples
    --------
    >>> encoder = Encoder.for_decision("rtms_response", "screening")
    >>> raw = encoder.raw({"age": 56, "aetiology": "ischaemic_stroke"})
    >>> z = encoder.encode(raw)
    >>> z.shape == (1, len(encoder.columns))
    True
    """

    decision: str
    moment: str
    predictors: tuple[str, ...]
    columns: tuple[Column, ...]
    derived: tuple[str, ...]
    projection: Array
    dictionary: Dictionary = field(default_factory=dictionary)

    @classmethod
    def for_decision(
        cls,
        decision: str,
        moment: str | None = None,
        predictors: Sequence[str] | None = None,
        table: Dictionary | None = None,
        *,
        curved: bool = False,
    ) -> Encoder:
        """Encoder of a dictionary, the installed one, for a decision at a moment.

        ``predictors`` restricts it to some of those that are known by then; raises
        DevelopmentError when they are none, or one of them is not. ``curved`` gives
        each number known before the first session a curve.
        """
        table = table or dictionary()
        decision, moment = table.check_target(decision, moment)
        fields = table.predictors(decision, moment)
        if predictors is not None:
            _check_names(predictors, [row.name for row in fields])
            fields = tuple(row for row in fields if row.name in predictors)
        columns = tuple(
            column
            for row in fields
            for column in columns_of(table, row, decision, curved=curved)
        )
        derived, projection = _project(table, [column.name for column in columns])
        return cls(
            decision=decision,
            moment=moment,
            predictors=tuple(row.name for row in fields),
            columns=columns,
            derived=derived,
            projection=projection,
            dictionary=table,
        )

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """Dictionary rows of the predictors."""
        return tuple(self.dictionary.fields[name] for name in self.predictors)

    @cached_property
    def column_predictor(self) -> NDArray[np.int64]:
        """Position in ``predictors`` of each base column's predictor."""
        return np.array([self.predictors.index(c.predictor) for c in self.columns])

    @cached_property
    def known_from(self) -> NDArray[np.int64]:
        """Place of the moment from which the field of each base column is known."""
        moments = [moment.name for moment in self.dictionary.moments]
        places = np.array([moments.index(row.known_from) for row in self.fields])
        return places[self.column_predictor]

    @cached_property
    def last(self) -> Encoder:
        """Encoder of the decision's last moment, at which every field is known."""
        table = self.dictionary
        moments = [at for name, at in table.targets() if name == self.decision]
        return Encoder.for_decision(self.decision, moments[-1], table=table)

    def is_contrast(self, column: int) -> bool:
        """Whether a base column is a category's or a yes/no, and no number."""
        return bool(self.fields[self.column_predictor[column]].kind != "number")

    @cached_property
    def _codes(self) -> tuple[dict[Any, float] | None, ...]:
        return tuple(_code_table(row) for row in self.fields)

    @cached_property
    def _lesion_types(self) -> tuple[int, int, Array] | None:
        """(position of the derived field, of its source, derived code per code)."""
        for position, row in enumerate(self.fields):
            if row.kind == "category" and row.derived_from in self.predictors:
                source = self.dictionary.fields[str(row.derived_from)]
                names = row.category_names
                codes = [
                    float(names.index(str(c.lesion_type))) for c in source.categories
                ]
                return position, self.predictors.index(source.name), np.array(codes)
        return None

    def raw(self, values: Mapping[str, Any] | pd.DataFrame) -> Array:
        """One number per predictor, (n_patients, n_predictors); NaN is missing.

        ``values`` is a checked cohort (DataFrame) or one checked patient (mapping of
        scalars, absent or None = missing).
        """
        raw = (
            self._raw_patient(values)
            if isinstance(values, Mapping)
            else self._raw_frame(values)
        )
        return self.derive(raw)

    def derive(self, raw: Array) -> Array:
        """Fill in, in place, what follows from another predictor: the lesion type."""
        if self._lesion_types is not None:
            position, source, codes = self._lesion_types
            known = ~np.isnan(raw[:, source])
            raw[known, position] = codes[raw[known, source].astype(int)]
        return raw

    def _raw_patient(self, values: Mapping[str, Any]) -> Array:
        row = np.full((1, len(self.predictors)), np.nan)
        for position, name in enumerate(self.predictors):
            value = values.get(name)
            if value is None or value != value:
                continue
            codes = self._codes[position]
            row[0, position] = value if codes is None else codes[value]
        return row

    def _raw_frame(self, cohort: Any) -> Array:
        raw = np.full((len(cohort), len(self.predictors)), np.nan)
        for position, row in enumerate(self.fields):
            if row.name not in cohort.columns:
                continue
            series = cohort[row.name]
            if row.kind == "category":
                raw[:, position] = _category_codes(series, row)
            else:
                raw[:, position] = series.to_numpy(dtype=np.float64, na_value=np.nan)
        return raw

    def encode(self, raw: Array) -> Array:
        """Base columns in reference units, (n_patients, n_columns); NaN is missing."""
        z = np.empty((raw.shape[0], len(self.columns)))
        plain, positions, centres, scales = self._numbers
        z[:, plain] = (raw[:, positions] - centres) / scales
        columns, positions, owners, starts, values, gaps = self._contrasts
        value = raw[:, positions]
        codes = np.where(np.isnan(value), gaps, value).astype(int)
        z[:, columns] = values[codes[:, owners] + starts]
        for k, column, position in self._transformed:
            z[:, k] = column.encoded(raw[:, position])
        return z

    @cached_property
    def _numbers(self) -> tuple[NDArray[Any], NDArray[Any], Array, Array]:
        plain = [
            k
            for k, column in enumerate(self.columns)
            if not column.weights and _is_affine(column)
        ]
        rows = [self.columns[k] for k in plain]
        return (
            np.array(plain, dtype=int),
            self.column_predictor[plain],
            np.array([column.centre for column in rows]),
            np.array([column.scale for column in rows]),
        )

    @cached_property
    def _contrasts(self) -> tuple[NDArray[Any], ...]:
        """Columns of categories, positions of these, and which of these each is of.

        Then where each column starts among their values by code (NaN last of each), the
        values, and the code of each category that stands for missing.
        """
        positions = [k for k, row in enumerate(self.fields) if row.kind == "category"]
        columns = np.flatnonzero(np.isin(self.column_predictor, positions))
        rows = [self.columns[k] for k in columns]
        tables = [np.append(np.array(c.weights) - c.centre, np.nan) for c in rows]
        sizes = np.array([len(table) for table in tables], dtype=int)
        return (
            columns,
            np.array(positions, dtype=int),
            np.searchsorted(positions, self.column_predictor[columns]),
            np.cumsum(sizes) - sizes,
            np.concatenate([*tables, np.zeros(0)]),
            np.array([len(self.fields[k].category_names) for k in positions]),
        )

    @cached_property
    def _transformed(self) -> tuple[tuple[int, Column, int], ...]:
        return tuple(
            (k, column, int(self.column_predictor[k]))
            for k, column in enumerate(self.columns)
            if not _is_affine(column)
        )

    @cached_property
    def indicators(self) -> tuple[tuple[int, int], ...]:
        """Positions of each yes/no and of the number that it indicates."""
        return tuple(
            (position, self.predictors.index(row.indicates))
            for position, row in enumerate(self.fields)
            if row.indicates is not None and row.indicates in self.predictors
        )

    def interval(self, raw: Array) -> Interval | None:
        """Bounds of a missing number whose yes/no indicator is known, else None.

        A lone ``rtms_responder`` says that ``relief_test`` lies above, or not above,
        the main cut-off of the response decision.
        """
        for position, at in self.indicators:
            indicator = raw[:, position]
            known = np.isnan(raw[:, at]) & ~np.isnan(indicator)
            if not known.any():
                return None
            k = [column.name for column in self.columns].index(self.predictors[at])
            column = self.columns[k]
            cut = _indicated_cut(self.dictionary, self.fields[position])
            cut = (cut - column.centre) / column.scale
            yes = known & (indicator == 1)
            no = known & (indicator == 0)
            return Interval(
                column=k,
                lower=np.where(yes, cut, -np.inf),
                upper=np.where(no, cut, np.inf),
            )
        return None

    def to_json(self) -> dict[str, Any]:
        """Plain data, as a model folder stores it."""
        return {
            "decision": self.decision,
            "moment": self.moment,
            "predictors": list(self.predictors),
            "columns": [
                {
                    "name": c.name,
                    "predictor": c.predictor,
                    "transform": c.transform,
                    "centre": c.centre,
                    "scale": c.scale,
                    "weights": list(c.weights),
                }
                for c in self.columns
            ],
            "derived": list(self.derived),
            "projection": self.projection.tolist(),
        }


def _is_affine(column: Column) -> bool:
    return column.transform == "identity" and not column.is_curve


def _check_names(names: Sequence[str], known: list[str]) -> None:
    wrong = [name for name in names if name not in known]
    if wrong or not names:
        said = Note("refusal.predictors_known", names=tuple(wrong) or "none")
        raise DevelopmentError(said)


def _code_table(row: Field) -> dict[Any, float] | None:
    if row.kind != "category":
        return None
    return {name: float(code) for code, name in enumerate(row.category_names)}


def _category_codes(series: Any, row: Field) -> Array:
    if hasattr(series, "cat") and tuple(series.cat.categories) == row.category_names:
        codes = series.cat.codes.to_numpy().astype(np.float64)
        return np.where(codes < 0, np.nan, codes)
    table = _code_table(row) or {}
    mapped = series.astype(object).map(table).astype(np.float64)
    return np.asarray(mapped.to_numpy(), dtype=np.float64)


def _indicated_cut(table: Dictionary, indicator: Field) -> float:
    for decision in table.decisions.values():
        if decision.binary_outcome == indicator.name:
            return decision.main_cut_point
    msg = f"{indicator.name} is no decision's yes/no outcome"
    raise KeyError(msg)


def _project(table: Dictionary, names: list[str]) -> tuple[tuple[str, ...], Array]:
    """Model columns as linear functions of the base columns, in their order."""
    features: dict[str, list[tuple[str, Array]]] = {}
    for series in table.series:
        members = [names.index(name) for name in series.fields if name in names]
        if members:
            features[names[members[0]]] = _series_features(
                series.name, series.features, members, len(names)
            )
            features.update({names[k]: [] for k in members[1:]})
    rows: list[tuple[str, Array]] = []
    for k, name in enumerate(names):
        rows += features.get(name, [(name, np.eye(len(names))[k])])
    return tuple(name for name, _ in rows), np.array([row for _, row in rows])


def _series_features(
    name: str, features: tuple[str, ...], members: list[int], n_columns: int
) -> list[tuple[str, Array]]:
    mean = np.zeros(n_columns)
    mean[members] = 1.0 / len(members)
    rows = [(f"{name}_so_far", mean)]
    if "trend" in features and len(members) > 1:
        last = np.zeros(n_columns)
        last[members[-1]] = 1.0
        rows.append((f"{name}_trend", last - mean))
    return rows
