"""A validation as it is printed, handed to a program and logged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from responder_model.cli.output import console
from responder_model.words import say

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from responder_model.validation import ExternalValidation, InternalValidation

# Columns printed for a person; ``--json`` has all of them.
SHOWN = ("measure", "value", "apparent", "optimism_corrected", "lower", "upper")
# Column of the sensitivity analysis.
AS_NON_RESPONDERS = "non-completers as non-responders"
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
    out.print(measures_table(result, provenance))
    for line in (*_problems(result), *_stability(result)):
        out.print(line)
    for line in definitions(result.table["measure"], lang, threshold=threshold):
        out.print(line)


def plain_result(
    result: ExternalValidation | InternalValidation, provenance: str, lang: str = "en"
) -> dict[str, Any]:
    """Everything about the whole cohort, as JSON knows it."""
    from responder_model.cli.output import plain

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
        "failures": result.failures,
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
    result: ExternalValidation | InternalValidation, provenance: str
) -> Table:
    """One line per measure; says whose patients they are."""
    from rich.table import Table

    whose = "SIMULATED patients" if provenance == "simulated" else "patients"
    title = f"{result.n_patients} {whose}, {result.n_events} with the event"
    rows: pd.DataFrame = result.table
    columns = [name for name in SHOWN if name in rows.columns]
    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(name, justify="left" if name == "measure" else "right")
    other = getattr(result, "sensitivity", None)
    if other is not None:
        table.add_column(AS_NON_RESPONDERS, justify="right")
    for row in rows[columns].itertuples(index=False):
        more = [] if other is None else [_cell(other.value(row.measure))]
        table.add_row(*(_cell(value) for value in row), *more)
    return table


def _problems(result: ExternalValidation | InternalValidation) -> Iterator[str]:
    """Why measures have no value, or no interval, each reason once."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for row in result.table.to_dict(orient="records"):
        if isinstance(row["problem"], str) and row["problem"]:
            value = row.get("value", row.get("optimism_corrected"))
            lacks = "interval" if value is not None and value == value else "value"
            reasons.setdefault((lacks, row["problem"]), []).append(row["measure"])
    for (lacks, reason), names in reasons.items():
        every = len(names) == len(result.table)
        yield f"No {lacks} of {'any measure' if every else ', '.join(names)}: {reason}"


def _stability(result: ExternalValidation | InternalValidation) -> Iterator[str]:
    """How predictions vary between the models of the resamples."""
    found = _more(result).get("stability")
    if found is None:
        return
    yield (
        "Stability: what the models of resamples predict differs from the developed "
        f"model by {100.0 * found['mean_absolute_prediction_error']:.1f} points on "
        f"average (MAPE); {100.0 * found['classification_instability']:.0f} % of these "
        f"predictions lie on the other side of {found['threshold']:g}; the models' net "
        f"benefit there is {found['net_benefit_lower']:.3f} to "
        f"{found['net_benefit_upper']:.3f} (95 % of them)."
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
        yield f"  {name}: {text}{best}"


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None or value != value else f"{value:.3f}"
