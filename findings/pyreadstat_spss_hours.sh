#!/usr/bin/env bash
# SPSS keeps durations in its TIME format, and 30:00 is thirty hours there. One expects
# a duration, a number of seconds, or a refusal.
# Seen: pyreadstat hands out times of the day, so that 30 hours of stimulation read as
# 06:00 and 25 hours as 01:00: the patient stimulated longest looks the least treated.
# Hurt: the data scientist who relates weekly hours of stimulation to relief, and the
# neurosurgeon who reads the dose that was "enough".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile pyreadstat==1.3.7 pandas==3.1.1 numpy==2.4.6
HOME="$work" venv/bin/python - <<'PY'
import datetime

import pandas as pd
import pyreadstat

hours = [30, 5, 25]
frame = pd.DataFrame({"on_per_week": [3600.0 * hour for hour in hours]})
pyreadstat.write_sav(frame, "device.sav", variable_format={"on_per_week": "TIME8"})

seen = pyreadstat.read_sav("device.sav")[0].on_per_week.tolist()
raw = pyreadstat.read_sav("device.sav", disable_datetime_conversion=True)[0]

print("pyreadstat", pyreadstat.__version__)
print("expected hours:", hours)
print("seen:          ", [str(value) for value in seen])
print("seconds stored:", raw.on_per_week.tolist())
assert raw.on_per_week.tolist() == [108000.0, 18000.0, 90000.0]
assert seen == [datetime.time(6), datetime.time(5), datetime.time(1)]
PY
