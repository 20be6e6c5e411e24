"""Files that cannot be read, written or counted on while they are scored."""

from __future__ import annotations

import os

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from patience import PATIENCE
from responder_model.errors import InvalidCohortError, ResponderModelError
from responder_model.scoring import score_file
from scored import (
    N,
    cohort,
    model,
    parquet,
    small_parts,
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "at least one patient|names columns|predictor"),
        (b"age,sex\n", "at least one patient"),
        (b"age,sex\n\n\n", "at least one patient"),
        (b"\x00\x01\x02", "CSV"),
        (b"PAR1 not really", "CSV"),
        (b"PK\x03\x04 not really", "CSV"),
        (b'age,sex\n"50,female\n', "CSV"),
    ],
    ids=["nothing", "header", "blank", "binary", "parquet", "xlsx", "quotes"],
)
def test_a_file_that_holds_no_patient_is_refused(content, reason, model, tmp_path):
    path = tmp_path / "patients.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidCohortError, match=reason):
        score_file(model, path, tmp_path / "scores.csv")
    assert [found.name for found in tmp_path.iterdir()] == ["patients.csv"]


def test_a_parquet_file_without_rows_is_refused(model, cohort, tmp_path):
    path = tmp_path / "patients.parquet"
    cohort.iloc[:0].to_parquet(path)
    with pytest.raises(InvalidCohortError, match="at least one patient"):
        score_file(model, path, tmp_path / "scores.csv")


def test_the_result_must_be_a_file_that_can_be_written(model, parquet):
    with pytest.raises(ResponderModelError, match=r"end in \.parquet, \.csv, \.xlsx"):
        score_file(model, parquet, parquet.with_suffix(".txt"))
    with pytest.raises(ResponderModelError, match="existing directory"):
        score_file(model, parquet, parquet.parent / "none" / "scores.csv")
    with pytest.raises(ResponderModelError, match="another place than what is read"):
        score_file(model, parquet, parquet)


def test_the_result_must_not_be_a_folder(model, parquet):
    out, side = parquet.with_name("s.csv"), parquet.with_name("t_set_aside.csv")
    for folder in (out, side):
        folder.mkdir()
    for path in (out, parquet.with_name("t.csv")):
        with pytest.raises(
            ResponderModelError, match="must be a file, got the folder .*[st]"
        ):
            score_file(model, parquet, path)
    assert not list(parquet.parent.glob(".*.parts"))


@pytest.mark.parametrize("n_jobs", [0, -1, 1.5, None])
def test_n_jobs_must_be_a_whole_number_from_1(n_jobs, model, parquet):
    with pytest.raises(ResponderModelError, match="n_jobs must be a whole number"):
        score_file(model, parquet, parquet.with_name("scores.csv"), n_jobs=n_jobs)


@pytest.mark.timeout(PATIENCE)
@pytest.mark.parametrize("kind", ["absent", "folder", "pipe"])
def test_what_is_no_file_is_refused_at_once(kind, model, tmp_path):
    path = tmp_path / "patients.csv"
    if kind == "folder":
        path.mkdir()
    if kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(InvalidCohortError, match="CSV") as caught:
        score_file(model, path, tmp_path / "scores.csv")
    (problem,) = caught.value.problems
    assert str(problem.found).startswith(
        "no such file" if kind == "absent" else "a folder"
    )


def test_a_file_that_goes_away_while_it_is_scored_is_named(model, parquet, small_parts):
    def remove(_):
        parquet.unlink(missing_ok=True)

    out = parquet.with_name("scores.csv")
    with pytest.raises(
        ResponderModelError, match=r"patients.parquet could not be read"
    ):
        score_file(model, parquet, out, announce=remove)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize(
    "cells",
    [
        pa.array([2**31 - 1], pa.date32()),
        pa.array([0], pa.timestamp("us", tz="No/Where")),
    ],
    ids=["year 5881580", "time zone"],
)
def test_a_date_that_pandas_does_not_know_is_refused(cells, n_jobs, model, tmp_path):
    path, out = tmp_path / "patients.parquet", tmp_path / "scores.csv"
    pq.write_table(pa.table({"age": cells, "dn4": [4.0]}), path)
    with pytest.raises(InvalidCohortError, match="can be opened"):
        score_file(model, path, out, n_jobs=n_jobs)
    assert [found.name for found in tmp_path.iterdir()] == ["patients.parquet"]


def test_an_identifier_is_never_a_formula_of_the_workbook(model, tmp_path):
    path, out = tmp_path / "patients.csv", tmp_path / "scores.xlsx"
    path.write_text("patient_id,age\n=1+1,50\n#REF!,51\n-4,52\n")
    score_file(model, path, out)
    sheet = openpyxl.load_workbook(out).worksheets[0]
    cells = [sheet.cell(row, 2) for row in (2, 3)]
    # the formula was set aside
    assert [cell.value for cell in cells] == ["#REF!", "-4"]
    assert {cell.data_type for cell in cells} == {"s"}


def test_a_file_that_changes_while_it_is_scored_is_refused(model, parquet, small_parts):
    out = parquet.with_name("scores.csv")

    def touch(_):
        os.utime(parquet, ns=(1, 1))

    with pytest.raises(ResponderModelError, match="must not change"):
        score_file(model, parquet, out, announce=touch)
    assert not out.exists()


def test_progress_ends_with_the_whole_file(model, parquet, small_parts):
    told = []
    score_file(model, parquet, parquet.with_name("scores.csv"), announce=told.append)
    assert len(told) == -(-N // 16)
    assert (told[-1].done, told[-1].extent, told[-1].n_patients) == (N, N, N)
