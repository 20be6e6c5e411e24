"""Relief of simulated patients, and the exact probability of every relief."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from responder_model.errors import ResponderModelError
from responder_model.features import expit
from responder_model.schema import dictionary
from responder_model.words import Note
from .settings import Scale, Sessions, generator_settings
from .truth import Truth

Array = NDArray[np.float64]

# Limits of a reported relief, in percent.
_RELIEF_LIMITS = (-100.0, 100.0)


def true_probabilities(
    cohort: pd.DataFrame,
    truth: Truth,
    *,
    cut_points: Sequence[float] | None = None,
    moment: str | None = None,
    symptom_recorded: bool = False,
) -> dict[float, Array]:
    """Exact probability of the outcome at each cut-off, given all predictors.

    Parameters
    ----------
    cohort : DataFrame
        Patients whose predictors are complete.
    truth : Truth
        The truth that they were, or would be, simulated from.
    cut_points : sequence of float, optional
        Cut-offs in whole percent; those that the decision's models are fitted on.
    moment : str, optional
        From ``session_1`` on, the reliefs known at that moment are given too.
    symptom_recorded : bool
        Whether relief counts as 30 % at most unless the symptom improved.

    Returns
    -------
    dict of float to ndarray of shape (n_patients,)

    Raises
    ------
    ResponderModelError
        If a predictor that the truth needs is missing.

    Examples
    --------
    >>> from responder_model.simulation import draw_truth, simulate_cohort
    >>> cohort = simulate_cohort(50, seed=1, blank_share=0.0)
    >>> truth = draw_truth("rtms_response", "right", np.random.default_rng(1))
    >>> above = true_probabilities(cohort, truth)
    >>> bool((above[10] > above[30]).all() and (above[30] > above[50]).all())
    True
    """
    decision = dictionary().decisions[truth.decision]
    cuts = tuple(cut_points or decision.cut_points)
    values, mass = relief_distribution(cohort, truth)
    sessions = _sessions_known(moment)
    if sessions > 0:
        mass = mass * _session_likelihood(cohort, values, sessions)
        mass = _check_complete(mass / mass.sum(axis=1, keepdims=True))
    if symptom_recorded:
        mass = _cap_without_symptom(values, mass, decision.main_cut_point)
    return {cut: mass[:, decision.passes(values, cut)].sum(axis=1) for cut in cuts}


def relief_distribution(cohort: pd.DataFrame, truth: Truth) -> tuple[Array, Array]:
    """Every possible relief (n_values,) and its probability (n_patients, n_values)."""
    above = _exceedance(cohort, truth)
    lows, highs = _bands(truth.scale, truth.decision)
    ones, zeros = np.ones((len(above), 1)), np.zeros((len(above), 1))
    edges = np.hstack([ones, above, zeros])
    widths = (highs - lows + 1).astype(np.int64)
    mass = np.repeat((edges[:, :-1] - edges[:, 1:]) / widths, widths, axis=1)
    values = np.arange(lows[0], highs[-1] + 1)
    return values, mass


def _check_complete(values: Array) -> Array:
    if np.isnan(values).any():
        raise ResponderModelError(Note("simulation.complete"))
    return values


def draw_relief(cohort: pd.DataFrame, truth: Truth, rng: np.random.Generator) -> Array:
    """Draw one relief per patient, in whole percent, (n_patients,)."""
    above = _exceedance(cohort, truth)
    lows, highs = _bands(truth.scale, truth.decision)
    band = (rng.random((len(above), 1)) < above).sum(axis=1)
    return np.asarray(rng.integers(lows[band], highs[band] + 1), dtype=np.float64)


def draw_sessions(relief_test: Array, rng: np.random.Generator) -> dict[str, Array]:
    """Draw relief and days of relief after sessions 1 to 3 and days after the test."""
    settings = generator_settings().sessions
    reliefs: list[Array] = []
    for k in range(len(settings.means)):
        mean, sd = _session_moments(k, relief_test, reliefs)
        noise = rng.standard_normal(len(relief_test))
        reliefs.append(np.clip(np.round(mean + sd * noise), *_RELIEF_LIMITS))
    shared = rng.standard_normal(len(relief_test))
    columns = {f"relief_{k + 1}": relief for k, relief in enumerate(reliefs)}
    for k, relief in enumerate([*reliefs, relief_test]):
        name = f"relief_days_{k + 1 if k < len(reliefs) else 'test'}"
        columns[name] = _draw_days(k, relief, shared, rng)
    return columns


def draw_symptom(relief_test: Array, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw whether the most disabling symptom improved, given relief."""
    return np.asarray(rng.random(len(relief_test)) < _symptom_proportion(relief_test))


