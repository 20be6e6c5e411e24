"""Files as centres export them, and files that are none."""

from __future__ import annotations

import csv
import io
import os
import zipfile
from datetime import datetime
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

from in_words import said
from patience import PATIENCE
from responder_model.cohort import (
    check_cohort,
    inspect_file,
    read_cohort,
    write_cohort,
)
from responder_model.errors import InvalidCohortError, Problem
from responder_model.formats import open_file, text
from responder_model.simulation import simulate_cohort


def _written(folder: Path, content: str | bytes, name: str = "centre.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _problems(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(InvalidCohortError, match="problem") as caught:
        read_cohort(path)
    return caught.value.problems


FRENCH = "Pseudonyme du patient;Âge [ans];Étiologie;Traitement opioïde\r\n" + (
    "P1;54,5;AVC ischémique;oui\r\nP2;ND;amputation;non\r\n;;;\r\nP3;60;NA;\r\n"
)
TABLE = pd.DataFrame(
    {
        "patient_id": ["P1", "P2", "P3"],
        "age": [54.5, None, 60],
        "aetiology": ["ischaemic_stroke", "amputation", None],
        "opioid": [True, False, None],
    }
)


@pytest.mark.parametrize(
    "content",
    [
        FRENCH.encode("latin-1"),
        FRENCH.encode("utf-8"),
        FRENCH.encode("utf-8-sig"),
        FRENCH.encode("utf-16"),
        FRENCH.replace(";", "\t").encode("cp1252"),
        FRENCH.replace(",", ".").replace(";", ",").encode("utf-8"),
        ("sep=;\r\n" + FRENCH).encode("utf-8"),
        ("\r\n\r\n" + FRENCH.replace("\r\n", "\n")).encode("utf-8"),
        FRENCH.replace("\r\n", "\r").encode("latin-1"),
        FRENCH.replace("\r\n", ";;\r\n").encode("latin-1"),
    ],
    ids=[
        "latin-1",
        "utf-8",
        "mark",
        "utf-16",
        "tabs",
        "commas",
        "sep",
        "blank lines",
        "returns",
        "trailing",
    ],
)
def test_read_cohort_reads_messy_text(tmp_path: Path, content: bytes) -> None:
    cohort = read_cohort(_written(tmp_path, content))
    assert_frame_equal(cohort, check_cohort(TABLE))
    assert cohort.attrs["notices"] == ()


def test_read_cohort_labels_what_it_read(tmp_path: Path) -> None:
    path = _written(tmp_path, "age,weather\n54,fine\n", name="metz.csv")
    cohort = read_cohort(path, overlap_groups=["saint_etienne"])
    assert cohort.attrs["name"] == "metz"
    assert cohort.attrs["provenance"] == "cohort"
    assert cohort.attrs["overlap_groups"] == ("saint_etienne",)
    assert "'weather' is not in the dictionary" in said(cohort.attrs["notices"])[0]


def test_the_kind_of_file_is_told_by_its_content(tmp_path: Path) -> None:
    cohort = check_cohort(TABLE)
    for ending in ("xlsx", "parquet"):
        write_cohort(cohort, tmp_path / f"centre.{ending}")
        disguised = (tmp_path / f"centre.{ending}").rename(tmp_path / f"{ending}.csv")
        assert_frame_equal(read_cohort(disguised), cohort)


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_rows_are_lines_of_the_file_with_the_header_as_1(
    tmp_path: Path, ending: str
) -> None:
    frame = pd.DataFrame({"centre": ["a", "b", "c"], "age": [54, 180, 17]})
    path = tmp_path / f"centre.{ending}"
    if ending == "csv":
        frame.to_csv(path, index=False)
    elif ending == "xlsx":
        frame.to_excel(path, index=False)
    else:
        frame.to_parquet(path)
    assert [(p.row, str(p.found).removesuffix(".0")) for p in _problems(path)] == [
        (3, "180"),
        (4, "17"),
    ]


def test_rows_count_the_lines_of_a_quoted_cell(tmp_path: Path) -> None:
    content = 'centre,age\n"Saint\nRoch",54\n\n"c",180\n'
    path = _written(tmp_path, content)
    (problem,) = _problems(path)
    assert problem.row == 5


def test_a_line_of_another_length_is_one_problem(tmp_path: Path) -> None:
    path = _written(tmp_path, "age;sex\n54;F;\n30\n20;M;x\n180;F\n")
    assert [(p.row, p.field, str(p.found)) for p in _problems(path)] == [
        (3, "line", "1 cell"),
        (4, "line", "3 cells"),
        (5, "age", "180"),
    ]


def test_a_workbook_shows_percentages_numbers_and_dates(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    sheet.append([None])
    sheet.append(["Relief after session 1", "age", "opioid", "dn4"])
    sheet.append([0.3, 54, True, "ND"])
    sheet.append([30, datetime(2020, 5, 4), "non", 7.0])
    sheet["A3"].number_format = "0.0%"
    sheet["A4"].number_format = '0" %"'
    workbook.save(tmp_path / "centre.xlsx")
    inspection, rows = inspect_file(tmp_path / "centre.xlsx")
    assert inspection.cohort["relief_1"].tolist() == [30, 30]
    assert inspection.cohort["opioid"].tolist() == [True, False]
    assert [(p.row, p.field) for p in inspection.problems] == [(3, "age")]
    assert rows.tolist() == [2, 3]


def _workbook_of_formulas(path: Path, result: str) -> None:
    """A workbook whose age and sex are formulas, with what a spreadsheet stored."""
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    sheet.append(["patient_id", "age", "dn4"])
    sheet.append(["P1", "=50+4", 4])
    sheet.append(["P2", 60, None])
    workbook.save(path)
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    written = files["xl/worksheets/sheet1.xml"].decode()
    old = '<c r="B2"><f>50+4</f><v /></c>'
    assert old in written
    new = written.replace(old, result.format("<f>50+4</f>"))
    files["xl/worksheets/sheet1.xml"] = new.encode()
    # a spreadsheet that stores results does not ask for a calculation
    about = files["xl/workbook.xml"].decode().replace('fullCalcOnLoad="1"', "")
    files["xl/workbook.xml"] = about.encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)


@pytest.mark.parametrize(
    ("result", "age"),
    [
        ('<c r="B2">{}<v>54</v></c>', 54.0),
        ('<c r="B2" t="str">{}<v></v></c>', None),
    ],
    ids=["a number", "blank"],
)
def test_a_formula_counts_as_its_result(
    tmp_path: Path, result: str, age: float | None
) -> None:
    _workbook_of_formulas(tmp_path / "centre.xlsx", result)
    cohort = read_cohort(tmp_path / "centre.xlsx")
    assert cohort["age"].tolist() == [pytest.approx(age or np.nan, nan_ok=True), 60.0]


def test_a_formula_that_was_never_calculated_is_a_problem_not_a_blank(
    tmp_path: Path,
) -> None:
    _workbook_of_formulas(tmp_path / "centre.xlsx", '<c r="B2">{}<v></v></c>')
    (problem,) = _problems(tmp_path / "centre.xlsx")
    assert (problem.row, problem.field) == (2, "age")
    assert str(problem.found) == "=50+4 (never calculated: open and save the workbook)"


def test_a_long_pseudonym_beside_a_missing_one_keeps_its_digits(
    tmp_path: Path,
) -> None:
    numbers = [2**53 + 1, 2**53, None, 2**53 + 3]
    table = pa.table({"patient_id": numbers, "age": [50, 51, 52, None]})
    pq.write_table(table, tmp_path / "centre.parquet")
    cohort = read_cohort(tmp_path / "centre.parquet")
    known = cohort["patient_id"].dropna().tolist()
    assert known == [str(number) for number in numbers if number]
    assert cohort["age"].dropna().tolist() == [50.0, 51.0, 52.0]


def test_parquet_of_a_typed_frame_with_an_index(tmp_path: Path) -> None:
    cohort = check_cohort(TABLE)
    cohort.set_index(pd.Index(["x", "y", "z"])).to_parquet(tmp_path / "c.parquet")
    assert_frame_equal(read_cohort(tmp_path / "c.parquet"), cohort)


def test_parts_of_a_file_are_one_cohort(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "BLOCK_BYTES", 20)
    path = _written(tmp_path, "age,age\n" + "54,54\n" * 10)
    parts = list(open_file(path).tables())
    assert [len(part.cells) for part in parts] == [0, 4, 4, 2]
    assert parts[3].rows.tolist() == [10, 11]


def test_simulated_rows_label_the_cohort_read(tmp_path: Path) -> None:
    path = _written(tmp_path, "Âge;Provenance\n54;centre\n60;simulé\n")
    assert read_cohort(path).attrs["provenance"] == "simulated"


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "names columns of the dictionary"),
        (b"\n\n", "names columns of the dictionary"),
        (b"weather,wind\n1,2\n", "names columns of the dictionary"),
        (b"age,sex\n", "at least one patient"),
        (b"age,sex\n,\n", "at least one patient"),
        (b"age\n5\x004\n", "that can be opened"),
        (b"age\n" + b"1" * 200_000, "that can be opened"),
        (b'age;sex\n"54;F\n30;M\n', "that can be opened"),
        (b"PK\x03\x04 no workbook", "that can be opened"),
        (b"PAR1 no parquet", "that can be opened"),
        (b"\xff\xfeage", "that can be opened"),
        (b"\xd0\xcf\x11\xe0 old", "saved as .xlsx without a password"),
        (bytes(range(256)) * 50, "that can be opened"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes, rule: str) -> None:
    with pytest.raises(InvalidCohortError, match=rule):
        read_cohort(_written(tmp_path, content))


