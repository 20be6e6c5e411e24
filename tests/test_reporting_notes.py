"""What a report, a model and a file have to say is said in both languages."""

import numpy as np
import pytest

from responder_model.artifact import load_model, save_model
from responder_model.cohort import read_cohort
from responder_model.development import develop, published_model, update
from responder_model.errors import ResponderModelError
from responder_model.performance import (
    calibration_in_the_large,
    calibration_slope,
    core_measures,
    instability_curve,
    measure_performance,
    observed_expected_ratio,
    ordinal_concordance,
)
from responder_model.reporting import build_report, examine
from responder_model.settings import Settings
from responder_model.simulation import simulate_cohort
from responder_model.validation import (
    validate_by_centre,
    validate_externally,
    validate_internally,
)
from responder_model.words import Note, name_in

SETTINGS = Settings(decision="rtms_response", moment="screening", challenger=False)


def is_french(note):
    return isinstance(note, Note) and note.text("fr") != note.text("en")


@pytest.fixture(scope="module")
def published():
    return published_model("rtms_response", "screening")


@pytest.fixture(scope="module")
def untidy():
    """Patients of whom every note of a development has something to say."""
    patients = simulate_cohort(n_patients=60, seed=2)
    patients = patients.drop(columns=["dn4"])
    patients["opioid"] = True
    return patients.iloc[[*range(60), *range(12)]].drop(
        columns=["patient_id"], errors="ignore"
    )


def said_when(call, *args, **kwargs):
    with pytest.raises(ResponderModelError) as caught:
        call(*args, **kwargs)
    return caught.value.said


def test_names_that_the_software_gave_are_said_in_french(published, untidy):
    updated = update(published, untidy)
    report = build_report(updated, lang="fr")
    assert "données publiées, mis à jour avec cohorte simulée" in report.markdown
    assert report.values["model.name"] == updated.name
    assert name_in("Hôpital A", "fr") == "Hôpital A"


def test_notes_of_a_development_are_known(untidy):
    notes = develop(untidy, settings=SETTINGS).notes
    assert len(notes) == 5
    assert all(map(is_french, notes)), notes


def test_note_of_an_update_is_known(published, untidy):
    developed = develop(untidy, settings=SETTINGS, name="first")
    notes = update(developed, untidy, count_again=True).notes
    assert Note("development.updated_from", model="first") in notes
    assert "Mise à jour de first." in [note.text("fr") for note in notes]
    assert all(map(is_french, notes)), notes


@pytest.mark.parametrize("n", [12, 60])
def test_notes_of_an_external_validation_are_known(published, untidy, n):
    patients = untidy.iloc[-n:]
    patients.attrs["overlap_groups"] = ("saint_etienne",)
    notes = validate_externally(published, patients, n_resamples=5).notes
    assert len(notes) >= 3
    assert all(map(is_french, notes)), notes


def test_note_on_implanted_patients_is_known():
    patients = simulate_cohort(n_patients=200, seed=4)
    found = validate_externally(published_model("emcs_success"), patients)
    assert Note("validation.implanted_only") in found.notes
    assert all(map(is_french, found.notes)), found.notes


def test_notices_of_a_file_are_known(tmp_path):
    columns = [f"colour {k}" for k in range(40)]
    path = tmp_path / "cohort.csv"
    row = ";".join(["54", "", *["red"] * 40])
    head = ";".join(["age", "", *columns])
    path.write_text("\n".join([head, row, row]), encoding="utf-8")
    unlikely = tmp_path / "unlikely.csv"
    unlikely.write_text(
        "patient_id,IPP,age,pain_duration,aetiology,lesion_site,emcs_follow_up,emcs_relief"
        "\nA1,1,30,500,amputation,thalamus,3,50\n"
    )
    told = read_cohort(unlikely).attrs["notices"]
    assert len(told) == 4
    assert all(map(is_french, told)), told
    notices = read_cohort(path).attrs["notices"]
    assert len(notices) > 10
    assert all(map(is_french, notices)), notices


