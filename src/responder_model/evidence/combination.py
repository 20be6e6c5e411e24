"""Random-effects combination of independent rows, and what it predicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from responder_model.errors import EvidenceError
from responder_model.words import Note
from .rows import EvidenceRow

Array = NDArray[np.float64]

# With so few studies a moment estimate of the variance between them is noise: the
# prediction then averages over a half-normal prior of its SD, on the log-odds scale.
FEW_STUDIES = 3
HALF_NORMAL_SCALE = 0.5
_TAU = np.linspace(0.0, 6.0 * HALF_NORMAL_SCALE, 601)


@dataclass(frozen=True, kw_only=True)
class Combination:
    """What several rows on one contrast say together.

    Parameters
    ----------
    rows : tuple of str
        Rows that were combined, one for each overlap group.
    effect, se : float
        Mean effect over studies and its standard error, log-odds
        (DerSimonian-Laird; one row: its own).
    tau_squared : float
        Variance between studies; 0 for one row, which cannot show any.
    predicted, predicted_sd : float
        Mean and SD of the effect in a new study. With up to three rows the SD between
        studies is averaged over a half-normal(0.5) prior.
    """

    rows: tuple[str, ...]
    effect: float
    se: float
    tau_squared: float
    predicted: float
    predicted_sd: float

    @property
    def n_studies(self) -> int:
        """Number of rows combined."""
        return len(self.rows)


def combine(rows: Sequence[EvidenceRow]) -> Combination:
    """Combine rows by random effects (DerSimonian and Laird 1986, by statsmodels).

    Rows without a number and rows that are not primary are left out: patients of one
    overlap group are never counted twice.

    Parameters
    ----------
    rows : sequence of EvidenceRow
        Rows on one contrast, or on contrasts that mean the same.

    Raises
    ------
    EvidenceError
        If two primary rows share an overlap group, or no row has a number.

    References
    ----------
    DerSimonian R, Laird N. Control Clin Trials 1986;7:177.
    https://doi.org/10.1016/0197-2456(86)90046-2
    Higgins JPT, Thompson SG, Spiegelhalter DJ. J R Stat Soc A 2009;172:137.
    https://doi.org/10.1111/j.1467-985X.2008.00552.x

    Examples
    --------
    >>> from responder_model.evidence import load_evidence
    >>> rows = load_evidence().on_contrast("emcs_success", "facial_vs_central")
    >>> pooled = combine(rows)
    >>> round(pooled.effect, 2), round(pooled.se, 2), pooled.n_studies
    (0.65, 0.98, 4)
    """
    used = _independent(rows)
    effects = np.array([row.effect for row in used], dtype=np.float64)
    variances = np.array([row.se for row in used], dtype=np.float64) ** 2
    effect, se, tau_squared = _random_effects(effects, variances)
    if len(used) > FEW_STUDIES:
        predicted, spread = effect, float(np.sqrt(tau_squared + se**2))
    else:
        predicted, spread = _predict_from_few(effects, variances)
    return Combination(
        rows=tuple(row.id for row in used),
        effect=effect,
        se=se,
        tau_squared=tau_squared,
        predicted=predicted,
        predicted_sd=spread,
    )


def _independent(rows: Sequence[EvidenceRow]) -> list[EvidenceRow]:
    used = [row for row in rows if row.has_number and row.primary]
    if not used:
        raise EvidenceError(Note("evidence.no_primary"))
    counts = Counter(row.overlap_group for row in used)
    shared = sorted(group for group, count in counts.items() if count > 1)
    if shared:
        raise EvidenceError(Note("evidence.several_primaries", groups=tuple(shared)))
    return used


def _random_effects(effects: Array, variances: Array) -> tuple[float, float, float]:
    if len(effects) == 1:
        return float(effects[0]), float(np.sqrt(variances[0])), 0.0
    from statsmodels.stats.meta_analysis import combine_effects

    # statsmodels keeps a negative moment estimate of tau², with which its random
    # effects are meaningless (and warn): tau² = 0 is the fixed-effect result.
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = combine_effects(effects, variances, method_re="chi2")
    if not pooled.tau2 > 0.0:
        return float(pooled.mean_effect_fe), float(pooled.sd_eff_w_fe), 0.0
    return (
        float(pooled.mean_effect_re),
        float(pooled.sd_eff_w_re),
        float(pooled.tau2),
    )


def _predict_from_few(effects: Array, variances: Array) -> tuple[float, float]:
    """Mean and SD of the effect in a new study, tau integrated out.

    p(tau | y) ∝ half-normal(tau) · prod w^½ · (sum w)^-½ · exp(-½ sum w (y - mu)²),
    w = 1 / (v + tau²), mu = sum w y / sum w.
    """
    w = 1.0 / (variances + _TAU[:, None] ** 2)
    total = w.sum(axis=1)
    mu = w @ effects / total
    log_posterior = (
        -0.5 * (_TAU / HALF_NORMAL_SCALE) ** 2
        + 0.5 * np.log(w).sum(axis=1)
        - 0.5 * np.log(total)
        - 0.5 * (w * (effects - mu[:, None]) ** 2).sum(axis=1)
    )
    weight = np.exp(log_posterior - log_posterior.max())
    # Trapezoid rule: the first and last node count half.
    weight[[0, -1]] /= 2.0
    weight /= weight.sum()
    mean = float(weight @ mu)
    variance = float(weight @ (1.0 / total + _TAU**2 + (mu - mean) ** 2))
    return mean, float(np.sqrt(variance))
