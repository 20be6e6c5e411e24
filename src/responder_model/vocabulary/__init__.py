"""How words that people write are read: column names, categories, yes/no, numbers.

One value of one field is read here, for a cohort's cell and for a single patient
alike. Imports neither pandas nor any other heavy library.
"""

from responder_model.vocabulary.headings import (
    Heading,
    column_heading,
    find_field,
    find_heading,
    likely_fields,
)
from responder_model.vocabulary.text import normalise, show
from responder_model.vocabulary.values import (
    INVALID,
    MISSING_MARKS,
    YES_NO,
    Cell,
    choices,
    is_allowed,
    is_missing,
    read_value,
)

__all__ = [
    "INVALID",
    "MISSING_MARKS",
    "YES_NO",
    "Cell",
    "Heading",
    "choices",
    "column_heading",
    "find_field",
    "find_heading",
    "is_allowed",
    "is_missing",
    "likely_fields",
    "normalise",
    "read_value",
    "show",
]