def test_reasons_of_missing_values_are_known():
    one, two = np.array([0, 1]), np.array([0, 0, 1, 1])
    same, split = np.full(4, 0.5), np.array([0.1, 0.2, 0.8, 0.9])
    reasons = [
        measure_performance([1, 1], [0.4, 0.6]).problem,
        *core_measures(two, split).failures.values(),
        *core_measures(two, same).failures.values(),
        *core_measures(two, np.array([0.0, 0.2, 0.5, 0.9])).failures.values(),
        *(r.problem for r in measure_performance(one, one * 0.5 + 0.2).table),
        said_when(observed_expected_ratio, two, np.zeros(4)),
        said_when(calibration_slope, two, split),
        said_when(calibration_in_the_large, two, np.array([0.0, 0.2, 0.5, 0.9])),
        said_when(ordinal_concordance, [1, 1], [0.2, 0.3]),
        said_when(instability_curve, same, np.full((3, 4), 0.5)),
    ]
    reasons = [reason for reason in reasons if reason]
    assert len(set(reasons)) >= 8
    for reason in reasons:
        assert is_french(reason), reason


def test_reason_of_a_slope_too_steep_is_known():
    age = simulate_cohort(30, 2)[["age", "relief_test", "symptom_improved"]]
    found = validate_internally(
        SETTINGS, age, n_resamples=1, design="cross_validation"
    ).table.set_index("measure")
    assert is_french(found.loc["calibration_slope", "problem"])


def test_reasons_of_impossible_analyses_are_known(published, untidy):
    few = untidy.iloc[:8]
    no_outcome = untidy.drop(columns=["relief_test", "rtms_responder"])
    same = simulate_cohort(n_patients=30, seed=1).drop(columns=["symptom_improved"])
    same = same.drop(columns=["rtms_responder"])
    same["relief_test"] = 60.0
    own = untidy.copy()
    own.attrs["overlap_groups"] = ("saint_etienne",)
    reasons = [
        said_when(validate_internally, SETTINGS, few, n_resamples=2),
        said_when(validate_internally, SETTINGS, same, n_resamples=2),
        said_when(validate_internally, SETTINGS, own, n_resamples=2),
        said_when(validate_externally, published, no_outcome),
        said_when(validate_by_centre, SETTINGS, untidy.drop(columns=["centre"])),
    ]
    for reason in reasons:
        assert is_french(reason), reason


def test_a_reason_within_a_reason_is_said_too():
    whole = Note("refusal.no_resample", reason=Note("refusal.no_convergence"))
    assert "réussi : le mode a posteriori doit" in whole.text("fr")


def test_french_report_says_its_notes_in_french(published, untidy):
    developed = develop(untidy, settings=SETTINGS)
    study = examine(developed, untidy, role="development", n_resamples=2)
    report = build_report(developed, [study], lang="fr")
    assert "Recueillis chez personne" in report.markdown


def test_notes_come_back_from_a_folder(published, untidy, tmp_path):
    developed = develop(untidy, settings=SETTINGS)
    newer = update(published, untidy.iloc[:40])
    newer = update(newer, untidy.iloc[40:], count_again=True)
    for name, model in {"developed": developed, "updated": newer}.items():
        assert load_model(save_model(model, tmp_path / name)).notes == model.notes
    codes = {note.code for note in (*developed.notes, *newer.notes)}
    assert len(codes) >= 6


def test_name_of_an_updated_model_is_said_within_a_note(published, untidy):
    newer = update(update(published, untidy), untidy, count_again=True)
    said = "Mise à jour de données publiées, mis à jour avec cohorte simulée."
    assert said in [note.text("fr") for note in newer.notes]


def test_measure_without_a_value_says_why(published):
    patients = simulate_cohort(n_patients=12, seed=7)
    outcome = np.where(np.arange(12) == 0, 90.0, 0.0)
    patients = patients.drop(columns=["rtms_responder", "symptom_improved"])
    patients["relief_test"] = outcome
    study = examine(published, patients, role="new", n_resamples=5)
    report = build_report(published, [study], lang="fr")
    assert "Sans intervalle : Statistique c. Raison : la variance" in report.markdown
