#!/usr/bin/env bash
# A questionnaire for tablets is written as a spreadsheet (XLSForm) by a French team:
# "oui" under "required", and the limits of relief under "constraints", with one s too
# many. One expects the converter to take oui for yes or say what it does not know.
# Seen: pyxform writes required="oui", which a form reads as the name of a question that
# does not exist, hence never required; the column of limits is dropped. No warning.
# Hurt: the study nurse, whose form lets everybody skip the outcome and type a relief of
# 450, and finds out at the end of the study.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile pyxform==4.5.0
HOME="$work" venv/bin/python - <<'PY'
import re
from importlib.metadata import version

from pyxform.xls2xform import convert


def bind(required, limits):
    form = f"""
| survey | | | | | |
| | type | name | label | required | {limits} |
| | integer | relief | Relief in percent | {required} | . <= 100 |
"""
    result = convert(xlsform=form, validate=False)
    line = re.search(r"<bind nodeset=\"/data/relief\"[^>]*>", result.xform).group()
    return line, result.warnings


right, seen = bind("yes", "constraint"), bind("oui", "constraints")
print("pyxform", version("pyxform"))
print("expected:", right[0])
print("seen:    ", seen[0], "warnings", seen[1])
assert 'required="true()"' in right[0] and "constraint=" in right[0]
assert 'required="oui"' in seen[0] and "constraint" not in seen[0]
assert seen[1] == []
PY
