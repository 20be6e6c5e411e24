"""Codes mean what was read of them, or are asked; a hospital's table is checked."""

from __future__ import annotations

import pytest

import responder_model as rm
from responder_model.interchange.code_file import read_codes, shipped_codes
from responder_model.interchange.codes import Meaning, Unspecific
from responder_model.schema import dictionary

WHO = "http://hl7.org/fhir/sid/icd-10"
FRANCE = "https://smt.esante.gouv.fr/terminologie-cim-10"
US = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED = "http://snomed.info/sct"
# Codes as they are written in records, what they mean in the WHO's book and in the
# American one: a category, "ask", or nothing that is known.
BOTH_BOOKS = [
    ("I63.9", "ischaemic_stroke", "ischaemic_stroke"),
    ("I69.3", "ischaemic_stroke", "ischaemic_stroke"),
    ("I69.354", "ischaemic_stroke", "ischaemic_stroke"),
    ("I61", "haemorrhagic_stroke", "haemorrhagic_stroke"),
    ("I691", "haemorrhagic_stroke", "haemorrhagic_stroke"),
    ("I69.0", None, None),
    ("I60.9", None, None),
    ("G35", "multiple_sclerosis", "multiple_sclerosis"),
    ("G35.A", "multiple_sclerosis", "multiple_sclerosis"),
    ("S14.1", "spinal_cord_injury", "spinal_cord_injury"),
    ("S14.109A", "spinal_cord_injury", "spinal_cord_injury"),
    ("T09.3", "spinal_cord_injury", None),
    ("T91.3", "spinal_cord_injury", None),
    ("S06.2", "traumatic_brain_injury", "traumatic_brain_injury"),
    ("T90.5", "traumatic_brain_injury", None),
    ("G95.0", "syringomyelia", "syringomyelia"),
    ("G95.1", None, None),
    ("G53.0", "postherpetic_neuralgia", None),
    ("G53.0*", "postherpetic_neuralgia", None),
    ("B02.2", None, None),
    ("B02.29", None, "postherpetic_neuralgia"),
    ("G62.9", "polyneuropathy", "polyneuropathy"),
    ("G64", None, None),
    ("M89.0", "complex_regional_pain_syndrome", "complex_regional_pain_syndrome"),
    ("G90.7", "complex_regional_pain_syndrome", None),
    ("G56.4", "peripheral_nerve_lesion", "complex_regional_pain_syndrome"),
    ("G57.7", "peripheral_nerve_lesion", "ask"),
    ("G57.1", "peripheral_nerve_lesion", "peripheral_nerve_lesion"),
    ("G54.6", "amputation", "amputation"),
    ("G54.7", None, None),
    ("M54.1", "radiculopathy", "radiculopathy"),
    ("G55.1", "radiculopathy", None),
    ("G50.8", "trigeminal_neuropathy", "trigeminal_neuropathy"),
    ("S04.3", "trigeminal_neuropathy", "trigeminal_neuropathy"),
    ("G50.0", "ask", "ask"),
    ("G50.9", "ask", "ask"),
    ("I64", "ask", None),
    ("I69.4", "ask", None),
    ("S14.3", "ask", "ask"),
    ("G54.0", "ask", "ask"),
    ("Z89.2", "ask", "ask"),
    ("R52.1", "ask", "ask"),
    ("G89.0", None, "ask"),
    ("I", None, None),
    ("I6", None, None),
    ("", None, None),
]


# All that is shipped, by category: codes of the WHO's book, the American one, SNOMED.
SHIPPED = {
    "ischaemic_stroke": ("I63 I69.3", "I63 I69.3", "422504002"),
    "haemorrhagic_stroke": ("I61 I69.1", "I61 I69.1", "274100004"),
    "multiple_sclerosis": ("G35", "G35", "24700007"),
    "spinal_cord_injury": (
        "S14.1 S24.1 S34.1 T09.3 T91.3",
        "S14.1 S24.1 S34.1",
        "90584004",
    ),
    "traumatic_brain_injury": ("S06 T90.5", "S06", "127295002"),
    "syringomyelia": ("G95.0", "G95.0", ""),
    "postherpetic_neuralgia": ("G53.0", "B02.22 B02.23 B02.29", ""),
    "polyneuropathy": ("G60 G61 G62 G63", "G60 G61 G62 G63", ""),
    "complex_regional_pain_syndrome": (
        "M89.0 G90.5 G90.6 G90.7",
        "M89.0 G90.5 G56.4",
        "",
    ),
    "amputation": ("G54.6 T87.3", "G54.6 T87.3", ""),
    "radiculopathy": ("M54.1 G55.1", "M54.1", ""),
    "trigeminal_neuropathy": ("G50.8 S04.3", "G50.8 S04.3", ""),
    "peripheral_nerve_lesion": ("G56 G57 G58", "G56 G57 G58", ""),
    "ask": (
        "I64 I69.4 G50.0 G50.9 S14.3 G54.0 Z89 R52",
        "G50.0 G50.9 S14.3 G54.0 Z89 R52 G89 G57.7",
        "",
    ),
}
SCALES = {
    ("snomed", "401320004", "depression"),
    ("snomed", "401319005", "anxiety"),
    ("loinc", "72514-3", "pain_intensity"),
}


