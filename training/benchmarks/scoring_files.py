"""Scoring files: patients per second and peak memory, whatever the size.

    python training/benchmarks/scoring_files.py [--rows 1000,10000,100000,1000000]
        [--formats parquet,csv] [--kinds linear,pooled] [--jobs 1,2] [--repeats 2]

From Parquet to Parquet and from CSV to CSV, contributions included: from the first byte
read to the result in place, checks included. Memory is the highest of the process; that
of the libraries alone stands in the row of 1000 patients.
"""

from __future__ import annotations

import argparse
import os
import threading
import time
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from responder_model.scoring import score_file
from scoring_models import best_seconds, our_models, patients
from stamp import stamped

OUT = Path("reports/benchmarks/scoring_files.csv")
# Patients that are written at once.
STEP = 250_000


def write_patients(n: int, path: Path) -> None:
    """Write patients in groups, so that this script needs no memory for them all."""
    first = pa.Table.from_pandas(patients(1), preserve_index=False).schema
    words = [f.name for f in first if pa.types.is_dictionary(f.type)]
    plain = pa.schema(
        [(f.name, pa.string() if f.name in words else f.type) for f in first]
    )
    make = pq.ParquetWriter if path.suffix == ".parquet" else pa_csv.CSVWriter
    part = patients(min(STEP, n))
    with make(str(path), plain) as writer:
        for start in range(0, n, STEP):
            part = part.iloc[: n - start]
            part = part.assign(
                patient_id=[f"P{start + k:09d}" for k in range(len(part))]
            )
            table = pa.Table.from_pandas(part, preserve_index=False)
            writer.write_table(table.cast(plain))


class Memory(threading.Thread):
    """Highest memory of this process, in MiB."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.highest, self.done = _resident(), threading.Event()
        self.start()

    def run(self) -> None:
        """Watch."""
        while not self.done.wait(0.1):
            self.highest = max(self.highest, _resident())


def _resident() -> float:
    text = Path("/proc/self/smaps_rollup").read_text(encoding="ascii")
    return int(text.split("Pss:")[1].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="1000,10000,100000,1000000")
    parser.add_argument("--formats", default="parquet,csv")
    parser.add_argument("--kinds", default="linear,pooled")
    parser.add_argument("--jobs", default="1,2")
    parser.add_argument("--repeats", type=int, default=2)
    args = parser.parse_args()
    models, table = our_models(), []
    rows = map(int, args.rows.split(","))
    with TemporaryDirectory() as folder:
        for n, kind in product(rows, args.formats.split(",")):
            source, out = (Path(folder) / f"{w}.{kind}" for w in ("in", "out"))
            write_patients(n, source)
            for name, jobs in product(args.kinds.split(","), args.jobs.split(",")):
                memory = Memory()
                run = partial(
                    score_file,
                    models[name],
                    source,
                    out,
                    contributions=True,
                    n_jobs=int(jobs),
                )
                seconds = best_seconds(run, args.repeats if n <= 1_000_000 else 1)
                memory.done.set()
                size = source.stat().st_size / 2**20
                row = (
                    kind,
                    name,
                    n,
                    int(jobs),
                    size,
                    seconds,
                    n / seconds,
                    memory.highest,
                )
                table.append(row)
                print(*table[-1], f"load {os.getloadavg()[0]:.1f}", flush=True)
                time.sleep(0.5)
    columns = ["format", "kind", "rows", "jobs", "input_mib", "seconds"]
    columns += ["patients_per_second", "memory_mib"]
    OUT.parent.mkdir(parents=True, exist_ok=True)
    stamped(pd.DataFrame(table, columns=columns)).to_csv(
        OUT, index=False, float_format="%.4g"
    )


if __name__ == "__main__":
    main()
