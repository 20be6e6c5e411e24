"""Files of any size: the numbers of `predict`, resumed, whole or not at all."""

from __future__ import annotations

import csv
import errno
import json
import os
import random
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import responder_model as rm
from in_words import said
from patience import PATIENCE
from responder_model.artifact import digest_of
from responder_model.cohort import inspect_file, map_from, write_cohort
from responder_model.errors import InvalidCohortError, ResponderModelError
from responder_model.formats import table, text
from responder_model.formats.judging import judged
from responder_model.labels import label_of
from responder_model.outputs import RECORD
from responder_model.scoring import file as file_module
from responder_model.scoring import score_file, score_frame
from responder_model.scoring.assembly import repeated_places
from responder_model.scoring.columns import choose_columns

N = 120
NUMBERS = ["probability", "lower", "upper"]


@pytest.fixture(scope="module")
def cohort():
    return rm.simulate_cohort(n_patients=N, seed=4)


@pytest.fixture(scope="module")
def model():
    return rm.published_model("rtms_response", "session_2")


@pytest.fixture(scope="module")
def pooled():
    """A developed model in which the trees have weight."""
    cohort = rm.simulate_cohort(n_patients=400, seed=3)
    model = rm.develop(cohort, "rtms_response", moment="session_2", seed=0)
    assert model.pool is not None
    return model


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


# ---------------------------------------------------------------- the numbers


def test_score_file_gives_the_numbers_of_predict_one_by_one(
    model, pooled, cohort, parquet, tmp_path
):
    for fitted, tolerance in ((model, 1e-12), (pooled, 1e-6)):
        out = tmp_path / f"scores_{tolerance}.parquet"
        score_file(fitted, parquet, out, contributions=True)
        scores = pd.read_parquet(out)
        used = [name for name in fitted.encoder.predictors if name in cohort]
        for k in range(0, N, 6):
            values = cohort.iloc[k][used].dropna().to_dict()
            one, row = fitted.predict(values), scores.iloc[k]
            lower, upper = one.interval
            given = [one.probability, lower, upper, *one.probabilities.values()]
            given += [one.baseline, *one.contributions.values()]
            names = [*NUMBERS, *(f"probability_{c}" for c in one.probabilities)]
            names += ["baseline", *(f"contribution_{n}" for n in one.contributions)]
            np.testing.assert_allclose(
                row[names].to_numpy(dtype=float), given, rtol=0, atol=tolerance
            )
            assert row["applicability"] == one.applicability.level
            assert row["missing"] == " ".join(one.missing)


def test_score_file_gives_the_numbers_of_predict_cohort_for_emcs(tmp_path):
    model = rm.published_model("emcs_success")
    cohort = rm.simulate_cohort(n_patients=N, seed=5)
    path, out = tmp_path / "patients.parquet", tmp_path / "scores.parquet"
    write_cohort(cohort, path)
    score_file(model, path, out)
    assert_same_scores(pd.read_parquet(out), model.predict_cohort(cohort))


def test_score_file_writes_the_columns_of_predict_cohort(model, cohort, parquet):
    out = parquet.with_name("scores.parquet")
    score_file(model, parquet, out)
    columns = list(model.predict_cohort(cohort).columns)
    columns.insert(columns.index("provenance") + 1, "model_digest")
    assert list(pd.read_parquet(out).columns) == ["row", "patient_id", *columns]


READERS = {".csv": pd.read_csv, ".parquet": pd.read_parquet, ".xlsx": pd.read_excel}


@pytest.mark.parametrize(("ending", "read"), READERS.items(), ids=READERS.keys())
def test_every_score_says_which_model_gave_it(ending, read, model, parquet):
    other = rm.published_model(
        model.decision, model.moment, exclude_evidence=["saint_etienne"]
    )
    found = []
    for k, fitted in enumerate((model, other)):
        out = parquet.with_name(f"scores_{k}{ending}")
        score_file(fitted, parquet, out)
        found.append(set(read(out)["model_digest"]))
    assert found == [{digest_of(model)}, {digest_of(other)}]
    assert digest_of(model) != digest_of(other)


