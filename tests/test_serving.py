"""The server: the same numbers as everywhere, and refusals that repeat nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

import responder_model as rm
from responder_model.artifact import save_model
from responder_model.cli.app import app
from responder_model.model.example import example_model
from responder_model.schema import dictionary
from responder_model.serving.envelopes import ManyPatients
from responder_model.serving.fields import patient_fields, patient_schema
from responder_model.serving.problems import Kind
from responder_model.serving.settings import Limits, ServerSettings
from serving_client import PATIENT, SCREENING, Local, pointers, without_chance

TARGETS = dictionary().targets()


@pytest.fixture(scope="module")
def server():
    return Local()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A released model with trees, which takes the place of a published one."""
    cohort = rm.simulate_cohort(n_patients=120, seed=3)
    model = rm.develop(cohort, "rtms_response", moment="session_1", seed=0)
    return save_model(model, tmp_path_factory.mktemp("models") / "centre")


def made_up_patients(moment, n, *, seed):
    """Patients with every kind of value, many of them not known."""
    rng = np.random.default_rng(seed)
    rows = patient_fields(moment)
    # what follows from another value is left out
    free = [row for row in rows if not (row.derived_from or row.indicates)]
    return [
        {row.name: _value(row, rng) for row in free if rng.random() < 0.6}
        for _ in range(n)
    ]


def _value(row, rng):
    if rng.random() < 0.1:
        return None
    if row.kind == "boolean":
        return bool(rng.random() < 0.5)
    if row.kind == "category":
        return str(rng.choice(row.category_names))
    value = rng.uniform(row.minimum, row.maximum)
    return round(value) if row.integer or abs(value) < 1 else value


@pytest.mark.parametrize(("decision", "moment"), TARGETS)
def test_predictions_are_those_of_the_model_to_the_last_bit(server, decision, moment):
    patients = made_up_patients(moment, 100, seed=1)
    body = {"decision": decision, "moment": moment, "patients": patients, "lang": "fr"}
    answered = server.post("/v1/predictions", body)
    assert answered.status_code == 200, answered.text
    model = rm.published_model(decision, moment=moment)
    expected = [model.predict(patient).to_dict("fr") for patient in patients]
    assert answered.json()["predictions"] == json.loads(json.dumps(expected))


def test_released_folder_answers_to_the_last_bit_as_the_command_does(folder):
    server = Local(ServerSettings(models=(str(folder),)))
    patients = made_up_patients("session_1", 3, seed=2)
    body = {"decision": "rtms_response", "moment": "session_1", "patients": patients}
    answered = server.post("/v1/predictions", body).json()
    digest = rm.load_model(folder).digest
    assert answered["model"]["digest"] == f"sha256:{digest}"
    assert answered["model"]["provenance"] == "simulated"
    for patient, found in zip(patients, answered["predictions"], strict=True):
        command = ["predict", str(folder), "--input", "-", "--json", "--lang", "en"]
        known = json.dumps({k: v for k, v in patient.items() if v is not None})
        done = CliRunner().invoke(app, command, input=known)
        assert done.exit_code == 0, done.stderr
        printed = json.loads(done.stdout)
        # the command asks on
        assert printed.pop("questions")
        assert printed == found


@pytest.mark.long
@pytest.mark.parametrize("kind", ["published", "released"])
def test_five_hundred_patients_are_answered_as_the_command_does(tmp_path, kind):
    named = {f"{decision}@{moment}": (decision, moment) for decision, moment in TARGETS}
    if kind == "released":
        named = {
            str(save_model(example_model(*target, seed=k), tmp_path / f"m{k}")): target
            for k, target in enumerate(TARGETS)
        }
    own = tuple(named) if kind == "released" else ()
    server = Local(ServerSettings(models=own))
    for model, (decision, moment) in named.items():
        patients = made_up_patients(moment, 100, seed=4)
        body = {"decision": decision, "moment": moment, "patients": patients}
        answered = server.post("/v1/predictions", {**body, "lang": "fr"}).json()
        for patient, found in zip(patients, answered["predictions"], strict=True):
            command = ["predict", model, "--input", "-", "--json", "--lang", "fr"]
            done = CliRunner().invoke(app, command, input=json.dumps(patient))
            printed = json.loads(done.stdout)
            printed.pop("questions")
            assert printed == found


