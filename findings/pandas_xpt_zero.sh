#!/usr/bin/env bash
# No relief is 0 %, and 0 is a number that every format can hold exactly.
# Seen: pandas reads a 0 of a SAS transport file as 5.4e-79. It prints almost like 0,
# but it is not 0: "any relief" counts every patient, and a share of zeros is nil.
# Hurt: the data scientist who models patients without relief apart (they are the
# heap of this field's outcome), and the physician who reads "100 % had some relief".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile pandas==3.1.1 numpy==2.4.6 pyreadstat==1.3.7
HOME="$work" venv/bin/python - <<'PY'
import pandas as pd
import pyreadstat

relief = [0.0, 30.0, 0.0, 0.0]
pyreadstat.write_xport(pd.DataFrame({"RELIEF": relief}), "qs.xpt", file_format_version=5)

seen = pd.read_sas("qs.xpt", format="xport").RELIEF
other = pyreadstat.read_xport("qs.xpt")[0].RELIEF
print("pandas", pd.__version__, "pyreadstat", pyreadstat.__version__)
print("expected: 3 of 4 patients with no relief,", other.tolist())
print("seen:    ", int((seen == 0).sum()), "of 4 with no relief,", seen.tolist())
assert other.tolist() == relief
assert (seen == 0).sum() == 0 and (seen > 0).all() and seen.min() < 1e-70
PY
