#!/usr/bin/env bash
# A follow-up is due three months after a session, and a dose may be written in mg or
# ug. Both are plain FHIRPath: one expects the same hour of the same place three months
# on, and 1 mg = 1000 ug (or no answer, as the standard lets a library have no units).
# Seen: fhirpathpy goes over to UTC and drops the offset: a session at 00:30 in Paris is
# followed up on the day before, in a time without a zone. And 1 mg = 1000 ug is false,
# though 90 min = 1.5 h is true.
# Hurt: the study nurse whose window of visits is a day early, and the data scientist
# who compares doses or currents in two units.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile fhirpathpy==2.2.4
HOME="$work" venv/bin/python - <<'PY'
from importlib.metadata import version

from fhirpathpy import evaluate

session = {"resourceType": "Procedure", "performedDateTime": "2026-03-15T00:30:00+01:00"}
due = evaluate(session, "performedDateTime + 3 months")
units = {
    rule: evaluate(session, rule)
    for rule in ("90 'min' = 1.5 'h'", "1 'mg' = 1000 'ug'", "5 'mA' = 5000 'uA'")
}
print("fhirpathpy", version("fhirpathpy"))
print("expected: 2026-06-15T00:30:00+01:00; true, true, true")
print("seen:    ", due, units)
assert due == ["2026-06-14T23:30:00"]
assert list(units.values()) == [[True], [False], [False]]
PY
