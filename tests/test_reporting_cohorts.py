"""Reports on new patients: which cohort it is, and what few of them may not show."""

import re
from dataclasses import replace

import numpy as np
import pytest

from reported import (
    SETTINGS,
    Page,
    cohort,
    model,
    other,
    published,
)
from responder_model.artifact import load_model, save_model
from responder_model.cohort import outcome_levels
from responder_model.development import develop, published_model, update
from responder_model.errors import DevelopmentError
from responder_model.labels import label_of
from responder_model.reporting import (
    build_report,
    examine,
)
from responder_model.reporting.checklists import (
    probast,
    tripod,
)
from responder_model.reporting.examination import role_of
from responder_model.reporting.values import logged_values, to_plain
from responder_model.simulation import simulate_cohort


def test_small_number_of_unknown_outcomes_is_not_given_away(published, cohort):
    known = cohort[cohort["relief_test"].notna()].copy()
    known.attrs = dict(cohort.attrs)
    known.loc[known.index[:4], ["relief_test", "rtms_responder"]] = None
    study = examine(published, known, n_resamples=5)
    values = to_plain(logged_values(published, (study,)))
    assert values["new.n_unknown"] == "< 10"
    assert "new.n_patients" not in values


def test_report_draws_the_decision_curve_from_50_known_outcomes_only(published):
    patients = simulate_cohort(n_patients=90, seed=4)
    known = patients[patients["relief_test"].notna()]
    few, enough = (
        build_report(published, [examine(published, part, n_resamples=5)])
        for part in (known.iloc[:49], known.iloc[:50])
    )
    assert "decision_new_1" not in few.figures
    assert "calibration_new_1" in few.figures
    assert "No decision curve with fewer than 50 patients" in Page(few.html).text
    assert "decision_new_1" in enough.figures
    assert "No decision curve" not in Page(enough.html).text
    # and says from which threshold the model is worth having
    said = Page(enough.html).text
    assert "changes nothing worth having" in said or "half a patient of 100" in said
    assert "half a patient of 100" not in Page(few.html).text


def test_development_of_few_patients_draws_no_net_benefit(published):
    cohort = simulate_cohort(n_patients=45, seed=7)
    few = develop(cohort, settings=SETTINGS)
    study = examine(few, cohort, role="development", n_resamples=4)
    assert study.decision_instability is None
    assert study.curves.decision is None


@pytest.fixture(scope="module")
def not_completed(other):
    patients = other[other["relief_test"].notna()].copy()
    patients.attrs = dict(other.attrs)
    return patients


def without_outcome(patients, n):
    found = patients.copy()
    found.attrs = dict(patients.attrs)
    found.loc[found.index[:n], ["relief_test", "rtms_responder"]] = None
    return found


def test_report_counts_non_completers_as_non_responders_too(published, not_completed):
    study = examine(published, without_outcome(not_completed, 12), n_resamples=5)
    report = build_report(published, [study])
    expected = study.external.sensitivity.value("observed_expected_ratio")
    key = "new.external.observed_expected_ratio.non_completers_as_non_responders"
    assert report.values[key] == expected
    assert f"{expected:.3f}" in Page(report.html).text
    assert "non-completers as non-responders" in Page(report.html).text


def test_few_non_completers_are_not_given_away(published, not_completed):
    study = examine(published, without_outcome(not_completed, 4), n_resamples=5)
    report = build_report(published, [study])
    assert study.external.sensitivity is not None
    assert not [key for key in report.values if "non_completers" in key]
    assert "the difference would tell how many" in Page(report.html).text


def rows_of(html):
    found = re.findall(r"<tr>(.*?)</tr>", html, flags=re.DOTALL)
    return [
        [re.sub(r"<[^>]+>", "", c) for c in re.split(r"</t[dh]>", r)] for r in found
    ]


def test_centres_are_shown_with_limits_where_events_and_others_are_many(published):
    patients = simulate_cohort(n_patients=120, seed=12)
    patients["centre"] = np.where(np.arange(120) < 60, "North", "South")
    html = build_report(published, [examine(published, patients, n_resamples=5)]).html
    cells = {
        r[0].strip(): r for r in rows_of(html) if r[0].strip() in ("North", "South")
    }
    for row in cells.values():
        assert re.fullmatch(r"\s*0\.\d\d\(0\.\d\d to [01]\.?\d*\)\s*", row[2]), row


