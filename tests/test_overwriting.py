"""No command writes over what it has not written itself, nor into a model folder."""

from __future__ import annotations

import shutil
from hashlib import sha256
from pathlib import Path

import openpyxl
import pytest
import typer
from typer.testing import CliRunner

import responder_model as rm
from responder_model.artifact import read_manifest
from responder_model.cli.app import app
from responder_model.cohort import write_cohort
from responder_model.figures.explanations import draw_waterfall
from responder_model.outputs import RECORD
from responder_model.reporting import build_report, write_report

SCREENING, IMPLANT = "rtms_response@screening", "emcs_success"
# Every option that names what is written: its command, and what goes before it.
WRITES = {
    ("template", "--out"): ("template",),
    ("simulate", "--out"): ("simulate", "--n-patients", "20"),
    ("explain", "--figure"): ("explain", SCREENING, "--age", "54"),
    ("score", "--out"): ("score", SCREENING, "{here}/centre.csv"),
    ("score-dask", "--out"): ("score-dask", SCREENING, "{here}/registry.parquet"),
    ("score-spark", "--out"): ("score-spark", SCREENING, "{here}/registry.parquet"),
    ("develop", "--out"): (
        *("develop", "{here}/centre.csv", "--settings", "{here}/settings.toml"),
        "--no-track",
    ),
    ("update", "--out"): ("update", "{here}/model", "{here}/new.csv", "--no-track"),
    ("report", "--out"): ("report", SCREENING, "--no-track"),
    ("combine", "--out"): ("combine", "{here}/a", "{here}/b", "--no-track"),
    ("combine", "--figure"): (
        *("combine", "{here}/a", "{here}/b", "--out", "{here}/ab", "--no-track"),
    ),
    ("share", "--out"): ("share", "{here}/centre.csv", SCREENING),
    ("value", "--figure"): ("value", SCREENING, "--threshold", "0.3")
    + ("--patients", "50"),
    ("course", "--figure"): ("course", "--relief-1", "10"),
    ("stopping", "--figure"): ("stopping", "rtms_response@session_2"),
    ("monitor", "--out"): (
        *("monitor", SCREENING, "--predictions", "{here}/scores.csv"),
        *("--outcomes", "{here}/outcomes.csv", "--today", "2026-11-28"),
    ),
    ("scorecard", "--out"): ("scorecard", SCREENING, "--known", "age"),
    ("demo", "--out"): ("demo",),
}
FILES = {
    "combine --figure": "centres.png",
    "template": "sheet.xlsx",
    "simulate": "simulated.csv",
    "explain": "why.png",
    "score": "scores.csv",
    "share": "centre.share.json",
    "value": "worth.png",
    "course": "course.png",
    "stopping": "frontier.png",
}


def name_of(key):
    """Name of what an option writes: a file, or ``folder``."""
    return FILES.get(" ".join(key), FILES.get(key[0], "folder"))


def is_file(key):
    return name_of(key) != "folder"


# Where what a command wrote can be told; a demonstration is in test_demo.py.
ONCE = ("score-dask", "score-spark", "demo")
REPEATED = [key for key in WRITES if key[0] not in ONCE]
every_command = pytest.mark.parametrize("key", WRITES, ids=" ".join)


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """Two cohorts, settings and a model."""
    folder = tmp_path_factory.mktemp("here")
    rm.simulate_cohort(60, seed=3).to_csv(folder / "centre.csv", index=False)
    rm.simulate_cohort(40, seed=4).to_csv(folder / "new.csv", index=False)
    rm.simulate_cohort(20, seed=5).to_parquet(folder / "registry.parquet")
    (folder / "settings.toml").write_text(
        'decision = "rtms_response"\nmoment = "screening"\nchallenger = false\n'
        'predictors = ["age", "aetiology", "pain_duration"]\n'
    )
    model = rm.published_model("rtms_response", moment="screening")
    rm.save_model(model, folder / "model")
    for seed, name in enumerate("ab", start=6):
        cohort = rm.simulate_cohort(40, seed=seed)
        settings = rm.Settings.from_toml(folder / "settings.toml")
        rm.save_model(rm.develop(cohort, settings=settings), folder / name)
    call(
        *("score", SCREENING, folder / "new.csv", "--out", folder / "scores.csv"),
        *("--date", "2026-01-15"),
    )
    known = rm.simulate_cohort(40, seed=4)[["patient_id", "relief_test"]].dropna()
    known.assign(date="2026-03-01").to_csv(folder / "outcomes.csv", index=False)
    return folder


