"""Whether models can be combined, and the evidence that they have in common."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from responder_model.artifact import digest_of
from responder_model.artifact.document import evidence_document, rounded
from responder_model.artifact.manifest import sha256
from responder_model.artifact.strict_json import canonical_json
from responder_model.combining.contribution import (
    Contribution,
    beliefs,
    own_priors,
)
from responder_model.development.recalibrating import SHIFTS
from responder_model.errors import ResponderModelError
from responder_model.evidence import Evidence, packaged_evidence
from responder_model.model import Model
from responder_model.words import Note

# Stored priors are rounded; another version of the evidence differs by far more.
_TOLERANCE = 1e-8
# Notes of updates whose patients were not taken as more of the same.
_OTHERWISE = tuple(f"development.{k}" for k in ("changed", *SHIFTS))


def told_apart(models: Sequence[Model | Contribution]) -> list[Model | Contribution]:
    """Models; those of one name have the first digits of their digest in it."""
    often = Counter(one.name for one in models)
    return [one if often[one.name] == 1 else _with_digits(one) for one in models]


def _with_digits(one: Model | Contribution) -> Model | Contribution:
    digest = digest_of(one) if isinstance(one, Model) else one.digest
    named = replace(one, name=f"{one.name} ({digest[:8]})")
    object.__setattr__(named, "digest", digest)
    return named


def check_members(models: Sequence[Model | Contribution], base: Model) -> None:
    """Refuse what cannot be combined, with every reason.

    Raises
    ------
    ResponderModelError
        Fewer than two; other questions, predictors, evidence; models that were updated,
        tell centres apart, or must stay in their centre; patients twice; what is no
        distribution beside the evidence.
    """
    reasons = tuple(_reasons(models, base))
    if reasons:
        raise ResponderModelError(Note("combining.refused", reasons=reasons))


def _reasons(models: Sequence[Model | Contribution], base: Model) -> Iterator[Note]:
    if len(models) < 2:
        yield Note("combining.two_models", n=len(models))
        return
    for one in models:
        against = _of_a_file if isinstance(one, Contribution) else _of_a_folder
        code = against(one, base)  # type: ignore[arg-type]
        if code:
            yield Note(f"combining.{code}", model=one.name, first=models[0].name)
        elif isinstance(one, Model) and not _has_evidence_of_today(one):
            yield _other_evidence(one)
    yield from _twice(models)


def _of_a_file(one: Contribution, base: Model) -> str | None:
    """What speaks against a file made for leaving, if anything."""
    if one.target != base.target:
        return "other_question"
    if one.n_patients == 0:
        return "no_patients"
    columns = base.encoder.derived
    if not set(one.columns) <= set(columns):
        return "other_predictors"
    try:
        beliefs(one.of_all(columns), own_priors(base, one.excluded_evidence))
    except ResponderModelError:
        return "not_definite_of"
    return None


def _of_a_folder(model: Model, first: Model) -> str | None:
    """What speaks against a member, if anything."""
    rule = model.disclosure
    names = [part.name for part in model.components]
    checks = {
        "other_question": model.target != first.target,
        "no_patients": model.n_patients == 0,
        "other_predictors": model.encoder.columns != first.encoder.columns,
        "other_outcome": _outcome(model) != _outcome(first),
        "updated": _has_changed(model),
        "several_centres": bool(model.centres),
        "stays_here": rule is not None and rule.stays_here,
        "of_centres_apart": len(names) != len(set(names)),
    }
    return next((code for code, speaks in checks.items() if speaks), None)


def _outcome(model: Model) -> tuple[object, ...]:
    """How outcomes are counted."""
    rules = model.rules
    fields = rules.outcome, rules.binary_outcome, rules.requires
    return *fields, rules.comparison, rules.main_cut_point, tuple(rules.cut_points)


def _has_changed(model: Model) -> bool:
    """Whether an update weighed its patients otherwise than as more of the same."""
    power = 1.0 if model.settings is None else model.settings.power
    changed = any(note.code in _OTHERWISE for note in model.notes)
    return model.is_update and (changed or power != 1.0)


def _other_evidence(model: Model) -> Note:
    rows = rows_that_differ(model.evidence, model.decision, model.excluded_evidence)
    if rows:
        return Note("combining.other_evidence", model=model.name, rows=", ".join(rows))
    return Note("combining.other_priors", model=model.name)


def _twice(models: Sequence[Model | Contribution]) -> Iterator[Note]:
    seen: dict[str, str] = {}
    known: Counter[tuple[str, str]] = Counter()
    for model in models:
        digest = digest_of(model) if isinstance(model, Model) else model.digest
        if digest in seen:
            yield Note("combining.same_model", model=model.name, first=seen[digest])
            continue
        seen[digest] = model.name
        prints = model.fingerprints
        if prints is None:
            continue
        patients = {(prints.key, one) for one in prints.patients}
        again = sum(known[one] > 0 for one in patients)
        if again:
            yield Note("combining.same_patients", model=model.name, n=again)
        known.update(patients)


def _has_evidence_of_today(model: Model) -> bool:
    today = own_priors(model, model.excluded_evidence)
    names = [part.name for part in model.components]
    if names != [prior.name for prior in today]:
        return False
    if model.is_update:  # what it keeps as priors is yesterday's posterior
        rows = model.evidence, model.decision, model.excluded_evidence
        return not rows_that_differ(*rows)
    return all(
        np.allclose(part.prior_mean, prior.mean, rtol=_TOLERANCE, atol=_TOLERANCE)
        and np.allclose(part.prior_sd, prior.sd, rtol=_TOLERANCE, atol=_TOLERANCE)
        for part, prior in zip(model.components, today, strict=True)
    )


def rows_that_differ(
    evidence: Evidence, decision: str, excluded: Iterable[str]
) -> tuple[str, ...]:
    """Rows and declarations of evidence that are not as they are installed, by name."""
    here = digests_of(packaged_evidence().behind(decision, without=tuple(excluded)))
    there = digests_of(evidence)
    return tuple(
        name
        for name in dict.fromkeys((*there, *here))
        if there.get(name) != here.get(name)
    )


def digests_of(evidence: Evidence) -> dict[str, str]:
    """SHA-256 of each row of evidence, and of what is declared on them, by name.

    Of rounded numbers, since a published model keeps its rows so, and of 30 as of 30.0,
    since a file of evidence may say either.
    """
    text = canonical_json(rounded(evidence_document(evidence)))
    document = json.loads(text, parse_int=float)
    return {
        str(row.get("id") or row["decision"]): sha256(canonical_json(row))
        for row in (*document["rows"], *document["declarations"])
    }
