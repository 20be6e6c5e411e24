"""Values, names and bytes that nobody should write, and somebody will."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd


class Hostile:
    """An object that refuses to be looked at."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __float__ = __index__ = __bool__ = __str__  # type: ignore[assignment]


# fmt: off
_NUMBERS = [
    math.nan, math.inf, -math.inf, -0.0, 1e308, -1e308, 5e-324, 2**63, 10**400,
    10**5000, -(10**400), 1 + 1e-12, Decimal(54), Decimal("NaN"), Decimal("sNaN"),
    Fraction(1, 3), 1 + 2j, np.float32(54.1), np.int8(-100), np.nan, np.bool_(1),
]
_TEXTS = [
    "", " ", "NA", "nd", "oui", "Non", "54,5", "1e5", "1e999", "0x10", "١٢", "５４",
    "−5", "54 ans", "1_000", "\x00", "\ud800", "\u202e54", "👨👩👧", "nan", "inf", "-",
    "%", "A" * 100_000, "9" * 5000, "é" * 300, "None", "null", "true", "1.0", "1,0",
]
_OBJECTS = [
    None, True, False, b"54", bytearray(b"5"), [], [54], (), {}, {1: 2}, set(),
    object(), Hostile(), ..., int, len, float, range(3), pd.NA, pd.NaT, np.array(54.0),
    np.ma.masked, np.array([1.0, 2.0]), np.datetime64("NaT"), np.str_("oui"),
    pd.Series([1]), pd.Timestamp("2024-01-01"), np.array("x"),
]
JUNK = [*_NUMBERS, *_TEXTS, *_OBJECTS]
NAMES = [
    None, 0, 1.5, True, (), "", " ", "AGE", "âge", "ÂGE [ANS]", "agee", "\x00",
    "x" * 9999, b"age", math.nan, "\ud800", "relief_4", "age ", "Pain  duration",
    frozenset(),
]
NO_PATIENTS = [None, [], "age", 54, [("age", 54)], Hostile(), {1, 2}, object(), b"{}"]
BYTES = [
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"'", b"\r", b"\n", b";", b",", b"\t",
    b"\xe9", b"\xc3\x28", b"=cmd|' /C calc'!A0", b"NA", b"9" * 400, b"1e999", b"\x1a",
    b"," * 2000, b"\n" * 500, b"\xf0\x9f\x98\x80", b"sep=;\n", b"PK\x03\x04", b"PAR1",
]
JSON_VALUES = [
    None, True, -1, 0, 1e308, -1e308, 10**400, "", "x" * 3000, "\x00", [], {}, [[]],
    0.5, math.nan, math.inf, "published", "../x", [1, "a"], {"a": {}}, 2**31,
]
# fmt: on
