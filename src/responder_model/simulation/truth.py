"""The truth behind a simulated cohort: slopes, drawn anew for each one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.features import Encoder
from responder_model.priors import build_priors
from .screening import draw_screening
from .settings import Condition, Interaction, Recipe, Scale, generator_settings

Array = NDArray[np.float64]

# Squared distance, in reference SDs, beyond which a bend goes no further.
FARTHEST = 4.0
# Patients and seed of the population on whose means a linear predictor is centred.
_POPULATION_SIZE = 50_000
_POPULATION_SEED = 20_250_101


@dataclass(frozen=True, kw_only=True, eq=False)
class Truth:
    """Known truth of one simulated cohort, on the log-odds scale.

    Parameters
    ----------
    decision, kind : str
        Decision model, and name of the recipe that the slopes were drawn from.
    columns : tuple of str
        Model columns, in reference units, that the slopes belong to.
    slopes : ndarray of shape (n_edges, n_columns)
        One row for each edge of relief; equal rows are proportional odds.
    centre : ndarray of shape (n_columns,)
        Column values at which the linear predictor is ``mean``.
    mean : float
        Linear predictor of the main cut-off at ``centre``.
    interactions : tuple of Interaction
        Log-odds on top, each centred on its mean in ``interaction_means``.
    bends : ndarray of shape (n_columns,)
        Log-odds per squared distance of a column from ``centre``, at most
        ``FARTHEST``, less its mean in ``bend_means``.
    """

    decision: str
    kind: str
    columns: tuple[str, ...]
    slopes: Array
    centre: Array
    mean: float
    interactions: tuple[Interaction, ...] = ()
    interaction_means: tuple[float, ...] = ()
    bends: Array
    bend_means: Array

    @property
    def scale(self) -> Scale:
        """How the latent value becomes relief."""
        return generator_settings().scales[self.decision]

    def linear_predictor(self, cohort: pd.DataFrame) -> Array:
        """Linear predictor at each edge, (n_patients, n_edges); NaN if not complete."""
        matters, bent = (self.slopes != 0).any(axis=0), self.bends != 0
        moved = _columns(self.decision, cohort) - self.centre
        z = moved[:, matters]
        squared = _squared(moved[:, bent]) - self.bend_means[bent]
        extra = squared @ self.bends[bent]
        for item, mean in zip(self.interactions, self.interaction_means, strict=True):
            extra += item.slope * (_meets(cohort, item.conditions) - mean)
        linear = z @ self.slopes[:, matters].T
        return np.asarray(self.mean + extra[:, None] + linear)


def draw_truth(decision: str, kind: str, rng: np.random.Generator) -> Truth:
    """Draw the slopes of one cohort from the evidence, or against it.

    Parameters
    ----------
    decision : str
        ``rtms_response`` or ``emcs_success``.
    kind : str
        A recipe of ``data/simulation.toml``: ``right``, ``wrong``, ``null``, ...
    rng : numpy.random.Generator
        Source of randomness: the same one gives paired slopes for every kind.

    Raises
    ------
    ResponderModelError
        For an unknown kind.

    Examples
    --------
    >>> truth = draw_truth("rtms_response", "null", np.random.default_rng(0))
    >>> bool((truth.slopes == 0).all())
    True
    """
    recipe = generator_settings().recipe(decision, kind)
    scale = generator_settings().scales[decision]
    columns, means, sds = _prior_slopes(decision)
    slope = _draw_slopes(recipe, columns, means, sds, rng)
    slopes = _spread_over_edges(slope, recipe, _main_edge(scale), len(scale.edges), rng)
    mean = mean_linear_predictor(decision, kind)
    return Truth(
        decision=decision,
        kind=kind,
        columns=columns,
        slopes=slopes,
        centre=_centre(decision),
        mean=mean + recipe.random_shift * rng.choice([-1.0, 1.0]),
        interactions=recipe.interactions,
        interaction_means=tuple(_interaction_mean(i) for i in recipe.interactions),
        bends=np.array([recipe.bends.get(name, 0.0) for name in columns]),
        bend_means=_squared_means(decision),
    )


def slope_prior(decision: str, kind: str) -> dict[str, tuple[float, float]]:
    """Mean and SD of the distribution that a kind of truth draws each slope from.

    Who knows them knows all that can be known before the data. Signs that flip at
    random have mean 0; large slopes at random places share their variance.

    Examples
    --------
    >>> found = slope_prior("rtms_response", "wrong")
    >>> [round(x, 2) for x in found["aetiology=ischaemic_vs_haemorrhagic"]]
    [-0.76, 0.22]
    """
    recipe = generator_settings().recipe(decision, kind)
    columns, means, sds = _prior_slopes(decision)
    mean = _factors(recipe, columns) * means
    variance = (recipe.sd_factor * sds) ** 2 + recipe.common_sd**2
    kept = 1.0 - 2.0 * recipe.flipped_share
    variance = variance + (1.0 - kept**2) * mean**2
    variance = variance * _is_recorded(columns)
    allowed = _allowed_large(recipe, columns, means)
    variance = variance + recipe.n_large * recipe.large**2 * allowed / allowed.sum()
    if recipe.only_factors:
        variance = variance * [name in recipe.factors for name in columns]
    pairs = zip((kept * mean).tolist(), np.sqrt(variance).tolist(), strict=True)
    return dict(zip(columns, pairs, strict=True))


def mean_linear_predictor(decision: str, kind: str) -> float:
    """Linear predictor of the main cut-off at the centre, before a random shift."""
    shifted = generator_settings().recipe(decision, kind).mean_linear_predictor
    usual = generator_settings().scales[decision].mean_linear_predictor
    return usual if shifted is None else shifted


def truth_kinds(decision: str) -> tuple[str, ...]:
    """Return the names of all kinds of truth of a decision."""
    return tuple(generator_settings().truths[decision])


def _main_edge(scale: Scale) -> int:
    return scale.latent.index(0.0)


def first_moment(decision: str) -> str | None:
    """Moment at which a truth is stated: before any session, or at implantation."""
    return "screening" if decision == "rtms_response" else None


@cache
def _encoder(decision: str) -> Encoder:
    return Encoder.for_decision(decision, first_moment(decision))


@cache
def _prior_slopes(decision: str) -> tuple[tuple[str, ...], Array, Array]:
    """Model columns with the mean and SD that the evidence expects, 0 for others."""
    encoder = _encoder(decision)
    scale = generator_settings().scales[decision]
    priors = build_priors(decision, encoder.moment).columns
    columns = tuple(column.name for column in encoder.columns)
    rows = [scale.slopes.get(name, priors[name]) for name in columns]
    matters = np.array([name in scale.columns for name in columns])
    means, sds = np.array([(row.mean, row.sd) for row in rows]).T * matters
    return columns, means, sds


def _columns(decision: str, cohort: pd.DataFrame) -> Array:
    encoder = _encoder(decision)
    return encoder.encode(encoder.raw(cohort))


@cache
def _population() -> pd.DataFrame:
    rng = np.random.default_rng(_POPULATION_SEED)
    return draw_screening(_POPULATION_SIZE, rng, generator_settings())


@cache
def _centre(decision: str) -> Array:
    if generator_settings().scales[decision].centred_on == "reference":
        return np.zeros(len(_encoder(decision).columns))
    return np.asarray(_columns(decision, _population()).mean(axis=0))


def _squared(deviation: Array) -> Array:
    return np.asarray(np.minimum(deviation**2, FARTHEST))


@cache
def _squared_means(decision: str) -> Array:
    z = _columns(decision, _population())
    return np.asarray(_squared(z - _centre(decision)).mean(axis=0))


@cache
def _interaction_mean(interaction: Interaction) -> float:
    return float(_meets(_population(), interaction.conditions).mean())


def _meets(cohort: pd.DataFrame, conditions: tuple[Condition, ...]) -> Array:
    """1.0 for patients who meet every condition, else 0.0; NaN where unknown."""
    met = np.ones(len(cohort))
    for condition in conditions:
        met *= _meets_one(cohort[condition.field], condition)
    return met


def _meets_one(values: pd.Series, condition: Condition) -> Array:
    if condition.equals is not None:
        return np.where(values.isna(), np.nan, values == condition.equals)
    number = values.to_numpy(dtype=np.float64, na_value=np.nan)
    met = np.ones(len(number))
    if condition.below is not None:
        met *= number < condition.below
    if condition.above is not None:
        met *= number > condition.above
    return np.where(np.isnan(number), np.nan, met)


def _draw_slopes(
    recipe: Recipe,
    columns: tuple[str, ...],
    means: Array,
    sds: Array,
    rng: np.random.Generator,
) -> Array:
    noise = rng.standard_normal((2, len(columns)))
    factor = _factors(recipe, columns)
    sign = _flip(means, recipe.flipped_share, rng)
    slope = factor * sign * means + recipe.sd_factor * sds * noise[0]
    slope += recipe.common_sd * noise[1] * _is_recorded(columns)
    if recipe.only_factors:
        slope *= [name in recipe.factors for name in columns]
    if recipe.n_large > 0:
        chosen = _choose_large(recipe, columns, means, rng)
        slope[chosen] = recipe.large * rng.choice([-1.0, 1.0], size=len(chosen))
    return np.asarray(slope)


def _factors(recipe: Recipe, columns: tuple[str, ...]) -> Array:
    return np.array([recipe.factors.get(c, recipe.mean_factor) for c in columns])


def _flip(means: Array, share: float, rng: np.random.Generator) -> Array:
    """Sign of each mean: a share of the non-zero ones is reversed."""
    expected = rng.permutation(np.flatnonzero(means != 0))
    sign = np.ones_like(means)
    sign[expected[: round(share * expected.size)]] = -1.0
    return sign


def _choose_large(
    recipe: Recipe, columns: tuple[str, ...], means: Array, rng: np.random.Generator
) -> list[int]:
    """Columns of so many different predictors, one column of each."""
    columns_of: dict[str, list[int]] = {}
    for k in np.flatnonzero(_allowed_large(recipe, columns, means)):
        columns_of.setdefault(columns[k].partition("=")[0], []).append(int(k))
    names = rng.choice(sorted(columns_of), size=recipe.n_large, replace=False)
    return [int(rng.choice(columns_of[name])) for name in names]


def _allowed_large(
    recipe: Recipe, columns: tuple[str, ...], means: Array
) -> NDArray[np.bool_]:
    unexpected = recipe.large_where == "unexpected"
    return np.asarray(_is_recorded(columns) & ((means == 0) | (not unexpected)))


def _is_recorded(columns: tuple[str, ...]) -> NDArray[np.bool_]:
    """Whether benchmark cohorts record the column; no truth gives others a slope."""
    return ~np.isin(columns, generator_settings().not_recorded)


def _spread_over_edges(
    slope: Array, recipe: Recipe, main: int, n_edges: int, rng: np.random.Generator
) -> Array:
    """Slopes at every edge: equal, or larger and smaller off the main cut-off."""
    multipliers = np.array(recipe.multipliers or (1.0,) * n_edges)[:, None]
    sign = rng.choice([-1.0, 1.0], size=(n_edges, slope.size))
    sign[main] = 0.0
    return np.asarray(slope * (multipliers + recipe.random_multiplier * sign))
