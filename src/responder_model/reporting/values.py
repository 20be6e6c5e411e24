"""Every number and fact that the report states: the one place they are taken from.

A checklist item may only say what stands here; what is not here stays blank. The same
values go to the tracked run, so that each can be found again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np

from responder_model.features import expit
from responder_model.labels import describe_cut_point, label_of
from responder_model.model import Model
from responder_model.model.limits import preceding_test
from responder_model.performance import Performance
from responder_model.priors import prior_rows
from responder_model.sample_size import SampleSizeVerdict, sample_size_verdict
from responder_model.schema import dictionary
from responder_model.validation import ExternalValidation, InternalValidation, Stability
from responder_model.words import LANGUAGES, name_in
from .statements import PREFIX, check_statements
from .study import Study
from .suppression import SMALL_CELL, suppress
from .texts import number, percent, say

Plain = bool | int | float | str
ANCHOR = "value-"
LEVELS = ("inside", "borderline", "outside")


@dataclass(frozen=True, kw_only=True)
class Value:
    """One logged value, and how it reads in each language.

    Parameters
    ----------
    value : bool, int, float or str
        As the tracked run holds it.
    text : mapping
        In words, by language.
    """

    value: Plain
    text: Mapping[str, str]


Values = dict[str, Value]


def logged_values(
    model: Model,
    studies: tuple[Study, ...],
    *,
    digest: str = "",
    statements: Mapping[str, str] | None = None,
) -> Values:
    """Collect the values of a model and of the cohorts that it was examined in.

    Parameters
    ----------
    model : Model
        The model.
    studies : tuple of Study
        Cohorts; the development cohort's values are called ``development.…``, those of
        other patients ``new.…``, ``new_2.…`` and so on.
    digest : str, optional
        Digest of the model's folder.
    statements : mapping, optional
        What the authors state, by number of TRIPOD+AI.
    """
    found = dict(_model_values(model))
    if digest:
        found["model.digest"] = _value(digest)
    found |= dict(_verdict_values(verdict_of(model)))
    found |= dict(_evidence_values(model))
    n_new = 0
    for study in studies:
        prefix = "development"
        if study.role == "new":
            n_new += 1
            prefix = "new" if n_new == 1 else f"new_{n_new}"
        found |= {f"{prefix}.{k}": v for k, v in _study_values(study, model)}
    stated = check_statements(dict(statements or {}))
    return found | {PREFIX + number: _value(text) for number, text in stated.items()}


def to_plain(values: Values) -> dict[str, Plain]:
    """Values as the tracked run holds them."""
    return {name: value.value for name, value in values.items()}


def _value(value: Plain, spec: str = ".3g") -> Value:
    """Value whose words are its own: numbers rounded, yes/no translated."""
    if isinstance(value, bool):
        key = "yes" if value else "no"
        return Value(value=value, text={lang: say(key, lang) for lang in LANGUAGES})
    if isinstance(value, int | str):
        return Value(value=value, text=dict.fromkeys(LANGUAGES, str(value)))
    text = {lang: number(value, lang, spec) for lang in LANGUAGES}
    return Value(value=value, text=text)


def _share(value: float) -> Value:
    return Value(value=value, text=dict.fromkeys(LANGUAGES, percent(value)))


def _name(name: str) -> Value:
    return _worded(name, {lang: name_in(name, lang) for lang in LANGUAGES})


def _worded(value: Plain, text: Mapping[str, str]) -> Value:
    return Value(value=value, text=text)


def _model_values(model: Model) -> Iterator[tuple[str, Value]]:
    from responder_model import __version__

    words = dictionary()
    decision = words.decisions[model.decision]
    moment = words.moments[words.moment_index(model.moment)]
    yield "model.target", _value(model.target)
    yield "model.name", _name(model.name)
    yield "model.decision", _worded(model.decision, decision.label)
    yield "model.moment", _worded(model.moment, moment.label)
    provenance = {lang: say(f"made_{model.provenance}", lang) for lang in LANGUAGES}
    yield "model.provenance", _worded(model.provenance, provenance)
    yield "model.software", _value(f"responder_model {__version__}")
    yield "model.outcome", _worded(decision.outcome, decision.help)
    cut = describe_cut_point(decision, model.cut_point)
    yield "model.cut_point", _worded(model.cut_point, dict.fromkeys(LANGUAGES, cut))
    cuts = ", ".join(describe_cut_point(decision, c) for c in model.served_cut_points)
    yield "model.cut_points", _value(cuts)
    yield "model.n_predictors", _value(len(model.encoder.predictors))
    predictors = {
        lang: ", ".join(label_of(name, lang) for name in model.encoder.predictors)
        for lang in LANGUAGES
    }
    yield "model.predictors", _worded(", ".join(model.encoder.predictors), predictors)
    yield "model.n_coefficients", _value(len(model.encoder.derived))
    yield "model.discrepancy", _value(float(model.discrepancy))
    if preceding_test(model.encoder) is not None:
        yield "model.follows_test", _value(value=True)
    if model.is_update:
        yield "model.updated", _value(value=True)
    if model.settings and model.settings.predictors:
        yield "model.predictors_chosen", _value(value=True)
    if model.n_patients:
        yield from _developed_values(model)


def _developed_values(model: Model) -> Iterator[tuple[str, Value]]:
    yield "model.n_patients", _value(model.n_patients)
    yield "model.n_events", _value(model.n_events)
    yield "model.n_components", _value(len(model.components))
    yield "model.seed", _value(model.settings.seed if model.settings else 0)
    excluded = ", ".join(model.excluded_evidence)
    none = {lang: say("none", lang) for lang in LANGUAGES}
    yield (
        "model.excluded_evidence",
        _value(excluded) if excluded else _worded("", none),
    )
    for key in ("published_component_weight", "prior_conflict_p_value"):
        figure = getattr(model.performance, key)
        if _is_number(figure):
            yield f"model.{key}", _value(float(figure), ".2g")
    definition = model.performance.outcome_definition
    if definition:
        yield "model.outcome_definition", _definition(definition, model)
    for name, measure in model.performance.apparent.items():
        if _is_number(measure):
            yield f"apparent.{name}", _value(float(measure))
    yield from _challenger_values(model)


def _challenger_values(model: Model) -> Iterator[tuple[str, Value]]:
    """Weight and losses of the trees; nothing where none were developed."""
    losses = model.performance.challenger
    names = ("out_of_fold_log_loss", "evidence_out_of_fold_log_loss")
    found = [loss for loss in map(losses.get, names) if _is_number(loss)]
    if len(found) < len(names):
        return
    weight = 0.0 if model.pool is None else float(model.pool.weight)
    yield "model.challenger_weight", _value(weight, ".2f")
    for name, loss in zip(names, found, strict=True):
        yield f"challenger.{name}", _value(loss)


def _definition(definition: str, model: Model) -> Value:
    """How the outcome was recorded; a symptom is named where the decision has one."""
    key = f"definition_{definition}"
    if dictionary().decisions[model.decision].requires is None:
        key = key.replace("relief_only", "relief")
    return _worded(definition, {lang: say(key, lang) for lang in LANGUAGES})


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and value == value


def verdict_of(model: Model) -> SampleSizeVerdict:
    """Verdict on the development's size; for no patients, what it would need."""
    if model.sample_size is not None:
        return model.sample_size
    anchor = model.kept_priors().anchor[0]
    return sample_size_verdict(
        0,
        0,
        len(model.encoder.derived),
        outcome_proportion=float(expit(np.array(anchor))),
    )


