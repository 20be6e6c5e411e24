#!/usr/bin/env bash
# Drift detectors watch whether a model's calls are right. A model that was right 30
# times and wrong once has not drifted; one that was right 40 times and then wrong 80
# times in a row has.
# Seen: with frouros' defaults DDM calls drift at that first miss, and ADWIN never says
# a word about the 80.
# Hurt: the data scientist of a hospital that treats 60 patients a year: one detector
# stops a good model in its first half year, the other lets a broken one run for years.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile frouros==0.9.0 numpy==2.1.3 scipy==1.14.1
HOME="$work" venv/bin/python - <<'PY'
from importlib.metadata import version

from frouros.detectors.concept_drift import ADWIN, DDM


def first_alarm(detector, misses):
    for patient, miss in enumerate(misses, start=1):
        detector.update(value=miss)
        if detector.status["drift"]:
            return patient
    return None


one_miss = [0] * 30 + [1] + [0] * 50
broken = [0] * 40 + [1] * 80
seen = {
    "DDM, one miss": first_alarm(DDM(), one_miss),
    "ADWIN, one miss": first_alarm(ADWIN(), one_miss),
    "ADWIN, broken after 40": first_alarm(ADWIN(), broken),
}
print("frouros", version("frouros"))
print("expected: no alarm, no alarm, an alarm soon after patient 40")
print("seen:    ", seen)
assert list(seen.values()) == [31, None, None]
PY
