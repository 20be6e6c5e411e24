"""Options ``--pdf`` and ``--html``: an answer on one page to keep."""

from __future__ import annotations

import datetime
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from responder_model.cli.options import OverwriteOption, taking
from responder_model.errors import ResponderModelError
from responder_model.words import Note

if TYPE_CHECKING:
    from responder_model.sheets import Sheet

# Name of the type of what commands receive, which no option has.
_KEEP = "Keep"
_OPTIONS: dict[str, Any] = {
    "pdf": Annotated[Path | None, typer.Option("--pdf", metavar="FILE")],
    "html": Annotated[Path | None, typer.Option("--html", metavar="FILE")],
    "label": Annotated[str, typer.Option("--label", metavar="TEXT")],
    "overwrite": OverwriteOption,
}
_DEFAULTS = {"pdf": None, "html": None, "label": "", "overwrite": False}


@dataclass(frozen=True, kw_only=True)
class Keep:
    """Where an answer is kept, and what the page is known by."""

    pdf: Path | None
    html: Path | None
    label: str
    overwrite: bool

    @property
    def wanted(self) -> bool:
        """Whether there is a page to write."""
        return self.pdf is not None or self.html is not None

    def write(
        self,
        make: Callable[..., Sheet],
        *digests: str | None,
        command: str,
        lang: str,
        inputs: Sequence[str | Path | None] = (),
    ) -> None:
        """Write the pages that are asked for, of models of these digests.

        ``make`` gets the day, the label and the language, and returns a sheet.
        """
        if not self.wanted:
            return
        from responder_model.sheets import render_html, render_pdf

        today = datetime.datetime.now().astimezone().date()
        sheet = make(date=today, label=self.label, lang=lang)
        read = [path for path in inputs if path not in (None, "-")]
        digest = " ".join(digest or "" for digest in digests)
        for name, place in (("pdf", self.pdf), ("html", self.html)):
            if place is not None:
                page = render_pdf(sheet) if name == "pdf" else render_html(sheet)
                data = page if isinstance(page, bytes) else page.encode("utf-8")
                self._put(data, place, name, command, digest, read)

    def _put(
        self,
        data: bytes,
        place: Path,
        name: str,
        command: str,
        digest: str,
        inputs: Sequence[Any],
    ) -> None:
        from responder_model.cli.output import writing
        from responder_model.outputs import Output, check_outputs, drafted

        if place.suffix.lower() != f".{name}":
            raise ResponderModelError(Note("cli.not_kind", kind=name, name=place.name))
        output = Output(path=place, command=command, model=digest, argument=f"--{name}")
        overwrite = self.overwrite
        check_outputs(output, inputs=inputs, overwrite=overwrite)
        with writing(f"--{name}"), drafted(output, overwrite=overwrite) as draft:
            draft.write_bytes(data)


def with_sheet_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a page to keep; it receives them as ``keep``.

    An option that the command has already, such as ``--overwrite``, serves both.
    """
    own = inspect.signature(command, eval_str=True, locals={_KEEP: Keep}).parameters
    parameters = [p for p in own.values() if p.name != "keep"]
    parameters += [_parameter(name) for name in _OPTIONS if name not in own]

    def run(**arguments: Any) -> None:
        given = {name: arguments[name] for name in _OPTIONS}
        passed = {k: v for k, v in arguments.items() if k in own}
        command(**passed, keep=Keep(**given))

    return taking(parameters, run, like=command)


def _parameter(name: str) -> inspect.Parameter:
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=_DEFAULTS[name],
        annotation=_OPTIONS[name],
    )