def test_score_file_is_the_same_in_one_part_and_in_many(
    model, cohort, parquet, small_parts
):
    out = parquet.with_name("scores.parquet")
    scored = score_file(model, parquet, out)
    assert_same_scores(pd.read_parquet(out), model.predict_cohort(cohort))
    assert scored.n_patients == N


def test_score_file_reads_parquet_in_groups_of_any_size(
    model, cohort, tmp_path, small_parts
):
    path, out = tmp_path / "patients.parquet", tmp_path / "scores.parquet"
    for size in (1, 7, 50, 1000):
        cohort.assign(provenance="simulated").to_parquet(path, row_group_size=size)
        score_file(model, path, out)
        assert_same_scores(pd.read_parquet(out), model.predict_cohort(cohort))


def _write_quoted(cohort, path):
    cohort.assign(provenance="simulated").to_csv(path, index=False, quoting=1)


def _write_latin(cohort, path):
    write_cohort(cohort, path, lang="fr")
    path.write_bytes(path.read_text("utf-8-sig").encode("cp1252"))


def _write_utf16(cohort, path):
    write_cohort(cohort, path, lang="fr")
    path.write_text(path.read_text("utf-8-sig"), encoding="utf-16")


def _write_tabs(cohort, path):
    cohort.assign(provenance="simulated").to_csv(path, index=False, sep="\t")


def _write_note(cohort, path):
    write_cohort(cohort, path, lang="fr")
    path.write_text("sep=;\r\n\r\n" + path.read_text("utf-8-sig"), encoding="utf-8")


def _write_windows(cohort, path):
    write_cohort(cohort, path, lang="fr")
    path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


WRITERS = {
    "comma": write_cohort,
    "quoted": _write_quoted,
    "french": lambda cohort, path: write_cohort(cohort, path, lang="fr"),
    "latin-1": _write_latin,
    "utf-16": _write_utf16,
    "tab": _write_tabs,
    "sep=;": _write_note,
    "windows": _write_windows,
}


@pytest.mark.parametrize("kind", WRITERS)
def test_score_file_reads_text_as_centres_write_it(
    kind, model, cohort, tmp_path, small_parts
):
    path, out = tmp_path / "patients.csv", tmp_path / "scores.csv"
    WRITERS[kind](cohort, path)
    score_file(model, path, out)
    assert_same_scores(pd.read_csv(out), model.predict_cohort(cohort))


def test_score_file_reads_and_writes_workbooks(model, cohort, tmp_path):
    path, out = tmp_path / "patients.xlsx", tmp_path / "scores.xlsx"
    write_cohort(cohort, path, lang="fr")
    score_file(model, path, out)
    assert_same_scores(pd.read_excel(out), model.predict_cohort(cohort))


def test_score_file_quotes_only_what_needs_it(model, tmp_path):
    path, out = tmp_path / "patients.csv", tmp_path / "scores.csv"
    path.write_text('patient_id,age\n"a, b",50\n')
    score_file(model, path, out)
    assert pd.read_csv(out)["patient_id"].tolist() == ["a, b"]
    path.write_text("patient_id,age\nab,50\n")
    score_file(model, path, out)
    assert '"' not in out.read_text()


LINES = st.lists(
    st.lists(
        st.sampled_from(["54", "", "é", "x y", '"x;y"', '"a""b"', 'a"b', "\xa0", '""'])
        | st.text(alphabet='5;"é \t\r\n', max_size=4),
        min_size=1,
        max_size=3,
    ).map(";".join),
    max_size=8,
)


@settings(deadline=None, max_examples=150)
@given(LINES, st.sampled_from(["utf-8", "utf-8-sig", "cp1252"]), st.booleans())
def test_blocks_of_text_give_the_table_and_problems_of_the_cohort_reader(
    tmp_path_factory, lines, encoding, last
):
    path = tmp_path_factory.getbasetemp() / "lines.csv"
    written = "\n".join(["age;sex", *lines]) + "\n" * last
    path.write_bytes(written.encode(encoding))
    source = text.open_text(path)
    if source.unit == "bytes":
        layout = text.text_layout(path)
        by_line = partial(text.line_parts, path, layout)
        lines = judged(replace(source, parts=by_line)).read()
        assert _joined(source.read()) == _joined(lines)


