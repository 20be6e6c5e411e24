"""Forged priors, settings, verdicts and measures: refused, or harmless everywhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

import responder_model as rm
from responder_model.artifact.document import (
    evidence_document,
    model_document,
    performance_document,
    plain,
)
from responder_model.artifact.evidence import read_evidence
from responder_model.artifact.reading import read_document
from responder_model.cli.summary import print_model, summarise
from responder_model.cohort import map_from
from responder_model.development import procedure_from
from responder_model.errors import (
    DevelopmentError,
    ResponderModelError,
    UntrustedModelError,
)
from responder_model.model import Model
from responder_model.model.example import example_model
from responder_model.reporting import build_report
from responder_model.reporting.values import logged_values
from responder_model.schema import dictionary
from responder_model.settings import Settings
from responder_model.words import Note

PARTS = ("settings", "sample_size", "priors", "performance", "evidence")
VALUES = (None, True, 0, -1, 1.5, 10**30, "", "forged", [], [[]], {}, {"en": 1})
# Whole reports, figures included, are slow: one for every so many forgeries.
REPORT_EVERY = 10


@pytest.fixture(scope="module")
def parts() -> dict[str, Any]:
    settings = Settings(
        decision="rtms_response",
        moment="session_2",
        predictors=("age", "aetiology", "relief_1"),
        challenger=False,
    )
    cohort = rm.simulate_cohort(n_patients=60, seed=1)
    model = rm.develop(cohort, settings=settings)
    beside = {
        "evidence": evidence_document(model.evidence),
        "performance": performance_document(model.performance),
    }
    return json.loads(json.dumps(model_document(model) | beside))


def read(parts: dict[str, Any]) -> Model:
    document = dict(parts)
    evidence = partial(read_evidence, document.pop("evidence"))
    performance = document.pop("performance")
    return read_document(
        document,
        table=dictionary(),
        evidence=evidence,
        trees=None,
        performance=performance,
    )


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every table or list with one of its keys, at any depth."""
    if isinstance(value, dict | list):
        keys = list(value) if isinstance(value, dict) else range(len(value))
        for key in keys:
            yield value, key
            yield from places(value[key])


