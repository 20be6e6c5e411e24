"""What strangers send: every answer is one of those described, and repeats nothing."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from pathlib import Path

import pytest

from responder_model.serving.problems import Kind
from responder_model.serving.tokens import new_token
from serving_client import PATIENT, SCREENING, Live, Local

# Stands in what is sent, and must stand in no refusal.
CANARY = "zq7canary"
CANARY_NUMBER = 9176.43215
ODD = (
    None,
    True,
    "",
    CANARY,
    CANARY_NUMBER,
    -CANARY_NUMBER,
    CANARY_NUMBER * 1e300,
    10**500,
    [],
    [CANARY],
    {},
    {CANARY: CANARY},
    [[[[CANARY]]]],
    f"\x00{CANARY}",
    f"\u202e{CANARY}\U0001f600\u0301",
    CANARY * 500,
)
BODIES = {
    "/v1/predictions": {**SCREENING, "lang": "fr", "patients": [PATIENT, PATIENT]},
    "/v1/explanations": {**SCREENING, "lang": "en", "patient": PATIENT},
    "/v1/pathway": {"lang": "fr", "patient": {**PATIENT, "relief_1": 20}},
    "/v1/course": {"lang": "en", "patient": {**PATIENT, "relief_1": 20}},
    "/v1/stopping": {"lang": "en", "moment": "session_1", "cost": 12.5},
}


def run_schemathesis(folder: Path, *more: str) -> subprocess.CompletedProcess:
    path = folder / "tokens.json"
    secret, _ = new_token(path, name="operator", role="admin", days=1)
    header = f"Authorization: Bearer {secret}"
    options = ("--seed", "1", "--checks", "all", "--mode", "all", "--no-color")
    with Live(folder, "--tokens", str(path)) as server:
        command = [str(Path(sys.executable).with_name("schemathesis")), "run"]
        command += [f"{server.address}/openapi.json", "-H", header, *options, *more]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=folder, timeout=550
        )


def test_schemathesis_finds_nothing(tmp_path):
    phases = ("--phases", "examples,fuzzing", "--max-examples", "5")
    done = run_schemathesis(tmp_path, *phases)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "10 selected / 10 total" in done.stdout


@pytest.mark.long
def test_schemathesis_finds_nothing_in_any_phase(tmp_path):
    done = run_schemathesis(tmp_path, "--max-examples", "40")
    assert done.returncode == 0, done.stdout[-4000:]


# ---------------------------------------------------------------- mutated bodies


def places(value, at=()):
    """Every place in a body: a path of keys and positions."""
    yield at
    rows = value if isinstance(value, list) else ()
    pairs = value.items() if isinstance(value, dict) else enumerate(rows)
    for key, inner in pairs:
        yield from places(inner, (*at, key))


def changed(value, at, new):
    """The body with another value at a place."""
    if not at:
        return new
    copy = value.copy()
    copy[at[0]] = changed(value[at[0]], at[1:], new)
    return copy


def mutated(body, rng):
    """Bytes of a body in which one to three things are wrong."""
    for _ in range(rng.randint(1, 3)):
        at = rng.choice(list(places(body)))
        body = changed(body, at, rng.choice(ODD))
    if isinstance(body, dict) and rng.random() < 0.3:
        body = {**body, CANARY: rng.choice(ODD)}
    text = json.dumps(body, ensure_ascii=rng.random() < 0.5)
    return rng.choice(DAMAGES)(text, rng)


def twice(text, _):
    return text.replace("{", '{"lang":"' + CANARY + '","lang":1,', 1).encode()


def cut(text, rng):
    return text.encode()[: rng.randrange(len(text) + 1)]


def flipped(text, rng):
    data = bytearray(text.encode())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def odd_number(text, rng):
    number = rng.choice(["NaN", "-Infinity", "1e999", "01", "1_0", "0x1F", "1" * 5000])
    return text.replace("54", number).encode()


def deep(text, rng):
    n = rng.choice([31, 33, 1000, 20_000])
    return text.replace("54", "[" * n + "]" * n).encode()


DAMAGES = (
    *([lambda text, _: text.encode()] * 6),
    lambda text, _: text.encode("utf-16"),
    lambda text, _: text.encode("utf-8-sig"),
    lambda text, _: (text + text).encode(),
    lambda text, _: text.encode() + b"\xff\xfe",
    lambda text, _: text.replace("fr", "\\ud800").encode(),
    twice,
    cut,
    flipped,
    odd_number,
    deep,
)


def send_mutated(n: int, *, seed: int) -> dict[int, int]:
    """Send mutated bodies to every route; how often each status was answered."""
    server, rng, found = Local(), random.Random(seed), {}
    known = {kind.status for kind in Kind} - {500, 503, 504} | {200}
    for k in range(n):
        path = list(BODIES)[k % len(BODIES)]
        body = mutated(BODIES[path], rng)
        headers = {"content-type": "application/json", "x-name": CANARY}
        answered = server.request("POST", path, content=body, headers=headers)
        found[answered.status_code] = found.get(answered.status_code, 0) + 1
        assert answered.status_code in known, body
        assert CANARY not in str(server.lines[-1])
        if answered.status_code != 200:
            check_problem(answered, body)
    return found


def check_problem(answered, body):
    assert answered.headers["content-type"] == "application/problem+json"
    document = answered.json()
    assert document["status"] == answered.status_code
    assert set(document) == {"type", "title", "status", "request_id", "problems"}
    for item in document["problems"]:
        assert set(item) == {"pointer", "field", "label", "rule", "allowed"}
        assert item["allowed"]
    said = json.dumps({**document, "request_id": ""}, ensure_ascii=False)
    for sent in (CANARY, "9176", "\x00", "\u202e"):
        assert sent not in said, body


def test_mutated_bodies_are_refused_in_our_words():
    found = send_mutated(400, seed=0)
    assert found.keys() >= {400, 422}


@pytest.mark.long
def test_ten_thousand_mutated_bodies_are_refused_in_our_words():
    found = send_mutated(10_000, seed=1)
    assert found.keys() >= {200, 400, 422}
    assert math.fsum(found.values()) == 10_000
