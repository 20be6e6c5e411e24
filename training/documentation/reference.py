"""The reference: every command, field, finding, measure, sentence and public name.

Each page is made from what the package itself reads, so that none can be forgotten.
"""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import click

import responder_model
from responder_model.cli.app import PANELS, app
from responder_model.evidence import harm_rows, packaged_evidence
from responder_model.performance import DEFINITIONS
from responder_model.schema import Field, dictionary
from responder_model.words import read_words

PACKAGE = Path(responder_model.__file__).parent
KINDS = {"boolean": "yes or no", "category": "one of", "text": "text"}


def reference_pages(*, quick: bool) -> dict[str, str]:
    """Every page of the reference by its path; one room and one file where quick."""
    shown = ["sample_size"] if quick else rooms()
    files = ["patient"] if quick else sentence_files()
    pages = {
        "commands": _commands(),
        "dictionary": _dictionary(),
        "evidence": _evidence(),
        "measures": _measures(),
        "errors": _errors(files),
        "names": _names(shown),
    }
    pages |= {f"python/{room}": _room(room) for room in shown}
    pages |= {f"sentences/{name}": _sentences(name) for name in files}
    return {f"reference/{name}": text for name, text in pages.items()}


def rooms() -> list[str]:
    """Rooms that offer names, in order of the alphabet."""
    found = [module.name for module in pkgutil.iter_modules([str(PACKAGE)])]
    return [name for name in found if public_names(name)]


def public_names(room: str) -> list[str]:
    """What a room offers: its ``__all__``."""
    module = import_module(f"responder_model.{room}")
    return sorted(getattr(module, "__all__", []), key=str.lower)


def sentence_files() -> list[str]:
    """Files of sentences by name."""
    return sorted(path.stem for path in (PACKAGE / "words").glob("*.toml"))


def plain(text: object) -> str:
    """Text for a cell of a table, without any mark-up."""
    one_line = " ".join(str(text).split())
    return re.sub(r"([\\`*_{}\[\]<>|#$~])", r"\\\1", one_line)


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Markdown table; cells come as Markdown."""
    lines = [list(head)]
    lines += [["---"] * len(lines[0])]
    lines += [[str(cell) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", *parts]) + "\n"


# ------------------------------------------------------------------- commands


def commands() -> dict[str, click.Command]:
    """Every command by name."""
    group: Any = import_module("typer").main.get_command(app)
    return {name: group.commands[name] for panel in PANELS.values() for name in panel}


def _commands() -> str:
    words, found = read_words("commands"), commands()
    parts = []
    for panel, names in PANELS.items():
        parts.append(f"## {words[panel]['en']}")
        parts += [_command(name, found[name], words[name]["en"]) for name in names]
    intro = "`responder-model COMMAND --help` prints the same, `--lang fr` in French."
    return _page("Commands", intro, *parts)


def _command(name: str, command: click.Command, first: str) -> str:
    options = [
        p for p in command.params if isinstance(p, click.Option) and not p.hidden
    ]
    arguments = " ".join(
        p.make_metavar(click.Context(command))
        for p in command.params
        if isinstance(p, click.Argument)
    )
    rows = [(_option(option), plain(option.help or "")) for option in options]
    usage = f"    responder-model {name} {arguments} [OPTIONS]".rstrip()
    return f"### {name}\n\n{first}\n\n{usage}\n\n{table(('option', 'what'), rows)}"


def _option(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    return names + (f" {plain(option.metavar)}" if option.metavar else "")


# ----------------------------------------------------------------- dictionary


def _dictionary() -> str:
    found = dictionary()
    decisions = [
        (
            f"`{name}`",
            plain(decision.label["en"]),
            plain(decision.label["fr"]),
            ", ".join(f"`{moment}`" for moment in decision.moments),
        )
        for name, decision in found.decisions.items()
    ]
    return _page(
        "Fields of the data dictionary",
        "All that a patient, a cohort and a model can hold stands in "
        "`src/responder_model/data/dictionary.toml`, and nowhere else.",
        "## Decisions",
        table(("name", "English", "French", "moments"), decisions),
        "## Fields",
        *[_field(field) for field in found.fields.values()],
    )


def _field(field: Field) -> str:
    facts = [
        ("French", plain(field.label["fr"])),
        ("role", field.role),
        ("must be", plain(field.rule.text("en"))),
        ("known from", f"`{field.known_from}`"),
        ("used by", ", ".join(f"`{name}`" for name in field.used_by) or "–"),
        ("what", plain(field.help["en"])),
        ("usual", _reference(field)),
    ]
    head = f"### `{field.name}`: {plain(field.label['en'])}"
    return f"{head}\n\n{table(('', ''), facts)}"


def _reference(field: Field) -> str:
    usual = field.reference
    if field.role != "predictor":
        return "–"
    if usual.proportions:
        shares = usual.proportions.items()
        what = ", ".join(f"{name} {share:.2f}" for name, share in shares)
    else:
        scale = "" if field.transform == "identity" else f" ({field.transform} scale)"
        what = f"mean {usual.mean:g}, SD {usual.sd:g}{scale}"
    return plain(f"{what}; {usual.status}: {usual.source}")


# ------------------------------------------------------------------- evidence


def _evidence() -> str:
    rows = [
        (
            f"`{row.id}`",
            plain(f"{row.study} {row.year or ''}"),
            f"[doi](https://doi.org/{row.doi})" if row.doi else plain(row.reference),
            row.n or "–",
            f"`{row.contrast}`",
            _effect(row),
            row.status,
            plain("; ".join(filter(None, (row.finding, row.source, row.note)))),
        )
        for row in packaged_evidence().rows.values()
    ]
    harm = [
        (f"`{row.id}`", row.treatment, _count(row), row.status, plain(row.source))
        for treatment in ("emcs", "rtms")
        for row in harm_rows(treatment, other_use=True)
    ]
    head = (
        "row",
        "study",
        "where",
        "n",
        "comparison",
        "log-odds (SE)",
        "status",
        "read",
    )
    return _page(
        "Published evidence, row by row",
        "What every published model rests on. *Seen* stands in a text that was read, "
        "*derived* is arithmetic on such numbers, *judgement* is opinion, and "
        "*other_treatment* bears on structure alone. `responder-model evidence` prints "
        "how rows become priors.",
        "## Effects and rates",
        table(head, rows),
        "## Harm",
        table(("row", "treatment", "counted", "status", "read"), harm),
    )


def _effect(row: Any) -> str:
    if row.effect is None:
        return "–"
    return (
        f"{row.effect:.2f} ({row.se:.2f})"
        if row.se is not None
        else f"{row.effect:.2f}"
    )


def _count(row: Any) -> str:
    return (
        "nobody counted"
        if row.events is None
        else f"{row.events} of {row.n} {row.unit}"
    )


# ------------------------------------------------- measures, errors, sentences


def _measures() -> str:
    rows = [
        (
            f"`{name}`",
            plain(found.label["en"]),
            plain(found.label["fr"]),
            "–" if found.ideal is None else f"{found.ideal:g}",
            f"{found.possible[0]:g} to {found.possible[1]:g}",
            plain(found.definition["en"]),
        )
        for name, found in DEFINITIONS.items()
    ]
    head = ("name", "English", "French", "ideal", "can be", "is")
    intro = "Functions of `responder_model.performance`; each checks what it is given."
    return _page("Measures", intro, table(head, rows))


def _errors(files: list[str]) -> str:
    module = import_module("responder_model.errors")
    found = [
        (name, value)
        for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, Exception)
    ]
    rows = [(f"`{name}`", plain(_first(value))) for name, value in found]
    codes = (
        "1: bad input, reasons on stderr. 2: wrong usage. 3: done, but rows were set "
    )
    codes += "aside, a question is open, or the result could not be logged."
    links = "\n".join(f"- [{name}](sentences/{name}.md)" for name in files)
    return _page(
        "Errors, exit codes and sentences",
        f"Exit codes of the commands: 0: done. {codes}",
        table(("error", "raised"), rows),
        "Every error and remark holds a code, `room.key`, and says itself in English "
        "and French. `--json` gives code and values. All codes, by file:",
        links,
        "```{toctree}\n:hidden:\n:glob:\n\nsentences/*\n```",
    )


def _first(value: object) -> str:
    return (inspect.getdoc(value) or "").partition("\n\n")[0]


def _sentences(name: str) -> str:
    rows = [
        (f"`{name}.{code}`", plain(en), plain(fr))
        for code, en, fr in sentences(read_words(name))
    ]
    return _page(f"Sentences: {name}", table(("code", "English", "French"), rows))


def sentences(words: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Code and both languages of each sentence of a file."""
    for code, said in words.items():
        if isinstance(said, Mapping) and {"en", "fr"} <= set(said):
            yield code, str(said["en"]), str(said["fr"])


