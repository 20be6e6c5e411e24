"""The model as plain data: what stands in `model.json`."""

from __future__ import annotations

import math
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from responder_model.errors import ResponderModelError
from responder_model.evidence import Evidence
from responder_model.features import Encoder
from responder_model.model import CentreLevel, Component, LinearPart, Model, Pool
from responder_model.model.parts import ApparentPerformance
from responder_model.words import Note
from .node import lower_triangle

if TYPE_CHECKING:
    from responder_model.disclosure.fingerprints import Fingerprints
    from responder_model.disclosure.record import Disclosure
    from responder_model.priors import PriorSet
    from responder_model.sample_size import SampleSizeVerdict
    from responder_model.settings import Settings

FORMAT_VERSION = 2
# Significant digits of a published model: the same bytes wherever it is built.
PUBLISHED_DIGITS = 12
# Below it a number of a published model is 0 with the arithmetic's own error.
PUBLISHED_ZERO = 1e-18
_FORMAT = f"%.{PUBLISHED_DIGITS}g"


def model_document(model: Model) -> dict[str, Any]:
    """Plain data of a model, without its trees and its performance."""
    document = {
        "format_version": FORMAT_VERSION,
        "decision": model.decision,
        "moment": model.moment,
        "provenance": model.provenance,
        "name": model.name,
        "n_patients": model.n_patients,
        "n_events": model.n_events,
        "linear": [_linear_document(part) for part in model.linear],
        "mean_variance": float(model.mean_variance),
        "discrepancy": float(model.discrepancy),
        "centres": [_centre_document(level) for level in model.centres],
        "pool": None if model.pool is None else _pool_document(model.pool),
        "encoder": _encoder_document(model.encoder),
        "population": {
            "mean": model.population.mean.tolist(),
            "covariance": lower_triangle(model.population.covariance),
            "n_patients": int(model.population.n_patients),
        },
        "limits": model.limits.to_json(),
        "components": [_component_document(part) for part in model.components],
        "cut_components": [
            {"components": [_component_document(part) for part in parts]}
            for parts in model.cut_components
        ],
        "missed": asdict(model.missed),
        "priors": _kept(model.priors),
        "settings": _kept(model.settings),
        "sample_size": _kept(model.sample_size),
        "excluded_evidence": list(model.excluded_evidence),
        "notes": plain(model.notes),
        # most files are read without one: earlier folders stay what they are
        **({"mapping": plain(model.mapping)} if model.mapping else {}),
        "parent": model.parent,
        "disclosure": None if model.disclosure is None else _plain(model.disclosure),
        "fingerprints": (
            None if model.fingerprints is None else _plain(model.fingerprints)
        ),
    }
    return rounded(document) if model.provenance == "published" else document


def evidence_document(evidence: Evidence) -> dict[str, Any]:
    """Plain data of the evidence behind a model: rows, and what is declared on them."""
    document: dict[str, Any] = plain(
        {
            "rows": [asdict(row) for row in evidence.rows.values()],
            "declarations": [asdict(row) for row in evidence.declarations.values()],
        }
    )
    return document


def performance_document(performance: ApparentPerformance) -> dict[str, Any]:
    """Plain data of what a development measured, empty where there was none."""
    if performance == ApparentPerformance():
        return {}
    document: dict[str, Any] = plain(
        {row.name: getattr(performance, row.name) for row in fields(performance)}
    )
    return document


def _plain(part: Disclosure | Fingerprints) -> Any:
    return plain(asdict(part))


def _kept(part: PriorSet | SampleSizeVerdict | Settings | None) -> dict[str, Any]:
    return {} if part is None else dict(plain(asdict(part)))


def _encoder_document(encoder: Encoder) -> dict[str, Any]:
    document = encoder.to_json()
    for row in document["columns"]:
        row["centre"], row["scale"] = float(row["centre"]), float(row["scale"])
    return document


def _linear_document(part: LinearPart) -> dict[str, Any]:
    return {
        "cut_point": float(part.cut_point),
        "intercept": float(part.intercept),
        "coefficients": part.coefficients.tolist(),
        "covariance": lower_triangle(part.covariance),
    }


def _centre_document(level: CentreLevel) -> dict[str, Any]:
    return {
        "name": level.name,
        "shift": level.shift.tolist(),
        "variance": level.variance.tolist(),
    }


def _pool_document(pool: Pool) -> dict[str, float]:
    return {
        "weight": float(pool.weight),
        "offset": float(pool.offset),
        "slope": float(pool.slope),
    }


def _component_document(part: Component) -> dict[str, Any]:
    return {
        "name": part.name,
        "prior_mean": part.prior_mean.tolist(),
        "prior_sd": part.prior_sd.tolist(),
        "prior_weight": float(part.prior_weight),
        "weight": float(part.weight),
        "log_evidence": float(part.log_evidence),
        "mean": part.mean.tolist(),
        "covariance": lower_triangle(part.covariance),
        "centre_sd": float(part.centre_sd),
    }


def plain(value: Any) -> Any:
    """Plain JSON data; a number that is not defined becomes null.

    Examples
    --------
    >>> plain({"slope": np.float64("nan"), "rows": (1, np.int64(2))})
    {'slope': None, 'rows': [1, 2]}
    """
    if isinstance(value, Note):
        return plain(value.to_dict())
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ResponderModelError(Note("artifact.plain", got=type(value).__name__))


def rounded(value: Any) -> Any:
    """Plain data with every float at ``PUBLISHED_DIGITS`` significant digits.

    Examples
    --------
    >>> rounded([1 / 3, 2, -3e-34])
    [0.333333333333, 2, 0.0]
    """
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        # most of a model: rows of numbers
        if all(type(item) is float for item in value):
            return [
                0.0 if abs(x) < PUBLISHED_ZERO else float(_FORMAT % x) for x in value
            ]
        return [rounded(item) for item in value]
    if isinstance(value, float):
        return 0.0 if abs(value) < PUBLISHED_ZERO else float(_FORMAT % value)
    return value
