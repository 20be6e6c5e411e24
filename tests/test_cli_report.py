"""``report`` and ``validate`` from the shell, and what they add to the model's run."""

import json
from pathlib import Path

import mlflow
import pytest
from typer.testing import CliRunner

import responder_model as rm
from responder_model.artifact import read_manifest
from responder_model.cli.app import app
from responder_model.tracking import (
    find_run,
    local_tracking_uri,
    log_development,
    log_evaluation,
)

# MLflow and SQLAlchemy warn about themselves.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
SETTINGS = rm.Settings(decision="rtms_response", moment="screening", challenger=False)


@pytest.fixture(scope="module")
def run():
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, [str(part) for part in arguments])


@pytest.fixture(scope="module")
def directory(tmp_path_factory, new_store):
    """A developed model, its cohort's file and its tracked run."""
    directory = tmp_path_factory.mktemp("report")
    new_store(directory)
    path = directory / "centre.csv"
    rm.simulate_cohort(n_patients=60, seed=6).to_csv(path, index=False)
    model = rm.develop(rm.read_cohort(path), settings=SETTINGS)
    folder = rm.save_model(model, directory / "model")
    log_development(model, folder=folder, tracking_uri=local_tracking_uri(directory))
    return directory


@pytest.fixture(scope="module")
def uri(directory):
    return local_tracking_uri(directory)


def children(uri, directory):
    """Runs below the one that made the model, by kind and design."""
    digest = read_manifest(directory / "model").digest
    client = mlflow.MlflowClient(uri)
    parent = client.get_run(find_run(digest, tracking_uri=uri))
    below = f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'"
    found = client.search_runs([parent.info.experiment_id], below)
    return {(r.data.tags["kind"], r.data.params.get("design")): r for r in found}


def artifacts(uri, run_id, path):
    client = mlflow.MlflowClient(uri)
    return {row.path for row in client.list_artifacts(run_id, path)}


@pytest.fixture(scope="module")
def made(run, directory, uri):
    """What the command printed, after it wrote and logged a report."""
    done = run(
        *("report", directory / "model", "--cohort", directory / "centre.csv"),
        *("--out", directory / "report", "--resamples", "3", "--lang", "fr"),
        *("--tracking-uri", uri, "--json"),
    )
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_report_is_written_and_logged_below_the_run_of_the_model(made, directory, uri):
    assert made["page"].endswith("report_fr.html")
    run_id = children(uri, directory)["report", None].info.run_id
    assert made["run_id"] == run_id
    assert artifacts(uri, run_id, "report") == {
        "report/figures_fr",
        "report/report_fr.html",
        "report/report_fr.md",
        "report/values.json",
    }
    metrics = mlflow.MlflowClient(uri).get_run(run_id).data.metrics
    key = "development.internal.c_statistic.optimism_corrected"
    assert metrics[f"report.{key}"] == pytest.approx(made["values"][key])


def test_run_of_the_report_holds_no_patient(made, directory, uri):
    run_id = made["run_id"]
    client = mlflow.MlflowClient(uri)
    identifiers = rm.read_cohort(directory / "centre.csv")["patient_id"]
    for name in ("report_fr.html", "report_fr.md", "values.json"):
        path = client.download_artifacts(run_id, f"report/{name}", str(directory))
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            text = file.read()
        assert not [name for name in identifiers if name in text]


def test_internal_validation_is_logged_below_the_run_of_the_model(run, directory, uri):
    done = run(
        *("validate", directory / "model", directory / "centre.csv", "--internal"),
        *("--resamples", "3", "--tracking-uri", uri, "--json"),
    )
    assert done.exit_code == 0, done.output
    rows = {row["measure"]: row for row in json.loads(done.stdout)["measures"]}
    metrics = children(uri, directory)["validation", "bootstrap"].data.metrics
    logged = metrics["validation.bootstrap.brier_score.optimism_corrected"]
    assert logged == pytest.approx(rows["brier_score"]["optimism_corrected"])


def test_each_design_of_validation_keeps_its_values(run, directory, uri):
    folder, centre = directory / "model", directory / "centre.csv"
    for given in (["--internal"], ["--design", "cross_validation", "--resamples", "1"]):
        few = given if "--resamples" in given else [*given, "--resamples", "3"]
        done = run("validate", folder, centre, *few, "--tracking-uri", uri)
        assert done.exit_code == 0, done.output
    client = mlflow.MlflowClient(uri)
    for design in ("bootstrap", "cross_validation"):
        run_id = children(uri, directory)["validation", design].info.run_id
        name = f"validation/values_{design}.json"
        path = Path(client.download_artifacts(run_id, name, str(directory)))
        values = json.loads(path.read_text(encoding="utf-8"))
        assert all(key.startswith(f"{design}.") for key in values)
        assert values[f"{design}.cohort"] == "centre"


