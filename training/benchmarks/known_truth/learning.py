"""Error of a method against the number of patients that it learned from."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """Mean error of one method at rising numbers of patients; lower is better."""

    name: str
    n_patients: Floats  # (m,), rising
    error: Floats  # (m,), positive
    standard_error: Floats  # (m,), Monte-Carlo


def learning_curve(
    name: str,
    n_patients: ArrayLike,
    error: ArrayLike,
    *,
    standard_error: ArrayLike | None = None,
) -> LearningCurve:
    """Curve of one method, sorted by the number of patients.

    Parameters
    ----------
    name : str
        The method, as it is to be shown.
    n_patients : array_like of shape (m,)
        Patients in development.
    error : array_like of shape (m,)
        Mean error at each, for example excess log loss; above 0.
    standard_error : array_like of shape (m,), optional
        Its Monte-Carlo error.

    Returns
    -------
    LearningCurve
        The sorted curve.

    Raises
    ------
    ValueError
        If shapes disagree or a number is not positive.

    Examples
    --------
    >>> learning_curve("ridge", [193, 50], [0.033, 0.081]).error.tolist()
    [0.081, 0.033]
    """
    n = np.atleast_1d(np.asarray(n_patients, dtype=np.float64))
    e = np.atleast_1d(np.asarray(error, dtype=np.float64))
    se = np.zeros_like(e) if standard_error is None else np.asarray(standard_error)
    if not n.shape == e.shape == se.shape or n.ndim != 1:
        message = "n_patients, error and standard_error must have the same length."
        raise ValueError(message)
    if not ((n > 0).all() and (e > 0).all() and np.isfinite(e).all()):
        message = "n_patients and error must be above 0."
        raise ValueError(message)
    order = np.argsort(n)
    return LearningCurve(
        name=name,
        n_patients=n[order],
        error=e[order],
        standard_error=se[order].astype(np.float64),
    )


def patients_to_match(curve: LearningCurve, error: float) -> float | None:
    """Number of patients for a method to reach an error; None when it never does.

    Between two measured points log(error) is taken as linear in log(n_patients); the
    curve is not extended beyond them.

    Parameters
    ----------
    curve : LearningCurve
        Of the method.
    error : float
        To be reached, for example that of another method.

    Returns
    -------
    float or None
        Number of patients.

    Raises
    ------
    ValueError
        If the error is not positive.

    Examples
    --------
    >>> curve = learning_curve("ridge", [50, 200, 800], [0.08, 0.04, 0.01])
    >>> patients_to_match(curve, 0.02)
    400.0
    """
    if error <= 0.0:
        message = f"error must be above 0, got {error}."
        raise ValueError(message)
    reached = np.flatnonzero(curve.error <= error)
    if reached.size == 0:
        return None
    k = int(reached[0])
    if k == 0:
        return float(curve.n_patients[0])
    x, y = np.log(curve.n_patients[k - 1 : k + 1]), np.log(curve.error[k - 1 : k + 1])
    slope = (x[1] - x[0]) / (y[1] - y[0])
    return round(float(math.exp(x[0] + slope * (math.log(error) - y[0]))), 6)
