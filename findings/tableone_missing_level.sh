#!/usr/bin/env bash
# Table 1 of a paper, with a test per row. Among patients whose drugs are known, the
# share on opioids is a third in both groups, so that one expects p = 1.
# Seen: tableone's default makes "missing" a level of its own and tests it too: p = 0.005
# says that the groups differ in opioids, when they differ in who filled in the form.
# Hurt: the study nurse whose blank forms make a finding, the data scientist who then
# adjusts for it, and the physician who reads the table.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile \
    tableone==0.9.6 pandas==2.3.3 numpy==2.4.6 scipy==1.17.1 statsmodels==0.15.0
HOME="$work" venv/bin/python - <<'PY'
import warnings

import pandas as pd
import tableone

warnings.simplefilter("ignore")
responded = ["yes"] * 30 + ["no"] * 30
opioid = ["yes"] * 10 + ["no"] * 20 + ["yes"] * 7 + ["no"] * 14 + [None] * 9
patients = pd.DataFrame({"responded": responded, "opioid": opioid})


def p_value(frame):
    table = tableone.TableOne(
        frame, columns=["opioid"], categorical=["opioid"], groupby="responded", pval=True
    )
    return float(table.htest_table.loc["opioid", "P-Value"])


seen, known = p_value(patients), p_value(patients.dropna())
print("tableone", tableone.__version__)
print(f"expected: p = {known:.3f} (patients whose drugs are known)")
print(f"seen:     p = {seen:.3f}")
assert known > 0.99
assert seen < 0.01
PY
