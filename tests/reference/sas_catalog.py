"""Write a data set of SAS and the catalog of its formats, by ReadStat's own writer.

    python tests/reference/sas_catalog.py tests/cases

pyreadstat 1.3.7 holds the whole of ReadStat but writes no catalogs from Python, so its
functions are called by name.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import pyreadstat

DOUBLE = 5
FORMATS = {"SEXF": {1: "femme", 2: "homme"}, "OUINON": {1: "non", 2: "oui"}}
# name, format, values; formats of SAS are written with a point
COLUMNS = [
    ("age", "", [54.0, 61.0, 47.0]),
    ("sex", "SEXF", [1.0, 2.0, 2.0]),
    ("opioid", "OUINON", [2.0, 1.0, 2.0]),
    ("relief_1", "", [30.0, 10.0, 20.0]),
]


def library() -> ctypes.CDLL:
    """ReadStat inside pyreadstat."""
    (found,) = Path(pyreadstat.__file__).parent.glob("_readstat_writer*.so")
    found = ctypes.CDLL(str(found))
    for name in ("writer_init", "add_label_set", "add_variable"):
        getattr(found, f"readstat_{name}").restype = ctypes.c_void_p
    return found


SINK = ctypes.CFUNCTYPE(
    ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p
)


def written(path: Path, fill) -> None:  # noqa: ANN001 - a script
    """Let a function fill a file through a writer."""
    stat, pieces = library(), []

    @SINK
    def sink(data: int, length: int, _: int) -> int:
        pieces.append(ctypes.string_at(data, length))
        return length

    writer = ctypes.c_void_p(stat.readstat_writer_init())
    stat.readstat_set_data_writer(writer, sink)
    fill(stat, writer)
    error = stat.readstat_end_writing(writer)
    if error:
        msg = f"{path}: ReadStat's error {error}"
        raise SystemExit(msg)
    path.write_bytes(b"".join(pieces))


def catalog(stat: ctypes.CDLL, writer: ctypes.c_void_p) -> None:
    """Fill a catalog with the formats."""
    for name, labels in FORMATS.items():
        group = stat.readstat_add_label_set(writer, DOUBLE, name.encode())
        group = ctypes.c_void_p(group)
        for code, label in labels.items():
            stat.readstat_label_double_value(
                group, ctypes.c_double(code), label.encode()
            )
    stat.readstat_begin_writing_sas7bcat(writer, None)


def data_set(stat: ctypes.CDLL, writer: ctypes.c_void_p) -> None:
    """Fill a data set with the columns."""
    variables = []
    for name, form, _ in COLUMNS:
        made = stat.readstat_add_variable(
            writer, name.encode(), DOUBLE, ctypes.c_size_t(0)
        )
        variables.append(ctypes.c_void_p(made))
        if form:
            stat.readstat_variable_set_format(variables[-1], form.encode())
    n_rows = len(COLUMNS[0][2])
    stat.readstat_begin_writing_sas7bdat(writer, None, ctypes.c_long(n_rows))
    for row in range(n_rows):
        stat.readstat_begin_row(writer)
        for variable, (_, _, values) in zip(variables, COLUMNS, strict=True):
            stat.readstat_insert_double_value(
                writer, variable, ctypes.c_double(values[row])
            )
        stat.readstat_end_row(writer)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    written(folder / "coded.sas7bcat", catalog)
    written(folder / "coded.sas7bdat", data_set)
