"""What the result page says of one prediction, in the order in which it says it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from responder_model.labels import describe_value, label_of
from responder_model.model import Model, Prediction
from responder_model.model.questions import question_notes
from responder_model.model.verdict import Verdict, figure_note, judge, width_notes
from responder_model.pathways import Pathway
from responder_model.patient import Value
from responder_model.schema import Decision, dictionary
from responder_model.words import Note, say
from responder_model.words.numbers import format_percent, of_100, signed_points
from . import drawing
from .form import Told
from .origin import source_of
from .reasons import Reasons, reasons_of

# An interval wider than this tells nothing of the patient: it says so before all else.
WIDE = 0.5
# Messages that have a place of their own on the page.
PLACED = (
    "model.research_use",
    "model.under_review",
    "model.missing",
    "model.outside",
    "model.borderline",
)


@dataclass(frozen=True, kw_only=True)
class Tone:
    """One tone of the array: its circle, and how many patients it stands for."""

    key: Markup
    count: int
    words: str


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One probability in words and as a bar; ``name`` says of what."""

    name: str
    words: str
    bar: Markup


@dataclass(frozen=True, kw_only=True)
class Hundred:
    """A prediction as a number of 100 patients: in words, as an array, as a legend.

    ``is_wide`` says that the interval is wider than ``WIDE``: the evidence cannot tell
    for this patient, and the array has three tones.
    """

    verdict: str
    others: str
    is_wide: bool
    tones: tuple[Tone, ...]
    array: Markup


@dataclass(frozen=True, kw_only=True)
class Result:
    """All that the page shows of one prediction."""

    decision: str
    moment: str
    hundred: Hundred
    threshold: tuple[str, ...]
    figures: tuple[Figure, ...]
    width: tuple[str, ...]
    average: str
    because: Reasons
    asking: tuple[str, ...]
    missing: str
    level: str
    applicability: str
    reasons: tuple[str, ...]
    messages: tuple[str, ...]
    source: tuple[tuple[str, str], ...]
    provenance: str


def show_result(
    model: Model,
    prediction: Prediction,
    known: Mapping[str, Value],
    *,
    lang: str,
    threshold: float | None = None,
) -> Result:
    """Put a prediction into words, drawings and lists.

    Parameters
    ----------
    model : Model
        The model that answered.
    prediction : Prediction
        What ``model.predict`` gave.
    known : mapping
        The patient's values, cleaned.
    lang : {"en", "fr"}
    threshold : float, optional
        Probability at which the clinic decides.

    Examples
    --------
    >>> import responder_model as rm
    >>> model = rm.published_model("rtms_response", moment="screening")
    >>> shown = show_result(model, model.predict({"age": 54}), {"age": 54.0}, lang="en")
    >>> len(shown.figures), shown.level
    (3, 'inside')
    """
    decision = dictionary().decisions[prediction.decision]
    level = prediction.applicability.level
    told = judge(prediction, threshold)
    return Result(
        decision=decision.label[lang],
        moment=Note("page.moment", moment=prediction.moment).text(lang),
        hundred=hundred_of(prediction, told, lang=lang),
        threshold=_at_threshold(prediction, told, lang) if threshold else (),
        figures=_figures(prediction, decision, told.average, lang),
        width=tuple(note.text(lang) for note in width_notes(prediction)),
        average=say("page.average", lang, p=told.average),
        because=reasons_of(model, prediction, known, lang=lang),
        asking=_asking(model, known, told, threshold, lang),
        missing=missing_words(prediction.messages, lang),
        level=level,
        applicability=say(f"page.{level}", lang),
        reasons=tuple(r.text(lang) for r in prediction.applicability.reasons),
        messages=tuple(
            m.text(lang) for m in prediction.messages if m.code not in PLACED
        ),
        source=source_of(model, lang),
        provenance=prediction.provenance,
    )


def hundred_of(
    prediction: Prediction, told: Verdict | None = None, *, lang: str
) -> Hundred:
    """Say a prediction of 100 patients, so that words, array and legend agree.

    ``told``: a verdict on it, by default that beside the average patient.

    Examples
    --------
    >>> import responder_model as rm
    >>> model = rm.published_model("rtms_response", moment="screening")
    >>> shown = hundred_of(model.predict({"age": 54}), lang="en")
    >>> shown.is_wide, [tone.count for tone in shown.tones]
    (True, [9, 76, 15])
    """
    tones = _tones(prediction, dictionary().decisions[prediction.decision], lang)
    words = "; ".join(tone.words for tone in tones)
    return Hundred(
        verdict=(told or prediction.verdict).note.text(lang),
        others=_others(prediction, lang),
        is_wide=is_wide(prediction.interval),
        tones=tones,
        array=drawing.icon_array([tone.count for tone in tones], words),
    )


