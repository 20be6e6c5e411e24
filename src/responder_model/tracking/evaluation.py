"""Add what was found later to the run that made a model: validations and reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path

import mlflow
from mlflow.entities import ViewType

from responder_model.tracking.store import (
    EXPERIMENT,
    local_tracking_uri,
    resumed_run,
    tracking_client,
)

# Tag by which the run of a model is found: the digest of the folder's manifest.
DIGEST = "model_digest"
# Name of the file that holds every value of a report, or of a design of validation.
VALUES = "values"

Plain = bool | int | float | str | None


def find_run(digest: str, *, tracking_uri: str | None = None) -> str | None:
    """Return the last run that made the model of a digest; None without one.

    A local store that does not exist is not created.
    """
    uri = tracking_uri or local_tracking_uri(Path())
    if (
        uri.startswith("sqlite:///")
        and not Path(uri.removeprefix("sqlite:///")).is_file()
    ):
        return None
    with tracking_client(uri) as client:
        experiment = client.get_experiment_by_name(EXPERIMENT)
        if experiment is None:
            return None
        found = client.search_runs(
            [experiment.experiment_id],
            filter_string=f"tags.{DIGEST} = '{digest}'",
            run_view_type=ViewType.ACTIVE_ONLY,
            order_by=["attributes.start_time DESC"],
            max_results=1,
        )
    return str(found[0].info.run_id) if found else None


def log_evaluation(
    digest: str,
    name: str,
    values: Mapping[str, Plain],
    *,
    part: str = "",
    files: Sequence[tuple[Path, str]] = (),
    tracking_uri: str | None = None,
) -> str | None:
    """Log values and files to the run that made a model; aggregates only.

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
        ``values_external.json`` and leave those of other designs alone.
    files : sequence of (Path, str)
        Files with the directory below ``name`` that each goes to.
    tracking_uri : str, optional
        Store or server; by default the one in the working directory.

    Returns
    -------
    str or None
        The run; None when no run made this model.
    """
    uri = tracking_uri or local_tracking_uri(Path())
    run_id = find_run(digest, tracking_uri=uri)
    if run_id is None:
        return None
    numbers = {
        f"{name}.{key}": float(value)
        for key, value in values.items()
        if isinstance(value, bool | int | float) and isfinite(value)
    }
    with resumed_run(uri, run_id):
        mlflow.log_metrics(numbers)
        file = f"{VALUES}_{part}.json" if part else f"{VALUES}.json"
        mlflow.log_dict(dict(values), f"{name}/{file}")
        for path, directory in files:
            mlflow.log_artifact(str(path), f"{name}/{directory}".rstrip("/"))
    return run_id
