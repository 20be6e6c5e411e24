#!/usr/bin/env bash
# A smoothed calibration curve of a score with few values: 40 of 55 patients share the
# lowest score and 10 of these 40 respond. One expects the curve to pass at about 25 %.
# Seen: statsmodels' lowess, when a tie is wider than its window, hands out the outcome
# of one patient, 0 or 1 as the rows happen to lie. The mean of the tie would be right.
# Hurt: the data scientist who draws calibration of a simple clinical score, and the
# physician who reads that low scores never respond, or always, by the order of rows.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile \
    statsmodels==0.15.0 pandas==3.1.1 numpy==2.4.6 scipy==1.17.1
HOME="$work" venv/bin/python - <<'PY'
import warnings

import numpy as np
import statsmodels
from statsmodels.nonparametric.smoothers_lowess import lowess

warnings.simplefilter("ignore")
score = np.repeat([0.0, 10.0, 30.0, 50.0], [40, 5, 5, 5])
later = np.tile([0.0, 1.0, 1.0, 0.0, 1.0], 3)


def curve_at_zero(first):
    responded = np.concatenate([first, later])
    return lowess(responded, score, frac=2 / 3, return_sorted=False)[score == 0]


ten = np.repeat([0.0, 1.0], [30, 10])
orders = {"non-responders first": ten, "responders first": ten[::-1]}
seen = {name: np.unique(curve_at_zero(rows)) for name, rows in orders.items()}
print("statsmodels", statsmodels.__version__)
print("expected: about 0.25 in either order")
print("seen:    ", {name: value.tolist() for name, value in seen.items()})
assert seen["non-responders first"].tolist() == [0.0]
assert seen["responders first"].tolist() == [1.0]
PY
