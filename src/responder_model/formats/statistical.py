"""Files of SPSS, Stata and SAS, by ReadStat: labels as words, missing by reason."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from responder_model.errors import InvalidCohortError, MissingExtraError
from .table import Source, unreadable
from .variables import (
    Range,
    Show,
    Variable,
    most_cells,
    number_cells,
    of_values,
    reason,
    show_moment,
    source_of_variables,
    text_cells,
    too_large,
    without_codes,
)

_SCRIPT = Path(__file__).with_name("readstat.py")
# SPSS counts seconds from the Gregorian calendar, SAS and Stata from 1960.
_SPSS_START, _START = datetime(1582, 10, 14), datetime(1960, 1, 1)
_SPSS_DATE = re.compile(r"(?:[AEJS]?DATE|QYR|MOYR|WKYR|DATETIME|YMDHMS)[\d.]*")
_SPSS_TIME = re.compile(r"[DM]?TIME[\d.]*")
_SAS_MOMENT = re.compile(r"(?:DATETIME|DATEAMPM|NLDATM|DT|[BE]8601D[TNXZ])[A-Z]*[\d.]*")
_SAS_TIME = re.compile(r"(?:TIME|HHMM|HOUR|MMSS|TOD|NLTIM|[BE]8601T)[A-Z]*[\d.]*")
_SAS_DATE = re.compile(
    r"(?:DATE|DAY|DDMMYY|MMDDYY|YYMMDD|MMYY|MON|YYMM|YYQ|YEAR|QTR|JUL|JULIAN|WEEK|WORD|"
    r"EUR|NLDAT|[BE]8601DA)[A-Z]*[\d.]*"
)
# What shows a number with zeros before it: SPSS N8, SAS Z8., Stata %08.0f.
_PADDED = re.compile(r"(?:[NZ]|%-?0)(\d+)(?:\.0?f?)?")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How files of one package are read."""

    reader: str
    missing: bool
    show: Callable[[str], Show | None]
    rows: int = 12_500  # read first; 0 for all, where rows are slow to skip


def open_spss(path: Path) -> Source:
    """Open a file of SPSS, compressed or not."""
    return _open(path, SPSS)


def open_stata(path: Path) -> Source:
    """Open a file of Stata."""
    return _open(path, STATA)


def open_transport(path: Path) -> Source:
    """Open a transport file of SAS, version 5 or 8."""
    return _open(path, TRANSPORT)


def open_sas(path: Path, catalog: Path | None = None) -> Source:
    """Open a data set of SAS, with the catalog that says what its codes mean."""
    return _open(path, SAS, catalog)


def _open(path: Path, kind: Kind, catalog: Path | None = None) -> Source:
    with reading() as read:
        return read(path, kind, catalog)


@contextmanager
def reading() -> Iterator[Callable[..., Source]]:
    """Start what reads files of packages; if one brings it down, it starts anew."""
    if find_spec("pyreadstat") is None:
        raise MissingExtraError(library="pyreadstat", extra="formats")
    process = _started()

    def read(path: Path, kind: Kind, catalog: Path | None = None) -> Source:
        nonlocal process
        try:
            return _read(process, path, kind, catalog)
        except Exception as error:
            if process.poll() is not None or not isinstance(error, InvalidCohortError):
                _ended(process)
                process = _started()
            raise

    try:
        yield read
    finally:
        _ended(process)


def _started() -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-I", str(_SCRIPT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    with suppress(OSError):  # what was not written yet
        process.communicate()


def _read(
    process: subprocess.Popen[bytes], path: Path, kind: Kind, catalog: Path | None
) -> Source:
    """Read one file through the process; without an answer the file is broken."""
    request = {
        "path": str(path.resolve()),
        "reader": kind.reader,
        "missing": kind.missing,
        "rows": kind.rows,
        "most": most_cells(path.stat().st_size),
        "catalog": None if catalog is None else str(catalog.resolve()),
    }
    to, out = process.stdin, process.stdout
    if to is None or out is None:
        raise unreadable()
    to.write(json.dumps(request).encode() + b"\n")
    to.flush()
    variables = _line(out)["variables"]
    cells = pa.ipc.open_stream(out).read_all()
    found = _line(out)["tags"]
    return source_of_variables(
        [
            _variable(about, column, Counter(tags), kind)
            for about, column, tags in zip(variables, cells.columns, found, strict=True)
        ]
    )


