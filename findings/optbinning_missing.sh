#!/usr/bin/env bash
# A points table is built with optbinning. Of the patients whose relief was not recorded
# 10 % responded, and the table shows the weight that this gives "Missing". One expects
# the points of that row to follow from that weight, as in all other rows.
# Seen: by default missing is scored with weight 0, which is the average patient, while
# the weight learnt stands beside it in the same row: 45 points instead of 72.
# Hurt: the physician who adds up points for a patient whose relief nobody asked for,
# and reads 22 % instead of 10 %.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile \
    optbinning==1.0.0 ortools==9.15.6755 scikit-learn==1.9.1 pandas==3.1.1 \
    numpy==2.4.6 scipy==1.17.1
HOME="$work" venv/bin/python - <<'PY'
import logging
import warnings

import numpy as np
import optbinning
import pandas as pd
from optbinning import BinningProcess, Scorecard
from sklearn.linear_model import LogisticRegression

logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
relief = rng.normal(30, 20, 400)
responded = (rng.random(400) < 1 / (1 + np.exp(-(relief - 40) / 15))).astype(int)
blank = rng.random(400) < 0.25
responded[blank] = rng.random(blank.sum()) < 0.06
cohort = pd.DataFrame({"relief": np.where(blank, np.nan, relief)})

card = Scorecard(
    BinningProcess(["relief"]),
    LogisticRegression(),
    scaling_method="min_max",
    scaling_method_params={"min": 0, "max": 100},
)
card.fit(cohort, responded)
table = card.table(style="detailed").set_index("Bin")
weight, points = (float(table.loc["Missing", name]) for name in ("WoE", "Points"))
rows = table.drop(["Missing", "Special"])
line = np.polyfit(rows.WoE.astype(float), rows.Points.astype(float), 1)
implied, average = np.polyval(line, weight), np.polyval(line, 0)
risk = card.predict_proba(pd.DataFrame({"relief": [np.nan]}))[0, 1]
print("optbinning", optbinning.__version__)
observed = responded[blank].mean()
print(f"expected: {implied:.1f} points for a weight of {weight:.2f}; observed {observed:.2f}")
print(f"seen:     {points:.1f} points, weight 0 gives {average:.1f}; predicted {risk:.2f}")
assert abs(points - average) < 0.5 < 5 < abs(points - implied)
assert risk > 2 * observed
PY
