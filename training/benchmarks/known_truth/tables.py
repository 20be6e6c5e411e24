"""Tables of the accuracy benchmark, as data and as Markdown."""

from __future__ import annotations

import numpy as np
import pandas as pd

from known_truth.learning import learning_curve, patients_to_match
from known_truth.scores import ratio_to_best, summarise_scores

_KEYS = ["truth", "size"]
_LOSS = "excess_log_loss"


def score_table(results: pd.DataFrame) -> pd.DataFrame:
    """Mean scores with Monte-Carlo errors, failures and seconds, per cell and method.

    Parameters
    ----------
    results : DataFrame
        Rows of ``run_cell``.
    """
    summary = summarise_scores(results)
    keys = [*_KEYS, "method"]
    extra = results.groupby(keys, sort=False).agg(
        n_failed=("failed", "sum"), seconds=("seconds", "median")
    )
    return summary.merge(extra.reset_index(), on=keys)


def ratio_table(
    results: pd.DataFrame,
    *,
    ours: str,
    floor: str,
    peers: tuple[str, ...],
    beside: tuple[str, ...],
) -> pd.DataFrame:
    """Ratios of our mean excess log loss, one row per cell and comparison.

    The comparisons are the best peer (over the cohorts that it shares with ours), the
    best learner (best peer other than the outcome proportion), the outcome proportion,
    the floor and each method ``beside``; those that were not run are left out.
    """
    rows = []
    for key, cell in results.groupby(_KEYS, sort=False):
        present = set(cell["method"])
        if ours not in present:
            continue
        for name, rivals in _comparisons(floor, peers, beside).items():
            found = tuple(rival for rival in rivals if rival in present)
            if not found:
                continue
            best = ratio_to_best(cell, ours, found)
            rows.append(
                dict(zip(_KEYS, key, strict=True))
                | {"comparison": name, "against": best.against, "ratio": best.ratio}
                | {"ratio_se": best.standard_error, "n_cohorts": best.n_cohorts}
            )
    return pd.DataFrame(rows)


def _comparisons(
    floor: str, peers: tuple[str, ...], beside: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    learners = tuple(name for name in peers if name != "outcome_proportion")
    return {
        "best_peer": peers,
        "best_learner": learners,
        "outcome_proportion": ("outcome_proportion",),
        "floor": (floor,),
        **{name: (name,) for name in beside},
    }


def matches_table(scores: pd.DataFrame, *, ours: str, size: int) -> pd.DataFrame:
    """Patients that each method needs to be as accurate as ours is with ``size``.

    Linear interpolation of the logarithm of excess log loss over that of the size,
    within the sizes that were run.

    Returns
    -------
    DataFrame
        ``truth``, ``method``, ``n_patients``: infinite where the largest size run is
        not enough, the smallest one where that already is.

    Examples
    --------
    >>> rows = [{"truth": "right", "size": n, "method": m, "excess_log_loss": x}
    ...         for m, n, x in (("ours", 50, 0.02), ("ours", 200, 0.01),
    ...                         ("ridge", 50, 0.08), ("ridge", 200, 0.02))]
    >>> table = matches_table(pd.DataFrame(rows), ours="ours", size=50)
    >>> round(float(table["n_patients"].iloc[0]))
    200
    """
    rows = []
    for truth, cell in scores.groupby("truth", sort=False):
        target = cell[(cell["method"] == ours) & (cell["size"] == size)]
        for method, curve in cell.groupby("method", sort=False):
            if method == ours or target.empty:
                continue
            scored = curve.dropna(subset=[_LOSS])
            learned = learning_curve(str(method), scored["size"], scored[_LOSS])
            needed = patients_to_match(learned, float(target[_LOSS].iloc[0]))
            n = np.inf if needed is None else needed
            rows.append({"truth": truth, "method": method, "n_patients": n})
    return pd.DataFrame(rows, columns=["truth", "method", "n_patients"])


def render_matches(matches: pd.DataFrame, size: int) -> str:
    """Markdown of ``matches_table``, a row per truth and a column per method."""
    if matches.empty:
        return ""
    table = matches.pivot_table(
        index="truth", columns="method", values="n_patients", sort=False
    )
    lines = ["", f"## Patients that others need to match ours with {size}", ""]
    lines += ["| truth | " + " | ".join(map(str, table.columns)) + " |"]
    lines += ["|" + "---|" * (1 + table.shape[1])]
    for truth, row in table.iterrows():
        cells = ["more" if np.isposinf(value) else _number(value, 0) for value in row]
        lines.append(f"| {truth} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def render_tables(title: str, scores: pd.DataFrame, ratios: pd.DataFrame) -> str:
    """Markdown of both tables; excess log loss is times 1000, shares in percent."""
    parts = [f"# Accuracy on simulated truth: {title}", "", _EXPLANATION, ""]
    for key, cell in scores.groupby(_KEYS, sort=False):
        parts += [f"## {key[0]}, n = {key[1]}", "", *_score_lines(cell), ""]
        if not ratios.empty:
            here = (ratios["truth"] == key[0]) & (ratios["size"] == key[1])
            parts += [*(_ratio_line(row) for _, row in ratios[here].iterrows()), ""]
    return "\n".join(parts)


_EXPLANATION = (
    "Simulated patients. x: excess log loss over the true probabilities, times 1000 "
    "(± Monte-Carlo standard error). Coverage of the true probability by the 95 % "
    "interval, over all test patients and in the lowest and highest tenth of predicted "
    "probability; mean width and interval score on the scale of 0-100. Ratios compare "
    "over the cohorts that both methods have."
)


def _score_lines(cell: pd.DataFrame) -> list[str]:
    heading = (
        "| method | cohorts | x | slope | coverage | low, high tenth | width | "
        "interval score | cohorts below 80 % | failed | s |"
    )
    lines = [heading, "|" + "---|" * 11]
    for _, row in cell.sort_values("excess_log_loss").iterrows():
        x = f"{_number(1e3 * row['excess_log_loss'])} ± "
        x += _number(1e3 * row["excess_log_loss_se"])
        tails = " ".join(
            _number(100 * row[f"coverage_{end}"], 0) for end in ("lowest", "highest")
        )
        cells = [
            row["method"],
            str(row["n_cohorts"]),
            x,
            _number(row["calibration_slope"], 2),
            _number(100 * row["coverage"]),
            tails,
            _number(100 * row["width"]),
            _number(100 * row["interval_score"]),
            _number(100 * row["share_below_80"], 0),
            str(row["n_failed"]),
            _number(row["seconds"], 2),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _ratio_line(row: pd.Series) -> str:
    name = row["comparison"].replace("_", " ")
    against = "" if row["comparison"] == row["against"] else f" ({row['against']})"
    ratio = f"{row['ratio']:.2f} ± {row['ratio_se']:.2f}"
    return f"- ratio to {name}{against}: {ratio}, {row['n_cohorts']} cohorts"


def _number(value: float, digits: int = 1) -> str:
    return "–" if pd.isna(value) or not np.isfinite(value) else f"{value:.{digits}f}"
