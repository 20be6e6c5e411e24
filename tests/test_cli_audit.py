"""The command ``audit``, and what ``serve`` refuses of a trail."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from responder_model.audit import Entry, Trail, read_key
from responder_model.cli.app import app
from responder_model.errors import ResponderModelError

MODEL, OTHER = "a" * 64, "b" * 64


def run(*typed: object, lang: str = "en"):
    words = [*map(str, typed), "--lang", lang]
    return CliRunner().invoke(app, words, env={"COLUMNS": "200"})


@pytest.fixture
def key(tmp_path) -> Path:
    path = tmp_path / "audit.key"
    assert run("audit", "new-key", path).exit_code == 0
    return path


@pytest.fixture
def trail(tmp_path, key) -> Path:
    written = Trail(tmp_path / "trail", read_key(key))
    for k, model in enumerate((MODEL, OTHER, MODEL)):
        entry = Entry(
            request=f"{k:032x}",
            decision="rtms_response@screening",
            model=model,
            mapping="v1" if k else "",
            input={},
            output={"probability": 0.4},
        )
        written.append([entry])
    return tmp_path / "trail"


def edited(trail: Path) -> Path:
    path = trail / "000001.jsonl"
    path.write_bytes(path.read_bytes().replace(b"0.4", b"0.9", 1))
    return trail


def test_new_key_names_the_key_and_never_prints_it(tmp_path):
    done = run("audit", "new-key", tmp_path / "k", "--json")
    told = json.loads(done.stdout)
    assert told["key"] == read_key(tmp_path / "k").name
    assert (tmp_path / "k").read_text().strip() not in done.output
    assert run("audit", "new-key", tmp_path / "k").exit_code == 1


@pytest.mark.parametrize(
    ("lang", "whole", "broken", "changed"),
    [
        ("en", "Whole: 3 lines, 3 answers.", "Broken:", "line 1: changed since"),
        ("fr", "Intact : 3 lignes, 3 réponses.", "Altéré :", "ligne 1 : modifiée"),
    ],
)
def test_verify_says_whether_a_trail_is_whole(trail, key, lang, whole, broken, changed):
    asked = ("audit", "verify", trail, "--audit-key", key)
    done = run(*asked, lang=lang)
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, whole)
    edited(trail)
    done = run(*asked, lang=lang)
    assert done.exit_code == 4
    assert broken in done.stdout
    assert changed in done.stdout
    told = json.loads(run(*asked, "--json").stdout)
    assert (told["state"], told["n_faults"]) == ("broken", 1)
    assert told["faults"][0]["code"] == "audit.changed"


def test_a_new_key_begins_a_new_trail_and_each_verifies_with_its_own(
    trail, key, tmp_path
):
    closed = run("audit", "verify", trail, "--audit-key", key)
    seal = (trail / "000001.jsonl").read_text().rpartition('"mac":"')[2][:64]
    assert seal in closed.output
    head = tmp_path / "head.json"
    head.write_bytes((trail / "head.json").read_bytes())
    new = tmp_path / "new.key"
    assert run("audit", "new-key", new).exit_code == 0
    with pytest.raises(ResponderModelError, match="not written with this key"):
        Trail(trail, read_key(new))
    following = Trail(tmp_path / "following", read_key(new))
    parts = {"request": "f" * 32, "decision": "rtms_response@screening"}
    following.append([Entry(**parts, model=MODEL, input={}, output={})])
    with pytest.raises(ResponderModelError, match="not written with this key"):
        Trail(following.folder, read_key(key))
    for folder, own, other in ((trail, key, new), (following.folder, new, key)):
        assert run("audit", "verify", folder, "--audit-key", own).exit_code == 0
        assert run("audit", "verify", folder, "--audit-key", other).exit_code == 4
        asked = ("--model", MODEL, "--audit-key", own)
        assert run("audit", "affected", folder, *asked).exit_code == 0
    kept = ("--audit-key", key, "--head", head)
    assert run("audit", "verify", trail, *kept).exit_code == 0


def test_verify_asks_that_a_kept_head_is_continued(trail, key, tmp_path):
    kept = tmp_path / "kept.json"
    kept.write_bytes((trail / "head.json").read_bytes())
    asked = ("audit", "verify", trail, "--audit-key", key, "--head", kept)
    assert run(*asked).exit_code == 0
    new = tmp_path / "new"
    Trail(new, read_key(key))
    done = run("audit", "verify", new, "--audit-key", key, "--head", kept)
    assert done.exit_code == 4
    assert "older copy" in done.stdout


def test_affected_lists_the_requests_of_a_model(trail, key):
    done = run("audit", "affected", trail, "--model", f"sha256:{MODEL}")
    assert done.exit_code == 0
    assert "not verified" in done.stderr
    assert done.stdout.splitlines()[0].startswith("2 answers of 2 requests, among 3")
    assert f"{2:032x}" in done.stdout
    assert f"{1:032x}" not in done.stdout
    verified = ("audit", "affected", trail, "--mapping", "v1", "--audit-key", key)
    told = json.loads(run(*verified, "--json").stdout)
    assert told["trail"] == "whole"
    assert told["requests"] == [f"{1:032x}", f"{2:032x}"]
    assert [row["output"] for row in told["answers"]] == [{"probability": 0.4}] * 2
    done = run("audit", "affected", edited(trail), *verified[3:], lang="fr")
    assert done.exit_code == 4
    assert "incomplète" in done.stderr


def test_affected_names_the_models_that_there_are(trail):
    done = run("audit", "affected", trail, "--model", "c" * 64)
    assert done.exit_code == 0
    assert MODEL in done.stderr
    assert OTHER in done.stderr
    done = run("audit", "affected", trail, "--mapping", "v9")
    assert "v1" in done.stderr


@pytest.mark.parametrize(
    "typed",
    [
        ("verify", "{trail}"),
        ("affected", "{trail}", "--audit-key", "{key}"),
        ("verify", "{trail}", "--audit-key", "{key}", "--model", MODEL),
        ("new-key", "new", "--mapping", "v1"),
    ],
)
def test_audit_refuses_options_that_do_not_fit(trail, key, typed):
    done = run("audit", *(text.format(trail=trail, key=key) for text in typed))
    assert done.exit_code == 2
    assert typed[0] in done.stderr


def test_serve_refuses_a_trail_that_it_cannot_write(trail, key, tmp_path):
    for typed, said in (
        (("--audit", trail), "--audit needs --audit-key"),
        (("--audit-key", key), "--audit needs --audit-key"),
        (("--audit", tmp_path, "--audit-key", key), "must not stand in the folder"),
        (("--audit", edited_head(trail), "--audit-key", key), "cannot be continued"),
    ):
        done = run("serve", *typed)
        assert done.exit_code == 1
        assert said in done.stderr


def edited_head(trail: Path) -> Path:
    path = trail / "head.json"
    path.write_bytes(path.read_bytes().replace(b'"count":3', b'"count":2'))
    return trail
