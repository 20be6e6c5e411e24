"""How words that people write are read: column names, categories, yes/no, numbers.

One value of one field is read here, for a cohort's cell and for a single patient
alike. Imports neither pandas nor any other heavy library.
"""

from .heading import Heading, column_heading, heading_of_file
from .headings import find_field, find_heading, likely_fields, rival_fields, says_more
from .identity import PSEUDONYM, are_births, are_names, names_person
from .languages import check_language
from .text import as_word, is_formula, normalise, show
from .units import factor, own_unit, unit_named
from .values import (
    CASTOR_MARK,
    INVALID,
    MISSING_MARKS,
    YES_NO,
    Cell,
    choices,
    is_allowed,
    is_missing,
    may_be_fraction,
    read_value,
)

__all__ = [
    "CASTOR_MARK",
    "INVALID",
    "MISSING_MARKS",
    "PSEUDONYM",
    "YES_NO",
    "Cell",
    "Heading",
    "are_births",
    "are_names",
    "as_word",
    "check_language",
    "choices",
    "column_heading",
    "heading_of_file",
    "factor",
    "find_field",
    "find_heading",
    "is_allowed",
    "is_formula",
    "is_missing",
    "likely_fields",
    "may_be_fraction",
    "names_person",
    "normalise",
    "own_unit",
    "read_value",
    "rival_fields",
    "says_more",
    "show",
    "unit_named",
]
