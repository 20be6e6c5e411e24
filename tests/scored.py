"""What tests of scoring files share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import responder_model as rm
from responder_model.cohort import write_cohort
from responder_model.formats import table, text
from responder_model.scoring import file as file_module

N = 120
NUMBERS = ["probability", "lower", "upper"]


def spoil(path, change):
    """Change a Parquet file's table."""
    frame = pd.read_parquet(path)
    change(frame)
    frame.to_parquet(path, index=False)


def assert_same_scores(scores, expected):
    for name in NUMBERS:
        np.testing.assert_allclose(scores[name], expected[name], rtol=0, atol=1e-12)
    for name in ("applicability", "missing", "provenance"):
        found = scores[name].astype(object).fillna("").tolist()
        assert found == expected[name].astype(object).tolist()


def plant(frame):
    frame["sex"] = frame["sex"].astype(object)
    frame.loc[3, "age"] = 540.0
    frame.loc[3, "sex"] = "neither"
    frame.loc[90, "pain_intensity"] = 11.0
    frame.loc[50, "patient_id"] = frame.loc[7, "patient_id"]


@pytest.fixture(scope="module")
def cohort():
    return rm.simulate_cohort(n_patients=N, seed=4)


@pytest.fixture(scope="module")
def model():
    return rm.published_model("rtms_response", "session_2")


@pytest.fixture
def parquet(cohort, tmp_path):
    path = tmp_path / "patients.parquet"
    write_cohort(cohort, path)
    return path


@pytest.fixture
def small_parts(monkeypatch):
    """Parts of a few rows, so that a small file has many."""
    for module in (table, file_module):
        monkeypatch.setattr(module, "PART_ROWS", 16)
    for module in (text, file_module):
        monkeypatch.setattr(module, "BLOCK_BYTES", 2000)
