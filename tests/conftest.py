"""What every test shares."""

from __future__ import annotations

import csv
import gc
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

# What the files that take longest took, when it was measured last.
SECONDS = Path(__file__).with_name("seconds.csv")
# What collection makes stays to the end: searching it for garbage took a third of it.
gc.disable()
# Before any test imports them: no window, no telemetry.
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# The key of a centre that nobody else knows; each worker of a run is a centre of its
# own, since what one releases is no concern of the other.
_CENTRE = tempfile.TemporaryDirectory()
os.environ["RESPONDER_MODEL_CENTRE_FOLDER"] = _CENTRE.name
os.environ["RESPONDER_MODEL_CACHE_FOLDER"] = f"{_CENTRE.name}/fetched"


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow store without a run; its tables take seconds to make."""
    from mlflow.store.db import utils

    from responder_model.tracking.store import opened

    # the newest of MLflow's own migrations: read once, not for every store
    utils._get_latest_schema_revision = cache(utils._get_latest_schema_revision)
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent  # whoever comes second waits for the first
    path = place / "mlflow.db"
    with opened(f"sqlite:///{path}") as client:
        client.search_experiments()
    return path


@pytest.fixture(scope="session")
def new_store(empty_store: Path) -> Callable[[Path], str]:
    """Give a directory a store as MLflow makes it; return its address."""

    def copy(directory: Path) -> str:
        return f"sqlite:///{shutil.copy(empty_store, directory / empty_store.name)}"

    return copy


@pytest.fixture(autouse=True)
def _nothing_has_left_the_centre() -> Iterator[None]:
    """What one test releases is no concern of the next."""
    released = Path(os.environ["RESPONDER_MODEL_CENTRE_FOLDER"]) / "released.jsonl"
    yield
    released.unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def _no_store_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow's own calls leave settings behind, which this package heeds."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_RUN_ID"):
        monkeypatch.delenv(name, raising=False)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take longest first, so that no worker waits for one of them alone."""
    with SECONDS.open(encoding="utf-8") as file:
        known = {row["file"]: float(row["seconds"]) for row in csv.DictReader(file)}
    items.sort(key=lambda item: -known.get(file_of(item.nodeid), 0.0))


def pytest_collection_finish() -> None:
    """From here on, what is left behind is looked for, in what is new alone."""
    gc.freeze()
    gc.enable()


def file_of(nodeid: str) -> str:
    """File of a test, as the record of seconds names it."""
    return nodeid.partition("::")[0]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Write anew what each file took, where that is asked for: ``make seconds``."""
    if "RECORD_SECONDS" not in os.environ:
        return
    took: Counter[str] = Counter()
    for report in chain.from_iterable(terminalreporter.stats.values()):
        if isinstance(report, pytest.TestReport):
            took[file_of(report.nodeid)] += report.duration
    rows = [f"{name},{took[name]:.1f}" for name in sorted(took) if took[name] >= 1.0]
    SECONDS.write_text("\n".join(["file,seconds", *rows, ""]), encoding="utf-8")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With CI=true a test skipped for an absent tool is a failure.

    Not for a system package that only root can install, where nobody is root.
    """
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") != "true" or reporter is None:
        return
    skipped = reporter.stats.get("skipped", [])
    if os.geteuid() != 0:
        skipped = [s for s in skipped if "is not installed" not in str(s.longrepr)]
    if skipped:
        reporter.write_line(f"CI=true: {len(skipped)} skipped tests count as failed.")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
