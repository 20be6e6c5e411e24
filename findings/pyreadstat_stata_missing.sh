#!/usr/bin/env bash
# Stata tells "refused" (.a) from "not asked" (.). Asked to keep that difference, one
# expects pyreadstat to give 'a' for the first and nothing for the second.
# Seen: in an integer column, every plain "." below a ".a" comes back as a number that
# nobody typed. The dictionary output of the same reader gives nothing, as it should.
# Hurt: the data scientist who asks why values are missing, and fits the invented
# reliefs; the study nurse whose "not asked" becomes an answer.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile pyreadstat==1.3.7 pandas==3.1.1 numpy==2.4.6
HOME="$work" venv/bin/python - <<'PY'
import pandas as pd
import pyreadstat

typed = [30, "a", None, 50, None, 10]
frame = pd.DataFrame({"relief": pd.Series(typed, dtype=object)})
pyreadstat.write_dta(frame, "visit.dta", missing_user_values={"relief": ["a"]})

plain = pyreadstat.read_dta("visit.dta")[0].relief.tolist()
as_dict = pyreadstat.read_dta("visit.dta", user_missing=True, output_format="dict")[0]
tagged = pyreadstat.read_dta("visit.dta", user_missing=True)[0].relief.tolist()

print("pyreadstat", pyreadstat.__version__)
print("in the file:             ", typed)
print("expected with user_missing:", as_dict["relief"])
print("seen with user_missing:  ", tagged)
assert [pd.isna(value) for value in plain] == [False, True, True, False, True, False]
assert as_dict["relief"] == typed
assert tagged[1] == "a"
assert isinstance(tagged[2], int) and isinstance(tagged[4], int)
PY
