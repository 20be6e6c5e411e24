"""Lines and cells that are no patients, and pseudonyms that are none."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from in_words import said
from responder_model.cohort import inspect_file
from responder_model.development import published_model
from responder_model.errors import Problem
from responder_model.scoring import score_file

HEADINGS = ["patient_id", "age", "pain_duration", "relief_test"]
PATIENTS = [
    ["P1", 50, 60, 45],
    ["P2", 61, 24, 5],
    ["P3", 47, 36, 35],
    ["P4", 70, 12, 10],
]


@pytest.fixture(params=["xlsx", "csv"])
def inspect(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Any]:
    """Write lines as a workbook or as text, and inspect what is read of it."""

    def inspected(*lines: list[Any]) -> Any:
        path = tmp_path / f"lines.{request.param}"
        if request.param == "csv":
            with path.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file, delimiter=";").writerows(lines)
        else:
            book = openpyxl.Workbook()
            for line in lines:
                book.active.append(line)
            book.save(path)
        return inspect_file(path)[0]

    return inspected


@pytest.mark.parametrize(
    "remark",
    [
        *("Légende : 1 = oui, 0 = non", "* patient exclu", "Source:"),
        *("n.b. à revoir un", "4 patients", "4 Lignes"),
    ],
)
def test_a_remark_below_the_patients_is_no_patient(inspect: Any, remark: str) -> None:
    found = inspect(HEADINGS, *PATIENTS, [remark, None, None, None])
    assert len(found.cohort) == 4
    assert f"({remark})" in said(found.notices)[-1]
    assert (found.problems, found.n_left_out) == ((), 1)


@pytest.mark.parametrize("place", [0, 2])
@pytest.mark.parametrize(
    "footer",
    ["Export du 12/03/2026", "Printed on 2026-03-12 by Dr Exemple", "Page 1/3"],
)
def test_what_a_program_prints_below_is_no_patient(
    inspect: Any, footer: str, place: int
) -> None:
    line = [footer if k == place else None for k in range(4)]
    found = inspect(HEADINGS, *PATIENTS, line)
    assert (len(found.cohort), found.problems) == (4, ())
    told = said(found.notices)[-1]
    assert f"({footer.split()[0]} …)" in told
    assert "Exemple" not in told


@pytest.mark.parametrize("words", [["Min", "Max", "ET", "%"], ["Médiane", "Q1", "Q3"]])
def test_statistics_below_are_no_patients(inspect: Any, words: list[str]) -> None:
    below = [[word, 47 + k, 12, 5] for k, word in enumerate(words)]
    found = inspect(HEADINGS, *PATIENTS, *below, ["Export du 12/03/2026"] + [None] * 3)
    assert (len(found.cohort), found.problems) == (4, ())
    # where a column of words is the first, and nobody is named
    lines = [["A", *patient[1:]] for patient in PATIENTS]
    unnamed = inspect(["Centre", *HEADINGS[1:]], *lines, *below)
    assert (len(unnamed.cohort), unnamed.problems) == (4, ())


def test_smallest_and_largest_without_a_word_are_no_patients(inspect: Any) -> None:
    below = [[None, 47, 12, 5], [None, 70, 60, 45]]
    assert len(inspect(HEADINGS, *PATIENTS, *below).cohort) == 4
    lines = [line[1:] for line in (HEADINGS, *PATIENTS, [0, 57, 33, 23.75], *below)]
    assert len(inspect(*lines).cohort) == 4


def test_initials_that_may_be_a_word_for_totals_are_asked_about(inspect: Any) -> None:
    initials = [
        [f"A{k}".translate({48 + k: 97 + k}), *p[1:]] for k, p in enumerate(PATIENTS)
    ]
    (problem,) = inspect(HEADINGS, *initials, ["ET", 50, 12, 30]).problems
    assert problem.field == "patient_id"
    centres = [["AB", *patient[1:]] for patient in PATIENTS]
    (problem,) = inspect(["Centre", *HEADINGS[1:]], *centres, ["ET", 50, 1, 3]).problems
    assert (problem.rule, problem.row) == ("formats.a_patient", 6)
    two = [["ET", 50, 12, 30], ["ET", 51, 13, 31]]
    assert inspect(["Centre", *HEADINGS[1:]], *centres, *two).problems == ()


def test_several_last_lines_without_identifier_are_asked_about(inspect: Any) -> None:
    found = inspect(HEADINGS, *PATIENTS, [None, 58, 30, 20], [None, 51, 30, 20])
    assert [(p.row, p.field) for p in found.problems] == [
        (6, "patient_id"),
        (7, "patient_id"),
    ]


def test_rows_of_which_nothing_is_read_are_told(inspect: Any) -> None:
    lines = [[*patient[1:], None] for patient in PATIENTS]
    found = inspect([*HEADINGS[1:], "ville"], *lines, [None, None, None, "Lyon"])
    assert "1 row has nothing in the columns that are read" in said(found.notices)[-1]


def test_a_word_alone_below_a_blank_line_is_no_patient(inspect: Any) -> None:
    blank = [None] * 4
    found = inspect(HEADINGS, *PATIENTS, blank, ["Fin", None, None, None])
    assert found.cohort["patient_id"].tolist() == ["P1", "P2", "P3", "P4"]


def test_a_patient_of_whom_nothing_is_known_is_one(inspect: Any) -> None:
    found = inspect(HEADINGS, *PATIENTS, ["P5", None, None, None])
    assert (len(found.cohort), found.problems) == (5, ())


def test_a_name_alone_in_its_line_is_refused_and_not_shown(inspect: Any) -> None:
    found = inspect(HEADINGS, *PATIENTS, ["Mme Exemple Anne Marie", None, None, None])
    (problem,) = found.problems
    assert (problem.rule, problem.found) == ("patient.pseudonym", "")
    assert not any("Exemple" in told for told in said(found.notices))


def test_a_last_line_without_identifier_is_asked_about(inspect: Any) -> None:
    found = inspect(HEADINGS, *PATIENTS, [None, 58, 30, 20])
    (problem,) = found.problems
    assert (problem.row, problem.field) == (6, "patient_id")


@pytest.mark.parametrize("last", [[57, 33, 23.75], [57.0, 33, 23.8], [228, 132, 95]])
def test_means_and_sums_without_a_word_are_no_patient(
    inspect: Any, last: list[float]
) -> None:
    found = inspect(HEADINGS[1:], *(patient[1:] for patient in PATIENTS), last)
    assert len(found.cohort) == 4
    assert found.n_left_out == 1
    assert found.problems == ()


def test_a_patient_like_the_others_is_no_mean(inspect: Any) -> None:
    lines = [patient[1:] for patient in PATIENTS]
    found = inspect(HEADINGS[1:], *lines, [57, 33, 24.5])
    assert (len(found.cohort), found.n_left_out) == (5, 0)
    same = inspect(HEADINGS[1:], *([[50, 60, 30]] * 5))
    assert (len(same.cohort), same.n_left_out) == (5, 0)


def test_a_table_that_is_turned_round_is_refused(inspect: Any) -> None:
    lines = zip(HEADINGS, *PATIENTS, strict=True)
    found = inspect(*map(list, lines))
    assert "cohort.no_heading" in {problem.rule for problem in found.problems}


def test_headings_that_come_again_are_refused(inspect: Any) -> None:
    found = inspect(HEADINGS, *PATIENTS[:2], HEADINGS, *PATIENTS[2:])
    rules = {problem.field: problem.rule for problem in found.problems}
    assert rules["patient_id"] == "cohort.no_heading"


def test_initials_that_are_a_synonym_are_a_pseudonym(inspect: Any) -> None:
    found = inspect(HEADINGS, *PATIENTS, ["EN", 50, 12, 30])
    assert found.problems == ()


@pytest.mark.parametrize("identifier", ["=1+1", "@SUM(A1)", "+A1", "-A1"])
def test_a_pseudonym_that_is_a_formula_is_refused(
    tmp_path: Path, identifier: str
) -> None:
    path = tmp_path / "ids.csv"
    path.write_text(f"patient_id,age,relief_1\nP1,54,30\n{identifier},61,10\n")
    (problem,) = inspect_file(path)[0].problems
    assert (problem.row, problem.rule) == (3, "cohort.no_formula")
    out = tmp_path / "scores.csv"
    score_file(published_model("rtms_response", "session_1"), path, out)
    written = [out, out.with_name("scores_set_aside.csv")]
    cells = [
        cell
        for name in written
        for row in csv.reader(name.read_text(encoding="utf-8").splitlines())
        for cell in row
    ]
    assert f"'{identifier}" in cells
    assert not any(cell[:1] in ("=", "@", "+") for cell in cells)


def test_a_pseudonym_with_a_sign_is_one(tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_text("patient_id,age,relief_1\n-12,54,30\n-13,61,10\n")
    assert inspect_file(path)[0].problems == ()


def test_dates_of_birth_in_eight_digits_are_refused(inspect: Any) -> None:
    births = ["12031960", "01111955", "30061948", "02021970"]
    lines = [[birth, *p[1:]] for birth, p in zip(births, PATIENTS, strict=True)]
    found = inspect(HEADINGS, *lines)
    assert [p.rule for p in found.problems] == ["patient.pseudonym"] * 4
    assert {str(p.found) for p in found.problems} == {""}
    numbers = [["00120345", *PATIENTS[0][1:]], *lines[1:]]
    assert inspect(HEADINGS, *numbers).problems == ()


def test_zeros_that_a_program_keeps_for_excel_are_read(tmp_path: Path) -> None:
    path = tmp_path / "zeros.csv"
    path.write_text('patient_id;age;relief_1\n="001";="54";30\n"=""002""";61;10\n')
    found = inspect_file(path)[0]
    assert found.cohort["patient_id"].tolist() == ["001", "002"]
    assert found.cohort["age"].tolist() == [54, 61]


