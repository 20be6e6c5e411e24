"""The page over HTTP: routes, languages, refusals, and what the log says of it."""

from __future__ import annotations

import json
import os
import re
import time
from html import unescape
from urllib.parse import urlencode

import pytest

import responder_model as rm
from responder_model.schema import dictionary
from responder_model.serving.sessions import SESSION_SECONDS, Sessions
from responder_model.serving.settings import Limits, ServerSettings
from responder_model.serving.tokens import new_token, read_tokens
from responder_model.words import LANGUAGES, say
from serving_client import Local, without_chance

FORM = {"content-type": "application/x-www-form-urlencoded"}
PATIENT = [("age", "54,5"), ("aetiology", "ischaemic_stroke"), ("pain_intensity", "7")]
SCREENING = "rtms_response@screening"


@pytest.fixture(scope="module")
def server():
    return Local()


def send(server, path, pairs, **more):
    headers = {**FORM, **more.pop("headers", {})}
    return server.request(
        "POST", path, content=urlencode(pairs), headers=headers, **more
    )


@pytest.mark.parametrize(("accepted", "lang"), [("fr-CH,fr;q=0.9", "fr"), ("de", "en")])
def test_first_page_is_in_the_language_of_the_browser(server, accepted, lang):
    page = server.get("/", headers={"accept-language": accepted})
    assert page.status_code == 200
    assert f'<html lang="{lang}">' in page.text
    assert f'href="/{lang}/rtms_response/screening"' in page.text


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("decision", "moment"), dictionary().targets())
def test_every_question_is_asked_and_answered(server, lang, decision, moment):
    path = f"/{lang}/{decision}/{moment}"
    assert server.get(path).status_code == 200
    assert server.get(f"/{lang}/about/{decision}/{moment}").status_code == 200
    page = send(server, path, [("age", "54"), ("_do", "score")])
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    probability = rm.published_model(decision, moment).predict({"age": 54}).probability
    assert f"{100 * probability:.0f}\N{NO-BREAK SPACE}%" in page.text


def test_language_button_keeps_what_was_entered(server):
    shown = send(server, "/en/rtms_response/screening", [*PATIENT, ("_do", "form")])
    button = re.search(r'<button class="language"[^>]*>', shown.text)
    assert button
    assert 'formaction="/fr/rtms_response/screening"' in button[0]
    assert 'value="form"' in button[0]
    other = send(server, "/fr/rtms_response/screening", [*PATIENT, ("_do", "form")])
    assert 'value="54,5"' in other.text
    assert "<h1>Réponse" in other.text


def test_pages_about_two_steps_and_two_patients(server):
    of = ("_of", "rtms_response@session_1")
    path = send(server, "/fr/pathway", [*PATIENT, ("relief_1", "40"), of])
    assert path.status_code == 200
    assert "Du test à l" in path.text
    asked = send(server, "/fr/compare", [*PATIENT, of, ("_do", "form")])
    assert 'name="other.age" value="54,5"' in asked.text
    other = [(f"other.{name}", text) for name, text in PATIENT[1:]]
    other.append(("other.age", "70"))
    shown = send(server, "/fr/compare", [*PATIENT, *other, of, ("_do", "score")])
    assert shown.status_code == 200
    model = rm.published_model("rtms_response", "session_1")
    found = model.compare({"age": 54.5, **dict(PATIENT[1:])}, {"age": 70})
    for prediction in (found.before, found.after):
        assert f"{100 * prediction.probability:.0f}\N{NO-BREAK SPACE}%" in shown.text
    # both intervals are wider than 50 points
    assert shown.text.count(say("page.wide_title", "fr")) == 2


def test_second_patient_is_left_behind_after_a_comparison(server):
    sent = [*PATIENT, ("other.age", "70"), ("_do", "score")]
    page = send(server, "/en/rtms_response/screening", sent)
    assert page.status_code == 200
    assert "other.age" not in page.text


def test_pages_that_need_a_patient_begin_anew_without_one(server):
    for path in ("/en/pathway", "/en/compare"):
        answer = server.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/en"


