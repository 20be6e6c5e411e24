"""The command ``serve``: the page and the JSON interface, on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from responder_model.cli.output import print_notices, tell
from responder_model.errors import MissingExtraError, ResponderModelError
from responder_model.words import Note

LOCAL = ("127.0.0.1", "::1", "localhost")

ServedOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="FOLDER",
        help="Model folder, models:/NAME/VERSION or models:/NAME@ALIAS, in place of "
        "the published-evidence model of its question and moment; may be repeated.",
    ),
]
AddressOption = Annotated[
    str,
    typer.Option(
        "--address",
        metavar="ADDRESS",
        help="Address to listen on; any other than this machine's own needs --tokens.",
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
        help="Host name by which this server is reached, besides localhost; may be "
        "repeated.",
    ),
]
TokensOption = Annotated[
    Path | None,
    typer.Option(
        "--tokens",
        metavar="FILE",
        help="File of tokens, of which every request needs one: see token new.",
    ),
]
NoTokenOption = Annotated[
    bool,
    typer.Option("--no-token", help="Let everybody ask who can reach the address."),
]
OriginOption = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-origin",
        metavar="ORIGIN",
        help="Origin whose pages may ask, as https://ehr.example; may be repeated.",
    ),
]
EmbedOption = Annotated[
    list[str] | None,
    typer.Option(
        "--embed",
        metavar="ORIGIN",
        help="Origin that may show the page in a frame; may be repeated.",
    ),
]
TlsOption = Annotated[
    bool,
    typer.Option("--behind-tls", help="Say that it is reached by https only (HSTS)."),
]
ProxyOption = Annotated[
    str | None,
    typer.Option(
        "--behind-proxy",
        metavar="ADDRESS",
        help="Address of a proxy that is believed about who asks.",
    ),
]
LimitsOption = Annotated[
    Path | None,
    typer.Option("--limits", metavar="FILE", help="TOML file of limits to change."),
]


ThresholdOption = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        metavar="PROBABILITY",
        help="Probability of response at which the clinic tests, as 0.3: the page "
        "compares with it, and with the average patient otherwise.",
    ),
]
ProcessesOption = Annotated[
    int, typer.Option("--processes", min=1, help="Processes that share the work.")
]


def serve(
    *,
    model: ServedOption = None,
    address: AddressOption = LOCAL[0],
    port: PortOption = 8000,
    host_name: HostNameOption = None,
    tokens: TokensOption = None,
    no_token: NoTokenOption = False,
    allow_origin: OriginOption = None,
    embed: EmbedOption = None,
    behind_tls: TlsOption = False,
    behind_proxy: ProxyOption = None,
    limits: LimitsOption = None,
    threshold: ThresholdOption = None,
    processes: ProcessesOption = 1,
) -> None:
    """Serve a page for the desk and JSON for programs, until Ctrl+C.

    Only this machine can reach it, unless --address says otherwise. The log goes to
    stderr, one JSON object a line, without a patient's value.

    Example: responder-model serve --port 8000
    """
    # one thread a request: more would only fight for the cores
    for setting in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(setting, "1")
    try:
        from responder_model.serving.run import run_server
    except ModuleNotFoundError as error:
        raise MissingExtraError(library=str(error.name), extra="serving") from error
    from responder_model.opening import folder_of, is_kept
    from responder_model.serving.settings import (
        LOCAL_HOSTS,
        Limits,
        ServerSettings,
        read_limits,
    )
    from responder_model.serving.tokens import read_tokens

    if address not in LOCAL and tokens is None and not no_token:
        raise ResponderModelError(Note("serving.open_to_others", address=address))
    for name in filter(is_kept, model or ()):
        # what is fetched now is there when the store does not answer later
        folder_of(name, announce=lambda note: print_notices([note]))
    names = frozenset(name.lower() for name in (*(host_name or ()), address))
    settings = ServerSettings(
        models=tuple(model or ()),
        hosts=LOCAL_HOSTS | names,
        origins=tuple(allow_origin or ()),
        embed=tuple(embed or ()),
        tokens=None if tokens is None else read_tokens(tokens),
        is_behind_tls=behind_tls,
        proxy=behind_proxy,
        threshold=threshold,
        limits=Limits() if limits is None else read_limits(limits),
    )
    tell("serve_open", address=f"http://{address}:{port}/")
    run_server(settings, host=address, port=port, processes=processes)
