"""The screen of check: what was read, what it is good for, what is wrong or open."""

from __future__ import annotations

import json

import openpyxl
import pytest
from typer.testing import CliRunner

from responder_model.cli.app import app
from responder_model.cohort import write_cohort
from responder_model.simulation import simulate_cohort

WRONG = "IPP;Âge;Étiologie;EN;Divers;Soulagement S4\n"
WRONG += "".join(f"A{k};54;truc;7;x;45\n" for k in range(12)) + "B;540;autre;7;x;15\n"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.csv").write_text(WRONG, encoding="utf-8")
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments])


def lines_of(text: str) -> str:
    """Text without the breaks of its lines."""
    return " ".join(text.split())


def test_headings_alone_are_no_refused_cell(run, tmp_path):
    (tmp_path / "heads.csv").write_text("patient_id,age,sex\n", encoding="utf-8")
    done = run("check", "heads.csv", "--lang", "en")
    assert done.exit_code == 1
    assert "refused cells" not in lines_of(done.stdout)
    assert "at least one patient" in done.stderr


def test_check_says_what_a_file_is_good_for(run, tmp_path):
    write_cohort(simulate_cohort(n_patients=120, seed=2), tmp_path / "centre.csv")
    done = run("check", "centre.csv", "--lang", "en")
    assert done.exit_code == 0
    told = lines_of(done.stdout)
    assert "Patients 120" in told
    assert "rtms_response@session_3: can be developed; 24 of 24 predictors" in told
    found = json.loads(run("check", "centre.csv", "--json").stdout)
    assert (found["n_patients"], found["n_left_out"]) == (120, 0)
    assert [m["target"] for m in found["models"] if not m["lacks"]] == [
        "rtms_response@screening",
        "rtms_response@session_1",
        "rtms_response@session_2",
        "rtms_response@session_3",
        "emcs_success@implantation",
    ]
    (rtms, _) = found["outcomes"]
    assert rtms["n_events"] + rtms["n_non_events"] == rtms["n_known"]


def test_check_says_what_a_model_lacks_in_the_language_asked(run):
    told = lines_of(run("check", "wrong.csv", "--lang", "fr").stdout)
    assert "rtms_response@session_2" in told
    assert "personne n'a : Soulagement après la séance 2" in told
    assert "Succès d'une stimulation épidurale" in told
    assert "non recueillie" in told


def test_check_shows_what_headings_were_taken_for(run):
    told = lines_of(run("check", "wrong.csv", "--lang", "en").stdout)
    assert "'EN' = Pain intensity" in told
    assert "'Âge' =" not in told
    assert "Not read 'Divers'" in told
    columns = json.loads(run("check", "wrong.csv", "--json").stdout)["columns"]
    assert {"heading": "EN", "field": "pain_intensity"} in columns
    assert {"heading": "Divers", "field": None} in columns


def test_problems_are_grouped_and_the_allowed_words_told_once(run):
    told = run("check", "wrong.csv", "--lang", "en").stderr
    assert told.count("haemorrhagic stroke") == 1
    assert "“truc” in 12 rows: 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 …" in told
    assert "“540” in row 14" in told


def test_all_names_each_cell(run):
    told = run("check", "wrong.csv", "--all", "--lang", "fr").stderr
    assert "ligne 13 : Étiologie : truc" in told
    assert told.count("ligne 2 : Étiologie : truc") == 1


def test_every_heading_is_named_with_all(run, tmp_path):
    names = [f"item{k}" for k in range(40)]
    text = ",".join(["age", "relief_1", *names]) + "\n54,30" + ",1" * 40 + "\n"
    (tmp_path / "wide.csv").write_text(text)
    few = run("check", "wide.csv", "--lang", "en").stdout
    assert "and 20 more" in lines_of(few)
    assert "'item39'" not in few
    assert "'item39'" in run("check", "wide.csv", "--all").stdout


def test_strict_ends_with_3_where_something_is_noted(run, tmp_path):
    path = tmp_path / "noted.csv"
    path.write_text("age,relief_1,remarks\n54,30,x\n")
    assert run("check", path).exit_code == 0
    assert run("check", path, "--strict").exit_code == 3
    (tmp_path / "map.toml").write_text("columns.remarks = ''\n")
    assert run("check", path, "--strict", "--map", "map.toml").exit_code == 0


def test_the_sheet_is_named_even_where_there_is_one_only(run, tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "Patients 2024"
    for row in (["age", "relief_1"], [54, 30], ["Moyenne", 30]):
        book.active.append(row)
    book.save(tmp_path / "one.xlsx")
    done = run("check", "one.xlsx", "--lang", "en")
    assert "Sheet 'Patients 2024'" in lines_of(done.stdout)
    assert json.loads(run("check", "one.xlsx", "--json").stdout)["sheet"]


def test_a_file_that_is_no_table_has_no_screen(run, tmp_path):
    (tmp_path / "none.csv").write_text("nothing here\n")
    done = run("check", "none.csv")
    assert done.exit_code == 1
    assert done.stdout == ""
    found = json.loads(run("check", "none.csv", "--json").stdout)
    assert found["n_patients"] is None
    assert found["problems"]
