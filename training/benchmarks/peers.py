"""Peers of the accuracy benchmarks: unfitted scikit-learn classifiers.

Their settings are in ``settings.toml``; they all see the same one-hot and standardised
columns. Gradient boosting and EBM read missing values themselves, the others get the
mean of the column. Libraries that only one peer needs are imported with it.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from xgboost import XGBClassifier

from columns import IndependentColumns, fill_and_scale

FAST = ("outcome_proportion", "ridge_cv", "firth", "xgboost")
SLOW = ("xgboost_tuned", "ebm", "forest")


@cache
def settings() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("settings.toml").read_text("utf-8"))


def build_peer(name: str, outcome: NDArray[np.int64], seed: int = 0) -> Any:
    """Return the unfitted peer; folds are as many as the rarer outcome allows."""
    rarer = int(min(outcome.sum(), len(outcome) - outcome.sum()))
    n_folds = min(settings()["folds"]["n_folds"], rarer)
    if n_folds < 2 or name == "outcome_proportion":
        return DummyClassifier(strategy="prior")
    return _BUILDERS[name](n_folds, seed)


def _ridge(n_folds: int, seed: int) -> Pipeline:
    del seed
    s = settings()["ridge"]
    model = LogisticRegressionCV(
        Cs=np.logspace(s["min_log10_c"], s["max_log10_c"], s["n_c"]),
        cv=n_folds,
        scoring="neg_log_loss",
        l1_ratios=(0.0,),
        max_iter=2000,
        use_legacy_attributes=False,
    )
    return make_pipeline(*fill_and_scale(), model)


def _firth(n_folds: int, seed: int) -> Pipeline:
    del n_folds, seed
    from firthmodels import FirthLogisticRegression

    model = FirthLogisticRegression(max_iter=200)
    return make_pipeline(*fill_and_scale(), IndependentColumns(), model)


def _xgboost(n_folds: int, seed: int) -> CalibratedClassifierCV:
    model = XGBClassifier(**settings()["xgboost"], n_jobs=1, random_state=seed)
    return CalibratedClassifierCV(model, cv=n_folds)


def _xgboost_tuned(n_folds: int, seed: int) -> GridSearchCV:
    grid = {f"estimator__{k}": v for k, v in settings()["xgboost_grid"].items()}
    return GridSearchCV(
        _xgboost(n_folds, seed), grid, cv=n_folds, scoring="neg_log_loss"
    )


def _ebm(n_folds: int, seed: int) -> Any:
    del n_folds
    from interpret.glassbox import ExplainableBoostingClassifier

    return ExplainableBoostingClassifier(random_state=seed, n_jobs=1)


def _forest(n_folds: int, seed: int) -> Pipeline:
    model = RandomForestClassifier(**settings()["forest"], random_state=seed)
    return make_pipeline(*fill_and_scale(), CalibratedClassifierCV(model, cv=n_folds))


_BUILDERS = {
    "ridge_cv": _ridge,
    "firth": _firth,
    "xgboost": _xgboost,
    "xgboost_tuned": _xgboost_tuned,
    "ebm": _ebm,
    "forest": _forest,
}
