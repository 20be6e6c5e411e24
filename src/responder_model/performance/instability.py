"""How far the predictions of models from resamples lie from the developed model's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from responder_model.errors import ResponderModelError
from responder_model.schema import reaches
from responder_model.words import Note
from ._check import Floats, check_confidence, check_threshold, check_vector
from .core import NEUTRAL_THRESHOLD

SMALLEST_GROUP = 10  # patients behind each point: the curve shows no person
N_GROUPS = 12


@dataclass(frozen=True, kw_only=True)
class InstabilityCurve:
    """Spread of resampled predictions along the developed model's: aggregates only."""

    probability: Floats  # (n_groups,) mean of the developed model in each group
    median: Floats  # (n_groups,) of the models of resamples
    lower: Floats  # (n_groups,)
    upper: Floats  # (n_groups,)
    share: float  # of the predictions between lower and upper
    overall_mean_absolute_error: float  # MAPE
    threshold: float  # that parts the patients for the next line
    other_side: Floats  # (n_groups,) share of the predictions across the threshold
    n_patients: int
    n_resamples: int


@dataclass(frozen=True, kw_only=True)
class DecisionInstability:
    """Net benefit of the developed model and the range of those of resamples."""

    thresholds: Floats  # (n_thresholds,)
    net_benefit: Floats  # (n_thresholds,) of the developed model, in the same patients
    median: Floats  # (n_thresholds,) of the models of resamples
    lower: Floats  # (n_thresholds,)
    upper: Floats  # (n_thresholds,)
    treat_all: Floats  # (n_thresholds,)
    share: float  # of the models between lower and upper
    n_patients: int
    n_events: int
    n_resamples: int


def instability_curve(
    probability: ArrayLike,
    resampled: ArrayLike,
    *,
    share: float = 0.95,
    threshold: float = NEUTRAL_THRESHOLD,
) -> InstabilityCurve:
    """Range of the predictions that other cohorts of this size would have given.

    Patients are grouped by the developed model's probability, at least 10 in each
    group, and the differences of the models of resamples are pooled within the group.
    A narrow range along the diagonal is stable; the range says nothing about whether
    the predictions are right.

    Parameters
    ----------
    probability : array_like of shape (n_patients,)
        Of the developed model.
    resampled : array_like of shape (n_resamples, n_patients)
        Of models developed on resamples, for the same patients.
    share : float, default 0.95
        Central share of the predictions between the limits.
    threshold : float, default 0.5
        Probability from which a patient counts as a predicted responder.

    Returns
    -------
    InstabilityCurve
        Limits, mean absolute prediction error and classification instability for each
        group of patients.

    Raises
    ------
    ResponderModelError
        If shapes disagree or there are fewer than 10 patients.

    References
    ----------
    .. [1] Riley RD, Collins GS. Stability of clinical prediction models developed using
       statistical or machine learning methods. Biom J 2023;65:2200302.
       doi:10.1002/bimj.202200302

    Examples
    --------
    >>> p = np.linspace(0.2, 0.7, 20)
    >>> curve = instability_curve(p, [p + 0.05, p - 0.05])
    >>> round(curve.overall_mean_absolute_error, 3)
    0.05
    """
    p = check_vector(probability, name="probability")
    r = np.asarray(resampled, dtype=np.float64)
    if r.ndim != 2 or r.shape[1] != p.size:
        said = Note("performance.resampled_shape", got=str(r.shape), due=str(p.shape))
        raise ResponderModelError(said)
    if p.size < SMALLEST_GROUP or r.shape[0] == 0:
        said = Note(
            "performance.stability",
            least=SMALLEST_GROUP,
            n=p.size,
            resamples=r.shape[0],
        )
        raise ResponderModelError(said)
    if not np.isfinite(r).all():
        raise ResponderModelError(Note("performance.resampled_missing"))
    tail = (1.0 - check_confidence(share)) / 2.0
    n_groups = max(1, min(N_GROUPS, p.size // SMALLEST_GROUP))
    difference = r - p
    groups = np.array_split(np.argsort(p, kind="stable"), n_groups)
    middle = np.array([p[group].mean() for group in groups])
    limits = np.array(
        [np.quantile(difference[:, group], [tail, 0.5, 1.0 - tail]) for group in groups]
    )
    bounded = np.clip(middle[:, None] + limits, 0.0, 1.0)
    error = np.abs(difference)
    other_side = on_other_side(p, r, threshold)
    return InstabilityCurve(
        probability=middle,
        lower=bounded[:, 0],
        median=bounded[:, 1],
        upper=bounded[:, 2],
        share=share,
        overall_mean_absolute_error=float(error.mean()),
        threshold=threshold,
        other_side=np.array([other_side[:, group].mean() for group in groups]),
        n_patients=int(p.size),
        n_resamples=int(r.shape[0]),
    )


def on_other_side(
    probability: Floats, resampled: Floats, threshold: float
) -> NDArray[np.bool_]:
    """Whether a model from a resample classifies a patient as the developed one not.

    Parameters
    ----------
    probability : ndarray of shape (n_patients,)
        Of the developed model.
    resampled : ndarray of shape (n_resamples, n_patients)
        Of the models from resamples.
    threshold : float
        In [0, 1): probability from which a patient counts as a predicted responder.

    Returns
    -------
    ndarray of shape (n_resamples, n_patients)
    """
    here = reaches(probability, check_threshold(threshold))
    return np.asarray(reaches(resampled, threshold) != here)
