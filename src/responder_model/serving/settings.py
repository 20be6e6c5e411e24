"""How a server is set up: whom it answers, and its limits."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

from responder_model.artifact.strict_json import MAX_DEPTH
from responder_model.audit import Trail
from responder_model.errors import ResponderModelError
from responder_model.model.verdict import check_threshold
from responder_model.words import Note
from .tokens import Token

if TYPE_CHECKING:
    from .hospital import Hospital

# Host names of a server that only this machine can reach.
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
# Scheme, host and port, as a browser sends them.
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one caller may take; each can be set in a file (``--limits``).

    Parameters
    ----------
    body_bytes, header_bytes, header_fields, url_bytes : int
        Size of a request.
    record_bytes : int
        Size of a request that holds a hospital's record.
    patients, form_fields, json_depth : int
        Patients of a call, fields of a form, levels of what is sent as JSON.
    header_seconds, request_seconds, answer_seconds : float
        Time for the headers to arrive, for the whole request, and for the answer.
    connections, connections_per_address : int
        Connections at a time.
    threads, queue : int
        Requests at work at a time, and those that wait.
    failed_tokens : int
        Wrong tokens from one address in a minute.
    """

    body_bytes: int = 64 * 1024
    record_bytes: int = 1024 * 1024
    header_bytes: int = 16 * 1024
    header_fields: int = 64
    url_bytes: int = 2048
    patients: int = 100
    form_fields: int = 200
    json_depth: int = MAX_DEPTH
    header_seconds: float = 5.0
    request_seconds: float = 10.0
    answer_seconds: float = 10.0
    connections: int = 200
    connections_per_address: int = 50
    threads: int = 2 * (os.cpu_count() or 1)
    queue: int = 64
    failed_tokens: int = 10


def read_limits(path: Path) -> Limits:
    """Read limits from a TOML file; those that it does not name stay.

    Raises
    ------
    ResponderModelError
        For a file that is no TOML, an unknown limit, and one that is no number above 0.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        said = Note("serving.limits_file", name=path.name)
        raise ResponderModelError(said) from error
    known = {row.name: type(row.default) for row in fields(Limits)}
    for name, value in given.items():
        whole = known.get(name) is int
        is_number = isinstance(value, int if whole else int | float)
        if name not in known or not is_number or isinstance(value, bool) or value <= 0:
            said = Note("serving.limit", name=name, known=tuple(known))
            raise ResponderModelError(said)
    return Limits(**given)


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """How a server is set up.

    Parameters
    ----------
    models : tuple of str
        Folders and names; each takes the place of the published model that answers the
        same question.
    hosts : frozenset of str
        Host names that it answers to, without the port.
    origins : tuple of str
        Origins whose pages may call the JSON interface; none by default.
    embed : tuple of str
        Origins that may show the page in a frame; none by default.
    tokens : tuple of Token or None
        Who may ask; None asks for no token.
    tokens_file : Path or None
        Where they were read, and are read again with the models; None: they stay.
    is_behind_tls : bool
        Whether callers reach it by https only.
    proxy : str or None
        Address of a proxy that is believed about who asks.
    threshold : float or None
        Probability of response at which the clinic tests; the page compares with it.
        None: with the average patient.
    monitoring : Path or None
        Result of monitoring, read with the models: those with an alarm say that they
        are under review, and answer.
    limits : Limits
    hospital : Hospital or None
        How it answers inside a hospital's systems; None: not at all.
    audit : Trail or None
        Where each scored patient is recorded before the answer leaves; None: nowhere.

    Raises
    ------
    ResponderModelError
        For an origin that is none, or a threshold that is no probability.
    """

    models: tuple[str, ...] = ()
    hosts: frozenset[str] = LOCAL_HOSTS
    origins: tuple[str, ...] = ()
    embed: tuple[str, ...] = ()
    tokens: tuple[Token, ...] | None = None
    tokens_file: Path | None = None
    is_behind_tls: bool = False
    proxy: str | None = None
    threshold: float | None = None
    monitoring: Path | None = None
    limits: Limits = field(default_factory=Limits)
    hospital: Hospital | None = None
    audit: Trail | None = None

    def __post_init__(self) -> None:
        if self.threshold is not None:
            check_threshold(self.threshold)
        for origin in (*self.origins, *self.embed):
            if not _ORIGIN.fullmatch(origin):
                raise ResponderModelError(Note("serving.origin", origin=origin))