def test_validate_prints_what_the_measures_mean(run, directory):
    given = ("validate", "rtms_response@screening", directory / "centre.csv")
    done = run(*given, "--resamples", "5", "--lang", "fr")
    assert "Sens des mesures" in done.stdout
    assert "répondeur" in done.stdout


def test_validate_by_subgroup_hides_small_groups(run, directory):
    given = ("validate", "rtms_response@screening", directory / "centre.csv")
    done = run(*given, "--design", "by_subgroup", "--json")
    groups = json.loads(done.stdout)["groups"]
    sizes = {row["n_patients"] for row in groups}
    assert "<10" in sizes
    assert all(size == "<10" or int(size) >= 10 for size in sizes)


def test_validate_by_subgroup_compares_groups_in_words(run, tmp_path):
    rm.simulate_cohort(250, 6).to_csv(tmp_path / "new.csv", index=False)
    given = ("validate", "rtms_response@screening", tmp_path / "new.csv")
    given += ("--design", "by_subgroup")
    told = json.loads(run(*given, "--json").stdout)
    sexes = {
        row["group"]: row["n_patients"]
        for row in told["groups"]
        if row["predictor"] == "sex"
    }
    (difference,) = (row for row in told["differences"] if row["predictor"] == "sex")
    smaller, larger = sorted(sexes, key=lambda sex: int(sexes[sex]))
    assert (difference["group"], difference["compared_with"]) == (smaller, larger)
    printed = run(*given, "--lang", "fr").stdout
    assert "AVC ischémique" in printed
    assert "comparé à" in printed
    # a table wider than the page lost the ends of its figures
    assert printed.count("(") == printed.count(")")


def test_validate_by_centre_needs_two_centres(run, directory):
    given = ("validate", "rtms_response@screening", directory / "centre.csv")
    done = run(*given, "--design", "by_centre")
    assert done.exit_code == 1
    assert "at least 2 centres" in done.stderr


def test_model_without_a_run_is_reported_and_says_so(run, directory, tmp_path):
    done = run(
        *("report", directory / "model", "--out", tmp_path / "report"),
        *("--tracking-uri", local_tracking_uri(tmp_path)),
    )
    assert done.exit_code == 0, done.output
    assert "no run in" in done.stderr
    assert not (tmp_path / "mlflow.db").exists()
    assert (tmp_path / "report" / "report_en.html").is_file()


def test_published_model_is_reported_by_name(run, tmp_path):
    done = run("report", "emcs_success", "--out", tmp_path, "--lang", "fr")
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(tmp_path / "report_fr.html")
    assert (tmp_path / "report_fr.md").is_file()


def test_published_model_is_reported_without_excluded_evidence(run, tmp_path):
    given = ("report", "rtms_response@screening", "--out", tmp_path)
    done = run(*given, "--exclude-evidence", "saint_etienne", "--json")
    assert done.exit_code == 0, done.output
    assert "without saint_etienne" in json.loads(done.stdout)["values"]["model.name"]


def test_evidence_is_not_excluded_from_a_folder(run, directory, tmp_path):
    given = ("report", directory / "model", "--out", tmp_path / "report")
    done = run(*given, "--exclude-evidence", "saint_etienne")
    assert done.exit_code == 2
    assert not (tmp_path / "report").exists()


def test_wrong_role_is_refused(run, directory, tmp_path):
    done = run(
        *("report", "rtms_response@screening", "--out", tmp_path),
        *("--cohort", directory / "centre.csv", "--role", "development"),
    )
    assert done.exit_code == 1
    assert "--role must be new" in done.stderr


def test_development_cohort_is_not_reported_as_new_patients(run, directory, tmp_path):
    done = run(
        *("report", directory / "model", "--out", tmp_path / "report", "--no-track"),
        *("--cohort", directory / "centre.csv", "--role", "new"),
    )
    assert done.exit_code == 1
    assert "--role must be development" in done.stderr
    assert not (tmp_path / "report").exists()


def test_place_that_is_a_file_is_refused(run, tmp_path):
    (tmp_path / "taken").touch()
    for place in (tmp_path / "taken", tmp_path / "taken" / "report"):
        done = run("report", "emcs_success", "--out", place)
        assert done.exit_code == 1
        assert "--out must be a folder, got " in done.stderr


def test_unknown_digest_finds_no_run(uri):
    assert find_run("0" * 64, tracking_uri=uri) is None
    assert log_evaluation("0" * 64, "report", {"n": 1}, tracking_uri=uri) is None
