"""Screening predictors of simulated patients."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.schema import Field, dictionary
from .settings import GeneratorSettings, NumberDraw, Shares

Array = NDArray[np.float64]

_INVERSE: dict[str, Callable[[Array], Array]] = {
    "identity": np.asarray,
    "log": np.exp,
    "log1p": np.expm1,
}


def draw_screening(
    n_patients: int, rng: np.random.Generator, settings: GeneratorSettings
) -> pd.DataFrame:
    """Draw complete screening predictors, one row per patient, in dictionary types.

    Lesion site follows from the aetiology and pain site from both, so that only
    clinically possible combinations occur.
    """
    aetiology = _draw_category("aetiology", settings.aetiology, n_patients, rng)
    lesion_site = _draw_within("lesion_site", settings.lesion_site, [aetiology], rng)
    places = [aetiology, lesion_site]
    pain_site = _draw_within("pain_site", settings.pain_site, places, rng)
    columns: dict[str, object] = {
        "aetiology": aetiology,
        "lesion_type": _lesion_type(aetiology),
        "lesion_site": lesion_site,
        "pain_site": pain_site,
    }
    for name, shares in settings.shares.items():
        columns[name] = _draw_category(name, shares, n_patients, rng)
    for name, proportion in settings.proportions.items():
        columns[name] = pd.array(rng.random(n_patients) < proportion, dtype="boolean")
    columns |= _draw_numbers(settings.numbers, n_patients, rng)
    names = [name for name in dictionary().fields if name in columns]
    return pd.DataFrame({name: columns[name] for name in names})


def blank_questionnaires(
    cohort: pd.DataFrame,
    share: float,
    rng: np.random.Generator,
    settings: GeneratorSettings,
) -> pd.DataFrame:
    """Return a copy in which a share of each questionnaire is blank, at random."""
    blanked = cohort.copy()
    for columns in settings.questionnaires:
        blank = rng.random(len(cohort)) < share
        for name in blanked.columns.intersection(list(columns)):
            blanked.loc[blank, name] = np.nan
    return blanked


def category_series(name: str, codes: NDArray[np.int64]) -> pd.Categorical[str]:
    """Categories of one field in dictionary order from their codes."""
    categories = pd.Index(dictionary().fields[name].category_names)
    return pd.Categorical.from_codes(codes, categories)


def _draw_codes(
    row: Field, shares: Shares, n_patients: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    weights = np.array([shares.get(name, 0.0) for name in row.category_names])
    return rng.choice(len(weights), size=n_patients, p=weights / weights.sum())


def _draw_category(
    name: str, shares: Shares, n_patients: int, rng: np.random.Generator
) -> pd.Categorical[str]:
    codes = _draw_codes(dictionary().fields[name], shares, n_patients, rng)
    return category_series(name, codes)


def _draw_within(
    name: str,
    tables: Mapping[str, Shares],
    given: list[pd.Categorical[str]],
    rng: np.random.Generator,
) -> pd.Categorical[str]:
    """Draw a category given others: the first of these that has a table decides."""
    field = dictionary().fields[name]
    codes = np.full(len(given[0]), -1, dtype=np.int64)
    for known in given:
        for code, key in enumerate(known.categories):
            rows = np.flatnonzero((known.codes == code) & (codes < 0))
            if key in tables and rows.size > 0:
                codes[rows] = _draw_codes(field, tables[key], rows.size, rng)
    return category_series(name, codes)


def _lesion_type(aetiology: pd.Categorical[str]) -> pd.Categorical[str]:
    names = dictionary().fields["lesion_type"].category_names
    types = [
        names.index(str(category.lesion_type))
        for category in dictionary().fields["aetiology"].categories
    ]
    return category_series("lesion_type", np.array(types)[aetiology.codes])


def _draw_numbers(
    draws: tuple[NumberDraw, ...], n_patients: int, rng: np.random.Generator
) -> dict[str, Array]:
    """Draw standard normal values, some correlated, then scale, cut and round them."""
    standard: dict[str, Array] = {}
    values: dict[str, Array] = {}
    for draw in draws:
        z = rng.standard_normal(n_patients)
        if draw.follows is not None:
            rest = np.sqrt(1.0 - draw.correlation**2)
            z = draw.correlation * standard[draw.follows] + rest * z
        standard[draw.field] = z
        values[draw.field] = _number(draw, z)
    return values


def _number(draw: NumberDraw, z: Array) -> Array:
    row = dictionary().fields[draw.field]
    value = _INVERSE[row.transform](draw.mean + draw.sd * z)
    value = np.clip(value, draw.minimum, draw.maximum)
    # Scales of 0-10 are reported with a decimal, all other numbers are whole.
    whole = row.integer or draw.maximum > 10
    return np.asarray(np.round(value, 0 if whole else 1))
