"""Workbooks as a person sees them: XLSX and ODS."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from openpyxl.styles import Font
from pandas.testing import assert_frame_equal
from typer.testing import CliRunner

import responder_model as rm
from in_words import said
from responder_model.cli.app import app
from responder_model.cohort import inspect_file, map_from, read_cohort, write_cohort
from responder_model.errors import InvalidCohortError
from responder_model.formats import open_file
from responder_model.formats.number_format import shown

CASES = Path(__file__).parent / "cases"
EXPECTED = json.loads((CASES / "expected.json").read_text(encoding="utf-8"))
SHEETS = [name for name in EXPECTED if name.endswith(("xlsx", "ods", "parquet"))]


@pytest.mark.parametrize("name", SHEETS)
def test_what_hospitals_have_is_read_rightly(name: str) -> None:
    inspection, _ = inspect_file(CASES / name)
    for field, expected in EXPECTED[name].get("values", {}).items():
        cells = inspection.cohort[field].tolist()
        assert [None if pd.isna(x) else x for x in cells] == expected, field
        assert not inspection.problems


SAID = {
    "mean_row.xlsx": "row 6, a line of totals (Moyenne), was left out",
    "filtered_rows.xlsx": "2 rows are hidden in the workbook",
    "hidden_first_sheet.xlsx": "sheet '2024' was read",
    "one_sheet_per_centre.xlsx": "sheet 'Centre B' was not read",
    "formula_never_calculated.xlsx": "formulas were never calculated: open and save",
    "merged_cells.xlsx": "2 rows take the value of a merged cell",
}


@pytest.mark.parametrize("name", SAID)
def test_what_was_made_of_a_workbook_is_said(name: str) -> None:
    inspection, _ = inspect_file(CASES / name)
    assert any(SAID[name] in notice for notice in said(inspection.notices))


def test_formulas_never_calculated_are_no_zeros() -> None:
    inspection, _ = inspect_file(CASES / "formula_never_calculated.xlsx")
    assert inspection.cohort["relief_test"].isna().all()
    assert [p.field for p in inspection.problems] == ["relief_test"] * 3


def test_a_unit_in_the_number_format_counts() -> None:
    inspection, _ = inspect_file(CASES / "unit_in_number_format.xlsx")
    months = inspection.cohort["pain_duration"].tolist()
    assert months[0] == 24 or str(inspection.problems[0].found) == "2 ans"


@pytest.mark.parametrize(
    ("number", "form", "expected"),
    [
        (0.45, "0%", "45 %"),
        (0.455, "0.0 %", "45.5 %"),
        (45, "0_%", 45),
        (45, "0[$%]", "45 %"),
        (45, '0" %"', "45 %"),
        (45, r"0\%", "45 %"),
        (0.45, "[<=1]0%;0", "45 %"),
        (45, "[<=1]0%;0", 45),
        (0.5, "[Red][<0.3]0.0;0%", "50 %"),
        (2, '0.0" ans"', "2 ans"),
        (7, '0"/10"', "7 /10"),
        (12, "000000", "000012"),
        (12, '"P"000', "P012"),
        (1234567, "00-00-000", "12-34-567"),
        (-5, "000", -5),
        (1234.5, "#,##0.00", 1234.5),
        (30, "General", 30),
        (0.3, "0.00", 0.3),
        (-0.1, "0%;-0%", "-10 %"),
        (3, "[$-409]0", 3),
    ],
)
def test_shown_is_what_a_spreadsheet_shows(
    number: float, form: str, expected: float | str
) -> None:
    found = shown(number, form)
    assert found == expected
    assert type(found) is type(expected)


# ---------------------------------------------------------------- where a table begins

HEAD = ["patient_id", "age", "relief_1"]
ROWS = [["P1", 54, 30], ["P2", 61, 10]]


def book(
    path: Path, rows: list[list[Any]], change: Callable[[Any], None] | None
) -> Path:
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.worksheets[0].append(row)
    if change is not None:
        change(workbook.worksheets[0])
    workbook.save(path)
    return path


def read(
    tmp_path: Path, rows: list[list[Any]], change: Callable[[Any], None] | None = None
) -> Any:
    inspection, numbers = inspect_file(book(tmp_path / "a.xlsx", rows, change))
    return inspection, numbers.tolist()


def test_title_lines_are_left_out(tmp_path: Path) -> None:
    top = [["Registre de la douleur 2024"], [None], ["édité le", "3 mai"]]
    found, rows = read(tmp_path, [*top, HEAD, *ROWS])
    assert found.cohort["relief_1"].tolist() == [30, 10]
    assert "headings were read from line 4, not from above" in said(found.notices)
    counted = "rows are counted from the headings: row 2 is line 5 of the file"
    assert counted in said(found.notices)
    assert rows == [2, 3]


def test_a_line_of_units_is_no_patient(tmp_path: Path) -> None:
    head = ["patient_id", "age", "pain_duration", "relief_1"]
    units = [None, "ans", "(années)", "%"]
    rows = [["P1", 54, 2, 30], ["P2", 61, 5, 10]]
    found, numbers = read(tmp_path, [head, units, *rows])
    assert not found.problems
    assert found.cohort["pain_duration"].tolist() == [24, 60]
    assert "line 2 was read as units, not as a patient" in said(found.notices)
    french = said(found.notices, "fr")
    assert "ligne 2 lue comme des unités, non comme un patient" in french
    assert numbers == [3, 4]


def test_two_lines_of_headings_are_read_together(tmp_path: Path) -> None:
    groups = ["patient_id", "age", "Soulagement", None, "aetiology"]
    details = [None, None, "séance 1", "séance 2", None]
    rows = [["P1", 54, 30, 40, "amputation"]]
    found, _ = read(tmp_path, [groups, details, *rows])
    assert found.cohort["relief_1"].tolist() == [30]
    assert found.cohort["relief_2"].tolist() == [40]
    assert "headings were read from two lines together" in said(found.notices)


def test_a_patient_is_not_taken_for_a_line_of_units(tmp_path: Path) -> None:
    found, _ = read(tmp_path, [["age", "relief_1"], ["54", "30 %"], ["61", "10 %"]])
    assert found.cohort["relief_1"].tolist() == [30, 10]


# ---------------------------------------------------------------- what leaves a doubt


def test_what_is_struck_through_is_asked_about(tmp_path: Path) -> None:
    def strike(sheet: Any) -> None:
        sheet["C3"].font = Font(strike=True)

    found, _ = read(tmp_path, [HEAD, *ROWS], strike)
    (problem,) = found.problems
    assert (problem.row, problem.field) == (3, "relief_1")
    assert str(problem.found) == "10 (struck through: does it count?)"


def test_a_line_that_is_struck_through_is_one_problem(tmp_path: Path) -> None:
    def strike(sheet: Any) -> None:
        for cell in sheet[3]:
            cell.font = Font(strike=True)

    found, _ = read(tmp_path, [HEAD, *ROWS], strike)
    assert [p.text() for p in found.problems] == [
        "line must be a patient that counts: take the strike away, or else delete the "
        "line, got struck through."
    ]
    assert (found.problems[0].row, len(found.cohort)) == (3, len(ROWS) - 1)


def test_a_cell_merged_over_columns_is_asked_about(tmp_path: Path) -> None:
    found, _ = read(tmp_path, [HEAD, *ROWS], lambda sheet: sheet.merge_cells("B2:C2"))
    (problem,) = found.problems
    assert str(problem.found) == "54 (one cell over several columns)"


def test_a_hidden_column_is_told(tmp_path: Path) -> None:
    def hide(sheet: Any) -> None:
        sheet.column_dimensions["B"].hidden = True

    found, _ = read(tmp_path, [HEAD, *ROWS], hide)
    assert "hidden columns were read all the same: age" in said(found.notices)
    french = said(found.notices, "fr")
    assert "colonnes masquées lues quand même : age" in french


@pytest.mark.parametrize("word", ["Moyenne", "TOTAL", "n = 2", "Écart-type", "Médiane"])
def test_a_line_of_totals_is_left_out(tmp_path: Path, word: str) -> None:
    found, rows = read(tmp_path, [HEAD, *ROWS, [word, 57.5, 20]])
    assert found.cohort["age"].tolist() == [54, 61]
    assert f"row 4, a line of totals ({word}), was left out" in said(found.notices)
    assert rows == [2, 3]


def test_what_may_be_a_pseudonym_is_asked_about(tmp_path: Path) -> None:
    found, _ = read(tmp_path, [HEAD, *ROWS, ["SD", 57.5, 20]])
    (problem,) = found.problems
    assert str(problem.found) == "SD (a patient, or a line of totals?)"


@pytest.mark.parametrize(
    "word", ["EXEMPLE", "Example 1", "(exemple)", "p. ex.", "ex. :"]
)
def test_an_example_of_how_to_fill_in_is_asked_about(tmp_path: Path, word: str) -> None:
    found, _ = read(tmp_path, [HEAD, [word, 57.5, 20], *ROWS, ["EX01", 50, 10]])
    (problem,) = found.problems
    assert problem.row == 2
    assert "a patient, or an example? Delete the line" in str(problem.found)


@pytest.mark.parametrize("n_without", [1, 12])
def test_lines_without_identifier_among_others_are_asked_about(
    tmp_path: Path, n_without: int
) -> None:
    nameless = [[None, 57.5, 20]] * n_without
    found, _ = read(tmp_path, [HEAD, ROWS[0], [None], *nameless, ROWS[1]])
    assert [p.row for p in found.problems] == [*range(4, 4 + n_without)]
    assert {str(p.found) for p in found.problems} == {
        "no identifier, though other rows have one: a patient?"
    }


def test_a_pseudonym_that_begins_like_a_total_is_a_patient(tmp_path: Path) -> None:
    ids = ["MAX01", "Moyen", "N_12", "Total1", "mean2"]
    found, _ = read(tmp_path, [HEAD, *([name, 50, 10] for name in ids)])
    assert found.cohort["patient_id"].tolist() == ids


def _told_to_calculate_by_hand(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    sheet = files["xl/worksheets/sheet1.xml"].decode()
    sheet = sheet.replace("<f>50+4</f><v />", "<f>50+4</f><v>54</v>")
    about = files["xl/workbook.xml"].decode()
    by_hand = 'calcMode="manual" calcOnSave="0"'
    files["xl/worksheets/sheet1.xml"] = sheet.encode()
    files["xl/workbook.xml"] = about.replace('fullCalcOnLoad="1"', by_hand).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)


def test_results_that_may_be_old_are_asked_about(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", [HEAD, ["P1", "=50+4", 30]], None)
    _told_to_calculate_by_hand(path)
    inspection, _ = inspect_file(path)
    (problem,) = inspection.problems
    assert (
        str(problem.found) == "54 (calculated by hand only: save the workbook with F9)"
    )


def test_a_sheet_can_be_chosen() -> None:
    path = CASES / "one_sheet_per_centre.xlsx"
    (_, table) = open_file(path, sheet="Centre B").tables()
    (_, other) = open_file(path).tables()
    assert table.cells.iloc[0].tolist() != other.cells.iloc[0].tolist()
    with pytest.raises(
        InvalidCohortError, match="one of its names: Centre A, Centre B"
    ):
        open_file(path, sheet="Centre C")
    chosen = read_cohort(path, how=map_from({"sheet": "Centre B"}))
    assert chosen["patient_id"].tolist() == [str(table.cells.iloc[0, 0])]
    done = CliRunner().invoke(app, ["check", str(path), "--sheet", "Centre B"])
    assert "1 patient, no problem" in done.output


# ---------------------------------------------------------------- OpenDocument

DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content
 xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0">
<office:automatic-styles>
 <style:style style:name="ta2" style:family="table">
  <style:table-properties table:display="false"/></style:style>
 <style:style style:name="ce1" style:family="table-cell">
  <style:text-properties style:text-line-through-style="solid"/></style:style>
</office:automatic-styles>
<office:body><office:spreadsheet>{}</office:spreadsheet></office:body>
</office:document-content>"""


