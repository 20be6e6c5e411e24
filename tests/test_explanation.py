"""Explanations: exact sums, one baseline, and every plot of shap takes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

import responder_model as rm
from responder_model.errors import InvalidCohortError, ResponderModelError
from responder_model.model.example import example_model
from responder_model.model.explanation import explain
from responder_model.schema import dictionary

TARGETS = [f"{d}@{m}" for d, m in dictionary().targets()]


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    return rm.simulate_cohort(n_patients=150, seed=6)


@pytest.mark.parametrize("target", TARGETS)
def test_explanation_adds_up_to_the_served_log_odds(
    target: str, cohort: pd.DataFrame
) -> None:
    model = rm.published_model(*target.split("@"))
    found = explain(model, cohort)
    probability = model.predict_cohort(cohort)["probability"].to_numpy()
    logit = np.log(probability) - np.log1p(-probability)
    total = found.base_values + found.values.sum(axis=1)
    np.testing.assert_allclose(total, logit, rtol=0, atol=1e-9)


def test_explanation_has_one_baseline_and_dictionary_order(
    cohort: pd.DataFrame,
) -> None:
    model = example_model()
    found = model.explain(cohort)
    assert set(found.base_values) == {model.baseline}
    assert list(found.feature_names) == list(model.encoder.predictors)
    assert found.values.shape == found.data.shape == (150, 18)


def test_explanation_equals_the_contributions_of_predict(cohort: pd.DataFrame) -> None:
    model = example_model()
    values = {
        name: cohort[name].iloc[4]
        for name in model.encoder.predictors
        if not pd.isna(cohort[name].iloc[4])
    }
    one = explain(model, cohort)[4]
    prediction = model.predict(values)
    np.testing.assert_allclose(
        one.values, list(prediction.contributions.values()), atol=1e-12
    )


def test_display_values_have_labels_and_units() -> None:
    frame = pd.DataFrame({"age": [54.0, np.nan], "aetiology": ["amputation", None]})
    found = explain(example_model(), frame, lang="fr")
    assert found.feature_names[0] == "Âge"
    shown = dict(zip(found.feature_names, found.display_data[0], strict=True))
    assert shown["Âge"] == "54 ans"
    assert shown["Étiologie"] == "amputation"
    assert shown["Fatigue"] == "non renseigné"
    assert found.display_data[1][0] == "non renseigné"


def test_explain_refuses_an_invalid_cohort_and_an_unknown_language() -> None:
    with pytest.raises(InvalidCohortError, match="Age must be between"):
        explain(example_model(), pd.DataFrame({"age": [180.0]}))
    with pytest.raises(ResponderModelError, match="lang must be one of"):
        explain(example_model(), pd.DataFrame({"age": [54.0]}), lang="de")


def test_contributions_that_do_not_add_up_are_refused() -> None:
    model = example_model()
    scores = model.score_cohort(pd.DataFrame({"age": [54.0]}))
    scores.contributions[0, 0] += 1e-6
    with pytest.raises(ResponderModelError, match="must sum to the served log-odds"):
        model.scorer.check_sum(scores.linear_predictor, scores.contributions)


@pytest.fixture
def clean_figures() -> Iterator[Any]:
    plt = pytest.importorskip("matplotlib.pyplot")
    yield plt
    plt.close("all")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("plot", ["waterfall", "bar", "beeswarm", "scatter", "heatmap"])
def test_shap_plots_take_the_explanation(
    plot: str, cohort: pd.DataFrame, clean_figures: Any
) -> None:
    import shap

    found = explain(rm.published_model("rtms_response", "screening"), cohort)
    one = {"waterfall": found[0], "scatter": found[:, "age"]}.get(plot, found)
    getattr(shap.plots, plot)(one, show=False)
    assert clean_figures.gcf().axes


def test_other_patients_do_not_change_an_explanation() -> None:
    model = example_model()
    alone = explain(model, pd.DataFrame({"age": [54.0]}))
    among = explain(model, pd.DataFrame({"age": [20.0, 54.0, 90.0]}))
    # one row and three go through other routines of the linear algebra library
    np.testing.assert_allclose(alone.values[0], among.values[1], rtol=1e-12, atol=1e-12)
