"""One patient at the door."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from in_words import told
from responder_model.errors import InvalidPatientError
from responder_model.patient import check_patient
from responder_model.schema import dictionary


def test_check_patient_reads_words_of_both_languages() -> None:
    clean = check_patient(
        {"Âge": "54,5", "sexe": "femme", "opioid": "oui", "antiepileptic": 0},
        "rtms_response",
        "screening",
    )
    assert clean == {
        "age": 54.5,
        "sex": "female",
        "opioid": True,
        "antiepileptic": False,
    }


def test_check_patient_reports_every_invalid_predictor() -> None:
    with pytest.raises(InvalidPatientError, match="not valid") as caught:
        check_patient(
            {
                "age": 180,
                "aetiology": "stroke",
                "opioid": "perhaps",
                "dn4": 4.5,
                "pain_durration": 12,
                "relief_2": 30,
            },
            "rtms_response",
            "session_1",
        )
    problems = told(caught.value)
    assert problems["age"] == "Age must be between 18 and 100 years, got 180."
    assert problems["aetiology"].startswith("Aetiology must be one of ischaemic stroke")
    assert problems["opioid"] == "Opioid treatment must be yes or no, got perhaps."
    assert "a whole number between 0 and 10" in problems["dn4"]
    assert "nearest known name: Pain duration" in problems["pain_durration"]
    assert (
        "known only after session 2, at the visit before session 3"
        in problems["relief_2"]
    )
    assert len(problems) == 6


def test_check_patient_reads_synonyms_and_units() -> None:
    clean = check_patient(
        {"Ancienneté (années)": 3, "EVA": "48 mm", "étiologie": "AVC isch. G"},
        "rtms_response",
        "screening",
    )
    assert clean["pain_duration"] == 36.0
    assert clean["pain_intensity"] == 4.8
    assert clean["aetiology"] == "ischaemic_stroke"


def test_check_patient_says_what_may_be_meant() -> None:
    with pytest.raises(InvalidPatientError, match="aetiology") as caught:
        check_patient({"aetiology": "AVC", "poids": 70}, "emcs_success")
    problems = told(caught.value)
    assert problems["aetiology"].endswith(
        "Which is meant: ischaemic stroke, haemorrhagic stroke?"
    )
    assert problems["poids"] == "poids must be a field of the dictionary."


def test_error_text_names_predictors_and_no_value() -> None:
    with pytest.raises(InvalidPatientError, match="not valid: age") as caught:
        check_patient({"age": 180}, "emcs_success")
    assert "180" not in str(caught.value)


@pytest.mark.parametrize("later", ["relief_test", "symptom_improved", "emcs_relief"])
def test_outcome_is_refused_before_it_is_known(later: str) -> None:
    with pytest.raises(InvalidPatientError, match=later):
        check_patient({"age": 54, later: 1}, "rtms_response", "session_3")


def test_missing_later_value_is_no_problem() -> None:
    values = {"age": 54, "relief_test": None, "emcs_success": "NA", "relief_3": np.nan}
    assert check_patient(values, "rtms_response", "screening") == {"age": 54.0}


def test_fields_that_a_model_does_not_use_are_left_out() -> None:
    values = {"patient_id": "P1", "sex": "male", "relief_test": 40, "dn4": 7}
    assert check_patient(values, "emcs_success") == {"relief_test": 40.0}


def test_lesion_type_follows_and_must_agree() -> None:
    amputation = {"aetiology": "amputation"}
    clean = check_patient(amputation, "rtms_response", "screening")
    assert clean["lesion_type"] == "peripheral"
    with pytest.raises(InvalidPatientError, match="lesion_type") as caught:
        check_patient(amputation | {"lesion_type": "centrale"}, "emcs_success")
    assert "must be peripheral, as Aetiology says" in told(caught.value)["lesion_type"]


def test_lesion_type_may_stand_alone() -> None:
    clean = check_patient({"lesion_type": "central"}, "emcs_success")
    assert clean == {"lesion_type": "central"}


@pytest.mark.parametrize(
    ("relief", "improved", "responder", "fits"),
    [
        (30, None, "yes", False),
        (31, None, "yes", True),
        (31, None, "no", True),
        (31, "yes", "no", False),
        (31, "no", "yes", False),
        (20, "yes", "no", True),
    ],
)
def test_responder_must_agree_with_relief_and_symptom(
    relief: float, improved: str | None, responder: str, *, fits: bool
) -> None:
    values = {
        "relief_test": relief,
        "symptom_improved": improved,
        "rtms_responder": responder,
    }
    if fits:
        assert "rtms_responder" in check_patient(values, "emcs_success")
    else:
        with pytest.raises(InvalidPatientError, match="rtms_responder"):
            check_patient(values, "emcs_success")


def test_a_predictor_given_twice_is_refused() -> None:
    with pytest.raises(InvalidPatientError, match="age") as caught:
        check_patient({"age": 54, "Âge": 55}, "emcs_success")
    assert told(caught.value)["age"] == "Age must be given once only."


def test_patient_that_is_no_mapping_is_refused() -> None:
    with pytest.raises(InvalidPatientError, match="not valid: patient"):
        check_patient([54], "emcs_success")  # type: ignore[arg-type]


def test_any_mapping_is_read_and_left_alone() -> None:
    values = MappingProxyType({"age": "54"})
    assert check_patient(values, "emcs_success", "implantation") == {"age": 54.0}


anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)
)
names = st.one_of(st.sampled_from(sorted(dictionary().fields)), st.text(max_size=8))


@given(st.dictionaries(names, anything, max_size=8))
@settings(max_examples=150, derandomize=True, deadline=None)
def test_check_patient_raises_nothing_else(values: dict[str, object]) -> None:
    try:
        clean = check_patient(values, "rtms_response", "session_2")
    except InvalidPatientError:
        return
    assert check_patient(clean, "rtms_response", "session_2") == clean


@pytest.mark.parametrize("given_site", [{}, {"lesion_site": ""}])
def test_check_patient_reads_the_site_in_an_aetiology(
    given_site: dict[str, str],
) -> None:
    words = {"aetiology": "AVC isch. thalamique G", **given_site}
    clean = check_patient(words, "rtms_response", "screening")
    assert clean["lesion_site"] == "thalamus"


def test_check_patient_refuses_another_site_than_the_aetiology_names() -> None:
    words = {"lesion_site": "brainstem", "aetiology": "AVC isch. thalamique G"}
    with pytest.raises(InvalidPatientError, match="must be thalamus, as Aetiology"):
        check_patient(words, "rtms_response", "screening")


def test_check_patient_reads_no_site_where_the_model_has_none() -> None:
    clean = check_patient({"aetiology": "AVC isch. thalamique"}, "emcs_success")
    assert clean == {"aetiology": "ischaemic_stroke", "lesion_type": "central"}
