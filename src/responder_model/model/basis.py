"""What the reasons of a published model rest on: findings, or opinion."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from responder_model.features import Array
from responder_model.frozen import freeze
from .limits import session_reliefs

if TYPE_CHECKING:
    from .fitted import Model
    from .prediction import Prediction

# Log-odds that nobody would see.
_NONE = 1e-3


def bases(model: Model, known: Mapping[str, Any]) -> dict[str, str]:
    """Basis of each given predictor: that of the prior that adds most to the log-odds.

    Of a published model only: a developed one has learned from patients too, and its
    answer is empty. ``known`` are values as ``Model.check_patient`` returns them: read
    twice, a relief of 0.45 % would be taken for a fraction.

    Examples
    --------
    >>> import responder_model as rm
    >>> model = rm.published_model("rtms_response", "screening")
    >>> bases(model, {"pain_site": "lower_limb", "depression": 12})
    {'pain_site': 'evidence', 'depression': 'judgement'}
    """
    if model.provenance != "published":
        return {}
    encoder = model.encoder
    z = encoder.encode(encoder.raw(known))[0] - model.population.mean
    slopes, statuses = _columns(model)
    # of each model column and base column: the mean relief so far is of all sessions
    sizes = np.abs(slopes[:, None] * encoder.projection * np.where(np.isnan(z), 0.0, z))
    added: dict[str, dict[str, float]] = {}
    for column, of_column in zip(encoder.columns, sizes.T, strict=True):
        of_one = added.setdefault(column.predictor, {})
        for status, size in zip(statuses, of_column.tolist(), strict=True):
            of_one[status] = of_one.get(status, 0.0) + size
    given = [name for name in encoder.predictors if name in known]
    found = {name: added.get(name, {}) for name in given}
    return {
        name: max(of_one, key=lambda status: of_one[status])
        for name, of_one in found.items()
        if any(of_one.values())
    }


@lru_cache(maxsize=16)
def _columns(model: Model) -> tuple[Array, tuple[str, ...]]:
    """Slope of each model column, and the status of its prior."""
    encoder = model.encoder
    # base = model columns @ projection, of full row rank
    slopes = model.main.coefficients @ np.linalg.pinv(encoder.projection)
    statuses = tuple(model.prior_columns[name].status for name in encoder.derived)
    return freeze(slopes), statuses


def standing(model: Model) -> dict[str, str]:
    """How predictors of a published model stand that have no effect of their own.

    "none" moves no answer; "told" moves one by what it tells of answers that were not
    given; of several reliefs "mean" is that of the sessions so far, whatever their
    order. Of a developed model nothing is said: it has learned from patients.

    Examples
    --------
    >>> import responder_model as rm
    >>> found = standing(rm.published_model("rtms_response", "session_3"))
    >>> found["age"], found["relief_days_1"], found["relief_1"]
    ('none', 'told', 'mean')
    """
    if model.provenance != "published":
        return {}
    encoder = model.encoder
    owner = np.array(encoder.predictors)[encoder.column_predictor]
    slopes = np.array([part.coefficients for part in model.linear])
    moves = np.abs(slopes).max(axis=0) > _NONE
    told = np.abs(model.population.covariance) > _NONE
    found = {}
    for row in encoder.fields:
        own = owner == row.name
        # a yes/no that indicates a number has no column of its own
        if not (moves[own].any() or row.indicates or row.derived_from):
            others = told[np.ix_(own, ~own)].any()
            found[row.name] = "told" if others else "none"
    reliefs = np.isin(owner, session_reliefs(encoder))
    if reliefs.sum() > 1 and np.ptp(slopes[:, reliefs], axis=1).max() < _NONE:
        found |= dict.fromkeys(owner[reliefs].tolist(), "mean")
    return found


def without_effect(model: Model, prediction: Prediction) -> tuple[str, ...]:
    """Given predictors of a published model that do not move the answer.

    Their effects beside the other values are believed to be none on average, and they
    tell nothing of what was not given.

    Examples
    --------
    >>> import responder_model as rm
    >>> model = rm.published_model("rtms_response", "screening")
    >>> without_effect(model, model.predict({"dn4": 9, "depression": 12}))
    ('dn4',)
    """
    idle = {name for name, kind in standing(model).items() if kind != "mean"}
    idle -= set(prediction.missing)
    return tuple(
        name
        for name, added in prediction.contributions.items()
        if name in idle and abs(added) < _NONE
    )
