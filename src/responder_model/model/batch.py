"""Predict for many patients: chunks of arrays, on several threads when asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields as dataclass_fields
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from responder_model.errors import InvalidCohortError, Problem, ResponderModelError
from responder_model.features import Array, Encoder
from responder_model.schema import Field, dictionary
from responder_model.vocabulary import find_field, show
from responder_model.words import Note
from .prediction import LEVELS
from .scores import Scores

if TYPE_CHECKING:
    import pandas as pd

    from .fitted import Model

# Row of the first patient, as a file counts them whose header is line 1.
FIRST_ROW = 2
# Rows scored at once: small enough for the memory, large enough for threads to pay.
CHUNK = 16384


def score_raw(
    model: Model,
    raw: Array,
    *,
    own: NDArray[np.int64] | None = None,
    n_jobs: int = 1,
) -> Scores:
    """Score raw predictors (n, n_predictors) in chunks.

    ``own`` is the position of each patient's centre among ``model.centres``.
    ``n_jobs`` threads share the work; the numbers do not depend on it, to the last bit.
    One row alone may differ from the same row among others by about 1e-15.
    """
    check_jobs(n_jobs)
    # Cut by rows alone: products of other shapes differ in their last bits.
    parts = np.array_split(raw, max(1, -(-len(raw) // CHUNK)))
    score = model.scorer.score
    owns: list[NDArray[np.int64] | int] = [-1] * len(parts)
    if own is not None:
        owns = list(np.array_split(own, len(parts)))
    with one_thread_each():
        if n_jobs == 1 or len(parts) == 1:
            return _join(list(map(score, parts, owns)))
        model.scorer.warm()
        with ThreadPoolExecutor(n_jobs) as pool:
            return _join(list(pool.map(score, parts, owns)))


def check_jobs(n_jobs: int) -> int:
    """Return a number of threads; raise ResponderModelError for anything else."""
    if not isinstance(n_jobs, int) or n_jobs < 1:
        raise ResponderModelError(Note("argument.jobs", got=show(n_jobs)))
    return n_jobs


def one_thread_each() -> AbstractContextManager[Any]:
    """Keep the linear algebra library to one thread: small matrices, busy cores."""
    controller = _controller()
    if controller is None:
        return nullcontext()
    return controller.limit(limits=1, user_api="blas")  # type: ignore[no-any-return]


@cache
def _controller() -> Any:
    """Handle on numpy's linear algebra; looking for it takes milliseconds."""
    try:
        from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]
    except ImportError:
        return None
    return ThreadpoolController()


def _join(parts: list[Scores]) -> Scores:
    if len(parts) == 1:
        return parts[0]
    names = [row.name for row in dataclass_fields(Scores)]
    return Scores(**{n: np.concatenate([getattr(p, n) for p in parts]) for n in names})


def score_cohort(
    model: Model,
    cohort: pd.DataFrame,
    *,
    centre: str | Sequence[str | None] | None = None,
    n_jobs: int = 1,
) -> Scores:
    """Score a cohort; hand-made frames are checked first.

    ``centre`` as for ``cohort_table``.

    Raises
    ------
    InvalidCohortError
        With every problem, for a frame that is not a valid cohort.
    """
    raw = raw_cohort(model.encoder, cohort)
    own = _positions(model, centre, len(raw))
    return score_raw(model, raw, own=own, n_jobs=n_jobs)


def _positions(
    model: Model, centre: str | Sequence[str | None] | None, n: int
) -> NDArray[np.int64] | None:
    """Position of each patient's centre among those of the model, -1 for others."""
    if centre is None:
        return None
    if isinstance(centre, str) or not hasattr(centre, "__len__"):
        return np.full(n, model.position_of(centre))
    if len(centre) != n:
        raise ResponderModelError(Note("model.centre_each", got=len(centre), n=n))
    told = list(centre)
    found = {name: model.position_of(name) for name in set(told)}
    return np.array([found[name] for name in told], dtype=np.int64)


