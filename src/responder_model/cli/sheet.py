"""How an answer is told: in lines, as JSON, and on one page to keep."""

from __future__ import annotations

import datetime
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from responder_model.errors import ResponderModelError
from responder_model.words import Note
from . import options
from .output import print_json, print_lines, writing

if TYPE_CHECKING:
    from responder_model.outputs import Output
    from responder_model.sheets import Sheet
    from responder_model.tables import Table

# Name of the type of what commands receive, which no option has.
_KEEP = "Keep"
_OPTIONS: dict[str, Any] = {
    "pdf": Annotated[Path | None, typer.Option("--pdf", metavar="FILE")],
    "html": Annotated[Path | None, typer.Option("--html", metavar="FILE")],
    "label": Annotated[str, typer.Option("--label", metavar="TEXT")],
    "overwrite": options.OverwriteOption,
    "json_output": options.JsonOption,
    "lang": options.LanguageOption,
}
_DEFAULTS = {
    "pdf": None,
    "html": None,
    "label": "",
    "overwrite": False,
    "json_output": False,
}


@dataclass(frozen=True, kw_only=True)
class Keep:
    """How the answer of a command is told, and where it is kept."""

    command: str
    pdf: Path | None
    html: Path | None
    label: str
    overwrite: bool
    json_output: bool
    lang: str

    def finish(
        self,
        plain: Callable[[str], Any],
        lines: Iterable[str | Table],
        sheet: Callable[..., Sheet],
        digests: Iterable[str | None],
        *,
        inputs: Sequence[str | Path | None] = (),
    ) -> None:
        """Write the pages that are asked for, then print JSON, or lines and tables.

        Parameters
        ----------
        plain : callable
            Plain data for JSON, of a language.
        lines : iterable of str or Table
            What a terminal shows.
        sheet : callable
            Makes the page: of the room ``sheets``, the date, the label and a language.
        digests : iterable of str or None
            Of the models that answered.
        inputs : sequence of path or None
            Files that were read: no page may take their place.
        """
        outputs = self.check(digests, inputs=inputs)
        if outputs:
            self._write(sheet, outputs)
        if self.json_output:
            print_json(plain(self.lang))
        else:
            print_lines(lines)

    def check(
        self,
        digests: Iterable[str | None],
        *,
        inputs: Sequence[str | Path | None] = (),
    ) -> tuple[Output, ...]:
        """Return the pages that are asked for; refuse places that none may take.

        Called before work that takes a while, and by ``finish``, whose arguments these
        are.
        """
        if self.label and self.pdf is None and self.html is None:
            raise options.wrong_option(Note("sheet.label_alone"), "--label")
        if self.pdf is None and self.html is None:
            return ()
        from responder_model.outputs import check_outputs

        model = " ".join(digest or "" for digest in digests)
        named = {"pdf": self.pdf, "html": self.html}
        outputs = tuple(
            self._output(place, kind, model)
            for kind, place in named.items()
            if place is not None
        )
        read = [path for path in inputs if path not in (None, "-")]
        check_outputs(*outputs, inputs=read, overwrite=self.overwrite)
        return outputs

    def _output(self, place: Path, kind: str, model: str) -> Output:
        from responder_model.outputs import Output

        argument = f"--{kind}"
        if place.suffix.lower() != f".{kind}":
            said = Note("cli.not_kind", argument=argument, kind=kind, name=place.name)
            raise ResponderModelError(said)
        return Output(path=place, command=self.command, model=model, argument=argument)

    def _write(self, make: Callable[..., Sheet], outputs: Iterable[Output]) -> None:
        from responder_model import sheets
        from responder_model.outputs import drafted

        today = datetime.datetime.now().astimezone().date()
        sheet = make(sheets, date=today, label=self.label, lang=self.lang)
        for output in outputs:
            is_pdf = output.argument == "--pdf"
            render = sheets.render_pdf if is_pdf else sheets.render_html
            page = render(sheet)
            data = page if isinstance(page, bytes) else page.encode("utf-8")
            place = drafted(output, overwrite=self.overwrite)
            with writing(output.argument), place as draft:
                draft.write_bytes(data)


def with_sheet_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of how it is told; it receives them as ``keep``.

    An option that the command has already, such as ``--overwrite``, serves both.
    """
    own = inspect.signature(command, eval_str=True, locals={_KEEP: Keep}).parameters
    parameters = [p for p in own.values() if p.name != "keep"]
    parameters += [_parameter(name) for name in _OPTIONS if name not in own]

    def run(**arguments: Any) -> None:
        given = {name: arguments[name] for name in _OPTIONS}
        passed = {k: v for k, v in arguments.items() if k in own}
        command(**passed, keep=Keep(command=command.__name__, **given))

    return options.taking(parameters, run, like=command)


def _parameter(name: str) -> inspect.Parameter:
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=_DEFAULTS.get(name, inspect.Parameter.empty),
        annotation=_OPTIONS[name],
    )
