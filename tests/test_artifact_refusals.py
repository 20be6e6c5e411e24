"""Model folders from outside: each kind of harm is refused with its own message."""

from __future__ import annotations

import json
import os
import re
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import responder_model as rm
from responder_model.artifact import load_model, save_model
from responder_model.artifact.folder import MAX_BYTES
from responder_model.artifact.manifest import sha256
from responder_model.artifact.strict_json import canonical_json, parse_json
from responder_model.challenger import PARAMETERS, fit_trees
from responder_model.cli.app import app
from responder_model.errors import ResponderModelError, UntrustedModelError
from responder_model.features import Encoder
from responder_model.model import Pool
from responder_model.model.example import example_model
from responder_model.schema import dictionary_text

CASES = Path(__file__).parent / "cases"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(example_model(), tmp_path_factory.mktemp("saved") / "model")


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "model"))


def reforge(folder: Path, **changes: Any) -> None:
    """Write a manifest that agrees with the files: what a forger would do."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    names = [p.name for p in folder.iterdir() if p.name != "manifest.json"]
    manifest["files"] = {n: sha256((folder / n).read_bytes()) for n in names}
    manifest.update(changes)
    manifest.pop("digest", None)
    digest = sha256(canonical_json(manifest))
    data = canonical_json({**manifest, "digest": digest})
    (folder / "manifest.json").write_bytes(data)


def change_model(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Alter model.json and make the manifest agree."""
    document = json.loads((folder / "model.json").read_bytes())
    change(document)
    (folder / "model.json").write_text(json.dumps(document), encoding="utf-8")
    reforge(folder)


def flipped_bytes(folder: Path, places: Callable[[int], Any]) -> None:
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        for place in places(len(data)):
            altered = bytearray(data)
            altered[place] ^= 1 << int(place) % 8
            path.write_bytes(bytes(altered))
            with pytest.raises(UntrustedModelError, match=r"\.(json|toml|md)|must"):
                load_model(folder)
        path.write_bytes(data)
    load_model(folder)


def test_flipped_bytes_of_any_file_are_refused(folder: Path) -> None:
    rng = np.random.default_rng(0)
    flipped_bytes(folder, lambda size: rng.integers(0, size, 40))


def test_every_byte_of_the_manifest_counts(folder: Path) -> None:
    path = folder / "manifest.json"
    data = path.read_bytes()
    for place in range(len(data)):
        altered = bytearray(data)
        altered[place] ^= 4
        path.write_bytes(bytes(altered))
        with pytest.raises(UntrustedModelError, match="must"):
            load_model(folder)


@pytest.mark.long
def test_every_64th_and_1000_random_flipped_bytes_are_refused(folder: Path) -> None:
    flipped_bytes(folder, lambda size: range(0, size, 64))
    rng = np.random.default_rng(1)
    flipped_bytes(folder, lambda size: rng.integers(0, size, 1000))


def test_altered_file_is_refused_by_name(folder: Path) -> None:
    with (folder / "MODEL_CARD.md").open("a") as card:
        card.write(" ")
    message = r"MODEL_CARD\.md must be as it was saved: its SHA-256 differs"
    with pytest.raises(UntrustedModelError, match=message):
        load_model(folder)


def test_respaced_manifest_is_refused(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()), indent=1))
    with pytest.raises(UntrustedModelError, match=r"manifest\.json must be as it was"):
        load_model(folder)


def test_missing_file_is_refused(folder: Path) -> None:
    (folder / "performance.json").unlink()
    message = r"must hold performance\.json: file missing"
    with pytest.raises(UntrustedModelError, match=message):
        load_model(folder)


