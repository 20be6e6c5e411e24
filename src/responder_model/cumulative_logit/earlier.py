"""What an earlier fit leaves to the next: its patients' information, and no patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from .components import Prior, apart_by_centre


@dataclass(frozen=True, kw_only=True)
class Misfit:
    """Log likelihood of a variance v that was missed: ``score·v - information·v²/2``.

    That of patients seen one after another is the sum.
    """

    information: float = 0.0
    score: float = 0.0

    def __add__(self, other: Misfit) -> Misfit:
        return Misfit(
            information=self.information + other.information,
            score=self.score + other.score,
        )

    def times(self, power: float) -> Misfit:
        """Log likelihood that counts a share."""
        return Misfit(information=power * self.information, score=power * self.score)

    def scaled(self, factor: float) -> Misfit:
        """Log likelihood of a variance on a scale where it is ``factor`` times it."""
        return Misfit(
            information=self.information / factor**2, score=self.score / factor
        )

    def mean(self, candidates: tuple[float, ...]) -> float:
        """Posterior mean of the variance, uniform over candidates before."""
        v = np.array(candidates)
        log_weight = self.score * v - self.information * v**2 / 2.0
        weight = np.exp(log_weight - log_weight.max())
        return float(weight @ v / weight.sum())


@dataclass(frozen=True, kw_only=True)
class Missed:
    """What linear predictors miss: of interactions, and of slopes between centres."""

    interactions: Misfit = Misfit()
    slopes: Misfit = Misfit()

    def __add__(self, other: Missed) -> Missed:
        return Missed(
            interactions=self.interactions + other.interactions,
            slopes=self.slopes + other.slopes,
        )

    def times(self, power: float) -> Missed:
        """What a share of the patients says."""
        return Missed(
            interactions=self.interactions.times(power), slopes=self.slopes.times(power)
        )

    def scaled(self, factor: float) -> Missed:
        """Of linear predictors whose variances are ``factor`` times what they were."""
        return Missed(
            interactions=self.interactions.scaled(factor),
            slopes=self.slopes.scaled(factor),
        )


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """Where an update starts: posteriors of an earlier fit as priors.

    Parameters
    ----------
    components : tuple of Prior
        Of the ordinal fit.
    at_cuts : mapping of int to tuple of Prior
        Of the fits at each served cut point.
    missed : Missed
        What the earlier patients say of misfit.
    n_patients : int
        How many they are.
    n_changes : int
        How many changes since then each prior has, one after another.
    """

    components: tuple[Prior, ...]
    at_cuts: Mapping[int, tuple[Prior, ...]]
    missed: Missed = Missed()
    n_patients: int = 0
    n_changes: int = 1

    def with_centres(self, n: int, *, known: bool) -> Earlier:
        """With the levels of ``n`` more centres, the first of all or not."""

        def more(priors: tuple[Prior, ...]) -> tuple[Prior, ...]:
            if n and not known:
                return apart_by_centre(priors, n)
            return tuple(prior.with_centres(n) for prior in priors)

        return replace(
            self,
            components=more(self.components),
            at_cuts={cut: more(priors) for cut, priors in self.at_cuts.items()},
        )
