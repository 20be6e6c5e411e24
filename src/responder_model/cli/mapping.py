"""Options that say how a cohort's file is to be read, the same for every command."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from responder_model.words import Note
from .options import taking, wrong_option

if TYPE_CHECKING:
    from responder_model.cohort import CohortMap

# The answer of a rTMS model, whose rule a centre may have set otherwise.
# Name of the type of what commands receive, which no option has.
_HOW = "CohortMap"
_RESPONDER = "rtms_responder"
_OPTIONS = {
    "map_file": (
        Path | None,
        typer.Option("--map", metavar="FILE", exists=True, dir_okay=False),
    ),
    "sheet": (str | None, typer.Option("--sheet", metavar="NAME")),
    "long": (tuple[str, str] | None, typer.Option("--long", metavar="VISIT COLUMN")),
    "data_dictionary": (
        Path | None,
        typer.Option("--data-dictionary", metavar="FILE", exists=True, dir_okay=False),
    ),
    "missing_codes": (str | None, typer.Option("--missing-codes", metavar="CODES")),
    "responder_at": (float | None, typer.Option("--responder-at", metavar="PERCENT")),
    "inclusive": (bool, typer.Option("--inclusive")),
}


def with_map_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a mapping; it receives the mapping as ``how``."""
    own = inspect.signature(command, eval_str=True, locals={_HOW: object}).parameters
    parameters = [p for p in own.values() if p.name != "how"]
    parameters += [_parameter(name) for name in _OPTIONS]

    def run(**arguments: Any) -> None:
        given = [arguments.pop(name) for name in _OPTIONS]
        command(**arguments, how=_how(*given))

    return taking(parameters, run, like=command)


def _parameter(name: str) -> inspect.Parameter:
    kind, option = _OPTIONS[name]
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=False if kind is bool else None,
        annotation=Annotated[kind, option],
    )


def _how(
    path: Path | None,
    sheet: str | None,
    long: tuple[str, str] | None,
    data_dictionary: Path | None,
    codes: str | None,
    at: float | None,
    inclusive: bool,  # noqa: FBT001 - an option
) -> CohortMap:
    """Mapping of a file, with what the other options say."""
    if inclusive and at is None:
        raise wrong_option(Note("cli.needs_responder_at"), "--inclusive")
    from responder_model.cohort import NOTHING, Rule, read_map
    from responder_model.cohort.mapping import codes_in

    how = NOTHING if path is None else read_map(path)
    if sheet is not None:
        how = replace(how, sheet=sheet)
    if long is not None:
        how = replace(how, long=long)
    if data_dictionary is not None:
        how = replace(how, data_dictionary=str(data_dictionary))
    if codes is not None:
        how = replace(how, missing_codes=(*how.missing_codes, *codes_in(codes)))
    if at is not None:
        rule = Rule(at=at, inclusive=inclusive)
        how = replace(how, rules={**how.rules, _RESPONDER: rule})
    return how
