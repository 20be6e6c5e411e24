"""Measures of several centres as one: their mean, and where the next centre may lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.stats import t

from responder_model.errors import DevelopmentError
from responder_model.features import Array, expit, logit
from responder_model.words import Note

Scale = Callable[[Array], Array]


def _same(value: Array) -> Array:
    return value


# Measures that are pooled, and the scale on which centres are taken to be normal.
POOLED: dict[str, tuple[Scale, Scale]] = {
    "c_statistic": (logit, expit),
    "calibration_slope": (_same, _same),
    "calibration_in_the_large": (_same, _same),
    "observed_expected_ratio": (np.log, np.exp),
}
# Centres below which a prediction interval has no degree of freedom.
FEWEST_CENTRES = 3
_Z_95 = 1.959964


def pool_centres(table: pd.DataFrame) -> pd.DataFrame:
    """Pool the measures of centres by random effects.

    The c-statistic is pooled on the logit scale, observed/expected on the log scale.
    The variance between centres is that of restricted maximum likelihood, the interval
    of the mean that of Hartung and Knapp, and the prediction interval, in which a new
    centre lies, has a t distribution with two degrees of freedom fewer than centres.

    Parameters
    ----------
    table : DataFrame
        From ``validate_by_centre``. Centres without a value and its limits, as small
        ones, take no part.

    Returns
    -------
    DataFrame
        One row per measure: ``measure``, ``n_centres``, ``value``, ``lower``, ``upper``
        (of the mean), ``new_lower``, ``new_upper`` (of a new centre; missing with fewer
        than three) and ``tau``, the SD between centres on the scale of pooling.

    Raises
    ------
    DevelopmentError
        When fewer than two centres have any of the measures.

    References
    ----------
    .. [1] Debray TPA et al. BMJ 2017;356:i6460. doi:10.1136/bmj.i6460
    .. [2] Hartung J, Knapp G. Stat Med 2001;20:3875. doi:10.1002/sim.1009
    .. [3] Higgins JPT, Thompson SG, Spiegelhalter DJ. J R Stat Soc A 2009;172:137.
       doi:10.1111/j.1467-985X.2008.00552.x
    """
    import pandas as pd

    rows = []
    for name, (there, back) in POOLED.items():
        columns = [name, f"{name}_lower", f"{name}_upper"]
        if not set(columns) <= set(table.columns):
            continue
        found = table[columns].apply(pd.to_numeric, errors="coerce").dropna()
        low, high = there(found[columns[1:]].to_numpy(dtype=np.float64)).T
        effect = there(found[name].to_numpy(dtype=np.float64))
        error = (high - low) / (2.0 * _Z_95)
        usable = np.isfinite(effect) & np.isfinite(error) & (error > 0.0)
        if usable.sum() < 2:
            continue
        pooled = combine(effect[usable], error[usable] ** 2)
        ends = back(np.array([pooled.mean, *pooled.limits, *pooled.new_limits]))
        names = ("value", "lower", "upper", "new_lower", "new_upper")
        rows.append(
            {"measure": name, "n_centres": int(usable.sum())}
            | dict(zip(names, ends.tolist(), strict=True))
            | {"tau": pooled.tau}
        )
    if not rows:
        raise DevelopmentError(Note("validation.two_centres"))
    pooled_table = pd.DataFrame(rows)
    pooled_table.attrs = dict(table.attrs)
    return pooled_table


@dataclass(frozen=True, kw_only=True)
class Pooled:
    """Mean over centres with its 95 % limits, and those of a new centre (or NaN)."""

    mean: float
    limits: tuple[float, float]
    new_limits: tuple[float, float]
    tau: float


def combine(effects: Array, variances: Array) -> Pooled:
    """Random effects: REML, Hartung–Knapp, prediction interval.

    Examples
    --------
    >>> same = combine(np.array([0.2, 0.2, 0.2]), np.array([0.01, 0.02, 0.01]))
    >>> round(same.mean, 3), round(same.tau, 3)
    (0.2, 0.0)
    """
    n = len(effects)
    tau2 = _between(effects, variances)
    weight = 1.0 / (variances + tau2)
    mean = float(weight @ effects / weight.sum())
    spread = float(weight @ (effects - mean) ** 2 / (n - 1))
    # never narrower than by the variances alone: centres may agree by chance
    error = float(np.sqrt(max(spread, 1.0) / weight.sum()))
    half = float(t.ppf(0.975, n - 1)) * error
    new = float("nan")
    if n >= FEWEST_CENTRES:
        new = float(t.ppf(0.975, n - 2) * np.sqrt(tau2 + error**2))
    return Pooled(
        mean=mean,
        limits=(mean - half, mean + half),
        new_limits=(mean - new, mean + new),
        tau=float(np.sqrt(tau2)),
    )


def _between(effects: Array, variances: Array) -> float:
    """Variance between centres of the restricted likelihood."""

    def loss(tau2: float) -> float:
        weight = 1.0 / (variances + tau2)
        mean = weight @ effects / weight.sum()
        squares = weight @ (effects - mean) ** 2
        return float(np.log(weight.sum()) - np.log(weight).sum() + squares)

    highest = 10.0 * float(np.var(effects) + variances.mean())
    found = minimize_scalar(
        loss, bounds=(0.0, highest), method="bounded", options={"xatol": 1e-10}
    )
    return float(found.x) if found.fun < loss(0.0) - 1e-9 else 0.0
