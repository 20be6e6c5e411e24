"""The one model made from real patients is what its script makes today."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import responder_model as rm
from responder_model.artifact import load_model, read_manifest

ROOT = Path(__file__).parents[1]
REPORTS = ROOT / "reports" / "emcs_published"
# Tables are stored with four decimals.
STORED = 6e-5


@pytest.fixture(scope="module")
def built():
    path = ROOT / "training" / "develop_emcs_published.py"
    spec = importlib.util.spec_from_file_location("develop_emcs_published", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script.build()


def test_stored_model_is_the_one_that_is_made_today(built):
    made, stored = built[0], load_model(REPORTS / "model")
    for ours, theirs in zip(made.components, stored.components, strict=True):
        assert (ours.name, ours.prior_weight) == (theirs.name, theirs.prior_weight)
        np.testing.assert_allclose(ours.mean, theirs.mean, atol=1e-6)
        np.testing.assert_allclose(ours.covariance, theirs.covariance, atol=1e-6)
        assert ours.weight == pytest.approx(theirs.weight, abs=1e-6)
    for patient in ({"rtms_responder": True}, {"single_session_responder": False}):
        one, other = made.predict(patient), stored.predict(patient)
        assert one.probability == pytest.approx(other.probability, abs=1e-6)
        assert one.interval == pytest.approx(other.interval, abs=1e-6)
    assert made.limits == stored.limits
    assert made.disclosure == stored.disclosure


@pytest.mark.parametrize(
    "name", ["internal_validation", "external_validation", "predictions_by_test"]
)
def test_stored_table_is_the_one_that_is_made_today(built, name):
    stored = pd.read_csv(REPORTS / f"{name}.csv")
    assert set(stored["software"]) == {f"responder_model {rm.__version__}"}
    assert set(stored["model_digest"]) == {read_manifest(REPORTS / "model").digest}
    made = built[1][name]
    for column in made.select_dtypes("number"):
        np.testing.assert_allclose(stored[column], made[column], atol=STORED)


def test_every_table_of_reports_names_its_software():
    tables = [p for p in (ROOT / "reports").rglob("*.csv") if "cells" not in p.parts]
    assert len(tables) > 15
    for path in tables:
        made_by = pd.read_csv(path)["software"]
        assert made_by.str.startswith("responder_model ").all(), path
