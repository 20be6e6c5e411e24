#!/usr/bin/env bash
# Hospital files made for SPSS, R or SAS often code 1 = still implanted, 2 = explanted;
# R's Surv() understands exactly that. One expects the same, or an error for a code
# that is not 0 or 1.
# Seen: lifelines takes every code but 0 for an event: all patients are explanted, the
# curve ends at 0 and a Cox model counts 24 events for 9. scikit-survival refuses.
# Hurt: the neurosurgeon shown that no implant lasts, and the data scientist whose
# hazard ratios have no censoring at all.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile \
    lifelines==0.30.3 pandas==2.3.3 numpy==2.4.6 scipy==1.17.1
HOME="$work" venv/bin/python - <<'PY'
import lifelines
import numpy as np
import pandas as pd

months = [6, 12, 18, 24, 30, 36, 40, 48] * 3
code = [1, 2, 1, 1, 2, 1, 1, 2] * 3
explanted = [value == 2 for value in code]


def kept_at_four_years(event):
    curve = lifelines.KaplanMeierFitter().fit(months, event_observed=event)
    return round(float(curve.predict(47)), 2)


frame = pd.DataFrame({"months": months, "code": code, "age": np.arange(24) % 5})
cox = lifelines.CoxPHFitter().fit(frame, "months", "code")
seen, right = kept_at_four_years(code), kept_at_four_years(explanted)
print("lifelines", lifelines.__version__)
print("expected:", right, "still implanted at 47 months, 9 events, or an error")
print("seen:    ", seen, "still implanted,", int(cox.event_observed.sum()), "events")
assert right > 0.6 and seen < 0.2
assert cox.event_observed.sum() == 24 and sum(explanted) == 9
PY
