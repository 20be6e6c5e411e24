"""Elements of FHIR R4 (4.0.1), by another project's copy of HL7's profiles.

Run in this directory: python fhir_r4.py
It needs npm and a package index. Writes fhir_r4.csv (path, type, many, required) and
fhir_r4_versions.txt: of each resource that the package reads or writes, and each type
in them that it fills. ``required`` of a choice (``value[x]``) is that of the whole.
"""

import csv
import json
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PACKAGE = "fhir@4.12.0"
RELEASE = "4.0.1"
RESOURCES = (
    "Bundle",
    "CapabilityStatement",
    "ConceptMap",
    "Condition",
    "Device",
    "Observation",
    "OperationDefinition",
    "OperationOutcome",
    "Patient",
    "Questionnaire",
    "QuestionnaireResponse",
    "RiskAssessment",
)
TYPES = (
    "Annotation",
    "CodeableConcept",
    "Coding",
    "Extension",
    "Identifier",
    "Narrative",
    "Quantity",
    "Range",
    "Reference",
)


def rows_of(path, elements):
    """Rows of the elements of a type, and of those that stand inside of them."""
    for element in elements:
        name, kind = element["_name"], element["_type"]
        # the companion of a primitive, for its extensions
        if name.startswith("_"):
            continue
        at = f"{path}.{name}"
        many, required = element["_multiple"], element.get("_required", False)
        yield at, kind.removeprefix("#"), int(many), int(required)
        if kind == "BackboneElement":
            yield from rows_of(at, element["_properties"])


def main():
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "package.json").write_text("{}")
        quiet = ("--silent", "--no-audit", "--no-fund")
        subprocess.run(["npm", "install", *quiet, PACKAGE], cwd=folder, check=True)
        profiles = folder / "node_modules" / "fhir" / "profiles"
        types = json.loads((profiles / "types.json").read_text())
        versions = (profiles / "valuesets.json").read_text()
    # the list of versions of a release ends with its own
    assert f'"{RELEASE}"' in versions
    assert '"4.1.0"' not in versions
    with (HERE / "fhir_r4.csv").open("w", newline="") as file:
        written = csv.writer(file, lineterminator="\n")
        written.writerow(("path", "type", "many", "required"))
        for name in (*RESOURCES, *TYPES):
            written.writerows(rows_of(name, types[name]["_properties"]))
    told = f"{PACKAGE} (npm), profiles of FHIR {RELEASE}\n"
    (HERE / "fhir_r4_versions.txt").write_text(told)


if __name__ == "__main__":
    main()
