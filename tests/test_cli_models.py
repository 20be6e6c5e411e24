"""Commands about models: listed, developed, updated and validated."""

from __future__ import annotations

import json
import socket

import pytest
from typer.testing import CliRunner

import responder_model as rm
from in_words import as_printed
from responder_model.cli.app import app
from responder_model.model.example import example_model
from responder_model.outputs import RECORD
from responder_model.sample_size import development_criteria


@pytest.fixture
def run(monkeypatch):
    """Run the command line; a wide terminal keeps every word on its line."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    runner = CliRunner()
    return lambda *arguments, **more: runner.invoke(app, list(arguments), **more)


@pytest.fixture
def cohort_file(run, tmp_path):
    """A simulated cohort as a file."""
    path = tmp_path / "cohort.csv"
    assert run("simulate", "--n-patients", "40", "--out", str(path)).exit_code == 0
    return path


# ---------------------------------------------------------------- models


def test_evidence_prints_sources(run):
    text = run("evidence", "rtms_response").stdout
    assert "Thomas" in text
    assert "lesion_type=central" in text


def test_evidence_prints_json_for_every_decision(run):
    parts = json.loads(run("evidence", "--json").stdout)
    assert list(parts) == ["rtms_response@screening", "emcs_success@implantation"]


def test_evidence_refuses_an_unknown_group(run):
    done = run("evidence", "emcs_success", "--exclude-evidence", "nobody")
    assert done.exit_code == 1


def test_models_lists_the_published_ones(run):
    rows = json.loads(run("models", "--json").stdout)
    expected = [
        f"{decision}@{moment}" for decision, moment in rm.dictionary().targets()
    ]
    assert [row["model"] for row in rows] == expected


def test_inspect_shows_weights_and_coefficients(run):
    text = run("inspect", "emcs_success").stdout
    assert "published" in text
    assert "relief_test" in text
    parts = json.loads(run("inspect", "emcs_success", "--json").stdout)
    assert parts["provenance"] == "published"


def test_sample_size_prints_the_criteria(run):
    given = ["--parameters", "12", "--outcome-proportion", "0.4", "--n-patients", "400"]
    done = run("sample-size", *given, "--c-statistic", "0.75", "--json")
    expected = development_criteria(12, 0.4, c_statistic=0.75, n_patients=400)
    parts = json.loads(done.stdout)
    assert parts["criteria"] == [as_printed(row) for row in expected]
    assert parts["n_required"] == max(r.n_required for r in expected if r.decides)


def test_sample_size_refuses_an_impossible_proportion(run):
    done = run("sample-size", "--parameters", "3", "--outcome-proportion", "1.4")
    assert done.exit_code == 1
    assert "--outcome-proportion must be" in done.stderr


def test_develop_writes_a_folder_and_a_run(
    run, cohort_file, tmp_path, monkeypatch, new_store
):
    monkeypatch.chdir(tmp_path)
    new_store(tmp_path)
    folder = tmp_path / "model"
    target = "rtms_response@screening"
    done = run("develop", str(cohort_file), target, "--out", str(folder), "--json")
    assert done.exit_code == 0, done.stderr
    parts = json.loads(done.stdout)
    assert parts["provenance"] == "simulated"
    assert parts["tracking_uri"] == f"sqlite:///{tmp_path / 'mlflow.db'}"
    assert rm.load_model(folder).n_patients == parts["n_patients"]
    rows = json.loads(run("models", str(tmp_path), "--json").stdout)
    assert rows[-1]["model"] == str(folder)


def test_develop_without_tracking_leaves_no_store(
    run, cohort_file, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    target = "rtms_response@screening"
    given = ["develop", str(cohort_file), target, "--out", "model", "--no-track"]
    assert run(*given).exit_code == 0
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.parametrize(
    ("store", "reason"),
    [
        ("sqlite:///{folder}/patients.csv", "file is not a database"),
        ("http://me:secret@127.0.0.1:{port}", "nothing answers at 127.0.0.1"),
        ("nothing://there", "a store is sqlite"),
        ("mlruns", "and no folder"),
    ],
)
def test_develop_says_why_a_store_cannot_be_used_before_it_works(
    run, cohort_file, tmp_path, monkeypatch, store, reason
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    (tmp_path / "patients.csv").write_text("age\n54\n")
    with socket.socket() as taken:  # bound but not listening: nobody answers
        taken.bind(("127.0.0.1", 0))
        uri = store.format(folder=tmp_path, port=taken.getsockname()[1])
        target = ["rtms_response@screening", "--out", "model"]
        done = run("develop", str(cohort_file), *target, "--tracking-uri", uri)
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1].startswith("error: tracking store")
    assert reason in done.stderr
    assert "secret" not in done.stderr
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"cohort.csv", "patients.csv", RECORD}


def test_develop_follows_a_settings_file(run, cohort_file, tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text(
        'decision = "rtms_response"\nmoment = "screening"\nchallenger = false\n'
        'predictors = ["age", "aetiology"]\n'
    )
    out = tmp_path / "model"
    given = map(str, (cohort_file, "--settings", path, "--out", out))
    done = run("develop", *given, "--no-track")
    assert done.exit_code == 0, done.stderr
    assert rm.load_model(out).encoder.predictors == ("age", "aetiology")


@pytest.mark.parametrize(
    "asked",
    [
        [],
        ["rtms_response@screening", "--settings", "SETTINGS"],
        ["--settings", "SETTINGS", "--seed", "3"],
    ],
    ids=["neither", "both", "seed twice"],
)
def test_develop_takes_a_target_or_a_settings_file(run, cohort_file, tmp_path, asked):
    path = tmp_path / "settings.toml"
    path.write_text('decision = "emcs_success"\n')
    asked = [str(path) if word == "SETTINGS" else word for word in asked]
    out = str(tmp_path / "m")
    done = run("develop", str(cohort_file), *asked, "--out", out, "--no-track")
    assert done.exit_code == 2
    assert not (tmp_path / "m").exists()


def test_develop_refuses_a_cohort_of_the_evidence(run, cohort_file, tmp_path):
    group = ["--overlap-group", "saint_etienne", "--no-track"]
    out = ["--out", str(tmp_path / "model")]
    target = "rtms_response@screening"
    done = run("develop", str(cohort_file), target, *out, *group)
    assert done.exit_code == 1
    assert "must be excluded" in done.stderr


def test_update_starts_from_a_model_and_counts_both_cohorts(
    run, cohort_file, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    out = ["--out", "newer", "--no-track", "--json"]
    done = run("update", "rtms_response@screening", str(cohort_file), *out)
    assert done.exit_code == 0, done.stderr
    newer = rm.load_model(tmp_path / "newer")
    assert newer.provenance == "simulated"
    assert json.loads(done.stdout)["n_patients"] == newer.n_patients


def test_validate_measures_a_model_on_new_patients(run, cohort_file):
    given = ["validate", "rtms_response@screening", str(cohort_file)]
    assert "SIMULATED patients" in run(*given).stdout
    parts = json.loads(run(*given, "--json").stdout)
    expected = rm.validate_externally(
        rm.published_model("rtms_response", "screening"), rm.read_cohort(cohort_file)
    )
    measures = {row["measure"]: row["value"] for row in parts["measures"]}
    table = expected.table.set_index("measure")
    assert parts["n_patients"] == expected.n_patients
    assert measures["c_statistic"] == table.loc["c_statistic", "value"]


def test_validate_repeats_the_development(run, cohort_file):
    given = ["validate", "rtms_response@screening", str(cohort_file)]
    done = run(*given, "--design", "bootstrap", "--n-resamples", "2", "--json")
    assert done.exit_code == 0, done.stderr
    assert "optimism_corrected" in json.loads(done.stdout)["measures"][0]


# ---------------------------------------------------------------- what it prints


def test_model_of_no_name_and_of_a_long_one_is_refused(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rm.save_model(example_model(), tmp_path / "model")
    monkeypatch.chdir(tmp_path / "model")
    for name in ("", "x" * 5000):
        done = run("predict", name, "--age", "54")
        assert done.exit_code == 1
        assert "A model folder must exist: there is none at" in done.stderr


def test_models_lists_a_bad_folder_with_its_reason(run, tmp_path):
    rm.save_model(example_model(), tmp_path / "good")
    rm.save_model(example_model(), tmp_path / "bad")
    (tmp_path / "bad" / "model.json").write_text("{}")
    done = run("models", str(tmp_path), "--json")
    assert done.exit_code == 0
    bad, good = json.loads(done.stdout)[-2:]
    assert bad["problem"] == "model.json must be as it was saved: its SHA-256 differs."
    assert (good["problem"], good["n_patients"]) == (None, 193)
    assert "SHA-256" in run("models", str(tmp_path)).stdout


def test_models_prints_names_that_other_commands_take(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    printed = run("models").stdout
    for decision, moment in rm.dictionary().targets():
        assert f" {decision}@{moment} " in printed
    head = next(line for line in printed.splitlines() if "model" in line)
    assert "patients" in head


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_models_fit_a_terminal_of_80_columns(capsys, monkeypatch, lang):
    from rich.console import Console

    from responder_model.cli import models

    narrow = Console(width=80, highlight=False, markup=False)
    monkeypatch.setattr(models, "console", lambda: narrow)
    models.list_models(lang=lang)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    # nothing is cut: the frame is whole
    assert all(line[-1] in "┓┃┩│┘" for line in lines)
    assert "patients ┃" in lines[1]
    text = " ".join(lines)
    assert {"en": "session 1", "fr": "séance 1"}[lang] in text
