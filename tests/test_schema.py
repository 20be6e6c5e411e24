"""The dictionary: complete, in both languages, and consistent."""

from __future__ import annotations

import numpy as np
import pytest

from responder_model.errors import ResponderModelError
from responder_model.evidence.rows import STATUSES
from responder_model.schema import (
    Field,
    dictionary,
    dictionary_text,
    parse_dictionary,
    parse_target,
)
from responder_model.vocabulary import column_heading, normalise
from responder_model.words import LANGUAGES

FIELDS = tuple(dictionary().fields.values())
DECISIONS = tuple(dictionary().decisions.values())
PREDICTORS = [
    (decision.name, field)
    for decision in DECISIONS
    for field in dictionary().predictors(decision.name, decision.moments[-1])
]


def _texts(row: object) -> list[dict[str, str]]:
    names = ("label", "help", "unit")
    return [getattr(row, name) for name in names if getattr(row, name, None)]


@pytest.mark.parametrize(
    "row",
    [*dictionary().moments, *DECISIONS, *FIELDS],
    ids=lambda row: row.name,
)
def test_every_text_stands_in_english_and_french(row: object) -> None:
    categories = getattr(row, "categories", ())
    texts = _texts(row) + [category.label for category in categories]
    assert texts
    for text in texts:
        assert set(text) == set(LANGUAGES)
        assert all(text[lang].strip() for lang in LANGUAGES)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_field_has_label_help_and_what_its_kind_needs(field: Field) -> None:
    assert field.label
    assert field.help
    if field.kind == "number":
        assert field.unit
        assert field.minimum is not None
        assert field.maximum is not None
        assert field.minimum < field.maximum
    if field.kind == "category":
        assert len(field.categories) >= 2


@pytest.mark.parametrize(
    ("decision", "field"), PREDICTORS, ids=lambda item: getattr(item, "name", item)
)
def test_predictor_has_a_reference(decision: str, field: Field) -> None:
    reference = field.reference_for(decision)
    assert reference.source
    assert reference.status in STATUSES
    if field.kind == "category":
        assert tuple(reference.proportions) == field.category_names
        assert sum(reference.proportions.values()) == pytest.approx(1)
        assert min(reference.proportions.values()) > 0
    elif field.kind == "boolean":
        assert 0 < reference.mean < 1
    else:
        assert reference.sd > 0


@pytest.mark.parametrize("decision", [decision.name for decision in DECISIONS])
def test_reference_lesion_types_are_the_sums_of_aetiologies(decision: str) -> None:
    table = dictionary()
    aetiologies = table.fields["aetiology"].reference_for(decision).proportions
    derived = table.derived_categories("lesion_type")
    central = sum(p for name, p in aetiologies.items() if derived[name] == "central")
    lesion_types = table.fields["lesion_type"].reference_for(decision).proportions
    assert lesion_types["central"] == pytest.approx(central)


def test_words_for_columns_and_categories_are_unambiguous() -> None:
    words: dict[str, str] = {}
    for field in FIELDS:
        headings = [column_heading(field, lang) for lang in LANGUAGES]
        labels = [field.label[lang] for lang in LANGUAGES]
        for word in {normalise(text) for text in (field.name, *labels, *headings)}:
            assert words.setdefault(word, field.name) == field.name
        seen: dict[str, str] = {}
        for category in field.categories:
            texts = (category.name, *category.label.values(), *category.aliases)
            for word in {normalise(text) for text in texts}:
                assert seen.setdefault(word, category.name) == category.name


def test_contrasts_weigh_known_categories_and_have_one_name_each() -> None:
    contrasts = [(field, row) for field in FIELDS for row in field.contrasts]
    assert len({row.name for _, row in contrasts}) == len(contrasts)
    for field, contrast in contrasts:
        assert contrast.name.startswith(f"{field.name}=")
        assert set(contrast.weights) <= set(field.category_names)


@pytest.mark.parametrize("decision", [decision.name for decision in DECISIONS])
def test_declared_correlations_are_positive_definite(decision: str) -> None:
    rows = [
        row for row in dictionary().correlations if row.decision in (None, decision)
    ]
    names = sorted({name for row in rows for name in row.fields})
    correlations = np.eye(len(names))
    for row in rows:
        first, second = (names.index(name) for name in row.fields)
        correlations[first, second] = correlations[second, first] = row.value
    assert np.linalg.eigvalsh(correlations).min() > 0.05
    assert set(names) <= set(dictionary().fields)


def test_decision_names_known_fields_moments_and_cut_points() -> None:
    table = dictionary()
    moments = [moment.name for moment in table.moments]
    for decision in DECISIONS:
        assert {decision.outcome, decision.binary_outcome} <= set(table.fields)
        assert set(decision.moments) <= set(moments)
        assert list(decision.cut_points) == sorted(decision.cut_points)
        served = {decision.main_cut_point, *decision.served_cut_points}
        assert served <= set(decision.cut_points)


@pytest.mark.parametrize(("decision", "moment"), dictionary().targets())
def test_no_model_sees_its_own_outcome(decision: str, moment: str) -> None:
    rules = dictionary().decisions[decision]
    seen = {field.name for field in dictionary().predictors(decision, moment)}
    outcomes = {rules.outcome, rules.binary_outcome, rules.requires}
    assert not seen & outcomes
    assert "patient_id" not in seen
    assert "provenance" not in seen


def test_decision_passes_by_its_own_comparison() -> None:
    decisions = dictionary().decisions
    assert not decisions["rtms_response"].passes(30, 30)
    assert decisions["emcs_success"].passes(40, 40)


def test_moments_follow_each_other() -> None:
    table = dictionary()
    assert table.is_known("relief_1", "session_2")
    assert not table.is_known("relief_2", "session_1")


def test_parse_target_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ResponderModelError, match="decision must be one of"):
        parse_target("weather@screening")
    with pytest.raises(ResponderModelError, match="moment of rtms_response must be"):
        parse_target("rtms_response@implantation")
    with pytest.raises(ResponderModelError, match="moment must be one of"):
        dictionary().moment_index("yesterday")


def test_dictionary_of_another_format_is_refused() -> None:
    text = dictionary_text().replace("format_version = 1", "format_version = 2", 1)
    with pytest.raises(ResponderModelError, match="format_version must be 1"):
        parse_dictionary(text)
