"""Files as hospitals have them, of any format, read as one plain table."""

from .opening import check_is_file, open_file
from .table import TEXT_DTYPE, Doubt, Part, Source, Table, quoted, unreadable
from .variables import Labelled

__all__ = [
    "TEXT_DTYPE",
    "Doubt",
    "Labelled",
    "Part",
    "Source",
    "Table",
    "check_is_file",
    "open_file",
    "quoted",
    "unreadable",
]
