"""The main job end to end, on an export of simulated patients."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd

from responder_model.cohort import read_cohort
from responder_model.development import develop, published_model
from responder_model.figures.explanations import draw_waterfall, waterfall_title
from responder_model.model import Model, Prediction
from responder_model.model.explanation import explain_one
from responder_model.outputs import Output, check_outputs, drafted
from responder_model.schema import dictionary
from responder_model.settings import Settings
from responder_model.tracking import local_tracking_uri
from responder_model.words import Note
from responder_model.workflow import Development, keep

__all__ = [
    "EXPORT",
    "Demo",
    "ExamplePatient",
    "SideBySide",
    "example_patients",
    "known_values",
    "run_demo",
]

EXAMPLES = "data/examples"
EXPORT = "export_centre_simule.csv"


@dataclass(frozen=True, kw_only=True)
class ExamplePatient:
    """An invented patient.

    Parameters
    ----------
    name : str
        One letter.
    label : mapping
        Who it is, by language.
    values : mapping
        Everything known of the patient, of whatever moment.
    """

    name: str
    label: Mapping[str, str]
    values: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class SideBySide:
    """One patient, one question, two models.

    Parameters
    ----------
    patient : ExamplePatient
        Who is scored.
    published, developed : Prediction
        What the published-evidence model and the developed model say.
    """

    patient: ExamplePatient
    published: Prediction
    developed: Prediction


@dataclass(frozen=True, kw_only=True)
class Demo:
    """What the demonstration made.

    Parameters
    ----------
    folder : Path
        Where everything lies.
    n_patients : int
        Patients of the simulated export.
    developments : tuple of Development
        The five developed models.
    predictions : tuple of SideBySide
        The example patients, scored.
    figures : tuple of Path
        Waterfalls of the example patients.
    """

    folder: Path
    n_patients: int
    developments: tuple[Development, ...]
    predictions: tuple[SideBySide, ...]
    figures: tuple[Path, ...]


def example_patients() -> tuple[ExamplePatient, ...]:
    """Return the invented patients that the package ships.

    Examples
    --------
    >>> [patient.name for patient in example_patients()]
    ['A', 'B', 'C']
    """
    text = (files("responder_model") / EXAMPLES / "patients.toml").read_text("utf-8")
    return tuple(ExamplePatient(**row) for row in tomllib.loads(text)["patients"])


def known_values(
    patient: ExamplePatient, decision: str, moment: str
) -> dict[str, Any] | None:
    """What is known of a patient at a moment; None if the moment is yet to come."""
    table = dictionary()
    predictors = {row.name for row in table.predictors(decision, moment)}
    newest = {name for name in predictors if table.fields[name].known_from == moment}
    if not newest & patient.values.keys():
        return None
    return {name: v for name, v in patient.values.items() if name in predictors}


def run_demo(
    folder: Path,
    *,
    seed: int = 0,
    overwrite: bool = False,
    lang: str = "en",
    announce: Callable[[Note], None] = lambda _: None,
) -> Demo:
    """Read the example export, develop and track five models, score three patients.

    Parameters
    ----------
    folder : Path
        Where models, figures, predictions and the MLflow store are written: new,
        empty, or of an earlier demonstration whose files nobody changed.
    seed : int
        Seed of the developments.
    overwrite : bool
        Whether files of other origin may be replaced.
    lang : {"en", "fr"}
        Language of the figures of the patients.
    announce : callable
        Told what happens next.

    Raises
    ------
    ResponderModelError
        As ``outputs.check_outputs``, before anything is done.
    """
    output = Output(path=folder, command="demo", kind="folder")
    check_outputs(output, overwrite=overwrite)
    announce(Note("cli.demo_reads"))
    with drafted(output, overwrite=overwrite) as draft:
        _copy_export(draft / EXPORT)
    cohort = read_cohort(folder / EXPORT)
    developments = tuple(
        _develop_all(cohort, output, seed, announce, overwrite=overwrite)
    )
    announce(Note("cli.demo_scores"))
    predictions = tuple(_score_all(developments))
    with drafted(output, overwrite=overwrite) as draft:
        (draft / "figures").mkdir()
        drawn = tuple(_draw_all(developments, predictions, draft / "figures", lang))
        figures = tuple(folder / path.relative_to(draft) for path in drawn)
        _write_predictions(predictions, draft / "predictions.csv")
    return Demo(
        folder=folder,
        n_patients=len(cohort),
        developments=developments,
        predictions=predictions,
        figures=figures,
    )


def _copy_export(path: Path) -> None:
    """Put the packaged export where the user can look at it."""
    source = files("responder_model") / EXAMPLES / EXPORT
    with source.open("rb") as packaged, path.open("wb") as copy:
        shutil.copyfileobj(packaged, copy)


def _develop_all(
    cohort: pd.DataFrame,
    output: Output,
    seed: int,
    announce: Callable[[Note], None],
    *,
    overwrite: bool,
) -> Iterator[Development]:
    for decision, moment in dictionary().targets():
        settings = Settings(decision=decision, moment=moment, seed=seed)
        announce(Note("cli.demo_develops", target=f"{decision}@{moment}"))
        yield _develop_one(cohort, settings, output, overwrite=overwrite)


def _develop_one(
    cohort: pd.DataFrame, settings: Settings, output: Output, *, overwrite: bool
) -> Development:
    """Develop one model and keep it and its figures, all on the record of the demo."""
    model = develop(cohort, settings=settings)
    with drafted(output, overwrite=overwrite) as draft:
        return keep(
            model,
            cohort,
            folder=output.path / "models" / model.target,
            output=output,
            tracking_uri=local_tracking_uri(output.path),
            figures=draft / "figures",
        )


def _score_all(developments: tuple[Development, ...]) -> Iterator[SideBySide]:
    for patient in example_patients():
        for done in developments:
            decision, moment = done.model.decision, done.model.moment
            values = known_values(patient, decision, moment)
            if values is not None:
                yield SideBySide(
                    patient=patient,
                    published=published_model(decision, moment).predict(values),
                    developed=done.model.predict(values),
                )


def _draw_all(
    developments: tuple[Development, ...],
    predictions: tuple[SideBySide, ...],
    folder: Path,
    lang: str,
) -> Iterator[Path]:
    """Draw why, for each patient at the latest moment, by both models."""
    latest = {row.patient.name: row for row in predictions}
    for row in latest.values():
        decision, moment = row.developed.decision, row.developed.moment
        developed = next(
            done.model
            for done in developments
            if (done.model.decision, done.model.moment) == (decision, moment)
        )
        for model in (published_model(decision, moment), developed):
            yield _draw_patient(model, row.patient, folder, lang)


def _draw_patient(
    model: Model, patient: ExamplePatient, folder: Path, lang: str
) -> Path:
    values = known_values(patient, model.decision, model.moment) or {}
    prediction = model.predict(values)
    return draw_waterfall(
        explain_one(prediction, model.check_patient(values)),
        folder / f"patient_{patient.name}_{model.provenance}.png",
        title=f"{patient.label[lang]}\n{waterfall_title(prediction, lang)}",
        provenance=model.provenance,
        lang=lang,
    )


def _write_predictions(predictions: tuple[SideBySide, ...], path: Path) -> None:
    import pandas as pd

    rows = [
        {
            "patient": row.patient.name,
            "decision": prediction.decision,
            "moment": prediction.moment,
            "provenance": prediction.provenance,
            "probability": prediction.probability,
            "lower": prediction.interval[0],
            "upper": prediction.interval[1],
            "applicability": prediction.applicability.level,
        }
        for row in predictions
        for prediction in (row.published, row.developed)
    ]
    pd.DataFrame(rows).to_csv(path, index=False)
