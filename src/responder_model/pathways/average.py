"""Success averaged over relief, with draws of both posteriors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from responder_model.features import Array
from responder_model.model.prediction import LEVELS
from .relief import Floats, ReliefCurve, logistic
from .result import ReliefClass
from .success import SuccessCurve, quasi_normal

# Draws of both posteriors behind an interval, and the ends of that interval.
N_DRAWS = 4096
_ENDS = (0.025, 0.975)
# Added to each probability so that an impossible class still has a mean.
_TINY = 1e-30

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class Average:
    """Relief and success of one patient, as served and in each draw.

    Parameters
    ----------
    values : ndarray of shape (g,)
        Every relief that may be reported.
    mass : ndarray of shape (g,)
        Probability of each.
    success : ndarray of shape (n_served, g)
        Served probability of success at each relief, by cut-off.
    main : int
        Row of the main cut-off.
    mass_draws, success_draws : ndarray of shape (n_draws, g)
        The same in each draw, at the main cut-off.
    levels : ndarray of shape (g,)
        Applicability of the implant model at each relief.
    """

    values: Array
    mass: Array
    success: Array
    main: int
    mass_draws: Floats
    success_draws: Floats
    levels: NDArray[np.int8]

    @classmethod
    def of(cls, relief: ReliefCurve, success: SuccessCurve) -> Average:
        """Draw from the posteriors of both curves, which are independent."""
        split = relief.n_dimensions
        # single precision: draws only mark the ends of an interval
        normal = quasi_normal(N_DRAWS, split + success.n_dimensions).astype(np.float32)
        return cls(
            values=relief.values,
            mass=relief.mass(np.zeros((1, split)))[0],
            success=np.asarray(logistic(success.log_odds), dtype=np.float64),
            main=success.main,
            mass_draws=relief.mass(normal[:, :split]),
            success_draws=success.success(normal[:, split:]),
            levels=success.levels,
        )

    @cached_property
    def product_draws(self) -> Floats:
        """Probability of each relief with success, in each draw."""
        return self.mass_draws * self.success_draws

    def probabilities(self) -> list[float]:
        """Success at each served cut-off."""
        return [float(p) for p in self.success @ self.mass]

    def interval(self) -> Interval:
        """95 % interval of success at the main cut-off."""
        draws = self.product_draws.sum(axis=1)
        return _interval(draws, self.probabilities()[self.main])

    def joint(self, chosen: slice) -> tuple[float, Interval]:
        """Probability of a chosen relief and then success, with its 95 % interval."""
        value = float((self.mass * self.success[self.main])[chosen].sum())
        return value, _interval(self.product_draws[:, chosen].sum(axis=1), value)

    def halved(self, chosen: slice) -> float:
        """Success were its odds half as large at the chosen reliefs."""
        chance = self.success[self.main].copy()
        # odds p / (1 - p) halved
        chance[chosen] /= 2.0 - chance[chosen]
        return float(self.mass @ chance)

    def share(self, chosen: slice) -> float:
        """Probability that relief is one of the chosen."""
        return float(self.mass[chosen].sum())

    def level(self, chosen: slice) -> int:
        """Applicability level that most of the chosen relief has."""
        weight = self.mass[chosen] + _TINY
        counts = np.bincount(self.levels[chosen], weights=weight, minlength=len(LEVELS))
        return int(counts.argmax())

    def middle(self, chosen: slice) -> float:
        """Median of the chosen relief."""
        weight = (self.mass[chosen] + _TINY).cumsum()
        at = int(np.searchsorted(weight, weight[-1] / 2.0))
        return float(self.values[chosen][at])

    def between(self, above: float | None, at_most: float | None) -> slice:
        """Where a class of relief lies among the values."""
        low = -np.inf if above is None else above
        high = np.inf if at_most is None else at_most
        start, stop = np.searchsorted(self.values, (low, high), side="right").tolist()
        return slice(start, stop)

    def relief_class(self, above: float | None, at_most: float | None) -> ReliefClass:
        """Probability of a class of relief, and success in it."""
        chosen = self.between(above, at_most)
        mass, success = self.mass[chosen], self.success[self.main][chosen]
        share, mean = mass.sum(), np.average(success, weights=mass + _TINY)
        shares = self.mass_draws[:, chosen].sum(axis=1)
        tiny = _TINY * self.success_draws[:, chosen].sum(axis=1)
        means = self.product_draws[:, chosen].sum(axis=1) + tiny
        means /= shares + _TINY * len(mass)
        return ReliefClass(
            above=above,
            at_most=at_most,
            probability=float(share),
            interval=_interval(shares, float(share)),
            success=float(mean),
            success_interval=_interval(means, float(mean)),
            applicability=LEVELS[self.level(chosen)],
        )


def _interval(draws: Floats, served: float) -> Interval:
    """Ends of the draws; they hold what is served."""
    lower, upper = np.quantile(draws, _ENDS)
    return min(float(lower), served), max(float(upper), served)
