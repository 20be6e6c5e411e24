"""One patient answered in full: milliseconds for what a page or a command shows.

    RESPONDER_MODEL_BEFORE=../before python training/benchmarks/answers.py [--rounds 9]

The prediction with its two intervals and shares, then its verdict, the sentence, what
to ask next, the course over the visits, and all of it as JSON; of an earlier build only
its prediction, which had neither verdict nor shares. Patients are simulated, about half
of their answers known: *first* is the first time that one misses these answers, *again*
a later one. CPU time of this process, because the time on the wall is that of everybody
who uses the machine. *again* is the median patient's best round, because a shared core
runs slower by what others do on it; *median* is over all rounds, in which both builds
take turns, and *times before* is its ratio. *loop* is a million additions in Python:
46 ms where nobody else used the core.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

OUT = Path("reports/benchmarks/answers.csv")
BEFORE = "RESPONDER_MODEL_BEFORE"
TARGETS = (
    ("rtms_response", "screening"),
    ("rtms_response", "session_3"),
    ("emcs_success", "implantation"),
)


def patients(model: Any, n: int) -> Iterator[dict[str, Any]]:
    """Simulated patients, each answer known with an even chance."""
    import responder_model as rm

    rng = np.random.default_rng(1)
    cohort = rm.simulate_cohort(n_patients=n, seed=1)
    used = [name for name in model.encoder.predictors if name in cohort]
    for _, row in cohort[used].iterrows():
        known = row.dropna().to_dict()
        yield {name: value for name, value in known.items() if rng.random() < 0.5}


def jobs(model: Any) -> dict[str, Callable[[dict[str, Any]], Any]]:
    """What is timed, by name."""
    import responder_model as rm

    if not hasattr(model, "questions"):
        return {"predict": model.predict}
    found: dict[str, Callable[[dict[str, Any]], Any]] = {
        "predict": model.predict,
        "predict and verdict": lambda p: model.predict(p).verdict,
        "verdict in words": lambda p: model.predict(p).verdict.note.text("fr"),
        "questions": model.questions,
        "all as JSON": lambda p: json.dumps(
            {
                **model.predict(p).to_dict("fr"),
                "questions": [row.to_dict() for row in model.questions(p)],
            }
        ),
    }
    if model.decision == "rtms_response":
        found["course"] = rm.course
    return found


def loop() -> float:
    """Milliseconds of a million additions."""
    start = time.process_time()
    total = 0
    for k in range(1_000_000):
        total += k
    return 1000.0 * (time.process_time() - start)


def measure(target: tuple[str, str], cohort: list[dict[str, Any]]) -> dict[str, Any]:
    """CPU milliseconds of each patient and job, in the order of the cohort."""
    import responder_model as rm

    found = {"loop": [loop()]}
    for name, job in jobs(rm.published_model(*target)).items():
        job({})
        spent = []
        for patient in cohort:
            start = time.process_time()
            job(patient)
            spent.append(1000.0 * (time.process_time() - start))
        found[name] = spent
    for name, job in of_many(target).items():
        start = time.process_time()
        job()
        found[name] = [1000.0 * (time.process_time() - start)]
    return found


def of_many(target: tuple[str, str]) -> dict[str, Callable[[], Any]]:
    """What is said of many patients, which the earlier build had not."""
    import responder_model as rm

    if not hasattr(rm, "value_of_information"):
        return {}
    model, slots = rm.published_model(*target), {"slots": 20, "candidates": 60}
    found = {"value with slots": lambda: rm.value_of_information(model, **slots)}
    if target[1].startswith("session"):
        found["stopping"] = lambda: rm.stopping_rule(model)
    return found


def _child(source: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, str(Path(__file__)), "--child"],
        env=os.environ | {"PYTHONPATH": str(source.resolve())},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def _serve() -> None:
    """Measure whatever comes in, until nothing does."""
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    while True:
        try:
            task = pickle.load(sys.stdin.buffer)  # noqa: S301 - our own process
        except EOFError:
            return
        pickle.dump(measure(*task), answers)
        answers.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--child", action="store_true")
    args = parser.parse_args()
    if args.child:
        _serve()
        return
    import pandas as pd

    import responder_model as rm
    from stamp import stamped

    builds = {"now": _child(Path(rm.__file__).parents[1])}
    if BEFORE in os.environ:
        builds["before"] = _child(Path(os.environ[BEFORE]) / "src")
    rows = []
    for target in TARGETS:
        cohort = list(patients(rm.published_model(*target), args.patients))
        rounds: dict[tuple[str, str], list[Any]] = {}
        for _ in range(args.rounds):
            # in turn, so that both meet the same neighbours
            for build, process in builds.items():
                pickle.dump((target, cohort), process.stdin)
                process.stdin.flush()
                for name, spent in pickle.load(process.stdout).items():  # noqa: S301
                    rounds.setdefault((build, name), []).append(spent)
        for (build, name), spent in rounds.items():
            ms = np.array(spent)
            again = np.median(ms[1:].min(axis=0))
            row = (
                "@".join(target),
                build,
                name,
                np.median(ms[0]),
                again,
                np.median(ms),
            )
            rows.append(row)
    columns = ["model", "build", "answer", "first_ms", "again_ms", "median_ms"]
    table = pd.DataFrame(rows, columns=columns)
    of = table[table["build"] == "before"].set_index(["model", "answer"])["median_ms"]
    keys = pd.MultiIndex.from_frame(table[["model", "answer"]])
    table["times_before"] = table["median_ms"].to_numpy() / of.reindex(keys).to_numpy()
    OUT.parent.mkdir(parents=True, exist_ok=True)
    stamped(table).to_csv(OUT, index=False, float_format="%.3f")
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
