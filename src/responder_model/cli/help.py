"""The help of commands in the reader's language: all its words stand in ``words``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from responder_model.labels import label_of, moment_label, standing_note
from responder_model.schema import dictionary
from responder_model.words import read_words, say
from .options import Language, spoken

# What an option is given, as FILE, in what a command is typed with.
_GIVEN = re.compile(r"[A-Z]{2,}")


def asked_language(typed: Sequence[str]) -> Language | None:
    """Language that the words of a command ask for, wherever they do.

    Examples
    --------
    >>> asked_language(["predict", "--help", "--lang", "fr"])
    <Language.fr: 'fr'>
    """
    said = [after for word, after in pairwise(typed) if word == "--lang"]
    said += [word[7:] for word in typed if word.startswith("--lang=")]
    return Language(said[-1]) if said and said[-1] in set(Language) else None


def given_words(text: str, lang: str) -> str:
    """What an option is given, as FILE, in a language.

    Examples
    --------
    >>> given_words("[OPTIONS] FILE|-", "fr")
    '[OPTIONS] FICHIER|-'
    """
    known = read_words("usage")

    def word(found: re.Match[str]) -> str:
        entry = known.get(f"given_{found[0]}")
        return found[0] if entry is None else entry[lang]

    return _GIVEN.sub(word, text)


def heading_in(heading: str, lang: str) -> str:
    """Heading that a colon follows: in French after a space."""
    return f"{heading}\N{NO-BREAK SPACE}" if lang == "fr" else heading


class InWords:
    """A command whose help is in the language of ``spoken``."""

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """Write how it is typed."""
        pieces = " ".join(self.collect_usage_pieces(ctx))  # type: ignore[attr-defined]
        pieces = given_words(pieces, spoken())
        formatter.write_usage(ctx.command_path, pieces, say("usage.prefix", spoken()))

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Write what it does, and an example."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(self.about(ctx))

    def about(self, ctx: Any) -> str:
        """What it does: its line in the list of commands, and what follows that."""
        keys = (ctx.info_name, f"{ctx.info_name}_more")
        return "\n\n".join(say(f"commands.{key}", spoken()) for key in keys)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write its arguments and options, those of a patient by the moment."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):  # type: ignore[attr-defined]
            record = parameter.get_help_record(ctx)
            if record is not None:
                rows = sections.setdefault(_section(parameter), [])
                rows.append(_row(parameter, ctx, *record))
        for heading, rows in sections.items():
            with formatter.section(heading_in(heading, spoken())):
                formatter.write_dl(rows)


def option_help(command: str, parameter: Any, lang: str) -> str:
    """What an option or argument of a command means."""
    if parameter.rich_help_panel:
        return "\n".join(_of_field(parameter.name, lang))
    name = key_of(parameter)
    if f"option_{name}" in read_words("usage"):
        return say(f"usage.option_{name}", lang)
    own = f"{command}.{name}"
    return say(f"options.{own if own in read_words('options') else name}", lang)


def key_of(parameter: Any) -> str:
    """Key of an option or argument in the words of ``options``."""
    is_option = parameter.param_type_name == "option"
    return parameter.opts[0].lstrip("-") if is_option else str(parameter.name)


def _of_field(name: str, lang: str) -> Iterator[str]:
    rule = dictionary().fields[name].rule
    yield say("usage.field", lang, label=label_of(name, lang), rule=rule)
    stands = standing_note(name)
    if stands is not None:
        yield stands.text(lang)


def _section(parameter: Any) -> str:
    lang = spoken()
    if parameter.rich_help_panel:
        moment = moment_label(parameter.rich_help_panel, lang)
        return say("usage.known", lang, moment=moment)
    return say(f"usage.{parameter.param_type_name}s", lang)


def _row(parameter: Any, ctx: Any, typed: str, more: str) -> tuple[str, str]:
    """How an option is typed, and what it means with its default and its range."""
    lang = spoken()
    said = option_help(ctx.info_name, parameter, lang)
    # of --help alone typer says it too
    limits = more.removeprefix(parameter.help or "").strip(" []")
    known = [_limit(part, lang) for part in limits.split("; ") if part]
    ending = f"  [{'; '.join(known)}]" if known else ""
    return given_words(typed, lang), said + ending


def _limit(part: str, lang: str) -> str:
    """Typer's word on an option, as "required", in the language."""
    if part == "required":
        return say("usage.required", lang)
    name, _, value = part.partition(": ")
    if name != "default":
        return part
    # said in words where the value is worked out
    if value.startswith("(") and value != "(dynamic)":
        value = say("usage.of_locale", lang)
    return say("usage.default", lang, value=value)
