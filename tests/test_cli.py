"""The command line: exit codes, streams, help, and options from the dictionary."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

import responder_model as rm
from responder_model.cli.app import app
from responder_model.cli.output import print_json
from responder_model.cli.patient import predictor_fields, with_predictor_options

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


# ---------------------------------------------------------------- the script itself


def test_script_exits_with_the_code_of_its_command():
    code = "from responder_model.cli import main; main()"
    command = [sys.executable, "-c", code, "predict", "nothing@all"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: No model is called 'nothing@all'")


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
