#!/usr/bin/env bash
# Two MLflow stores: that of the process, and that of the hospital. Files of a registered
# model are asked for with tracking_uri and registry_uri of the hospital's; one expects
# that they come from there.
# Seen: models:/NAME/1 is looked up in the store of the process: the files of another
# model with the same name and number are handed over without a word, or, where there is
# none, "not found". The address that the client gives (get_model_version_download_uri)
# leads to the right files.
# Hurt: who tries a model in a store of their own and fetches the hospital's: the figures
# of the wrong model.
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
from pathlib import Path

import mlflow
from mlflow.artifacts import download_artifacts

logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
OURS, HOSPITAL = "sqlite:///ours.db", "sqlite:///hospital.db"


class Constant(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [0.4] * len(model_input)


for uri in (HOSPITAL, OURS):  # the last one stays that of the process
    mlflow.set_tracking_uri(uri)
    with mlflow.start_run():
        logged = mlflow.pyfunc.log_model(
            name="m", python_model=Constant(), metadata={"of": uri}, pip_requirements=[]
        )
    mlflow.register_model(logged.model_uri, "response.screening")


def owner(address):
    place = download_artifacts(
        artifact_uri=address,
        tracking_uri=HOSPITAL,
        registry_uri=HOSPITAL,
        dst_path=str(Path("got").absolute() / str(len(seen))),
    )
    return mlflow.models.Model.load(place).metadata["of"]


seen = {}
client = mlflow.MlflowClient(tracking_uri=HOSPITAL, registry_uri=HOSPITAL)
seen["by name"] = owner("models:/response.screening/1")
seen["by client"] = owner(
    client.get_model_version_download_uri("response.screening", "1")
)
print("mlflow", mlflow.__version__)
print("expected:", HOSPITAL, "for both")
print("seen:    ", seen)
assert seen == {"by name": OURS, "by client": HOSPITAL}
PY
