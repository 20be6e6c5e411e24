"""What the served model answers, row by row, whatever a client sends."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from responder_model.artifact import digest_of
from responder_model.cohort.checking import inspect_cohort
from responder_model.errors import InvalidCohortError, Problem
from responder_model.features import Array
from responder_model.model import Model
from responder_model.model.applicability import failed_tests
from responder_model.model.batch import recode, score_columns, score_raw
from responder_model.model.messages import patient_messages, standing_messages
from responder_model.model.scores import Scores
from responder_model.patient import known_later, unknown_name
from responder_model.schema import dictionary
from responder_model.scoring.frame import PROBLEM, checked_rows
from responder_model.scoring.parts import DIGEST, PROVENANCE
from responder_model.vocabulary import find_field, is_missing, show

MESSAGES, READ = "messages", "read"
NO_TABLE = "the input must be a table, a record or a list of records"


def score_served(model: Model, patients: Any) -> pd.DataFrame:
    """Answer each row by itself: a probability and what belongs to it, or a problem.

    It raises nothing for what stands in a table: MLflow would repeat the table in its
    message. No text but ``read`` holds a value.

    Parameters
    ----------
    model : Model
        The loaded model.
    patients : DataFrame, mapping or list of mappings
        One row per patient, values as ``Model.predict`` reads them; predictors may be
        absent or missing. A table with an identifier is a cohort: what is known only
        later than the model's moment is left unused there, and said. Anywhere else it
        is refused, as a name is that the dictionary does not know.

    Returns
    -------
    DataFrame
        ``probability``, ``lower``, ``upper``, ``probability_<cut-off>`` for each served
        cut-off, ``baseline`` and ``contribution_<predictor>`` in log-odds;
        ``provenance``; ``model_digest``; ``applicability``; ``missing``, names
        separated by a space; ``messages``, a line each; ``read``, the values as they
        were understood, in JSON; ``problem``, empty where the row is answered. A row
        with a problem has nothing else but the provenance and the digest.
    """
    table = _as_table(patients)
    checked, problem = _checked(model, table)
    cohort, _ = recode(model.encoder, inspect_cohort(checked)[0], np.arange(len(table)))
    raw = model.encoder.raw(cohort)
    scores = score_raw(model, raw)
    columns = score_columns(model, scores)
    level, missing = (pd.Series(columns.pop(n)).astype(object) for n in _TEXTS)
    answer = pd.DataFrame(columns)
    answer["baseline"] = model.baseline
    for k, name in enumerate(model.encoder.predictors):
        answer[f"contribution_{name}"] = scores.contributions[:, k]
    answer["applicability"], answer["missing"] = level, missing
    unused = _unused(model, table)
    answer[MESSAGES] = list(_messages(model, scores, raw, level, missing, unused))
    answer[READ] = list(_read(checked))
    if problem.notna().any():
        # not-a-number is no JSON; of a text that is None Spark makes the word
        answer = answer.astype(object).where(problem.isna(), None)
        texts = [*_TEXTS, MESSAGES, READ]
        answer[texts] = answer[texts].where(problem.isna(), "")
    place = list(answer.columns).index("applicability")
    answer.insert(place, DIGEST, digest_of(model))
    answer.insert(place, PROVENANCE, _provenance(model, table))
    answer[PROBLEM] = problem.where(problem.notna(), "")
    return answer.set_axis(table.index, axis="index")


_TEXTS = ("applicability", "missing")


def _as_table(patients: Any) -> pd.DataFrame:
    if isinstance(patients, Mapping):
        columns = [v for v in patients.values() if np.ndim(v) or isinstance(v, list)]
        patients = patients if columns else [patients]
    if isinstance(patients, np.ndarray):
        patients = patients.tolist()
    if not isinstance(patients, pd.DataFrame):
        try:
            patients = pd.DataFrame(patients)
        except (ValueError, TypeError):
            raise TypeError(NO_TABLE) from None
    names = [name if isinstance(name, str) else show(name) for name in patients.columns]
    named: pd.DataFrame = patients.set_axis(names, axis="columns")
    return named


def _checked(model: Model, table: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Predictors of each row as they are read, and why rows are refused."""
    encoder, rows = model.encoder, table.reset_index(drop=True)
    first = encoder.predictors[0]
    nothing = pd.DataFrame({first: pd.Series(None, rows.index, dtype=object)})
    fields = [find_field(name) for name in rows.columns]
    known = {field.name for field in fields if field is not None}
    try:
        # a table that names no predictor is one of patients of whom nothing is known
        told = rows if known & set(encoder.predictors) else rows.join(nothing)
        checked = checked_rows(encoder, told)
    except InvalidCohortError as error:
        rules = "; ".join(p.without_value().text() for p in error.problems)
        checked = checked_rows(encoder, nothing).assign(**{PROBLEM: rules})
    more = _not_for_this_model(model, rows)
    both = zip(checked.pop(PROBLEM), more, strict=True)
    reasons = ["; ".join(filter(None, pair)) or None for pair in both]
    return checked, pd.Series(reasons, rows.index, dtype=object)


