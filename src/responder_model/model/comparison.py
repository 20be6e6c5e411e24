"""Two predictions of one model, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from responder_model.errors import InvalidPatientError
from responder_model.model.prediction import Prediction
from responder_model.schema import dictionary
from responder_model.vocabulary import find_field


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two predictions of one model that differ in some predictors.

    It compares two patients; it is never the effect of changing one of them.

    Parameters
    ----------
    changes : dict
        Predictors that differ, with the second patient's value (None: not given).
    before, after : Prediction
        The patient, and the one who differs by ``changes``.
    difference : float
        Difference of the probabilities, after minus before.
    contribution_differences : dict
        Difference of each contribution, in log-odds; the sum is the difference of
        the linear predictors.
    messages : tuple of str
        How the difference may be read.
    """

    changes: dict[str, Any]
    before: Prediction
    after: Prediction
    difference: float
    contribution_differences: dict[str, float]
    messages: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; both predictions in full."""
        return {
            "changes": dict(self.changes),
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "difference": self.difference,
            "contribution_differences": dict(self.contribution_differences),
            "messages": list(self.messages),
        }


def compare_predictions(
    before: Prediction,
    after: Prediction,
    changes: Mapping[str, Any],
    messages: tuple[str, ...],
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
            message = f"{name} must be a mapping of predictor to value."
            raise InvalidPatientError({name: message})
    new = {_name(key): value for key, value in changes.items()}
    fields = dictionary().fields
    kept = {
        name: value
        for name, value in ((_name(key), value) for key, value in patient.items())
        if name not in fields
        or not {fields[name].derived_from, fields[name].indicates} & set(new)
    }
    return {**kept, **new}


def _name(key: str) -> str:
    row = find_field(str(key))
    return str(key) if row is None else row.name