def forge(parts: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Change, add or remove one thing in one of the parts."""
    forged = json.loads(json.dumps(parts))
    found = [*places(forged[PARTS[rng.integers(len(PARTS))]])]
    table, key = found[rng.integers(len(found))]
    value = VALUES[rng.integers(len(VALUES))]
    if rng.random() < 0.2:
        del table[key]
    elif rng.random() < 0.2 and isinstance(table, dict):
        table["forged"] = table.pop(key)
    else:
        table[key] = value
    return forged


@pytest.mark.parametrize(
    "n_forgeries", [100, pytest.param(1000, marks=pytest.mark.long)]
)
def test_forged_records_are_refused_or_shown_everywhere(
    parts: dict[str, Any], n_forgeries: int
) -> None:
    rng = np.random.default_rng(0)
    n_refused = 0
    for _ in range(n_forgeries):
        forged = forge(parts, rng)
        try:
            model = read(forged)
        except UntrustedModelError:
            n_refused += 1
            continue
        summarise(model)
        for lang in ("en", "fr"):
            print_model(model, lang)
        logged_values(model, ())
        if rng.random() < 1.0 / REPORT_EVERY:
            build_report(model)
        if model.settings is not None:
            procedure_from(model.settings)
    assert 0.5 * n_forgeries < n_refused < n_forgeries


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["settings"].update(seed="1"), r"settings must have a seed"),
        (lambda d: d["settings"].update(moment="session_1"), r"settings\.moment must"),
        (lambda d: d["settings"].update(predictors=[]), r"must name at least o"),
        (lambda d: d["settings"].update(predictors=None), r"predictors of the mod"),
        (lambda d: d["sample_size"].pop("wording"), r"sample_size must be of its kind"),
        (
            lambda d: d["sample_size"].update(verdict="fine"),
            r"verdict must be of it",
        ),
        (lambda d: d["priors"]["columns"].pop("age"), r"must have every column"),
        (lambda d: d["priors"].update(anchor=[0.0]), r"anchor must be of its kind"),
        (lambda d: d["performance"]["apparent"].update(x=1.0), r"defined, got 'x'"),
        (lambda d: d["performance"].update(apparent=[]), r"apparent must be a table"),
        (lambda d: d["evidence"]["rows"][1].update(se=0.0), r"evidence.json must have"),
        (lambda d: d["evidence"]["rows"][1].update(n="7"), r"rows\[1\]\.n must be of"),
        (lambda d: d["evidence"].pop("rows"), r"evidence.json must have exactly"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_read_document_names_what_is_forged(
    parts: dict[str, Any], change: Callable[[dict[str, Any]], object], message: str
) -> None:
    forged = json.loads(json.dumps(parts))
    change(forged)
    with pytest.raises(UntrustedModelError, match=message):
        read(forged)


def test_model_without_records_is_inspected_and_not_reported() -> None:
    model = example_model()
    print_model(model, "en")
    with pytest.raises(ResponderModelError, match="priors must be as a model keeps"):
        build_report(model)


@pytest.mark.parametrize(
    ("door", "message"),
    [
        (Settings.from_json, "in a model, settings are not valid: .*decision must be"),
    ],
)
def test_from_json_refuses_parts_of_another_kind(
    door: Callable[[dict[str, Any]], object], message: str
) -> None:
    with pytest.raises(UntrustedModelError, match=message):
        door({"forged": 1})


def test_settings_refuse_an_empty_list_of_predictors() -> None:
    with pytest.raises(DevelopmentError, match="predictors must name at least one"):
        Settings(decision="emcs_success", predictors=())


def test_settings_refuse_values_of_another_kind_all_at_once() -> None:
    kinds: dict[str, Any] = {
        "seed": "1",
        "exclude_evidence": "andre_obadia_2006",
        "challenger": "no",
        "components": "none",
    }
    with pytest.raises(DevelopmentError) as raised:
        Settings(decision="emcs_success", **kinds)
    assert all(f"{name} must be" in str(raised.value) for name in kinds)


def test_settings_keep_each_name_once() -> None:
    settings = Settings(decision="emcs_success", predictors=("age", "age"))
    assert settings.predictors == ("age",)


def test_read_performance_gives_reasons_back_as_notes(parts: dict[str, Any]) -> None:
    reason = Note("performance.one_class", n=60, all=60)
    reasons = {"log_loss": reason, "e50": "said by an older build"}
    measured = {**parts["performance"], "not_measured": plain(reasons)}
    document = {**parts, "performance": json.loads(json.dumps(measured))}
    read_back = read(document).performance.not_measured
    assert read_back["log_loss"] == reason
    assert "60 répondeurs sur 60" in read_back["log_loss"].text("fr")
    assert str(read_back["e50"]) == "said by an older build"
    assert read(parts | {"performance": {**measured, "not_measured": plain(read_back)}})


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ({"code": "performance.one_class", "values": {"n": 1}}, "its own entries"),
        ({"code": "patient.name", "values": {"field": "age"}}, "known to"),
        ({"code": "performance.one_class", "values": {"n": "a", "all": 2}}, "whole"),
    ],
)
def test_read_performance_refuses_forged_reasons(
    parts: dict[str, Any], reason: dict[str, Any], told: str
) -> None:
    performance = {**parts["performance"], "not_measured": {"log_loss": reason}}
    with pytest.raises(UntrustedModelError, match=told):
        read({**parts, "performance": performance})


# ---------------------------------------------------------------- the mapping

HOW = {
    "columns": {"EN": "pain_intensity", "Mme Exemple": ""},
    "units": {"pain_duration": "years"},
    "missing_codes": [-99, "perdu"],
    "values": {"aetiology": {"AVC de Mme Exemple": "ischaemic_stroke"}},
    "rules": {"rtms_responder": {"at": 50, "inclusive": True}},
}
RECORD = {
    "missing_codes": [-99],
    "missing_words": 1,
    "columns": {"EN": "pain_intensity"},
    "units": {"pain_duration": "years"},
    "values": {"aetiology": {"ischaemic_stroke": 1}},
    "rules": {"rtms_responder": {"at": 50, "inclusive": True}},
}


def test_a_model_keeps_what_a_mapping_stated_and_no_word_of_a_cell(parts):
    how = map_from(HOW)
    cohort = rm.simulate_cohort(n_patients=60, seed=1)
    cohort.attrs["mapping"] = how.record
    model = rm.develop(cohort, settings=read(parts).settings)
    assert plain(model.mapping) == RECORD
    document = json.loads(
        json.dumps(
            model_document(model) | {k: parts[k] for k in ("evidence", "performance")}
        )
    )
    assert "Exemple" not in json.dumps(document)
    assert plain(read(document).mapping) == RECORD
    assert "units.pain_duration = years" in " ".join(n.text() for n in model.notes)
    # files that needed none leave no entry
    assert "mapping" not in parts
    assert read(parts).mapping == {}


@pytest.mark.parametrize(
    "forged", [None, 1, "a", [], {"a": None}, {"a\nb": 1}, {"a": "x" * 5000}]
)
def test_a_forged_mapping_is_refused(parts, forged):
    with pytest.raises(UntrustedModelError):
        read({**parts, "mapping": forged})
