"""A served model as a function of Spark, through MLflow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow.pyfunc

from responder_model.artifact import save_model
from responder_model.model import Model
from .package import write_served

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def save_served(model: Model, folder: str | Path) -> Path:
    """Write what MLflow serves, without a run or a store.

    Parameters
    ----------
    model : Model
        The model.
    folder : path
        A new folder; ``mlflow.pyfunc`` and ``spark_function`` take it as the model.
    """
    folder = Path(folder)
    folder.mkdir(parents=True)
    served = folder / "served"
    write_served(model, save_model(model, folder / "model"), served)
    return served


def spark_function(spark: SparkSession, model_uri: str) -> Any:
    """Function of Spark columns that scores: MLflow's ``spark_udf``.

    It runs in the Python of the executors; the model brings this package's code along.
    """
    return mlflow.pyfunc.spark_udf(spark, model_uri, env_manager="local")
