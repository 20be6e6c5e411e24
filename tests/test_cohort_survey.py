"""What a file is good for is what development makes of it."""

from __future__ import annotations

import pandas as pd
import pytest

from responder_model.cohort import check_cohort, survey
from responder_model.development import develop
from responder_model.errors import DevelopmentError
from responder_model.schema import dictionary
from responder_model.settings import Settings
from responder_model.simulation import simulate_cohort

RELIEFS = ["relief_2", "relief_days_2"]


def cohort_of(n_patients: int, **columns: object) -> pd.DataFrame:
    cohort = simulate_cohort(n_patients=n_patients, seed=4).assign(**columns)
    cohort = cohort.drop(columns=["rtms_responder", "symptom_improved", "emcs_success"])
    cohort.attrs = {}
    return check_cohort(cohort)


COHORTS = {
    "whole": cohort_of(60),
    "few": cohort_of(9),
    "one answer": cohort_of(30, relief_test=80.0),
    "no outcome": cohort_of(30, relief_test=None, emcs_relief=None),
}


@pytest.mark.parametrize("name", COHORTS)
def test_survey_says_what_develop_does(name: str) -> None:
    cohort = COHORTS[name]
    for model in survey(cohort).models:
        settings = Settings(
            decision=model.decision, moment=model.moment, challenger=False
        )
        if not model.lacks:
            made = develop(cohort, settings=settings)
            (count,) = [
                c for c in survey(cohort).outcomes if c.decision == model.decision
            ]
            assert (made.n_patients, made.n_events) == (count.n_known, count.n_events)
        else:
            with pytest.raises(DevelopmentError):
                develop(cohort, settings=settings)


def test_a_model_without_what_it_adds_is_the_one_before() -> None:
    found = survey(cohort_of(60).drop(columns=RELIEFS))
    lacks = {model.moment: [n.code for n in model.lacks] for model in found.models}
    assert lacks["session_1"] == []
    assert lacks["session_2"] == ["cohort.lacks_predictors"]
    assert lacks["session_3"] == []
    (third,) = [model for model in found.models if model.moment == "session_3"]
    assert set(RELIEFS) <= set(third.absent)


def test_survey_counts_only_predictors_of_patients_with_an_outcome() -> None:
    cohort = cohort_of(60)
    unknown = cohort["relief_test"].isna()
    assert unknown.any()
    cohort["dn4"] = cohort["dn4"].where(unknown)
    screening = survey(cohort).models[0]
    assert "dn4" in screening.absent
    assert "age" in screening.recorded


def test_a_survey_names_every_model() -> None:
    targets = tuple((m.decision, m.moment) for m in survey(COHORTS["whole"]).models)
    assert targets == dictionary().targets()
