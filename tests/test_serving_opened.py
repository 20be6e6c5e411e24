"""The form that a hospital opens with a record, and one number wherever it is asked."""

from __future__ import annotations

import json
import random
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
from typer.testing import CliRunner

import responder_model as rm
from records import LOINC, SNOMED, WHO, bundle, call, condition, observation, patient
from responder_model.audit import AuditKey, Trail, affected
from responder_model.cli.app import app
from responder_model.serving.hospital import Hospital
from responder_model.serving.settings import Limits, ServerSettings
from responder_model.serving.sources import text_of
from serving_client import Local

URL = "https://responder.example"
FHIR = "application/fhir+json"
FORM = "application/x-www-form-urlencoded"
WORD = "zq7canary"
STROKE = condition((WHO, "I693"), recordedDate="2024-01-02")


@pytest.fixture(scope="module")
def server():
    hospital = Hospital(public_url=URL)
    return Local(ServerSettings(hospital=hospital, origins=("https://ehr.example",)))


def recent():
    return (datetime.now(tz=UTC) - timedelta(days=5)).date().isoformat()


def opened(server, body, *, lang="en", kind=FHIR, headers=None, moment="screening"):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    if kind == FORM:
        content = urlencode({"record": content.decode()}).encode()
    return server.request(
        "POST",
        f"/{lang}/rtms_response/{moment}/record",
        content=content,
        headers={"content-type": kind, **(headers or {})},
    )


