"""Log one development: parameters, priors, weights, measures, figures and the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from typing import Any

import mlflow

from responder_model.artifact import read_manifest
from responder_model.model import Model
from responder_model.tracking.evaluation import DIGEST
from responder_model.tracking.signature import build_signature, input_example
from responder_model.tracking.store import local_tracking_uri, tracking_run

SCRIPT = Path(__file__).with_name("served.py")
MODEL_NAME = "model"
# Longest text that MLflow keeps as a parameter.
LONGEST_PARAM = 500


@dataclass(frozen=True, kw_only=True)
class TrackedRun:
    """Where a development was logged.

    Parameters
    ----------
    tracking_uri, run_id : str
        Store and run.
    model_uri : str
        What ``mlflow.pyfunc.load_model`` and ``mlflow models serve`` take.
    model_path : str
        Address of the same model's files.
    """

    tracking_uri: str
    run_id: str
    model_uri: str
    model_path: str


def log_development(
    model: Model,
    *,
    folder: str | Path,
    run_name: str | None = None,
    tracking_uri: str | None = None,
    figures: Sequence[Path] = (),
) -> TrackedRun:
    """Log a developed model to MLflow; holds aggregates only, no patient's value.

    Parameters
    ----------
    model : Model
        What was developed.
    folder : path
        The same model as ``save_model`` wrote it; logged, and served from.
    run_name : str, optional
        Name of the run; by default ``decision@moment``.
    tracking_uri : str, optional
        Store or server; by default an SQLite file in the working directory.
    figures : sequence of path
        Files to log beside the model.
    """
    target = f"{model.decision}@{model.moment}"
    tracking_uri = tracking_uri or local_tracking_uri(Path())
    with tracking_run(tracking_uri, run_name or target) as run:
        mlflow.set_tags(_tags(model) | {DIGEST: read_manifest(folder).digest})
        mlflow.log_params(_params(model))
        mlflow.log_metrics(dict(_metrics(model)))
        mlflow.log_dict(dict(model.priors), "priors.json")
        mlflow.log_dict(_mixture(model), "mixture.json")
        for figure in figures:
            mlflow.log_artifact(str(figure), "figures")
        mlflow.log_artifacts(str(folder), "model_folder")
        logged = _log_served(model, Path(folder))
    return TrackedRun(
        tracking_uri=tracking_uri,
        run_id=run.info.run_id,
        model_uri=logged.model_uri,
        model_path=logged.artifact_path,
    )


def _log_served(model: Model, folder: Path) -> Any:
    return mlflow.pyfunc.log_model(
        name=MODEL_NAME,
        python_model=str(SCRIPT),
        artifacts={"model_folder": str(folder.resolve())},
        signature=build_signature(model.decision, model.moment),
        input_example=input_example(model.decision, model.moment),
        pip_requirements=[
            f"responder-model=={version('responder-model')}",
            f"mlflow=={version('mlflow')}",
        ],
    )


def _tags(model: Model) -> dict[str, str]:
    return {
        "decision": model.decision,
        "moment": model.moment,
        "provenance": model.provenance,
        "intended_use": "research use only, not a medical device",
    }


def _params(model: Model) -> dict[str, str]:
    parts: dict[str, Any] = {
        "decision": model.decision,
        "moment": model.moment,
        "provenance": model.provenance,
        "cohort": model.name,
        "n_patients": model.n_patients,
        "n_events": model.n_events,
        "excluded_evidence": ", ".join(model.excluded_evidence),
        "responder_model": version("responder-model"),
    }
    settings = {f"settings.{name}": value for name, value in model.settings.items()}
    return {name: str(v)[:LONGEST_PARAM] for name, v in (parts | settings).items()}


def _metrics(model: Model) -> Iterator[tuple[str, float]]:
    """Weights and measures, each under its own name."""
    for component in model.components:
        yield f"mixture_weight.{_metric_name(component.name)}", component.weight
    yield "pool_weight", 0.0 if model.pool is None else model.pool.weight
    yield "discrepancy", model.discrepancy
    yield "mean_variance", model.mean_variance
    yield from _numbers("performance", model.performance)
    yield from _numbers("sample_size", model.sample_size)


def _numbers(prefix: str, value: Any) -> Iterator[tuple[str, float]]:
    """Every finite number of nested mappings, named by its path."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _numbers(f"{prefix}.{_metric_name(str(name))}", inner)
    elif isinstance(value, bool | int | float) and isfinite(value):
        yield prefix, float(value)


def _metric_name(text: str) -> str:
    """Only characters that MLflow takes in the name of a metric."""
    return "".join(c if c.isalnum() or c in "_-. " else "_" for c in text)


def _mixture(model: Model) -> dict[str, Any]:
    """Weight of each prior component before and after the cohort was seen."""
    return {
        component.name: {
            "prior_weight": component.prior_weight,
            "weight": component.weight,
            "log_evidence": component.log_evidence,
        }
        for component in model.components
    }
