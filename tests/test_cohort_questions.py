"""What a cohort's values leave open is asked, and answered by a mapping."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from in_words import said
from responder_model.cohort import (
    NOTHING,
    CohortMap,
    check_cohort,
    map_from,
    read_cohort,
    read_map,
)
from responder_model.cohort.map_file import map_text
from responder_model.errors import InvalidCohortError, Question, ResponderModelError
from responder_model.labels import label_of
from responder_model.schema import dictionary
from responder_model.simulation import simulate_cohort
from responder_model.words import LANGUAGES

MANY = 40
AETIOLOGY = dictionary().fields["aetiology"]


def _asked(frame: pd.DataFrame, how: CohortMap = NOTHING) -> dict[str, list[str]]:
    """Codes of the questions by field; none where the table is a cohort."""
    found: dict[str, list[str]] = {}
    try:
        check_cohort(frame, how=how)
    except InvalidCohortError as error:
        for problem in error.unexplained:
            found.setdefault(problem.field, []).append("problem")
        for question in error.questions:
            found.setdefault(question.field, []).append(question.code)
    return found


def _questions(frame: pd.DataFrame) -> tuple[Question, ...]:
    with pytest.raises(InvalidCohortError) as caught:
        check_cohort(frame)
    return caught.value.questions


# ---------------------------------------------------------------- fractions and signs


def test_relief_that_is_never_above_1_is_asked_about() -> None:
    frame = pd.DataFrame({"relief_1": ["0,3", "0,1", "", "1"], "age": [54] * 4})
    (question,) = _questions(frame)
    assert (question.code, question.field) == ("fractions", "relief_1")
    assert question.rows == (2, 3, 5)
    how = map_from({"units": {"relief_1": "fraction"}})
    assert check_cohort(frame, how=how)["relief_1"].tolist()[:2] == [30.0, 10.0]
    as_written = map_from({"units": {"relief_1": "%"}})
    assert check_cohort(frame, how=as_written)["relief_1"].tolist()[0] == 0.3


def test_fractions_beside_percentages_are_asked_about_with_their_rows() -> None:
    frame = pd.DataFrame({"relief_test": ["0,45", "5", "35%"]})
    (question,) = _questions(frame)
    assert (question.code, question.rows) == ("fractions", (2,))
    for written in ("0,45", "0.45"):
        how = map_from({"values": {"relief_test": {written: 45}}})
        assert check_cohort(frame, how=how)["relief_test"].tolist() == [45.0, 5.0, 35.0]
    assert question.answers[0] == 'values.relief_test."0.45" = 45'
    how = map_from(tomllib.loads(question.answers[0]))
    assert check_cohort(frame, how=how)["relief_test"].tolist() == [45.0, 5.0, 35.0]


def test_a_single_fraction_is_offered_as_it_was_found() -> None:
    frame = pd.DataFrame({"relief_test": [0.37, 5, 35]})
    (question,) = _questions(frame)
    assert question.answers[0] == 'values.relief_test."0.37" = 37'
    how = map_from(tomllib.loads(question.answers[0]))
    assert check_cohort(frame, how=how)["relief_test"].tolist() == [37.0, 5.0, 35.0]


@pytest.mark.parametrize("reliefs", [[0, 0, 0], [None, None], [1], [0, 2, 30], [100]])
def test_plain_percentages_are_not_asked_about(reliefs: list[float]) -> None:
    assert _asked(pd.DataFrame({"relief_1": reliefs, "age": 54})) == {}


def test_mostly_negative_relief_is_asked_about() -> None:
    frame = pd.DataFrame({"relief_test": [-30, -45, -10, -60, -20, 10]})
    (question,) = _questions(frame)
    assert question.code == "sign"
    turned = check_cohort(frame, how=map_from({"signs": {"relief_test": "reversed"}}))
    assert turned["relief_test"].tolist() == [30, 45, 10, 60, 20, -10]
    assert turned["rtms_responder"].tolist() == [False, True, False, True, False, False]
    kept = map_from({"signs": {"relief_test": "as written"}})
    assert check_cohort(frame, how=kept)["relief_test"].tolist()[0] == -30


# ---------------------------------------------------------------- scales and units


def test_a_scale_of_100_is_one_question() -> None:
    frame = pd.DataFrame({"pain_intensity": [45, 72, 60, 8, None]})
    (question,) = _questions(frame)
    assert (question.code, question.rows) == ("scale", (2, 3, 4))
    how = map_from({"units": {"pain_intensity": "/100"}})
    assert check_cohort(frame, how=how)["pain_intensity"].tolist()[:4] == [
        *(4.5, 7.2, 6.0, 0.8)
    ]


def test_few_values_beyond_a_scale_are_problems() -> None:
    with pytest.raises(InvalidCohortError) as caught:
        check_cohort(pd.DataFrame({"pain_intensity": [7, 6, 8, 70, 60]}))
    assert len(caught.value.unexplained) == 2
    assert not caught.value.questions


def test_years_for_months_are_asked_about() -> None:
    frame = pd.DataFrame({"pain_duration": [2, 5, 3.5, 10], "age": 54})
    assert _asked(frame) == {"pain_duration": ["years"]}
    how = map_from({"units": {"pain_duration": "years"}})
    assert check_cohort(frame, how=how)["pain_duration"].tolist() == [24, 60, 42, 120]
    assert _asked(frame, map_from({"units": {"pain_duration": "mois"}})) == {}


def test_years_that_a_heading_or_cell_names_are_not_asked_about() -> None:
    assert _asked(pd.DataFrame({"Ancienneté (ans)": [2, 5, 3.5]})) == {}
    assert _asked(pd.DataFrame({"pain_duration": ["2 ans", "5 ans", "42 mois"]})) == {}


# ---------------------------------------------------------------- missing codes


def test_codes_of_missing_values_are_asked_about() -> None:
    frame = pd.DataFrame(
        {
            "age": [54, 99, 47],
            "relief_1": [-9, 99, 30],
            "relief_test": [-99, 99, 45],
        }
    )
    assert _asked(frame) == {
        "age": ["missing code"],
        "relief_1": ["missing code"] * 2,
        "relief_test": ["missing code"] * 2,
    }
    cohort = check_cohort(frame, how=CohortMap(missing_codes=(-99, -9, 99)))
    assert cohort["age"].isna().tolist() == [False, True, False]
    assert cohort["relief_test"].isna().tolist() == [True, True, False]


def test_a_code_that_is_a_value_in_one_column_can_be_kept() -> None:
    frame = pd.DataFrame({"age": [54, 99, 47], "relief_1": [10, 99, 30]})
    how = map_from({"missing_codes": [99], "kept": {"age": [99]}})
    cohort = check_cohort(frame, how=how)
    assert cohort["age"].tolist() == [54, 99, 47]
    assert cohort["relief_1"].isna().tolist() == [False, True, False]


def test_codes_beyond_the_range_are_questions_not_problems() -> None:
    frame = pd.DataFrame({"dn4": [7, 999, 6], "opioid": ["1", "0", "-99"]})
    assert _asked(frame) == {"dn4": ["missing code"], "opioid": ["missing code"]}


@pytest.mark.parametrize("code", [777, 888])
def test_a_code_that_a_range_allows_stands_apart(code: int) -> None:
    frame = pd.DataFrame({"age": [54, 61, 47], "pain_duration": [code, 36, 24]})
    assert "missing code" in _asked(frame)["pain_duration"]


def test_a_short_word_that_may_mean_yes_or_no_is_asked_about() -> None:
    cells = ["R", "NR", "R"]
    (question,) = _questions(pd.DataFrame({"age": [54] * 3, "rtms_responder": cells}))
    assert (question.code, question.rows) == ("word", (3,))
    assert 'values.rtms_responder."NR" = "no"' in question.answers
    frame = pd.DataFrame({"age": [54] * 2, "motor_deficit": ["oui", "aucun"]})
    assert _asked(frame) == {"motor_deficit": ["word"]}


def test_relief_that_is_worse_by_small_codes_alone_is_asked_about() -> None:
    frame = pd.DataFrame({"relief_1": [-1, 0, 20], "relief_test": [-8, 5, 35]})
    codes = {"relief_1": ["missing code"], "relief_test": ["missing code"]}
    assert _asked(frame) == codes
    assert _asked(frame.replace(20, -20)) == {}


def test_a_code_in_many_rows_stands_out_among_its_neighbours() -> None:
    rng = np.random.default_rng(5)
    relief = rng.integers(-60, 90, size=120).astype(float)
    assert _asked(pd.DataFrame({"relief_1": relief})) == {}
    relief[:11] = -9
    assert _asked(pd.DataFrame({"relief_1": relief})) == {"relief_1": ["missing code"]}


def test_simulated_cohorts_are_seldom_asked_about() -> None:
    # a relief of -95 or less is the one thing that may be asked of them: it stands in
    # about one of 400 cohorts
    asked = []
    patients = simulate_cohort(n_patients=60 * MANY, seed=1)
    patients.attrs = {}
    for k in range(MANY):
        cohort = patients.iloc[60 * k : 60 * (k + 1)].reset_index(drop=True)
        asked += [k] if _asked(cohort) else []
    assert len(asked) <= 1


# ---------------------------------------------------------------- crosses, words


def test_a_blank_beside_crosses_is_asked_about() -> None:
    frame = pd.DataFrame({"opioid": ["x", "", "X", None], "age": 54})
    (question,) = _questions(frame)
    assert (question.code, question.rows) == ("blank", (3, 5))
    no = check_cohort(frame, how=map_from({"blanks": {"opioid": "no"}}))
    assert no["opioid"].tolist() == [True, False, True, False]
    missing = check_cohort(frame, how=map_from({"blanks": {"opioid": "missing"}}))
    assert missing["opioid"].isna().tolist() == [False, True, False, True]


def test_blanks_beside_words_are_missing() -> None:
    assert _asked(pd.DataFrame({"opioid": ["x", "", "non"]})) == {}
    assert _asked(pd.DataFrame({"opioid": ["oui", ""]})) == {}


def test_a_dash_beside_a_plus_is_a_no() -> None:
    cohort = check_cohort(pd.DataFrame({"opioid": ["+", "-", "+"]}))
    assert cohort["opioid"].tolist() == [True, False, True]
    with pytest.raises(InvalidCohortError, match="must be yes or no"):
        check_cohort(pd.DataFrame({"opioid": ["oui", "-"]}))


def test_a_doubtful_word_is_one_question_for_all_its_rows() -> None:
    frame = pd.DataFrame({"aetiology": ["AVC", "amputation", "AVC"]})
    (question,) = _questions(frame)
    assert (question.code, question.rows) == ("word", (2, 4))
    assert question.answers[0] == 'values.aetiology."AVC" = "ischaemic_stroke"'
    how = map_from({"values": {"aetiology": {"avc": "haemorrhagic_stroke"}}})
    cohort = check_cohort(frame, how=how)
    assert cohort["aetiology"].tolist()[0] == "haemorrhagic_stroke"


def test_a_likely_heading_is_asked_about_where_no_column_is_the_field() -> None:
    frame = pd.DataFrame({"age": [54], "EVA S1": [7], "Poids": [70]})
    (question,) = _questions(frame)
    assert (question.code, question.field) == ("heading", "pain_intensity")
    read = map_from({"columns": {"EVA S1": "pain_intensity"}})
    assert check_cohort(frame, how=read)["pain_intensity"].tolist() == [7.0]
    left = map_from({"columns": {"EVA S1": ""}})
    assert list(check_cohort(frame, how=left)) == ["age"]
    assert _asked(frame.assign(EVA=6)) == {}


def test_error_text_of_a_question_quotes_no_cell() -> None:
    frame = pd.DataFrame({"aetiology": ["AVC sans précision"], "relief_1": [0.45]})
    with pytest.raises(InvalidCohortError) as caught:
        check_cohort(frame)
    text = str(caught.value)
    assert "2 open questions: Aetiology; Relief after session 1" in text
    assert "0.45" not in text
    assert "précision" not in text


# ---------------------------------------------------------------- the responder's rule


def _responders(relief: list[float], answers: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"relief_test": relief, "rtms_responder": answers})


def test_a_rule_that_fits_every_disagreement_is_asked_about() -> None:
    frame = _responders([20, 35, 40, 45, 50, 60], ["no"] * 4 + ["yes"] * 2)
    (question,) = _questions(frame)
    assert question.code == "rule"
    assert "3 of 3 disagreements" in question.text.text()
    for lang in LANGUAGES:
        assert ">= 50 %" in question.text.text(lang)
        assert label_of("rtms_responder", lang) in question.text.text(lang)
    how = map_from({"rules": {"rtms_responder": {"at": 50, "inclusive": True}}})
    # the outcome of a model keeps the dictionary's cut-off
    assert check_cohort(frame, how=how)["rtms_responder"].tolist() == [
        *(False, True, True, True, True, True)
    ]


def test_every_rule_that_fits_is_an_answer() -> None:
    frame = _responders([20, 40, 40, 40, 60], ["no"] * 4 + ["yes"])
    (question,) = _questions(frame)
    assert "fit > 40 %, >= 50 %, > 50 %, the dictionary" in question.text.text()
    rules = [
        tomllib.loads(text)["rules"]["rtms_responder"] for text in question.answers
    ]
    assert [(rule["at"], rule["inclusive"]) for rule in rules] == [
        *((40, False), (50, True), (50, False))
    ]


def test_an_answer_by_a_stricter_rule_tells_only_what_follows() -> None:
    frame = _responders([20, 60, None, None], ["no", "yes", "yes", "no"])
    strict = map_from({"rules": {"rtms_responder": {"at": 50, "inclusive": True}}})
    found = check_cohort(frame, how=strict)["rtms_responder"]
    assert found.isna().tolist() == [False, False, False, True]
    loose = map_from({"rules": {"rtms_responder": {"at": 30, "inclusive": True}}})
    found = check_cohort(frame, how=loose)["rtms_responder"]
    assert found.isna().tolist() == [False, False, True, False]


def test_disagreements_that_no_rule_explains_are_problems_alone() -> None:
    frame = _responders([20, 60, 70], ["yes", "no", "yes"])
    with pytest.raises(InvalidCohortError, match="consistent with Relief after") as e:
        check_cohort(frame)
    assert not e.value.questions
    # a symptom that the file has no column for is not named
    assert "symptom" not in str(e.value)


def test_answers_against_their_own_rule_stay_problems() -> None:
    frame = _responders([20, 60, 70], ["yes", "yes", "yes"])
    how = map_from({"rules": {"rtms_responder": {"at": 50, "inclusive": True}}})
    with pytest.raises(InvalidCohortError, match="consistent") as caught:
        check_cohort(frame, how=how)
    assert [problem.row for problem in caught.value.problems] == [2]


# ---------------------------------------------------------------- persons


@pytest.mark.parametrize(
    "identifier",
    [
        *("Mme Exemple", "EXEMPLE Anne", "Jean Exemple", "M. Exemple-Modèle"),
        *("A 01/02/1960", "1960-02-01", "1999999999999", "1 99 99 99 999 999 99"),
        *("1er février 1960", "01-FEB-1960", "February 1, 1960"),
        "199999999999999",
    ],
)
def test_identifiers_of_a_person_are_refused_and_not_shown(identifier: str) -> None:
    frame = pd.DataFrame({"patient_id": ["P-014", identifier], "age": [54, 60]})
    with pytest.raises(InvalidCohortError, match="pseudonym") as caught:
        check_cohort(frame)
    (problem,) = caught.value.problems
    assert (problem.row, problem.found) == (3, "")
    assert identifier not in str(caught.value)


def test_a_column_of_surnames_is_refused() -> None:
    frame = pd.DataFrame({"patient_id": ["EXEMPLE", "Modèle", "Essai"], "age": 54})
    with pytest.raises(InvalidCohortError, match="pseudonym") as caught:
        check_cohort(frame)
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    "identifier",
    ["P-014", "8001234567", "SIM-00001", "a", "Patient 12", "01-02-003", "12345678"],
)
def test_pseudonyms_are_read(identifier: str) -> None:
    frame = pd.DataFrame({"patient_id": [identifier], "age": [54]})
    assert check_cohort(frame)["patient_id"].tolist() == [identifier]


# ---------------------------------------------------------------- warnings


def test_unlikely_rows_are_told() -> None:
    frame = pd.DataFrame(
        {
            "age": [30, 60, 60],
            "aetiology": ["amputation", "ischaemic_stroke", "amputation"],
            "lesion_site": ["peripheral_nerve", "peripheral_nerve", None],
            "pain_duration": [500, 60, 60],
            "emcs_relief": [50, 50, 50],
            "emcs_follow_up": [24, 3, 12],
        }
    )
    notices = check_cohort(frame).attrs["notices"]
    assert said(notices, "fr")[1].startswith("douleur plus ancienne que le patient")
    assert tuple(said(notices)) == (
        "Lesion site is not where the aetiology has its lesion: 1 row",
        "Pain duration is longer than the patient's life: 1 row",
        "Follow-up is under 12 months, too early to judge: 1 row",
    )


# ---------------------------------------------------------------- the mapping's file


def test_an_answered_cohort_is_not_asked_again() -> None:
    frame = pd.DataFrame({"relief_1": [0.3, 0.1, 0.9], "age": [54, 60, 70]})
    once = check_cohort(frame, how=map_from({"units": {"relief_1": "percent"}}))
    assert check_cohort(once)["relief_1"].tolist() == [0.3, 0.1, 0.9]


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({"unit": {}}, "unit"),
        ({"units": {"age": "furlong"}}, "units.age"),
        ({"units": {"weather": "years"}}, "units.weather"),
        ({"signs": {"age": "reversed"}}, "signs.age"),
        ({"blanks": {"age": "no"}}, "blanks.age"),
        ({"columns": {"EVA": "pain"}}, "columns.EVA"),
        ({"values": {"aetiology": {"AVC": "stroke"}}}, "values.aetiology"),
        ({"rules": {"rtms_responder": {"at": 50}}}, "rules.rtms_responder"),
        ({"missing_codes": -99}, "missing_codes"),
        ({"kept": {"age": 99}}, "kept.age"),
        ({"units": 3}, "units"),
    ],
)
def test_map_from_names_every_entry_that_is_none(
    table: dict[str, object], named: str
) -> None:
    with pytest.raises(ResponderModelError, match=named):
        map_from(table)


@pytest.mark.parametrize("data", [b"\xff", b"a = ", b"[" * 100_000])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "map.toml").write_bytes(data)
    with pytest.raises(ResponderModelError, match="map must be a TOML file"):
        read_map(tmp_path / "map.toml")


OPEN = """IPP;Âge;Étiologie;Ancienneté (ans);EVA S1;PR S1;Opioïdes
P1;54 ans;AVC isch. G;2;7;0,3;x
P2;61;AVC;3,5;8;0,1;
P3;99;AVC;10;6;0,2;x
"""


def test_a_written_mapping_reads_the_same_once_it_is_answered(tmp_path: Path) -> None:
    path = tmp_path / "open.csv"
    path.write_text(OPEN, encoding="utf-8")
    with pytest.raises(InvalidCohortError) as caught:
        read_cohort(path)
    text = map_text(path, NOTHING, caught.value.questions)
    (tmp_path / "map.toml").write_text(text, encoding="utf-8")
    # as it stands it answers nothing and changes nothing
    with pytest.raises(InvalidCohortError) as again:
        read_cohort(path, how=read_map(tmp_path / "map.toml"))
    assert {q.code for q in again.value.questions} == {
        *("word", "heading", "fractions", "blank", "missing code")
    }
    for line in (
        'values.aetiology."AVC" = "ischaemic_stroke"',
        'columns."EVA S1" = "pain_intensity"',
        'units.relief_1 = "fraction"',
        'blanks.opioid = "no"',
        "missing_codes = [99]",
    ):
        assert f"# {line}\n" in text
        text = text.replace(f"# {line}\n", f"{line}\n")
    (tmp_path / "map.toml").write_text(text, encoding="utf-8")
    how = read_map(tmp_path / "map.toml")
    cohort = read_cohort(path, how=how)
    assert cohort["aetiology"].tolist() == ["ischaemic_stroke"] * 3
    assert cohort["pain_duration"].tolist() == [24.0, 42.0, 120.0]
    assert cohort["pain_intensity"].tolist() == [7.0, 8.0, 6.0]
    assert cohort["relief_1"].tolist() == [30.0, 10.0, 20.0]
    assert cohort["opioid"].tolist() == [True, False, True]
    assert cohort["age"].isna().tolist() == [False, False, True]
    # written once more, it says the same
    (tmp_path / "map2.toml").write_text(map_text(path, how, ()), encoding="utf-8")
    same = read_cohort(path, how=read_map(tmp_path / "map2.toml"))
    pd.testing.assert_frame_equal(same, cohort)


def test_codes_of_few_words_are_asked_about() -> None:
    frame = pd.DataFrame({"sex": [1, 2, 2], "age": [50, 60, 70]})
    with pytest.raises(InvalidCohortError) as caught:
        check_cohort(frame)
    assert caught.value.unexplained == ()
    asked = {q.text.values["found"]: q for q in caught.value.questions}
    assert asked["2"].rows == (3, 4)
    assert 'values.sex."1" = "female"' in asked["1"].answers
    stated = {"sex": {"1": "male", "2": "female"}}
    cohort = check_cohort(frame, how=map_from({"values": stated}))
    assert cohort["sex"].tolist() == ["male", "female", "female"]


@pytest.mark.parametrize("kind", [int, float, str])
def test_one_beside_two_is_no_yes(kind: type) -> None:
    frame = pd.DataFrame({"opioid": [*map(kind, [1, 2, 1])], "age": [50, 60, 70]})
    with pytest.raises(InvalidCohortError) as caught:
        check_cohort(frame)
    assert {q.code for q in caught.value.questions} == {"code"}
    stated = {"opioid": {"2": "yes"}}
    # to know what 2 is does not tell what 1 is
    with pytest.raises(InvalidCohortError):
        check_cohort(frame, how=map_from({"values": stated}))
    stated["opioid"]["1"] = "no"
    cohort = check_cohort(frame, how=map_from({"values": stated}))
    assert cohort["opioid"].tolist() == [False, True, False]


def test_one_beside_zero_is_a_yes() -> None:
    cohort = check_cohort(pd.DataFrame({"opioid": [1, 0, None], "age": [50, 60, 70]}))
    assert cohort["opioid"].tolist()[:2] == [True, False]


def test_a_site_that_an_aetiology_names_is_read() -> None:
    words = ["AVC ischémique thalamique G", "AVC ischémique", "infarctus sylvien", None]
    cohort = check_cohort(pd.DataFrame({"aetiology": words}))
    sites = [None, "thalamus", cohort["lesion_site"][2], "brainstem"]
    assert cohort["lesion_site"].tolist()[0] == "thalamus"
    assert cohort["lesion_site"].isna().tolist() == [False, True, False, True]
    assert "read from the words" in said(cohort.attrs["notices"])[0]
    # what a column of its own says stands, where the words name no other
    both = check_cohort(pd.DataFrame({"aetiology": words, "lesion_site": sites}))
    assert both["lesion_site"].tolist() == ["thalamus", *sites[1:]]


def test_a_name_of_a_category_names_no_site() -> None:
    labels = [label for c in AETIOLOGY.categories for label in c.label.values()]
    cohort = check_cohort(pd.DataFrame({"aetiology": labels}))
    assert "lesion_site" not in cohort


def test_relief_that_is_never_above_10_is_asked_about() -> None:
    reliefs = {"relief_1": [2, 0, 5, 1, 3], "relief_test": [4, 1, 5, 6, 3]}
    frame = pd.DataFrame({"age": 50, **reliefs})
    assert _asked(frame) == {"relief_1": ["points"], "relief_test": ["points"]}
    assert _questions(frame)[0].rows == (2, 4, 5, 6)
    units = dict.fromkeys(reliefs, "percent")
    assert _asked(frame, map_from({"units": units})) == {}
    # relief of 40 % shows that the file has percentages
    assert _asked(frame.assign(relief_test=[4, 1, 40, 0, 3])) == {}


def test_a_score_of_no_and_yes_is_asked_about() -> None:
    frame = pd.DataFrame({"age": 50, "dn4": [1, 0, 1, None]})
    (question,) = _questions(frame)
    assert (question.code, question.rows) == ("yes or no", (2, 3, 4))
    for answer in question.answers:
        cohort = check_cohort(frame, how=map_from(tomllib.loads(answer)))
        known = 0 if answer.startswith("values") else 3
        assert cohort["dn4"].notna().sum() == known


def test_follow_up_in_years_is_asked_about() -> None:
    frame = pd.DataFrame({"emcs_follow_up": [1, 2, 5, 10], "emcs_relief": 40})
    (question,) = _questions(frame)
    assert (question.code, question.field) == ("years", "emcs_follow_up")
    how = map_from({"units": {"emcs_follow_up": "years"}})
    assert check_cohort(frame, how=how)["emcs_follow_up"].tolist() == [12, 24, 60, 120]


@pytest.mark.parametrize("heading", ["unité", "Durée unité", "duration_unit"])
def test_a_column_of_units_is_asked_about(heading: str) -> None:
    frame = pd.DataFrame({"age": 50, "pain_duration": [12, 60], heading: "ans"})
    (question,) = _questions(frame)
    assert (question.code, question.field) == ("units", "pain_duration")
    found = [
        check_cohort(frame, how=map_from(tomllib.loads(answer)))["pain_duration"][0]
        for answer in question.answers
        if "days" not in answer
    ]
    assert found == [144, 12, 12]
    # beside a field without numbers it says nothing
    assert _asked(frame[["pain_duration", "age", heading]].iloc[:, [0, 1]]) == {}


def test_plain_numbers_beside_years_are_asked_about() -> None:
    frame = pd.DataFrame({"age": 50, "pain_duration": ["5 ans", "7", "10 ans", "3"]})
    (question,) = _questions(frame)
    assert (question.code, question.rows) == ("units", (3, 5))
    found = [
        check_cohort(frame, how=map_from(tomllib.loads(answer)))["pain_duration"]
        for answer in question.answers[:2]
    ]
    assert found[0].tolist() == [60, 84, 120, 36]
    assert found[1].tolist() == [60, 7, 120, 3]
    # months named beside plain months leave nothing open
    own = frame.assign(pain_duration=["50 mois", "70", None, "30"])
    assert _asked(own) == {}


def test_durations_far_above_the_usual_may_be_days() -> None:
    frame = pd.DataFrame({"age": 80, "pain_duration": [730, 800, 365, 400]})
    (question,) = _questions(frame)
    assert (question.code, question.answers[0]) == (
        "days",
        'units.pain_duration = "days"',
    )


@pytest.mark.parametrize("cell", ["#NUL!", "#REF!", "#NOM?", "None"])
def test_an_error_of_a_program_is_no_zero(cell: str) -> None:
    assert _asked(pd.DataFrame({"age": [50, 60], "relief_test": ["30", cell]})) == {
        "relief_test": ["problem"]
    }


def test_what_a_mapping_states_and_the_file_has_not_is_told() -> None:
    frame = pd.DataFrame({"age": [50, -99, 61], "relief_1": ["inc", "10", "20"]})
    stated = {"missing_codes": [-99, "INC", -98], "columns": {"EN": "pain_intensity"}}
    notices = said(check_cohort(frame, how=map_from(stated)).attrs["notices"])
    assert "missing code -98 stands in no column that is read" in notices
    assert "column 'EN' of the mapping is not in the file" in notices
    assert len(notices) == 2


def test_one_heading_is_asked_about_in_quotes() -> None:
    frame = pd.DataFrame({"patient_id": ["P1"], "age": [50], "Soulagement T4": [40]})
    with pytest.raises(InvalidCohortError) as caught:
        check_cohort(frame)
    (question,) = (q for q in caught.value.questions if q.code == "heading")
    assert question.text.text("fr").endswith(": est-ce « Soulagement T4 » ?")


@pytest.mark.parametrize("code", [-9, -8, -1])
def test_a_small_code_beside_rounded_relief_is_asked_about(code: int) -> None:
    relief = [10, 40, 25, 0, 55, 70, -20, 30]
    frame = pd.DataFrame({"relief_test": [code, *relief]})
    assert _asked(frame) == {"relief_test": ["missing code"]}
    missing = check_cohort(frame, how=CohortMap(missing_codes=(code,)))
    assert missing["relief_test"].isna().tolist() == [True] + [False] * 8
    # where relief was calculated, it is a relief as another
    assert _asked(pd.DataFrame({"relief_test": [code, *relief, 33]})) == {}


def test_two_letters_for_one_sex_are_asked_about() -> None:
    # hombre and mujer, which are two words for a man in French and English
    frame = pd.DataFrame({"sex": ["H", "M", "M"], "age": [50, 60, 70]})
    assert _asked(frame) == {"sex": ["word", "word"]}
    assert 'values.sex."M" = "female"' in _questions(frame)[1].answers
    stated = {"values": {"sex": {"H": "male", "M": "female"}}}
    read = check_cohort(frame, how=map_from(stated))
    assert read["sex"].tolist() == ["male", "female", "female"]
    for known in (["H", "M", "F"], ["H", "H", None], ["M", "Mr", "homme"]):
        assert _asked(frame.assign(sex=known)) == {}


@pytest.mark.parametrize("word", ["sham", "Placebo", "rTMS factice", "groupe placebo"])
def test_lines_of_a_sham_arm_are_asked_about(word: str) -> None:
    arm = ["active", word, None]
    frame = pd.DataFrame({"age": 54, "relief_test": [40, 0, 10], "Arm": arm})
    (question,) = _questions(frame)
    assert (question.code, question.rows) == ("sham", (3,))
    assert question.answers == ('columns."Arm" = ""',)
    answered = map_from(tomllib.loads(question.answers[0]))
    assert len(check_cohort(frame, how=answered)) == 3
    # a sham that is told of, or of whom no outcome is read
    said_of = [None, "sham at another centre in 2019", "x"]
    assert _asked(frame.assign(Arm=said_of)) == {}
    assert _asked(frame.drop(columns="relief_test")) == {}