def raw_cohort(encoder: Encoder, cohort: pd.DataFrame) -> Array:
    """Raw predictors of a cohort, (n, n_predictors), checked.

    A frame with the dictionary's types and plausible numbers, as ``read_cohort``
    returns it, is taken as it is; any other goes through ``check_cohort``.
    """
    if not all(hasattr(cohort, name) for name in ("columns", "index", "attrs")):
        found, allowed = type(cohort).__name__, Note("cohort.is_frame")
        problem = Problem(field="cohort", found=found, allowed=allowed)
        raise InvalidCohortError((problem,))
    if _has_types(encoder, cohort):
        raw = encoder.raw(_recoded(encoder, cohort))
        if _is_plausible(encoder, raw):
            return raw
    from responder_model.cohort import check_cohort

    return encoder.raw(_recoded(encoder, check_cohort(cohort)))


def _recoded(encoder: Encoder, cohort: pd.DataFrame) -> pd.DataFrame:
    rows = np.arange(FIRST_ROW, FIRST_ROW + len(cohort), dtype=np.int64)
    recoded, problems = recode(encoder, cohort, rows)
    if problems:
        raise InvalidCohortError(problems)
    return recoded


def recode(
    encoder: Encoder, cohort: pd.DataFrame, rows: NDArray[np.int64]
) -> tuple[pd.DataFrame, tuple[Problem, ...]]:
    """A cohort typed by the installed dictionary, typed by that of a model.

    A category that the model's dictionary does not have becomes missing and a problem,
    its row told as ``rows`` has it; most often nothing changes.
    """
    problems: list[Problem] = []
    for row in encoder.fields:
        if row.kind != "category" or row.name not in cohort.columns:
            continue
        column = cohort[row.name]
        if tuple(column.cat.categories) == row.category_names:
            continue
        typed = column.cat.set_categories(list(row.category_names))
        refused = np.flatnonzero(typed.isna() & column.notna())
        problems += [
            Problem(
                row=int(rows[k]),
                field=row.name,
                found=show(column.iloc[k]),
                allowed=row.rule,
            )
            for k in refused
        ]
        cohort = cohort.assign(**{row.name: typed})
    return cohort, tuple(problems)


def _has_types(encoder: Encoder, cohort: pd.DataFrame) -> bool:
    if not _has_plain_names(cohort):
        return False
    present = [row for row in encoder.fields if row.name in cohort.columns]
    return bool(present) and all(_has_type(row, cohort[row.name]) for row in present)


def _has_plain_names(cohort: pd.DataFrame) -> bool:
    """Whether columns are named by field, each once, and none by a label."""
    fields = dictionary().fields
    others = (name for name in cohort.columns if name not in fields)
    return cohort.columns.is_unique and not any(find_field(str(n)) for n in others)


def _has_type(row: Field, column: Any) -> bool:
    if row.kind == "category":
        categories = tuple(getattr(column.dtype, "categories", ()))
        installed = dictionary().fields[row.name]
        return categories in (row.category_names, installed.category_names)
    return str(column.dtype) == ("boolean" if row.kind == "boolean" else "float64")


def _is_plausible(encoder: Encoder, raw: Array) -> bool:
    numbers = [k for k, row in enumerate(encoder.fields) if row.kind == "number"]
    lowest = np.array([encoder.fields[k].minimum for k in numbers], dtype=np.float64)
    highest = np.array([encoder.fields[k].maximum for k in numbers], dtype=np.float64)
    values = raw[:, numbers]
    whole = values[:, [encoder.fields[k].integer for k in numbers]]
    return not bool(
        ((values < lowest) | (values > highest)).any()
        or (whole > np.floor(whole)).any()
    )


