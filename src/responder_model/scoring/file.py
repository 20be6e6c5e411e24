"""Score a whole file: open, score in parts, join, put in place."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from responder_model import __version__, errors
from responder_model.artifact import digest_of
from responder_model.cohort.checking import NO_PATIENTS
from responder_model.cohort.mapping import NOTHING, CohortMap
from responder_model.formats import Source, check_is_file, open_file
from responder_model.formats.table import PART_ROWS
from responder_model.formats.text import BLOCK_BYTES
from responder_model.model import Model
from responder_model.outputs import Output, check_ending, check_outputs, put_files
from responder_model.vocabulary import check_language
from responder_model.words import Note
from . import assembly
from .columns import Columns, choose_columns
from .journal import Journal, open_journal
from .parts import DATE, open_questions
from .work import Work, run_parts

# Form of the parts; one of another form is not gone on with.
_FORMAT_VERSION = 2


@dataclass(frozen=True, kw_only=True)
class ScoredFile:
    """What became of a file.

    Parameters
    ----------
    path : Path
        The scores.
    set_aside : Path or None
        Row, column, what was found and why it was refused, one line per problem; None
        where every row was scored.
    n_patients, n_set_aside, n_problems : int
        Rows that were scored, rows that were not, and why.
    provenance : {"published", "simulated", "cohort"}
        Provenance of the scores.
    unused_columns : tuple of str
        Predictors of the file that the model does not use at its moment.
    notices : tuple of str
        How the file was read, and columns that are not in the dictionary.
    n_resumed : int
        Parts that an earlier, interrupted run had scored.
    """

    path: Path
    set_aside: Path | None
    n_patients: int
    n_set_aside: int
    n_problems: int
    provenance: str
    unused_columns: tuple[str, ...]
    notices: tuple[Note, ...]
    n_resumed: int


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run has come.

    Parameters
    ----------
    done, extent : int
        In patients, or in bytes of the file; an extent of 0 is not known.
    n_patients : int
        Patients scored by this run.
    """

    done: int
    extent: int
    n_patients: int


def score_file(
    model: Model,
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    contributions: bool = False,
    strict: bool = False,
    overwrite: bool = False,
    how: CohortMap = NOTHING,
    day: date | None = None,
    n_jobs: int = 1,
    announce: Callable[[Progress], None] | None = None,
    lang: str = "en",
) -> ScoredFile:
    """Score every patient of a file of any size, with constant memory.

    The file is read in parts; scored parts stand in a hidden folder beside ``out``
    until the result is put in place at once. A run that was killed goes on where it
    was, when it is called again with the same file, model and options.

    Parameters
    ----------
    model : Model
        The model.
    path : path-like
        Of any kind that ``read_cohort`` reads, with the columns of the dictionary.
    out : path-like
        File to write: ``.csv``, ``.parquet`` or ``.xlsx``. One line per patient:
        ``row`` (line of the file, whose header is row 1), ``patient_id`` if the file
        has it, then the columns of ``Model.predict_cohort`` and ``model_digest``. The
        provenance is ``simulated`` if any row of the file is.
    contributions : bool
        Also write ``baseline`` and ``contribution_<predictor>``, in log-odds.
    strict : bool
        Refuse the file if any row has a problem, instead of setting the row aside.
    overwrite : bool
        Whether files may be replaced that are not scores by this model, as they were
        written.
    how : CohortMap
        Answers to what the file leaves open.
    day : date, optional
        Day of the predictions, to be written in a column ``date``: what ``monitor``
        reads a year later.
    n_jobs : int
        Threads.
    announce : callable, optional
        Is told how far the run has come.
    lang : {"en", "fr"}
        Language of the file of rows that were set aside.

    Returns
    -------
    ScoredFile
        Counts, provenance, and where rows with a problem in a column that the model
        reads were set aside: ``<out>_set_aside.csv``.

    Raises
    ------
    InvalidCohortError
        For a file that cannot be read, has no column that the model uses or no patient
        who can be scored, or leaves open how it is to be read; with ``strict``, for any
        problem. Nothing is written then.
    ResponderModelError
        When ``out`` cannot be written or is taken, or the file changes while it is
        read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> import responder_model as rm
    >>> model = rm.published_model("rtms_response", moment="screening")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     patients = Path(folder) / "patients.csv"
    ...     rows = {"patient_id": ["A", "B"], "age": [54, 540]}
    ...     pd.DataFrame(rows).to_csv(patients, index=False)
    ...     scored = score_file(model, patients, Path(folder) / "scores.csv")
    >>> scored.n_patients, scored.n_set_aside
    (1, 1)
    """
    path, out, lang = Path(path), _check_out(Path(out)), check_language(lang)
    _check_jobs(n_jobs)
    check_is_file(path)
    with _disk_errors(path, out):
        scores, side = _outputs(out, model)
        check_outputs(scores, side, inputs=[path], overwrite=overwrite)
        before = _state(path)
        source = open_file(path, **how.of_file)
        columns = choose_columns(model.encoder, source.header, how)
        _check_open(source, columns)
        identity = _identity(path, how, contributions=contributions)
        with open_journal(out, model, identity) as journal:
            work = Work(
                model=model,
                folder=journal.folder,
                columns=columns,
                contributions=contributions,
            )
            try:
                _score_parts(source, work, journal, n_jobs, announce)
                if _state(path) != before:
                    raise errors.ResponderModelError(
                        Note("scoring.changed", name=path.name)
                    )
                tally = _join(model, journal, out, strict=strict, day=day, lang=lang)
                _put(tally, journal, scores, side, overwrite=overwrite)
            except errors.InvalidCohortError as error:
                journal.remove()
                notices = (*source.notices, *columns.notices)
                raise errors.InvalidCohortError(error.problems, notices) from None
            journal.remove()
    return ScoredFile(
        path=out,
        set_aside=_side_of(out) if tally.n_problems else None,
        n_patients=tally.n_patients,
        n_set_aside=tally.n_set_aside,
        n_problems=tally.n_problems,
        provenance=tally.provenance,
        unused_columns=columns.unused,
        notices=(*source.notices, *columns.notices),
        n_resumed=len(journal.done),
    )