def call(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def write(key, here, place, *more):
    before = [text.format(here=here) for text in WRITES[key]]
    return call(*before, key[1], place, *more)


def bytes_of(folder):
    return {
        path.relative_to(folder): sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_every_option_that_names_an_output_is_tried_here():
    commands = typer.main.get_command(app).commands
    named = {
        (name, option)
        for name, command in commands.items()
        for parameter in command.params
        for option in parameter.opts
        if option in ("--out", "--figure", "--output") or option.endswith("-out")
    }
    assert named == set(WRITES)
    for name, _ in named:
        options = {option for p in commands[name].params for option in p.opts}
        assert "--overwrite" in options, name


# ---------------------------------------------------------------- what stays


@every_command
def test_what_somebody_else_made_is_left_alone(key, here, tmp_path):
    place = tmp_path / name_of(key)
    mine = place if is_file(key) else place / "mine.txt"
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("a year of work")
    before = bytes_of(tmp_path)
    done = write(key, here, place)
    assert done.exit_code == 1, done.output
    assert place.name in done.stderr
    assert done.stderr.count("error: ") == 1
    assert bytes_of(tmp_path) == before
    if key[0] not in ("score-dask", "score-spark"):
        assert "--overwrite" in done.stderr


@every_command
def test_nothing_but_a_model_goes_into_a_model_folder(key, here, tmp_path):
    model = tmp_path / "models" / "centre"
    shutil.copytree(here / "model", model)
    name = name_of(key)
    places = [model / name, model / "deep" / "er" / name]
    if not is_file(key) and key[0] not in ("develop", "update", "combine"):
        places.append(model)
    for place in places:
        done = write(key, here, place, "--overwrite")
        assert done.exit_code == 1, done.output
        assert "outside every model folder" in done.stderr
    assert read_manifest(model).digest == read_manifest(here / "model").digest


@every_command
def test_a_folder_is_no_file_and_a_file_no_folder(key, here, tmp_path):
    place = tmp_path / name_of(key)
    if is_file(key):
        (place / "inside").mkdir(parents=True)
    else:
        place.write_text("a file")
    done = write(key, here, place, "--overwrite")
    assert done.exit_code == 1
    assert place.is_dir() == (is_file(key))
    assert len(list(tmp_path.rglob("*"))) == 1 + (is_file(key))


@pytest.mark.parametrize("key", REPEATED, ids=" ".join)
def test_an_output_is_replaced_until_somebody_changes_it(key, here, tmp_path):
    place = tmp_path / name_of(key)
    done = write(key, here, place)
    assert done.exit_code == 0, done.output
    left = [path for path in tmp_path.rglob("*") if path.name.startswith(".")]
    assert [path.name for path in left] == [RECORD]
    changed = place if place.is_file() else max(place.rglob("[!.]*.[!j]*"))
    if key[0] in ("develop", "update"):
        changed = place / "MODEL_CARD.md"
    changed.write_bytes(changed.read_bytes() + b" ")
    after = bytes_of(tmp_path)
    done = write(key, here, place)
    assert done.exit_code == 1
    assert "(changed since)" in done.stderr
    assert bytes_of(tmp_path) == after
    assert write(key, here, place, "--overwrite").exit_code == 0
    # its own again: replaced without a word
    assert write(key, here, place).exit_code == 0


@pytest.mark.parametrize("command", ["explain", "score", "report", "scorecard"])
def test_an_output_for_another_model_is_left_alone(command, here, tmp_path):
    (key,) = (key for key in WRITES if key[0] == command)
    place = tmp_path / name_of(key)
    assert write(key, here, place).exit_code == 0
    before = bytes_of(tmp_path)
    other = [text.format(here=here) for text in WRITES[key]]
    other[1] = "rtms_response@session_1"
    done = call(*other, key[1], place)
    assert done.exit_code == 1
    assert "(of another model)" in done.stderr
    assert bytes_of(tmp_path) == before


def test_a_model_of_something_else_is_left_alone(here, tmp_path):
    develop = ("develop", "--out")
    assert write(develop, here, tmp_path / "m").exit_code == 0
    digest = read_manifest(tmp_path / "m").digest
    given = ("--out", tmp_path / "m", "--no-track")
    for asked in (
        (here / "new.csv", "--settings", here / "settings.toml"),  # cohort
        (here / "centre.csv", "rtms_response@session_1"),  # moment
        (here / "centre.csv", SCREENING),  # settings
        (here / "centre.csv", "--settings", here / "settings.toml", "--name", "other"),
    ):
        done = call("develop", *asked, *given)
        assert done.exit_code == 1
        assert "m (of another model)" in done.stderr
    update = call("update", here / "model", here / "new.csv", *given)
    assert update.exit_code == 1
    assert read_manifest(tmp_path / "m").digest == digest


def test_a_model_whose_logging_failed_is_developed_again(here, tmp_path, new_store):
    (tmp_path / "mlartifacts").write_text("no place for what a run leaves")
    given = (here / "centre.csv", "--settings", here / "settings.toml")
    store = ("--tracking-uri", new_store(tmp_path))
    assert call("develop", *given, "--out", tmp_path / "m", *store).exit_code != 0
    assert write(("develop", "--out"), here, tmp_path / "m").exit_code == 0


def test_a_model_that_was_signed_since_is_left_alone(here, tmp_path):
    pytest.importorskip("cryptography")
    from responder_model.artifact import new_signing_key

    assert write(("develop", "--out"), here, tmp_path / "m").exit_code == 0
    rm.sign_model(tmp_path / "m", new_signing_key()[0])
    done = write(("develop", "--out"), here, tmp_path / "m")
    assert done.exit_code == 1
    assert (tmp_path / "m" / "signature.json").is_file()


def test_a_folder_with_more_than_a_model_is_not_replaced_whatever_is_asked(
    here, tmp_path
):
    shutil.copytree(here / "model", tmp_path / "m")
    (tmp_path / "m" / "thesis.docx").write_text("mine")
    done = write(("develop", "--out"), here, tmp_path / "m", "--overwrite")
    assert done.exit_code == 1
    assert "got one with other files" in done.stderr
    assert (tmp_path / "m" / "thesis.docx").read_text() == "mine"


def test_every_file_in_the_way_is_named_at_once(here, tmp_path):
    for name in ("scores.csv", "scores_set_aside.csv"):
        (tmp_path / name).write_text("mine")
    done = write(("score", "--out"), here, tmp_path / "scores.csv")
    assert done.exit_code == 1
    assert "scores.csv (not on record)" in done.stderr
    assert "scores_set_aside.csv (not on record)" in done.stderr


def test_a_side_file_of_somebody_else_is_not_removed(here, tmp_path):
    (tmp_path / "scores_set_aside.csv").write_text("mine")
    done = write(("score", "--out"), here, tmp_path / "scores.csv")
    assert done.exit_code == 1
    assert (tmp_path / "scores_set_aside.csv").read_text() == "mine"
    assert not (tmp_path / "scores.csv").exists()


@pytest.mark.parametrize("key", [("template", "--out"), ("explain", "--figure")])
def test_the_reason_is_told_in_french(key, here, tmp_path):
    place = tmp_path / name_of(key)
    place.write_text("mine")
    done = write(key, here, place, "--lang", "fr")
    assert done.exit_code == 1
    assert "(d'origine inconnue). Choisir un autre endroit" in done.stderr


# Work that finds a fault of its own where it is begun.
FAULTY = {
    ("predict", "--pdf"): ("predict", SCREENING),
    ("predict", "--html"): ("predict", SCREENING),
    ("stopping", "--figure"): ("stopping", "rtms_response@session_2"),
    ("stopping", "--pdf"): ("stopping", "rtms_response@session_2"),
    ("value", "--figure"): ("value", SCREENING, "--threshold", "2"),
    ("share", "--out"): ("share", "{bad}", SCREENING),
    ("validate", "--forest"): ("validate", SCREENING, "{bad}", "--no-track")
    + ("--design", "by_centre"),
    ("score", "--out"): ("score", SCREENING, "{bad}"),
    ("report", "--out"): ("report", SCREENING, "--cohort", "{bad}", "--no-track"),
    ("monitor", "--out"): ("monitor", SCREENING, "--predictions", "{bad}")
    + ("--outcomes", "{bad}"),
    ("combine", "--figure"): ("combine", "{here}/a", "{here}/a", "--no-track")
    + ("--out", "{free}"),
}
ENDS = {"--pdf": "page.pdf", "--html": "page.html", "--forest": "forest.png"}


@pytest.mark.parametrize("key", FAULTY, ids=" ".join)
def test_a_place_that_is_taken_is_refused_before_the_work(key, here, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("no such column\n1\n")
    place = tmp_path / ENDS.get(key[1], name_of(key))
    mine = place if place.suffix else place / "mine.txt"
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("a year of work")
    before = bytes_of(tmp_path)
    places = {"here": here, "bad": bad, "free": tmp_path / "ab"}
    asked = [text.format(**places) for text in FAULTY[key]]
    if key[0] == "stopping":
        asked += ["--cohort", bad]
    done = call(*asked, key[1], place)
    assert done.exit_code == 1, done.output
    assert f"{place.name} (not on record)" in done.stderr
    assert done.stdout == ""
    assert bytes_of(tmp_path) == before
    place = tmp_path / "nowhere" / place.name
    if mine == tmp_path / place.name:
        done = call(*asked, key[1], place)
        assert done.exit_code == 1
        assert "must lie in an existing directory" in done.stderr


def test_no_page_is_written_where_the_other_may_not_be(tmp_path):
    (tmp_path / "a.html").write_text("mine")
    places = ("--pdf", tmp_path / "a.pdf", "--html", tmp_path / "a.html")
    figure = ("--figure", tmp_path / "a.png")
    done = call("course", "--relief-1", "10", *places, *figure)
    assert done.exit_code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


# ---------------------------------------------------------------- what is read


def test_what_is_read_is_never_written_over(here, tmp_path):
    for name in ("centre.csv", "new.csv", "model"):
        copy = shutil.copytree if (here / name).is_dir() else shutil.copy
        copy(here / name, tmp_path / name)
    (tmp_path / "patient.png").write_text('{"age": 54}')
    (tmp_path / "hard.csv").hardlink_to(tmp_path / "centre.csv")
    before = bytes_of(tmp_path)
    centre, model = tmp_path / "centre.csv", tmp_path / "model"
    for asked in (
        ("score", SCREENING, centre, "--out", centre),
        ("score", SCREENING, centre, "--out", tmp_path / "hard.csv"),
        ("develop", centre, SCREENING, "--out", centre, "--no-track"),
        ("update", model, tmp_path / "new.csv", "--out", model, "--no-track"),
        ("explain", SCREENING, "--input", tmp_path / "patient.png", "--figure")
        + (tmp_path / "patient.png",),
        ("report", SCREENING, "--cohort", centre, "--out", centre, "--no-track"),
    ):
        done = call(*asked, "--overwrite")
        assert done.exit_code == 1, asked
    assert bytes_of(tmp_path) == before


def test_a_link_stands_for_what_it_leads_to(here, tmp_path):
    (tmp_path / "real.csv").write_text("patient_id,age\nP-001,54\n")
    link = tmp_path / "scores.csv"
    link.symlink_to("real.csv")
    assert write(("score", "--out"), here, link).exit_code == 1
    assert (tmp_path / "real.csv").read_text().endswith("P-001,54\n")
    (tmp_path / "real.csv").unlink()
    assert write(("score", "--out"), here, link).exit_code == 0
    assert link.is_symlink()
    assert (tmp_path / "real.csv").read_text().startswith("row,")
    (tmp_path / "inside").symlink_to(here / "model")
    done = write(("report", "--out"), here, tmp_path / "inside" / "r", "--overwrite")
    assert done.exit_code == 1
    assert not (here / "model" / "r").exists()


def test_a_store_of_runs_is_not_made_in_a_model_folder(here, tmp_path, monkeypatch):
    shutil.copytree(here / "model", tmp_path / "model")
    monkeypatch.chdir(tmp_path / "model")
    done = call("develop", here / "centre.csv", SCREENING, "--out", tmp_path / "newer")
    assert done.exit_code == 1
    assert "the store must lie outside every model folder" in done.stderr
    assert not (tmp_path / "model" / "mlflow.db").exists()


# ---------------------------------------------------------------- as users met it


def test_template_leaves_a_sheet_that_was_filled_in_alone(tmp_path):
    sheet = tmp_path / "saisie.xlsx"
    assert call("template", "--lang", "fr", "--out", sheet).exit_code == 0
    book = openpyxl.load_workbook(sheet)
    book.worksheets[0]["A2"] = "P-001"
    book.save(sheet)
    filled = sheet.read_bytes()
    assert call("template", "--lang", "fr", "--out", sheet).exit_code == 1
    assert sheet.read_bytes() == filled
    with pytest.raises(rm.ResponderModelError, match="overwrite=True"):
        rm.write_template(sheet)
    rm.write_template(sheet, overwrite=True)
    assert sheet.read_bytes() != filled


def test_simulate_leaves_a_cohort_of_real_patients_alone(tmp_path):
    centre = tmp_path / "centre.csv"
    centre.write_text("patient_id,age,relief_test\nP-001,54,40\n")
    assert call("simulate", "--n-patients", "20", "--out", centre).exit_code == 1
    assert centre.read_text().endswith("P-001,54,40\n")


def test_simulated_patients_among_whom_a_real_one_was_typed_stay(tmp_path):
    centre = tmp_path / "centre.csv"
    asked = ("simulate", "--n-patients", "20", "--out", centre)
    assert call(*asked).exit_code == 0
    assert call(*asked, "--seed", "2").exit_code == 0
    text = centre.read_text() + "P-001" + "," * centre.read_text().count(",") + "\n"
    centre.write_text(text)
    assert call(*asked).exit_code == 1
    assert centre.read_text() == text


def test_a_report_into_its_model_leaves_the_model_usable(here, tmp_path):
    model = tmp_path / "m"
    shutil.copytree(here / "model", model)
    for more in ((), ("--overwrite",)):
        done = call("report", model, "--no-track", "--out", model, *more)
        assert done.exit_code == 1
        assert "outside every model folder" in done.stderr
    assert call("verify", model).exit_code == 0


def test_python_writes_nothing_into_a_model_folder_either(here, tmp_path):
    model = tmp_path / "m"
    shutil.copytree(here / "model", model)
    fitted = rm.load_model(model)
    cohort = rm.read_cohort(here / "new.csv")
    why = fitted.explain(cohort)[0]
    report = build_report(fitted)
    for attempt in (
        lambda: write_report(report, model, overwrite=True),
        lambda: write_report(report, model / "report", overwrite=True),
        lambda: rm.write_template(model / "sheet.csv", overwrite=True),
        lambda: write_cohort(cohort, model / "cohort.csv"),
        lambda: rm.score_file(
            fitted, here / "new.csv", model / "s.csv", overwrite=True
        ),
        lambda: rm.save_model(fitted, model / "inner"),
        lambda: draw_waterfall(why, model / "w.png", title="", provenance="cohort"),
    ):
        with pytest.raises(rm.ResponderModelError, match="outside every model folder"):
            attempt()
    assert rm.load_model(model).target == fitted.target
    assert rm.save_model(fitted, model) == Path(model)


def test_write_report_leaves_a_page_that_was_edited_alone(tmp_path):
    report = build_report(rm.published_model(IMPLANT))
    page, *_ = write_report(report, tmp_path / "r")
    write_report(report, tmp_path / "r")
    french = build_report(rm.published_model(IMPLANT), lang="fr")
    write_report(french, tmp_path / "r")
    page.write_text("signed by the committee")
    with pytest.raises(rm.ResponderModelError, match=r"report_en.html \(changed since"):
        write_report(report, tmp_path / "r")
    assert page.read_text() == "signed by the committee"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (
            "template --out t.doc",
            "--out doit se terminer par .csv, .xlsx, reçu « t.doc »",
        ),
        ("simulate --out t.doc", "--out doit se terminer par .csv, .parquet, .xlsx"),
        (
            "score emcs_success c.csv --out t.ods",
            "--out doit se terminer par .parquet, .csv",
        ),
        ("share c.csv emcs_success --out t.xlsx", "--out doit se terminer par .json"),
        ("check c.csv --report t.pdf", "--report doit se terminer par .html, .htm"),
        ("check c.csv --write-map t.csv", "--write-map doit se terminer par .toml"),
        (
            "predict emcs_success --pdf t.html",
            "--pdf doit être un fichier qui finit par",
        ),
        (
            "explain emcs_success --figure t.pdf",
            "--figure doit être un fichier qui fin",
        ),
        (
            "scorecard emcs_success --out t.png",
            "--out doit être un dossier, reçu t.png",
        ),
        (
            "develop c.csv emcs_success --out t.json",
            "t.json, qui porte le nom d'un fic",
        ),
        ("report emcs_success --out t.html", "--out doit être un dossier, reçu t.html"),
    ],
)
def test_an_output_named_as_what_it_is_not_is_refused(
    command, said, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    rm.simulate_cohort(n_patients=30, seed=1).to_csv("c.csv", index=False)
    done = CliRunner().invoke(app, [*command.split(), "--lang", "fr"])
    assert done.exit_code == 1
    assert said in " ".join(done.stderr.split())
    assert [path.name for path in tmp_path.iterdir()] == ["c.csv"]
