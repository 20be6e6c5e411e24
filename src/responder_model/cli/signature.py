"""Commands about who released a model folder: ``sign``, ``verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from responder_model.words import Note, say
from .options import JsonOption, spoken
from .output import print_json, print_notices

FolderArgument = Annotated[Path, typer.Argument(metavar="FOLDER")]
VerifiedArgument = Annotated[str, typer.Argument(metavar="FOLDER")]
KeyOption = Annotated[Path, typer.Option("--key", metavar="PRIVATE.pem")]
TrustedOption = Annotated[
    list[Path] | None, typer.Option("--trusted-key", metavar="PUBLIC.pem")
]


def sign(folder: FolderArgument, *, key: KeyOption) -> None:
    """Sign a model folder; prints the public key, in hexadecimal."""
    from responder_model.artifact import read_private_key, sign_model

    typer.echo(sign_model(folder, read_private_key(key)))


def verify(
    folder: VerifiedArgument,
    *,
    trusted_key: TrustedOption = None,
    json_output: JsonOption = False,
) -> None:
    """Check that a model folder is as it was saved, and who signed it."""
    from responder_model.artifact import (
        read_manifest,
        read_public_key,
        trusted_keys,
        verify_model,
    )
    from responder_model.opening import folder_of

    keys = [read_public_key(path) for path in trusted_key or ()] or trusted_keys()
    place = folder_of(folder, announce=lambda note: print_notices([note]))
    digest = verify_model(place, keys) if keys else read_manifest(place).digest
    if json_output:
        print_json({"digest": digest, "signed_by_trusted_key": keys is not None})
        return
    typer.echo(say("cli.intact", spoken(), digest=digest))
    if keys is None:
        print_notices([Note("cli.no_signature_asked")])
    else:
        typer.echo(say("cli.signed", spoken()))