@pytest.mark.parametrize("name", ["absent.csv", ".", "\0"])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidCohortError, match="that can be opened"):
        read_cohort(tmp_path / name)


@pytest.mark.timeout(PATIENCE)
def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (problem,) = _problems(tmp_path / "pipe")
    assert str(problem.found) == "a folder, a pipe or a device"


def test_a_workbook_without_cells_is_refused(tmp_path: Path) -> None:
    openpyxl.Workbook().save(tmp_path / "empty.xlsx")
    with pytest.raises(InvalidCohortError, match="names columns of the dictionary"):
        read_cohort(tmp_path / "empty.xlsx")


def test_parquet_with_nested_cells_gives_problems(tmp_path: Path) -> None:
    frame = pd.DataFrame({"age": [[54, 55]], "opioid": [{"a": 1}], "sex": ["F"]})
    frame.to_parquet(tmp_path / "nested.parquet")
    fields = [problem.field for problem in _problems(tmp_path / "nested.parquet")]
    assert fields == ["age", "opioid"]


# ---------------------------------------------------------------- 40 planted errors

# (row of the file, column, what is planted): every kind of offending cell.
PLANTED = [
    (2, "age", "17"),
    (3, "age", "101"),
    (4, "age", "-54"),
    (5, "age", "54 mois"),
    (6, "age", "inf"),
    (7, "age", "5O"),
    (8, "age", "12/03/1961"),
    (9, "pain_duration", "0"),
    (10, "pain_duration", "841"),
    (11, "pain_duration", "> 2 years"),
    (12, "pain_intensity", "10,5"),
    (13, "pain_intensity", "-1"),
    (14, "dn4", "4,5"),
    (15, "dn4", "11"),
    (16, "depression", "22"),
    (17, "anxiety", "?"),
    (18, "catastrophising", "53"),
    (19, "magnification", "13"),
    (20, "fatigue", "7/21"),
    (21, "sex", "X"),
    (22, "aetiology", "stroke"),
    (23, "lesion_site", "cerebellum"),
    (24, "pain_site", "arm + leg"),
    (25, "motor_deficit", "moderate"),
    (26, "severe_dysaesthesia", "perhaps"),
    (27, "opioid", "2"),
    (28, "antiepileptic", "-1"),
    (29, "relief_1", "101"),
    (30, "relief_2", "-101 %"),
    (31, "relief_3", "30 pts"),
    (32, "relief_days_1", "61"),
    (33, "relief_days_2", "-1"),
    (34, "relief_days_3", "2;5"),
    # contradictions: what is planted is set in the test
    (40, "lesion_type", None),
    (41, "lesion_type", None),
    (50, "rtms_responder", None),
    (51, "emcs_success", None),
    (60, "patient_id", None),
    (61, "patient_id", None),
    (214, "age", "1e3"),
]


