"""Build a report of a model, and write it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from responder_model.artifact import digest_of
from responder_model.artifact.document import plain
from responder_model.errors import DevelopmentError
from responder_model.model import Model
from responder_model.outputs import Output, drafted
from responder_model.vocabulary import check_language
from responder_model.words import Note
from .blocks import Picture
from .content import Content
from .render import to_html, to_markdown
from .sections import build_sections
from .study import Study
from .values import Plain, logged_values, to_plain


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
    model : str
        Identity of the model.
    """

    lang: str
    html: str
    markdown: str
    figures: dict[str, bytes]
    values: dict[str, Plain]
    model: str


def build_report(
    model: Model,
    studies: Sequence[Study] = (),
    *,
    lang: str = "en",
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
    digest = digest_of(model)
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
        model=digest,
    )


def check_studies(studies: Sequence[Study]) -> None:
    """Refuse the development cohort twice: one table would replace the other."""
    n = sum(study.role == "development" for study in studies)
    if n > 1:
        raise DevelopmentError(Note("refusal.development_once", n=n))


def report_output(model: str, folder: str | Path) -> Output:
    """Return the output that a report is, for a model of this identity."""
    return Output(path=Path(folder), command="report", model=model, kind="folder")


def write_report(
    report: Report, folder: str | Path, *, overwrite: bool = False
) -> tuple[Path, ...]:
    """Write ``report_<lang>.html``, ``report_<lang>.md``, ``values.json`` and figures.

    Parameters
    ----------
    report : Report
        From ``build_report``.
    folder : path
        A new folder, an empty one, or one with untouched reports of the same model.
    overwrite : bool
        Whether files of other origin may be replaced; others of the folder stay.

    Returns
    -------
    tuple of Path
        The page first.

    Raises
    ------
    ResponderModelError
        As ``outputs.check_outputs``; a model folder is refused whatever is asked.
    """
    folder = Path(folder)
    listed = json.dumps(plain(report.values), ensure_ascii=False, indent=1)
    files = {
        f"report_{report.lang}.html": report.html.encode(),
        f"report_{report.lang}.md": report.markdown.encode(),
        "values.json": f"{listed}\n".encode(),
    }
    for name, png in report.figures.items():
        files[f"figures_{report.lang}/{name}.png"] = png
    output = report_output(report.model, folder)
    with drafted(output, overwrite=overwrite) as draft:
        (draft / f"figures_{report.lang}").mkdir()
        for name, data in files.items():
            (draft / name).write_bytes(data)
    return tuple(folder / name for name in files)
