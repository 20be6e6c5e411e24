"""An update for patients who may differ from the earlier ones, as another centre may.

Of each component, the earlier posterior N(m, C) becomes the prior N(m, C + T) with

    T = a² on the level + b²·s s' + c² on every slope,   s the slopes of m:

another rate, all slopes weaker or stronger together, single effects that differ; a bend
changes with the strength alone, so that what is held straight stays so. A grid of
(a, b, c) joins the mixture, and its weights say what has changed. At a = b = c = 0 it
is the exact update.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from responder_model.cumulative_logit.components import Prior
from responder_model.cumulative_logit.mixture import Component, match_moments
from responder_model.words import Note

# SDs of each kind of change, with prior weights.
LEVEL = ((0.0, 0.4), (0.25, 0.2), (0.5, 0.25), (1.0, 0.15))
STRENGTH = ((0.0, 0.7), (0.6, 0.3))
SINGLE = ((0.0, 0.7), (0.15, 0.2), (0.35, 0.1))
GRID = tuple(product(LEVEL, STRENGTH, SINGLE))
# Components of the earlier model below this weight are not tried with every change.
_NEGLIGIBLE = 1e-3


def that_may_change(
    priors: Sequence[Prior], n_cuts: int, bends: NDArray[np.bool_]
) -> tuple[Prior, ...]:
    """Each prior with each change, the changes of one after another.

    Without bends, priors of one name are one: combining makes several of each.

    Parameters
    ----------
    priors : sequence of Prior
        Posteriors of the earlier model, over cut points, columns and levels of centres.
    n_cuts : int
        How many cut points there are.
    bends : ndarray of shape (n_columns,) of bool
        Which columns are the bend of a number's effect.
    """
    # held straight and bent, a development has two of a name
    apart = priors if bends.any() else _of_one_name(priors)
    likely = [prior for prior in apart if prior.weight > _NEGLIGIBLE]
    total = sum(prior.weight for prior in likely)
    return tuple(
        _changed(prior, n_cuts, bends, change, total)
        for prior in likely
        for change in GRID
    )


def _of_one_name(priors: Sequence[Prior]) -> Iterator[Prior]:
    groups: dict[tuple[str, float], list[Prior]] = {}
    for prior in priors:
        groups.setdefault((prior.name, prior.centre_sd), []).append(prior)
    for (name, centre_sd), parts in groups.items():
        weight = sum(part.weight for part in parts)
        if len(parts) == 1 or weight == 0.0:
            yield parts[0]
            continue
        whole = match_moments(
            np.array([part.weight for part in parts]) / weight,
            np.array([part.mean for part in parts]),
            np.array([part.spread for part in parts]),
        )
        mean = np.append(whole.intercept, whole.coefficients)
        yield Prior.from_posterior(name, mean, whole.covariance, weight, centre_sd)


def _changed(
    prior: Prior,
    n_cuts: int,
    bends: NDArray[np.bool_],
    change: tuple[tuple[float, float], ...],
    total: float,
) -> Prior:
    (a, by_level), (b, by_strength), (c, by_single) = change
    columns = np.zeros(len(prior.mean), dtype=bool)
    columns[n_cuts : n_cuts + len(bends)] = True
    slopes = np.where(columns, prior.mean, 0.0)
    more = np.zeros(len(prior.mean))
    more[n_cuts : n_cuts + len(bends)] = np.where(bends, 0.0, c**2)
    more[0] = a**2
    covariance = prior.spread + np.diag(more) + b**2 * np.outer(slopes, slopes)
    weight = prior.weight / total * by_level * by_strength * by_single
    return Prior.from_posterior(
        prior.name, prior.mean, covariance, weight, prior.centre_sd
    )


def merged(components: Sequence[Component]) -> tuple[Component, ...]:
    """One component for each of the earlier model, by moments over all changes.

    Parameters
    ----------
    components : sequence of Component
        Fitted from ``that_may_change``, in its order.
    """
    found = []
    for start in range(0, len(components), len(GRID)):
        parts = components[start : start + len(GRID)]
        weight = sum(part.weight for part in parts)
        share = np.array([part.weight for part in parts]) / max(weight, 1e-300)
        if weight == 0.0:
            share = np.full(len(parts), 1.0 / len(parts))
        whole = match_moments(
            share,
            np.array([part.mean for part in parts]),
            np.array([part.covariance for part in parts]),
        )
        prior_weight = sum(part.prior.weight for part in parts)
        evidence = np.logaddexp.reduce(
            [np.log(p.prior.weight / prior_weight) + p.log_evidence for p in parts]
        )
        found.append(
            Component(
                # the first change is none
                prior=replace(parts[0].prior, weight=prior_weight),
                mean=np.append(whole.intercept, whole.coefficients),
                covariance=whole.covariance,
                log_evidence=float(evidence),
                weight=weight,
            )
        )
    return tuple(found)


def what_changed(components: Sequence[Component]) -> dict[str, float]:
    """Probability that nothing, the rate alone, the strength or single effects changed.

    Examples
    --------
    >>> from responder_model.cumulative_logit.components import Prior
    >>> prior = Prior(name="one", mean=np.zeros(2), sd=np.ones(2), weight=1.0)
    >>> tried = that_may_change([prior], 1, np.zeros(1, dtype=bool))
    >>> as_before = [Component(prior=p, mean=p.mean, covariance=p.spread,
    ...     log_evidence=0.0, weight=p.weight) for p in tried]
    >>> {k: round(v, 3) for k, v in what_changed(as_before).items()}
    {'nothing': 0.196, 'rate': 0.294, 'strength': 0.21, 'single': 0.3}
    """
    shares = dict.fromkeys(("nothing", "rate", "strength", "single"), 0.0)
    for k, part in enumerate(components):
        (a, _), (b, _), (c, _) = GRID[k % len(GRID)]
        kind = "nothing" if a == 0.0 else "rate"
        kind = "strength" if b else kind
        shares["single" if c else kind] += part.weight
    return shares


def tell_changes(components: Sequence[Component]) -> Note:
    """What has changed, as a note of the updated model."""
    return Note("development.changed", **what_changed(components))