def cell(text: str, kind: str = "string", value: str = "", more: str = "") -> str:
    name = {"boolean": "boolean-value"}.get(kind, "value")
    given = f' office:{name}="{value}"' if value else ""
    typed = f' office:value-type="{kind}"' if kind else ""
    shown = f"<text:p>{text}</text:p>"
    return f"<table:table-cell{typed}{given}{more}>{shown}</table:table-cell>"


def row(*cells: str, more: str = "") -> str:
    return f"<table:table-row{more}>{''.join(cells)}</table:table-row>"


def document(path: Path, *rows: str, before: str = "") -> Path:
    table = f'<table:table table:name="suivi">{"".join(rows)}</table:table>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", DOCUMENT.format(before + table))
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
    return path


TOP = row(*map(cell, ("patient_id", "age", "centre", "opioid", "relief_1")))


def test_cells_of_a_document_are_read_by_value_and_as_shown(tmp_path: Path) -> None:
    path = document(
        tmp_path / "a.ods",
        '<table:table-column table:number-columns-repeated="5"/>',
        TOP,
        row(
            cell("000002", "float", "2"),
            cell("54 ans", "float", "54"),
            cell("Lyon", more=' table:number-rows-spanned="2"'),
            cell("FAUX", "boolean", "false"),
            cell("30,4 %", "percentage", "0.304"),
        ),
        row(
            cell("000003", "float", "3"),
            cell("61,0", "float", "61"),
            "<table:covered-table-cell/>",
            cell("VRAI", "boolean", "true"),
            cell("1,00E+01", "float", "10"),
            more=' table:visibility="filter"',
        ),
        row("<table:table-cell/>", more=' table:number-rows-repeated="1048570"'),
    )
    cohort = read_cohort(path)
    assert cohort["patient_id"].tolist() == ["000002", "000003"]
    assert cohort["age"].tolist() == [54, 61]
    assert cohort["centre"].tolist() == ["Lyon", "Lyon"]
    assert cohort["opioid"].tolist() == [False, True]
    assert cohort["relief_1"].tolist() == [30.4, 10]
    assert "1 row is hidden in the workbook" in " ".join(said(cohort.attrs["notices"]))


