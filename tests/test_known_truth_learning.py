"""Learning curves of the benchmarks: how many patients a method needs, and the plot."""

from __future__ import annotations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

from known_truth.learning import learning_curve, patients_to_match
from known_truth.learning_plot import plot_learning_curve


@pytest.fixture
def ax():
    return Figure(layout="constrained").add_subplot()


@pytest.fixture
def curves():
    ours = learning_curve("ours", [25, 50, 193], [50, 33, 18], standard_error=[3, 2, 1])
    ridge = learning_curve("ridge", [25, 50, 193, 800], [110, 81, 36, 9])
    return [ours, ridge, learning_curve("proportion", [25, 800], [79, 63])]


def written(ax):
    """The title of the legend and every text beside the axes."""
    texts = [text.get_text() for text in ax.texts]
    return [ax.get_legend().get_title().get_text(), *texts]


def test_patients_to_match_by_hand():
    # error falls as 1/n: 0.05 at 80 patients
    curve = learning_curve("peer", [20, 200], [0.2, 0.02])
    assert_allclose(patients_to_match(curve, 0.05), 80.0)


def test_patients_to_match_at_the_measured_points():
    curve = learning_curve("peer", [50, 193, 800], [0.08, 0.033, 0.009])
    assert patients_to_match(curve, 0.08) == 50.0
    assert_allclose(patients_to_match(curve, 0.033), 193.0)


def test_patients_to_match_is_none_when_never_reached():
    curve = learning_curve("peer", [50, 193, 800], [0.08, 0.033, 0.009])
    assert patients_to_match(curve, 0.008) is None


def test_patients_to_match_refuses_no_error():
    curve = learning_curve("peer", [50], [0.08])
    with pytest.raises(ValueError, match="error must be above 0, got 0.0"):
        patients_to_match(curve, 0.0)


def test_learning_curve_is_sorted():
    curve = learning_curve(
        "peer", [800, 50], [0.01, 0.08], standard_error=[0.001, 0.004]
    )
    assert curve.n_patients.tolist() == [50, 800]
    assert curve.standard_error.tolist() == [0.004, 0.001]


@pytest.mark.parametrize(
    ("n_patients", "error", "message"),
    [([50, 100], [0.1], "same length"), ([50], [0.0], "above 0"), ([0], [0.1], "abov")],
)
def test_learning_curve_refuses(n_patients, error, message):
    with pytest.raises(ValueError, match=message):
        learning_curve("peer", n_patients, error)


def test_learning_plot_says_who_matches_us_and_when(curves, ax):
    assert plot_learning_curve(curves, ax=ax) is ax
    needed = patients_to_match(curves[1], 33)
    text = f"ours at 50 patients\nis matched by ridge at {needed:.0f}"
    assert text in written(ax)


def test_learning_plot_says_when_nobody_matches_us(curves, ax):
    plot_learning_curve([curves[0], curves[2]], ax=ax)
    assert "ours at 50 patients\nis matched by no other in this range" in written(ax)


def test_learning_plot_without_our_size_compares_nothing(curves, ax):
    plot_learning_curve(curves, ax=ax, at=60)
    assert not any("matched" in word for word in written(ax))


def test_learning_plot_marks_measured_sizes(curves, ax):
    plot_learning_curve(curves, ax=ax, label="Brier score")
    ticks = [tick.get_text() for tick in ax.get_xticklabels()]
    assert ticks == ["25", "50", "193", "800"]
    assert ax.get_ylabel() == "Brier score"


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_learning_legend_lies_over_no_data_and_no_label(curves, ax, lang):
    plot_learning_curve(curves, ax=ax, lang=lang)
    FigureCanvasAgg(ax.figure).draw()
    legend = ax.get_legend().get_window_extent()
    assert legend.y1 < ax.xaxis.get_tightbbox().y0
    assert legend.y0 >= 0.0
