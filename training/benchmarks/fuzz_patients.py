"""Random patients, most of them almost right, and what a model may say of one."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from responder_model.labels import label_of
from responder_model.model import Prediction
from responder_model.schema import Field, dictionary
from responder_model.vocabulary import YES_NO


class Hostile:
    """An object that refuses to be looked at."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        raise RuntimeError

    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __float__ = __index__ = __str__  # type: ignore[assignment]


NUMBERS = [math.nan, math.inf, -math.inf, -0.0, 1e308, -1e308, 5e-324, 2**63, 10**400]
NUMBERS += [10**5000, -(10**400), 1 + 1e-12, Decimal("54"), Decimal("NaN"), Decimal("sNaN")]
NUMBERS += [Fraction(1, 3), 1 + 2j, np.float32(54.1), np.int8(-100), np.nan, np.bool_(1)]
TEXTS = ["", " ", "NA", "nd", "oui", "Non", "54,5", "1e5", "1e999", "0x10", "١٢", "５４"]
TEXTS += ["−5", "54 ans", "1_000", "\x00", "\ud800", "\u202e54", "👨‍👩‍👧", "nan", "inf", "-"]
TEXTS += ["A" * 100_000, "9" * 5000, "é" * 300, "None", "null", "true", "1.0", "1,0", "%"]
OBJECTS = [None, True, False, b"54", bytearray(b"5"), [], [54], (), {}, {1: 2}, set()]
OBJECTS += [object(), Hostile(), Ellipsis, int, len, pd.NA, pd.NaT, np.array(54.0)]
OBJECTS += [np.array([1.0, 2.0]), np.datetime64("NaT"), np.str_("oui"), pd.Series([1])]
OBJECTS += [pd.Timestamp("2024-01-01"), float, range(3), np.array("x"), np.ma.masked]
JUNK = [*NUMBERS, *TEXTS, *OBJECTS]
NAMES = [None, 0, 1.5, True, (), "", " ", "AGE", "âge", "ÂGE [ANS]", "agee", "\x00", "x" * 9999]
NAMES += [b"age", math.nan, "\ud800", "relief_4", "age ", "Pain  duration", frozenset()]
NO_PATIENTS = [None, [], "age", 54, [("age", 54)], Hostile(), {1, 2}, object(), b"{}"]


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
        latest = rng.choice(["screening", "session_1", "session_3", "implantation"])
        known = [f for f in fields if dictionary().is_known(f.name, latest)]
        patient: dict[Any, Any] = {
            _name(f, rng): _value(f, rng, edges=kind < 0.5)
            for f in known
            if rng.random() < share and (f.role == "predictor" or rng.random() < 0.2)
        }
        for _ in range(rng.choice([0, 0, 1, 1, 2, 20]) if kind > 0.3 else 0):
            junk = rng.choice(JUNK)
            name = rng.choice(fields).name if rng.random() < 0.8 else rng.choice(NAMES)
            patient[name] = junk
        yield patient


def _name(field: Field, rng: random.Random) -> str:
    return field.name if rng.random() < 0.9 else label_of(field.name, rng.choice(("en", "fr")))


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
    value = rng.choice([low, high, 0.5 * (low + high)]) if edges else rng.uniform(low, high)
    value = round(value) if field.integer or rng.random() < 0.5 else value
    return rng.choice([value, value, int(value), str(value).replace(".", ",")])


def problem_of(found: Prediction, baseline: float) -> str:
    """Say what is wrong with a prediction; an empty text if nothing is."""
    cuts = list(found.probabilities.values())
    numbers = [found.probability, *found.interval, *cuts, *found.contributions.values()]
    numbers += [x for r in found.contribution_ranges.values() for x in (r.lower, r.upper)]
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