def _check_out(out: Path) -> Path:
    check_ending(out, assembly.SUFFIXES)
    # parts must stand on the disk of the result
    return out.resolve() if out.is_symlink() else out


def _outputs(out: Path, model: Model) -> tuple[Output, Output]:
    """Scores and side file: an earlier side file would be replaced or removed."""
    identity = digest_of(model)
    scores, side = (
        Output(path=path, command="score", model=identity)
        for path in (out, _side_of(out))
    )
    return scores, side


def _check_jobs(n_jobs: int) -> None:
    if not isinstance(n_jobs, int) or n_jobs < 1:
        raise errors.ResponderModelError(Note("argument.jobs", got=repr(n_jobs)))


def _side_of(out: Path) -> Path:
    return out.with_name(f"{out.stem}_set_aside.csv")


@contextmanager
def _disk_errors(path: Path, out: Path) -> Iterator[None]:
    """Turn an error of the disk into its reason."""
    try:
        yield
    except OSError as error:
        reason = errors.system_reason(error)
        if error.filename is not None and Path(error.filename) == path:
            said = Note("scoring.not_read", name=path.name, reason=reason)
        else:
            said = Note("scoring.not_written", name=out.name, reason=reason)
        raise errors.ResponderModelError(said) from error


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _check_open(source: Source, columns: Columns) -> None:
    """Ask what the first patients leave open, before any is scored."""
    try:
        tables = [part.table() for part in islice(source.read(columns.positions), 1)]
    except errors.InvalidCohortError as error:
        raise errors.InvalidCohortError(error.problems, columns.notices) from None
    columns.check_open(q for table in tables for q in open_questions(table, columns))


def _identity(path: Path, how: CohortMap, *, contributions: bool) -> dict[str, Any]:
    """What scored parts depend on, besides the model."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "format_version": _FORMAT_VERSION,
        "responder_model": __version__,
        "input": digest,
        "part": [PART_ROWS, BLOCK_BYTES],
        "contributions": contributions,
        "how": repr(how),
    }


def _score_parts(
    source: Source,
    work: Work,
    journal: Journal,
    n_jobs: int,
    announce: Callable[[Progress], None] | None,
) -> None:
    """Score the parts that are not done, and say so."""
    size = PART_ROWS if source.unit == "patients" else BLOCK_BYTES
    parts = source.read(work.columns.positions, journal.done)
    extent, n_patients = len(journal.done) * size, 0
    # closed here: no thread may write a part once the folder is given up
    with closing(run_parts(parts, work, n_jobs=n_jobs)) as run:
        for done in run:
            extent += done.extent
            n_patients += done.n_patients
            if announce is not None:
                announce(
                    Progress(done=extent, extent=source.extent, n_patients=n_patients)
                )


def _join(
    model: Model,
    journal: Journal,
    out: Path,
    *,
    strict: bool,
    day: date | None,
    lang: str,
) -> assembly.Tally:
    """Write the result and the side file into the folder of parts."""
    paths = journal.paths()
    provenance = "simulated" if assembly.has_simulated_part(paths) else model.provenance
    about = {
        "model": model.name,
        "model_digest": digest_of(model),
        "target": model.target,
        "provenance": provenance,
        "responder_model": __version__,
        **({} if day is None else {DATE: day.isoformat()}),
    }
    tally = assembly.write_scores(paths, *_drafts(journal, out), about=about, lang=lang)
    if tally.n_patients == 0 or (strict and tally.n_problems):
        raise errors.InvalidCohortError(_shown(tally))
    return tally


def _drafts(journal: Journal, out: Path) -> tuple[Path, Path]:
    """Result and side file before they are put in place."""
    result = journal.folder / f"result{out.suffix.lower()}"
    return result, journal.folder / "set_aside.csv"


def _put(
    tally: assembly.Tally,
    journal: Journal,
    scores: Output,
    side: Output,
    *,
    overwrite: bool,
) -> None:
    """Put the result and the side file in place."""
    draft, side_draft = _drafts(journal, scores.path)
    if tally.n_problems:
        put_files(side, {side.place.name: side_draft}, overwrite=overwrite)
    else:
        # What an earlier run set aside does not belong to this result.
        check_outputs(side, overwrite=overwrite)
        side.place.unlink(missing_ok=True)
    put_files(scores, {scores.place.name: draft}, overwrite=overwrite)


def _shown(tally: assembly.Tally) -> tuple[errors.Problem, ...]:
    """Problems of a file that is refused; of very many, the first."""
    if not tally.n_problems:
        return (NO_PATIENTS,)
    more = tally.n_problems - len(tally.first_problems)
    if not more:
        return tuple(tally.first_problems)
    last = errors.Problem(
        field="table",
        found=Note("cohort.more_problems", n=more),
        allowed=Note("cohort.without_problems"),
    )
    return (*tally.first_problems, last)
