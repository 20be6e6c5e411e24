#!/usr/bin/env bash
# XlsxWriter and others leave formulas that nobody has calculated, stored as 0;
# a workbook says so with fullCalcOnLoad="1". Before trusting the results stored in a
# workbook one asks openpyxl for `workbook.calculation.fullCalcOnLoad`.
# Seen: openpyxl answers True for a workbook that says nothing of the kind, as Excel
# saves it: what is absent in the file takes the default of a workbook that openpyxl
# would write itself. By the format's standard it is False.
# Hurt: the data manager whose check refuses every sound workbook of Excel as never
# calculated, and who therefore takes the check away.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile openpyxl==3.1.5
HOME="$work" venv/bin/python - <<'PY'
import zipfile

import openpyxl

openpyxl.Workbook().save("made.xlsx")
with zipfile.ZipFile("made.xlsx") as archive:
    files = {name: archive.read(name) for name in archive.namelist()}
# as Excel writes it
files["xl/workbook.xml"] = files["xl/workbook.xml"].replace(
    b' fullCalcOnLoad="1"', b""
)
assert b"fullCalcOnLoad" not in files["xl/workbook.xml"]
with zipfile.ZipFile("excel.xlsx", "w") as archive:
    for name, data in files.items():
        archive.writestr(name, data)

seen = openpyxl.load_workbook("excel.xlsx").calculation.fullCalcOnLoad
print("openpyxl", openpyxl.__version__)
print("expected: False or None")
print("seen:    ", seen)
assert seen is True
PY