def _others(prediction: Prediction, lang: str) -> str:
    """How many do not, so that both numbers add up to 100."""
    share = of_100(prediction.probability) / drawing.PATIENTS
    return say("page.others", lang, others=1.0 - share)


def is_wide(interval: tuple[float, float]) -> bool:
    """Whether an interval is too wide to tell anything of the patient."""
    low, high = interval
    return high - low > WIDE


def relief(decision: Decision, cut_point: float) -> Note:
    """Relief beyond a cut-off, in words."""
    key = "more_than" if decision.comparison == ">" else "at_least"
    return Note(f"page.{key}", cut=f"{cut_point:g}")


def figure(step: Prediction | Pathway, lang: str) -> str:
    """Sentence that says how many of 100, and where the true figure may lie."""
    return f"{figure_note(step).text(lang)}."


def _tones(prediction: Prediction, decision: Decision, lang: str) -> tuple[Tone, ...]:
    wide = is_wide(prediction.interval)
    bounds = prediction.interval if wide else (prediction.probability,)
    found = drawing.counts(*bounds)
    keys = ("at_worst", "cannot_tell", "at_best") if wide else ("do", "do_not")
    parts = {"relief": relief(decision, decision.main_cut_point)}
    return tuple(
        Tone(
            key=drawing.key_of(mark),
            count=n,
            words=say(f"page.tone_{key}", lang, n=n, **parts),
        )
        for mark, n, key in zip(drawing.marks_for(found), found, keys, strict=True)
    )


def _figures(
    prediction: Prediction, decision: Decision, average: float, lang: str
) -> tuple[Figure, ...]:
    """The three cut-offs; the main one has an interval, and the average patient's."""
    found = []
    for cut, probability in prediction.probabilities.items():
        is_main = cut == prediction.cut_point
        interval = prediction.interval if is_main else None
        found.append(
            Figure(
                name=say("page.cut_off", lang, relief=relief(decision, cut)),
                words=figure_words(probability, interval, lang),
                bar=drawing.interval_bar(
                    probability, interval, average=average if is_main else None
                ),
            )
        )
    return tuple(found)


def figure_words(
    probability: float, interval: tuple[float, float] | None, lang: str
) -> str:
    """Probability as a percentage, with its interval.

    Examples
    --------
    >>> figure_words(0.52, (0.08, 0.94), "fr")
    '52 % (de 8 % à 94 %)'
    """
    p = format_percent(probability)
    if interval is None:
        return p
    low, high = map(format_percent, interval)
    return say("page.with_interval", lang, p=p, low=low, high=high)


def _at_threshold(prediction: Prediction, told: Verdict, lang: str) -> tuple[str, ...]:
    """Chance to lie above the clinic's threshold, and net benefit per 100 patients.

    A false start costs what the threshold says: t / (1 - t) of a responder.
    """
    threshold, above = told.threshold, told.chance_above
    cost = threshold / (1.0 - threshold)
    ends = (prediction.probability, *prediction.interval)
    worth = [drawing.PATIENTS * (p - (1.0 - p) * cost) for p in ends]
    value, low, high = (signed_points(x, lang) for x in worth)
    said = {"n": round(worth[0]), "value": value, "low": low, "high": high}
    return (
        say("answers.above_threshold", lang, threshold=threshold, chance=above),
        say("page.net_benefit", lang, threshold=threshold, **said),
    )


def _asking(
    model: Model,
    known: Mapping[str, Value],
    told: Verdict,
    threshold: float | None,
    lang: str,
) -> tuple[str, ...]:
    questions = model.questions(known, threshold=threshold)
    notes = question_notes(questions, told.threshold)
    return tuple(note.text(lang) for note in notes)


def missing_words(messages: Iterable[Note], lang: str) -> str:
    """Sentence that says what was not given; empty where everything was."""
    for message in messages:
        if message.code == "model.missing":
            return message.text(lang)
    return ""


def answers_given(
    known: Mapping[str, Value], lang: str, told: Told
) -> tuple[tuple[str, str, str], ...]:
    """Labels and values of what was answered, and where each comes from.

    A value that follows from another one comes from where that one does.
    """
    origin = {name: dictionary().fields[name].derived_from or name for name in known}
    return tuple(
        (
            label_of(name, lang),
            describe_value(name, value, lang),
            told.beside.get(origin[name], told.entered),
        )
        for name, value in known.items()
    )
