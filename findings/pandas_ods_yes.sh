#!/usr/bin/env bash
# A true cell of an OpenDocument sheet holds the value "true" and, beside it, what the
# screen shows, which is VRAI in French and WAHR in German. One expects True.
# Seen: pandas' OpenDocument engine compares what is shown with the English word, so
# that every yes of a French or German sheet is read as False, without a word; calamine
# reads the same file right.
# Hurt: the study nurse of a French hospital, whose patients on opioids are all analysed
# as not being on opioids, and the physician who gets their predictions.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile \
    pandas==3.1.1 numpy==2.4.6 odfpy==1.4.1 python-calamine==0.9.1
HOME="$work" venv/bin/python - <<'PY'
import pandas as pd
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P


def add_row(table, cells):
    row = TableRow()
    for shown, attributes in cells:
        cell = TableCell(**attributes)
        cell.addElement(P(text=shown))
        row.addElement(cell)
    table.addElement(row)


words = {"fr": ("VRAI", "FAUX"), "de": ("WAHR", "FALSCH"), "en": ("TRUE", "FALSE")}
document, table = OpenDocumentSpreadsheet(), Table(name="visit")
add_row(table, [(language, {"valuetype": "string"}) for language in words])
for value, index in (("true", 0), ("false", 1), ("true", 0)):
    kind = {"valuetype": "boolean", "booleanvalue": value}
    add_row(table, [(shown[index], kind) for shown in words.values()])
document.spreadsheet.addElement(table)
document.save("opioid.ods")

seen = pd.read_excel("opioid.ods", engine="odf").to_dict("list")
right = pd.read_excel("opioid.ods", engine="calamine").to_dict("list")
print("pandas", pd.__version__)
print("expected:", right)
print("seen:    ", seen)
assert all(column == [True, False, True] for column in right.values())
assert seen["en"] == [True, False, True]
assert seen["fr"] == seen["de"] == [False, False, False]
PY
