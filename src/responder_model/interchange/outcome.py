"""What is refused, as FHIR says it: an OperationOutcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# Kind of issue that tells a program what to do, by HTTP status; else "processing".
_ISSUE_OF = {
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    408: "timeout",
    412: "required",
    413: "too-long",
    414: "too-long",
    415: "not-supported",
    422: "invalid",
    429: "throttled",
    431: "too-long",
    500: "exception",
    503: "transient",
    504: "timeout",
}


def operation_outcome(
    status: int, title: str, problems: Sequence[tuple[str, str]] = ()
) -> dict[str, Any]:
    """OperationOutcome of a refusal.

    Parameters
    ----------
    status : int
        HTTP status that it is sent with.
    title : str
        What was refused.
    problems : sequence of (str, str)
        FHIRPath expression (may be empty) of each thing that is wrong, and what is
        said of it.

    Examples
    --------
    >>> found = operation_outcome(404, "There is nothing at this address")
    >>> found["issue"][0]["code"], found["issue"][0]["details"]["text"]
    ('not-found', 'There is nothing at this address')
    """
    code = _ISSUE_OF.get(status, "processing")
    issues = [
        {
            "severity": "error",
            "code": code,
            "details": {"text": rule or title},
            **({"expression": [at]} if at else {}),
        }
        for at, rule in problems or (("", ""),)
    ]
    return {"resourceType": "OperationOutcome", "issue": issues}
