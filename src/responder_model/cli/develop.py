"""Commands that make models: ``develop``, ``sample-size``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from responder_model.schema import parse_target
from responder_model.words import Note, say
from . import options, tracked
from .mapping import with_map_options
from .models import open_model
from .output import console, print_json, print_notices, progress

if TYPE_CHECKING:
    from rich.table import Table

    from responder_model.cohort import CohortMap
    from responder_model.development.effect import UpdateEffect
    from responder_model.model.learnt import Learnt
    from responder_model.sample_size import Criterion
    from responder_model.settings import Settings
    from responder_model.workflow import Development

FolderOption = Annotated[Path, typer.Option("--out", metavar="FOLDER")]
TrackOption = Annotated[bool, typer.Option("--track/--no-track")]
OverlapOption = Annotated[
    list[str] | None, typer.Option("--overlap-group", metavar="GROUP")
]
ParametersOption = Annotated[int | None, typer.Option("--parameters", min=1)]
ValidationOption = Annotated[bool, typer.Option("--validation")]
ThresholdOption = Annotated[float | None, typer.Option("--threshold")]
ProportionOption = Annotated[float, typer.Option("--outcome-proportion")]
CStatisticOption = Annotated[float | None, typer.Option("--c-statistic")]
BesideOption = Annotated[
    str | None, typer.Option("--model", metavar="DECISION@MOMENT|FOLDER")
]
AtHandOption = Annotated[int | None, typer.Option("--n-patients", min=0)]
TargetArgument = Annotated[str | None, typer.Argument(metavar="[DECISION@MOMENT]")]
SettingsOption = Annotated[
    Path | None, typer.Option("--settings", metavar="FILE", exists=True, dir_okay=False)
]
PowerOption = Annotated[float, typer.Option("--power")]
NameOption = Annotated[str | None, typer.Option("--name")]


@with_map_options
def develop(
    cohort: options.CohortArgument,
    target: TargetArgument = None,
    *,
    out: FolderOption,
    how: CohortMap,
    settings_file: SettingsOption = None,
    name: NameOption = None,
    seed: options.SeedOption = 0,
    exclude_evidence: options.ExcludeOption = None,
    overlap_groups: OverlapOption = None,
    small_cells: options.SmallCellsOption = None,
    centres: options.CentresOption = None,
    stays_here: options.StaysHereOption = False,
    tracking_uri: tracked.TrackingOption = None,
    artifact_root: tracked.RootOption = None,
    track: TrackOption = True,
    overwrite: options.OverwriteOption = False,
    json_output: options.JsonOption = False,
) -> None:
    """Develop a model on a centre's cohort and the published evidence."""
    asked = (target, seed, tuple(exclude_evidence or ()))
    settings = _settings(settings_file, *asked)
    settings = _protected(settings, small_cells, centres, stays_here=stays_here)
    from responder_model.cohort import read_cohort
    from responder_model.workflow import develop_and_track

    patients = read_cohort(cohort, overlap_groups=tuple(overlap_groups or ()), how=how)
    print_notices(patients.attrs["notices"])
    store = tracked.store_for(tracking_uri, artifact_root, track=track)
    shown = f"{settings.decision}@{settings.moment}"
    with progress("developing", target=shown, n=len(patients)):
        done = develop_and_track(
            patients,
            settings,
            folder=out,
            tracking_uri=store,
            name=name,
            overwrite=overwrite,
        )
    _print_development(done, json_output=json_output)


def _settings(
    path: Path | None, target: str | None, seed: int, exclude_evidence: tuple[str, ...]
) -> Settings:
    """Settings of the file, or of the command line; not of both."""
    if (path is None) == (target is None):
        raise options.wrong_option(Note("cli.target_or_settings"), "DECISION@MOMENT")
    if path is not None and (seed or exclude_evidence):
        raise options.wrong_option(Note("cli.settings_hold"), "--settings")
    decision, moment = parse_target(target) if target else ("", "")
    from responder_model.settings import Settings

    if path is not None:
        return Settings.from_toml(path)
    return Settings(
        decision=decision, moment=moment, seed=seed, exclude_evidence=exclude_evidence
    )


def _protected(
    settings: Settings,
    small_cells: int | None,
    centres: str | None,
    *,
    stays_here: bool,
) -> Settings:
    """Settings on small cells and centres as the options say, if they do."""
    return replace(
        settings,
        small_cells=settings.small_cells if small_cells is None else small_cells,
        stays_here=settings.stays_here or stays_here,
        centres=centres or settings.centres,
    )


class Method(StrEnum):
    """How an update takes its patients."""

    bayes = "bayes"
    auto = "auto"
    in_the_large = "in_the_large"
    recalibration = "recalibration"
    refit = "refit"


MethodOption = Annotated[Method, typer.Option("--method")]


@with_map_options
def update(
    model: options.ModelArgument,
    cohort: options.CohortArgument,
    *,
    out: FolderOption,
    how: CohortMap,
    name: NameOption = None,
    seed: options.SeedOption = 0,
    overlap_groups: OverlapOption = None,
    count_again: options.CountAgainOption = False,
    small_cells: options.SmallCellsOption = None,
    stays_here: options.StaysHereOption = False,
    power: PowerOption = 1.0,
    method: MethodOption = Method.bayes,
    tracking_uri: tracked.TrackingOption = None,
    artifact_root: tracked.RootOption = None,
    track: TrackOption = True,
    overwrite: options.OverwriteOption = False,
    json_output: options.JsonOption = False,
) -> None:
    """Bring a model up to date with new patients: its posterior becomes the prior."""
    from responder_model.cohort import read_cohort
    from responder_model.workflow import update_and_track

    patients = read_cohort(cohort, overlap_groups=tuple(overlap_groups or ()), how=how)
    print_notices(patients.attrs["notices"])
    store = tracked.store_for(tracking_uri, artifact_root, track=track)
    earlier = open_model(model, tracking_uri=tracking_uri)
    with progress("updating", n=len(patients)):
        done = update_and_track(
            earlier,
            patients,
            folder=out,
            tracking_uri=store,
            name=name,
            seed=seed,
            count_again=count_again,
            small_cells=small_cells,
            stays_here=stays_here,
            power=power,
            method=method.value,
            inputs=(model, cohort),
            overwrite=overwrite,
        )
    from responder_model.development.effect import effect_of_update

    effect = effect_of_update(earlier, done.model, patients, count_again=count_again)
    _print_development(done, effect, json_output=json_output)


