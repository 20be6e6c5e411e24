"""Whether the data lie where the published effects expect them."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaincc

from responder_model.cumulative_logit.components import Array


def conflict_p_values(
    shift: Array, spread: Array, names: list[str]
) -> tuple[float, dict[str, float]]:
    """Chi-square p-values of a shift whose covariance under the prior is known."""
    values, vectors = np.linalg.eigh(spread)
    keep = values > 1e-6 * max(float(values.max()), 1e-12)
    statistic = float(((vectors.T @ shift)[keep] ** 2 / values[keep]).sum())
    overall = float(gammaincc(keep.sum() / 2.0, statistic / 2.0))
    single = shift**2 / np.maximum(np.diag(spread), 1e-12)
    p_values = gammaincc(0.5, single / 2.0)
    return overall, dict(zip(names, map(float, p_values), strict=True))
