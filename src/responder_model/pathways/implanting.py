"""Benefit and harm of the implant side by side, for one patient after the test.

Nothing is subtracted: harm was counted in other patients than success, and depends on
nothing that is known of this one. What a failed implant costs, harm included, is the
reader's to say: with one success worth W failures, 100 such implants are worth

    100 · (p - (1 - p) / W)    successes,

more than none where p > 1 / (1 + W), that is where W > (1 - p) / p.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from responder_model import evidence
from responder_model.development.published import published_model
from responder_model.errors import ResponderModelError
from responder_model.labels import describe_cut_point
from responder_model.model import Model, Prediction
from responder_model.model.limits import preceding_test
from responder_model.patient import Value
from responder_model.performance import exact_proportion
from responder_model.priors import ColumnPrior
from responder_model.schema import Decision, dictionary
from responder_model.words import Note

# Row of the evidence that counts relief under sham, and the field of a patient's own.
_SHAM_ROW = "malavera_2016_sham_response"
_SHAM = "sham_relief"
# Log-odds per reference unit below which a coefficient is none.
_IDLE = 0.005
Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Implant:
    """What an implant may bring to one patient, and what it may cost.

    Parameters
    ----------
    prediction : Prediction
        Success of the implant.
    even_worth, even_worth_interval : float, (float, float)
        Failed implants that one success must be worth for the implant to break even:
        the odds of failure.
    failures_per_success : float or None
        What one success is worth to the reader, in failed implants.
    net_benefit, net_benefit_interval : float, (float, float) or None
        Worth of 100 such implants at that trade-off, in successes; None without it.
    harms : tuple of HarmRow
        Published harm and durability; the same for everybody.
    published : tuple of PublishedGroup
        Published patients like this one, by cause and by test.
    without_sham : float or None
        Success if the relief under sham were not known; None where it is not.
    messages : tuple of Note
        What a reader must know, those of the prediction included.
    """

    prediction: Prediction
    even_worth: float
    even_worth_interval: Interval
    failures_per_success: float | None
    net_benefit: float | None
    net_benefit_interval: Interval | None
    harms: tuple[evidence.HarmRow, ...]
    published: tuple[evidence.PublishedGroup, ...]
    without_sham: float | None
    messages: tuple[Note, ...]

    @property
    def worth_notes(self) -> tuple[Note, ...]:
        """What a success must be worth, and what such implants are worth.

        Nothing of that rests on a figure that is not to be relied on.
        """
        if self.prediction.applicability.level == "outside":
            return (Note("implant.no_worth"),)
        low, high = self.even_worth_interval
        even = {"value": self.even_worth, "low": low, "high": high}
        found = [Note("implant.even", **even)]
        if self.net_benefit is None or self.net_benefit_interval is None:
            return tuple(found)
        low, high = self.net_benefit_interval
        worth = {"worth": self.failures_per_success, "value": self.net_benefit}
        found.append(Note("implant.net_benefit", **worth, low=low, high=high))
        key = "gain" if low > 0 else "loss" if high < 0 else "open"
        return (*found, Note(f"implant.{key}"))

    def to_dict(self, lang: str = "en") -> dict[str, Any]:
        """Plain data for JSON, sentences in a language; probabilities in 0-1."""
        benefit = self.net_benefit_interval
        return {
            "prediction": self.prediction.to_dict(lang),
            "even_worth": self.even_worth,
            "even_worth_interval": list(self.even_worth_interval),
            "failures_per_success": self.failures_per_success,
            "net_benefit": self.net_benefit,
            "net_benefit_interval": None if benefit is None else list(benefit),
            "harms": [row.to_dict(lang) for row in self.harms],
            "published": [group.to_dict(lang) for group in self.published],
            "without_sham": self.without_sham,
            "messages": [message.to_dict(lang) for message in self.messages],
        }


def implant(
    patient: Mapping[str, Any],
    *,
    model: Model | None = None,
    failures_per_success: float | None = None,
    other_use: bool = False,
) -> Implant:
    """Say what an implant may bring and cost, once the test is done.

    Parameters
    ----------
    patient : mapping
        Predictor to value, as ``Model.predict`` takes them.
    model : Model, optional
        Model of success of the implant; by default the published-evidence one.
    failures_per_success : float, optional
        How many failed implants one success is worth to you.
    other_use : bool
        Also harm that was counted with other implants.

    Returns
    -------
    Implant
        With harm as published. It is not subtracted, nor is P(success) multiplied by
        what lasts: the series differ, and several success rates are late already.

    Raises
    ------
    InvalidPatientError
        As ``Model.predict``.
    ResponderModelError
        For a model of another decision, or a trade-off that is not above 0.

    Examples
    --------
    >>> import responder_model as rm
    >>> found = rm.implant({"age": 57, "relief_test": 55}, failures_per_success=2)
    >>> found.net_benefit_interval[0] < found.net_benefit
    True
    >>> found.harms[0].figure.text()
    '4 of 36 patients (11 %; 3 % to 26 %)'
    """
    worth = failures_per_success
    if worth is not None and not (math.isfinite(worth) and worth > 0):
        raise ResponderModelError(Note("implant.worth", worth=float(worth)))
    fitted = published_model("emcs_success") if model is None else model
    test = _test_before(fitted)
    prediction = fitted.predict(patient)
    known = fitted.check_patient(patient)
    p, ends = prediction.probability, prediction.interval
    low, high = ends
    return Implant(
        prediction=prediction,
        even_worth=_odds_against(p),
        even_worth_interval=(_odds_against(high), _odds_against(low)),
        failures_per_success=worth,
        net_benefit=None if worth is None else _benefit(p, worth),
        net_benefit_interval=None
        if worth is None
        else (_benefit(low, worth), _benefit(high, worth)),
        harms=evidence.harm_rows("emcs", other_use=other_use),
        published=evidence.published_like(_with_what_follows(known, test)),
        without_sham=_without_sham(fitted, known),
        messages=(*prediction.messages, *_messages(fitted, known, test)),
    )


def _test_before(model: Any) -> Decision:
    test = preceding_test(model.encoder) if isinstance(model, Model) else None
    if test is None:
        raise ResponderModelError(Note("pathway.implant_only"))
    return test


def _odds_against(probability: float) -> float:
    return (1.0 - probability) / probability


def _benefit(probability: float, worth: float) -> float:
    return 100.0 * (probability - (1.0 - probability) / worth)


def _with_what_follows(known: Mapping[str, Value], test: Decision) -> dict[str, Any]:
    """Values of a patient, with lesion type and response where they follow."""
    values = dict(known)
    types = dictionary().derived_categories("lesion_type")
    if known.get("aetiology") in types:
        values["lesion_type"] = types[str(known["aetiology"])]
    relief = known.get(test.outcome)
    if relief is not None and values.get(test.binary_outcome) is None:
        passes = test.passes(float(relief), test.main_cut_point)
        values[test.binary_outcome] = bool(passes)
    return values


def _without_sham(model: Model, known: Mapping[str, Value]) -> float | None:
    """Success of the same patient if nothing were known of relief under sham."""
    if known.get(_SHAM) is None:
        return None
    return model.predict({k: v for k, v in known.items() if k != _SHAM}).probability


def under_sham(test: Decision) -> Note:
    """How many report a response under sham, with its source."""
    row = evidence.packaged_evidence().rows[_SHAM_ROW]
    share = exact_proportion(row.counts["events"], row.counts["n"])
    return Note(
        "pathway.under_sham",
        cut=describe_cut_point(test, test.main_cut_point),
        events=row.counts["events"],
        n=row.counts["n"],
        value=share.value,
        lower=share.lower,
        upper=share.upper,
        study=f"{row.study} {row.year}",
    )


def _messages(
    model: Model, known: Mapping[str, Value], test: Decision
) -> Iterator[Note]:
    yield Note("implant.not_subtracted")
    yield Note("implant.same_for_everybody")
    yield Note("implant.not_added_up")
    yield Note("implant.no_relief_classes")
    yield under_sham(test)
    if model.provenance == "published" and _is_silent(model, known.get("aetiology")):
        yield Note("implant.cause_silent", cause=known["aetiology"], field="aetiology")
    if idle := _idle(model, known):
        yield Note("implant.does_not_enter", names=idle)


def _rests_on(prior: ColumnPrior | None) -> tuple[str, ...]:
    return () if prior is None else prior.rows


def _is_silent(model: Model, cause: Value | None) -> bool:
    """Whether no published effect is about this cause rather than its lesion type."""
    if cause is None:
        return False
    causes = model.dictionary.fields["aetiology"].category_names
    position = causes.index(str(cause))
    columns = model.prior_columns
    return not any(
        _rests_on(columns.get(column.name))
        for column in model.encoder.columns
        if column.predictor == "aetiology" and column.weights[position] != 0.0
    )


def _idle(model: Model, known: Mapping[str, Value]) -> tuple[str, ...]:
    """Values that are given although no effect of them is published or learned."""
    columns = model.prior_columns
    moving = {
        column.predictor
        for column, slope in zip(
            model.encoder.columns, model.main.coefficients.tolist(), strict=True
        )
        if abs(slope) >= _IDLE or _rests_on(columns.get(column.name))
    }
    return tuple(
        name
        for name, value in known.items()
        if value is not None
        and name not in moving
        and dictionary().fields[name].derived_from is None
    )
