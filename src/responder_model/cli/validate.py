"""Command that measures a model or a development procedure: ``validate``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from responder_model.errors import DevelopmentError
from responder_model.words import Note
from .develop import OverlapOption
from .mapping import with_map_options
from .measures import logged, plain_result, print_measures
from .models import open_model
from .options import (
    CohortArgument,
    CountAgainOption,
    ExcludeOption,
    JobsOption,
    JsonOption,
    LanguageOption,
    ModelArgument,
    OverwriteOption,
    SeedOption,
    wrong_option,
)
from .output import print_json, print_notices, progress
from .picture import check_picture, draw_picture
from .tracked import (
    Destination,
    TrackingOption,
    TrackOption,
    cohort_values,
    find_destination,
    log_to_run,
)

if TYPE_CHECKING:
    import pandas as pd

    from responder_model.cohort import CohortMap
    from responder_model.model import Model
    from responder_model.settings import Settings
    from responder_model.validation import ExternalValidation, InternalValidation


class Design(StrEnum):
    """How a model or a procedure is validated."""

    external = "external"
    bootstrap = "bootstrap"
    cross_validation = "cross_validation"
    by_centre = "by_centre"
    by_subgroup = "by_subgroup"


# Fewer repeats than resamples: each is ten developments.
DEFAULT_RESAMPLES = {Design.cross_validation: 5}
DesignOption = Annotated[Design, typer.Option("--design")]


class NonCompleters(StrEnum):
    """What patients without a known outcome count as."""

    left_out = "left_out"
    non_responders = "non_responders"


ThresholdOption = Annotated[float, typer.Option("--threshold")]
NonCompletersOption = Annotated[NonCompleters, typer.Option("--non-completers")]
UpdatedFromOption = Annotated[
    str | None, typer.Option("--updated-from", metavar="MODEL")
]
ForestOption = Annotated[Path | None, typer.Option("--forest", metavar="FILE")]
InternalOption = Annotated[bool, typer.Option("--internal")]
ResamplesOption = Annotated[
    int | None, typer.Option("--resamples", "--n-resamples", min=1)
]


@with_map_options
def validate(
    model: ModelArgument,
    cohort: CohortArgument,
    *,
    how: CohortMap,
    design: DesignOption = Design.external,
    internal: InternalOption = False,
    n_resamples: ResamplesOption = None,
    threshold: ThresholdOption = 0.5,
    non_completers: NonCompletersOption = NonCompleters.left_out,
    updated_from: UpdatedFromOption = None,
    exclude_evidence: ExcludeOption = None,
    overlap_groups: OverlapOption = None,
    count_again: CountAgainOption = False,
    seed: SeedOption = 0,
    jobs: JobsOption = 1,
    tracking_uri: TrackingOption = None,
    track: TrackOption = True,
    forest: ForestOption = None,
    overwrite: OverwriteOption = False,
    json_output: JsonOption = False,
    lang: LanguageOption,
) -> None:
    """Measure a model on new patients, or the optimism of its development."""
    from responder_model.artifact import digest_of
    from responder_model.cohort import read_cohort

    fitted = open_model(model, exclude_evidence, tracking_uri=tracking_uri)
    check_picture(
        forest,
        digest_of(fitted),
        command="validate",
        argument="--forest",
        inputs=[str(cohort)],
        overwrite=overwrite,
    )
    patients = read_cohort(cohort, overlap_groups=tuple(overlap_groups or ()), how=how)
    print_notices(patients.attrs["notices"])
    design = Design.bootstrap if internal else design
    work = Work(
        model=fitted,
        patients=patients,
        exclude_evidence=tuple(exclude_evidence or ()),
        updated_from=open_model(updated_from, tracking_uri=tracking_uri)
        if updated_from
        else None,
        threshold=threshold,
        non_completers=non_completers,
        count_again=count_again,
        n_resamples=n_resamples or DEFAULT_RESAMPLES.get(design, 200),
        seed=seed,
        jobs=jobs,
    )
    _check_options(work, design)
    if forest is not None and design is not Design.by_centre:
        raise wrong_option(Note("cli.only_by_centre"), "--forest")
    to = find_destination(model, work.model, track=track, tracking_uri=tracking_uri)
    if design in (Design.by_centre, Design.by_subgroup):
        rows = _parts(work, design, to, lang.value, json_output=json_output)
        if forest is not None:
            _draw_forest(rows, forest, work, overwrite=overwrite, lang=lang.value)
    else:
        _whole(work, design, to, json_output=json_output, lang=lang)


def _check_options(work: Work, design: Design) -> None:
    """Refuse an option that this design, or this model, would not heed."""
    repeats = design not in (Design.external, Design.by_subgroup)
    if work.updated_from is not None and not repeats:
        said = Note("cli.repeats_no_update", design=design.value)
        raise wrong_option(said, "--updated-from")
    counted = design in (Design.bootstrap, Design.cross_validation)
    if work.non_completers is not NonCompleters.left_out and not counted:
        said = Note("cli.non_completers_left_out", design=design.value)
        raise wrong_option(said, "--non-completers")


def _draw_forest(
    rows: list[dict[str, Any]],
    path: Path,
    work: Work,
    *,
    overwrite: bool,
    lang: str,
) -> None:
    """Draw the c-statistic of each centre, as it may be shown, and of all."""
    import pandas as pd

    from responder_model.artifact import digest_of
    from responder_model.figures.forest import plot_forest
    from responder_model.labels import decision_label, moment_label
    from responder_model.validation import pool_centres

    table = pd.DataFrame(rows)
    pooled = pool_centres(table)
    label = decision_label(work.model.decision, lang)
    draw_picture(
        lambda ax: plot_forest(table, pooled, ax=ax, lang=lang),
        path,
        digest_of(work.model),
        command="validate",
        argument="--forest",
        title=f"{label}\n{moment_label(work.model.moment, lang)}",
        provenance=work.provenance,
        lang=lang,
        overwrite=overwrite,
    )


def _parts(
    work: Work, design: Design, to: Destination | None, lang: str, *, json_output: bool
) -> list[dict[str, Any]]:
    """Measure subgroups or centres; print, log and return what may be shown."""
    import json
    from tempfile import TemporaryDirectory

    from responder_model.reporting.groups import releasable
    from .groups import print_groups
    from .output import plain

    with progress("validating", n=len(work.patients)):
        rows = releasable(work.by_group(design))
    print_groups(rows, work.provenance, lang, json_output=json_output)
    with TemporaryDirectory() as directory:
        path = Path(directory) / f"{design}.json"
        text = json.dumps(plain(rows), ensure_ascii=False, indent=1)
        path.write_text(text, encoding="utf-8")
        _log(work, design, to, {"n_groups": len(rows)}, files=[(path, "")])
    return rows


def _whole(
    work: Work, design: Design, to: Destination | None, *, json_output: bool, lang: str
) -> None:
    """Measure the whole cohort; print and log."""
    with progress("validating", n=len(work.patients)):
        result = work.measure(design)
    print_notices(result.notes)
    if json_output:
        print_json(plain_result(result, work.provenance, lang))
    else:
        print_measures(result, work.provenance, lang, threshold=work.threshold)
    _log(work, design, to, dict(logged(result)))


def _log(
    work: Work,
    design: Design,
    to: Destination | None,
    values: dict[str, Any],
    *,
    files: Sequence[tuple[Path, str]] = (),
) -> None:
    """Log a validation as a run that names its cohort; exit code 3 where that fails."""
    whose = {} if to is None else cohort_values(work.patients)
    named = {f"{design}.{key}": value for key, value in (whose | values).items()}
    about = whose | work.options()
    log_to_run(
        to, "validation", named, part=design.value, about=about, files=files
    ).leave()


@dataclass(frozen=True, kw_only=True, eq=False)
class Work:
    """What is validated, on whom, and how."""

    model: Model
    patients: pd.DataFrame
    exclude_evidence: tuple[str, ...]
    updated_from: Model | None
    threshold: float
    non_completers: NonCompleters
    count_again: bool
    n_resamples: int
    seed: int
    jobs: int

    def options(self) -> dict[str, Any]:
        """How the validation was done, as it is logged."""
        names = ("threshold", "non_completers", "n_resamples", "seed")
        return {name: getattr(self, name) for name in names}

    @property
    def provenance(self) -> str:
        """Of the cohort."""
        return str(self.patients.attrs["provenance"])

    def measure(self, design: Design) -> ExternalValidation | InternalValidation:
        """Measure the model on new patients, or repeat its development."""
        from responder_model.validation import validate_externally, validate_internally

        if design is Design.external:
            self.check_new()
            return validate_externally(
                self.model,
                self.patients,
                n_resamples=self.n_resamples,
                seed=self.seed,
                threshold=self.threshold,
                count_again=self.count_again,
            )
        return validate_internally(
            self.source(),
            self.patients,
            n_resamples=self.n_resamples,
            n_jobs=self.jobs,
            seed=self.seed,
            design="bootstrap" if design is Design.bootstrap else "cross_validation",
            threshold=self.threshold,
            updated_from=self.updated_from,
            non_completers=self.non_completers.value,
        )

    def by_group(self, design: Design) -> pd.DataFrame:
        """Measures of each subgroup or left-out centre, with true counts."""
        from responder_model.validation import validate_by_centre, validate_by_subgroup
        from responder_model.validation.external import SUBGROUPS

        if design is Design.by_centre:
            return validate_by_centre(
                self.source(),
                self.patients,
                small_cell=1,
                updated_from=self.updated_from,
            )
        self.check_new()
        known = [name for name in SUBGROUPS if name in self.patients]
        return validate_by_subgroup(
            self.model,
            self.patients,
            by=known,
            small_cell=1,
            count_again=self.count_again,
        )

    def source(self) -> Model | Settings:
        """Return a developed model, else the default settings of its decision."""
        from responder_model.settings import Settings

        if self.model.settings:
            return self.model
        return Settings(
            decision=self.model.decision,
            moment=self.model.moment,
            exclude_evidence=self.exclude_evidence,
        )

    def check_new(self) -> None:
        """Refuse the development cohort: what it shows is no validation."""
        from responder_model.disclosure import already_in
        from responder_model.reporting.examination import role_of

        if self.count_again:
            return
        try:
            role = role_of(self.model, self.patients)
        except DevelopmentError:
            if already_in(self.model.fingerprints, self.patients) is None:
                print_notices([Note("cli.unsure_if_new")])
            return  # its own patients are refused or left out by the validation
        if role == "development":
            raise DevelopmentError(Note("cli.not_new"))
