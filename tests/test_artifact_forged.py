"""Model folders whose manifest agrees with a model that cannot be are refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import responder_model as rm
from forging import change_model
from responder_model.artifact import load_model, save_model
from responder_model.errors import UntrustedModelError
from responder_model.model.example import example_model


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(example_model(), tmp_path_factory.mktemp("saved") / "model")


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "model"))


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "unknown entry": (
        lambda d: d.update(code="x"),
        "exactly its own entries, got code",
    ),
    "missing entry": (lambda d: d.pop("limits"), "exactly its own entries, got limits"),
    "short coefficients": (
        lambda d: d["linear"][0]["coefficients"].pop(),
        r"coefficients must have shape",
    ),
    "nested coefficients": (
        lambda d: d["linear"][0].update(coefficients=[[1.0]] * 46),
        r"coefficients must have shape",
    ),
    "text among coefficients": (
        lambda d: d["linear"][0]["coefficients"].__setitem__(0, "1"),
        "coefficients must hold numbers",
    ),
    "short covariance": (
        lambda d: d["linear"][1]["covariance"].pop(),
        "lower triangle of shape",
    ),
    "negative variance": (
        lambda d: d["linear"][1]["covariance"][0].__setitem__(0, -1.0),
        "without negative variance",
    ),
    "unknown cut-off": (
        lambda d: d["linear"][0].update(cut_point=12.0),
        "cut-off of the dictionary",
    ),
    "no main cut-off": (lambda d: d["linear"].pop(1), "served cut-offs must rise"),
    "unknown decision": (
        lambda d: d.update(decision="surgery"),
        "known to the dictionary, got 'surgery'",
    ),
    "unknown moment": (
        lambda d: d.update(moment="later"),
        "known to the dictionary, got 'later'",
    ),
    "unknown provenance": (lambda d: d.update(provenance="real"), "got 'real'"),
    "unknown predictor": (
        lambda d: d["encoder"]["predictors"].__setitem__(0, "shoe_size"),
        "known to the dictionary, got 'shoe_size'",
    ),
    "later predictor": (
        lambda d: d["encoder"]["predictors"].append("relief_1"),
        "known to the dictionary, got 'relief_1'",
    ),
    "disordered predictors": (
        lambda d: d["encoder"]["predictors"].reverse(),
        "in the order of the dictionary",
    ),
    "predictor twice": (
        lambda d: d["encoder"]["predictors"].append("age"),
        "must name everything once",
    ),
    "column of unknown predictor": (
        lambda d: d["encoder"]["columns"][0].update(predictor="shoe_size"),
        "known to the dictionary, got 'shoe_size'",
    ),
    "too many categories": (
        lambda d: d["encoder"]["columns"][1]["weights"].append(1.0),
        r"weights must have shape \(2,\)",
    ),
    "unknown transform": (
        lambda d: d["encoder"]["columns"][0].update(transform="exec"),
        "got 'exec'",
    ),
    "other transform": (
        lambda d: d["encoder"]["columns"][0].update(transform="log"),
        "transform its predictor as the dictionary does",
    ),
    "scale 0": (
        lambda d: d["encoder"]["columns"][0].update(scale=0),
        "have a scale above 0",
    ),
    "column twice": (
        lambda d: d["encoder"]["columns"][1].update(name="age"),
        "each with its own name",
    ),
    "encoder of another moment": (
        lambda d: d["encoder"].update(moment="session_1"),
        "encoder of its own decision and moment",
    ),
    "projection": (
        lambda d: d["encoder"]["projection"].pop(),
        r"projection must have shape",
    ),
    "unknown category": (
        lambda d: d["limits"]["seen"]["aetiology"].update(gout="few"),
        "known to the dictionary, got 'gout'",
    ),
    "absent category": (
        lambda d: d["limits"]["seen"]["aetiology"].pop("amputation"),
        "every category of the dictionary",
    ),
    "limits of an unknown number": (
        lambda d: d["limits"]["numbers"].update(shoe_size=[1, 2]),
        "known to the dictionary, got 'shoe_size'",
    ),
    "crossed bounds": (
        lambda d: d["limits"]["numbers"]["age"].update(usual=[90, 20]),
        "usual bounds within the widest",
    ),
    "unknown pair": (
        lambda d: d["limits"]["never_together"].append(
            ["aetiology", "gout", "pain_site", "face"]
        ),
        "known to the dictionary, got 'gout'",
    ),
    "half a pair": (
        lambda d: d["limits"]["never_together"].append(["aetiology"]),
        "pairs of two predictors",
    ),
    "unknown class": (
        lambda d: d["limits"].update(non_responders="some"),
        "got 'some'",
    ),
    "weight above 1": (
        lambda d: d["components"][0].update(weight=1.5),
        "weight must be a number from 0 to 1",
    ),
    "component too short": (
        lambda d: d["components"][0].update(mean=[0.0]),
        "have cut points and",
    ),
    "negative prior SD": (
        lambda d: d["components"][0]["prior_sd"].__setitem__(0, -1.0),
        "no negative prior SD",
    ),
    "components at one cut-off too few": (
        lambda d: d.update(cut_components=[{"components": d["components"]}]),
        "have components at each",
    ),
    "components of other columns at a cut-off": (
        lambda d: d.update(
            cut_components=[{"components": d["components"]} for _ in d["linear"]]
        ),
        "have components at each cut-off, over all coefficients",
    ),
    "negative information": (
        lambda d: d["missed"]["slopes"].update(information=-1.0),
        "information must be a number from 0",
    ),
    "negative mean variance": (
        lambda d: d.update(mean_variance=-1.0),
        "mean_variance must be a number from 0",
    ),
    "true as number": (
        lambda d: d.update(discrepancy=True),
        "discrepancy must be a number",
    ),
    "fractional count": (
        lambda d: d.update(n_patients=1.5),
        "n_patients must be a whole number",
    ),
    "pool without trees": (
        lambda d: d.update(pool={"weight": 0.5, "offset": 0, "slope": 1}),
        "have no pool when trees.json is absent",
    ),
    "c-statistic as text": (
        lambda d: d["priors"].update(implied_c_statistic="high"),
        "priors must be of its kind",
    ),
    "long name": (lambda d: d.update(name="x" * 3000), "at most 2000 characters"),
    "control characters": (
        lambda d: d.update(name="a\x1b[2Jb"),
        "must be printable text",
    ),
    "name of another model": (
        lambda d: d.update(name="another"),
        "must describe its own model",
    ),
    "more events than patients": (
        lambda d: d.update(n_events=10, n_patients=3),
        "n_events must be a number from 0 to 3",
    ),
    "a number without its column": (
        lambda d: d["encoder"]["columns"][0].update(name="years"),
        "have the columns of age",
    ),
    "a non-responder to no test": (
        lambda d: d["limits"].update(non_responders="few"),
        "where a test precedes, and nowhere else",
    ),
    "crossed distances": (
        lambda d: d["limits"].update(widest_distance=0.0),
        "widest_distance must be a number from",
    ),
    "negative variance beside a large one": (
        lambda d: d["population"]["covariance"].__setitem__(
            slice(2), [[1e12], [0.0, -1e-3]]
        ),
        "without negative variance",
    ),
    "correlation above 1 beside a large variance": (
        lambda d: d["population"]["covariance"].__setitem__(
            slice(3), [[1e12], [0.0, 1e-3], [0.0, 1.0, 1e-3]]
        ),
        "without negative variance",
    ),
    "settings as list": (lambda d: d.update(settings=[]), "settings must be a table"),
    "notes as text": (lambda d: d.update(notes="x"), "notes must be a list"),
    "note as a sentence": (
        lambda d: d.update(notes=["x"]),
        r"notes\[0\] must be a table",
    ),
    "note without a sentence": (
        lambda d: d.update(notes=[{"code": "model.borderline", "values": {}}]),
        "code must be known",
    ),
    "note that lacks a value": (
        lambda d: d.update(notes=[{"code": "development.already_in", "values": {}}]),
        "exactly its own entries, got again, n",
    ),
    "note with text for a count": (
        lambda d: d.update(
            notes=[{"code": "development.repeated_rows", "values": {"n": "<b>"}}]
        ),
        "values.n must be a whole number",
    ),
    "note on a field that is none": (
        lambda d: d.update(
            notes=[{"code": "development.same_in_all", "values": {"fields": ["x"]}}]
        ),
        "be known to the dictionary, got 'x'",
    ),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_forged_model_is_refused(folder: Path, kind: str) -> None:
    change, message = CHANGES[kind]
    change_model(folder, change)
    with pytest.raises(UntrustedModelError, match=message):
        load_model(folder)


def test_forged_implant_model_cannot_hide_its_non_responders(tmp_path: Path) -> None:
    folder = save_model(rm.published_model("emcs_success"), tmp_path / "model")
    load_model(folder)
    change_model(folder, lambda d: d["limits"].update(non_responders=None))
    with pytest.raises(UntrustedModelError, match="where a test precedes, and nowhere"):
        load_model(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p.update(columns=[]), "priors.columns must be of its kind"),
        (
            lambda p: p["columns"].update(relief_test=5),
            "columns.relief_test must be of its kind",
        ),
        (
            lambda p: p["columns"]["relief_test"].update(rows=5),
            "relief_test.rows must be of its kind",
        ),
    ],
    ids=["columns", "column", "rows"],
)
def test_forged_priors_are_refused(
    change: Callable[[dict[str, Any]], Any], message: str, tmp_path: Path
) -> None:
    """What the path to an implant says of its sources is read from them."""
    folder = save_model(rm.published_model("emcs_success"), tmp_path / "model")
    change_model(folder, lambda d: change(d["priors"]))
    with pytest.raises(UntrustedModelError, match=message):
        load_model(folder)
