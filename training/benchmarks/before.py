"""An earlier build on the same cohorts: its sources, in a process of its own.

``RESPONDER_MODEL_BEFORE`` names a worktree of the earlier commit:

    git worktree add --detach ../before de7b56a
    RESPONDER_MODEL_BEFORE=../before python training/benchmarks/accuracy.py \
        --methods responder_model,before ...
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from known_truth.cells import Predicted, Task

WORKTREE = "RESPONDER_MODEL_BEFORE"
_COLUMNS = ("probability", "lower", "upper")


def run_before(task: Task) -> Predicted:
    """Develop and predict as the earlier build does."""
    table = develop_before(task.decision, task.moment, task.development, task.test)
    return Predicted(**{name: table[name].to_numpy(dtype=float) for name in _COLUMNS})


def develop_before(
    decision: str,
    moment: str,
    development: pd.DataFrame,
    test: pd.DataFrame,
    **settings: Any,
) -> pd.DataFrame:
    """Scores of ``test`` by the earlier build, developed on ``development``."""
    process = _process()
    settings = {"decision": decision, "moment": moment, **settings}
    pickle.dump((settings, development, test), process.stdin)
    process.stdin.flush()
    answer = pickle.load(process.stdout)  # noqa: S301 - our own process wrote it
    if isinstance(answer, str):
        raise ValueError(answer)
    return answer


@cache
def _process() -> subprocess.Popen:
    worktree = os.environ.get(WORKTREE)
    if worktree is None or not (Path(worktree) / "src").is_dir():
        msg = f"{WORKTREE} must name a worktree of the earlier commit, got {worktree}."
        raise RuntimeError(msg)
    return subprocess.Popen(
        [sys.executable, str(Path(__file__))],
        env=os.environ | {"PYTHONPATH": str(Path(worktree).resolve() / "src")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def _serve() -> None:
    """Develop and score whatever comes in, until nothing does."""
    # as this build and earlier ones call them
    from responder_model import Settings
    from responder_model.development import develop

    answers = sys.stdout.buffer
    # nothing but answers may reach the reader
    sys.stdout = sys.stderr
    while True:
        try:
            settings, development, test = pickle.load(sys.stdin.buffer)  # noqa: S301
        except EOFError:
            return
        try:
            model = develop(development, settings=Settings(**settings))
            answer: Any = model.predict_cohort(test)[[*_COLUMNS]]
        except ValueError as error:
            answer = str(error)
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    _serve()
