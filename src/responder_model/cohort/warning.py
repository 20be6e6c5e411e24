"""What is unlikely in a cohort and may still be true: told, with its rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.vocabulary.categories import lesion_sites
from responder_model.words import Note
from .questions import LEAST_FOLLOW_UP

# Rows of one warning that are named.
MOST_ROWS = 10


def warnings_of(
    cohort: pd.DataFrame, rows: NDArray[np.int64], *, named: bool = False
) -> Iterator[Note]:
    """Say what contradicts itself or falls short of what a field asks for.

    With ``named`` the rows are named, for whoever has the file; a report only counts.
    """
    for found, unlikely in (
        (_site_elsewhere(cohort), Note("cohort.site_elsewhere")),
        (_longer_than_life(cohort), Note("cohort.longer_than_life")),
        (
            _short_follow_up(cohort),
            Note("cohort.short_follow_up", least=LEAST_FOLLOW_UP),
        ),
    ):
        at = rows[found]
        if len(at) and not named:
            yield Note("cohort.counted", unlikely=unlikely, n=len(at))
        elif len(at):
            key = "at_rows_and_more" if len(at) > MOST_ROWS else "at_rows"
            lines = tuple(at[:MOST_ROWS].tolist())
            more = {"more": len(at) - MOST_ROWS} if len(at) > MOST_ROWS else {}
            yield Note(f"cohort.{key}", unlikely=unlikely, rows=lines, **more)


def _site_elsewhere(cohort: pd.DataFrame) -> NDArray[np.bool_]:
    if not {"aetiology", "lesion_site"} <= set(cohort):
        return np.zeros(len(cohort), dtype=bool)
    causes, sites = (cohort[n].astype("category") for n in ("aetiology", "lesion_site"))
    allowed = lesion_sites()
    # the last row and column stand for what is not known
    shape = (len(causes.cat.categories) + 1, len(sites.cat.categories) + 1)
    is_elsewhere = np.zeros(shape, dtype=bool)
    for row, cause in enumerate(causes.cat.categories):
        for column, site in enumerate(sites.cat.categories):
            # of a cause that nobody has told of, any site may be
            is_elsewhere[row, column] = site not in allowed.get(cause, (site,))
    return is_elsewhere[causes.cat.codes, sites.cat.codes]


def _longer_than_life(cohort: pd.DataFrame) -> NDArray[np.bool_]:
    if not {"age", "pain_duration"} <= set(cohort):
        return np.zeros(len(cohort), dtype=bool)
    # an age in whole years is up to a year more
    return (cohort["pain_duration"] > 12 * (cohort["age"] + 1)).to_numpy(dtype=bool)


def _short_follow_up(cohort: pd.DataFrame) -> NDArray[np.bool_]:
    if "emcs_follow_up" not in cohort:
        return np.zeros(len(cohort), dtype=bool)
    short = cohort["emcs_follow_up"] < LEAST_FOLLOW_UP
    told = [n for n in ("emcs_relief", "emcs_success") if n in cohort]
    return (short & cohort[told].notna().any(axis=1)).to_numpy(dtype=bool)
