"""Build a report of a model, and write it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from responder_model.artifact.document import plain
from responder_model.errors import DevelopmentError
from responder_model.model.texts import check_language
from responder_model.reporting.blocks import Picture
from responder_model.reporting.content import Content
from responder_model.reporting.render import to_html, to_markdown
from responder_model.reporting.sections import build_sections
from responder_model.reporting.study import Study
from responder_model.reporting.values import Plain, logged_values, to_plain

if TYPE_CHECKING:
    from responder_model.model import Model


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report in one language; aggregates only.

    Parameters
    ----------
    lang : str
        Its language.
    html : str
        Self-contained page: style and figures inside, nothing is fetched.
    markdown : str
        The same; figures stand in ``figures_<lang>/`` beside it.
    figures : dict
        PNG of each figure, by name.
    values : dict
        Every value that the report states, by the name it is logged under.
    """

    lang: str
    html: str
    markdown: str
    figures: dict[str, bytes]
    values: dict[str, Plain]


def build_report(
    model: Model,
    studies: Sequence[Study] = (),
    *,
    lang: str = "en",
    digest: str = "",
    statements: Mapping[str, str] | None = None,
) -> Report:
    """Write the report of a model, and of the cohorts that it was examined in.

    Parameters
    ----------
    model : Model
        Published or developed.
    studies : sequence of Study
        From ``examine``; none for a report of the model alone.
    lang : {"en", "fr"}
        Language.
    digest : str, optional
        Digest of the model's folder, by which readers tell versions apart.
    statements : mapping, optional
        What the authors state, by number of TRIPOD+AI; from ``read_statements``.

    Raises
    ------
    DevelopmentError
        When the development cohort is among the studies more than once.

    Examples
    --------
    >>> import responder_model as rm
    >>> report = build_report(rm.published_model("emcs_success"))
    >>> "https:" in report.html, "not a medical device" in report.html
    (False, True)
    """
    check_language(lang)
    check_studies(studies)
    order = sorted(studies, key=lambda study: study.role != "development")
    values = logged_values(model, tuple(order), digest=digest, statements=statements)
    content = Content(
        model=model, studies=tuple(order), values=values, lang=lang, digest=digest
    )
    sections = build_sections(content)
    figures = {
        block.name: block.png
        for section in sections
        for block in section.blocks
        if isinstance(block, Picture)
    }
    return Report(
        lang=lang,
        html=to_html(content, sections),
        markdown=to_markdown(content, sections),
        figures=figures,
        values=to_plain(values),
    )


def check_studies(studies: Sequence[Study]) -> None:
    """Refuse the development cohort twice: one table would replace the other."""
    n = sum(study.role == "development" for study in studies)
    if n > 1:
        msg = f"studies must hold the development cohort once, got it {n} times. "
        raise DevelopmentError(msg + "Give it once (--cohort).")


def write_report(report: Report, folder: str | Path) -> tuple[Path, ...]:
    """Write ``report_<lang>.html``, ``report_<lang>.md``, ``values.json`` and figures.

    Returns
    -------
    tuple of Path
        The page first.
    """
    folder = Path(folder)
    pictures = folder / f"figures_{report.lang}"
    pictures.mkdir(parents=True, exist_ok=True)
    page = folder / f"report_{report.lang}.html"
    text = folder / f"report_{report.lang}.md"
    values = folder / "values.json"
    page.write_text(report.html, encoding="utf-8")
    text.write_text(report.markdown, encoding="utf-8")
    listed = json.dumps(plain(report.values), ensure_ascii=False, indent=1)
    values.write_text(listed + "\n", encoding="utf-8")
    written = [page, text, values]
    for name, png in report.figures.items():
        path = pictures / f"{name}.png"
        path.write_bytes(png)
        written.append(path)
    return tuple(written)
