"""The server against MLflow's and against plain FastAPI, in one run on one machine.

    python training/benchmarks/serving.py [--seconds 10] [--steady-seconds 60]

One published model, one patient a request, over kept connections; clients run on the
same cores. Absolute figures are for orientation, ratios are what is compared.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pandas as pd

import responder_model as rm
from responder_model.tracking import log_development
from serving_load import Found, Running, ask, ask_at_rate, free_port, request, start
from stamp import stamped

OUT = Path("reports/benchmarks/serving.csv")
PATIENT = {"age": 54, "aetiology": "ischaemic_stroke", "pain_intensity": 7}
QUESTION = {"decision": "rtms_response", "moment": "screening"}
BINARIES = Path(sys.executable).parent
OURS = request(
    "/v1/predictions", json.dumps({**QUESTION, "patients": [PATIENT]}).encode()
)
FORM = "application/x-www-form-urlencoded"
PAGE = request(
    "/en/rtms_response/screening",
    b"age=54&aetiology=ischaemic_stroke&pain_intensity=7&_do=score",
    FORM,
)
MLFLOW = request("/invocations", json.dumps({"dataframe_records": [PATIENT]}).encode())
HELLO = request("/", b"", method="GET")
CLIENTS = (16, 100)

Rows = list[dict[str, object]]


def serve(folder: Path, *more: str) -> Running:
    port = free_port()
    limits = folder / "limits.toml"
    limits.write_text("connections_per_address = 200\n", encoding="utf-8")
    command = [str(BINARIES / "responder-model"), "serve", "--port", str(port)]
    return start([*command, "--limits", str(limits), *more], port, "/ready")


def serve_mlflow(folder: Path) -> Running:
    model = rm.published_model(*QUESTION.values())
    saved = rm.save_model(model, folder / "model")
    store = f"sqlite:///{folder / 'mlflow.db'}"
    logged = log_development(model, folder=saved, tracking_uri=store)
    port = free_port()
    options = f"models serve --env-manager local --workers 1 -h 127.0.0.1 -p {port}"
    os.environ["PATH"] = f"{BINARIES}:{os.environ['PATH']}"
    command = [str(BINARIES / "mlflow"), *options.split(), "-m", logged.model_path]
    return start(command, port, "/ping")


def row(
    server: str, what: str, clients: int, found: Found, cpu: float
) -> dict[str, object]:
    return {
        "server": server,
        "what": what,
        "clients": clients,
        "per_second": found.per_second,
        "median_ms": found.quantile_ms(0.5),
        "p99_ms": found.quantile_ms(0.99),
        "cpu_ms": 1000.0 * cpu / len(found.latencies),
        "errors": found.errors,
    }


def asked(
    name: str, what: str, server: Running, sent: bytes, *, clients: int, seconds: float
) -> dict[str, object]:
    """Ask as fast as it answers; the server's processor time of each answer too."""
    before = server.cpu_seconds()
    found = ask(server.port, sent, clients=clients, seconds=seconds)
    return row(name, what, clients, found, server.cpu_seconds() - before)


def measure(name: str, server: Running, sent: bytes, seconds: float) -> Rows:
    """A second to get warm, then as many clients as are compared."""
    rows: Rows = [
        {"server": name, "what": "start, s", "per_second": server.seconds},
        {"server": name, "what": "start, CPU s", "per_second": server.cpu_seconds()},
    ]
    ask(server.port, sent, clients=4, seconds=1.0)
    for clients in CLIENTS:
        one = asked(name, "prediction", server, sent, clients=clients, seconds=seconds)
        rows.append(one)
    memory = {"server": name, "what": "memory, MB", "per_second": server.memory_mb()}
    return [*rows, memory]


