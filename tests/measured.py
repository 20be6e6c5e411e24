"""What tests of measures share."""

from __future__ import annotations

import numpy as np

# Six patients, asymmetric: 4 respond, mean probability 0.4
OUTCOME = np.array([1, 0, 1, 1, 0, 1])
PROBABILITY = np.array([0.8, 0.3, 0.2, 0.6, 0.2, 0.3])


def expit(x):
    return 1 / (1 + np.exp(-x))


def logit(p):
    return np.log(p / (1 - p))
