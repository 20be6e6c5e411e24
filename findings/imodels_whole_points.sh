#!/usr/bin/env bash
# A score with whole-number points can be used at the bedside, and imodels' SLIM makes
# one. Where the points round to nothing, one expects the share of responders for all.
# Seen: the slopes are rounded, the intercept that went with them is kept: relief in
# percent and age in years get 0 points each, and every patient a probability near 0
# where 66 % respond. "Nobody responds" is also what predict() says.
# Hurt: the physician who reads no chance on the card, and the data scientist who
# compares "interpretable" models by their accuracy.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile \
    imodels==3.0.4 six==1.17.0 mlxtend==0.25.0 scikit-learn==1.9.1 pandas==3.1.1 \
    numpy==2.4.6 scipy==1.17.1
HOME="$work" venv/bin/python - <<'PY'
import warnings
from importlib.metadata import version

import numpy as np

warnings.simplefilter("ignore")
from imodels import SLIMClassifier  # noqa: E402

rng = np.random.default_rng(0)
cohort = np.c_[rng.normal(30, 25, 200), rng.normal(58, 10, 200)]
responded = (rng.random(200) < 1 / (1 + np.exp(-(cohort[:, 0] - 20) / 8))).astype(int)

model = SLIMClassifier().fit(cohort, responded)
seen = np.unique(model.predict_proba(cohort)[:, 1])
print("imodels", version("imodels"), "points", model.model_.coef_.tolist())
print("expected:", responded.mean(), "for all")
print("seen:    ", seen.tolist(), "; called responders:", int(model.predict(cohort).sum()))
assert (model.model_.coef_ == 0).all()
assert len(seen) == 1 and seen[0] < 0.2 < 0.6 < responded.mean()
assert model.predict(cohort).sum() == 0
PY
