"""A server with an audit trail: no answer leaves that is not on the disk."""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from patience import PATIENCE
from records import WHO, bundle, call, condition, patient
from responder_model.audit import AuditKey, Trail, new_key, verify_trail
from responder_model.audit.head import locked
from responder_model.interchange.code_file import shipped_codes
from responder_model.serving.hospital import Hospital
from responder_model.serving.settings import Limits, ServerSettings
from serving_client import PATIENT, SCREENING, Live, Local

KEY = AuditKey(secret=bytes(range(32)))
FORM = {**{k: str(v) for k, v in PATIENT.items()}, "_do": "score"}
FHIR = "/fhir/$assess?decision=rtms_response&moment=screening"
CARDS = "/cds-services/rtms_response-screening"
TEST = "rtms_response@screening"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("audit") / "trail"


@pytest.fixture(scope="module")
def server(folder) -> Local:
    hospital = Hospital(public_url="http://localhost")
    return Local(ServerSettings(hospital=hospital, audit=Trail(folder, KEY)))


def lines(folder: Path) -> list[dict]:
    paths = sorted(folder.glob("*.jsonl"))
    return [json.loads(row) for p in paths for row in p.read_bytes().splitlines()]


def added(folder: Path, ask) -> tuple[object, list[dict]]:
    """An answer, and the lines that it left."""
    before = len(lines(folder))
    answer = ask()
    return answer, lines(folder)[before:]


def sent(server: Local, form: dict, path: str = f"/en/{TEST.replace('@', '/')}"):
    return server.request("POST", path, data=form)


def assessed(server: Local, **more: object):
    record = bundle(patient(**more), condition((WHO, "I69.3")))
    headers = {"content-type": "application/fhir+json"}
    content = json.dumps(record).encode()
    return server.request("POST", FHIR, content=content, headers=headers)


# ---------------------------------------------------------------- every scoring route


def test_predictions_leave_a_line_for_each_patient(server, folder):
    body = {**SCREENING, "patients": [PATIENT, {**PATIENT, "age": 60}, PATIENT]}
    answer, rows = added(folder, lambda: server.post("/v1/predictions", body))
    found = answer.json()
    assert [row["output"]["probability"] for row in rows] == [
        row["probability"] for row in found["predictions"]
    ]
    assert {row["request"] for row in rows} == {found["request_id"]}
    assert {f"sha256:{row['model']}" for row in rows} == {found["model"]["digest"]}
    assert {row["decision"] for row in rows} == {TEST}
    assert rows[0]["input"] == rows[2]["input"] != rows[1]["input"]


def test_an_explanation_leaves_its_figures_and_no_contribution(server, folder):
    body = {**SCREENING, "patient": PATIENT}
    answer, (row,) = added(folder, lambda: server.post("/v1/explanations", body))
    found = answer.json()["explanation"]
    assert row["output"]["interval"] == found["interval"]
    assert set(row["output"]) == {
        *("cut_point", "probability", "interval", "probabilities", "applicability"),
    }


def test_a_pathway_names_both_models(server, folder):
    answer, (row,) = added(
        folder, lambda: server.post("/v1/pathway", {"patient": PATIENT})
    )
    found = answer.json()
    digests = {k: v["digest"][7:] for k, v in found["models"].items()}
    assert (row["model"], row["also"]) == (digests["screening"], [digests["implant"]])
    assert row["output"]["probability"] == found["pathway"]["probability"]
    assert row["output"]["joint"] == found["pathway"]["joint"]


def test_a_course_names_the_models_of_its_visits_and_of_the_next(server, folder):
    body = {"patient": {**PATIENT, "relief_1": 40}}
    answer, (row,) = added(folder, lambda: server.post("/v1/course", body))
    found = answer.json()
    digests = {k: v["digest"][7:] for k, v in found["models"].items()}
    assert row["model"] == digests["session_1"]
    assert set(row["also"]) == {digests["screening"], digests["session_2"]}
    numbers = [visit["probability"] for visit in row["output"]["visits"]]
    assert numbers == [
        visit["prediction"]["probability"] for visit in found["course"]["visits"]
    ]


