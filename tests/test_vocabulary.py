"""Words and numbers as people write them."""

from __future__ import annotations

import csv
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from responder_model.schema import dictionary
from responder_model.vocabulary import (
    INVALID,
    choices,
    find_field,
    find_heading,
    likely_fields,
    read_value,
    show,
)
from responder_model.vocabulary.categories import lesion_sites
from responder_model.vocabulary.synonyms import synonyms

FIELDS = dictionary().fields


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("age", "age"),
        ("AGE", "age"),
        ("Âge [ans]", "age"),
        ("age (years)", "age"),
        ("siege de la douleur", "pain_site"),
        ("Dépression (HADS-D)", "depression"),
        ("relief after session 2", "relief_2"),
        ("Soulagement après la séance 1 [%]", "relief_1"),
    ],
)
def test_find_field_knows_names_labels_and_headings(text: str, name: str) -> None:
    field = find_field(text)
    assert field is not None
    assert field.name == name


def test_find_field_does_not_guess() -> None:
    assert find_field("agee") is None
    assert [field.name for field in likely_fields("agee")] == ["age"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("age", "54", 54.0),
        ("age", " 54,5\u00a0", 54.5),
        ("age", 54, 54.0),
        ("age", np.float32(54.5), 54.5),
        ("age", np.int64(54), 54.0),
        ("age", Decimal("54.5"), 54.5),
        ("relief_1", "\N{MINUS SIGN}20 %", -20.0),
        ("relief_1", "30%", 30.0),
        ("dn4", "7.0", 7.0),
        ("opioid", "OUI", True),
        ("opioid", "no", False),
        ("opioid", "Faux", False),
        ("opioid", "1,0", True),
        ("opioid", 0.0, False),
        ("opioid", np.bool_(True), True),
        ("sex", "F", "female"),
        ("sex", "Homme", "male"),
        ("aetiology", "avc  HEMORRAGIQUE", "haemorrhagic_stroke"),
        ("motor_deficit", "none", "none"),
        ("motor_deficit", "aucun", "none"),
        ("pain_site", "Membre-supérieur", "upper_limb"),
        ("age", Fraction(109, 2), 54.5),
        ("age", np.longdouble("54.5"), 54.5),
        ("age", np.array(54), 54.0),
        ("dn4", Decimal(7), 7.0),
        ("opioid", Decimal(1), True),
        ("opioid", Fraction(0), False),
        ("opioid", np.array(1), True),
        ("opioid", np.longdouble(1), True),
        ("sex", np.array(" F "), "female"),
        ("patient_id", Decimal("12345678901234567891"), "12345678901234567891"),
        ("patient_id", 12, "12"),
        ("patient_id", 12.0, "12"),
        ("centre", " Saint \n Roch ", "Saint Roch"),
    ],
)
def test_read_value_reads_what_people_write(
    name: str, value: object, expected: object
) -> None:
    found = read_value(FIELDS[name], value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("age", "54 mois"),
        ("age", "54%"),
        ("age", "1_0"),
        ("age", "inf"),
        ("age", float("inf")),
        ("age", 10**400),
        ("age", 17.9),
        ("age", True),
        ("age", datetime(2020, 1, 1)),
        ("age", Decimal("sNaN")),
        ("age", Decimal("Infinity")),
        ("age", Decimal("1e999999")),
        ("age", Fraction(10**400)),
        ("age", np.array([54.0])),
        ("opioid", Decimal(2)),
        ("sex", Decimal(1)),
        ("dn4", 4.5),
        ("opioid", "-1"),
        ("opioid", 2),
        ("opioid", "maybe"),
        ("sex", 1),
        ("aetiology", "AVC ischémique ?"),
        ("aetiology", ["stroke"]),
        ("patient_id", True),
        ("patient_id", "a\0b"),
        ("patient_id", "\ud800"),
        ("patient_id", b"a"),
    ],
)
def test_read_value_refuses_the_rest(name: str, value: object) -> None:
    assert read_value(FIELDS[name], value) is INVALID


@pytest.mark.parametrize(
    "value",
    [
        *(None, float("nan"), np.nan, pd.NA, pd.NaT, "", "  ", "NA", "nd", "N/A"),
        *("#N/A", Decimal("NaN"), np.longdouble("nan"), np.array(np.nan)),
    ],
)
@pytest.mark.parametrize("name", ["age", "opioid", "sex", "centre"])
def test_read_value_knows_missing(name: str, value: object) -> None:
    assert read_value(FIELDS[name], value) is None


def test_show_is_short_and_printable() -> None:
    assert show("x" * 200) == "x" * 59 + "…"
    assert show("a\0b\nc") == "a\N{REPLACEMENT CHARACTER}b c"


# ---------------------------------------------------------------- synonyms


def _case_rows(name: str) -> list[list[str]]:
    path = Path(__file__).parent / "cases" / name
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


