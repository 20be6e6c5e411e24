"""A validation as it is printed, handed to a program and logged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from responder_model.words import Note, say
from responder_model.words.numbers import format_number
from .output import console

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from responder_model.validation import ExternalValidation, InternalValidation

# Columns printed for a person; ``--json`` has all of them.
SHOWN = ("measure", "value", "apparent", "optimism_corrected", "lower", "upper")
# Columns that are logged, of the many that --json prints.
LOGGED = ("value", "apparent", "optimism", "optimism_corrected", "lower", "upper")


def print_measures(
    result: ExternalValidation | InternalValidation,
    provenance: str,
    lang: str,
    *,
    threshold: float,
) -> None:
    """Table, reasons of what has no value, stability, and what the measures mean."""
    out = console()
    out.print(measures_table(result, provenance, lang))
    for line in (*_problems(result, lang), *_stability(result, lang)):
        out.print(line)
    for line in definitions(result.table["measure"], lang, threshold=threshold):
        out.print(line)


def plain_result(
    result: ExternalValidation | InternalValidation, provenance: str, lang: str = "en"
) -> dict[str, Any]:
    """Everything about the whole cohort, as JSON knows it."""
    from .output import plain

    found = {
        "provenance": provenance,
        "n_patients": result.n_patients,
        "n_events": result.n_events,
        "measures": result.table.to_dict(orient="records"),
        **_more(result),
        "notes": [note.to_dict(lang) for note in result.notes],
    }
    return dict(plain(found))


def _more(result: ExternalValidation | InternalValidation) -> dict[str, Any]:
    """What only one kind of validation has."""
    from responder_model.validation import ExternalValidation

    if isinstance(result, ExternalValidation):
        other = result.sensitivity
        return {
            "threshold": result.performance.threshold,
            "non_completers_as_non_responders": None
            if other is None
            else {
                "n_patients": other.n_patients,
                "measures": other.to_frame().to_dict(orient="records"),
            },
        }
    stability = result.stability
    return {
        "threshold": result.threshold,
        "n_resamples": result.n_resamples,
        "n_failed_resamples": result.n_failed_resamples,
        "failures": [{"reason": r, "n": n} for r, n in result.failures.items()],
        "challenger_weight": result.challenger_weight,
        "stability": None if stability is None else stability.summary(result.threshold),
    }


def logged(
    result: ExternalValidation | InternalValidation,
) -> Iterator[tuple[str, Any]]:
    """Numbers of a validation by measure and column."""
    found = plain_result(result, "")
    for name in ("n_patients", "n_events", "n_resamples", "n_failed_resamples"):
        if name in found:
            yield name, found[name]
    for row in found["measures"]:
        for column in LOGGED:
            if row.get(column) is not None:
                yield f"{row['measure']}.{column}", row[column]
    for name, value in (found.get("stability") or {}).items():
        yield f"stability.{name}", value
    other = found.get("non_completers_as_non_responders") or {"measures": []}
    for row in other["measures"]:
        if row["value"] is not None:
            key = f"non_completers_as_non_responders.{row['measure']}"
            yield key, row["value"]


def measures_table(
    result: ExternalValidation | InternalValidation, provenance: str, lang: str
) -> Table:
    """One line per measure; says whose patients they are."""
    from rich.table import Table

    counts = {"n": result.n_patients, "events": result.n_events}
    title = say("cli.measured_on", lang, whose=whose(provenance), **counts)
    rows: pd.DataFrame = result.table
    columns = [name for name in SHOWN if name in rows.columns]
    table = Table(title=title, title_justify="left")
    for name in columns:
        heading = say(f"cli.shown_{name}", lang)
        table.add_column(heading, justify="left" if name == "measure" else "right")
    other = getattr(result, "sensitivity", None)
    if other is not None:
        table.add_column(say("cli.as_non_responders", lang), justify="right")
    for row in rows[columns].to_dict(orient="records"):
        name = row.pop("measure")
        more = [] if other is None else [other.value(name)]
        numbers = (_cell(value, lang) for value in (*row.values(), *more))
        table.add_row(measure_label(name, lang), *numbers)
    return table


def whose(provenance: str) -> Note:
    """Whether patients are simulated."""
    simulated = provenance == "simulated"
    return Note("cli.whose_simulated" if simulated else "cli.whose_cohort")


def measure_label(name: str, lang: str) -> str:
    """Label of a measure."""
    from responder_model.performance import DEFINITIONS

    return DEFINITIONS[name].label[lang]


def _problems(
    result: ExternalValidation | InternalValidation, lang: str
) -> Iterator[str]:
    """Why measures have no value, or no interval, each reason once."""
    reasons: dict[tuple[str, Note], list[str]] = {}
    for row in result.table.to_dict(orient="records"):
        if isinstance(row["problem"], Note):
            value = row.get("value", row.get("optimism_corrected"))
            lacks = "interval" if value is not None and value == value else "value"
            reasons.setdefault((lacks, row["problem"]), []).append(row["measure"])
    for (lacks, reason), names in reasons.items():
        labels: Any = tuple(measure_label(name, lang) for name in names)
        if len(names) == len(result.table):
            labels = Note("cli.any_measure")
        yield say(f"cli.no_{lacks}", lang, measures=labels, reason=reason)


def _stability(
    result: ExternalValidation | InternalValidation, lang: str
) -> Iterator[str]:
    """How predictions vary between the models of the resamples."""
    found = _more(result).get("stability")
    if found is None:
        return
    yield say(
        "cli.stability",
        lang,
        mape=100.0 * found["mean_absolute_prediction_error"],
        other=100.0 * found["classification_instability"],
        threshold=float(found["threshold"]),
        low=found["net_benefit_lower"],
        high=found["net_benefit_upper"],
    )


def definitions(
    measures: Iterable[str], lang: str, *, threshold: float
) -> Iterator[str]:
    """What each measure means, below the table."""
    from responder_model.performance import DEFINITIONS, describe_measure

    yield say("cli.definitions", lang)
    for name in measures:
        ideal = DEFINITIONS[name].ideal
        best = "" if ideal is None else f" ({say('cli.ideal', lang)} {ideal:g})"
        text = describe_measure(name, smoother="loess", threshold=threshold, lang=lang)
        label = measure_label(name, lang)
        yield f"  {say('signs.pair', lang, label=label, value=text)}{best}"


def _cell(value: Any, lang: str) -> str:
    if isinstance(value, str):
        return value
    none = value is None or value != value
    return "" if none else format_number(value, lang, ".3f")
