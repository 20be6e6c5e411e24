"""What a reader of one prediction must know."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from responder_model.features import expit
from responder_model.labels import format_number, format_percent, label_of
from responder_model.model.limits import preceding_test
from responder_model.model.texts import text
from responder_model.schema import dictionary

if TYPE_CHECKING:
    from responder_model.model.fitted import Model


def standing_messages(model: Model, lang: str) -> tuple[str, ...]:
    """Messages that every prediction of a model carries, in a language."""
    found = [text("research_use", lang), *_provenance(model, lang)]
    if model.sample_size.get("verdict") == "insufficient":
        found.append(text("insufficient", lang))
    after_test = preceding_test(model.encoder) is not None
    found.append(text("implanted" if after_test else "reporting", lang))
    if relief_slope(model) < 0.0:
        found.append(text("negative_slope", lang))
    return tuple(found)


def _provenance(model: Model, lang: str) -> list[str]:
    if model.provenance == "simulated":
        return [text("simulated", lang)]
    if model.provenance == "cohort":
        counts = {"n_patients": model.n_patients, "n_events": model.n_events}
        return [text("cohort", lang, name=model.name, **counts)]
    found = [text("published", lang)]
    c_statistic = model.priors.get("implied_c_statistic")
    if c_statistic is not None:
        value = format_number(float(c_statistic), lang, ".2f")
        found.append(text("published_weak", lang, value=value))
    return found


def relief_slope(model: Model) -> float:
    """Log-odds at the main cut-off that relief adds when all of it rises together.

    Relief is every number in the outcome's unit that repeats over the sessions, or that
    is the outcome of the preceding test. Per reference SD; 0 where no relief is known.
    """
    fields = dictionary().fields
    unit = fields[dictionary().decisions[model.decision].outcome].unit
    names = {name for row in dictionary().series for name in row.fields}
    test = preceding_test(model.encoder)
    if test is not None:
        names.add(test.outcome)
    names = {name for name in names if fields[name].unit == unit}
    columns = model.encoder.columns
    slopes = zip(columns, model.main.coefficients, strict=True)
    return float(sum(slope for column, slope in slopes if column.name in names))


def missing_message(missing: tuple[str, ...], lang: str) -> str:
    """Name the predictors that were not given."""
    return text("missing", lang, names=", ".join(label_of(n, lang) for n in missing))


def sensitivity_message(linear_predictor: float, lang: str) -> str:
    """Probability of a non-responder were the odds half as large."""
    halved = float(expit(np.array(linear_predictor - math.log(2.0))))
    return text("non_responder_sensitivity", lang, value=format_percent(halved))


def centre_messages(
    model: Model, centre: str | None, own: int, lang: str
) -> tuple[str, ...]:
    """Whether the level is that of the patient's centre."""
    if own >= 0:
        return (text("centre_level", lang),)
    if model.centre_names:
        return (text("another_centre", lang, names=", ".join(model.centre_names)),)
    return () if centre is None else (text("no_centres", lang),)


def patient_messages(
    standing: tuple[str, ...],
    lang: str,
    *,
    missing: tuple[str, ...],
    level: str,
    failed_test: bool,
    linear_predictor: float,
) -> tuple[str, ...]:
    """All messages of one prediction: the model's standing ones, then the patient's."""
    found = list(standing)
    if level != "inside":
        found.append(text(level, lang))
    if failed_test:
        found.append(sensitivity_message(linear_predictor, lang))
    if missing:
        found.append(missing_message(missing, lang))
    return tuple(found)
