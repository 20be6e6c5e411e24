"""Figures of validation: on the given axes, what the table says, in both languages."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

import responder_model as rm
from responder_model import performance as pf
from responder_model.errors import ResponderModelError
from responder_model.figures.coefficients import (
    coefficient_table,
    column_label,
    plot_coefficients,
)
from responder_model.figures.drawing import (
    STYLES,
    _write_png,
    draw_figure,
    legend_below,
)
from responder_model.figures.response import (
    plot_response_by_aetiology,
    response_by_aetiology,
)
from responder_model.figures.stability import (
    plot_classification_instability,
    plot_decision_instability,
    plot_stability,
)
from responder_model.figures.validation import (
    plot_calibration_curve,
    plot_decision_curve,
)
from responder_model.model.example import example_model
from responder_model.validation import Stability


@pytest.fixture
def ax():
    return Figure(layout="constrained").add_subplot()


@pytest.fixture
def cohort():
    rng = np.random.default_rng(9)
    lp = rng.normal(-0.3, 1.0, 193)
    y = (rng.random(193) < 1 / (1 + np.exp(-lp))).astype(float)
    return y, 1 / (1 + np.exp(-1.4 * lp + 0.2))


def words(ax):
    """Everything that is written on an axes and in its legend."""
    written = [text.get_text() for text in ax.texts]
    legend = ax.get_legend()
    if legend is not None:
        written += [text.get_text() for text in legend.get_texts()]
        written.append(legend.get_title().get_text())
    labels = [tick.get_text() for tick in ax.get_yticklabels()]
    return [*written, *labels, ax.get_xlabel(), ax.get_ylabel()]


def line(ax, label):
    """Data of the line with a label."""
    (found,) = [row for row in ax.lines if row.get_label() == label]
    return found.get_xydata()


def draw_each(cohort, lang):
    """Draw every figure that has a legend, by name."""
    outcome, p = cohort
    thresholds = np.arange(0.1, 0.7, 0.05)
    decision = pf.decision_curve(outcome, p, thresholds=thresholds)
    table = response_by_aetiology(outcome, ["amputation"] * 193, predicted=p)
    coefficients = coefficient_table(example_model())
    look = {"lang": lang}
    return {
        "calibration": lambda ax: plot_calibration_curve(
            pf.calibration_curve(outcome, p), ax=ax, **look
        ),
        "decision": lambda ax: plot_decision_curve(decision, ax=ax, **look),
        "stability": lambda ax: plot_stability(
            pf.instability_curve(p, [p / 2, p]), ax=ax, **look
        ),
        "classification": lambda ax: plot_classification_instability(
            pf.instability_curve(p, [p / 2, p]), ax=ax, **look
        ),
        "coefficients": lambda ax: plot_coefficients(
            coefficients, ax=ax, max_display=2, **look
        ),
        "response": lambda ax: plot_response_by_aetiology(table, ax=ax, **look),
    }


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize(
    "name",
    [
        "calibration",
        "decision",
        "stability",
        "classification",
        "coefficients",
        "response",
    ],
)
def test_legend_lies_over_no_data_and_no_label(cohort, ax, name, lang):
    draw_each(cohort, lang)[name](ax)
    FigureCanvasAgg(ax.figure).draw()
    legend = ax.get_legend().get_window_extent()
    assert legend.y1 < ax.xaxis.get_tightbbox().y0
    assert legend.y0 >= 0.0


# Calibration


def test_calibration_plot_shows_the_curve_on_the_given_axes(cohort, ax):
    curve = pf.calibration_curve(*cohort)
    assert plot_calibration_curve(curve, ax=ax) is ax
    drawn = line(ax, "observed, smoothed, with 95 % band")
    assert_allclose(drawn, np.stack([curve.probability, curve.observed], axis=1))


def test_calibration_plot_counts_patients_and_names_the_sides(cohort, ax):
    curve = pf.calibration_curve(*cohort)
    written = words(plot_calibration_curve(curve, ax=ax))
    assert f"193 patients, {curve.n_events} responders" in written
    assert "predictions too low" in written
    assert "predictions too high" in written


def test_calibration_plot_puts_too_low_above_the_diagonal(cohort, ax):
    plot_calibration_curve(pf.calibration_curve(*cohort), ax=ax)
    places = {text.get_text(): text.get_position() for text in ax.texts}
    x, y = places["predictions too low"]
    assert y > x


def test_calibration_plot_draws_the_counts_in_the_strip(cohort, ax):
    curve = pf.calibration_curve(*cohort)
    plot_calibration_curve(curve, ax=ax)
    heights = np.array([bar.get_height() for bar in ax.patches])
    up, down = heights[heights > 0].sum(), -heights[heights < 0].sum()
    assert_allclose(up / down, curve.responders.sum() / curve.non_responders.sum())


def test_calibration_plot_of_few_patients_is_a_line_without_bars(cohort, ax):
    curve = pf.calibration_curve(cohort[0][:25], cohort[1][:25])
    written = words(plot_calibration_curve(curve, ax=ax))
    assert "observed (two-parameter fit), with 95 % band" in written
    assert "too few patients to show where they are" in written
    assert not ax.patches


def test_calibration_plot_speaks_french(cohort, ax):
    curve = pf.calibration_curve(*cohort)
    written = words(plot_calibration_curve(curve, ax=ax, lang="fr"))
    assert "prédictions trop hautes" in written
    assert "probabilité de réponse prédite, %" in written


def test_calibration_plot_of_one_probability_is_a_point(ax):
    curve = pf.calibration_curve([0, 1, 1, 0, 1], [0.4] * 5)
    plot_calibration_curve(curve, ax=ax)
    assert any(row.get_marker() == "o" for row in ax.lines)


# Decision curve


def test_decision_plot_shows_three_strategies(cohort, ax):
    curve = pf.decision_curve(*cohort, thresholds=np.arange(0.1, 0.7, 0.05))
    assert plot_decision_curve(curve, ax=ax) is ax
    drawn = line(ax, "treat by the model, with 95 % interval")
    assert_allclose(drawn[:, 1], curve.net_benefit)
    drawn = line(ax, "treat everybody (arrow: further down)")
    inside = curve.treat_all >= drawn[-1, 1]
    assert_allclose(drawn[:-1, 1], curve.treat_all[inside])
    assert_allclose(line(ax, "treat nobody")[:, 1], 0.0)


def test_decision_curve_stays_in_its_frame_where_the_model_harms(cohort, ax):
    outcome, p = cohort
    curve = pf.decision_curve(outcome, 1 - p, thresholds=np.arange(0.1, 0.85, 0.05))
    assert curve.net_benefit.min() < -0.2
    plot_decision_curve(curve, ax=ax)
    low, high = ax.get_ylim()
    for drawn in ax.lines:
        heights = np.asarray(drawn.get_ydata())
        assert low < heights.min()
        assert heights.max() < high


def test_decision_curve_ends_treating_everybody_in_an_arrow_at_its_formula(cohort, ax):
    outcome, p = cohort
    plot_decision_curve(
        pf.decision_curve(outcome, p, thresholds=np.arange(0.1, 0.85, 0.01)), ax=ax
    )
    drawn = line(ax, "treat everybody (arrow: further down)")
    share = outcome.mean()
    t = drawn[:, 0]
    # the end lies between two thresholds, where the curve is all but straight
    assert_allclose(drawn[:, 1], share - (1 - share) * t / (1 - t), atol=1e-3)
    (bar,) = [c for c in ax.collections if c.get_hatch()]
    highest = max(path.get_extents().y1 for path in bar.get_paths())
    assert drawn[-1, 1] > highest


def test_decision_curve_needs_no_arrow_where_treating_everybody_stays(cohort, ax):
    outcome, p = cohort
    curve = pf.decision_curve(outcome, p, thresholds=[0.1, 0.2, 0.3])
    plot_decision_curve(curve, ax=ax)
    assert_allclose(line(ax, "treat everybody")[:, 1], curve.treat_all)


def test_decision_plot_marks_where_the_model_is_better(cohort, ax):
    curve = pf.decision_curve(*cohort, thresholds=np.arange(0.1, 0.7, 0.05))
    assert "model better than both: interval above 0" in words(
        plot_decision_curve(curve, ax=ax)
    )


def test_decision_plot_shows_a_gain_at_one_threshold_as_wide_as_the_others(ax):
    curve = pf.decision_curve(
        [0, 1, 0, 1], [0.2, 0.6, 0.7, 0.9], thresholds=[0.2, 0.4, 0.6, 0.8]
    )
    alone = replace(curve, gain=np.array([0.0, 0.0, 0.1, 0.0]), gain_lower=None)
    plot_decision_curve(alone, ax=ax)
    (box,) = [p for c in ax.collections if c.get_hatch() for p in c.get_paths()]
    assert_allclose(box.get_extents().intervalx, [0.5, 0.7])


def test_decision_plot_of_a_useless_model_marks_nothing(ax):
    rng = np.random.default_rng(2)
    y = rng.integers(0, 2, 100)
    wrong = np.where(y == 1, 0.2, 0.8)
    curve = pf.decision_curve(y, wrong, thresholds=[0.3, 0.4, 0.5])
    written = words(plot_decision_curve(curve, ax=ax))
    assert not any("better than both" in word for word in written)


def test_decision_plot_trusts_no_gain_from_few_patients(ax):
    y = np.array([0] * 4 + [1] * 60 + [0] * 40)
    p = np.array([0.05] * 4 + [0.5] * 100)
    curve = pf.decision_curve(y, p, thresholds=[0.1, 0.15, 0.2])
    assert np.all(curve.gain_lower > 0)
    written = words(plot_decision_curve(curve, ax=ax))
    assert "model better than both: in these patients" in written
    assert "model better than both: interval above 0" not in written


def test_decision_plot_without_interval_claims_none(cohort, ax):
    curve = pf.decision_curve(*cohort, thresholds=[0.3, 0.4], interval="none")
    written = words(plot_decision_curve(curve, ax=ax))
    assert "treat by the model" in written
    assert not any("interval" in word for word in written)


def test_a_figure_laid_out_once_is_what_two_layouts_make_of_it(tmp_path):
    def drawn():
        figure = Figure(figsize=(5.0, 4.0), layout="constrained")
        ax = figure.add_subplot(xlabel="below", ylabel="beside", title="above")
        ax.plot([0.0, 1.0], [10.0, 1000.0], label="a line")
        legend_below(ax)
        ax.secondary_yaxis("right").set_ylabel("across")
        figure.supxlabel("under all")
        return figure

    drawn().savefig(tmp_path / "two.png", dpi=150, metadata={"Software": None})
    _write_png(drawn(), tmp_path / "one.png", dpi=150)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


# Stability


def test_stability_plot_shows_limits_and_mean_error(cohort, ax):
    p = cohort[1]
    resampled = np.clip(p + np.array([[-0.1], [0.0], [0.1]]), 0, 1)
    curve = pf.instability_curve(p, resampled)
    assert plot_stability(curve, ax=ax) is ax
    assert_allclose(line(ax, "their median")[:, 1], curve.median)
    error = f"{100 * curve.overall_mean_absolute_error:.2g}"
    assert f"mean difference: {error} points\n193 patients, 3 resamples" in words(ax)


def test_stability_plot_of_few_patients_is_one_group(cohort, ax):
    p = cohort[1][:14]
    curve = pf.instability_curve(p, [p + 0.01, p - 0.01])
    plot_stability(curve, ax=ax, lang="fr")
    assert "95 % des modèles rééchantillonnés" in words(ax)


def test_classification_plot_draws_each_group_and_the_threshold(cohort, ax):
    p = cohort[1]
    curve = pf.instability_curve(p, [p + 0.1, p - 0.1], threshold=0.3)
    assert plot_classification_instability(curve, ax=ax) is ax
    drawn = line(ax, "groups of at least 10")
    assert_allclose(drawn, np.stack([curve.probability, curve.other_side], axis=1))
    assert_allclose(line(ax, "threshold of 30 %")[:, 0], 0.3)
    assert "193 patients, 2 resamples" in words(ax)


def decisions_of(cohort):
    y, p = cohort
    rng = np.random.default_rng(1)
    resampled = np.clip(p + rng.normal(0.0, 0.08, (40, p.size)), 0.01, 0.99)
    found = Stability(probability=p, resampled=resampled, outcome=y)
    return found.decision_instability(np.linspace(0.1, 0.8, 15))


def test_decision_instability_plot_draws_what_the_table_says(cohort, ax):
    curve = decisions_of(cohort)
    assert plot_decision_instability(curve, ax=ax) is ax
    assert_allclose(line(ax, "developed model")[:, 1], curve.net_benefit)
    assert_allclose(line(ax, "their median")[:, 1], curve.median)
    drawn = line(ax, "treat everybody (arrow: further down)")
    inside = curve.treat_all >= drawn[-1, 1]
    assert_allclose(drawn[:-1, 1], curve.treat_all[inside])
    count = f"193 patients of the development, {curve.n_events} responders, 40 resam"
    assert any(count in word for word in words(ax))


def test_decision_instability_stays_in_its_frame(cohort, ax):
    plot_decision_instability(decisions_of(cohort), ax=ax)
    low, high = ax.get_ylim()
    for drawn in ax.lines:
        heights = np.asarray(drawn.get_ydata())
        assert low < heights.min()
        assert heights.max() < high


def test_decision_instability_plot_speaks_french(cohort, ax):
    plot_decision_instability(decisions_of(cohort), ax=ax, lang="fr")
    assert "95 % des modèles rééchantillonnés" in words(ax)


def test_styles_differ_in_colour_marker_and_line():
    for part in zip(*STYLES, strict=True):
        assert len(set(part)) == len(STYLES)


# Coefficients


@pytest.fixture(scope="module")
def model():
    return example_model()


def test_coefficients_drawn_are_those_served(model):
    table = coefficient_table(model)
    values = np.array([row.posterior[0] for row in table.rows])
    assert_allclose(values @ model.encoder.projection, model.main.coefficients)


def test_coefficients_of_the_published_model_are_those_of_its_mixture():
    model = rm.published_model("rtms_response", "session_2")
    weights = np.array([part.prior_weight for part in model.components])
    first = len(model.components[0].prior_mean) - len(model.encoder.derived)
    means = np.array([part.prior_mean[first:] for part in model.components])
    sds = np.array([part.prior_sd[first:] for part in model.components])
    mean = weights @ means
    sd = np.sqrt(weights @ (sds**2 + (means - mean) ** 2))
    for k, row in enumerate(coefficient_table(model).rows):
        assert_allclose(row.prior, (means[0, k], sds[0, k]), rtol=1e-9)
        assert_allclose(row.posterior, (mean[k], sd[k]), rtol=1e-7, atol=1e-9)


def test_data_and_prior_make_the_published_posterior():
    model = rm.develop(rm.simulate_cohort(80, seed=3), "rtms_response", "screening")
    published = model.components[0]
    first = len(published.mean) - len(model.encoder.derived)
    row = coefficient_table(model).rows[0]
    weights = [row.prior[1] ** -2, row.data[1] ** -2]
    mean = np.average([row.prior[0], row.data[0]], weights=weights)
    assert_allclose(mean, published.mean[first], rtol=1e-9)
    assert_allclose(sum(weights), 1 / published.covariance[first, first], rtol=1e-9)


def test_published_model_has_nothing_from_patients(ax):
    model = rm.published_model("emcs_success")
    table = coefficient_table(model)
    assert all(row.data is None for row in table.rows)
    written = words(plot_coefficients(table, ax=ax))
    assert "added by these patients" not in written
    assert any("published evidence alone: no patients" in word for word in written)


def test_coefficient_plot_names_predictors_units_and_weights(model, ax):
    table = coefficient_table(model)
    written = words(plot_coefficients(table, ax=ax, max_display=len(table.rows)))
    assert "Age, per 13 years" in written
    weight = f"{table.weight_before:.2f} before, {table.weight_after:.2f} after"
    assert any(weight in word for word in written)
    assert any("not a test of agreement" in word for word in written)


def test_coefficient_plot_keeps_to_its_number_of_rows(model, ax):
    plot_coefficients(coefficient_table(model), ax=ax, max_display=3)
    assert len(ax.get_yticklabels()) == 3


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("moment", ["screening", "session_1", "session_3"])
def test_every_column_has_words(moment, lang):
    for column in rm.published_model("rtms_response", moment).encoder.derived:
        label = column_label(column, "rtms_response", lang)
        assert "=" not in label
        assert "_" not in label


def test_duration_is_a_factor():
    label = column_label("pain_duration", "rtms_response")
    assert label == "Pain duration, × 2.2"


def test_relief_is_counted_in_points():
    label = column_label("relief_test", "emcs_success")
    assert label == "Relief after the 4-session test, per 30 points"


# Response by aetiology


def test_response_table_by_hand():
    aetiology = ["amputation"] * 12 + ["radiculopathy"] * 10
    outcome = [1] * 3 + [0] * 9 + [1] * 5 + [0] * 5
    table = response_by_aetiology(outcome, aetiology, predicted=[0.3] * 22)
    assert [(r.group, r.n_events, r.n_patients) for r in table.rows] == [
        ("amputation", 3, 12),
        ("radiculopathy", 5, 10),
    ]
    assert_allclose(table.rows[0].estimate.value, 0.25)
    assert_allclose(table.overall, 8 / 22)
    assert_allclose(table.rows[1].predicted, 0.3)


def test_small_groups_are_put_together():
    aetiology = ["amputation"] * 20 + ["radiculopathy"] * 6 + ["trauma"] * 5
    table = response_by_aetiology([0, 1] * 15 + [1], aetiology)
    assert [(row.group, row.n_patients) for row in table.rows] == [
        ("amputation", 20),
        (None, 11),
    ]


def test_small_group_cannot_be_worked_out_from_the_others():
    # 3 patients alone would be all minus the rest: the next smallest joins them
    aetiology = ["amputation"] * 20 + ["radiculopathy"] * 12 + [None] * 3
    table = response_by_aetiology([0, 1] * 17 + [1], aetiology)
    assert [(row.group, row.n_patients) for row in table.rows] == [
        ("amputation", 20),
        (None, 15),
    ]


def test_groups_that_may_not_stand_apart_are_put_together():
    aetiology = ["amputation"] * 20 + ["radiculopathy"] * 15 + ["syringomyelia"] * 12
    table = response_by_aetiology([0] * 47, aetiology, apart=["radiculopathy"])
    assert [(row.group, row.n_patients) for row in table.rows] == [
        ("radiculopathy", 15),
        (None, 32),
    ]


def test_few_patients_in_all_are_not_shown(ax):
    table = response_by_aetiology([0, 1, 1], ["amputation"] * 3)
    assert table.rows == ()
    assert table.overall is None
    plot_response_by_aetiology(table, ax=ax)
    assert "fewer than 10 patients in all: not shown" in words(ax)


def test_response_plot_names_groups_and_counts(ax):
    aetiology = ["ischaemic_stroke"] * 14 + [float("nan")] * 11
    table = response_by_aetiology([1] * 4 + [0] * 21, aetiology, predicted=[0.2] * 25)
    written = words(plot_response_by_aetiology(table, ax=ax, lang="fr"))
    assert "AVC ischémique" in written
    assert "non renseigné" in written
    assert "4 sur 14" in written
    assert "probabilité prédite moyenne" in written


def test_response_plot_hides_no_proportion_behind_a_prediction(ax):
    table = response_by_aetiology([0, 1] * 6, ["amputation"] * 12, predicted=[0.5] * 12)
    plot_response_by_aetiology(table, ax=ax)
    (diamond,) = [
        row for row in ax.lines if row.get_marker() == "D" and len(row.get_xdata())
    ]
    assert diamond.get_markerfacecolor() == "none"


def test_response_plot_takes_another_field(ax):
    table = response_by_aetiology([1, 0] * 6, ["marked"] * 12, field="motor_deficit")
    assert "marked" in words(plot_response_by_aetiology(table, ax=ax))


def test_unequal_lengths_are_refused():
    with pytest.raises(ResponderModelError, match="same length"):
        response_by_aetiology([1, 0], ["amputation"])


def test_ordered_outcome_is_refused():
    with pytest.raises(ResponderModelError, match=r"outcome must be 0 .* or 1"):
        response_by_aetiology([2, 0], ["amputation"] * 2)


# Files


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_figure_is_written_with_its_label(cohort, tmp_path, lang):
    curve = pf.calibration_curve(*cohort)
    path = draw_figure(
        lambda ax: plot_calibration_curve(curve, ax=ax, lang=lang),
        tmp_path / "calibration.png",
        title="Calibration",
        provenance="simulated",
        lang=lang,
    )
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_coefficients_tell_opinion_from_publication(ax, lang):
    from responder_model.development.published import published_model

    model = published_model("rtms_response", "screening")
    table = coefficient_table(model)
    opinion = {row.column: row.opinion for row in table.rows}
    status = {name: row.status for name, row in model.priors.columns.items()}
    assert opinion == {name: status[name] == "judgement" for name in opinion}
    assert set(opinion.values()) == {True, False}
    written = words(plot_coefficients(table, ax=ax, lang=lang, max_display=30))
    assert {"en": "opinion (prior)", "fr": "avis (a priori)"}[lang] in written
    assert any("publi" in text for text in written)
    only = replace(table, rows=tuple(row for row in table.rows if not row.opinion))
    other = Figure(layout="constrained").add_subplot()
    alone = words(plot_coefficients(only, ax=other, lang=lang))
    assert {"en": "opinion (prior)", "fr": "avis (a priori)"}[lang] not in alone