class Filled(HTMLParser):
    """What a browser would send of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        if tag != "input" or not told.get("value"):
            return
        if told.get("type") in ("text", "hidden") or "checked" in told:
            self.sent[told["name"]] = told["value"]


@pytest.mark.parametrize("kind", [FHIR, FORM])
def test_form_is_filled_and_says_where_each_value_stands(server, kind):
    scale = observation(7.5, recent(), code=(LOINC, "72514-3"), id="o2")
    page = opened(server, bundle(patient(), STROKE, scale), kind=kind)
    assert page.status_code == 200
    sent = {k: v for k, v in Filled(page.text).sent.items() if v != "nd"}
    assert sent["aetiology"] == "ischaemic_stroke"
    assert (sent["sex"], sent["pain_intensity"]) == ("male", "7.5")
    text = unescape(page.text)
    assert "from a diagnosis, code I69.3, 2024-01-02 (Condition/c1)" in text
    assert f"from a result, code 72514-3, {recent()} (Observation/o2)" in text
    assert "from the patient's own entry (Patient/p1)" in text
    assert re.search(r"4 of \d\d values come from the record", text)
    assert "No clinician has signed this table of codes yet." in text
    assert server.service.settings.hospital.codes.mapping_version in text
    assert "mean of the last week" in text
    assert 'aria-describedby="aetiology-help aetiology-told"' in text


def values_of(page) -> dict[str, str]:
    """What a page would send of the patient."""
    found = Filled(page.text).sent.items()
    return {k: v for k, v in found if v != "nd" and not k.startswith(("_", "record."))}


def send(server, page, does="score", *, path="/en/rtms_response/screening", **changed):
    """What a press of a button sends, with what a person changed, and its answer."""
    sent = {k: v for k, v in Filled(page.text).sent.items() if v != "nd"}
    content = urlencode({**sent, **changed, "_do": does}).encode()
    return server.request("POST", path, content=content, headers={"content-type": FORM})


def answers(page) -> dict[str, str]:
    """Where each answer of a page comes from, by its label."""
    rows = re.findall(
        r"<dt>([^<]*)</dt><dd>[^<]*(?:<span class=.small.>([^<]*)</span>)?</dd>",
        page.text.partition('<dl class="given">')[2],
    )
    return {unescape(label): unescape(place) for label, place in rows}


@pytest.fixture
def filled(server):
    scale = observation(7.5, recent(), code=(LOINC, "72514-3"), id="o2")
    return opened(server, bundle(patient(), STROKE, scale))


DIAGNOSIS = "from a diagnosis, code I69.3, 2024-01-02 (Condition/c1)"
PAIN = "from a result, code 72514-3, {} (Observation/o2)"


def test_result_names_the_source_of_each_value_and_the_version_of_the_table(
    server, filled
):
    page = send(server, filled, dn4="5")
    version = server.service.settings.hospital.codes.mapping_version
    assert answers(page) == {
        "Age": "from the patient's own entry (Patient/p1)",
        "Sex": "from the patient's own entry (Patient/p1)",
        "Aetiology": DIAGNOSIS,
        # follows from it
        "Lesion type": DIAGNOSIS,
        "Pain intensity": PAIN.format(recent()),
        "DN4 score": "entered here",
    }
    text = unescape(page.text)
    assert f"Table of codes: {version}." in text
    assert text.count("No clinician has signed this table of codes yet.") == 1
    assert "mean of the last week" in text


def test_value_that_a_person_changes_loses_its_source(server, filled):
    page = send(server, filled, aetiology="haemorrhagic_stroke", pain_intensity="7,5")
    found = answers(page)
    assert (found["Aetiology"], found["Pain intensity"]) == ("entered here",) * 2
    assert "patient's own entry" in found["Age"]
    # no value by the table is left, nor what must be said with one
    assert "Table of codes" not in page.text
    assert "mean of the last week" not in page.text
    back = send(server, page, "form", aetiology="ischaemic_stroke")
    assert DIAGNOSIS in back.text


@pytest.mark.parametrize("way", ["pathway", "compare", "rtms_response/session_1"])
def test_sources_travel_to_the_pages_that_follow(server, filled, way):
    result = send(server, filled)
    other = {"other.age": "70"} if way == "compare" else {}
    page = send(server, result, path=f"/en/{way}", **other)
    assert page.status_code == 200
    assert answers(page)["Aetiology"] == DIAGNOSIS
    french = send(server, page, path=f"/fr/{way}")
    assert "d'un diagnostic, code I69.3, 2024-01-02 (Condition/c1)" in unescape(
        french.text
    )


def test_audit_line_of_a_page_has_the_version_of_the_table_that_was_used(tmp_path):
    trail = Trail(tmp_path / "trail", AuditKey(secret=bytes(32)))
    hospital = Hospital(public_url=URL)
    server = Local(ServerSettings(hospital=hospital, audit=trail))
    form = opened(server, bundle(patient(), STROKE))
    version = hospital.codes.mapping_version
    for path in ("/en/rtms_response/screening", "/en/pathway", "/en/compare"):
        send(server, form, path=path, **{"_of": "rtms_response@screening"})
    send(server, form, aetiology="haemorrhagic_stroke")
    send(server, form, **{"record.aetiology": '{"mapping_version": "Mrs Smith"}'})
    assert [row.get("mapping") for row in affected(tmp_path / "trail").rows] == [
        version,
        version,
        None,
        None,
    ]


def test_sources_that_travel_are_on_no_log_and_in_no_trail(tmp_path):
    trail = Trail(tmp_path / "trail", AuditKey(secret=bytes(32)))
    server = Local(ServerSettings(hospital=Hospital(public_url=URL), audit=trail))
    subject = {"reference": f"Patient/{WORD}"}
    row = condition((WHO, "I69.3"), subject=subject, id=WORD)
    form = opened(server, bundle(patient(id=WORD), row))
    assert WORD in send(server, form).text
    assert send(server, form, age=WORD).status_code == 422
    assert send(server, form, **{f"record.{WORD}": WORD}).status_code == 200
    assert WORD not in str(server.lines)
    text = b"".join(path.read_bytes() for path in trail.folder.iterdir())
    assert WORD.encode() not in text


def test_result_of_a_form_without_a_record_says_nothing_of_sources(server):
    page = send(server, server.get("/en/rtms_response/screening"), age="54")
    assert answers(page) == {"Age": ""}


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "{",
        "[]",
        '{"text": "54"}',
        '{"text": "54", "kind": "Practitioner"}',
        '{"text": "54", "kind": "Patient", "more": "x"}',
        '{"text": "54", "kind": "Patient", "resource": 1}',
        '{"text": 54, "kind": "Patient"}',
        '{"text": "54", "kind": "Patient", "notes": ["stale"]}',
        '{"text": "54", "kind": "Patient", "notes": "pain_now"}',
        '{"text": "54", "kind": "Patient", "mapping_version": "Mrs Smith"}',
    ],
)
def test_what_is_no_source_of_ours_is_none(server, forged):
    form = server.get("/en/rtms_response/screening")
    page = send(server, form, age="54", **{"record.age": forged, "record.x": forged})
    assert page.status_code == 200
    assert answers(page) == {"Age": ""}


def test_reference_that_is_too_long_for_a_form_is_left_out(server):
    url = f"https://ehr.example/{'a' * 100_000}"
    row = {"fullUrl": url, "resource": {**STROKE, "id": None}}
    body = bundle(patient())
    body["entry"].append(row)
    page = send(server, opened(server, body))
    assert answers(page)["Aetiology"].endswith("2024-01-02 (Condition)")


def test_form_speaks_french_and_asks_what_is_unsure(server):
    page = opened(server, bundle(patient(), condition((WHO, "I64"))), lang="fr")
    text = unescape(page.text)
    assert "un AVC sans son type. À préciser" in text
    assert "Aucun clinicien n'a encore signé" not in text
    assert Filled(page.text).sent["aetiology"] == "nd"
    assert "Repris du dossier" in text


def test_form_that_a_person_opens_says_nothing_of_a_record(server):
    text = server.get("/en/rtms_response/screening").text
    assert "Read from the record" not in text
    assert "-told" not in text


def test_record_is_taken_from_pages_of_allowed_origins_alone(server):
    body = bundle(patient(), STROKE)
    ours = {"origin": "https://ehr.example", "sec-fetch-site": "cross-site"}
    assert opened(server, body, kind=FORM, headers=ours).status_code == 200
    other = {**ours, "origin": "https://else.example", "accept": "text/html"}
    refused = opened(server, body, kind=FORM, headers=other)
    assert refused.status_code == 403
    assert "was not told to trust (serve --allow-origin)" in refused.text


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", FHIR, 400),
        (bundle(patient(), patient(id="p2")), FHIR, 422),
        (bundle(patient(deceasedBoolean=True)), FORM, 422),
        (bundle(patient()), "application/json", 415),
    ],
)
def test_what_is_no_record_of_one_living_patient_is_refused(server, body, kind, status):
    refused = opened(server, body, kind=kind)
    assert refused.status_code == status
    assert refused.headers["content-type"] == "application/problem+json"
    shown = opened(server, body, kind=kind, headers={"accept": "text/html"})
    assert shown.status_code == status
    assert "<html" in shown.text
    for row in refused.json()["problems"]:
        assert row["allowed"] in unescape(shown.text)


def test_record_may_be_larger_than_a_form_and_only_there(server):
    row = condition((WHO, "Q99"), id="x", note=[{"text": "a" * 300_000}])
    body = bundle(patient(), STROKE, row)
    assert opened(server, body).status_code == 200
    assert opened(server, bundle(patient(), row, row, row, row)).status_code == 413
    content = urlencode({"age": "5" * 100_000}).encode()
    path, headers = "/en/rtms_response/screening", {"content-type": FORM}
    sent = server.request("POST", path, content=content, headers=headers)
    assert sent.status_code == 413
    most = Limits().body_bytes
    without = Local()
    sent = without.request(
        "POST", f"{path}/record", content=b" " * (most + 1), headers=headers
    )
    assert sent.status_code == 404


def test_nothing_of_a_record_is_on_the_log_and_no_markup_on_the_page(server):
    server.lines.clear()
    html = f"<script>{WORD}</script>"
    subject = {"reference": f"Patient/{WORD}"}
    row = condition((WHO, "I69.3"), subject=subject, id=html)
    page = opened(server, bundle(patient(id=WORD, name=[{"family": html}]), row))
    assert page.status_code == 200
    assert "<script>" not in page.text
    refused = opened(server, bundle(patient(id=WORD), patient(id=f"{WORD}2")))
    assert WORD not in refused.text
    assert len(server.lines) == 2
    assert WORD not in str(server.lines)


def test_value_reads_back_as_it_was():
    assert [text_of(v) for v in (54.0, 0.1 + 0.2, False, "male")] == [
        "54",
        "0.30000000000000004",
        "no",
        "male",
    ]


def test_one_number_on_json_page_card_fhir_and_command_line(server):
    rows = [STROKE, observation(12, recent())]
    body = bundle(patient(), *rows)
    page = opened(server, body, lang="fr")
    sent = values_of(page)
    values = {
        **sent,
        "age": float(sent["age"]),
        "depression": float(sent["depression"]),
    }
    model = rm.published_model("rtms_response", "screening")
    due = model.predict(values)
    # JSON
    found = server.predict(values).json()["predictions"][0]
    assert (found["probability"], found["interval"]) == (
        due.probability,
        [*due.interval],
    )
    # the command line
    typed = [f"--{name.replace('_', '-')}={text}" for name, text in sent.items()]
    told = CliRunner().invoke(
        app, ["predict", "rtms_response@screening", *typed, "--json"]
    )
    assert json.loads(told.stdout)["probability"] == due.probability
    # FHIR
    path = "/fhir/$assess?decision=rtms_response&moment=screening"
    headers = {"content-type": FHIR}
    answer = server.request(
        "POST", path, content=json.dumps(body).encode(), headers=headers
    )
    main, interval, *_ = answer.json()["prediction"]
    assert main["extension"][0]["valueDecimal"] == due.probability
    assert main["probabilityDecimal"] == round(100 * due.probability, 1)
    low = interval["probabilityRange"]["low"]["value"]
    assert low == round(100 * due.interval[0], 1)
    # the card
    asked = call(*rows)
    answer = server.post("/cds-services/rtms_response-screening", asked)
    summary = answer.json()["cards"][0]["summary"]
    numbers = re.fullmatch(
        r".* (\d+) of 100 .* \((\d+) to (\d+)\)\..*", summary
    ).groups()
    bounds = (due.probability, *due.interval)
    assert [int(n) for n in numbers] == [round(100 * p) for p in bounds]
    # the page
    result = server.request(
        "POST",
        "/en/rtms_response/screening",
        content=urlencode({**sent, "_do": "score"}).encode(),
        headers={"content-type": FORM},
    )
    assert due.verdict.note.text("en") in unescape(result.text).replace(
        "\N{NO-BREAK SPACE}", " "
    )


CAUSES = ("I63.9", "G35", "S24.1", "G53.0", "G62.9", "T87.3", "G56.2", "I61")


def made_up(rng: random.Random) -> tuple[dict, list[dict]]:
    """A patient and what the record holds of them."""
    born = f"{rng.randint(1930, 2000)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    person = patient(birthDate=born, gender=rng.choice(("male", "female", "other")))
    rows = [condition((WHO, rng.choice(CAUSES)), recordedDate="2024-01-02")]
    for k, (system, code, most) in enumerate(
        ((SNOMED, "401320004", 21), (SNOMED, "401319005", 21), (LOINC, "72514-3", 10))
    ):
        if rng.random() < 0.7:
            value = observation(
                rng.randint(0, most), recent(), code=(system, code), id=f"o{k}"
            )
            rows.append(value)
    return person, rows


def test_one_number_and_one_patient_on_every_way_for_many_patients(tmp_path):
    trail = Trail(tmp_path / "trail", AuditKey(secret=bytes(32)))
    server = Local(ServerSettings(hospital=Hospital(public_url=URL), audit=trail))
    rng = random.Random(16)
    path = "/fhir/$assess?decision=rtms_response&moment=screening"
    for _ in range(8):
        person, rows = made_up(rng)
        body = bundle(person, *rows)
        form = opened(server, body)
        values = {
            name: float(text) if text[0].isdigit() else text
            for name, text in values_of(form).items()
        }
        found = server.predict(values).json()["predictions"][0]
        content = json.dumps(body).encode()
        headers = {"content-type": FHIR}
        main = server.request("POST", path, content=content, headers=headers)
        said = main.json()["prediction"][0]["extension"][0]["valueDecimal"]
        assert said == found["probability"]
        assert send(server, form).status_code == 200
        asked = call(*rows, prefetch={"patient": person})
        cards = server.post("/cds-services/rtms_response-screening", asked).json()
        assert len(cards["cards"]) == 1
        lines = affected(trail.folder).rows[-4:]
        # the same figures, of the same patient, under the same key
        assert {row["output"]["probability"] for row in lines} == {said}
        assert len({json.dumps(row["output"]) for row in lines}) == 1
        assert len({row["input"] for row in lines}) == 1
