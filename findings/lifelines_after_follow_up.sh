#!/usr/bin/env bash
# Nobody in a cohort was followed for more than a year. Asked for the share of implants
# working at five years, or the mean time of benefit within five years, one expects no
# answer, as from R, where survRM2 refuses such a horizon.
# Seen: lifelines answers with the last step of the curve drawn out for ever: 53 % at
# five years, at fifty years too, and 35 of 60 months of benefit.
# Hurt: the neurosurgeon who tells a patient of 45 how long the implant will help, from
# twelve months of data.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile \
    lifelines==0.30.3 pandas==2.3.3 numpy==2.4.6 scipy==1.17.1
HOME="$work" venv/bin/python - <<'PY'
import warnings

import lifelines
from lifelines.utils import restricted_mean_survival_time

with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    curve = lifelines.KaplanMeierFitter().fit([3, 5, 8, 12, 12], [1, 0, 1, 0, 0])
    share = [round(float(curve.predict(month)), 3) for month in (12, 60, 600)]
    mean = restricted_mean_survival_time(curve, 60)
horizon = [str(line.message) for line in said if "follow" in str(line.message)]
print("lifelines", lifelines.__version__)
print("expected: nothing known after 12 months")
print("seen:    ", share, "at 12, 60 and 600 months; mean", round(mean, 1), "months")
assert share[0] == share[1] == share[2] == 0.533
assert 34 < mean < 36 and not horizon
PY
