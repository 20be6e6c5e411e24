"""Recipes of docs/deployment.md: nginx run on loopback with TLS, the unit judged."""

from __future__ import annotations

import json
import re
import shutil
import ssl
import subprocess
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest

from patience import PATIENCE
from records import WHO, bundle, call, condition, patient
from responder_model.schema import dictionary
from responder_model.serving.app import create_app
from responder_model.serving.callers import read_callers
from responder_model.serving.hospital import Hospital
from responder_model.serving.settings import ServerSettings
from responder_model.serving.site import STATIC
from responder_model.serving.tokens import new_token, read_tokens
from serving_client import PATIENT, SCREENING, Live, free_port
from test_serving_callers import signed, write

PAGE = Path(__file__).parents[1] / "docs" / "deployment.md"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
# a number that no time of day has: no minute has 67 seconds
WORD, NUMBER = "zq7canary", 67.391826


def recipe(language):
    """The one fenced block of a language."""
    found = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    assert len(found) == 1
    return found[0]


SYSTEMD = shutil.which("systemd-analyze")


@pytest.mark.skipif(SYSTEMD is None, reason="systemd-analyze is not installed")
def test_unit_is_one_that_systemd_takes_and_exposes_little(tmp_path):
    unit = tmp_path / "responder-model.service"
    command = "/opt/responder-model/.venv/bin/responder-model"
    text = recipe("ini")
    assert f"ExecStart={command} serve " in text
    # what is not installed there cannot be looked up
    unit.write_text(text.replace(command, "/bin/true"), encoding="utf-8")
    judged = [[SYSTEMD, "verify", str(unit)]]
    exposed = ["security", "--offline=true", "--threshold=14", "--no-pager"]
    judged.append([SYSTEMD, *exposed, str(unit)])
    for ask in judged:
        told = subprocess.run(ask, capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stdout + told.stderr
        assert told.stderr == ""


def write_certificate(folder):
    """A certificate of this machine alone, and its key."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    attribute = x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")
    name, now = x509.Name([attribute]), datetime.now(tz=UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder(name, name, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = serialization.PrivateFormat.PKCS8
    text = key.private_bytes(pem, private, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(text)
    (folder / "certificate.pem").write_bytes(made.public_bytes(pem))


def configuration(folder, port, behind):
    """The recipe with the places and ports of a test."""
    text = recipe("nginx")
    for old, new in (
        ("127.0.0.1:8000", f"127.0.0.1:{behind}"),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("responder.hospital.example", "localhost"),
        ("/etc/ssl/certs/responder.pem", f"{folder}/certificate.pem"),
        ("/etc/ssl/private/responder.key", f"{folder}/key.pem"),
        ("/var/log/nginx/", f"{folder}/"),
    ):
        assert old in text
        text = text.replace(old, new)
    # where a distribution's own file would say it
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    around = f"daemon off;\npid {folder}/nginx.pid;\nerror_log {folder}/all.log;\n"
    return f"{around}events {{}}\nhttp {{\n{temporary}{text}}}\n"


@pytest.fixture(scope="module")
def behind_nginx(tmp_path_factory):
    """A client of nginx, its token, and the folder of all logs."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    tmp_path = tmp_path_factory.mktemp("nginx")
    write_certificate(tmp_path)
    tokens, port = tmp_path / "tokens.json", free_port()
    secret, _ = new_token(tokens, name="ehr", role="admin", days=1)
    options = ["--tokens", str(tokens), "--behind-proxy", "127.0.0.1", "--behind-tls"]
    options += ["--hospital", "--public-url", f"https://localhost:{port}"]
    options += ["--cds-clients", str(write(tmp_path))]
    with Live(tmp_path, *options) as server:
        file = tmp_path / "nginx.conf"
        file.write_text(configuration(tmp_path, port, server.port), encoding="utf-8")
        command = [NGINX, "-p", str(tmp_path), "-c", str(file)]
        command += ["-e", str(tmp_path / "start.log")]
        process = subprocess.Popen(command)
        trusted = ssl.create_default_context(cafile=str(tmp_path / "certificate.pem"))
        base = f"https://localhost:{port}"
        with httpx.Client(base_url=base, verify=trusted, timeout=PATIENCE) as client:
            wait_for(client)
            token = {"Authorization": f"Bearer {secret}"}
            yield client, token, tmp_path, server
        process.terminate()
        process.wait(PATIENCE)


def wait_for(client):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            client.get("/health")
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def test_recipe_lets_records_be_larger_and_nothing_else(behind_nginx):
    client, token, folder, _ = behind_nginx
    long = condition((WHO, "Q99"), id="x", note=[{"text": WORD + "a" * 300_000}])
    record = bundle(patient(), condition((WHO, "I69.3")), long)
    headers = {**token, "content-type": "application/fhir+json"}
    for path in (
        "/fhir/$assess?decision=rtms_response&moment=screening",
        "/fr/rtms_response/screening/record",
    ):
        answered = client.post(path, content=json.dumps(record), headers=headers)
        assert answered.status_code == 200, path
    # a token of the JSON interface is none of a record's
    path = "/cds-services/rtms_response-screening"
    assert client.post(path, json={}, headers=token).status_code == 401
    too_large = json.dumps(bundle(patient(), long, long, long, long))
    for path in ("/fhir/$assess", "/v1/predictions", "/fr/rtms_response/screening"):
        body = too_large if path.startswith("/fhir") else json.dumps(record)
        assert client.post(path, content=body, headers=headers).status_code == 413
    logs = [path for path in folder.iterdir() if path.suffix == ".log"]
    assert not any(WORD in path.read_text("utf-8") for path in logs)


def test_recipe_answers_its_own_errors_with_problem_documents(behind_nginx):
    client, token, _, _ = behind_nginx
    for sent, status in (
        ({"method": "POST", "url": "/v1/predictions", "content": b"x" * 70_000}, 413),
        ({"method": "GET", "url": "/" + "a" * 9000}, 414),
        ({"method": "GET", "url": "/health", "headers": {"x": "a" * 9000}}, 400),
    ):
        answered = client.request(**{"headers": token, **sent})
        assert answered.status_code == answered.json()["status"] == status
        assert answered.headers["content-type"] == "application/problem+json"


def routes_of(folder, base):
    """Routes of a server with these options, as its own application lists them."""
    callers = read_callers(folder / "cds-clients.toml")
    hospital = Hospital(public_url=base, callers=callers)
    tokens = read_tokens(folder / "tokens.json")
    app = create_app(ServerSettings(tokens=tokens, hospital=hospital))
    return [(m, r.path) for r in app.routes for m in sorted(r.methods - {"HEAD"})]


VALUES = {**PATIENT, "age": NUMBER}
RECORD = bundle(patient(), condition((WHO, "I69.3")))
FORM = {**PATIENT, "age": f"{NUMBER}", "_of": "rtms_response@screening", "_do": "score"}
# What is sent as JSON, and as a form; by the end of the route's template.
JSON_BODIES = {
    "/v1/predictions": {**SCREENING, "patients": [VALUES]},
    "/v1/explanations": {**SCREENING, "patient": VALUES},
    "/v1/pathway": {"patient": VALUES},
    "/v1/course": {"patient": VALUES},
    "/v1/stopping": {"moment": "session_1"},
    "/admin/reload": {},
    "/fhir/$assess": RECORD,
    "/{decision}/{moment}/record": RECORD,
    "/feedback": {
        "feedback": [
            {
                "card": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
                "outcome": "overridden",
                "outcomeTimestamp": "2026-11-20T10:00:00Z",
            }
        ]
    },
}
FORMS = ("/pathway", "/compare", "/login", "/logout", "/{decision}/{moment}")
# What leads to another page: asked for without a form, or whatever is sent.
LEADS = {"GET": FORMS[:4], "POST": ("/login", "/logout")}


def body_of(template, secret):
    """What a route is sent: JSON, or a form."""
    for end, value in JSON_BODIES.items():
        if template.endswith(end):
            kind = "application/fhir+json" if value is RECORD else "application/json"
            return {"content": json.dumps(value), "headers": {"content-type": kind}}
    if template.startswith("/cds-services/"):
        return {"json": call(condition((WHO, "I69.3")))}
    assert template.endswith(FORMS), template
    return {"data": {"token": secret} if template.endswith("/login") else FORM}


def addresses_of(template):
    """Each address of a route's template."""
    if "{name}" in template:
        return [template.replace("{name}", name) for name in STATIC]
    if template == "/fhir/$assess":
        return [f"{template}?decision=rtms_response&moment=screening"]
    named = [
        template.replace("{decision}", decision).replace("{moment}", moment)
        for decision, moment in dictionary().targets()
    ]
    return sorted(set(named))


def test_recipe_serves_every_route_and_logs_no_value(behind_nginx):
    client, token, folder, server = behind_nginx
    secret = token["Authorization"].split()[1]
    headers = {**token, "X-Request-ID": WORD, "User-Agent": WORD}
    walked = 0
    base = str(client.base_url).rstrip("/")
    for method, template in routes_of(folder, base):
        due = 303 if template == "/docs" or template.endswith(LEADS[method]) else 200
        for address in addresses_of(template):
            sent = {"headers": {}} if method == "GET" else body_of(template, secret)
            own = {**headers, **sent.pop("headers", {})}
            if template.startswith("/cds-services"):
                own["Authorization"] = f"Bearer {signed(aud=base + address)}"
            answered = client.request(method, address, headers=own, **sent)
            assert answered.status_code == due, (method, address, answered.text)
            assert answered.headers["cache-control"] == "no-store"
            walked += 1
    assert walked > 60
    found = client.get("/v1/models", headers=headers)
    assert found.headers["strict-transport-security"].startswith("max-age=")
    assert re.fullmatch("[0-9a-f]{32}", found.headers["x-request-id"])
    wrong = {**SCREENING, "patients": [{WORD: WORD, "age": 1000 + NUMBER}]}
    assert (
        client.post("/v1/predictions", json=wrong, headers=headers).status_code == 422
    )
    assert client.get("/v1/models").status_code == 401
    # the last test: nobody answers behind nginx then
    server.stop()
    assert client.get("/health").status_code == 503
    logs = [path for path in folder.iterdir() if path.suffix == ".log"]
    assert {"responder.log", "serve.log"} <= {path.name for path in logs}
    for path in logs:
        text = path.read_text("utf-8")
        assert WORD not in text
        assert "67.391" not in text
    # a proxy writes the line of an answer once that has left
    deadline = time.monotonic() + PATIENCE
    while last_status(folder) != 503 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert last_status(folder) == 503


def last_status(folder):
    """Status in the last line of nginx's log of requests."""
    last = (folder / "responder.log").read_text("utf-8").splitlines()[-1]
    return json.loads(last)["status"]
