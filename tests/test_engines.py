"""Dask and Spark give the numbers of one process, whatever the partitions."""

from __future__ import annotations

import os
import sys
import warnings
from importlib.util import find_spec
from shutil import which

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import responder_model as rm
from responder_model.artifact import digest_of
from responder_model.cli.app import app
from responder_model.engines import run_dask, run_spark, score_dask
from responder_model.errors import ResponderModelError
from responder_model.scoring import checked_rows, score_frame
from responder_model.validation import validate_internally

dd = pytest.importorskip("dask.dataframe", reason="needs the extra `distributed`")

N = 200
HAS_SPARK = find_spec("pyspark") is not None and which("java") is not None


@pytest.fixture(scope="module")
def cohort():
    return rm.simulate_cohort(n_patients=N, seed=8)


@pytest.fixture(scope="module")
def model():
    cohort = rm.simulate_cohort(n_patients=400, seed=3)
    model = rm.develop(cohort, "rtms_response", moment="session_2", seed=0)
    assert model.pool is not None
    return model


@pytest.fixture(scope="module")
def scheduler():
    """Address of a cluster of two processes, which the tests that name it share."""
    from dask.distributed import LocalCluster

    with (
        warnings.catch_warnings(action="ignore", category=ResourceWarning),
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
    ):
        yield cluster.scheduler_address


@pytest.fixture
def registry(cohort, tmp_path):
    """A Parquet file of four row groups, in which two rows are to be refused."""
    frame = cohort.copy()
    frame["sex"] = frame["sex"].astype(object)
    frame.loc[3, "age"] = 540.0
    frame.loc[110, "sex"] = "neither"
    frame.assign(provenance="simulated").to_parquet(
        tmp_path / "registry.parquet", index=False, row_group_size=50
    )
    return tmp_path / "registry.parquet"


def assert_every_number_agrees(scores, model, cohort):
    """Every number of the kept rows, and none of the refused ones."""
    expected = model.predict_cohort(cohort)
    contributions = model.contributions_cohort(cohort).add_prefix("contribution_")
    expected = expected.join(contributions).assign(baseline=model.baseline)
    numbers = expected.select_dtypes("number").columns
    assert set(numbers) <= set(scores.columns)
    scores = scores.set_index("patient_id").loc[cohort["patient_id"]]
    refused = np.isin(np.arange(N), [3, 110])
    for name in numbers:
        found, due = scores[name].to_numpy(), expected[name].to_numpy()
        assert np.isnan(found[refused]).all()
        np.testing.assert_allclose(found[~refused], due[~refused], rtol=0, atol=1e-12)
    told = scores["problem"].dropna().tolist()
    assert told == [
        "Age must be between 18 and 100 years",
        "Sex must be one of female, male",
    ]
    assert set(scores["provenance"]) == {"simulated"}
    assert set(scores["model_digest"]) == {digest_of(model)}


# ---------------------------------------------------------------- one frame


def test_score_frame_gives_the_table_of_predict_cohort(model, cohort):
    scores = score_frame(model, cohort.set_axis(range(5, N + 5)))
    expected = model.predict_cohort(cohort)
    assert set(scores.pop("model_digest")) == {digest_of(model)}
    assert list(scores.columns) == ["patient_id", *expected.columns, "problem"]
    assert scores.index.tolist() == list(range(5, N + 5))
    for name in expected.columns:
        assert scores[name].tolist() == expected[name].tolist()
    assert scores["problem"].isna().all()


def test_score_frame_keeps_a_refused_row_without_scores(model):
    scores = score_frame(model, pd.DataFrame({"age": [54, 540], "dn4": [4, 40]}))
    assert scores["probability"].notna().tolist() == [True, False]
    assert scores["applicability"].notna().tolist() == [True, False]
    told = scores["problem"].tolist()[1]
    assert told.startswith("Age must be between 18 and 100 years; DN4 score")


def test_checked_rows_quote_no_value(model):
    checked = checked_rows(model.encoder, pd.DataFrame({"age": ["a secret"]}))
    assert "secret" not in checked["problem"].tolist()[0]


