"""CDS Hooks 2.0 over HTTP: the specification's constraints, and nothing leaked."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from itertools import product
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import responder_model as rm
from cds_client import SCREENING, SERVICES, STROKE, URL, WORD, ask, card, recent
from records import LOINC, US, WHO, call, condition, observation, patient, searchset
from responder_model.interchange.cards import (
    REASONS,
    SUMMARY,
    card_of,
    check_cards,
    summary_of,
)
from responder_model.interchange.reading import Reading
from responder_model.serving.callers import check_local
from responder_model.serving.hospital import Hospital
from responder_model.serving.problems import Refused
from responder_model.serving.settings import ServerSettings
from serving_client import Local

OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "security", "diagnostics": WORD}],
}


@pytest.fixture(scope="module")
def server():
    return Local(ServerSettings(hospital=Hospital(public_url=URL)))


# ---------------------------------------------------------------- discovery


def test_discovery_names_a_service_for_each_question_and_moment(server):
    rows = server.get(SERVICES).json()["services"]
    assert [row["id"] for row in rows] == [
        "-".join(target) for target in server.service.models
    ]
    assert {row["hook"] for row in rows} == {"patient-view"}
    for row in rows:
        assert row["title"]
        assert row["description"]
        # every template is a read or a search of the patient in the context
        assert set(row["prefetch"]) == {
            "patient",
            "conditions",
            "observations",
            "responses",
        }
        for template in row["prefetch"].values():
            assert "{{context.patientId}}" in template
            assert re.fullmatch(r"[\w/?=&%:.,{}-]+", template)
    asked = rows[0]["prefetch"]["observations"]
    assert asked.endswith("&_count=100")
    assert f"{LOINC}%7C72514-3" in asked
    assert "%7C401320004" in asked


# ---------------------------------------------------------------- cards


def test_card_gives_the_number_of_predict(server):
    found = card(server, call(STROKE, observation(12, recent())))
    at = datetime.now(tz=UTC).astimezone()
    age = at.year - 1972 - ((at.month, at.day) < (5, 3))
    values = {"age": age, "sex": "male", "aetiology": "ischaemic_stroke"}
    due = rm.published_model("rtms_response", "screening").predict(
        {**values, "depression": 12}
    )
    low, high = (round(100 * bound) for bound in due.interval)
    assert found["summary"] == (
        f"rTMS: about {round(100 * due.probability)} of 100 like this patient report "
        f"> 30 % relief ({low} to {high}). Published evidence only."
    )
    assert due.verdict.note.text("en").split(":")[0] in found["detail"]


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_card_keeps_the_constraints_of_the_specification(server, lang):
    found = card(server, call(STROKE), lang=lang)
    assert UUID(found["uuid"])
    assert 0 < len(found["summary"]) < 140
    assert found["indicator"] == "info"
    assert found["source"]["url"] == f"{URL}/{lang}/about/rtms_response/screening"
    assert "research" in found["source"]["label"] or lang == "fr"
    assert [row["code"] for row in found["overrideReasons"]] == list(REASONS)
    assert all(row["display"] and row["system"] for row in found["overrideReasons"])
    (link,) = found["links"]
    assert link["type"] == "absolute"
    assert link["url"] == f"{URL}/{lang}/rtms_response/screening"
    check_cards({"cards": [found]})
    assert "suggestions" not in found


def test_each_call_has_a_card_of_its_own(server):
    assert len({card(server, call(STROKE))["uuid"] for _ in range(3)}) == 3


@settings(max_examples=60, deadline=None)
@given(
    p=st.floats(0.0, 1.0),
    bounds=st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)),
    name=st.text(min_size=1, max_size=300),
    lang=st.sampled_from(["en", "fr"]),
    level=st.sampled_from(["inside", "borderline", "outside"]),
    provenance=st.sampled_from(["published", "simulated", "cohort"]),
    decision=st.sampled_from(["rtms_response", "emcs_success"]),
)
def test_summary_is_short_for_every_number_and_name(
    p, bounds, name, lang, level, provenance, decision
):
    found = SimpleNamespace(
        decision=decision,
        probability=p,
        interval=sorted(bounds),
        cut_point=40.0,
        model=name,
        provenance=provenance,
        applicability=SimpleNamespace(level=level),
    )
    said = summary_of(found, lang)
    assert 0 < len(said) < SUMMARY
    whole = provenance != "cohort" or level == "outside"
    assert said.endswith((".", "…")) or not whole


def test_longest_sentences_are_said_whole():
    for lang, decision, level in product(
        ("en", "fr"), ("rtms_response", "emcs_success"), ("inside", "outside")
    ):
        found = SimpleNamespace(
            decision=decision,
            probability=0.0001,
            interval=(0.0001, 0.9999),
            cut_point=30.0,
            model="x",
            provenance="published",
            applicability=SimpleNamespace(level=level),
        )
        assert not summary_of(found, lang).endswith("…")


def test_provenance_stands_in_the_detail_in_our_words(server):
    rows = [STROKE, observation(7, recent(), code=(LOINC, "72514-3"))]
    found = card(server, call(*rows))["detail"]
    assert "Aetiology: from a diagnosis, code I69.3, 2024-01-02" in found
    assert f"from a result, code 72514-3, {recent()}" in found
    assert "mean of the last week" in found
    assert "Age: from the patient's own entry" in found
    assert "1972" not in found
    assert server.service.settings.hospital.codes.mapping_version in found
    digest = rm.published_model("rtms_response", "screening").digest
    assert digest in found
    assert "No clinician has signed" in found
    spoken = card(server, call(*rows), lang="fr")["detail"]
    assert "Étiologie : d'un diagnostic, code I69.3, 2024-01-02" in spoken


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        (WHO, "I69.3"),
        (f"{WHO}/", "I693"),
        (WHO, "i69.3"),
        ("https://smt.esante.gouv.fr/terminologie-cim-10", "I69.3"),
        ("https://smt.esante.gouv.fr/terminologie-cim-10/", "I693"),
        (US, "I69.354"),
    ],
)
def test_card_names_the_entry_of_the_table_and_not_the_records_text(server, uri, code):
    found = card(server, call(condition((uri, code))))["detail"]
    assert "from a diagnosis, code I69.3" in found
    assert code == "I69.3" or code not in found


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([condition((WHO, "I69.3"), (WHO, "G35"))], "several causes"),
        ([condition((WHO, "I64"))], "without its kind"),
        ([condition((WHO, "Z89.2"))], "absent limb"),
        ([STROKE, observation(12, "2020-01-01")], "older than 90 days"),
        ([STROKE, observation({"value": 12, "unit": "mm"}, recent())], "another unit"),
    ],
)
def test_what_is_unsure_is_asked_on_the_card(server, rows, said):
    assert said in card(server, call(*rows))["detail"]


def test_card_of_another_moment_is_that_of_its_model(server):
    path = f"{SERVICES}/emcs_success-implantation"
    assert card(server, call(STROKE), path=path)["summary"].startswith("Implant: ")


# ---------------------------------------------------------------- nothing to say


@pytest.mark.parametrize(
    "body",
    [
        call(),
        call(condition((WHO, "J45"))),
        call(STROKE, prefetch={"patient": patient(birthDate="2015-01-01")}),
        call(STROKE, prefetch={"patient": patient(birthDate="2015")}),
        call(STROKE, prefetch={"patient": patient(deceasedBoolean=True)}),
        call(prefetch={"conditions": None}),
    ],
)
def test_nothing_to_say_is_an_empty_list(server, body):
    answer = ask(server, body)
    assert (answer.status_code, answer.json()) == (200, {"cards": []})


def test_refuted_cause_is_none(server):
    refuted = {"coding": [{"system": "http://x.example", "code": "refuted"}]}
    body = call(condition((WHO, "I69.3"), verificationStatus=refuted))
    assert ask(server, body).json() == {"cards": []}


def test_failure_of_ours_is_500_and_never_an_empty_list(server, monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError(WORD)

    monkeypatch.setattr("responder_model.serving.cds.card_of", fail)
    answer = ask(server, call(STROKE))
    assert answer.status_code == 500
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert WORD not in answer.text + str(server.lines[-1])


# ---------------------------------------------------------------- prefetch


@pytest.mark.parametrize("sent", [..., None, OUTCOME])
def test_call_without_the_patient_is_412_with_an_outcome(server, sent):
    answer = ask(server, call(STROKE, prefetch={"patient": sent}), lang="fr")
    assert answer.status_code == 412
    assert answer.headers["content-type"] == "application/fhir+json"
    (issue,) = answer.json()["issue"]
    assert (issue["code"], issue["expression"]) == ("required", ["prefetch.patient"])
    assert "patient" in issue["details"]["text"]
    assert WORD not in answer.text


def test_call_without_prefetch_is_412(server):
    body = call()
    del body["prefetch"]
    assert ask(server, body).status_code == 412


PAGE = searchset(STROKE, link=[{"relation": "next", "url": "https://x.example?p=2"}])


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (..., "The record's diagnoses were not sent"),
        (OUTCOME, "The record could not give its diagnoses"),
        (PAGE, "Only a part of the record's diagnoses was sent"),
        (searchset(STROKE, total=7), "Only a part of the record's diagnoses"),
    ],
)
def test_diagnoses_that_are_not_whole_are_asked_and_said(server, sent, said):
    found = card(server, call(prefetch={"conditions": sent}))["detail"]
    assert said in found
    assert "diagnoses that were not sent. Please choose" in found
    assert "from a diagnosis" not in found


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (..., "The record's results were not sent"),
        (None, "The record holds no results"),
        (OUTCOME, "The record could not give its results"),
        (
            searchset(observation(12, recent()), total=140),
            "Only a part of the record's results was sent",
        ),
    ],
)
def test_results_in_every_state_are_handled_and_said(server, sent, said):
    found = card(server, call(STROKE, prefetch={"observations": sent}))
    assert said in found["detail"]
    assert "from a result" not in found["detail"]
    without = card(server, call(STROKE))
    assert found["summary"] == without["summary"]
    assert said not in without["detail"]


def test_answers_to_the_questionnaire_are_taken(server):
    form = f"{URL}/fhir/Questionnaire/rtms-response-screening"
    filled = {
        "resourceType": "QuestionnaireResponse",
        "id": "q1",
        "subject": {"reference": "Patient/p1"},
        "status": "completed",
        "questionnaire": form,
        "authored": recent(),
        "item": [{"linkId": "dn4", "answer": [{"valueInteger": 6}]}],
    }
    detail = card(server, call(STROKE, filled))["detail"]
    assert f"from an answer to the questionnaire, {recent()}" in detail


def test_references_of_the_records_own_server_are_the_patients(server):
    far = {"reference": "https://ehr.example/r4/Patient/p1"}
    body = call(condition((WHO, "I69.3"), subject=far))
    assert ask(server, body).status_code == 422
    known = {**body, "fhirServer": "https://ehr.example/r4/"}
    assert "from a diagnosis" in card(server, known)["detail"]


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ({"hook": "order-sign"}, "hook"),
        ({"hookInstance": 7}, "hookInstance"),
        ({"context": {}}, "context.patientId"),
        ({"context": {"patientId": "p1/../p2"}}, "context.patientId"),
        ({"context": {"patientId": "p2"}}, "prefetch.patient"),
        ({"prefetch": []}, "prefetch"),
        ({"prefetch": {"patient": {"resourceType": "Group"}}}, "prefetch.patient"),
        (
            {"prefetch": {"patient": patient(), "conditions": [STROKE]}},
            "prefetch.conditions",
        ),
    ],
)
def test_call_that_is_none_is_refused_by_its_place(server, change, at):
    answer = ask(server, {**call(STROKE), **change})
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == [at]


def test_call_that_is_no_object_and_other_media_types_are_refused(server):
    assert ask(server, []).status_code == 422
    headers = {"content-type": "text/plain"}
    sent = server.request("POST", SCREENING, content=b"{}", headers=headers)
    assert sent.status_code == 415
    assert server.get(SCREENING).status_code == 405
    assert server.post(f"{SERVICES}/nothing", {}).status_code == 404


def test_calls_may_be_a_mebibyte_and_other_bodies_not(server):
    long = condition((WHO, "J45"), id="c2", note=[{"text": "a" * 300_000}])
    body = call(STROKE, long, long)
    assert len(json.dumps(body)) > 600_000
    assert ask(server, body).status_code == 200
    assert ask(server, call(long, long, long, long)).status_code == 413
    assert server.post("/v1/predictions", body).status_code == 413


# ---------------------------------------------------------------- who is let in


@pytest.mark.parametrize(
    "change",
    [
        {"client": ("10.1.2.3", 5)},
        {"headers": [(b"host", b"responder.example")]},
        {"headers": [(b"host", b"localhost"), (b"x-forwarded-for", b"127.0.0.1")]},
    ],
)
def test_without_clients_only_this_machine_is_answered(change):
    scope = {
        "type": "http",
        "client": ("127.0.0.1", 5),
        "headers": [(b"host", b"localhost:8000")],
    }
    check_local(scope, ServerSettings())
    with pytest.raises(Refused, match="forbidden"):
        check_local({**scope, **change}, ServerSettings())
    with pytest.raises(Refused, match="forbidden"):
        check_local(scope, ServerSettings(proxy="127.0.0.1"))


def test_server_without_hospital_has_no_services():
    assert Local().get(SERVICES).status_code == 404


def test_model_name_is_no_markup_in_a_detail():
    model = rm.published_model("rtms_response", "screening")
    found = SimpleNamespace(**vars(model.predict({"aetiology": "ischaemic_stroke"})))
    found.model = "<b>[x](javascript:y)"
    found.verdict = model.predict({}).verdict
    reading = Reading(subject="Patient/p1", values={}, sources=(), asked={}, remarks=())
    made = card_of(found, reading, public_url=URL, uuid=uuid4(), lang="en")
    assert "<b>" not in made["detail"]
    assert "[x](" not in made["detail"]


@pytest.mark.parametrize(
    ("at", "value"),
    [
        ("summary", "a" * 140),
        ("summary", ""),
        ("indicator", "warning"),
        ("detail", None),
        ("overrideReasons", []),
        ("links", [{"url": "https://x.example/?age=54", "label": "x"}]),
        ("links", [{"url": "/fr/x", "label": "x"}]),
    ],
)
def test_check_cards_refuses_what_breaks_the_specification(server, at, value):
    found = card(server, call(STROKE))
    with pytest.raises(ValueError, match="a card must have"):
        check_cards({"cards": [{**found, at: value}]})
