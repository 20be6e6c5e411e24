"""Prior components of the robust mixture; numpy only, so that no patient is needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Prior weights beside evidence, of which a half goes to the published components and
# three tenths to next to nothing: what the mixture claims of a truth that nobody has
# seen yet is modest.
PUBLISHED_WEIGHTS = {"published": 0.35, "published, SDs doubled": 0.13}
# SD of each flat zero-centred component, log-odds per reference unit, and its weight.
ZERO_WEIGHTS = {0.02: 0.30, 0.12: 0.10, 0.25: 0.05, 0.5: 0.01}
SIZES_WEIGHT = 0.06
# What zero-centred components keep of a published mean whose sign no source disputes.
FIRM_SHARE = 0.75
# Two more doubt even these, and keep a tenth: prior weight, taken from that of next to
# nothing, SD of firm columns (None: from the published size) and SD of all others.
DOUBTS = {
    "zero-centred, firm effects weak": (0.04, 0.25, 0.02),
    "zero-centred, firm effects unknown": (0.02, None, 0.12),
}
DOUBTED_SHARE = 0.1
# One more where there is no evidence at all: somebody else's outcome may be easy.
WIDEST_ZERO_SD = 1.0
# Coefficient SD where evidence exists for other columns but not for this one.
UNSUPPORTED_SD = 0.30
# Name, mean and SD of the coefficients, and prior weight of one component.
Shape = tuple[str, Array, Array, float]
# Prior of the variance that a linear predictor misses: uniform over these.
DISCREPANCY_VARIANCES = tuple(0.01 * k for k in range(21))
# SD of the coefficients of curves, per SD of their shape, and prior weight of each.
CURVE_SDS = {0.02: 0.9, 0.3: 0.1}
# Of a curve that is held straight, since nothing is learned of it.
STRAIGHT_SD = min(CURVE_SDS)
# SD over both.
CURVE_SD = math.sqrt(sum(weight * sd**2 for sd, weight in CURVE_SDS.items()))
# SDs between the levels of centres, log-odds, and prior weight of each.
CENTRE_SDS = {0.02: 0.60, 0.3: 0.20, 0.6: 0.12, 1.0: 0.08}
# Prior of the variance of each slope between centres: uniform over these.
SLOPE_VARIANCES = tuple(sd**2 for sd in (0.0, 0.05, 0.1, 0.2, 0.3))


@dataclass(frozen=True, kw_only=True)
class Prior:
    """Gaussian prior of one component.

    ``mean`` and ``sd`` run over (intercept at the main cut point, log-gaps,
    coefficients); ``weight`` is the component's prior probability. Parameters are
    independent unless ``covariance`` is given: the posterior of an earlier cohort.
    ``centre_sd`` is the SD between the levels of centres, whose coefficients come last.
    """

    name: str
    mean: Array
    sd: Array
    weight: float
    covariance: Array | None = None
    centre_sd: float = 0.0

    @classmethod
    def from_posterior(
        cls,
        name: str,
        mean: Array,
        covariance: Array,
        weight: float,
        centre_sd: float = 0.0,
    ) -> Prior:
        """Make yesterday's posterior today's prior."""
        return cls(
            name=name,
            mean=mean,
            sd=np.sqrt(np.diag(covariance)),
            weight=weight,
            covariance=covariance,
            centre_sd=centre_sd,
        )

    def with_centres(self, n: int) -> Prior:
        """Prior with the levels of ``n`` more centres, independent of all others."""
        if n == 0:
            return self
        levels = np.full(n, self.centre_sd)
        covariance = self.covariance
        if covariance is not None:
            size = len(covariance)
            covariance = np.diag(np.concatenate([np.zeros(size), levels**2]))
            covariance[:size, :size] = self.spread
        return replace(
            self,
            mean=np.concatenate([self.mean, np.zeros(n)]),
            sd=np.concatenate([self.sd, levels]),
            covariance=covariance,
        )

    def part(self, learned: NDArray[np.int64]) -> Prior:
        """Prior of some of the parameters."""
        covariance = self.covariance
        if covariance is not None:
            covariance = covariance[np.ix_(learned, learned)]
        return replace(
            self, mean=self.mean[learned], sd=self.sd[learned], covariance=covariance
        )

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
    firm: NDArray[np.bool_] | None = None,
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
    firm : ndarray of shape (n_columns,), optional
        Columns whose sign no source disputes: beside evidence, zero-centred components
        keep most of their published mean m: N(hm, s² + (1 - h)²m²), h ``FIRM_SHARE``;
        those of ``DOUBTS`` join them and keep little.
    """
    cut_mean = np.concatenate([[anchor[0]], np.log(gaps)])
    cut_sd = np.concatenate([[anchor[1]], np.full(len(gaps), gap_sd)])
    evidence = None if mean is None or sd is None else (mean, sd)
    if components == "published" and evidence is not None:
        shapes = [("published", *evidence, 1.0)]
    else:
        one = np.ones(n_columns) if units is None else units
        shapes = _zero_centred(one, evidence)
        if evidence is not None and components != "zero":
            if firm is not None and firm.any():
                shapes = _held(shapes, evidence, firm, one)
            shapes = [*_published(evidence), *shapes]
        else:
            shapes = [(name, m, s, 1.0 / len(shapes)) for name, m, s, _ in shapes]
    return tuple(
        Prior(
            name=name,
            mean=np.concatenate([cut_mean, m]),
            sd=np.concatenate([cut_sd, s]),
            weight=weight,
        )
        for name, m, s, weight in shapes
    )


