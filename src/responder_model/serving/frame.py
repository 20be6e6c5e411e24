"""What all pages share: their frame, their addresses, and how templates speak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from responder_model.errors import Problem
from responder_model.model import Model
from responder_model.reporting.render import environment
from responder_model.words import LANGUAGES, say
from .entries import NOT_KNOWN
from .recording import ScoredPatient

TEMPLATES = "serving/templates"
# Models that are served, by decision and moment.
Models = Mapping[tuple[str, str], Model]

# What a button asks of the page that it is sent to.
SCORE, FORM = "score", "form"
# The question that follows the test.
IMPLANT = ("emcs_success", "implantation")
# What is to be checked in a patient before stimulation.
CHECKLIST = ("metal", "devices", "pregnancy", "epilepsy", "pressure")


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page, the HTTP status that it is sent with, and what was refused.

    ``problems`` names fields and rules, without a value: for the log. ``scored`` are
    those of whom a figure stands on it: for the audit trail.
    """

    status: int
    html: str
    problems: tuple[tuple[str, str], ...] = ()
    scored: tuple[ScoredPatient, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Button:
    """A way on from a page: where the entries are sent, and what is asked there."""

    path: str
    does: str
    label: str


def path_of(lang: str, decision: str, moment: str) -> str:
    """Return the address of a question.

    Examples
    --------
    >>> path_of("fr", "rtms_response", "screening")
    '/fr/rtms_response/screening'
    """
    return f"/{lang}/{decision}/{moment}"


def other_language(lang: str) -> str:
    """Return the language that the button offers.

    Examples
    --------
    >>> other_language("fr")
    'en'
    """
    return next(other for other in LANGUAGES if other != lang)


def warnings_of(*models: Model, lang: str) -> list[str]:
    """What stands above all else on a page of these models, each once.

    Examples
    --------
    >>> import datetime
    >>> import responder_model as rm
    >>> model = rm.published_model("rtms_response", moment="screening")
    >>> warnings_of(model, lang="en")
    []
    >>> since = datetime.date(2026, 5, 3)
    >>> warnings_of(model.under_review(since), lang="en")[0][:42]
    'Calibration under review since 2026-05-03:'
    """
    said = [m.review.text(lang) for m in models if m.review is not None]
    if any(model.provenance == "simulated" for model in models):
        said.insert(0, say("page.simulated_banner", lang))
    return list(dict.fromkeys(said))


def render(
    name: str,
    lang: str,
    *,
    title: str,
    refused: Sequence[Problem] = (),
    status: int = 200,
    stay: str | None = None,
    scored: tuple[ScoredPatient, ...] = (),
    **context: Any,
) -> Page:
    """Page of a template.

    Parameters
    ----------
    name : str
        Template; it writes sentences by ``say(key)``.
    lang : {"en", "fr"}
    title : str
    refused : sequence of Problem, optional
        What was refused: the title says so, and the status is 422.
    status : int, optional
        HTTP status of any other page.
    stay : {"score", "form"}, optional
        What the language button asks for, where it sends the form of the page; None
        where the page has none, so that the language is a link.
    scored : tuple of ScoredPatient, optional
        Of whom a figure stands on the page.
    **context : object
        What the template names.
    """
    template = environment(TEMPLATES, html=True).get_template(name)
    html = template.render(
        lang=lang,
        other=other_language(lang),
        say=lambda key, **values: say(f"page.{key}", lang, **values),
        research_use=say("model.research_use", lang),
        not_known=NOT_KNOWN,
        checklist=[say(f"page.check_{key}", lang) for key in CHECKLIST],
        today=f"{datetime.now():%Y-%m-%d}",
        stay=stay,
        title=title,
        page_title=say("page.error", lang, title=title) if refused else title,
        **context,
    )
    problems = tuple((problem.field, problem.rule) for problem in refused)
    if refused:
        status = 422
    return Page(status=status, html=html, problems=problems, scored=scored)