def _not_for_this_model(model: Model, rows: pd.DataFrame) -> list[str]:
    """Why each row has values that ``Model.predict`` would refuse by their name."""
    found: list[list[str]] = [[] for _ in range(len(rows))]
    later = () if _is_cohort(rows) else _later(model, rows)
    for place, name in enumerate(rows.columns):
        field = find_field(name)
        if field is not None and name not in later:
            continue
        rule = known_later(field, model.moment) if field else unknown_name(show(name))
        label = show(name) if field is None else field.name
        reason = Problem(field=label, allowed=rule).without_value().text()
        for row, value in enumerate(rows.iloc[:, place]):
            if not is_missing(value):
                found[row].append(reason)
    return ["; ".join(reasons) for reasons in found]


def _is_cohort(rows: pd.DataFrame) -> bool:
    fields = map(find_field, rows.columns)
    return any(field is not None and field.role == "identifier" for field in fields)


def _later(model: Model, rows: pd.DataFrame) -> tuple[str, ...]:
    """Columns of what is known only later than the model's moment."""
    table = dictionary()
    fields = {name: find_field(name) for name in rows.columns}
    return tuple(
        name
        for name, field in fields.items()
        if field is not None and not table.is_known(field.name, model.moment)
    )


def _unused(model: Model, rows: pd.DataFrame) -> str:
    """What is said of a cohort's columns that are known only later."""
    names = _later(model, rows)
    if not names or not _is_cohort(rows):
        return ""
    return f"Left unused, known only later than {model.moment}: {', '.join(names)}."


def _provenance(model: Model, table: pd.DataFrame) -> str:
    words = [
        table.iloc[:, place]
        for place, name in enumerate(table.columns)
        if (field := find_field(name)) is not None and field.role == PROVENANCE
    ]
    said = any("simul" in str(word).lower() for cells in words for word in cells)
    simulated = said or table.attrs.get(PROVENANCE) == "simulated"
    return "simulated" if simulated else model.provenance


def _messages(
    model: Model,
    scores: Scores,
    raw: Array,
    level: pd.Series,
    missing: pd.Series,
    unused: str,
) -> Iterator[str]:
    """What a reader of each number must know, as ``Model.predict`` says it."""
    standing = standing_messages(model)
    failed = failed_tests(model.encoder, raw)
    log_odds = scores.linear_predictor.tolist()
    rows = zip(missing.tolist(), level.tolist(), failed.tolist(), log_odds, strict=True)
    for names, place, failed_test, linear_predictor in rows:
        told = patient_messages(
            standing,
            missing=tuple(names.split()),
            level=place,
            failed_test=failed_test,
            linear_predictor=linear_predictor,
        )
        yield "\n".join(filter(None, [*map(str, told), unused]))


def _read(checked: pd.DataFrame) -> Iterator[str]:
    """Values of each row as they were understood."""
    cells = checked.astype(object).where(checked.notna(), None)
    names, columns = list(cells), [cells[name].tolist() for name in cells]
    encode = json.JSONEncoder(ensure_ascii=False).encode
    for row in zip(*columns, strict=True):
        told = zip(names, row, strict=True)
        yield encode({name: value for name, value in told if value is not None})
