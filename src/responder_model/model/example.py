"""A made-up model: right in form, meaningless in content, for tests and timings."""

from __future__ import annotations

from typing import Any

import numpy as np

from responder_model.disclosure.fingerprints import Fingerprints
from responder_model.disclosure.record import Disclosure
from responder_model.features import Array, Encoder, Population
from .fitted import Model
from .limits import reference_limits
from .parts import Component, LinearPart, Pool

# Falling log-odds of the served cut-offs, and the size of made-up slopes.
_INTERCEPTS = (0.8, -0.3, -1.2)
_SLOPE_SD = 0.3


def example_model(
    decision: str = "rtms_response",
    moment: str | None = "screening",
    *,
    seed: int = 0,
    pool: Pool | None = None,
    **changes: Any,
) -> Model:
    """Model with random coefficients over the reference population.

    Parameters
    ----------
    decision, moment : str
        The decision model.
    seed : int
        Seed of the coefficients.
    pool : Pool, optional
        Trees, for a pooled model.
    **changes
        Fields of ``Model`` to set otherwise.

    Examples
    --------
    >>> example_model(seed=1).predict({"age": 54}).applicability.level
    'inside'
    """
    rng = np.random.default_rng(seed)
    encoder = Encoder.for_decision(decision, moment)
    population = Population.reference(encoder)
    p = len(encoder.columns)
    slopes = rng.normal(0.0, _SLOPE_SD, p)
    cuts = encoder.dictionary.decisions[decision].served_cut_points
    parts: dict[str, Any] = {
        "decision": encoder.decision,
        "moment": encoder.moment,
        "provenance": "simulated",
        "name": "made-up example",
        "encoder": encoder,
        "population": population,
        "limits": reference_limits(encoder, population),
        "linear": tuple(
            LinearPart(
                cut_point=cut,
                intercept=intercept,
                coefficients=slopes * (0.9 + 0.1 * j),
                covariance=_covariance(rng, p + 1),
            )
            for j, (cut, intercept) in enumerate(zip(cuts, _INTERCEPTS, strict=True))
        ),
        "mean_variance": 0.4,
        "discrepancy": 0.05,
        "components": (_component(rng, encoder, 0.7), _component(rng, encoder, 0.3)),
        "pool": pool,
        "n_patients": 193,
        "n_events": 81,
    }
    parts |= changes
    n = int(parts["n_patients"])
    rule = None
    if n:
        rule = Disclosure(
            k=5, n=n, n_since_release=n, events_since_release=n // 2, parameters=p
        )
    nobody = Fingerprints(key="0" * 16, patients=(), values="") if n else None
    return Model(**{"disclosure": rule, "fingerprints": nobody, **parts})


def _covariance(rng: np.random.Generator, size: int) -> Array:
    root = rng.normal(0.0, 0.1, (size, size)) / np.sqrt(size)
    return np.asarray(root @ root.T + 0.01 * np.eye(size))


def _component(rng: np.random.Generator, encoder: Encoder, weight: float) -> Component:
    cuts = encoder.dictionary.decisions[encoder.decision].cut_points
    size = len(cuts) + len(encoder.derived)
    return Component(
        name=f"made-up, weight {weight:g}",
        prior_mean=np.zeros(size),
        prior_sd=np.full(size, _SLOPE_SD),
        prior_weight=0.5,
        weight=weight,
        log_evidence=float(rng.normal(-100.0, 1.0)),
        mean=rng.normal(0.0, _SLOPE_SD, size),
        covariance=_covariance(rng, size),
    )