def _planted_cells(row: dict[str, str], name: str, first: str) -> dict[str, str]:
    """Return the cells that make a row contradict itself, or another one."""
    if name == "lesion_type":
        other = "peripheral" if row["lesion_type"] == "central" else "central"
        return {"lesion_type": other}
    if name == "rtms_responder":
        return {"relief_test": "20", "rtms_responder": "oui"}
    if name == "emcs_success":
        return {"emcs_relief": "40", "emcs_success": "non"}
    return {"patient_id": first}


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    cohort = simulate_cohort(n_patients=213, seed=3)
    write_cohort(cohort, tmp_path / "clean.csv", lang=None)
    text = (tmp_path / "clean.csv").read_text(encoding="utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(text)))
    assert len(lines) == 213
    first = lines[0]["patient_id"]
    for row, name, found in PLANTED:
        line = lines[row - 2]
        cells = {name: found} if found else _planted_cells(line, name, first)
        line.update(cells)
    path = tmp_path / "planted.csv"
    with path.open("w", encoding="latin-1", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(lines)
    return path


def test_40_planted_errors_are_exactly_40_problems(planted: Path) -> None:
    problems = _problems(planted)
    assert len(PLANTED) == 40
    assert {(p.row, p.field) for p in problems} == {(r, n) for r, n, _ in PLANTED}
    assert len(problems) == 40
    found = {(p.row, p.field): str(p.found) for p in problems}
    assert all(found[row, name] == text for row, name, text in PLANTED if text)


def test_problems_come_in_the_order_of_the_file(planted: Path) -> None:
    rows = [problem.row or 0 for problem in _problems(planted)]
    assert rows == sorted(rows)


def test_the_error_text_shows_no_planted_value(planted: Path) -> None:
    with pytest.raises(InvalidCohortError, match="^40 problems") as caught:
        read_cohort(planted)
    for planted_text in ("54 ans", "12/03/1961", "cerebellum", "7/10"):
        assert planted_text not in str(caught.value)


def test_inspect_file_keeps_what_can_be_read(planted: Path) -> None:
    inspection, rows = inspect_file(planted)
    assert len(inspection.cohort) == len(rows) == 213
    assert rows.tolist() == list(range(2, 215))
    assert np.isnan(inspection.cohort["age"].iloc[0])
