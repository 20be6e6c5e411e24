"""Write entry sheets for centres, and cohorts, as CSV, XLSX or Parquet."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from responder_model.labels import moment_label, standing_note
from responder_model.outputs import Output, check_ending, check_outside_models, drafted
from responder_model.schema import Field, dictionary
from responder_model.vocabulary import YES_NO, check_language, column_heading
from responder_model.words import say
from .checking import check_table, has_simulated_row

# Rows of an entry sheet that get drop-down lists.
TEMPLATE_ROWS = 1000
# How spreadsheets of a language separate cells and write decimals.
_SEPARATORS = {"en": (",", "."), "fr": (";", ",")}
_TITLES = ("patients", "help", "lists")
_HELP_HEADER = ("column", "name", "allowed", "known", "help")


def write_template(
    path: str | PathLike[str], lang: str = "en", *, overwrite: bool = False
) -> None:
    """Write an empty entry sheet: one column per field of the dictionary.

    A path that ends in ``.xlsx`` gives a workbook with drop-down lists, limits and a
    sheet of help texts, and keeps the zeros before a pseudonym; ``.csv`` a file that a
    spreadsheet of that language opens. ``read_cohort`` reads the filled sheet as it
    stands; an empty one it refuses, since there is no patient in it.

    Parameters
    ----------
    path : path-like
        File to write.
    lang : {"en", "fr"}
        Language of headings, lists and help.
    overwrite : bool
        Whether another file than an entry sheet that nobody touched may be replaced.

    Raises
    ------
    ResponderModelError
        As ``outputs.check_outputs``: for a file that is there, and in a model folder;
        for another ending.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sheet = Path(folder) / "saisie.csv"
    ...     write_template(sheet, "fr")
    ...     sheet.read_text("utf-8-sig")[:21]
    'Pseudonyme du patient'
    """
    check_language(lang)
    fields = [f for f in dictionary().fields.values() if f.role != "provenance"]
    sheet = Output(path=Path(path), command="template")
    with drafted(sheet, overwrite=overwrite) as draft:
        check_ending(path, (".csv", ".xlsx"))
        if draft.suffix.lower() == ".xlsx":
            _template_workbook(fields, lang).save(draft)
        else:
            _write_csv(draft, [column_heading(f, lang) for f in fields], [], lang)


def write_cohort(
    cohort: pd.DataFrame, path: str | PathLike[str], *, lang: str | None = None
) -> None:
    """Write a cohort so that ``read_cohort`` reads the same values.

    Parameters
    ----------
    cohort : DataFrame
        As ``read_cohort``, ``check_cohort`` or ``simulate_cohort`` returns it.
    path : path-like
        File to write; its ending is ``.csv``, ``.xlsx`` or ``.parquet``.
    lang : {"en", "fr"}, optional
        Language of headings, labels, yes/no and number format; by default headings and
        categories are the dictionary's names. Parquet has no language.

    Raises
    ------
    ResponderModelError
        For a place in a model folder, and for another ending.
    """
    check_table(cohort)
    check_ending(path, (".csv", ".parquet", ".xlsx"))
    check_outside_models(path)
    kind = Path(path).suffix.lower()
    cohort = _with_provenance(cohort)
    if kind == ".parquet":
        cohort.to_parquet(path, index=False)
        return
    if lang is not None:
        check_language(lang)
    fields = [dictionary().fields[str(name)] for name in cohort]
    header = [column_heading(f, lang) if lang else f.name for f in fields]
    columns = [_written(field, cohort[field.name], lang) for field in fields]
    rows = zip(*columns, strict=True)
    if kind == ".xlsx":
        workbook = openpyxl.Workbook()
        sheet = _first_sheet(workbook, say("sheet.title_patients", lang or "en"))
        _fill(sheet, [header, *rows])
        workbook.save(path)
    else:
        _write_csv(Path(path), header, rows, lang or "en")


def _with_provenance(cohort: pd.DataFrame) -> pd.DataFrame:
    """Return a cohort whose rows say that they are simulated when its label does."""
    written = cohort.copy()
    written.attrs = {}
    simulated = cohort.attrs.get("provenance") == "simulated"
    if simulated and not has_simulated_row(cohort):
        (name,) = [
            f.name for f in dictionary().fields.values() if f.role == "provenance"
        ]
        written[name] = "simulated"
    return written


def _written(field: Field, cells: pd.Series, lang: str | None) -> list[Any]:
    """Return a column as it is written: None for missing, words for yes/no."""
    words: dict[Any, str] = {}
    if field.kind == "boolean":
        words = dict(zip((True, False), YES_NO[lang or "en"], strict=True))
    elif field.kind == "category" and lang:
        words = {category.name: category.label[lang] for category in field.categories}
    return [
        None if pd.isna(value) else words.get(value, value) for value in cells.tolist()
    ]


def _write_csv(
    path: Path, header: list[str], rows: Iterable[Iterable[Any]], lang: str
) -> None:
    delimiter, decimal = _SEPARATORS[lang]
    # The byte-order mark tells a spreadsheet that the file is UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(header)
        for row in rows:
            writer.writerow([_number_text(value, decimal) for value in row])


def _number_text(value: Any, decimal: str) -> Any:
    if not isinstance(value, float):
        return value
    text = repr(int(value)) if value.is_integer() else repr(value)
    return text.replace(".", decimal)


def _fill(sheet: Worksheet, rows: Iterable[Iterable[Any]]) -> None:
    for place, row in enumerate(rows, start=1):
        for column, value in enumerate(row, start=1):
            cell = sheet.cell(place, column, value)
            if isinstance(value, str):
                cell.data_type = "s"  # text that starts with "=" is no formula


# ---------------------------------------------------------------- entry workbook


def _first_sheet(workbook: openpyxl.Workbook, title: str) -> Worksheet:
    sheet = workbook.worksheets[0]
    sheet.title = title
    return sheet


def _template_workbook(fields: list[Field], lang: str) -> openpyxl.Workbook:
    workbook = openpyxl.Workbook()
    titles = _said("title", _TITLES, lang)
    sheet = _first_sheet(workbook, titles[0])
    help_sheet = workbook.create_sheet(titles[1])
    lists = workbook.create_sheet(titles[2])
    help_sheet.append(_said("head", _HELP_HEADER, lang))
    for place, field in enumerate(fields, start=1):
        letter = get_column_letter(place)
        cell = sheet.cell(1, place, column_heading(field, lang))
        cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True)
        cell.comment = Comment(_help(field, lang), "responder-model")
        sheet.column_dimensions[letter].width = 18
        if field.kind == "text":
            # as text, or a spreadsheet makes 007 a 7
            sheet.column_dimensions[letter].number_format = "@"
        rule = _validation(field, lang, lists, letter)
        if rule is not None:
            rule.add(f"{letter}2:{letter}{TEMPLATE_ROWS + 1}")
            sheet.add_data_validation(rule)
        help_sheet.append(_help_row(field, lang))
    sheet.freeze_panes = "A2"
    _lay_out_help(help_sheet)
    lists.sheet_state = "hidden"
    return workbook


def _validation(
    field: Field, lang: str, lists: Worksheet, letter: str
) -> DataValidation | None:
    """Return what a spreadsheet lets a user enter: one of a list, or a range."""
    words = _words(field, lang)
    if words:
        for row, word in enumerate(words, start=1):
            lists[f"{letter}{row}"] = word
        area = f"'{lists.title}'!${letter}$1:${letter}${len(words)}"
        rule = DataValidation(type="list", formula1=area, allow_blank=True)
    elif field.kind == "number":
        rule = DataValidation(
            type="whole" if field.integer else "decimal",
            operator="between",
            formula1=f"{field.minimum:g}",
            formula2=f"{field.maximum:g}",
            allow_blank=True,
        )
    else:
        return None
    rule.error, rule.showErrorMessage = say("sheet.refused", lang), True
    return rule


def _said(kind: str, names: Iterable[str], lang: str) -> list[str]:
    return [say(f"sheet.{kind}_{name}", lang) for name in names]


def _words(field: Field, lang: str) -> list[str]:
    if field.kind == "boolean":
        return list(YES_NO[lang])
    return [category.label[lang] for category in field.categories]


def _help_row(field: Field, lang: str) -> list[str]:
    return [
        field.label[lang],
        field.name,
        _allowed(field, lang),
        moment_label(field.known_from, lang),
        _help(field, lang),
    ]


def _help(field: Field, lang: str) -> str:
    """Help of a field, and how it stands in the published models."""
    stands = standing_note(field.name)
    said = [] if stands is None else [stands.text(lang)]
    return " ".join([field.help[lang], *said])


def _allowed(field: Field, lang: str) -> str:
    if field.kind == "number":
        unit = f" {field.unit[lang]}" if field.unit else ""
        return f"{field.minimum:g} – {field.maximum:g}{unit}"
    return " / ".join(_words(field, lang))


def _lay_out_help(sheet: Worksheet) -> None:
    for letter, width in zip("ABCDE", (34, 28, 60, 44, 90), strict=True):
        sheet.column_dimensions[letter].width = width
    for row in sheet.iter_rows():
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
