"""Records that call with a signed token: good once, for one address, never leaked."""

from __future__ import annotations

import json
import time
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from records import WHO, call, condition
from responder_model.cli.serve import serve
from responder_model.errors import ResponderModelError
from responder_model.serving.callers import read_callers
from responder_model.serving.hospital import Hospital
from responder_model.serving.ledger import Ledger
from responder_model.serving.settings import ServerSettings
from responder_model.serving.tokens import Token
from serving_client import Local

URL = "https://responder.example/clinic"
ISSUER = "https://ehr.example"
SERVICES = "/cds-services"
SCREENING = f"{SERVICES}/rtms_response-screening"
WORD = "zq7canary"
CURVE = ec.generate_private_key(ec.SECP384R1())
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEYS = {"ES384": ("curve", CURVE), "RS384": ("rsa", RSA)}
OTHER = ec.generate_private_key(ec.SECP384R1())


def public(key, kid, algorithm, **more):
    kind = jwt.get_algorithm_by_name(algorithm)
    made = json.loads(kind.to_jwk(key.public_key()))
    return {**made, "kid": kid, **more}


def write(folder, keys=None, clients=None):
    """A file of clients and the keys beside it."""
    rows = [public(key, kid, name) for name, (kid, key) in KEYS.items()]
    text = json.dumps({"keys": rows if keys is None else keys})
    (folder / "ehr.json").write_text(text, encoding="utf-8")
    path = folder / "cds-clients.toml"
    listed = clients or f'[[clients]]\nissuer = "{ISSUER}"\njwks = "ehr.json"\n'
    path.write_text(f"format_version = 1\n{listed}", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    path = write(tmp_path_factory.mktemp("clients"))
    hospital = Hospital(
        public_url=URL,
        callers=read_callers(path),
        callers_file=path,
        state=path.with_name("state.sqlite"),
    )
    # tokens of the JSON interface stand beside: they are none of a record's
    token = Token(
        name="x", role="read", sha256="0" * 64, expires="2099-01-01T00:00:00+00:00"
    )
    hosts = frozenset({"localhost", "responder.example"})
    return Local(ServerSettings(hospital=hospital, tokens=(token,), hosts=hosts))


def signed(path=SCREENING, algorithm="ES384", *, key=None, headers=None, **claims):
    now = int(time.time())
    kid, own = KEYS.get(algorithm, ("curve", CURVE))
    told = {
        "iss": ISSUER,
        "aud": URL + path,
        "iat": now,
        "exp": now + 300,
        "jti": str(uuid4()),
        **claims,
    }
    told = {name: value for name, value in told.items() if value is not ...}
    made = {"kid": kid, **(headers or {})}
    return jwt.encode(
        told, own if key is None else key, algorithm=algorithm, headers=made
    )


def ask(server, token, path=SCREENING, body=None):
    headers = {"authorization": f"Bearer {token}", "host": "responder.example"}
    if path == SERVICES:
        return server.get(path, headers=headers)
    stroke = condition((WHO, "I69.3"))
    return server.post(path, body or call(stroke), headers=headers)


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_signed_call_is_answered(server, algorithm):
    answer = ask(server, signed(algorithm=algorithm))
    assert answer.status_code == 200
    assert answer.json()["cards"]


def test_every_address_asks_for_a_token_of_its_own(server):
    feedback = f"{SCREENING}/feedback"
    row = {
        "card": str(uuid4()),
        "outcome": "accepted",
        "outcomeTimestamp": "2026-11-20T10:00:00Z",
    }
    told = {"feedback": [row]}
    assert ask(server, signed(SERVICES), SERVICES).status_code == 200
    assert ask(server, signed(feedback), feedback, told).status_code == 200
    # an array of the one address is the same (the specification has both)
    assert ask(server, signed(aud=[URL + SCREENING])).status_code == 200
    for path in (SERVICES, feedback):
        refused = ask(server, signed(SCREENING), path, told)
        assert refused.status_code == 401
        assert "aud must be the address" in refused.text


PAST = int(time.time()) - 3600
# Later than any run of the tests, which may come long after they are collected.
FUTURE = PAST + 6 * 3600


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"aud": "https://responder.example" + SCREENING}, "aud must be"),
        ({"aud": URL + SCREENING + "/"}, "aud must be"),
        ({"aud": URL}, "aud must be"),
        ({"aud": [URL + SCREENING, "https://x.example"]}, "aud must be"),
        ({"aud": ...}, "must all be there"),
        ({"jti": ...}, "must all be there"),
        ({"iat": ...}, "must all be there"),
        ({"exp": ...}, "must all be there"),
        ({"exp": PAST, "iat": PAST - 60}, "valid now"),
        ({"iat": FUTURE, "exp": FUTURE + 60}, "valid now"),
        ({"iat": PAST + 3000, "exp": FUTURE}, "exp must come after iat by 300 seconds"),
        ({"exp": FUTURE}, "exp must come after iat by 300 seconds"),
        ({"iss": "https://else.example"}, "issuer that this server knows"),
        ({"iss": ...}, "issuer that this server knows"),
        ({"key": OTHER}, "signed with the key"),
        ({"headers": {"kid": "none"}}, "signed with the key"),
        ({"headers": {"kid": "rsa"}}, "alg must be that of the key"),
        ({"headers": {"crit": ["x"]}}, "Authorization must be"),
        ({"jti": ""}, "must all be there"),
        ({"jti": "x" * 600}, "must all be there"),
    ],
)
def test_token_that_is_not_good_for_the_call_is_refused(server, change, said):
    answer = ask(server, signed(**change))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["issue"][0]["code"] == "login"
    assert said in answer.text


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "HS384", "none", "PS384"])
def test_other_algorithms_are_refused(server, algorithm):
    keys = {
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "HS384": b"x" * 48,
        "none": "",
    }
    kid = "curve" if algorithm in keys else "rsa"
    key = keys.get(algorithm, RSA)
    token = signed(algorithm=algorithm, key=key, headers={"kid": kid})
    answer = ask(server, token)
    assert answer.status_code == 401
    assert "alg must be that of the key" in answer.text


