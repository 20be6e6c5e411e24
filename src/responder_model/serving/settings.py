"""How a server is set up: whom it answers, and its limits."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

# Host names of a server that only this machine can reach.
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one caller may take; each can be set in a file (``--limits``).

    Parameters
    ----------
    body_bytes, header_bytes, header_fields, url_bytes : int
        Size of a request.
    patients, form_fields : int
        Patients of a call, fields of a form.
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
    header_bytes: int = 16 * 1024
    header_fields: int = 64
    url_bytes: int = 2048
    patients: int = 100
    form_fields: int = 200
    header_seconds: float = 5.0
    request_seconds: float = 10.0
    answer_seconds: float = 10.0
    connections: int = 200
    connections_per_address: int = 50
    threads: int = 2 * (os.cpu_count() or 1)
    queue: int = 64
    failed_tokens: int = 10


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
    is_behind_tls : bool
        Whether callers reach it by https only.
    limits : Limits
    """

    models: tuple[str, ...] = ()
    hosts: frozenset[str] = LOCAL_HOSTS
    origins: tuple[str, ...] = ()
    embed: tuple[str, ...] = ()
    is_behind_tls: bool = False
    limits: Limits = field(default_factory=Limits)
