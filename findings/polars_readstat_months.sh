#!/usr/bin/env bash
# Stata counts months, quarters, weeks and years in formats of their own (%tm, %tq, %tw,
# %ty). One expects the date, or the bare count.
# Seen: polars-readstat takes every one of them for a count of days: onset of pain in
# January 2020 becomes December 1961, the year 2015 becomes July 1965. The result has
# the type of a date, so that nothing downstream complains.
# Hurt: the data scientist who computes the duration of pain (58 years too long, and the
# same for nearly everybody), and the physician who reads that duration has no effect.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile \
    polars-readstat==0.25.0 polars==2.1.0 pyreadstat==1.3.7 pandas==3.1.1 \
    numpy==2.4.6
HOME="$work" venv/bin/python - <<'PY'
from importlib.metadata import version

import pandas as pd
import pyreadstat
from polars_readstat import scan_readstat

stored = pd.DataFrame(
    {"month": [720.0, 794.0], "quarter": [240.0, 264.0], "year": [2015.0, 2026.0]}
)
formats = {"month": "%tm", "quarter": "%tq", "year": "%ty"}
pyreadstat.write_dta(stored, "onset.dta", variable_format=formats)

right = pd.read_stata("onset.dta").map(lambda day: str(day.date())).to_dict("list")
frame = scan_readstat("onset.dta").collect()
seen = {name: [str(day) for day in frame[name]] for name in formats}
print("polars-readstat", version("polars-readstat"))
print("expected:", right)
print("seen:    ", seen)
assert right["month"] == ["2020-01-01", "2026-03-01"]
assert seen["month"] == ["1961-12-21", "1962-03-05"]
assert seen["quarter"] == ["1960-08-28", "1960-09-21"]
assert seen["year"] == ["1965-07-08", "1965-07-19"]
PY
