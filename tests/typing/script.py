"""What a user may write: held to mypy --strict (tests/test_public.py)."""

from __future__ import annotations

from pathlib import Path

import responder_model as rm
from responder_model.performance import c_statistic, net_benefit


def answer(folder: Path) -> tuple[float, float]:
    model: rm.Model = rm.load_model(folder)
    prediction: rm.Prediction = model.predict({"age": 54, "relief_1": 20})
    lower, upper = prediction.interval
    return lower, upper


def develop(path: Path, folder: Path) -> str:
    cohort = rm.read_cohort(path)
    model = rm.develop(cohort, "rtms_response", moment="session_1")
    rm.save_model(model, folder)
    found = rm.validate_internally(model, cohort, n_resamples=20, seed=1)
    return f"{model.provenance}: {found}"


def measures(outcome: list[int], probability: list[float]) -> float:
    return c_statistic(outcome, probability) + net_benefit(
        outcome, probability, threshold=0.3
    )


try:
    rm.published_model("rtms_response", moment="screening").predict({"age": 180})
except rm.InvalidPatientError as error:
    said: str = error.text("fr")
