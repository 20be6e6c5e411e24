#!/usr/bin/env bash
# A model is given "80 %" or the decimal comma of French, "80,0", where it learnt
# numbers. One expects a refusal: it does take "80" and "0" as text.
# Seen: interpret's explainable boosting machine scores the cell as if relief were of
# no effect, the same for "80 %", "0 %", "O" for 0 and a blank, without a word.
# Hurt: the physician, who gets one plausible probability for the best and the worst
# patient, and the study nurse whose comma decided it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile \
    interpret-core==0.7.8 pandas==2.3.3 numpy==2.4.6 scipy==1.17.1 \
    scikit-learn==1.9.1 joblib==1.6.0
HOME="$work" venv/bin/python - <<'PY'
import warnings
from importlib.metadata import version

import numpy as np
import pandas as pd
from interpret.glassbox import ExplainableBoostingClassifier

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
relief = rng.choice([0.0, 10.0, 20.0, 30.0, 50.0, 80.0], 300)
responded = rng.random(300) < 1 / (1 + np.exp(-(relief - 30) / 10))
model = ExplainableBoostingClassifier(random_state=0, interactions=0, n_jobs=1)
model.fit(pd.DataFrame({"relief": relief}), responded)

cells = ["0", "80", "0 %", "80 %", "0,0", "80,0", "O", None]
seen = model.predict_proba(pd.DataFrame({"relief": cells}))[:, 1]
print("interpret-core", version("interpret-core"), model.feature_types_in_)
print("expected: low, high, then refusals")
print("seen:    ", dict(zip(cells, seen.round(2).tolist(), strict=True)))
assert model.feature_types_in_ == ["continuous"]
assert seen[0] < 0.1 and seen[1] > 0.95
assert np.ptp(seen[2:]) == 0 and 0.3 < seen[2] < 0.9
PY
