"""Records that may call CDS Hooks: known by a signed token (JWT), or on this machine.

A token is good for one call: of one address, for five minutes at most. Keys are read
from files of this server; what a token says of where its keys are is never followed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers
from starlette.types import Scope

from responder_model.artifact.strict_json import parse_json
from responder_model.errors import (
    MissingExtraError,
    ResponderModelError,
    UntrustedModelError,
    system_reason,
)
from responder_model.frozen import FrozenDict
from responder_model.words import Note
from .admission import host_name
from .problems import Item, Kind, Refused
from .settings import LOCAL_HOSTS, ServerSettings

if TYPE_CHECKING:
    from .ledger import Ledger

FORMAT_VERSION = 1
# Seconds that a token may be good for, and by which two clocks may differ.
LIFETIME, LEEWAY = 300, 30
# Bits of the shortest RSA key.
RSA_BITS = 2048
# Longest issuer and name of a token that are taken.
_LONGEST = 512
_CLAIMS = ("iss", "aud", "exp", "iat", "jti")
_KEYS = {"issuer", "jwks"}
_LOOPBACK = ("127.0.0.1", "::1")
# What a proxy adds: who asks is then somebody else.
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
Table = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Caller:
    """One record that may call: its issuer, and its keys by their names.

    ``keys`` holds, by ``kid``, the one algorithm of a key and the key.
    """

    issuer: str
    keys: Mapping[str, tuple[str, Any]]


def read_callers(path: Path) -> tuple[Caller, ...]:
    """Read a file of callers, and the files of keys that it names beside it.

    Raises
    ------
    ResponderModelError
        For files that cannot be read, with all that is wrong in them.
    MissingExtraError
        Without the extra ``hospital``.
    """
    rows = _rows_of(path)
    problems: list[Note] = []
    callers = []
    for number, row in enumerate(rows, start=1):
        at = f"clients[{number}]"
        filled = isinstance(row, Mapping) and set(row) == _KEYS
        if not filled or not all(isinstance(v, str) and v for v in row.values()):
            problems.append(Note("serving.client_row", at=at))
            continue
        try:
            keys = _keys_of(path.parent / row["jwks"])
            callers.append(Caller(issuer=row["issuer"], keys=keys))
        except ResponderModelError as error:
            problems.append(error.said)
    issuers = [caller.issuer for caller in callers]
    twice = {issuer for issuer in issuers if issuers.count(issuer) > 1}
    problems += [Note("serving.client_twice", issuer=issuer) for issuer in twice]
    if problems:
        said = Note("serving.clients", name=path.name, problems=tuple(problems))
        raise ResponderModelError(said)
    return tuple(callers)


def _rows_of(path: Path) -> Sequence[Any]:
    try:
        table = tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        said = Note(
            "system.cannot_be_used", name=path.name, reason=system_reason(error)
        )
        raise ResponderModelError(said) from error
    except ValueError as error:
        raise ResponderModelError(_no_clients(path)) from error
    rows = table.get("clients")
    is_known = set(table) == {"format_version", "clients"}
    if not is_known or table["format_version"] != FORMAT_VERSION or not rows:
        raise ResponderModelError(_no_clients(path))
    return rows if isinstance(rows, list) else (rows,)


def _no_clients(path: Path) -> Note:
    return Note("serving.clients_file", name=path.name, n=FORMAT_VERSION)


def _keys_of(path: Path) -> Mapping[str, tuple[str, Any]]:
    """Public keys of a JWK Set that are good for us, by their names.

    Raises
    ------
    ResponderModelError
        For a file that cannot be read, holds a secret, or no key that is good for us.
    """
    name = path.name
    try:
        found = parse_json(path.read_bytes(), name)
        rows = [*_objects(found["keys"])]
    except OSError as error:
        said = Note("serving.keys_unread", name=name, reason=system_reason(error))
        raise ResponderModelError(said) from error
    except (UntrustedModelError, TypeError, KeyError):
        raise ResponderModelError(Note("serving.keys_file", name=name)) from None
    if any({"d", "k"} & set(row) for row in rows):
        raise ResponderModelError(Note("serving.keys_secret", name=name))
    usable = [(row.get("kid"), _key_of(row)) for row in rows]
    keys = {kid: key for kid, key in usable if isinstance(kid, str) and kid and key}
    if not keys or len(keys) < sum(key is not None for _, key in usable):
        raise ResponderModelError(Note("serving.keys_none", name=name, bits=RSA_BITS))
    return FrozenDict(keys)


def _objects(rows: Any) -> Iterator[Table]:
    for row in rows:
        if not isinstance(row, dict):
            raise TypeError
        yield row


def _key_of(row: Table) -> tuple[str, Any] | None:
    """Algorithm and key; None for a key of another kind or use."""
    try:
        import jwt
    except ModuleNotFoundError as error:
        raise MissingExtraError(library=str(error.name), extra="hospital") from error
    is_curve = row.get("kty") == "EC" and row.get("crv") == "P-384"
    algorithm = "ES384" if is_curve else "RS384"
    is_ours = is_curve or row.get("kty") == "RSA"
    if not is_ours or row.get("use", "sig") != "sig":
        return None
    if row.get("alg", algorithm) != algorithm:
        return None
    try:
        key = jwt.PyJWK(dict(row), algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        # its text holds the key
        return None
    return (algorithm, key) if is_curve or key.key_size >= RSA_BITS else None


def check_caller(
    scope: Scope, callers: Sequence[Caller], *, audience: str, ledger: Ledger
) -> None:
    """Refuse a call without a token that is good for it, now and for the first time.

    Parameters
    ----------
    scope : ASGI scope
    callers : sequence of Caller
    audience : str
        Address that is called.
    ledger : Ledger
        Remembers tokens until they have expired.

    Raises
    ------
    Refused
        ``unauthorised``, with the rule that the token breaks.
    """
    kind, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise _refusal(rule="caller_token")
    claims = _verified(token.strip(), callers, audience)
    until = float(claims["exp"]) + LEEWAY
    if not ledger.is_new(claims["iss"], claims["jti"], until=until):
        raise _refusal(rule="caller_replayed")


def _refusal(*, rule: str) -> Refused:
    items = [Item(pointer="", allowed=Note(f"serving.{rule}", seconds=LIFETIME))]
    asks = {"www-authenticate": "Bearer"}
    return Refused(Kind.UNAUTHORISED, items, headers=asks)


def _verified(token: str, callers: Sequence[Caller], audience: str) -> dict[str, Any]:
    """Claims of a token.

    Raises
    ------
    Refused
        With the rule that it breaks; nothing of the token.
    """
    import jwt

    try:
        told = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError):
        raise _refusal(rule="caller_token") from None
    algorithm, key = _key_for(told["header"], told["payload"], callers)
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=audience,
            leeway=LEEWAY,
            options={"require": list(_CLAIMS)},
        )
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
        rule = _RULE_OF.get(type(error).__name__, "caller_token")
        raise _refusal(rule=rule) from None
    broken = next((rule for rule, holds in _rules(claims, audience) if not holds), None)
    if broken is not None:
        raise _refusal(rule=broken)
    return claims


_RULE_OF = {
    "ExpiredSignatureError": "caller_time",
    "ImmatureSignatureError": "caller_time",
    "InvalidIssuedAtError": "caller_time",
    "InvalidAudienceError": "caller_audience",
    "InvalidSignatureError": "caller_key",
    "MissingRequiredClaimError": "caller_claims",
}


def _key_for(header: Table, told: Table, callers: Sequence[Caller]) -> tuple[str, Any]:
    """The one key that a token must be signed with; an algorithm is the key's own."""
    issuer, kid = told.get("iss"), header.get("kid")
    keys = next((row.keys for row in callers if row.issuer == issuer), None)
    if keys is None:
        raise _refusal(rule="caller_issuer")
    if not isinstance(kid, str) or kid not in keys or "crit" in header:
        raise _refusal(rule="caller_key")
    algorithm, key = keys[kid]
    if header.get("alg") != algorithm:
        raise _refusal(rule="caller_algorithm")
    return algorithm, key


