"""Develop a model and leave everything behind: folder, figures and tracked run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from responder_model.artifact import save_model
from responder_model.cohort import outcome_levels
from responder_model.development import Settings, develop
from responder_model.figures.explanations import draw_beeswarm
from responder_model.schema import dictionary
from responder_model.tracking import TrackedRun, check_store, log_development

if TYPE_CHECKING:
    import pandas as pd

    from responder_model.model import Model


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
    """

    model: Model
    folder: Path
    run: TrackedRun | None


def develop_and_track(
    cohort: pd.DataFrame,
    settings: Settings,
    *,
    folder: Path,
    tracking_uri: str | None,
    name: str | None = None,
    figures: Path | None = None,
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
    figures : Path, optional
        Directory that keeps the figures; else only the run has them.

    Raises
    ------
    TrackingError
        If the store cannot be used: before anything is done.
    """
    if tracking_uri is not None:
        check_store(tracking_uri)
    model = develop(cohort, settings=settings, name=name)
    return keep(
        model, cohort, folder=folder, tracking_uri=tracking_uri, figures=figures
    )


def keep(
    model: Model,
    cohort: pd.DataFrame,
    *,
    folder: Path,
    tracking_uri: str | None,
    figures: Path | None = None,
) -> Development:
    """Save a model, draw what it does in the cohort it learned from, and log it."""
    if tracking_uri is not None:
        check_store(tracking_uri)
    save_model(model, folder)
    with TemporaryDirectory() as scratch:
        drawn = draw_development(model, cohort, figures or Path(scratch))
        run = None
        if tracking_uri is not None:
            run = log_development(
                model, folder=folder, tracking_uri=tracking_uri, figures=drawn
            )
    return Development(model=model, folder=folder, run=run)


def draw_development(
    model: Model, cohort: pd.DataFrame, directory: Path
) -> tuple[Path, ...]:
    """Draw what a model does in the patients of its development; return the files."""
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