def _joined(parts):
    rows, problems = [], []
    try:
        for part in parts:
            table = part.table()
            cells = table.cells.fillna("").itertuples(index=False, name=None)
            rows += zip(table.rows.tolist(), cells, strict=True)
            problems += table.problems
    except (InvalidCohortError, csv.Error):
        return "refused"
    return rows, problems


# ---------------------------------------------------------------- columns


def test_columns_of_a_later_moment_are_left_unused_and_listed(model, parquet):
    def later(frame):
        frame["relief_test"] = 999.0
        frame["relief_3"] = "unreadable"

    spoil(parquet, later)
    scored = score_file(model, parquet, parquet.with_name("scores.parquet"))
    assert scored.n_patients == N
    assert {"relief_3", "relief_test"} <= set(scored.unused_columns)


def test_unknown_columns_are_told_with_the_nearest_name(model, parquet):
    spoil(parquet, lambda frame: frame.insert(0, "agee", 1))
    scored = score_file(model, parquet, parquet.with_name("scores.csv"))
    assert "'agee'" in said(scored.notices)[0]
    assert "nearest known name: Age" in said(scored.notices)[0]


def test_a_file_without_a_predictor_is_refused(model, tmp_path):
    path = tmp_path / "patients.csv"
    path.write_text("patient_id,relief_test\na,30\n")
    with pytest.raises(InvalidCohortError, match="predictor of Response to four"):
        score_file(model, path, tmp_path / "scores.csv")


def test_a_predictor_twice_is_refused(model):
    with pytest.raises(InvalidCohortError, match="in one column only"):
        choose_columns(model.encoder, ("age", "Age"))


# ---------------------------------------------------------------- rows set aside


def plant(frame):
    frame["sex"] = frame["sex"].astype(object)
    frame.loc[3, "age"] = 540.0
    frame.loc[3, "sex"] = "neither"
    frame.loc[90, "pain_intensity"] = 11.0
    frame.loc[50, "patient_id"] = frame.loc[7, "patient_id"]


@pytest.mark.parametrize("kind", [".parquet", ".csv"])
def test_rows_with_problems_are_set_aside_and_the_rest_is_scored(
    kind, model, cohort, tmp_path, small_parts
):
    path = tmp_path / f"patients{kind}"
    frame = cohort.copy()
    plant(frame)
    write = frame.to_csv if kind == ".csv" else frame.to_parquet
    write(path, index=False)
    scored = score_file(model, path, tmp_path / "scores.parquet")
    aside = pd.read_csv(tmp_path / "scores_set_aside.csv")
    assert scored.set_aside == tmp_path / "scores_set_aside.csv"
    assert (scored.n_patients, scored.n_set_aside, scored.n_problems) == (N - 3, 3, 4)
    assert aside["row"].tolist() == [5, 5, 52, 92]
    told = [label_of(name) for name in ("age", "sex", "patient_id", "pain_intensity")]
    assert aside["column"].tolist() == told
    assert aside["found"].tolist()[1] == "neither"
    assert aside["reason"].tolist()[0] == "must be between 18 and 100 years"
    scores = pd.read_parquet(tmp_path / "scores.parquet").set_index("row")
    kept = cohort.set_axis(range(2, N + 2)).drop(index=[5, 52, 92])
    assert_same_scores(scores, model.predict_cohort(kept))
    assert scores.index.tolist() == kept.index.tolist()


def test_problems_are_those_that_check_lists(model, cohort, tmp_path, small_parts):
    path = tmp_path / "patients.csv"
    frame = cohort[["patient_id", "age", "sex", "aetiology", "lesion_type"]].copy()
    frame["age"] = frame["age"].astype(object)
    frame.loc[[4, 30], "age"] = "young"
    frame["lesion_type"] = "central"
    frame.loc[60:, "patient_id"] = "the same"
    frame.to_csv(path, index=False)
    path.write_text(path.read_text() + "too,short\n\n" + "x,54,,,\n")
    score_file(model, path, tmp_path / "scores.csv")
    aside = pd.read_csv(tmp_path / "scores_set_aside.csv")
    expected, _ = inspect_file(path)
    listed = sorted((p.row, p.name(), str(p.found)) for p in expected.problems)
    found = aside[["row", "column", "found"]].itertuples(index=False, name=None)
    assert sorted(found) == listed


