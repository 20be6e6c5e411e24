"""Errors of how a command was typed, in the reader's language; typer's are English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import typer

from responder_model.errors import got
from responder_model.words import Note, say
from .help import given_words
from .options import spoken

# What a value of a kind must be, where nothing else is known of it.
_KINDS = {int: "whole", float: "number", datetime: "day"}
# What typer quotes of what was typed.
_QUOTED = re.compile("'([^']+)'")
# Typer's own error of usage, which it does not export.
UsageError: Any = typer.BadParameter.__bases__[0]


class Misused(UsageError):  # noqa: N818 - as typer names its own
    """A command that was typed wrongly: what is wrong, and how to get help."""

    def __init__(self, said: Note, ctx: Any) -> None:
        self.said = said
        super().__init__(said.text(spoken()), ctx)

    def show(self, file: Any = None) -> None:
        """Print the usage, where help is, and what is wrong."""
        lang = spoken()
        if self.ctx is not None:
            command = self.ctx.command_path
            pieces = " ".join(self.ctx.command.collect_usage_pieces(self.ctx))
            typed = f"{command} {given_words(pieces, lang)}"
            typer.echo(say("usage.prefix", lang) + typed, file=file, err=True)
            typer.echo(say("usage.try_help", lang, command=command), err=True)
        typer.echo(say("cli.error", lang, said=self.message), file=file, err=True)


@contextmanager
def in_our_words() -> Iterator[None]:
    """Turn typer's errors of usage into ours."""
    try:
        yield
    except Misused:
        raise
    except UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            raise
        raise Misused(_said(error), error.ctx) from error


def _said(error: Any) -> Note:
    """What was typed wrongly, by the kind of typer's error."""
    kind = type(error).__name__
    if kind == "NoSuchOption":
        near = _near(error)
        if not near:
            return Note("usage.no_option", option=error.option_name)
        return Note("usage.no_option_near", option=error.option_name, near=near)
    if kind == "MissingParameter":
        return Note("usage.missing", name=_name(error.param))
    if kind == "BadOptionUsage":
        return Note("usage.needs_value", option=error.option_name)
    if kind == "BadParameter" and error.param is not None:
        rule = _rule(error.param)
        told = {"name": _name(error.param), "rule": rule}
        typed = _QUOTED.search(error.message)
        if typed is None:
            return Note("usage.bad_value", **told)
        among = rule.values.get("allowed")
        what = got(typed[1], among) if among else typed[1]
        return Note("usage.bad_value_got", **told, got=what)
    if kind == "BadParameter":  # one of ours, said in the language already
        return Note("usage.refused", name=error.param_hint, rule=error.message)
    return Note("usage.extra")


def _near(error: Any) -> tuple[str, ...]:
    """Options that go on from what was typed, else those that look very like it."""
    typed = error.option_name
    options = [name for row in error.ctx.command.params for name in row.opts]
    begun = [name for name in options if name.startswith(typed)]
    return tuple(sorted(begun or get_close_matches(typed, options, 3, 0.7)))


def as_options(said: str, *, command: Any) -> str:
    """Sentence in which an argument of the package is the option that was typed.

    Examples
    --------
    >>> from responder_model.cli.app import app
    >>> command = typer.main.get_command(app).get_command(None, "implant")
    >>> as_options("failures_per_success must be above 0.", command=command)
    '--failures-per-success must be above 0.'
    """
    for parameter in command.params:
        option = parameter.opts[0]
        for name in {parameter.name, option.lstrip("-").replace("-", "_")} - {None}:
            if option.startswith("--"):
                said = re.sub(_argument(name, option), option, said)
    return said


def _argument(name: str, option: str) -> str:
    """Where a sentence names an argument: one of several words anywhere, else first."""
    named = rf"{name}(?:, {option}| \({option}\))?"
    if "_" in name:
        return rf"(?<![\w.-]){named}(?![\w=(])"
    return rf"\A{named}(?= (?:must|doit|doivent)\b| : )"


def _name(parameter: Any) -> str:
    """Option, or what stands for an argument."""
    if parameter.param_type_name == "option":
        return str(parameter.opts[0])
    return given_words(parameter.metavar or parameter.name.upper(), spoken())


def _rule(parameter: Any) -> Note:
    """What a value of an option or argument must be."""
    described = parameter.type_descriptor
    kind, about = described.annotation, described.parameter_info
    kind = next((part for part in get_args(kind) if part is not None), kind)
    low, high = getattr(about, "min", None), getattr(about, "max", None)
    if isinstance(kind, type) and issubclass(kind, Enum):
        allowed = tuple(str(one.value) for one in kind)
        return Note("usage.one_of" if allowed[1:] else "usage.word", allowed=allowed)
    if kind in (int, float) and low is not None:
        key = "at_least" if high is None else "between"
        bounds = {"low": low} if high is None else {"low": low, "high": high}
        return Note(f"usage.{key}", **bounds)
    if isinstance(kind, type) and issubclass(kind, Path):
        return Note("usage.folder" if not about.file_okay else "usage.file")
    return Note(f"usage.{_KINDS.get(kind, 'fitting')}")
