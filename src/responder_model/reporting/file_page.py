"""The page about a file: what was read, what is open, and how its values lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from responder_model.cohort.checking import has_simulated_row
from responder_model.figures.cohort import (
    draw_distributions,
    draw_missingness,
    drawn_fields,
)
from responder_model.words import Note, in_words, say
from .render import TEMPLATES, environment

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from responder_model.cohort import Inspection
    from responder_model.errors import InvalidCohortError, Question

# Points of an inch: a page is read on a screen.
_DPI = 110


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure of the page: its PNG, what it is, and how to read it."""

    title: str
    caption: str
    png: bytes


def render_file(
    file: str,
    whole: Inspection,
    found: InvalidCohortError,
    *,
    rows: NDArray[np.int64],
    glance: Sequence[tuple[str, Sequence[str]]],
    problems: Iterable[str],
    lang: str = "en",
) -> str:
    """Return one HTML page about a file; pictures are inside, nothing is fetched.

    Parameters
    ----------
    file : str
        Name of the file.
    whole : Inspection
        What was read of it.
    found : InvalidCohortError
        What is open, refused or noted.
    rows : array of int
        Row number of each patient.
    glance : sequence of (label, lines)
        What the first screen says.
    problems : iterable of str
        Lines of the problems, those that belong to the one before set in.
    lang : {"en", "fr"}
    """
    html = environment(TEMPLATES, html=True)
    return html.get_template("file.html.j2").render(
        lang=lang,
        title=say("file.title", lang, file=file),
        # the style holds our own words only: the one text that is not escaped
        style=Markup(html.get_template("report.css").render()),  # noqa: S704
        say=partial(_say, lang),
        simulated=has_simulated_row(whole.cohort),
        glance=glance,
        questions=[_question(question, lang) for question in found.questions],
        problems=list(problems),
        notices=[in_words(notice, lang) for notice in found.notices],
        pictures=list(_pictures(whole, found, rows, lang)),
    )


def _say(lang: str, code: str) -> str:
    return Note(code).text(lang)


def _question(question: Question, lang: str) -> dict[str, Any]:
    return {
        "text": question.text.text(lang),
        "rows": ", ".join(map(str, question.rows)),
        "answers": question.answers,
    }


def _pictures(
    whole: Inspection, found: InvalidCohortError, rows: NDArray[np.int64], lang: str
) -> Iterator[Picture]:
    if not len(whole.cohort):
        return
    refused = {
        name: np.flatnonzero(np.isin(rows, at)).tolist()
        for name, at in _refused_rows(found).items()
    }
    figures = {"missing": draw_missingness(whole.cohort, refused=refused, lang=lang)}
    if drawn_fields(whole.cohort):
        figures["values"] = draw_distributions(whole.cohort, lang=lang)
    for key, figure in figures.items():
        yield Picture(
            title=say(f"file.{key}_title", lang),
            caption=say(f"file.{key}_caption", lang),
            png=_png(figure),
        )


def _refused_rows(found: InvalidCohortError) -> dict[str, list[int]]:
    at: dict[str, list[int]] = {}
    for problem in found.problems:
        if problem.row is not None:
            at.setdefault(problem.field, []).append(problem.row)
    return at


def _png(figure: Figure) -> bytes:
    out = BytesIO()
    figure.savefig(out, format="png", dpi=_DPI, metadata={"Software": None})
    return out.getvalue()
