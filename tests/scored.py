"""What tests of scoring files share."""

from __future__ import annotations

import numpy as np
import pandas as pd

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
