"""One requirement on the number of patients, and the checks that all share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from responder_model.errors import ResponderModelError, got
from responder_model.words import Note

# What the published evidence alone supports: its prior predictive check allows no more.
PLANNING_C_STATISTIC = 0.68
Z = 1.96  # as the published criteria use it


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One requirement on the number of patients."""

    name: str
    definition: Note
    n_required: int
    met: bool | None  # None: no number of patients to compare with
    decides: bool  # False: reported beside the criteria that decide


def whole_patients(n: float) -> int:
    """Round up to whole patients."""
    return math.ceil(round(n, 8))  # 369.0000000001 patients are 369


def check_proportion(outcome_proportion: float) -> float:
    """Refuse a proportion of responders outside (0, 1)."""
    if not 0.0 < outcome_proportion < 1.0:
        said = Note("sample_size.proportion", got=got(outcome_proportion))
        raise ResponderModelError(said)
    return float(outcome_proportion)


def check_c_statistic(c_statistic: float) -> float:
    """Refuse a planning c-statistic outside (0.5, 1)."""
    if not 0.5 < c_statistic < 1.0:
        raise ResponderModelError(Note("sample_size.c_statistic", got=got(c_statistic)))
    return float(c_statistic)


def log_odds(proportion: float) -> float:
    """Logit of a proportion."""
    return math.log(proportion / (1.0 - proportion))


def check_counts(n_patients: int, n_candidate_parameters: int) -> None:
    """Refuse negative counts of patients and models without a parameter."""
    if not (n_patients >= 0 and n_candidate_parameters >= 1):
        said = Note(
            "sample_size.sizes", n=n_patients, parameters=n_candidate_parameters
        )
        raise ResponderModelError(said)


def criteria_from(
    required: Mapping[str, tuple[float, Note, bool]], n_patients: int | None
) -> tuple[Criterion, ...]:
    """Name each required number and compare it with the patients at hand."""
    return tuple(
        Criterion(
            name=name,
            definition=definition,
            n_required=whole_patients(n),
            met=None if n_patients is None else n_patients >= whole_patients(n),
            decides=decides,
        )
        for name, (n, definition, decides) in required.items()
    )
