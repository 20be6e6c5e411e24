"""What each measure is: its ideal, what it can be, and where its words stand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from responder_model.words import read_words, say

Text = Mapping[str, str]
UNIT = (0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Definition:
    """Values of one measure; its words stand in ``measures.toml`` under its name."""

    name: str
    ideal: float | None = 0.0  # None: depends on the outcome proportion
    possible: tuple[float, float] = UNIT  # least and most it can be

    @property
    def label(self) -> Text:
        """Name in each language."""
        return cast("Text", read_words("measures")[self.name])

    @property
    def definition(self) -> Text:
        """Meaning in each language."""
        return cast("Text", read_words("measures")[f"{self.name}_means"])


# Measures that depend on how the observed proportion is smoothed.
SMOOTHED = (
    "integrated_calibration_index",
    "e50",
    "e90",
    "emax",
    "estimated_calibration_index",
)
_ANY = (-math.inf, math.inf)

DEFINITIONS: Mapping[str, Definition] = {
    found.name: found
    for found in (
        Definition(name="c_statistic", ideal=1.0),
        Definition(name="calibration_in_the_large", possible=_ANY),
        Definition(name="joint_calibration_intercept", possible=_ANY),
        Definition(name="calibration_slope", ideal=1.0, possible=_ANY),
        Definition(name="observed_expected_ratio", ideal=1.0, possible=(0.0, math.inf)),
        Definition(name="integrated_calibration_index"),
        Definition(name="e50"),
        Definition(name="e90"),
        Definition(name="emax"),
        Definition(name="estimated_calibration_index", possible=(0.0, 100.0)),
        Definition(name="brier_score"),
        Definition(name="scaled_brier_score", ideal=1.0, possible=(-math.inf, 1.0)),
        Definition(name="log_loss", possible=(0.0, math.inf)),
        Definition(name="net_benefit", ideal=None, possible=_ANY),
        Definition(name="net_benefit_treat_all", ideal=None, possible=_ANY),
        Definition(name="ordinal_concordance", ideal=1.0),
    )
}


def possible_values(name: str, *, threshold: float) -> tuple[float, float]:
    """Least and most that a measure can be, in any patients.

    The net benefit is a mean of 1 (a responder treated), -t/(1-t) (a non-responder
    treated) and 0. Its limits may exceed the outcome proportion of these patients,
    which is itself an estimate.

    Examples
    --------
    >>> possible_values("brier_score", threshold=0.5)
    (0.0, 1.0)
    >>> possible_values("net_benefit", threshold=0.2)
    (-0.25, 1.0)
    """
    if name.startswith("net_benefit"):
        return -threshold / (1.0 - threshold), 1.0
    return DEFINITIONS[name].possible


def describe_measure(
    name: str, *, smoother: str, threshold: float, lang: str = "en"
) -> str:
    """Definition of a measure with the smoother or threshold that it was taken at.

    Examples
    --------
    >>> describe_measure("net_benefit_treat_all", smoother="loess", threshold=0.3)
    'outcome proportion - (1 - outcome proportion) x t/(1-t); t = 0.3'
    """
    text = DEFINITIONS[name].definition[lang]
    if name in SMOOTHED:
        smoothed = say(f"measures.smoother_{smoother}", lang)
        return say("measures.smoothed", lang, definition=text, smoother=smoothed)
    if name.startswith("net_benefit"):
        return say("measures.at_threshold", lang, definition=text, threshold=threshold)
    return text
