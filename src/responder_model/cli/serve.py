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

ServedOption = Annotated[list[str] | None, typer.Option("--model", metavar="FOLDER")]
AddressOption = Annotated[str, typer.Option("--address", metavar="ADDRESS")]
PortOption = Annotated[int, typer.Option("--port", min=0, max=65535)]
HostNameOption = Annotated[
    list[str] | None, typer.Option("--host-name", metavar="NAME")
]
TokensOption = Annotated[Path | None, typer.Option("--tokens", metavar="FILE")]
NoTokenOption = Annotated[bool, typer.Option("--no-token")]
OriginOption = Annotated[
    list[str] | None, typer.Option("--allow-origin", metavar="ORIGIN")
]
EmbedOption = Annotated[list[str] | None, typer.Option("--embed", metavar="ORIGIN")]
TlsOption = Annotated[bool, typer.Option("--behind-tls")]
ProxyOption = Annotated[str | None, typer.Option("--behind-proxy", metavar="ADDRESS")]
LimitsOption = Annotated[Path | None, typer.Option("--limits", metavar="FILE")]


ThresholdOption = Annotated[
    float | None, typer.Option("--threshold", metavar="PROBABILITY")
]
HospitalOption = Annotated[bool, typer.Option("--hospital")]
PublicUrlOption = Annotated[str | None, typer.Option("--public-url", metavar="URL")]
CodesOption = Annotated[Path | None, typer.Option("--codes", metavar="FILE")]
ResultDaysOption = Annotated[int, typer.Option("--result-days", min=1)]
ProcessesOption = Annotated[int, typer.Option("--processes", min=1)]


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
    hospital: HospitalOption = False,
    public_url: PublicUrlOption = None,
    codes: CodesOption = None,
    result_days: ResultDaysOption = 90,
) -> None:
    """Serve a page for the desk and JSON for programs, until Ctrl+C."""
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
    inside = None
    if hospital:
        from responder_model.interchange.code_file import read_codes, shipped_codes
        from responder_model.serving.hospital import Hospital

        inside = Hospital(
            public_url=public_url or f"http://{address}:{port}",
            codes=shipped_codes() if codes is None else read_codes(codes),
            result_days=result_days,
        )
    elif public_url is not None or codes is not None:
        raise ResponderModelError(Note("serving.without_hospital"))
    names = frozenset(name.lower() for name in (*(host_name or ()), address))
    settings = ServerSettings(
        models=tuple(model or ()),
        hosts=LOCAL_HOSTS | names,
        origins=tuple(allow_origin or ()),
        embed=tuple(embed or ()),
        tokens=None if tokens is None else read_tokens(tokens),
        tokens_file=tokens,
        is_behind_tls=behind_tls,
        proxy=behind_proxy,
        threshold=threshold,
        hospital=inside,
        limits=Limits() if limits is None else read_limits(limits),
    )
    tell("serve_open", address=f"http://{address}:{port}/")
    run_server(settings, host=address, port=port, processes=processes)
