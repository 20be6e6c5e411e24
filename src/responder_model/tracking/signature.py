"""What the served model takes and returns, generated from the dictionary."""

from __future__ import annotations

import mlflow.models
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, DataType, Schema

from responder_model.schema import Field, dictionary
from responder_model.vocabulary import find_field

NUMBERS = ("probability", "lower", "upper")
TEXTS = (
    "provenance",
    "model_digest",
    "applicability",
    "missing",
    "messages",
    "read",
    "problem",
)


def output_signature(decision: str, moment: str) -> ModelSignature:
    """Signature with which the model is logged: what it returns, and no more.

    MLflow drops columns that a signature does not name, unsaid, and prints the table
    when a type does not fit. What the model gets it checks itself.
    """
    columns = output_columns(decision, moment)
    outputs = [ColSpec(_output_type(name), name) for name in columns]
    return mlflow.models.ModelSignature(outputs=Schema(outputs))


def _output_type(name: str) -> DataType:
    return DataType.string if name in TEXTS else DataType.double


def output_columns(decision: str, moment: str) -> tuple[str, ...]:
    """Columns that the served model returns, in order."""
    cuts = dictionary().decisions[decision].served_cut_points
    predictors = dictionary().predictors(decision, moment)
    return (
        *NUMBERS,
        *(f"probability_{cut:g}" for cut in cuts),
        "baseline",
        *(f"contribution_{row.name}" for row in predictors),
        *TEXTS,
    )


def column_notes(decision: str, moment: str) -> dict[str, str]:
    """What each column may hold, for whoever looks at the logged model.

    Examples
    --------
    >>> column_notes("rtms_response", "screening")["age"]
    'between 18 and 100 years'
    """
    rows = dictionary().predictors(decision, moment)
    return {row.name: row.rule.text() for row in rows}


def served_columns(cohort: pd.DataFrame, decision: str, moment: str) -> pd.DataFrame:
    """Choose what the served model reads of a table with other columns too."""
    used = {row.name for row in dictionary().predictors(decision, moment)}
    fields = [find_field(str(name)) for name in cohort.columns]
    return cohort.loc[:, [f is not None and f.name in used for f in fields]]


def input_example(decision: str, moment: str) -> pd.DataFrame:
    """Two synthetic patients: the middle of every range, and one with nothing known."""
    fields = dictionary().predictors(decision, moment)
    return pd.DataFrame(
        {row.name: _example_values(row) for row in fields if row.derived_from is None}
    )


def _example_values(row: Field) -> pd.Series:
    if row.kind == "number":
        middle = (float(row.minimum or 0.0) + float(row.maximum or 0.0)) / 2.0
        return pd.Series([float(round(middle)), None], dtype="float64")
    first = "no" if row.kind == "boolean" else row.category_names[0]
    return pd.Series([first, None], dtype=object)
