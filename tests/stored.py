"""What tests of a store share: a model, digests and runs."""

from __future__ import annotations

from functools import cache

import mlflow

import responder_model as rm
from responder_model.artifact import read_manifest

SETTINGS = rm.Settings(decision="rtms_response", moment="screening", challenger=False)
TARGET = "rtms_response@screening"


@cache
def developed():
    """A model of 40 patients, once for all files."""
    return rm.develop(rm.simulate_cohort(n_patients=40, seed=3), settings=SETTINGS)


def digest_of(folder):
    return read_manifest(folder).digest


def runs_of(uri):
    client = mlflow.MlflowClient(uri)
    experiment = client.get_experiment_by_name("responder_model")
    return client.search_runs([experiment.experiment_id])