def test_the_page_leaves_a_line_with_the_number_of_json(server, folder):
    json_rows = added(folder, lambda: server.predict(PATIENT))[1]
    answer, (row,) = added(folder, lambda: sent(server, FORM))
    assert answer.status_code == 200
    assert row["output"] == json_rows[0]["output"]
    assert row["input"] == json_rows[0]["input"]
    assert row["request"] == answer.headers["x-request-id"]
    # its course shows what the next session could change
    assert len(row["also"]) == 1


def test_the_pages_of_two_steps_and_of_two_patients_leave_lines(server, folder):
    named = {**FORM, "_of": TEST}
    _, (row,) = added(folder, lambda: sent(server, named, "/fr/pathway"))
    assert len(row["also"]) == 1
    both = {**named, **{f"other.{k}": v for k, v in FORM.items() if k[0] != "_"}}
    both["other.age"] = "70"
    _, rows = added(folder, lambda: sent(server, both, "/fr/compare"))
    single = added(folder, lambda: server.predict({**PATIENT, "age": 70}))[1]
    assert len(rows) == 2
    assert rows[1]["input"] == single[0]["input"]
    assert rows[1]["output"] == single[0]["output"]


def test_fhir_leaves_a_line_with_the_version_of_the_codes(server, folder):
    answer, (row,) = added(folder, lambda: assessed(server))
    main = answer.json()["prediction"][0]
    assert row["output"]["probability"] == main["extension"][0]["valueDecimal"]
    assert row["mapping"] == shipped_codes().mapping_version


def test_a_card_leaves_a_line_with_the_version_of_the_codes(server, folder):
    cause = condition((WHO, "I69.3"), recordedDate="2024-01-02")
    asked = call(cause)
    answer, (row,) = added(folder, lambda: server.post(CARDS, asked))
    (card,) = answer.json()["cards"]
    percent = round(100 * row["output"]["probability"])
    assert f"about {percent} of 100" in card["summary"]
    assert row["mapping"] == shipped_codes().mapping_version
    assert row["input"] == added(folder, lambda: assessed(server))[1][0]["input"]


def test_what_is_not_answered_leaves_no_line(server, folder):
    def ask():
        assert server.predict({"age": 54, "sex": "unknowable"}).status_code == 422
        assert sent(server, {**FORM, "age": "180"}).status_code == 422
        assert sent(server, {**FORM, "_do": "form"}).status_code == 200
        assert server.post("/v1/stopping", LAST).status_code == 200
        assert assessed(server, deceasedBoolean=True).status_code == 422
        assert server.post(CARDS, call()).json() == {"cards": []}
        assert server.get("/v1/models").status_code == 200

    assert added(folder, ask)[1] == []


LAST = {"moment": "session_3"}
# Routes that take something and score nobody.
SCORE_NOBODY = {
    *("/v1/stopping", "/cds-services/{service}/feedback"),
    *(f"/{lang}/{name}" for lang in ("en", "fr") for name in ("login", "logout")),
    *("/en/{decision}/{moment}/record", "/fr/{decision}/{moment}/record"),
}
# Routes of which a test above sees the line.
RECORDED = {
    *("/v1/predictions", "/v1/explanations", "/v1/pathway", "/v1/course"),
    *(
        "/fhir/$assess",
        "/cds-services/{service}",
        "/en/{decision}/{moment}",
        "/fr/{decision}/{moment}",
    ),
    *(f"/{lang}/{name}" for lang in ("en", "fr") for name in ("pathway", "compare")),
}


def test_every_route_that_takes_a_patient_is_one_whose_line_is_tested(server):
    posting = {
        re.sub(r"(?<=/cds-services/)[^/]+", "{service}", row.path)
        for row in server.app.routes
        if "POST" in row.methods
    }
    assert posting - SCORE_NOBODY == RECORDED


