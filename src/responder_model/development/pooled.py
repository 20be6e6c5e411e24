"""What an update says of all patients together, the earlier and the new ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from responder_model.artifact import digest_of
from responder_model.disclosure import Disclosure, Fingerprints
from responder_model.features import Population
from responder_model.model import Limits, Model
from responder_model.model.limits import NumberLimits

_HOW_OFTEN = ("none", "few", "enough")


def pooled_populations(model: Model, fresh: Model) -> Population:
    """Moments of both populations, whichever came first.

    Columns of which one of them learned nothing are as the other expects them.
    """
    before, now = _completed(model, fresh), _completed(fresh, model)
    n_patients = before.n_patients + now.n_patients
    share = before.n_patients / n_patients
    gap = before.mean - now.mean
    return Population(
        mean=share * before.mean + (1.0 - share) * now.mean,
        covariance=share * before.covariance
        + (1.0 - share) * now.covariance
        + share * (1.0 - share) * np.outer(gap, gap),
        n_patients=n_patients,
    )


def _completed(model: Model, other: Model) -> Population:
    own = model.population
    out = () if model.disclosure is None else model.disclosure.contrasts_left_out
    names = [column.name for column in model.encoder.columns]
    kept = np.array([k for k, name in enumerate(names) if name not in out], dtype=int)
    part = replace(
        own, mean=own.mean[kept], covariance=own.covariance[np.ix_(kept, kept)]
    )
    return part.extended(other.population, kept)


def joint_disclosure(model: Model, fresh: Model) -> Disclosure | None:
    """What may be told of both, and whether it may leave."""
    if fresh.disclosure is None:
        return model.disclosure
    return fresh.disclosure.updated(model.disclosure, digest_of(model))


def joint_fingerprints(model: Model, fresh: Model) -> Fingerprints | None:
    """Of all patients; None where those of the earlier model cannot be told."""
    before, now = model.fingerprints, fresh.fingerprints
    if model.n_patients == 0:
        return now
    if before is None or now is None or before.key != now.key:
        return None
    return now + before


def widen_limits(before: Limits, now: Limits) -> Limits:
    """Limits that hold both populations."""
    numbers = dict(before.numbers)
    for name, row in now.numbers.items():
        old = numbers.get(name, row)
        numbers[name] = NumberLimits(
            usual=_span(old.usual, row.usual), widest=_span(old.widest, row.widest)
        )
    seen = {name: dict(row) for name, row in before.seen.items()}
    for name, values in now.seen.items():
        for value, how_often in values.items():
            known = seen.setdefault(name, {}).get(value, "none")
            seen[name][value] = max(known, how_often, key=_HOW_OFTEN.index)
    states = [s for s in (before.non_responders, now.non_responders) if s]
    together = set(before.never_together) & set(now.never_together)
    return Limits(
        numbers=numbers,
        seen=seen,
        never_together=tuple(sorted(together)),
        usual_distance=max(before.usual_distance, now.usual_distance),
        widest_distance=max(before.widest_distance, now.widest_distance),
        non_responders=min(states) if states else None,
    )


def _span(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    return min(a[0], b[0]), max(a[1], b[1])
