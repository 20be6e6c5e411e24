"""The script that checks structure on public patients of other treatments."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "training" / "benchmarks"))
import other_treatments as ot

N = 300


@pytest.fixture(scope="module")
def acupuncture(tmp_path_factory):
    """Patients of known structure: relief at 12 months follows that at 3, r = 0.6."""
    rng = np.random.default_rng(5)
    early = rng.normal(15, 30, N).clip(-90, 95)
    final = (15 + 0.6 * (early - 15) + 0.8 * 30 * rng.normal(size=N)).clip(-90, 95)
    start = rng.uniform(10, 60, N)
    table = pd.DataFrame(
        {
            "id": range(N),
            "age": rng.normal(50, 10, N),
            "sex": rng.integers(0, 2, N),
            "migraine": rng.integers(0, 2, N),
            "chronicity": rng.integers(1, 40, N),
            "group": rng.integers(0, 2, N),
            "pk1": start,
            "pk2": start * (1 - early / 100),
            "pk5": start * (1 - final / 100),
        }
    )
    table.loc[:20, "pk5"] = np.nan
    path = tmp_path_factory.mktemp("public") / "acupuncture.csv"
    table.to_csv(path, index=False)
    return path


def test_relief_is_the_percent_by_which_pain_fell():
    found = ot.relief(pd.Series([10.0, 10.0, 4.0, 0.0]), pd.Series([5.0, 10, 40, 1]))
    assert found[:3].tolist() == [50.0, 0.0, -100.0]
    assert np.isnan(found[3])


def test_early_relief_is_measured_beside_what_is_declared(acupuncture):
    patients = ot.read_acupuncture(acupuncture)
    assert patients.final.isna().sum() == 21
    row = ot.correlations(patients).iloc[0]
    assert row["lower"] < 0.6 < row["upper"]
    found = ot.slopes(patients).set_index("predictor").loc[ot.EARLY]
    # the slope of a correlation of 0.6 per 30 points
    assert abs(found["slope"] - 0.6 / 0.8 * 1.814) < 3 * found["se"]
    assert (found["declared"], found["declared_sd"]) == (0.8, 0.45)


def test_what_is_believed_of_early_relief_helps_few_patients(acupuncture):
    found = ot.compare(ot.read_acupuncture(acupuncture), 8, 3)
    mean = found.groupby("n").mean()
    assert mean.loc[50, "early relief believed"] < mean.loc[50, "no evidence"]
    assert (mean["ridge"] > 0.3).all()


def test_back_pain_is_read_from_two_lines_a_patient(tmp_path):
    rng = np.random.default_rng(8)
    n = 120
    trait = rng.normal(size=n)
    before = pd.DataFrame(
        {
            "id": range(n),
            "time": 1,
            "group": rng.integers(1, 4, n),
            "pain_avg": rng.integers(2, 8, n),
            "promis_dep": 15 + 4 * trait + 2 * rng.normal(size=n),
            "promis_anxiety": 17 + 4 * trait + 2 * rng.normal(size=n),
            "pcs": 10 + 5 * rng.normal(size=n),
            "age": rng.integers(21, 70, n),
            "gender": rng.integers(1, 3, n),
            "backpain_length": rng.uniform(0.5, 30, n),
        }
    )
    after = before.assign(time=2, pain_avg=before["pain_avg"] * rng.uniform(0, 1.2, n))
    path = tmp_path / "back_pain.csv"
    pd.concat([before, after.iloc[5:]]).to_csv(path, index=False)
    patients = ot.read_back_pain(path)
    assert patients.early is None
    assert patients.final.isna().sum() == 5
    table = ot.correlations(patients).set_index("pair")
    assert set(table.index) == {
        "depression and anxiety",
        "depression and catastrophising",
        "anxiety and catastrophising",
    }
    row = table.loc["depression and anxiety"]
    assert row["lower"] < 0.8 < row["upper"]
    assert row["declared"] == 0.67
