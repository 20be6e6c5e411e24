"""Check the parts of a model that inspection, reports and updates read.

Predictions rest on none of them, but a forged one must not reach a page or stop a
command: priors, settings, the verdict on the sample size, and the performance.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from responder_model.disclosure.record import Disclosure, is_cell_size
from responder_model.features import Encoder
from responder_model.model.parts import ApparentPerformance
from responder_model.priors.sets import PriorSet
from responder_model.sample_size import Criterion, SampleSizeVerdict
from responder_model.schema import Dictionary
from responder_model.settings import Settings
from responder_model.words import LANGUAGES, Note, gaps_of, read_words
from .kinds import read_as
from .node import MAX_TEXT, Node

if TYPE_CHECKING:
    from responder_model.disclosure.fingerprints import Fingerprints

_COUNTS = (
    "n_patients",
    "n_events",
    "n_candidate_parameters",
    "n_required",
    "n_events_required",
)
_SIZES = (
    "outcome_proportion",
    "c_statistic",
    "r2",
    "events_per_parameter",
    "events_per_parameter_required",
)
_CRITERIA = ("shrinkage", "optimism", "outcome_proportion", "mean_error")
_DEFINITIONS = ("composite", "relief_only", "binary_only", "none")


def read_notes(document: Node, table: Dictionary) -> tuple[Note, ...]:
    """Notes of a development, each with a sentence here and what its gaps hold."""
    rows = document.tables("notes", ("code", "values"))
    return tuple(_read_note(row, "development", table) for row in rows)


def _read_note(row: Node, room: str, table: Dictionary) -> Note:
    code = row.text("code", [f"{room}.{key}" for key in read_words(room)])
    gaps = gaps_of(code)
    values = row.table("values", gaps)
    found = {k: _read_gap(values, k, spec, table) for k, spec in gaps.items()}
    return Note(code, **found)


def _read_gap(values: Node, gap: str, spec: str, table: Dictionary) -> Any:
    """Value of a gap, as its sentence says how it is written."""
    if spec == "count":
        return values.count(gap)
    if spec == "label":
        return values.texts(gap, table.fields)
    if spec == "moment":
        return values.text(gap, [row.name for row in table.moments])
    return values.text(gap) if spec in ("", "name") else values.number(gap)


def read_priors(document: Node, encoder: Encoder) -> PriorSet | None:
    """Priors of all columns of the model; None where none were kept."""
    node = document.table("priors")
    if not node.value:
        return None
    priors = read_as(node.value, PriorSet, node.place)
    _check_target(node, encoder)
    if not set(encoder.derived) <= set(priors.columns):
        node.refuse("have every column of the model")
    for name, row in priors.columns.items():
        if row.status not in ("evidence", "judgement") or row.sd < 0.0:
            node.refuse(f"have an SD and a status for {name[:40]}")
    c_statistics = (
        priors.implied_c_statistic,
        priors.implied_c_statistic_before,
        priors.capped_c_statistic,
    )
    if not all(0.0 <= c <= 1.0 for c in c_statistics):
        node.refuse("have c-statistics from 0 to 1")
    return priors


def read_settings(document: Node, encoder: Encoder) -> Settings | None:
    """Settings of the model's own decision and moment; None where none were kept."""
    node = document.table("settings")
    if not node.value:
        return None
    rare = {"method"} - set(node.value)  # kept where one was asked
    keys = (name for name in _names(Settings) if name not in rare)
    node = document.table("settings", keys)
    _check_target(node, encoder)
    # any size: a seed is no measurement
    if type(node.value["seed"]) is not int or node.value["seed"] < 0:
        node.refuse("have a seed that is a whole number, 0 or more")
    if node.number("power", 0.0, 1.0) == 0.0:
        node.refuse("have a power above 0")
    settings = Settings.from_json(node.value, encoder.dictionary)
    known = encoder.dictionary.predictors(encoder.decision, encoder.moment)
    used = names = tuple(row.name for row in known)
    if settings.predictors is not None:
        used = settings.predictors
    if encoder.predictors != tuple(name for name in names if name in used):
        node.refuse("have the predictors of the model")
    return settings


def read_mapping(document: Node) -> dict[str, Any]:
    """What a mapping stated: short texts and numbers, in tables and lists."""
    node = document.table("mapping")
    _check_short(node, node.value)
    return node.value


def _check_short(node: Node, value: Any) -> None:
    inside = [*value, *value.values()] if isinstance(value, dict) else value
    if isinstance(inside, list):
        for item in inside:
            _check_short(node, item)
    elif isinstance(value, str):
        if len(value) > MAX_TEXT or not value.isprintable():
            node.refuse("have short printable texts")
    elif not isinstance(value, int | float):
        node.refuse("have texts, numbers, tables and lists only")


