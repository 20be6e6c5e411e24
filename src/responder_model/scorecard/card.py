"""The linear model as a sum that anybody can do: one term per known predictor.

With one fixed set of known predictors, what stands in for the others is linear in them
too, so that the served log-odds at every cut-off are exactly

    constant + sum of the terms
    number:     log_odds · (transform(value) - centre) / scale, and where it may bend
                curve · bend((transform(value) - middle) / scale)
    category:   log_odds of the patient's category

and then never rise with the cut-off (made monotone against the main one).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from responder_model.errors import ResponderModelError, got
from responder_model.features import Array
from responder_model.features.columns import TRANSFORMS, bend
from responder_model.model import Model
from responder_model.model.given import check_model
from responder_model.model.learnt import average_interval
from responder_model.model.limits import category_names
from responder_model.schema import Field, dictionary
from responder_model.words import Note


@dataclass(frozen=True, kw_only=True)
class Term:
    """What one predictor adds to the log-odds, at each served cut-off.

    Parameters
    ----------
    predictor : str
        Name in the dictionary.
    transform : str
        Transform of a number; empty for a category or yes/no.
    centre, scale : float
        Where a number adds nothing, and the unit of ``log_odds``, transformed scale.
    log_odds : dict
        Log-odds at each cut-off: per unit of a number (under the key ``""``), or of
        each category.
    middle : float
        Middle of a number's curve, transformed scale.
    curve : tuple of float
        Log-odds at each cut-off per unit of ``features.columns.bend``; empty where the
        effect is a straight line.
    """

    predictor: str
    transform: str = ""
    centre: float = 0.0
    scale: float = 1.0
    log_odds: Mapping[str, tuple[float, ...]]
    middle: float = 0.0
    curve: tuple[float, ...] = ()

    @property
    def is_idle(self) -> bool:
        """Whether it adds nothing at any cut-off."""
        return not (np.any(list(self.log_odds.values())) or any(self.curve))

    def moves(self, cut: int) -> bool:
        """Whether it adds anything at one cut-off."""
        slopes = [*self.log_odds.values(), *([self.curve] if self.curve else [])]
        return any(slope[cut] for slope in slopes)

    @property
    def field(self) -> Field:
        """Row of the dictionary."""
        return dictionary().fields[self.predictor]


@dataclass(frozen=True, kw_only=True)
class Scorecard:
    """A linear model for patients in whom exactly some predictors are known.

    Parameters
    ----------
    model, decision, moment, provenance : str
        The model that it writes out.
    cut_points : tuple of float
        Served cut-offs, rising; ``main`` is the position of the main one.
    constant : tuple of float
        Log-odds at each cut-off before any term is added: the average patient, where no
        effect bends.
    terms : tuple of Term
        One per known predictor.
    optional : tuple of str
        Predictors of ``terms`` that change nothing, known or not.
    averaged : tuple of str
        Predictors that the model averages over; they must not be known.
    trees_weight : float
        Weight of the trees that are left out; 0 when the card is the whole model.
    non_responders : {"few", "enough"} or None
        Patients behind the model who had failed the test before; None if there is none.
    n_patients : int
        Behind the model; 0 for the published evidence alone.
    average_interval : tuple of float
        95 % limits of the probability of the average patient at the main cut-off: the
        card alone does not tell those of another.
    """

    model: str
    decision: str
    moment: str
    provenance: str
    cut_points: tuple[float, ...]
    main: int
    constant: tuple[float, ...]
    terms: tuple[Term, ...]
    optional: tuple[str, ...]
    averaged: tuple[str, ...]
    trees_weight: float
    non_responders: str | None
    n_patients: int
    average_interval: tuple[float, float]

    @property
    def known(self) -> tuple[str, ...]:
        """Predictors that must be known."""
        names = (term.predictor for term in self.terms)
        return tuple(name for name in names if name not in self.optional)


def build_scorecard(
    model: Model,
    *,
    known: Iterable[str] | None = None,
    linear_part_only: bool = False,
) -> Scorecard:
    """Write out a linear model as a sum of terms.

    Parameters
    ----------
    model : Model
        A model without trees, unless ``linear_part_only``.
    known : iterable of str, optional
        Predictors that are known of every patient whom the card is for; all of the
        model's by default. The card is exact for patients in whom these, and no
        others, are known: a patient with another gap needs a card of its own.
    linear_part_only : bool
        Leave the trees of a pooled model out: the card then is not the model.

    Returns
    -------
    Scorecard

    Raises
    ------
    ResponderModelError
        For a pooled model, an unknown predictor, or a yes/no that only says where a
        number lies.

    Examples
    --------
    >>> import responder_model as rm
    >>> model = rm.published_model("rtms_response", "screening")
    >>> card = build_scorecard(model, known=["aetiology", "pain_intensity"])
    >>> card.known, card.cut_points
    (('aetiology', 'pain_intensity'), (10, 30, 50))
    """
    check_model(model)
    if model.pool is not None and not linear_part_only:
        raise ResponderModelError(Note("scorecard.pooled"))
    names = _check_known(model, known)
    is_known = _is_known(model, names)
    constant, slopes = _linear_map(model, is_known)
    terms = tuple(
        _plus_derived(model, _term(model, name, slopes), slopes) for name in names
    )
    # a curve is not 0 at the mean: what it adds there is taken off here
    bent = np.array([column.is_curve for column in model.encoder.columns])
    constant = constant - slopes[:, bent] @ model.population.mean[bent]
    return Scorecard(
        model=model.name,
        decision=model.decision,
        moment=model.moment,
        provenance=model.provenance,
        cut_points=model.served_cut_points,
        main=model.main_index,
        constant=tuple(constant.tolist()),
        terms=terms,
        optional=_optional(model, terms, slopes),
        averaged=tuple(
            name
            for name, given in zip(model.encoder.predictors, is_known, strict=True)
            if not given and dictionary().fields[name].indicates not in names
        ),
        trees_weight=0.0 if model.pool is None else model.pool.weight,
        non_responders=model.limits.non_responders,
        n_patients=model.n_patients,
        average_interval=average_interval(model, model.mean_variance),
    )


def _is_known(model: Model, names: tuple[str, ...]) -> NDArray[np.bool_]:
    """Which predictors of the model are known, with what follows from them."""
    found = [other for name in names for other in (name, *_derived_from(name))]
    return np.isin(model.encoder.predictors, found)


def _optional(model: Model, terms: tuple[Term, ...], slopes: Array) -> tuple[str, ...]:
    """Predictors that add nothing, if all else is the same without them."""
    used = {t.predictor for t in terms if not t.is_idle}
    idle = tuple(t.predictor for t in terms if t.predictor not in used)
    without = _is_known(model, tuple(t.predictor for t in terms if t.predictor in used))
    _, same = _linear_map(model, without)
    return idle if np.allclose(same, slopes, rtol=1e-12, atol=1e-15) else ()


def _check_known(model: Model, known: Iterable[str] | None) -> tuple[str, ...]:
    """Predictors in the model's order; those that follow from another left out."""
    fields = {row.name: row for row in model.encoder.fields}
    wanted = set(fields) if known is None else set(known)
    if not wanted <= set(fields):
        said = Note(
            "scorecard.known_of",
            allowed=tuple(fields),
            got=tuple(got(name, fields) for name in sorted(wanted - set(fields))),
        )
        raise ResponderModelError(said)
    for name in wanted:
        number = fields[name].indicates
        if number is not None and number not in wanted:
            said = Note("scorecard.known_without", name=name, number=number)
            raise ResponderModelError(said)
    return tuple(
        name
        for name, row in fields.items()
        if name in wanted and row.indicates is None and row.derived_from not in wanted
    )