def _line(out: IO[bytes]) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(out.readline())
    if "too_large" in line:
        raise too_large()
    if "broken" in line:
        raise unreadable()
    return line


def _variable(
    about: Mapping[str, Any],
    column: pa.ChunkedArray,
    tags: Mapping[str, int],
    kind: Kind,
) -> Variable:
    """One variable, of what the process says of it and its cells."""
    ranges = [(low, high) for low, high in about["ranges"]]
    labels = dict(about["labels"])
    reasons = Counter({reason(f".{t}", labels.get(t)): n for t, n in tags.items()})
    if about["kind"] == "string":
        if ranges or labels:
            texts = column.to_pylist()
            texts = [_known_text(text, ranges, labels, reasons) for text in texts]
            cells = text_cells(texts, labels)
        else:
            cells = column.to_pandas()
    else:
        numbers = column.to_numpy()
        if about["kind"] == "float":
            numbers = _as_written(numbers)
        numbers = without_codes(numbers, ranges, labels, reasons)
        show = kind.show(about["form"])
        cells = number_cells(numbers, of_values(labels, ranges), show)
    return Variable(
        name=about["name"], label=about["label"], cells=cells, reasons=reasons
    )


# ---------------------------------------------------------------- missing by reason


def _known_text(
    text: str | None,
    ranges: list[Range],
    labels: Mapping[Any, str],
    reasons: Counter[str],
) -> str | None:
    if text and any(text.strip() == str(low).strip() for low, _ in ranges):
        reasons[reason(text.strip(), labels.get(text))] += 1
        return None
    return text


def _as_written(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Numbers of single precision as people wrote them: 30.1, not 30.1000003815."""
    fractions = np.isfinite(numbers) & (numbers != np.floor(numbers))
    written = [float(str(np.float32(number))) for number in numbers[fractions]]
    numbers = numbers.copy()
    numbers[fractions] = written
    return numbers


# ---------------------------------------------------------------- as it is shown


def _shown_by_spss(form: str) -> Show | None:
    if _SPSS_DATE.fullmatch(form):
        return partial(show_moment, start=_SPSS_START, unit=1.0)
    if _SPSS_TIME.fullmatch(form):
        return _duration
    return _padded(form)


def _shown_by_stata(form: str) -> Show | None:
    kind = form.lstrip("%-")
    if kind.startswith(("td", "d")):
        return partial(show_moment, start=_START, unit=86_400.0)
    if kind.startswith(("tc", "tC")):
        return partial(show_moment, start=_START, unit=0.001)
    if kind.startswith("t"):  # weeks, months, quarters, years
        return partial(_counted, form=form)
    return _padded(form)


def _shown_by_sas(form: str) -> Show | None:
    if _SAS_MOMENT.fullmatch(form):
        return partial(show_moment, start=_START, unit=1.0)
    if _SAS_TIME.fullmatch(form):
        return _duration
    if _SAS_DATE.fullmatch(form):
        return partial(show_moment, start=_START, unit=86_400.0)
    return _padded(form)


def _padded(form: str) -> Show | None:
    found = _PADDED.fullmatch(form)
    return partial(_with_zeros, width=int(found[1])) if found else None


def _with_zeros(number: float, *, width: int) -> str:
    return f"{number:0{min(width, 40)}.0f}" if number.is_integer() else f"{number:.15g}"


def _duration(number: float) -> str:
    minutes, seconds = divmod(number, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:.0f}:{minutes:02.0f}:{seconds:02.0f}"


def _counted(number: float, *, form: str) -> str:
    return f"{number:g} as {form}"


SPSS = Kind(reader="read_sav", missing=True, show=_shown_by_spss)
STATA = Kind(reader="read_dta", missing=True, show=_shown_by_stata)
SAS = Kind(reader="read_sas7bdat", missing=True, show=_shown_by_sas)
TRANSPORT = Kind(reader="read_xport", missing=False, show=_shown_by_sas, rows=0)
