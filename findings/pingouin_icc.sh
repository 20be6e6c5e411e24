#!/usr/bin/env bash
# Two nurses rate pain of eight patients, and the intraclass correlation says how well
# they agree. It is a share of variance: one expects at most 1, and a confidence
# interval that begins below where it ends.
# Seen: when they disagree, pingouin's agreement of the mean rating, ICC(A,k), can be 95
# with an interval from 10 to -1, given without a warning. Its other kinds are negative.
# Hurt: the data scientist who prints a column of ICCs, and the physician who reads
# "95" as an excellent 95 %, where the truth is no agreement at all.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile \
    pingouin==0.7.0 pandas==2.3.3 numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 \
    statsmodels==0.15.0
HOME="$work" venv/bin/python - <<'PY'
import warnings

import pandas as pd
import pingouin

first = [4, 5, 8, 6, 2, 7, 2, 3]
second = [6, 6, 3, 3, 8, 2, 5, 8]
ratings = pd.DataFrame(
    {
        "patient": [*range(8), *range(8)],
        "nurse": ["A"] * 8 + ["B"] * 8,
        "pain": first + second,
    }
)
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    table = pingouin.intraclass_corr(ratings, "patient", "nurse", "pain").set_index("Type")
seen, (low, high) = float(table.loc["ICC(A,k)", "ICC"]), table.loc["ICC(A,k)", "CI95"]
single = float(table.loc["ICC(A,1)", "ICC"])
warned = [line for line in said if "icc" in str(line.message).lower()]
print("pingouin", pingouin.__version__)
print("expected: at most 1; of one rating:", round(single, 2))
print("seen:    ", round(seen, 1), "interval", float(low), "to", float(high))
assert single < 0 and not warned
assert seen > 50 and low > high
PY
