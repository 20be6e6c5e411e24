"""Settings of the generator: ``data/simulation.toml`` as frozen values."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from responder_model.errors import ResponderModelError, got
from responder_model.frozen import freeze
from responder_model.words import Note

FORMAT_VERSION = 1

Shares = Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class NumberDraw:
    """A normal value cut at its limits.

    ``mean`` and ``sd`` are on the dictionary's transformed scale, the limits on the
    plain one; ``follows`` names a number drawn before, ``correlation`` the link to it.
    """

    field: str
    mean: float
    sd: float
    minimum: float
    maximum: float
    follows: str | None = None
    correlation: float = 0.0


@dataclass(frozen=True, kw_only=True)
class ColumnSlope:
    """Mean and SD of one column's slope that replace those of the evidence."""

    mean: float
    sd: float


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How a latent value becomes relief in percent; see the comments of the TOML."""

    edges: tuple[float, ...]
    latent: tuple[float, ...]
    minimum: float
    maximum: float
    mean_linear_predictor: float
    centred_on: str
    columns: tuple[str, ...]
    slopes: Mapping[str, ColumnSlope]


@dataclass(frozen=True, kw_only=True)
class Sessions:
    """Relief and its duration after each session, given relief after the test."""

    correlations: tuple[float, ...]
    between_sessions: float
    means: tuple[float, ...]
    mean_test: float
    sd: float
    days_means: tuple[float, ...]
    days_sd: float
    days_correlation: float
    days_shared: float
    days_interval: float


@dataclass(frozen=True, kw_only=True)
class Maintenance:
    """Sessions after the test, and sham sessions."""

    minimum_relief: float
    mean_sessions: float
    correlation: float
    sd: float
    sham_share: float
    sham_mean: float
    sham_sd: float


@dataclass(frozen=True, kw_only=True)
class Implantation:
    """Who is implanted, and for how long they are followed (months)."""

    share: float
    slope_of_selection: float
    follow_up_mean: float
    follow_up_sd: float
    follow_up_minimum: float


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One side of an interaction: a value of one field."""

    field: str
    below: float | None = None
    above: float | None = None
    equals: str | None = None


@dataclass(frozen=True, kw_only=True)
class Interaction:
    """Log-odds added for patients who meet every condition."""

    slope: float
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How the slopes of one kind of truth follow from the priors.

    Parameters
    ----------
    mean_factor, sd_factor : float
        Multiples of each prior mean and SD.
    factors : mapping of str to float
        Columns with a ``mean_factor`` of their own; ``only_factors``: all others are 0.
    flipped_share : float
        Share of the non-zero prior means that change sign.
    common_sd : float
        SD of a slope that every column gets on top.
    n_large, large, large_where : int, float, str
        So many predictors get a slope of plus or minus ``large`` instead; "anywhere",
        or "unexpected" for those of which the evidence expects nothing.
    multipliers : tuple of float
        Slopes at each edge as multiples of those at the main cut-off.
    random_multiplier : float
        Each slope off the main cut-off changes by plus or minus this share.
    mean_linear_predictor : float or None
        Instead of that of the scale.
    random_shift : float
        Shift of the mean linear predictor, up or down at random.
    bends : mapping of str to float
        Numbers whose squared distance from the mean matters, in reference SDs and at
        most 4: log-odds on top of the straight line, for each.
    """

    mean_factor: float = 1.0
    sd_factor: float = 1.0
    factors: Mapping[str, float]
    bends: Mapping[str, float]
    only_factors: bool = False
    flipped_share: float = 0.0
    common_sd: float = 0.0
    n_large: int = 0
    large: float = 0.0
    large_where: str = "anywhere"
    multipliers: tuple[float, ...] = ()
    random_multiplier: float = 0.0
    mean_linear_predictor: float | None = None
    random_shift: float = 0.0
    interactions: tuple[Interaction, ...] = ()


@dataclass(frozen=True, kw_only=True)
class GeneratorSettings:
    """All of ``data/simulation.toml``."""

    aetiology: Shares
    lesion_site: Mapping[str, Shares]
    pain_site: Mapping[str, Shares]
    shares: Mapping[str, Shares]
    proportions: Shares
    numbers: tuple[NumberDraw, ...]
    blank_share: float
    questionnaires: tuple[tuple[str, ...], ...]
    scales: Mapping[str, Scale]
    sessions: Sessions
    symptom_cut_points: tuple[float, ...]
    symptom_proportions: tuple[float, ...]
    non_completers: float
    maintenance: Maintenance
    implantation: Implantation
    not_recorded: tuple[str, ...]
    truths: Mapping[str, Mapping[str, Recipe]]

    def recipe(self, decision: str, kind: str) -> Recipe:
        """Return the recipe of one kind of truth; raises for an unknown one."""
        recipes = self.truths.get(decision, {})
        if kind not in recipes:
            allowed = tuple(recipes) or ("–",)
            said = Note(
                "simulation.truth", of=decision, allowed=allowed, got=got(kind, recipes)
            )
            raise ResponderModelError(said)
        return recipes[kind]


@cache
def generator_settings() -> GeneratorSettings:
    """Return the packaged settings."""
    path = files("responder_model") / "data" / "simulation.toml"
    return freeze(parse_settings(path.read_text(encoding="utf-8")))


def parse_settings(text: str) -> GeneratorSettings:
    """Read the generator's settings from TOML text."""
    table = tomllib.loads(text)
    if table.pop("format_version", None) != FORMAT_VERSION:
        raise ResponderModelError(Note("simulation.format", n=FORMAT_VERSION))
    blank, symptom = table.pop("blank"), table.pop("symptom")
    return GeneratorSettings(
        aetiology=table["aetiology"],
        lesion_site=table["lesion_site"],
        pain_site=table["pain_site"],
        shares=table["shares"],
        proportions=table["proportions"],
        numbers=tuple(NumberDraw(**row) for row in table["numbers"]),
        blank_share=blank["share"],
        questionnaires=tuple(tuple(row) for row in blank["questionnaires"]),
        scales={name: _scale(row) for name, row in table["scales"].items()},
        sessions=Sessions(**_tuples(table["sessions"])),
        symptom_cut_points=tuple(symptom["cut_points"]),
        symptom_proportions=tuple(symptom["proportions"]),
        non_completers=table["completion"]["non_completers"],
        maintenance=Maintenance(**table["maintenance"]),
        implantation=Implantation(**table["implantation"]),
        not_recorded=tuple(table["benchmark"]["not_recorded"]),
        truths={
            decision: {kind: _recipe(row) for kind, row in kinds.items()}
            for decision, kinds in table["truths"].items()
        },
    )


def _tuples(row: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}


def _scale(row: Mapping[str, Any]) -> Scale:
    slopes = {k: ColumnSlope(**v) for k, v in row.get("slopes", {}).items()}
    return Scale(**{**_tuples(row), "slopes": slopes})


def _recipe(row: Mapping[str, Any]) -> Recipe:
    interactions = tuple(
        Interaction(
            slope=item["slope"],
            conditions=tuple(Condition(**c) for c in item["conditions"]),
        )
        for item in row.get("interactions", [])
    )
    parts = {"factors": {}, "bends": {}, **_tuples(row), "interactions": interactions}
    return Recipe(**parts)
