"""How measures differ between groups of patients: fairness, with its uncertainty."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from responder_model.errors import DevelopmentError
from responder_model.words import Note

# Measures that can be compared: others move with the share of responders in a group.
COMPARED = ("c_statistic", "calibration_in_the_large")


def group_differences(table: pd.DataFrame) -> pd.DataFrame:
    """Measures of each group minus those of the largest group of its predictor.

    Worked out from the table alone, so that it tells nothing that the table hides:
    groups without a count or without limits are not compared. The interval is that of
    a difference between independent estimates from their own limits.

    Parameters
    ----------
    table : DataFrame
        From ``validate_by_subgroup``.

    Returns
    -------
    DataFrame
        ``predictor``, ``group``, ``compared_with`` and, under the name of each measure
        of ``COMPARED``, the difference, with its 95 % limits (``…_lower``,
        ``…_upper``); no row where nothing can be compared.

    Raises
    ------
    DevelopmentError
        For a table of something else than subgroups.

    References
    ----------
    .. [1] Zou GY, Donner A. Stat Med 2008;27:1693. doi:10.1002/sim.3095

    Examples
    --------
    >>> import pandas as pd
    >>> of_sex = {"predictor": "sex", "group": ["men", "women"], "n_patients": [90, 40]}
    >>> c = {"c_statistic": [0.70, 0.60]}
    >>> limits = {"c_statistic_lower": [0.67, 0.52], "c_statistic_upper": [0.76, 0.64]}
    >>> found = group_differences(pd.DataFrame(of_sex | c | limits)).iloc[0]
    >>> found["compared_with"], found[[*c, *limits]].astype(float).round(2).to_list()
    ('men', [-0.1, -0.2, -0.05])
    """
    import pandas as pd

    if not {"predictor", "group", "n_patients"} <= set(table.columns):
        raise DevelopmentError(Note("validation.subgroups", columns=tuple(table)))
    rows: list[dict[str, Any]] = []
    for _, part in table.groupby("predictor", sort=False):
        groups = [row for row in part.to_dict("records") if _measured(row)]
        groups.sort(key=lambda row: -int(row["n_patients"]))
        for row in groups[1:]:
            names = {name: row[name] for name in ("predictor", "group")}
            compared = {"compared_with": groups[0]["group"]}
            rows.append(names | compared | _less(row, groups[0]))
    found = pd.DataFrame(rows)
    found.attrs = dict(table.attrs)
    return found


def _measured(row: dict[Any, Any]) -> list[str]:
    """Measures with limits of a group whose count is told."""
    if not str(row["n_patients"]).isdigit():
        return []
    return [name for name in COMPARED if np.isfinite(_with_limits(row, name)).all()]


def _with_limits(row: dict[Any, Any], name: str) -> Any:
    found = (row.get(name), row.get(f"{name}_lower"), row.get(f"{name}_upper"))
    return np.array(found, dtype=np.float64)


def _less(row: dict[Any, Any], largest: dict[Any, Any]) -> dict[str, float]:
    """Differences of one group, with limits at which the two errors add up."""
    found: dict[str, float] = {}
    for name in COMPARED:
        own, low, high = _with_limits(row, name)
        other, other_low, other_high = _with_limits(largest, name)
        gap = own - other
        found[name] = float(gap)
        found[f"{name}_lower"] = float(gap - np.hypot(own - low, other_high - other))
        found[f"{name}_upper"] = float(gap + np.hypot(high - own, other - other_low))
    return found
