"""A record becomes the right patient, or a question; never a wrong patient."""

from __future__ import annotations

import pytest

from records import (
    CANONICAL,
    LOINC,
    SNOMED,
    US,
    WHO,
    bundle,
    chosen,
    concept,
    condition,
    observation,
    patient,
    read,
    response,
)
from responder_model.interchange.record import RecordError, record_of_bundle

STROKE = (WHO, "I69.3")


def rules(reading):
    """Rule by field of what is asked."""
    return {name: note.code.partition(".")[2] for name, note in reading.asked.items()}


def test_read_record_tells_where_each_value_stands():
    found = read(patient(), condition(STROKE, recordedDate="2024-01-02"))
    assert found.values == {"age": 54, "sex": "male", "aetiology": "ischaemic_stroke"}
    source = found.sources[-1].to_dict()
    assert source["resource"] == "Condition/c1"
    assert (source["code"], source["date"]) == ("I69.3", "2024-01-02")
    assert source["mapping_version"] == found.mapping_version != ""
    assert found.basis == ("Patient/p1", "Condition/c1")


@pytest.mark.parametrize(
    ("codes", "rule"),
    [
        (["I69.3", "G35"], "several"),
        (["G35", "I69.3"], "several"),
        (["I64"], "kind_of_stroke"),
        (["I69.3", "I64"], "kind_of_stroke"),
        (["G50.0"], "neuralgia_or_neuropathy"),
        (["S14.3"], "plexus"),
        (["Z89.2"], "absent_limb"),
        (["I69.3", "Z89.2"], "absent_limb"),
        (["R52.2"], "no_cause"),
    ],
)
def test_unsure_cause_is_asked_and_never_the_first(codes, rule):
    rows = [condition((WHO, code), id=code) for code in codes]
    for found in (
        read(patient(), *rows),
        read(patient(), condition(*((WHO, c) for c in codes))),
    ):
        assert rules(found) == {"aetiology": rule}
        assert "aetiology" not in found.values
    if rule == "several":
        said = found.asked["aetiology"].text("fr")
        assert "AVC ischémique" in said
        assert "sclérose en plaques" in said


@pytest.mark.parametrize("more", ["R52.2", "I69.3"])
def test_pain_without_cause_stands_beside_any_cause(more):
    found = read(patient(), condition(STROKE), condition((WHO, more), id="c2"))
    assert found.values["aetiology"] == "ischaemic_stroke"
    assert not found.asked


def status(code):
    return concept(("http://terminology.hl7.org/x", code))


@pytest.mark.parametrize(
    "more",
    [
        {"verificationStatus": status("refuted")},
        {"verificationStatus": status("entered-in-error")},
        {"verificationStatus": status("differential")},
        {"clinicalStatus": status("resolved")},
        {"clinicalStatus": status("inactive")},
        {"clinicalStatus": {"text": "guérie"}},
        {"recordedDate": "2026-12-01"},
        {"modifierExtension": [{"url": "https://x.example", "valueBoolean": True}]},
    ],
)
def test_condition_that_does_not_count_is_left_out_and_said(more):
    found = read(patient(), condition(STROKE, **more))
    assert "aetiology" not in found.values
    assert found.remarks[0].code == "interchange.condition_left_out"


@pytest.mark.parametrize("code", ["active", "recurrence", "remission"])
def test_condition_that_lasts_counts(code):
    found = read(patient(), condition(STROKE, clinicalStatus=status(code)))
    assert found.values["aetiology"] == "ischaemic_stroke"


def test_condition_of_another_book_means_what_that_book_says():
    causalgia = read(patient(), condition((US, "G56.4")))
    assert causalgia.values["aetiology"] == "complex_regional_pain_syndrome"
    lesion = read(patient(), condition((f"{WHO}/", "G564")))
    assert lesion.values["aetiology"] == "peripheral_nerve_lesion"


SCORE = {"system": "http://unitsofmeasure.org", "code": "{score}"}


@pytest.mark.parametrize(
    ("rows", "rule"),
    [
        ([observation(12, "2026-07-01")], "stale"),
        ([observation(12, "2026-11")], "undated"),
        ([observation(12, "2026-11-10T10:00:00")], "undated"),
        ([observation({"value": 12, "comparator": "<"})], "comparator"),
        ([observation({"value": 12, "unit": "mm"})], "unit"),
        ([observation({"value": 12, "code": "%"})], "unit"),
        ([observation({"value": 12, "system": "urn:x", "code": "{score}"})], "unit"),
        ([observation(22)], "bounds"),
        ([observation({"value": "12"})], "no_value"),
        ([observation({"value": True})], "no_value"),
        ([observation(12), observation(13)], "differ"),
        # an older value never stands in for the newest one
        ([observation(12), observation(22, "2026-11-12")], "bounds"),
        ([observation(12, modifierExtension=[{"url": "x"}])], "unclear_result"),
    ],
)
def test_doubtful_result_is_asked(rows, rule):
    found = read(patient(), *rows)
    assert rules(found) == {"depression": rule}
    assert "depression" not in found.values


