"""Level and main effects: of each centre, of what all share, of a new centre."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from responder_model.cumulative_logit.mixture import Collapsed, collapse
from responder_model.cumulative_logit.mixture import Component as Posterior
from .joint import Joint

# Mean and 95 % limits, log-odds.
Interval = tuple[float, float, float]
_Z = 1.959964
# Least share of the prior's precision that patients must add to be shown.
LEAST_INFORMATION = 0.02
LEVEL = "level"


@dataclass(frozen=True, kw_only=True)
class Effect:
    """The level or one main effect, in log-odds per reference unit.

    Parameters
    ----------
    column : str
        Model column; ``level`` for the level of an average patient.
    centres : tuple
        What each centre's patients add to the evidence, the other effects being
        averaged over: mean and 95 % limits; None where they say next to nothing.
    common : (float, float, float)
        Of what centres share, from evidence and all patients.
    new : (float, float, float)
        Of a centre that is none of them: the prediction interval.
    """

    column: str
    centres: tuple[Interval | None, ...]
    common: Interval
    new: Interval

    @property
    def strength(self) -> float:
        """How surely it differs from no effect, in standard deviations."""
        mean, low, high = self.common
        return abs(mean) / max((high - low) / (2.0 * _Z), 1e-12)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return dict(vars(self))


def effects_of(joint: Joint, posteriors: Sequence[Posterior]) -> tuple[Effect, ...]:
    """Level and effects from the posteriors of a new centre."""
    likely = joint.likely(posteriors)
    new = _served(joint, [posteriors[place] for place in likely])
    common = _served(
        joint, [_without_spread(joint, posteriors, place) for place in likely]
    )
    n, n_cuts = len(joint.spreads), joint.n_cuts
    by_component = np.array([one.weight for one in posteriors]).reshape(-1, n)
    added = _added(joint, int(by_component.sum(axis=1).argmax()))
    places = [0, *range(n_cuts, n_cuts + len(joint.base.encoder.derived))]
    names = (LEVEL, *joint.base.encoder.derived)
    return tuple(
        Effect(
            column=name,
            centres=tuple(one[place] for one in added),
            common=_interval(common, at),
            new=_interval(new, at),
        )
        for at, (name, place) in enumerate(zip(names, places, strict=True))
    )


def _without_spread(
    joint: Joint, posteriors: Sequence[Posterior], place: int
) -> Posterior:
    """Posterior of what centres share."""
    one, spread = posteriors[place], joint.spreads[place % len(joint.spreads)]
    apart = np.diag(joint.variances(spread))
    return replace(one, covariance=one.covariance - apart)


def _served(joint: Joint, posteriors: Sequence[Posterior]) -> Collapsed:
    main, total = joint.base.rules.main_index, sum(one.weight for one in posteriors)
    shares = [replace(one, weight=one.weight / total) for one in posteriors]
    return collapse(shares, main, joint.n_cuts, main)


def _interval(found: Collapsed, at: int) -> Interval:
    mean = found.intercept if at == 0 else float(found.coefficients[at - 1])
    half = _Z * float(np.sqrt(found.covariance[at, at]))
    return mean, mean - half, mean + half


def _added(joint: Joint, k: int) -> list[list[Interval | None]]:
    """What the patients of each centre add to one component, a row a centre."""
    prior, part = joint.priors[k], joint.parts[k]
    before = 1.0 / np.diag(prior.covariance)
    after = np.linalg.inv(prior.precision + part.precision)
    means = (after @ (prior.vector + part.vector)[..., None])[..., 0]
    now = 1.0 / np.diagonal(after, axis1=1, axis2=2)
    precision = now - before
    told = precision >= LEAST_INFORMATION * before
    safe = np.where(told, precision, 1.0)
    mean = (means * now - prior.mean * before) / safe
    half = _Z * safe**-0.5
    return [
        [
            (float(m), float(m - h), float(m + h)) if t else None
            for m, h, t in zip(*row, strict=True)
        ]
        for row in zip(mean, half, told, strict=True)
    ]
