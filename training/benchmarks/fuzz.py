r"""Fuzz: random patients, mutated cohort files and mutated model folders.

    python training/benchmarks/fuzz.py --patients 100000 --cohorts 10000 --models 4000

Each gets a prediction or an error of our own hierarchy: never another exception, NaN,
a crash or a hang. Prints how often each happened and ends with 1 if any did that must
not; `--only patients` runs one part. Same seed, same inputs.
"""

from __future__ import annotations

import argparse
import collections
import random
import shutil
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import fuzz_files as files
import fuzz_patients as patients
import fuzz_targets as targets
from fuzz_folders import mutate_folder
from fuzz_look import look

SOUND = ("predicted", "refused", "read and scored", "slowest")
Counts = collections.Counter[str]


def main() -> None:
    args = _parse()
    warnings.simplefilter("error")
    bad = False
    for part in args.only or PARTS:
        counts: Counts = collections.Counter()
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as scratch:
            PARTS[part](args, Path(scratch), counts)
        for answer, count in counts.most_common():
            print(f"{part:9s} {count:8d}  {answer}")
            bad |= not answer.startswith(SOUND)
        seconds = time.perf_counter() - start
        print(f"{part:9s} {seconds:8.0f} s in all", flush=True)
    sys.exit(1 if bad else 0)


def _stop(*_: Any) -> None:
    raise TimeoutError


def fuzz_patients(args: argparse.Namespace, _: Path, counts: Counts) -> None:
    """Each random patient, by one of the models or the whole path, in this process."""
    models = targets.build_models()
    rng = random.Random(args.seed)
    signal.signal(signal.SIGALRM, _stop)
    slowest = 0.0
    for patient in patients.random_patients(args.patients, args.seed):
        name = rng.choice(sorted(models))
        start = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, args.seconds)
        answer = targets.predict(models[name], patient, rng)
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        slowest = max(slowest, time.perf_counter() - start)
        counts[answer] += 1
        if not answer.startswith(SOUND):
            print(name, answer, file=sys.stderr)
    counts[f"slowest call {slowest:.3f} s"] += 1


def fuzz_cohorts(args: argparse.Namespace, scratch: Path, counts: Counts) -> None:
    """Each mutated file is read and, where it can be read, scored."""
    rng = random.Random(args.seed)
    bases = targets.write_cohorts(scratch)
    for k in range(args.cohorts):
        base = rng.choice(bases)
        data, path = base.read_bytes(), scratch / f"mutated{base.suffix}"
        zipped = base.suffix == ".xlsx" and rng.random() < 0.7
        path.write_bytes((files.mutate_zip if zipped else files.mutate)(data, rng))
        answer = look(lambda p=path: targets.read(p), args.seconds)
        _count(counts, "cohorts", answer, path, f"{k}{base.suffix}")


def fuzz_models(args: argparse.Namespace, scratch: Path, counts: Counts) -> None:
    """Each mutated folder is loaded and, where it can be loaded, predicts."""
    rng = random.Random(args.seed)
    bases = targets.write_models(scratch)
    for k in range(args.models):
        folder = scratch / "mutated"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(rng.choice(bases), folder)
        path = mutate_folder(folder, rng)
        answer = look(lambda f=folder: targets.load(f), args.seconds)
        _count(counts, "models", answer, path, f"{k}_{path.name}")


def _count(counts: Counts, part: str, answer: str, path: Path, name: str) -> None:
    counts[answer] += 1
    if not answer.startswith(SOUND):
        kept = Path(tempfile.gettempdir()) / f"fuzz_{part}_{name}"
        shutil.copy(path, kept)
        print(part, answer, kept, file=sys.stderr)


PARTS = {"patients": fuzz_patients, "cohorts": fuzz_cohorts, "models": fuzz_models}


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=100_000)
    parser.add_argument("--cohorts", type=int, default=10_000)
    parser.add_argument("--models", type=int, default=4_000)
    parser.add_argument("--only", action="append", choices=list(PARTS))
    parser.add_argument("--seconds", type=float, default=20.0, help="limit of one call")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
