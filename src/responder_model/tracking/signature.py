"""What the served model takes and returns, generated from the dictionary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mlflow.models
import pandas as pd
from mlflow.types.schema import ColSpec, DataType, Schema

from responder_model.schema import Field, dictionary

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

NUMBERS = ("probability", "lower", "upper")


def build_signature(decision: str, moment: str) -> ModelSignature:
    """Signature of the served model: every predictor optional, never a label out."""
    inputs = [
        ColSpec(_data_type(row), row.name, required=False)
        for row in dictionary().predictors(decision, moment)
    ]
    outputs = [
        ColSpec(DataType.double, name) for name in output_columns(decision, moment)
    ]
    return mlflow.models.ModelSignature(Schema(inputs), Schema(outputs))


def output_columns(decision: str, moment: str) -> tuple[str, ...]:
    """Columns that the served model returns, in order."""
    cuts = dictionary().decisions[decision].served_cut_points
    predictors = dictionary().predictors(decision, moment)
    return (
        *NUMBERS,
        *(f"probability_{cut:g}" for cut in cuts),
        "baseline",
        *(f"contribution_{row.name}" for row in predictors),
    )


def served_columns(cohort: pd.DataFrame, decision: str, moment: str) -> pd.DataFrame:
    """Bring a cohort into the form that the served model takes.

    Numbers are float64; categories are their names and yes/no are ``yes`` and ``no``,
    with None where a value is missing; columns the model does not use are dropped.
    """
    fields = dictionary().predictors(decision, moment)
    return pd.DataFrame(
        {
            row.name: _served(row, cohort[row.name])
            for row in fields
            if row.name in cohort
        }
    )


def input_example(decision: str, moment: str) -> pd.DataFrame:
    """Two synthetic patients: the middle of every range, and one with nothing known."""
    fields = dictionary().predictors(decision, moment)
    return pd.DataFrame(
        {row.name: _example_values(row) for row in fields if row.derived_from is None}
    )


def _data_type(row: Field) -> DataType:
    # Yes/no travel as text: MLflow's boolean turns a missing value into an error.
    return DataType.double if row.kind == "number" else DataType.string


def _served(row: Field, column: pd.Series) -> pd.Series:
    if row.kind == "number":
        return column.astype("float64")
    words: dict[Any, str] = {True: "yes", False: "no"} if row.kind == "boolean" else {}
    values = [None if pd.isna(v) else words.get(v, str(v)) for v in column]
    return pd.Series(values, index=column.index, dtype=object)


def _example_values(row: Field) -> pd.Series:
    if row.kind == "number":
        middle = (float(row.minimum or 0.0) + float(row.maximum or 0.0)) / 2.0
        return pd.Series([float(round(middle)), None], dtype="float64")
    first = "no" if row.kind == "boolean" else row.category_names[0]
    return pd.Series([first, None], dtype=object)
