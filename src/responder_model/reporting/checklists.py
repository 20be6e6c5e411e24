"""TRIPOD+AI and PROBAST+AI, filled from the logged values and from nothing else.

An answer is a sentence with gaps for logged values. When any of them was not logged,
the sentence is not used; an item without any usable sentence stays blank.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from .statements import PREFIX
from .texts import read_texts
from .values import Values

Status = Literal["filled", "stated", "blank", "not_applicable"]
_GAP = re.compile(r"\{([a-z0-9_.]+)\}")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One sentence, and the logged values that it rests on."""

    text: str
    keys: tuple[str, ...]
    see: str  # anchor of the section that shows more; "" without one
    judgement: str  # of a signalling question that the run decides; "" otherwise
    is_applicable: bool
    is_stated: bool = False  # the authors' own words, not the run's


@dataclass(frozen=True, kw_only=True)
class Item:
    """One sub-item of TRIPOD+AI or signalling question of PROBAST+AI.

    Parameters
    ----------
    number, part : str
        Number as in the source, and the part that it stands in.
    title : str
        Short title in our words.
    answers : tuple of Answer
        Empty: blank.
    """

    number: str
    part: str
    title: str
    answers: tuple[Answer, ...]

    @property
    def status(self) -> Status:
        """Filled from the run, stated by the authors, not applicable, or blank."""
        if not self.answers:
            return "blank"
        if all(answer.is_stated for answer in self.answers):
            return "stated"
        applicable = any(answer.is_applicable for answer in self.answers)
        return "filled" if applicable else "not_applicable"

    @property
    def judgement(self) -> str:
        """Answer to a signalling question where the run decides it."""
        found = [answer.judgement for answer in self.answers if answer.judgement]
        return found[0] if found else ""

    @property
    def main(self) -> str:
        """Number of the main item: ``12`` for ``12c``."""
        return self.number.rstrip("abcdefg")


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Main items by how much of them is filled."""

    filled: tuple[str, ...]  # every applicable sub-item
    partly: tuple[str, ...]
    stated: tuple[str, ...]  # by the authors alone
    blank: tuple[str, ...]
    not_applicable: tuple[str, ...]


def tripod(values: Values, lang: str) -> tuple[Item, ...]:
    """The 27 items of TRIPOD+AI with their sub-items, titles in our words.

    References
    ----------
    .. [1] Collins GS et al. BMJ 2024;385:e078378. doi:10.1136/bmj-2023-078378
    """
    return tuple(
        _with_statement(item, values) for item in _items("tripod", values, lang)
    )


def _with_statement(item: Item, values: Values) -> Item:
    """Item with what the authors state, after what the run says."""
    key = PREFIX + item.number
    if key not in values:
        return item
    stated = Answer(
        text=str(values[key].value),
        keys=(key,),
        see="",
        judgement="",
        is_applicable=True,
        is_stated=True,
    )
    return replace(item, answers=(*item.answers, stated))


def probast(values: Values, lang: str) -> tuple[Item, ...]:
    """The 34 signalling questions of PROBAST+AI, in our words.

    References
    ----------
    .. [1] Moons KGM et al. BMJ 2025;388:e082505. doi:10.1136/bmj-2024-082505
    """
    return _items("probast", values, lang)


def tally(items: Sequence[Item]) -> Tally:
    """Sort main items by how much of them the run fills."""
    groups: dict[str, set[Status]] = {}
    for item in items:
        groups.setdefault(item.main, set()).add(item.status)
    found: dict[str, list[str]] = {
        key: [] for key in ("filled", "partly", "stated", "blank", "not_applicable")
    }
    for name, statuses in groups.items():
        if statuses == {"not_applicable"}:
            found["not_applicable"].append(name)
        elif "filled" not in statuses:
            found["stated" if "stated" in statuses else "blank"].append(name)
        else:
            found["partly" if "blank" in statuses else "filled"].append(name)
    return Tally(**{key: tuple(names) for key, names in found.items()})


def _items(name: str, values: Values, lang: str) -> tuple[Item, ...]:
    return tuple(
        Item(
            number=row["number"],
            part=row["part"],
            title=row["title"][lang],
            answers=tuple(
                _answer(answer, values, lang)
                for answer in row.get("answers", ())
                if _is_usable(answer, values)
            ),
        )
        for row in read_texts(name)["items"]
    )


def _is_usable(answer: Mapping[str, Any], values: Values) -> bool:
    """Whether every value that an answer speaks of was logged, and none forbids it."""
    when = answer.get("when", {})
    return (
        all(key in values for key in answer_keys(answer))
        and not any(key in values for key in answer.get("unless", ()))
        and all(key in values and values[key].value == v for key, v in when.items())
    )


def answer_keys(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """Values that an answer names in its text or rests on besides."""
    named = _GAP.findall(answer["en"])
    return tuple(dict.fromkeys([*named, *answer.get("needs", ())]))


def _answer(answer: Mapping[str, Any], values: Values, lang: str) -> Answer:
    text = _GAP.sub(lambda gap: values[gap.group(1)].text[lang], answer[lang])
    return Answer(
        text=text,
        keys=answer_keys(answer),
        see=answer.get("see", ""),
        judgement=answer.get("judgement", ""),
        is_applicable=answer.get("applies", True),
    )
