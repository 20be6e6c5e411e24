"""The command ``serve``: the page and the JSON interface, on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from responder_model.errors import MissingExtraError, ResponderModelError
from responder_model.words import Note
from .options import spoken
from .output import print_notices, tell

if TYPE_CHECKING:
    from responder_model.audit import Trail
    from responder_model.serving.hospital import Hospital

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
MonitoringOption = Annotated[
    Path | None,
    typer.Option("--monitoring", metavar="FILE", exists=True, dir_okay=False),
]
HospitalOption = Annotated[bool, typer.Option("--hospital")]
PublicUrlOption = Annotated[str | None, typer.Option("--public-url", metavar="URL")]
ClientsOption = Annotated[Path | None, typer.Option("--cds-clients", metavar="FILE")]
StateOption = Annotated[Path | None, typer.Option("--cds-state", metavar="FILE")]
CodesOption = Annotated[Path | None, typer.Option("--codes", metavar="FILE")]
ResultDaysOption = Annotated[int, typer.Option("--result-days", min=1)]
AuditOption = Annotated[Path | None, typer.Option("--audit", metavar="FOLDER")]
AuditKeyOption = Annotated[Path | None, typer.Option("--audit-key", metavar="FILE")]
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
    monitoring: MonitoringOption = None,
    processes: ProcessesOption = 1,
    hospital: HospitalOption = False,
    public_url: PublicUrlOption = None,
    codes: CodesOption = None,
    result_days: ResultDaysOption = 90,
    cds_clients: ClientsOption = None,
    cds_state: StateOption = None,
    audit: AuditOption = None,
    audit_key: AuditKeyOption = None,
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
    for each in filter(is_kept, model or ()):
        # what is fetched now is there when the store does not answer later
        folder_of(each, announce=lambda note: print_notices([note]))
    of_hospital = (public_url, codes, cds_clients, cds_state)
    if not hospital and any(given is not None for given in of_hospital):
        raise ResponderModelError(Note("serving.without_hospital"))
    name = f"[{address}]" if ":" in address else address
    here = f"http://{name}:{port}"
    inside = _hospital(here, *of_hospital, result_days) if hospital else None
    names = frozenset(each.lower() for each in (*(host_name or ()), name))
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
        monitoring=monitoring,
        hospital=inside,
        audit=_trail(audit, audit_key),
        limits=Limits() if limits is None else read_limits(limits),
    )

    def opened(at: int) -> None:
        tell("serve_open", address=f"http://{name}:{at}/")

    run_server(settings, host=address, port=port, processes=processes, opened=opened)


def _hospital(
    here: str,
    public_url: str | None,
    codes: Path | None,
    clients: Path | None,
    state: Path | None,
    result_days: int,
) -> Hospital:
    """How the server answers inside the record, its files read."""
    if clients is not None and public_url is None:
        raise ResponderModelError(Note("serving.clients_without_url"))
    from responder_model.interchange.code_file import read_codes, shipped_codes
    from responder_model.serving.callers import read_callers
    from responder_model.serving.hospital import Hospital
    from responder_model.serving.ledger import NAME

    if state is None and clients is not None:
        state = clients.with_name(NAME)
    return Hospital(
        public_url=public_url or here,
        codes=shipped_codes() if codes is None else read_codes(codes),
        result_days=result_days,
        lang=spoken().value,
        callers=None if clients is None else read_callers(clients),
        callers_file=clients,
        state=state,
    )


def _trail(folder: Path | None, key: Path | None) -> Trail | None:
    """The audit trail, ready to be written."""
    if folder is None and key is None:
        return None
    if folder is None or key is None:
        raise ResponderModelError(Note("audit.both"))
    from responder_model.audit import Trail, read_key

    if key.resolve().parent == folder.resolve():
        raise ResponderModelError(Note("audit.key_inside"))
    return Trail(folder, read_key(key))
