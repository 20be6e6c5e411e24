"""Figures of explanations: what is written on them, and on the right axes."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import shap
from matplotlib.figure import Figure

import responder_model as rm
from responder_model.features import expit
from responder_model.figures.drawing import picture_of, save_figure
from responder_model.figures.explanations import (
    draw_beeswarm,
    draw_waterfall,
    plot_beeswarm,
    plot_waterfall,
    waterfall_title,
)
from responder_model.words import say

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def model():
    return rm.published_model("rtms_response", "session_2")


@pytest.fixture(scope="module")
def explanation(model):
    return model.explain(rm.simulate_cohort(n_patients=60, seed=2))


@pytest.fixture
def ax():
    return Figure().add_subplot()


def words(ax):
    """Everything that is written on an axes."""
    ticks = [tick.get_text() for tick in ax.get_yticklabels()]
    legend = ax.get_legend()
    entries = [] if legend is None else legend.get_texts()
    return ticks + [text.get_text() for text in (*ax.texts, *entries)]


def points(ax):
    """What is written beside the frame."""
    (beside,) = (axis for axis in ax.child_axes if axis.get_ylabel())
    return [tick.get_text() for tick in beside.get_yticklabels()]


def test_waterfall_draws_on_the_given_axes(explanation, ax):
    assert plot_waterfall(explanation[0], ax=ax) is ax
    assert ax.patches


def test_waterfall_names_predictor_value_and_unit(model, ax):
    values = {"age": 54, "aetiology": "amputation", "relief_1": 60, "opioid": "yes"}
    row = model.explain(pd.DataFrame([values]))[0]
    labels = words(plot_waterfall(row, ax=ax, max_display=30))
    assert "Age: 54 years" in labels
    assert "Aetiology: amputation" in labels
    assert "Relief after session 1: 60 %" in labels
    assert "Opioid treatment: yes" in labels
    assert "Fatigue: not given" in labels


def test_waterfall_speaks_french(explanation, ax):
    labels = words(plot_waterfall(explanation[0], ax=ax, lang="fr", max_display=30))
    assert any(label.startswith("Âge : ") for label in labels)
    assert any("ce patient" in label for label in labels)
    assert not any("." in text for text in points(ax))


def test_waterfall_ends_at_the_probability_served(model, ax):
    cohort = rm.simulate_cohort(n_patients=60, seed=2)
    plot_waterfall(model.explain(cohort)[7], ax=ax)
    served = model.predict_cohort(cohort)["probability"].iloc[7]
    assert f"this patient: {served:.0%}".replace("%", " %") in words(ax)


def test_waterfall_bars_sum_to_the_log_odds(explanation, ax):
    plot_waterfall(explanation[3], ax=ax, max_display=6)
    row = explanation[3]
    total = row.base_values + row.values.sum()
    added = 100 * (expit(total) - expit(np.array(row.base_values)))
    assert sum(map(float, points(ax))) == pytest.approx(added, abs=6 * 0.05)
    widths = [bar.get_width() for bar in ax.patches]
    assert len(widths) == 6
    np.testing.assert_allclose(sum(widths), row.values.sum(), atol=1e-12)
    assert words(ax)[5] == f"{len(row.values) - 5} other predictors"


def test_waterfall_keeps_every_bar_inside_the_axes(explanation, ax):
    plot_waterfall(explanation[3], ax=ax)
    low, high = ax.get_xlim()
    ends = [
        x for bar in ax.patches for x in (bar.get_x(), bar.get_x() + bar.get_width())
    ]
    assert low < min(ends)
    assert max(ends) < high
    # nothing is written on the bars, nor on the lines of the two patients
    assert not ax.texts


def test_waterfall_draws_a_small_contribution_small(model, ax):
    row = model.explain(pd.DataFrame([{"pain_intensity": 7}]))[0]
    row.values = np.full_like(row.values, 0.0)
    row.values[0] = -0.03
    plot_waterfall(row, ax=ax)
    low, high = ax.get_xlim()
    assert max(abs(bar.get_width()) for bar in ax.patches) < 0.1 * (high - low)


def test_waterfall_draws_a_patient_at_the_average(ax):
    fields = rm.dictionary().predictors("emcs_success", "implantation")
    nothing = shap.Explanation(
        values=np.zeros(len(fields)),
        base_values=-0.3,
        data=np.full(len(fields), np.nan),
        feature_names=[row.name for row in fields],
    )
    plot_waterfall(nothing, ax=ax)
    average = f"{expit(np.array(-0.3)):.0%}".replace("%", " %")
    assert f"average patient: {average}" in words(ax)
    assert set(points(ax)) == {"0.0"}


def test_beeswarm_draws_on_the_given_axes(explanation, ax):
    assert plot_beeswarm(explanation, ax=ax) is ax
    assert ax.collections


def test_beeswarm_sums_what_it_does_not_show(explanation, ax):
    plot_beeswarm(explanation, ax=ax, max_display=5, lang="fr")
    labels = [tick.get_text() for tick in ax.get_yticklabels()]
    assert len(labels) == 5
    assert f"{explanation.shape[1] - 4} autres prédicteurs" in labels
    assert ax.get_xlabel() == "contribution au log-cotes (logit)"


def test_beeswarm_draws_a_predictor_that_nobody_has(model, ax):
    cohort = rm.simulate_cohort(n_patients=30, seed=2).drop(columns="fatigue")
    assert plot_beeswarm(model.explain(cohort), ax=ax, max_display=30) is ax


def test_beeswarm_leaves_the_global_generator_alone(explanation, ax):
    np.random.seed(3)  # noqa: NPY002
    expected = np.random.get_state()[1].copy()  # noqa: NPY002
    plot_beeswarm(explanation, ax=ax)
    np.testing.assert_array_equal(np.random.get_state()[1], expected)  # noqa: NPY002


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("provenance", ["published", "simulated", "cohort"])
def test_saved_figure_says_what_it_is(tmp_path, lang, provenance):
    figure = Figure(layout="constrained")
    figure.add_subplot()
    save_figure(figure, tmp_path / "figure.png", provenance=provenance, lang=lang)
    written = " ".join([text.get_text() for text in figure.texts])
    assert say("model.research_use", lang) in written
    assert (say("figure.simulated", lang) in written) == (provenance == "simulated")
    assert (say("figure.watermark", lang) in written) == (provenance == "simulated")


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_waterfall_title_says_which_model_answers_what_and_how_surely(model, lang):
    found = model.predict({"relief_1": 10, "relief_2": 30})
    title = waterfall_title(found, lang)
    low, high = (round(100 * p) for p in found.interval)
    assert model.digest[:12] in title
    assert {"en": "after session 2", "fr": "après la séance 2"}[lang] in title
    assert {"en": f"{low} to {high}", "fr": f"{low} à {high}"}[lang] in title


def test_explanation_of_one_patient_is_that_of_the_prediction(model):
    from responder_model.model.explanation import explain_one
    from responder_model.patient import check_patient

    patient = {"relief_1": 10, "aetiology": "amputation"}
    known = check_patient(patient, model.decision, model.moment)
    found = model.predict(patient)
    one = explain_one(found, known)
    assert one.base_values + one.values.sum() == pytest.approx(found.linear_predictor)
    assert one.data[one.feature_names.index("aetiology")] == "amputation"


def test_drawn_files_are_png(explanation, tmp_path):
    about = {"title": "Response", "provenance": "simulated"}
    waterfall = draw_waterfall(explanation[0], tmp_path / "waterfall.png", **about)
    beeswarm = draw_beeswarm(explanation, tmp_path / "beeswarm.png", **about)
    assert waterfall.read_bytes().startswith(PNG)
    assert beeswarm.read_bytes().startswith(PNG)


def test_same_explanation_draws_the_same_bytes(explanation, tmp_path):
    about = {"title": "Response", "provenance": "simulated"}
    paths = [tmp_path / "first.png", tmp_path / "second.png"]
    first, second = (draw_beeswarm(explanation, path, **about) for path in paths)
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(("lang", "word"), [("en", "Model: "), ("fr", "Modèle : ")])
def test_a_picture_names_its_models_once_each(tmp_path, lang, word):
    from responder_model.figures.drawing import draw_figure

    drawn = []
    digests = ["a" * 64, "b" * 64, "a" * 64]
    draw_figure(
        lambda ax: drawn.append(ax) or ax,
        tmp_path / "x.png",
        title="x",
        provenance="published",
        lang=lang,
        digests=digests,
    )
    said = drawn[0].figure.get_supxlabel()
    assert said.endswith(f"{word}{'a' * 12}, {'b' * 12}.")


def test_a_layout_that_the_user_prefers_changes_no_picture() -> None:
    def plot(ax):
        ax.set_ylabel("of two\nlines")
        return ax

    plain = picture_of(plot, size=(2.0, 1.0))
    with mpl.rc_context({"figure.autolayout": True}):
        assert picture_of(plot, size=(2.0, 1.0)) == plain
