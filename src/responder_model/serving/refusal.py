"""A refusal as a page, for who asked with a browser."""

from __future__ import annotations

from responder_model.serving.frame import Page, other_language, render
from responder_model.serving.problems import Refused
from responder_model.words import LANGUAGES, say


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
    first = path.strip("/").partition("/")[0]
    if "text/html" not in accepted or first not in ("", *LANGUAGES):
        return None
    return first or preferred


def refusal_page(refused: Refused, request_id: str, lang: str) -> Page:
    """Say what was refused, and that nothing is lost in the browser."""
    return render(
        "refusal.html.j2",
        lang,
        status=refused.kind.status,
        title=say(f"serving.{refused.kind.code}", lang),
        other_path=f"/{other_language(lang)}",
        simulated=False,
        request_id=request_id,
    )
