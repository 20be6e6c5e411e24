"""Rows that cannot be scored are set aside and told; the rest keep their provenance."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from in_words import said
from responder_model.artifact import digest_of
from responder_model.cohort import inspect_file, map_from
from responder_model.errors import InvalidCohortError
from responder_model.labels import label_of
from responder_model.scoring import score_file, score_frame
from responder_model.scoring.assembly import repeated_places
from scored import (
    N,
    assert_same_scores,
    cohort,
    model,
    parquet,
    plant,
    small_parts,
    spoil,
)


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
