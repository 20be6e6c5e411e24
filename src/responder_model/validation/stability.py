"""Prediction stability after Riley and Collins: what another cohort would say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from responder_model.features import Array
from responder_model.performance import DecisionInstability
from responder_model.performance._check import check_confidence, check_threshold
from responder_model.performance.instability import on_other_side
from responder_model.schema import reaches


@dataclass(frozen=True, kw_only=True, eq=False)
class Stability:
    """Predictions of the model and of the models of all resamples, per patient.

    Lives in memory for figures and summaries; never part of a released model.

    Parameters
    ----------
    probability : ndarray of shape (n_patients,)
        Of the developed model.
    resampled : ndarray of shape (n_resamples, n_patients)
        Of the models developed on resamples, for the same patients.
    outcome : ndarray of shape (n_patients,)
        0/1 at the main cut-off, NaN unknown.

    References
    ----------
    .. [1] Riley RD, Collins GS. Biom J 2023;65:2200302. doi:10.1002/bimj.202200302
    """

    probability: Array
    resampled: Array
    outcome: Array

    @classmethod
    def from_resamples(
        cls, probability: Array, resampled: Sequence[Array], outcome: Array
    ) -> Stability:
        """Collect the predictions of the resamples."""
        return cls(
            probability=probability, resampled=np.array(resampled), outcome=outcome
        )

    @property
    def mean_absolute_prediction_error(self) -> Array:
        """Mean absolute difference to the developed model, per patient (MAPE)."""
        return np.asarray(np.abs(self.resampled - self.probability).mean(axis=0))

    def limits(self, share: float = 0.95) -> tuple[Array, Array]:
        """Central range of the resamples' probabilities, per patient."""
        tail = (1.0 - check_confidence(share)) / 2.0
        low, high = np.quantile(self.resampled, [tail, 1.0 - tail], axis=0)
        return low, high

    def classification_instability(self, threshold: float = 0.5) -> Array:
        """Share of resamples that put a patient on the other side, per patient."""
        changed = on_other_side(self.probability, self.resampled, threshold)
        return np.asarray(changed.mean(axis=0))

    def decision_curves(self, thresholds: NDArray[np.float64]) -> Array:
        """Net benefit of each resample's model, (n_resamples, n_thresholds)."""
        return self._net_benefits(self.resampled, thresholds)

    def decision_instability(
        self, thresholds: NDArray[np.float64], share: float = 0.95
    ) -> DecisionInstability:
        """Net benefit of the developed model beside the range of the resamples'.

        All are measured in the patients of the development: the level is optimistic,
        the width says how much the model's usefulness depends on who was in it.
        """
        tail = (1.0 - check_confidence(share)) / 2.0
        everybody = np.ones_like(self.probability)
        rows = np.stack([self.probability, everybody])
        developed, treat_all = self._net_benefits(rows, thresholds)
        lower, median, upper = np.quantile(
            self.decision_curves(thresholds), [tail, 0.5, 1.0 - tail], axis=0
        )
        return DecisionInstability(
            thresholds=thresholds,
            net_benefit=developed,
            median=median,
            lower=lower,
            upper=upper,
            treat_all=treat_all,
            share=share,
            n_patients=int((~np.isnan(self.outcome)).sum()),
            n_events=int(np.nansum(self.outcome)),
            n_resamples=len(self.resampled),
        )

    def _net_benefits(
        self, probability: Array, thresholds: NDArray[np.float64]
    ) -> Array:
        for threshold in thresholds:
            check_threshold(float(threshold))
        known = ~np.isnan(self.outcome)
        outcome = self.outcome[known]
        odds = thresholds / (1.0 - thresholds)
        treated = reaches(probability[:, None, known], thresholds[:, None])
        benefit = treated @ outcome - (treated @ (1.0 - outcome)) * odds
        return np.asarray(benefit / known.sum())

    def summary(self, threshold: float = 0.5) -> dict[str, float]:
        """Aggregates for a report."""
        error = self.mean_absolute_prediction_error
        low, high = self.limits()
        benefit = self.decision_curves(np.array([threshold]))[:, 0]
        worst, best = np.quantile(benefit, [0.025, 0.975])
        return {
            "mean_absolute_prediction_error": float(error.mean()),
            "mean_absolute_prediction_error_95th": float(np.quantile(error, 0.95)),
            "mean_width_95": float((high - low).mean()),
            "classification_instability": float(
                self.classification_instability(threshold).mean()
            ),
            "net_benefit_lower": float(worst),
            "net_benefit_upper": float(best),
            "threshold": threshold,
        }
