"""The server inside a hospital's record: CDS Hooks, and FHIR beside JSON.

    python training/benchmarks/hospital.py [--seconds 5]

Records hold 50 observations. Clients run on the same cores (``client_cpu_ms`` for an
answer), and the load of the machine (processes that want a core, as it begins) stands
in the table: what is absolute needs a quiet one, where 10 clients that never pause wait
about 10 times ``cpu_ms``, what an answer costs the server, by its number of processes.
What is judged: 95 % of CDS calls of 10 clients are answered within 50 ms; a
RiskAssessment of FHIR costs at most 5 times as much as the JSON interface for the same
patient. The audit trail has a script of its own (``audit.py``).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pandas as pd
from cryptography.hazmat.primitives.asymmetric import ec

from serving_load import Running, ask, ask_at_rate, free_port, request, start
from stamp import stamped

OUT = Path("reports/benchmarks/hospital.csv")
COMMAND = str(Path(sys.executable).parent / "responder-model")
FHIR = "application/fhir+json"
URL, ISSUER = "https://responder.example", "https://ehr.example"
CALL = "/cds-services/rtms_response-screening"
ASSESS = "/fhir/$assess?decision=rtms_response&moment=screening"
SUBJECT = {"reference": "Patient/p1"}
N_OBSERVATIONS = 50
# Calls a second of 10 clients that do not wait for each other.
RATE = 20
# Limits of the figures that are judged.
CDS_MS, TIMES_JSON = 50.0, 5.0

Plain = dict[str, Any]


def patient() -> Plain:
    born = {"birthDate": "1972-05-03", "gender": "male"}
    return {"resourceType": "Patient", "id": "p1", **born}


def condition() -> Plain:
    coding = [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "I69.3"}]
    made = {"resourceType": "Condition", "id": "c1", "subject": SUBJECT}
    return {**made, "code": {"coding": coding}}


def observations() -> list[Plain]:
    """HADS-D of one day after another, every second one of another scale."""
    today = datetime.now(tz=UTC).date()
    codes = ("401320004", "401319005")
    return [
        {
            "resourceType": "Observation",
            "id": f"o{n}",
            "subject": SUBJECT,
            "status": "final",
            "code": {
                "coding": [{"system": "http://snomed.info/sct", "code": codes[n % 2]}]
            },
            "effectiveDateTime": (today - timedelta(days=1 + n)).isoformat(),
            "valueQuantity": {"value": 5 + n % 10, "unit": "{score}"},
        }
        for n in range(N_OBSERVATIONS)
    ]


def bundle(kind: str, *resources: Plain) -> Plain:
    entries = [{"resource": row} for row in resources]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def call() -> bytes:
    sent = {
        "patient": patient(),
        "conditions": bundle("searchset", condition()),
        "observations": bundle("searchset", *observations()),
        "responses": None,
    }
    context = {"userId": "Practitioner/u1", "patientId": "p1"}
    named = {"hook": "patient-view", "hookInstance": str(uuid4())}
    return json.dumps({**named, "context": context, "prefetch": sent}).encode()


def record() -> bytes:
    return json.dumps(
        bundle("collection", patient(), condition(), *observations())
    ).encode()


def serve(*more: str) -> Running:
    port = free_port()
    command = [COMMAND, "serve", "--port", str(port)]
    return start([*command, *more], port, "/ready")


def write_clients(folder: Path) -> tuple[ec.EllipticCurvePrivateKey, tuple[str, ...]]:
    """A key of a caller, and the options of a server that knows it."""
    key = ec.generate_private_key(ec.SECP384R1())
    public = json.loads(jwt.get_algorithm_by_name("ES384").to_jwk(key.public_key()))
    keys = {"keys": [{**public, "kid": "a"}]}
    (folder / "ehr.json").write_text(json.dumps(keys), encoding="utf-8")
    file = folder / "cds-clients.toml"
    rows = f'[[clients]]\nissuer = "{ISSUER}"\njwks = "ehr.json"\n'
    file.write_text(f"format_version = 1\n{rows}", encoding="utf-8")
    return key, ("--cds-clients", str(file), "--public-url", URL)


def signed(key: ec.EllipticCurvePrivateKey, body: bytes, n: int) -> list[bytes]:
    """Calls with a token of their own each, signed before they are timed."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": URL + CALL, "iat": now, "exp": now + 300}
    return [
        request(
            CALL,
            body,
            token=jwt.encode(
                {**claims, "jti": str(uuid4())}, key, "ES384", {"kid": "a"}
            ),
        )
        for _ in range(n)
    ]


