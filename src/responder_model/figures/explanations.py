"""Why a model says what it says: one patient (waterfall), a cohort (beeswarm)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from responder_model.features import expit, logit
from responder_model.labels import describe_value, label_of
from responder_model.model.prediction import slope_between
from responder_model.schema import dictionary
from responder_model.words import say
from responder_model.words.numbers import format_number, format_percent
from .drawing import legend_below, save_figure

if TYPE_CHECKING:
    import shap
    from matplotlib.axes import Axes

    from responder_model.model import Prediction

Array = NDArray[np.float64]

# Colour-blind safe (Okabe and Ito 2008); they also differ in grey print.
RAISES = "#0072B2"
LOWERS = "#E69F00"
# Probabilities that the upper axis may mark.
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
FEWEST_TICKS = 3
# Steps between probabilities where the range holds too few of them.
FINER_STEPS = (0.05, 0.02, 0.01)
# Room at each side, as a share of the range drawn.
ROOM = 0.08
# Log-odds (some 12 points in 100) drawn at least: a small contribution looks small.
NARROWEST = 0.5
# Log-odds below which a contribution would be written as 0.00.
SMALLEST_DRAWN = 0.005


def plot_waterfall(
    explanation: shap.Explanation,
    *,
    ax: Axes,
    lang: str = "en",
    max_display: int = 10,
) -> Axes:
    """Draw how each predictor moves one patient from the average to the prediction.

    Parameters
    ----------
    explanation : shap.Explanation
        One row of ``model.explain(cohort)``: contributions on the log-odds scale.
    ax : matplotlib Axes
        Where to draw; returned. The lower axis is in log-odds, on which contributions
        add up; the upper one marks the same positions as probabilities.
    lang : {"en", "fr"}
        Language of names and values.
    max_display : int
        Rows drawn at most; where not all fit, the smallest contributions share the last
        one, and so does what is not given and adds nothing.
    """
    labels, steps = _waterfall_rows(explanation, lang, max_display)
    baseline = float(explanation.base_values)
    ends = baseline + np.cumsum(steps[::-1])[::-1]
    starts = ends - steps
    positions = np.arange(len(steps), dtype=float)[::-1]
    for key, colour, chosen in (
        ("raises", RAISES, steps > 0.0),
        ("lowers", LOWERS, steps <= 0.0),
    ):
        at = np.flatnonzero(chosen)
        ax.barh(
            positions[at],
            steps[at],
            left=starts[at],
            color=colour,
            height=0.7,
            label=say(f"figure.{key}", lang),
        )
    ax.vlines(starts[:-1], positions[1:], positions[:-1], color="0.6", linewidth=0.8)
    _set_limits(ax, np.array([baseline, *starts, *ends]), len(steps))
    _write_points(ax, positions, steps, slope_between(baseline, float(ends[0])), lang)
    _mark_ends(ax, baseline, float(ends[0]), lang)
    ax.set_yticks(positions, labels)
    ax.set_xlabel(say("figure.log_odds_axis", lang))
    ax.xaxis.set_major_formatter(lambda x, _: format_number(x, lang, ".3g"))
    _add_probability_axis(ax, lang)
    legend_below(ax)
    return ax


def _set_limits(ax: Axes, points: Array, n_rows: int) -> None:
    """Leave room beside the bars."""
    low, high = points.min(), points.max()
    span = max(high - low, NARROWEST)
    margin = ROOM * span + (span - (high - low)) / 2
    ax.set_xlim(low - margin, high + margin)
    ax.set_ylim(-0.6, n_rows - 0.4)


def _waterfall_rows(
    explanation: shap.Explanation, lang: str, max_display: int
) -> tuple[list[str], Array]:
    """Labels and contributions, largest first; the rest summed at the bottom."""
    values = np.asarray(explanation.values, dtype=float)
    given = np.array([v is not None and v == v for v in explanation.data])
    speaking = given | (np.abs(values) >= SMALLEST_DRAWN)
    order = np.lexsort((-np.abs(values), ~speaking))
    if len(values) > max_display:
        # a row for each that is not given would hide the few that add something
        max_display = min(max_display, max(1, int(speaking.sum())) + 1)
    shown, rest = _split(order, max_display)
    labels = [_row_label(explanation, int(k), lang) for k in shown]
    steps = list(values[shown])
    if len(rest):
        labels.append(say("figure.others", lang, n=len(rest)))
        steps.append(values[rest].sum())
    return labels, np.array(steps)


def _split(
    order: NDArray[np.intp], max_display: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Predictors that get a row of their own, and those that share the last row."""
    if len(order) <= max_display:
        return order, order[:0]
    return order[: max_display - 1], order[max_display - 1 :]


def _row_label(explanation: shap.Explanation, k: int, lang: str) -> str:
    name = explanation.feature_names[k]
    value = describe_value(name, explanation.data[k], lang)
    return say("signs.pair", lang, label=label_of(name, lang), value=value)


def _write_points(
    ax: Axes, positions: Array, steps: Array, slope: float, lang: str
) -> None:
    """Write what each row adds in points, beside the frame, where nothing else is."""
    beside = ax.secondary_yaxis("right")
    told = [format_number(100.0 * step * slope, lang, "+.1f") for step in steps]
    plain = format_number(0.0, lang, ".1f")
    shown = [plain if text.strip("+-0.,") == "" else text for text in told]
    beside.set_yticks(list(positions), shown)
    beside.tick_params(length=0)
    beside.set_ylabel(say("figure.points", lang))


