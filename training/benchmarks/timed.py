"""One piece of work of one build, in a process of its own: time and memory.

Run by ``validation_speed.py`` and ``report_speed.py``, with the sources of a build on
the path; knows nothing of the package but what both builds have.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from before import WORKTREE

HERE = Path(__file__).resolve()
ONE_CORE = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}


@dataclass(frozen=True, kw_only=True)
class Timed:
    """CPU and wall seconds and the highest memory (MB); what the work answered."""

    cpu: float
    wall: float
    memory: float
    answer: Any = None


def builds() -> dict[str, Path]:
    """Worktrees of this build and, where it is named, of the earlier one."""
    found = {"now": HERE.parents[2]}
    if WORKTREE in os.environ:
        found["before"] = Path(os.environ[WORKTREE]).resolve()
    return found


def time_command(worktree: Path, *arguments: str) -> Timed:
    """Run a Python command of a build and measure its whole process."""
    environment = os.environ | ONE_CORE | {"PYTHONPATH": str(worktree / "src")}
    # as installed: modules are compiled once, not by every start
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments], env=environment, stdout=subprocess.PIPE
    )
    answer = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        msg = f"{' '.join(arguments)} ended with {process.returncode}"
        raise RuntimeError(msg)
    return Timed(
        cpu=used.ru_utime + used.ru_stime,
        wall=time.perf_counter() - start,
        memory=used.ru_maxrss / 1024.0,
        answer=answer.decode(),
    )


def time_validation(
    worktree: Path, cohort: Path, n_resamples: int, *, challenger: bool, n_jobs: int
) -> Timed:
    """Internal validation of a pickled cohort, without imports and first calls."""
    order = {"n_resamples": n_resamples, "challenger": challenger, "n_jobs": n_jobs}
    found = time_command(worktree, str(HERE), str(cohort), json.dumps(order))
    return Timed(**json.loads(found.answer))


def _peak() -> float:
    """Highest memory of this process, MB; that of ``getrusage`` is the parent's too."""
    status = Path("/proc/self/status").read_text()
    line = next(row for row in status.splitlines() if row.startswith("VmHWM"))
    return int(line.split()[1]) / 1024.0


def _validate(cohort: str, order: dict[str, Any]) -> None:
    import pandas as pd

    from responder_model import Settings  # as this build and earlier ones call it
    from responder_model.validation import validate_internally

    table = pd.read_pickle(cohort)  # noqa: S301 - the caller wrote it
    settings = Settings(
        decision="rtms_response", moment="screening", challenger=order["challenger"]
    )
    n_resamples, n_jobs = order["n_resamples"], order["n_jobs"]
    validate_internally(settings, table, n_resamples=2 * n_jobs, n_jobs=n_jobs)
    wall, cpu = time.perf_counter(), time.process_time()
    found = validate_internally(settings, table, n_resamples=n_resamples, n_jobs=n_jobs)
    timed = {
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - wall,
        "memory": _peak(),
        "answer": dict(
            zip(found.table["measure"], found.table["optimism_corrected"], strict=True)
        ),
    }
    print(json.dumps(timed))


if __name__ == "__main__":
    _validate(sys.argv[1], json.loads(sys.argv[2]))
