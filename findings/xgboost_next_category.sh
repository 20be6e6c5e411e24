#!/usr/bin/env bash
# Trees learnt the cause of pain as a category: lesion of the cord, stroke, zoster. In use
# comes a patient with a tumour. One expects a refusal, which XGBoost does give for a
# cause late in the alphabet, or the answer for a cause that is not known.
# Seen: any other new word is taken for the next known one in the alphabet: a tumour is
# zoster (80 %), a nerve injury is a stroke (20 %), without a warning.
# Hurt: the physician whose patient gets the number of another disease, and the data
# scientist who tried one new word, saw the refusal and relies on it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile \
    xgboost-cpu==3.2.0 scikit-learn==1.9.1 pandas==3.1.1 numpy==2.4.6 scipy==1.17.1
HOME="$work" venv/bin/python - <<'PY'
import numpy as np
import pandas as pd
import xgboost

causes = np.repeat(["cord", "stroke", "zoster"], 40)
responded = np.where(causes == "zoster", [1, 1, 1, 1, 0] * 24, [0, 0, 0, 0, 1] * 24)


def patients(words):
    return pd.DataFrame({"cause": pd.Categorical(words)})


model = xgboost.XGBClassifier(n_estimators=50, enable_categorical=True)
model.fit(patients(causes), responded)


def chance(word):
    try:
        return round(float(model.predict_proba(patients([word]))[0, 1]), 1)
    except ValueError as error:  # XGBoostError is one
        assert "not in the training set" in str(error)
        return "refused"


words = ["cord", "stroke", "zoster", "tumour", "nerve", "zzz"]
seen = {word: chance(word) for word in words}
print("xgboost", xgboost.__version__)
print("expected: refused, or the same number, for tumour, nerve and zzz")
print("seen:    ", seen)
assert seen == {
    "cord": 0.2,
    "stroke": 0.2,
    "zoster": 0.8,
    "tumour": 0.8,
    "nerve": 0.2,
    "zzz": "refused",
}
PY
