"""What an update changes, and for whom, on the scale of patients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from responder_model.artifact import digest_of
from responder_model.cohort import check_cohort
from responder_model.disclosure import SMALL_CELLS
from responder_model.errors import DevelopmentError
from responder_model.features import Array
from responder_model.labels import describe_value, label_of
from responder_model.model import Model
from responder_model.words import Note, say
from responder_model.words.numbers import format_number
from .newcomers import new_patients

# Groups of patients that are told: those whose probability changes most.
_TOLD = 5


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A group of patients who have one predictor in common.

    Parameters
    ----------
    predictor : str
    value : object
        Category or yes/no; of a number, its median among the patients.
    side : {"is", "below", "from"}
        Whether the value is the group's, or its limit.
    n : int
        Patients in it, never fewer than the rule of small cells asks for.
    change : float
        Mean change of their probability.
    """

    predictor: str
    value: Any
    side: str
    n: int
    change: float

    def text(self, lang: str) -> str:
        """Who they are and what changes."""
        value = describe_value(self.predictor, self.value, lang)
        who = {"label": label_of(self.predictor, lang), "value": value}
        shown = {"n": self.n, "change": _points(self.change, lang)}
        return say(f"development.moved_{self.side}", lang, **who, **shown)


@dataclass(frozen=True, kw_only=True)
class UpdateEffect:
    """The newer model beside the earlier one, in the patients of the update.

    Parameters
    ----------
    parent : str
        Digest of the earlier model.
    n_before, n_new : int
        Patients of the earlier model, and those with a known outcome who came.
    n_compared : int
        Patients in whom both were asked.
    mean, mean_absolute, largest : float
        Change of the probability: its mean, that of its size, and the largest, signed.
    expected_gain : float
        Mean fall of the log loss that the newer model expects for such patients.
    groups : tuple of Moved
        Whose probability changes most.
    """

    parent: str
    n_before: int
    n_new: int
    n_compared: int
    mean: float
    mean_absolute: float
    largest: float
    expected_gain: float
    groups: tuple[Moved, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**vars(self), "groups": [dict(vars(one)) for one in self.groups]}

    def lines(self, lang: str) -> Iterator[str]:
        """Sentences for a person."""
        yield say(
            "development.effect",
            lang,
            n=self.n_compared,
            mean=_points(self.mean, lang),
            size=_points(self.mean_absolute, lang).lstrip("+"),
            largest=_points(self.largest, lang),
        )
        for one in self.groups:
            yield f"- {one.text(lang)}"
        yield say(
            "development.effect_gain",
            lang,
            gain=self.expected_gain,
            before=self.n_before,
            new=self.n_new,
            parent=self.parent[:12],
        )


def effect_of_update(
    model: Model, newer: Model, cohort: pd.DataFrame, *, count_again: bool = False
) -> UpdateEffect:
    """Compare an updated model with its parent in the patients of the update.

    Parameters
    ----------
    model, newer : Model
        The earlier one and its update.
    cohort : DataFrame
        What ``update`` was given.
    count_again : bool
        As for ``update``.

    Raises
    ------
    DevelopmentError
        Where one is not the update of the other.

    Examples
    --------
    >>> import responder_model as rm
    >>> model = rm.published_model("rtms_response", moment="screening")
    >>> cohort = rm.simulate_cohort(n_patients=60, seed=1)
    >>> found = effect_of_update(model, rm.update(model, cohort), cohort)
    >>> found.mean_absolute >= abs(found.mean), found.expected_gain > 0.0
    (True, True)
    """
    if newer.parent != digest_of(model):
        raise DevelopmentError(Note("refusal.not_its_update", model=model.name))
    cohort, holds_both = check_cohort(cohort), newer.is_update
    if holds_both:  # a refit forgets who was there before
        cohort, _ = new_patients(model, cohort, count_again=count_again)
    before, after = (
        one.predict_cohort(cohort)["probability"].to_numpy() for one in (model, newer)
    )
    change = after - before
    gain = after * np.log(after / before)
    gain += (1.0 - after) * np.log((1.0 - after) / (1.0 - before))
    least = max(SMALL_CELLS, newer.disclosure.k if newer.disclosure else 0)
    groups = list(_groups(cohort, newer.encoder.predictors, change, least))
    groups.sort(key=lambda one: (-abs(one.change), one.predictor, str(one.value)))
    return UpdateEffect(
        parent=newer.parent,
        n_before=model.n_patients,
        n_new=newer.n_patients - holds_both * model.n_patients,
        n_compared=len(change),
        mean=float(change.mean()),
        mean_absolute=float(np.abs(change).mean()),
        largest=float(change[np.abs(change).argmax()]),
        expected_gain=float(gain.mean()),
        groups=tuple(groups[:_TOLD]),
    )


def _groups(
    cohort: pd.DataFrame, predictors: tuple[str, ...], change: Array, least: int
) -> Iterator[Moved]:
    """Each category, and both halves of each number; none of few patients."""
    for name in predictors:
        if name not in cohort:
            continue
        values = cohort[name]
        if values.dtype.kind == "f":
            middle = float(values.median())
            rows = [
                ("below", middle, values < middle),
                ("from", middle, values >= middle),
            ]
        else:
            kinds = sorted(values.dropna().unique(), key=str)
            rows = [("is", one, values == one) for one in kinds]
        for side, value, chosen in rows:
            held = chosen.to_numpy(dtype=bool, na_value=False)
            if held.sum() >= least:
                known = bool(value) if value in (True, False) else value
                yield Moved(
                    predictor=name,
                    value=known,
                    side=side,
                    n=int(held.sum()),
                    change=float(change[held].mean()),
                )


def _points(change: float, lang: str) -> str:
    return format_number(100.0 * change, lang, "+.1f")
