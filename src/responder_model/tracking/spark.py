"""A served model as a function of Spark, through MLflow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow.pyfunc

from responder_model.artifact import save_model
from responder_model.model import Model
from responder_model.tracking.log import SCRIPT
from responder_model.tracking.signature import build_signature

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
    copy = save_model(model, folder / "model")
    served = folder / "served"
    mlflow.pyfunc.save_model(
        str(served),
        python_model=str(SCRIPT),
        artifacts={"model_folder": str(copy.resolve())},
        signature=build_signature(model.decision, model.moment),
        pip_requirements=["responder-model"],
    )
    return served


def spark_function(spark: SparkSession, model_uri: str) -> Any:
    """Function of Spark columns that scores: MLflow's ``spark_udf``.

    It runs in the Python of the executors, which must have this package.
    """
    return mlflow.pyfunc.spark_udf(spark, model_uri, env_manager="local")
