"""What else is sent to CDS Hooks: feedback, canaries, calls that are damaged."""

from __future__ import annotations

import copy
import json
import random
from uuid import uuid4

import pytest

from cds_client import SCREENING, SERVICES, STROKE, URL, WORD, ask, card, recent
from records import WHO, call, condition, observation, patient
from responder_model.serving.hospital import Hospital
from responder_model.serving.settings import ServerSettings
from serving_client import Local


@pytest.fixture(scope="module")
def server():
    return Local(ServerSettings(hospital=Hospital(public_url=URL)))


# ---------------------------------------------------------------- feedback


def told(uuid, outcome="overridden", **more):
    at = {"outcomeTimestamp": "2026-11-20T10:00:00Z"}
    return {"card": uuid, "outcome": outcome, **at, **more}


def reason(code, system=f"{URL}/fhir/CodeSystem/override", **more):
    return {"overrideReason": {"reason": {"system": system, "code": code}, **more}}


def test_feedback_is_counted_once_for_each_card_and_outcome():
    server = Local(ServerSettings(hospital=Hospital(public_url=URL)))
    first, second = (card(server, call(STROKE))["uuid"] for _ in range(2))
    path = f"{SCREENING}/feedback"
    rows = [
        told(first, **reason("not-a-candidate", userComment=WORD)),
        told(first, **reason("record-wrong")),
        told(second, "accepted", acceptedSuggestions=[{"id": "x"}]),
        told(second, **reason("of-our-own", "https://x.example")),
    ]
    assert server.post(path, {"feedback": rows}).json() == {"counted": 3}
    assert server.post(path, {"feedback": rows}).json() == {"counted": 0}
    other = f"{SERVICES}/rtms_response-session_1/feedback"
    bare = [told(str(uuid4()).upper())]
    assert server.post(other, {"feedback": bare}).json() == {"counted": 1}
    assert server.get("/admin/feedback").json()["feedback"] == [
        {
            "service": "rtms_response-screening",
            "outcome": "accepted",
            "n": 1,
        },
        {
            "service": "rtms_response-screening",
            "outcome": "overridden",
            "reason": "not-a-candidate",
            "n": 1,
        },
        {
            "service": "rtms_response-screening",
            "outcome": "overridden",
            "reason": "other",
            "n": 1,
        },
        {"service": "rtms_response-session_1", "outcome": "overridden", "n": 1},
    ]
    assert WORD not in str(server.lines)


def test_feedback_is_refused_with_all_that_is_wrong(server):
    rows = [
        told("x"),
        told(str(uuid4()), "ignored"),
        {"card": str(uuid4()), "outcome": "accepted", "outcomeTimestamp": "now"},
        [],
    ]
    answer = server.post(f"{SCREENING}/feedback", {"feedback": rows})
    assert answer.status_code == 422
    assert [row["expression"][0] for row in answer.json()["issue"]] == [
        "feedback[0].card",
        "feedback[1].outcome",
        "feedback[2].outcomeTimestamp",
        "feedback[3]",
    ]
    assert server.post(f"{SCREENING}/feedback", {}).status_code == 422
    assert server.get("/admin/feedback").json() == {"feedback": []}


# ---------------------------------------------------------------- canary


def test_nothing_of_a_call_is_in_card_refusal_or_log(server):
    server.lines.clear()
    html = f"<img src=x onerror={WORD}>"
    named = patient(
        id=WORD, name=[{"family": html}], identifier=[{"value": WORD}], gender="male"
    )
    subject = {"reference": f"Patient/{WORD}", "display": html}
    row = condition((WHO, "I69.3"), subject=subject, id=WORD, recordedDate="2024-01-02")
    row["code"]["text"] = html
    body = call(
        row,
        prefetch={"patient": named},
        hookInstance=WORD,
        context={"userId": WORD, "patientId": WORD, "encounterId": WORD},
        fhirServer=f"https://{WORD}.example",
        fhirAuthorization={"access_token": WORD, "token_type": "Bearer"},
        extension={WORD: html},
    )
    found = card(server, body)
    assert WORD not in json.dumps(found)
    assert "<" not in found["detail"].replace("&lt;", "")
    refused = ask(server, {**body, "hook": WORD})
    assert WORD not in refused.text
    path = f"{SCREENING}/feedback"
    comment = told(found["uuid"], **reason(WORD, userComment=html))
    assert server.post(path, {"feedback": [comment]}).status_code == 200
    assert WORD not in server.post(path, {"feedback": [told(WORD, WORD)]}).text
    assert WORD not in server.get("/admin/feedback").text
    assert len(server.lines) == 5
    assert WORD not in str(server.lines)


# ---------------------------------------------------------------- damage

ODD = (None, True, 7, -1.5, WORD, [], {}, ["x"], {"a": 1}, [None], "2026-02-30")


def places(value, way=()):
    """Ways to all that is in a value."""
    inner = value.items() if isinstance(value, dict) else ()
    for key, each in enumerate(value) if isinstance(value, list) else inner:
        yield (*way, key)
        yield from places(each, (*way, key))


def damaged(body, rng):
    made = copy.deepcopy(body)
    *way, last = rng.choice([*places(body)])
    inner = made
    for step in way:
        inner = inner[step]
    inner[last] = copy.deepcopy(rng.choice(ODD))
    return made


def test_damaged_call_is_answered_or_refused_and_never_fails(server):
    rng = random.Random(16)
    sound = call(STROKE, observation({"value": 12, "unit": "{score}"}, recent()))
    rows = {"feedback": [told(str(uuid4()), **reason("record-wrong"))]}
    server.lines.clear()
    for _ in range(60):
        answer = ask(server, damaged(sound, rng))
        assert answer.status_code in (200, 412, 422)
        sent = server.post(f"{SCREENING}/feedback", damaged(rows, rng))
        assert sent.status_code in (200, 422)
        for found in (answer, sent):
            assert found.status_code == 200 or WORD not in found.text
    assert WORD not in str(server.lines)
