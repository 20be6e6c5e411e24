"""Nothing that was planted in a cohort is found in its store or its runs."""

from __future__ import annotations

import re
import sqlite3
import zipfile
from contextlib import closing
from io import BytesIO

import numpy as np
import pytest
from typer.testing import CliRunner

import responder_model as rm
from responder_model.cli.app import app

# MLflow and SQLAlchemy warn about themselves.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
TARGET = "rtms_response@session_1"
# Numbers that no aggregate has by chance: six decimals, a pattern of their own.
PLANTED = ("age", "pain_duration", "pain_intensity", "depression", "relief_1")


def planted_cohort(*, n_patients, seed, path):
    """Write a cohort of recognisable patients; the texts that identify them."""
    cohort = rm.simulate_cohort(n_patients=n_patients, seed=seed)
    rng = np.random.default_rng(seed)
    names = [f"Zyx-{seed}-{k:03d}-Quibble" for k in range(n_patients)]
    cohort["patient_id"] = names
    texts = set(names)
    for name in PLANTED:
        known = cohort[name].notna()
        lowest, highest = cohort[name].min() + 1, cohort[name].max() - 1
        values = rng.uniform(lowest, highest, n_patients).round(6)
        if name == "relief_1":  # a few below 1 would be asked about as fractions
            values = np.where(np.abs(values) < 1, values + 2, values).round(6)
        cohort.loc[known, name] = values[known]
        texts |= {f"{value:.6f}".rstrip("0") for value in values[known]}
    # columns that the dictionary does not know: a date and a name
    cohort["born"] = [
        f"19{40 + k % 50}-0{1 + k % 9}-2{k % 9}" for k in range(n_patients)
    ]
    cohort["surname"] = [f"Quux{k}vanDerPlanted" for k in range(n_patients)]
    texts |= set(cohort["born"]) | set(cohort["surname"])
    cohort.to_csv(path, index=False)
    return {text for text in texts if len(text) > 7}


def everything(place):
    """Every cell of every table, and every byte of every other file, by name."""
    for path in place.rglob("*"):
        if path.suffix == ".db":
            yield from cells(path)
        elif path.is_file():
            yield str(path), path.read_bytes()
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(BytesIO(path.read_bytes())) as packed:
                    for name in packed.namelist():
                        yield f"{path}/{name}", packed.read(name)


def cells(path):
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
        for (table,) in tables.fetchall():
            for row in connection.execute(f"SELECT * FROM {table}"):  # noqa: S608
                yield f"{path}:{table}", "\n".join(map(str, row)).encode()


@pytest.fixture(scope="module")
def told(tmp_path_factory, new_store):
    """What must not be in a store after develop, validate, report, update; its data."""
    home = tmp_path_factory.mktemp("planted")
    store, data = home / "store", home / "data"
    store.mkdir()
    data.mkdir()
    secrets = set()
    for name, n, seed in (("c", 60, 3), ("north", 50, 4), ("new", 40, 5)):
        path = data / f"{name}.csv"
        secrets |= planted_cohort(n_patients=n, seed=seed, path=path)
    uri = ["--tracking-uri", new_store(store)]
    model, newer = str(data / "m"), str(data / "newer")
    commands = (
        ["develop", str(data / "c.csv"), TARGET, "--out", model],
        ["validate", model, str(data / "north.csv")],
        ["validate", model, str(data / "north.csv"), "--design", "by_subgroup"],
        ["validate", model, str(data / "c.csv"), "--internal", "--resamples", "3"],
        ["report", model, "--cohort", str(data / "c.csv"), "--resamples", "3"]
        + ["--out", str(data / "report")],
        ["update", model, str(data / "new.csv"), "--out", newer],
    )
    for words in commands:
        done = CliRunner().invoke(app, [*words, *uri])
        assert done.exit_code == 0, done.output
    return secrets, dict(merged(everything(store)))


def merged(found):
    texts = {}
    for name, data in found:
        texts[name] = texts.get(name, b"") + b"\n" + data
    return texts


def test_no_table_and_no_file_of_a_store_holds_a_planted_value(told):
    secrets, found = told
    assert len(secrets) > 500
    assert len(found) > 50
    leaks = [
        (secret, name)
        for name, data in found.items()
        for secret in secrets
        if is_there(secret, data)
    ]
    assert leaks == []


def is_there(secret, data):
    """Whether a text, or a number that is no part of a longer one, is somewhere."""
    if secret.encode() not in data:
        return False
    whole = rb"(?<![\d.])" + re.escape(secret).encode() + rb"(?![\d])"
    return re.search(whole, data) is not None


def test_the_search_finds_what_is_planted_in_a_store(told, tmp_path):
    secrets, _ = told
    secret = sorted(secrets)[0]
    (tmp_path / "values.json").write_text(f'{{"x": "{secret}"}}')
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as connection, connection:
        connection.execute("CREATE TABLE tags (value TEXT)")
        connection.execute("INSERT INTO tags VALUES (?)", (secret,))
    found = [data for _, data in everything(tmp_path)]
    assert sum(is_there(secret, data) for data in found) == 2
