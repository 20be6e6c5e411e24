"""Commands about a registry of models: ``register``."""

from __future__ import annotations

from typing import Annotated

import typer

from responder_model.cli.models import open_model
from responder_model.cli.options import JsonOption, LanguageOption
from responder_model.cli.output import print_json, print_notices
from responder_model.cli.tracked import FolderArgument, TrackingOption
from responder_model.words import say

SimulatedOption = Annotated[bool, typer.Option("--simulated")]


def register(
    folder: FolderArgument,
    *,
    simulated: SimulatedOption = False,
    tracking_uri: TrackingOption = None,
    json_output: JsonOption = False,
    lang: LanguageOption,
) -> None:
    """Register a model folder: a version of its question and moment, the challenger."""
    from responder_model.tracking import settings_notes
    from responder_model.workflow import register_folder

    open_model(str(folder))
    print_notices(settings_notes(tracking_uri))
    version, is_new = register_folder(
        folder, tracking_uri=tracking_uri, for_simulated=simulated
    )
    if json_output:
        print_json(
            {
                "name": version.name,
                "version": version.number,
                "digest": version.digest,
                "run_id": version.run_id,
                "registered_now": is_new,
            }
        )
        return
    code = "registered" if is_new else "registered_already"
    said = {"name": version.name, "number": version.number, "alias": "challenger"}
    typer.echo(say(f"registry.{code}", lang, **said))
