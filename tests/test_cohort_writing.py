"""Entry sheets and written cohorts are read back as they were meant."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from responder_model.cohort import (
    check_cohort,
    read_cohort,
    write_cohort,
    write_template,
)
from responder_model.errors import InvalidCohortError, ResponderModelError
from responder_model.labels import standing_note
from responder_model.schema import dictionary
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


def test_a_filled_template_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sheet.xlsx"
    write_template(path, "fr")
    workbook = openpyxl.load_workbook(path)
    sheet = workbook.worksheets[0]
    sheet["C2"], sheet["D2"], sheet["E2"] = 54, "femme", "AVC ischémique"
    workbook.save(path)
    cohort = read_cohort(path)
    assert cohort["age"].tolist() == [54]
    assert cohort["sex"].tolist() == ["female"]
    assert cohort["lesion_type"].tolist() == ["central"]


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