def read_digest(document: Node, key: str) -> str | None:
    """SHA-256 in hexadecimal, or null."""
    if document.value[key] is None:
        return None
    text = document.text(key)
    if len(text) != 64 or not set(text) <= set("0123456789abcdef"):
        document.refuse(f"have a SHA-256 as {key}")
    return text


def read_disclosure(document: Node, encoder: Encoder) -> Disclosure | None:
    """The rule that keeps patients from being read off; null without patients."""
    if document.value["disclosure"] is None:
        if document.value["n_patients"] > 0:
            document.refuse("say by which rule its patients are protected")
        return None
    node = document.table("disclosure", _names(Disclosure))
    if not is_cell_size(node.value["k"]):
        node.refuse("have cells of 0 patients, or 3 to 50")
    n = node.count("n")
    if n != document.value["n_patients"]:
        node.refuse("count the patients of the model")
    return Disclosure(
        k=node.count("k"),
        n=n,
        n_since_release=node.count("n_since_release", n),
        events_since_release=node.count("events_since_release", n),
        parameters=node.count("parameters"),
        contrasts_left_out=node.texts(
            "contrasts_left_out", (column.name for column in encoder.columns)
        ),
        stays_here=node.flag("stays_here"),
        ancestors=node.texts("ancestors"),
    )


def read_fingerprints(document: Node) -> Fingerprints | None:
    """Keyed fingerprints of the patients; null where none were made."""
    if document.value["fingerprints"] is None:
        return None
    # imported here: a published model has none, and starts sooner without
    from responder_model.disclosure.fingerprints import Fingerprints

    node = document.table("fingerprints", _names(Fingerprints))
    patients = node.items("patients")
    if not all(isinstance(one, str) and len(one) <= 64 for one in patients):
        node.refuse("list short texts")
    return Fingerprints(
        key=node.text("key"), patients=tuple(patients), values=node.text("values")
    )


def read_sample_size(document: Node, table: Dictionary) -> SampleSizeVerdict | None:
    """Verdict on the sample size; None where no patient stands behind the model."""
    node = document.table("sample_size")
    if not node.value:
        return None
    criteria = [
        {**row.value, "definition": _read_definition(row, table)}
        for row in node.tables("criteria", _names(Criterion))
    ]
    said = {**node.value, "criteria": criteria}
    verdict = read_as(said, SampleSizeVerdict, node.place)
    for key in _COUNTS:
        node.count(key)
    for key in _SIZES:
        node.number(key, 0.0)
    if set(verdict.wording) != set(LANGUAGES):
        node.refuse("have words in each language")
    for row in verdict.criteria:
        if row.name not in _CRITERIA or row.n_required < 0:
            node.refuse("have criteria that are known")
    return verdict


def _read_definition(row: Node, table: Dictionary) -> Note:
    """What a criterion asks; text in a folder of an earlier build."""
    if isinstance(row.value["definition"], str):
        return Note("sample_size.said", text=row.text("definition"))
    note = row.table("definition", ("code", "values"))
    return _read_note(note, "sample_size", table)


def read_performance(performance: Any, table: Dictionary) -> ApparentPerformance:
    """What ``performance.json`` says was measured; nothing where it is empty."""
    node = Node.of(performance, "performance.json")
    if not node.value:
        return ApparentPerformance()
    node = Node.of(performance, "performance.json", _names(ApparentPerformance))
    if node.table("apparent").value:
        _check_measures(node.table("apparent"))
    node.text("outcome_definition", _DEFINITIONS)
    reasons = node.table("not_measured")
    read = {name: _read_reason(reasons, name, table) for name in reasons.value}
    measured = {**node.value, "not_measured": read}
    return read_as(measured, ApparentPerformance, node.place)


def _read_reason(reasons: Node, name: str, table: Dictionary) -> Note:
    """Why a measure has no value; text in a folder of an earlier build."""
    if isinstance(reasons.value[name], str):
        return Note("performance.as_it_was_said", text=reasons.text(name))
    row = reasons.table(name, ("code", "values"))
    return _read_note(row, "performance", table)


def _check_measures(node: Node) -> None:
    # imported here: a published model was never measured, and starts sooner without
    from responder_model.performance.definitions import DEFINITIONS

    for name in node.value:
        if name not in DEFINITIONS:
            node.refuse(f"have apparent measures that are defined, got {name[:40]!r}")


def _check_target(node: Node, encoder: Encoder) -> None:
    node.text("decision", (encoder.decision,))
    node.text("moment", (encoder.moment,))


def _names(kind: type) -> tuple[str, ...]:
    return tuple(row.name for row in fields(kind))