def test_repeated_cells_of_a_document_are_all_read(tmp_path: Path) -> None:
    path = document(
        tmp_path / "a.ods",
        row(*map(cell, ("relief_1", "relief_2", "relief_3"))),
        row(
            cell("30", "float", "30", ' table:number-columns-repeated="3"'),
            more=' table:number-rows-repeated="2"',
        ),
    )
    cohort = read_cohort(path)
    assert cohort[["relief_1", "relief_2", "relief_3"]].to_numpy().tolist() == [
        [30, 30, 30],
        [30, 30, 30],
    ]


def test_doubts_of_a_document_are_asked_about(tmp_path: Path) -> None:
    struck = ' table:style-name="ce1"'
    note = "<office:annotation><text:p>99</text:p></office:annotation>"
    path = document(
        tmp_path / "a.ods",
        TOP,
        row(
            cell("P1"),
            cell("54", "float", "54", struck),
            f"<table:table-cell>{note}</table:table-cell>",
            "<table:table-cell/>",
            '<table:table-cell table:formula="of:=[.A1]*2"/>',
        ),
        before='<table:table table:name="old" table:style-name="ta2">'
        + row(cell("patient_id"), cell("age"))
        + row(cell("X"), cell("30", "float", "30"))
        + "</table:table>",
    )
    inspection, _ = inspect_file(path)
    assert inspection.cohort["centre"].isna().all()
    assert [(p.field, str(p.found)) for p in inspection.problems] == [
        ("age", "54 (struck through: does it count?)"),
        ("relief_1", "=[.A1]*2 (never calculated: open and save the workbook)"),
    ]
    notices = " ".join(said(inspection.notices))
    assert "hidden sheet 'old' was not read" in notices