def test_a_name_in_doubt_is_not_shown(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for line in (HEADINGS, *PATIENTS):
        book.active.append(line)
    book.active["A3"] = "Mme Exemple"
    book.active["A3"].font = openpyxl.styles.Font(strike=True)
    book.save(tmp_path / "struck.xlsx")
    problems = inspect_file(tmp_path / "struck.xlsx")[0].problems
    about = [p for p in problems if p.field == "patient_id"]
    assert [(p.rule, p.found) for p in about] == [("patient.pseudonym", "")]
    assert all(isinstance(p, Problem) for p in about)


@pytest.mark.parametrize("footer", ["Le 12/03", "LE 2041", "Page 1", "On 5"])
def test_a_lone_pseudonym_like_a_footer_is_asked_about(
    inspect: Any, footer: str
) -> None:
    found = inspect(HEADINGS, *PATIENTS, [footer, None, None, None])
    (problem,) = found.problems
    assert (problem.field, problem.row) == ("patient_id", 6)
    assert "ou un bas de page ?" in problem.text("fr")
    unnamed = [["A", *patient[1:]] for patient in PATIENTS]
    headings = ["Centre", *HEADINGS[1:]]
    (problem,) = inspect(headings, *unnamed, [footer, None, None, None]).problems
    assert (problem.rule, problem.row) == ("formats.a_patient", 6)


@pytest.mark.parametrize("shape", ["Le 12/0{}", "Sujet n° {}", "P: {}", "Page {}/9"])
def test_a_lone_pseudonym_like_those_of_others_is_a_patient(
    inspect: Any, shape: str
) -> None:
    named = [[shape.format(k), *p[1:]] for k, p in enumerate(PATIENTS, start=1)]
    found = inspect(HEADINGS, *named, [shape.format(5), None, None, None])
    left = [*found.problems, *found.questions]
    assert len(found.cohort) == 5 or left, (found.notices, left)
    assert found.n_left_out == 0
