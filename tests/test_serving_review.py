"""A model in alarm answers still, and says so on its pages and in its JSON."""

from __future__ import annotations

import json
from datetime import date
from html import unescape
from urllib.parse import urlencode

import pytest

import responder_model as rm
from responder_model.artifact import digest_of
from responder_model.monitoring import read_review
from responder_model.serving.settings import ServerSettings
from serving_client import PATIENT, Local

FORM = {"content-type": "application/x-www-form-urlencoded"}
SAID = {
    "en": "Calibration under review since 2026-05-03:",
    "fr": "Calibration en cours de vérification depuis le 2026-05-03 :",
}


@pytest.fixture(scope="module")
def screening():
    return rm.published_model("rtms_response", moment="screening")


@pytest.fixture(scope="module")
def result(tmp_path_factory, screening):
    path = tmp_path_factory.mktemp("monitoring") / "monitoring.json"
    found = {"digest": digest_of(screening), "alarm": "2026-05-03"}
    path.write_text(json.dumps(found), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def server(result):
    return Local(ServerSettings(monitoring=result))


def test_a_model_under_review_is_ready_and_gives_the_same_number(server, screening):
    assert server.get("/ready").status_code == 200
    answer = server.predict(PATIENT).json()["predictions"][0]
    plain = screening.predict(PATIENT)
    assert answer["probability"] == plain.probability
    assert answer["model_digest"].endswith(str(plain.model_digest))


@pytest.mark.parametrize("lang", SAID)
def test_it_says_so_in_json_first_and_other_models_do_not(server, lang):
    answer = server.predict(PATIENT, lang=lang).json()
    first = answer["predictions"][0]["messages"][0]
    assert first["code"] == "model.under_review"
    assert first["values"] == {"since": "2026-05-03"}
    assert first["text"].startswith(SAID[lang])
    other = {"decision": "emcs_success", "moment": "implantation"}
    answer = server.predict({"age": 54}, **other).json()["predictions"][0]
    assert all(m["code"] != "model.under_review" for m in answer["messages"])


@pytest.mark.parametrize("lang", SAID)
def test_its_pages_say_so_once_above_all_else(server, lang):
    path = f"/{lang}/rtms_response/screening"
    scored = server.request(
        "POST",
        path,
        content=urlencode([("age", "54"), ("_do", "score")]),
        headers=FORM,
    )
    about = server.get(f"/{lang}/about/rtms_response/screening")
    for page in (server.get(path), scored, about):
        assert page.status_code == 200
        text = unescape(page.text).replace("\N{NO-BREAK SPACE}", " ")
        assert text.count(SAID[lang]) == 1
        assert text.index(SAID[lang]) < text.index('<main id="main"')
    other = server.get(f"/{lang}/rtms_response/session_2")
    assert SAID[lang] not in unescape(other.text)


def test_a_reload_reads_the_result_again(tmp_path, screening):
    path = tmp_path / "monitoring.json"
    both = [
        {"digest": digest_of(screening), "alarm": None},
        {"digest": "0" * 64, "alarm": "2026-04-01"},
    ]
    path.write_text(json.dumps({"models": both, "alarm": None}), encoding="utf-8")
    server = Local(ServerSettings(monitoring=path))
    at = screening.decision, screening.moment
    assert server.service.models[at].model.review is None
    both[0]["alarm"] = "2026-05-03"
    path.write_text(json.dumps({"models": both, "alarm": None}), encoding="utf-8")
    server.service.reload()
    assert server.service.models[at].model.review.values["since"] == "2026-05-03"
    path.write_text("[1, 2]", encoding="utf-8")
    with pytest.raises(rm.ResponderModelError, match=r"monitoring\.json must be"):
        server.service.reload()
    assert server.service.models[at].model.review is not None


def test_an_alarm_of_all_together_puts_each_under_review(tmp_path):
    path = tmp_path / "monitoring.json"
    models = [{"digest": name * 64, "alarm": None} for name in "ab"]
    whole = {"models": models, "alarm": "2026-05-03"}
    path.write_text(json.dumps(whole), encoding="utf-8")
    found = read_review(path)
    assert {day.isoformat() for day in found.values()} == {"2026-05-03"}
    with pytest.raises(rm.ResponderModelError, match="cannot be read"):
        read_review(tmp_path / "gone.json")


def test_a_result_of_no_served_model_is_logged(tmp_path, capsys):
    path = tmp_path / "monitoring.json"
    path.write_text('{"digest": "ff", "alarm": "2026-05-03"}', encoding="utf-8")
    Local(ServerSettings(monitoring=path))
    assert "about none of the models that are served" in capsys.readouterr().err


def test_a_model_under_review_is_the_same_model(screening):
    same = screening.under_review(date(2026, 5, 3))
    assert same.review is not None
    assert digest_of(same) == digest_of(screening)
    assert screening.review is None
