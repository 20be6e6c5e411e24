"""Several lines of one patient: REDCap's events, Castor's codes, lines of visits."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from in_words import said
from responder_model.cli.app import app
from responder_model.cohort import inspect_file, map_from, read_cohort, read_map
from responder_model.cohort.checking import inspect_columns
from responder_model.errors import InvalidCohortError
from responder_model.formats import open_file

CASES = Path(__file__).parent / "cases"
EXPECTED = json.loads((CASES / "expected.json").read_text(encoding="utf-8"))


def written(folder: Path, *lines: str) -> Path:
    path = folder / "a.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_events_of_redcap_are_joined_by_record() -> None:
    cohort = read_cohort(CASES / "redcap_longitudinal.csv")
    for name, expected in EXPECTED["redcap_longitudinal.csv"]["values"].items():
        assert cohort[name].tolist() == expected
    told = "lines of one record were joined by event"
    assert told in said(cohort.attrs["notices"])


def test_an_export_of_labels_is_refused_with_the_way_out() -> None:
    with pytest.raises(InvalidCohortError, match="exported as raw data"):
        read_cohort(CASES / "redcap_labels.csv")


@pytest.mark.parametrize(
    "heading",
    ["Event Name,Complete?", "Repeat Instrument,Repeat Instance", "Opioid (choice=a)"],
)
def test_an_export_of_labels_is_known_by_any_heading_of_redcap(
    tmp_path: Path, heading: str
) -> None:
    path = written(tmp_path, f"Record ID,Age,Relief test,{heading}", "1,54,40,x,x")
    with pytest.raises(InvalidCohortError, match="exported as raw data"):
        read_cohort(path)


def test_forms_that_are_not_complete_are_told() -> None:
    inspection, _ = inspect_file(CASES / "redcap_missing_codes.csv")
    assert "1 form is not marked as complete" in said(inspection.notices)
    assert inspection.cohort["depression"].isna().tolist()[0]


def test_events_that_differ_are_asked_about(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "record_id,redcap_event_name,age,relief_1",
        "1,baseline,54,",
        "1,visit,55,30",
        "2,baseline,60,",
        "2,visit,60,10",
    )
    inspection, rows = inspect_file(path)
    (problem,) = inspection.problems
    assert (problem.row, problem.field) == (2, "age")
    assert str(problem.found) == "54 / 55 (differs between the lines of the patient)"
    assert rows.tolist() == [2, 4]


def test_the_same_record_twice_without_events_is_not_joined(tmp_path: Path) -> None:
    head = "record_id,age,opioid___1,baseline_complete"
    path = written(tmp_path, head, "1,54,1,2", "1,55,0,2")
    inspection, _ = inspect_file(path)
    assert [(p.row, p.field) for p in inspection.problems] == [(3, "patient_id")]


def test_an_unchecked_box_is_no_answer_where_the_form_was_never_opened(
    tmp_path: Path,
) -> None:
    path = written(
        tmp_path,
        "record_id,age,baseline_complete,pain_intensity,opioid___1,drugs_complete",
        "1,54,2,7,1,2",
        "2,55,2,6,0,2",
        "3,56,2,,0,0",
        "4,57,2,,0,",
        "5,58,2,,1,0",
    )
    opioid = read_cohort(path)["opioid"]
    assert [None if pd.isna(x) else x for x in opioid] == [
        True,
        False,
        None,
        None,
        True,
    ]


DICTIONARY = (
    "Variable / Field Name,Form Name,Field Type,Field Label,"
    '"Choices, Calculations, OR Slider Labels"',
    "record_id,baseline,text,Record,",
    'sexe,baseline,radio,Sexe,"1, Homme | 2, Femme"',
    'q7,baseline,text,"Relief after session 1",',
    'aetiology,baseline,checkbox,Cause,"1, Amputation | 2, Ischaemic stroke"',
    'drugs,baseline,checkbox,Drugs,"1, Opioids | 2, Paracetamol"',
)


def test_a_data_dictionary_says_what_codes_mean(tmp_path: Path) -> None:
    words = tmp_path / "words.csv"
    words.write_text("\n".join(DICTIONARY) + "\n", encoding="utf-8")
    path = written(
        tmp_path,
        "record_id,sexe,q7,aetiology___1,aetiology___2,drugs___1,drugs___2,a_complete",
        "1,1,30,0,1,1,0,2",
        "2,2,10,1,0,0,1,2",
        "3,3,20,1,1,0,0,2",
    )
    how = map_from({"data_dictionary": str(words)})
    inspection, _ = inspect_file(path, how)
    cohort = inspection.cohort
    assert cohort["sex"].tolist()[:2] == ["male", "female"]
    assert cohort["relief_1"].tolist() == [30, 10, 20]
    assert cohort["aetiology"].tolist()[:2] == ["ischaemic_stroke", "amputation"]
    assert cohort["opioid"].tolist() == [True, False, False]
    assert [(p.row, p.field) for p in inspection.problems] == [
        (4, "sex"),
        (4, "aetiology"),
    ]
    done = CliRunner().invoke(
        app, ["check", str(path), "--data-dictionary", str(words)]
    )
    assert "Amputation / Ischaemic stroke" in done.output


def test_a_data_dictionary_that_is_none_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, *LONG)
    with pytest.raises(InvalidCohortError, match="of a REDCap project, as CSV"):
        open_file(path, data_dictionary=path)


def test_codes_of_castor_are_missing_by_reason(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "Participant Id;Site Abbreviation;age;relief_1;relief_2",
        "110001;LYO;54;-99;30",
        "110002;LYO;##USER_MISSING_97##;20;-95",
    )
    cohort = read_cohort(path)
    assert cohort["relief_1"].isna().tolist() == [True, False]
    assert cohort["relief_2"].isna().tolist() == [False, True]
    assert cohort["age"].isna().tolist() == [False, True]
    notices = " ".join(map(str, cohort.attrs["notices"]))
    assert "1 of relief_1 missing by Castor's codes (-99 not done: 1)" in notices
    assert "-97 not asked: 1" in notices
    french = said(cohort.attrs["notices"], "fr")[0]
    told = "« age » : 1 valeur manquante d'après les codes de Castor"
    assert french == f"{told} (-97 non demandé : 1)"


LONG = (
    "patient_id,seance,soulagement,age",
    "a,1,30,54",
    "a,2,40,",
    "a,3,50,54",
    "b,1,10,61",
    "b,3,0,61",
)


def test_a_line_for_each_visit_is_never_counted_as_patients(tmp_path: Path) -> None:
    with pytest.raises(InvalidCohortError, match="--long seance COLUMN"):
        read_cohort(written(tmp_path, *LONG))


def test_a_line_for_each_visit_is_made_one_line_per_patient(tmp_path: Path) -> None:
    source = open_file(written(tmp_path, *LONG), long=("Seance", "soulagement"))
    _, table = source.tables()
    cohort = inspect_columns(table.cells, table.rows).cohort
    assert cohort["patient_id"].tolist() == ["a", "b"]
    assert cohort["age"].tolist() == [54, 61]
    assert cohort["relief_1"].tolist() == [30, 10]
    assert cohort["relief_3"].tolist() == [50, 0]
    assert cohort["relief_2"].isna().tolist() == [False, True]


def test_every_command_makes_one_line_per_patient(tmp_path: Path) -> None:
    path, map_file = written(tmp_path, *LONG), tmp_path / "map.toml"
    asked = ["--long", "seance", "soulagement"]
    done = CliRunner().invoke(
        app, ["check", str(path), *asked, "--write-map", str(map_file)]
    )
    assert "2 patients, no problem" in done.output
    cohort = read_cohort(path, how=read_map(map_file))
    assert cohort["relief_3"].tolist() == [50, 0]
    out = tmp_path / "scores.csv"
    command = ["score", "rtms_response@session_1", str(path), "--out", str(out)]
    assert CliRunner().invoke(app, [*command, *asked]).exit_code == 0
    assert pd.read_csv(out)["row"].tolist() == [2, 5]


def test_a_visit_twice_is_asked_about(tmp_path: Path) -> None:
    path = written(tmp_path, *LONG, "b,3,80,61")
    _, table = open_file(path, long=("seance", "soulagement")).tables()
    part = inspect_columns(table.cells, table.rows)
    assert [(p.row, p.field) for p in part.problems] == [(5, "relief_3")]


@pytest.mark.parametrize(
    ("long", "rule"),
    [
        (("visite", "soulagement"), "asked for by its headings"),
        (("seance", "age"), "a visit that gives a field with “age”"),
    ],
)
def test_what_gives_no_field_is_refused(
    tmp_path: Path, long: tuple[str, str], rule: str
) -> None:
    with pytest.raises(InvalidCohortError, match=rule):
        open_file(written(tmp_path, *LONG), long=long)


def test_a_number_of_sessions_is_no_line_for_each_visit(tmp_path: Path) -> None:
    path = written(tmp_path, "patient_id,rtms_sessions,age", "a,4,54", "b,4,60")
    assert read_cohort(path)["age"].tolist() == [54, 60]


@pytest.mark.parametrize("name", ["record", "Code", "N° dossier"])
def test_an_identifier_of_another_name_tells_visits_apart(
    tmp_path: Path, name: str
) -> None:
    lines = ("P1,V1,54,10", "P1,V2,54,20", "P2,V1,60,5", "P2,V2,60,15")
    path = written(tmp_path, f"{name},Visit,age,relief", *lines)
    with pytest.raises(InvalidCohortError) as caught:
        inspect_file(path)
    assert "one line per patient" in str(caught.value)


def test_codes_that_redcap_proposes_are_missing(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "record_id,age,opioid,relief_1,a_complete",
        "1,54,INV,NP,2",
        "2,OTH,1,20,2",
    )
    cohort = read_cohort(path)
    assert [None if pd.isna(x) else x for x in cohort["opioid"]] == [None, True]
    assert cohort["age"].isna().tolist() == [False, True]
    assert cohort["relief_1"].isna().tolist() == [True, False]


def test_what_only_may_name_patients_tells_them_apart(tmp_path: Path) -> None:
    lines = ["N°,Code,session,relief"]
    lines += [f"{k},{7 + k // 2},{1 + k % 2},{10 * k}" for k in range(4)]
    path = written(tmp_path, *lines)
    with pytest.raises(InvalidCohortError, match="--long session"):
        read_cohort(path)
    cohort = read_cohort(path, how=map_from({"long": ["session", "relief"]}))
    assert cohort["patient_id"].tolist() == ["7", "8"]
    assert cohort["relief_2"].tolist() == [10, 30]
    assert "told apart by “Code”" in " ".join(said(cohort.attrs["notices"]))
    stated = {"long": ["session", "relief"], "columns": {"N°": "patient_id"}}
    with pytest.raises(InvalidCohortError, match="names its patients"):
        read_cohort(path, how=map_from(stated))


def test_marks_of_castor_are_missing_whatever_the_headings(tmp_path: Path) -> None:
    lines = ["centre,age,sex,relief_1", "A,50,F,10"]
    lines.append(",".join(f"##USER_MISSING_{code}##" for code in (95, 96, 98, 99)))
    path = written(tmp_path, *lines)
    assert read_cohort(path).iloc[1].isna().all()


def test_visits_of_patients_that_nobody_names_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "session,relief_test,age", "1,30,50", "2,40,50", "1,9,60")
    with pytest.raises(InvalidCohortError, match="a column that names patients"):
        read_cohort(path)
    stated = map_from({"columns": {"session": ""}})
    assert len(read_cohort(path, how=stated)) == 3
    same = written(tmp_path, "session,relief_test,age", "4,30,50", "4,40,50")
    assert len(read_cohort(same)) == 2
