"""Text as hospitals export it: letters, separators, marks of numbers, lines on top."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from in_words import said
from responder_model.cohort import inspect_file, map_from, read_cohort
from responder_model.errors import InvalidCohortError

CASES = Path(__file__).parent / "cases"
EXPECTED = json.loads((CASES / "expected.json").read_text(encoding="utf-8"))
HEAD = "patient_id;Âge;Étiologie;Siège de la douleur;relief_test"
LINES = [HEAD, "a;50;AVC ischémique;hémicorps;40", "b;61;amputation;main;10"]


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "a.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def found_in(path: Path, name: str) -> list[object]:
    cells = inspect_file(path)[0].cohort[name].tolist()
    return [None if pd.isna(x) else x for x in cells]


def test_sas_dots_are_missing_for_numbers() -> None:
    for name, expected in EXPECTED["sas_dots.csv"]["values"].items():
        assert found_in(CASES / "sas_dots.csv", name) == expected


ASKED = {
    "fractions.csv": {"relief_1", "relief_test"},
    "fractions_mixed.csv": {"relief_1", "relief_test"},
    "duration_in_years.csv": {"pain_duration"},
    "sentinels.csv": {"age", "relief_1", "relief_test"},
    "redcap_missing_codes.csv": {"opioid", "relief_test"},
}


@pytest.mark.parametrize("name", ASKED)
def test_what_may_be_meant_otherwise_is_asked(name: str) -> None:
    with pytest.raises(InvalidCohortError) as caught:
        read_cohort(CASES / name)
    assert {question.field for question in caught.value.questions} == ASKED[name]


def test_codes_that_are_declared_are_missing() -> None:
    how = map_from(
        {"missing_codes": [-99, -9, 99], "kept": {"depression": [9], "fatigue": [9]}}
    )
    cohort = read_cohort(CASES / "sentinels.csv", how=how)
    for name, expected in EXPECTED["sentinels.csv"]["values"].items():
        assert [None if pd.isna(x) else x for x in cohort[name]] == expected


# ---------------------------------------------------------------- letters


@pytest.mark.parametrize(
    ("encoding", "told"),
    [("mac_roman", "Mac Roman"), ("cp850", "DOS"), ("cp1252", ""), ("utf-8", "")],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_letters_of_other_machines_are_read(
    tmp_path: Path, encoding: str, told: str, end: str
) -> None:
    path = written(tmp_path, end.join(LINES).encode(encoding))
    cohort = read_cohort(path)
    assert cohort["age"].tolist() == [50, 61]
    assert cohort["aetiology"].tolist() == ["ischaemic_stroke", "amputation"]
    assert cohort["pain_site"].tolist()[0] == "hemibody"
    notices = cohort.attrs["notices"]
    assert bool(notices) == bool(told)
    assert told in " ".join(map(str, notices))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_wide_letters_without_a_mark_are_read(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, "\r\n".join(LINES).encode(encoding))
    assert read_cohort(path)["age"].tolist() == [50, 61]


def test_a_mark_of_utf_8_before_other_letters_is_no_part_of_a_heading(
    tmp_path: Path,
) -> None:
    content = b"\xef\xbb\xbf" + "\n".join(LINES).encode("cp1252")
    cohort = read_cohort(written(tmp_path, content))
    assert cohort["patient_id"].tolist() == ["a", "b"]


def test_letters_that_were_converted_twice_are_refused(tmp_path: Path) -> None:
    twice = "\n".join(LINES).encode().decode("cp1252", errors="ignore")
    with pytest.raises(InvalidCohortError, match="exported again as UTF-8"):
        read_cohort(written(tmp_path, twice))


def test_letters_that_are_lost_are_refused(tmp_path: Path) -> None:
    lost = "\n".join(LINES).encode("cp1252").decode("utf-8", errors="replace")
    with pytest.raises(InvalidCohortError, match="exported again as UTF-8"):
        read_cohort(written(tmp_path, lost))


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("x;pain_duration;pain_intensity\na;1.200;6,5\n", "1.200 (1200, or 1.200?)"),
        ("x;pain_duration\na;1.200\n", "1.200 (1200, or 1.200?)"),
        ('x,pain_duration,dn4\na,"1,200",6\n', "1,200 (1200, or 1.200?)"),
        ('x,pain_duration,fatigue\na,"1,200",6.5\n', "1,200 (1200, or 1.200?)"),
        ("x;pain_duration;fatigue\na;1.200,5;6\n", "1.200,5"),
        ("x;pain_duration\na;1 200\n", "1 200"),
    ],
)
def test_a_mark_of_thousands_is_asked_about(
    tmp_path: Path, lines: str, problem: str
) -> None:
    inspection, _ = inspect_file(written(tmp_path, lines))
    assert [str(p.found) for p in inspection.problems] == [problem]


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        ("x,pain_duration,fatigue\na,1.200,6.5\n", 1.2),
        ("x;pain_duration;fatigue\na;1,200;6,5\n", 1.2),
        ("x;pain_duration;fatigue\na;1,25;6\n", 1.25),
        ("x;relief_1\na;0.125\n", 0.125),
    ],
)
def test_a_decimal_mark_that_the_file_has_shown_is_one(
    tmp_path: Path, lines: str, value: float
) -> None:
    name = lines.split("\n")[0].replace(",", ";").split(";")[1]
    assert found_in(written(tmp_path, lines), name) == [value]


def test_a_pseudonym_with_a_point_stays(tmp_path: Path) -> None:
    path = written(tmp_path, "patient_id;age\n1.200;50\n1.300;60\n")
    assert read_cohort(path)["patient_id"].tolist() == ["1.200", "1.300"]


def test_commas_that_separate_and_are_decimal_are_refused(tmp_path: Path) -> None:
    rows = "".join(f"{k},{50 + k},7,5,30\n" for k in range(5))
    path = written(tmp_path, "patient_id,age,pain_intensity,relief_1\n" + rows)
    with pytest.raises(InvalidCohortError, match="exported with ; or with quoted"):
        read_cohort(path)


def test_a_decimal_comma_does_not_push_cells_along(tmp_path: Path) -> None:
    lines = "patient_id,pain_intensity,relief_1,relief_2\na,7,5,\nb,7,30,\nc,7,5,30,\n"
    inspection, _ = inspect_file(written(tmp_path, lines))
    assert [(p.row, p.field) for p in inspection.problems] == [(4, "line")]


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_cells_are_separated_by_any_mark(tmp_path: Path, mark: str) -> None:
    path = written(tmp_path, "\n".join(LINES).replace(";", mark) + "\n")
    assert read_cohort(path)["relief_test"].tolist() == [40, 10]


# ---------------------------------------------------------------- where it begins


@pytest.mark.parametrize("repeat", [1, 40])
def test_titles_units_and_totals_of_text_are_no_patients(
    tmp_path: Path, repeat: int
) -> None:
    top = ["Registre 2024;;;", "", "id;Âge;Durée de la douleur;Soulagement S1"]
    units = "(anonyme);ans;années;%".replace("(anonyme)", "")
    patients = [f"p{k};54;2;30" for k in range(repeat)]
    bottom = ["", "Moyenne;54;2;30"]
    path = written(tmp_path, "\n".join([*top, units, *patients, *bottom]) + "\n")
    inspection, rows = inspect_file(path)
    assert not inspection.problems
    assert inspection.cohort["pain_duration"].tolist() == [24] * repeat
    assert rows[0] == 3
    notices = " ".join(map(str, inspection.notices))
    assert "headings were read from line 3" in notices
    assert "line 4 was read as units" in notices
    assert "a line of totals (Moyenne)" in notices


def test_a_word_among_numbered_pseudonyms_is_a_remark(tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    lines = ("id;age;EN", "Hommes;;", "P1;54;7", "P2;61;6", "Femmes;;", "P3;47;5")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    inspection, rows = inspect_file(path)
    assert rows.tolist() == [3, 4, 6]
    assert any("Femmes" in text for text in said(inspection.notices))
    # where pseudonyms are words, a word alone is a patient of whom nothing is known
    path.write_text("id;age;EN\nKIWI;54;7\nPOIRE;61;6\nPRUNE;;\n", encoding="utf-8")
    assert inspect_file(path)[0].n_left_out == 0
