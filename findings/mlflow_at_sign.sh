#!/usr/bin/env bash
# A model named "response@screening", as decisions at a moment are naturally named, is
# registered in MLflow. The registry takes the name; one expects to load what it took.
# Seen: its alias loads, but version 1 cannot be loaded: the address is cut at the first
# "@" and MLflow says that there is no model called "response".
# Hurt: the data scientist who promotes by alias for a year and finds, on the day of a
# rollback, that no earlier version can be loaded by its number.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile mlflow==3.17.2 pandas==3.1.1 numpy==2.4.6
export MLFLOW_DISABLE_TELEMETRY=true
HOME="$work" venv/bin/python - <<'PY'
import logging
import warnings

import mlflow
from mlflow.exceptions import MlflowException

logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
mlflow.set_tracking_uri("sqlite:///store.db")


class Constant(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [0.4] * len(model_input)


def loads(address):
    try:
        return len(mlflow.pyfunc.load_model(address).predict([[1.0]])) == 1
    except MlflowException as error:
        return str(error)


def register(name):
    with mlflow.start_run():
        logged = mlflow.pyfunc.log_model(
            name="m", python_model=Constant(), pip_requirements=[]
        )
    version = mlflow.register_model(logged.model_uri, name).version
    mlflow.MlflowClient().set_registered_model_alias(name, "champion", version)
    return [loads(f"models:/{name}@champion"), loads(f"models:/{name}/{version}")]


seen = {name: register(name) for name in ("response.screening", "response@screening")}
print("mlflow", mlflow.__version__)
print("expected: alias and version load for both names")
print("seen:    ", seen)
assert seen["response.screening"] == [True, True]
assert seen["response@screening"][0] is True
assert "name=response not found" in seen["response@screening"][1]
PY
