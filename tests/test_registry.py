"""Models of a registry: registered once, opened by name, checked, kept here too."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import shutil
import signal
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import mlflow
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine
from typer.testing import CliRunner

import responder_model as rm
from responder_model.artifact import digest_of
from responder_model.cli.app import app
from responder_model.opening import open_model
from responder_model.promotion.asking import check_reason, version_of
from responder_model.promotion.promoting import check_registry, read_standing
from responder_model.serving.app import create_app
from responder_model.tracking import fetch, local_tracking_uri, read_reference
from responder_model.tracking.promotions import (
    EXPERIMENT,
    Entry,
    _intend,
    read_chain,
    write_promotion,
)
from responder_model.tracking.registry import opened_registry, registered
from responder_model.workflow import register_folder

# MLflow and SQLAlchemy warn about themselves.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
NAME = "rtms_response.screening"
SETTINGS = rm.Settings(decision="rtms_response", moment="screening", challenger=False)


@pytest.fixture(scope="module")
def models():
    """Two models of one question: of what is published, and of the contrary."""
    drawn = [
        rm.simulate_cohort(n_patients=n, seed=n, truth=truth)
        for n, truth in ((40, "right"), (300, "wrong"))
    ]
    return [rm.develop(cohort, settings=SETTINGS) for cohort in drawn]


@pytest.fixture(scope="module")
def contrary(tmp_path_factory):
    """File of new patients for whom the second model is right."""
    path = tmp_path_factory.mktemp("contrary") / "new.csv"
    drawn = rm.simulate_cohort(n_patients=250, seed=7, truth="wrong")
    drawn.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def kept(models, empty_store, tmp_path_factory):
    """A store with both models registered, the later one as the challenger."""
    place = tmp_path_factory.mktemp("kept")
    shutil.copy(empty_store, place)
    uri = local_tracking_uri(place)
    for k, model in enumerate(models):
        folder = rm.save_model(model, place / f"m{k}")
        register_folder(folder, tracking_uri=uri, for_simulated=True)
    return place


@pytest.fixture
def place(kept, tmp_path, monkeypatch):
    """A copy of it to work in, and a computer that never fetched a model."""
    there = tmp_path / "here"
    shutil.copytree(kept, there, ignore=shutil.ignore_patterns("code"))
    # hundreds of files beside each model, which nobody changes
    for code in kept.glob("mlartifacts/models/*/artifacts/code"):
        (there / code.relative_to(kept)).symlink_to(code)
    monkeypatch.chdir(there)
    monkeypatch.setenv("RESPONDER_MODEL_CACHE_FOLDER", str(tmp_path / "fetched"))
    return there


@pytest.fixture
def uri(place):
    return local_tracking_uri(place)


@pytest.fixture
def run(place):
    runner = CliRunner()
    return lambda *words: runner.invoke(app, [str(word) for word in words])


# ---------------------------------------------------------------- register


def test_register_gives_versions_and_moves_the_challenger(run, uri, models):
    client = mlflow.MlflowClient(uri)
    assert client.get_registered_model(NAME).aliases == {"challenger": 2}
    found = client.get_model_version(NAME, "1")
    assert found.tags == {"model_digest": digest_of(models[0])}
    assert found.status == "READY"


def test_register_never_makes_a_second_version_of_one_digest(run, uri):
    done = run("register", "m0", "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert (said["version"], said["registered_now"]) == (1, False)
    assert "is version 1 already" in run("register", "m0").stdout
    assert "la version 1" in run("register", "m0", "--lang", "fr").stdout
    client = mlflow.MlflowClient(uri)
    assert len(client.search_model_versions(f"name='{NAME}'")) == 2
    assert client.get_registered_model(NAME).aliases == {"challenger": 2}


def test_register_refuses_simulated_models_beside_real_ones(tmp_path, run, new_store):
    elsewhere = ("--tracking-uri", new_store(tmp_path))
    done = run("register", "m0", *elsewhere)
    assert done.exit_code == 1
    assert "learned from simulated ones" in done.stderr
    # the refusal made no name that would be for real models now
    assert "must be registered" in run("history", NAME, *elsewhere).stderr
    assert run("register", "m0", "--simulated", *elsewhere).exit_code == 0
    published = rm.save_model(
        rm.published_model("rtms_response", "screening"), tmp_path / "p"
    )
    done = run("register", published)
    assert "marked as a name for models of simulated" in done.stderr


# ---------------------------------------------------------------- open


def test_a_registered_model_opens_by_version_and_alias(uri, models):
    for name, model in (("/1", models[0]), ("@challenger", models[1])):
        found = open_model(f"models:/{NAME}{name}", tracking_uri=uri)
        assert digest_of(found) == digest_of(model)


def test_files_come_from_the_store_that_is_named(uri, models, tmp_path, monkeypatch):
    # MLflow would look into the store of this directory, where there is none
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    found = open_model(f"models:/{NAME}/1", tracking_uri=uri)
    assert found.digest == models[0].digest


@pytest.mark.parametrize(
    "words",
    [
        ("predict", f"models:/{NAME}/1", "--age", "54", "--json"),
        ("inspect", f"models:/{NAME}@challenger", "--json"),
        ("scorecard", f"models:/{NAME}/2", "--out", "card"),
        ("verify", f"models:/{NAME}/2"),
        ("score", f"models:/{NAME}/2", "c.csv", "--out", "scores.csv"),
        ("update", f"models:/{NAME}/2", "c.csv", "--out", "newer", "--no-track"),
    ],
    ids=lambda words: words[0],
)
def test_commands_take_a_registered_model(run, place, words):
    if "c.csv" in words:
        rm.simulate_cohort(n_patients=60, seed=9).to_csv(place / "c.csv", index=False)
    done = run(*words)
    assert done.exit_code == 0, done.output


def test_a_validation_of_a_registered_model_is_logged_beside_its_run(run, place, uri):
    rm.simulate_cohort(n_patients=60, seed=9).to_csv(place / "c.csv", index=False)
    assert run("validate", f"models:/{NAME}/2", "c.csv").exit_code == 0
    client = mlflow.MlflowClient(uri)
    due = client.get_model_version(NAME, "2").run_id
    (found,) = client.search_runs(["1"], "tags.kind = 'validation'")
    assert found.data.tags["mlflow.parentRunId"] == due


def test_a_served_shelf_takes_a_registered_model(uri, models):
    from responder_model.serving.shelf import load_shelf

    shelf = load_shelf([f"models:/{NAME}@challenger"])
    served = shelf["rtms_response", "screening"]
    assert digest_of(served.model) == digest_of(models[1])


def test_a_reload_of_a_server_takes_who_has_the_alias_then(uri, models):
    from responder_model.serving.service import Service
    from responder_model.serving.settings import ServerSettings

    client = mlflow.MlflowClient(uri)
    client.set_registered_model_alias(NAME, "champion", "1")
    service = Service(ServerSettings(models=(f"models:/{NAME}@champion",)))
    target = ("rtms_response", "screening")
    assert service.served(*target).model.digest == digest_of(models[0])
    client.set_registered_model_alias(NAME, "champion", "2")
    service.reload()
    assert service.served(*target).model.digest == digest_of(models[1])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("models:/rtms_respons.screening/1", f"The registry holds: {NAME}"),
        (f"models:/{NAME}/9", "must be one of 1, 2, got 9"),
        (f"models:/{NAME}@Challenger", "one of challenger (capitals count)"),
        (f"models:/{NAME}@champion", "the published model rtms_response@screening"),
        (f"models:/{NAME}/latest", "Versions are whole numbers"),
        (f"models:/{NAME}/0", "Versions are whole numbers"),
        (f"models:/{NAME}", "must be named models:/NAME/VERSION"),
        ("models:/m-0123456789abcdef", "must be named models:/NAME/VERSION"),
        ("models:/../../etc/1", "must be named models:/NAME/VERSION"),
    ],
)
def test_what_is_not_in_the_registry_is_refused_with_what_is(run, name, said):
    done = run("predict", name, "--age", "54")
    assert done.exit_code == 1
    assert said in " ".join(done.stderr.split())


def test_a_registry_that_does_not_exist_is_not_made(run, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/no.db")
    done = run("predict", f"models:/{NAME}/1", "--age", "54")
    assert done.exit_code == 1
    assert "a registry must exist" in done.stderr
    assert not (tmp_path / "no.db").exists()


def test_other_files_under_a_version_are_refused(run, place):
    (other,) = place.glob("mlartifacts/models/*/artifacts/artifacts/m1")
    (folder,) = place.glob("mlartifacts/models/*/artifacts/artifacts/m0")
    shutil.rmtree(folder)
    shutil.copytree(other, folder)
    done = run("predict", f"models:/{NAME}/1", "--age", "54")
    assert done.exit_code == 1
    assert "those of another model" in done.stderr


def test_altered_files_are_refused_and_gone_ones_named(run, place):
    (folder,) = place.glob("mlartifacts/models/*/artifacts/artifacts/m0")
    text = (folder / "model.json").read_text("utf-8")
    (folder / "model.json").write_text(text.replace("1", "2", 1), "utf-8")
    done = run("predict", f"models:/{NAME}/1", "--age", "54")
    assert done.exit_code == 1
    assert "model.json" in done.stderr
    shutil.rmtree(folder)
    done = run("predict", f"models:/{NAME}/1", "--age", "54")
    assert "files of version 1" in done.stderr
    assert "promote --back" in done.stderr


def test_a_registered_model_must_be_signed_where_keys_are_demanded(
    run, place, tmp_path, monkeypatch
):
    pytest.importorskip("cryptography")
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = Ed25519PrivateKey.generate().public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(pem)
    assert run("inspect", f"models:/{NAME}/1").exit_code == 0
    monkeypatch.setenv("RESPONDER_MODEL_TRUSTED_KEYS", str(tmp_path / "key.pem"))
    done = run("inspect", f"models:/{NAME}/1")
    assert done.exit_code == 1
    assert "signature" in done.stderr


# ---------------------------------------------------------------- fetched


def test_a_model_is_fetched_once_and_a_damaged_copy_again(uri, tmp_path):
    first = fetch(f"models:/{NAME}/1", tracking_uri=uri).folder
    assert first.is_relative_to(tmp_path / "fetched")
    stamp = (first / "model.json").stat().st_mtime_ns
    fetch(f"models:/{NAME}/1", tracking_uri=uri)
    assert (first / "model.json").stat().st_mtime_ns == stamp
    (first / "model.json").write_text("{}")
    assert open_model(f"models:/{NAME}/1", tracking_uri=uri).n_patients
    assert [p.name for p in first.parent.iterdir()] == [first.name]


def test_the_copy_answers_and_says_so_when_the_store_does_not(run, place):
    name = f"models:/{NAME}@challenger"
    before = run("predict", name, "--age", "54", "--json")
    (place / "mlflow.db").write_text("no database any more " * 100)
    after = run("predict", name, "--age", "54", "--json")
    assert after.exit_code == 0, after.output
    assert json.loads(after.stdout) == json.loads(before.stdout)
    assert "does not answer" in after.stderr
    assert "the copy of version 2" in after.stderr
    never = run("predict", f"models:/{NAME}/1", "--age", "54")
    assert never.exit_code == 1
    assert "there is no copy of it here" in never.stderr


def test_a_damaged_copy_does_not_answer_when_the_store_does_not(run, place, uri):
    name = f"models:/{NAME}/2"
    folder = fetch(name, tracking_uri=uri).folder
    (folder / "model.json").write_text("{}")
    (place / "mlflow.db").write_text("no database any more " * 100)
    assert run("predict", name, "--age", "54").exit_code == 1


def test_a_folder_of_copies_that_cannot_be_made_is_named(run, tmp_path, monkeypatch):
    (tmp_path / "a file").touch()
    monkeypatch.setenv("RESPONDER_MODEL_CACHE_FOLDER", str(tmp_path / "a file"))
    done = run("inspect", f"models:/{NAME}/1")
    assert done.exit_code == 1
    assert "RESPONDER_MODEL_CACHE_FOLDER" in done.stderr


def test_read_reference_is_written_as_it_was_read():
    for text in (f"models:/{NAME}/4", f"models:/{NAME}@champion"):
        assert str(read_reference(text)) == text


def test_options_that_build_a_model_are_refused_for_a_kept_one(run):
    asked = ("--responders", "3", "--tested", "10")
    done = run("predict", f"models:/{NAME}/1", "--age", "54", *asked)
    assert done.exit_code == 2
    assert Path("mlflow.db").exists()


# ---------------------------------------------------------------- promote


def written(uri, number, expected=0, reason="because", action="promoted"):
    """Write a promotion without its gate."""
    with opened_registry(uri) as client:
        to = registered(client, NAME).version(number)
    entry = Entry(action=action, to=to, by="me", reason=reason)
    return write_promotion(entry, expected=expected, uri=uri)


def chain_of(uri):
    return read_standing(NAME, uri=uri).chain


def champion_in(uri):
    return mlflow.MlflowClient(uri).get_registered_model(NAME).aliases.get("champion")


def test_promote_lets_a_better_model_through_and_no_worse_one(
    run, uri, models, contrary
):
    words = ("--cohort", contrary, "--threshold", "0.3", "--reason", "new centre")
    done = run("promote", f"models:/{NAME}@challenger", *words, "--by", "Dr A")
    assert done.exit_code == 0, done.output
    assert f"version 2 is the champion of {NAME} now" in done.stdout
    assert champion_in(uri) == 2
    aliases = mlflow.MlflowClient(uri).get_registered_model(NAME).aliases
    assert "challenger" not in aliases
    (record,) = chain_of(uri)
    assert (record.by, record.reason, record.verdict) == (
        "Dr A",
        "new centre",
        "better",
    )
    details = json.loads(record.details)
    assert details["gain.lower"] > 0
    assert details["cohort"] == "new"
    again = run("promote", f"models:/{NAME}/2", *words)
    assert again.exit_code == 1
    assert "is the champion already" in again.stderr
    worse = run("promote", "m0", *words, "--json", "--accept-uncertain")
    assert worse.exit_code == 4
    said = json.loads(worse.stdout)
    assert (said["promoted"], said["verdict"]) == (False, "worse")
    assert "log_loss" in said["worse_by"]
    assert champion_in(uri) == 2
    asked = ("history", "rtms_response@screening")
    lines = run(*asked).stdout.splitlines()
    assert "not promoted (worse): version 1 against version 2" in lines[1]
    assert lines[2].startswith("1 comparison promoted nobody")
    promoted, refused = json.loads(run(*asked, "--json").stdout)
    assert (promoted["state"], refused["state"]) == ("finished", "refused")
    assert refused["details"]["gain.upper"] < 0
    assert "1 comparaison n'a promu personne" in run(*asked, "--lang", "fr").stdout
    assert len(chain_of(uri)) == 1
    client = mlflow.MlflowClient(uri)
    place = client.get_experiment_by_name(EXPERIMENT).experiment_id
    tagged = [row.data.tags["model_digest"] for row in client.search_runs([place])]
    assert tagged == [digest_of(models[0]), digest_of(models[1])]  # the latest first
    assert run("registry", "check").exit_code == 0


def test_promotions_are_a_chain_and_going_back_walks_it(run, uri, models):
    written(uri, 1)
    written(uri, 2, expected=1)
    done = run("promote", "rtms_response@screening", "--back", "--reason", "drift")
    assert done.exit_code == 0, done.output
    assert champion_in(uri) == 1
    chain = chain_of(uri)
    assert [r.number for r in chain] == [1, 2, 3]
    assert [(r.from_version, r.to_version) for r in chain] == [(0, 1), (1, 2), (2, 1)]
    assert [r.previous for r in chain] == ["", chain[0].digest, chain[1].digest]
    assert chain[2].to_digest == digest_of(models[0])
    none = run("promote", "rtms_response@screening", "--back", "--reason", "drift")
    assert none.exit_code == 1
    assert "the published model rtms_response@screening was in use" in none.stderr
    assert run("registry", "check").exit_code == 0


def test_history_says_who_was_champion_on_a_day(run, uri):
    (first, second) = written(uri, 1), written(uri, 2, expected=1, reason="more")
    day = second.when.date().isoformat()
    asked = ("history", "rtms_response@screening")
    whole = run(*asked).stdout
    assert "promoted: version 1 after the published model" in whole
    assert "promoted: version 2 after version 1" in whole
    assert (
        f"version 2, digest {second.to_digest[:8]}…" in run(*asked, "--on", day).stdout
    )
    before = run(*asked, "--on", "2020-01-01", "--lang", "fr").stdout
    assert "pas encore de champion ; le modèle publié" in before
    to_come = run(*asked, "--on", "2099-01-01", "--json")
    assert "2099-01-01 is to come: until then another" in to_come.stderr
    assert "is to come" not in run(*asked, "--on", day).stderr
    later = json.loads(to_come.stdout)
    assert [row["champion"]["to_version"] for row in later] == [2]
    rows = json.loads(run(*asked, "--json").stdout)
    assert [row["digest"] for row in rows] == [first.digest, second.digest]


@pytest.mark.parametrize("is_moved", [False, True])
def test_a_promotion_that_was_cut_is_settled_by_the_next_command(run, uri, is_moved):
    written(uri, 1)
    with opened_registry(uri) as client:
        held = registered(client, NAME)
        chain = read_chain(client, held)
        entry = Entry(action="promoted", to=held.version(2), by="me", reason="cut")
        _intend(client, held, entry, chain, chain[-1], uri)
        if is_moved:
            client.set_registered_model_alias(NAME, "champion", "2")
    assert "not finished" in run("history", "rtms_response@screening").stdout
    done = run("registry", "check")
    assert done.exit_code == 4
    due = "it is completed" if is_moved else "it is taken back"
    assert due in done.stdout
    assert run("registry", "check").exit_code == 0
    assert chain_of(uri)[-1].state == ("finished" if is_moved else "taken_back")
    now = 2 if is_moved else 1
    assert read_standing(NAME, uri=uri).number == champion_in(uri) == now
    written(uri, 3 - now, expected=now)
    assert [r.number for r in chain_of(uri)] == [1, 2, 3]


def killed_at(step, uri):
    """Promote version 2 in another process, killed as it commits for the nth time.

    The process shares no connection with this one; returns whether it was killed.
    """
    process = os.fork()
    if process == 0:
        try:
            left = itertools.count(step, -1)

            def kill(_):
                if next(left) == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

            event.listen(Engine, "commit", kill)
            written(uri, 2, expected=1)
        finally:
            os._exit(1)
    ended = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return ended == -signal.SIGKILL


def check_after_kill(uri, step):
    """One truth after the next command: alias and log name the old or the new one."""
    was_killed = killed_at(step, uri)
    faults = check_registry(uri=uri)[NAME]
    assert {f.code for f in faults} <= {"promotion.completed", "promotion.taken_back"}
    assert check_registry(uri=uri)[NAME] == ()
    standing = read_standing(NAME, uri=uri)
    assert standing.number == champion_in(uri)
    assert standing.number in (1, 2)
    return was_killed, standing.number


@pytest.mark.parametrize("step", [1, 8, 14])
def test_a_promotion_that_is_killed_leaves_one_champion(uri, step):
    written(uri, 1)
    was_killed, number = check_after_kill(uri, step)
    assert was_killed
    # the next promotion is as if nothing had been
    assert written(uri, 3 - number, expected=number).state == "finished"


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_promotion_that_is_killed_at_any_commit_leaves_one_champion(uri):
    written(uri, 1)
    seen, step = set(), 0
    while True:
        was_killed, number = check_after_kill(uri, step)
        if not was_killed:
            break
        seen.add(number)
        if number == 2:
            written(uri, 1, expected=2)
        step += 1
    assert seen == {1, 2}
    assert step > 10


def test_of_two_promotions_at_once_one_wins_and_the_other_is_told(uri):
    def try_to(number):
        try:
            return written(uri, number)
        except rm.ResponderModelError as error:
            return str(error)

    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(try_to, (1, 2)))
    (winner,) = [one for one in done if not isinstance(one, str)]
    (told,) = [one for one in done if isinstance(one, str)]
    assert f"version {winner.to_version} by me" in told
    assert champion_in(uri) == winner.to_version
    assert len(chain_of(uri)) == 1


def test_without_a_lock_a_parameter_decides_who_follows(uri):
    written(uri, 1)
    with opened_registry(uri) as client:
        held = registered(client, NAME)
        chain = read_chain(client, held)
        entry = Entry(action="promoted", to=held.version(2), by="you", reason="first")
        _intend(client, held, entry, chain, chain[-1], uri)
        with pytest.raises(rm.ResponderModelError, match="by you at"):
            _intend(client, held, entry, chain, chain[-1], uri)
    assert [r.number for r in chain_of(uri)] == [1, 2]


def test_an_alias_that_was_moved_by_hand_is_said_and_can_be_adopted(run, uri, contrary):
    written(uri, 1)
    mlflow.MlflowClient(uri).set_registered_model_alias(NAME, "champion", "2")
    checked = run("registry", "check", "--json")
    assert checked.exit_code == 4
    (fault,) = json.loads(checked.stdout)["faults"][NAME]
    assert fault["code"] == "promotion.moved"
    assert "screening : l'alias" in run("registry", "check", "--lang", "fr").stdout
    assert "somebody moved it by hand" in run("history", NAME).stderr
    refused = run("promote", "m1", "--cohort", contrary, "--reason", "r")
    assert refused.exit_code == 1
    assert "somebody moved it by hand" in refused.stderr
    words = ("promote", NAME, "--adopt", "--reason", "agreed on paper")
    assert run(*words).exit_code == 0
    assert chain_of(uri)[-1].action == "adopted"
    assert run("registry", "check").exit_code == 0
    assert "both say version 2" in run(*words).stderr


def test_registry_check_finds_what_does_not_agree(run, place, uri):
    written(uri, 1)
    written(uri, 2, expected=1)
    assert "agree" in run("registry", "check").stdout
    with closing(sqlite3.connect(place / "mlflow.db")) as database, database:
        database.execute(
            "UPDATE params SET value = 'other' WHERE key = 'reason' AND run_uuid IN "
            "(SELECT run_uuid FROM params WHERE key = 'number' AND value = '1')"
        )
    done = run("registry", "check")
    assert done.exit_code == 4
    assert "promotion 2 does not follow" in done.stdout
    client = mlflow.MlflowClient(uri)
    client.delete_registered_model_alias(NAME, "champion")
    assert "is gone: somebody removed it" in run("registry", "check").stdout
    (folder,) = place.glob("mlartifacts/models/*/artifacts/artifacts/m1")
    shutil.rmtree(folder)
    client.delete_model_version(NAME, "1")
    said = run("registry", "check", "--lang", "fr").stdout
    assert "les fichiers de la version 2" in said
    assert "la promotion 1 de" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("promote", "m0"), "a model with --cohort FILE, or a name with --back"),
        (("promote", NAME, "--back", "--adopt"), "a model with --cohort FILE"),
        (("promote", NAME, "--back"), "must have a champion to go back from"),
        (("promote", "rtms_response@session_1", "--back"), "The registry holds"),
        (("history", "nonsense"), "The registry holds"),
    ],
)
def test_commands_say_what_they_cannot_do(run, words, said):
    reason = ("--reason", "r") if words[0] == "promote" else ()
    done = run(*words, *reason)
    assert done.exit_code in (1, 2)
    assert said in " ".join(done.stderr.replace("│", " ").split())


def test_promote_finds_a_model_by_digits_of_its_digest(uri, models):
    with opened_registry(uri) as client:
        for number, model in enumerate(models, start=1):
            assert version_of(client, digest_of(model)[:8]).number == number
        for text, said in (
            ("0" * 64, "must be registered"),
            ("nowhere", "must be a folder"),
        ):
            with pytest.raises(rm.UntrustedModelError, match=said):
                version_of(client, text)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001])
def test_a_promotion_needs_a_reason_that_the_log_keeps(reason):
    with pytest.raises(rm.ResponderModelError, match="must say why"):
        check_reason(reason)


# ---------------------------------------------------------------- the page


def test_commands_of_the_page_run(run, contrary, place, models, monkeypatch):
    """Everything that the page shows, in its order; it serves on no port here."""
    page = (Path(__file__).parents[1] / "docs" / "registry.md").read_text("utf-8")
    joined = re.sub(r"\\\n +", "", page)
    lines = re.findall(r"^    responder-model (.*)$", joined, re.MULTILINE)
    rm.save_model(models[0], place / "models" / "centre")
    shutil.copy(contrary, place / "new.csv")
    served = []
    monkeypatch.setattr(
        "responder_model.serving.run.run_server",
        lambda settings, **_: served.append(create_app(settings)),
    )
    codes = {}
    for line in lines:
        words = shlex.split(line.replace("screening/4", "screening/2"))
        if words[0] == "serve":
            written(local_tracking_uri(place), 1)
        if "--back" in words:
            written(local_tracking_uri(place), 1, expected=2, reason="again")
        done = run(*words)
        codes[line.split()[0]] = done.exit_code
        assert done.exit_code == 0, f"{line}: {done.output}"
    assert set(codes) == {
        "register",
        "predict",
        "serve",
        "promote",
        "history",
        "registry",
    }
    assert len(served) == 1
