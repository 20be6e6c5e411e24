"""The model card: who may use a model for what, written from the model itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from responder_model.labels import describe_cut_point, label_of
from responder_model.model import Model
from responder_model.model.disclosed import describe_disclosure
from responder_model.model.limits import preceding_test
from responder_model.model.messages import standing_messages
from responder_model.schema import dictionary
from .document import performance_document

SIMULATED = (
    "**SIMULATED.** This model was developed on simulated patients. It is not for any "
    "patient, and its figures say nothing about real ones."
)


def render_card(model: Model) -> str:
    """Model card in Markdown; aggregates only, no date.

    Examples
    --------
    >>> from responder_model.model.example import example_model
    >>> render_card(example_model()).splitlines()[0]
    '# Response to four sessions of motor-cortex rTMS, before the test sessions'
    """
    sections = [
        _title(model),
        _intended_use(model),
        _data(model),
        _patients(model),
        _method(model),
        _performance(model),
        _population(model),
        _coefficients(model),
        _cautions(model),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def _title(model: Model) -> list[str]:
    decision = dictionary().decisions[model.decision]
    moments = {row.name: row.label["en"] for row in dictionary().moments}
    lines = [f"# {decision.label['en']}, {moments[model.moment]}", ""]
    if model.provenance == "simulated":
        lines += [SIMULATED, ""]
    return [*lines, f"`{model.target}` · {model.name} · provenance: {model.provenance}"]


def _intended_use(model: Model) -> list[str]:
    decision = dictionary().decisions[model.decision]
    cuts = ", ".join(describe_cut_point(decision, c) for c in model.served_cut_points)
    main = describe_cut_point(decision, model.cut_point)
    return [
        "## Intended use",
        "",
        "Research use only: not a medical device. It informs a specialist who decides "
        "with the patient; it never decides.",
        "",
        f"- Outcome: {decision.help['en']}",
        f"- Probability at the main cut-off, {main}; also at {cuts}.",
        "- Not for: patients whom the model calls `outside`, other stimulation "
        "protocols, or a comparison of treatments.",
    ]


def _data(model: Model) -> list[str]:
    lines = ["## Data", ""]
    if model.provenance == "published":
        lines.append("No patient: priors from published effects, each with its source.")
        if model.priors is not None:
            implied = model.priors.implied_c_statistic
            lines.append(f"Implied c-statistic: {implied:.2f}.")
    else:
        kind = "simulated patients" if model.provenance == "simulated" else "patients"
        lines.append(
            f"{model.name}: {model.n_patients} {kind} with a known outcome, "
            f"{model.n_events} with the event."
        )
    if model.sample_size is not None:
        lines.append(f"Sample size verdict: {model.sample_size.verdict}.")
    if model.excluded_evidence:
        excluded = ", ".join(model.excluded_evidence)
        lines.append(f"Evidence left out of the prior: {excluded}.")
    return [*lines, *map(str, model.notes)]


def _patients(model: Model) -> list[str]:
    """What the folder tells of the patients behind it."""
    return [
        "## What it tells of its patients",
        "",
        *map(str, describe_disclosure(model)),
    ]


def _method(model: Model) -> list[str]:
    weight = 0.0 if model.pool is None else model.pool.weight
    rows = [
        f"| {name} | {before:.3g} | {after:.3g} |"
        for name, (before, after) in model.component_weights.items()
    ]
    return [
        "## Method",
        "",
        "Evidence-informed cumulative logit: a robust mixture of priors, collapsed to "
        "one Gaussian per cut-off, pooled with shallow boosted trees when they earn "
        f"weight (here {weight:.3g}). Variance that a linear predictor misses: "
        f"{model.discrepancy:.3g}. Centres with a level of their own: "
        f"{', '.join(model.centre_names) or 'none'}.",
        "",
        "| component | weight before | weight after |",
        "|---|---|---|",
        *rows,
        "",
        "The weight of the published components is not a test of agreement.",
    ]


def _performance(model: Model) -> list[str]:
    reasons = model.performance.not_measured
    said = {name: str(reason) for name, reason in reasons.items()}
    measured = performance_document(model.performance)
    if measured:
        measured["not_measured"] = said
    rows = [
        f"| {name} | {value:.4g} |"
        if isinstance(value, float)
        else f"| {name} | {value} |"
        for name, value in _flat(measured)
    ]
    if not rows:
        return ["## Performance", "", "Not measured: no cohort stands behind it."]
    return ["## Performance", "", "| measure | value |", "|---|---|", *rows]


def _flat(value: Any, name: str = "") -> list[tuple[str, Any]]:
    """Numbers and texts of nested tables, by dotted name; lists are left out."""
    if isinstance(value, dict):
        prefix = f"{name}." if name else ""
        return [row for k, v in value.items() for row in _flat(v, f"{prefix}{k}")]
    return [] if isinstance(value, list) else [(name, value)]


def _population(model: Model) -> list[str]:
    bounds = [
        f"| {label_of(name)} | {row.usual[0]:g}–{row.usual[1]:g} | "
        f"{row.widest[0]:g}–{row.widest[1]:g} |"
        for name, row in model.limits.numbers.items()
    ]
    rare = [
        f"- {label_of(name)}: "
        + ", ".join(f"{value} ({how})" for value, how in row.items() if how != "enough")
        for name, row in model.limits.seen.items()
        if any(how != "enough" for how in row.values())
    ]
    return [
        "## Where it applies",
        "",
        "Beyond the usual bounds a patient is `borderline`, beyond the widest "
        "`outside`; so are rare and unseen categories, and unusual combinations.",
        "",
        "| predictor | usual | widest |",
        "|---|---|---|",
        *bounds,
        *(["", "Seen by nobody (none) or few (few):", "", *rare] if rare else []),
    ]


def _coefficients(model: Model) -> list[str]:
    spread = np.sqrt(np.diag(model.main.covariance)[1:])
    rows = [
        f"| {column.name} | {value:+.3f} | {sd:.3f} |"
        for column, value, sd in zip(
            model.encoder.columns, model.main.coefficients, spread, strict=True
        )
    ]
    return [
        "## Coefficients at the main cut-off",
        "",
        "Log-odds per reference unit, with posterior standard deviation.",
        "",
        "| column | coefficient | SD |",
        "|---|---|---|",
        *rows,
    ]


def _cautions(model: Model) -> list[str]:
    lines = [f"- {message}" for message in standing_messages(model)]
    if preceding_test(model.encoder) is not None:
        lines.append(
            "- Non-responders to the test sessions were rarely implanted: sensitivity, "
            "specificity and negative predictive value cannot be had from the "
            "implanted alone."
        )
    return ["## Limits", "", *lines]
