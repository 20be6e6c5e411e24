"""What a linear predictor misses: an estimate of its variance.

The goodness-of-fit statistic of le Cessie and van Houwelingen (1991,
doi 10.2307/2532385), turned from a test into an estimate: score residuals that are
alike among patients with alike low-order interactions mean variance that no linear
predictor explains.
"""

from __future__ import annotations

import numpy as np

from .components import Array
from .earlier import Misfit, Missed
from .likelihood import Observations, linear_predictor_slopes
from .mixture import Collapsed, Component

# Patients used at most; the statistic needs (n, n) matrices.
MAX_PATIENTS = 1000
# Shares of the main-effect and the pairwise part of the kernel.
_MAIN_SHARE, _PAIR_SHARE = 0.25, 0.75
# Steepness of the squashing: two thirds of a reference SD are far from the mean.
_SQUASH = 1.5


def estimate_discrepancy(
    observations: Observations,
    component: Component,
    collapsed: Collapsed,
    n_centres: int = 0,
) -> Missed:
    """What these patients say of the variances that the linear predictor misses.

    Parameters
    ----------
    observations : Observations
        Design and outcomes of the ordinal fit.
    component : Component
        The component with the most weight: its mode gives residuals and information.
    collapsed : Collapsed
        Posterior of (intercept, coefficients) at the main cut point.
    n_centres : int
        Last columns of the design that are indicators of centres.

    Returns
    -------
    Missed
        Of interactions; and of each slope between centres.
    """
    n = len(observations.lower)
    if n > MAX_PATIENTS:
        observations = observations.rows(
            np.linspace(0, n - 1, MAX_PATIENTS).astype(int)
        )
    score, information = linear_predictor_slopes(observations, component.mean[None])
    r, w = score[0], information[0]
    Z = np.column_stack([np.ones(len(r)), observations.design])
    WZ = w[:, None] * Z
    X, own = np.split(observations.design, [Z.shape[1] - 1 - n_centres], axis=1)

    def missed(K: Array) -> Misfit:
        # V = W - W Z C Z' W;  KV
        KV = K * w - (K @ WZ) @ collapsed.covariance @ WZ.T
        # (r'Kr - tr KV) / tr KVKV is the variance, with variance 2 / tr KVKV
        return Misfit(
            information=float(np.einsum("ij,ji->", KV, KV)) / 2.0,
            score=float(r @ K @ r - np.trace(KV)) / 2.0,
        )

    interactions = missed(interaction_kernel(X))
    if n_centres == 0:
        return Missed(interactions=interactions)
    return Missed(interactions=interactions, slopes=missed((X @ X.T) * (own @ own.T)))


def interaction_kernel(design: Array) -> Array:
    """Centred kernel of main effects and pairwise interactions, mean diagonal 1.

    Columns keep the units of their priors: standardised, the products of rare
    categories would drown all others. They are squashed, because an interaction often
    means "high" and "low", and so that a few extreme patients do not decide.
    """
    X = np.tanh(_SQUASH * design)
    X -= X.mean(axis=0)
    main = X @ X.T
    squares = X**2
    pair = main**2 - squares @ squares.T
    return _MAIN_SHARE * _normalise(main) + _PAIR_SHARE * _normalise(pair)


def _normalise(kernel: Array) -> Array:
    row = kernel.mean(axis=0)
    centred = kernel - row - row[:, None] + row.mean()
    scale = np.trace(centred) / max(1, len(centred))
    return np.asarray(centred / scale) if scale > 1e-12 else centred
