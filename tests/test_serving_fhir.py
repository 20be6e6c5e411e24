"""FHIR over HTTP: one number with JSON, refusals as outcomes, no value leaked."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import responder_model as rm
from other_readers import INVARIANTS, answers, judged
from records import WHO, bundle, condition, observation, patient
from responder_model.interchange.code_file import read_codes
from responder_model.interchange.risk import check_risk
from responder_model.interchange.validity import check_resources
from responder_model.serving.hospital import Hospital
from responder_model.serving.settings import ServerSettings
from serving_client import Local

FHIR = "application/fhir+json"
ASSESS = "/fhir/$assess?decision=rtms_response&moment=screening"
WORD = "zq7canary"


@pytest.fixture(scope="module")
def server():
    hospital = Hospital(public_url="http://localhost")
    return Local(ServerSettings(hospital=hospital))


def recent():
    return (datetime.now(tz=UTC) - timedelta(days=5)).date().isoformat()


def record(**more):
    return bundle(patient(**more), condition((WHO, "I69.3")), observation(12, recent()))


def assess(server, body, *, path=ASSESS, lang="en", kind=FHIR):
    headers = {"content-type": kind, "accept-language": lang}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return server.request("POST", path, content=content, headers=headers)


def test_assess_gives_the_number_of_predict(server):
    answer = assess(server, record())
    assert answer.status_code == 200
    assert answer.headers["content-type"] == FHIR
    found = answer.json()
    check_resources([found])
    values = {"aetiology": "ischaemic_stroke", "sex": "male", "depression": 12}
    values["age"] = age_on(found["occurrenceDateTime"])
    due = rm.published_model("rtms_response", "screening").predict(values)
    main, interval, *others = found["prediction"]
    assert main["extension"][0]["valueDecimal"] == due.probability
    assert main["probabilityDecimal"] == round(100 * due.probability, 1)
    bounds = interval["probabilityRange"]
    low, high = (round(100 * bound, 1) for bound in due.interval)
    assert (bounds["low"]["value"], bounds["high"]["value"]) == (low, high)
    assert [p["probabilityDecimal"] for p in others] == [
        round(100 * due.probabilities[cut], 1) for cut in (10, 50)
    ]
    as_json = server.predict(values).json()["predictions"][0]
    assert as_json["probability"] == due.probability


def age_on(written):
    """Age at a time of who was born on the third of May 1972."""
    at = datetime.fromisoformat(written)
    assert at.tzinfo is not None
    return at.year - 1972 - ((at.month, at.day) < (5, 3))


def test_assess_names_only_what_it_used(server):
    found = assess(server, record()).json()
    references = [row["reference"] for row in found["basis"]]
    assert references == ["Patient/p1", "Condition/c1", "Observation/o1"]
    assert found["performer"]["reference"] == "#model"
    assert found["contained"][0]["identifier"][0]["value"]
    spoken = json.dumps(assess(server, record(), lang="fr").json())
    assert "soulagement" in spoken


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "processing"),
        (b"[]", 422, "invalid"),
        (bundle(patient()), 415, "not-supported"),
        (bundle(patient(birthDate="2020-01-01")), 422, "invalid"),
        (bundle(patient(deceasedBoolean=True)), 422, "invalid"),
        (bundle(), 422, "invalid"),
    ],
)
def test_refusal_is_an_outcome_that_repeats_nothing(server, body, status, code):
    kind = "application/json" if status == 415 else FHIR
    answer = assess(server, body, kind=kind, lang="fr")
    assert answer.status_code == status
    assert answer.headers["content-type"] == FHIR
    check_resources([answer.json()])
    assert {row["code"] for row in answer.json()["issue"]} == {code}


def test_unknown_question_and_address_are_outcomes(server):
    path = ASSESS.replace("screening", "implantation")
    assert assess(server, record(), path=path).status_code == 422
    missing = server.get(f"/fhir/Patient/{WORD}")
    assert missing.status_code == 404
    assert missing.json()["issue"][0]["code"] == "not-found"


def test_record_may_be_larger_than_other_bodies(server):
    rows = [
        condition((WHO, "Q99"), id=f"x{n}", note=[{"text": "a" * 900}])
        for n in range(300)
    ]
    body = record()
    body["entry"] += [{"resource": row} for row in rows]
    assert len(json.dumps(body)) > 200_000
    assert assess(server, body).status_code == 200
    assert assess(server, b" " * (1024 * 1024 + 1)).status_code == 413


def test_identity_of_a_patient_is_in_no_log_and_no_refusal(server):
    server.lines.clear()
    subject = {"reference": f"Patient/{WORD}"}
    named = bundle(
        patient(id=WORD, name=[{"family": WORD}]),
        condition((WHO, "I69.3"), subject=subject, id=WORD),
    )
    answer = assess(server, named)
    assert answer.json()["subject"] == subject
    assert WORD not in json.dumps(answer.json()["text"])
    other = bundle(patient(), condition((WHO, WORD), subject=subject))
    refused = assess(server, other)
    assert refused.status_code == 422
    assert WORD not in refused.text
    assert len(server.lines) == 2
    assert WORD not in str(server.lines)


def test_server_describes_itself(server):
    known = server.get("/fhir/metadata").json()
    assert known["fhirVersion"] == "4.0.1"
    form = server.get(
        "/fhir/Questionnaire/rtms-response-screening",
        headers={"accept-language": "fr"},
    ).json()
    items = {row["linkId"]: row for row in form["item"]}
    assert items["age"]["text"] == "Âge (ans)"
    assert "lesion_type" not in items
    table = server.get("/fhir/ConceptMap/predictors").json()
    assert table["status"] == "draft"
    check_resources([known, form, table])


@pytest.mark.parametrize(
    "path",
    [("prediction", 0, "probabilityDecimal"), ("status",), ("occurrenceDateTime",)],
)
def test_check_risk_refuses_what_libraries_pass(server, path):
    found = assess(server, record()).json()
    known = [row["reference"] for row in found["basis"]]
    check_risk(found, known=known)
    *way, last = path
    inner = found
    for step in way:
        inner = inner[step]
    inner[last] = {"probabilityDecimal": 420, "status": "done"}.get(last, "2026-11-01")
    with pytest.raises(ValueError, match="a RiskAssessment must have"):
        check_risk(found, known=known)


def test_server_without_hospital_has_no_such_address():
    assert Local().get("/fhir/metadata").status_code == 404


@pytest.mark.long
def test_other_software_reads_every_answer(tmp_path):
    found = list(answers())
    check_resources(found)
    kinds = {answer["resourceType"] for answer in found}
    assert kinds == set(INVARIANTS)
    # what must be found: a number above 100, bounds that are crossed, a wrong type
    wrong = json.loads(json.dumps(next(a for a in found if "prediction" in a)))
    wrong["prediction"][0]["probabilityDecimal"] = 101
    bounds = wrong["prediction"][1]["probabilityRange"]
    bounds["low"], bounds["high"] = bounds["high"], bounds["low"]
    wrong["prediction"][2]["probabilityDecimal"] = "43"
    *rows, last = judged(tmp_path, [*found, wrong])
    for answer, places, broken, number in rows:
        assert (places, broken) == ([], []), answer["resourceType"]
        if "prediction" in answer:
            assert number == answer["prediction"][0]["probabilityDecimal"]
    _, places, broken, number = last
    assert any("probabilityDecimal" in place for place in places)
    assert (broken, number) == (["ras-1", "ras-2"], 101)


def test_page_of_documentation_works_as_it_stands(server, tmp_path):
    page = (Path(__file__).parents[1] / "docs" / "hospital.md").read_text("utf-8")
    sent = page.split("```json\n")[1].split("```")[0]
    found = assess(server, sent.encode()).json()
    assert found["prediction"][0]["probabilityDecimal"] > 0
    call = json.loads(page.split("```json\n")[2].split("```")[0])
    assert server.post("/cds-services/rtms_response-screening", call).json()["cards"]
    table = tmp_path / "hospital.toml"
    table.write_text(page.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    assert read_codes(table).is_signed
