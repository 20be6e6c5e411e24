"""A measure in each centre, and of all together: forest plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from responder_model.performance.definitions import DEFINITIONS
from responder_model.words import say
from responder_model.words.numbers import format_number
from .drawing import BLACK, BLUE, GREY, open_frame

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_MOST_SIZE, _LEAST_SIZE = 9.0, 3.0


def plot_forest(
    table: pd.DataFrame,
    pooled: pd.DataFrame,
    *,
    ax: Axes,
    measure: str = "c_statistic",
    lang: str = "en",
) -> Axes:
    """Draw a measure of each centre with its limits, and the pooled one below.

    Parameters
    ----------
    table : DataFrame
        From ``validate_by_centre``; a centre without limits is named, and not drawn.
    pooled : DataFrame
        From ``pool_centres``.
    ax : matplotlib Axes
        Where to draw; returned. Larger squares are more precise; the thin line below
        the mean is where a new centre may lie.
    measure : str
        One of the measures that are pooled.
    lang : {"en", "fr"}
        Language of the words.
    """
    columns = [measure, f"{measure}_lower", f"{measure}_upper"]
    shown = table.reindex(columns=columns).to_numpy(dtype=np.float64)
    whole = pooled.set_index("measure").loc[measure]
    drawn = np.isfinite(shown).all(axis=1)
    names = [str(name) for name in table["centre"]]
    width = shown[:, 2] - shown[:, 1]
    precise = np.nanmin(width) / np.where(drawn, width, np.inf)
    for place, (value, low, high) in enumerate(shown):
        if drawn[place]:
            size = max(_LEAST_SIZE, _MOST_SIZE * precise[place])
            ax.plot([low, high], [place, place], color=BLUE, linewidth=1.2)
            ax.plot(value, place, "s", color=BLUE, markersize=size)
        else:
            names[place] = say("figure.not_shown", lang, name=names[place])
    at = len(names)
    ax.plot([whole["lower"], whole["upper"]], [at, at], color=BLACK, linewidth=2.5)
    ax.plot(whole["value"], at, "D", color=BLACK, markersize=7)
    n_centres = int(pooled["n_centres"].to_numpy()[pooled["measure"] == measure][0])
    names.append(say("figure.mean_of_centres", lang, n=n_centres))
    if np.isfinite(whole["new_lower"]):
        ends = [whole["new_lower"], whole["new_upper"]]
        ax.plot(ends, [at + 1, at + 1], color=BLACK, linewidth=1.2, linestyle="--")
        names.append(say("figure.new_centre", lang))
    definition = DEFINITIONS[measure]
    if definition.ideal is not None and measure != "c_statistic":
        ax.axvline(definition.ideal, color=GREY, linewidth=0.8, linestyle=":")
    ax.axhline(at - 0.5, color=GREY, linewidth=0.8)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlabel(definition.label[lang])
    ax.xaxis.set_major_formatter(lambda x, _: format_number(x, lang, ".3g"))
    open_frame(ax)
    return ax
