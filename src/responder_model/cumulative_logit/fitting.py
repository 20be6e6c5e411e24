"""Fit the components of a mixture: Laplace posteriors, and what is left out of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .components import Array, Prior
from .earlier import Earlier
from .likelihood import Observations, intercepts, summed, terms
from .mixture import Component, normalised, prior_at, weigh
from .newton import Ascent, Objective, find_modes

# Components that the ordinal fit gives less are left out of the cut-specific ones.
_NEGLIGIBLE = 1e-3
# Newton decrement from which the others may start beside the first: an SD or so.
_NEAR = 1.0
# Components that one step gives less are left out of a resample.
_HOPELESS = 1e-4


def fit_mixture(
    observations: Observations, priors: Sequence[Prior], *, only_likely: bool = False
) -> tuple[Component, ...]:
    """Fit every component and give it its posterior probability."""
    return weigh(fit_components(observations, priors, only_likely=only_likely))


def fit_components(
    observations: Observations,
    priors: Sequence[Prior],
    starts: Array | None = None,
    *,
    only_likely: bool = False,
) -> tuple[Component, ...]:
    """Posterior modes by Newton with step halving; Laplace covariance and evidence.

    Parameters
    ----------
    observations : Observations
        One design for all; one set of outcomes, or one a prior.
    priors : sequence of Prior
    starts : ndarray of shape (M, J + K), optional
        Where each fit starts; default: the mode under the most probable prior, which
        starts at its mean.
    only_likely : bool
        Leave out components that are as good as impossible after a first step from the
        start that all share.

    Notes
    -----
    A column that is 0 for everybody keeps its prior, and takes no part where that is
    independent of the others. Copies of a patient that stand together count as one
    row.
    """
    learned = _learned(observations, priors)
    objective = Objective.under(observations.merged(), priors, learned)
    if starts is None:
        first = int(np.argmax([prior.weight for prior in priors]))
        lead = objective.of([first])
        start = find_modes(lead, lead.mean, _NEAR)[0]
        if only_likely:
            likely, start = _likely(objective, priors, start)
            priors, objective = [priors[k] for k in likely], objective.of(likely)
    else:
        start = starts[:, learned]
    modes, value, ascent = find_modes(objective, start)
    evidence = value - 0.5 * (objective.log_det + ascent.log_det)
    means = np.array([prior.mean for prior in priors])
    spreads = np.array([prior.spread for prior in priors])
    means[:, learned] = modes
    spreads[:, learned[:, None], learned] = ascent.covariance()
    return tuple(
        Component(prior=p, mean=mean, covariance=spread, log_evidence=log_evidence)
        for p, mean, spread, log_evidence in zip(
            priors, means, spreads, map(float, evidence), strict=True
        )
    )


def _likely(
    objective: Objective, priors: Sequence[Prior], start: Array
) -> tuple[NDArray[np.int64], Array]:
    """Components that are not negligible, and where one step takes each of them."""
    value, gradient, information = objective.derivatives(start)
    ascent = Ascent.of(information, gradient)
    evidence = value + 0.5 * (
        (gradient * ascent.step).sum(axis=1) - objective.log_det - ascent.log_det
    )
    likely = np.flatnonzero(normalised(priors, evidence) > _HOPELESS)
    return likely, start + ascent.step[likely]


def fit_at_cuts(
    observations: Observations,
    cuts: Sequence[int],
    components: Sequence[Component],
    earlier: Earlier | None = None,
) -> dict[int, tuple[Component, ...]]:
    """Fit the evidence of an ordinal fit, or what was learned, to single cut points.

    What has changed since is learned from all levels: each change is as probable as in
    the ordinal fit.
    """
    J, main = observations.n_cuts, observations.main
    likely = [part for part in components if part.weight > _NEGLIGIBLE]
    pairs: list[tuple[int, Prior, Array]] = []
    for cut in cuts:
        if earlier is not None:
            pairs += [(cut, p, p.mean) for p in earlier.at_cuts[cut]]
            continue
        for part in likely:
            level = intercepts(part.mean[None], J, main)[0, cut]
            start = np.append(level, part.mean[J:])
            pairs.append((cut, prior_at(part.prior, cut, J, main), start))
    of, priors, starts = zip(*pairs, strict=True)
    at_cuts = observations.at_cuts(np.array(of))
    parts = fit_components(at_cuts, priors, np.array(starts))
    n_changes = 1 if earlier is None else earlier.n_changes
    weights = np.array([part.weight for part in components])
    changes = weights.reshape(-1, n_changes).sum(axis=0)
    return {
        cut: _weigh_by_change(
            [part for part, at in zip(parts, of, strict=True) if at == cut],
            changes / changes.sum(),
        )
        for cut in cuts
    }


def _weigh_by_change(
    parts: Sequence[Component], changes: Array
) -> tuple[Component, ...]:
    """Weigh the components of each change, which has a probability already."""
    found = list(parts)
    for k, probability in enumerate(changes):
        every = slice(k, None, len(changes))
        found[every] = [
            replace(part, weight=float(probability * part.weight))
            for part in weigh(parts[every])
        ]
    return tuple(found)


def _learned(observations: Observations, priors: Sequence[Prior]) -> NDArray[np.int64]:
    """Positions of the parameters of which these patients may say something."""
    J = observations.n_cuts
    apart = all(prior.covariance is None for prior in priors)
    used = np.flatnonzero((observations.design != 0.0).any(axis=0) | (not apart))
    return np.concatenate([np.arange(J), J + used])


def predicted_without(
    observations: Observations,
    parts: Sequence[NDArray[np.int64]],
    components: Sequence[Component],
    own: Sequence[Component] | None,
) -> Array:
    """Linear predictor at the main cut point of patients, each left out, (n,).

    ``own`` are components of that cut point alone, half of what is served. Averaged
    over the parts that a patient is in; 0 for one who is in none.
    """
    main, design = observations.main, observations.design
    means = _means_without(observations, components, parts, main)
    if own:
        at_main = observations.at_cuts(np.full(len(own), main))
        means = (means + _means_without(at_main, own, parts, 0)) / 2.0
    total, count = np.zeros(len(design)), np.zeros(len(design))
    for mean, outside in zip(means, parts, strict=True):
        total[outside] += mean[0] + design[outside] @ mean[1:]
        count[outside] += 1
    return np.asarray(total / np.maximum(count, 1))


def _means_without(
    observations: Observations,
    components: Sequence[Component],
    parts: Sequence[NDArray[np.int64]],
    cut: int,
) -> Array:
    """Mean (intercept at a cut point, coefficients) without some patients, (F, 1 + K).

    The mixture without each of F parts of the patients, by one Newton step from the
    components of all: what a part adds to score and information is taken off, not
    fitted again. Steps are as exact as the components are Gaussian (Rad and Maleki
    2020, doi:10.1111/rssb.12374). 0 for a column that is 0 for everybody.
    """
    J, main = observations.n_cuts, observations.main
    priors = [component.prior for component in components]
    learned = _learned(observations, priors)
    objective = Objective.under(observations, priors, learned)
    observations = objective.observations
    modes = np.array([component.mean[learned] for component in components])
    each = terms(observations, modes)
    whole = objective.penalised(modes, summed(observations, modes, each))
    found = np.zeros((len(parts), 1 + len(components[0].mean) - J))
    for row, part in zip(found, parts, strict=True):
        less = summed(observations.rows(part), modes, each.rows(part))
        value, gradient, information = (a - b for a, b in zip(whole, less, strict=True))
        ascent = Ascent.of(information, gradient)
        log_posterior = value + (gradient * ascent.step).sum(axis=1) / 2.0
        log_evidence = log_posterior - 0.5 * (ascent.log_det + objective.log_det)
        weights = normalised(priors, log_evidence)
        moved = modes + ascent.step
        row[0] = weights @ intercepts(moved, J, main)[:, cut]
        row[learned[J:] - J + 1] = weights @ moved[:, J:]
    return found
