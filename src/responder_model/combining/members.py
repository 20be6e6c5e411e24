"""Whether models can be combined, and the evidence that they have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from responder_model.artifact import digest_of
from responder_model.cumulative_logit.components import Prior
from responder_model.development.published import prior_mixture
from responder_model.errors import ResponderModelError
from responder_model.model import Model
from responder_model.priors import build_priors
from responder_model.words import Note

# Stored priors are rounded; another version of the evidence differs by far more.
_TOLERANCE = 1e-8


def check_members(models: Sequence[Model]) -> None:
    """Refuse what cannot be combined, with every reason.

    Raises
    ------
    ResponderModelError
        Fewer than two models; other questions, predictors, evidence; models that were
        updated, tell centres apart, or must stay in their centre; patients twice.
    """
    reasons = tuple(_reasons(models))
    if reasons:
        raise ResponderModelError(Note("combining.refused", reasons=reasons))


def _reasons(models: Sequence[Model]) -> Iterator[Note]:
    if len(models) < 2:
        yield Note("combining.two_models", n=len(models))
        return
    for model in models:
        code = _against(model, models[0])
        if code:
            yield Note(f"combining.{code}", model=model.name, first=models[0].name)
    yield from _twice(models)


def _against(model: Model, first: Model) -> str | None:
    """What speaks against a member, if anything."""
    rule = model.disclosure
    names = [part.name for part in model.components]
    checks = {
        "other_question": model.target != first.target,
        "no_patients": model.n_patients == 0,
        "other_predictors": model.encoder.columns != first.encoder.columns,
        "updated": model.parent is not None,
        "several_centres": bool(model.centres),
        "stays_here": rule is not None and rule.stays_here,
        "of_centres_apart": len(names) != len(set(names)),
    }
    for code, speaks in checks.items():
        if speaks:
            return code
    return None if _has_evidence_of_today(model) else "other_evidence"


def _twice(models: Sequence[Model]) -> Iterator[Note]:
    seen: dict[str, str] = {}
    known: Counter[tuple[str, str]] = Counter()
    for model in models:
        digest = digest_of(model)
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


def common_priors(models: Sequence[Model]) -> tuple[Prior, ...]:
    """Components of the evidence without what any member left out of its own."""
    excluded = sorted({group for m in models for group in m.excluded_evidence})
    return _priors(models[0], tuple(excluded))


def _priors(model: Model, excluded: tuple[str, ...]) -> tuple[Prior, ...]:
    priors = build_priors(model.decision, model.moment, exclude_evidence=excluded)
    return tuple(part.prior for part in prior_mixture(model.encoder, priors))


def _has_evidence_of_today(model: Model) -> bool:
    today = _priors(model, tuple(model.excluded_evidence))
    names = [part.name for part in model.components]
    if names != [prior.name for prior in today]:
        return False
    return all(
        np.allclose(part.prior_mean, prior.mean, rtol=_TOLERANCE, atol=_TOLERANCE)
        and np.allclose(part.prior_sd, prior.sd, rtol=_TOLERANCE, atol=_TOLERANCE)
        for part, prior in zip(model.components, today, strict=True)
    )
