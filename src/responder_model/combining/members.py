"""Whether models can be combined, and the evidence that they have in common."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from responder_model.artifact import digest_of
from responder_model.artifact.document import evidence_document, rounded
from responder_model.artifact.manifest import sha256
from responder_model.artifact.strict_json import canonical_json
from responder_model.development import published_model
from responder_model.development.recalibrating import SHIFTS
from responder_model.errors import ResponderModelError
from responder_model.evidence import Evidence, packaged_evidence
from responder_model.features import Column
from responder_model.model import Model
from responder_model.words import Note
from .contribution import Contribution, beliefs, own_priors

# Stored priors are rounded; another version of the evidence differs by far more.
_TOLERANCE = 1e-8
# Notes of updates whose patients were not taken as more of the same.
_OTHERWISE = tuple(f"development.{k}" for k in ("changed", *SHIFTS))
# Name, transform and numbers of a column.
Way = tuple[str, ...]
# How outcomes are counted, by the dictionary's words.
_RULES = (
    "outcome",
    "binary_outcome",
    "requires",
    "comparison",
    "main_cut_point",
    "cut_points",
)


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
        if one.target != base.target:
            asked = {"question": one.target, "other": base.target}
            names = {"model": one.name, "first": base.name}
            yield Note("combining.other_question", **names, **asked)
        elif isinstance(one, Contribution):
            yield from _of_a_file(one, base)
        else:
            yield from _of_a_folder(one, base)
    yield from _twice(models)


def _of_a_file(one: Contribution, base: Model) -> Iterator[Note]:
    """What speaks against a file made for leaving, if anything."""
    if one.n_patients == 0:
        yield Note("combining.no_patients", model=one.name)
        return
    # its columns and cut points are those that are installed here
    installed = one.model or published_model(one.decision, one.moment)
    out = () if one.disclosure is None else one.disclosure.contrasts_left_out
    held = _ways(one for one in installed.encoder.columns if one.name not in out)
    columns = _only_in(held, _ways(base.encoder.columns))
    rules = tuple(_rules_that_differ(installed, base))
    if columns or rules:
        yield from _differs({"model": one.name, "first": base.name}, columns, rules)
        return
    try:
        likelihoods = one.of_all(base.encoder.derived)
        beliefs(likelihoods, own_priors(base, one.excluded_evidence))
    except ResponderModelError:
        yield Note("combining.not_definite_of", model=one.name)


def _of_a_folder(model: Model, first: Model) -> Iterator[Note]:
    """What speaks against a member, if anything."""
    own, other = _ways(model.encoder.columns), _ways(first.encoder.columns)
    columns = _only_in(own, other) | _only_in(other, own)
    rules = tuple(_rules_that_differ(model, first))
    yield from _differs({"model": model.name, "first": first.name}, columns, rules)
    yield from _by_itself(model)
    if not columns and model.n_patients and not _has_evidence_of_today(model):
        yield _other_evidence(model)


def _by_itself(model: Model) -> Iterator[Note]:
    """What speaks against a member whatever the others are."""
    rule = model.disclosure
    names = [part.name for part in model.components]
    checks = {
        "no_patients": model.n_patients == 0,
        "updated": _has_changed(model),
        "several_centres": bool(model.centres),
        "stays_here": rule is not None and rule.stays_here,
        "of_centres_apart": len(names) != len(set(names)),
    }
    for code, speaks in checks.items():
        if speaks:
            yield Note(f"combining.{code}", model=model.name)


def _differs(
    names: Mapping[str, str], columns: Iterable[str], rules: tuple[Note, ...]
) -> Iterator[Note]:
    if columns:
        yield Note("combining.other_predictors", **names, columns=tuple(columns))
    if rules:
        yield Note("combining.other_outcome", **names, rules=rules)


def _ways(columns: Iterable[Column]) -> dict[Way, str]:
    """How each column is computed, and its predictor; folders hold rounded numbers."""
    return {
        (
            one.name,
            one.transform,
            *(f"{number:.9g}" for number in (one.centre, one.scale, *one.weights)),
        ): one.predictor
        for one in columns
    }


def _only_in(own: Mapping[Way, str], other: Mapping[Way, str]) -> dict[str, None]:
    """Predictors of columns that the other has not, or computes in another way."""
    return dict.fromkeys(own[way] for way in own if way not in other)


def _rules_that_differ(model: Model, first: Model) -> Iterator[Note]:
    """How outcomes are counted, where that differs."""
    for name in _RULES:
        own, other = (getattr(one.rules, name) for one in (model, first))
        if own != other:
            yield Note("combining.rule", name=name, own=own, other=other)


def _has_changed(model: Model) -> bool:
    """Whether an update weighed its patients otherwise than as more of the same."""
    power = 1.0 if model.settings is None else model.settings.power
    changed = any(note.code in _OTHERWISE for note in model.notes)
    return model.is_update and (changed or power != 1.0)


def _other_evidence(model: Model) -> Note:
    rows = rows_that_differ(model.evidence, model.decision, model.excluded_evidence)
    if rows:
        return Note("combining.other_evidence", model=model.name, rows=rows)
    return Note("combining.other_priors", model=model.name)


def _twice(models: Sequence[Model | Contribution]) -> Iterator[Note]:
    seen: set[str] = set()
    known: Counter[tuple[str, str]] = Counter()
    for model in models:
        digest = digest_of(model) if isinstance(model, Model) else model.digest
        if digest in seen:
            yield Note("combining.same_model", model=model.name)
            continue
        seen.add(digest)
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
