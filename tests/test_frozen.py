"""Shared values stay as they are, whatever a caller does with them."""

from __future__ import annotations

import copy
import io
import json
import pickle
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import joblib
import numpy as np
import pytest

import responder_model as rm
from responder_model.evidence.base import packaged_evidence
from responder_model.frozen import FrozenDict, freeze
from responder_model.model import Model
from responder_model.model.parts import ApparentPerformance
from responder_model.pathways.success import quasi_normal
from responder_model.schema import dictionary
from responder_model.simulation.settings import generator_settings

PATIENT = {"age": 54, "aetiology": "ischaemic_stroke", "pain_intensity": 7}
CHANGES: dict[str, Callable[[dict[str, int]], Any]] = {
    "set": lambda d: d.__setitem__("a", 2),
    "delete": lambda d: d.__delitem__("a"),
    "or": lambda d: d.__ior__({"a": 2}),
    "clear": lambda d: d.clear(),
    "pop": lambda d: d.pop("a"),
    "popitem": lambda d: d.popitem(),
    "setdefault": lambda d: d.setdefault("b", 2),
    "update": lambda d: d.update(a=2),
}


def through_joblib(model: Model) -> Model:
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    again: Model = joblib.load(file)
    return again


WAYS: dict[str, Callable[[Model], Model]] = {
    "as it is": lambda model: model,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "joblib": through_joblib,
    "deepcopy": copy.deepcopy,
    "replace": lambda model: replace(model, name="another"),
}


@pytest.fixture(scope="module")
def model() -> Model:
    return rm.published_model("rtms_response", "screening")


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_frozen_dict_refuses_every_change(change: Callable[..., Any]) -> None:
    frozen = FrozenDict(a=1)
    with pytest.raises(TypeError, match="must not be changed"):
        change(frozen)
    assert frozen == {"a": 1}


def test_freeze_leaves_its_argument_as_it_was() -> None:
    array, table = np.zeros(2), {"rows": [1]}
    frozen = freeze((array, table))
    array[0], table["rows"][0] = 5.0, 5
    assert frozen[0][0] == 0.0
    assert frozen[1] == {"rows": (1,)}


def test_freeze_gives_back_what_is_frozen(model: Model) -> None:
    assert freeze(model.limits) is model.limits
    assert freeze(dictionary()) is dictionary()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_model_cannot_be_changed_nor_can_its_copies(
    way: Callable[[Model], Model], model: Model
) -> None:
    one = way(model)
    before = one.predict(PATIENT)
    for mapping in (one.prior_columns, one.performance.apparent):
        with pytest.raises(TypeError, match="must not be changed"):
            mapping.clear()  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="must not be changed"):
        one.limits.seen["aetiology"]["amputation"] = "none"  # type: ignore[index]
    arrays = [one.population.mean, one.population.covariance, one.encoder.projection]
    arrays += [part.coefficients for part in one.linear]
    arrays += [part.covariance for part in (*one.linear, *one.components)]
    arrays += [one.scorer.coefficients, one.scorer.checks.bounds]
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0.0
    assert one.predict(PATIENT) == before
    assert before.probability == model.predict(PATIENT).probability


def test_what_a_model_was_made_from_may_change_without_it(model: Model) -> None:
    mean, measured = np.array(model.population.mean), {"c_statistic": 0.7}
    population = replace(model.population, mean=mean)
    performance = ApparentPerformance(apparent=measured)
    one = replace(model, population=population, performance=performance)
    mean[:] = 100.0
    measured["c_statistic"] = 0.9
    assert one.predict(PATIENT).probability == model.predict(PATIENT).probability
    assert one.performance.apparent == {"c_statistic": 0.7}


def test_frozen_mappings_are_written_as_json_and_become_plain(model: Model) -> None:
    seen = model.limits.seen
    assert json.loads(json.dumps(seen)) == seen
    plain = asdict(model.limits)
    assert plain["numbers"].keys() == model.limits.numbers.keys()
    assert type(seen | {"note": 1}) is dict


def test_other_shared_values_cannot_be_changed() -> None:
    age = dictionary().fields["age"]
    scales = generator_settings().scales
    rows = packaged_evidence().rows
    for mapping in (age.label, age.references, dictionary().fields, scales, rows):
        with pytest.raises(TypeError, match="must not be changed"):
            mapping.clear()  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="read-only"):
        quasi_normal(100, 2)[0, 0] = 0.0
    procedure = rm.build_procedure("rtms_response", "screening")
    with pytest.raises(ValueError, match="read-only"):
        procedure.build_encoder().projection[0, 0] = 0.0
