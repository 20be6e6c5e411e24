"""The prior of one decision model, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from responder_model.cumulative_logit.components import (
    STRAIGHT_SD,
    Prior,
    robust_priors,
)
from responder_model.features import is_curve


@dataclass(frozen=True, kw_only=True)
class ColumnPrior:
    """Gaussian prior of one model column.

    Parameters
    ----------
    mean, sd : float
        Log-odds per reference unit of the column, other columns held fixed.
    status : {"evidence", "judgement"}
        Whether it rests on published effect sizes.
    rows : tuple of str
        Rows of evidence that it rests on.
    note : str
        What the reader should know.
    firm : bool
        Whether no source disputes its sign: no component is centred on 0.
    """

    mean: float
    sd: float
    status: str
    rows: tuple[str, ...] = ()
    note: str = ""
    firm: bool = False


@dataclass(frozen=True, kw_only=True)
class PriorSet:
    """Priors of all parameters of one decision model.

    Parameters
    ----------
    decision, moment : str
        The decision model.
    columns : dict of str to ColumnPrior
        One for each model column, in the encoder's order; then its curves.
    anchor : tuple of float
        Mean and SD of the log-odds of passing the main cut-off at reference means.
    gaps : tuple of float
        Published gaps between consecutive fitted cut points, log-odds, positive.
    gap_sd : float
        SD of the logarithm of each gap.
    implied_c_statistic : float
        c-statistic that the prior means imply in the reference population.
    implied_c_statistic_before : float
        The same before judgement means were shrunk.
    capped_c_statistic : float
        The same without relief from rTMS: the part that is capped.
    shrinkage : float
        Factor on the judgement means of screening predictors.
    sd_factor : float
        Factor on every declared SD: all of them at once would claim too much.
    level_scale : float
        Factor on anchor and gaps, published over all patients, at given predictors.
    excluded : tuple of str
        Overlap groups whose evidence was removed.
    notes : tuple of str
        What the reader should know of the set as a whole.
    """

    decision: str
    moment: str
    columns: Mapping[str, ColumnPrior]
    anchor: tuple[float, float]
    gaps: tuple[float, ...]
    gap_sd: float
    implied_c_statistic: float
    implied_c_statistic_before: float
    capped_c_statistic: float
    shrinkage: float
    sd_factor: float
    level_scale: float
    excluded: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def curves(self) -> tuple[str, ...]:
        """Columns that are curves of a number."""
        return tuple(name for name in self.columns if is_curve(name))

    def with_curves(self, derived: Sequence[str], sd: float) -> PriorSet:
        """Priors of those model columns, too, that are curves: straight, or nearly so.

        No source says how an effect bends.
        """
        straight = ColumnPrior(mean=0.0, sd=sd, status="judgement")
        curves = {name: straight for name in derived if is_curve(name)}
        return replace(self, columns={**self.columns, **curves})

    @property
    def straight(self) -> tuple[str, ...]:
        """Curves of which nothing is learned."""
        return tuple(n for n in self.curves if self.columns[n].sd <= STRAIGHT_SD)

    def held_straight(self, names: Sequence[str]) -> PriorSet:
        """The same with some curves as in the component where nothing bends."""
        rows = {
            n: replace(self.columns[n], sd=STRAIGHT_SD) for n in names if is_curve(n)
        }
        return replace(self, columns={**self.columns, **rows})

    def mixture(self, derived: Sequence[str]) -> tuple[Prior, ...]:
        """Components over those model columns, from which a development starts."""
        rows = [self.columns[name] for name in derived]
        return robust_priors(
            np.array([row.mean for row in rows]),
            np.array([row.sd for row in rows]),
            len(rows),
            anchor=self.anchor,
            gaps=np.array(self.gaps),
            gap_sd=self.gap_sd,
            firm=np.array([row.firm for row in rows]),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain data, as a program prints it."""
        parts = asdict(self)
        for key in ("anchor", "gaps", "excluded", "notes"):
            parts[key] = list(parts[key])
        for column in parts["columns"].values():
            column["rows"] = list(column["rows"])
        return parts
