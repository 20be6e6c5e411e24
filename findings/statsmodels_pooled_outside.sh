#!/usr/bin/env bash
# Four studies find nearly the same effect. Whatever the method, a pooled effect is a
# weighted mean, so that one expects it between the smallest and the largest of them.
# Seen: statsmodels keeps a negative variance between studies ("dl"), which turns some
# weights negative: four effects from 0.48 to 0.52 pool to 0.94. Textbooks and R set
# that variance to 0.
# Hurt: the data scientist who builds a prior from published studies, and every patient
# scored with twice the published effect.
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
from statsmodels.stats.meta_analysis import combine_effects

warnings.simplefilter("ignore")
effects = np.array([0.50, 0.52, 0.48, 0.51])
variances = np.array([0.04, 0.05, 0.04, 0.06])
pooled = combine_effects(effects, variances, method_re="dl")
table = pooled.summary_frame()
seen = table.loc["random effect", "eff"]
fixed = table.loc["fixed effect", "eff"]
print("statsmodels", statsmodels.__version__)
print(f"expected: within {effects.min()} to {effects.max()} (fixed effect {fixed:.3f})")
print(f"seen:     {seen:.3f}, variance between studies {pooled.tau2:.3f}")
assert pooled.tau2 < 0
assert effects.min() < fixed < effects.max() < 0.9 < seen
assert (pooled.weights_re < 0).any()
PY
