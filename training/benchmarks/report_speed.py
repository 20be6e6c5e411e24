"""Time of `report --cohort` and of a tracked `develop`, beside an earlier build.

    RESPONDER_MODEL_BEFORE=../before python training/benchmarks/report_speed.py \
        [--n-resamples 200] [--rounds 3]

Whole commands, imports included, on one core, each build in turns; the least of the
rounds. Seconds of the processor are those of every process that the command started;
wall time is told beside them.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import pandas as pd

from responder_model.simulation import simulate_cohort
from stamp import stamped
from timed import Timed, builds, time_command

OUT = Path("reports/benchmarks/report_speed.csv")
RUN = "from responder_model.cli import main; main()"
TARGET = "rtms_response@screening"


def time_round(
    name: str, worktree: Path, folder: Path, n_resamples: int
) -> dict[tuple[str, str], Timed]:
    """Develop a model with tracking, then write its report, in new folders."""
    place = Path(tempfile.mkdtemp(prefix=name, dir=folder))
    model, cohort = str(place / "model"), str(folder / "cohort.csv")
    store = f"sqlite:///{place / 'mlflow.db'}"
    develop = time_command(
        worktree,
        *("-c", RUN, "develop", cohort, TARGET, "--out", model),
        *("--tracking-uri", store),
    )
    report = time_command(
        worktree,
        *("-c", RUN, "report", model, "--cohort", cohort, "--no-track"),
        *("--out", str(place / "report"), "--n-resamples", str(n_resamples)),
    )
    return {("develop, tracked", name): develop, ("report --cohort", name): report}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n-resamples", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    found: dict[tuple[str, str], list[Timed]] = {}
    with tempfile.TemporaryDirectory() as given:
        folder = Path(given)
        simulate_cohort(213, 1).to_csv(folder / "cohort.csv", index=False)
        for _ in range(args.rounds):
            for name, worktree in builds().items():
                once = time_round(name, worktree, folder, args.n_resamples)
                for key, timed in once.items():
                    found.setdefault(key, []).append(timed)
    rows = [
        (*key, min(run.cpu for run in runs), min(run.wall for run in runs))
        for key, runs in found.items()
    ]
    columns = ["command", "build", "cpu_seconds", "wall_seconds"]
    table = pd.DataFrame(rows, columns=columns)
    before = table[table["build"] == "before"].set_index("command")
    for column in columns[2:]:
        table[f"{column}_of_before"] = table[column] / table["command"].map(
            before[column]
        )
    table["n_resamples"] = args.n_resamples
    OUT.parent.mkdir(parents=True, exist_ok=True)
    stamped(table).to_csv(OUT, index=False, float_format="%.3f")
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