def test_strict_refuses_any_problem_and_writes_nothing(model, parquet):
    spoil(parquet, plant)
    before = sorted(parquet.parent.iterdir())
    with pytest.raises(InvalidCohortError, match="4 problems") as caught:
        score_file(model, parquet, parquet.with_name("scores.csv"), strict=True)
    assert [p.row for p in caught.value.problems] == [5, 5, 52, 92]
    assert sorted(parquet.parent.iterdir()) == before


def test_an_error_of_very_many_problems_carries_the_first(model, tmp_path):
    path = tmp_path / "patients.csv"
    path.write_text("age\n50\n" + "500\n" * 1500)
    with pytest.raises(InvalidCohortError, match="problems") as caught:
        score_file(model, path, tmp_path / "scores.csv", strict=True)
    assert len(caught.value.problems) == 1001
    assert str(caught.value.problems[-1].found) == "500 more problems"


def test_a_file_in_which_no_row_can_be_scored_is_refused(model, tmp_path):
    path = tmp_path / "patients.csv"
    path.write_text("age\n500\n501\n")
    with pytest.raises(InvalidCohortError, match="2 problems"):
        score_file(model, path, tmp_path / "scores.csv")
    assert [found.name for found in tmp_path.iterdir()] == ["patients.csv"]


@pytest.mark.parametrize("rest", ["age,weather\n500,1\n", 'age,weather\n"50"x,1\n'])
def test_a_refused_file_tells_its_unknown_columns_too(rest, model, tmp_path):
    path = tmp_path / "patients.csv"
    path.write_text(rest)
    with pytest.raises(InvalidCohortError) as caught:
        score_file(model, path, tmp_path / "scores.csv", n_jobs=2)
    assert "'weather'" in said(caught.value.notices)[0]


def test_a_heading_in_doubt_is_asked_about_before_anything_is_scored(model, tmp_path):
    path = tmp_path / "patients.csv"
    path.write_text("age,aetiolgy\n50,amputation\n")
    with pytest.raises(InvalidCohortError, match="1 open question: Aetiology"):
        score_file(model, path, tmp_path / "scores.csv")
    how = map_from({"columns": {"aetiolgy": "aetiology"}})
    scored = score_file(model, path, tmp_path / "scores.csv", how=how)
    assert scored.n_patients == 1


def test_fractions_are_asked_about_before_anything_is_scored(model, parquet, tmp_path):
    def divide(frame):
        frame["relief_1"] = frame["relief_1"] / 100

    whole = score_file(model, parquet, tmp_path / "whole.parquet").path
    spoil(parquet, divide)
    with pytest.raises(InvalidCohortError, match="question: Relief after session 1"):
        score_file(model, parquet, tmp_path / "scores.parquet")
    how = map_from({"units": {"relief_1": "fraction"}})
    same = score_file(model, parquet, tmp_path / "scores.parquet", how=how).path
    expected, found = (pd.read_parquet(p)["probability"] for p in (whole, same))
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_fraction_among_percentages_refuses_its_row_of_a_frame(model):
    scores = score_frame(model, pd.DataFrame({"relief_1": [30, 0.3], "age": [54, 60]}))
    assert "Relief after session 1 must be a percentage" in scores["problem"][1]
    assert pd.isna(scores["probability"][1])
    assert pd.isna(scores["problem"][0])


def test_a_side_file_of_an_earlier_run_does_not_outlive_it(model, parquet):
    out, side = (parquet.with_name(n) for n in ("s.csv", "s_set_aside.csv"))
    whole = parquet.read_bytes()
    spoil(parquet, plant)
    score_file(model, parquet, out)
    assert side.exists()
    parquet.write_bytes(whole)
    score_file(model, parquet, out)
    assert not side.exists()


