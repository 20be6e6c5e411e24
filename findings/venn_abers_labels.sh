#!/usr/bin/env bash
# Predictions are recalibrated with venn-abers on 40 patients. Outcomes coded 1/2 (SPSS)
# or -1/1 (support vector machines) are two classes like 0/1, so that one expects the
# same probabilities, or a refusal.
# Seen: the labels are averaged as numbers, without a word. Coded 1/2, most of what comes
# out is above 1, up to 2.2; coded -1/1, half of it looks like probabilities: 15 % where
# 0/1 gives 54 %.
# Hurt: the data scientist who sees numbers between 0 and 1 at the top of the column,
# and the patients with an even chance who are told that it is one in seven.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile \
    venn-abers==1.5.4 scikit-learn==1.9.1 pandas==2.3.3 numpy==2.4.6 scipy==1.17.1
HOME="$work" venv/bin/python - <<'PY'
from importlib.metadata import version

import numpy as np
from venn_abers import VennAbers

rng = np.random.default_rng(0)
risk = rng.uniform(0.1, 0.9, 60)
good = (rng.random(60) < risk).astype(int)
pair = np.c_[1 - risk, risk]


def recalibrated(outcome):
    model = VennAbers()
    model.fit(pair[:40], outcome[:40])
    return model.predict_proba(pair[40:])[0][:, 1]


right, spss, signs = recalibrated(good), recalibrated(good + 1), recalibrated(2 * good - 1)
inside = (signs >= 0) & (signs <= 1)
off = np.abs(signs - right)[inside]
print("venn-abers", version("venn-abers"))
print("expected (0/1): ", right[:6].round(2))
print("seen with 1/2:  ", spss[:6].round(2))
print("seen with -1/1: ", signs[:6].round(2))
print(f"of these, {inside.sum()} of 20 are within 0 to 1, and off by up to {off.max():.2f}")
assert ((right >= 0) & (right <= 1)).all()
assert (spss > 1).sum() > 10
assert inside.any() and off.max() > 0.2
PY
