"""The procedure inside scikit-learn's tools: right numbers or a refusal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score

from responder_model.cohort import OutcomeLevels, outcome_levels
from responder_model.development import build_procedure
from responder_model.development.procedure import Procedure
from responder_model.errors import DevelopmentError, InvalidCohortError
from responder_model.simulation import simulate_cohort

DECISION = "rtms_response"


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    whole = simulate_cohort(n_patients=120, seed=5)
    return whole[outcome_levels(whole, DECISION).observed].reset_index(drop=True)


@pytest.fixture(scope="module")
def levels(cohort: pd.DataFrame) -> OutcomeLevels:
    return outcome_levels(cohort, DECISION)


@pytest.fixture(scope="module")
def answer(cohort: pd.DataFrame) -> np.ndarray:
    return cohort["rtms_responder"].to_numpy(dtype=int)


@pytest.fixture
def procedure() -> Procedure:
    return build_procedure(DECISION, "screening", challenger=False)


def test_yes_and_no_are_learned_as_a_cohort_that_records_only_them(
    procedure, cohort, answer
):
    only = cohort.drop(columns=["relief_test", "symptom_improved"])
    expected = clone(procedure).fit(only, outcome_levels(only, DECISION))
    for outcome in (answer, answer.astype(bool), cohort["rtms_responder"]):
        found = clone(procedure).fit(cohort, outcome)
        np.testing.assert_array_equal(
            found.predict_proba(cohort), expected.predict_proba(cohort)
        )
    assert found.classes_.tolist() == np.unique(answer).tolist()


def test_patient_without_a_known_answer_is_left_out(procedure, cohort, answer):
    missing = answer.astype(float)
    missing[:20] = np.nan
    found = clone(procedure).fit(cohort, missing)
    expected = clone(procedure).fit(cohort[20:], answer[20:])
    np.testing.assert_array_equal(
        found.predict_proba(cohort), expected.predict_proba(cohort)
    )
    assert found.score(cohort, missing) == expected.score(cohort[20:], answer[20:])


def test_cross_val_score_is_that_of_the_folds(procedure, cohort, answer):
    found = cross_val_score(procedure, cohort, answer, cv=3, scoring="roc_auc")
    p = cross_val_predict(procedure, cohort, answer, cv=3, method="predict_proba")
    assert p.shape == (len(cohort), 2)
    assert found.mean() == pytest.approx(roc_auc_score(answer, p[:, 1]), abs=0.1)
    assert found.mean() > 0.5


def test_calibration_and_stacking_keep_the_outcome_proportion(
    procedure, cohort, answer
):
    calibrated = CalibratedClassifierCV(procedure, cv=3).fit(cohort, answer)
    assert calibrated.predict_proba(cohort)[:, 1].mean() == pytest.approx(
        answer.mean(), abs=0.05
    )
    stacked = StackingClassifier([("ours", procedure)], LogisticRegression(), cv=3)
    p = stacked.fit(cohort, answer).predict_proba(cohort)[:, 1]
    assert p.mean() == pytest.approx(answer.mean(), abs=0.05)


def test_grid_search_compares_numbers(procedure, cohort, answer):
    grid = {"components": ["robust", "zero"]}
    search = GridSearchCV(procedure, grid, cv=3, scoring="neg_log_loss")
    losses = search.fit(cohort, answer).cv_results_["mean_test_score"]
    assert np.isfinite(losses).all()
    assert losses[0] != losses[1]


def test_score_is_the_accuracy_of_yes_and_no(procedure, cohort, levels, answer):
    fitted = clone(procedure).fit(cohort, levels)
    expected = accuracy_score(answer, fitted.predict(cohort))
    assert fitted.score(cohort, answer) == pytest.approx(expected)
    assert fitted.score(cohort, levels) == pytest.approx(expected)
    weight = np.arange(1.0, len(answer) + 1)
    weighted = accuracy_score(answer, fitted.predict(cohort), sample_weight=weight)
    assert fitted.score(cohort, answer, sample_weight=weight) == pytest.approx(weighted)


OUTCOMES = {
    "levels beyond the highest": lambda a: a * 6,
    "shares": lambda a: np.where(a == 1, 0.9, 0.0),
    "words": lambda a: np.where(a == 1, "yes", "no"),
    "text in an object column": lambda a: pd.Series(["yes", *a[1:]], dtype=object),
    "three columns": lambda a: np.column_stack([a, a, a]),
    "highest below lowest": lambda a: np.column_stack([a + 2, a]),
    "infinite": lambda a: np.where(a == 1, np.inf, 0.0),
    "one number": lambda a: 2,
    "nothing": lambda a: [],
}


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES.keys())
def test_outcome_that_is_not_yes_and_no_is_refused(procedure, cohort, answer, outcome):
    other = outcome(answer)
    with pytest.raises(DevelopmentError, match="outcome must be 0 .* or OutcomeLevels"):
        clone(procedure).fit(cohort, other)
    fitted = clone(procedure).fit(cohort, answer)
    with pytest.raises(DevelopmentError, match="outcome must be 0 .* or OutcomeLevels"):
        fitted.score(cohort, other)


def test_levels_as_numbers_are_those_of_the_cohort(procedure, cohort, levels, answer):
    lowest = replace(levels, upper=levels.lower)
    for outcome, meant in (
        (levels.lower, lowest),
        (levels.lower.astype(float), lowest),
        (np.column_stack([levels.lower, levels.upper]), levels),
    ):
        expected = clone(procedure).fit(cohort, meant)
        found = clone(procedure).fit(cohort, outcome)
        np.testing.assert_array_equal(
            found.predict_proba(cohort), expected.predict_proba(cohort)
        )
        assert found.score(cohort, outcome) == expected.score(cohort, answer)


def test_levels_as_numbers_never_give_calibrated_probabilities(
    procedure, cohort, levels
):
    with pytest.raises(AttributeError, match="classes_"):
        CalibratedClassifierCV(procedure, cv=3).fit(cohort, levels.lower)


def test_outcome_and_groups_of_another_length_are_refused(
    procedure, cohort, levels, answer
):
    short = replace(
        levels,
        lower=levels.lower[1:],
        upper=levels.upper[1:],
        observed=levels.observed[1:],
    )
    for outcome in (answer[1:], short):
        with pytest.raises(DevelopmentError, match="outcome must have one value for"):
            clone(procedure).fit(cohort, outcome)
    with pytest.raises(DevelopmentError, match="groups must have one value for each"):
        clone(procedure).fit(cohort, answer, groups=np.arange(3))
    fitted = clone(procedure).fit(cohort, answer)
    with pytest.raises(DevelopmentError, match="outcome must have one value for"):
        fitted.score(cohort, answer[1:])


def test_one_class_is_named_as_such_and_both_are_not(procedure, cohort, answer):
    with pytest.raises(DevelopmentError, match="got one outcome only"):
        clone(procedure).fit(cohort, np.ones(len(cohort)))
    clone(procedure).fit(cohort, answer)


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_prediction_before_the_fit_is_refused(procedure, cohort, method):
    with pytest.raises(NotFittedError, match="not fitted"):
        getattr(procedure, method)(cohort)


def test_frame_is_checked_at_the_door(procedure, cohort, answer):
    fitted = clone(procedure).fit(cohort, answer)
    old = cohort.assign(age=5000.0)
    parts = cohort.set_axis(pd.MultiIndex.from_product([["c"], cohort]), axis=1)
    for wrong, rule in ((old, "Age must be between"), (parts, "a single name for")):
        with pytest.raises(InvalidCohortError, match=rule):
            fitted.predict_proba(wrong)
        with pytest.raises(InvalidCohortError, match=rule):
            clone(procedure).fit(wrong, answer)


def test_hand_made_frame_is_read_as_a_file(procedure, cohort, answer):
    fitted = clone(procedure).fit(cohort, answer)
    made = pd.DataFrame({"Âge": ["54,5"], "opioid": ["oui"]}, dtype=object)
    typed = pd.DataFrame({"age": [54.5], "opioid": [True]})
    np.testing.assert_array_equal(
        fitted.predict_proba(made), fitted.predict_proba(typed)
    )
