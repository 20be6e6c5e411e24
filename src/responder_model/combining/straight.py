"""The model of straight lines within one whose effects may bend."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from responder_model.artifact import digest_of
from responder_model.cumulative_logit.components import CURVE_SDS
from responder_model.features import is_curve
from responder_model.model import Component, LinearPart, Model

Places = NDArray[np.int64]


def is_bent(model: Model) -> bool:
    """Whether effects of numbers may bend in a model."""
    return any(column.is_curve for column in model.encoder.columns)


def straightened(model: Model) -> Model:
    """A model without its curves; the model itself where it has none.

    Its components are those in which curves are held nearly straight, so that what is
    left is what a development without curves would have learned. The digest stays: it
    names whose patients these are.
    """
    if not is_bent(model):
        return model
    encoder = model.encoder
    columns = np.flatnonzero([not column.is_curve for column in encoder.columns])
    rows = np.flatnonzero([not is_curve(name) for name in encoder.derived])
    priors, rule = model.kept_priors(), model.disclosure
    straight = {n: row for n, row in priors.columns.items() if not is_curve(n)}
    if rule is not None:
        out = tuple(name for name in rule.contrasts_left_out if not is_curve(name))
        rule = replace(rule, contrasts_left_out=out)
    square = np.ix_(columns, columns)
    found = replace(
        model,
        encoder=replace(
            encoder,
            columns=tuple(encoder.columns[k] for k in columns),
            derived=tuple(encoder.derived[k] for k in rows),
            projection=encoder.projection[np.ix_(rows, columns)],
        ),
        population=replace(
            model.population,
            mean=model.population.mean[columns],
            covariance=model.population.covariance[square],
        ),
        linear=tuple(_part(one, columns) for one in model.linear),
        components=_components(model, rows),
        cut_components=(),
        priors=replace(priors, columns=straight),
        disclosure=rule,
    )
    object.__setattr__(found, "digest", digest_of(model))
    return found


def _part(part: LinearPart, columns: Places) -> LinearPart:
    kept = np.append(0, columns + 1)
    return replace(
        part,
        coefficients=part.coefficients[columns],
        covariance=part.covariance[np.ix_(kept, kept)],
    )


def _components(model: Model, rows: Places) -> tuple[Component, ...]:
    n_cuts, n_columns = len(model.rules.cut_points), len(model.encoder.derived)
    bent = np.setdiff1d(np.arange(n_columns), rows) + n_cuts
    after = np.arange(n_cuts + n_columns, len(model.components[0].mean))
    kept = np.concatenate([np.arange(n_cuts), rows + n_cuts, after])
    # an update starts from posteriors, which are narrower still
    most = 1.001 * min(CURVE_SDS)
    parts = [part for part in model.components if part.prior_sd[bent].max() <= most]
    before = sum(part.prior_weight for part in parts)
    total = sum(part.weight for part in parts) or 1.0
    return tuple(
        replace(
            part,
            prior_mean=part.prior_mean[kept],
            prior_sd=part.prior_sd[kept],
            prior_weight=part.prior_weight / before,
            weight=part.weight / total,
            mean=part.mean[kept],
            covariance=part.covariance[np.ix_(kept, kept)],
        )
        for part in parts
    )
