"""In words: what a model tells of the patients behind it, and whether it may leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from responder_model.words import Note
from .fitted import Model


def describe_disclosure(model: Model) -> list[Note]:
    """Sentences on the rule that was followed, what was left out and what remains.

    Examples
    --------
    >>> from responder_model.model.example import example_model
    >>> describe_disclosure(example_model(n_patients=0, n_events=0))
    [Note('model.no_patients')]
    """
    found = model.disclosure
    if found is None:
        return [Note("model.no_patients")]
    said = [Note("model.rule", k=found.k) if found.k else Note("model.no_rule")]
    if model.centre_names:
        said.append(Note("model.centres_told", names=model.centre_names))
        said += [Note("model.centres_small", k=found.k)] if found.k else []
    if found.contrasts_left_out:
        n, names = len(found.contrasts_left_out), tuple(_contrasts(model))
        said.append(Note("model.contrasts_left_out", n=n, names=names))
    learned = {"parameters": found.parameters, "n": found.n}
    said.append(Note("model.what_remains", **learned))
    if found.stays_here:
        said.append(Note("model.stays_here"))
    elif not found.may_leave:
        waiting = {"n": found.n_since_release, "k": found.k}
        said.append(Note("model.not_yet", **waiting))
    return said


def _contrasts(model: Model) -> Iterator[Note]:
    """Predictors of the contrasts that were left out, and how many of each."""
    out = model.disclosure.contrasts_left_out if model.disclosure else ()
    of = Counter(c.predictor for c in model.encoder.columns if c.name in out)
    for name, n in of.items():
        key = "label" if n == 1 else "label_and_number"
        yield Note(f"model.{key}", field=name, n=n)