# ---------------------------------------------------------------- there and back


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("engine", ["openpyxl", "odf"])
def test_a_cohort_comes_back_from_a_spreadsheet(
    tmp_path: Path, engine: Any, seed: int
) -> None:
    cohort = rm.simulate_cohort(n_patients=40, seed=seed, n_implanted=5)
    frame = cohort.astype(object).where(cohort.notna(), None)
    path = tmp_path / ("a.xlsx" if engine == "openpyxl" else "a.ods")
    frame.to_excel(path, index=False, engine=engine)
    assert_frame_equal(read_cohort(path), cohort, check_names=False)


@pytest.mark.long
@pytest.mark.skipif(shutil.which("soffice") is None, reason="no LibreOffice")
@pytest.mark.parametrize("ending", ["ods", "xlsx"])
def test_a_cohort_comes_back_from_libreoffice_in_french(
    tmp_path: Path, ending: str
) -> None:
    cohort = rm.simulate_cohort(n_patients=40, seed=3, n_implanted=5)
    write_cohort(cohort, tmp_path / "a.csv", lang="fr")
    # 59 is ";", 34 a quote, 76 UTF-8, 1036 French: what a French desktop opens it as
    subprocess.run(
        [
            *("soffice", "--headless", "--convert-to", ending, "--outdir", tmp_path),
            "--infilter=CSV:59,34,76,1,,1036",
            f"-env:UserInstallation=file://{tmp_path}/profile",
            tmp_path / "a.csv",
        ],
        check=True,
        capture_output=True,
    )
    found = read_cohort(tmp_path / f"a.{ending}")
    assert_frame_equal(found, cohort, check_names=False)


