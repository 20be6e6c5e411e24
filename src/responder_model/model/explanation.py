"""Explanations in the form that every ``shap.plots`` function takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from responder_model.labels import describe_value, label_of
from responder_model.schema import dictionary
from responder_model.vocabulary import check_language
from .batch import raw_cohort, score_raw

if TYPE_CHECKING:
    import pandas as pd
    import shap

    from responder_model.features import Array, Encoder
    from responder_model.patient import Value
    from . import Model, Prediction


def explain_one(
    prediction: Prediction, values: Mapping[str, Value]
) -> shap.Explanation:
    """Explanation of one prediction, that of the patient's own centre where it is told.

    ``values`` are the patient's checked predictors; ``data`` holds them as they are.
    """
    import shap

    names = list(prediction.contributions)
    return shap.Explanation(
        values=np.array(list(prediction.contributions.values())),
        base_values=prediction.baseline,
        data=np.array([values.get(name) for name in names], dtype=object),
        feature_names=names,
    )


def explain(
    model: Model, cohort: pd.DataFrame, *, lang: str | None = None, n_jobs: int = 1
) -> shap.Explanation:
    """Explain every row of a cohort on the served log-odds.

    ``base_values + values.sum(axis=1)`` is the served log-odds of each row, exactly:
    nothing is sampled, and the background is aggregates only, never a patient.

    Parameters
    ----------
    model : Model
        The model.
    cohort : DataFrame
        One row per patient.
    lang : {"en", "fr"}, optional
        Label the predictors in a language; default: their dictionary names.
    n_jobs : int
        Threads.

    Returns
    -------
    shap.Explanation
        ``values`` (n, n_predictors) in log-odds, in dictionary order; ``base_values``
        the model's one constant, repeated; ``data`` numbers (categories by position
        in the installed dictionary, yes/no as 1/0, NaN for missing); ``display_data``
        values with units and labels.

    Raises
    ------
    InvalidCohortError
        For a frame that is not a valid cohort.

    Examples
    --------
    >>> import pandas as pd
    >>> from responder_model.model.example import example_model
    >>> explanation = explain(example_model(), pd.DataFrame({"age": [54.0, 71.0]}))
    >>> explanation.values.shape
    (2, 18)
    """
    import shap

    raw = raw_cohort(model.encoder, cohort)
    scores = score_raw(model, raw, n_jobs=n_jobs)
    raw = _by_installed_position(model.encoder, raw)
    names = model.encoder.predictors
    if lang is not None:
        names = tuple(label_of(name, check_language(lang)) for name in names)
    display = np.empty(raw.shape, dtype=object)
    for k, name in enumerate(model.encoder.predictors):
        values, codes = np.unique(raw[:, k], return_inverse=True)
        shown = [describe_value(name, value, lang or "en") for value in values.tolist()]
        display[:, k] = np.array(shown, dtype=object)[codes]
    return shap.Explanation(
        values=scores.contributions,
        base_values=np.full(len(raw), model.baseline),
        data=raw,
        display_data=display,
        feature_names=list(names),
        output_names="log-odds",
    )


def _by_installed_position(encoder: Encoder, raw: Array) -> Array:
    """Raw predictors with categories numbered as the installed dictionary does."""
    raw = raw.copy()
    for k, row in enumerate(encoder.fields):
        installed = dictionary().fields[row.name].category_names
        if row.category_names != installed:
            places = np.array([installed.index(name) for name in row.category_names])
            known = ~np.isnan(raw[:, k])
            raw[known, k] = places[raw[known, k].astype(np.int64)]
    return raw
