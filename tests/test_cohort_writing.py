"""Entry sheets and written cohorts are read back as they were meant."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from responder_model.cohort import (
    check_cohort,
    inspect_file,
    read_cohort,
    write_cohort,
    write_template,
)
from responder_model.errors import InvalidCohortError, ResponderModelError
from responder_model.labels import standing_note
from responder_model.schema import Field, dictionary
from responder_model.simulation import simulate_cohort
from responder_model.vocabulary import find_field

ENTERED = [name for name in dictionary().fields if name != "provenance"]


def _fields(header: list[str]) -> list[str | None]:
    return [field.name if field else None for field in map(find_field, header)]


@pytest.mark.parametrize(
    ("lang", "delimiter", "age"), [("en", ",", "Age [years]"), ("fr", ";", "Âge [ans]")]
)
def test_template_csv_names_every_field(
    tmp_path: Path, lang: str, delimiter: str, age: str
) -> None:
    write_template(tmp_path / "sheet.csv", lang)
    text = (tmp_path / "sheet.csv").read_bytes().decode("utf-8-sig")
    header = text.strip().split(delimiter)
    assert age in header
    assert _fields(header) == ENTERED


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_template_workbook_has_lists_limits_and_help(tmp_path: Path, lang: str) -> None:
    write_template(tmp_path / "sheet.xlsx", lang)
    workbook = openpyxl.load_workbook(tmp_path / "sheet.xlsx")
    sheet, help_sheet, lists = workbook.worksheets
    assert _fields([cell.value for cell in sheet[1]]) == ENTERED
    assert [row[1].value for row in help_sheet.iter_rows(min_row=2)] == ENTERED
    assert lists.sheet_state == "hidden"
    rules = {
        str(rule.sqref).split(":")[0].rstrip("2"): rule
        for rule in sheet.data_validations.dataValidation
    }
    for cell in sheet[1]:
        field = find_field(cell.value)
        assert field is not None
        stands = standing_note(field.name)
        said = field.help[lang] + ("" if stands is None else f" {stands.text(lang)}")
        assert cell.comment.text == said
        kind = rules[cell.column_letter].type if field.kind != "text" else None
        expected = "whole" if field.integer else "decimal"
        assert kind == {"text": None, "number": expected}.get(field.kind, "list")
    words = [cell.value for cell in lists["E"] if cell.value]
    assert words == [c.label[lang] for c in dictionary().fields["aetiology"].categories]


@pytest.mark.parametrize("name", ["sheet.csv", "sheet.xlsx"])
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_an_empty_template_is_refused_for_want_of_patients_only(
    tmp_path: Path, lang: str, name: str
) -> None:
    write_template(tmp_path / name, lang)
    with pytest.raises(InvalidCohortError, match="at least one patient") as caught:
        read_cohort(tmp_path / name)
    assert len(caught.value.problems) == 1
    assert caught.value.notices == ()


def _choices(path: Path, lang: str) -> dict[str, list[str]]:
    """What the lists of a template offer, by field."""
    write_template(path, lang)
    sheet, _, lists = openpyxl.load_workbook(path).worksheets
    return {
        field.name: [str(cell.value) for cell in lists[head.column_letter]]
        for head in sheet[1]
        if (field := find_field(head.value)) and field.kind in ("category", "boolean")
    }


def _typed(field: Field, value: object, words: list[str]) -> object:
    """A value as somebody enters it: a word of the list, relief with its sign."""
    if value is None:
        return None
    if field.kind == "boolean":
        return words[0 if value else 1]
    if field.kind == "category":
        return words[field.category_names.index(str(value))]
    return f"{value:g} %" if field.name.startswith("relief_1") else value


def _fill_workbook(path: Path, lang: str, rows: list[list[object]]) -> None:
    """Enter rows as a spreadsheet does: 40 % is 0.4 in a format of percents."""
    write_template(path, lang)
    workbook = openpyxl.load_workbook(path)
    for at, row in enumerate(rows, start=2):
        for column, value in enumerate(row, start=1):
            cell = workbook.worksheets[0].cell(at, column, value)
            if isinstance(value, str) and value.endswith(" %"):
                cell.value, cell.number_format = float(value[:-2]) / 100, "0%"
    workbook.save(path)


def _fill_text(path: Path, lang: str, rows: list[list[object]]) -> None:
    write_template(path, lang)
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter={"en": ",", "fr": ";"}[lang])
        for row in rows:
            texts = ["" if value is None else str(value) for value in row]
            writer.writerow([t.replace(".", ",") if lang == "fr" else t for t in texts])


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_filled_template_is_read_without_a_question(
    tmp_path: Path, lang: str, kind: str
) -> None:
    cohort = simulate_cohort(n_patients=30, n_implanted=12, seed=8)
    cohort["patient_id"] = [f"{k:03d}" for k in range(1, 31)]
    words = _choices(tmp_path / "empty.xlsx", lang)
    fields = [dictionary().fields[name] for name in ENTERED]
    known = cohort.reindex(columns=ENTERED).astype(object)
    rows = [
        [_typed(f, v, words.get(f.name, [])) for f, v in zip(fields, row, strict=True)]
        for row in known.where(known.notna(), None).itertuples(index=False)
    ]
    path = tmp_path / f"filled.{kind}"
    (_fill_text if kind == "csv" else _fill_workbook)(path, lang, rows)
    found, _ = inspect_file(path)
    assert (found.problems, found.questions) == ((), ())
    wanted = cohort.drop(columns="provenance")
    assert_frame_equal(found.cohort[wanted.columns], wanted, check_names=False)


def test_a_template_keeps_the_zeros_before_a_pseudonym(tmp_path: Path) -> None:
    write_template(tmp_path / "sheet.xlsx", "en")
    sheet = openpyxl.load_workbook(tmp_path / "sheet.xlsx").worksheets[0]
    heads = {cell.value: cell.column_letter for cell in sheet[1]}
    kinds = {find_field(h): sheet.column_dimensions[at] for h, at in heads.items()}
    as_text = {f.name for f, column in kinds.items() if column.number_format == "@"}
    assert as_text == {"patient_id", "centre"}


@pytest.mark.parametrize("name", ["sheet.ods", "sheet", "sheet.xls"])
def test_a_name_of_another_kind_of_file_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with pytest.raises(ResponderModelError, match=r"must end in \.csv, \.xlsx, got"):
        write_template(path, "en")
    with pytest.raises(ResponderModelError, match=r"\.csv, \.parquet, \.xlsx, got"):
        write_cohort(simulate_cohort(n_patients=2, seed=1), path)
    assert not path.exists()


def test_a_language_that_is_not_spoken_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResponderModelError, match="lang must be one of en, fr"):
        write_template(tmp_path / "sheet.csv", "de")
    with pytest.raises(ResponderModelError, match="lang must be one of en, fr"):
        write_cohort(pd.DataFrame({"age": [54.0]}), tmp_path / "c.csv", lang="de")


@pytest.mark.parametrize("name", ["c.csv", "c.xlsx", "c.parquet"])
@pytest.mark.parametrize("lang", [None, "en", "fr"])
def test_a_simulated_cohort_is_read_back_equal(
    tmp_path: Path, name: str, lang: str | None
) -> None:
    cohort = check_cohort(simulate_cohort(n_patients=40, seed=5))
    write_cohort(cohort, tmp_path / name, lang=lang)
    again = read_cohort(tmp_path / name)
    assert_frame_equal(again, cohort)
    assert again.attrs["provenance"] == "simulated"


@pytest.mark.parametrize("name", ["c.csv", "c.xlsx", "c.parquet"])
def test_a_simulated_label_is_written_into_the_rows(tmp_path: Path, name: str) -> None:
    cohort = simulate_cohort(n_patients=10, seed=6).drop(columns="provenance")
    write_cohort(cohort, tmp_path / name)
    assert read_cohort(tmp_path / name).attrs["provenance"] == "simulated"
    assert "provenance" not in cohort


texts = st.text(st.characters(codec="utf-8"), max_size=8)
patients = st.tuples(
    texts,
    # 98 and 99 may be codes too
    st.one_of(st.none(), st.floats(18, 97)),
    st.sampled_from([None, *dictionary().fields["aetiology"].category_names]),
    st.sampled_from([None, True, False]),
    # a number between -1 and 1 may be a fraction, a whole one below 0 a code
    st.one_of(
        st.none(),
        st.floats(-90, -2).filter(lambda value: not value.is_integer()),
        st.floats(2, 90),
    ),
)


@given(
    rows=st.lists(patients, min_size=1, max_size=5),
    name=st.sampled_from(["c.csv", "c.xlsx", "c.parquet"]),
    lang=st.sampled_from([None, "en", "fr"]),
)
@settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_what_is_written_is_read_back(
    tmp_path: Path, *, rows: list[tuple[object, ...]], name: str, lang: str | None
) -> None:
    columns = ["centre", "age", "aetiology", "opioid", "relief_1"]
    frame = pd.DataFrame(rows, columns=columns).assign(
        patient_id=[f"P{i}" for i in range(len(rows))]
    )
    printable = frame["centre"].map(lambda text: " ".join(text.split()).isprintable())
    cohort = check_cohort(frame.assign(centre=frame["centre"].where(printable)))
    write_cohort(cohort, tmp_path / name, lang=lang)
    assert_frame_equal(read_cohort(tmp_path / name), cohort)
