"""The command ``serve``: the page and the JSON interface, on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from responder_model.cli.output import tell
from responder_model.errors import MissingExtraError

ServedOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="FOLDER",
        help="Model folder that takes the place of the published-evidence model of the "
        "same question and moment; may be repeated.",
    ),
]
PortOption = Annotated[
    int, typer.Option("--port", min=0, max=65535, help="Port to listen on.")
]
HostNameOption = Annotated[
    list[str] | None,
    typer.Option(
        "--host-name",
        metavar="NAME",
        help="Further host name by which this server is reached; may be repeated.",
    ),
]


def serve(
    *,
    model: ServedOption = None,
    port: PortOption = 8000,
    host_name: HostNameOption = None,
) -> None:
    """Serve a page for the desk and JSON for programs, until Ctrl+C.

    Only this machine can reach it. The log goes to stderr, one JSON object a line,
    without a patient's value.

    Example: responder-model serve --port 8000
    """
    try:
        from responder_model.serving.run import run_server
        from responder_model.serving.settings import LOCAL_HOSTS, ServerSettings
    except ModuleNotFoundError as error:
        raise MissingExtraError(library=str(error.name), extra="serving") from error

    names = frozenset(name.lower() for name in host_name or ())
    settings = ServerSettings(models=tuple(model or ()), hosts=LOCAL_HOSTS | names)
    tell("serve_open", address=f"http://127.0.0.1:{port}/")
    run_server(settings, host="127.0.0.1", port=port)
