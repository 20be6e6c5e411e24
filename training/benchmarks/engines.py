"""Scoring on Dask and Spark: one worker against two, from Parquet to Parquet.

    python training/benchmarks/engines.py [--rows 600000] [--engines dask,spark]

The cluster is started and has scored a small file before the clock runs; its start is
shown apart. The file is scored ``--repeats`` times, and the fastest counts: ``load`` is
what else the machine was doing, in processes that wanted a core. The numbers of both
are compared with those of this process. Dask needs the extra ``distributed``, Spark the
extra ``spark`` and Java 17; without pyspark it is left out, and the run says so.
"""

from __future__ import annotations

import argparse
import os
import time
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

import responder_model as rm
from clusters import CLUSTERS, TARGET
from stamp import stamped

OUT = Path("reports/benchmarks/engines.csv")
GROUP_ROWS = 25_000


def run(
    engine: str, n_workers: int, source: Path, small: Path, repeats: int
) -> dict[str, object]:
    """Time one engine and compare its numbers."""
    n = len(pd.read_parquet(source, columns=["patient_id"]))
    start = time.perf_counter()
    with (
        TemporaryDirectory() as folder,
        CLUSTERS[engine](n_workers) as score,
    ):
        score(str(small), f"{folder}/small")
        ready, taken = time.perf_counter() - start, []
        load = os.getloadavg()[0]
        for k in range(repeats):
            again = time.perf_counter()
            score(str(source), f"{folder}/large_{k}")
            taken.append(time.perf_counter() - again)
        gap = largest_gap(source, Path(folder) / "large_0")
    seconds = min(taken)
    return {
        "engine": engine,
        "workers": n_workers,
        "rows": n,
        "start_seconds": ready,
        "seconds": seconds,
        "patients_per_second": n / seconds,
        "largest_difference": gap,
        "load": load,
    }


def largest_gap(source: Path, out: Path) -> float:
    """Largest difference of any probability or bound from this process's."""
    scores = pd.read_parquet(out).set_index("patient_id").sort_index()
    cohort = rm.read_cohort(source).set_index("patient_id", drop=False).sort_index()
    expected = rm.published_model(*TARGET).predict_cohort(cohort)
    names = ["probability", "lower", "upper"]
    return float(np.abs(scores[names].to_numpy() - expected[names].to_numpy()).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=600_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--engines", default="dask,spark")
    args = parser.parse_args()
    table = []
    with TemporaryDirectory() as folder:
        source, small = (
            Path(folder) / "registry.parquet",
            Path(folder) / "small.parquet",
        )
        cohort = rm.simulate_cohort(n_patients=args.rows, seed=1)
        cohort.to_parquet(source, index=False, row_group_size=GROUP_ROWS)
        cohort.iloc[:1000].to_parquet(small, index=False, row_group_size=250)
        del cohort
        for engine in args.engines.split(","):
            if engine == "spark" and find_spec("pyspark") is None:
                print("spark: left out, pyspark is not installed")
                continue
            for n_workers in (1, 2):
                table.append(run(engine, n_workers, source, small, args.repeats))
                print(table[-1], flush=True)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    stamped(pd.DataFrame(table)).to_csv(OUT, index=False, float_format="%.3g")


if __name__ == "__main__":
    main()
