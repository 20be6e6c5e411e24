#!/usr/bin/env bash
# An explanation starts from the average patient: the base value. Given the whole cohort
# of 213 as background, one expects the mean prediction of the cohort.
# Seen: shap's Explainer and LinearExplainer keep 100 patients of it without a word, so
# that the "average patient" differs from the cohort's by 0.3 on the log-odds scale, and
# every contribution with it. KernelExplainer takes all and warns of the cost.
# Hurt: the physician, who compares a patient with an average that is not the report's,
# and in whose figure a relief of 30 % can push up instead of down.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile \
    shap==0.51.0 scikit-learn==1.9.1 pandas==3.1.1 numpy==2.4.6 scipy==1.17.1
HOME="$work" venv/bin/python - <<'PY'
import numpy as np
import pandas as pd
import shap
from sklearn.linear_model import LogisticRegression

rng = np.random.default_rng(0)
cohort = pd.DataFrame({"relief": rng.normal(30, 25, 213), "age": rng.normal(58, 10, 213)})
responded = rng.random(213) < 1 / (1 + np.exp(-(cohort.relief - 20) / 15))
model = LogisticRegression().fit(cohort, responded)


def base(background):
    return float(shap.LinearExplainer(model, background).expected_value)


right = float(model.decision_function(cohort).mean())
seen = base(cohort)
whole = base(shap.maskers.Independent(cohort, max_samples=len(cohort)))
small = base(cohort[:100]) - float(model.decision_function(cohort[:100]).mean())
print("shap", shap.__version__)
print(f"expected: {right:.3f}, the mean log-odds of 213 patients (asked for: {whole:.3f})")
print(f"seen:     {seen:.3f}")
assert abs(whole - right) < 1e-6 and abs(small) < 1e-6
assert abs(seen - right) > 0.05
PY