@pytest.mark.parametrize(("text", "name"), _case_rows("headings.csv"))
def test_headings_of_hospitals_are_read(text: str, name: str) -> None:
    field = find_field(text)
    assert (field.name if field else "") == name


def _expected(name: str, word: str) -> object:
    if FIELDS[name].kind == "number" and word not in ("ASK", "missing"):
        return float(word)
    return {"ASK": INVALID, "missing": None, "yes": True, "no": False}.get(word, word)


# A dash beside a yes may be a no, or nothing: it is asked about.
ASKED = {("opioid", "-")}


@pytest.mark.parametrize(("name", "word", "meaning"), _case_rows("words.csv"))
def test_words_of_hospitals_are_read(name: str, word: str, meaning: str) -> None:
    found = read_value(FIELDS[name], word)
    if (name, word) in ASKED:
        assert found is INVALID
    else:
        assert found == _expected(name, meaning)
        assert type(found) is type(_expected(name, meaning))


def test_more_headings_are_read_and_none_wrongly() -> None:
    rows = _case_rows("headings_more.csv")
    found = [(text, getattr(find_field(text), "name", "")) for text, _ in rows]
    assert found == [(text, name) for text, name in rows]


def test_more_words_are_read_and_none_wrongly() -> None:
    rows = _case_rows("words_more.csv")
    found = [(name, word, read_value(FIELDS[name], word)) for name, word, _ in rows]
    expected = [(name, word, _expected(name, meant)) for name, word, meant in rows]
    for one, other in zip(found, expected, strict=True):
        assert one == other


@pytest.mark.parametrize(
    ("text", "name", "unit"),
    [
        ("Ancienneté en mois", "pain_duration", None),
        ("Durée de la douleur (en années)", "pain_duration", "year"),
        ("Durée de soulagement S1 (h)", "relief_days_1", "hour"),
        ("Ancienneté (ans)", "pain_duration", "year"),
        ("Pain duration (mo)", "pain_duration", None),
        ("EVA (mm)", "pain_intensity", "millimetre"),
        ("EVA (0-100 mm)", "pain_intensity", "millimetre"),
        ("EN /100", "pain_intensity", "/100"),
        ("Durée de soulagement S3 (semaines)", "relief_days_3", "week"),
        ("Soulagement S1 (jours)", "relief_days_1", None),
        ("Âge (mois)", "age", "month"),
        ("PCS (/52)", "catastrophising", None),
    ],
)
def test_find_heading_tells_the_unit(text: str, name: str, unit: str | None) -> None:
    heading = find_heading(text)
    assert heading is not None
    assert (heading.field.name, heading.unit) == (name, unit)


