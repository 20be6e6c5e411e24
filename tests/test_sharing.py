"""A fit made for leaving: what a centre's file holds, and what is made of it."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import responder_model as rm
from responder_model.artifact.manifest import sha256
from responder_model.artifact.strict_json import canonical_json
from responder_model.cli.app import app
from responder_model.cohort import write_cohort
from responder_model.combining import (
    combine,
    read_share,
    release_share,
    share,
    what_leaves,
)
from responder_model.combining.sharing import public_order
from responder_model.features import Encoder
from responder_model.simulation import draw_truth, simulate_cohort

TARGET = "rtms_response", "screening"
SETTINGS = rm.Settings(
    decision=TARGET[0], moment=TARGET[1], challenger=False, centres="ignored"
)


def cohort(n, seed):
    truth = draw_truth("rtms_response", "right", np.random.default_rng(5))
    drawn = simulate_cohort(n, seed, truth=truth, n_implanted=0, symptom_recorded=False)
    return drawn.assign(patient_id=[f"planted-{seed}-{k}" for k in range(n)])


@pytest.fixture(scope="module")
def patients():
    return [cohort(n, seed) for seed, n in enumerate((60, 80), start=1)]


@pytest.fixture(scope="module")
def shared(patients):
    return [share(one, *TARGET, name=f"c{k}") for k, one in enumerate(patients)]


@pytest.fixture
def files(shared, tmp_path):
    paths = [tmp_path / f"{k}.share.json" for k in range(len(shared))]
    for path, one in zip(paths, shared, strict=True):
        path.write_bytes(what_leaves(one))
    return paths


def forged(path, **changes):
    """The file with other entries and a digest that fits them."""
    document = json.loads(path.read_bytes()) | changes
    del document["digest"]
    digest = sha256(canonical_json(document))
    path.write_bytes(canonical_json({**document, "digest": digest}))
    return path


# ---------------------------------------------------------------- what leaves


def test_share_holds_no_value_of_a_patient(patients, shared):
    text = what_leaves(shared[0]).decode()
    assert "planted" not in text
    told = np.array([float(x) for x in re.findall(r"-?\d+\.\d+(?:e-?\d+)?", text)])
    encoder = Encoder.for_decision(*TARGET)
    frame = rm.cohort.check_cohort(patients[0])
    raw = encoder.raw(frame)
    values = np.concatenate([raw.ravel(), encoder.encode(raw).ravel()])
    values = values[~np.isnan(values)]
    # a short number such as 0.5 may be anything
    odd = np.unique(values[np.abs(values - np.round(values, 3)) > 1e-6])
    assert len(odd) > 50
    nearest = np.abs(told[:, None] - odd).min(axis=0)
    # a number of twelve digits that is a patient's would be equal, not near
    assert (nearest > 1e-10).all()


def test_share_is_strict_json_and_the_same_in_any_order(patients, shared):
    data = what_leaves(shared[0])
    assert canonical_json(json.loads(data)) == data
    mixed = patients[0].sample(frac=1.0, random_state=3)
    mixed.attrs = dict(patients[0].attrs)
    assert what_leaves(share(mixed, *TARGET, name="c0")) == data


def test_share_holds_at_most_half_as_many_parameters_as_patients(shared, patients):
    for one in shared:
        assert one.n_cuts + len(one.columns) <= one.n_patients / 2
        assert one.disclosure.parameters <= one.n_patients / 2
    few = share(patients[0], *TARGET, at_most_parameters=9)
    assert len(few.columns) == 4
    assert set(few.columns) <= set(shared[0].columns)
    order = public_order(Encoder.for_decision(*TARGET))
    allowed = [name for name in order if name in shared[0].columns]
    assert set(few.columns) == set(allowed[:4])


def test_share_leaves_out_what_few_patients_have(patients):
    rare = patients[0].copy()
    rare["opioid"] = [k < 3 for k in range(len(rare))]
    rare.attrs = dict(patients[0].attrs)
    found = share(rare, *TARGET, at_most_parameters=51)
    assert "opioid" not in found.columns
    assert "opioid" not in json.loads(what_leaves(found))["population"]["columns"]


def test_share_speaks_of_relief_as_a_whole():
    found = share(cohort(60, 1), "rtms_response", "session_2")
    assert {"relief_so_far", "relief_trend"} <= set(found.columns)
    held = json.loads(what_leaves(found))["population"]["columns"]
    assert {"relief_1", "relief_2"} <= set(held)


def test_share_is_refused_where_nothing_may_leave(patients):
    two = patients[0].assign(centre=["a", "b"] * (len(patients[0]) // 2))
    with pytest.raises(rm.ResponderModelError, match="of one centre, got 2"):
        share(two, *TARGET)
    with pytest.raises(rm.ResponderModelError, match="at_most_parameters must be 5"):
        share(patients[0], *TARGET, at_most_parameters=4)
    with pytest.raises(rm.ResponderModelError, match="small_cells"):
        share(patients[0], *TARGET, small_cells=0)


def test_a_second_file_of_one_more_patient_does_not_leave(patients, shared):
    release_share(shared[0], what_leaves(shared[0]))
    fewer = share(patients[0], *TARGET, at_most_parameters=12)
    release_share(fewer, what_leaves(fewer))
    less = share(patients[0].iloc[:-1], *TARGET)
    if less.n_patients == shared[0].n_patients:
        less = share(patients[0].iloc[:-4], *TARGET)
    with pytest.raises(rm.ResponderModelError, match="patients"):
        release_share(less, what_leaves(less))


# ---------------------------------------------------------------- what is made of it


def test_files_are_read_back_as_they_left(shared, files):
    for one, path in zip(shared, files, strict=True):
        read = read_share(path)
        assert (read.name, read.columns) == (one.name, one.columns)
        for part in ("precision", "vector", "constant"):
            here, there = (getattr(x.likelihoods, part) for x in (read, one))
            assert np.allclose(here, there, rtol=1e-10, atol=1e-15)
        assert np.allclose(read.population.covariance, one.population.covariance)
        assert read.fingerprints == one.fingerprints


# effects of the larger centres may bend in their folders, and never in a file
@pytest.mark.parametrize(("n", "most"), [(39, 1e-4), (80, 5e-3)])
def test_file_of_all_columns_combines_as_its_folder(patients, tmp_path, n, most):
    patients = [one.iloc[:n] for one in patients]
    folders = [
        rm.develop(one, settings=SETTINGS, name=f"c{k}")
        for k, one in enumerate(patients)
    ]
    path = tmp_path / "c0.share.json"
    path.write_bytes(what_leaves(share(patients[0], *TARGET, at_most_parameters=51)))
    new = cohort(80, 9)
    mixed, whole = (
        combine([first, folders[1]]).model.predict_cohort(new).probability
        for first in (read_share(path), folders[0])
    )
    assert np.abs(mixed - whole).max() < most


def test_files_alone_make_a_model_like_any_other(files, patients, tmp_path):
    read = [read_share(path) for path in files]
    model = combine(read).model
    assert model.n_patients == sum(one.n_patients for one in read)
    assert model.provenance == "simulated"
    assert [n.code for n in model.notes].count("development.combined_without_limits")
    rm.save_model(model, tmp_path / "both")
    read = rm.load_model(tmp_path / "both")
    newer = rm.update(read, cohort(40, 8))
    assert newer.n_patients > model.n_patients
    found = rm.validate_externally(read, cohort(80, 7))
    assert 0.4 < found.performance.value("c_statistic") < 1.0


def test_the_same_patients_in_a_file_and_a_folder_are_refused(files, patients):
    folder = rm.develop(patients[0], settings=SETTINGS, name="folder")
    with pytest.raises(rm.ResponderModelError, match="are in another"):
        combine([folder, read_share(files[0])])
    with pytest.raises(rm.ResponderModelError, match="same model"):
        combine([read_share(files[0])] * 2)


# ---------------------------------------------------------------- what is refused


def test_changed_file_is_refused(files):
    text = files[0].read_text()
    files[0].write_text(text.replace('"n_events":', '"n_events":1', 1))
    with pytest.raises(rm.ResponderModelError, match="digest differs"):
        read_share(files[0])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"n_events": 5000}, "n_events"),
        ({"cut_points": [1, 2, 3, 4, 5]}, "cut_points"),
        ({"columns": ["age"]}, "precision|columns|age"),
        ({"evidence": {"invented_2030": "0"}}, "invented_2030"),
        ({"decision": "emcs_success"}, "moment|screening"),
        ({"provenance": "published"}, "provenance"),
        ({"small_cells": 1}, "protected"),
        ({"format": "another"}, "share wrote"),
        ({"discrepancy": -1.0}, "discrepancy"),
    ],
)
def test_forged_file_is_refused(files, changes, said):
    with pytest.raises(rm.ResponderModelError, match=said):
        read_share(forged(files[0], **changes))


def test_what_no_patients_can_say_is_refused_by_name(files):
    document = json.loads(files[0].read_bytes())
    document["components"][0]["precision"][-1][-1] = -1e6
    read = read_share(forged(files[0], components=document["components"]))
    with pytest.raises(rm.ResponderModelError, match="c0 says what no patients"):
        combine([read, read_share(files[1])])


def test_another_question_and_no_patients_are_refused(files):
    with pytest.raises(rm.ResponderModelError, match="another question"):
        combine([read_share(files[0]), rm.published_model("emcs_success")])
    empty = forged(files[1], n_patients=0, n_events=0)
    document = json.loads(empty.read_bytes())
    part = document["population"] | {"n_patients": 0}
    with pytest.raises(rm.ResponderModelError, match="no patient"):
        combine([read_share(files[0]), read_share(forged(empty, population=part))])


# ---------------------------------------------------------------- the command


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_command_lists_what_leaves_before_it_does(patients, tmp_path, lang):
    write_cohort(patients[0], tmp_path / "centre_a.csv")
    out = tmp_path / "a.share.json"
    words = ["share", str(tmp_path / "centre_a.csv"), "@".join(TARGET)]
    words += ["--out", str(out), "--lang", lang]
    said = CliRunner().invoke(app, [*words, "--explain"])
    assert said.exit_code == 0, said.output
    assert not out.exists()
    assert {"en": "Nothing was written", "fr": "Rien n'a été écrit"}[
        lang
    ] in said.stdout
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["digest"] == read_share(out).digest
    assert found["n_cut_points"] + len(found["columns"]) <= found["n_patients"] / 2
    again = CliRunner().invoke(app, words)
    assert again.exit_code == 0, again.output
    other = CliRunner().invoke(app, [*words, "--at-most-parameters", "9"])
    assert other.exit_code == 1
    assert "--overwrite" in other.stderr


def test_command_combines_files_and_refuses_what_is_none(files, tmp_path):
    out = tmp_path / "both"
    done = CliRunner().invoke(app, ["combine", *map(str, files), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert rm.load_model(out).provenance == "simulated"
    table = tmp_path / "t.csv"
    pd.DataFrame({"a": [1]}).to_csv(table)
    bad = [str(files[0]), str(table), "--out", str(tmp_path / "none")]
    for lang, words in {"en": "share wrote", "fr": "écrit par responder-model"}.items():
        refused = CliRunner().invoke(app, ["combine", *bad, "--lang", lang])
        assert refused.exit_code == 1
        assert words in refused.stderr
    assert not (tmp_path / "none").exists()