# ----------------------------------------------------------------- the package


def _names(shown: list[str]) -> str:
    homes = sorted(responder_model._MODULES.items(), key=lambda item: item[0].lower())
    rows = [
        (f"`{name}`", _link(home.partition(".")[0], shown), plain(_first_of(name)))
        for name, home in homes
    ]
    return _page(
        "In Python",
        "`import responder_model as rm` offers these names; a room of the package "
        "offers more. What a room does not list is private and may change.",
        table(("`rm.`", "room", "is"), rows),
        "```{toctree}\n:glob:\n:maxdepth: 1\n\npython/*\n```",
    )


def _link(room: str, shown: list[str]) -> str:
    return f"[{room}](python/{room}.md)" if room in shown else room


def _first_of(name: str) -> str:
    return _first(getattr(responder_model, name))


def _room(room: str) -> str:
    module = import_module(f"responder_model.{room}")
    parts = ["```{eval-rst}", f".. automodule:: {module.__name__}", ""]
    parts += [f".. currentmodule:: {module.__name__}", ""]
    for name in public_names(room):
        parts += [*_object(name, _value(module, name)), ""]
    return _page(f"`{room}`", "\n".join([*parts, "```"]))


def _value(room: ModuleType, name: str) -> object:
    """What a room offers by a name: its own, or a module in it."""
    if hasattr(room, name):
        return getattr(room, name)
    return import_module(f"{room.__name__}.{name}")


def _object(name: str, value: object) -> list[str]:
    if isinstance(value, ModuleType):
        return [f".. automodule:: {value.__name__}", "   :members:"]
    if inspect.isclass(value):
        return [f".. autoclass:: {name}", "   :members:"]
    if inspect.isfunction(value) or hasattr(value, "__wrapped__"):
        return [f".. autofunction:: {name}"]
    return [f".. data:: {name}", "", f"   A {type(value).__name__}."]
