#!/usr/bin/env bash
# A schema says that "opioid" is a yes or no and lets pandera coerce it. One expects
# "no" to become False, or a refusal that names the cell.
# Seen: every text is True, "no", "non" and "0" as well, and so is a missing cell of a
# column of 1, 0 and blank; 1/2 becomes True for all. The schema then reports the column
# as valid. pandera's own "boolean" type refuses the same words.
# Hurt: the data scientist whose schema is the guard of the cohort, and the patients who
# are scored as taking opioids, all of them.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile pandera==0.35.0 pandas==3.1.1 numpy==2.4.6
HOME="$work" venv/bin/python - <<'PY'
from importlib.metadata import version

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaError, SchemaErrors


def coerced(values, kind=bool):
    schema = pa.DataFrameSchema({"opioid": pa.Column(kind, coerce=True)})
    try:
        return schema.validate(pd.DataFrame({"opioid": values})).opioid.tolist()
    except (SchemaError, SchemaErrors):
        return "refused"


answers = {
    "words": ["yes", "no", "non", "0"],
    "blank": [1.0, 0.0, None],
    "codes": [1, 2, 2],
}
seen = {name: coerced(values) for name, values in answers.items()}
strict = coerced(answers["words"], "boolean")
print("pandera", version("pandera"))
print("given:   ", answers)
print("expected: False for no, or refused (as its 'boolean' is:", strict + ")")
print("seen:    ", seen)
assert strict == "refused"
assert seen == {"words": [True] * 4, "blank": [True, False, True], "codes": [True] * 3}
PY