def test_checked_rows_are_what_a_served_model_takes():
    model = rm.published_model("emcs_success")
    frame = pd.DataFrame(
        {
            "Âge [ans]": ["54,5", "540", "ND"],
            "aetiology": ["amputation", "amputation", None],
            "relief_test": [60, 60, 10],
        },
        index=[7, 3, 5],
    )
    checked = checked_rows(model.encoder, frame)
    assert list(checked.columns) == [*model.encoder.predictors, "problem"]
    assert checked.index.tolist() == [7, 3, 5]
    assert checked["age"].fillna(0).tolist() == [54.5, 0, 0]
    assert checked["aetiology"].tolist() == ["amputation", None, None]
    assert checked["relief_test"].fillna(0).tolist() == [60, 0, 10]
    assert checked["problem"].isna().tolist() == [True, False, True]


def test_score_frame_of_no_rows_keeps_the_types(model):
    """Dask asks for them with a column of no chunks."""
    texts = pd.arrays.ArrowStringArray(pa.chunked_array([], pa.string()))
    empty = score_frame(model, pd.DataFrame({"patient_id": texts, "age": texts}))
    scores = score_frame(model, pd.DataFrame({"patient_id": ["P1"], "age": ["54"]}))
    assert empty.dtypes.tolist() == scores.dtypes.tolist()


# ---------------------------------------------------------------- Dask


def test_score_dask_does_not_depend_on_the_partitions(model, cohort):
    whole = score_frame(model, cohort, contributions=True)
    for n_partitions in (1, 3, 7):
        patients = dd.from_pandas(cohort, npartitions=n_partitions)
        scored = score_dask(model, patients, contributions=True)
        scores = scored.compute(scheduler="sync")
        assert list(scored.columns) == list(whole.columns)
        numbers = whole.select_dtypes("number").columns
        np.testing.assert_allclose(scores[numbers], whole[numbers], rtol=0, atol=1e-12)


def test_one_simulated_partition_makes_every_score_simulated(model, cohort):
    frame = cohort.assign(provenance=None, dn4=4.0)
    frame.loc[N - 1, "provenance"] = "simulated"
    published = rm.published_model("rtms_response", "screening")
    scored = score_dask(published, dd.from_pandas(frame, npartitions=4))
    assert set(scored.compute(scheduler="sync")["provenance"]) == {"simulated"}
    without = frame.drop(columns="provenance")
    scored = score_dask(published, dd.from_pandas(without, npartitions=4))
    assert set(scored.compute(scheduler="sync")["provenance"]) == {"published"}


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_two_dask_workers_give_every_number_of_one_process(
    model, cohort, registry, tmp_path
):
    out = tmp_path / "scores"
    run_dask(model, str(registry), str(out), n_workers=2, contributions=True)
    assert len(list(out.glob("*.parquet"))) == 4
    assert_every_number_agrees(pd.read_parquet(out), model, cohort)


@pytest.fixture
def texts(tmp_path):
    """A registry in which all is text, with French words and decimal commas."""
    rows = {
        "patient_id": ["a", "b", "c", "d"],
        "Âge [ans]": ["54,5", "ND", "a secret", "60"],
        "aetiology": ["AVC ischémique", "amputation", None, "amputation"],
        "opioid": ["oui", "O", "1", "non"],
        "relief_1": ["30 %", "-10", "", None],
    }
    table = pa.table({name: pa.array(cells) for name, cells in rows.items()})
    pq.write_table(table, tmp_path / "texts.parquet", row_group_size=2)
    return tmp_path / "texts.parquet"


def assert_texts_are_read(out, model, texts):
    scores = pd.read_parquet(out).set_index("patient_id").sort_index()
    expected = score_frame(model, pd.read_parquet(texts)).set_index("patient_id")
    assert scores["probability"].notna().tolist() == [True, True, False, True]
    names = ["probability", "lower", "upper"]
    np.testing.assert_allclose(scores[names], expected[names], rtol=0, atol=1e-12)
    assert scores.loc["c", "problem"] == "Age must be between 18 and 100 years"


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_dask_reads_texts_as_the_package_does(model, texts, tmp_path, scheduler):
    out = str(tmp_path / "scores")
    run_dask(model, str(texts), out, scheduler=scheduler)
    (tmp_path / "scores" / "part.7.parquet").write_bytes(b"of an earlier job")
    run_dask(model, str(texts), out, scheduler=scheduler, overwrite=True)
    assert_texts_are_read(tmp_path / "scores", model, texts)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", ["absent.parquet", "not.parquet"])
