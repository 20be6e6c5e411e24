"""The commands of ``responder-model``, in the order of a centre's work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from responder_model.cli import (
    clusters,
    cohorts,
    develop,
    models,
    pathway,
    patient,
    report,
    score,
    scorecard,
    signature,
    tracked,
    validate,
    work,
)
from responder_model.cli.mapping import with_map_options
from responder_model.cli.options import speak, with_language
from responder_model.cli.output import BAD_INPUT, print_error
from responder_model.errors import ResponderModelError
from responder_model.words import Note

# Characters of a command's first line in the list of commands.
SHORT_HELP = 110


class Commands(TyperGroup):
    """Turns every error of the package into its reasons on stderr and exit code 1.

    So it does with a file or folder that the system refuses. Its own help is plain
    text: loading rich would double the time it takes.
    """

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.rich_markup_mode = None

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """List the commands under the headings of their panels."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            panel = str(getattr(command, "rich_help_panel", "Commands"))
            help_text = command.get_short_help_str(limit=SHORT_HELP)
            panels.setdefault(panel, []).append((name, help_text))
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl(rows)

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        speak(None)
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except OSError as error:
            print_error(ResponderModelError(_refused(error)))
            raise typer.Exit(BAD_INPUT) from error
        except ResponderModelError as error:
            print_error(error)
            raise typer.Exit(BAD_INPUT) from error


def _refused(error: OSError) -> Note:
    reason = error.strerror or str(error)
    if error.filename is None:
        return Note("cli.system_refused", reason=reason)
    return Note("cli.cannot_be_used", name=str(error.filename), reason=reason)


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Predict response to motor-cortex rTMS and benefit from an epidural "
    "stimulator in drug-resistant neuropathic pain. Research use only: not a medical "
    "device.",
    epilog="Example: responder-model predict rtms_response@screening --age 54",
)


def _print_version(value: bool) -> None:  # noqa: FBT001 - typer's callback
    if value:
        from responder_model import __version__

        typer.echo(f"responder-model {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[  # noqa: ARG001 - handled by its callback
        bool,
        typer.Option(
            "--version",
            help="Print the version.",
            callback=_print_version,
            is_eager=True,
        ),
    ] = False,
) -> None:
    pass


PREDICT, DATA, MODELS = "One patient", "A centre's data", "Models"


def _add(panel: str, command: Callable[..., None], name: str | None = None) -> None:
    app.command(name, rich_help_panel=panel)(with_language(command))


_add(PREDICT, patient.with_predictor_options(patient.predict))
_add(PREDICT, patient.with_predictor_options(patient.explain))
_add(PREDICT, patient.with_predictor_options(pathway.pathway))
_add(DATA, cohorts.template)
_add(DATA, with_map_options(cohorts.check))
_add(DATA, cohorts.simulate)
_add(DATA, with_map_options(score.score))
_add(DATA, clusters.score_dask, "score-dask")
_add(DATA, clusters.score_spark, "score-spark")
_add(MODELS, models.evidence)
_add(MODELS, develop.sample_size, "sample-size")
_add(MODELS, with_map_options(develop.develop))
_add(MODELS, with_map_options(develop.update))
_add(MODELS, tracked.track)
_add(MODELS, with_map_options(validate.validate))
_add(MODELS, with_map_options(report.report))
_add(MODELS, models.list_models, "models")
_add(MODELS, models.inspect)
_add(MODELS, scorecard.scorecard)
_add(MODELS, signature.sign)
_add(MODELS, signature.verify)
_add(MODELS, work.demo)
