#!/usr/bin/env bash
# FHIR's RiskAssessment carries a predicted risk. The standard calls the number a
# percentage (at most 100), binds the status to a fixed list, and orders a range. A
# library that validates resources is expected to refuse what breaks these rules.
# Seen: fhir.resources takes a risk of 420, the status "done" and a range from 0.9 down
# to 0.1, and writes them out again. It does refuse a risk together with a range, so
# that one believes the rest is checked too.
# Hurt: the integrator who relies on the check, and the physician shown 420 %, or 0.42
# as less than one percent.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile \
    fhir.resources==8.3.0 fhir-core==1.1.12 pydantic==2.14.4
HOME="$work" venv/bin/python - <<'PY'
from importlib.metadata import version

from fhir.resources.riskassessment import RiskAssessment
from pydantic import ValidationError


def accepted(status="final", **prediction):
    try:
        resource = RiskAssessment(
            status=status, subject={"reference": "Patient/1"}, prediction=[prediction]
        )
    except ValidationError:
        return False
    return bool(resource.model_dump_json())


backwards = {"low": {"value": 0.9}, "high": {"value": 0.1}}
seen = {
    "a risk of 420": accepted(probabilityDecimal=420),
    "status done": accepted(status="done", probabilityDecimal=42),
    "a range from 0.9 to 0.1": accepted(probabilityRange=backwards),
    "a risk and a range": accepted(probabilityDecimal=42, probabilityRange=backwards),
}
print("fhir.resources", version("fhir.resources"))
print("expected: all refused")
print("accepted:", seen)
assert list(seen.values()) == [True, True, True, False]
PY
