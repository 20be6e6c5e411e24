"""What bad input does (docs/bad_input.md): a clear refusal or a stated fallback."""

import numpy as np
import pandas as pd
import pytest

from in_words import said
from responder_model.artifact import save_model
from responder_model.cohort import read_cohort, repeated_rows
from responder_model.combining import combine
from responder_model.development import develop, published_model, update
from responder_model.errors import (
    DevelopmentError,
    InvalidCohortError,
    ResponderModelError,
)
from responder_model.monitoring import monitor
from responder_model.reporting import build_report
from responder_model.scorecard import build_scorecard
from responder_model.scoring import score_frame
from responder_model.settings import Settings
from responder_model.simulation import simulate_cohort
from responder_model.validation import (
    validate_by_centre,
    validate_by_subgroup,
    validate_externally,
    validate_internally,
)
from responder_model.words import Note

TARGET = ("rtms_response", "screening")
SETTINGS = Settings(decision="rtms_response", moment="screening", challenger=False)
OUTCOMES = ["relief_test", "rtms_responder", "symptom_improved"]


@pytest.fixture(scope="module")
def cohort():
    return simulate_cohort(n_patients=60, seed=3)


def with_relief(cohort, relief):
    """The cohort with another outcome, recorded as relief alone."""
    changed = cohort.drop(columns=OUTCOMES)
    changed["relief_test"] = relief
    return changed


def internal(cohort):
    return validate_internally(SETTINGS, cohort, n_resamples=4)


def external(cohort):
    return validate_externally(published_model(*TARGET), cohort, n_resamples=10)


def by_subgroup(cohort):
    return validate_by_subgroup(published_model(*TARGET), cohort, by=["sex"])


def by_centre(cohort):
    return validate_by_centre(SETTINGS, cohort)


def cross_validated(cohort):
    return validate_internally(
        SETTINGS, cohort, n_resamples=1, design="cross_validation"
    )


def is_finite(model, cohort):
    table = model.predict_cohort(cohort)[["probability", "lower", "upper"]]
    return (
        np.isfinite(model.main.coefficients).all()
        and np.isfinite(model.main.covariance).all()
        and bool(table.notna().all(axis=None))
    )


# ---------------------------------------------------------------- one outcome class


@pytest.mark.parametrize("relief", [0.0, 80.0])
@pytest.mark.parametrize("use", [lambda c: develop(c, settings=SETTINGS), internal])
def test_one_outcome_class_is_refused(cohort, relief, use):
    with pytest.raises(DevelopmentError, match="must have both yes and no"):
        use(with_relief(cohort, relief))


def test_one_outcome_class_is_stated_by_external_validation(cohort):
    result = external(with_relief(cohort, 80.0))
    assert "both responders and non-responders" in result.performance.problem.text()
    measured = result.table.set_index("measure").drop(index="ordinal_concordance")
    assert measured["value"].isna().all()
    assert measured["problem"].notna().all()
    assert any(note.code == "validation.too_few" for note in result.notes)


# ---------------------------------------------------------------- perfect separation


@pytest.fixture(scope="module")
def separated(cohort):
    clear = cohort[(cohort["pain_intensity"] - 6.5).abs() > 0.6]
    return with_relief(clear, np.where(clear["pain_intensity"] > 6.5, 5.0, 60.0))


def test_perfect_separation_is_developed_with_finite_numbers(separated):
    model = develop(separated, settings=SETTINGS)
    assert model.performance.apparent["c_statistic"] == 1.0
    assert is_finite(model, separated)


def test_perfect_separation_says_which_measure_has_no_value(separated):
    performance = develop(separated, settings=SETTINGS).performance
    assert "calibration_slope" not in performance.apparent
    reason = performance.not_measured["calibration_slope"]
    assert "complete separation" in reason.text()


def test_perfect_separation_is_validated(separated):
    assert internal(separated).value("c_statistic") > 0.8


# ------------------------------------------- predictors that say nothing of the outcome


def test_constant_predictor_is_named_and_stays_near_its_prior(cohort):
    constant = cohort.assign(pain_intensity=6.0, opioid=True)
    model = develop(constant, settings=SETTINGS)
    names = ("pain_intensity", "opioid")
    assert Note("development.same_in_all", fields=names) in model.notes
    assert is_finite(model, constant)
    column = model.encoder.derived.index("pain_intensity")
    before = model.components[0].prior_sd[-len(model.encoder.derived) :][column]
    after = model.components[0].covariance.diagonal()[-len(model.encoder.derived) :]
    assert after[column] == pytest.approx(before**2, rel=0.05)


@pytest.mark.parametrize("absent", [True, False], ids=["column absent", "column empty"])
def test_predictor_missing_throughout_is_named_and_keeps_its_prior(cohort, absent):
    empty = cohort.drop(columns=["fatigue"])
    if not absent:
        empty["fatigue"] = np.nan
    model = develop(empty, settings=SETTINGS)
    assert Note("development.recorded_for_nobody", fields=("fatigue",)) in model.notes
    assert is_finite(model, empty)


# ---------------------------------------------------------------- too few patients