def _verdict_values(verdict: SampleSizeVerdict) -> Iterator[tuple[str, Value]]:
    words = {lang: say(f"verdict_{verdict.verdict}", lang) for lang in LANGUAGES}
    yield "sample_size.verdict", _worded(verdict.verdict, words)
    yield "sample_size.may_claim", _worded(verdict.may_claim, verdict.wording)
    yield "sample_size.sufficient", _value(verdict.sufficient)
    yield "sample_size.n_required", _value(verdict.n_required)
    yield "sample_size.n_events_required", _value(verdict.n_events_required)
    yield "sample_size.n_parameters", _value(verdict.n_candidate_parameters)
    yield "sample_size.c_statistic", _value(verdict.c_statistic, ".2f")
    if verdict.expected_shrinkage is not None:
        shrinkage = _value(float(verdict.expected_shrinkage), ".2f")
        yield "sample_size.expected_shrinkage", shrinkage


def _evidence_values(model: Model) -> Iterator[tuple[str, Value]]:
    table = prior_rows(model.kept_priors(), model.evidence)
    sources = {source.id for row in table for source in row.sources}
    yield "evidence.n_priors", _value(len(table))
    n_evidence = sum(row.status == "evidence" for row in table)
    yield "evidence.n_priors_published", _value(n_evidence)
    yield "evidence.n_priors_judgement", _value(len(table) - n_evidence)
    yield "evidence.n_findings", _value(len(sources))
    implied = model.kept_priors().implied_c_statistic
    yield "evidence.implied_c_statistic", _value(implied, ".2f")


def _study_values(study: Study, model: Model) -> Iterator[tuple[str, Value]]:
    yield "cohort", _name(study.name)
    yield (
        "provenance",
        _worded(
            study.provenance,
            {lang: say(f"patients_{study.provenance}", lang) for lang in LANGUAGES},
        ),
    )
    yield "outcome_definition", _definition(study.outcome_definition, model)
    yield from _flow_values(study)
    yield from _record_values(study)
    if study.internal is not None:
        yield from _internal_values(study.internal)
    if study.internal is not None and study.internal.stability is not None:
        yield from _stability_values(study.internal.stability)
    if study.external is not None:
        yield from _external_values(study.external)
    as_no = shown_sensitivity(study)
    for row in () if as_no is None else as_no.table:
        if row.value is not None and _is_number(row.value):
            key = f"external.{row.measure}.non_completers_as_non_responders"
            yield key, _value(row.value)
    yield from _part_values(study)


