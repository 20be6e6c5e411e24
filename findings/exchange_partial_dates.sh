#!/usr/bin/env bash
# "Pain since 2015" is what a patient remembers, and FHIR and HL7 v2 can both say just
# that: a year without a month. One expects a library to keep that it is only a year.
# Seen: fhirclient and hl7 hand out the first of January 2015, a date or time like any
# other. fhir.resources keeps the year as it was written.
# Hurt: the data scientist, whose durations of pain are half a year too long on average
# and heap on January, and the patient aged one year more until the birthday.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile \
    fhirclient==4.4.0 hl7==0.4.5 fhir.resources==8.3.0 fhir-core==1.1.12 \
    pydantic==2.14.4
HOME="$work" venv/bin/python - <<'PY'
import datetime
from importlib.metadata import version

from fhir.resources.patient import Patient as Careful
from fhirclient.models.patient import Patient
from hl7.datatypes import parse_datetime

year = {"resourceType": "Patient", "birthDate": "1972"}
seen = {
    "fhirclient": Patient(year).birthDate.date,
    "hl7": parse_datetime("1972"),
    "fhir.resources": Careful(**year).birthDate,
}
print({name: version(name) for name in seen})
print("expected: 1972, with nothing added")
print("seen:    ", {name: str(value) for name, value in seen.items()})
assert seen["fhirclient"] == datetime.date(1972, 1, 1)
assert seen["hl7"] == datetime.datetime(1972, 1, 1)
assert seen["fhir.resources"] == "1972"
PY
