"""Score past one machine: the same function on Dask, and on Spark through MLflow.

Both are extras: ``responder-model[distributed]`` is Dask, ``responder-model[spark]`` is
Spark, which also needs Java 17. A row with a problem in what the model reads has no
scores, and says in ``problem`` which rules it breaks; no job fails for one patient.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING, Any

import pandas as pd

from responder_model.artifact import load_model, model_files
from responder_model.cohort.checking import has_simulated_row, inspect_columns
from responder_model.errors import MissingExtraError, ResponderModelError
from responder_model.schema import Field
from responder_model.scoring import score_frame
from responder_model.scoring.columns import choose_columns
from responder_model.scoring.frame import PROBLEM
from responder_model.scoring.jobs import check_job, drafted_folder
from responder_model.scoring.parts import DIGEST, PROVENANCE
from responder_model.vocabulary import find_field
from responder_model.words import Note

if TYPE_CHECKING:
    import dask.dataframe as dd
    from pyspark.sql import Column, DataFrame

    from responder_model.model import Model

__all__ = [
    "run_dask",
    "run_spark",
    "score_dask",
    "score_spark",
]

# A model folder as it travels to a worker: names and bytes.
Files = tuple[tuple[str, bytes], ...]
_SCORES = "responder_model_scores"


# ---------------------------------------------------------------- Dask


def score_dask(
    model: Model, patients: dd.DataFrame, *, contributions: bool = False
) -> dd.DataFrame:
    """Score a Dask table, partition by partition.

    Parameters
    ----------
    model : Model
        The model.
    patients : dask.dataframe.DataFrame
        One row per patient, with the columns of the dictionary.
    contributions : bool
        Also ``baseline`` and ``contribution_<predictor>``, in log-odds.

    Returns
    -------
    dask.dataframe.DataFrame
        As ``scoring.score_frame`` gives for each partition; one simulated row of any
        partition makes every score simulated. Nothing is computed yet.
    """
    files: Files = tuple(model_files(model).items())
    empty = score_frame(model, patients._meta, contributions=contributions)
    named = [name for name in patients.columns if _is_provenance(str(name))]
    simulated: Any = False
    if named:
        says = patients[named].map_partitions(_says_simulated, meta=(None, "bool"))
        simulated = says.any()
    return patients.map_partitions(
        _score_partition, files, contributions, simulated, meta=empty
    )


def _is_provenance(name: str) -> bool:
    field = find_field(name)
    return field is not None and field.role == "provenance"


def _says_simulated(cells: pd.DataFrame) -> pd.Series:
    rows = pd.RangeIndex(len(cells)).to_numpy()
    return pd.Series([has_simulated_row(inspect_columns(cells, rows).cohort)])


def _score_partition(
    patients: pd.DataFrame,
    files: Files,
    contributions: bool,  # noqa: FBT001 - Dask passes it by place
    simulated: bool,  # noqa: FBT001
) -> pd.DataFrame:
    return score_frame(
        _model_from(files),
        patients,
        contributions=contributions,
        simulated=bool(simulated),
    )


@lru_cache(maxsize=4)
def _model_from(files: Files) -> Model:
    """Model of a worker: read once, every byte checked."""
    with TemporaryDirectory() as directory:
        for name, data in files:
            (Path(directory) / name).write_bytes(data)
        return load_model(directory)


# ---------------------------------------------------------------- Spark


def score_spark(
    model: Model, patients: DataFrame, *, model_uri: str | None = None
) -> DataFrame:
    """Score a Spark table by MLflow's ``spark_udf``.

    Parameters
    ----------
    model : Model
        The model.
    patients : pyspark.sql.DataFrame
        One row per patient, with the columns of the dictionary.
    model_uri : str, optional
        The same model in an MLflow store (``runs:/...`` or ``models:/...``); by default
        a copy is written for this session.

    Returns
    -------
    pyspark.sql.DataFrame
        The identifier, ``problem``, ``provenance``, ``model_digest``, ``probability``,
        ``lower``, ``upper``, ``probability_<cut-off>``, ``baseline`` and
        ``contribution_<predictor>`` in log-odds. Nothing is computed yet.
    """
    from pyspark.sql import functions as F  # noqa: N812 - its usual name

    from responder_model.tracking.spark import spark_function

    columns = choose_columns(model.encoder, patients.columns)
    fields = {name: _field(name) for name in columns.names}
    score = spark_function(patients.sparkSession, model_uri or _served_copy(model))
    # the served model reads and checks; an identifier says nothing to it
    cells = [
        _spark_cell(patients, name, field)
        for name, field in fields.items()
        if field.role != "identifier"
    ]
    identifiers = [F.col(f"`{n}`") for n, f in fields.items() if f.role == "identifier"]
    scored = patients.select(*identifiers, score(F.struct(*cells)).alias(_SCORES))
    said = F.broadcast(_spark_provenance(model, patients, fields))
    problem = F.nullif(F.col(f"{_SCORES}.{PROBLEM}"), F.lit("")).alias(PROBLEM)
    numbers = [f"{_SCORES}.{name}" for name in _spark_numbers(model)]
    about = (problem, PROVENANCE, f"{_SCORES}.{DIGEST}")
    return scored.crossJoin(said).select(*identifiers, *about, *numbers)


def _spark_numbers(model: Model) -> list[str]:
    from responder_model.tracking.signature import TEXTS, output_columns

    names = output_columns(model.decision, model.moment)
    return [name for name in names if name not in TEXTS]


def _field(name: str) -> Field:
    field = find_field(name)
    if field is None:
        raise ResponderModelError(Note("scoring.no_field", name=name))
    return field


def _spark_cell(patients: DataFrame, name: str, field: Field) -> Column:
    """Numbers of a number as such, all else as text: the package reads it, not Spark.

    What Spark cannot read as a number stops its job or becomes missing unsaid.
    """
    from pyspark.sql import functions as F  # noqa: N812
    from pyspark.sql.types import NumericType

    (found,) = (c.dataType for c in patients.schema.fields if c.name == name)
    is_number = field.kind == "number" and isinstance(found, NumericType)
    cell = F.col(f"`{name}`").cast("double" if is_number else "string")
    return cell.alias(name)


def _spark_provenance(
    model: Model, patients: DataFrame, fields: dict[str, Field]
) -> DataFrame:
    """One row: simulated if any row of the table says so."""
    from pyspark.sql import functions as F  # noqa: N812

    named = [name for name, field in fields.items() if field.role == "provenance"]
    says = [F.lower(F.col(f"`{name}`")).contains("simul") for name in named]
    word = F.lit(model.provenance)
    if says:
        word = F.when(F.max(says[0]), "simulated").otherwise(word)
    return patients.agg(word.alias(PROVENANCE))


def _served_copy(model: Model) -> str:
    """Copy of a model as MLflow serves it, for as long as this process lives."""
    from responder_model.tracking.spark import save_served

    folder = Path(mkdtemp(prefix="responder_model_"))
    atexit.register(rmtree, folder, ignore_errors=True)
    return str(save_served(model, folder / "served"))


# ---------------------------------------------------------------- whole jobs


def run_dask(
    model: Model,
    source: str,
    out: str,
    *,
    scheduler: str | None = None,
    n_workers: int = 2,
    contributions: bool = False,
    overwrite: bool = False,
) -> None:
    """Score Parquet files on a Dask cluster into a folder of Parquet files.

    Parameters
    ----------
    model : Model
        The model.
    source, out : str
        File, folder or pattern to read; folder to write. Every worker must see both.
    scheduler : str, optional
        Address of a cluster, ``tcp://host:8786``; by default one is started here.
    n_workers : int
        Workers of a cluster that is started here.
    contributions : bool
        Also each predictor's contribution.
    overwrite : bool
        Whether the scores of an earlier job may be replaced.

    Raises
    ------
    ResponderModelError
        When ``out`` exists or holds what is read, and when the job fails.
    """
    check_job(source, out, overwrite=overwrite)
    _check_extra("dask.distributed", "distributed")
    import dask.dataframe as dd
    from dask.distributed import Client, LocalCluster

    with ExitStack() as stack:
        stack.enter_context(_reasons(source, Note("scoring.dask_needs")))
        cluster: Any = scheduler
        if scheduler is None:
            local = LocalCluster(
                n_workers=n_workers, threads_per_worker=1, dashboard_address=None
            )
            cluster = stack.enter_context(local)
        stack.enter_context(Client(cluster))
        # One partition for each group of rows, so that one file is shared too.
        patients = dd.read_parquet(source, split_row_groups=True)
        scores = score_dask(model, patients, contributions=contributions)
        with drafted_folder(out) as draft:
            scores.to_parquet(draft, write_index=False, overwrite=overwrite)


def run_spark(
    model: Model,
    source: str,
    out: str,
    *,
    master: str = "local[2]",
    model_uri: str | None = None,
    overwrite: bool = False,
) -> None:
    """Score Parquet files on Spark into a folder of Parquet files.

    Parameters
    ----------
    model : Model
        The model.
    source, out : str
        Files to read and folder to write, as Spark names them.
    master : str
        Master of the cluster.
    model_uri : str, optional
        See ``score_spark``.
    overwrite : bool
        Whether the scores of an earlier job may be replaced.

    Raises
    ------
    ResponderModelError
        When ``out`` exists or holds what is read, and when the job fails.
    """
    check_job(source, out, overwrite=overwrite)
    _check_extra("pyspark", "spark")
    from pyspark.sql import SparkSession

    # The executors run the Python that has this package.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    session = SparkSession.builder.master(master).appName("responder-model")
    with _reasons(source, Note("scoring.spark_needs")):
        spark = session.config("spark.ui.enabled", "false").getOrCreate()
        try:
            patients = spark.read.parquet(source)
            scored = score_spark(model, patients, model_uri=model_uri)
            mode = "overwrite" if overwrite else "errorifexists"
            with drafted_folder(out) as draft:
                scored.write.mode(mode).parquet(draft)
        finally:
            spark.stop()


def _check_extra(module: str, extra: str) -> None:
    """Raise with the remedy where an extra is not installed."""
    try:
        import_module(module)
    except ImportError:
        raise MissingExtraError(library=module, extra=extra) from None


@contextmanager
def _reasons(source: str, needs: Note) -> Iterator[None]:
    """Turn whatever stops an engine into its kind and what the engine needs.

    The engine's own message may quote a patient, so it is not carried along.
    """
    try:
        yield
    except ResponderModelError:
        raise
    except Exception as error:
        condition = getattr(error, "getCondition", lambda: None)()
        kind = condition or type(error).__name__
        said = Note("scoring.engine", source=source, kind=kind, needs=needs)
        raise ResponderModelError(said) from error
