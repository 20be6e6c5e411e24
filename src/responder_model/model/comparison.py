"""Two predictions of one model, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from responder_model.errors import InvalidPatientError
from responder_model.patient import Value, find_key, given_twice, no_mapping
from responder_model.words import Note
from .prediction import Prediction


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two predictions of one model that differ in some predictors.

    It compares two patients; it is never the effect of changing one of them.

    Parameters
    ----------
    changes : dict
        Predictors that differ, with the second patient's value as it was read (None:
        not given); empty when the changes make no difference to what the model reads.
    before, after : Prediction
        The patient, and the one who differs by ``changes``.
    difference : float
        Difference of the probabilities, after minus before.
    contribution_differences : dict
        Difference of each contribution, in log-odds; the sum is the difference of
        the linear predictors.
    messages : tuple of Note
        How the difference may be read.
    """

    changes: dict[str, Value | None]
    before: Prediction
    after: Prediction
    difference: float
    contribution_differences: dict[str, float]
    messages: tuple[Note, ...]

    def to_dict(self, lang: str = "en") -> dict[str, Any]:
        """Plain data for JSON, sentences in a language; both predictions in full."""
        return {
            "changes": dict(self.changes),
            "before": self.before.to_dict(lang),
            "after": self.after.to_dict(lang),
            "difference": self.difference,
            "contribution_differences": dict(self.contribution_differences),
            "messages": [message.to_dict(lang) for message in self.messages],
        }


def compare_predictions(
    before: Prediction,
    after: Prediction,
    changes: Mapping[str, Value | None],
    messages: tuple[Note, ...],
) -> Comparison:
    """Difference of two predictions, by predictor."""
    return Comparison(
        changes=dict(changes),
        before=before,
        after=after,
        difference=after.probability - before.probability,
        contribution_differences={
            name: after.contributions[name] - value
            for name, value in before.contributions.items()
        },
        messages=messages,
    )


def changed_patient(
    patient: Mapping[str, Any], changes: Mapping[str, Any]
) -> dict[str, Any]:
    """Patient with some predictors changed.

    What follows from a changed predictor is not carried over: the lesion type from the
    aetiology, the yes/no of a relief from that relief.

    Examples
    --------
    >>> changed_patient({"Aetiology": "amputation", "lesion_type": "peripheral"},
    ...                 {"aetiology": "syringomyelia"})
    {'aetiology': 'syringomyelia'}
    """
    for name, values in (("patient", patient), ("changes", changes)):
        if not isinstance(values, Mapping):
            raise InvalidPatientError((no_mapping(name),))
    new = _by_name(changes)
    kept = {}
    for key, value in patient.items():
        row = find_key(key)
        if row is None or not {row.name, row.derived_from, row.indicates} & set(new):
            kept[key] = value
    return {**kept, **new}


def _by_name(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes by the name of the field, each given once."""
    new: dict[str, Any] = {}
    twice = []
    for key, value in changes.items():
        row = find_key(key)
        name = key if row is None else row.name
        if name in new:
            twice.append(given_twice(name))
        new[name] = value
    if twice:
        raise InvalidPatientError(tuple(twice))
    return new


def differing(
    before: Mapping[str, Value], after: Mapping[str, Value], changes: Mapping[str, Any]
) -> dict[str, Value | None]:
    """Values of the second patient, both cleaned, where a change made a difference.

    Examples
    --------
    >>> differing({"age": 54.0, "sex": "male"}, {"age": 54.0},
    ...           {"age": "54", "Sexe": None})
    {'sex': None}
    """
    return {
        name: after.get(name)
        for name in _by_name(changes)
        if before.get(name) != after.get(name)
    }