def test_missing_manifest_is_refused(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    with pytest.raises(UntrustedModelError, match=r"must hold manifest\.json"):
        load_model(folder)


def test_extra_file_is_refused(folder: Path) -> None:
    (folder / "model.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(UntrustedModelError, match=r"files only, got 'model\.pkl"):
        load_model(folder)


def test_known_file_that_is_not_listed_is_refused(folder: Path) -> None:
    (folder / "trees.json").write_text("{}")
    with pytest.raises(UntrustedModelError, match=r"files only, got trees\.json"):
        load_model(folder)


def test_absent_folder_and_file_in_its_place_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UntrustedModelError, match="must be a folder that exists"):
        load_model(tmp_path / "absent")
    (tmp_path / "file").write_text("{}")
    with pytest.raises(UntrustedModelError, match="must be a folder"):
        load_model(tmp_path / "file")


@pytest.mark.parametrize(
    "name", ["../model.json", "/etc/passwd", "..", "a\\b", "C:model.json", "a/b"]
)
def test_paths_in_the_manifest_are_refused(folder: Path, name: str) -> None:
    files = json.loads((folder / "manifest.json").read_bytes())["files"]
    reforge(folder, files={**files, name: "0" * 64})
    with pytest.raises(UntrustedModelError, match="must list plain file names"):
        load_model(folder)


def test_unknown_name_in_the_manifest_is_refused(folder: Path) -> None:
    files = json.loads((folder / "manifest.json").read_bytes())["files"]
    reforge(folder, files={**files, "model.pkl": "0" * 64})
    with pytest.raises(UntrustedModelError, match="list the files of a model only"):
        load_model(folder)


@pytest.mark.parametrize("versions", [None, 5, True, ["python"], {"python": 3}])
def test_versions_that_are_none_are_refused(folder: Path, versions: Any) -> None:
    reforge(folder, versions=versions)
    with pytest.raises(UntrustedModelError, match=r"manifest\.json\.versions"):
        load_model(folder)


def test_manifest_without_the_model_is_refused(folder: Path) -> None:
    files = json.loads((folder / "manifest.json").read_bytes())["files"]
    reforge(folder, files={n: d for n, d in files.items() if n != "model.json"})
    with pytest.raises(UntrustedModelError, match=r"must list model\.json"):
        load_model(folder)


def test_link_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes((folder / "model.json").read_bytes())
    (folder / "model.json").unlink()
    (folder / "model.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UntrustedModelError, match="got a link or another thing"):
        load_model(folder)


def test_pipe_is_refused_without_waiting(folder: Path) -> None:
    (folder / "model.json").unlink()
    os.mkfifo(folder / "model.json")
    with pytest.raises(UntrustedModelError, match="must be a plain file"):
        load_model(folder)


def test_folder_in_place_of_a_file_is_refused(folder: Path) -> None:
    (folder / "model.json").unlink()
    (folder / "model.json").mkdir()
    with pytest.raises(UntrustedModelError, match="must be a plain"):
        load_model(folder)


def test_oversized_file_is_refused_before_it_is_read(folder: Path) -> None:
    with (folder / "model.json").open("r+b") as file:
        file.truncate(MAX_BYTES["model.json"] + 1)
    with pytest.raises(UntrustedModelError, match="must be at most 8388608 bytes"):
        load_model(folder)


def test_sizes_leave_room_for_the_largest_model(trees: bytes, tmp_path: Path) -> None:
    """Many times what is needed, and no more: reading takes 30 times the size."""
    pool = Pool(weight=0.2, offset=0.0, slope=1.0, trees=trees)
    model = example_model(pool=pool)
    six = model.components * 3
    folder = save_model(replace(model, components=six), tmp_path / "model")
    for path in folder.iterdir():
        assert 10 * path.stat().st_size < MAX_BYTES[path.name] <= 2**23


def test_folder_of_a_later_format_asks_for_the_version_that_wrote_it(
    folder: Path,
) -> None:
    reforge(folder, format_version=3)
    with pytest.raises(UntrustedModelError, match="got 3: a later version"):
        load_model(folder)


@pytest.mark.parametrize("version", [None, "2", True, 2.5])
def test_format_version_that_is_no_number_is_refused(
    folder: Path, version: Any
) -> None:
    reforge(folder, format_version=version)
    with pytest.raises(UntrustedModelError, match="must be of format version 2."):
        load_model(folder)


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


def test_other_format_version_of_the_model_is_refused(folder: Path) -> None:
    change_model(folder, lambda d: d.update(format_version=99))
    with pytest.raises(UntrustedModelError, match="model.json must be of format"):
        load_model(folder)


@pytest.mark.parametrize("depth", [40, 5_000, 200_000])
def test_deep_json_is_refused(folder: Path, depth: int) -> None:
    (folder / "performance.json").write_text('{"a":' + "[" * depth + "]" * depth + "}")
    reforge(folder)
    with pytest.raises(UntrustedModelError, match="must not be nested deeper than 32"):
        load_model(folder)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_not_finite_are_refused(folder: Path, number: str) -> None:
    text = (folder / "model.json").read_text(encoding="utf-8")
    start = text.index('"intercept": ') + len('"intercept": ')
    end = text.index(",", start)
    (folder / "model.json").write_text(text[:start] + number + text[end:])
    reforge(folder)
    with pytest.raises(UntrustedModelError, match="must hold finite numbers"):
        load_model(folder)


@pytest.mark.parametrize(
    "text", ["{", "[1, 2", '{"a": 1} {"b": 2}', "", "\ufeff{}", "{'a': 1}"]
)
def test_text_that_is_not_json_is_refused(folder: Path, text: str) -> None:
    (folder / "performance.json").write_text(text, encoding="utf-8")
    reforge(folder)
    with pytest.raises(UntrustedModelError, match="must be JSON in UTF-8"):
        load_model(folder)


def test_bytes_that_are_not_text_are_refused(folder: Path) -> None:
    (folder / "performance.json").write_bytes(b'{"a": "\xff"}')
    reforge(folder)
    with pytest.raises(UntrustedModelError, match="must be JSON in UTF-8"):
        load_model(folder)


def test_huge_integer_is_refused(folder: Path) -> None:
    (folder / "performance.json").write_text('{"a": ' + "9" * 5000 + "}")
    reforge(folder)
    with pytest.raises(UntrustedModelError, match="must be JSON in UTF-8"):
        load_model(folder)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 1}',
        '{"a": 1, "a" : ":"}',
        '{"b": [{"a": 1,\n"a":2}], "c": ": \\": "}',
        '{"b": {"a": {}, "\\u0061": {}}}',
    ],
)
def test_parse_json_refuses_a_key_given_twice_whatever_stands_in_texts(
    text: str,
) -> None:
    with pytest.raises(UntrustedModelError, match="every key once"):
        parse_json(text.encode(), "model.json")


