"""Local clusters of Dask and Spark that score files, for the benchmark of engines."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import responder_model as rm
from responder_model.engines import score_dask, score_spark

TARGET = ("rtms_response", "session_2")
Score = Callable[[str, str], None]


@contextmanager
def dask(n_workers: int) -> Iterator[Score]:
    import dask.dataframe as dd
    from dask.distributed import Client, LocalCluster

    model = rm.published_model(*TARGET)
    with (
        LocalCluster(
            n_workers=n_workers, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        Client(cluster),
    ):

        def score(source: str, out: str) -> None:
            patients = dd.read_parquet(source, split_row_groups=True)
            scores = score_dask(model, patients, contributions=True)
            scores.to_parquet(out, write_index=False)

        yield score


@contextmanager
def spark(n_workers: int) -> Iterator[Score]:
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master(f"local[{n_workers}]")
    session = builder.config("spark.ui.enabled", "false").getOrCreate()
    session.conf.set("spark.sql.files.maxPartitionBytes", 1 << 20)
    model = rm.published_model(*TARGET)

    def score(source: str, out: str) -> None:
        score_spark(model, session.read.parquet(source)).write.parquet(out)

    yield score
    session.stop()


CLUSTERS = {"dask": dask, "spark": spark}
