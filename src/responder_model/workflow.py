"""Develop a model and leave everything behind: folder, figures and tracked run."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from responder_model.artifact import (
    check_replaceable,
    digest_of,
    load_model,
    model_files,
    save_model,
)
from responder_model.cohort import outcome_levels
from responder_model.development import develop, update
from responder_model.disclosure import keyed_digest
from responder_model.errors import DisclosureError, TrackingError, refused_by_system
from responder_model.outputs import (
    Output,
    check_outputs,
    check_outside_models,
    digest_of_files,
    on_record,
)
from responder_model.schema import dictionary
from responder_model.settings import Settings
from responder_model.words import Note

if TYPE_CHECKING:
    import pandas as pd

    from responder_model.development.updating import Method
    from responder_model.model import Model
    from responder_model.tracking import TrackedRun, Version

__all__ = [
    "Development",
    "check_place",
    "develop_and_track",
    "draw_development",
    "keep",
    "register_folder",
    "track_folder",
    "update_and_track",
]

# Beginning of the address of a store that is one file.
SQLITE = "sqlite:///"


@dataclass(frozen=True, kw_only=True)
class Development:
    """A model and where it was left.

    Parameters
    ----------
    model : Model
        What was developed.
    folder : Path
        Its model folder.
    run : TrackedRun or None
        Its MLflow run; None when it was not tracked.
    unlogged : Note or None
        Why the saved model could not be logged; ``track_folder`` logs it later.
    """

    model: Model
    folder: Path
    run: TrackedRun | None
    unlogged: Note | None = None


def develop_and_track(
    cohort: pd.DataFrame,
    settings: Settings,
    *,
    folder: Path,
    tracking_uri: str | None,
    name: str | None = None,
    overwrite: bool = False,
) -> Development:
    """Develop one model, save it and log it.

    Parameters
    ----------
    cohort : DataFrame
        From ``read_cohort`` or ``simulate_cohort``.
    settings : Settings
        Decision model, and how it is developed.
    folder : Path
        Model folder to write.
    tracking_uri : str or None
        MLflow store or server; None tracks nothing.
    name : str, optional
        As for ``develop``.
    overwrite : bool
        Whether the folder may hold a model that was made from something else.

    Raises
    ------
    TrackingError
        If the store cannot be used: before anything is done.
    ResponderModelError
        As ``outputs.check_outputs``, before anything is done.
    """
    _check_leaving(tracking_uri, stays_here=settings.stays_here)
    origin = _origin(cohort, name, settings.to_json())
    output = Output(path=folder, command="develop", model=origin, kind="model")
    check_place(output, tracking_uri, overwrite=overwrite)
    model = develop(cohort, settings=settings, name=name)
    return keep(model, cohort, folder=folder, output=output, tracking_uri=tracking_uri)


def update_and_track(
    model: Model,
    cohort: pd.DataFrame,
    *,
    folder: Path,
    tracking_uri: str | None,
    name: str | None = None,
    seed: int = 0,
    count_again: bool = False,
    small_cells: int | None = None,
    stays_here: bool = False,
    power: float = 1.0,
    method: Method = "bayes",
    inputs: Sequence[str | os.PathLike[str]] = (),
    overwrite: bool = False,
) -> Development:
    """Update one model, save the newer one and log it.

    Parameters
    ----------
    model, cohort, name, seed, count_again, small_cells, stays_here, power, method
        As for ``update``.
    folder, tracking_uri, overwrite
        As for ``develop_and_track``.
    inputs : sequence of path-like
        Where the model and the cohort were read, which are never written over.

    Raises
    ------
    TrackingError, ResponderModelError
        As ``develop_and_track``.
    """
    asked: dict[str, Any] = {
        "seed": seed,
        "count_again": count_again,
        "small_cells": small_cells,
        "stays_here": stays_here,
        "power": power,
        "method": method,
    }
    marked = model.disclosure is not None and model.disclosure.stays_here
    _check_leaving(tracking_uri, stays_here=stays_here or marked)
    origin = _origin(cohort, name, [digest_of(model), asked])
    output = Output(path=folder, command="update", model=origin, kind="model")
    check_place(output, tracking_uri, inputs=inputs, overwrite=overwrite)
    newer = update(model, cohort, name=name, **asked)
    return keep(newer, cohort, folder=folder, output=output, tracking_uri=tracking_uri)


def _origin(cohort: pd.DataFrame, name: str | None, parts: object) -> str:
    """Keyed digest of all that a model is made from: the same gives the same model."""
    groups = sorted(cohort.attrs.get("overlap_groups", ()))
    about = [parts, name or cohort.attrs.get("name"), groups]
    text = json.dumps(about, sort_keys=True, default=list) + cohort.to_csv(index=False)
    # without a key it is never known again
    return keyed_digest(text) or uuid4().hex


def check_place(
    output: Output,
    tracking_uri: str | None,
    *,
    inputs: Sequence[str | os.PathLike[str]] = (),
    overwrite: bool = False,
) -> None:
    """Refuse a folder or a store that cannot be used, before the work.

    Raises
    ------
    TrackingError, ResponderModelError
        See ``develop_and_track``.
    """
    check_outputs(output, inputs=inputs, overwrite=overwrite)
    check_replaceable(output.place)
    if tracking_uri is None:
        return
    if tracking_uri.startswith(SQLITE):
        check_outside_models(tracking_uri.removeprefix(SQLITE), argument="the store")
    from responder_model.tracking import check_store

    check_store(tracking_uri)


def keep(
    model: Model,
    cohort: pd.DataFrame | None,
    *,
    folder: Path,
    output: Output,
    tracking_uri: str | None,
    figures: Path | None = None,
    members: Sequence[str] = (),
) -> Development:
    """Save a model, draw what it does in the cohort it learned from, and log it.

    Without a cohort nothing is drawn: its patients are elsewhere. ``members`` are the
    digests of the models that were combined, for the run. The folder goes on
    the record of the output that it is, or is part of.

    Raises
    ------
    TrackingError
        If the store cannot be used: before anything is written. Once the model is
        saved, ``Development.unlogged`` says so instead.
    """
    if tracking_uri is not None:
        from responder_model.tracking import check_store

        check_store(tracking_uri)
    name = Path(os.path.relpath(folder.resolve(), output.directory)).as_posix()
    with on_record(output, {name: digest_of_files(model_files(model))}):
        save_model(model, folder)
    run, unlogged = None, None
    drawn: tuple[Path, ...] = ()
    with TemporaryDirectory() as scratch:
        try:
            wanted = figures is not None or tracking_uri is not None
            if wanted and cohort is not None:
                drawn = draw_development(model, cohort, figures or Path(scratch))
            if tracking_uri is not None:
                run = _log(model, folder, tracking_uri, drawn, members)
        except (TrackingError, DisclosureError) as error:
            unlogged = error.said
        except OSError as error:
            unlogged = refused_by_system(error)
    return Development(model=model, folder=folder, run=run, unlogged=unlogged)


def _log(
    model: Model,
    folder: Path,
    tracking_uri: str,
    figures: tuple[Path, ...],
    members: Sequence[str],
) -> TrackedRun:
    """Log a saved model; each point of its figures is a patient, who stays here."""
    from responder_model.tracking import is_outside, log_development

    kept = () if is_outside(tracking_uri) else figures
    return log_development(
        model, folder=folder, tracking_uri=tracking_uri, figures=kept, members=members
    )


def _check_leaving(tracking_uri: str | None, *, stays_here: bool) -> None:
    """Refuse a store outside the centre, before the work, for a model that stays."""
    if not stays_here or tracking_uri is None:
        return
    from responder_model.tracking import is_outside, shown_uri

    if is_outside(tracking_uri):
        said = Note("disclosure.store_here", store=shown_uri(tracking_uri))
        raise DisclosureError(said)


def track_folder(
    folder: Path, *, tracking_uri: str | None = None
) -> tuple[str, TrackedRun | None]:
    """Log a model folder that is there already; what was cut of it is marked killed.

    Parameters
    ----------
    folder : Path
        A model folder.
    tracking_uri : str, optional
        As for ``log_development``.

    Returns
    -------
    (str, TrackedRun or None)
        The run that holds the model; what was logged now, None where a whole run held
        it before.

    Raises
    ------
    TrackingError
        If the store cannot be used.
    UntrustedModelError
        If the folder is no intact model.
    """
    from responder_model.tracking import end_killed_runs, find_run, log_development

    model = load_model(folder)
    end_killed_runs(digest_of(model), tracking_uri=tracking_uri)
    known = find_run(digest_of(model), tracking_uri=tracking_uri)
    if known is not None:
        return known, None
    run = log_development(model, folder=folder, tracking_uri=tracking_uri)
    return run.run_id, run


def draw_development(
    model: Model, cohort: pd.DataFrame, directory: Path
) -> tuple[Path, ...]:
    """Draw what a model does in the patients of its development; return the files."""
    from responder_model.figures.explanations import draw_beeswarm

    directory.mkdir(parents=True, exist_ok=True)
    decision = dictionary().decisions[model.decision]
    moments = {row.name: row.label["en"] for row in dictionary().moments}
    known = outcome_levels(cohort, model.decision).observed
    beeswarm = draw_beeswarm(
        model.explain(cohort[known]),
        directory / f"beeswarm_{model.decision}_{model.moment}.png",
        title=f"{decision.label['en']}\n{moments[model.moment]}",
        provenance=model.provenance,
    )
    return (beeswarm,)


def register_folder(
    folder: Path, *, tracking_uri: str | None = None, for_simulated: bool = False
) -> tuple[Version, bool]:
    """Register a model folder, which is logged first where no run holds it.

    Returns
    -------
    (Version, bool)
        The version, the challenger when it is new; and whether it is.

    Raises
    ------
    TrackingError, UntrustedModelError
        As ``track_folder``; ResponderModelError as ``register_run``.
    """
    from responder_model.tracking import register_run

    run_id, _ = track_folder(folder, tracking_uri=tracking_uri)
    model = load_model(folder)
    return register_run(
        run_id,
        digest=digest_of(model),
        target=model.target,
        simulated=model.provenance == "simulated",
        for_simulated=for_simulated,
        tracking_uri=tracking_uri,
    )
