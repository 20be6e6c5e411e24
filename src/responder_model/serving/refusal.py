"""A refusal as a page, for who asked with a browser."""

from __future__ import annotations

from .admission import is_page
from .frame import Page, other_language, render
from .problems import Kind, Refused


def page_language(path: str, accepted: str, preferred: str) -> str | None:
    """Language of the page that a browser asked for; None for any other address.

    Parameters
    ----------
    path, accepted : str
        Address without what follows ``?``, and the header ``Accept``.
    preferred : str
        Language of the first page, whose address names none.

    Examples
    --------
    >>> page_language("/fr/rtms_response/screening", "text/html,*/*", "en")
    'fr'
    >>> page_language("/v1/models", "text/html", "en") is None
    True
    """
    if "text/html" not in accepted or not is_page(path):
        return None
    return path.strip("/").partition("/")[0] or preferred


def refusal_page(refused: Refused, request_id: str, lang: str) -> Page:
    """Say what was refused, and that nothing is lost in the browser."""
    told = refused.document(request_id, lang)
    return render(
        "refusal.html.j2",
        lang,
        status=refused.kind.status,
        title=told["title"],
        other_path=f"/{other_language(lang)}",
        warnings=(),
        request_id=request_id,
        reasons=[row["allowed"] for row in told["problems"] if row["field"] is None],
        asks_token=refused.kind is Kind.UNAUTHORISED,
        login=f"/{lang}/login",
    )
