"""The models that answer: one per question and moment, each tried before it serves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from responder_model.artifact import digest_of
from responder_model.errors import ResponderModelError
from responder_model.frozen import FrozenDict
from responder_model.labels import decision_label, moment_label
from responder_model.model import Model
from responder_model.opening import open_model
from responder_model.schema import dictionary
from responder_model.words import Note, in_words
from .origin import c_statistic, latest_year

# A made-up patient, of whom the number of every published model is packaged.
KNOWN_PATIENT = FrozenDict(age=54, aetiology="ischaemic_stroke", pain_intensity=7)
# Days of alarm by the digest of a model, where nothing was monitored.
NO_REVIEW: Mapping[str, date | None] = FrozenDict()
# Numbers of two machines differ in their last bits.
TOLERANCE = 1e-9


@dataclass(frozen=True, kw_only=True)
class Served:
    """A model that answers.

    Parameters
    ----------
    source : str
        What it was called when the server started.
    model : Model
    known : float
        What it gave the known patient when it was loaded.
    expected : float or None
        What it must give; packaged for the published models, None for any other.
    """

    source: str
    model: Model
    known: float
    expected: float | None

    @property
    def is_ready(self) -> bool:
        """Whether the known patient gets the known number, tried now."""
        return self.is_itself and known_number(self.model) == self.known

    @property
    def is_itself(self) -> bool:
        """Whether the known patient got the packaged number when it was loaded."""
        due = self.known if self.expected is None else self.expected
        return abs(self.known - due) <= TOLERANCE

    @property
    def identity(self) -> dict[str, str]:
        """Which model answers: what stands in every answer of it."""
        return {
            "name": self.model.name,
            "digest": f"sha256:{digest_of(self.model)}",
            "provenance": self.model.provenance,
        }

    def describe(self, lang: str) -> dict[str, Any]:
        """Row of ``GET /v1/models``."""
        model = self.model
        return {
            "decision": model.decision,
            "moment": model.moment,
            "label": decision_label(model.decision, lang),
            "moment_label": moment_label(model.moment, lang),
            **self.identity,
            "n_patients": model.n_patients,
            "n_events": model.n_events,
            "year": latest_year(model),
            "c_statistic": c_statistic(model),
            "cut_point": model.cut_point,
            "cut_points": list(model.served_cut_points),
            "notes": [in_words(note, lang) for note in model.notes],
        }


Shelf = Mapping[tuple[str, str], Served]


def load_shelf(
    sources: Sequence[str], review: Mapping[str, date | None] = NO_REVIEW
) -> Shelf:
    """Load models, and the published one wherever none of them answers.

    Raises
    ------
    UntrustedModelError
        For a folder that is no intact model, or an unknown name.
    ResponderModelError
        For two models of one question and moment.

    Examples
    --------
    >>> list(load_shelf(()))[-1]
    ('emcs_success', 'implantation')
    """
    given: dict[tuple[str, str], Served] = {}
    for source in sources:
        served = _tried(source, review)
        at = served.model.decision, served.model.moment
        if at in given:
            said = Note("serving.two_models", target=served.model.target)
            raise ResponderModelError(said)
        given[at] = served
    targets = dictionary().targets()
    return FrozenDict(
        {at: given.get(at) or _tried("@".join(at), review) for at in targets}
    )


def not_ready(shelf: Shelf) -> Iterator[Served]:
    """Models that do not give the known patient the known number."""
    return (served for served in shelf.values() if not served.is_ready)


def known_number(model: Model) -> float:
    """Probability that a model gives the known patient."""
    return model.predict(KNOWN_PATIENT).probability


def _tried(source: str, review: Mapping[str, date | None]) -> Served:
    model = open_model(source)
    since = review.get(digest_of(model))
    if since is not None:
        model = model.under_review(since)
    expected = None
    if model.provenance == "published" and model.digest == _digests().get(model.target):
        expected = known_numbers()[model.target]
    return Served(
        source=source, model=model, known=known_number(model), expected=expected
    )


@cache
def known_numbers() -> dict[str, float]:
    """Packaged numbers of the published models for the known patient."""
    return _packaged("known_numbers.json")


@cache
def _digests() -> dict[str, str]:
    return _packaged("published_digests.json")


def _packaged(name: str) -> dict[str, Any]:
    path = files("responder_model") / "data" / name
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
