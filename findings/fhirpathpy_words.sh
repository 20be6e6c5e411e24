#!/usr/bin/env bash
# A rule in FHIRPath selects observations: relief above 30 and status final. Someone
# used to SQL writes AND, or "between". FHIRPath has neither word, so that one expects
# an error.
# Seen: fhirpathpy stops reading at the word it does not know and answers with what
# stands before it: "relief > 30 AND status = 'cancelled'" is true for a final one, and
# "relief between 50 and 60" is 45, which counts as true where a rule asks for existence.
# Hurt: the data scientist whose inclusion rule keeps cancelled and mistaken entries,
# and the patient who is counted a responder on half a rule.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile fhirpathpy==2.2.4
HOME="$work" venv/bin/python - <<'PY'
from importlib.metadata import version

from fhirpathpy import evaluate

observation = {
    "resourceType": "Observation",
    "status": "final",
    "valueQuantity": {"value": 45, "unit": "%"},
}
right = evaluate(observation, "valueQuantity.value > 30 and status = 'cancelled'")
rules = {
    "valueQuantity.value > 30 AND status = 'cancelled'": [True],
    "status = 'cancelled' OR valueQuantity.value > 30": [False],
    "valueQuantity.value between 50 and 60": [45],
}
seen = {rule: evaluate(observation, rule) for rule in rules}
print("fhirpathpy", version("fhirpathpy"))
print("small letters:", right)
print("expected: errors")
print("seen:    ", seen)
assert right == [False]
assert seen == rules
PY