def _mark_ends(ax: Axes, baseline: float, end: float, lang: str) -> None:
    """Mark the average patient and this patient, with their probabilities."""
    for x, key, line in ((baseline, "average", "--"), (end, "patient", "-")):
        p = 1.0 / (1.0 + math.exp(-x))
        label = say(f"figure.{key}", lang, p=p)
        ax.axvline(x, color="0.3", linestyle=line, linewidth=1.0, zorder=0, label=label)


def _add_probability_axis(ax: Axes, lang: str) -> None:
    """Mark probabilities along the top, at their place on the log-odds scale."""
    low, high = expit(np.array(ax.get_xlim()))
    marks = [p for p in TICKS if low <= p <= high]
    for step in FINER_STEPS:
        if len(marks) >= FEWEST_TICKS:
            break
        marks = list(np.arange(np.ceil(low / step), high / step) * step)
    top = ax.secondary_xaxis("top")
    top.set_xticks(list(logit(np.array(marks))), [format_percent(p) for p in marks])
    top.set_xlabel(say("figure.probability", lang))


def plot_beeswarm(
    explanation: shap.Explanation,
    *,
    ax: Axes,
    lang: str = "en",
    max_display: int = 12,
) -> Axes:
    """Draw the contributions of every patient of a cohort, by predictor.

    Each point is a patient; colour is low to high for numbers and yes/no, grey for
    categories and missing values.
    """
    import shap

    shown = _for_beeswarm(explanation, lang, max_display)
    state = np.random.get_state()  # noqa: NPY002 - shap draws from the global generator
    np.random.seed(0)  # noqa: NPY002
    shap.plots.beeswarm(
        shown,
        max_display=None,
        order=np.arange(len(shown.feature_names)),
        ax=ax,
        show=False,
        plot_size=None,
        color=_viridis(),
        color_bar_label=say("figure.value", lang),
    )
    np.random.set_state(state)  # noqa: NPY002
    ax.set_xlabel(say("figure.contribution", lang))
    ax.xaxis.set_major_formatter(lambda x, _: format_number(x, lang, ".3g"))
    ax.tick_params(axis="y", labelsize="medium", length=0)
    _translate_colour_bar(ax, lang)
    return ax


def _viridis() -> LinearSegmentedColormap:
    """Viridis; as a list of colours shap takes it for a single colour."""
    colours = mpl.colormaps["viridis"](np.linspace(0, 1, 256))
    return LinearSegmentedColormap.from_list("viridis", colours)


def _for_beeswarm(
    explanation: shap.Explanation, lang: str, max_display: int
) -> shap.Explanation:
    """Largest contributions first, the rest summed; categories as words, in grey."""
    import shap

    values = np.asarray(explanation.values, dtype=float)
    order = np.argsort(-np.abs(values).mean(axis=0), kind="stable")
    shown, rest = _split(order, max_display)
    names = [explanation.feature_names[k] for k in shown]
    columns = {
        label_of(name, lang): _beeswarm_column(name, explanation.data[:, k])
        for name, k in zip(names, shown, strict=True)
    }
    contributions = values[:, shown]
    if len(rest):
        columns[say("figure.others", lang, n=len(rest))] = pd.Series(
            [""] * len(values), dtype=object
        )
        contributions = np.column_stack([contributions, values[:, rest].sum(axis=1)])
    return shap.Explanation(
        values=contributions,
        base_values=explanation.base_values,
        data=pd.DataFrame(columns),
        feature_names=list(columns),
    )


def _beeswarm_column(name: str, values: Array) -> pd.Series:
    """Numbers as they are; categories and what nobody has as text, drawn in grey."""
    if dictionary().fields[name].kind == "category" or np.isnan(values).all():
        return pd.Series([describe_value(name, v) for v in values], dtype=object)
    return pd.Series(values, dtype=float)


def _translate_colour_bar(ax: Axes, lang: str) -> None:
    for bar in ax.figure.axes:
        if bar.get_label() == "<colorbar>":
            bar.set_yticks([0, 1], [say("figure.low", lang), say("figure.high", lang)])


def waterfall_title(prediction: Prediction, lang: str = "en") -> str:
    """Question and moment, then model, then figure with its interval."""
    low, high = prediction.interval
    digest = "" if prediction.model_digest is None else prediction.model_digest[:12]
    values = {"decision": prediction.decision, "moment": prediction.moment}
    values |= {"model": prediction.model, "digest": digest}
    figure = {"p": prediction.probability, "low": low, "high": high}
    return say("figure.waterfall_title", lang, **values, **figure)


def draw_waterfall(
    explanation: shap.Explanation,
    path: Path,
    *,
    title: str,
    provenance: str,
    lang: str = "en",
) -> Path:
    """Write the waterfall of one patient as PNG."""
    figure = Figure(figsize=(9, 6.2), layout="constrained")
    ax = plot_waterfall(explanation, ax=figure.add_subplot(), lang=lang)
    ax.set_title(title, fontsize="medium")
    return save_figure(figure, path, provenance=provenance, lang=lang)


def draw_beeswarm(
    explanation: shap.Explanation,
    path: Path,
    *,
    title: str,
    provenance: str,
    lang: str = "en",
) -> Path:
    """Write the beeswarm of a cohort as PNG."""
    figure = Figure(figsize=(9, 6), layout="constrained")
    ax = plot_beeswarm(explanation, ax=figure.add_subplot(), lang=lang)
    ax.set_title(title)
    return save_figure(figure, path, provenance=provenance, lang=lang)
