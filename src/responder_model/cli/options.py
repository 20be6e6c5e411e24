"""Options that several commands share."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from responder_model.words import Note


class Language(StrEnum):
    """Languages in which a person can read the result."""

    en = "en"
    fr = "fr"


def language_of_locale() -> Language:
    """Language of the messages of this terminal: French, or else English."""
    names = map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))
    locale = next(filter(None, names), "")
    return Language.fr if locale.casefold().startswith("fr") else Language.en


_SPOKEN: ContextVar[Language | None] = ContextVar("spoken", default=None)


def speak(lang: Language | None) -> Language | None:
    """Say all that follows in this language; None is that of the locale."""
    _SPOKEN.set(lang)
    return lang


def spoken() -> Language:
    """Language in which the command that runs speaks."""
    return _SPOKEN.get() or language_of_locale()


def wrong_option(said: Note, option: str) -> typer.BadParameter:
    """Error of an option that does not fit the others."""
    return typer.BadParameter(said.text(spoken()), param_hint=option)


LanguageOption = Annotated[
    Language,
    typer.Option(
        "--lang",
        default_factory=spoken,
        show_default="of the locale",
        callback=speak,
        is_eager=True,
    ),
]


def taking(
    parameters: Sequence[inspect.Parameter],
    run: Callable[..., None],
    *,
    like: Callable[..., None],
) -> Callable[..., None]:
    """Let a function be read as a command of these parameters, named like another."""
    run.__name__, run.__doc__ = like.__name__, like.__doc__
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run


def with_language(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the option of its language, if it has none of its own."""
    own = inspect.signature(command, eval_str=True).parameters
    if "lang" in own:
        return command
    lang = inspect.Parameter(
        "lang", inspect.Parameter.KEYWORD_ONLY, annotation=LanguageOption
    )
    parameters = [*own.values(), lang]

    def run(**arguments: Any) -> None:
        del arguments["lang"]
        command(**arguments)

    return taking(parameters, run, like=command)


JsonOption = Annotated[bool, typer.Option("--json")]
SeedOption = Annotated[int, typer.Option("--seed", min=0)]
JobsOption = Annotated[int, typer.Option("--jobs", min=1)]
OverwriteOption = Annotated[bool, typer.Option("--overwrite")]
CohortArgument = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)
]
ModelArgument = Annotated[str, typer.Argument(metavar="DECISION@MOMENT|FOLDER")]
ExcludeOption = Annotated[
    list[str] | None, typer.Option("--exclude-evidence", metavar="GROUP")
]
RespondersOption = Annotated[int | None, typer.Option("--responders", metavar="N")]
TestedOption = Annotated[int | None, typer.Option("--tested", metavar="N")]
OtherUseOption = Annotated[bool, typer.Option("--other-use")]
CountAgainOption = Annotated[bool, typer.Option("--count-again")]
SmallCellsOption = Annotated[int | None, typer.Option("--small-cells", metavar="K")]
CentresOption = Annotated[str | None, typer.Option("--centres", metavar="HOW")]
StaysHereOption = Annotated[bool, typer.Option("--stays-here")]