def measure_ours(folder: Path, seconds: float, steady: float) -> Rows:
    # the first start compiles the modules
    serve(folder).stop()
    server = serve(folder)
    try:
        rows = measure("ours", server, OURS, seconds)
        for what, sent in (("one prediction", OURS), ("page", PAGE)):
            rows.append(asked("ours", what, server, sent, clients=1, seconds=seconds))
        before = server.cpu_seconds()
        slow = ask_at_rate(server.port, OURS, rate=50, seconds=steady)
        cpu = server.cpu_seconds() - before
        rows.append(row("ours", "50 a second", 10, slow, cpu))
        memory = server.memory_mb()
        rows.append(asked("ours", "steady", server, OURS, clients=100, seconds=steady))
        growth = 100.0 * (server.memory_mb() / memory - 1.0)
        rows.append({"server": "ours", "what": "growth, %", "per_second": growth})
    finally:
        server.stop()
    found = [measure_processes(folder, n, seconds) for n in (1, 2)]
    return [*rows, *found, *(measure_loops(n, seconds) for n in (1, 2))]


def measure_processes(folder: Path, n: int, seconds: float) -> dict[str, object]:
    server = serve(folder, "--processes", str(n))
    try:
        ask(server.port, OURS, clients=8, seconds=1.0)
        what = f"{n} processes"
        return asked("ours", what, server, OURS, clients=32, seconds=seconds)
    finally:
        server.stop()


def measure_loops(n: int, seconds: float) -> dict[str, object]:
    """Predict in processes without a server: more, two cores do not give."""
    with ProcessPoolExecutor(n) as pool:
        found = sum(pool.map(predict_for, [seconds] * n))
    what = f"{n} processes"
    return {"server": "none", "what": what, "per_second": found / seconds}


def predict_for(seconds: float) -> int:
    model, n = rm.published_model(*QUESTION.values()), 0
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        model.predict(PATIENT).to_dict()
        n += 1
    return n


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--steady-seconds", type=float, default=60.0)
    args = parser.parse_args()
    # as installed: modules are compiled once, not by every start
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rows = measure_ours(folder, args.seconds, args.steady_seconds)
        others = (
            ("FastAPI hello", lambda: start_hello(), HELLO),
            ("mlflow models serve", lambda: serve_mlflow(folder), MLFLOW),
        )
        for name, begin, sent in others:
            server = begin()
            try:
                rows += measure(name, server, sent, args.seconds)
            finally:
                server.stop()
    table = pd.DataFrame(rows)
    table["machine"] = f"{os.cpu_count()} cores, {platform.platform()}"
    OUT.parent.mkdir(parents=True, exist_ok=True)
    stamped(table).to_csv(OUT, index=False, float_format="%.3f")
    print(table.drop(columns="machine").round(2).to_string(index=False))
    for line in ratios(table):
        print(line)


def start_hello() -> Running:
    port = free_port()
    script = Path(__file__).with_name("serving_hello.py")
    return start([sys.executable, str(script), str(port)], port, "/")


def ratios(table: pd.DataFrame) -> list[str]:
    """What the figures are judged by."""
    predictions = table[table["what"] == "prediction"]
    by = predictions.set_index(["server", "clients"])
    lines = []
    for clients in CLIENTS:
        ours = by.loc[("ours", clients)]
        for other in ("mlflow models serve", "FastAPI hello"):
            theirs = by.loc[(other, clients)]
            times = ours["per_second"] / theirs["per_second"]
            tail = ours["p99_ms"] / theirs["p99_ms"]
            cpu = theirs["cpu_ms"] / ours["cpu_ms"]
            lines.append(
                f"{clients} clients: {times:.2f} x {other}, p99 {tail:.2f} x, "
                f"by processor time {cpu:.2f} x"
            )
    scaled = table.set_index(["server", "what"])["per_second"]
    times, most = (
        scaled[server, "2 processes"] / scaled[server, "1 processes"]
        for server in ("ours", "none")
    )
    lines.append(f"2 processes: {times:.2f} x one; without a server {most:.2f} x")
    single = table.set_index("what")[["median_ms", "cpu_ms"]]
    wall, cpu = single.loc["page"] / single.loc["one prediction"]
    lines.append(f"page: {wall:.2f} x a prediction, by processor time {cpu:.2f} x")
    return lines


if __name__ == "__main__":
    main()