@pytest.mark.parametrize(
    "path", ["/fr/rtms_response/implantation", "/fr/about/age/54", "/fr/a/b"]
)
def test_unknown_question_is_a_page_for_people(server, path):
    answer = server.get(path, headers={"accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["x-request-id"] in answer.text
    assert "style-src 'self'" in answer.headers["content-security-policy"]
    assert '<html lang="fr">' in answer.text
    assert "54" not in answer.text.replace(answer.headers["x-request-id"], "")


def test_programs_get_problem_documents(server):
    for path in ("/fr/a/b", "/v1/nothing"):
        for accepted in ("application/json", "*/*"):
            answer = server.get(path, headers={"accept": accepted})
            assert answer.headers["content-type"] == "application/problem+json"
    answer = server.get("/v1/nothing", headers={"accept": "text/html"})
    assert answer.headers["content-type"] == "application/problem+json"


def test_busy_server_says_so_on_a_page():
    server = Local(ServerSettings(limits=Limits(threads=1, queue=0)))
    server.service._at_work = 1
    accepts = {"accept": "text/html"}
    path = "/en/rtms_response/screening"
    answer = send(server, path, PATIENT, headers=accepts)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "The server is busy" in answer.text
    assert "54,5" not in answer.text


def test_implant_has_no_path(server):
    sent = [*PATIENT, ("_of", "emcs_success@implantation")]
    assert send(server, "/en/pathway", sent).status_code == 404
    assert send(server, "/en/pathway", PATIENT).status_code == 404


def test_problems_are_logged_by_field_and_rule_alone():
    server = Local()
    page = send(server, "/en/rtms_response/screening", [("age", "187.25")])
    assert page.status_code == 422
    assert "187.25" in page.text
    [line] = server.lines
    assert line["route"] == "/en/{decision}/{moment}"
    assert line["problems"] == [["age", "patient.range"]]
    assert line["decision"] == SCREENING
    assert "187" not in without_chance(line)


def test_forms_of_another_kind_are_refused(server):
    path = "/en/rtms_response/screening"
    answer = server.request("POST", path, json={"age": 54})
    assert answer.status_code == 415
    raw = server.request("POST", path, content=b"age=\xff", headers=FORM)
    assert raw.status_code == 400
    broken = server.request("POST", path, content=b"age=%FF", headers=FORM)
    assert broken.status_code == 400
    many = [("age", "54")] * 201
    assert send(server, path, many).status_code == 413


def test_form_has_its_limit():
    small = Local(ServerSettings(limits=Limits(form_fields=3, body_bytes=100)))
    path = "/en/rtms_response/screening"
    assert send(small, path, PATIENT[:3]).status_code == 200
    assert send(small, path, [*PATIENT, ("dn4", "4")]).status_code == 413
    assert send(small, path, [("age", "5" * 100)]).status_code == 413


def test_style_is_served_and_nothing_else(server):
    style = server.get("/static/page.css")
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert "@media print" in style.text
    assert server.get("/static/site.py").status_code == 404
    assert server.get("/static/..%2Fsite.py").status_code == 404


def test_unknown_name_is_a_problem(server):
    page = send(server, "/en/rtms_response/screening", [*PATIENT, ("shoe size", "44")])
    assert page.status_code == 422
    assert "shoe size" in page.text


def test_pages_are_small(server):
    page = send(server, "/fr/rtms_response/screening", [*PATIENT, ("_do", "score")])
    assert len(page.content) <= 60 * 1024
    assert len(server.get("/fr/rtms_response/session_3").content) <= 60 * 1024


ACCEPTS = {"accept": "text/html"}


@pytest.fixture
def guarded(tmp_path):
    """A server that asks for a token, and a token that it knows."""
    path = tmp_path / "tokens.json"
    secret, _ = new_token(path, name="desk", role="read", days=1)
    return Local(ServerSettings(tokens=read_tokens(path))), secret


def test_browser_without_token_is_asked_for_one(guarded):
    server, _ = guarded
    answer = server.get("/fr/rtms_response/screening", headers=ACCEPTS)
    assert answer.status_code == 401
    assert 'action="/fr/login"' in answer.text
    assert 'type="password"' in answer.text
    assert server.get("/static/page.css").status_code == 200


def test_token_lets_a_browser_in_for_the_pages_alone(guarded):
    server, secret = guarded
    answer = send(server, "/en/login", [("token", secret)], headers=ACCEPTS)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/en"
    cookie = answer.headers["set-cookie"]
    assert secret not in cookie
    assert {"HttpOnly", "SameSite=strict", "Max-Age=28800", "Path=/"} <= {
        part.strip() for part in cookie.split(";")
    }
    handle = cookie.split(";")[0]
    # only what is sent on purpose
    server._client.cookies.clear()
    inside = {**ACCEPTS, "cookie": handle}
    page = send(server, "/en/rtms_response/screening", PATIENT, headers=inside)
    assert page.status_code == 200
    assert server.get("/v1/models", headers={"cookie": handle}).status_code == 401
    assert server.get("/en", headers=ACCEPTS).status_code == 401
    assert secret not in json.dumps(server.lines)


def test_wrong_tokens_are_refused_and_counted(guarded):
    server, _ = guarded
    wrong = [("token", "no-such-token")]
    for _ in range(10):
        answer = send(server, "/en/login", wrong, headers=ACCEPTS)
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
    assert send(server, "/en/login", wrong, headers=ACCEPTS).status_code == 429
    forged = {**ACCEPTS, "cookie": "session=forged"}
    assert server.get("/en", headers=forged).status_code in (401, 429)


def test_browser_is_let_out_after_eight_hours(guarded, monkeypatch):
    server, secret = guarded
    answer = send(server, "/en/login", [("token", secret)], headers=ACCEPTS)
    inside = {**ACCEPTS, "cookie": answer.headers["set-cookie"].split(";")[0]}
    assert server.get("/en", headers=inside).status_code == 200
    later = time.time() + SESSION_SECONDS + 1
    monkeypatch.setattr("responder_model.serving.sessions.time.time", lambda: later)
    assert server.get("/en", headers=inside).status_code == 401


def test_a_browser_logs_out(guarded):
    server, secret = guarded
    answer = send(server, "/fr/login", [("token", secret)], headers=ACCEPTS)
    inside = {**ACCEPTS, "cookie": answer.headers["set-cookie"].split(";")[0]}
    assert 'action="/fr/logout"' in server.get("/fr", headers=inside).text
    left = send(server, "/fr/logout", [], headers=inside)
    assert left.status_code == 303
    assert 'session=""' in left.headers["set-cookie"]
    assert "Max-Age=0" in left.headers["set-cookie"]
    # whoever kept the cookie has nothing
    server._client.cookies.clear()
    assert server.get("/fr", headers=inside).status_code == 401


def test_processes_of_a_server_know_each_other_s_browsers():
    sessions = Sessions()
    handle = sessions.open("digest")

    def in_another_process(task):
        child = os.fork()
        if not child:
            os._exit(0 if task() else 1)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert in_another_process(lambda: sessions.token_of(handle) == "digest") == 0
    assert in_another_process(lambda: sessions.end(handle) is None) == 0
    assert sessions.token_of(handle) == ""
    assert handle.encode() not in sessions.path.read_bytes()


def test_nobody_is_logged_out_where_nobody_logs_in(server):
    assert "logout" not in server.get("/en").text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_interface_is_described_on_a_page(server, lang):
    led = server.get("/docs", headers={"accept-language": lang})
    assert led.headers["location"] == f"/{lang}/docs"
    page = server.get(f"/{lang}/docs").text
    described = server.get(f"/openapi.json?lang={lang}").json()
    for path, methods in described["paths"].items():
        for method, row in methods.items():
            assert f"{method.upper()} {path}</code>" in page
            assert row["summary"] in unescape(page).replace("\N{NO-BREAK SPACE}", " ")
    assert "<script" not in page
    assert len(page.encode()) < 300_000


def test_about_says_how_a_model_of_patients_was_measured(tmp_path):
    cohort = rm.simulate_cohort(60, seed=1)
    settings = rm.Settings(
        decision="rtms_response", moment="screening", challenger=False
    )
    model = rm.develop(cohort, settings=settings)
    folder = rm.save_model(model, tmp_path / "centre")
    server = Local(ServerSettings(models=(str(folder),)))
    page = server.get("/fr/about/rtms_response/screening").text
    c = f"{model.performance.apparent['c_statistic']:.2f}".replace(".", ",")
    assert f"{c} chez les patients dont il est issu" in page
    published = server.get("/fr/about/emcs_success/implantation").text
    assert "chez les patients dont il est issu" not in published


def test_handle_is_known_to_no_other_server_and_ends_with_its_token(guarded):
    server, secret = guarded
    answer = send(server, "/en/login", [("token", secret)], headers=ACCEPTS)
    inside = {**ACCEPTS, "cookie": answer.headers["set-cookie"].split(";")[0]}
    other = Local(ServerSettings(tokens=server.service.settings.tokens))
    assert other.get("/en", headers=inside).status_code == 401
    server._client.cookies.clear()
    for forged in (inside["cookie"][:-1], inside["cookie"] + "0", "session=1.a.b"):
        headers = {**ACCEPTS, "cookie": forged}
        assert server.get("/en", headers=headers).status_code == 401
    assert server.get("/en", headers=inside).status_code == 200
    server.service.doorkeeper.tokens = ()
    assert server.get("/en", headers=inside).status_code == 401


def test_threshold_stands_only_where_the_clinic_sets_it(server):
    path = "/en/rtms_response/screening"
    assert "clinic&#39;s threshold" not in send(server, path, PATIENT).text
    clinic = Local(ServerSettings(threshold=0.3))
    text = send(clinic, path, PATIENT).text.replace("\N{NO-BREAK SPACE}", " ")
    given = {"age": 54.5, **dict(PATIENT[1:])}
    found = rm.published_model("rtms_response", "screening").predict(given)
    verdict = found.verdict_at(0.3)
    assert verdict.note.text() in text
    assert f"above 30 in 100: {verdict.chance_above:.0%}".replace("%", " %") in text
    # of 100 such patients: responders, less what the others cost at this threshold
    p = found.probability
    worth = 100 * (p - (1 - p) * 3 / 7)
    assert f"is worth {worth:+.0f} responders net" in text
    implant = send(clinic, "/en/emcs_success/implantation", PATIENT[:2]).text
    assert "clinic&#39;s threshold" not in implant
    with pytest.raises(rm.ResponderModelError, match="threshold must be"):
        ServerSettings(threshold=1.5)