def test_repeated_identifiers_are_found_over_several_passes(
    model, cohort, parquet, monkeypatch, small_parts
):
    from responder_model.scoring import assembly

    monkeypatch.setattr(assembly, "_COMPARED", 10)
    found = []
    original = assembly.repeated_places

    def spy(paths):
        found.append(original(paths))
        return found[-1]

    monkeypatch.setattr(assembly, "repeated_places", spy)
    again = [20, 21, 80, 119]
    spoil(parquet, lambda frame: frame.loc.__setitem__((again, "patient_id"), "P"))
    scored = score_file(model, parquet, parquet.with_name("scores.csv"))
    assert found[0].tolist() == again[1:]
    assert scored.n_set_aside == 3
    assert repeated_places([]).tolist() == []


# ---------------------------------------------------------------- provenance


def test_one_simulated_row_makes_every_score_simulated(model, parquet, small_parts):
    def last_only(frame):
        frame["provenance"] = None
        frame.loc[N - 1, "provenance"] = "simulated"

    spoil(parquet, last_only)
    out = parquet.with_name("scores.parquet")
    assert score_file(model, parquet, out).provenance == "simulated"
    assert set(pd.read_parquet(out)["provenance"]) == {"simulated"}
    meta = json.loads(pq.read_schema(out).metadata[b"responder_model"])
    assert (meta["provenance"], meta["target"]) == ("simulated", model.target)
    assert meta["model_digest"] == digest_of(model)


def test_real_rows_keep_the_provenance_of_the_model(model, parquet):
    spoil(parquet, lambda frame: frame.pop("provenance"))
    out = parquet.with_name("scores.csv")
    assert score_file(model, parquet, out).provenance == "published"
    assert set(pd.read_csv(out)["provenance"]) == {"published"}


# ---------------------------------------------------------------- files


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


@pytest.mark.parametrize("kind", [".csv", ".parquet", ".xlsx"])
@pytest.mark.parametrize("source", ["parquet", "csv"])
def test_score_file_writes_the_same_bytes_with_any_number_of_threads(
    source, kind, pooled, cohort, tmp_path, small_parts
):
    path, frame = tmp_path / f"patients.{source}", cohort.copy()
    plant(frame)
    write_cohort(frame, path)
    written = []
    for n_jobs in (1, 2, 5):
        out = tmp_path / f"scores_{n_jobs}{kind}"
        score_file(pooled, path, out, contributions=True, n_jobs=n_jobs)
        side = out.with_name(f"{out.stem}_set_aside.csv").read_bytes()
        read = pd.read_excel(out).to_csv() if kind == ".xlsx" else out.read_bytes()
        written.append((read, side))
    assert written[0] == written[1] == written[2]


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


# ---------------------------------------------------------------- interruptions


class StoppedError(Exception):
    """What stands for an interruption inside this process."""


def stop_after(n_parts):
    told = []

    def announce(progress):
        told.append(progress)
        if len(told) == n_parts:
            raise StoppedError

    return announce


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_an_interrupted_run_goes_on_where_it_was(
    kind, model, cohort, tmp_path, small_parts
):
    path, out = tmp_path / f"patients.{kind}", tmp_path / "scores.csv"
    write_cohort(cohort, path)
    with pytest.raises(StoppedError):
        score_file(model, path, out, announce=stop_after(3))
    assert not out.exists()
    told = []
    scored = score_file(model, path, out, announce=told.append)
    assert scored.n_resumed == 3
    assert told[-1].n_patients < N
    assert_same_scores(pd.read_csv(out), model.predict_cohort(cohort))
    assert sorted(f.name for f in tmp_path.iterdir()) == [RECORD, path.name, out.name]