def _print_development(
    done: Development, effect: UpdateEffect | None = None, *, json_output: bool
) -> None:
    from .summary import print_model, summarise

    if json_output:
        more = {} if effect is None else {"update": effect.to_dict()}
        print_json({**summarise(done.model), **more, **tracked.whereabouts(done)})
    else:
        print_model(done.model, options.spoken())
        for line in () if effect is None else effect.lines(options.spoken()):
            typer.echo(line)
        tracked.tell_whereabouts(done, options.spoken())
    tracked.warn_unlogged(done)


def sample_size(
    *,
    outcome_proportion: ProportionOption,
    parameters: ParametersOption = None,
    c_statistic: CStatisticOption = None,
    n_patients: AtHandOption = None,
    model: BesideOption = None,
    validation: ValidationOption = False,
    threshold: ThresholdOption = None,
    json_output: options.JsonOption = False,
) -> None:
    """Say how many patients a development or a validation needs (Riley's criteria)."""
    from responder_model.sample_size import PLANNING_C_STATISTIC

    c = PLANNING_C_STATISTIC if c_statistic is None else c_statistic
    if validation and model is not None:
        raise options.wrong_option(Note("cli.only_development"), "--model")
    digest, beside = (None, None) if model is None else _beside(model, n_patients)
    if parameters is None and beside is not None:
        parameters = beside.of
    _check_purpose(parameters, threshold, validation=validation)
    if parameters is None:
        criteria = _for_validation(outcome_proportion, c, threshold, n_patients)
    else:
        criteria = _for_development(parameters, outcome_proportion, c, n_patients)
    purpose = "validation" if validation else "development"
    said = (criteria, outcome_proportion, purpose, beside)
    _print_criteria(*said, digest, json_output=json_output)


def _beside(text: str, n_patients: int | None) -> tuple[str, Learnt]:
    """Digest of a model, and what its patients taught it, or would teach it."""
    from responder_model.artifact import digest_of
    from responder_model.model.learnt import learnt_by, planned

    model = open_model(text)
    if model.n_patients:
        return digest_of(model), learnt_by(model)
    if not n_patients:
        raise options.wrong_option(Note("cli.patients_to_plan"), "--n-patients")
    return digest_of(model), planned(model, n_patients)


def _check_purpose(
    parameters: int | None, threshold: float | None, *, validation: bool
) -> None:
    if validation and parameters is not None:
        raise options.wrong_option(Note("cli.no_candidates"), "--parameters")
    if not validation and parameters is None:
        raise options.wrong_option(Note("cli.parameters_needed"), "--parameters")
    if not validation and threshold is not None:
        raise options.wrong_option(Note("cli.only_validation"), "--threshold")


def _for_development(
    parameters: int, outcome_proportion: float, c: float, n_patients: int | None
) -> tuple[Criterion, ...]:
    from responder_model.sample_size import development_criteria

    return development_criteria(
        parameters, outcome_proportion, c_statistic=c, n_patients=n_patients
    )


def _for_validation(
    outcome_proportion: float, c: float, threshold: float | None, n_patients: int | None
) -> tuple[Criterion, ...]:
    from responder_model.sample_size import validation_criteria

    return validation_criteria(
        outcome_proportion, c_statistic=c, threshold=threshold, n_patients=n_patients
    ).criteria


def _print_criteria(
    criteria: tuple[Criterion, ...],
    outcome_proportion: float,
    purpose: str,
    beside: Learnt | None,
    digest: str | None,
    *,
    json_output: bool,
) -> None:
    from responder_model.sample_size.criterion import whole_patients

    n_required = max(row.n_required for row in criteria if row.decides)
    n_events = whole_patients(n_required * outcome_proportion)
    if json_output:
        found = {"n_required": n_required, "n_events_required": n_events}
        rows = [asdict(row) for row in criteria]
        more = {} if beside is None else {"model": {"digest": digest, **asdict(beside)}}
        print_json({"purpose": purpose, **found, "criteria": rows, **more})
        return
    console().print(criteria_table(criteria))
    lang, counts = options.spoken(), {"n": n_required, "events": n_events}
    meaning = Note(f"cli.criteria_{purpose}")
    typer.echo(say("cli.patients_needed", lang, **counts, meaning=meaning))
    for note in () if beside is None else beside.notes():
        typer.echo(note.text(lang))


def criteria_table(criteria: Iterable[Criterion]) -> Table:
    """One line per criterion; the one that does not decide says so."""
    from rich.table import Table

    lang = options.spoken()
    headings = ("criterion", "needed", "met", "decides")
    table = Table(*(say(f"report.{key}", lang) for key in headings))
    words = {None: "", True: say("report.yes", lang), False: say("report.no", lang)}
    for row in criteria:
        answers = words[row.met], words[row.decides]
        table.add_row(row.definition.text(lang), str(row.n_required), *answers)
    return table
