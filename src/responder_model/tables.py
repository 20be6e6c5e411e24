"""Tables of answers in words, the same on a terminal and on a page to keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from responder_model.labels import describe_value, label_of, short_moment
from responder_model.words import say
from responder_model.words.numbers import (
    format_hundred,
    format_percent,
    of_100,
    signed,
    signed_points,
)

if TYPE_CHECKING:
    from responder_model.evidence import HarmRow, PublishedGroup
    from responder_model.model import Prediction
    from responder_model.pathways import Pathway
    from responder_model.rules import StoppingRules
    from responder_model.visits import Ahead, Course, Visit

__all__ = [
    "Table",
    "classes_table",
    "harm_table",
    "like_table",
    "next_table",
    "reasons_table",
    "rules_table",
    "visits_table",
    "with_interval",
]

# Contributions that would print as 0.00, and points that would print as 0.
_LEAST_LOG_ODDS, _LEAST_POINTS = 0.005, 0.5
# Values of a visit that are named one by one; of more only their number is told.
_MOST_NAMED = 3

Cells = tuple[str, ...]
Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table: heads, rows of as many cells, and how many columns are words.

    Parameters
    ----------
    title : str
        What it is about.
    heads : tuple of str
        One a column.
    rows : tuple of tuple of str
        Cells as they are read.
    n_words : int
        Columns from the left that hold words; the others hold figures.
    """

    title: str
    heads: Cells
    rows: tuple[Cells, ...]
    n_words: int = 1


def reasons_table(
    found: Prediction,
    known: Mapping[str, Any],
    basis: Mapping[str, str],
    lang: str,
    *,
    log_odds: bool = False,
    every: bool = False,
    most: int | None = None,
) -> Table | None:
    """What each given value adds, largest first; None where there is nothing to tell.

    Parameters
    ----------
    found, known, basis
        The prediction, the values that were given, and ``basis.bases`` of them.
    log_odds : bool
        Log-odds instead of points of probability.
    every : bool
        Also what would be shown as 0.
    most : int, optional
        Rows at most.
    """
    unit = 1.0 if log_odds else 100.0 * found.slope
    least = _LEAST_LOG_ODDS if log_odds else _LEAST_POINTS
    write = signed if log_odds else signed_points

    def row(name: str, added: float) -> Cells:
        bounds = found.contribution_ranges[name]
        low, high = (write(x * unit, lang) for x in (bounds.lower, bounds.upper))
        rests_on = (say(f"cli.basis_{basis.get(name, '')}", lang),) if basis else ()
        words = (label_of(name, lang), describe_value(name, known[name], lang))
        return (
            *words,
            *rests_on,
            write(added * unit, lang),
            say("signs.to", lang, low=low, high=high),
        )

    by_size = sorted(found.contributions.items(), key=lambda item: -abs(item[1]))
    rows = [
        row(name, added)
        for name, added in by_size
        if name in known and (every or abs(added) * unit >= least)
    ][:most]
    rest = sum(c for name, c in by_size if name not in known)
    if abs(rest) * unit >= least:
        gaps = ("",) * (2 if basis else 1)
        nothing = say("answers.given_nothing", lang)
        rows.append((nothing, *gaps, write(rest * unit, lang), ""))
    if not rows:
        return None
    average = found.verdict.average
    title = say("answers.reasons_points", lang, average=average)
    if log_odds:
        title = say("cli.reasons", lang, p=format_percent(average))
    keys = ("predictor", "value", *(("basis",) if basis else ()))
    heads = tuple(say(f"cli.{key}", lang) for key in (*keys, "contribution", "range"))
    return Table(title=title, heads=heads, rows=tuple(rows), n_words=len(keys))


def visits_table(found: Course, lang: str) -> Table:
    """One row a visit: what became known, what was said, and what that changed."""
    rows: list[Cells] = []
    before: int | None = None
    for visit in found.visits:
        said, now = visit.prediction, of_100(visit.prediction.probability)
        rows.append(
            (
                short_moment(visit.moment, lang),
                _became_known(visit, lang),
                *_in_100(said.probability, said.interval, lang),
                # of what is shown: 43, 42 and no change would contradict each other
                "" if before is None else signed_points(now - before, lang),
            )
        )
        before = now
    keys = ("visit", "known", "in_100", "interval", "change")
    title = say("course.title", lang, decision=found.decision)
    return _table("course", keys, title, rows, lang, n_words=2)


