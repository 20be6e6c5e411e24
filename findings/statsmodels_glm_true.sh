#!/usr/bin/env bash
# The outcome "responded" is True or False. Given to a formula, one expects the model of
# True, as in R, and as the same class gives when it is handed arrays.
# Seen: statsmodels' formula GLM models False: every coefficient has its sign turned
# round. logit() refuses the same column; only glm() and gee() answer.
# Hurt: the data scientist, whose odds ratio of relief after session 1 is 0.08 instead
# of 13, and the physician who is told that early relief speaks against response.
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
import pandas as pd
import statsmodels
import statsmodels.api as sm
import statsmodels.formula.api as smf

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
relief = rng.normal(size=100)
responded = rng.random(100) < 1 / (1 + np.exp(-2 * relief))
frame = pd.DataFrame({"relief": relief, "responded": responded})
binomial = sm.families.Binomial()

formula = smf.glm("responded ~ relief", frame, family=binomial).fit().params.to_numpy()
arrays = sm.GLM(responded, sm.add_constant(relief), family=binomial).fit().params
print("statsmodels", statsmodels.__version__)
print("expected (arrays): intercept, slope =", arrays.round(2))
print("seen (formula):    intercept, slope =", formula.round(2))
assert arrays[1] > 2
assert np.allclose(formula, -arrays)
PY
