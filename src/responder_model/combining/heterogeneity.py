"""How far centres lie apart, and which of them contradicts the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .contribution import beliefs, own_priors
from .joint import Joint
from .product import Floats, Spread, mass

# log p(data | the others) - log p(data | evidence alone) below which a centre
# contradicts the others, and SDs of its level beyond which it does.
_CONTRADICTS, _FAR = -3.0, 3.0


@dataclass(frozen=True, kw_only=True)
class Member:
    """One centre beside the others.

    Parameters
    ----------
    name : str
        Its model's.
    n_patients, n_events : int
        Of its model.
    weight : float
        Share in what is known of what all share; the evidence has the rest.
    level, lower, upper : float
        Its level less that of the others, log-odds, with 95 % limits.
    agreement : float
        log p(its patients | the others) - log p(its patients | evidence alone): above 0
        the others foretell it better than the evidence does.
    contradicts : bool
        Whether it is far from the others, by agreement or by level.
    """

    name: str
    n_patients: int
    n_events: int
    weight: float
    level: float
    lower: float
    upper: float
    agreement: float
    contradicts: bool


@dataclass(frozen=True, kw_only=True)
class Between:
    """How far centres lie apart.

    Parameters
    ----------
    level, slope : tuple of float
        SD between centres of the level and of each slope: mean and 95 % limits.
    i_squared : float
        Share of the variance of the centres' levels that chance does not explain.
    """

    level: tuple[float, float, float]
    slope: tuple[float, float, float]
    i_squared: float


def members_of(joint: Joint, shares: Floats) -> tuple[Member, ...]:
    """Hold each centre against all others, over components and spreads.

    A centre that contradicts the others is set apart before the rest is judged again,
    the worst first: it would make them contradict, too.

    Parameters
    ----------
    joint : Joint
        All centres.
    shares : ndarray of shape (C,)
        Weight of each.
    """
    centres = joint.centres
    believed = _believed(joint)
    foretold = _Foretold(joint)
    alone = np.logaddexp.reduce(believed, axis=1)
    heaviest = int(np.argmax((believed - alone[:, None]).sum(axis=0)))
    levels = [_level(joint, heaviest, c) for c in range(len(centres))]
    agreement = foretold.by_others(range(len(centres))) - alone
    against = _against(foretold, alone, agreement)
    return tuple(
        Member(
            name=one.name,
            n_patients=one.n_patients,
            n_events=one.n_events,
            weight=float(share),
            level=shift,
            lower=shift - 1.96 * error,
            upper=shift + 1.96 * error,
            agreement=float(agreement[c]),
            contradicts=c in against or abs(shift) > _FAR * error,
        )
        for c, (one, (shift, error), share) in enumerate(
            zip(centres, levels, shares, strict=True)
        )
    )


def _believed(joint: Joint) -> Floats:
    """Log of weight times evidence of each centre and component alone, (C, K)."""
    columns = joint.base.encoder.derived
    return np.array(
        [
            beliefs(one.of_all(columns), own_priors(joint.base, one.excluded_evidence))
            for one in joint.centres
        ]
    )


def _against(foretold: _Foretold, alone: Floats, agreement: Floats) -> set[int]:
    """Places of the centres that contradict the others."""
    left, against = list(range(len(alone))), set()
    while len(left) > 1 and agreement.min() < _CONTRADICTS:
        worst = left[int(agreement.argmin())]
        against.add(worst)
        left.remove(worst)
        agreement = foretold.by_others(left) - alone[left]
    return against


@dataclass(frozen=True)
class _Foretold:
    """What centres foretell of one another."""

    joint: Joint

    def by_others(self, chosen: Sequence[int]) -> Floats:
        """Log p(patients of each | all others of these), (n_chosen,)."""
        together, without = [], []
        joint = self.joint
        for whole, prior, ways in zip(
            joint.common, joint.priors, joint.moved, strict=True
        ):
            start = mass(prior.precision, prior.vector)
            for spread, way in zip(joint.spreads, ways, strict=True):
                part = way.of(chosen)
                precision = prior.precision + part.precision.sum(axis=0)
                vector = prior.vector + part.vector.sum(axis=0)
                share = (
                    np.log(whole.weight * spread.weight) - start + part.constant.sum()
                )
                together.append(share + mass(precision, vector))
                rest = mass(precision - part.precision, vector - part.vector)
                without.append(share - part.constant + rest)
        every = np.logaddexp.reduce(np.array(together))
        return np.asarray(every - np.logaddexp.reduce(np.array(without), axis=0))


def _level(joint: Joint, k: int, c: int) -> tuple[float, float]:
    """Level of a centre beyond what the others expect, and its standard error.

    The likelihood of a shift of the level alone, with all else as the others expect.
    """
    prior, parts = joint.priors[k], joint.parts[k]
    precision = prior.precision + parts.precision.sum(axis=0) - parts.precision[c]
    vector = prior.vector + parts.vector.sum(axis=0) - parts.vector[c]
    covariance = np.linalg.inv(precision)
    mean = covariance @ vector
    own = parts.precision[c]
    factor = np.eye(len(mean)) + own @ covariance
    score = np.linalg.solve(factor, parts.vector[c] - own @ mean)[0]
    information = max(float(np.linalg.solve(factor, own)[0, 0]), 1e-12)
    return float(score / information), information**-0.5


def between(
    members: Sequence[Member], spreads: Sequence[Spread], weights: Floats
) -> Between:
    """Summarise the posterior of how far centres lie apart, (n_spreads,) weights."""
    levels = np.array([spread.level for spread in spreads])
    slopes = np.array([spread.slope for spread in spreads])
    shift = np.array([member.level for member in members])
    precise = np.array([(2 * 1.96 / (m.upper - m.lower)) ** 2 for m in members])
    centre = float(precise @ shift / precise.sum())
    q = float(precise @ (shift - centre) ** 2)
    chance = len(members) - 1
    return Between(
        level=_summary(levels, weights),
        slope=_summary(slopes, weights),
        i_squared=max(0.0, (q - chance) / q) if q > 0.0 else 0.0,
    )


def _summary(values: Floats, weights: Floats) -> tuple[float, float, float]:
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    low, high = (
        float(values[order][np.searchsorted(reached, share).clip(max=len(values) - 1)])
        for share in (0.025, 0.975)
    )
    return float(weights @ values), low, high
