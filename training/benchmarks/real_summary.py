"""Scores of the real-data benchmark: per set, over sets, and as Markdown."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import t


def summarise_methods(scores: pd.DataFrame) -> pd.DataFrame:
    """Mean rank and scores over the sets; difference of log loss with 95 % interval.

    A set is won or lost when the interval of its paired difference excludes 0.
    """
    ranks = scores.groupby("set")["log_loss"].rank()
    mean = scores.assign(rank=ranks).groupby("method")[
        ["rank", "log_loss", "brier_score", "calibration_slope"]
    ]
    summary = mean.mean()
    for method, rows in scores.groupby("method"):
        d = rows["difference"]
        half = t.ppf(0.975, len(d) - 1) * d.sem() if len(d) > 1 else np.nan
        summary.loc[method, "difference"] = d.mean()
        summary.loc[method, "difference_lower"] = d.mean() - half
        summary.loc[method, "difference_upper"] = d.mean() + half
        summary.loc[method, "won"] = (rows["difference_upper"] < 0).sum()
        summary.loc[method, "lost"] = (rows["difference_lower"] > 0).sum()
        summary.loc[method, "smaller"] = (d < 0).sum()
        summary.loc[method, "n_sets"] = len(d)
    summary["tied"] = summary["n_sets"] - summary["won"] - summary["lost"]
    return summary.reset_index().sort_values("rank", ignore_index=True)


def render_summary(scores: pd.DataFrame, summary: pd.DataFrame, ours: str) -> str:
    """Markdown of the summary and of the sets where a peer is better by most."""
    n_sets = scores["set"].nunique()
    lines = [
        f"# Accuracy on {n_sets} small clinical data sets, no evidence",
        "",
        "Difference: our log loss minus theirs, mean over sets with 95 % interval; a "
        "set is won or lost when the interval over its patients excludes 0.",
        "",
        "| method | sets | mean rank | log loss | Brier | slope | difference | won | "
        "tied | lost | smaller in |",
        "|" + "---|" * 11,
    ]
    lines += [_summary_line(row, ours) for _, row in summary.iterrows()]
    rivals = scores[scores["method"] != ours]
    best = rivals.loc[rivals.groupby("set")["log_loss"].idxmin()]
    worst = best.sort_values("difference", ascending=False).head(8)
    lines += ["", "Sets where the best peer of the set is ahead by most:", ""]
    lines += [
        f"- {row['set']} (n = {row['n_patients']}): {row['difference']:+.4f} "
        f"[{row['difference_lower']:+.4f}; {row['difference_upper']:+.4f}] "
        f"against {row['method']}"
        for _, row in worst.iterrows()
    ]
    return "\n".join([*lines, ""])


def _summary_line(row: pd.Series, ours: str) -> str:
    cells = [row["method"], f"{row['n_sets']:.0f}"]
    cells += [f"{row['rank']:.2f}", f"{row['log_loss']:.4f}"]
    cells += [f"{row['brier_score']:.4f}", f"{row['calibration_slope']:.2f}"]
    if row["method"] == ours:
        return "| " + " | ".join([*cells, *["–"] * 5]) + " |"
    interval = f"[{row['difference_lower']:+.4f}; {row['difference_upper']:+.4f}]"
    counts = (f"{row[name]:.0f}" for name in ("won", "tied", "lost", "smaller"))
    cells += [f"{row['difference']:+.4f} {interval}", *counts]
    return "| " + " | ".join(cells) + " |"
