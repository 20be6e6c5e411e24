"""Model folders from outside: each kind of harm is refused with its own message."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forging import change_model, reforge
from responder_model.artifact import load_model, save_model
from responder_model.artifact.folder import MAX_BYTES
from responder_model.artifact.strict_json import parse_json
from responder_model.errors import UntrustedModelError
from responder_model.model.example import example_model


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(example_model(), tmp_path_factory.mktemp("saved") / "model")


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "model"))


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
