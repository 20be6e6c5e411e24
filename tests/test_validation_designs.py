"""Internal validation in parts: .632, folds, updates, non-completers, stability."""

import numpy as np
import pandas as pd
import pytest

from in_words import said
from responder_model.cohort import outcome_levels
from responder_model.development import develop, update
from responder_model.errors import DevelopmentError, ResponderModelError
from responder_model.performance import (
    brier_score,
    measure_performance,
)
from responder_model.performance.distances import DISTANCES
from responder_model.settings import Settings
from responder_model.simulation import simulate_cohort
from responder_model.validation import (
    validate_by_centre,
    validate_internally,
)
from responder_model.validation.resampling import (
    Data,
    Repetitions,
    measure_all,
)
from responder_model.validation.stability import Stability
from responder_model.validation.table import (
    _corrected_632,
    cross_validated_rows,
)

LINEAR = Settings(decision="rtms_response", moment="screening", challenger=False)


@pytest.fixture(scope="module")
def cohort():
    return simulate_cohort(213, 4)


# ---------------------------------------------------------------- .632 and .632+


def _data(outcome):
    levels = np.asarray(outcome, dtype=np.int64)
    raw = np.zeros((len(levels), 1))
    return Data(raw=raw, lower=levels, upper=levels, outcome=levels.astype(float))


def test_632_plus_without_overfitting_is_the_simple_632():
    data = _data([0, 1, 0, 1])
    p = np.array([0.3, 0.6, 0.4, 0.7])
    # left-out patients fared better than those of the development
    simple, plus = _corrected_632("c_statistic", 0.7, np.array([0.8]), data, p)
    assert simple == pytest.approx(0.368 * 0.7 + 0.632 * 0.8)
    assert plus == pytest.approx(simple)


def test_632_plus_by_hand():
    data = _data([0, 1, 0, 1])
    p = np.array([0.3, 0.6, 0.4, 0.7])
    # rate (0.6 - 0.9)/(0.5 - 0.9) = 0.75, weight 0.632/(1 - 0.276) = 0.8729
    _, plus = _corrected_632("c_statistic", 0.9, np.array([0.6]), data, p)
    assert plus == pytest.approx(0.9 - 0.632 / 0.724 * 0.3)
    # worse than no information counts as none: weight 1
    _, plus = _corrected_632("c_statistic", 0.9, np.array([0.4]), data, p)
    assert plus == pytest.approx(0.5)


# ---------------------------------------------------------------- cross-validation


def test_cross_validation_gives_one_row_per_measure(cohort):
    result = validate_internally(
        LINEAR, cohort, n_resamples=1, design="cross_validation"
    )
    table = result.table.set_index("measure")
    assert (
        table.loc["c_statistic", "optimism_corrected"]
        < table.loc["c_statistic", "apparent"]
    )
    assert (table["lower"] < table["upper"]).all()
    assert (table["lower"] <= table["optimism_corrected"]).all()
    assert (table["optimism_corrected"] <= table["upper"]).all()


def test_cross_validated_distances_have_the_interval_of_new_patients():
    """One repeat: left-out predictions are judged as those of an external cohort."""
    rng = np.random.default_rng(3)
    p = rng.uniform(0.2, 0.8, 300)
    data = _data((rng.random(300) < p / (p + 3 * (1 - p))).astype(int))
    apparent = measure_all(data, p, np.arange(300))
    nothing = Repetitions(done=(), places=(), failures={})
    rows = cross_validated_rows(
        apparent, p[None, :], data, nothing, np.random.default_rng(7)
    )
    external = measure_performance(data.outcome, p, rng=np.random.default_rng(7))
    known = {row.measure: row for row in external.table}
    table = pd.DataFrame(rows).set_index("measure")
    for name in DISTANCES:
        limits = table.loc[name, ["lower", "upper"]].tolist()
        assert limits == pytest.approx([known[name].lower, known[name].upper])
        assert limits[0] > 0.0


def test_cross_validation_averages_the_measures_of_its_repeats():
    """Averaged predictions would be judged better than any model that is served."""
    data = _data([0, 1, 0, 1, 1, 0])
    everybody = np.arange(6)
    left_out = np.array(
        [[0.2, 0.4, 0.6, 0.7, 0.3, 0.5], [0.6, 0.8, 0.1, 0.3, 0.9, 0.2]]
    )
    apparent = measure_all(data, np.array([0.2, 0.7, 0.3, 0.6, 0.5, 0.55]), everybody)
    nothing = Repetitions(done=(), places=(), failures={})
    rng = np.random.default_rng(0)
    rows = cross_validated_rows(apparent, left_out, data, nothing, rng)
    table = pd.DataFrame(rows).set_index("measure")
    expected = np.mean([brier_score(data.outcome, p) for p in left_out])
    assert table.loc["brier_score", "optimism_corrected"] == pytest.approx(expected)
    assert expected > brier_score(data.outcome, left_out.mean(axis=0))


