"""Outcomes in ordered levels, drawn for the tests of the estimator."""

import numpy as np

CUTS = np.array([-1.3, -0.6, 0.0, 1.05, 2.2])
GAPS = tuple(np.diff(CUTS))


def simulate(n, slopes, seed):
    rng = np.random.default_rng(seed)
    design = rng.normal(size=(n, len(slopes)))
    latent = design @ slopes - 0.3 + rng.logistic(size=n)
    return design, np.searchsorted(CUTS, latent)