def _derived_from(name: str) -> list[str]:
    rows = dictionary().fields.values()
    return [row.name for row in rows if row.derived_from == name]


def _linear_map(model: Model, is_known: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Constant (n_served,) and slopes (n_served, p) on known columns minus the mean."""
    population = model.population
    beta = np.array([part.coefficients for part in model.linear])
    intercept = np.array([part.intercept for part in model.linear])
    columns = is_known[model.encoder.column_predictor]
    # row k: known column k one unit above its mean, the others at theirs
    shifted = population.mean + np.eye(len(columns))[columns]
    shifted = np.vstack([population.mean, shifted])
    shifted[:, ~columns] = np.nan
    filled, extra = population.impute(shifted, beta)
    v = model.mean_variance
    average = intercept + beta @ population.mean
    scale = 1.0 / np.sqrt(1.0 + np.pi * (v + extra[0]) / 8.0)
    level = average[model.main_index]
    constant = level / np.sqrt(1.0 + np.pi * v / 8.0) + scale * (average - level)
    slopes = np.zeros_like(beta)
    slopes[:, columns] = scale[:, None] * (beta @ (filled[1:] - filled[0]).T)
    return constant, slopes


def _term(model: Model, name: str, slopes: Array) -> Term:
    row = dictionary().fields[name]
    owner = [column.predictor == name for column in model.encoder.columns]
    if row.kind != "number":
        codes = np.arange(len(category_names(row)), dtype=np.float64)
        return Term(predictor=name, log_odds=_by_category(model, row, slopes, codes))
    k = owner.index(True)
    column = model.encoder.columns[k]
    is_bent = sum(owner) > 1  # its curve stands behind it
    return Term(
        predictor=name,
        transform=column.transform,
        centre=float(column.centre + column.scale * model.population.mean[k]),
        scale=float(column.scale),
        log_odds={"": tuple(slopes[:, k].tolist())},
        middle=float(column.centre) if is_bent else 0.0,
        curve=tuple(slopes[:, k + 1].tolist()) if is_bent else (),
    )


def _by_category(
    model: Model, row: Field, slopes: Array, codes: Array
) -> dict[str, tuple[float, ...]]:
    """Log-odds of each category of one field; ``codes`` (n_categories,)."""
    raw = np.full((len(codes), len(model.encoder.predictors)), np.nan)
    raw[:, model.encoder.predictors.index(row.name)] = codes
    deviation = model.encoder.encode(raw) - model.population.mean
    added = np.nan_to_num(deviation) @ slopes.T
    names = category_names(row)
    return {n: tuple(a) for n, a in zip(names, added.tolist(), strict=True)}


def _plus_derived(model: Model, term: Term, slopes: Array) -> Term:
    """Add what follows from a category, such as the lesion type from the aetiology."""
    log_odds = dict(term.log_odds)
    for name in _derived_from(term.predictor):
        if name not in model.encoder.predictors:
            continue
        follows = dictionary().derived_categories(name)
        added = _term(model, name, slopes).log_odds
        log_odds = {
            category: tuple(
                a + b for a, b in zip(values, added[follows[category]], strict=True)
            )
            for category, values in log_odds.items()
        }
    return replace(term, log_odds=log_odds)


def added_by(term: Term, value: Any, cut: int) -> float:
    """Log-odds that one value of a predictor adds at one cut-off."""
    if not term.transform:
        return term.log_odds[value][cut]
    x = float(TRANSFORMS[term.transform](value))
    added = term.log_odds[""][cut] * (x - term.centre) / term.scale
    if not term.curve:
        return added
    return added + term.curve[cut] * float(
        bend(np.array((x - term.middle) / term.scale))
    )
