"""Open a file of patients: its kind is told by its content, never by its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from zipfile import ZipFile

from responder_model.words import Note
from .data_dictionary import Declared, read_dictionary
from .redcap import by_record, is_castor, is_redcap, refuse_labels, without_castor_codes
from .table import Source, refused_when_broken, unreadable
from .text import open_text
from .visits import refuse_visits, widened

_AS_TABLE = Note("formats.table_saved")
_EXPORTED = Note("formats.exported")
# What the first bytes of a file tell of its kind.
_TRANSPORT = b"HEADER RECORD*******LIB"
_SAS = bytes(12) + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf\xbd\x92\x08\x00\x09\xc7\x31\x8c"
_CATALOG = _SAS.replace(b"\x81\x60", b"\x81\x63")
_PACKED_BY_R = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")
_R = (
    *(b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n", b"X\n\0\0\0"),
    *(b"A\n2\n", b"A\n3\n", b"B\n\2\0", b"B\n\3\0"),
)
# Kinds that are known and not read: what they are, and the way out.
_REFUSED = {
    b"\xd0\xcf\x11\xe0": (Note("formats.xls"), Note("formats.as_open_xlsx")),
    b"%PDF": (Note("formats.pdf"), Note("formats.table_behind")),
    b"<?xml": (Note("formats.xml"), _EXPORTED),
    b"<ODM": (Note("formats.odm"), _EXPORTED),
    b"<html": (Note("formats.web_page"), _AS_TABLE),
    b"<table": (Note("formats.web_page"), _AS_TABLE),
    b"{\\rtf": (Note("formats.document"), _AS_TABLE),
    b"**COMPRESSED** **COMPRESSED**": (Note("formats.cport"), Note("formats.as_xport")),
    _CATALOG: (Note("formats.catalog"), Note("formats.catalog_beside")),
    b"SQLite format 3": (Note("formats.database"), _EXPORTED),
    b"ARROW1": (Note("formats.feather"), Note("formats.as_parquet")),
    b"ASCII SPSS PORT FILE": (Note("formats.portable"), Note("formats.as_sav")),
}
_LONGEST_MARK = 64
# Stata before version 13: version, byte order, 1, 0.
_OLD_STATA = re.compile(rb"[\x66-\x73][\x01\x02]\x01[\x00-\xff]")


def open_file(
    path: str | PathLike[str],
    *,
    sheet: str | None = None,
    long: tuple[str, str] | None = None,
    data_dictionary: str | PathLike[str] | None = None,
    fields: Mapping[str, str] = MappingProxyType({}),
) -> Source:
    """Open a file of patients, of whatever kind.

    Parameters
    ----------
    path : path-like
        The file.
    sheet : str, optional
        Sheet of a workbook to read; by default the first visible one that fits.
    long : (str, str), optional
        Headings of a column that numbers visits and of what is measured at each, in a
        file with a line for each visit, of which one line per patient is made.
    data_dictionary : path-like, optional
        What the file's codes mean: of the REDCap project that it is an export of, or
        the catalog of formats (.sas7bcat) of a data set of SAS.
    fields : mapping of str to str, optional
        Field by the normal form of a heading where it is stated; "" for none.

    Raises
    ------
    InvalidCohortError
        When the file cannot be read as a table, or a sheet is named of a file that has
        none.
    """
    path = Path(path)
    with refused_when_broken():
        check_is_file(path)
        words = Path(data_dictionary) if data_dictionary else None
        catalog = words if words and _start(words).startswith(_CATALOG) else None
        declared = read_dictionary(words) if words and not catalog else {}
        opened = _open(path, sheet, catalog)
        if sheet is not None and opened.sheet is None:
            raise unreadable(Note("formats.no_sheets"), Note("formats.a_workbook"))
        by_patient = _by_patient(opened, long, declared, fields)
        return replace(by_patient, sheet=opened.sheet)


def _by_patient(
    source: Source,
    long: tuple[str, str] | None,
    declared: Mapping[str, Declared],
    fields: Mapping[str, str],
) -> Source:
    """Make one line per patient of files that have several."""
    refuse_labels(source.header)
    if is_castor(source.header):
        source = without_castor_codes(source)
    if long is not None:
        return widened(source, *long, fields)
    if is_redcap(source.header) or declared:
        return by_record(source, declared)
    refuse_visits(source, fields)
    return source


def _packed(path: Path) -> Callable[..., Source]:
    """Reader of a packed file, by what it holds."""
    with ZipFile(path) as archive:
        names = set(archive.namelist())
        kind = archive.read("mimetype") if "mimetype" in names else b""
    if "xl/workbook.bin" in names:
        raise unreadable(Note("formats.xlsb"), Note("formats.as_xlsx"))
    if any(name.startswith("xl/") for name in names):
        return _excel
    if b"opendocument.spreadsheet" in kind:
        return _document
    if "content.xml" in names or "word/document.xml" in names:
        raise unreadable(Note("formats.document"), _AS_TABLE)
    raise unreadable(Note("formats.zip"), Note("formats.unpacked"))


def check_is_file(path: Path) -> None:
    """Refuse what cannot be read twice, and may never end.

    Raises
    ------
    InvalidCohortError
        For a path that leads nowhere, a folder, a pipe or a device.
    """
    if not path.is_file():
        found = Note("formats.no_file" if path.exists() else "system.ENOENT")
        raise unreadable(found)


def _start(path: Path) -> bytes:
    """First bytes of a file, of none where it cannot be read."""
    with suppress(OSError), path.open("rb") as file:
        return file.read(_LONGEST_MARK)
    return b""


def _open(path: Path, sheet: str | None, catalog: Path | None) -> Source:
    with path.open("rb") as file:
        start = file.read(_LONGEST_MARK)
    if start.startswith(_SAS):
        return _sas(path, catalog)
    if catalog is not None:
        raise unreadable(
            found=Note("formats.catalog"), allowed=Note("formats.catalog_beside")
        )
    for mark, reader in _READERS.items():
        if start.startswith(mark):
            return reader(path)
    if _OLD_STATA.match(start):
        return _stata(path)
    if start.startswith(b"PK\x03\x04"):
        return _packed(path)(path, sheet)
    for mark, (found, allowed) in _REFUSED.items():
        if start.startswith(mark):
            raise unreadable(found, allowed)
    return open_text(path)


# ---------------------------------------------------------------- readers, when needed


def _parquet(path: Path) -> Source:
    from .parquet import open_parquet

    return open_parquet(path)


def _spss(path: Path) -> Source:
    from .statistical import open_spss

    return open_spss(path)


def _stata(path: Path) -> Source:
    from .statistical import open_stata

    return open_stata(path)


def _transport(path: Path) -> Source:
    from .statistical import open_transport

    return open_transport(path)


def _sas(path: Path, catalog: Path | None) -> Source:
    from .statistical import open_sas

    return open_sas(path, catalog)


def _r(path: Path) -> Source:
    from .r_objects import open_r

    return open_r(path)


def _excel(path: Path, sheet: str | None) -> Source:
    from .excel import open_excel

    return open_excel(path, sheet)


def _document(path: Path, sheet: str | None) -> Source:
    from .opendocument import open_document

    return open_document(path, sheet)


_READERS: dict[bytes, Callable[[Path], Source]] = {
    b"PAR1": _parquet,
    b"$FL2": _spss,
    b"$FL3": _spss,
    b"<stata_dta>": _stata,
    _TRANSPORT: _transport,
    **dict.fromkeys((*_PACKED_BY_R, *_R), _r),
}
