"""The commands that read a cohort ask, and take the answers."""

from __future__ import annotations

import json
import subprocess
import sys

import openpyxl
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from responder_model.artifact import load_model
from responder_model.cli.app import app
from responder_model.cohort import read_map
from responder_model.development import develop
from responder_model.simulation import simulate_cohort

OPEN = "Âge;Étiologie;PR S1;Soulagement S4\n54;AVC;0,3;0,45\n61;zona;0,1;0,05\n"
ANSWERS = """
units = { relief_1 = "fraction", relief_test = "fraction" }
values.aetiology.AVC = "ischaemic_stroke"
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "open.csv").write_text(OPEN, encoding="utf-8")
    (tmp_path / "answers.toml").write_text(ANSWERS, encoding="utf-8")
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments])


def test_check_ends_with_3_on_open_questions(run):
    done = run("check", "open.csv")
    assert done.exit_code == 3
    assert 'values.aetiology."AVC" = "haemorrhagic_stroke"' in done.stderr
    assert "3 open questions" in done.stderr
    found = json.loads(run("check", "open.csv", "--json").stdout)
    assert [(q["code"], q["field"]) for q in found["questions"]] == [
        ("word", "aetiology"),
        ("fractions", "relief_1"),
        ("fractions", "relief_test"),
    ]


def test_check_ends_with_1_where_a_problem_is_left(run, tmp_path):
    (tmp_path / "open.csv").write_text(OPEN + "540;zona;0;0\n", encoding="utf-8")
    done = run("check", "open.csv")
    assert done.exit_code == 1
    assert "1 problem and 3 open questions" in done.stderr


def test_check_reads_with_a_mapping(run):
    done = run("check", "open.csv", "--map", "answers.toml")
    assert done.exit_code == 0, done.stderr
    assert "2 patients, no problem" in done.stdout


def test_other_commands_refuse_an_open_question(run):
    done = run("validate", "rtms_response@session_1", "open.csv")
    assert done.exit_code == 1
    assert "relief_1" in done.stderr
    assert "--write-map" in done.stderr


def test_check_writes_a_mapping_once(run, tmp_path):
    assert run("check", "open.csv", "--write-map", "map.toml").exit_code == 3
    how = read_map(tmp_path / "map.toml")
    assert how.columns["PR S1"] == "relief_1"
    (tmp_path / "map.toml").write_text("# mine", encoding="utf-8")
    done = run("check", "open.csv", "--write-map", "map.toml")
    assert done.exit_code == 1
    assert "map.toml" in done.stderr
    assert (tmp_path / "map.toml").read_text(encoding="utf-8") == "# mine"


def test_missing_codes_are_declared_on_the_command_line(run, tmp_path):
    path = tmp_path / "coded.csv"
    path.write_text("age,relief_1\n54,-99\n61,30\n47,10\n")
    assert run("check", path).exit_code == 3
    assert run("check", path, "--missing-codes", "-99").exit_code == 0


def test_a_command_speaks_the_language_that_is_asked(run):
    told = run("check", "open.csv", "--lang", "fr").stderr
    assert "Étiologie" in told
    assert "(ligne 2, 3)" in told
    assert "Répondre dans une table de lecture" in told
    assert told.endswith("erreur : 3 questions ouvertes.\n")
    model, out = "rtms_response@session_1", "scores.csv"
    told = run("score", model, "open.csv", "--out", out, "--lang", "fr").stderr
    assert "rien n'a été fait" in told
    told = run("predict", model, "--relief-1", "0.45", "--lang", "fr").stderr
    assert told.startswith("erreur : Soulagement")


def test_a_command_speaks_the_language_of_the_locale(run, monkeypatch):
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    assert "3 questions ouvertes" in run("check", "open.csv").stderr
    # what is asked goes first, and is not kept for the next command
    assert "3 open questions" in run("check", "open.csv", "--lang", "en").stderr
    assert "3 questions ouvertes" in run("check", "open.csv").stderr
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert "3 open questions" in run("check", "open.csv").stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["check", "nowhere.csv"], "FILE must be a file that exists"),
        (["check", "."], "must be a file that exists and can be read, got .."),
        (
            ["check", "open.csv", "--map", "nowhere.toml"],
            "--map must be a file that exists",
        ),
        (
            ["check", "open.csv", "--map", "."],
            "must be a file that exists and can be read, got ..",
        ),
    ],
)
def test_a_path_must_be_what_an_option_asks_for(run, arguments, reason):
    result = run(*arguments)
    assert result.exit_code == 2
    assert reason in result.stderr


@pytest.mark.parametrize(
    ("typed", "read"),
    [("0,25", 0.25), ("0,125", 0.125), ("20,5", 20.5), ("1,0000", 1.0)],
)
def test_a_number_may_have_a_decimal_comma(typed, read):
    command = typer.main.get_command(app).get_command(None, "implant")
    given = command.make_context("implant", ["--failures-per-success", typed])
    assert given.params["failures_per_success"] == read


@pytest.mark.parametrize("typed", ["1,000", "12,345", "1,2,3", "many"])
def test_what_may_be_thousands_is_no_number(run, typed):
    result = run("implant", "--failures-per-success", typed)
    assert result.exit_code == 2
    assert "--failures-per-success must be a number, as 0.25." in result.stderr


def test_every_command_has_a_language():
    for name, command in typer.main.get_command(app).commands.items():
        assert "lang" in {parameter.name for parameter in command.params}, name


def test_list_of_commands_loads_none_of_them():
    code = "from responder_model.cli.app import app; import sys;"
    code += "app(['--help'], standalone_mode=False);"
    code += "print([m for m in sys.modules if m.startswith('responder_model.cli.')])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = done.stdout.splitlines()[-1]
    assert "responder_model.cli.options" in loaded
    assert "responder_model.cli.patient" not in loaded
    assert "responder_model.cli.develop" not in loaded


def test_check_as_json_gives_values_and_words(run):
    found = json.loads(run("check", "open.csv", "--json", "--lang", "fr").stdout)
    asked = {q["code"]: q for q in found["questions"]}
    assert asked["word"]["values"]["found"] == "AVC"
    assert asked["word"]["text"].startswith("« AVC » dans Étiologie (1 ligne)")


def test_check_names_the_rows_that_a_report_counts(run, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("age,pain_duration,relief_1\n54,60,10\n30,500,20\n")
    done = run("check", path)
    assert done.exit_code == 0
    assert "Pain duration is longer than the patient's life: row 3" in done.stderr


def test_a_sheet_is_chosen_on_the_command_line(run, tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "2023"
    for sheet, ages in ((book.active, [54]), (book.create_sheet("2024"), [61, 70])):
        for row in (["age", "relief_1"], *([age, 30] for age in ages)):
            sheet.append(row)
    book.save("years.xlsx")
    assert "1 patient" in run("check", "years.xlsx").stdout
    assert "2 patients" in run("check", "years.xlsx", "--sheet", "2024").stdout


@pytest.fixture
def exported(tmp_path):
    """A cohort whose relief is a fraction, whose responders have 50 % or more."""
    cohort = simulate_cohort(n_patients=120, seed=2)
    exported = cohort.drop(columns=["symptom_improved", "emcs_success"])
    reliefs = ["relief_1", "relief_2", "relief_3", "relief_test"]
    exported["rtms_responder"] = exported["relief_test"].ge(50).astype("boolean")
    exported["rtms_responder"] = exported["rtms_responder"].mask(
        exported["relief_test"].isna()
    )
    exported[reliefs] = exported[reliefs] / 100
    exported = exported.rename(columns={"relief_1": "PR S1"})
    exported.to_csv(tmp_path / "export.csv", index=False)
    (tmp_path / "map.toml").write_text(
        "units = { relief_1 = 'fraction', relief_2 = 'fraction', relief_3 = 'fraction',"
        "relief_test = 'fraction' }\n"
    )
    return cohort


def test_a_model_keeps_how_its_cohort_was_read(run, exported, tmp_path):
    given = ("--map", "map.toml", "--responder-at", 50, "--inclusive")
    target = "rtms_response@session_1"
    out = ("--out", "model", "--no-track")
    done = run("develop", "export.csv", target, *given, *out)
    assert done.exit_code == 0, done.stderr
    model = load_model(tmp_path / "model")
    (note,) = [note for note in model.notes if "mapping" in str(note)]
    assert "units.relief_1 = fraction" in str(note)
    assert "rules.rtms_responder >= 50" in str(note)
    same = develop(
        exported.drop(columns=["symptom_improved"]).assign(rtms_responder=pd.NA),
        "rtms_response",
        "session_1",
    )
    patient = {"age": 54, "relief_1": 40}
    found, expected = (m.predict(patient).probability for m in (model, same))
    assert found == pytest.approx(expected, abs=1e-9)


def test_scores_are_read_with_the_mapping(run, exported, tmp_path):
    model = "rtms_response@session_1"
    refused = run("score", model, "export.csv", "--out", "scores.csv")
    assert refused.exit_code == 1
    assert "relief_1" in refused.stderr
    done = run("score", model, "export.csv", "--out", "scores.csv", "--map", "map.toml")
    assert done.exit_code == 0, done.stderr
    exported.to_csv("plain.csv", index=False)
    assert run("score", model, "plain.csv", "--out", "plain_scores.csv").exit_code == 0
    found, expected = (
        pd.read_csv(name)["probability"] for name in ("scores.csv", "plain_scores.csv")
    )
    assert found.to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-9)


def test_inclusive_needs_a_cut_off(run):
    done = run("check", "open.csv", "--inclusive")
    assert done.exit_code == 2
    assert "--responder-at" in done.output


def test_a_single_fraction_is_refused_by_predict(run):
    done = run("predict", "rtms_response@session_1", "--relief-1", "0.45")
    assert done.exit_code == 1
    assert "not a fraction" in done.stderr
    sure = run("predict", "rtms_response@session_1", "--relief-1", "0.45 %")
    assert sure.exit_code == 0


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_sheet_of_a_file_without_sheets_is_refused(run, tmp_path, lang):
    words = {"en": "a file without sheets", "fr": "un fichier sans feuilles"}
    (tmp_path / "plain.csv").write_text("age\n54\n", encoding="utf-8")
    (tmp_path / "map.toml").write_text('sheet = "2024"\n', encoding="utf-8")
    for named in (["--sheet", "2024"], ["--map", "map.toml"]):
        done = run("check", "plain.csv", *named, "--lang", lang)
        assert done.exit_code == 1
        assert words[lang] in done.stdout + done.stderr
