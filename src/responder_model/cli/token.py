"""The command ``token``: who may ask the server."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .options import JsonOption
from .output import print_json, tell

# Days for which a token is valid unless it is said otherwise.
DAYS = 365


class Action(StrEnum):
    """What is done with tokens."""

    new = "new"


class RoleName(StrEnum):
    """What a token allows."""

    read = "read"
    admin = "admin"


ActionArgument = Annotated[Action, typer.Argument(metavar="new")]
NameOption = Annotated[str, typer.Option("--name", metavar="NAME")]
RoleOption = Annotated[RoleName, typer.Option("--role")]
FileOption = Annotated[Path, typer.Option("--file", metavar="FILE")]
DaysOption = Annotated[int, typer.Option("--days", min=1, max=3650)]


def token(
    action: ActionArgument,  # noqa: ARG001 - there is one
    *,
    name: NameOption,
    role: RoleOption = RoleName.read,
    file: FileOption = Path("tokens.json"),
    days: DaysOption = DAYS,
    json_output: JsonOption = False,
) -> None:
    """Make a token for a program or a person who asks the server."""
    from responder_model.serving.tokens import new_token

    secret, made = new_token(file, name=name, role=role.value, days=days)
    if json_output:
        print_json(
            {"token": secret, "name": name, "role": role, "expires": made.expires}
        )
        return
    until = datetime.fromisoformat(made.expires).date().isoformat()
    tell("token_once", name=name, role=role.value, expires=until)
    typer.echo(secret)
