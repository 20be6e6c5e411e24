"""What MLflow serves: the model folder, this package's code, others' names only."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import mlflow.pyfunc
from mlflow.models import Model as ServedFiles

import responder_model
from responder_model.model import Model
from .signature import column_notes, input_example, output_signature

SCRIPT = Path(__file__).with_name("served.py")
# Packages that a served model imports, besides MLflow's own; of two names for one, the
# installed.
REQUIRED = (
    "mlflow",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "openpyxl",
    "xgboost-cpu",
    "xgboost",
)


def write_served(
    model: Model, folder: Path, place: Path, files: ServedFiles | None = None
) -> None:
    """Write a model as MLflow loads it, with the code that it needs.

    No index is asked for this package: whoever took its name there would be run.

    Parameters
    ----------
    model : Model
        The model.
    folder : Path
        Its folder, as ``save_model`` wrote it.
    place : Path
        Where it is written; must not exist.
    files : mlflow.models.Model, optional
        What the store says of it.
    """
    mlflow.pyfunc.save_model(
        str(place),
        python_model=str(SCRIPT),
        artifacts={"model_folder": str(folder.resolve())},
        code_paths=[str(Path(responder_model.__file__).parent)],
        signature=output_signature(model.decision, model.moment),
        input_example=input_example(model.decision, model.moment),
        metadata={"inputs": column_notes(model.decision, model.moment)},
        pip_requirements=list(requirements()),
        mlflow_model=files,
    )


def requirements() -> tuple[str, ...]:
    """Names and versions of what a served model needs from an index.

    Examples
    --------
    >>> any("responder" in line for line in requirements())
    False
    """
    found: dict[str, Any] = {}
    for name in REQUIRED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return tuple(f"{name}=={number}" for name, number in found.items())