def test_the_trail_of_all_that_was_asked_is_whole(server, folder):
    server.predict(PATIENT)
    assert verify_trail(folder, KEY).state == "whole"


def test_nothing_of_a_patient_but_figures_enters_the_trail(server, folder):
    canary = {"id": "zq7canary", "birthDate": "1953-07-19"}
    answer = assessed(
        server, **canary, name=[{"family": "Zq7canary"}], identifier=[{"value": "zq7"}]
    )
    server.predict({**PATIENT, "age": 67.719, "centre": "zq7canary"})
    sent(server, {**FORM, "age": "67.719"})
    cause = condition((WHO, "I69.3"), id="zq7canary", recordedDate="1953-07-19")
    server.post(
        CARDS,
        call(
            cause,
            context={"userId": "Practitioner/zq7canary", "patientId": "p1"},
            fhirAuthorization={"access_token": "zq7canary", "subject": "zq7"},
        ),
    )
    assert answer.status_code in (200, 422)
    text = b"".join(path.read_bytes() for path in folder.iterdir()).lower()
    # random identifiers and seals hold any digits, times any but 67 seconds
    text = re.sub(rb"[0-9a-f]{32,}", b"", text)
    for word in (b"zq7", b"1953", b"67.7", b"ischaemic", b"patient", b"aetiology"):
        assert word not in text, word


@pytest.mark.parametrize(("lang", "word"), [("en", "audit trail"), ("fr", "journal")])
def test_the_first_page_says_that_a_trail_is_kept(server, lang, word):
    assert word in server.get(f"/{lang}").text
    assert word not in Local().get(f"/{lang}").text


def test_a_request_of_a_client_is_named_as_in_the_log(server, folder):
    name = "0123456789abcdef0123456789abcdef"
    headers = {"x-request-id": name}
    body = {**SCREENING, "patients": [PATIENT]}
    _, (row,) = added(
        folder, lambda: server.post("/v1/predictions", body, headers=headers)
    )
    assert row["request"] == name == server.lines[-1]["request_id"]
    headers = {"x-request-id": "Mrs Durand, born 1953"}
    _, (row,) = added(
        folder, lambda: server.post("/v1/predictions", body, headers=headers)
    )
    assert row["request"] == server.lines[-1]["request_id"] != headers["x-request-id"]


# ---------------------------------------------------------------- what is not written


@pytest.fixture
def broken(tmp_path) -> Local:
    """A server whose trail lost its head while it ran."""
    local = Local(ServerSettings(audit=Trail(tmp_path / "trail", KEY)))
    (tmp_path / "trail" / "head.json").unlink()
    return local


def test_an_answer_that_cannot_be_recorded_is_refused(broken, tmp_path):
    answer = broken.predict(PATIENT)
    assert answer.status_code == 503
    document = answer.json()
    assert document["type"] == "/problems/not-recorded"
    assert "predictions" not in document
    assert "head.json is missing" in broken.lines[-1]["failure"]
    assert not lines(tmp_path / "trail")
    assert broken.get("/ready").json()["type"] == "/problems/not-recorded"


@pytest.mark.parametrize(("lang", "word"), [("en", "audit trail"), ("fr", "journal")])
def test_a_page_that_cannot_be_recorded_says_so_and_shows_no_number(broken, lang, word):
    path, headers = f"/{lang}/rtms_response/screening", {"accept": "text/html"}
    answer = broken.request("POST", path, data=FORM, headers=headers)
    assert answer.status_code == 503
    assert word in answer.text
    assert "icon-array" not in answer.text
    assert answer.headers["content-type"].startswith("text/html")


