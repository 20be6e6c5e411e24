"""Score a table in memory, row by row: what each worker of a cluster does."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.artifact import digest_of
from responder_model.cohort.checking import check_table
from responder_model.errors import Problem
from responder_model.features import Encoder
from responder_model.formats import Table
from responder_model.formats.table import FIRST_ROW
from responder_model.model import Model
from responder_model.model.given import check_model
from responder_model.schema import Field, dictionary
from . import parts
from .columns import Columns, choose_columns

PROBLEM = "problem"


def score_frame(
    model: Model,
    patients: pd.DataFrame,
    *,
    contributions: bool = False,
    simulated: bool = False,
) -> pd.DataFrame:
    """Score each row of a table on its own; a row with a problem has no score.

    Unlike ``Model.predict_cohort`` it refuses no table for one row, so that one part
    of a registry can be scored without the others. Identifiers are not compared.

    Parameters
    ----------
    model : Model
        The model.
    patients : DataFrame
        One row per patient, columns as ``check_cohort`` takes them.
    contributions : bool
        Also ``baseline`` and ``contribution_<predictor>``, in log-odds.
    simulated : bool
        Whether another part of the same table says that it is simulated.

    Returns
    -------
    DataFrame
        Indexed as ``patients``: the columns of ``Model.predict_cohort``, with words as
        text, ``model_digest``, and ``problem``: the rules that a row breaks, missing
        where it is scored.

    Examples
    --------
    >>> import responder_model as rm
    >>> model = rm.published_model("rtms_response", "screening")
    >>> scores = score_frame(model, pd.DataFrame({"age": [54, 540]}))
    >>> scores["problem"].tolist()
    [nan, 'Age must be between 18 and 100 years']
    >>> scores["probability"].round(2).tolist()
    [0.43, nan]
    """
    check_model(model)
    table, columns = _table(model.encoder, patients)
    columns.check_open()
    part = parts.score_part(table, model, columns, contributions=contributions)
    scores = _frame(part, patients.index)
    word = "simulated" if simulated or part.simulated else model.provenance
    place = list(scores.columns).index("missing") + 1
    for name, said in ((parts.DIGEST, digest_of(model)), (parts.PROVENANCE, word)):
        scores.insert(place, name, pd.Series(said, patients.index, dtype="str"))
    scores[PROBLEM] = _rules(part.problems, patients.index)
    return scores


def _frame(part: parts.ScoredPart, index: pd.Index) -> pd.DataFrame:
    """Scores as pandas holds them, missing where the row is refused."""
    kept = part.scores[parts.KEPT].to_numpy()
    scores: pd.DataFrame = part.scores.drop_columns(
        [parts.ROW, parts.KEPT, parts.IDENTITY]
    ).to_pandas()
    fields = dictionary().fields
    for name, cells in scores.items():
        if isinstance(cells.dtype, pd.CategoricalDtype):
            scores[name] = cells.astype("str")
        if name not in fields:
            scores[name] = scores[name].where(kept)
    return scores.set_axis(index, axis="index")


def checked_rows(encoder: Encoder, patients: pd.DataFrame) -> pd.DataFrame:
    """What a served model takes of each row, and the rules that the row breaks.

    Parameters
    ----------
    encoder : Encoder
        Of the model.
    patients : DataFrame
        One row per patient, columns as ``check_cohort`` takes them.

    Returns
    -------
    DataFrame
        Indexed as ``patients``: each predictor, numbers as such and all else as words,
        nothing known of a row that breaks a rule; then ``problem``, the rules, missing
        where there is none.

    Examples
    --------
    >>> encoder = Encoder.for_decision("rtms_response", "screening")
    >>> checked = checked_rows(encoder, pd.DataFrame({"age": ["54,5", "540"]}))
    >>> checked["age"].tolist()
    [54.5, nan]
    >>> checked["problem"].tolist()
    [None, 'Age must be between 18 and 100 years']
    """
    cohort, _, problems = parts.check_part(*_table(encoder, patients))
    rules = _rules(problems, patients.index)
    kept = rules.isna().to_numpy()
    served = {field.name: _served(field, cohort, kept) for field in encoder.fields}
    checked = pd.DataFrame({**served, PROBLEM: _words(rules.reset_index(drop=True))})
    return checked.set_axis(patients.index, axis="index")


def _served(field: Field, cohort: pd.DataFrame, kept: NDArray[np.bool_]) -> pd.Series:
    nothing = pd.Series(np.nan, cohort.index)
    cells = cohort.get(field.name, nothing).where(kept)
    if field.kind == "boolean":
        cells = cells.map({True: "yes", False: "no"}, na_action="ignore")
    return cells if field.kind == "number" else _words(cells)


def _words(cells: pd.Series) -> pd.Series:
    words = cells.astype(object)
    return words.where(words.notna(), None)


def _table(encoder: Encoder, patients: pd.DataFrame) -> tuple[Table, Columns]:
    check_table(patients)
    columns = choose_columns(encoder, [str(name) for name in patients.columns])
    cells = patients.iloc[:, list(columns.positions)].reset_index(drop=True)
    rows = np.arange(FIRST_ROW, FIRST_ROW + len(cells))
    return Table(cells=cells, rows=rows), columns


def _rules(problems: tuple[Problem, ...], index: pd.Index) -> pd.Series:
    told: dict[int, list[str]] = {}
    for problem in problems:
        if problem.row is not None:
            rule = problem.without_value().text()
            told.setdefault(problem.row - FIRST_ROW, []).append(rule)
    texts = ["; ".join(told[k]) if k in told else np.nan for k in range(len(index))]
    return pd.Series(texts, index=index, dtype="str")
