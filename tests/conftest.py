"""What every test shares."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

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
    """Files of few tests first: theirs are long, and no worker waits for them alone."""
    n_tests = Counter(item.path for item in items)
    items.sort(key=lambda item: n_tests[item.path])


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
