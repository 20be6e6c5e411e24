"""Command line: ``sample-size`` and ``validate``."""

import json
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from typer.testing import CliRunner

from in_words import as_printed
from responder_model.artifact import digest_of, load_model, save_model
from responder_model.cli.app import app
from responder_model.cohort import read_cohort
from responder_model.development import develop, published_model
from responder_model.model.learnt import planned
from responder_model.reporting.groups import releasable
from responder_model.sample_size import validation_criteria
from responder_model.settings import Settings
from responder_model.simulation import simulate_cohort
from responder_model.validation import validate_externally


@pytest.fixture
def run(monkeypatch):
    """Run the command line; a wide terminal keeps every word on its line."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    runner = CliRunner()
    return lambda *arguments, **more: runner.invoke(app, list(arguments), **more)


# ---------------------------------------------------------------- sample-size


def test_sample_size_for_validation_gives_the_numbers_of_the_package(run):
    given = ["--validation", "--outcome-proportion", "0.42", "--c-statistic", "0.7"]
    more = ["--threshold", "0.3", "--n-patients", "600", "--json"]
    parts = json.loads(run("sample-size", *given, *more).stdout)
    expected = validation_criteria(0.42, c_statistic=0.7, threshold=0.3, n_patients=600)
    assert parts["criteria"] == [as_printed(row) for row in expected.criteria]
    assert parts["n_required"] == expected.n_required
    assert parts["n_events_required"] == expected.n_events_required
    assert parts["purpose"] == "validation"


def test_sample_size_for_validation_says_what_fewer_patients_mean(run):
    done = run("sample-size", "--validation", "--outcome-proportion", "0.42")
    assert "interval of the calibration slope at most 0.2 wide" in done.stdout
    assert "too wide to say that a model is well calibrated" in done.stdout


def test_sample_size_says_what_patients_would_teach_a_model_with_priors(run):
    given = ["--parameters", "46", "--outcome-proportion", "0.42"]
    named = [*given, "--model", "rtms_response@screening"]
    planning = [*named, "--n-patients", "193"]
    done = run("sample-size", *planning)
    plan = planned(published_model("rtms_response", "screening"), 193)
    assert f"193 patients would teach about {plan.coefficients:.0f};" in done.stdout
    assert f"slope is expected at {plan.slope[0]:.2f} (" in done.stdout
    more = json.loads(
        run("sample-size", *named, "--n-patients", "193", "--json").stdout
    )
    assert more["model"]["coefficients"] == pytest.approx(plan.coefficients)
    assert "--n-patients" in run("sample-size", *named).stderr
    wrong = run("sample-size", "--validation", *given[2:], *named[-2:])
    assert "--model" in wrong.stderr


def test_sample_size_takes_the_coefficients_of_a_model_and_names_it(run):
    model = published_model("rtms_response", "screening")
    asked = ["--outcome-proportion", "0.42", "--n-patients", "193", "--json"]
    of_it = json.loads(
        run("sample-size", *asked, "--model", "rtms_response@screening").stdout
    )
    by_hand = json.loads(run("sample-size", *asked, "--parameters", "46").stdout)
    assert of_it["criteria"] == by_hand["criteria"]
    assert of_it["model"]["digest"] == digest_of(model)
    unknown = run("sample-size", *asked, "--model", "nothing")
    assert "--parameters" not in unknown.stderr
    assert "nothing" in unknown.stderr


def test_sample_size_refuses_a_c_statistic_of_zero(run):
    given = ["--parameters", "3", "--outcome-proportion", "0.4", "--c-statistic", "0"]
    done = run("sample-size", *given)
    assert done.exit_code == 1
    assert "--c-statistic must be above 0.5 and below 1, got 0" in done.stderr


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "number of candidate coefficients (or --validation)"),
        (["--validation", "--parameters", "3"], "must be left out with --validation"),
        (["--parameters", "3", "--threshold", "0.3"], "left out without --validation"),
    ],
)
def test_sample_size_refuses_options_that_do_not_go_together(run, given, message):
    done = run("sample-size", "--outcome-proportion", "0.4", *given)
    assert done.exit_code == 2
    assert message in done.stderr


@pytest.mark.parametrize(
    ("lang", "verdict"),
    [("en", "Too few patients: "), ("fr", "Trop peu de patients : ")],
)
def test_inspect_prints_the_verdict_on_the_size(run, developed, lang, verdict):
    assert verdict in run("inspect", str(developed), "--lang", lang).stdout


def test_develop_prints_the_verdict_on_the_size(run, centre, tmp_path):
    given = ("develop", str(centre), SCREENING, "--out", str(tmp_path / "model"))
    done = run(*given, "--no-track")
    assert done.exit_code == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "Too few patients: " in said
    assert "the development is exploratory" in said


# ---------------------------------------------------------------- validate

SCREENING = "rtms_response@screening"


@pytest.fixture(scope="module")
def cohort():
    return simulate_cohort(n_patients=120, seed=5)


@pytest.fixture(scope="module")
def centre(cohort, tmp_path_factory):
    path = tmp_path_factory.mktemp("validate") / "centre.csv"
    cohort.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def developed(cohort, tmp_path_factory):
    settings = Settings(
        decision="rtms_response", moment="screening", challenger=False, seed=0
    )
    folder = tmp_path_factory.mktemp("developed") / "model"
    save_model(develop(cohort, settings=settings, name="older"), folder)
    return folder


def test_validate_refuses_the_development_cohort_as_new_patients(
    run, developed, centre
):
    for design in ("external", "by_subgroup"):
        done = run("validate", str(developed), str(centre), "--design", design)
        assert done.exit_code == 1
        assert "got those that the model was developed on" in done.stderr
        assert "--design bootstrap" in done.stderr


def test_validate_asks_nothing_about_patients_whom_the_model_knows(
    run, developed, cohort, tmp_path
):
    cohort.dropna(subset="rtms_responder").head(3).to_csv(tmp_path / "c.csv")
    done = run("validate", str(developed), str(tmp_path / "c.csv"))
    assert done.exit_code == 1
    assert "got 3 of 3 who are" in done.stderr
    assert "cannot be found out" not in done.stderr


def test_validate_prints_non_completers_as_non_responders(run, cohort, centre):
    given = ("validate", SCREENING, str(centre), "--resamples", "2")
    assert "non-completers as non-responders" in run(*given).stdout
    parts = json.loads(run(*given, "--json").stdout)
    other = parts["non_completers_as_non_responders"]
    model = published_model("rtms_response", "screening")
    expected = validate_externally(model, cohort, n_resamples=2).sensitivity
    assert other["n_patients"] == expected.n_patients > parts["n_patients"]
    values = {row["measure"]: row["value"] for row in other["measures"]}
    assert values["brier_score"] == pytest.approx(expected.value("brier_score"))


def test_validate_counts_non_completers_as_asked(run, centre):
    given = ("validate", SCREENING, str(centre), "--internal", "--resamples", "2")
    primary, other = (
        json.loads(run(*given, "--non-completers", how, "--json").stdout)
        for how in ("left_out", "non_responders")
    )
    assert other["n_patients"] > primary["n_patients"]
    assert other["n_events"] == primary["n_events"]


def test_validate_names_threshold_and_smoother_with_the_definitions(run, centre):
    given = ("validate", SCREENING, str(centre), "--resamples", "2")
    done = run(*given, "--threshold", "0.3", "--lang", "fr")
    assert "t = 0,3" in done.stdout
    assert "lissage : régression locale quadratique" in done.stdout


def test_validate_says_why_measures_have_no_value(run, cohort, tmp_path):
    one = cohort.drop(columns=["rtms_responder", "symptom_improved"])
    one["relief_test"] = 80.0
    path = tmp_path / "one.csv"
    one.to_csv(path, index=False)
    done = run("validate", SCREENING, str(path))
    assert done.exit_code == 0
    said = " ".join(done.stdout.split())
    assert "outcome must hold both responders and non-responders" in said
    assert "Too few patients to judge a model" in done.stderr


def test_validate_says_which_measure_has_no_interval(run, cohort, tmp_path):
    one = cohort.drop(columns=["rtms_responder", "symptom_improved"]).head(12)
    one["relief_test"] = [0.0, 0.0, 80.0] + [0.0] * 9
    path = tmp_path / "one.csv"
    one.to_csv(path, index=False)
    done = run("validate", SCREENING, str(path), "--resamples", "2")
    said = " ".join(done.stdout.split())
    assert "No interval of c-statistic: outcome must hold at least two" in said


def test_validate_gives_stability_and_failures(run, centre):
    given = ("validate", SCREENING, str(centre), "--internal", "--resamples", "3")
    assert "Stability: what the models of resamples predict" in run(*given).stdout
    parts = json.loads(run(*given, "--json").stdout)
    assert parts["stability"]["mean_absolute_prediction_error"] > 0
    assert parts["n_failed_resamples"] == 0
    assert parts["failures"] == []


def test_validate_repeats_an_update(run, developed, tmp_path):
    path = tmp_path / "new.csv"
    simulate_cohort(n_patients=80, seed=6).to_csv(path, index=False)
    newer = tmp_path / "newer"
    update = ("update", str(developed), str(path), "--out", str(newer), "--no-track")
    assert run(*update).exit_code == 0
    given = ("validate", str(newer), str(path), "--internal", "--resamples", "2")
    done = run(*given)
    assert done.exit_code == 1
    assert "--updated-from must be the model that was updated" in done.stderr
    done = run(*given, "--updated-from", str(developed), "--json")
    assert done.exit_code == 0, done.stderr
    apparent = {
        row["measure"]: row["apparent"] for row in json.loads(done.stdout)["measures"]
    }
    expected = load_model(newer).performance.apparent["brier_score"]
    assert apparent["brier_score"] == pytest.approx(expected, rel=1e-6)


def test_validate_by_centre_is_logged_as_it_is_printed(
    run, tmp_path, monkeypatch, new_store
):
    monkeypatch.chdir(tmp_path)
    new_store(tmp_path)
    cohort = simulate_cohort(n_patients=150, seed=10, n_centres=3)
    cohort.to_csv("three.csv", index=False)
    made = run("develop", "three.csv", SCREENING, "--out", "model", "--json")
    assert made.exit_code == 0, made.stderr
    given = ("validate", "model", "three.csv", "--design", "by_centre", "--json")
    done = run(*given)
    assert done.exit_code == 0, done.stderr
    groups = json.loads(done.stdout)["groups"]
    assert {row["centre"] for row in groups} == set(cohort["centre"])
    assert all(row["c_statistic_lower"] < row["c_statistic"] for row in groups)
    client = mlflow.MlflowClient(json.loads(made.stdout)["tracking_uri"])
    parent = client.get_run(json.loads(made.stdout)["run_id"]).info
    below = f"tags.`mlflow.parentRunId` = '{parent.run_id}'"
    (child,) = client.search_runs([parent.experiment_id], below)
    run_id = child.info.run_id
    path = client.download_artifacts(run_id, "validation/by_centre.json", ".")
    assert json.loads(Path(path).read_text()) == groups


def test_validate_takes_one_repeat_of_cross_validation(run, centre):
    given = ("validate", SCREENING, str(centre), "--design", "cross_validation")
    parts = json.loads(run(*given, "--resamples", "1", "--json").stdout)
    assert parts["n_resamples"] == 1
    rows = {row["measure"]: row for row in parts["measures"]}
    assert rows["c_statistic"]["n_resamples"] == 10


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--updated-from", SCREENING], "external, which repeats no update"),
        (["--non-completers", "non_responders"], "must be left_out with --design ext"),
    ],
)
def test_validate_refuses_an_option_that_would_do_nothing(run, centre, given, message):
    done = run("validate", SCREENING, str(centre), *given)
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.split())


def test_validate_refuses_other_evidence_for_a_developed_model(run, developed, centre):
    given = ("--internal", "--exclude-evidence", "saint_etienne")
    done = run("validate", str(developed), str(centre), *given)
    assert done.exit_code == 2
    assert "develop this one again without that" in " ".join(done.stderr.split())


def test_validate_measures_a_published_model_without_the_centres_own_evidence(
    run, centre
):
    declared = ("--overlap-group", "saint_etienne", "--json")
    given = ("validate", SCREENING, str(centre), "--resamples", "5", *declared)
    done = run(*given, "--exclude-evidence", "saint_etienne")
    assert done.exit_code == 0, done.stderr
    assert "may stand behind the published evidence" not in done.stderr
    model = published_model(
        "rtms_response", "screening", exclude_evidence=["saint_etienne"]
    )
    cohort = read_cohort(centre)
    expected = validate_externally(model, cohort, n_resamples=5).performance
    rows = {row["measure"]: row for row in json.loads(done.stdout)["measures"]}
    other = {row["measure"]: row for row in json.loads(run(*given).stdout)["measures"]}
    for name in ("c_statistic", "calibration_in_the_large"):
        assert rows[name]["value"] == expected.value(name)
    assert rows["brier_score"]["value"] != other["brier_score"]["value"]


def test_validate_refuses_other_evidence_for_the_folder_of_a_published_model(
    run, centre, tmp_path
):
    folder = save_model(published_model("rtms_response", "screening"), tmp_path / "p")
    given = ("validate", str(folder), str(centre))
    done = run(*given, "--exclude-evidence", "saint_etienne")
    assert done.exit_code == 2
    assert "Name a published model" in " ".join(done.stderr.split())


def test_validate_refuses_unknown_evidence(run, centre):
    given = ("validate", SCREENING, str(centre), "--exclude-evidence", "nowhere")
    done = run(*given)
    assert done.exit_code == 1
    assert "must be known overlap groups, got 'nowhere'" in " ".join(
        done.stderr.split()
    )


def test_validate_takes_declared_overlap_into_account(run, centre):
    given = ("validate", SCREENING, str(centre), "--resamples", "2")
    declared = ("--overlap-group", "saint_etienne")
    assert "may stand behind the published evidence" in run(*given, *declared).stderr
    done = run(*given, *declared, "--internal")
    assert done.exit_code == 1
    assert "must be excluded, got saint_etienne left in" in done.stderr
    excluded = ("--internal", "--exclude-evidence", "saint_etienne")
    assert run(*given, *declared, *excluded).exit_code == 0


# ---------------------------------------------------------------- groups


def table_of(rows):
    columns = ["predictor", "group", "n_patients", "n_events", "c_statistic"]
    return pd.DataFrame(rows, columns=columns)


def test_releasable_hides_what_would_give_a_small_group_away():
    """60 + 30 of 95 would tell that 5 are left."""
    rows = releasable(
        table_of(
            [
                ("sex", "female", "60", 25, 0.7),
                ("sex", "male", "30", 12, 0.6),
                ("sex", "not known", "5", 3, 0.9),
            ]
        )
    )
    assert [row["n_patients"] for row in rows] == ["60", "hidden", "<10"]
    assert "c_statistic" not in rows[2]
    assert rows[1]["c_statistic"] == 0.6


def test_releasable_keeps_no_limit_of_a_group_that_would_tell_a_small_one():
    """The width of an interval tells how many patients are behind it."""
    table = table_of(
        [
            ("sex", "female", "60", 25, 0.70123),
            ("sex", "male", "30", 12, 0.60123),
            ("sex", "not known", "5", 3, 0.9),
            ("age", "under 50", "95", 40, 0.70123),
        ]
    ).assign(c_statistic_lower=0.5123, c_statistic_upper=0.8123)
    rows = releasable(table)
    assert [row.get("c_statistic") for row in rows] == [0.7, 0.6, None, 0.70123]
    assert [row.get("c_statistic_lower") for row in rows] == [None] * 3 + [0.5123]


def test_releasable_hides_few_events_and_few_non_events():
    rows = releasable(
        table_of(
            [
                ("sex", "female", "60", 25, 0.7),
                ("sex", "male", "30", 4, 0.6),
                ("age", "under 50", "50", 15, 0.7),
                ("age", "65 and over", "40", 14, 0.7),
            ]
        )
    )
    assert [row["n_events"] for row in rows] == [None, None, 15, 14]
    assert ["c_statistic" in row for row in rows] == [True, False, True, True]


def test_releasable_knows_that_aetiologies_make_up_a_lesion_type():
    """Of 108, 15 are hidden; but 40 peripheral less 33 would tell that 7 are left."""
    parts = [
        ("aetiology", "ischaemic_stroke", "60", 30, 0.7),
        ("aetiology", "multiple_sclerosis", "8", 4, 0.7),
        ("aetiology", "amputation", "33", 16, 0.7),
        ("aetiology", "radiculopathy", "7", 4, 0.7),
    ]
    alone = releasable(table_of(parts))
    assert [row["n_patients"] for row in alone] == ["60", "<10", "33", "<10"]
    whole = [
        ("lesion_type", "central", "68", 34, 0.7),
        ("lesion_type", "peripheral", "40", 20, 0.7),
    ]
    rows = releasable(table_of([*whole, *parts]))
    shown = {row["group"]: row["n_patients"] for row in rows}
    assert "hidden" in (shown["peripheral"], shown["amputation"])
    assert "hidden" in (shown["central"], shown["ischaemic_stroke"])


def test_releasable_shows_large_groups_in_full():
    table = table_of([("sex", "female", "60", 25, 0.7), ("sex", "male", "40", 20, 0.6)])
    assert releasable(table)[0] == {
        "predictor": "sex",
        "group": "female",
        "n_patients": "60",
        "n_events": 25,
        "c_statistic": 0.7,
    }