def test_centre_with_few_events_has_no_measure_in_a_report(published):
    patients = simulate_cohort(n_patients=120, seed=12)
    yes = patients["rtms_responder"].fillna(value=False).astype(bool)
    patients["centre"] = np.where(yes, "North", "South")
    patients.iloc[:50, patients.columns.get_loc("centre")] = "East"
    few = patients.index[50:][yes[50:]][:4]
    patients.loc[few, "centre"] = "South"
    html = build_report(published, [examine(published, patients, n_resamples=5)]).html
    (row,) = [r for r in rows_of(html) if r[0].strip() == "South"]
    assert {cell.strip() for cell in row[2:] if cell.strip()} == {"–"}


# ---------------------------------------------------------------- which cohort it is


def test_centres_without_any_measure_leave_their_reason(published):
    patients = simulate_cohort(n_patients=60, seed=12)
    patients["centre"] = [f"centre {k % 4}" for k in range(60)]
    study = examine(published, patients, n_resamples=5)
    page = Page(build_report(published, [study]).html).text
    assert "Centres are not compared" in page
    assert "centre 1" not in page
    values = logged_values(published, (study,))
    (item,) = [i for i in tripod(values, "en") if i.number == "12d"]
    assert "no centre is large enough" in item.answers[0].text


def test_subgroups_stand_in_the_order_of_the_dictionary(published):
    study = examine(published, simulate_cohort(n_patients=250, seed=6), n_resamples=5)
    html = build_report(published, [study], lang="fr").html
    html = html[html.index("Performance par sous-groupe") :]
    labels = [row[0].strip() for row in rows_of(html) if row]
    named = ("AVC ischémique", "lésion médullaire", "neuropathie trigéminale")
    ages = ("moins de 50 ans", "50 à 64 ans", "65 ans et plus")
    for names in (named, ages):
        places = [labels.index(name) for name in names]
        assert places == sorted(places)

    between = html[html.index("Différences entre groupes") :]
    rows = [row for row in rows_of(between) if row and row[0].strip() == "Sexe"]
    assert {name.strip() for row in rows for name in row[1:3]} == {"femme", "homme"}


@pytest.mark.parametrize(
    ("name", "n_missing"),
    [("sex", 80), ("aetiology", 12), ("aetiology", 4), ("age", 12), ("age", 4)],
)
def test_subgroups_count_the_patients_of_table_one(published, name, n_missing):
    patients = simulate_cohort(n_patients=250, seed=6)
    known = np.flatnonzero(outcome_levels(patients, "rtms_response").observed)
    gone = known[:n_missing]
    patients.loc[patients.index[gone], [name]] = np.nan
    if name == "aetiology":
        patients = patients.drop(columns="lesion_type")
    study = examine(published, patients, n_resamples=2)
    table = {(r.predictor, r.value): r.cells[0] for r in study.table.rows}
    page = build_report(published, [study]).markdown
    part = page[page.index("Performance by subgroup") :]
    part = part[part.index(f"| **{label_of(name, 'en')}** |") :]
    shown = re.search(r"not recorded \|\s*([^|]*?)\s*\|", part)
    counted = table[name, "missing"].n
    if n_missing < 10:
        assert counted is None
        assert shown is None  # so small a group has no line
    else:
        # hidden in one, hidden in both
        assert shown[1] == ("hidden" if counted is None else str(counted))
    assert counted == 80 or n_missing < 80


def test_outcome_of_the_implanted_is_not_called_that_of_completers():
    patients = simulate_cohort(n_patients=200, seed=4)
    published = published_model("emcs_success")
    study = examine(published, patients, role="new", n_resamples=5)
    page = Page(build_report(published, [study]).html).text
    assert "the estimand is success if implanted" in page
    assert "among those who complete" not in page
    notes = develop(patients, "emcs_success").notes
    assert "the estimand is success among those who are" in str(notes[0])


def test_answers_claim_no_figure_that_is_not_there(published):
    few = examine(published, simulate_cohort(n_patients=25, seed=6), n_resamples=5)
    many = examine(published, simulate_cohort(n_patients=200, seed=6), n_resamples=5)
    for study, shown in ((few, False), (many, True)):
        values = logged_values(published, (study,))
        (item,) = [i for i in tripod(values, "en") if i.number == "23a"]
        words = " ".join(answer.text for answer in item.answers)
        assert "calibration curve" in words
        assert ("Decision curve" in words) == shown
        assert ("Subgroups" in words) == shown


def test_chosen_predictors_are_not_called_all_of_the_dictionary(cohort):
    settings = replace(SETTINGS, predictors=("age", "sex", "fatigue"))
    values = logged_values(develop(cohort, settings=settings), ())
    (item,) = [i for i in tripod(values, "en") if i.number == "9a"]
    assert "how they were chosen was not logged" in item.answers[0].text
    found = {(i.part, i.number): i for i in probast(values, "en")}
    assert found["development_4", "4.5"].judgement == ""


