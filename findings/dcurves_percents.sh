#!/usr/bin/env bash
# A decision curve of predictions in percent, as reports print them, or with some
# predictions missing. One expects a refusal, or at least the missing patients left out.
# Seen: dcurves takes 35 for a probability above every threshold, so that the curve is
# exactly that of treating everybody; thresholds in percent give 0 for all; a patient
# without a prediction stays in the denominator as one who is not treated.
# Hurt: the data scientist who concludes "no better than treating all", and the
# neurosurgeon for whom that means implanting everybody.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile \
    dcurves==1.1.7 pandas==2.3.3 numpy==2.4.6 scipy==1.17.1 statsmodels==0.15.0
HOME="$work" venv/bin/python - <<'PY'
import warnings
from importlib.metadata import version

import numpy as np
import pandas as pd
from dcurves import dca

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
risk = rng.uniform(0.05, 0.95, 60)
frame = pd.DataFrame({"implant": (rng.random(60) < risk).astype(int), "risk": risk})
frame["percent"] = 100 * risk
frame["partly"] = frame.risk.mask(frame.index < 30)
thresholds = [0.3, 0.5, 0.7]


def benefit(data, model, at=thresholds):
    table = dca(data, "implant", ["risk", "percent", "partly"], thresholds=at)
    return table[table.model == model].net_benefit.to_numpy()


right, percent, treat_all = (benefit(frame, name) for name in ("risk", "percent", "all"))
missing = benefit(frame, "partly")
untreated = benefit(frame.assign(partly=frame.partly.fillna(0)), "partly")
left_out = benefit(frame.dropna(), "partly")
in_percents = benefit(frame, "risk", [30, 50, 70])
print("dcurves", version("dcurves"), "thresholds", thresholds)
print("probabilities:", right.round(3))
print("percents:      expected the same or a refusal; seen", percent.round(3))
print("treat all:    ", treat_all.round(3))
print("half missing:  expected", left_out.round(3), "or a refusal; seen", missing.round(3))
print("thresholds in percent: expected a refusal; seen", in_percents)
assert np.allclose(percent, treat_all) and (right > treat_all + 0.05)[1:].all()
assert np.allclose(missing, untreated) and np.allclose(missing, left_out / 2, atol=0.02)
assert (in_percents == 0).all()
PY
