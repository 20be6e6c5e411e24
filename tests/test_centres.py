"""Centres with levels of their own: development, prediction, folder, update."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from responder_model.artifact import load_model, save_model
from responder_model.development import build_procedure, develop, update
from responder_model.development.centres import tell_apart
from responder_model.errors import DevelopmentError, ResponderModelError
from responder_model.model.disclosed import describe_disclosure
from responder_model.model.parts import OTHER_CENTRES
from responder_model.settings import Settings
from responder_model.simulation import simulate_cohort
from responder_model.simulation.truth import draw_truth
from responder_model.validation import validate_by_centre
from responder_model.validation.pooling import combine, pool_centres

LINEAR = Settings(decision="rtms_response", moment="screening", challenger=False)
LEVELS = {"Lyon": 1.5, "Nancy": 0.0, "Brest": -1.5}
PATIENT = {"age": 54, "aetiology": "ischaemic_stroke"}


def several(n_each, seed, levels=LEVELS):
    """Patients of centres that differ in nothing but their level."""
    truth = draw_truth("rtms_response", "right", np.random.default_rng(seed))
    parts = []
    for k, (name, level) in enumerate(levels.items()):
        moved = replace(truth, mean=truth.mean + level)
        part = simulate_cohort(
            n_each, 100 * seed + k, truth=moved, non_completers=0.0
        ).drop(columns="patient_id")
        parts.append(part.assign(centre=name))
    cohort = pd.concat(parts, ignore_index=True)
    cohort.attrs = dict(parts[0].attrs)
    return cohort


@pytest.fixture(scope="module")
def cohort():
    return several(60, 1)


@pytest.fixture(scope="module")
def model(cohort):
    return develop(cohort, settings=LINEAR)


# ---------------------------------------------------------------- development


def test_develop_tells_centres_apart_in_the_order_of_their_levels(model):
    assert model.centre_names == ("Brest", "Lyon", "Nancy")
    chance = {c: model.predict(PATIENT, centre=c).probability for c in LEVELS}
    assert chance["Lyon"] > chance["Nancy"] + 0.1 > chance["Brest"] + 0.2


def test_develop_does_not_see_a_single_centre(cohort):
    alone = cohort.assign(centre="Lyon")
    found = develop(alone, settings=LINEAR)
    other = develop(alone.drop(columns="centre"), settings=LINEAR)
    assert found.centres == ()
    np.testing.assert_array_equal(found.main.coefficients, other.main.coefficients)


def test_another_centre_is_less_certain_than_one_that_is_known(model):
    lengths = [
        np.diff(model.predict(PATIENT, centre=centre).interval)[0]
        for centre in ("Nancy", "Elsewhere", None)
    ]
    assert lengths[0] < lengths[1] == lengths[2]


def test_another_centre_gets_the_variance_between_centres(model):
    """By hand: the mean of a new centre's level over the components' variances."""
    weight = np.array([part.weight for part in model.components])
    between = weight @ np.array([part.centre_sd**2 for part in model.components])
    levels = np.array([level.shift[model.main_index] for level in model.centres])
    assert between == pytest.approx(np.var(levels), rel=0.7)
    means = np.array([part.mean for part in model.components])
    own = np.array([part.covariance[-1, -1] for part in model.components])
    deviation = means[:, -1] - weight @ means[:, -1]
    intercept = means[:, 0] - weight @ means[:, 0]
    cross = np.array([part.covariance[0, -1] for part in model.components])
    added = weight @ (own + deviation**2 + 2 * (cross + intercept * deviation))
    ordinal = replace(LINEAR, components="robust")
    assert ordinal == LINEAR
    # half of what is served is the ordinal fit, from 100 patients on
    assert model.centres[-1].variance[0] == pytest.approx(added - between, rel=0.5)


def test_ignored_centres_are_not_told_apart(cohort):
    found = develop(cohort, settings=replace(LINEAR, centres="ignored"))
    assert found.centres == ()
    assert found.predict(PATIENT, centre="Lyon").messages[-1].code == "model.no_centres"


def test_order_of_rows_changes_no_level(cohort, model):
    turned = cohort.iloc[::-1].reset_index(drop=True)
    turned.attrs = dict(cohort.attrs)
    found = develop(turned, settings=LINEAR)
    for one, other in zip(model.centres, found.centres, strict=True):
        np.testing.assert_allclose(one.shift, other.shift, atol=1e-6)


# ---------------------------------------------------------------- small centres


def test_tell_apart_makes_one_of_small_centres():
    centre = np.array(["A"] * 6 + ["B"] * 5 + ["C"] * 3 + ["D"] * 2)
    found = tell_apart(centre, np.arange(16), k=5)
    assert found.names == ("A", "B", OTHER_CENTRES)
    assert not found.left_out.any()
    assert (found.own[-5:] == 2).all()


def test_tell_apart_leaves_out_few_patients_of_small_centres():
    centre = np.array(["A"] * 6 + ["B"] * 5 + ["C"] * 4)
    found = tell_apart(centre, np.arange(15), k=5)
    assert found.names == ("A", "B")
    assert found.left_out.tolist() == [False] * 11 + [True] * 4


def test_tell_apart_counts_a_copied_patient_once():
    centre = np.array(["A"] * 6 + ["B"] * 6)
    assert tell_apart(centre, np.r_[np.arange(6), [6] * 6], k=5).names == ()


def test_tell_apart_keeps_the_centres_of_an_earlier_model_first():
    centre = np.array(["Z"] * 6 + ["A"] * 6)
    found = tell_apart(centre, np.arange(12), k=5, known=("M", "Z"))
    assert found.names == ("M", "Z", "A")
    assert found.own.tolist() == [1] * 6 + [2] * 6


def test_no_folder_names_a_small_centre(cohort, tmp_path):
    few = cohort.copy()
    few.loc[:2, "centre"] = "Quimper"
    found = develop(few, settings=LINEAR)
    save_model(found, tmp_path / "model")
    assert "Quimper" not in (tmp_path / "model" / "model.json").read_text()
    assert set(found.centre_names) == set(LEVELS)
    said = " ".join(note.text("en") for note in describe_disclosure(found))
    assert "which the folder names: Brest, Lyon, Nancy" in said
    assert "Centres of fewer than 5 patients" in said


def test_what_a_folder_tells_names_no_centre_that_it_does_not_hold(cohort):
    found = develop(cohort, settings=replace(LINEAR, centres="ignored"))
    assert "centres" not in str([note.code for note in describe_disclosure(found)])


# ---------------------------------------------------------------- prediction


@pytest.mark.parametrize("centre", ["Lyon", "Elsewhere", None])
def test_contributions_sum_to_the_log_odds_of_each_centre(model, centre):
    found = model.predict(PATIENT, centre=centre)
    total = found.baseline + sum(found.contributions.values())
    assert total == pytest.approx(found.linear_predictor, abs=1e-9)
    assert found.baseline == model.baseline_in(centre)


def test_predict_cohort_takes_one_centre_or_one_for_each(model, cohort):
    rows = cohort.iloc[::20]
    each = model.predict_cohort(rows, centre=list(rows["centre"]))
    for name in LEVELS:
        mine = (rows["centre"] == name).to_numpy()
        one = model.predict_cohort(rows[mine], centre=name)
        np.testing.assert_allclose(
            each.loc[mine, "probability"], one["probability"], atol=1e-12
        )
    first = model.predict(rows.iloc[0][["age", "sex"]].to_dict(), centre="Lyon")
    alone = model.predict_cohort(rows.iloc[:1][["age", "sex"]], centre="Lyon")
    assert alone["lower"].iloc[0] == pytest.approx(first.interval[0], abs=1e-12)


def test_predict_cohort_without_a_centre_is_for_another_one(model, cohort):
    plain = model.predict_cohort(cohort)
    named = model.predict_cohort(cohort, centre="Elsewhere")
    pd.testing.assert_frame_equal(plain, named)


@pytest.mark.parametrize("as_told", [int, float, lambda code: f" {code} ", np.int64])
def test_a_centre_by_number_is_the_centre_of_that_code(cohort, as_told):
    code = {"Lyon": 1, "Nancy": 2, "Brest": 3}
    numbered = develop(
        cohort.assign(centre=cohort["centre"].map(code)), settings=LINEAR
    )
    assert numbered.centre_names == ("1", "2", "3")
    told = [as_told(code[name]) for name in cohort["centre"]]
    found = numbered.predict_cohort(cohort, centre=told).probability
    named = [str(code[name]) for name in cohort["centre"]]
    expected = numbered.predict_cohort(cohort, centre=named).probability
    np.testing.assert_array_equal(found, expected)
    one = numbered.predict(PATIENT, centre=as_told(1)).probability
    assert one == numbered.predict(PATIENT, centre="1").probability
    assert one != numbered.predict(PATIENT).probability


@pytest.mark.parametrize("centre", [["Lyon"], True, {"name": "Lyon"}])
def test_what_is_no_centre_is_refused(model, centre):
    with pytest.raises(ResponderModelError, match="centre must be one name or code"):
        model.predict(PATIENT, centre=centre)


def test_predict_cohort_refuses_centres_of_another_length(model, cohort):
    with pytest.raises(ResponderModelError, match="one for each patient, got 2 for"):
        model.predict_cohort(cohort, centre=["Lyon", "Nancy"])


def test_patients_of_small_centres_have_no_level_to_ask_for(cohort):
    untold = cohort.copy()
    untold.loc[untold["centre"] == "Brest", "centre"] = pd.NA
    found = develop(untold, settings=LINEAR)
    assert found.centres[-1].name == OTHER_CENTRES
    assert found.position_of(OTHER_CENTRES) == -1
    assert found.predict(PATIENT, centre="").baseline == found.baseline


def test_the_message_says_whose_level_it_is(model):
    own = model.predict(PATIENT, centre="Lyon").messages[-1]
    other = model.predict(PATIENT, centre="Elsewhere").messages[-1]
    assert own.code == "model.centre_level"
    assert other.code == "model.another_centre"
    assert "Brest, Lyon, Nancy" in other.text("fr")


# ---------------------------------------------------------------- folder and codes


def test_a_folder_predicts_for_each_centre_as_before(model, tmp_path):
    save_model(model, tmp_path / "model")
    found = load_model(tmp_path / "model")
    for centre in (*LEVELS, None):
        assert found.predict(PATIENT, centre=centre) == model.predict(
            PATIENT, centre=centre
        )


def test_coded_centres_are_known_by_name_at_home_and_by_code_elsewhere(
    cohort, tmp_path, monkeypatch
):
    monkeypatch.setenv("RESPONDER_MODEL_CENTRE_FOLDER", str(tmp_path / "home"))
    found = develop(cohort, settings=replace(LINEAR, centres="coded"))
    save_model(found, tmp_path / "model")
    written = "".join(
        p.read_text(errors="replace") for p in (tmp_path / "model").iterdir()
    )
    assert not any(name in written for name in LEVELS)
    home = found.predict(PATIENT, centre="Lyon")
    code = found.centre_names[found.position_of("Lyon")]
    assert home == found.predict(PATIENT, centre=code)
    monkeypatch.setenv("RESPONDER_MODEL_CENTRE_FOLDER", str(tmp_path / "away"))
    assert found.position_of("Lyon") == -1
    assert found.position_of(code) >= 0


# ---------------------------------------------------------------- update


def test_update_adds_centres_as_a_joint_development_has_them():
    cohort = several(30, 2)
    first = cohort["centre"] != "Brest"
    # with the rule, the parts learn of fewer columns than the whole
    free = replace(LINEAR, small_cells=0, stays_here=True)
    older = develop(_part(cohort, first), settings=free)
    newer = update(older, _part(cohort, ~first))
    joint = develop(cohort, settings=free)
    assert newer.centre_names == ("Lyon", "Nancy", "Brest")
    for centre in (*LEVELS, None):
        one, other = (m.predict(PATIENT, centre=centre) for m in (newer, joint))
        assert one.probability == pytest.approx(other.probability, abs=0.03)


def test_update_learns_more_of_a_centre_that_is_known():
    cohort = several(40, 3)
    first = np.arange(len(cohort)) % 2 == 0
    older = develop(_part(cohort, first), settings=LINEAR)
    newer = update(older, _part(cohort, ~first))
    assert newer.centre_names == older.centre_names
    wide, narrow = (
        np.diff(m.predict(PATIENT, centre="Nancy").interval) for m in (older, newer)
    )
    assert narrow < wide


def test_update_of_a_model_without_centres_tells_none_apart(cohort):
    older = develop(cohort.drop(columns="centre").iloc[:60], settings=LINEAR)
    newer = update(older, cohort.iloc[60:])
    assert newer.centres == ()


def _part(cohort, rows):
    part = cohort[rows].reset_index(drop=True)
    part.attrs = dict(cohort.attrs)
    return part


# ---------------------------------------------------------------- validation


def test_combine_by_hand_and_against_statsmodels():
    effects, variances = np.array([0.1, 0.5, -0.2, 0.8]), np.array([4, 2, 5, 3]) / 100
    found = combine(effects, variances)
    from statsmodels.stats.meta_analysis import combine_effects

    # Paule–Mandel differs from REML, the weights given tau² do not
    weight = 1.0 / (variances + found.tau**2)
    assert found.mean == pytest.approx(weight @ effects / weight.sum())
    paule_mandel = combine_effects(effects, variances, method_re="iterated").tau2
    assert found.tau**2 == pytest.approx(paule_mandel, rel=0.1)
    assert found.new_limits[0] < found.limits[0] < found.mean < found.limits[1]


def test_combine_adds_a_constant_to_everything():
    effects, variances = np.array([0.1, 0.5, -0.2]), np.array([0.04, 0.02, 0.05])
    one, other = combine(effects, variances), combine(effects + 2.0, variances)
    assert other.tau == pytest.approx(one.tau, abs=1e-6)
    assert np.subtract(other.new_limits, 2.0) == pytest.approx(one.new_limits, abs=1e-5)


def test_pool_centres_has_every_measure_of_the_validation(cohort):
    table = validate_by_centre(LINEAR, cohort)
    pooled = pool_centres(table).set_index("measure")
    assert set(pooled.index) == {
        "c_statistic", "calibration_slope", "calibration_in_the_large",
        "observed_expected_ratio",
    }  # fmt: skip
    row = pooled.loc["calibration_in_the_large"]
    # the centres differ in nothing but their level, by 1.5
    assert row["tau"] == pytest.approx(1.5, abs=0.8)
    assert row["new_lower"] < row["lower"] < row["value"] < row["upper"]
    assert pooled.loc["c_statistic", "n_centres"] == 3


def test_pool_centres_needs_two_centres_with_a_measure(cohort):
    table = validate_by_centre(LINEAR, cohort).iloc[:1]
    with pytest.raises(DevelopmentError, match="at least 2 centres must have"):
        pool_centres(table)


def test_plot_forest_draws_on_its_own_axes(cohort):
    from matplotlib.figure import Figure

    from responder_model.figures.forest import plot_forest

    table = validate_by_centre(LINEAR, cohort)
    hidden = table.assign(c_statistic_lower=[np.nan, *table["c_statistic_lower"][1:]])
    first, second = Figure().subplots(1, 2)
    for lang in ("en", "fr"):
        assert plot_forest(hidden, pool_centres(table), ax=second, lang=lang) is second
    assert not first.lines
    labels = [tick.get_text() for tick in second.get_yticklabels()]
    assert labels[0] == "Brest : non montré"
    assert labels[-2:] == ["moyenne de 3 centres", "un nouveau centre (95 %)"]


def test_procedure_takes_the_centres_of_its_cohort(cohort):
    procedure = build_procedure("rtms_response", "screening", challenger=False)
    procedure.fit(cohort, cohort["relief_test"].to_numpy() > 30)
    assert procedure.centres_ == ("Brest", "Lyon", "Nancy")
