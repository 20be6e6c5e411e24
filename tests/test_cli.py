"""The command line: exit codes, streams, help, and options from the dictionary."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

import responder_model as rm
from in_words import as_printed
from responder_model.cli.app import app
from responder_model.cli.output import print_json
from responder_model.cli.patient import predictor_fields, with_predictor_options
from responder_model.model.example import example_model
from responder_model.outputs import RECORD
from responder_model.sample_size import development_criteria

COMMANDS = (
    "predict",
    "explain",
    "template",
    "check",
    "simulate",
    "score",
    "evidence",
    "sample-size",
    "develop",
    "update",
    "pathway",
    "validate",
    "report",
    "models",
    "inspect",
    "sign",
    "verify",
    "demo",
    "serve",
)
PATIENT = {"age": 54, "aetiology": "ischaemic_stroke", "pain_intensity": 7.5}


@pytest.fixture
def run(monkeypatch):
    """Run the command line; a wide terminal keeps every word on its line."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    runner = CliRunner()
    return lambda *arguments, **more: runner.invoke(app, list(arguments), **more)


def test_version_is_printed(run):
    assert run("--version").stdout.strip() == f"responder-model {rm.__version__}"


def test_no_command_prints_usage(run):
    done = run()
    assert done.exit_code == 2
    assert "Usage" in done.output


def test_every_command_is_listed(run):
    listed = {line.split()[0] for line in run("--help").stdout.splitlines() if line[2:]}
    assert set(COMMANDS) <= listed


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(run, command):
    done = run(command, "--help")
    assert done.exit_code == 0
    assert f"Example: responder-model {command}" in done.stdout


def test_every_predictor_is_an_option_of_predict(run):
    text = run("predict", "--help").stdout
    names = [row.name for row in predictor_fields()]
    assert names
    assert all(f"--{name.replace('_', '-')} " in text for name in names)


def test_options_are_exactly_the_predictors_of_the_dictionary():
    def command(*, given: object) -> None:
        """Do nothing."""

    import inspect

    options = inspect.signature(with_predictor_options(command)).parameters
    expected = {
        row.name for row in rm.dictionary().fields.values() if row.role == "predictor"
    }
    assert set(options) == expected | {"source"}


# ---------------------------------------------------------------- predict


def test_predict_gives_the_numbers_of_the_package(run):
    options = ["--age", "54", "--aetiology", "ischaemic_stroke"]
    done = run("predict", "rtms_response@screening", *options, "--json")
    model = rm.published_model("rtms_response", "screening")
    patient = {"age": 54, "aetiology": "ischaemic_stroke"}
    expected = json.loads(json.dumps(model.predict(patient).to_dict()))
    asked = [row.to_dict() for row in model.questions(patient)]
    assert json.loads(done.stdout) == {**expected, "questions": asked}


def test_predict_reads_json_from_a_file_and_options_override_it(run, tmp_path):
    path = tmp_path / "patient.json"
    path.write_text(json.dumps({**PATIENT, "age": 30}), encoding="utf-8")
    given = ["--input", str(path), "--age", "54", "--json"]
    done = run("predict", "rtms_response@screening", *given)
    model = rm.published_model("rtms_response", "screening")
    assert json.loads(done.stdout)["probability"] == model.predict(PATIENT).probability


def test_predict_reads_json_from_stdin(run):
    given = ["predict", "emcs_success", "--input", "-", "--json"]
    done = run(*given, input='{"age": 54, "relief_test": 55}')
    assert done.exit_code == 0
    assert json.loads(done.stdout)["decision"] == "emcs_success"


def test_predict_takes_a_negative_relief(run):
    done = run("predict", "rtms_response@session_1", "--relief-1", "-20", "--json")
    assert json.loads(done.stdout)["contributions"]["relief_1"] < 0


def test_predict_reads_french_words_and_decimal_commas(run):
    options = [
        "--aetiology",
        "AVC ischémique",
        "--pain-intensity",
        "7,5",
        "--age",
        "54",
    ]
    done = run("predict", "rtms_response@screening", *options, "--json")
    model = rm.published_model("rtms_response", "screening")
    assert json.loads(done.stdout)["probability"] == model.predict(PATIENT).probability


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ["report more than 30 % relief", "Aetiology", "not a medical device"]),
        ("fr", ["plus de 30 % de soulagement", "Étiologie", "AVC ischémique"]),
    ],
)
def test_predict_speaks_the_language(run, lang, words):
    options = ["--aetiology", "ischaemic_stroke", "--lang", lang]
    text = run("predict", "rtms_response@screening", *options).stdout
    assert all(word in text for word in words)