def _became_known(visit: Visit, lang: str) -> str:
    """Values of a visit, or how many they are."""
    if not visit.given:
        return say("course.nothing", lang)
    if len(visit.given) > _MOST_NAMED:
        return say("course.values", lang, n=len(visit.given))
    told = (
        say("course.value", lang, field=name, value=value)
        for name, value in visit.given.items()
    )
    return "\n".join(told)


def next_table(ahead: Ahead, lang: str) -> Table:
    """What would be said after a poor, a middling and a good next session."""
    rows = tuple(
        (
            describe_value(ahead.predictor, row.relief, lang),
            format_hundred(row.at_most, lang),
            *_in_100(row.probability, row.interval, lang),
        )
        for row in ahead.possible
    )
    possible = say("course.possible", lang, predictor=ahead.predictor)
    heads = (say(f"course.{key}", lang) for key in ("at_most", "then", "interval"))
    title = say("course.ahead", lang, moment=ahead.moment)
    return Table(title=title, heads=(possible, *heads), rows=rows)


def classes_table(found: Pathway, lang: str) -> Table:
    """One row for each class of relief after the test."""
    rows = [
        (
            row.describe(lang),
            say(f"cli.{row.applicability}", lang),
            "{} ({})".format(*_in_100(row.probability, row.interval, lang)),
            "{} ({})".format(*_in_100(row.success, row.success_interval, lang)),
        )
        for row in found.classes
    ]
    keys, title = ("relief", "applies", "share", "success"), "pathway.made_of"
    return _table("pathway", keys, say(title, lang), rows, lang, n_words=2)


def harm_table(
    harms: Sequence[HarmRow], title: str, lang: str, *, about: bool
) -> Table:
    """One row for each outcome that somebody counted, the figure as published.

    ``about``: with what to know of it, beside its source.
    """

    def told(row: HarmRow) -> str:
        source = row.basis.text(lang)
        return f"{row.about.text(lang)} {source}" if about else source

    rows = [
        (row.label.text(lang), told(row), row.figure.text(lang))
        for row in harms
        if row.share is not None
    ]
    keys = ("outcome", "about" if about else "series", "how_often")
    return _table("implant", keys, title, rows, lang, n_words=2)


def like_table(published: Sequence[PublishedGroup], lang: str) -> Table:
    """One row for each published group that a patient belongs to."""
    rows = [
        (group.label.text(lang), group.citation, group.figure.text(lang))
        for group in published
    ]
    title = say("implant.like_title", lang)
    keys = ("who", "series", "succeeded")
    return _table("implant", keys, title, rows, lang, n_words=2)


def rules_table(
    found: Sequence[StoppingRules], lang: str, *, narrow: bool = False
) -> Table:
    """One row a rule of each session; those that are supported are marked.

    ``narrow``: sessions saved, a multiple of patients stopped, without their interval.
    """
    several = len(found) > 1
    rows: list[Cells] = []
    for session, rule in ((f.session, rule) for f in found for rule in f.rules):
        condition = say(f"rules.short_{rule.kind}", lang, threshold=rule.threshold)
        if rule.supported:
            condition += f" ({say('rules.yes', lang)})"
        saved = f"{rule.saved.value:.0f}" if narrow else rule.saved.text(lang)
        told = (rule.stopped.text(lang), rule.lost.text(lang), saved)
        first = (str(session),) if several else ()
        rows.append((*first, condition, *told, rule.break_even.text(lang)))
    keys = ("session",) * several + ("stop_if", "stopped", "lost", "saved", "even")
    sessions = tuple(rules.session for rules in found)
    n_sessions = found[0].n_sessions
    title = say("rules.title", lang, session=sessions, n_sessions=n_sessions)
    return _table("rules", keys, title, rows, lang, n_words=1 + several)


def _table(
    room: str,
    keys: Sequence[str],
    title: str,
    rows: Sequence[Cells],
    lang: str,
    *,
    n_words: int = 1,
) -> Table:
    heads = tuple(say(f"{room}.{key}", lang) for key in keys)
    return Table(title=title, heads=heads, rows=tuple(rows), n_words=n_words)


def _in_100(probability: float, interval: Interval, lang: str) -> tuple[str, str]:
    low, high = (format_hundred(p, lang) for p in interval)
    bounds = say("course.bounds", lang, low=low, high=high)
    return format_hundred(probability, lang), bounds


def with_interval(probability: float, interval: Interval, lang: str = "en") -> str:
    """Write a probability in percent, with its interval.

    Examples
    --------
    >>> with_interval(0.25, (0.031, 0.739), "fr")
    '25 % (3 % à 74 %)'
    """
    limits = dict(zip(("low", "high"), interval, strict=True))
    return say("cli.share_with_interval", lang, value=probability, **limits)