@pytest.mark.parametrize("token", ["", "x", "a.b.c", f"{WORD}.{WORD}.{WORD}"])
def test_what_is_no_token_is_refused(server, token):
    answer = ask(server, token)
    assert answer.status_code == 401
    assert "Bearer and a signed token" in answer.text
    assert server.get(SERVICES).status_code == 401


def test_token_is_good_once_also_after_a_restart(server, tmp_path):
    token = signed()
    assert ask(server, token).status_code == 200
    again = ask(server, token)
    assert (again.status_code, "jti must be new" in again.text) == (401, True)
    path = tmp_path / "state.sqlite"
    assert Ledger(path).is_new("a", "b", until=time.time() + 60)
    later = Ledger(path)
    assert not later.is_new("a", "b", until=time.time() + 60)
    assert later.is_new("c", "b", until=time.time() - 1)
    # what has expired is forgotten: its time refuses it
    assert later.is_new("c", "b", until=time.time() + 60)


def test_clocks_may_differ_by_half_a_minute(server):
    now = int(time.time())
    assert ask(server, signed(iat=now - 200, exp=now - 20)).status_code == 200
    assert ask(server, signed(iat=now + 20, exp=now + 200)).status_code == 200
    assert ask(server, signed(iat=now - 200, exp=now - 40)).status_code == 401