@pytest.mark.parametrize(
    "text",
    ['{"a": ": \\": ", "b": [":", "\\\\"]}', '[{"a": 1}, {"a" : 1}, ":"]', '":"'],
)
def test_parse_json_takes_colons_in_texts(text: str) -> None:
    assert parse_json(text.encode(), "model.json") == json.loads(text)


def test_key_given_twice_is_refused(folder: Path) -> None:
    (folder / "performance.json").write_text('{"c": 0.7, "c": 0.9}')
    reforge(folder)
    with pytest.raises(UntrustedModelError, match="must give every key once"):
        load_model(folder)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("performance.json", "{}", r'{"a": "\ud800"}'),
        ("performance.json", "{}", r'{"\uDFFF": 1}'),
        ("manifest.json", '"name":"', r'"name":"\ud800'),
        ("manifest.json", '"versions":{', r'"versions":{"\ud800":"x",'),
    ],
)
def test_half_a_character_is_refused(
    folder: Path, name: str, old: str, new: str
) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")
    if name != "manifest.json":
        reforge(folder)
    with pytest.raises(UntrustedModelError, match="must be JSON in UTF-8"):
        load_model(folder)


def test_a_character_of_two_halves_is_read(folder: Path) -> None:
    for path in (folder / "model.json", folder / "manifest.json"):
        document = json.loads(path.read_text()) | {"name": "\U0001f600"}
        path.write_text(json.dumps(document))
        assert r"\ud83d\ude00" in path.read_text()
    reforge(folder)
    assert load_model(folder).name == "\U0001f600"