def apart_by_curve(
    priors: Sequence[Prior], curves: NDArray[np.bool_], held: NDArray[np.bool_]
) -> tuple[Prior, ...]:
    """Each prior once for each SD of its ``curves``, a mask of coefficients (K,).

    Those of ``held``, another, are straight in all; if all are, each prior is one.
    """
    cuts = np.zeros(len(priors[0].mean) - len(curves), dtype=bool)
    curves, held = np.append(cuts, curves), np.append(cuts, held)
    weights = CURVE_SDS if (curves & ~held).any() else {STRAIGHT_SD: 1.0}
    return tuple(
        replace(
            p,
            mean=np.where(curves, 0.0, p.mean),
            sd=np.where(curves, np.where(held, STRAIGHT_SD, sd), p.sd),
            weight=p.weight * weight,
        )
        for sd, weight in weights.items()
        for p in priors
    )


def apart_by_centre(priors: Sequence[Prior], n_centres: int) -> tuple[Prior, ...]:
    """Each prior once for each SD between centres, with the levels of ``n_centres``."""
    return tuple(
        replace(p, centre_sd=sd, weight=p.weight * weight).with_centres(n_centres)
        for sd, weight in CENTRE_SDS.items()
        for p in priors
    )


def _published(evidence: tuple[Array, Array]) -> list[Shape]:
    mean, sd = evidence
    # effects of this centre may differ from the published ones by more than expected
    names = zip(PUBLISHED_WEIGHTS.items(), (sd, 2.0 * sd), strict=True)
    return [(name, mean, spread, weight) for (name, weight), spread in names]


def _zero_centred(one: Array, evidence: tuple[Array, Array] | None) -> list[Shape]:
    weights = dict(ZERO_WEIGHTS)
    if evidence is None:
        weights[WIDEST_ZERO_SD] = 0.0  # the caller weighs all alike
    zero = np.zeros(len(one))
    shapes = [
        (f"zero-centred, SD {scale:g}", zero, scale * one, weight)
        for scale, weight in weights.items()
    ]
    if evidence is not None:
        sizes = np.hypot(*evidence)
        shapes.append(("zero-centred, sizes as published", zero, sizes, SIZES_WEIGHT))
    return shapes


def _held(
    shapes: list[Shape],
    evidence: tuple[Array, Array],
    firm: NDArray[np.bool_],
    one: Array,
) -> list[Shape]:
    """Zero-centred shapes in which firm columns keep most of their mean, or little."""
    mean, sd = evidence

    def keeping(share: float, m: Array, s: Array) -> tuple[Array, Array]:
        wide = np.hypot(sd, (1.0 - share) * mean)
        return np.where(firm, share * mean, m), np.where(firm, wide, s)

    nothing, *others = [
        (name, *keeping(FIRM_SHARE, m, s), weight) for name, m, s, weight in shapes
    ]
    doubts = []
    for name, (weight, weak, scale) in DOUBTS.items():
        little, unknown = keeping(DOUBTED_SHARE, np.zeros_like(one), scale * one)
        spread = unknown if weak is None else np.where(firm, weak, scale) * one
        doubts.append((name, little, spread, weight))
    rest = nothing[3] - sum(weight for weight, _, _ in DOUBTS.values())
    return [(*nothing[:3], rest), *others, *doubts]


def is_published(name: str) -> bool:
    """Whether a component is centred on the published effects.

    Examples
    --------
    >>> is_published("published, SDs doubled"), is_published("zero-centred, SD 0.5")
    (True, False)
    """
    return name.partition(", ")[0] == "published"


def prior_discrepancy() -> float:
    """Return the discrepancy variance that is assumed without data."""
    return float(np.mean(DISCREPANCY_VARIANCES))
