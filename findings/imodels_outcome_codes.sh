#!/usr/bin/env bash
# Classifiers of the scikit-learn kind take any two labels: 0/1, 1/2 as in SPSS files,
# "no"/"yes". One expects imodels' boosted rules to give the same probabilities for all.
# Seen: with 0/1 the probability rises with relief; with 1/2, or -1/1, it comes out as
# something else, turned round for 1/2; with words it is 0.5 for everybody. No error.
# Its rule trees (FIGS) are right with all four.
# Hurt: the data scientist who reads the outcome from an SPSS file, and the patient with
# 80 % relief who gets the lowest probability.
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
import pandas as pd

warnings.simplefilter("ignore")
from imodels import BoostedRulesClassifier, FIGSClassifier  # noqa: E402

rng = np.random.default_rng(0)
cohort = pd.DataFrame({"relief": rng.normal(30, 25, 200), "age": rng.normal(58, 10, 200)})
good = rng.random(200) < 1 / (1 + np.exp(-(cohort.relief - 20) / 8))
asked = pd.DataFrame({"relief": [-20.0, 30.0, 80.0], "age": [58.0] * 3})
codes = {
    "0/1": good.astype(int),
    "1/2": good.astype(int) + 1,
    "-1/1": np.where(good, 1, -1),
    "no/yes": np.where(good, "yes", "no"),
}


def probabilities(kind, outcome):
    model = kind(random_state=0).fit(cohort, np.asarray(outcome))
    return model.predict_proba(asked)[:, 1].round(2).tolist()


seen = {name: probabilities(BoostedRulesClassifier, code) for name, code in codes.items()}
figs = {name: probabilities(FIGSClassifier, code) for name, code in codes.items()}
print("imodels", version("imodels"), "relief -20, 30, 80")
print("expected: four times", seen["0/1"])
print("seen:    ", seen)
assert len({str(value) for value in figs.values()}) == 1
assert seen["0/1"][0] < seen["0/1"][2]
assert seen["1/2"][0] > seen["1/2"][2]
assert seen["-1/1"] != seen["0/1"]
assert seen["no/yes"] == [0.5, 0.5, 0.5]
PY