def _rules(claims: Table, audience: str) -> Iterator[tuple[str, bool]]:
    """What PyJWT does not ask of a token."""
    times = [claims["exp"], claims["iat"]]
    is_time = all(isinstance(t, int | float) and not isinstance(t, bool) for t in times)
    yield "caller_claims", is_time
    yield "caller_lifetime", 0 < times[0] - times[1] <= LIFETIME
    # one address, and no list that others are in too
    yield "caller_audience", claims["aud"] in (audience, [audience])
    named = (claims["iss"], claims["jti"])
    yield (
        "caller_claims",
        all(isinstance(n, str) and 0 < len(n) <= _LONGEST for n in named),
    )


def check_local(scope: Scope, settings: ServerSettings) -> None:
    """Refuse a call from elsewhere than this machine, also through a proxy on it.

    Raises
    ------
    Refused
        ``forbidden``.
    """
    headers = Headers(scope=scope)
    address = (scope.get("client") or ("",))[0]
    is_local = (
        address in _LOOPBACK
        and host_name(headers.get("host", "")) in LOCAL_HOSTS
        and settings.proxy is None
        and not any(name in headers for name in _FORWARDED)
    )
    if not is_local:
        items = [Item(pointer="", allowed=Note("serving.caller_local"))]
        raise Refused(Kind.FORBIDDEN, items)