def test_other_routes_answer_as_the_package_does(server):
    patient = {**PATIENT, "relief_1": 20, "relief_2": 0}
    asked = {"lang": "fr", "patient": patient}
    found = server.post("/v1/course", asked).json()
    assert found["course"] == as_sent(rm.course(patient).to_dict("fr"))
    found = server.post("/v1/pathway", asked).json()
    assert found["pathway"] == as_sent(rm.pathway(patient).to_dict("fr"))
    found = server.post("/v1/stopping", {"moment": "session_2", "cost": 20}).json()
    model = rm.published_model("rtms_response", moment="session_2")
    assert found["stopping"] == [as_sent(rm.stopping_rule(model, cost=20).to_dict())]


def test_explanation_gives_every_contribution_in_words(server):
    asked = {**SCREENING, "lang": "fr", "patient": PATIENT}
    found = server.post("/v1/explanations", asked).json()["explanation"]
    prediction = rm.published_model("rtms_response", "screening").predict(PATIENT)
    rows = {row["field"]: row for row in found["contributions"]}
    assert rows.keys() == prediction.contributions.keys()
    assert rows["aetiology"]["value"] == "AVC ischémique"
    assert rows["aetiology"]["contribution"] == prediction.contributions["aetiology"]
    sizes = [abs(row["contribution"]) for row in found["contributions"]]
    assert sizes == sorted(sizes, reverse=True)
    assert found["questions"]


def test_description_of_a_course_allows_that_nothing_lies_ahead(server):
    paths = server.get("/openapi.json").json()["paths"]
    answer = paths["/v1/course"]["post"]["responses"]["200"]["content"]
    course = answer["application/json"]["schema"]["properties"]["course"]
    assert course["properties"]["ahead"] == {}


def as_sent(value):
    return json.loads(json.dumps(value))


def test_ready_names_the_models_that_serve(server):
    answered = server.get("/ready")
    assert answered.status_code == 200
    model = rm.published_model(*TARGETS[0])
    found = answered.json()["models"]
    assert len(found) == len(TARGETS)
    assert found[model.target]["digest"] == f"sha256:{model.digest}"


def test_ready_refuses_a_model_that_has_another_number():
    server = Local()
    at = TARGETS[-1]
    served = server.service.models[at]
    other = example_model(*at)
    server.service.models = {**server.service.models, at: replace(served, model=other)}
    answered = server.get("/ready", headers={"accept-language": "fr-FR"})
    assert answered.status_code == Kind.NOT_READY.status
    assert "Succès d'une stimulation" in answered.json()["problems"][0]["label"]
    assert server.get("/health").status_code == 200


def test_model_that_is_not_itself_does_not_answer():
    server = Local()
    at = TARGETS[0]
    wrong = replace(server.service.models[at], expected=0.5)
    server.service.models = {**server.service.models, at: wrong}
    assert server.get("/ready").status_code == 503
    answered = server.predict(PATIENT)
    assert answered.status_code == 503
    assert pointers(answered) == {"": "known_number"}


def test_models_are_described_with_what_they_rest_on(server):
    row = server.get("/v1/models?lang=fr").json()["models"][0]
    assert row["label"] == dictionary().decisions[row["decision"]].label["fr"]
    assert row["cut_points"] == [10, 30, 50]
    assert row["c_statistic"]["kind"] == "implied"
    assert row["year"] == 2025


def test_dictionary_has_every_predictor(server):
    rows = server.get("/v1/dictionary?lang=fr").json()["fields"]
    predictors = [f for f in dictionary().fields.values() if f.role == "predictor"]
    assert [row["name"] for row in rows] == [field.name for field in predictors]
    assert [row["label"] for row in rows] == [f.label["fr"] for f in predictors]


# ---------------------------------------------------------------- refusals


def test_every_problem_of_every_patient_is_listed(server):
    wrong = {"age": 180, "opioid": 1, "aetiology": "AVC", "relief_1": 20}
    answered = server.post(
        "/v1/predictions",
        {**SCREENING, "lang": "fr", "patients": [PATIENT, wrong, {"dn4": 2.5}]},
    )
    assert answered.status_code == 422
    assert answered.headers["content-type"] == "application/problem+json"
    assert pointers(answered) == {
        "/patients/1/age": "range",
        "/patients/1/opioid": "true_or_false",
        "/patients/1/aetiology": "name_of",
        "/patients/1/relief_1": "known_later",
        "/patients/2/dn4": "whole_range",
    }
    age = answered.json()["problems"][2]
    assert (age["label"], age["allowed"]) == ("Âge", "attendu de 18 à 100 ans")
    assert "180" not in answered.text.replace(answered.json()["request_id"], "")
    assert "AVC" not in answered.text