def _exceedance(cohort: pd.DataFrame, truth: Truth) -> Array:
    """P(relief above each edge), (n_patients, n_edges), exact at the main cut-off.

    Where slopes differ between edges, the others are made monotone against it.
    """
    lp = _check_complete(truth.linear_predictor(cohort))
    above = expit(lp - np.array(truth.scale.latent))
    main = truth.scale.latent.index(0.0)
    for j in range(main + 1, above.shape[1]):
        above[:, j] = np.minimum(above[:, j], above[:, j - 1])
    for j in range(main - 1, -1, -1):
        above[:, j] = np.maximum(above[:, j], above[:, j + 1])
    return above


def _bands(scale: Scale, decision: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lowest and highest whole percent of each band, in rising order."""
    failing = dictionary().decisions[decision].highest_failing
    starts = np.array([failing(edge) + 1 for edge in scale.edges], dtype=np.int64)
    lows = np.array([int(scale.minimum), *starts])
    highs = np.array([*(starts - 1), int(scale.maximum)])
    return lows, highs


def _sessions_known(moment: str | None) -> int:
    return int(moment.removeprefix("session_")) if moment and "_" in moment else 0


def _session_moments(
    k: int, relief_test: Array, earlier: Sequence[Array]
) -> tuple[Array, float]:
    """Mean and SD of relief in session k + 1 given the test and earlier sessions."""
    settings = generator_settings().sessions
    gain, rest = _regression(k, settings)
    known = [(relief_test, settings.mean_test)]
    known += list(zip(earlier, settings.means, strict=False))
    mean = settings.means[k] + sum(
        (b * (value - centre) for b, (value, centre) in zip(gain, known, strict=True)),
        start=np.zeros(np.broadcast_shapes(*(value.shape for value, _ in known))),
    )
    return mean, settings.sd * rest


def _regression(k: int, settings: Sessions) -> tuple[Array, float]:
    """Slopes of session k + 1 on the test and the earlier ones, and residual share."""
    correlation = np.full((k + 2, k + 2), settings.between_sessions)
    correlation[0, 1:] = correlation[1:, 0] = settings.correlations[: k + 1]
    np.fill_diagonal(correlation, 1.0)
    known, link = correlation[:-1, :-1], correlation[:-1, -1]
    gain = np.linalg.solve(known, link)
    return gain, float(np.sqrt(1.0 - gain @ link))


def _session_likelihood(cohort: pd.DataFrame, values: Array, n_sessions: int) -> Array:
    """P(reliefs reported so far | relief after the test), (n_patients, n_values)."""
    likelihood = np.ones((len(cohort), len(values)))
    earlier: list[Array] = []
    for k in range(n_sessions):
        column = cohort[f"relief_{k + 1}"]
        relief = column.to_numpy(dtype=np.float64, na_value=np.nan)[:, None]
        mean, sd = _session_moments(k, values[None, :], earlier)
        upper = np.where(relief >= _RELIEF_LIMITS[1], np.inf, relief + 0.5)
        lower = np.where(relief <= _RELIEF_LIMITS[0], -np.inf, relief - 0.5)
        likelihood *= ndtr((upper - mean) / sd) - ndtr((lower - mean) / sd)
        earlier.append(relief)
    return likelihood


def _draw_days(k: int, relief: Array, shared: Array, rng: np.random.Generator) -> Array:
    settings = generator_settings().sessions
    means: Mapping[int, float] = dict(enumerate((*settings.means, settings.mean_test)))
    own = rng.standard_normal(len(relief))
    rest = np.sqrt(settings.days_shared) * shared
    rest = rest + np.sqrt(1.0 - settings.days_shared) * own
    r = settings.days_correlation
    z = r * (relief - means[k]) / settings.sd + np.sqrt(1.0 - r**2) * rest
    days = np.expm1(settings.days_means[k] + settings.days_sd * z)
    longest = settings.days_interval if k < len(settings.means) else 60.0
    some = (relief > 0) & (days > 0)
    return np.where(some, np.minimum(np.round(days), longest), 0.0)


def _symptom_proportion(relief_test: Array) -> Array:
    settings = generator_settings()
    cuts = np.array(settings.symptom_cut_points)
    band = (relief_test[..., None] > cuts).sum(axis=-1)
    return np.asarray(np.array(settings.symptom_proportions)[band])


def _cap_without_symptom(values: Array, mass: Array, main: float) -> Array:
    """Move the mass of relief above the main cut-off without improvement down to it."""
    kept = np.where(values > main, _symptom_proportion(values), 1.0)
    capped = mass * kept
    capped[:, values == main] += (mass * (1.0 - kept)).sum(axis=1, keepdims=True)
    return capped
