"""A fairer peer: proportional odds with a ridge penalty, tuned, without evidence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline

from columns import fill_and_scale
from responder_model.cohort import OutcomeLevels
from responder_model.cumulative_logit import EvidenceCumulativeLogit
from responder_model.schema import dictionary

Array = NDArray[np.float64]

# Above any cohort: no cut-off gets a fit of its own.
_NEVER = 10**9


class OrdinalRidge:
    """One zero-centred Gaussian prior for all slopes; its SD is cross-validated."""

    def __init__(self, slope_sds: Sequence[float], n_folds: int) -> None:
        self.slope_sds = slope_sds
        self.n_folds = n_folds

    def fit(self, X: Array, levels: OutcomeLevels, decision: str) -> OrdinalRidge:
        """Choose the SD by log loss at the main cut-off, then fit all patients."""
        target = dictionary().decisions[decision]
        self.n_levels, self.main = len(target.cut_points) + 1, target.main_index
        self.columns = make_pipeline(*fill_and_scale()).fit(X)
        z = self.columns.transform(X)
        outcome = (levels.lower > self.main).astype(int)
        n_folds = min(self.n_folds, int(min(outcome.sum(), (1 - outcome).sum())))
        folds = list(
            StratifiedKFold(max(2, n_folds), shuffle=True, random_state=0).split(
                z, outcome
            )
        )
        losses = [self._loss(sd, z, levels, outcome, folds) for sd in self.slope_sds]
        best = self.slope_sds[int(np.argmin(losses))]
        self.model = self._fit_one(best, z, levels.lower, levels.upper)
        return self

    def _fit_one(
        self, sd: float, z: Array, lower: NDArray[np.int64], upper: NDArray[np.int64]
    ) -> EvidenceCumulativeLogit:
        return EvidenceCumulativeLogit(
            {f"x{k}": (0.0, sd, 1.0, 0.0) for k in range(z.shape[1])},
            levels=range(self.n_levels),
            main_cut=self.main,
            components="published",
            cut_specific_from=_NEVER,
        ).fit(z, lower, upper=upper)

    def _loss(
        self,
        sd: float,
        z: Array,
        levels: OutcomeLevels,
        outcome: NDArray[np.int64],
        folds: list[tuple[NDArray[np.int64], NDArray[np.int64]]],
    ) -> float:
        """Log loss at the main cut-off, patients left out in turn."""
        probability = np.empty(len(z))
        for inside, outside in folds:
            lower, upper = levels.lower[inside], levels.upper[inside]
            model = self._fit_one(sd, z[inside], lower, upper)
            probability[outside] = model.predict_exceedance(z[outside])[:, self.main]
        given = np.where(outcome == 1, probability, 1.0 - probability)
        return float(-np.log(given).mean())

    def predict(self, X: Array) -> Array:
        """Probability above the main cut-off."""
        z = self.columns.transform(X)
        return np.asarray(self.model.predict_exceedance(z)[:, self.main])
