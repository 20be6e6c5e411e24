"""Words and numbers as people write them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from responder_model.schema import dictionary
from responder_model.vocabulary import (
    INVALID,
    find_field,
    nearest_name,
    read_value,
    show,
)

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
    assert nearest_name("agee") == "age"


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
        ("age", "54 ans"),
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