def test_performance_that_is_no_table_is_refused(folder: Path) -> None:
    (folder / "performance.json").write_text("[1]")
    reforge(folder)
    with pytest.raises(UntrustedModelError, match="performance.json must be a table"):
        load_model(folder)


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "unknown entry": (
        lambda d: d.update(code="x"),
        "exactly its own entries, got code",
    ),
    "missing entry": (lambda d: d.pop("limits"), "exactly its own entries, got limits"),
    "short coefficients": (
        lambda d: d["linear"][0]["coefficients"].pop(),
        r"coefficients must have shape",
    ),
    "nested coefficients": (
        lambda d: d["linear"][0].update(coefficients=[[1.0]] * 46),
        r"coefficients must have shape",
    ),
    "text among coefficients": (
        lambda d: d["linear"][0]["coefficients"].__setitem__(0, "1"),
        "coefficients must hold numbers",
    ),
    "short covariance": (
        lambda d: d["linear"][1]["covariance"].pop(),
        "lower triangle of shape",
    ),
    "negative variance": (
        lambda d: d["linear"][1]["covariance"][0].__setitem__(0, -1.0),
        "without negative variance",
    ),
    "unknown cut-off": (
        lambda d: d["linear"][0].update(cut_point=12.0),
        "cut-off of the dictionary",
    ),
    "no main cut-off": (lambda d: d["linear"].pop(1), "served cut-offs must rise"),
    "unknown decision": (
        lambda d: d.update(decision="surgery"),
        "known to the dictionary, got 'surgery'",
    ),
    "unknown moment": (
        lambda d: d.update(moment="later"),
        "known to the dictionary, got 'later'",
    ),
    "unknown provenance": (lambda d: d.update(provenance="real"), "got 'real'"),
    "unknown predictor": (
        lambda d: d["encoder"]["predictors"].__setitem__(0, "shoe_size"),
        "known to the dictionary, got 'shoe_size'",
    ),
    "later predictor": (
        lambda d: d["encoder"]["predictors"].append("relief_1"),
        "known to the dictionary, got 'relief_1'",
    ),
    "disordered predictors": (
        lambda d: d["encoder"]["predictors"].reverse(),
        "in the order of the dictionary",
    ),
    "predictor twice": (
        lambda d: d["encoder"]["predictors"].append("age"),
        "must name everything once",
    ),
    "column of unknown predictor": (
        lambda d: d["encoder"]["columns"][0].update(predictor="shoe_size"),
        "known to the dictionary, got 'shoe_size'",
    ),
    "too many categories": (
        lambda d: d["encoder"]["columns"][1]["weights"].append(1.0),
        r"weights must have shape \(2,\)",
    ),
    "unknown transform": (
        lambda d: d["encoder"]["columns"][0].update(transform="exec"),
        "got 'exec'",
    ),
    "other transform": (
        lambda d: d["encoder"]["columns"][0].update(transform="log"),
        "transform its predictor as the dictionary does",
    ),
    "scale 0": (
        lambda d: d["encoder"]["columns"][0].update(scale=0),
        "have a scale above 0",
    ),
    "column twice": (
        lambda d: d["encoder"]["columns"][1].update(name="age"),
        "each with its own name",
    ),
    "encoder of another moment": (
        lambda d: d["encoder"].update(moment="session_1"),
        "encoder of its own decision and moment",
    ),
    "projection": (
        lambda d: d["encoder"]["projection"].pop(),
        r"projection must have shape",
    ),
    "unknown category": (
        lambda d: d["limits"]["seen"]["aetiology"].update(gout="few"),
        "known to the dictionary, got 'gout'",
    ),
    "absent category": (
        lambda d: d["limits"]["seen"]["aetiology"].pop("amputation"),
        "every category of the dictionary",
    ),
    "limits of an unknown number": (
        lambda d: d["limits"]["numbers"].update(shoe_size=[1, 2]),
        "known to the dictionary, got 'shoe_size'",
    ),
    "crossed bounds": (
        lambda d: d["limits"]["numbers"]["age"].update(usual=[90, 20]),
        "usual bounds within the widest",
    ),
    "unknown pair": (
        lambda d: d["limits"]["never_together"].append(
            ["aetiology", "gout", "pain_site", "face"]
        ),
        "known to the dictionary, got 'gout'",
    ),
    "half a pair": (
        lambda d: d["limits"]["never_together"].append(["aetiology"]),
        "pairs of two predictors",
    ),
    "unknown class": (
        lambda d: d["limits"].update(non_responders="some"),
        "got 'some'",
    ),
    "weight above 1": (
        lambda d: d["components"][0].update(weight=1.5),
        "weight must be a number from 0 to 1",
    ),
    "component too short": (
        lambda d: d["components"][0].update(mean=[0.0]),
        "have cut points and",
    ),
    "negative prior SD": (
        lambda d: d["components"][0]["prior_sd"].__setitem__(0, -1.0),
        "no negative prior SD",
    ),
    "components at one cut-off too few": (
        lambda d: d.update(cut_components=[{"components": d["components"]}]),
        "have components at each",
    ),
    "components of other columns at a cut-off": (
        lambda d: d.update(
            cut_components=[{"components": d["components"]} for _ in d["linear"]]
        ),
        "have components at each cut-off, over all coefficients",
    ),
    "negative information": (
        lambda d: d["missed"]["slopes"].update(information=-1.0),
        "information must be a number from 0",
    ),
    "negative mean variance": (
        lambda d: d.update(mean_variance=-1.0),
        "mean_variance must be a number from 0",
    ),
    "true as number": (
        lambda d: d.update(discrepancy=True),
        "discrepancy must be a number",
    ),
    "fractional count": (
        lambda d: d.update(n_patients=1.5),
        "n_patients must be a whole number",
    ),
    "pool without trees": (
        lambda d: d.update(pool={"weight": 0.5, "offset": 0, "slope": 1}),
        "have no pool when trees.json is absent",
    ),
    "c-statistic as text": (
        lambda d: d["priors"].update(implied_c_statistic="high"),
        "priors must be of its kind",
    ),
    "long name": (lambda d: d.update(name="x" * 3000), "at most 2000 characters"),
    "control characters": (
        lambda d: d.update(name="a\x1b[2Jb"),
        "must be printable text",
    ),
    "name of another model": (
        lambda d: d.update(name="another"),
        "must describe its own model",
    ),
    "more events than patients": (
        lambda d: d.update(n_events=10, n_patients=3),
        "n_events must be a number from 0 to 3",
    ),
    "a number without its column": (
        lambda d: d["encoder"]["columns"][0].update(name="years"),
        "have the columns of age",
    ),
    "a non-responder to no test": (
        lambda d: d["limits"].update(non_responders="few"),
        "where a test precedes, and nowhere else",
    ),
    "crossed distances": (
        lambda d: d["limits"].update(widest_distance=0.0),
        "widest_distance must be a number from",
    ),
    "negative variance beside a large one": (
        lambda d: d["population"]["covariance"].__setitem__(
            slice(2), [[1e12], [0.0, -1e-3]]
        ),
        "without negative variance",
    ),
    "correlation above 1 beside a large variance": (
        lambda d: d["population"]["covariance"].__setitem__(
            slice(3), [[1e12], [0.0, 1e-3], [0.0, 1.0, 1e-3]]
        ),
        "without negative variance",
    ),
    "settings as list": (lambda d: d.update(settings=[]), "settings must be a table"),
    "notes as text": (lambda d: d.update(notes="x"), "notes must be a list"),
    "note as a sentence": (
        lambda d: d.update(notes=["x"]),
        r"notes\[0\] must be a table",
    ),
    "note without a sentence": (
        lambda d: d.update(notes=[{"code": "model.borderline", "values": {}}]),
        "code must be known",
    ),
    "note that lacks a value": (
        lambda d: d.update(notes=[{"code": "development.already_in", "values": {}}]),
        "exactly its own entries, got again, n",
    ),
    "note with text for a count": (
        lambda d: d.update(
            notes=[{"code": "development.repeated_rows", "values": {"n": "<b>"}}]
        ),
        "values.n must be a whole number",
    ),
    "note on a field that is none": (
        lambda d: d.update(
            notes=[{"code": "development.same_in_all", "values": {"fields": ["x"]}}]
        ),
        "be known to the dictionary, got 'x'",
    ),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_forged_model_is_refused(folder: Path, kind: str) -> None:
    change, message = CHANGES[kind]
    change_model(folder, change)
    with pytest.raises(UntrustedModelError, match=message):
        load_model(folder)