def test_address_of_keys_in_a_token_is_never_fetched(server, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError

    monkeypatch.setattr("socket.getaddrinfo", refuse)
    monkeypatch.setattr("socket.create_connection", refuse)
    own = public(OTHER, "curve", "ES384")
    headers = {"jku": "https://evil.example/keys.json", "jwk": own}
    assert ask(server, signed(headers=headers)).status_code == 200
    forged = signed(headers=headers, key=OTHER)
    assert ask(server, forged).status_code == 401


def test_token_of_a_record_opens_nothing_else(server):
    headers = {"authorization": f"Bearer {signed('/v1/models')}"}
    assert server.get("/v1/models", headers=headers).status_code == 401
    assert server.get("/admin/feedback", headers=headers).status_code == 401


def test_nothing_of_a_token_is_on_the_log_or_in_the_state(server):
    server.lines.clear()
    named = {"jti": f"{WORD}-1", "sub": WORD, "tenant": WORD}
    assert ask(server, signed(**named)).status_code == 200
    refused = [
        ask(server, signed(**named)),
        ask(server, signed(iss=WORD)),
        ask(server, signed(aud=WORD)),
        ask(server, signed(headers={"kid": WORD, "jku": f"https://{WORD}.example"})),
    ]
    assert {answer.status_code for answer in refused} == {401}
    assert WORD not in "".join(answer.text for answer in refused)
    assert WORD not in str(server.lines)
    rules = [line["problems"][0][1] for line in server.lines if "problems" in line]
    assert rules == [
        "caller_replayed",
        "caller_issuer",
        "caller_audience",
        "caller_key",
    ]
    state = server.service.settings.hospital.state
    for path in state.parent.glob(f"{state.name}*"):
        assert WORD.encode() not in path.read_bytes()


def test_reload_reads_the_keys_anew(tmp_path):
    path = write(tmp_path)
    hospital = Hospital(public_url=URL, callers=read_callers(path), callers_file=path)
    hosts = frozenset({"responder.example"})
    server = Local(ServerSettings(hospital=hospital, hosts=hosts))
    assert ask(server, signed()).status_code == 200
    write(tmp_path, keys=[public(OTHER, "curve", "ES384")])
    server.service.reload()
    assert ask(server, signed()).status_code == 401
    assert ask(server, signed(key=OTHER)).status_code == 200


# ---------------------------------------------------------------- the file of clients

SECRET = json.loads(jwt.get_algorithm_by_name("ES384").to_jwk(OTHER))
SHORT = rsa.generate_private_key(public_exponent=65537, key_size=1024)
GOOD = f'[[clients]]\nissuer = "{ISSUER}"\njwks = "ehr.json"\n'


@pytest.mark.parametrize(
    ("keys", "clients", "said"),
    [
        ([SECRET | {"kid": "a"}], GOOD, "private or a shared key"),
        ([{"kty": "oct", "k": "eA", "kid": "a"}], GOOD, "private or a shared key"),
        ([public(SHORT, "a", "RS384")], GOOD, "2048 bits"),
        ([public(RSA, "a", "RS256", alg="RS256")], GOOD, "ES384"),
        ([public(CURVE, "a", "ES384", use="enc")], GOOD, "ES384"),
        ([public(CURVE, "a", "ES384", x="!")], GOOD, "ES384"),
        ([public(CURVE, "", "ES384")], GOOD, "kid"),
        ([public(CURVE, "a", "ES384"), public(RSA, "a", "RS384")], GOOD, "kid"),
        ([], GOOD, "ES384"),
        ([7], GOOD, "JWK Set"),
        (None, GOOD.replace("ehr.json", "none.json"), "none.json cannot be read"),
        (None, '[[clients]]\nissuer = "x"\n', "issuer and jwks"),
        (None, GOOD + GOOD, "stands there twice"),
        (None, "more = 1\n", "[[clients]]"),
        (None, "clients = [", "TOML file"),
    ],
)
def test_file_of_clients_is_refused_in_words(tmp_path, keys, clients, said):
    path = write(tmp_path, keys, clients)
    with pytest.raises(ResponderModelError) as refused:
        read_callers(path)
    assert said in refused.value.text("en")
    assert refused.value.text("fr") != refused.value.text("en")
    assert SECRET["d"] not in refused.value.text("en")


def test_file_of_clients_is_refused_with_all_that_is_wrong(tmp_path):
    rows = [
        GOOD.replace("ehr.json", "no.json"),
        '[[clients]]\nissuer = ""\njwks = ""\n',
    ]
    with pytest.raises(ResponderModelError) as refused:
        read_callers(write(tmp_path, clients="".join(rows)))
    said = refused.value.text("en")
    assert "no.json" in said
    assert "clients[2]" in said


def test_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ResponderModelError, match=r"cds-clients\.toml"):
        read_callers(tmp_path / "cds-clients.toml")


def test_state_that_is_another_file_is_refused(tmp_path):
    other = tmp_path / "notes.txt"
    other.write_text("not a ledger, but long enough to be read as one " * 30)
    for path in (other, tmp_path / "no" / "state.sqlite"):
        with pytest.raises(ResponderModelError, match="--cds-state"):
            Ledger(path)
    assert other.read_text().startswith("not a ledger")


def test_options_of_callers_need_what_they_rest_on(tmp_path):
    path = write(tmp_path)
    for more, needed in (
        ({"cds_clients": path}, "--hospital"),
        ({"cds_state": path}, "--hospital"),
        ({"cds_clients": path, "hospital": True}, "--public-url"),
    ):
        with pytest.raises(ResponderModelError, match=f"Add {needed}"):
            serve(**more)


def test_refusal_in_french_reads_as_french(server):
    headers = {"accept-language": "fr", "host": "responder.example"}
    said = server.get(SERVICES, headers=headers).json()["issue"][0]["details"]["text"]
    assert said.startswith("Un jeton valide est nécessaire : l'en-tête")


@pytest.mark.parametrize("url", ["responder.example", "https://", "https://a/?b=1"])
def test_public_address_that_is_none_is_refused(url):
    with pytest.raises(ResponderModelError, match="--public-url must be an address"):
        Hospital(public_url=url)
