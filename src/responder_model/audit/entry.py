"""One line of a trail: what it says, how it is sealed, and how it is read again."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from responder_model.artifact.strict_json import canonical_json
from .key import AuditKey

# Before the first line.
NO_MAC = "0" * 64
_MAC = re.compile(rb'(.*),"mac":"([0-9a-f]{64})"\}', re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One scored patient.

    Parameters
    ----------
    request : str
        Identifier of the request, that of the server's log and of the answer.
    decision : str
        ``decision@moment`` that was asked.
    model : str
        Digest of the model that answered.
    also : tuple of str
        Digests of other models of which a number stands in the same answer.
    mapping : str
        Version of the table of codes; empty where no code was used.
    input : mapping
        The patient's cleaned values, and what else went in: the line has their HMAC.
    output : mapping
        The figures that were answered, in clear.
    """

    request: str
    decision: str
    model: str
    also: tuple[str, ...] = ()
    mapping: str = ""
    input: Mapping[str, Any] = field(repr=False)
    output: Mapping[str, Any] = field(repr=False)

    def to_dict(self, key: AuditKey) -> dict[str, Any]:
        """Plain data of the line, the input as its HMAC."""
        return {
            "request": self.request,
            "decision": self.decision,
            "model": self.model,
            **({"also": list(self.also)} if self.also else {}),
            **({"mapping": self.mapping} if self.mapping else {}),
            "input": key.seal("input", canonical_json(self.input)),
            "output": dict(self.output),
        }


def line_start(n: int) -> bytes:
    """First bytes of line ``n``."""
    return b'{"n":%d,' % n


def seal_line(
    key: AuditKey, n: int, before: str, plain: Mapping[str, Any]
) -> tuple[bytes, str]:
    """Write line ``n``, which follows the one with the HMAC ``before``; its own HMAC.

    Examples
    --------
    >>> key = AuditKey(secret=bytes(32))
    >>> line, mac = seal_line(key, 1, NO_MAC, {"output": {"probability": 0.5}})
    >>> line[:38], split_line(line[:-1])[1] == mac
    (b'{"n":1,"output":{"probability":0.5},"m', True)
    """
    # canonical but for the place of `n`, the first, and `mac`, the last
    body = line_start(n) + canonical_json(plain)[1:-2]
    mac = mac_of(key, before, body)
    return body + f',"mac":"{mac}"}}\n'.encode(), mac


def mac_of(key: AuditKey, before: str, body: bytes) -> str:
    """HMAC over that of the line before and a line's own bytes."""
    return key.seal("line", before.encode() + b"\n" + body)


def split_line(line: bytes) -> tuple[bytes, str] | None:
    """A line without its end, as bytes that are sealed and their HMAC."""
    found = _MAC.fullmatch(line)
    return (found[1], found[2].decode()) if found else None


def follows(key: AuditKey, before: str, line: bytes) -> str | None:
    """HMAC of a line that follows another and is as it was written; None for others."""
    parts = split_line(line)
    if parts is None or not hmac.compare_digest(
        mac_of(key, before, parts[0]), parts[1]
    ):
        return None
    return parts[1]


def read_line(line: bytes) -> dict[str, Any]:
    """What a line says, sealed or not; empty for what is no line."""
    try:
        plain = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return plain if isinstance(plain, dict) else {}
