"""A cohort as a French centre's software might export it: an example to read back."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from responder_model.outputs import check_outside_models
from responder_model.performance._check import check_seed
from responder_model.schema import Field, dictionary
from responder_model.vocabulary import YES_NO, column_heading

ENCODING = "latin-1"

# Marks of a missing cell, the first one for half of them.
_GAPS = ("", "", "NA", "ND")
# Share of cells that somebody typed in capitals or with a blank behind.
_CARELESS_SHARE = 0.03


def write_french_export(
    cohort: pd.DataFrame, path: str | Path, *, seed: int = 0
) -> Path:
    """Write a cohort with French headings, ``;``, decimal commas and Latin-1.

    Yes/no reads ``oui`` and ``non``, categories stand under their French labels, gaps
    as nothing, ``NA`` or ``ND``; some headings lack their unit, a few cells are in
    capitals and a simulated row is called ``simulé``. ``read_cohort`` reads the file
    back without loss.

    Parameters
    ----------
    cohort : DataFrame
        A checked cohort.
    path : str or Path
        File to write.
    seed : int
        Seed of the carelessness.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    ResponderModelError
        For a place in a model folder, and a seed that is none.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from responder_model.simulation import simulate_cohort
    >>> with TemporaryDirectory() as folder:
    ...     path = write_french_export(simulate_cohort(5), f"{folder}/export.csv")
    ...     len(path.read_text(encoding="latin-1").splitlines())
    6
    """
    check_outside_models(path)
    rng = np.random.default_rng(check_seed(seed))
    fields = [row for row in dictionary().fields.values() if row.name in cohort.columns]
    columns = [[_cell(row, v, rng) for v in cohort[row.name]] for row in fields]
    with Path(path).open("w", encoding=ENCODING, newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow([_heading(row, rng) for row in fields])
        writer.writerows(zip(*columns, strict=True))
    return Path(path)


def _heading(row: Field, rng: np.random.Generator) -> str:
    """Label with its unit, label alone, or label in capitals."""
    label = row.label["fr"]
    return str(rng.choice([column_heading(row, "fr"), label, label.upper()]))


def _cell(row: Field, value: Any, rng: np.random.Generator) -> str:
    if pd.isna(value):
        return str(rng.choice(_GAPS))
    text = _french(row, value)
    if row.kind in ("category", "boolean") and rng.random() < _CARELESS_SHARE:
        return text.upper() if rng.random() < 0.5 else text + " "
    return text


def _french(row: Field, value: Any) -> str:
    if row.kind == "boolean":
        return YES_NO["fr"][0 if value else 1]
    if row.kind == "category":
        labels = {category.name: category.label["fr"] for category in row.categories}
        return labels[value]
    if row.kind == "number":
        return f"{value:g}".replace(".", ",")
    simulated = row.role == "provenance" and value == "simulated"
    return "simulé" if simulated else str(value)
