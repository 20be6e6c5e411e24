"""Benefit and harm of the implant side by side, as the library tells them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from responder_model.model import Model
from responder_model.pathways import Implant, implant
from responder_model.patient import Value
from responder_model.words import say
from .frame import IMPLANT


@dataclass(frozen=True, kw_only=True)
class Counted:
    """One outcome or group that somebody counted: how often, and what to know."""

    name: str
    figure: str
    about: str


@dataclass(frozen=True, kw_only=True)
class Benefit:
    """What a success must be worth, harm as published, and published patients alike."""

    worth: str
    harms: tuple[Counted, ...]
    unknown: str
    alike: tuple[Counted, ...]
    messages: tuple[str, ...]


def benefit_of(
    model: Model, known: Mapping[str, Value], *, lang: str
) -> Benefit | None:
    """Benefit and harm for one patient; None for any other question.

    Examples
    --------
    >>> import responder_model as rm
    >>> model = rm.published_model("emcs_success")
    >>> found = benefit_of(model, {"relief_test": 55.0}, lang="en")
    >>> found.harms[0].name, found.harms[0].figure
    ('infection of the implant', '4 of 36 patients (11 %; 3 % to 26 %)')
    """
    if model.decision != IMPLANT[0]:
        return None
    found = implant(known, model=model)
    own = set(found.prediction.messages)
    return Benefit(
        worth=_worth(found, lang),
        harms=tuple(
            Counted(
                name=row.label.text(lang),
                figure=row.figure.text(lang),
                about=f"{row.about.text(lang)} {row.basis.text(lang)}",
            )
            for row in found.harms
            if row.share is not None
        ),
        unknown=_unknown(found, lang),
        alike=tuple(
            Counted(
                name=group.label.text(lang),
                figure=group.figure.text(lang),
                about=group.citation,
            )
            for group in found.published
        ),
        messages=tuple(note.text(lang) for note in found.messages if note not in own),
    )


def _worth(found: Implant, lang: str) -> str:
    low, high = found.even_worth_interval
    return say("implant.even", lang, value=found.even_worth, low=low, high=high)


def _unknown(found: Implant, lang: str) -> str:
    names = tuple(row.label for row in found.harms if row.share is None)
    return say("implant.unknown", lang, names=names)