def measured(
    what: str,
    server: Running,
    sent: bytes | list[bytes],
    *,
    clients: int,
    seconds: float,
    rate: float | None = None,
) -> Plain:
    """What clients saw, and what an answer cost the server."""
    before, own = server.cpu_seconds(), time.process_time()
    if rate is None:
        found = ask(server.port, sent, clients=clients, seconds=seconds)
    else:
        found = ask_at_rate(server.port, sent, rate=rate, seconds=seconds)
    n = len(found.latencies)
    return {
        "what": what,
        "clients": clients,
        "per_second": found.per_second,
        "median_ms": found.quantile_ms(0.5),
        "p95_ms": found.quantile_ms(0.95),
        "cpu_ms": 1000.0 * (server.cpu_seconds() - before) / n,
        "client_cpu_ms": 1000.0 * (time.process_time() - own) / n,
        "errors": found.errors,
    }


def measure_records(folder: Path, seconds: float) -> list[Plain]:
    """CDS calls, RiskAssessments, and the JSON interface beside them."""
    body = call()
    values = {"age": 54, "sex": "male", "aetiology": "ischaemic_stroke"}
    scales = {"depression": 5, "anxiety": 6}
    patients = [{**values, **scales}]
    asked = {
        "decision": "rtms_response",
        "moment": "screening",
        "patients": patients,
    }
    kinds = {
        "CDS call, this machine": request(CALL, body),
        "FHIR": request(ASSESS, record(), FHIR),
        "JSON": request("/v1/predictions", json.dumps(asked).encode()),
    }
    server, rows = serve("--hospital"), []
    try:
        for what, sent in kinds.items():
            ask(server.port, sent, clients=4, seconds=1.0)
            for clients in (1, 10):
                how = {"clients": clients, "seconds": seconds}
                rows.append(measured(what, server, sent, **how))
        how = {"clients": 10, "seconds": seconds, "rate": RATE}
        steady = kinds["CDS call, this machine"]
        rows.append(measured(f"CDS call, {RATE} a second", server, steady, **how))
    finally:
        server.stop()
    return [*rows, *measure_signed(folder, body, seconds)]


def measure_signed(folder: Path, body: bytes, seconds: float) -> Iterator[Plain]:
    """Signed calls, to a server of one process and to one of two."""
    key, options = write_clients(folder)
    for n, what in enumerate(("CDS call, signed", "CDS call, signed, 2 processes"), 1):
        server = serve("--hospital", *options, "--processes", str(n))
        try:
            ask(server.port, signed(key, body, 100), clients=4, seconds=1.0)
            calls = signed(key, body, int(400 * seconds))
            yield measured(what, server, calls, clients=10, seconds=seconds)
        finally:
            server.stop()


def judged(table: pd.DataFrame) -> list[str]:
    """What the figures are judged by."""
    at = table.set_index(["what", "clients"])
    hows = ("this machine", "signed", "signed, 2 processes")
    slow = [at.loc[(f"CDS call, {how}", 10), "p95_ms"] for how in hows]
    costs = ("cpu_ms", "median_ms")
    times = max(at.loc[("FHIR", 1), c] / at.loc[("JSON", 1), c] for c in costs)
    rules = [
        *(
            (f"CDS call, {how}: p95 {p95:.1f} ms", p95 <= CDS_MS)
            for how, p95 in zip(hows, slow, strict=True)
        ),
        (f"FHIR {times:.2f} x JSON", times <= TIMES_JSON),
        ("every answer 200", not table["errors"].any()),
    ]
    return [f"{said}: {'holds' if holds else 'DOES NOT HOLD'}" for said, holds in rules]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    args = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rows = measure_records(folder, args.seconds)
    table = pd.DataFrame(rows)
    table["load"] = load
    table["machine"] = f"{os.cpu_count()} cores, {platform.platform()}"
    stamped(table).to_csv(OUT, index=False, float_format="%.3f")
    print(table.drop(columns="machine").round(2).to_string(index=False))
    for line in judged(table):
        print(line)


if __name__ == "__main__":
    main()
