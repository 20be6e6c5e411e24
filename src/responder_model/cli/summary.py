"""How a model reads on a terminal: what it was made from and what it learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from responder_model.artifact import digest_of
from responder_model.artifact.document import performance_document
from responder_model.labels import component_label, label_of, question_label
from responder_model.model.disclosed import describe_disclosure
from responder_model.words import say
from responder_model.words.numbers import format_number, signed
from .measures import measure_label
from .output import console, plain
from .prediction import describe_model

if TYPE_CHECKING:
    from rich.table import Table

    from responder_model.model import Model


def summarise(model: Model, lang: str = "en") -> dict[str, Any]:
    """Plain data about a model; what ``--json`` prints."""
    size = model.sample_size
    return {
        "decision": model.decision,
        "moment": model.moment,
        "name": model.name,
        "provenance": model.provenance,
        "n_patients": model.n_patients,
        "n_events": model.n_events,
        "component_weights": {
            name: after for name, (_, after) in model.component_weights.items()
        },
        "challenger_weight": 0.0 if model.pool is None else model.pool.weight,
        "excluded_evidence": list(model.excluded_evidence),
        "digest": digest_of(model),
        "mapping": plain(model.mapping),
        "parent": model.parent,
        "disclosure": None if model.disclosure is None else asdict(model.disclosure),
        "sample_size": plain(size.to_dict()) if size else {},
        "performance": performance_document(model.performance),
        "coefficients": dict(coefficients(model)),
        "notes": [note.to_dict(lang) for note in model.notes],
    }


def coefficients(model: Model) -> dict[str, float]:
    """Coefficient of each base column at the main cut-off, in reference units."""
    names = [column.name for column in model.encoder.columns]
    return dict(zip(names, model.main.coefficients.tolist(), strict=True))


def print_model(model: Model, lang: str) -> None:
    """Print a model for a person."""
    out = console()
    out.print(question_label(model.decision, model.moment, lang))
    out.print(describe_model(model.name, model.provenance, model.digest, lang))
    if model.n_patients:
        counts = {"n": model.n_patients, "events": model.n_events}
        out.print(say("cli.counts", lang, **counts))
    if model.sample_size is not None:
        out.print(model.sample_size.wording[lang])
    out.print(_weights(model, lang))
    measures = model.performance.apparent
    if measures:
        out.print(_measures(measures, lang))
    out.print(_coefficients(model, lang))
    for note in (*model.notes, *describe_disclosure(model)):
        out.print(f"- {note.text(lang)}")


def _weights(model: Model, lang: str) -> Table:
    from rich.table import Table

    table = Table(say("cli.component", lang), title=say("cli.weights", lang))
    table.add_column(say("cli.before", lang), justify="right")
    table.add_column(say("cli.after", lang), justify="right")
    for name, weights in model.component_weights.items():
        numbers = [format_number(weight, lang, ".2f") for weight in weights]
        table.add_row(component_label(name, lang), *numbers)
    return table


def _measures(measures: Mapping[str, Any], lang: str) -> Table:
    from rich.table import Table

    table = Table(say("cli.measure", lang), title=say("cli.apparent", lang))
    table.add_column(say("cli.value", lang), justify="right")
    for name, value in measures.items():
        number = "" if value is None else format_number(value, lang, ".3f")
        table.add_row(measure_label(name, lang), number)
    return table


def _coefficients(model: Model, lang: str) -> Table:
    from rich.table import Table

    table = Table(
        say("cli.predictor", lang),
        say("cli.column", lang),
        title=say("cli.coefficients", lang),
    )
    table.add_column(say("cli.coefficient", lang), justify="right")
    table.add_column(say("cli.sd", lang), justify="right")
    spread = model.main.covariance.diagonal()[1:] ** 0.5
    rows = zip(
        model.encoder.columns, model.main.coefficients, spread.tolist(), strict=True
    )
    for column, mean, sd in rows:
        label = label_of(column.predictor, lang)
        numbers = signed(mean, lang), format_number(sd, lang, ".2f")
        table.add_row(label, column.name, *numbers)
    return table