def _part_values(study: Study) -> Iterator[tuple[str, Value]]:
    """Which curves, subgroups and centres are shown."""
    if study.curves.calibration is not None:
        yield "calibration_curve", _value(value=True)
    if study.curves.decision is not None:
        yield "n_thresholds", _value(len(study.curves.decision.thresholds))
    if study.subgroups is not None:
        judged = study.subgroups["problem"] != "small"
        yield "n_subgroups", _value(int(judged.sum()))
        measured = sorted(set(study.subgroups.loc[judged, "predictor"]))
        labels = {
            lang: ", ".join(label_of(name, lang) for name in measured)
            for lang in LANGUAGES
        }
        if measured:
            yield "subgroups", _worded(", ".join(measured), labels)
    if study.centres is not None:
        measured_in = study.centres.get("brier_score")
        n_measured = 0 if measured_in is None else int(measured_in.notna().sum())
        if n_measured:
            yield "n_centres_measured", _value(n_measured)
        else:
            yield "centres_too_small", _value(value=True)


def _stability_values(stability: Stability) -> Iterator[tuple[str, Value]]:
    for name, value in stability.summary().items():
        if name == "classification_instability":
            yield f"stability.{name}", _share(value)
        elif name != "threshold":
            yield f"stability.{name}", _value(value, ".2g")


def shown_sensitivity(study: Study) -> Performance | None:
    """Measures with non-completers as non-responders; None where it would count few."""
    if study.external is None or study.flow.n_unknown < SMALL_CELL:
        return None
    return study.external.sensitivity


def _record_values(study: Study) -> Iterator[tuple[str, Value]]:
    """What was recorded, what was left out, and whose patients they may be."""
    if study.missing:
        name, worst = max(study.missing.items(), key=lambda item: item[1])
        if worst > 0.0:
            label = {lang: label_of(name, lang) for lang in LANGUAGES}
            yield "most_missing", _worded(name, label)
        yield "n_predictors_recorded", _value(len(study.missing))
    yield "n_notices", _value(len(study.notices))
    if study.overlaps:
        yield "overlaps_evidence", _value(value=True)


def _flow_values(study: Study) -> Iterator[tuple[str, Value]]:
    flow = study.flow
    n_known = flow.n_events + flow.n_non_events
    yield "n_known", _value(n_known)
    yield "n_events", _value(flow.n_events)
    if flow.n_unknown == 0 or flow.n_unknown >= SMALL_CELL:
        yield "n_patients", _value(flow.n_patients)
        yield "n_unknown", _value(flow.n_unknown)
    else:  # the number of rows would give it away
        text = dict.fromkeys(LANGUAGES, hidden_count(flow.n_unknown))
        yield "n_unknown", _worded(hidden_count(flow.n_unknown), text)
    if flow.n_centres:
        yield "n_centres", _value(flow.n_centres)


def hidden_count(n: int) -> str:
    """Count as a reader may see it.

    Examples
    --------
    >>> hidden_count(4), hidden_count(0), hidden_count(20)
    ('< 10', '0', '20')
    """
    return f"< {SMALL_CELL}" if 0 < n < SMALL_CELL else str(n)


def _internal_values(internal: InternalValidation) -> Iterator[tuple[str, Value]]:
    yield "internal.n_resamples", _value(internal.n_resamples)
    yield "internal.n_failed_resamples", _value(internal.n_failed_resamples)
    for row in internal.table.to_dict(orient="records"):
        for column in ("apparent", "optimism", "optimism_corrected", "lower", "upper"):
            if _is_number(row[column]):
                yield (
                    f"internal.{row['measure']}.{column}",
                    _value(float(row[column])),
                )


def _external_values(external: ExternalValidation) -> Iterator[tuple[str, Value]]:
    for row in external.performance.table:
        for column in ("value", "lower", "upper"):
            measured = getattr(row, column)
            if _is_number(measured):
                yield f"external.{row.measure}.{column}", _value(float(measured))
    for level, n in shown_levels(external).items():
        if n is not None:
            yield f"external.applicability.{level}", _value(n)


def shown_levels(external: ExternalValidation) -> dict[str, int | None]:
    """Patients inside, borderline and outside; None where a count is hidden."""
    levels = [name for name in LEVELS if name in external.applicability]
    counts = np.array([external.applicability[name] for name in levels], dtype=np.int64)
    hidden = suppress(counts, np.ones((1, len(levels))))
    return {
        name: None if hide else int(n)
        for name, n, hide in zip(levels, counts, hidden, strict=True)
    }
