"""Errors say the same wherever they are raised: in a worker process too."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import responder_model as rm
from patience import PATIENCE
from responder_model.errors import ResponderModelError
from responder_model.model.verdict import judge
from responder_model.patient import check_patient
from responder_model.performance import net_benefit


def refused_here_and_in_a_worker(call: Callable[..., Any], *arguments: Any) -> None:
    with pytest.raises(ResponderModelError) as here:
        call(*arguments)
    context = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(1, mp_context=context) as workers,
        pytest.raises(ResponderModelError) as there,
    ):
        workers.submit(call, *arguments).result(timeout=PATIENCE)
    assert type(there.value) is type(here.value)
    assert str(there.value) == str(here.value)
    assert there.value.problems == here.value.problems  # type: ignore[attr-defined]


def test_invalid_patient_error_leaves_a_worker_process_whole() -> None:
    patient = {"age": 180, "pain_intensity": "much"}
    refused_here_and_in_a_worker(check_patient, patient, "rtms_response", "screening")


def test_invalid_cohort_error_leaves_a_worker_process_whole(tmp_path: Path) -> None:
    path = tmp_path / "cohort.csv"
    path.write_text("patient_id,age\na,180\nb,12\n", encoding="utf-8")
    refused_here_and_in_a_worker(rm.read_cohort, path)


def test_a_number_that_is_refused_is_quoted_in_the_language() -> None:
    with pytest.raises(ResponderModelError) as refused:
        judge(rm.published_model("emcs_success").predict({"age": 54}), 1.25)
    assert "reçu 1,25." in refused.value.text("fr")
    assert "got 1.25." in str(refused.value)


def test_a_number_of_numpy_is_quoted_as_it_is_written() -> None:
    outcome = [0, 1, 1]
    with pytest.raises(ResponderModelError, match=r"got 1\.5\."):
        net_benefit(outcome, [0.2, 0.4, 0.8], threshold=np.float32(1.5))
    with pytest.raises(ResponderModelError, match=r"got -2\."):
        rm.simulate_cohort(n_patients=20, seed=np.int64(-2))
