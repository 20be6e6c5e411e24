"""Add the result of a command to MLflow, and the command ``track``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from responder_model.errors import MissingExtraError, TrackingError
from responder_model.words import Note, say
from .models import open_model
from .options import JsonOption, spoken
from .output import NOT_ALL_DONE, print_json, print_notices, tell

if TYPE_CHECKING:
    import pandas as pd

    from responder_model.model import Model
    from responder_model.workflow import Development

TrackingOption = Annotated[str | None, typer.Option("--tracking-uri")]
RootOption = Annotated[str | None, typer.Option("--artifact-root", metavar="PLACE")]
TrackOption = Annotated[bool, typer.Option("--track/--no-track")]
FolderArgument = Annotated[
    Path, typer.Argument(metavar="FOLDER", exists=True, file_okay=False)
]
TrackedArgument = Annotated[
    list[Path], typer.Argument(metavar="FOLDER...", exists=True, file_okay=False)
]


def track(
    folder: TrackedArgument,
    *,
    tracking_uri: TrackingOption = None,
    artifact_root: RootOption = None,
    json_output: JsonOption = False,
) -> None:
    """Log model folders to MLflow; one that is logged already stays as it is."""
    from responder_model.tracking import shown_uri
    from responder_model.workflow import track_folder

    for one in folder:
        open_model(str(one))
    place = shown_uri(_store(tracking_uri, artifact_root))
    done = []
    for one in folder:
        run_id, run = track_folder(one, tracking_uri=tracking_uri)
        said = {"folder": str(one), "run_id": run_id, "tracking_uri": place}
        done.append({**said, "logged_now": run is not None})
        if json_output:
            continue
        if run is None:
            which = {"folder": str(one), "run": run_id, "store": place}
            typer.echo(say("cli.tracked_already", spoken(), **which))
        else:
            for name, where in {**said, "model_uri": run.model_uri}.items():
                typer.echo(say(f"cli.left_{name}", spoken(), place=where))
    if json_output:
        print_json(done if len(done) > 1 else done[0])


def store_for(
    tracking_uri: str | None, artifact_root: str | None, *, track: bool
) -> str | None:
    """Store of a development, which is said where MLflow's settings decide; else None.

    Raises ``TrackingError`` without MLflow.
    """
    if not track:
        return None
    try:
        return _store(tracking_uri, artifact_root)
    except MissingExtraError as error:
        raise TrackingError(Note("cli.or_log_nothing", said=error.said)) from error


def _store(tracking_uri: str | None, artifact_root: str | None) -> str:
    """Store that is meant, with the place of its files where one is named."""
    from responder_model.tracking import (
        chosen_tracking_uri,
        keep_files_at,
        settings_notes,
    )

    print_notices(settings_notes(tracking_uri))
    store = chosen_tracking_uri(tracking_uri)
    if artifact_root is not None:
        keep_files_at(store, artifact_root)
    return store


def whereabouts(done: Development) -> dict[str, str]:
    """Where a model and its run were left."""
    found = {"folder": str(done.folder)}
    if done.run is not None:
        from responder_model.tracking import shown_uri

        found["tracking_uri"] = shown_uri(done.run.tracking_uri)
        found["run_id"] = done.run.run_id
        found["model_uri"] = done.run.model_uri
    return found


def tell_whereabouts(done: Development, lang: str) -> None:
    """Say where a model and its run were left."""
    for name, place in whereabouts(done).items():
        typer.echo(say(f"cli.left_{name}", lang, place=place))


def warn_unlogged(done: Development) -> None:
    """Say that a saved model was not logged, and leave with exit code 3."""
    if done.unlogged is None:
        return
    tell("saved_not_logged", said=done.unlogged, folder=str(done.folder))
    raise typer.Exit(NOT_ALL_DONE)


@dataclass(frozen=True, kw_only=True)
class Destination:
    """The run that made a model, to which the result of a command is added.

    Parameters
    ----------
    digest : str
        Digest of the model's folder.
    tracking_uri : str or None
        Store, as it was given.
    """

    digest: str
    tracking_uri: str | None


def find_destination(
    name: str, model: Model, *, track: bool, tracking_uri: str | None
) -> Destination | None:
    """Find the run that made a model, before work is done that would be lost.

    A model that is built because it was named has none. Says on stderr when there is
    none. Raises ``TrackingError`` for a store that cannot be used.
    """
    from responder_model.artifact import digest_of
    from responder_model.opening import is_kept

    if not track or not is_kept(name):
        return None
    digest = digest_of(model)
    try:
        from responder_model.tracking import (
            check_store,
            chosen_tracking_uri,
            find_run,
            settings_notes,
            shown_uri,
        )
    except MissingExtraError as error:
        if tracking_uri is not None:
            raise
        print_notices([Note("cli.not_logged", said=error.said)])
        return None
    print_notices(settings_notes(tracking_uri))
    store = chosen_tracking_uri(tracking_uri)
    if find_run(digest, tracking_uri=store) is None:
        where = {"store": shown_uri(store), "model": name}
        print_notices([Note("cli.no_run_made_it", **where)])
        return None
    check_store(store)
    return Destination(digest=digest, tracking_uri=store)


@dataclass(frozen=True, kw_only=True)
class Logged:
    """What became of logging: the run, or that it failed."""

    run_id: str | None = None
    failed: bool = False

    def leave(self) -> None:
        """Leave with exit code 3 when the result could not be logged."""
        if self.failed:
            raise typer.Exit(NOT_ALL_DONE)


def log_to_run(
    destination: Destination | None,
    name: str,
    values: Mapping[str, Any],
    *,
    part: str = "",
    about: Mapping[str, Any] | None = None,
    files: Sequence[tuple[Path, str]] = (),
) -> Logged:
    """Log a result as a run of its own; says on stderr when that fails."""
    if destination is None:
        return Logged()
    from responder_model.tracking import log_evaluation

    try:
        run_id = log_evaluation(
            destination.digest,
            name,
            values,
            part=part,
            about={key: str(value) for key, value in (about or {}).items()},
            files=files,
            tracking_uri=destination.tracking_uri,
        )
    except TrackingError as error:
        tell("done_not_logged", said=error.said)
        return Logged(failed=True)
    return Logged(run_id=run_id)


def cohort_values(cohort: pd.DataFrame) -> dict[str, str]:
    """Name and digest of a cohort, as they are logged."""
    from responder_model.tracking import cohort_digest

    digest = cohort_digest(cohort)
    name = {"cohort": str(cohort.attrs["name"])}
    return name if digest is None else {**name, "cohort_digest": digest}
