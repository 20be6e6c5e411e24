"""In words: what a model tells of the patients behind it, and whether it may leave."""

from __future__ import annotations

from responder_model.labels import label_of
from responder_model.model.fitted import Model
from responder_model.model.texts import text


def describe_disclosure(model: Model, lang: str = "en") -> list[str]:
    """Sentences on the rule that was followed, what was left out and what remains.

    Examples
    --------
    >>> from responder_model.model.example import example_model
    >>> describe_disclosure(example_model(n_patients=0, n_events=0))
    ['No patient stands behind it.']
    """
    found = model.disclosure
    if found is None:
        return [text("no_patients", lang)]
    said = [text("no_rule" if found.k == 0 else "rule", lang, k=found.k)]
    if found.contrasts_left_out:
        names = ", ".join(_named(model, name, lang) for name in _fields(model))
        n = len(found.contrasts_left_out)
        said.append(text("contrasts_left_out", lang, n=n, names=names))
    said.append(text("what_remains", lang, parameters=found.parameters, n=found.n))
    if found.stays_here:
        said.append(text("stays_here", lang))
    elif not found.may_leave:
        waiting = {"n": found.n_since_release, "k": found.k}
        said.append(text("not_yet", lang, **waiting))
    return said


def _fields(model: Model) -> dict[str, int]:
    """Predictors of the contrasts that were left out, and how many of each."""
    out = model.disclosure.contrasts_left_out if model.disclosure else ()
    counts: dict[str, int] = {}
    for column in model.encoder.columns:
        if column.name in out:
            counts[column.predictor] = counts.get(column.predictor, 0) + 1
    return counts


def _named(model: Model, name: str, lang: str) -> str:
    n = _fields(model)[name]
    return label_of(name, lang) + (f" ({n})" if n > 1 else "")
