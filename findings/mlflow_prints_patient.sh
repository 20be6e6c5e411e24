#!/usr/bin/env bash
# A served model refuses a value of the wrong type: an age of 61 where it learnt 61.0,
# or true where it learnt text. One expects the error to name the column and the type.
# Seen: MLflow's error holds the patient's row, every column of it. Errors end up in
# logs, in tickets and on the screen of whoever called.
# Hurt: the patient, whose diagnosis and age stand in a log that nobody treats as
# medical data, and the data scientist who promised that there are none.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile mlflow-skinny==3.17.2 pandas==3.1.1 numpy==2.4.6
export MLFLOW_DISABLE_TELEMETRY=true
HOME="$work" venv/bin/python - <<'PY'
import logging
import warnings

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema

logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")


class Constant(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [0.4] * len(model_input)


columns = [ColSpec("double", "age"), ColSpec("string", "aetiology")]
mlflow.pyfunc.save_model(
    "model",
    python_model=Constant(),
    signature=ModelSignature(Schema(columns)),
    pip_requirements=[],
)
model = mlflow.pyfunc.load_model("model")
patient = pd.DataFrame({"age": [61], "aetiology": ["plexus_avulsion"]})
try:
    model.predict(patient)
    seen = ""
except MlflowException as error:
    seen = str(error)
print("mlflow", mlflow.__version__)
print("expected: the column and the types only")
print("seen:    ", seen)
assert "61" in seen and "plexus_avulsion" in seen
PY
