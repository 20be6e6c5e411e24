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
    said += _left_out(model)
    learned = {"parameters": found.parameters, "n": found.n}
    said.append(Note("model.what_remains", **learned))
    if found.stays_here:
        said.append(Note("model.stays_here"))
    elif not found.may_leave:
        waiting = {"n": found.n_since_release, "k": found.k}
        said.append(Note("model.not_yet", **waiting))
    return said


def _left_out(model: Model) -> Iterator[Note]:
    """Contrasts and numbers that were left out, then those whose curve alone was."""
    out = model.disclosure.contrasts_left_out if model.disclosure else ()
    gone = [column for column in model.encoder.columns if column.name in out]
    lines = Counter(c.predictor for c in gone if not c.is_curve)
    bends = [c.predictor for c in gone if c.is_curve and c.predictor not in lines]
    if lines:
        names = tuple(
            Note("model.label" if n == 1 else "model.label_and_number", field=name, n=n)
            for name, n in lines.items()
        )
        yield Note("model.contrasts_left_out", n=lines.total(), names=names)
    if bends:
        straight = tuple(Note("model.label", field=name, n=1) for name in bends)
        yield Note("model.curves_left_out", names=straight)