@pytest.mark.parametrize("change", ["input", "model", "options"])
def test_parts_of_another_run_are_not_gone_on_with(
    change, model, cohort, parquet, small_parts
):
    out = parquet.with_name("scores.csv")
    with pytest.raises(StoppedError):
        score_file(model, parquet, out, announce=stop_after(3))
    if change == "input":
        spoil(parquet, lambda frame: frame.loc.__setitem__((0, "age"), 51.0))
    if change == "model":
        model = rm.published_model("rtms_response", "session_1")
    scored = score_file(model, parquet, out, contributions=change == "options")
    assert scored.n_resumed == 0
    assert scored.n_patients == N


def test_a_folder_among_the_parts_of_another_version_is_thrown_away(model, parquet):
    out = parquet.with_name("scores.csv")
    (parquet.parent / ".scores.csv.parts" / "model").mkdir(parents=True)
    assert score_file(model, parquet, out).n_patients == N


@contextmanager
def limited_file_size():
    """Give a function that makes the disk take no more; then as before."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        yield lambda _: resource.setrlimit(resource.RLIMIT_FSIZE, (99, limits[1]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("n_jobs", [1, 3])
def test_a_disk_that_takes_no_more_is_named_and_the_run_goes_on(
    n_jobs, model, cohort, parquet, small_parts
):
    out = parquet.with_name("scores.csv")
    with (
        pytest.raises(ResponderModelError, match=r"scores.csv could not be written"),
        limited_file_size() as full,
    ):
        score_file(model, parquet, out, n_jobs=n_jobs, announce=full)
    assert score_file(model, parquet, out).n_resumed >= 1
    assert_same_scores(pd.read_csv(out), model.predict_cohort(cohort))


def test_a_damaged_part_is_scored_again(model, cohort, parquet, small_parts):
    out = parquet.with_name("scores.csv")
    with pytest.raises(StoppedError):
        score_file(model, parquet, out, announce=stop_after(3))
    part = sorted(parquet.parent.glob(".scores.csv.parts/*.arrow"))[1]
    part.write_bytes(part.read_bytes()[:100])
    assert score_file(model, parquet, out).n_resumed == 2
    assert_same_scores(pd.read_csv(out), model.predict_cohort(cohort))


def test_an_older_result_stays_until_the_new_one_is_whole(model, parquet, small_parts):
    out = parquet.with_name("scores.csv")
    score_file(model, parquet, out)
    older = out.read_bytes()
    spoil(parquet, lambda frame: frame.loc.__setitem__((0, "age"), 51.0))
    with pytest.raises(StoppedError):
        score_file(model, parquet, out, announce=stop_after(3))
    assert out.read_bytes() == older
    assert score_file(model, parquet, out).n_resumed == 3
    assert out.read_bytes() != older


def test_two_runs_do_not_write_the_same_result(model, parquet, small_parts):
    out = parquet.with_name("scores.csv")

    def second(_):
        score_file(model, parquet, out)

    with pytest.raises(ResponderModelError, match="written by another process"):
        score_file(model, parquet, out, announce=second)


def test_a_disk_without_locks_is_written_all_the_same(model, parquet, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_):
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert score_file(model, parquet, parquet.with_name("s.csv")).n_patients == N


# ---------------------------------------------------------------- real processes

COMMAND = (str(Path(sys.executable).with_name("responder-model")), "score")


@pytest.fixture(scope="module")
def long_file(tmp_path_factory, cohort):
    """Enough rows for several processes and some seconds."""
    path = tmp_path_factory.mktemp("long") / "patients.parquet"
    repeated = cohort.assign(provenance="simulated").iloc[np.arange(300_000) % N]
    repeated = repeated.assign(patient_id=[f"P{k}" for k in range(len(repeated))])
    repeated.to_parquet(path, index=False)
    return path


def start(path, out, *more):
    arguments = ["rtms_response@session_2", str(path), "--out", str(out), "--jobs", "2"]
    return subprocess.Popen(
        [*COMMAND, *arguments, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def kill_and_resume(model, path, out, n_kills, seed):
    """Kill a run at random moments, then let it end; return how much was resumed."""
    rng = random.Random(seed)
    parts = out.with_name(f".{out.name}.parts")
    for _ in range(n_kills):
        n_before = len(list(parts.glob("*.arrow")))
        running = start(path, out)
        wait_for(
            lambda n=n_before, run=running: (
                len(list(parts.glob("*.arrow"))) > n or run.poll() is not None
            )
        )
        time.sleep(rng.uniform(0.0, 0.5))
        running.kill()
        running.communicate()
        if running.returncode == 0:
            return None
        if out.exists():  # killed after it had put the whole result in place
            rows = pq.read_metadata(path).num_rows
            assert pq.read_metadata(out).num_rows == rows
            score_file(model, path, out)
            return None
    return score_file(model, path, out)


def test_a_killed_run_leaves_nothing_and_goes_on(model, long_file, cohort, tmp_path):
    out = tmp_path / "scores.parquet"
    scored = kill_and_resume(model, long_file, out, n_kills=2, seed=1)
    assert scored is None or scored.n_resumed > 0
    scores = pd.read_parquet(out)
    assert scores["row"].tolist() == list(range(2, 300_002))
    expected = model.predict_cohort(cohort)["probability"].to_numpy()
    np.testing.assert_allclose(
        scores["probability"], expected[np.arange(300_000) % N], rtol=0, atol=1e-12
    )
    assert {found.name for found in tmp_path.iterdir()} == {"scores.parquet", RECORD}


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
def test_runs_killed_again_and_again_go_on(seed, model, long_file, tmp_path):
    out = tmp_path / "scores.parquet"
    kill_and_resume(model, long_file, out, n_kills=3, seed=seed)
    scores = pd.read_parquet(out)
    assert scores["row"].tolist() == list(range(2, 300_002))
    assert scores["patient_id"].is_unique


MEMORY = """
import sys, threading, time
import responder_model as rm
from responder_model.scoring import score_file
from pathlib import Path

