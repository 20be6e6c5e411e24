#!/usr/bin/env bash
# MLflow gives each data set logged with a run a digest, so that one can see whether two
# models saw the same patients. One expects another digest when an outcome changes.
# Seen: columns of True and False, of dates, and of text with one missing cell are left
# out of it without a word: the digest stays when every outcome is turned round. Numbers
# and complete text do count.
# Hurt: the data scientist who corrects the outcomes of a cohort and believes the digest
# that says "same data", and the auditor after him.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile mlflow-skinny==3.17.2 pandas==3.1.1 numpy==2.4.6
export MLFLOW_DISABLE_TELEMETRY=true
HOME="$work" venv/bin/python - <<'PY'
import mlflow
import mlflow.data
import pandas as pd


def digest(outcome):
    cohort = pd.DataFrame({"age": [54.0, 61.0, 47.0], "outcome": outcome})
    return mlflow.data.from_pandas(cohort).digest


dates = pd.to_datetime(["2026-01-05", "2026-02-01", "2026-03-01"])
pairs = {
    "True and False": ([True, False, True], [False, True, False]),
    "text, one missing": (["yes", "no", None], ["no", "yes", None]),
    "dates": (dates, dates + pd.Timedelta(days=400)),
    "complete text": (["yes", "no", "yes"], ["no", "yes", "no"]),
    "numbers": ([1.0, 0.0, None], [0.0, 1.0, None]),
}
same = {name: digest(before) == digest(after) for name, (before, after) in pairs.items()}
print("mlflow", mlflow.__version__)
print("expected: no two digests alike")
print("seen alike:", same)
assert list(same.values()) == [True, True, True, False, False]
PY