@pytest.mark.parametrize("use", [lambda c: develop(c, settings=SETTINGS), internal])
def test_fewer_than_ten_patients_are_refused(cohort, use):
    with pytest.raises(DevelopmentError, match="must be at least 10, got"):
        use(cohort.head(8))


def test_few_patients_are_measured_with_a_note(cohort):
    result = external(cohort.head(8))
    assert result.n_patients <= 8
    assert any("Too few patients to judge" in note for note in said(result.notes))


def test_internal_validation_below_fifty_says_that_it_is_not_informative(cohort):
    notes = internal(cohort.head(40)).notes
    assert any("not informative" in note for note in said(notes))


# ---------------------------------------------------------------- duplicated rows


@pytest.fixture(scope="module")
def repeated(cohort):
    twice = pd.concat([cohort, cohort.head(12)], ignore_index=True)
    twice.attrs = dict(cohort.attrs)
    return twice.drop(columns=["patient_id"])


def test_repeated_rows_are_counted(cohort, repeated):
    assert repeated_rows(cohort) == 0
    assert repeated_rows(repeated) == 12


def test_rows_of_a_published_table_are_no_repetition():
    rows = {"aetiology": ["amputation"] * 9, "emcs_success": [True] * 9}
    assert repeated_rows(pd.DataFrame(rows)) == 0


def test_reading_tells_of_repeated_rows(repeated, tmp_path):
    path = tmp_path / "repeated.csv"
    repeated.to_csv(path, index=False)
    notices = read_cohort(path).attrs["notices"]
    assert Note("cohort.identical_rows", n=12) in notices


@pytest.mark.parametrize(
    "use", [lambda c: develop(c, settings=SETTINGS), internal, external]
)
def test_repeated_rows_are_noted(repeated, use):
    notes = use(repeated).notes
    assert any(note.startswith("12 rows are identical") for note in said(notes))


def test_repeated_identifier_is_refused_when_read(cohort, tmp_path):
    path = tmp_path / "twice.csv"
    pd.concat([cohort, cohort.head(3)]).to_csv(path, index=False)
    with pytest.raises(InvalidCohortError, match="pseudonym must be unique") as caught:
        read_cohort(path)
    assert len(caught.value.problems) == 3


def test_repeated_identifier_is_refused_by_develop(cohort):
    with pytest.raises(InvalidCohortError, match="pseudonym must be unique"):
        develop(pd.concat([cohort, cohort.head(3)]), settings=SETTINGS)


# ---------------------------------------------------------------- no outcome


@pytest.mark.parametrize("absent", [True, False], ids=["column absent", "column empty"])
@pytest.mark.parametrize(
    "use", [lambda c: develop(c, settings=SETTINGS), internal, external]
)
def test_absent_outcome_is_refused_and_names_its_columns(cohort, use, absent):
    empty = cohort.drop(columns=OUTCOMES)
    if not absent:
        empty["relief_test"] = np.nan
    with pytest.raises(DevelopmentError, match=r"\(relief_test, rtms_responder\)"):
        use(empty)


@pytest.mark.parametrize("use", [by_subgroup, cross_validated])
def test_absent_outcome_is_refused_by_every_design(cohort, use):
    with pytest.raises(DevelopmentError, match=r"\(relief_test, rtms_responder\)"):
        use(cohort.drop(columns=OUTCOMES))


# ---------------------------------------------------------------- parts of a cohort


def test_cohort_without_any_subgroup_is_refused(cohort):
    with pytest.raises(DevelopmentError, match="by must name columns of the cohort"):
        validate_by_subgroup(published_model(*TARGET), cohort, by=[])


def test_one_outcome_class_of_a_subgroup_is_stated(cohort):
    women = (cohort["sex"] == "female").to_numpy()
    table = by_subgroup(with_relief(cohort, np.where(women, 80.0, 0.0)))
    told = table["problem"].map(str)
    assert told.str.contains("both responders and non-responders").all()


def test_centre_without_which_nothing_can_be_developed_says_so(cohort):
    """All responders in one centre: the others have one outcome class."""
    first = np.arange(len(cohort)) < 30
    relief = np.where(first & (np.arange(len(cohort)) % 2 == 0), 80.0, 0.0)
    changed = with_relief(cohort, relief)
    changed["centre"] = np.where(first, "A", "B")
    table = by_centre(changed).set_index("centre")
    assert "must have both yes and no" in table.loc["A", "problem"].text()
    assert "both responders and non-responders" in table.loc["B", "problem"].text()


@pytest.mark.parametrize(
    "use",
    [
        lambda given: update(given, simulate_cohort(n_patients=20, seed=1)),
        lambda given: save_model(given, "nowhere"),
        lambda given: combine([given, given]),
        lambda given: monitor(given, "nowhere.csv", "nowhere.csv"),
        lambda given: score_frame(given, pd.DataFrame({"age": [54]})),
        build_scorecard,
        build_report,
    ],
)
def test_what_is_no_model_is_refused_in_the_words_of_the_user(use):
    with pytest.raises(ResponderModelError, match=r"model must be a model, got str\."):
        use("models/centre")