def test_what_dask_cannot_read_is_refused_in_our_words(
    name, model, tmp_path, scheduler
):
    (tmp_path / "not.parquet").write_text("patient_id,age\na secret,50\n")
    with pytest.raises(ResponderModelError, match="must be Parquet") as caught:
        run_dask(
            model, str(tmp_path / name), str(tmp_path / "scores"), scheduler=scheduler
        )
    assert "secret" not in str(caught.value)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_same_call_runs_on_a_dask_cluster(cohort, scheduler):
    from dask.distributed import Client

    settings = rm.Settings(
        decision="rtms_response", moment="screening", challenger=False
    )
    alone = validate_internally(settings, cohort, n_resamples=8)
    with Client(scheduler), joblib.parallel_config(backend="dask"):
        spread = validate_internally(settings, cohort, n_resamples=8, n_jobs=2)
    pd.testing.assert_frame_equal(alone.table, spread.table)


def test_a_job_refuses_a_folder_that_exists(model, registry, tmp_path):
    with pytest.raises(ResponderModelError, match="another folder than what is read"):
        run_dask(model, str(registry), str(tmp_path), overwrite=True)
    out = tmp_path / "scores"
    out.mkdir()
    (out / "part.0.parquet").write_bytes(b"an earlier job's")
    with pytest.raises(ResponderModelError, match=r"must be a new folder.*--overwrite"):
        run_dask(model, str(registry), str(out))
    (out / "notes.txt").write_text("mine")
    with pytest.raises(ResponderModelError, match="scores and nothing else"):
        run_dask(model, str(registry), str(out), overwrite=True)
    assert (out / "part.0.parquet").read_bytes() == b"an earlier job's"


@pytest.mark.parametrize("engine", [run_dask, run_spark])
@pytest.mark.parametrize("name", ["absent", "*.parquet"])
def test_nothing_is_started_for_a_source_that_is_not_there(
    model, engine, name, tmp_path, monkeypatch
):
    for library in ("dask.distributed", "pyspark"):
        monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ResponderModelError, match=r"must be Parquet .* no such file"):
        engine(model, str(tmp_path / name), str(tmp_path / "scores"))


# ---------------------------------------------------------------- Spark


def test_without_spark_the_remedy_is_told(model, registry, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(ResponderModelError, match=r"responder-model\[spark\]"):
        run_spark(model, str(registry), str(tmp_path / "scores"))


@pytest.mark.long
@pytest.mark.skipif(not HAS_SPARK, reason="needs the extra `spark` and Java 17")
@pytest.mark.filterwarnings("ignore")
def test_two_spark_workers_give_every_number_of_one_process(
    model, cohort, registry, tmp_path, monkeypatch
):
    monkeypatch.setitem(os.environ, "PYSPARK_PYTHON", sys.executable)
    out = tmp_path / "scores"
    run_spark(model, str(registry), str(out), master="local[2]")
    assert_every_number_agrees(pd.read_parquet(out), model, cohort)


@pytest.mark.long
@pytest.mark.skipif(not HAS_SPARK, reason="needs the extra `spark` and Java 17")
@pytest.mark.filterwarnings("ignore")
def test_spark_reads_texts_as_the_package_does(model, texts, tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, "PYSPARK_PYTHON", sys.executable)
    run_spark(model, str(texts), str(tmp_path / "scores"))
    assert_texts_are_read(tmp_path / "scores", model, texts)


@pytest.mark.long
@pytest.mark.skipif(not HAS_SPARK, reason="needs the extra `spark` and Java 17")
@pytest.mark.filterwarnings("ignore")
def test_what_spark_cannot_read_is_refused_in_our_words(model, tmp_path):
    with pytest.raises(ResponderModelError, match=r"PATH_NOT_FOUND.*must be Parquet"):
        run_spark(model, str(tmp_path / "{absent}"), str(tmp_path / "scores"))


@pytest.mark.parametrize("command", ["score-dask", "score-spark"])
def test_a_command_says_what_it_needs(command):
    done = CliRunner().invoke(app, [command, "--help"])
    assert done.exit_code == 0
    assert "Needs the extra" in done.stdout
