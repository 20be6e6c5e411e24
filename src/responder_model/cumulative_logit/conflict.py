"""Whether the data lie where the published effects expect them."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaincc

from responder_model.cumulative_logit.components import Array


def conflict_p_values(
    shift: Array, spread: Array, prior: Array, names: list[str]
) -> tuple[float, dict[str, float]]:
    """p-values of a shift whose covariance under the prior is known.

    Overall, the squared length of the shift in units of the prior: a sum of chi-squares
    of one degree of freedom, weighed by the eigenvalues of the whitened covariance,
    whose tail is that of one chi-square with the same mean and variance. Nothing is
    divided by the eigenvalue of a direction of which the data say next to nothing.

    Parameters
    ----------
    shift : ndarray of shape (p,)
        Posterior minus prior mean.
    spread : ndarray of shape (p, p)
        Covariance of the shift before the data are seen.
    prior : ndarray of shape (p, p)
        Covariance of the prior.
    names : list of str
        Of the columns.

    References
    ----------
    Satterthwaite FE. Biometrics 1946;2:110. https://doi.org/10.2307/3002019
    """
    lower = np.linalg.cholesky(prior)
    whitened = np.linalg.solve(lower, np.linalg.solve(lower, spread).T)
    length = float((np.linalg.solve(lower, shift) ** 2).sum())
    total, squares = float(np.trace(whitened)), float((whitened**2).sum())
    overall = 1.0
    if total > 0.0:
        scale = 2.0 * squares / total
        overall = float(gammaincc(total / scale, length / scale))
    single = shift**2 / np.maximum(np.diag(spread), 1e-12)
    p_values = gammaincc(0.5, single / 2.0)
    return overall, dict(zip(names, map(float, p_values), strict=True))
