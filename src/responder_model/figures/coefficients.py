"""What was believed, what the patients add, what is believed now: a forest plot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from responder_model.cumulative_logit.components import is_published
from responder_model.features import is_curve
from responder_model.labels import label_of, unit_after
from responder_model.schema import Contrast, Field, dictionary
from responder_model.words import say
from responder_model.words.numbers import format_number
from .drawing import BLACK, BLUE, GREY, ORANGE, VERMILION, legend_below, open_frame

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from responder_model.model import Component, Model

Array = NDArray[np.float64]
Z = 1.959964
# Least share of the prior's precision that the patients must add to be shown.
LEAST_INFORMATION = 0.02
# Columns that no one field gives.
_OF_RELIEF = ("relief_so_far", "relief_trend", "relief_days_so_far")
ODDS_RATIOS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, kw_only=True)
class CoefficientRow:
    """One coefficient, log-odds per unit, as mean and standard deviation."""

    column: str
    prior: tuple[float, float]  # of the published component, or in the earlier model
    data: tuple[float, float] | None  # None: the patients say nothing about it
    posterior: tuple[float, float]  # as served at the main cut-off
    opinion: bool = False  # no published effect stands behind the prior


@dataclass(frozen=True, kw_only=True)
class CoefficientTable:
    """Coefficients of a model and the weight of its published components."""

    decision: str
    rows: tuple[CoefficientRow, ...]
    weight_before: float
    weight_after: float
    updated: bool = False  # the prior is what an earlier model had learned


def coefficient_table(model: Model) -> CoefficientTable:
    """Prior, contribution of the patients and posterior of each model column.

    The posterior is the one served at the main cut-off. The contribution is what
    turns the prior into the posterior of the published component, the other
    coefficients being averaged over: precision and precision-weighted mean,
    posterior minus prior. It is not a fit without priors,
    which does not exist for a full set of categories. Of an update the prior is the
    earlier model's posterior.

    Examples
    --------
    >>> from responder_model.model.example import example_model
    >>> table = coefficient_table(example_model())
    >>> table.rows[0].column
    'age'
    """
    on_evidence = [part for part in model.components if is_published(part.name)]
    published = max(
        (part for part in model.components if part.name == model.components[0].name),
        key=lambda part: part.weight,
    )
    columns = model.encoder.derived
    # after the cut-point parameters, before the levels of centres
    first = len(published.mean) - len(columns) - len(model.centres)
    means, spreads = _served(model)
    rows = tuple(
        CoefficientRow(
            column=column,
            prior=_before(model, k) if model.is_update else _prior(published, k),
            data=_added(published, k),
            posterior=(float(mean), float(spread)),
            opinion=not model.is_update and _is_opinion(model, column),
        )
        for k, (column, mean, spread) in enumerate(
            zip(columns, means, spreads, strict=True), start=first
        )
    )
    return CoefficientTable(
        decision=model.decision,
        rows=rows,
        weight_before=sum(part.prior_weight for part in on_evidence),
        weight_after=sum(part.weight for part in on_evidence),
        updated=model.is_update,
    )


def _prior(part: Component, k: int) -> tuple[float, float]:
    return float(part.prior_mean[k]), float(part.prior_sd[k])


def _before(model: Model, k: int) -> tuple[float, float]:
    """Mean and SD in the earlier model, over all its components."""
    weight = np.array([part.prior_weight for part in model.components])
    mean, sd = np.array([_prior(part, k) for part in model.components]).T
    weight = weight / weight.sum()
    middle = float(weight @ mean)
    return middle, float(np.sqrt(weight @ (sd**2 + (mean - middle) ** 2)))


def _is_opinion(model: Model, column: str) -> bool:
    """Whether the prior of a column is judgement; not known of a model without any."""
    stated = model.prior_columns.get(column)
    return stated is not None and stated.status == "judgement"


def _served(model: Model) -> tuple[Array, Array]:
    # base = model columns @ projection, of full row rank: its right inverse takes the
    # served coefficients back to model columns
    inverse = np.linalg.pinv(model.encoder.projection)  # (base, model columns)
    covariance = inverse.T @ model.main.covariance[1:, 1:] @ inverse
    return model.main.coefficients @ inverse, np.sqrt(np.diag(covariance))


def _added(published: Component, k: int) -> tuple[float, float] | None:
    before = 1.0 / published.prior_sd[k] ** 2
    after = 1.0 / published.covariance[k, k]
    precision = after - before
    if precision < LEAST_INFORMATION * before:
        return None
    mean = (published.mean[k] * after - published.prior_mean[k] * before) / precision
    return float(mean), float(precision**-0.5)


def column_label(column: str, decision: str, lang: str = "en") -> str:
    """Model column in words, with the unit of its coefficient.

    Examples
    --------
    >>> column_label("aetiology=ischaemic_vs_haemorrhagic", "rtms_response")
    'Aetiology: ischaemic stroke vs haemorrhagic stroke'
    >>> column_label("age", "rtms_response", "fr")
    'Âge, pour 13 ans'
    """
    if column in _OF_RELIEF:
        return say(f"figure.{column}", lang)
    name = column.split("=")[0]
    row = dictionary().fields.get(name)
    if row is None:
        return column
    if is_curve(column):
        return say("figure.curve", lang, label=label_of(name, lang))
    if row.kind == "number":
        return f"{label_of(name, lang)}, {_unit(row, decision, lang)}"
    if row.kind != "category":
        return label_of(name, lang)
    contrast = _contrast(row, column, lang)
    return say("signs.pair", lang, label=label_of(name, lang), value=contrast)


def _unit(row: Field, decision: str, lang: str) -> str:
    sd = row.reference_for(decision).sd
    if row.transform != "identity":
        return f"× {format_number(math.exp(sd), lang, '.2g')}"
    unit = unit_after(row, sd, lang)
    if unit == "%":  # 30 points of relief, not relief 30 % larger
        unit = say("figure.points_after", lang, n=sd)
    return say("figure.per", lang, step=f"{format_number(sd, lang)} {unit}".rstrip())


def _contrast(row: Field, column: str, lang: str) -> str:
    contrasts: dict[str, Contrast] = {c.name: c for c in row.contrasts}
    labels = {category.name: category.label[lang] for category in row.categories}
    if column not in contrasts:
        name = column.split("=")[1]
        return labels.get(name, name)
    weights = contrasts[column].weights
    joined = say("figure.or", lang)
    high = joined.join(labels[name] for name, w in weights.items() if w > 0)
    low = joined.join(labels[name] for name, w in weights.items() if w < 0)
    return f"{high} vs {low}" if low else high


def plot_coefficients(
    table: CoefficientTable, *, ax: Axes, lang: str = "en", max_display: int = 15
) -> Axes:
    """Draw prior, patients and model side by side for each coefficient.

    Parameters
    ----------
    table : CoefficientTable
        From :func:`coefficient_table`.
    ax : matplotlib Axes
        Where to draw; returned. Lower axis log-odds, upper axis odds ratios; an
        arrow marks an interval that runs beyond the figure.
    lang : {"en", "fr"}
        Language of the words.
    max_display : int, default 15
        Coefficients drawn: those whose posterior is furthest from zero in units of
        its standard deviation.
    """
    ranked = sorted(
        table.rows, key=lambda row: -abs(row.posterior[0] / row.posterior[1])
    )
    shown = ranked[:max_display][::-1]
    limit = _limit(shown)
    rows = list(enumerate(shown))
    before = "earlier" if table.updated else "prior"
    styles = (
        (before, [(y, r.prior) for y, r in rows if not r.opinion], GREY, "s", 0.25),
        ("opinion", [(y, r.prior) for y, r in rows if r.opinion], ORANGE, "D", 0.25),
        ("added", [(y, r.data) for y, r in rows], VERMILION, "^", 0.0),
        ("in_model", [(y, r.posterior) for y, r in rows], BLUE, "o", -0.25),
    )
    for key, drawn, colour, marker, shift in styles:
        width = 2.6 if key == "in_model" else 1.4
        points = [(y + shift, *found) for y, found in drawn if found is not None]
        if points:
            _draw_intervals(ax, points, limit, colour, marker, width)
            label = say(f"figure.{key}", lang)
            ax.plot([], [], color=colour, marker=marker, lw=width, label=label)
    ax.axvline(0.0, color=BLACK, lw=0.8, zorder=0)
    for y in range(1, len(shown), 2):
        ax.axhspan(y - 0.5, y + 0.5, color="0.95", zorder=-1)
    _set_axes(ax, table, [row.column for row in shown], limit, lang)
    return ax


def _limit(rows: Sequence[CoefficientRow]) -> float:
    """Half-width of the axis: every posterior and prior mean fits."""
    ends = [abs(row.posterior[0]) + Z * row.posterior[1] for row in rows]
    ends += [abs(row.prior[0]) + row.prior[1] for row in rows]
    return 1.08 * max(*ends, 0.5)


def _draw_intervals(
    ax: Axes,
    points: Sequence[tuple[float, float, float]],
    limit: float,
    colour: str,
    marker: str,
    width: float,
) -> None:
    for y, mean, sd in points:
        low, high = mean - Z * sd, mean + Z * sd
        ax.plot([max(low, -limit), min(high, limit)], [y, y], color=colour, lw=width)
        if abs(mean) < limit:
            ax.plot([mean], [y], marker=marker, ms=5, color=colour)
        for end, arrow in ((low < -limit, "<"), (high > limit, ">")):
            if end:
                edge = -limit if arrow == "<" else limit
                ax.plot([edge], [y], marker=arrow, ms=5, color=colour, clip_on=False)


def _set_axes(
    ax: Axes, table: CoefficientTable, columns: Sequence[str], limit: float, lang: str
) -> None:
    labels = [column_label(column, table.decision, lang) for column in columns]
    ax.set_yticks(range(len(columns)), labels)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-0.6, len(columns) - 0.4)
    ax.set_xlim(-limit, limit)
    ax.xaxis.set_major_formatter(lambda x, _: format_number(x, lang, ".3g"))
    key = "weight" if any(row.data for row in table.rows) else "alone"
    key = "weight_earlier" if table.updated else key
    told = {"before": table.weight_before, "after": table.weight_after}
    lines = say("figure.log_odds", lang), say(f"figure.{key}", lang, **told)
    ax.set_xlabel("\n".join(lines))
    top = ax.secondary_xaxis("top")
    marks = [ratio for ratio in ODDS_RATIOS if abs(math.log(ratio)) <= limit]
    top.set_xticks(
        [math.log(ratio) for ratio in marks], [format_number(r, lang) for r in marks]
    )
    top.set_xlabel(say("figure.odds_ratio", lang))
    legend_below(ax, say("figure.bars", lang))
    open_frame(ax)