def test_forged_implant_model_cannot_hide_its_non_responders(tmp_path: Path) -> None:
    folder = save_model(rm.published_model("emcs_success"), tmp_path / "model")
    load_model(folder)
    change_model(folder, lambda d: d["limits"].update(non_responders=None))
    with pytest.raises(UntrustedModelError, match="where a test precedes, and nowhere"):
        load_model(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p.update(columns=[]), "priors.columns must be of its kind"),
        (
            lambda p: p["columns"].update(relief_test=5),
            "columns.relief_test must be of its kind",
        ),
        (
            lambda p: p["columns"]["relief_test"].update(rows=5),
            "relief_test.rows must be of its kind",
        ),
    ],
    ids=["columns", "column", "rows"],
)
def test_forged_priors_are_refused(
    change: Callable[[dict[str, Any]], Any], message: str, tmp_path: Path
) -> None:
    """What the path to an implant says of its sources is read from them."""
    folder = save_model(rm.published_model("emcs_success"), tmp_path / "model")
    change_model(folder, lambda d: change(d["priors"]))
    with pytest.raises(UntrustedModelError, match=message):
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


@pytest.fixture(scope="module")
def trees() -> bytes:
    cohort = rm.simulate_cohort(n_patients=200, seed=1)
    encoder = Encoder.for_decision("rtms_response", "screening")
    outcome = (cohort["relief_test"].fillna(0) > 30).to_numpy(dtype=float)
    return fit_trees(encoder.raw(cohort), outcome, encoder, seed=0).to_json()


