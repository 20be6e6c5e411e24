#!/usr/bin/env bash
# An entry sheet made with XlsxWriter computes relief from pain before and after. Read
# by a program before anybody has opened it in a spreadsheet, one expects the cell to be
# empty, or an error, since nothing has calculated it.
# Seen: XlsxWriter stores the result 0 beside each formula, and both readers of pandas
# hand out that 0. Nothing marks it: four patients with 50 % relief have none.
# Hurt: the study nurse whose generated sheet is analysed straight away; the physician
# who is told that nobody responded, a result that looks possible in this field.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile \
    pandas==3.1.1 numpy==2.4.6 xlsxwriter==3.3.1 openpyxl==3.1.5 \
    python-calamine==0.9.1
HOME="$work" venv/bin/python - <<'PY'
import pandas as pd
import xlsxwriter

pain = [(8, 4), (6, 3), (10, 5), (4, 2)]
book = xlsxwriter.Workbook("entry.xlsx")
sheet = book.add_worksheet()
sheet.write_row(0, 0, ["before", "after", "relief"])
for row, (before, after) in enumerate(pain, start=1):
    sheet.write_row(row, 0, [before, after])
    sheet.write_formula(row, 2, f"=100*(A{row + 1}-B{row + 1})/A{row + 1}")
book.close()

seen = {
    engine: pd.read_excel("entry.xlsx", engine=engine).relief.tolist()
    for engine in ("openpyxl", "calamine")
}
print("XlsxWriter", xlsxwriter.__version__, "pandas", pd.__version__)
print("expected: missing, or [50, 50, 50, 50]")
print("seen:    ", seen)
assert seen == {"openpyxl": [0, 0, 0, 0], "calamine": [0, 0, 0, 0]}
PY
