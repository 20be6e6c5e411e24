"""Draw how many patients a peer needs to match us, from the tables of accuracy.py.

python training/benchmarks/learning_curves.py [--truth right]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from known_truth.learning import LearningCurve, learning_curve
from known_truth.learning_plot import plot_learning_curve
from responder_model.figures.drawing import draw_figure

FOLDER = Path("reports/benchmarks/accuracy")
# Methods that are drawn, ours first, as a reader knows them.
SHOWN = {
    "responder_model": "this package",
    "ridge_cv": "tuned ridge logistic regression",
    "xgboost": "calibrated XGBoost",
    "ordinal_ridge": "tuned ordinal ridge",
    "outcome_proportion": "outcome proportion for everybody",
}
# What the simulated truths mean; others are named as accuracy.py names them.
TRUTHS = {
    "right": "effects as published",
    "wrong": "effects opposite to those published",
    "null": "no predictor matters",
    "interactions": "effects as published, with interactions",
    "half_signs_wrong": "half of the effects opposite to those published",
    "non_proportional": "effects that grow with the cut-off",
    "shifted": "effects as published, more responders",
}


def curves(scores: pd.DataFrame, truth: str) -> list[LearningCurve]:
    """Excess log loss × 1000 of each method by size; those with one size left out."""
    found = []
    for method, name in SHOWN.items():
        rows = scores[(scores["truth"] == truth) & (scores["method"] == method)]
        if len(rows) > 1:
            found.append(
                learning_curve(
                    name,
                    rows["size"],
                    1000.0 * rows["excess_log_loss"],
                    standard_error=1000.0 * rows["excess_log_loss_se"],
                )
            )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--truth", default="right")
    truth = parser.parse_args().truth
    path = FOLDER / "rtms_response_scores.csv"
    # a truth is called "null"
    drawn = curves(pd.read_csv(path, keep_default_na=False, na_values=[""]), truth)
    if not drawn:
        parser.error(f"{path} holds no truth called {truth}")
    path = draw_figure(
        lambda ax: plot_learning_curve(drawn, ax=ax),
        FOLDER / f"learning_curve_{truth}.png",
        title=f"Error on simulated patients: {TRUTHS.get(truth, truth)}",
        provenance="simulated",
    )
    print(path)


if __name__ == "__main__":
    main()
