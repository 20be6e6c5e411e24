#!/usr/bin/env bash
# SAS transport files (XPT) are what trials are handed over in. One expects as many rows
# as patients.
# Seen: pandas drops the last patient when the last text of that row is blank or just
# shorter than others (a one-word comment), and adds a patient without a name when rows
# are short. The format does not store its number of rows; pyreadstat is right each time.
# Hurt: the data scientist who loses the last patient enrolled, or counts one too many,
# and the reviewer whose totals differ from those of SAS.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile pandas==3.1.1 numpy==2.4.6 pyreadstat==1.3.7
HOME="$work" venv/bin/python - <<'PY'
import pandas as pd
import pyreadstat


def rows(frame):
    pyreadstat.write_xport(frame, "co.xpt", file_format_version=5)
    by_pandas = pd.read_sas("co.xpt", format="xport", encoding="utf-8")
    return len(by_pandas), len(pyreadstat.read_xport("co.xpt")[0])


patients = ["P001", "P002", "P003"]
texts = ["headache after the session", "tingling of the scalp", ""]
commented = pd.DataFrame({"ID": patients, "RELIEF": [30.0, 10.0, 50.0], "TEXT": texts})
one_word = commented.assign(TEXT=[*texts[:2], "none"])
short = pd.DataFrame({"ID": ["P01", "P02", "P03"], "SEX": ["F", "M", "F"]})

seen = {
    "long last text": rows(commented.iloc[[2, 1, 0]]),
    "one word last": rows(one_word),
    "blank last": rows(commented),
    "short rows": rows(short),
}
print("pandas", pd.__version__, "pyreadstat", pyreadstat.__version__)
print("expected: 3 patients in each file")
print("seen (pandas, pyreadstat):", seen)
assert list(seen.values()) == [(3, 3), (2, 3), (2, 3), (4, 3)]
PY
