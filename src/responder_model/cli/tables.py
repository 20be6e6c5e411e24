"""Tables as files, of the kind that the name says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from responder_model.outputs import check_ending

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".parquet", ".xlsx")


def check_table_path(path: Path) -> Path:
    """Return a path whose suffix names a format that can be written."""
    check_ending(path, SUFFIXES, argument="--out")
    return path


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV, Parquet or XLSX, by the suffix of the path."""
    suffix = check_table_path(path).suffix.lower()
    if suffix == ".csv":
        table.to_csv(path, index=False)
    elif suffix == ".parquet":
        table.to_parquet(path, index=False)
    else:
        table.to_excel(path, index=False)
