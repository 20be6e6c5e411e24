"""Score parts, several at once when asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from responder_model.formats import Part
from responder_model.model import Model
from responder_model.model.batch import one_thread_each
from .columns import Columns
from .journal import save_part
from .parts import score_part

# Parts that wait for each thread: enough to keep it busy, few enough for the memory.
_WAITING = 1


@dataclass(frozen=True, kw_only=True)
class Work:
    """How parts are scored, and where they are put.

    Parameters
    ----------
    model : Model
        The model.
    folder : Path
        Folder of the parts.
    columns : Columns
        What the model reads.
    contributions : bool
        Whether each predictor's contribution is written.
    """

    model: Model
    folder: Path
    columns: Columns
    contributions: bool


@dataclass(frozen=True, kw_only=True)
class Done:
    """A part that is scored and saved."""

    extent: int
    n_patients: int


def run_parts(
    parts: Iterable[Part], work: Work, *, n_jobs: int
) -> Generator[Done, None, None]:
    """Score parts, in order, and save each; ``n_jobs`` threads share the work.

    The libraries compute without holding Python's lock, so that threads keep two cores
    busy; processes were slower to start than to score a million rows.
    """
    if n_jobs == 1:
        with one_thread_each():
            for part in parts:
                yield _run(part, work)
        return
    work.model.scorer.warm()
    with one_thread_each(), ThreadPoolExecutor(n_jobs) as pool:
        waiting: deque[Future[Done]] = deque()
        try:
            for part in parts:
                waiting.append(pool.submit(_run, part, work))
                if len(waiting) > n_jobs * (1 + _WAITING):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _run(part: Part, work: Work) -> Done:
    scored = score_part(
        part.table(), work.model, work.columns, contributions=work.contributions
    )
    save_part(scored, work.folder, part.index)
    return Done(extent=part.extent, n_patients=scored.scores.num_rows)
