"""Which software made a table: its version, and a digest of its sources."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

import pandas as pd

import responder_model


@cache
def software() -> str:
    """Version of the package, and the first digits of a digest of all its files."""
    root = Path(responder_model.__file__).parent
    found = sha256()
    for path in sorted(root.rglob("*")):
        if path.suffix in (".py", ".toml"):
            found.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return f"responder_model {responder_model.__version__}, {found.hexdigest()[:12]}"


def stamped(table: pd.DataFrame) -> pd.DataFrame:
    """Table with the software in its last column, so that an old one shows."""
    return table.assign(software=software())
