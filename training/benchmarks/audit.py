"""What the audit trail costs: the same server with it and without, in one run.

    python training/benchmarks/audit.py [--seconds 5] [--rounds 3]

32 clients over kept connections, in turn on both servers, on the same cores; then how
fast the trail that came of it is verified. The ratio of requests a second is what is
judged; absolute figures depend on the disk, of which a flush is timed beside.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from responder_model.audit import new_key, verify_trail
from serving import OURS, serve
from serving_load import ask
from stamp import stamped

OUT = Path("reports/benchmarks/audit.csv")
CLIENTS = 32
# Flushes that are timed.
FLUSHES = 50

Rows = list[dict[str, object]]


def flush_ms(folder: Path) -> float:
    """Median time to have a line on this disk, in milliseconds."""
    place = os.open(folder / "flushed", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    times = []
    for _ in range(FLUSHES):
        began = time.perf_counter()
        os.write(place, b"x" * 500)
        os.fsync(place)
        times.append(time.perf_counter() - began)
    os.close(place)
    return 1000.0 * float(np.median(times))


def measure(folder: Path, rounds: int, seconds: float) -> Rows:
    """Both servers, asked in turn."""
    new_key(folder / "audit.key")
    options = {
        "off": (),
        "on": ("--audit", f"{folder}/trail", "--audit-key", f"{folder}/audit.key"),
    }
    servers = {name: serve(folder, *more) for name, more in options.items()}
    rows: Rows = []
    try:
        for server in servers.values():
            ask(server.port, OURS, clients=4, seconds=1.0)
        for k in range(rounds):
            # who is first changes: a machine that slows down slows both
            for name in sorted(servers, reverse=bool(k % 2)):
                server = servers[name]
                begun = server.cpu_seconds()
                found = ask(server.port, OURS, clients=CLIENTS, seconds=seconds)
                used = server.cpu_seconds() - begun
                rows.append(
                    {
                        "audit": name,
                        "round": k,
                        "per_second": found.per_second,
                        "cpu_ms": 1000.0 * used / len(found.latencies),
                        "median_ms": found.quantile_ms(0.5),
                        "p99_ms": found.quantile_ms(0.99),
                        "errors": found.errors,
                    }
                )
    finally:
        for server in servers.values():
            server.stop()
    return rows


def measure_trail(folder: Path) -> dict[str, object]:
    """How large the trail is, and how fast it is verified."""
    from responder_model.audit import read_key

    began = time.perf_counter()
    found = verify_trail(folder / "trail", read_key(folder / "audit.key"))
    seconds = time.perf_counter() - began
    size = sum(path.stat().st_size for path in (folder / "trail").glob("*.jsonl"))
    return {
        "audit": f"verified: {found.state}",
        "lines": found.n_lines,
        "lines_per_second": found.n_lines / seconds,
        "bytes_per_line": size / found.n_lines,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    # beside the repository, not in a folder that may be memory
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as scratch:
        folder = Path(scratch)
        before = flush_ms(folder)
        rows = measure(folder, args.rounds, args.seconds)
        rows.append(measure_trail(folder))
    table = pd.DataFrame(rows)
    by = table.pivot_table(index="round", columns="audit", values="per_second")
    ratios = (by["on"] / by["off"]).dropna()
    ratio = float(ratios.median())
    table["flush_ms"], table["ratio"] = before, ratio
    table["machine"] = f"{os.cpu_count()} cores, {platform.platform()}"
    OUT.parent.mkdir(parents=True, exist_ok=True)
    stamped(table).to_csv(OUT, index=False, float_format="%.3f")
    print(table.drop(columns="machine").round(2).to_string(index=False))
    span = f"{ratios.min():.2f} to {ratios.max():.2f}"
    work = table.groupby("audit")["cpu_ms"].median()
    print(f"CPU time of an answer: {work['on'] / work['off']:.2f} x")
    print(f"audit on: {ratio:.2f} x the requests a second with it off ({span})")


if __name__ == "__main__":
    main()