def test_predict_prints_every_problem_on_stderr(run):
    options = ["--age", "180", "--sex", "x", "--relief-1", "20"]
    done = run("predict", "rtms_response@screening", *options)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "Age must be between 18 and 100 years, got 180" in done.stderr
    assert "Sex must be one of female, male" in done.stderr
    assert "is known only after session 1" in done.stderr


@pytest.mark.parametrize("text", ["", "[1]", "{", "3", '{"age": ', "[" * 100_000])
def test_predict_refuses_what_is_no_json_object(run, text):
    done = run("predict", "rtms_response@screening", "--input", "-", input=text)
    assert done.exit_code == 1
    assert "JSON object" in done.stderr


def test_predict_refuses_a_missing_file(run, tmp_path):
    given = ["--input", str(tmp_path / "none.json")]
    done = run("predict", "rtms_response@screening", *given)
    assert done.exit_code == 1
    assert "readable file" in done.stderr


def test_predict_refuses_an_unknown_model(run):
    done = run("predict", "rtms_response@tomorrow", "--age", "54")
    assert done.exit_code == 1
    assert "moment of rtms_response must be one of screening" in done.stderr


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("rtms_respons", "rtms_response@screening, rtms_response@session_1"),
        ("RTMS_response@sesion_2", "rtms_response@session_2?"),
        ("emcs_succes@implantation", "emcs_success@implantation?"),
    ],
)
def test_a_mistyped_model_is_proposed(run, typed, meant):
    for lang, said in (("en", "did you mean"), ("fr", "est-ce")):
        done = run("predict", typed, "--lang", lang)
        assert done.exit_code == 1
        assert f"{said} {meant}".rstrip("?") in done.stderr


def test_predict_without_a_model_is_a_usage_error(run):
    assert run("predict").exit_code == 2


def test_predict_refuses_an_unknown_option(run):
    assert run("predict", "rtms_response@screening", "--height", "3").exit_code == 2


def test_explain_lists_every_predictor(run):
    text = run("explain", "rtms_response@screening", "--age", "70").stdout
    fields = rm.dictionary().predictors("rtms_response", "screening")
    assert all(row.label["en"] in text for row in fields)


# ---------------------------------------------------------------- tables


@pytest.fixture
def cohort_file(run, tmp_path):
    """A simulated cohort as a file."""
    path = tmp_path / "cohort.csv"
    assert run("simulate", "--n-patients", "40", "--out", str(path)).exit_code == 0
    return path


