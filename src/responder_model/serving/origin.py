"""Where a model comes from: patients, studies, and how well it tells patients apart."""

from __future__ import annotations

from typing import Any

from responder_model.model import Model
from responder_model.words import say

# Digits of a digest that a person is shown.
DIGITS = 12


def source_of(
    model: Model, lang: str, *, with_measures: bool = False
) -> tuple[tuple[str, str], ...]:
    """Where a model comes from, and how well it tells: names and values, for a list.

    Examples
    --------
    >>> import responder_model as rm
    >>> dict(source_of(rm.published_model("emcs_success"), "en"))["Made from"]
    'published evidence up to 2024, no patient of a cohort'
    """
    found = [
        ("model", say("page.name", lang, name=model.name)),
        ("made_from", _made_from(model, lang)),
    ]
    if model.provenance != "published":
        counted = {"n": model.n_patients, "events": model.n_events}
        found.append(("patients", say("page.counted", lang, **counted)))
    measured = c_statistic(model)
    # what published effects imply is said among the messages
    if with_measures and measured["kind"] == "apparent":
        told = say("page.c_apparent", lang, c=measured["value"])
        found.append(("c_statistic", told))
    if model.digest is not None:
        found.append(("digest", model.digest[:DIGITS]))
    return tuple((say(f"page.{key}", lang), text) for key, text in found)


def _made_from(model: Model, lang: str) -> str:
    year = latest_year(model)
    if year is None:
        return say(f"page.{model.provenance}", lang)
    return say(f"page.{model.provenance}_year", lang, year=str(year))


def latest_year(model: Model) -> int | None:
    """Year of the latest finding in the prior of a model."""
    columns = model.prior_columns.values()
    named = {name for column in columns for name in column.rows}
    rows = model.evidence.rows
    years = [rows[name].year for name in named & rows.keys()]
    return max((year for year in years if year is not None), default=None)


def c_statistic(model: Model) -> dict[str, Any]:
    """How well a model tells patients apart: measured in its own, else implied."""
    measured = model.performance.apparent.get("c_statistic")
    if measured is not None:
        return {"value": measured, "kind": "apparent"}
    if model.priors is None:
        return {"value": None, "kind": None}
    return {"value": model.priors.implied_c_statistic, "kind": "implied"}
