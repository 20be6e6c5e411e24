#!/usr/bin/env bash
# Relief has three levels: none, partial, complete. In a small centre nobody had the
# middle one. One expects an ordinal model of the two levels seen, or an error.
# Seen: statsmodels' OrderedModel stops at slope 0 and gives every patient the plain
# shares as probabilities: they look like a result. Without the empty level the same
# patients give a slope above 2. Only a warning says that it did not converge.
# Hurt: the data scientist who fits many centres in a loop with warnings off, and the
# physician of the centre where "nothing predicts".
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
from statsmodels.miscmodels.ordinal_model import OrderedModel

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
early = rng.normal(size=60)
good = 2 * early + rng.logistic(size=60) > 0
levels = ["none", "partial", "complete"]
relief = pd.Series(
    pd.Categorical(np.where(good, "complete", "none"), categories=levels, ordered=True)
)


def fit(outcome):
    model = OrderedModel(outcome, pd.DataFrame({"early": early}), distr="logit")
    return model.fit(method="bfgs", disp=False)


whole, without = fit(relief), fit(relief.cat.remove_unused_categories())
seen = np.unique(np.asarray(whole.predict()).round(6), axis=0)
print("statsmodels", statsmodels.__version__)
print(f"expected: slope {without.params['early']:.2f} (empty level left out), or an error")
print(f"seen:     slope {whole.params['early']:.2f}, probabilities {seen.tolist()}")
assert without.params["early"] > 2
assert abs(whole.params["early"]) < 1e-6
assert len(seen) == 1 and abs(seen.sum() - 1) < 1e-5
PY
