"""Score parts in this process, or in several that end when this one does."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path

from responder_model.artifact import load_model
from responder_model.errors import InvalidCohortError, Problem, ResponderModelError
from responder_model.model import Model
from responder_model.scoring.columns import Columns
from responder_model.scoring.journal import save_part
from responder_model.scoring.parts import score_part
from responder_model.scoring.sources import Part

# Parts that wait for each process: enough to keep it busy, few enough for the memory.
_WAITING = 1


@dataclass(frozen=True, kw_only=True)
class Work:
    """How parts are scored, and where they are put.

    Parameters
    ----------
    folder, model_folder : Path
        Folder of the parts, and of the model.
    columns : Columns
        What the model reads.
    contributions : bool
        Whether each predictor's contribution is written.
    """

    folder: Path
    model_folder: Path
    columns: Columns
    contributions: bool


@dataclass(frozen=True, kw_only=True)
class Done:
    """A part that is scored and saved, or a file that must be refused."""

    index: int
    extent: int
    n_patients: int = 0
    refusal: tuple[Problem, ...] = ()


def run_parts(parts: Iterable[Part], work: Work, *, n_jobs: int) -> Iterator[Done]:
    """Score parts, in order, and save each; ``n_jobs`` processes share the work.

    Raises
    ------
    ResponderModelError
        When a process was stopped from outside.
    """
    if n_jobs == 1:
        model = load_model(work.model_folder)
        for part in parts:
            yield _run(part, model, work)
        return
    # A fresh interpreter each: forking one whose libraries run threads may hang.
    pool = ProcessPoolExecutor(
        n_jobs, get_context("spawn"), initializer=_start, initargs=(work,)
    )
    try:
        yield from _run_in(pool, parts, n_jobs)
    except BrokenProcessPool:
        msg = "a scoring process was stopped; run the same command again to go on."
        raise ResponderModelError(msg) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _run_in(
    pool: ProcessPoolExecutor, parts: Iterable[Part], n_jobs: int
) -> Iterator[Done]:
    waiting: deque[Future[Done]] = deque()
    for part in parts:
        waiting.append(pool.submit(_run_here, part))
        if len(waiting) > n_jobs * (1 + _WAITING):
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _run(part: Part, model: Model, work: Work) -> Done:
    try:
        table = part.table(work.columns)
    except InvalidCohortError as error:
        return Done(index=part.index, extent=part.extent, refusal=error.problems)
    scored = score_part(table, model, work.columns, contributions=work.contributions)
    save_part(scored, work.folder, part.index)
    return Done(index=part.index, extent=part.extent, n_patients=scored.scores.num_rows)


# ---------------------------------------------------------------- in a process

_here: dict[str, tuple[Model, Work]] = {}


def _start(work: Work) -> None:
    """Prepare a process: load the model; end when the process that started it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import pyarrow as pa
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    pa.set_cpu_count(1)
    threadpool_limits(limits=1)
    model = load_model(work.model_folder)
    model.scorer.warm()
    _here["work"] = (model, work)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run_here(part: Part) -> Done:
    return _run(part, *_here["work"])
