"""Add what was found later about a model, each validation and report as its own run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run, ViewType

from .address import chosen_tracking_uri, database_file
from .store import known_experiment, log_values, new_run, opened

# Tag of every run about a model: the digest of the folder's manifest.
DIGEST = "model_digest"
# Kinds of run that make a model; every other is below one of them.
MAKERS = ("development", "update")
PARENT = "mlflow.parentRunId"
# Name of the file that holds every value of a report, or of a design of validation.
VALUES = "values"

Plain = bool | int | float | str | None


def find_run(digest: str, *, tracking_uri: str | None = None) -> str | None:
    """Return the last whole run that made the model of a digest; None without one.

    A run that was killed or failed is none, and a local store that does not exist is
    not created.

    Raises
    ------
    TrackingError
        If the store cannot be used.
    """
    uri = chosen_tracking_uri(tracking_uri)
    database = database_file(uri)
    if database is not None and not database.is_file():
        return None
    with opened(uri) as client:
        found = _run_of(client, digest)
    return None if found is None else str(found.info.run_id)


def _run_of(client: MlflowClient, digest: str) -> Run | None:
    experiment = known_experiment(client)
    if experiment is None:
        return None
    for kind in MAKERS:
        found = client.search_runs(
            [experiment.experiment_id],
            filter_string=f"tags.{DIGEST} = '{digest}' and tags.kind = '{kind}' "
            "and attributes.status = 'FINISHED'",
            run_view_type=ViewType.ACTIVE_ONLY,
            order_by=["attributes.start_time DESC"],
            max_results=1,
        )
        if found:
            return found[0]
    return None


def end_killed_runs(digest: str, *, tracking_uri: str | None = None) -> int:
    """Mark as killed what was never finished of a model; return how many runs.

    Only whoever made a run would finish it, and no other command takes it up.

    Raises
    ------
    TrackingError
        If the store cannot be used.
    """
    uri = chosen_tracking_uri(tracking_uri)
    database = database_file(uri)
    if database is not None and not database.is_file():
        return 0
    with opened(uri) as client:
        experiment = known_experiment(client)
        found = client.search_runs(
            [] if experiment is None else [experiment.experiment_id],
            f"tags.{DIGEST} = '{digest}' and attributes.status = 'RUNNING'",
        )
        for run in found:
            client.set_terminated(run.info.run_id, "KILLED")
    return len(found)


def log_evaluation(
    digest: str,
    name: str,
    values: Mapping[str, Plain],
    *,
    part: str = "",
    about: Mapping[str, str] | None = None,
    files: Sequence[tuple[Path, str]] = (),
    tracking_uri: str | None = None,
) -> str | None:
    """Log values and files as a run below the one that made a model; aggregates only.

    Parameters
    ----------
    digest : str
        Digest of the model's folder.
    name : str
        What was done: ``report`` or ``validation``; first part of every metric's name
        and directory of the files.
    values : mapping
        Plain values by name; finite numbers become metrics, all of them stand in
        ``values.json``.
    part : str, optional
        What of it: with a design, as ``external``, the values stand in
        ``values_external.json``.
    about : mapping, optional
        Parameters of the run: whom it is about and how it was done.
    files : sequence of (Path, str)
        Files with the directory below ``name`` that each goes to.
    tracking_uri : str, optional
        Store or server; by default as ``chosen_tracking_uri`` says.

    Returns
    -------
    str or None
        The new run; None when no whole run made this model.

    Raises
    ------
    TrackingError
        If the store cannot be used; the run is then failed, those before it are whole.
    """
    uri = chosen_tracking_uri(tracking_uri)
    database = database_file(uri)
    if database is not None and not database.is_file():
        return None
    about = {"design": part, **(about or {})} if part else dict(about or {})
    with opened(uri) as client:
        parent = _run_of(client, digest)
        if parent is None:
            return None
        title = " ".join(filter(None, [name, part, about.get("cohort", "")]))
        tags = {PARENT: parent.info.run_id, DIGEST: digest, "kind": name}
        with new_run(client, parent.info.experiment_id, title, tags) as run_id:
            log_values(client, run_id, params=about, metrics=_numbers(name, values))
            file = f"{VALUES}_{part}.json" if part else f"{VALUES}.json"
            client.log_dict(run_id, dict(values), f"{name}/{file}")
            for path, directory in files:
                place = f"{name}/{directory}".rstrip("/")
                client.log_artifact(run_id, str(path), place)
    return run_id


def _numbers(name: str, values: Mapping[str, Plain]) -> dict[str, float]:
    return {
        f"{name}.{key}": float(value)
        for key, value in values.items()
        if isinstance(value, bool | int | float) and isfinite(value)
    }