highest = [0]
def watch():
    while True:
        text = Path("/proc/self/smaps_rollup").read_text()
        highest[0] = max(highest[0], int(text.split("Pss:")[1].split()[0]) * 1024)
        time.sleep(0.1)

if __name__ == "__main__":
    model = rm.published_model("rtms_response", "session_2")
    out = sys.argv[3]
    threading.Thread(target=watch, daemon=True).start()
    score_file(model, sys.argv[1], Path(out) / "small.parquet", n_jobs=2)
    small, highest[0] = highest[0], 0
    scored = score_file(model, sys.argv[2], Path(out) / "large.parquet", n_jobs=2)
    print(scored.n_patients, small, highest[0])
"""


@pytest.mark.long
@pytest.mark.timeout(3000)
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
def test_ten_million_rows_stay_within_a_gibibyte(cohort, long_file, tmp_path):
    """Above what a small run with the same libraries takes."""
    table = pq.read_table(long_file)
    large = tmp_path / "large_input.parquet"
    with pq.ParquetWriter(large, table.schema) as writer:
        for k in range(34):
            names = table.schema.get_field_index("patient_id")
            ids = [f"P{k}-{i}" for i in range(len(table))]
            renamed = table.set_column(names, "patient_id", [ids])
            writer.write_table(renamed.cast(table.schema))
    script = tmp_path / "memory.py"
    script.write_text(MEMORY)
    small = tmp_path / "small_input.parquet"
    pq.write_table(table.slice(0, 140_000), small)
    command = [sys.executable, str(script), str(small), str(large), str(tmp_path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    n_patients, low, high = map(int, done.stdout.split())
    assert n_patients == 34 * 300_000
    assert high - low < 2**30


def test_rows_set_aside_are_told_in_the_language(model, tmp_path):
    path = tmp_path / "patients.csv"
    path.write_text(
        "patient_id;Âge;gender\nA1;540;f\nA2;54;f\nA3;54;x\n", encoding="utf-8"
    )
    scored = score_file(model, path, tmp_path / "scores.csv", lang="fr")
    aside = pd.read_csv(scored.set_aside)
    assert list(aside) == ["ligne", "colonne", "trouvé", "raison"]
    assert aside["colonne"].tolist() == ["Âge", "Sexe (« gender »)"]
    assert aside["raison"].tolist()[0] == "attendu de 18 à 100 ans"
