#!/usr/bin/env bash
# How long do implants last? Eight were followed for two years at most and one was taken
# out. Asked for the mean of the first ten years, one expects an error or a warning:
# nobody was followed for so long.
# Seen: lifelines carries the curve on at its last value: 88 % are still implanted after
# ten years, and the restricted mean is 106 of 120 months. No warning.
# Hurt: the neurosurgeon and whoever pays, shown eight more years of a working implant
# than anybody has seen.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile \
    lifelines==0.30.3 pandas==2.3.3 numpy==2.4.6 scipy==1.17.1
HOME="$work" venv/bin/python -W error::UserWarning - <<'PY'
import lifelines
from lifelines.utils import restricted_mean_survival_time

months = [6, 12, 15, 18, 20, 24, 24, 24]
explanted = [True] + [False] * 7
curve = lifelines.KaplanMeierFitter().fit(months, explanted)
kept = round(float(curve.predict(120)), 3)
mean = float(restricted_mean_survival_time(curve, t=120))
print("lifelines", lifelines.__version__)
print("expected: an error, or no number; the last follow-up is at", max(months))
print(f"seen:     {kept} still implanted at 120 months, mean {mean:.1f} of 120 months")
assert kept == 0.875
assert abs(mean - (6 + 114 * 0.875)) < 1e-9
PY
