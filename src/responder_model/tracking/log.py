"""Log one development: parameters, priors, weights, measures, figures and the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelOutput
from mlflow.models import Model as ServedFiles

from responder_model import __version__
from responder_model.artifact import read_manifest, release_model
from responder_model.model import Model
from responder_model.priors import PriorSet
from responder_model.sample_size import SampleSizeVerdict
from responder_model.settings import Settings
from .address import chosen_tracking_uri, is_outside
from .evaluation import DIGEST
from .files import local_path
from .package import write_served
from .store import log_values, new_run, opened, own_experiment

MODEL_NAME = "model"
# Longest text that MLflow keeps as a parameter.
LONGEST_PARAM = 500
# Files of a folder whose SHA-256 is a parameter.
_HASHED = {"dictionary": "dictionary.toml", "evidence": "evidence.json"}


@dataclass(frozen=True, kw_only=True)
class TrackedRun:
    """Where a development was logged.

    Parameters
    ----------
    tracking_uri, run_id : str
        Store and run; the store may hold a password and is not shown.
    model_uri : str
        What ``mlflow.pyfunc.load_model`` and ``mlflow models serve`` take.
    model_path : str
        Address of the same model's files.
    """

    tracking_uri: str = field(repr=False)
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
    members: Sequence[str] = (),
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
        Store or server; by default as ``chosen_tracking_uri`` says.
    figures : sequence of path
        Files to log beside the model.
    members : sequence of str
        Digests of the models that were combined.

    Raises
    ------
    TrackingError
        If the store cannot be used; the run is then failed, never half of a whole one.
    DisclosureError
        For a store outside the centre and a model that must not leave it.
    """
    uri = chosen_tracking_uri(tracking_uri)
    if is_outside(uri):
        release_model(model)
    manifest = read_manifest(folder)
    tags = {DIGEST: manifest.digest, **_tags(model)}
    if members:
        tags["member_digests"] = " ".join(members)
    # of whoever made the folder, which may be logged much later
    params = _params(model) | manifest.versions
    for part, file in _HASHED.items():
        params[f"{part}_sha256"] = manifest.files[file]
    with opened(uri) as client:
        experiment_id = own_experiment(client, uri).experiment_id
        name = run_name or model.target
        with new_run(client, experiment_id, name, tags) as run_id:
            metrics = dict(_metrics(model))
            log_values(client, run_id, params=params, metrics=metrics)
            client.log_dict(run_id, _plain(model.priors), "priors.json")
            client.log_dict(run_id, _mixture(model), "mixture.json")
            for figure in figures:
                client.log_artifact(run_id, str(figure), "figures")
            client.log_artifacts(run_id, str(folder), "model_folder")
            logged = _log_served(client, run_id, experiment_id, model, Path(folder))
    return TrackedRun(
        tracking_uri=uri,
        run_id=run_id,
        model_uri=logged.model_uri,
        model_path=logged.artifact_location,
    )


def _log_served(
    client: MlflowClient, run_id: str, experiment_id: str, model: Model, folder: Path
) -> LoggedModel:
    """Log what MLflow serves, by the client alone: no run of the caller's is used."""
    logged = client.create_logged_model(
        experiment_id, name=MODEL_NAME, source_run_id=run_id
    )
    files = ServedFiles(
        artifact_path=logged.artifact_location,
        model_uuid=logged.model_id,
        model_id=logged.model_id,
        run_id=run_id,
    )
    place = local_path(logged.artifact_location)
    if place is not None:
        write_served(model, folder, place, files)
    else:
        with TemporaryDirectory() as scratch:
            sent = Path(scratch) / MODEL_NAME
            write_served(model, folder, sent, files)
            client.log_model_artifacts(logged.model_id, str(sent))
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    return client.finalize_logged_model(logged.model_id, "READY")


def _tags(model: Model) -> dict[str, str]:
    lineage = {} if model.parent is None else {"parent_digest": model.parent}
    missing = model.performance.not_measured.items()
    return {
        "kind": "update" if lineage else "development",
        **lineage,
        **{f"not_measured.{_metric_name(k)}": why.text() for k, why in missing},
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
        "responder_model": __version__,
    }
    if model.fingerprints is not None:
        parts["cohort_fingerprint"] = model.fingerprints.values
    settings = {f"settings.{k}": v for k, v in _plain(model.settings).items()}
    return {name: str(v)[:LONGEST_PARAM] for name, v in (parts | settings).items()}


def _metrics(model: Model) -> Iterator[tuple[str, float]]:
    """Weights and measures, each under its own name."""
    for component, (_, weight) in model.component_weights.items():
        yield f"mixture_weight.{_metric_name(component)}", weight
    yield "pool_weight", 0.0 if model.pool is None else model.pool.weight
    yield "discrepancy", model.discrepancy
    yield "mean_variance", model.mean_variance
    yield from _numbers("performance", asdict(model.performance))
    yield from _numbers("sample_size", _plain(model.sample_size))


def _plain(part: PriorSet | SampleSizeVerdict | Settings | None) -> dict[str, Any]:
    return {} if part is None else asdict(part)


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
        name: {"prior_weight": before, "weight": after}
        for name, (before, after) in model.component_weights.items()
    }
