"""Files are scored with the numbers of the model, in any format and number of parts."""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import responder_model as rm
from in_words import said
from responder_model.artifact import digest_of
from responder_model.cohort import write_cohort
from responder_model.errors import InvalidCohortError
from responder_model.formats import table, text
from responder_model.formats.judging import judged
from responder_model.scoring import file as file_module
from responder_model.scoring import score_file
from responder_model.scoring.columns import choose_columns
from scored import NUMBERS, N, assert_same_scores, plant, spoil


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