# ---------------------------------------------------------------- too much


def test_a_small_workbook_is_not_unpacked_into_all_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * (100 << 20))
    with pytest.raises(InvalidCohortError, match="smaller, or CSV"):
        read_cohort(path)


def test_a_document_that_repeats_a_cell_for_ever_is_refused(tmp_path: Path) -> None:
    for_ever = ' table:number-columns-repeated="16384"'
    path = document(
        tmp_path / "a.ods",
        TOP,
        row(cell("1", more=for_ever), more=' table:number-rows-repeated="1048576"'),
    )
    with pytest.raises(InvalidCohortError, match="smaller, or CSV"):
        read_cohort(path)


@pytest.mark.parametrize(
    ("member", "kind"),
    [
        ("xl/workbook.bin", "saved as .xlsx"),
        ("word/document.xml", "its table saved as .xlsx"),
        ("data.csv", "unpacked first"),
    ],
)
def test_other_packed_files_are_refused_by_name(
    tmp_path: Path, member: str, kind: str
) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr(member, "x")
    with pytest.raises(InvalidCohortError, match=kind):
        read_cohort(tmp_path / "a.xlsx")


@pytest.mark.parametrize(
    ("start", "way_out"),
    [
        (b"%PDF-1.7", "the table that it was printed from"),
        (b"<?xml version='1.0'?><ODM/>", "exported as CSV"),
        (b"SQLite format 3\0", "exported as CSV"),
        (b"\xd0\xcf\x11\xe0", "saved as .xlsx without a password"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\3", "that can be opened"),
    ],
)
def test_other_kinds_are_refused_by_name(
    tmp_path: Path, start: bytes, way_out: str
) -> None:
    (tmp_path / "a.csv").write_bytes(start)
    with pytest.raises(InvalidCohortError, match=way_out):
        read_cohort(tmp_path / "a.csv")