def test_a_full_disk_refuses_and_the_next_answer_leaves_again(tmp_path, monkeypatch):
    local = Local(ServerSettings(audit=Trail(tmp_path / "trail", KEY)))

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        assert local.predict(PATIENT).status_code == 503
    assert "No space left" in local.lines[-1]["failure"]
    assert local.predict(PATIENT).status_code == 200
    assert verify_trail(tmp_path / "trail", KEY).n_answers == 1


def test_a_disk_that_does_not_answer_in_time_refuses(tmp_path):
    limits = Limits(answer_seconds=0.5)
    trail = Trail(tmp_path / "trail", KEY)
    local = Local(ServerSettings(audit=trail, limits=limits))
    with locked(tmp_path / "trail"):
        assert local.predict(PATIENT).status_code == 503
    # what was given up may still be written, what follows is answered
    assert local.predict(PATIENT).status_code == 200
    assert verify_trail(tmp_path / "trail", KEY).state == "whole"


def test_what_is_asked_beside_one_another_is_one_group(tmp_path, monkeypatch):
    """32 requests at once wait for far fewer than 32 groups."""
    import asyncio

    import httpx

    sizes = []
    append = Trail.append
    monkeypatch.setattr(
        Trail,
        "append",
        lambda self, rows: (sizes.append(len(rows)), append(self, rows)),
    )
    local = Local(ServerSettings(audit=Trail(tmp_path / "trail", KEY)))
    body = {**SCREENING, "patients": [PATIENT]}

    async def ask_all():
        transport = httpx.ASGITransport(app=local.app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost"
        ) as client:
            asked = [client.post("/v1/predictions", json=body) for _ in range(32)]
            return await asyncio.gather(*asked)

    assert {answer.status_code for answer in asyncio.run(ask_all())} == {200}
    assert sum(sizes) == 32
    assert len(sizes) < 32
    assert verify_trail(tmp_path / "trail", KEY).n_answers == 32


# ---------------------------------------------------------------- killed, really

KILLS = 200
# Seconds after which a server has replaced a process, and one has answered.


def children(server: Live) -> list[int]:
    pid = server.process.pid
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    return [int(number) for number in text.split()]


def ask_for(server: Live, answered: set[str], stop: threading.Event) -> None:
    """Ask until told to stop; the requests that were answered."""
    body = json.dumps({**SCREENING, "patients": [PATIENT]})
    while not stop.is_set():
        name = uuid4().hex
        headers = {"Content-Type": "application/json", "X-Request-ID": name}
        connection = http.client.HTTPConnection(
            "127.0.0.1", server.port, timeout=PATIENCE
        )
        with suppress(OSError, http.client.HTTPException):
            connection.request("POST", "/v1/predictions", body, headers)
            answer = connection.getresponse()
            if answer.status == 200 and answer.read():
                answered.add(name)
        connection.close()


@pytest.mark.long
def test_200_kills_of_processes_that_answer_lose_no_line(tmp_path):
    key, folder = tmp_path / "audit.key", tmp_path / "trail"
    secret = new_key(key)
    audit = ("--audit", str(folder), "--audit-key", str(key), "--processes", "2")
    rng, answered, stop = random.Random(16), set(), threading.Event()
    with Live(tmp_path, *audit) as server:
        asking = [
            threading.Thread(target=ask_for, args=(server, answered, stop))
            for _ in range(4)
        ]
        for thread in asking:
            thread.start()
        for _ in range(KILLS):
            before, deadline = len(answered), time.monotonic() + PATIENCE
            while len(answered) < before + 3 or len(children(server)) < 2:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            time.sleep(rng.uniform(0.0, 0.05))
            os.kill(rng.choice(children(server)), signal.SIGKILL)
            assert verify_trail(folder, secret).state in ("whole", "interrupted")
        stop.set()
        for thread in asking:
            thread.join()
        assert server.stop() == 0
    found = verify_trail(folder, secret)
    assert found.state in ("whole", "interrupted")
    assert answered <= {row.get("request") for row in lines(folder)}
    assert len(answered) >= 3 * KILLS
