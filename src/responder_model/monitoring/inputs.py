"""Whether other patients are sent: each predictor against those a model learned from.

What a model knows of its patients is an estimate from n of them. A predictor's values
have, under the null, the predictive probability that this estimate gives them: Student
for a number, Dirichlet for yes/no and categories. Their probability where the mean or
the shares may have moved, divided by it, is a predictive e-value: its expectation is 1
while the same patients are sent, however few came and however often somebody looks.
Over all predictors, e-BH (doi:10.1111/rssb.12489) keeps the expected share of false
ones among those that are named below 5 %, whatever depends on whatever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

from responder_model.features import Population
from responder_model.features.columns import reference_proportions
from responder_model.features.population import REFERENCE_WEIGHT
from responder_model.model import Model
from responder_model.model.limits import category_names, step_of
from responder_model.schema import Field
from responder_model.words import Note

Floats = NDArray[np.float64]

# Expected share of false ones among the predictors that are named.
FALSE_SHARE = 0.05
# SDs of how far a mean may have moved, in SDs of the predictor.
_MOVED = (0.25, 0.5, 1.0)
# Patients that shares which may have moved are worth.
_WORTH = (2.0, 8.0, 32.0)
# Patients added to each category: shares are never known to be 0.
_ADDED = 0.5


@dataclass(frozen=True, kw_only=True)
class Input:
    """One predictor among those who were predicted.

    Parameters
    ----------
    predictor : str
        Name in the dictionary.
    n : int
        Of how many it is known.
    evidence : float
        Predictive e-value: 1 where nothing has changed.
    is_flagged : bool
        Whether e-BH names it.
    said : Note
        What it was where the model learned, and what it is.
    """

    predictor: str
    n: int
    evidence: float
    is_flagged: bool
    said: Note


def inputs_of(model: Model, predictors: pd.DataFrame) -> tuple[Input, ...]:
    """Evidence for each predictor that other patients are sent, the strongest first.

    Parameters
    ----------
    model : Model
        With the population that it learned from.
    predictors : DataFrame
        Checked, of all who were predicted.

    Examples
    --------
    >>> import responder_model as rm
    >>> model = rm.published_model("rtms_response", moment="screening")
    >>> older = rm.simulate_cohort(n_patients=60, seed=1).assign(age=80.0)
    >>> inputs_of(model, older)[0].predictor
    'age'
    """
    raw = model.encoder.raw(predictors)
    found = [
        one
        for k, row in enumerate(model.encoder.fields)
        if (one := _tested(model, row, raw[:, k][~np.isnan(raw[:, k])])) is not None
    ]
    found.sort(key=lambda one: -one[2])
    flagged = named([log_e for _, _, log_e, _ in found])
    return tuple(
        Input(
            predictor=name,
            n=n,
            evidence=float(np.exp(min(log_e, 700.0))),
            is_flagged=k < flagged,
            said=said,
        )
        for k, (name, n, log_e, said) in enumerate(found)
    )


def named(log_e: Sequence[float]) -> int:
    """How many of falling log e-values e-BH names.

    Examples
    --------
    Of four, one must reach 4 / 0.05 = 80, two together 40 each:

    >>> [named(np.log(e)) for e in ([79, 1, 1, 1], [81, 1, 1, 1], [50, 45, 1, 1])]
    [0, 1, 2]
    """
    due = np.log(len(log_e) / (FALSE_SHARE * np.arange(1, len(log_e) + 1)))
    reached = np.flatnonzero(np.asarray(log_e) >= due)
    return int(reached[-1]) + 1 if len(reached) else 0


def _tested(
    model: Model, row: Field, values: Floats
) -> tuple[str, int, float, Note] | None:
    """Name, n, log e-value and words of a predictor; None where nothing can be said."""
    if not len(values):
        return None
    if row.kind == "number":
        found = _number(model, row, values)
    else:
        found = _shares(model, row, values.astype(np.int64))
    return None if found is None else (row.name, len(values), *found)


def _columns(model: Model, row: Field) -> list[int]:
    """Base columns of a predictor of which the model learned something."""
    left_out = () if model.disclosure is None else model.disclosure.contrasts_left_out
    return [
        k
        for k, column in enumerate(model.encoder.columns)
        if column.predictor == row.name and column.name not in left_out
    ]


def _worth(population: Population) -> float:
    """Patients behind a mean; the reference counts as it does for covariances."""
    return float(population.n_patients) or REFERENCE_WEIGHT


# ---------------------------------------------------------------- numbers


def _number(model: Model, row: Field, values: Floats) -> tuple[float, Note] | None:
    places = _columns(model, row)
    if not places or row.name not in model.limits.numbers:
        return None
    (place,) = places
    column, population = model.encoder.columns[place], model.population
    z = column.encoded(values)
    mean, n = float(population.mean[place]), _worth(population)
    known = _LearnedNumber(
        mean=mean,
        variance=float(population.covariance[place, place]),
        freedom=n + REFERENCE_WEIGHT * (population.n_patients > 0),
    )
    moved = [known.log_marginal(z, 1.0 / (1.0 / n + d**2)) for d in _MOVED]
    log_e = float(logsumexp(moved) - np.log(len(moved)) - known.log_marginal(z, n))
    before, now = (
        round(float(column.decoded(np.array(m))) / step_of(row)) * step_of(row)
        for m in (mean, z.mean())
    )
    said = Note("monitoring.input_number", field=row.name, before=before, now=now)
    return log_e, said


@dataclass(frozen=True, kw_only=True)
class _LearnedNumber:
    mean: float
    variance: float
    freedom: float

    def log_marginal(self, z: Floats, worth: float) -> float:
        """Log probability of a sequence whose mean is known as from ``worth`` values.

        Normal values, with a normal-inverse-gamma prior: each next one is Student's.
        """
        m, nu = len(z), self.freedom
        gap = worth * m / (worth + m) * (z.mean() - self.mean) ** 2
        spread = nu * self.variance
        whole = spread + ((z - z.mean()) ** 2).sum() + gap
        return float(
            gammaln((nu + m) / 2.0)
            - gammaln(nu / 2.0)
            + nu / 2.0 * np.log(spread)
            - (nu + m) / 2.0 * np.log(whole)
            + 0.5 * np.log(worth / (worth + m))
            - m / 2.0 * np.log(np.pi)
        )


# ---------------------------------------------------------------- shares


def _shares(
    model: Model, row: Field, codes: NDArray[np.int64]
) -> tuple[float, Note] | None:
    places = _columns(model, row)
    if not places:
        return None
    cells, share = learned_shares(model, row, places)
    counts = np.bincount(cells[codes], minlength=len(share))
    n = _worth(model.population)
    alpha = n * share + _ADDED
    total = alpha.sum()
    share = alpha / total
    moved = [_log_dirichlet(counts, share / (1.0 / total + 1.0 / w)) for w in _WORTH]
    log_e = logsumexp(moved) - np.log(len(moved)) - _log_dirichlet(counts, alpha)
    said = _said_of_shares(row, cells, share, counts / counts.sum())
    return float(log_e), said


def _said_of_shares(
    row: Field, cells: NDArray[np.int64], before: Floats, now: Floats
) -> Note:
    """The category whose share has moved most; none where no column tells it apart."""
    single = np.bincount(cells) == 1
    if row.kind == "boolean":
        single[0] = False  # yes is told
    if not single.any():
        return Note("monitoring.input_shares", field=row.name)
    most = int(np.where(single, np.abs(now - before), -1.0).argmax())
    value = category_names(row)[int(np.flatnonzero(cells == most)[0])]
    return Note(
        "monitoring.input_share",
        field=row.name,
        value=True if row.kind == "boolean" else value,
        before=float(before[most]),
        now=float(now[most]),
    )


def learned_shares(
    model: Model, row: Field, places: Sequence[int]
) -> tuple[NDArray[np.int64], Floats]:
    """Cell of each category, and the share of each cell among those learned from.

    Categories that no column tells apart are one cell. Shares are those nearest to the
    reference that have the means of the columns.
    """
    columns = [model.encoder.columns[k] for k in places]
    mean = model.population.mean[list(places)] + [c.centre for c in columns]
    if row.kind == "boolean":
        yes = float(np.clip(mean[0], 0.0, 1.0))
        return np.arange(2), np.array([1.0 - yes, yes])
    weights = np.array([c.weights for c in columns]).T  # (n_categories, n_columns)
    patterns, cells = np.unique(weights, axis=0, return_inverse=True)
    cells = cells.reshape(-1)
    reference = reference_proportions(model.dictionary, row, model.decision)
    start = np.bincount(cells, weights=[reference[c] for c in category_names(row)])
    lifted = np.vstack([patterns.T, np.ones(len(patterns))])
    gap = np.append(mean, 1.0) - lifted @ start
    share = np.clip(start + np.linalg.pinv(lifted) @ gap, 0.0, None)
    return cells, share / share.sum()


def _log_dirichlet(counts: NDArray[np.int64], alpha: Floats) -> float:
    """Log probability of a sequence with these counts, shares Dirichlet(alpha)."""
    whole = gammaln(alpha.sum()) - gammaln(alpha.sum() + counts.sum())
    return float(whole + (gammaln(alpha + counts) - gammaln(alpha)).sum())


# ---------------------------------------------------------------- applicability


def outside(model: Model, predictors: pd.DataFrame) -> tuple[int, int]:
    """How many are outside where the model applies, and of how many that is known."""
    levels = model.predict_cohort(predictors)["applicability"].astype(str)
    return int((levels == "outside").sum()), len(levels)
