"""How long reading and checking a file takes, against its own library alone.

    python training/benchmarks/reading_speed.py [--patients 100000] [--times 3]

Each file is read in a fresh process, imports aside: once by pyreadstat or pandas into
columns, once by ``inspect_file``, which also checks every cell; the best of some times.
The bar is 1.5 times.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import pyreadstat

import responder_model as rm
from responder_model.cohort import write_cohort

BAR = 1.5
ALONE = """
import sys, time
import pandas, pyreadstat
read = {reader}
start = time.perf_counter()
read(sys.argv[1])
print(time.perf_counter() - start)
"""
OURS = """
import sys, time
import responder_model.formats.statistical
from responder_model.cohort import inspect_file
start = time.perf_counter()
inspection, _ = inspect_file(sys.argv[1])
print(time.perf_counter() - start)
assert not inspection.problems and len(inspection.cohort)
"""
READERS = {
    "sav": "pyreadstat.read_sav",
    "dta": "pyreadstat.read_dta",
    "xpt": "pyreadstat.read_xport",
    "csv": "pandas.read_csv",
}


def write_files(folder: Path, n_patients: int) -> None:
    """Write one cohort in each format, by the format's own writer."""
    cohort = rm.simulate_cohort(n_patients=n_patients, seed=1)
    write_cohort(cohort, folder / "cohort.csv")
    frame, labels = pd.DataFrame(index=cohort.index), {}
    worded = pd.DataFrame(index=cohort.index)
    for name, cells in cohort.items():
        frame[name] = worded[name] = cells
        if isinstance(cells.dtype, pd.CategoricalDtype):
            frame[name] = (cells.cat.codes.astype(float) + 1).where(cells.notna())
            labels[name] = dict(enumerate(cells.cat.categories, start=1))
            worded[name] = cells.astype(object)
        elif isinstance(cells.dtype, pd.BooleanDtype):
            frame[name] = cells.astype("Float64").astype(float)
            worded[name] = cells.map({True: "yes", False: "no"}).astype(object)
    path = str(folder / "cohort.")
    pyreadstat.write_sav(frame, path + "sav", variable_value_labels=labels)
    frame.to_stata(path + "dta", write_index=False, value_labels=labels, version=118)
    pyreadstat.write_xport(worded, path + "xpt", file_format_version=8)


def seconds(script: str, path: Path, n_times: int) -> float:
    """Return the least time of a script that reads a file."""
    command = [sys.executable, "-c", script, str(path)]
    return min(
        float(subprocess.run(command, check=True, capture_output=True).stdout)
        for _ in range(n_times)
    )


def main() -> None:
    """Print a table: seconds alone, seconds with us, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        write_files(Path(name), asked.patients)
        print(f"{asked.patients} patients; seconds alone, with us, ratio, bar {BAR}")
        for ending, reader in READERS.items():
            path = Path(name) / f"cohort.{ending}"
            alone = seconds(ALONE.format(reader=reader), path, asked.times)
            ours = seconds(OURS, path, asked.times)
            print(f"{ending}  {alone:.2f}  {ours:.2f}  {ours / alone:.2f}")


if __name__ == "__main__":
    main()
