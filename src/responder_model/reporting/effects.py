"""What each predictor does, from what was published to what a model serves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from responder_model.features import Array, expit
from responder_model.figures.coefficients import coefficient_table, column_label
from responder_model.labels import describe_value
from responder_model.model import Model
from responder_model.priors import PriorRow, prior_rows
from responder_model.schema import Field, dictionary
from .texts import say

# Shares of some patients with their weights; probabilities of two such groups.
Group = list[tuple[float, dict[str, Any]]]
Pair = tuple[float, float]

_BACK = {"log": math.exp, "log1p": math.expm1, "identity": float}


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One predictor: two patients who differ in it, and how probable either is.

    Parameters
    ----------
    column, label : str
        Model column, and its words with the unit of the coefficient.
    compared : (str, str)
        The two values.
    published : (float, float) or None
        Probabilities if the combined published effect held; None without a number.
    believed : (float, float)
        The same with the declared effect: shrunk and widened, by judgement.
    alone, fixed : (float, float)
        Served, when nothing else is given; and at given other predictors.
    alone_log_odds, fixed_log_odds : float
        Their differences, in log-odds.
    prior : PriorRow
        Where it comes from.
    """

    column: str
    label: str
    compared: tuple[str, str]
    published: Pair | None
    believed: Pair
    alone: Pair
    fixed: Pair
    prior: PriorRow

    @property
    def alone_log_odds(self) -> float:
        """Log odds ratio when nothing else is given."""
        return _difference(self.alone)

    @property
    def fixed_log_odds(self) -> float:
        """Log odds ratio at given other predictors."""
        return _difference(self.fixed)

    @property
    def studies(self) -> tuple[str, ...]:
        """Study and year of every finding on it."""
        names = (f"{row.study} {row.year or ''}".strip() for row in self.prior.sources)
        return tuple(dict.fromkeys(names))


def effects_of(model: Model, lang: str = "en") -> tuple[Effect, ...]:
    """Effects of a published model, of every predictor on which something is said.

    Examples
    --------
    >>> import responder_model as rm
    >>> rows = effects_of(rm.published_model("rtms_response", "screening"))
    >>> central = next(row for row in rows if row.column == "lesion_type=central")
    >>> central.compared
    ('central', 'peripheral')
    >>> central.alone[0] > central.alone[1]
    True
    """
    table = prior_rows(model.kept_priors(), model.evidence)
    served = {row.column: row.posterior[0] for row in coefficient_table(model).rows}
    found = []
    for row in table:
        groups = _groups(model, row.column, lang)
        if groups is not None and (row.sources or row.declared_mean):
            found.append(_effect(model, row, served[row.column], groups, lang))
    return tuple(found)


@dataclass(frozen=True, kw_only=True)
class _Compared:
    first: Group
    second: Group
    words: tuple[str, str]


def _effect(
    model: Model, row: PriorRow, slope: float, groups: _Compared, lang: str
) -> Effect:
    priors = model.kept_priors()
    level = priors.anchor[0] / priors.level_scale
    declarations = model.evidence.declarations[model.decision]
    declared = declarations.find(row.column, model.moment)
    unit = 1.0
    if declared is not None and declared.per is not None:
        name = row.column.split("=")[0]
        unit = _number_field(name, model).reference_for(model.decision).sd
        unit /= declared.per
    x = np.array(
        [_value(model, row.column, group) for group in (groups.first, groups.second)]
    )
    kappa = model.scorer.kappa
    return Effect(
        column=row.column,
        label=column_label(row.column, model.decision, lang),
        compared=groups.words,
        published=None if row.pooled is None else _pair(level, row.pooled.effect * x),
        believed=_pair(level, row.declared_mean * unit * x),
        alone=(_served(model, groups.first), _served(model, groups.second)),
        fixed=_pair(model.baseline, kappa * slope * x),
        prior=row,
    )


def _pair(level: float, moved: Array) -> Pair:
    first, second = expit(level + moved).tolist()
    return first, second


def _served(model: Model, group: Group) -> float:
    probabilities = [model.predict(patient).probability for _, patient in group]
    return float(np.average(probabilities, weights=[weight for weight, _ in group]))


def _value(model: Model, column: str, group: Group) -> float:
    """Mean of a model column in a group, what is not given at its mean."""
    encoder = model.encoder
    raw = np.vstack([encoder.raw(patient) for _, patient in group])
    z = encoder.encode(raw) - model.population.mean
    at = encoder.derived.index(column)
    x = np.where(np.isnan(z), 0.0, z) @ encoder.projection[at]
    return float(np.average(x, weights=[weight for weight, _ in group]))


def _groups(model: Model, column: str, lang: str) -> _Compared | None:
    """Two groups one unit of a column apart; None for a column nobody can set."""
    name = column.split("=")[0]
    if name == "relief_so_far":
        return _numbers(model, _series_fields(model), lang)
    row = dictionary().fields.get(name)
    if row is None:
        return None
    if row.kind == "number":
        return _numbers(model, [row], lang)
    if row.kind == "boolean":
        yes, no = (describe_value(name, value, lang) for value in (True, False))
        first, second = ([(1.0, {name: value})] for value in (True, False))
        return _Compared(first=first, second=second, words=(yes, no))
    return _categories(model, row, column, lang)


def _series_fields(model: Model) -> list[Field]:
    """Relief of every session that the model's moment knows."""
    series = next(row for row in dictionary().series if row.name == "relief")
    known = [n for n in series.fields if dictionary().is_known(n, model.moment)]
    return [dictionary().fields[name] for name in known]


def _number_field(name: str, model: Model) -> Field:
    row = dictionary().fields.get(name)
    return _series_fields(model)[0] if row is None else row


def _numbers(model: Model, fields: list[Field], lang: str) -> _Compared:
    """One SD above the mean, and one below; the same for repeated measurements."""
    first, second = fields[0], fields[0].reference_for(model.decision)
    values = []
    for side in (1.0, -1.0):
        value = _BACK[first.transform](second.mean + side * second.sd)
        low = -math.inf if first.minimum is None else first.minimum
        high = math.inf if first.maximum is None else first.maximum
        values.append(float(round(min(max(value, low), high))))
    above, below = ({row.name: value for row in fields} for value in values)
    words = tuple(describe_value(first.name, value, lang) for value in values)
    return _Compared(
        first=[(1.0, above)], second=[(1.0, below)], words=(words[0], words[1])
    )


def _categories(model: Model, row: Field, column: str, lang: str) -> _Compared | None:
    weights = {c.name: c.weights for c in row.contrasts}.get(column)
    if weights is None:
        weights = {column.partition("=")[2]: 1.0}
    ours = [name for name, weight in weights.items() if weight > 0.0]
    theirs = [name for name, weight in weights.items() if weight < 0.0]
    types = {c.name: c.lesion_type for c in row.categories}
    if not theirs:
        kinds = {types[name] for name in ours}
        rest = [c.name for c in row.categories if c.name not in ours]
        theirs = [name for name in rest if types[name] in kinds]
    if not theirs:
        return None
    shares = row.reference_for(model.decision).proportions

    def group(names: list[str]) -> Group:
        return [(shares.get(name, 0.0) or 1e-3, {row.name: name}) for name in names]

    words = tuple(
        ", ".join(describe_value(row.name, name, lang) for name in names)
        if len(names) < 3
        else say("others", lang)
        for names in (ours, theirs)
    )
    return _Compared(
        first=group(ours), second=group(theirs), words=(words[0], words[1])
    )


def _difference(pair: Pair) -> float:
    first, second = (math.log(p / (1.0 - p)) for p in pair)
    return first - second
