"""What a reader of one prediction must know."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from responder_model.features import expit
from responder_model.words import Note
from .limits import preceding_test, session_reliefs

if TYPE_CHECKING:
    from .fitted import Model


def standing_messages(model: Model) -> tuple[Note, ...]:
    """Messages that every prediction of a model carries."""
    found = [Note("model.research_use"), *_provenance(model)]
    if model.review is not None:
        found.insert(0, model.review)
    size = model.sample_size
    if size is not None and size.verdict == "insufficient":
        found.append(Note("model.insufficient"))
    after_test = preceding_test(model.encoder) is not None
    found.append(Note("model.implanted" if after_test else "model.reporting"))
    if relief_slope(model) < 0.0:
        found.append(Note("model.negative_slope"))
    return tuple(found)


def _provenance(model: Model) -> list[Note]:
    if model.provenance == "simulated":
        return [Note("model.simulated")]
    if model.provenance == "cohort":
        counts = {"n_patients": model.n_patients, "n_events": model.n_events}
        return [Note("model.cohort", name=model.name, **counts)]
    found = [Note("model.published")]
    if model.priors is not None:
        value = model.priors.implied_c_statistic
        found.append(Note("model.published_weak", value=value))
    return found


def relief_slope(model: Model) -> float:
    """Log-odds at the main cut-off that relief adds when all of it rises together.

    Relief is every number in the outcome's unit that repeats over the sessions, or that
    is the outcome of the preceding test. Per reference SD; 0 where no relief is known.
    """
    names = set(session_reliefs(model.encoder))
    test = preceding_test(model.encoder)
    if test is not None:
        names.add(test.outcome)
    columns = model.encoder.columns
    slopes = zip(columns, model.main.coefficients, strict=True)
    return float(sum(slope for column, slope in slopes if column.name in names))


def halved_odds(linear_predictor: float) -> Note:
    """Probability of a non-responder were the odds half as large."""
    halved = float(expit(np.array(linear_predictor - math.log(2.0))))
    return Note("model.non_responder_sensitivity", value=halved)


def centre_messages(model: Model, centre: str | None, own: int) -> tuple[Note, ...]:
    """Whether the level is that of the patient's centre."""
    if own >= 0:
        return (Note("model.centre_level"),)
    if model.centre_names:
        return (Note("model.another_centre", names=tuple(model.centre_names)),)
    return () if centre is None else (Note("model.no_centres"),)


def patient_messages(
    standing: tuple[Note, ...],
    *,
    missing: tuple[str, ...],
    level: str,
    failed_test: bool,
    linear_predictor: float,
) -> tuple[Note, ...]:
    """All messages of one prediction: the model's standing ones, then the patient's."""
    found = list(standing)
    if level != "inside":
        found.append(Note(f"model.{level}"))
    if failed_test:
        found.append(halved_odds(linear_predictor))
    if missing:
        found.append(Note("model.missing", names=missing))
    return tuple(found)
