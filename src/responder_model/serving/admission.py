"""Who is let in: size of a request, host name, origin, token."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from responder_model.words import LANGUAGES, Note
from .problems import Item, Kind, Refused
from .settings import Limits, ServerSettings
from .tokens import WINDOW, Doorkeeper, Role

# The connection is closed where what is left of a request is not read.
CLOSE = {"connection": "close"}
# What answers without a token: that the server lives, and where to go.
OPEN_PATHS = ("/health", "/ready", "/docs", *(f"/{lang}/login" for lang in LANGUAGES))
OPEN_FILES = "/static/"
# Cookie of a browser that was let in with a token; it holds a handle, nothing else.
SESSION = "session"
ADMIN_PATHS = "/admin/"
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_HERE = ("same-origin", "none")
_PREFLIGHT = {
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": "authorization, content-type, x-request-id",
    "access-control-max-age": "600",
}


def check_size(scope: Scope, limits: Limits) -> None:
    """Refuse an address or headers that are too large."""
    headers = scope["headers"]
    url = len(scope.get("raw_path") or scope["path"]) + len(scope["query_string"])
    if url > limits.url_bytes:
        raise Refused(Kind.URI_TOO_LONG, headers=CLOSE)
    size = sum(len(name) + len(value) for name, value in headers)
    if size > limits.header_bytes or len(headers) > limits.header_fields:
        raise Refused(Kind.HEADERS_TOO_LARGE, headers=CLOSE)


def check_host(scope: Scope, settings: ServerSettings) -> None:
    """Refuse a host name that is not ours: any name can be made to lead here."""
    if host_name(Headers(scope=scope).get("host", "")) not in settings.hosts:
        raise Refused(Kind.WRONG_HOST)


def host_name(host: str) -> str:
    """Name in a ``Host`` header, in small letters and without the port.

    Examples
    --------
    >>> host_name("LocalHost:8000"), host_name("[::1]:80")
    ('localhost', '[::1]')
    """
    return re.sub(r":\d*$", "", host).lower()


def check_origin(scope: Scope, settings: ServerSettings) -> None:
    """Refuse what a page of somebody else sends, unless its origin is allowed.

    A browser says with ``Sec-Fetch-Site`` whose page it was, except to a server that it
    reaches by plain http; our own forms then have the origin ``null``, because of our
    referrer policy.
    """
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    if scope["method"] in _SAFE_METHODS or origin in settings.origins:
        return
    site = headers.get("sec-fetch-site")
    own = (None, "null", headers.get("host", ""))
    told = urlsplit(origin).netloc if origin and origin != "null" else origin
    if (site not in _HERE) if site is not None else (told not in own):
        raise _forbidden(rule="other_origin")


def cross_origin(scope: Scope, settings: ServerSettings) -> dict[str, str]:
    """Headers that let a page of an allowed origin read an answer."""
    if not settings.origins:
        return {}
    origin = Headers(scope=scope).get("origin")
    if origin not in settings.origins:
        return {"vary": "Origin"}
    return {"vary": "Origin", "access-control-allow-origin": origin}


def preflight(scope: Scope, settings: ServerSettings) -> Mapping[str, str] | None:
    """Headers of the answer to a browser that asks first; None where nobody does.

    Raises
    ------
    Refused
        For an origin that is not allowed.
    """
    if scope["method"] != "OPTIONS":
        return None
    headers = Headers(scope=scope)
    if "access-control-request-method" not in headers or "origin" not in headers:
        return None
    if headers["origin"] not in settings.origins:
        raise _forbidden(rule="other_origin")
    return _PREFLIGHT


def is_page(path: str) -> bool:
    """Whether an address is one of the pages for people.

    Examples
    --------
    >>> is_page("/fr/pathway"), is_page("/v1/models")
    (True, False)
    """
    return path.strip("/").partition("/")[0] in ("", *LANGUAGES)


def session_of(scope: Scope) -> str:
    """Handle in the cookie of a browser; empty without one."""
    cookie = SimpleCookie()
    try:
        cookie.load(Headers(scope=scope).get("cookie", ""))
    except CookieError:
        return ""
    return cookie[SESSION].value if SESSION in cookie else ""


def check_role(scope: Scope, doorkeeper: Doorkeeper | None) -> None:
    """Refuse who has no token, a wrong one, or one that does not allow it.

    Without a file of tokens everybody may ask.
    """
    path = scope["path"]
    if doorkeeper is None or path in OPEN_PATHS or path.startswith(OPEN_FILES):
        return
    if is_page(path) and doorkeeper.role_of_session(session_of(scope)):
        return
    role = _role(scope, doorkeeper)
    if path.startswith(ADMIN_PATHS) and role != "admin":
        raise _forbidden(rule="token_role")


def _forbidden(*, rule: str) -> Refused:
    """Refusal that says why; nothing of the request."""
    return Refused(Kind.FORBIDDEN, [Item(pointer="", allowed=Note(f"serving.{rule}"))])


def _role(scope: Scope, doorkeeper: Doorkeeper) -> Role:
    kind, _, secret = Headers(scope=scope).get("authorization", "").partition(" ")
    asks = {"www-authenticate": "Bearer"}
    if kind.lower() != "bearer" or not secret:
        raise Refused(Kind.UNAUTHORISED, headers=asks)
    role = doorkeeper.role_of(secret.strip())
    if role is not None:
        return role
    refuse_token(scope, doorkeeper)
    raise Refused(Kind.UNAUTHORISED, headers=asks)


def refuse_token(scope: Scope, doorkeeper: Doorkeeper) -> None:
    """Count a wrong token, and refuse an address that sends too many.

    Raises
    ------
    Refused
        ``too_many_requests``.
    """
    address = (scope.get("client") or ("",))[0]
    if doorkeeper.count_failure(address):
        wait = {"retry-after": f"{WINDOW:.0f}"}
        raise Refused(Kind.TOO_MANY_REQUESTS, headers=wait)