def test_simulate_names_as_many_centres_as_asked(run, tmp_path):
    path = tmp_path / "cohort.csv"
    run("simulate", "--n-patients", "30", "--n-centres", "3", "--out", str(path))
    assert rm.read_cohort(path)["centre"].nunique() == 3


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet"])
def test_simulate_writes_a_cohort_that_check_takes(run, tmp_path, suffix):
    path = tmp_path / f"cohort{suffix}"
    made = run("simulate", "--n-patients=12", "--seed=4", "--out", str(path), "--json")
    assert json.loads(made.stdout)["path"] == str(path)
    done = run("check", str(path), "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["n_patients"] == 12
    assert json.loads(made.stdout)["n_patients"] == 12
    assert rm.read_cohort(path).attrs["provenance"] == "simulated"


def test_simulate_says_that_zeros_are_a_setting(run, tmp_path):
    given = ("simulate", "--n-patients", "12", "--out", str(tmp_path / "zeros.csv"))
    done = run(*given, "--zero-share", "0.8", "--lang", "fr")
    assert "par 80 % des patients" in done.stderr


def test_simulate_refuses_an_unknown_format(run, tmp_path):
    done = run("simulate", "--out", str(tmp_path / "cohort.doc"))
    assert done.exit_code == 1
    assert "--out must end in .csv, .parquet, .xlsx" in done.stderr


@pytest.mark.parametrize(("lang", "separator"), [("en", ","), ("fr", ";")])
def test_template_can_be_filled_and_read(run, tmp_path, lang, separator):
    path = tmp_path / "sheet.csv"
    assert run("template", "--lang", lang, "--out", str(path)).exit_code == 0
    header = path.read_text("utf-8-sig").splitlines()[0]
    with path.open("a", encoding="utf-8") as file:
        file.write(f"P1{separator * header.count(separator)}\n")
    assert rm.read_cohort(path)["patient_id"].tolist() == ["P1"]


def spoil(path, row, column, value):
    """Put a wrong value into one cell of a CSV file; rows as in a file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    cells = lines[row - 1].split(",")
    cells[lines[0].split(",").index(column)] = value
    lines[row - 1] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_check_lists_every_problem(run, cohort_file):
    spoil(cohort_file, 3, "age", "540")
    spoil(cohort_file, 7, "sex", "femelle")
    done = run("check", str(cohort_file))
    assert done.exit_code == 1
    assert "no problem" not in done.stdout
    assert "between 18 and 100 years" in done.stderr
    assert "femelle" in done.stderr
    problems = json.loads(run("check", str(cohort_file), "--json").stdout)["problems"]
    assert [(p["row"], p["field"]) for p in problems] == [(3, "age"), (7, "sex")]


def test_check_of_a_missing_file_is_a_usage_error(run, tmp_path):
    assert run("check", str(tmp_path / "none.csv")).exit_code == 2


def test_score_gives_the_numbers_of_the_package(run, cohort_file, tmp_path):
    import pandas as pd

    out = tmp_path / "scores.csv"
    done = run("score", "rtms_response@session_1", str(cohort_file), "--out", str(out))
    assert done.exit_code == 0
    model = rm.published_model("rtms_response", "session_1")
    expected = model.predict_cohort(rm.read_cohort(cohort_file))
    scores = pd.read_csv(out)
    assert scores["probability"].tolist() == expected["probability"].tolist()
    assert scores["patient_id"].is_unique


def test_score_sets_bad_rows_aside(run, cohort_file, tmp_path):
    import pandas as pd

    spoil(cohort_file, 3, "age", "540")
    out = tmp_path / "scores.csv"
    done = run("score", "rtms_response@screening", str(cohort_file), "--out", str(out))
    assert done.exit_code == 3
    assert "1 row set aside" in done.stderr
    assert len(pd.read_csv(out)) == 39
    aside = pd.read_csv(tmp_path / "scores_set_aside.csv")
    assert aside[["row", "column"]].to_numpy().tolist() == [[3, "Age"]]


def test_score_strict_refuses_bad_rows(run, cohort_file, tmp_path):
    spoil(cohort_file, 3, "age", "540")
    out = tmp_path / "scores.csv"
    given = ["score", "rtms_response@screening", str(cohort_file), "--out", str(out)]
    assert run(*given, "--strict").exit_code == 1
    assert not out.exists()


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


@pytest.mark.parametrize("command", ["template", "demo"])
def test_a_place_that_cannot_be_written_is_named(run, tmp_path, command):
    (tmp_path / "file").write_text("kept")
    (tmp_path / "folder").mkdir()
    place = tmp_path / ("folder" if command == "template" else "file")
    done = run(command, "--out", str(place))
    assert done.exit_code == 1
    kind = "file" if command == "template" else "folder"
    assert f"error: --out must be a {kind}, got " in done.stderr
    assert (tmp_path / "file").read_text() == "kept"


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


# ---------------------------------------------------------------- the script itself


def test_script_exits_with_the_code_of_its_command():
    code = "from responder_model.cli import main; main()"
    command = [sys.executable, "-c", code, "predict", "nothing@all"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: No model is called 'nothing@all'")


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


def test_print_json_gives_null_for_what_is_no_number(capsys):
    print_json({"slope": float("nan"), "rows": [float("inf"), 1.0, np.float64("nan")]})
    found = json.loads(capsys.readouterr().out)
    assert found == {"slope": None, "rows": [None, 1.0, None]}


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_explain_prints_no_sign_before_zero(run, lang):
    given = ("--age", "54", "--lang", lang, "--log-odds")
    text = run("explain", "rtms_response@screening", *given)
    zero = "0,00" if lang == "fr" else "0.00"
    assert zero in text.stdout
    assert f"+{zero}" not in text.stdout
    assert f"-{zero}" not in text.stdout


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_results_are_printed_whatever_the_encoding_of_a_redirect(encoding):
    code = "from responder_model.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "pathway", "--age", "54", "--lang", "fr"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert "déclare" in done.stdout.decode("utf-8")


@pytest.mark.parametrize(("lang", "words"), [("en", "truth of"), ("fr", "vérité de")])
def test_simulate_names_its_truth(run, tmp_path, lang, words):
    out = tmp_path / "cohort.csv"
    asked = ("simulate", "--n-patients", "40", "--truth", "null", "--lang", lang)
    done = run(*asked, "--out", str(out))
    assert done.exit_code == 0
    assert done.stdout.strip() == str(out)
    assert words in done.stderr
    assert "null, " in done.stderr
    found = rm.read_cohort(out)["relief_test"]
    expected = rm.simulate_cohort(40, 0, truth="null")["relief_test"]
    assert found.tolist() == pytest.approx(expected.tolist(), nan_ok=True)


def test_simulate_refuses_an_unknown_truth(run, tmp_path):
    done = run("simulate", "--truth", "beautiful", "--out", str(tmp_path / "c.csv"))
    assert done.exit_code == 1
    assert "right" in done.stderr
    assert not (tmp_path / "c.csv").exists()