def _booster(document: dict[str, Any]) -> dict[str, Any]:
    booster: dict[str, Any] = document["learner"]["gradient_booster"]["model"]
    return booster


def _tree(document: dict[str, Any]) -> dict[str, Any]:
    """A tree that splits on categories and on numbers."""
    trees: list[dict[str, Any]] = _booster(document)["trees"]
    return next(t for t in trees if 0 < len(t["categories_nodes"]) < 3)


TREE_CHANGES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "no trees": (
        lambda d: _booster(d).update(trees=[]),
        "hold 1 to 10000 trees",
    ),
    "another booster": (
        lambda d: d["learner"]["gradient_booster"].update(name="dart"),
        "be plain boosted trees",
    ),
    "a cycle": (
        lambda d: _tree(d)["left_children"].__setitem__(1, 0),
        "further down only",
    ),
    "a child beyond": (
        lambda d: _tree(d)["left_children"].__setitem__(0, 10**6),
        "further down only",
    ),
    "half a split": (
        lambda d: _tree(d)["left_children"].__setitem__(0, -1),
        "two branches or none",
    ),
    "an unknown predictor": (
        lambda d: _tree(d)["split_indices"].__setitem__(0, 999),
        "the model's predictors only",
    ),
    "a short list": (
        lambda d: _tree(d)["split_conditions"].pop(),
        "describe every node",
    ),
    "a wrong count": (
        lambda d: _tree(d)["tree_param"].update(num_nodes="99"),
        "count the nodes",
    ),
    "lost categories": (
        lambda d: _tree(d)["categories"].clear(),
        "name the categories",
    ),
    "an unknown category": (
        lambda d: _tree(d)["categories"].__setitem__(0, 99),
        "name the categories",
    ),
    "a forgotten split": (
        lambda d: _tree(d)["categories_nodes"].clear(),
        "describe every split on categories",
    ),
    "categories of a number": (
        lambda d: _tree(d)["split_type"].__setitem__(slice(None), [1] * 7),
        "split on categories where the predictor has them",
    ),
    "nobody at a node": (
        lambda d: _tree(d)["sum_hessian"].__setitem__(slice(None), [0.0] * 7),
        "have patients at each node",
    ),
    "a huge threshold": (
        lambda d: _tree(d)["split_conditions"].__setitem__(0, 1e300),
        "numbers of single precision",
    ),
    "a certain outcome": (
        lambda d: d["learner"]["learner_model_param"].update(base_score="[1E0]"),
        "log-odds of a yes/no outcome",
    ),
    "an odd default": (
        lambda d: _tree(d)["default_left"].__setitem__(0, 7),
        "where missing values go",
    ),
    "no structure": (lambda d: d.pop("learner"), "structure of XGBoost's JSON"),
    "several outcomes": (
        lambda d: d["learner"]["gradient_booster"]["model"]["tree_info"].__setitem__(
            0, 3
        ),
        "predict one outcome",
    ),
}


