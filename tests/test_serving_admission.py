"""Who may ask the server: tokens, origins, hosts, and what a reload leaves."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

import responder_model as rm
from in_words import said
from responder_model.artifact import save_model
from responder_model.cli.app import app
from responder_model.model.example import example_model
from responder_model.serving.settings import Limits, ServerSettings, read_limits
from responder_model.serving.tokens import WINDOW, Doorkeeper, new_token, read_tokens
from serving_client import PATIENT, SCREENING, Local

ORIGIN = "https://ehr.example"
BODY = {**SCREENING, "patients": [PATIENT]}


def bearer(secret):
    return {"authorization": f"Bearer {secret}"}


@pytest.fixture
def tokens(tmp_path):
    """File of a reader and an administrator, and their tokens."""
    path = tmp_path / "tokens.json"
    read, _ = new_token(path, name="ehr", role="read", days=1)
    admin, _ = new_token(path, name="operator", role="admin", days=1)
    return path, read, admin


def test_token_is_needed_where_there_is_a_file_of_them(tokens):
    path, read, _ = tokens
    server = Local(ServerSettings(tokens=read_tokens(path)))
    refused = server.post("/v1/predictions", BODY)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert server.post("/v1/predictions", BODY, headers=bearer(read)).status_code == 200
    for path in ("/health", "/ready"):
        assert server.get(path).status_code == 200
    for path in ("/openapi.json", "/nothing"):
        assert server.get(path).status_code == 401


def test_wrong_tokens_of_one_address_are_counted(tokens):
    path, read, _ = tokens
    limits = Limits(failed_tokens=3)
    server = Local(ServerSettings(tokens=read_tokens(path), limits=limits))
    found = [server.get("/v1/models", headers=bearer("x")) for _ in range(5)]
    assert [answer.status_code for answer in found] == [401, 401, 401, 429, 429]
    assert found[-1].headers["retry-after"] == f"{WINDOW:.0f}"
    # who guesses keeps nobody else out
    assert server.get("/v1/models", headers=bearer(read)).status_code == 200


def test_token_expires(tokens):
    path, read, _ = tokens
    rows = json.loads(path.read_text("utf-8"))
    yesterday = datetime.now(tz=UTC) - timedelta(days=1)
    rows[0]["expires"] = yesterday.isoformat()
    path.write_text(json.dumps(rows), encoding="utf-8")
    doorkeeper = Doorkeeper(read_tokens(path), most_failures=3)
    assert doorkeeper.role_of(read) is None


def test_file_of_tokens_holds_none_and_is_its_owners_alone(tokens):
    path, read, admin = tokens
    text = path.read_text("utf-8")
    assert read not in text
    assert admin not in text
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(rm.ResponderModelError, match="by its owner alone"):
        read_tokens(path)


@pytest.mark.parametrize("text", ["{", "{}x", '[{"name":"a"}]', '["a"]', "[1]"])
def test_file_that_holds_no_tokens_is_refused(tmp_path, text):
    path = tmp_path / "tokens.json"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(rm.ResponderModelError, match="must be a file of tokens"):
        read_tokens(path)


def test_command_makes_a_token_that_lets_in(tmp_path):
    path = tmp_path / "tokens.json"
    asked = ["token", "new", "--name", "ehr", "--file", str(path)]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.stderr
    doorkeeper = Doorkeeper(read_tokens(path), most_failures=3)
    assert doorkeeper.role_of(done.stdout.strip()) == "read"
    again = CliRunner().invoke(app, [*asked, "--lang", "fr"])
    assert again.exit_code == 1
    assert "Prendre un autre nom" in again.stderr


def test_models_are_reloaded_by_an_administrator(tmp_path, tokens):
    path, read, admin = tokens
    folder = tmp_path / "centre"
    save_model(example_model(seed=1), folder)
    settings = ServerSettings(models=(str(folder),), tokens=read_tokens(path))
    server = Local(settings)
    before = server.get("/ready").json()["models"]
    save_model(example_model(seed=2), folder)
    asked = ("/admin/reload", {})
    assert server.post(*asked, headers=bearer(read)).status_code == 403
    reloaded = server.post(*asked, headers=bearer(admin))
    assert reloaded.status_code == 200
    after = server.get("/ready").json()["models"]
    assert reloaded.json()["models"] == after != before
    (folder / "model.json").write_text("{}", encoding="utf-8")
    refused = server.post("/admin/reload", {"lang": "fr"}, headers=bearer(admin))
    assert refused.status_code == 422
    assert "model.json" in refused.json()["problems"][0]["allowed"]
    assert server.get("/ready").json()["models"] == after


def test_tokens_are_read_again_with_the_models(tokens):
    path, read, admin = tokens
    settings = ServerSettings(tokens=read_tokens(path), tokens_file=path)
    server = Local(settings)
    newer, _ = new_token(path, name="second", role="read", days=1)
    assert server.get("/v1/models", headers=bearer(newer)).status_code == 401
    assert server.post("/admin/reload", {}, headers=bearer(admin)).status_code == 200
    assert server.get("/v1/models", headers=bearer(newer)).status_code == 200
    # one that was taken out is not let in any more
    rows = json.loads(path.read_text())
    path.write_text(json.dumps([row for row in rows if row["name"] != "ehr"]))
    assert server.post("/admin/reload", {}, headers=bearer(admin)).status_code == 200
    assert server.get("/v1/models", headers=bearer(read)).status_code == 401
    path.write_text("{}")
    refused = server.post("/admin/reload", {}, headers=bearer(admin))
    assert refused.status_code == 422
    assert path.name in refused.json()["problems"][0]["allowed"]
    assert server.get("/v1/models", headers=bearer(newer)).status_code == 200


def test_nobody_reloads_models_where_nobody_is_known():
    assert Local().post("/admin/reload", {}).status_code == 404


# ---------------------------------------------------------------- origins


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null", "sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"origin": "http://localhost"}, 200),
        ({"origin": "null", "sec-fetch-site": "same-origin"}, 200),
        ({"origin": "null"}, 200),
        ({"origin": ORIGIN, "sec-fetch-site": "cross-site"}, 403),
        ({}, 200),
    ],
)
def test_page_of_somebody_else_is_refused(headers, status):
    answered = Local().post("/v1/predictions", BODY, headers=headers)
    assert answered.status_code == status
    assert "access-control-allow-origin" not in answered.headers


def test_allowed_origin_may_ask_and_read():
    server = Local(ServerSettings(origins=(ORIGIN,)))
    asks = {"origin": ORIGIN, "access-control-request-method": "POST"}
    first = server.request("OPTIONS", "/v1/predictions", headers=asks)
    assert first.status_code == 204
    headers = {"origin": ORIGIN, "sec-fetch-site": "cross-site"}
    answered = server.post("/v1/predictions", BODY, headers=headers)
    assert answered.status_code == 200
    for found in (first, answered):
        assert found.headers["access-control-allow-origin"] == ORIGIN
        assert found.headers["vary"] == "Origin"
    other = {**asks, "origin": "https://evil.example"}
    refused = server.request("OPTIONS", "/v1/predictions", headers=other)
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers


def test_browser_that_asks_first_needs_no_token(tokens):
    path, read, _ = tokens
    settings = ServerSettings(tokens=read_tokens(path), origins=(ORIGIN,))
    server = Local(settings)
    asks = {"origin": ORIGIN, "access-control-request-method": "POST"}
    assert server.request("OPTIONS", "/v1/predictions", headers=asks).status_code == 204
    # what follows does
    for sent, status in (({}, 401), (bearer(read), 200)):
        headers = {"origin": ORIGIN, **sent}
        answered = server.post("/v1/predictions", BODY, headers=headers)
        assert answered.status_code == status
        assert answered.headers["access-control-allow-origin"] == ORIGIN


def test_frame_is_allowed_where_it_is_asked_for():
    server = Local(ServerSettings(embed=(ORIGIN,), is_behind_tls=True))
    headers = server.get("/health").headers
    assert f"frame-ancestors {ORIGIN};" in headers["content-security-policy"]
    assert headers["strict-transport-security"].startswith("max-age=")


@pytest.mark.parametrize("origin", ["*", "https://a.example/", "https://a;b", "a"])
def test_origin_must_be_one(origin):
    with pytest.raises(rm.ResponderModelError, match="an origin must be"):
        ServerSettings(embed=(origin,))


# ---------------------------------------------------------------- the command


def test_address_that_others_reach_needs_tokens_or_a_word():
    done = CliRunner().invoke(app, ["serve", "--address", "0.0.0.0"])
    assert done.exit_code == 1
    assert "--no-token" in done.stderr


def test_nobody_is_told_to_open_what_does_not_serve():
    done = CliRunner().invoke(app, ["serve", "--model", "nowhere", "--lang", "en"])
    assert done.exit_code == 1
    assert "nowhere" in done.stderr
    assert "in a browser" not in done.output


def test_every_option_of_the_server_is_documented():
    from typer.main import get_command

    docs = Path(__file__).parents[1] / "docs"
    pages = [docs / "deployment.md", docs / "hospital.md", *docs.glob("hospital/*.md")]
    text = "\n".join(page.read_text("utf-8") for page in pages)
    command = get_command(app).commands
    told = set(re.findall(r"--[a-z-]+", text)) | {"--lang", "--json"}
    for one in (command["serve"], command["token"]):
        options = {name for row in one.params for name in row.opts}
        assert len(options) > 3
        assert {name for name in options if name.startswith("--")} <= told


def test_every_limit_is_documented_with_its_value():
    text = (Path(__file__).parents[1] / "docs" / "deployment.md").read_text("utf-8")
    rows = [row.split("|") for row in text.splitlines() if row.startswith("| `")]
    told = {
        name: value.strip().removesuffix(" a minute")
        for row in rows
        if len(row) == 5
        for name, value in zip(
            re.findall(r"`([a-z_]+)`", row[1]), row[2].split(","), strict=False
        )
    }
    for row in fields(Limits):
        due = "2 × cores" if row.name == "threads" else f"{row.default:g}"
        assert told[row.name] in (due, str(row.default)), row.name


def test_limits_are_read_from_a_file(tmp_path):
    path = tmp_path / "limits.toml"
    path.write_text("patients = 7\nanswer_seconds = 2", encoding="utf-8")
    assert read_limits(path) == Limits(patients=7, answer_seconds=2)
    for text in ("patients = 0", "patients = 1.5", "queue = true", "depth = 3", "x"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(rm.ResponderModelError, match="limit") as refused:
            read_limits(path)
        assert said([refused.value.said], "fr")[0] != str(refused.value)