def test_failed_folds_are_counted_and_explained():
    """One event of twelve: the fold without it cannot be developed."""
    cohort = simulate_cohort(60, 8)
    known = outcome_levels(cohort, "rtms_response").observed
    small = cohort[known].head(12).drop(columns=["rtms_responder", "symptom_improved"])
    small["relief_test"] = [60.0] + [0.0] * 11
    result = validate_internally(
        LINEAR, small, n_resamples=3, design="cross_validation"
    )
    assert result.n_failed_resamples == 3
    assert any("both yes and no" in reason for reason in said(result.failures))
    assert np.isnan(result.left_out).sum() == 1
    assert any("3 resamples failed" in note for note in said(result.notes))
    # without its only event no left-out measure exists: said, not raised
    assert result.table["optimism_corrected"].isna().all()
    assert result.table["problem"].notna().all()
    row = result.table.set_index("measure").loc["c_statistic"]
    assert "both responders and non-responders" in row["problem"].text()


# ---------------------------------------------------------------- updated models


@pytest.fixture(scope="module")
def updated():
    older = develop(simulate_cohort(120, 31), settings=LINEAR)
    cohort = simulate_cohort(100, 32)
    return older, update(older, cohort), cohort


def test_validate_internally_repeats_an_update(updated):
    older, newer, cohort = updated
    result = validate_internally(newer, cohort, n_resamples=2, updated_from=older)
    for name, value in newer.performance.apparent.items():
        assert result.value(name, "apparent") == pytest.approx(value, rel=1e-6)
    again = validate_internally(LINEAR, cohort, n_resamples=2, updated_from=older)
    pd.testing.assert_frame_equal(again.table, result.table)


def test_validate_internally_never_takes_an_update_for_a_development(updated):
    _, newer, cohort = updated
    for validate in (validate_internally, validate_by_centre):
        with pytest.raises(DevelopmentError, match="updated_from must be the model th"):
            validate(newer, cohort)


def test_validate_internally_refuses_another_origin(updated):
    older, newer, cohort = updated
    with pytest.raises(DevelopmentError, match="or leave it out"):
        validate_internally(newer, cohort, updated_from=newer)
    with pytest.raises(DevelopmentError, match="or leave it out"):
        validate_internally(older, cohort, updated_from=newer)
    later = update(newer, simulate_cohort(60, 33))
    with pytest.raises(DevelopmentError, match="or leave it out"):
        validate_internally(later, cohort, updated_from=older)


# ---------------------------------------------------------------- non-completers


def test_non_completers_count_as_non_responders_when_asked(cohort):
    primary = validate_internally(LINEAR, cohort, n_resamples=2)
    result = validate_internally(
        LINEAR, cohort, n_resamples=2, non_completers="non_responders"
    )
    n_unknown = int((~outcome_levels(cohort, "rtms_response").observed).sum())
    assert n_unknown > 0
    assert result.n_patients == primary.n_patients + n_unknown
    assert result.n_events == primary.n_events


def test_patients_without_an_implant_are_no_failures():
    cohort = simulate_cohort(140, 21)
    with pytest.raises(DevelopmentError, match="was not implanted"):
        validate_internally(
            Settings(decision="emcs_success"), cohort, non_completers="non_responders"
        )


def test_unknown_way_of_counting_non_completers_is_refused(cohort):
    with pytest.raises(DevelopmentError, match="left_out or non_responders, got 'x'"):
        validate_internally(LINEAR, cohort, non_completers="x")


# ---------------------------------------------------------------- stability


@pytest.fixture
def stability():
    return Stability(
        probability=np.array([0.2, 0.4, 0.6, 0.8]),
        resampled=np.array([[0.3, 0.4, 0.4, 0.7], [0.1, 0.6, 0.6, 0.9]]),
        outcome=np.array([0.0, 1.0, 1.0, np.nan]),
    )


def test_stability_by_hand(stability):
    np.testing.assert_allclose(
        stability.mean_absolute_prediction_error, [0.1, 0.1, 0.1, 0.1]
    )
    # at 0.5 the first resample moves the third patient, the second one the second
    assert stability.classification_instability(0.5).tolist() == [0, 0.5, 0.5, 0]
    # of three known: none treated; two responders treated
    curves = stability.decision_curves(np.array([0.5]))
    np.testing.assert_allclose(curves[:, 0], [0.0, 2 / 3])
    summary = stability.summary(0.5)
    assert summary["classification_instability"] == 0.25
    assert summary["net_benefit_lower"] == pytest.approx(0.025 * 2 / 3)
    assert summary["net_benefit_upper"] == pytest.approx(0.975 * 2 / 3)


@pytest.mark.parametrize("threshold", [1.0, -0.1, 30.0])
def test_stability_refuses_a_threshold_outside_its_range(stability, threshold):
    for use in (
        stability.classification_instability,
        lambda t: stability.decision_curves(np.array([t])),
    ):
        with pytest.raises(ResponderModelError, match="threshold must be at least 0"):
            use(threshold)


def test_stability_refuses_an_impossible_share(stability):
    with pytest.raises(ResponderModelError, match="confidence must be between 0 and 1"):
        stability.limits(95.0)
