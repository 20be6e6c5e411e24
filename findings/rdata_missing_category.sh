#!/usr/bin/env bash
# A data scientist hands a cohort to the hospital's statistician as .rds. The sex of one
# patient is not known. One expects a missing value back, as for numbers and text.
# Seen: rdata writes the missing category as level 0, which no factor has. Read again by
# rdata the patient is male, the last of the levels; R says "malformed factor". The
# order of an ordered category is gone as well. No warning for either.
# Hurt: whoever keeps a cohort as .rds between two scripts: all of unknown aetiology have
# the last one, and the statistician gets a file that R does not take.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile \
    rdata==1.1.0 xarray==2026.9.0 pandas==3.1.1 numpy==2.4.6
HOME="$work" venv/bin/python - <<'PY'
from importlib.metadata import version

import pandas as pd
import rdata

sex = ["female", "male", None]
levels = ["none", "partial", "complete"]
relief = pd.Categorical(["none", "complete", "partial"], levels, ordered=True)
cohort = pd.DataFrame(
    {"age": [50.0, 60.0, None], "sex": pd.Categorical(sex), "relief": relief}
)
rdata.write_rds("cohort.rds", cohort)
seen = rdata.read_rds("cohort.rds")
print("rdata", version("rdata"))
print("expected:", sex, "relief in order:", cohort["relief"].cat.ordered)
print("seen:    ", seen["sex"].tolist(), "relief in order:", seen["relief"].cat.ordered)
assert seen["age"].isna().sum() == 1
assert seen["sex"].tolist() == ["female", "male", "male"]
assert not seen["relief"].cat.ordered
PY
