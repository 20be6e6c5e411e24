"""Problem documents (RFC 9457): what is refused and what is allowed.

A problem names fields, rules and what is allowed; it never repeats what was sent, and
no exception's text enters it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from starlette.responses import Response

from responder_model.words import LANGUAGES, Note, say

JSON, MEDIA_TYPE = "application/json", "application/problem+json"


class Kind(Enum):
    """Kinds of problem: name and status. Titles stand in ``words/serving.toml``."""

    BAD_JSON = ("bad_json", 400)
    BAD_REQUEST = ("bad_request", 400)
    UNAUTHORISED = ("unauthorised", 401)
    FORBIDDEN = ("forbidden", 403)
    NOT_FOUND = ("not_found", 404)
    METHOD_NOT_ALLOWED = ("method_not_allowed", 405)
    REQUEST_TIMEOUT = ("request_timeout", 408)
    PATIENT_MISSING = ("patient_missing", 412)
    TOO_LARGE = ("too_large", 413)
    URI_TOO_LONG = ("uri_too_long", 414)
    UNSUPPORTED_MEDIA_TYPE = ("unsupported_media_type", 415)
    WRONG_HOST = ("wrong_host", 421)
    INVALID_REQUEST = ("invalid_request", 422)
    INVALID_PATIENT = ("invalid_patient", 422)
    REFUSED_MODEL = ("refused_model", 422)
    TOO_MANY_REQUESTS = ("too_many_requests", 429)
    HEADERS_TOO_LARGE = ("headers_too_large", 431)
    INTERNAL_ERROR = ("internal_error", 500)
    BUSY = ("busy", 503)
    NOT_READY = ("not_ready", 503)
    NOT_RECORDED = ("not_recorded", 503)
    ANSWER_TIMEOUT = ("answer_timeout", 504)

    def __init__(self, code: str, status: int) -> None:
        self.code, self.status = code, status


# Kinds that the JSON interface knows.
JSON_KINDS = tuple(kind for kind in Kind if kind is not Kind.PATIENT_MISSING)
# Kind that answers a status which the framework raises: the first that has it.
KIND_OF_STATUS = {kind.status: kind for kind in reversed(Kind)}


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing that is wrong.

    Parameters
    ----------
    pointer : str
        JSON pointer to it; to what holds it, where its own name was made up by the
        sender.
    allowed : Note
        The rule.
    field : str or None
        Name in the dictionary.
    label : Note or None
        How a person knows the field.
    """

    pointer: str
    allowed: Note
    field: str | None = None
    label: Note | None = None

    @property
    def rule(self) -> str:
        """Name of the rule, for programs."""
        return self.allowed.code.partition(".")[2]

    def to_dict(self, lang: str) -> dict[str, Any]:
        """Plain data, sentences in a language."""
        return {
            "pointer": self.pointer,
            "field": self.field,
            "label": self.label.text(lang) if self.label else None,
            "rule": self.rule,
            "allowed": self.allowed.text(lang),
        }


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """A request that is answered with a problem document.

    Parameters
    ----------
    kind : Kind
    items : sequence of Item
        All that is wrong.
    headers : mapping
        Further headers of the answer.
    lang : str or None
        Language that the request asked for, where it could be read.
    """

    def __init__(
        self,
        kind: Kind,
        items: Sequence[Item] = (),
        *,
        headers: Mapping[str, str] | None = None,
        lang: str | None = None,
    ) -> None:
        self.kind, self.items, self.lang = kind, tuple(items), lang
        self.headers = dict(headers or {})
        super().__init__(kind.code)

    def document(self, request_id: str, lang: str) -> dict[str, Any]:
        """Plain data of the answer; ``lang`` where the request asked for none.

        Examples
        --------
        >>> Refused(Kind.NOT_FOUND).document("a1", "fr")["title"]
        'Rien à cette adresse'
        """
        lang = self.lang or lang
        return {
            "type": f"/problems/{self.kind.code.replace('_', '-')}",
            "title": say(f"serving.{self.kind.code}", lang),
            "status": self.kind.status,
            "request_id": request_id,
            "problems": [item.to_dict(lang) for item in self.items],
        }


def dump_json(value: Any) -> bytes:
    """Write JSON; a number that is not finite is an error, never sent."""
    return _ENCODER.encode(value).encode()


# What is written was made here, and holds no circle.
_ENCODER = json.JSONEncoder(
    ensure_ascii=False,
    allow_nan=False,
    check_circular=False,
    separators=(",", ":"),
)


def json_response(
    value: Any,
    *,
    status: int = 200,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer in JSON."""
    return Response(
        dump_json(value), status_code=status, media_type=media_type, headers=headers
    )


def language_of(accepted: str, otherwise: str = LANGUAGES[0]) -> str:
    """Language of ``Accept-Language``: the first of ours that it names, else English.

    Examples
    --------
    >>> language_of("de-DE, fr-CA;q=0.8, en;q=0.5"), language_of("")
    ('fr', 'en')
    """
    for part in accepted.split(","):
        name = part.strip()[:2].lower()
        if name in LANGUAGES:
            return name
    return otherwise
