"""The commands of ``responder-model``, in the order of a centre's work."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from typer.core import TyperCommand, TyperGroup

from responder_model.errors import ResponderModelError, got, refused_by_system
from responder_model.words import Note, say
from . import options
from .help import InWords, asked_language, heading_in
from .output import BAD_INPUT, print_error
from .usage import Misused, as_options, in_our_words

# A number with a decimal comma. Three digits after it may be thousands, save after 0.
_DECIMAL_COMMA = re.compile(r"\A([-+]?(?:0|\d+(?!,\d{3}\Z))),(\d+)\Z")

# Where each command is: a function of a module of this room, loaded when it is called.
# What it does in a line stands in the words of this room's list, ``commands``.
PANELS: dict[str, dict[str, str]] = {
    "one_patient": {
        "predict": "patient.predict",
        "explain": "patient.explain",
        "course": "course.course",
        "pathway": "pathway.pathway",
        "implant": "implant.implant",
    },
    "many_patients": {"stopping": "stopping.stopping", "value": "value.value"},
    "centre_data": {
        "template": "cohorts.template",
        "check": "cohorts.check",
        "simulate": "cohorts.simulate",
        "score": "score.score",
        "score-dask": "clusters.score_dask",
        "score-spark": "clusters.score_spark",
    },
    "models_panel": {
        "evidence": "models.evidence",
        "sample-size": "develop.sample_size",
        "develop": "develop.develop",
        "update": "develop.update",
        "share": "share.share",
        "combine": "combine.combine",
        "track": "tracked.track",
        "register": "registry.register",
        "promote": "promote.promote",
        "history": "registry.history",
        "registry": "registry.registry",
        "validate": "validate.validate",
        "monitor": "monitor.monitor",
        "report": "report.report",
        "models": "models.list_models",
        "inspect": "models.inspect",
        "scorecard": "scorecard.scorecard",
        "sign": "signature.sign",
        "verify": "signature.verify",
        "demo": "work.demo",
    },
    "server": {
        "serve": "serve.serve",
        "token": "token.token",
        "audit": "audit.audit",
    },
}
PLACES = {name: place for panel in PANELS.values() for name, place in panel.items()}


class OnCall(MutableMapping[str, Any]):
    """Commands by name; a command is loaded when it is asked for.

    So no command waits for the options of all others.
    """

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = _load(name, PLACES[name])
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(PLACES)

    def __len__(self) -> int:
        return len(PLACES)


def _load(name: str, place: str) -> Any:
    module, function = place.split(".")
    found = getattr(import_module(f"responder_model.cli.{module}"), function)
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(name, cls=Command)(options.with_language(found))
    return typer.main.get_command(alone)


class Lean(InWords):
    """A command that makes no converter for an option that needs none.

    Typer makes one for each and loads pydantic for them: a sixth of the time of a
    whole prediction.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        """All options, ``--help`` too."""
        parameters: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for parameter in parameters:
            if "process_value" not in vars(parameter):
                _convert_only_what_must_be(parameter)
        return parameters


def _may_be(parameter: Any, path: Path) -> bool:
    """Whether a path is what an option asks for: a file, a folder, or to be made."""
    rule = parameter.type_descriptor.parameter_info
    if not path.exists():
        return not rule.exists
    return bool(rule.dir_okay if path.is_dir() else rule.file_okay)


def _convert_only_what_must_be(parameter: Any) -> None:
    """Leave an option alone that was not given, or is what it must be already."""
    convert = parameter.process_value
    kind = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)

    def process_value(ctx: Any, value: Any) -> Any:
        if kind is Path and isinstance(value, str) and _may_be(parameter, Path(value)):
            value = Path(value)
        if float in (kind, *get_args(kind)) and isinstance(value, str):
            value = _DECIMAL_COMMA.sub(r"\1.\2", value)
        fits = isinstance(kind, type) and isinstance(value, kind)
        if not fits and (value is not None or parameter.required):
            return convert(ctx, value)
        if parameter.callback is None:
            return value
        return parameter.callback(ctx, parameter, value)

    parameter.process_value = process_value


class Command(Lean, TyperCommand):
    """One command."""


class Commands(Lean, TyperGroup):
    """Turns every error of the package into its reasons on stderr and exit code 1.

    So it does with a file or folder that the system refuses. Its own help is plain
    text: loading rich would double the time it takes.
    """

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.rich_markup_mode = None
        self.commands = OnCall()

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help, an example last."""
        self.epilog = say("commands.example", options.spoken())
        super().format_help(ctx, formatter)

    def about(self, ctx: Any) -> str:  # noqa: ARG002
        """What the package is."""
        return say("commands.package", options.spoken())

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write its options, then the commands."""
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """List the commands under the headings of their panels."""
        lang = options.spoken()
        for panel, places in PANELS.items():
            with formatter.section(heading_in(say(f"commands.{panel}", lang), lang)):
                rows = [(name, say(f"commands.{name}", lang)) for name in places]
                formatter.write_dl(rows)

    def make_context(self, *args: Any, **parts: Any) -> Any:
        """Read what was typed before the name of a command."""
        typed = parts["args"] if "args" in parts else args[1]
        options.speak(asked_language(typed))
        with in_our_words():
            return super().make_context(*args, **parts)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command by its name."""
        if args[0] not in PLACES:
            raise Misused(Note("usage.no_command", name=got(args[0], PLACES)), ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            with in_our_words():
                return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except OSError as error:
            print_error(ResponderModelError(refused_by_system(error)))
            raise typer.Exit(BAD_INPUT) from error
        except ResponderModelError as error:
            command = self.get_command(ctx, ctx.invoked_subcommand)
            print_error(error, as_typed=partial(as_options, command=command))
            raise typer.Exit(BAD_INPUT) from error


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(value: bool) -> None:  # noqa: FBT001 - typer's callback
    if value:
        from responder_model import __version__

        typer.echo(f"responder-model {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    lang: options.LanguageOption,  # noqa: ARG001 - heard before anything is read
    version: Annotated[  # noqa: ARG001 - handled by its callback
        bool, typer.Option("--version", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass
