"""The recipe of docs/deployment.md, started on loopback with TLS."""

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

from records import WHO, bundle, condition, patient
from responder_model.serving.tokens import new_token
from serving_client import PATIENT, SCREENING, Live, free_port

PAGE = Path(__file__).parents[1] / "docs" / "deployment.md"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
WORD, NUMBER = "zq7canary", 47.391826


def recipe(language):
    """The one fenced block of a language."""
    found = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    assert len(found) == 1
    return found[0]


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
    with Live(tmp_path, *options) as server:
        file = tmp_path / "nginx.conf"
        file.write_text(configuration(tmp_path, port, server.port), encoding="utf-8")
        command = [NGINX, "-p", str(tmp_path), "-c", str(file)]
        command += ["-e", str(tmp_path / "start.log")]
        process = subprocess.Popen(command)
        trusted = ssl.create_default_context(cafile=str(tmp_path / "certificate.pem"))
        base = f"https://localhost:{port}"
        with httpx.Client(base_url=base, verify=trusted, timeout=30) as client:
            wait_for(client)
            yield client, {"Authorization": f"Bearer {secret}"}, tmp_path, server
        process.terminate()
        process.wait(30)


def wait_for(client):
    deadline = time.monotonic() + 30
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
    # a proxy on this machine is not this machine: records show who they are
    sent = client.post("/cds-services/rtms_response-screening", json={}, headers=token)
    assert sent.status_code == 403
    assert "--cds-clients" in sent.text
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


def test_recipe_serves_every_route_and_logs_no_value(behind_nginx):
    client, token, folder, server = behind_nginx
    headers = {**token, "X-Request-ID": WORD, "User-Agent": WORD}
    patient = {**PATIENT, "age": NUMBER}
    bodies = {
        "/v1/predictions": {**SCREENING, "patients": [patient]},
        "/v1/explanations": {**SCREENING, "patient": patient},
        "/v1/pathway": {"patient": patient},
        "/v1/course": {"patient": patient},
        "/v1/stopping": {"moment": "session_1"},
        "/admin/reload": {},
    }
    for path, body in bodies.items():
        assert client.post(path, json=body, headers=headers).status_code == 200, path
    for path in ("/health", "/ready", "/v1/models", "/v1/dictionary", "/openapi.json"):
        assert client.get(path, headers=headers).status_code == 200, path
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
        assert "47.39" not in text
    # a proxy writes the line of an answer once that has left
    deadline = time.monotonic() + 10
    while last_status(folder) != 503 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert last_status(folder) == 503


def last_status(folder):
    """Status in the last line of nginx's log of requests."""
    last = (folder / "responder.log").read_text("utf-8").splitlines()[-1]
    return json.loads(last)["status"]
