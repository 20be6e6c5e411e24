"""What the evidence-informed estimator takes, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from ordinal import simulate
from responder_model.cumulative_logit import EvidenceCumulativeLogit
from responder_model.cumulative_logit.earlier import Earlier


def test_unknown_prior_column_is_refused():
    design, level = simulate(20, np.array([0.5]), 14)
    with pytest.raises(ValueError, match="priors must name columns of X, got age"):
        EvidenceCumulativeLogit({"age": (0.0, 1.0)}).fit(design, level)


def test_unknown_level_is_refused():
    design, level = simulate(20, np.array([0.5]), 15)
    with pytest.raises(ValueError, match="y must be one of the levels"):
        EvidenceCumulativeLogit(levels=[0, 1]).fit(design, level)


def test_levels_stand_in_the_order_in_which_they_are_given():
    design, level = simulate(150, np.array([0.8, -0.4]), 16)
    words = np.array(["none", "little", "some", "more", "much", "all"])
    by_word = EvidenceCumulativeLogit(levels=words.tolist()).fit(design, words[level])
    by_number = EvidenceCumulativeLogit(levels=range(6)).fit(design, level)
    assert_allclose(by_word.predict_proba(design), by_number.predict_proba(design))
    assert (by_word.predict(design) == words[by_number.predict(design)]).all()


WORDS = ["none", "mild", "moderate", "severe"]


def ordered_words(seed):
    rng = np.random.default_rng(seed)
    design = pd.DataFrame(rng.normal(size=(120, 2)), columns=["a", "b"])
    level = np.digitize(2 * design["a"] + rng.logistic(size=120), [-1, 0, 1])
    return design, level


@pytest.mark.parametrize("form", [pd.Categorical, pd.Series])
def test_ordered_categorical_keeps_its_order(form):
    design, level = ordered_words(1)
    outcome = form(pd.Categorical.from_codes(level, WORDS, ordered=True))
    by_word = EvidenceCumulativeLogit().fit(design, outcome)
    by_code = EvidenceCumulativeLogit().fit(design, level)
    assert by_word.classes_.tolist() == WORDS
    assert_allclose(by_word.coef_, by_code.coef_)
    words = np.array(WORDS)[by_code.predict(design)]
    assert (by_word.predict(design) == words).all()


def test_ordered_categorical_keeps_a_level_that_nobody_has():
    design, level = ordered_words(2)
    lacking = pd.Series(pd.Categorical.from_codes(level, WORDS, ordered=True))
    some = (level != 1) & (np.arange(120) < 90)
    fitted = EvidenceCumulativeLogit().fit(design[some], lacking[some])
    by_code = EvidenceCumulativeLogit(levels=range(4)).fit(design[some], level[some])
    assert fitted.predict_proba(design).shape == (120, 4)
    assert_allclose(fitted.coef_, by_code.coef_)


def test_levels_that_are_given_win_over_declared_ones():
    design, level = ordered_words(3)
    outcome = pd.Categorical.from_codes(level, WORDS, ordered=True)
    turned = EvidenceCumulativeLogit(levels=WORDS[::-1]).fit(design, outcome)
    assert turned.classes_.tolist() == WORDS[::-1]
    assert turned.coef_[0] < 0.0


def test_missing_outcome_of_an_ordered_categorical_is_refused():
    design, level = ordered_words(4)
    outcome = pd.Series(pd.Categorical.from_codes(level, WORDS, ordered=True))
    outcome[3] = None
    with pytest.raises(ValueError, match="NaN"):
        EvidenceCumulativeLogit().fit(design, outcome)


@pytest.mark.parametrize("ordered", ["array", "categorical"])
def test_words_without_an_order_are_warned_of(ordered):
    design, level = ordered_words(5)
    words = np.array(WORDS)[level]
    outcome = words if ordered == "array" else pd.Series(pd.Categorical(words))
    with pytest.warns(UserWarning, match="y must have an order, got 4 words.*`levels`"):
        EvidenceCumulativeLogit().fit(design, outcome)


def test_two_words_and_numbers_are_no_reason_to_warn():
    design, level = ordered_words(6)
    EvidenceCumulativeLogit().fit(design, np.where(level > 1, "yes", "no"))
    EvidenceCumulativeLogit().fit(design, level)


def test_main_cut_above_the_last_cut_point_is_refused():
    design, level = ordered_words(7)
    with pytest.raises(ValueError, match="main_cut must be a whole number from 0 to 2"):
        EvidenceCumulativeLogit(main_cut=3).fit(design, level)
    few = level < 2
    with pytest.raises(ValueError, match="give `levels` if y lacks one"):
        EvidenceCumulativeLogit(main_cut=1).fit(design[few], level[few])
    whole = EvidenceCumulativeLogit(main_cut=1, levels=range(4))
    assert whole.fit(design[few], level[few]).main_ == 1


def test_columns_with_names_in_parts_are_refused():
    design, level = ordered_words(8)
    parts = design.set_axis(pd.MultiIndex.from_product([["c"], design]), axis=1)
    with pytest.raises(ValueError, match="single name for each column"):
        EvidenceCumulativeLogit().fit(parts, level)
    fitted = EvidenceCumulativeLogit().fit(design, level)
    with pytest.raises(ValueError, match="single name for each column"):
        fitted.predict_proba(parts)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"levels": [0, 1, 1]}, "levels must differ"),
        ({"components": "all"}, "components must be one of robust, published, zero"),
        ({"components": "published"}, "priors must be given"),
        ({"priors": [(0.0, 1.0)]}, "priors must be None or map columns"),
        ({"priors": {"x0": (0.5, 0.0)}}, "priors must be .*sd and scale > 0"),
        ({"priors": {"x0": (np.nan, 1.0)}}, "priors must be"),
        ({"priors": {"x0": (0.5, 1.0, -2.0)}}, "priors must be"),
        ({"priors": {"x0": 0.5}}, "priors must be"),
        ({"anchor": (0.0, 0.0)}, "anchor must be"),
        ({"anchor": 0.0}, "anchor must be"),
        ({"gaps": [1.0]}, "gaps must be 0 numbers"),
        ({"gap_sd": 0.0}, "gap_sd must be a number above 0"),
        ({"main_cut": -1}, "main_cut must be a whole number from 0"),
        ({"served_cuts": [1]}, "served_cuts must be cut points from 0 to 0"),
        (
            {"earlier": Earlier(components=(), at_cuts={})},
            "earlier must hold at least one component",
        ),
    ],
)
def test_parameters_that_no_fit_can_start_from_are_refused(settings, message):
    design, level = simulate(30, np.array([0.5]), 17)
    with pytest.raises(ValueError, match=message):
        EvidenceCumulativeLogit(**settings).fit(design, (level > 2).astype(int))


@pytest.mark.parametrize("gaps", [[1.0, 0.0], [1.0, -1.0], [1.0, np.nan], [1.0], 1.0])
def test_gaps_must_be_positive_and_one_between_two_cut_points(gaps):
    design, level = simulate(60, np.array([0.5]), 18)
    with pytest.raises(ValueError, match="gaps must be 2 numbers above 0"):
        EvidenceCumulativeLogit(gaps=gaps).fit(design, np.minimum(level, 3))


@pytest.mark.parametrize("upper", [np.zeros(60, dtype=int), [1, 2]])
def test_upper_level_below_the_lower_or_of_others_is_refused(upper):
    design, level = simulate(60, np.array([0.5]), 19)
    with pytest.raises(ValueError, match="upper must be one level for each outcome"):
        EvidenceCumulativeLogit(levels=range(6)).fit(design, level, upper=upper)


def test_linear_predictor_of_no_cut_point_is_refused():
    design, level = simulate(60, np.array([0.5]), 20)
    fitted = EvidenceCumulativeLogit(levels=range(6)).fit(design, level)
    with pytest.raises(ValueError, match="cut must be from 0 to 4, got 5"):
        fitted.linear_predictor(design, cut=5)


def test_constant_of_many_digits_says_nothing_about_other_values():
    """Its SD is rounding error; a new value must not lie thousands of SDs away."""
    design, level = simulate(60, np.array([0.5]), 21)
    constant = np.full((60, 1), 123456.789)
    fitted = EvidenceCumulativeLogit().fit(np.hstack([design, constant]), level)
    moved = fitted.predict_proba(np.hstack([design, constant + 0.25]))
    expected = fitted.predict_proba(np.hstack([design, constant]))
    assert_allclose(moved, expected, atol=0.01)


def test_units_of_a_column_do_not_matter():
    design, level = simulate(80, np.array([0.8, -0.4]), 22)
    units = np.array([1e-14, 1e14])
    expected = EvidenceCumulativeLogit().fit(design, level).predict_proba(design)
    scaled = EvidenceCumulativeLogit().fit(design * units, level)
    assert_allclose(scaled.predict_proba(design * units), expected, atol=1e-9)
