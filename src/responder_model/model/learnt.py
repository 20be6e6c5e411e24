"""What patients taught a model, or would teach it, and what to expect of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from responder_model.cumulative_logit.components import apart_by_curve
from responder_model.cumulative_logit.likelihood import Observations, terms
from responder_model.features import Array, expit
from responder_model.words import Note
from .scores import Z_95

if TYPE_CHECKING:
    from responder_model.priors.sets import PriorSet
    from .fitted import Model

# What rounding makes of a coefficient of which nothing was taught.
_ROUNDING = 1e-9
# Nodes of the log-odds of a population, over which information is averaged.
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(12)


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """Coefficients that patients teach, and what a model of as many may expect.

    ``interval`` holds the 95 % limits of an average patient, ``slope`` the calibration
    slope in new patients of the population with its 95 % limits.
    """

    n_patients: int
    coefficients: float
    of: int
    interval: tuple[float, float]
    slope: tuple[float, float, float]
    planned: bool  # of patients who are yet to come

    def notes(self) -> tuple[Note, ...]:
        """Say it beside criteria for a model without priors, if it was counted."""
        low, high = self.interval
        slope, least, most = self.slope
        if math.isnan(self.coefficients):
            return ()
        kind = "planned" if self.planned else "learnt"
        taught = Note(
            f"sample_size.{kind}",
            n=self.coefficients,
            of=self.of,
            low=low,
            high=high,
            have=self.n_patients,
        )
        if math.isnan(slope):
            return (taught,)
        said = Note("sample_size.learnt_slope", slope=slope, low=least, high=most)
        return (taught, said)


def learnt_by(model: Model) -> Learnt:
    """What the patients of a development, or of all its updates, taught a model."""
    return Learnt(
        n_patients=model.n_patients,
        coefficients=effective_parameters(model),
        of=len(model.encoder.derived),
        interval=average_interval(model, model.mean_variance),
        slope=expected_slope(model),
        planned=False,
    )


def planned(model: Model, n_patients: int) -> Learnt:
    """What patients of its population would teach a published model, on average.

    Were its evidence as right as it says: weights of components and misfit are then
    expected to stay, and covariances shrink by the information of the patients, whose
    levels of the outcome are all used.
    """
    moments = _moments(model)
    seen = n_patients * _information(model) * moments
    main = model.main
    covariance = _shrunk(main.covariance, seen)
    lift = np.zeros((1 + len(model.encoder.derived), len(moments)))
    lift[0, 0], lift[1:, 1:] = 1.0, model.encoder.projection
    of_columns = lift @ seen @ lift.T
    n_cuts = len(model.rules.cut_points)
    keep = np.r_[0, n_cuts : n_cuts + len(model.encoder.derived)]
    coefficients = 0.0
    for part in model.components:
        spread = np.diag(part.prior_sd[keep] ** 2)
        left = np.diag(_shrunk(spread, of_columns)) / np.diag(spread)
        coefficients += part.prior_weight * float((1.0 - left[1:]).sum())
    b = main.coefficients
    second = np.outer(b, b) + (main.covariance - covariance)[1:, 1:]
    variance = float((covariance * moments).sum())
    return Learnt(
        n_patients=n_patients,
        coefficients=coefficients,
        of=len(model.encoder.derived),
        interval=average_interval(model, variance),
        slope=_slope(model, second, covariance[1:, 1:], variance),
        planned=True,
    )


def effective_parameters(model: Model) -> float:
    """Coefficients that the patients have taught, of all that the model has.

    Of one component the trace of I - S⁻¹C over its coefficients, S the covariance under
    the evidence and C the posterior's (0: the evidence stands; 1: the patients decide),
    and the mean over components by their weights (MacKay 1992,
    doi:10.1162/neco.1992.4.3.415). What patients left less sure, since it may have
    changed, counts as not taught. NaN after a recalibration, whose line stretches all
    coefficients at once.
    """
    if model.settings is not None and model.settings.method == "recalibration":
        return math.nan
    n_cuts = len(model.rules.cut_points)
    columns = slice(n_cuts, n_cuts + len(model.encoder.derived))
    total = 0.0
    for part, sd in zip(model.components, _prior_sds(model, columns), strict=True):
        left = np.diag(part.covariance)[columns] / sd**2
        taught = 1.0 - left
        total += part.weight * float(taught[taught > _ROUNDING].sum())
    return total


def expected_slope(model: Model) -> tuple[float, float, float]:
    """Calibration slope to expect in new patients of the population, with 95 % limits.

    Of the linear part, over its posterior: with log-odds ``b·z`` served at shrinkage k
    and the truth ``beta·z``, the slope is ``beta'S b / (k b'S b)``, S the covariance of
    the population, flattened by what the truth varies beside ``b·z``. Evidence is taken
    to be right as far as its SDs say. NaN where the model predicts one probability.
    """
    b, covariance = model.main.coefficients, model.main.covariance[1:, 1:]
    return _slope(model, np.outer(b, b), covariance, model.mean_variance)


def _slope(
    model: Model, second: Array, covariance: Array, mean_variance: float
) -> tuple[float, float, float]:
    """Slope of coefficients whose expected ``b b'`` is ``second``."""
    population = model.population.covariance
    spread = float((second * population).sum())
    if spread <= 0.0:
        return math.nan, math.nan, math.nan
    uncertain = float(((population @ covariance @ population) * second).sum())
    whole = float((covariance * population).sum())
    beside = whole - uncertain / spread + model.discrepancy
    served = 1.0 + math.pi * mean_variance / 8.0
    slope = math.sqrt(served / (1.0 + math.pi * beside / 8.0))
    half = Z_95 * slope * math.sqrt(uncertain) / spread
    return slope, slope - half, slope + half


