"""No record and no outcome can be read off a model, by one who knows all but one."""

import numpy as np
import pytest

from disclosed import EMCS, RTMS, SETTINGS, patients
from reading_off import (
    from_components,
    from_population,
    from_served,
    outcomes_read,
    singled_out,
)
from responder_model.cohort import outcome_levels
from responder_model.development import develop, update
from responder_model.settings import Settings


def records_of(model, cohort):
    z = model.encoder.encode(model.encoder.raw(cohort))
    no_direction = np.zeros((1, z.shape[1]))
    filled = model.population.impute(z, no_direction)[0]
    names = [level.name for level in model.centres]
    own = cohort["centre"].to_numpy()[:, None] == np.array(names, dtype=object)
    return np.hstack([filled, own.reshape(len(z), len(names))])


@pytest.fixture
def centre(tmp_path, monkeypatch):
    """A centre of its own, which has released nothing yet."""
    monkeypatch.setenv("RESPONDER_MODEL_CENTRE_FOLDER", str(tmp_path / "centre"))
    return tmp_path / "centre"


@pytest.mark.parametrize("target", [RTMS, EMCS], ids=lambda t: t[0])
@pytest.mark.parametrize("n", [25, 40, 60, 120, 200])
def test_no_record_and_no_outcome_can_be_read_off(target, n):
    check_attack(target, n, n // 5 % 20)


@pytest.mark.long
@pytest.mark.parametrize("target", [RTMS, EMCS], ids=lambda t: t[0])
@pytest.mark.parametrize("n", [25, 40, 60, 120, 200])
def test_no_record_and_no_outcome_can_be_read_off_twenty_cohorts(target, n):
    for seed in range(20):
        check_attack(target, n, seed)


def check_attack(target, n, seed):
    cohort = patients(target, n, seed)
    model = develop(cohort, settings=SETTINGS[target])
    records = records_of(model, cohort)
    for read in (from_population, from_components, from_served):
        assert singled_out(model, read(model), records) == set(), read.__name__
    lower = outcome_levels(cohort, target[0]).lower
    assert outcomes_read(model, records, lower) == 0


@pytest.mark.parametrize("sizes", [(60, 40, 20), (50, 45, 6, 5), (30, 12, 3, 2)])
def test_no_record_can_be_read_off_a_model_of_several_centres(sizes):
    cohort = patients(RTMS, sum(sizes), 3)
    cohort["centre"] = np.repeat([f"centre {k}" for k in range(len(sizes))], sizes)
    model = develop(cohort, settings=SETTINGS[RTMS])
    assert len(model.centres) >= 2
    records = records_of(model, cohort)
    for read in (from_population, from_components, from_served):
        assert singled_out(model, read(model), records) == set(), read.__name__


def test_the_attack_finds_patients_where_no_rule_was_followed():
    """The attack can fail: without the rule it reads patients and outcomes off."""
    cohort = patients(RTMS, 60, 0)
    free = Settings(
        decision="rtms_response", challenger=False, moment="screening",
        small_cells=0, stays_here=True,
    )  # fmt: skip
    model = develop(cohort, settings=free)
    records = records_of(model, cohort)
    assert singled_out(model, from_population(model), records)
    assert singled_out(model, from_components(model), records)
    assert outcomes_read(model, records, outcome_levels(cohort, RTMS[0]).lower)


@pytest.mark.parametrize("n", [5, 8, 30])
def test_no_new_patient_can_be_read_off_an_update(n):
    cohort = patients(RTMS, 90 + n, 4)
    older = develop(cohort.iloc[:90], settings=SETTINGS[RTMS])
    newer = update(older, cohort.iloc[90:])
    records = records_of(newer, cohort)
    candidates = from_components(newer, older)
    assert singled_out(newer, candidates, records) == set()
    n_old, n_new = older.population.n_patients, newer.population.n_patients
    row = (n_new * newer.population.mean - n_old * older.population.mean)[None]
    assert singled_out(newer, row, records) == set()
