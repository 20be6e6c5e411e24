"""Hand-made tables: read leniently, typed strictly, refused with every problem."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from responder_model.cohort import check_cohort, inspect_cohort
from responder_model.cohort.columns import _is_tidy
from responder_model.errors import InvalidCohortError, Problem
from responder_model.schema import dictionary
from responder_model.simulation import simulate_cohort

FIELDS = dictionary().fields


def _problems(frame: pd.DataFrame) -> tuple[Problem, ...]:
    with pytest.raises(InvalidCohortError, match="problem") as caught:
        check_cohort(frame)
    return caught.value.problems


def test_check_cohort_gives_the_dictionary_types_in_its_order() -> None:
    frame = pd.DataFrame(
        {
            "opioid": ["yes", "non", None],
            "aetiology": ["AVC ischémique", "amputation", None],
            "age": ["54,5", 60, np.nan],
            "centre": ["Lyon", " ", "Metz"],
        }
    )
    cohort = check_cohort(frame)
    assert list(cohort) == ["centre", "age", "aetiology", "lesion_type", "opioid"]
    assert cohort["age"].dtype == np.float64
    assert cohort["opioid"].dtype == pd.BooleanDtype()
    assert (
        tuple(cohort["aetiology"].cat.categories) == FIELDS["aetiology"].category_names
    )
    assert cohort["centre"].isna().tolist() == [False, True, False]
    assert cohort["lesion_type"].tolist() == ["central", "peripheral", np.nan]


@pytest.mark.parametrize(
    "cells",
    [
        [True, False, None],
        ["yes", "no", ""],
        [1, 0, np.nan],
        pd.array([True, False, None], dtype="boolean"),
        pd.array([1, 0, None], dtype="Int64"),
        pd.Series([True, False, None], dtype="bool[pyarrow]"),
        pd.Categorical(["oui", "non", None]),
    ],
    ids=lambda cells: str(getattr(cells, "dtype", cells)),
)
def test_yes_no_is_read_from_any_type(cells: object) -> None:
    cohort = check_cohort(pd.DataFrame({"opioid": cells}))
    assert cohort["opioid"].tolist() == [True, False, pd.NA]


@pytest.mark.parametrize(
    "cells",
    [
        [30, np.nan],
        ["30 %", "ND"],
        pd.array([30, None], dtype="Int64"),
        pd.Series([30.0, None], dtype="double[pyarrow]"),
        pd.Categorical([30, None]),
        pd.Series(["30,0", None], dtype="str"),
        pd.Series([30, None], dtype=object),
    ],
    ids=lambda cells: str(getattr(cells, "dtype", cells)),
)
def test_numbers_are_read_from_any_type(cells: object) -> None:
    cohort = check_cohort(pd.DataFrame({"relief_1": cells}))
    assert cohort["relief_1"].iloc[0] == 30
    assert np.isnan(cohort["relief_1"].iloc[1])


def test_one_offending_cell_is_one_problem() -> None:
    problems = _problems(
        pd.DataFrame({"age": [54, 180, "54 mois", True], "sex": ["F", "F", "M", "x"]})
    )
    assert [(p.row, p.field, str(p.found)) for p in problems] == [
        (3, "age", "180"),
        (4, "age", "54 mois"),
        (5, "age", "true"),
        (5, "sex", "x"),
    ]


@pytest.mark.parametrize(
    "cells",
    [
        pd.to_datetime(["2020-01-01"]),
        [[1, 2]],
        [{"a": 1}],
        [b"54"],
        [1 + 2j],
        [np.inf],
        pd.array([180], dtype="Int64"),
        pd.Categorical(["old"]),
        [float("-inf")],
        pd.Series(["\ud800"], dtype=object),
    ],
    ids=lambda cells: ascii(str(cells)),
)
def test_cells_of_a_foreign_type_are_problems(cells: object) -> None:
    (problem,) = _problems(pd.DataFrame({"age": cells}))
    assert str(problem.allowed) == "between 18 and 100 years"


def test_later_duplicates_of_an_identifier_count_once_each() -> None:
    frame = pd.DataFrame({"patient_id": ["a", "b", "a", None, "a", None]})
    problems = _problems(frame)
    assert [(p.row, str(p.allowed)) for p in problems] == [
        (4, "unique"),
        (6, "unique"),
    ]


def test_lesion_type_must_follow_from_aetiology() -> None:
    frame = pd.DataFrame(
        {
            "aetiology": ["amputation", "amputation", None, "nonsense"],
            "lesion_type": ["central", "peripheral", "central", "central"],
        }
    )
    problems = _problems(frame)
    assert [(p.row, p.field) for p in problems] == [
        (2, "lesion_type"),
        (5, "aetiology"),
    ]


def test_given_outcomes_must_agree_with_relief() -> None:
    frame = pd.DataFrame(
        {
            "relief_test": [30, 31, 31, 31, None],
            "symptom_improved": ["yes", "no", "yes", None, None],
            "rtms_responder": ["yes", "yes", "no", "no", "yes"],
            "emcs_relief": [40, 39, 40, None, 10],
            "emcs_success": ["yes", "yes", "no", "yes", None],
        }
    )
    found = [(p.row, p.field) for p in _problems(frame)]
    assert found == [
        (2, "rtms_responder"),
        (3, "rtms_responder"),
        (3, "emcs_success"),
        (4, "rtms_responder"),
        (4, "emcs_success"),
    ]


def test_outcomes_are_filled_where_they_follow() -> None:
    frame = pd.DataFrame(
        {
            "relief_test": [30, 31, 31, 31, None],
            "symptom_improved": [None, "no", "yes", None, "yes"],
            "emcs_relief": [40, 39.9, None, None, None],
        }
    )
    cohort = check_cohort(frame)
    assert cohort["rtms_responder"].tolist() == [False, False, True, pd.NA, pd.NA]
    assert cohort["emcs_success"].tolist() == [True, False, pd.NA, pd.NA, pd.NA]


def test_symptom_that_is_never_recorded_is_not_asked_for() -> None:
    frame = pd.DataFrame({"relief_test": [31, 30], "symptom_improved": [None, None]})
    assert check_cohort(frame)["rtms_responder"].tolist() == [True, False]


def test_error_text_names_fields_and_rules_but_no_value() -> None:
    frame = pd.DataFrame({"age": [187], "centre": ["a\0b"]})
    with pytest.raises(InvalidCohortError, match="Age must be between 18") as caught:
        check_cohort(frame)
    assert "187" not in str(caught.value)


def test_unknown_columns_are_notices_with_the_nearest_name() -> None:
    frame = pd.DataFrame({"age": [54], "pain_durration": [12], "": [1], 7: [2]})
    cohort, problems, notices = inspect_cohort(frame)
    assert not problems
    assert list(cohort) == ["age"]
    assert "nearest known name: Pain duration" in str(notices[0])
    assert str(notices[1]) == "column 3 has no name and was left out"
    assert len(notices) == 3
    assert cohort.attrs["notices"] == notices


def test_a_misspelt_column_is_told_however_many_are_unknown() -> None:
    frame = pd.DataFrame(np.zeros((1, 300)), columns=[f"item_{i}" for i in range(300)])
    _, _, notices = inspect_cohort(frame.assign(age=54, aetiolgy="amputation"))
    assert "nearest known name: Aetiology" in str(notices[0])


def test_numbers_are_converted_from_the_unit_of_the_heading() -> None:
    frame = pd.DataFrame(
        {
            "Ancienneté (années)": [2, 2.5, None, 90],
            "EVA (mm)": ["48", "", "7/10", "101"],
        }
    )
    cohort, problems, _ = inspect_cohort(frame)
    assert cohort["pain_duration"].tolist()[:2] == [24.0, 30.0]
    assert cohort["pain_intensity"].tolist()[0:3:2] == [4.8, 7.0]
    assert [(p.row, p.field, str(p.found)) for p in problems] == [
        (5, "pain_duration", "90.0"),
        (5, "pain_intensity", "101"),
    ]


def test_own_name_goes_before_a_synonym() -> None:
    frame = pd.DataFrame({"IPP": ["8001"], "patient_id": ["A1"], "age": [54]})
    cohort, problems, notices = inspect_cohort(frame)
    assert not problems
    assert cohort["patient_id"].tolist() == ["A1"]
    assert [str(notice) for notice in notices] == [
        "column 'IPP' was left out; Patient pseudonym is read from 'patient_id'"
    ]


def test_two_synonyms_of_one_field_are_a_problem() -> None:
    frame = pd.DataFrame({"EVA": [7], "EN": [6]})
    (problem,) = _problems(frame)
    assert (problem.field, str(problem.allowed)) == (
        "pain_intensity",
        "in one column only",
    )


def test_a_doubtful_word_is_refused_with_what_it_may_mean() -> None:
    frame = pd.DataFrame({"aetiology": ["AVC", "SEP + zona", "cancer"]})
    first, second, third = _problems(frame)
    assert first.choices == ("ischaemic_stroke", "haemorrhagic_stroke")
    assert second.choices == ("multiple_sclerosis", "postherpetic_neuralgia")
    assert third.choices == ()
    with pytest.raises(InvalidCohortError) as caught:
        check_cohort(frame.tail(2))
    assert "SEP" not in str(caught.value)


def test_many_unknown_columns_are_told_together() -> None:
    frame = pd.DataFrame(np.zeros((1, 500)), columns=[f"x{i}" for i in range(500)])
    _, _, notices = inspect_cohort(frame.assign(age=54))
    assert str(notices[-1]) == "400 more unknown columns were left out"


def test_a_repeated_column_is_a_problem() -> None:
    frame = pd.DataFrame([[54, 55]], columns=["age", "Âge"])
    (problem,) = _problems(frame)
    assert (problem.row, problem.field) == (1, "age")
    assert str(problem.allowed) == "in one column only"


@pytest.mark.parametrize(
    ("frame", "rule"),
    [
        (pd.DataFrame(), "names columns of the dictionary"),
        (pd.DataFrame({"weather": [1]}), "names columns of the dictionary"),
        (pd.DataFrame({"age": []}), "at least one patient"),
    ],
    ids=["nothing", "nothing known", "nobody"],
)
def test_a_table_without_patients_or_columns_is_refused(
    frame: pd.DataFrame, rule: str
) -> None:
    with pytest.raises(InvalidCohortError, match=rule):
        check_cohort(frame)


def test_inspect_cohort_counts_rows_from_where_it_is_told() -> None:
    frame = pd.DataFrame({"age": [54, 180]}, index=["a", "b"])
    cohort, problems, _ = inspect_cohort(frame, first_row=1002)
    assert [p.row for p in problems] == [1003]
    assert cohort.index.tolist() == ["a", "b"]
    assert np.isnan(cohort.loc["b", "age"])


def test_inspect_cohort_takes_a_part_without_patients() -> None:
    cohort, problems, _ = inspect_cohort(pd.DataFrame({"age": [54.0]}).head(0))
    assert not problems
    assert list(cohort) == ["age"]


@pytest.mark.parametrize(
    "word", ["simulated", "Simulé", "données SIMULÉES", "simulation"]
)
def test_one_simulated_row_makes_the_cohort_simulated(word: str) -> None:
    frame = pd.DataFrame({"age": [54, 60], "provenance": ["centre A", word]})
    assert check_cohort(frame).attrs["provenance"] == "simulated"


def test_a_recorded_cohort_is_called_cohort() -> None:
    frame = pd.DataFrame({"age": [54], "provenance": ["stimulation unit"]})
    assert check_cohort(frame).attrs == {
        "provenance": "cohort",
        "notices": (),
        "overlap_groups": (),
        "name": "cohort",
    }


def test_a_simulated_label_stays_without_the_column() -> None:
    cohort = simulate_cohort(n_patients=20, seed=1).drop(columns="provenance")
    assert check_cohort(cohort).attrs["provenance"] == "simulated"


def test_checking_leaves_the_given_frame_alone() -> None:
    frame = pd.DataFrame({"age": ["54,5", "180"], "aetiology": ["amputation", None]})
    before = frame.copy()
    inspect_cohort(frame)
    assert_frame_equal(frame, before)


def test_checking_a_simulated_cohort_changes_nothing() -> None:
    cohort = check_cohort(simulate_cohort(n_patients=50, seed=2))
    again = check_cohort(cohort)
    assert_frame_equal(again, cohort)
    assert again.attrs == cohort.attrs


def _cells(name: str) -> st.SearchStrategy[object]:
    field = FIELDS[name]
    if field.kind == "number":
        known = st.floats(field.minimum, field.maximum, allow_subnormal=False)
        known = known.map(round) if field.integer else known
        return st.one_of(st.none(), known, known.map(str))
    if field.kind == "boolean":
        return st.sampled_from([None, True, False, "yes", "non", 1, 0, "ND"])
    if field.kind == "category":
        words = [*field.category_names, *(c.label["fr"] for c in field.categories)]
        return st.sampled_from([None, "NA", *words])
    return st.one_of(st.none(), st.text(max_size=6))


# Fields that nothing else follows from or contradicts.
FREE = ("centre", "age", "sex", "aetiology", "dn4", "opioid", "relief_1", "provenance")


@given(st.lists(st.tuples(*map(_cells, FREE)), min_size=1, max_size=6))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_checking_twice_is_checking_once(rows: list[tuple[object, ...]]) -> None:
    frame = pd.DataFrame(rows, columns=list(FREE), dtype=object)
    cohort, problems, _ = inspect_cohort(frame)
    assert {problem.field for problem in problems} <= {"centre", "provenance"}
    assert_frame_equal(check_cohort(cohort), cohort)


@given(
    st.lists(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from(sorted(FIELDS)),
)
@settings(max_examples=150, derandomize=True, deadline=None)
def test_any_cells_give_values_or_problems(cells: list[object], name: str) -> None:
    frame = pd.DataFrame({name: pd.Series(cells, dtype=object)})
    cohort, problems, _ = inspect_cohort(frame)
    assert len(cohort) == len(cells)
    assert all(2 <= (problem.row or 0) < 2 + len(cells) for problem in problems)


@pytest.mark.parametrize("table", ["centre.csv", {"age": [54.0]}, [[54.0]], None])
def test_what_is_no_table_is_refused(table: object) -> None:
    with pytest.raises(InvalidCohortError, match="must be a pandas DataFrame"):
        check_cohort(table)


def test_another_site_than_the_aetiology_names_is_refused() -> None:
    words = ["AVC isch. thalamique G", "AVC isch. thalamique D", "amputation"]
    frame = pd.DataFrame(
        {"aetiology": words, "lesion_site": ["brainstem", None, "root"]}
    )
    (problem,) = [p for p in _problems(frame) if p.rule == "cohort.follows"]
    assert (problem.row, problem.field) == (2, "lesion_site")


@pytest.mark.parametrize("text", [" a", "a ", "a  b", "NA", "#N/A", "é", "a\tb"])
def test_texts_that_need_a_look_are_not_taken_as_they_stand(text: str) -> None:
    cells = pd.Series(["P1", text], dtype="string", name="centre")
    assert not _is_tidy(cells)
    assert _is_tidy(pd.Series(["P 1", None, "narrow"], dtype="string"))