@pytest.mark.parametrize(
    "text",
    [
        *("DN4 (/7)", "HADS-D (/42)", "Âge (%)", "Soulagement S1 (points)"),
        *("EVA S1", "EVA après", "Delta EVA", "Soulagement > 30 %", "PR1 (/10)"),
        *("Intensité de stimulation", "Site de stimulation", "Durée séance"),
        *("N° séance", "Sham responder", "Dépression (Beck)", "Âge de début"),
        *("Relief at 12 months", "Soulagement S5", "HADS", "PCS rumination"),
        *("Sexe (1=H, 2=F)", "Durée", "Localisation", "年齢", "EVA 疲労"),
    ],
)
def test_a_heading_with_a_word_too_many_is_not_read(text: str) -> None:
    assert find_field(text) is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Localisation", ["lesion_site", "pain_site"]),
        ("EVA à 1 mois", ["pain_intensity"]),
        ("Âge au diagnostic", ["age"]),
        ("aetiolgy", ["aetiology"]),
        ("Amélioration S2 (%)", ["relief_2"]),
        ("% change pain S1", ["relief_1"]),
        ("Commentaires soulagement S1", []),
        *((text, []) for text in ("Nom", "DDN", "Poids", "Hospitalisation", "item_12")),
    ],
)
def test_likely_fields_are_likely(text: str, names: list[str]) -> None:
    assert [field.name for field in likely_fields(text)] == names


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("pain_duration", "2a6m", 30.0),
        ("pain_duration", "1 an et demi", 18.0),
        ("pain_duration", "10 years and 3 months", 123.0),
        ("pain_duration", "un an", 12.0),
        ("pain_intensity", "48 mm", 4.8),
        ("pain_intensity", "7 sur 10", 7.0),
        ("depression", "9 / 21", 9.0),
        ("relief_1", "45/100", 45.0),
        ("relief_1", "aucun", 0.0),
        ("relief_1", "Total", 100.0),
        ("relief_1", "–10", -10.0),
        ("relief_days_1", "48h", 2.0),
        ("age", "51 ans 6 mois", 51.5),
        ("age", ".A", None),
        ("age", "n.r.", None),
        ("sex", "-", None),
        ("aetiology", "Ischaemic stroke (left MCA)", "ischaemic_stroke"),
        ("aetiology", "AVC hémorr. thalamique D", "haemorrhagic_stroke"),
        ("aetiology", "Infarctus thalamique G", "ischaemic_stroke"),
        ("aetiology", "Séquelles d'AVC ischémique", "ischaemic_stroke"),
        ("aetiology", "Zona thoracique", "postherpetic_neuralgia"),
        ("aetiology", "SCI T8", "spinal_cord_injury"),
        ("aetiology", "trigeminal nerve injury", "trigeminal_neuropathy"),
        ("aetiology", "arrachement du plexus brachial D", "brachial_plexus_avulsion"),
        ("lesion_type", "périph.", "peripheral"),
        ("motor_deficit", "4/5", "mild"),
        ("pain_site", "main et avant-bras G", "upper_limb"),
        ("lesion_site", "moelle C6", "spinal_cord"),
        ("rtms_responder", "Non-répondeur", False),
    ],
)
def test_read_value_understands_every_word(
    name: str, value: str, expected: object
) -> None:
    assert read_value(FIELDS[name], value) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pain_duration", "10-15 ans"),
        ("pain_duration", "2 ans 6"),
        ("pain_duration", "environ 3 ans"),
        ("pain_duration", "6 mois et 2 ans"),
        ("pain_duration", "7/10"),
        ("pain_intensity", "9/21"),
        ("pain_intensity", "45 %"),
        ("dn4", "48/100"),
        ("dn4", "7/7"),
        ("relief_1", "4/10"),
        ("relief_1", "stable"),
        ("age", "18/100"),
        ("opioid", "++"),
        ("rtms_responder", "NR"),
        ("motor_deficit", "-"),
        ("motor_deficit", "pas sévère"),
        ("aetiology", "pas d'AVC ischémique"),
        ("aetiology", "AVC ischémique ?"),
        ("aetiology", "AVC ischémique médullaire"),
        ("aetiology", "infarctus du myocarde"),
        ("aetiology", "trigeminal neuralgia"),
        ("aetiology", "SEP probable"),
        ("pain_site", "bras et jambe"),
        ("lesion_site", "C6"),
        ("lesion_site", "medulla"),
    ],
)
def test_read_value_does_not_guess(name: str, value: str) -> None:
    assert read_value(FIELDS[name], value) is INVALID


def test_choices_name_what_may_be_meant() -> None:
    aetiology = FIELDS["aetiology"]
    both = ("ischaemic_stroke", "haemorrhagic_stroke")
    assert choices(aetiology, "AVC thalamique") == both
    assert choices(aetiology, "AVC ischémique et hémorragique") == both
    assert choices(aetiology, "SEP + zona") == (
        "multiple_sclerosis",
        "postherpetic_neuralgia",
    )
    assert choices(aetiology, "AVC hemorragiqe") == ("haemorrhagic_stroke",)
    assert choices(aetiology, "cancer") == ()


def test_number_in_the_unit_of_its_heading() -> None:
    duration = FIELDS["pain_duration"]
    assert read_value(duration, 2.5, unit="year") == 30.0
    assert read_value(duration, "2,5", unit="year") == 30.0
    assert read_value(duration, "18 mois", unit="year") == 18.0
    assert read_value(duration, 90, unit="year") is INVALID
    assert read_value(FIELDS["pain_intensity"], "48", unit="millimetre") == 4.8


def test_synonyms_are_of_fields_and_categories_of_the_dictionary() -> None:
    table = synonyms()
    for rows in ("fields", "maybe"):
        assert set(table["headings"][rows]) <= set(FIELDS)
    for name, own in table["categories"]["fields"].items():
        known = set(FIELDS[name].category_names)
        for rows in ("words", "next_to"):
            assert set(own.get(rows, ())) <= known
    assert set(lesion_sites()) == set(FIELDS["aetiology"].category_names)
    sites = set(FIELDS["lesion_site"].category_names)
    assert all(places <= sites for places in lesion_sites().values())
    for row in table["answers"]:
        assert {FIELDS[name].kind for name in row["fields"]} == {"boolean"}


@pytest.mark.parametrize("name", [n for n, f in FIELDS.items() if f.categories])
def test_no_synonym_of_a_category_means_another(name: str) -> None:
    field = FIELDS[name]
    own = synonyms()["categories"]["fields"][name]
    for category, words in own["words"].items():
        for word in words:
            if not any(
                part in own.get("same", {}) or "_" in part for part in word.split()
            ):
                assert read_value(field, word) in (category, INVALID)
        found = [read_value(field, word) for word in words]
        assert category in found


def test_no_set_of_words_means_two_fields() -> None:
    for name, patterns in synonyms()["headings"]["fields"].items():
        for pattern in patterns:
            if "(" not in pattern and "|" not in pattern and "_" not in pattern:
                field = find_field(pattern)
                assert field is not None, pattern
                assert field.name == name, pattern
