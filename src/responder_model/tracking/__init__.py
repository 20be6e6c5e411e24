"""MLflow tracking: the only place that imports mlflow.

No telemetry, no network unless a server is named: by default runs go to an SQLite file
with the artifacts beside it. Needs the extra ``tracking``.
"""

from importlib.util import find_spec

from responder_model.errors import MissingExtraError

if find_spec("mlflow") is None:
    raise MissingExtraError(library="mlflow", extra="tracking")

from .address import (
    chosen_tracking_uri,
    is_outside,
    local_tracking_uri,
    settings_notes,
    shown_uri,
)
from .cache import CACHE_FOLDER, Fetched, fetch
from .evaluation import end_killed_runs, find_run, log_evaluation
from .fingerprint import cohort_digest
from .log import TrackedRun, log_development
from .reference import Reference, is_reference, read_reference
from .registry import Version, register_run
from .signature import served_columns
from .store import check_store, keep_files_at

__all__ = [
    "CACHE_FOLDER",
    "Fetched",
    "Reference",
    "TrackedRun",
    "Version",
    "check_store",
    "chosen_tracking_uri",
    "cohort_digest",
    "end_killed_runs",
    "fetch",
    "find_run",
    "is_outside",
    "is_reference",
    "keep_files_at",
    "local_tracking_uri",
    "log_development",
    "log_evaluation",
    "read_reference",
    "register_run",
    "served_columns",
    "settings_notes",
    "shown_uri",
]
