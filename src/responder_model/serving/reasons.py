"""What speaks for and against, of what was given, in points of probability."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from responder_model.model import Model, Prediction
from responder_model.model.basis import bases
from responder_model.patient import Value
from responder_model.words import say
from responder_model.words.numbers import signed_points

# Reasons that are shown before the rest unfolds.
SHOWN = 5
# Probability below which a reason would be written as no point.
LEAST = 0.005
# Share of the posterior with one sign from which a reason's direction is called sure.
SURE = 0.95


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One answer that moves the probability: what it is, how much, how surely."""

    words: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Reasons:
    """At most five answers for and against, the heaviest, and the rest."""

    supporting: tuple[Reason, ...]
    opposing: tuple[Reason, ...]
    rest: tuple[Reason, ...]


def reasons_of(
    model: Model, prediction: Prediction, known: Mapping[str, Value], *, lang: str
) -> Reasons:
    """Return reasons in words, heaviest first.

    Examples
    --------
    >>> import responder_model as rm
    >>> model = rm.published_model("rtms_response", moment="session_1")
    >>> known = {"age": 54.0, "relief_1": 60.0}
    >>> found = reasons_of(model, model.predict(known), known, lang="en")
    >>> [reason.words for reason in found.supporting], found.rest[0].words
    (['Relief after session 1: 60 %'], 'Age: 54 years')
    """
    rests_on = bases(model, known)
    points = {name: p for name, p in prediction.points.items() if name in known}
    ordered = sorted(points, key=lambda name: -abs(points[name]))
    shown = [name for name in ordered if abs(points[name]) >= LEAST][:SHOWN]
    said = {
        name: Reason(
            words=say("page.answer", lang, field=name, value=known[name]),
            detail=_detail(
                points[name],
                prediction.contribution_ranges[name].same_sign,
                rests_on.get(name, ""),
                lang,
            ),
        )
        for name in ordered
    }
    return Reasons(
        supporting=tuple(said[name] for name in shown if points[name] > 0),
        opposing=tuple(said[name] for name in shown if points[name] < 0),
        rest=tuple(said[name] for name in ordered if name not in shown),
    )


def _detail(points: float, same_sign: float, basis: str, lang: str) -> str:
    """Points, how sure their sign is, and whether they are opinion."""
    in_100 = 100.0 * points
    said = signed_points(in_100, lang)
    parts = [
        say("page.points", lang, said=said, n=round(in_100)),
        say("page.sure" if same_sign >= SURE else "page.uncertain", lang),
    ]
    if basis == "judgement":
        parts.append(say("cli.basis_judgement", lang))
    return ", ".join(parts)