def average_interval(model: Model, variance: float) -> tuple[float, float]:
    """95 % limits of the probability of an average patient."""
    half = Z_95 * math.sqrt(variance + model.discrepancy)
    low, high = expit(np.array([model.baseline - half, model.baseline + half]))
    return float(low), float(high)


def _prior_sds(model: Model, columns: slice) -> list[Array]:
    """SDs of the coefficients of each component under the evidence.

    The prior of an update is a posterior; the evidence behind it is kept.
    """
    if not model.is_update or model.priors is None:
        return [part.prior_sd[columns] for part in model.components]
    found: dict[tuple[str, float], list[Array]] = {}
    apart = _from_evidence(model.priors, model.encoder.derived)
    sds = []
    for part in model.components:
        # of one name and SD between centres, one for each SD of curves, in order
        left = found.setdefault((part.name, part.centre_sd), list(apart[part.name]))
        sds.append(left.pop(0)[columns])
    return sds


def _from_evidence(priors: PriorSet, names: tuple[str, ...]) -> dict[str, list[Array]]:
    """Prior SDs of each component of a development, by its name."""
    parts = priors.mixture(names)
    if priors.curves:
        curves, straight = (
            np.array([name in some for name in names])
            for some in (priors.curves, priors.straight)
        )
        parts = apart_by_curve(parts, curves, straight)
    found: dict[str, list[Array]] = {}
    for part in parts:
        found.setdefault(part.name, []).append(part.sd)
    return found


def _moments(model: Model) -> Array:
    """Second moments of (1, base columns) in the population."""
    lifted = np.r_[1.0, model.population.mean]
    moments = np.outer(lifted, lifted)
    moments[1:, 1:] += model.population.covariance
    return moments


def _information(model: Model) -> float:
    """Information that one patient's level gives about the log-odds, on average."""
    lead = max(model.components, key=lambda part: part.prior_weight)
    n_cuts = len(model.rules.cut_points)
    b, covariance = model.main.coefficients, model.main.covariance[1:, 1:]
    spread = ((np.outer(b, b) + covariance) * model.population.covariance).sum()
    at = np.repeat(_NODES * math.sqrt(spread), n_cuts + 1)
    level = np.tile(np.arange(n_cuts + 1), len(_NODES))
    seen = Observations(
        design=at[:, None],
        lower=level,
        upper=level,
        n_cuts=n_cuts,
        main=model.rules.main_index,
    )
    found = terms(seen, np.append(lead.prior_mean[:n_cuts], 1.0)[None])
    weight = np.repeat(_WEIGHTS / _WEIGHTS.sum(), n_cuts + 1) * np.exp(found.value[0])
    return float((weight * found.curvature.sum(axis=0)[0]).sum())


def _shrunk(covariance: Array, seen: Array) -> Array:
    """Covariance once information has been seen; neither needs an inverse."""
    n = len(seen)
    return np.asarray(np.linalg.solve(np.eye(n) + covariance @ seen, covariance))