def cohort_table(
    model: Model,
    cohort: pd.DataFrame,
    *,
    centre: str | Sequence[str | None] | None = None,
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Predict for every row of a cohort.

    Parameters
    ----------
    model : Model
        The model.
    cohort : DataFrame
        One row per patient. Columns that the model does not know at its moment are
        left unused and listed in ``attrs["unused_columns"]``.
    centre : str or sequence of str, optional
        Centre of all patients, or of each (``cohort["centre"]``), where the model tells
        centres apart. Without it, as for any that the model does not know, the interval
        allows for the differences between centres.
    n_jobs : int
        Threads.

    Returns
    -------
    DataFrame
        Indexed as the cohort: ``probability``, ``lower``, ``upper``,
        ``probability_<cut-off>`` for each served cut-off, ``applicability``
        (``inside``, ``borderline``, ``outside``), ``missing`` (names, separated by a
        space) and ``provenance`` (``simulated`` when the model or the row is).
        ``attrs`` say which model it was: ``model``, ``model_digest``, ``target``.

    Raises
    ------
    InvalidCohortError
        With every problem, for a frame that is not a valid cohort.
    """
    import pandas as pd

    scores = score_cohort(model, cohort, centre=centre, n_jobs=n_jobs)
    columns = score_columns(model, scores)
    provenance = _provenance(model, cohort)
    columns["provenance"] = _categorical(np.zeros(len(cohort), np.int8), [provenance])
    table = pd.DataFrame(columns, index=cohort.index)
    table.attrs = {
        "provenance": provenance,
        "model": model.name,
        "model_digest": model.digest,
        "target": model.target,
        "unused_columns": unused_columns(model.encoder, cohort),
    }
    return table


def score_columns(model: Model, scores: Scores) -> dict[str, Any]:
    """Columns of a table of scores, by name: all but the provenance of the cohort."""
    columns: dict[str, Any] = {
        "probability": scores.probability,
        "lower": scores.lower,
        "upper": scores.upper,
    }
    probabilities = scores.probabilities
    for j, cut in enumerate(model.served_cut_points):
        columns[f"probability_{cut:g}"] = probabilities[:, j]
    columns["applicability"] = _categorical(scores.levels, LEVELS)
    columns["missing"] = _missing_names(model.encoder, scores)
    return columns


def _missing_names(encoder: Encoder, scores: Scores) -> Any:
    """Names of the missing predictors of each row, as a categorical column."""
    import pandas as pd

    packed = np.packbits(scores.missing, axis=1)
    padded = np.zeros((len(packed), 8), dtype=np.uint8)
    padded[:, : packed.shape[1]] = packed
    codes, patterns = pd.factorize(padded.view(np.uint64).ravel())
    bits = np.unpackbits(patterns.view(np.uint8).reshape(-1, 8), axis=1)
    names = list(_joined_names(encoder, bits))
    return _categorical(codes, names)


def _categorical(codes: Any, names: Sequence[str]) -> Any:
    import pandas as pd

    return pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(list(names)))


def _joined_names(encoder: Encoder, bits: Any) -> Iterator[str]:
    for row in bits:
        yield " ".join(
            name for name, bit in zip(encoder.predictors, row, strict=False) if bit
        )


def _provenance(model: Model, cohort: pd.DataFrame) -> str:
    if cohort.attrs.get("provenance") == "simulated":
        return "simulated"
    names = [f.name for f in dictionary().fields.values() if f.role == "provenance"]
    if any(name in cohort.columns for name in names):
        from responder_model.cohort.checking import has_simulated_row

        if has_simulated_row(cohort):
            return "simulated"
    return model.provenance


def unused_columns(encoder: Encoder, cohort: pd.DataFrame) -> tuple[str, ...]:
    """Predictors of the cohort that are known too late, or used by another decision."""
    fields = dictionary().fields
    return tuple(
        str(name)
        for name in cohort.columns
        if name in fields
        and fields[name].role == "predictor"
        and name not in encoder.predictors
    )
