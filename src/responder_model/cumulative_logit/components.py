"""Prior components of the robust mixture; numpy only, so that no patient is needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Prior weights of the published components; the zero-centred ones share the rest.
PUBLISHED_WEIGHTS = {"published": 0.4, "published, SDs halved": 0.1}
# SD of the flat zero-centred components, log-odds per reference unit.
ZERO_SDS = (0.02, 0.12, 0.25, 0.5)
# One more where there is no evidence at all: somebody else's outcome may be easy.
WIDEST_ZERO_SD = 1.0
# Coefficient SD where evidence exists for other columns but not for this one.
UNSUPPORTED_SD = 0.30
# Prior of the variance that a linear predictor misses: uniform over these.
DISCREPANCY_VARIANCES = tuple(0.01 * k for k in range(21))


@dataclass(frozen=True, kw_only=True)
class Prior:
    """Gaussian prior of one component.

    ``mean`` and ``sd`` run over (intercept at the main cut point, log-gaps,
    coefficients); ``weight`` is the component's prior probability. Parameters are
    independent unless ``covariance`` is given: the posterior of an earlier cohort.
    """

    name: str
    mean: Array
    sd: Array
    weight: float
    covariance: Array | None = None

    @classmethod
    def from_posterior(
        cls, name: str, mean: Array, covariance: Array, weight: float
    ) -> Prior:
        """Make yesterday's posterior today's prior."""
        sd = np.sqrt(np.diag(covariance))
        return cls(name=name, mean=mean, sd=sd, weight=weight, covariance=covariance)

    @property
    def spread(self) -> Array:
        """Covariance matrix."""
        return np.diag(self.sd**2) if self.covariance is None else self.covariance

    @property
    def precision(self) -> Array:
        """Inverse of the covariance matrix."""
        if self.covariance is None:
            return np.diag(self.sd**-2.0)
        return np.asarray(np.linalg.inv(self.covariance))

    @property
    def log_det(self) -> float:
        """Logarithm of the covariance's determinant."""
        if self.covariance is None:
            return 2.0 * float(np.log(self.sd).sum())
        return float(np.linalg.slogdet(self.covariance)[1])


def robust_priors(
    mean: Array | None,
    sd: Array | None,
    n_columns: int,
    *,
    anchor: tuple[float, float],
    gaps: Array,
    gap_sd: float,
    components: str = "robust",
    units: Array | None = None,
) -> tuple[Prior, ...]:
    """Priors of the mixture's components.

    Parameters
    ----------
    mean, sd : ndarray of shape (n_columns,) or None
        Published coefficients; None when there is no evidence at all.
    anchor : (float, float)
        Mean and SD of the intercept at the main cut point.
    gaps : ndarray of shape (J - 1,)
        Published gaps between neighbouring cut points, log-odds.
    gap_sd : float
        SD of the logarithm of each gap.
    components : {"robust", "published", "zero"}
        Which components are used.
    units : ndarray of shape (n_columns,), optional
        Factor on the zero-centred SDs of each column; default 1.
    """
    cut_mean = np.concatenate([[anchor[0]], np.log(gaps)])
    cut_sd = np.concatenate([[anchor[1]], np.full(len(gaps), gap_sd)])
    shapes: list[tuple[str, Array, Array]] = []
    zero = np.zeros(n_columns)
    if mean is not None and sd is not None and components != "zero":
        shapes.append(("published", mean, sd))
        if components != "published":
            # effects of this centre may differ less than those of new centres do
            shapes.append(("published, SDs halved", mean, sd / 2.0))
    if components != "published":
        scales = ZERO_SDS if shapes else (*ZERO_SDS, WIDEST_ZERO_SD)
        one = np.ones(n_columns) if units is None else units
        shapes += [
            (f"zero-centred, SD {scale:g}", zero, scale * one) for scale in scales
        ]
        if mean is not None and sd is not None:
            sizes = np.sqrt(mean**2 + sd**2)
            shapes.append(("zero-centred, sizes as published", zero, sizes))
    weights = _prior_weights([name for name, _, _ in shapes])
    return tuple(
        Prior(
            name=name,
            mean=np.concatenate([cut_mean, m]),
            sd=np.concatenate([cut_sd, s]),
            weight=weight,
        )
        for (name, m, s), weight in zip(shapes, weights, strict=True)
    )


def _prior_weights(names: list[str]) -> list[float]:
    published = [name for name in names if is_published(name)]
    if len(published) in (0, len(names)):
        return [1.0 / len(names)] * len(names)
    rest = 1.0 - sum(PUBLISHED_WEIGHTS[name] for name in published)
    share = rest / (len(names) - len(published))
    return [PUBLISHED_WEIGHTS.get(name, share) for name in names]


def is_published(name: str) -> bool:
    """Whether a component is centred on the published effects.

    Examples
    --------
    >>> is_published("published, SDs halved"), is_published("zero-centred, SD 0.5")
    (True, False)
    """
    return name.partition(", ")[0] == "published"


def prior_discrepancy() -> float:
    """Return the discrepancy variance that is assumed without data."""
    return float(np.mean(DISCREPANCY_VARIANCES))
