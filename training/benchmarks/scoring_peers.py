"""What a careful user builds to score and explain: calibrated scikit-learn and shap.

A scikit-learn pipeline from a DataFrame in ``CalibratedClassifierCV``, each of whose
models is explained by shap's exact explainer: five models by default, one final model
with ``ensemble=False``, the leanest choice. It gives a probability and contributions;
no interval, no further cut-offs, no applicability.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shap
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier

from responder_model.schema import dictionary

Array = NDArray[np.float64]
Score = Callable[[pd.DataFrame], tuple[Array, Array]]


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A fitted peer; ``score`` gives probability and contributions of a DataFrame."""

    name: str
    score: Score


def predictors_of(cohort: pd.DataFrame, decision: str, moment: str) -> pd.DataFrame:
    """Columns that a model of this moment may see; yes/no as numbers."""
    fields = dictionary().predictors(decision, moment)
    kept = {
        row.name: cohort[row.name].astype("float64")
        if row.kind == "boolean"
        else cohort[row.name]
        for row in fields
        if row.name in cohort
    }
    return pd.DataFrame(kept)


def linear_peer(
    cohort: pd.DataFrame, outcome: Array, target: tuple[str, str], *, ensemble: bool
) -> Peer:
    """Logistic regression, calibrated; shap's LinearExplainer."""
    X = predictors_of(cohort, *target)
    words = X.select_dtypes("category").columns.tolist()
    numbers = [name for name in X.columns if name not in words]
    known = [X[name].cat.categories for name in words]
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        (OneHotEncoder(categories=known, sparse_output=False), words),
    )
    pipeline = make_pipeline(columns, LogisticRegression(max_iter=2000))
    model = CalibratedClassifierCV(pipeline, ensemble=ensemble).fit(X, outcome)
    fitted = [part.estimator for part in model.calibrated_classifiers_]
    explainers = [
        shap.LinearExplainer(one[-1], one[:-1].transform(X)) for one in fitted
    ]

    def contributions(given: pd.DataFrame) -> Array:
        found = [
            explainer.shap_values(one[:-1].transform(given))
            for one, explainer in zip(fitted, explainers, strict=True)
        ]
        return np.asarray(np.mean(found, axis=0))

    return _peer("logistic regression + LinearExplainer", model, contributions, target)


def trees_peer(
    cohort: pd.DataFrame, outcome: Array, target: tuple[str, str], *, ensemble: bool
) -> Peer:
    """XGBoost as in the accuracy benchmark, calibrated; shap's TreeExplainer."""
    booster = XGBClassifier(
        n_estimators=60,
        max_depth=2,
        learning_rate=0.08,
        reg_lambda=5.0,
        subsample=0.8,
        enable_categorical=True,
        n_jobs=2,
    )
    X = predictors_of(cohort, *target)
    model = CalibratedClassifierCV(booster, ensemble=ensemble).fit(X, outcome)
    explainers = [
        shap.TreeExplainer(part.estimator) for part in model.calibrated_classifiers_
    ]

    def contributions(given: pd.DataFrame) -> Array:
        return np.asarray(np.mean([e.shap_values(given) for e in explainers], axis=0))

    return _peer("XGBoost + TreeExplainer", model, contributions, target)


def _peer(
    name: str,
    model: Any,
    contributions: Callable[[pd.DataFrame], Array],
    target: tuple[str, str],
) -> Peer:
    def score(cohort: pd.DataFrame) -> tuple[Array, Array]:
        given = predictors_of(cohort, *target)
        return np.asarray(model.predict_proba(given)[:, 1]), contributions(given)

    n_models = len(model.calibrated_classifiers_)
    return Peer(name=f"calibrated {name}, models: {n_models}", score=score)