def test_the_shipped_table_has_these_codes_and_no_other():
    systems = ("icd10", "icd10cm", "snomed")
    due = {
        (system, code, category)
        for category, lists in SHIPPED.items()
        for system, codes in zip(systems, lists, strict=True)
        for code in codes.split()
    }
    found, scales = set(), set()
    for row in shipped_codes().known:
        place = (row.code.system, row.code.code)
        if isinstance(row, Unspecific):
            found.add((*place, "ask"))
        elif row.category is not None:
            found.add((*place, row.category))
        else:
            scales.add((*place, row.field))
    assert found == due
    assert scales == SCALES


def test_every_category_is_found_by_each_of_its_codes():
    for category, lists in SHIPPED.items():
        for uri, codes in zip((WHO, US, SNOMED), lists, strict=True):
            assert {meaning(uri, code) for code in codes.split()} <= {category}


def meaning(uri, code):
    found = shipped_codes().find(uri, code)
    return "ask" if isinstance(found, Unspecific) else found and found.category


@pytest.mark.parametrize(("code", "who", "us"), BOTH_BOOKS)
def test_find_says_what_a_code_means_in_each_book(code, who, us):
    for uri in (WHO, f"{WHO}/", FRANCE, f"{FRANCE}/"):
        assert meaning(uri, code) == who
        assert meaning(uri, code.replace(".", "").lower()) == who
    assert meaning(US, code) == us
    assert meaning("urn:other", code) is None


def test_find_reads_scores_and_their_notes():
    book = shipped_codes()
    hads = book.find(SNOMED, "401320004")
    pain = book.find("http://loinc.org", "72514-3")
    assert (hads.field, hads.category) == ("depression", None)
    assert (pain.field, pain.note) == ("pain_intensity", "pain_now")
    assert book.find(SNOMED, "4013200041") is None


def test_every_code_has_a_source_that_is_told_and_a_category_that_exists():
    book = shipped_codes()
    for row in book.known:
        assert book.sources[row.code.source]
        if isinstance(row, Meaning) and row.category is not None:
            assert row.category in dictionary().fields[row.field].category_names
    assert not book.is_signed


OWN = """
format_version = 1
signed = { name = "Dr A", date = "2026-11-01" }
[systems]
local = { uris = ["https://hospital.example/diagnoses"], form = "plain" }
[sources]
thesaurus = "our thesaurus of 2025"
[[categories]]
field = "aetiology"
name = "amputation"
codes = [{ system = "local", code = "MF12", match = "exact", source = "thesaurus" }]
"""


def write(tmp_path, text):
    path = tmp_path / "hospital.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_hospital_replaces_the_lists_that_it_names(tmp_path):
    book = read_codes(write(tmp_path, OWN))
    assert book.find("https://hospital.example/diagnoses", "MF12").category
    assert book.find(WHO, "G54.6") is None
    assert book.find(WHO, "I63").category == "ischaemic_stroke"
    assert book.find(WHO, "I64").why == "kind_of_stroke"
    assert book.mapping_version != shipped_codes().mapping_version
    assert book.is_signed


def test_signature_leaves_the_version_of_the_mapping(tmp_path):
    unsigned = write(tmp_path, OWN.replace("Dr A", ""))
    signed = read_codes(write(tmp_path, OWN)).mapping_version
    unsigned = write(tmp_path, OWN.replace("Dr A", ""))
    assert read_codes(unsigned).mapping_version == signed


WRONG = """
format_version = 1
[[categories]]
field = "aetiology"
name = "bad_luck"
codes = [{ system = "icd10", code = "I", match = "prefix", source = "who2019" }]
[[categories]]
field = "aetiologie"
name = "amputation"
codes = [{ system = "icd11", code = "8A", match = "exact", source = "who2019" }]
[[fields]]
name = "sex"
units = []
note = "stale"
codes = [{ system = "snomed", code = "12", match = "prefix", source = "nowhere" }]
"""


def test_hospital_table_is_refused_with_all_that_is_wrong(tmp_path):
    with pytest.raises(rm.ResponderModelError, match="hospital.toml") as refused:
        read_codes(write(tmp_path, WRONG))
    for part in (
        "bad_luck is no category",
        "icd10 I is no code",
        "aetiologie is no predictor with categories",
        "icd11 8A: the system must be one of",
        "sex is no predictor that is a number",
        "stale names no sentence of the package that is said of a field alone",
        "snomed 12: only a system of the form icd",
        "snomed 12: the source",
    ):
        assert part in str(refused.value)
    assert "n'est pas une catégorie" in refused.value.text("fr")


MAPPED = 'system = "local", code = "MF12", match = "exact"'


def mapping(code, match):
    """Map a code of the WHO's book to an amputation."""
    return MAPPED, f'system = "icd10", code = "{code}", match = "{match}"'


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (mapping("I64", "exact"), "twice: a code means one thing"),
        (mapping("R52.1", "exact"), "asked about and never mapped"),
        (mapping("I63", "prefix"), "twice: a code means one thing"),
        (("format_version = 1", "format_version = 2"), "format_version must be 1"),
        (("[[categories]]", "[[category]]"), "category is no part of it"),
        (("[[categories]]", "[categories]"), "categories must be a table"),
        (('match = "exact", ', ""), "must have code, match, source, system"),
        (("[systems]", "["), "must be a TOML file of codes"),
    ],
)
def test_hospital_cannot_map_what_is_asked_or_means_something_else(
    tmp_path, change, rule
):
    with pytest.raises(rm.ResponderModelError, match=rule):
        read_codes(write(tmp_path, OWN.replace(*change)))