def test_trees_deeper_than_ours_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would go to XGBoost's own reader, which a forged file can crash."""
    monkeypatch.setitem(PARAMETERS, "max_depth", 3)
    encoder = example_model().encoder
    raw = encoder.raw(rm.simulate_cohort(n_patients=200, seed=1))
    outcome = (np.nan_to_num(raw).sum(axis=1) % 20 > 10).astype(float)
    deep = fit_trees(raw, outcome, encoder, seed=0).to_json()
    pool = Pool(weight=0.2, offset=0.0, slope=1.0, trees=deep)
    with pytest.raises(ResponderModelError, match="at most 3 decisions in each tree"):
        save_model(example_model(pool=pool), tmp_path / "model")


@pytest.mark.parametrize("kind", TREE_CHANGES)
def test_forged_trees_are_refused(kind: str, trees: bytes, tmp_path: Path) -> None:
    pool = Pool(weight=0.2, offset=0.0, slope=1.0, trees=trees)
    folder = save_model(example_model(pool=pool), tmp_path / "model")
    load_model(folder)
    change, message = TREE_CHANGES[kind]
    document = json.loads(trees)
    change(document)
    (folder / "trees.json").write_text(json.dumps(document))
    reforge(folder)
    with pytest.raises(UntrustedModelError, match=message):
        load_model(folder)


def test_trees_without_a_pool_are_refused(folder: Path, trees: bytes) -> None:
    (folder / "trees.json").write_bytes(trees)
    reforge(folder)
    with pytest.raises(UntrustedModelError, match="have a pool when trees.json"):
        load_model(folder)


@pytest.mark.parametrize("name", ["model.json", "trees.json"])
@pytest.mark.parametrize("seed", range(2))
def test_forged_json_gives_a_model_or_a_refusal(
    name: str, seed: int, trees: bytes, tmp_path: Path
) -> None:
    """Values of the wrong kind anywhere never raise anything but our own error."""
    rng = np.random.default_rng(seed)
    pool = Pool(weight=0.2, offset=0.0, slope=1.0, trees=trees)
    folder = save_model(example_model(pool=pool), tmp_path / "model")
    original = (folder / name).read_bytes()
    wrong: list[Any] = [None, [], {}, "x", -1, 1e308, True, [[]], 0]
    for _ in range(25):
        document = json.loads(original)
        node, key = document, str(rng.choice(list(document)))
        while isinstance(node[key], dict | list) and node[key] and rng.random() < 0.85:
            node = node[key]
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            key = keys[rng.integers(0, len(keys))]
        node[key] = wrong[rng.integers(0, len(wrong))]
        (folder / name).write_text(json.dumps(document))
        reforge(folder)
        try:
            found = load_model(folder).predict({"age": 54}).probability
        except UntrustedModelError:
            continue
        assert 0 <= found <= 1