@pytest.mark.parametrize(
    ("patient", "rule"),
    [
        ({"age": "54"}, "number"),
        ({"age": True}, "number"),
        ({"age": 10**400}, "range"),
        ({"age": [54]}, "number"),
        ({"Alter": 54}, "unknown"),
        ({"patient_id": "Dupont"}, "likely"),
        ({"pain_durration": 5}, "likely"),
        ({"aetiology": "amputation", "lesion_type": "central"}, "follows"),
    ],
)
def test_types_of_a_patient_are_strict(server, patient, rule):
    answered = server.predict(patient)
    assert answered.status_code == 422
    assert list(pointers(answered).values()) == [rule]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"decision":', 400),
        (b'{"lang":"fr","lang":"en"}', 400),
        (b'{"patients":[{"age":NaN}]}', 400),
        (b'{"patients":[{"age":1e999}]}', 400),
        (b"[" * 60_000, 400),
        (b"[" * 32 + b"]" * 32, 422),
        (b"[" * 33 + b"]" * 33, 400),
        (b'{"lang":"\xe9"}', 400),
        ("{}".encode("utf-16"), 400),
        (b"[]", 422),
        (b'"text"', 422),
        (b'{"patients":[]}', 422),
        (b'{"decision":"x","moment":"y","patients":[{}]}', 422),
        (b'{"decision":"rtms_response","patients":[{}]}', 422),
        (b'{"decision":"rtms_response","patients":[{}],"secret":1}', 422),
        (b'{"decision":"rtms_response","patients":[1]}', 422),
        (b'{"patients":"' + b"x" * 70_000 + b'"}', 413),
    ],
)
def test_body_that_is_not_as_described_is_refused(server, body, status):
    headers = {"content-type": "application/json"}
    answered = server.request("POST", "/v1/predictions", content=body, headers=headers)
    document = answered.json()
    assert answered.status_code == document["status"] == status
    assert document["request_id"] == answered.headers["x-request-id"]
    assert "secret" not in answered.text


def test_as_many_patients_as_allowed_fit_in_one_request(server):
    at = dictionary().decisions["rtms_response"].moments[-1]
    schema = patient_schema(at, "en")["properties"]
    # all that can be known, in the longest words
    patient = {name: _longest(row) for name, row in schema.items()}
    # the cause of the pain gives it
    del patient["lesion_type"]
    body = {"decision": "rtms_response", "moment": at, "patients": [patient] * 100}
    content = json.dumps(body).encode()
    assert len(content) > 55_000
    headers = {"content-type": "application/json"}
    answered = server.request(
        "POST", "/v1/predictions", content=content, headers=headers
    )
    assert answered.status_code == 200, answered.text


def _longest(row):
    """Value of a field that takes the most letters."""
    if "enum" in row:
        return max(filter(None, row["enum"]), key=len)
    if "boolean" in row["type"]:
        return False
    return row["maximum"] if "integer" in row["type"] else row["maximum"] - 0.125


def test_more_patients_than_allowed_are_refused(server):
    body = {**SCREENING, "patients": [{}] * 101}
    answered = server.post("/v1/predictions", body)
    assert answered.status_code == 413
    assert answered.json()["problems"][0]["allowed"] == "at most 100 patients"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/json; charset=latin-1"}, 415),
        ({"content-type": "application/json", "content-encoding": "gzip"}, 415),
        ({"host": "evil.example"}, 421),
        ({"x-much": "a" * 20_000}, 431),
        ({f"x-{k}": "a" for k in range(70)}, 431),
    ],
)
def test_request_that_is_not_for_this_server_is_refused(server, headers, status):
    answered = server.request("POST", "/v1/predictions", content=b"{}", headers=headers)
    assert answered.status_code == answered.json()["status"] == status


def test_address_is_found_or_told_as_a_problem(server):
    assert server.get("/nothing").status_code == 404
    assert server.get("/v1/models/").status_code == 404
    other = server.get("/v1/predictions")
    assert (other.status_code, other.headers["allow"]) == (405, "POST")
    assert server.get("/v1/models?lang=de").status_code == 422
    assert server.get("/v1/models?age=54").status_code == 422
    assert server.get("/" + "a" * 3000).status_code == 414


POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def test_headers_keep_every_answer_in_its_place(server, monkeypatch):
    body = {**SCREENING, "patients": [PATIENT]}
    large, much = {"content-length": "70000"}, {"x-much": "a" * 20_000}
    answers = [
        server.get("/health"),
        server.get("/en"),
        server.get("/static/page.css"),
        server.get("/en/pathway"),
        server.get("/nothing"),
        server.get("/en/nothing"),
        server.get("/v1/predictions"),
        server.get("/" + "a" * 3000),
        server.get("/health", headers={"host": "evil.example"}),
        server.get("/health", headers=much),
        server.post("/v1/predictions", body, headers={"origin": "https://a.example"}),
        server.post("/v1/predictions", body, headers=large),
        server.post("/v1/predictions", {}),
        server.request("POST", "/v1/predictions", content=b"{"),
        server.request("POST", "/en/rtms_response/screening", content=b"age=54"),
    ]
    monkeypatch.setattr(rm.Model, "predict", lambda *_, **__: 1 / 0)
    answers.append(server.predict(PATIENT))
    found = [answer.status_code for answer in answers]
    expected = [200, 200, 200, 303, 404, 404, 405, 414, 421, 431, 403, 413, 422, 415]
    assert found == [*expected, 415, 500]
    for answer in answers:
        headers = answer.headers
        assert headers.get_list("content-security-policy") == [POLICY]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert len(headers.get_list("x-request-id")) == 1
        assert "strict-transport-security" not in headers
        assert "server" not in headers


def test_busy_server_says_when_to_try_again():
    limits = Limits(threads=1, queue=0)
    server = Local(ServerSettings(limits=limits))
    server.service._at_work = 1
    answered = server.post("/v1/explanations", {**SCREENING, "patient": PATIENT})
    assert answered.status_code == 503
    assert answered.headers["retry-after"] == "1"


def test_slow_work_is_answered_in_time(monkeypatch):
    import time

    server = Local(ServerSettings(limits=Limits(answer_seconds=0.05)))
    monkeypatch.setattr(rm.Model, "predict", lambda *_, **__: time.sleep(0.3))
    asked = {**SCREENING, "patient": PATIENT}
    assert server.post("/v1/explanations", asked).status_code == 504


# ---------------------------------------------------------------- the log


def test_log_has_no_value_and_finds_a_failure_by_its_identifier(monkeypatch):
    def fail(*_, **__):
        raise ValueError("Dupont, 54 years")  # noqa: EM101

    server = Local()
    monkeypatch.setattr(rm.Model, "predict", fail)
    answered = server.predict(PATIENT)
    line = server.lines[-1]
    assert answered.status_code == line["status"] == 500
    assert line["request_id"] == answered.json()["request_id"]
    assert line["failure"].startswith("ValueError ")
    assert line["decision"] == "rtms_response@screening"
    assert "54 years" not in without_chance(line)
    assert "Dupont" not in without_chance(line)


def test_log_names_fields_and_rules_of_a_refusal():
    server = Local()
    server.predict({"age": 180.25, "Dupont": 1})
    line = server.lines[-1]
    assert line["route"] == "/v1/predictions"
    assert line["problems"] == [[None, "unknown"], ["age", "range"]]
    assert "180.25" not in str(line)
    assert "Dupont" not in str(line)


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [("0af7651916cd43dd8448eb211c80319c", True), ("Dupont-54-years-old-stroke", False)],
)
def test_identifier_of_a_request_is_kept_where_it_says_nothing(server, given, is_kept):
    headers = {"x-request-id": given}
    found = server.get("/health", headers=headers).headers["x-request-id"]
    assert (found == given) is is_kept


# ---------------------------------------------------------------- models


def test_two_models_of_one_question_are_refused(folder):
    with pytest.raises(rm.ResponderModelError, match="one model must answer"):
        Local(ServerSettings(models=(str(folder), str(folder))))


def test_reload_swaps_models_and_keeps_them_when_a_folder_is_refused(tmp_path):
    folder = tmp_path / "centre"
    save_model(example_model(seed=1), folder)
    service = Local(ServerSettings(models=(str(folder),))).service
    before = service.models
    save_model(example_model(seed=2), folder)
    service.reload()
    after = service.models["rtms_response", "screening"]
    assert after.model.digest != before["rtms_response", "screening"].model.digest
    (folder / "model.json").write_text("{}", encoding="utf-8")
    with pytest.raises(rm.UntrustedModelError):
        service.reload()
    assert service.models["rtms_response", "screening"] is after


def test_envelope_has_no_place_for_more_than_the_schema_says():
    assert set(ManyPatients.model_fields) == {
        "lang",
        "decision",
        "moment",
        "centre",
        "patients",
    }


HEAVY = ("matplotlib", "mlflow", "pandas", "pyarrow", "scipy", "shap", "sklearn")
HEAVY += ("statsmodels",)
STARTED = f"""
import sys
from responder_model.serving.app import create_app
create_app()
print(*(name for name in {HEAVY!r} if name in sys.modules))
"""


def test_server_starts_without_what_only_development_needs():
    command = [sys.executable, "-c", STARTED]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
