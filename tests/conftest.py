"""What every test shares."""

from __future__ import annotations

import os
import tempfile

import pytest

# Before any test imports them: no window, no telemetry.
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# The key of a centre that nobody else knows; workers of one run share it.
os.environ.setdefault("RESPONDER_MODEL_CENTRE_FOLDER", tempfile.mkdtemp())


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With CI=true a test skipped for an absent tool is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") != "true" or reporter is None:
        return
    skipped = reporter.stats.get("skipped", [])
    if skipped:
        reporter.write_line(f"CI=true: {len(skipped)} skipped tests count as failed.")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
