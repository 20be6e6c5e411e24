"""Model folders of an earlier version, or of another dictionary."""

from __future__ import annotations

import re
import shutil
import tarfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from forging import reforge
from responder_model.artifact import load_model, save_model
from responder_model.cli.app import app
from responder_model.errors import UntrustedModelError
from responder_model.model.example import example_model
from responder_model.schema import dictionary_text

CASES = Path(__file__).parent / "cases"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(example_model(), tmp_path_factory.mktemp("saved") / "model")


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "model"))


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What version 0.1.0 wrote: two model folders, and the cohort of the second."""
    folder = tmp_path_factory.mktemp("earlier")
    with tarfile.open(CASES / "version_0_1.tar.xz") as file:
        file.extractall(folder, filter="data")
    return folder


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("command", ["inspect", "verify", "predict"])
def test_model_of_version_0_1_is_refused_with_the_command_that_makes_it_anew(
    earlier: Path, tmp_path: Path, lang: str, command: str
) -> None:
    asked = ["--lang", lang, command, str(earlier / "developed")]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 1
    says = {"en": "which could give patients away", "fr": "qui pouvait révéler des"}
    assert says[lang] in done.output
    shown = re.search(r"responder-model (develop \S+ \S+ --out [A-Z_]+)\.", done.output)
    assert shown
    name, _, target, out, _ = shown.group(1).split()
    assert (name, target, out) == ("develop", "rtms_response@session_1", "--out")


def test_command_that_makes_a_model_of_version_0_1_anew_does_so(
    earlier: Path, tmp_path: Path
) -> None:
    """From the cohort as that version wrote it."""
    made = tmp_path / "anew"
    cohort = str(earlier / "cohort.csv")
    asked = ["develop", cohort, "rtms_response@session_1", "--out", str(made)]
    done = CliRunner().invoke(app, [*asked, "--no-track"])
    assert done.exit_code in (0, 3), done.output
    model = load_model(made)
    assert model.target == "rtms_response@session_1"
    assert model.n_patients > 20


def test_published_model_of_version_0_1_names_the_one_that_is_shipped(
    earlier: Path,
) -> None:
    done = CliRunner().invoke(app, ["inspect", str(earlier / "published")])
    assert "responder-model predict emcs_success@implantation" in done.output
    assert "give patients away" not in done.output


def test_earlier_format_of_an_unknown_target_repeats_nothing_of_it(
    folder: Path,
) -> None:
    reforge(folder, format_version=1, decision="Mr Smith", provenance="cohort")
    with pytest.raises(UntrustedModelError, match="develop COHORT TARGET --out"):
        load_model(folder)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("amputation", "gout"),
        ('transform = "log"', 'transform = "identity"'),
        ("main_cut_point = 30", "main_cut_point = 50"),
        ('unit = { en = "years"', 'unit = { en = "months"'),
    ],
    ids=["category", "transform", "cut-off", "unit"],
)
def test_dictionary_that_means_something_else_is_refused(
    folder: Path, old: str, new: str
) -> None:
    assert old in dictionary_text()
    # the model with it: it is a whole model of another dictionary
    for name in ("dictionary.toml", "model.json"):
        text = (folder / name).read_text(encoding="utf-8").replace(old, new)
        if name == "model.json" and "transform" in old:
            text = text.replace('"transform": "log"', '"transform": "identity"')
        (folder / name).write_text(text, encoding="utf-8")
    reforge(folder)
    with pytest.raises(UntrustedModelError, match="agree with the installed"):
        load_model(folder)


def test_dictionary_with_other_words_is_accepted(folder: Path) -> None:
    text = dictionary_text().replace('en = "Age"', 'en = "Age of the patient"')
    assert text != dictionary_text()
    (folder / "dictionary.toml").write_text(text, encoding="utf-8")
    reforge(folder)
    load_model(folder)


@pytest.mark.parametrize(
    "data",
    [
        b"a = [",
        b"\xff",
        b"format_version = 1",
        b"format_version = 9",
        b"a = " + b"[" * 5000,
        b"a." * 400_000 + b"a = 1",
    ],
    ids=["toml", "utf-8", "empty", "version", "deep", "long key"],
)
def test_text_that_is_no_dictionary_is_refused(folder: Path, data: bytes) -> None:
    (folder / "dictionary.toml").write_bytes(data)
    reforge(folder)
    with pytest.raises(UntrustedModelError, match="must be a data dictionary"):
        load_model(folder)


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ('name = "age"', "name = 7", "fields"),
        ("minimum = 18", 'minimum = "18"', "fields.age.minimum"),
        ("ischaemic_stroke = 1.0", "gout = 1.0", "aetiology"),
        ('known_from = "session_1"', 'known_from = "later"', "relief_1"),
        ('en = "Age"', r'en = "\u001b[2J"', "fields.age.label.en"),
        ("main_cut_point = 40", "main_cut_point = 45", "emcs_success"),
    ],
)
def test_dictionary_of_other_kinds_is_refused_by_its_part(
    folder: Path, old: str, new: str, part: str
) -> None:
    text = dictionary_text()
    assert old in text
    (folder / "dictionary.toml").write_text(text.replace(old, new), encoding="utf-8")
    reforge(folder)
    with pytest.raises(UntrustedModelError, match=part):
        load_model(folder)