@pytest.mark.parametrize(
    "rows",
    [
        [observation(12)],
        [observation({"value": 12, **SCORE})],
        [observation(3, "2026-10-01"), observation(12)],
        [observation(12), observation(3, "2026-12-01")],
        [observation(12), observation(3, "2026-11-12", status="preliminary")],
        [observation(12), observation(3, "2026-11-12", status="entered-in-error")],
        [observation(12, status="amended")],
    ],
)
def test_newest_final_result_of_the_past_is_taken(rows):
    found = read(patient(), *rows)
    assert found.values["depression"] == 12
    assert not found.asked


def test_pain_of_now_is_taken_with_its_note():
    found = read(patient(), observation(7, code=(LOINC, "72514-3")))
    assert found.values["pain_intensity"] == 7
    assert "mean of the last week" in found.remarks[0].text("en")


@pytest.mark.parametrize("written", ["1972", "1972-11"])
def test_part_of_a_date_of_birth_is_an_interval_and_no_age(written):
    found = read(patient(birthDate=written))
    assert "age" not in found.values
    assert "53" in found.asked["age"].text("en")
    assert "54" in found.asked["age"].text("en")


def test_month_of_birth_that_allows_one_age_is_that_age():
    assert read(patient(birthDate="1972-05")).values["age"] == 54


@pytest.mark.parametrize("gender", ["other", "unknown"])
def test_other_gender_is_missing(gender):
    assert "sex" not in read(patient(gender=gender)).values


def test_answer_of_a_questionnaire_settles_what_was_asked():
    answers = {
        "aetiology": chosen("aetiology", "ischaemic_stroke"),
        "dn4": {"valueInteger": 6},
        "opioid": {"valueBoolean": True},
        "depression": {"valueDecimal": 9},
    }
    found = read(
        patient(), condition((WHO, "I64")), observation(12), response(**answers)
    )
    assert found.values["aetiology"] == "ischaemic_stroke"
    assert (found.values["dn4"], found.values["opioid"]) == (6, True)
    # the answer is later than the result of the record
    assert found.values["depression"] == 9
    assert not found.asked


def test_result_after_an_answer_that_differs_is_asked():
    said = response("2026-11-01", depression={"valueDecimal": 9})
    assert rules(read(patient(), observation(12), said)) == {"depression": "differ"}
    agreed = response("2026-11-01", depression={"valueDecimal": 12})
    assert read(patient(), observation(12), agreed).values["depression"] == 12


def test_answer_that_contradicts_the_patient_is_asked():
    said = response(sex=chosen("sex", "female"), age={"valueDecimal": 45})
    assert rules(read(patient(), said)) == {"sex": "differ", "age": "differ"}


OTHER = {"reference": "Patient/p2"}


@pytest.mark.parametrize(
    ("resources", "rule"),
    [
        ([patient(), condition(STROKE, subject=OTHER)], "other_patient"),
        ([patient(), observation(12, subject=OTHER)], "other_patient"),
        ([patient(), patient(id="p2")], "one_patient"),
        ([condition(STROKE)], "one_patient"),
        ([patient(id=None)], "no_identity"),
        ([patient(link=[{"type": "replaced-by", "other": OTHER}])], "replaced"),
        ([patient(), {**condition(STROKE), "code": {"coding": {}}}], "malformed"),
        ([patient(birthDate=1972)], "malformed"),
        ([patient(), observation(12, status=3)], "malformed"),
        ([patient(), observation(12, valueQuantity=[7])], "malformed"),
        ([patient(), observation({"value": 12, "unit": 7})], "malformed"),
    ],
)
def test_record_that_is_not_one_patients_is_refused(resources, rule):
    with pytest.raises(RecordError) as refused:
        read(*resources)
    assert refused.value.said.code == f"interchange.{rule}"
    assert refused.value.text("fr") != refused.value.text("en")


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"link": [{"relation": "next", "url": "x"}]}, "page_of_many"),
        ({"total": 7}, "page_of_many"),
        ({"type": "transaction"}, "bundle_type"),
        ({"resourceType": "Patient"}, "no_bundle"),
    ],
)
def test_part_of_a_record_is_refused(more, rule):
    with pytest.raises(RecordError) as refused:
        record_of_bundle(bundle(patient(), **more))
    assert refused.value.said.code == f"interchange.{rule}"


def test_resource_that_names_no_patient_is_left_out_and_said():
    found = read(patient(), condition(STROKE, subject={"display": "M. X"}))
    assert "aetiology" not in found.values
    assert found.remarks[0].code == "interchange.no_subject"


def test_same_diagnosis_in_two_systems_is_one_cause():
    found = read(patient(), condition(STROKE, (SNOMED, "422504002")))
    assert found.values["aetiology"] == "ischaemic_stroke"


def test_condition_that_names_a_field_of_ours_is_no_diagnosis():
    own = (f"{CANONICAL}/CodeSystem/predictor", "aetiology")
    reading = read(patient(), condition(own))
    assert "aetiology" not in {**reading.values, **reading.asked}
    found = read(patient(), condition(own, STROKE)).values
    assert found["aetiology"] == "ischaemic_stroke"