def test_trees_are_spoken_of_where_they_were_developed_only(model, cohort):
    page = Page(build_report(model).html).text
    assert "No boosted trees were developed beside it" in page
    with_trees = replace(SETTINGS, challenger=True)
    page = Page(build_report(develop(cohort, settings=with_trees)).html).text
    assert re.search(r"They enter with weight 0\.00", page)


def test_summary_warns_of_patients_of_the_evidence_and_of_too_few(published):
    patients = simulate_cohort(n_patients=12, seed=1)
    patients = patients.drop(columns=["rtms_responder", "symptom_improved"])
    patients["relief_test"] = np.where(np.arange(12) < 2, 60.0, 0.0)
    patients.attrs["overlap_groups"] = ("saint_etienne",)
    study = examine(published, patients, role="new", n_resamples=5)
    html = build_report(published, [study]).html
    summary = Page(html[html.index('id="summary"') : html.index('id="card"')]).text
    assert "may be part of the published evidence" in summary
    assert "Too few patients in simulated cohort to judge a model" in summary


def test_development_cohort_is_recognised(model, cohort, other, published):
    assert role_of(model, cohort) == "development"
    assert role_of(model, other) == "new"
    assert role_of(published, cohort) == "new"


def test_saved_model_recognises_its_cohort(model, cohort, tmp_path):
    folder = save_model(model, tmp_path / "model")
    assert role_of(load_model(folder), cohort) == "development"


def test_same_counts_with_other_values_are_refused(model, cohort):
    changed = cohort.assign(age=cohort["age"] + 1.0)
    with pytest.raises(DevelopmentError, match="same patients with other values"):
        role_of(model, changed)
    unknown = replace(model, fingerprints=None)
    with pytest.raises(DevelopmentError, match="same counts"):
        role_of(unknown, changed)
    assert role_of(unknown, cohort) == "development"


def test_updated_model_asks_for_the_role(published, cohort):
    newer = update(published, cohort)
    with pytest.raises(DevelopmentError, match="82 of its 82 patients"):
        examine(newer, cohort, n_resamples=5)
    with pytest.raises(DevelopmentError, match="role must be given"):
        role_of(replace(newer, fingerprints=None), cohort)
    with pytest.raises(DevelopmentError, match="role must be new"):
        examine(newer, cohort, role="development", n_resamples=5)


def test_patients_of_the_evidence_are_no_new_patients(published, cohort):
    own = cohort.assign(centre="Saint-Étienne")
    study = examine(published, own, n_resamples=5)
    assert study.overlaps
    assert (
        "may be part of the published evidence" in build_report(published, [study]).html
    )


def test_response_that_is_not_shown_leaves_its_reason(published):
    study = examine(published, simulate_cohort(n_patients=40, seed=2), n_resamples=5)
    assert study.response is None
    page = Page(build_report(published, [study]).html).text
    assert "Response by aetiology is not shown" in page


@pytest.mark.parametrize(
    ("n", "said"),
    [(8, "Too few patients to judge a model"), (80, "would give narrow intervals")],
)
def test_new_patients_who_are_too_few_are_said_to_be(published, n, said):
    patients = simulate_cohort(n_patients=n, seed=3)
    study = examine(published, patients, n_resamples=5)
    assert said in Page(build_report(published, [study]).html).text


def test_fewer_than_ten_patients_have_no_curve_and_no_subgroups(published):
    study = examine(published, simulate_cohort(n_patients=9, seed=3), n_resamples=5)
    report = build_report(published, [study])
    assert report.figures == {}
    page = Page(report.html).text
    assert "a curve of fewer than 10 patients shows each of them" in page
    assert "Performance by subgroup" not in page


def test_impossible_analysis_leaves_its_reason(published):
    few = simulate_cohort(n_patients=12, seed=1)
    few = few.drop(columns=["rtms_responder", "symptom_improved"])
    few["relief_test"] = 60.0
    study = examine(published, few, n_resamples=5)
    assert study.curves.calibration is None
    page = Page(build_report(published, [study]).html).text
    assert "both responders and non-responders" in page


def test_centre_of_fewer_than_ten_is_not_counted_as_measured(published):
    patients = simulate_cohort(n_patients=80, seed=12)
    patients["centre"] = np.array(["A", "B", "C"])[np.digitize(np.arange(80), [6, 40])]
    study = examine(published, patients, n_resamples=5)
    assert len(study.centres) == 3
    assert logged_values(published, (study,))["new.n_centres_measured"].value == 2
