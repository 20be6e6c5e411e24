"""The classes that check what we write are those of R4B: their elements equal R4's."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from fhir.resources.R4B import get_fhir_model_class

from responder_model.interchange.catalogue import FHIR_VERSION

REFERENCE = Path(__file__).parent / "reference"
# Type, whether it may stand several times, whether it must stand.
Element = tuple[str, bool, bool]
# What the classes call by their own names.
PART = "BackboneElement"
NAMES = {"bool": "boolean", "encodedBytes": "base64Binary", "uuidVersion": "uuid"}
# Choices that R4B gave to extensions, and one that its class has not; we write none.
MORE = {"Extension.valueCodeableReference", "Extension.valueRatioRange"}
LESS = {"Extension.valueMeta"}


def elements_of_r4() -> dict[str, Element]:
    """Elements of FHIR R4 by their paths, from ``reference/fhir_r4.py``."""
    path = REFERENCE / "fhir_r4.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return {
            r["path"]: (r["type"], r["many"] == "1", r["required"] == "1")
            for r in csv.DictReader(file)
        }


R4 = elements_of_r4()


def type_of(annotation: Any) -> tuple[str, bool]:
    """Name of a type as FHIR writes it, and whether it is a list."""
    many = False
    while args := get_args(annotation):
        many = many or get_origin(annotation) is list
        if hasattr(annotation, "__metadata__"):
            name = type(annotation.__metadata__[0]).__name__
            name = name[0].lower() + name[1:]
            return NAMES.get(name, name), many
        annotation = next(arg for arg in args if arg is not type(None))
    name = annotation.__name__.removesuffix("Type")
    return NAMES.get(name, name), many


def elements_of(
    name: str, path: str, met: dict[str, str]
) -> Iterator[tuple[str, Element]]:
    """Elements of a class of R4B, and of those that stand inside of it.

    ``met`` holds where parts stand that were met: another place refers to the first.
    """
    made = get_fhir_model_class(name)
    fields = {field.alias or n: field for n, field in made.model_fields.items()}
    for element in made.elements_sequence():
        field, at = fields[element], f"{path}.{element}"
        told = field.json_schema_extra
        inner, many = type_of(field.annotation)
        keys = ("element_required", "one_of_many_required")
        required = field.is_required() or any(told.get(key, False) for key in keys)
        is_part = inner.startswith(path.partition(".")[0])
        if is_part and inner not in met:
            met[inner] = at
            yield at, (PART, many, required)
            yield from elements_of(inner, at, met)
        else:
            yield at, (met.get(inner, inner), many, required)


def compared(path: str, element: Element) -> Element:
    """An element without the type of what has a type of FHIRPath in the profiles."""
    is_system = path.endswith(".id") or path == "Extension.url"
    return ("", *element[1:]) if is_system else element


@pytest.mark.parametrize("name", dict.fromkeys(p.partition(".")[0] for p in R4))
def test_elements_of_r4b_equal_those_of_r4(name):
    due = {p: compared(p, e) for p, e in R4.items() if p.startswith(f"{name}.")}
    found = {p: compared(p, e) for p, e in elements_of(name, name, {name: name})}
    assert found.keys() - due.keys() == {p for p in MORE if p.startswith(f"{name}.")}
    assert due.keys() - found.keys() == {p for p in LESS if p.startswith(f"{name}.")}
    both = due.keys() & found.keys()
    assert {p: found[p] for p in both} == {p: due[p] for p in both}


def test_the_table_is_of_the_release_that_the_server_names():
    told = (REFERENCE / "fhir_r4_versions.txt").read_text("utf-8")
    assert told.strip().endswith(f"FHIR {FHIR_VERSION}")
