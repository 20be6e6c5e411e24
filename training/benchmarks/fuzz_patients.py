"""Random patients, most of them almost right, and what a model may say of one."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

from fuzz_values import JUNK, NAMES, NO_PATIENTS
from responder_model.labels import label_of
from responder_model.model import Prediction
from responder_model.schema import Field, dictionary
from responder_model.vocabulary import YES_NO


def random_patients(n: int, seed: int) -> Iterator[Any]:
    """Yield patients: plausible, at the edges, spoilt in one place, or no patient."""
    rng = random.Random(seed)
    fields = list(dictionary().fields.values())
    for _ in range(n):
        kind = rng.random()
        if kind < 0.01:
            yield rng.choice(NO_PATIENTS)
            continue
        share = rng.choice([0.0, 0.2, 0.6, 1.0])
        latest = rng.choice(["screening", "screening", "session_2", "implantation"])
        known = [f for f in fields if dictionary().is_known(f.name, latest)]
        patient: dict[Any, Any] = {
            _name(f, rng): _value(f, rng, edges=kind < 0.5)
            for f in known
            if rng.random() < share and (_is_free(f) or rng.random() < 0.02)
        }
        for _ in range(rng.choice([0, 0, 1, 1, 2, 20]) if kind > 0.5 else 0):
            junk = rng.choice(JUNK)
            name = rng.choice(fields).name if rng.random() < 0.8 else rng.choice(NAMES)
            patient[name] = junk
        yield patient


def _is_free(field: Field) -> bool:
    """Whether a field's value can hardly contradict another one."""
    return field.role == "predictor" and not (field.derived_from or field.indicates)


def _name(field: Field, rng: random.Random) -> str:
    return (
        field.name
        if rng.random() < 0.9
        else label_of(field.name, rng.choice(("en", "fr")))
    )


def _value(field: Field, rng: random.Random, *, edges: bool) -> Any:
    """Return one allowed value, as people write it."""
    if field.kind == "category":
        category = rng.choice(field.categories)
        return rng.choice([category.name, *category.label.values(), *category.aliases])
    if field.kind == "boolean":
        return rng.choice([True, False, 1, 0, "1", *YES_NO["en"], *YES_NO["fr"]])
    if field.kind == "text":
        return rng.choice(["A-17", "simulé", 12, "Saint-Étienne"])
    low, high = float(field.minimum or 0.0), float(field.maximum or 0.0)
    value = (
        rng.choice([low, high, 0.5 * (low + high)]) if edges else rng.uniform(low, high)
    )
    value = round(value) if field.integer or rng.random() < 0.5 else value
    return rng.choice([value, value, int(value), str(value).replace(".", ",")])


def problem_of(found: Prediction, baseline: float) -> str:
    """Say what is wrong with a prediction; an empty text if nothing is."""
    cuts = list(found.probabilities.values())
    numbers = [found.probability, *found.interval, *cuts, *found.contributions.values()]
    numbers += [
        x for r in found.contribution_ranges.values() for x in (r.lower, r.upper)
    ]
    if not all(math.isfinite(x) for x in numbers):
        return "not finite"
    if not 0.0 <= found.interval[0] <= found.probability <= found.interval[1] <= 1.0:
        return "outside its interval"
    if cuts != sorted(cuts, reverse=True):
        return "cut-offs not in order"
    total = baseline + sum(found.contributions.values())
    if abs(total - found.linear_predictor) > 1e-5:
        return "contributions do not sum"
    return "" if found.messages else "no message"
