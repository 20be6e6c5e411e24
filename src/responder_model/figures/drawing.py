"""What the figures share: colours, axes in percent, writing a file."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation, Text
from matplotlib.transforms import ScaledTranslation

from responder_model.outputs import check_outside_models
from responder_model.words import say

# Inches between the margins of a page of A4: what is drawn as wide keeps its letters.
PAGE_WIDTH = 7.48
# Points of the letters on such a page; the smallest are 5/6 of them.
_LETTERS = 9.0
Line = str | tuple[int, tuple[int, ...]]

# Okabe and Ito: safe for colour-blind eyes; line style or marker differs as well, so
# that a grey print can be read.
BLUE, VERMILION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
PURPLE, SKY, BLACK, GREY = "#CC79A7", "#56B4E9", "#000000", "#6E6E6E"
STYLES: tuple[tuple[str, str, Line], ...] = (
    (VERMILION, "s", "--"),
    (GREEN, "^", "-."),
    (ORANGE, "D", ":"),
    (PURPLE, "v", (0, (5, 1, 1, 1))),
    (SKY, "P", (0, (3, 1))),
    (GREY, "X", (0, (1, 1))),
)


def percent(value: float, _: object = None) -> str:
    """Tick label of a proportion on an axis in percent."""
    return f"{100 * value:.0f}"


def percent_axes(ax: Axes, *, bottom: float = 0.0) -> None:
    """Square axes from 0 to 100 %, with room below when ``bottom`` is negative."""
    ticks = np.linspace(0.0, 1.0, 6)
    ax.set_xlim(0.0, 1.0)
    ax.set_ylim(bottom, 1.0)
    ax.set_xticks(ticks)
    ax.set_yticks(ticks)
    ax.xaxis.set_major_formatter(percent)
    ax.yaxis.set_major_formatter(percent)
    ax.set_aspect("equal")
    open_frame(ax)


def legend_below(ax: Axes, title: str | None = None) -> None:
    """Legend in room of its own below the label of the lower axis, set before.

    Inside the axes it would hide a line or a band sooner or later.
    """
    size = float(mpl.rcParams["font.size"])
    lines = len(ax.get_xlabel().splitlines())
    # points: tick, gaps and tick label, then the lines of the axis label
    depth = 15.0 + size * (1.3 + 1.35 * lines)
    scale = ax.figure.dpi_scale_trans
    ax.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        bbox_transform=ax.transAxes + ScaledTranslation(0.0, -depth / 72.0, scale),
        borderaxespad=0.0,
        ncols=2,
        columnspacing=1.2,
        frameon=False,
        fontsize="small",
        title=title,
        title_fontsize="small",
    )


def open_frame(ax: Axes) -> None:
    """Leave the top and right of the frame away."""
    ax.spines[["top", "right"]].set_visible(False)


# Places of a label beside a point, in points, and which of its sides is there.
_BESIDE: tuple[tuple[int, int, str, str], ...] = (
    (6, -5, "left", "top"),
    (-5, 5, "right", "bottom"),
    (6, 5, "left", "bottom"),
    (-5, -5, "right", "top"),
    (9, 0, "left", "center"),
    (-9, 0, "right", "center"),
    (0, -9, "center", "top"),
    (0, 9, "center", "bottom"),
)


def write_beside(ax: Axes, text: str, at: tuple[float, float], colour: str) -> None:
    """Write a label beside a point where it lies over least of what was drawn before.

    The figure must have been drawn once, so that it is known where all lies.
    """

    def write(place: tuple[int, int, str, str]) -> Annotation:
        x, y, ha, va = place
        return ax.annotate(
            text,
            at,
            (x, y),
            textcoords="offset points",
            ha=ha,
            va=va,
            color=colour,
            size="small",
            # a thin interval stops where the label stands
            path_effects=[withStroke(linewidth=2.5, foreground="white")],
        )

    counts = []
    for place in _BESIDE:
        tried = write(place)
        counts.append(n_crossed(ax, tried))
        tried.remove()
    write(_BESIDE[counts.index(min(counts))])


def n_crossed(ax: Axes, label: Text) -> float:
    """How many lines, markers and other labels a label lies over; all where outside.

    A thin bar of a collection counts a tenth.
    """
    box = label.get_window_extent().padded(1.5)
    inside = all(ax.bbox.contains(x, y) for x, y in (box.min, box.max))
    lines = [ax.transData.transform_path(line.get_path()) for line in ax.lines]
    bars = [path for drawn in ax.collections for path in drawn.get_paths()]
    around = box.padded(4.0)
    crossed = [path.intersects_bbox(box, filled=False) for path in lines]
    crossed += [
        around.contains(*point)
        for path, line in zip(lines, ax.lines, strict=True)
        if line.get_marker() not in ("None", None)
        for point in np.asarray(path.vertices)
    ]
    others = (text for text in ax.texts if text is not label)
    crossed += [box.overlaps(text.get_window_extent()) for text in others]
    thin = (
        ax.transData.transform_path(path).intersects_bbox(box, filled=False)
        for path in bars
    )
    return sum(crossed) + 0.1 * sum(thin) if inside else math.inf


def draw_figure(
    plot: Callable[[Axes], Axes],
    path: Path,
    *,
    title: str,
    provenance: str,
    lang: str = "en",
    size: tuple[float, float] = (7.0, 6.0),
    digests: Sequence[str] = (),
) -> Path:
    """Write one figure as PNG, with the research-use line and the simulated label.

    Parameters
    ----------
    plot : callable
        Draws on the axes that it is given: ``lambda ax: plot_stability(c, ax=ax)``.
    path : Path
        PNG to write; returned.
    title : str
        Heading of the figure.
    provenance : str
        Of the patients; "simulated" is written across the figure.
    lang : {"en", "fr"}
        Language of the words.
    size : tuple of float
        Width and height, inches.
    digests : sequence of str
        Of the models whose figures are drawn, where the title does not name them.
    """
    figure = Figure(figsize=size, layout="constrained")
    ax = plot(figure.add_subplot())
    ax.set_title(title)
    return save_figure(figure, path, provenance=provenance, lang=lang, digests=digests)


def save_figure(
    figure: Figure,
    path: Path,
    *,
    provenance: str,
    lang: str = "en",
    digests: Sequence[str] = (),
) -> Path:
    """Write a PNG with the research-use line and, where due, the simulated label.

    Raises
    ------
    ResponderModelError
        For a place in a model folder.
    """
    check_outside_models(path)
    lines = [say("model.research_use", lang)]
    if digests:
        named = ", ".join(digest[:12] for digest in dict.fromkeys(digests))
        lines.append(say("figure.models", lang, models=named))
    if provenance == "simulated":
        lines.insert(0, say("figure.simulated", lang))
        figure.text(
            0.5,
            0.5,
            say("figure.watermark", lang),
            fontsize=48,
            color="0.5",
            alpha=0.15,
            rotation=25,
            ha="center",
            va="center",
        )
    figure.supxlabel(" ".join(lines), fontsize="small", color="0.25")
    _write_png(figure, path, dpi=150)
    return path


def _write_png(figure: Figure, place: Path | BytesIO, *, dpi: int) -> None:
    """Write a figure that is laid out once, where ``savefig`` would do so twice."""
    figure.set_dpi(dpi)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")  # with None, the user's own settings choose
    figure.savefig(place, format="png", dpi=dpi, metadata={"Software": None})


def picture_of(plot: Callable[[Axes], Axes], *, size: tuple[float, float]) -> bytes:
    """PNG of one figure for a page that says itself what it is: the same bytes always.

    Parameters
    ----------
    plot : callable
        Draws on the axes that it is given.
    size : tuple of float
        Width and height, inches.
    """
    with mpl.rc_context({"font.size": _LETTERS}):
        figure = Figure(figsize=size, layout="constrained")
        plot(figure.add_subplot())
        return png_of(figure)


def png_of(figure: Figure) -> bytes:
    """PNG of a figure for a page, the same bytes always."""
    written = BytesIO()
    _write_png(figure, written, dpi=200)
    return written.getvalue()


def font_file(*, bold: bool = False) -> Path:
    """Font that has every letter of both languages; matplotlib brings it along."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return Path(mpl.get_data_path()) / "fonts" / "ttf" / name
