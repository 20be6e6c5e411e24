"""Right at a cut-off, a threshold or a limit: every formula gives the same answer."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import responder_model as rm
from responder_model.cohort import (
    check_cohort,
    outcome_levels,
    repeated_rows,
    write_cohort,
)
from responder_model.errors import InvalidCohortError, ResponderModelError
from responder_model.model.example import example_model
from responder_model.performance import (
    decision_curve,
    instability_curve,
    measure_performance,
    net_benefit,
)
from responder_model.reporting import examine
from responder_model.schema import dictionary, exceeds, reaches
from responder_model.scoring import score_frame
from responder_model.settings import Settings
from responder_model.validation import (
    validate_by_subgroup,
    validate_externally,
    validate_internally,
)

# How relief is computed from a pain score before (a) and after (b).
FORMULAS = (
    lambda a, b: (a - b) / a * 100,
    lambda a, b: 100 * (1 - b / a),
    lambda a, b: (1 - b / a) * 100,
    lambda a, b: 100 - 100 * b / a,
    lambda a, b: 100 * ((a - b) / a),
)
# Pairs of whole scores from 0 to 10 and from 0 to 100 whose relief is a cut-off.
AT_A_CUT = [
    (a, b)
    for top in (10, 100)
    for a, b in product(range(1, top + 1), range(top + 1))
    if 100 * (a - b) in {cut * a for cut in (10, 20, 30, 40, 50, 70)}
]


def by_every_formula() -> pd.DataFrame:
    rows = [
        {"whole": 100 * (a - b) // a, "relief": formula(a, b)}
        for a, b in AT_A_CUT
        for formula in FORMULAS
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("decision", ["rtms_response", "emcs_success"])
def test_level_of_relief_is_that_of_whole_number_arithmetic(decision: str) -> None:
    name = dictionary().decisions[decision].outcome
    table = by_every_formula()
    assert (table["whole"] != table["relief"]).any()
    computed, whole = (
        outcome_levels(check_cohort(pd.DataFrame({name: table[column]})), decision)
        for column in ("relief", "whole")
    )
    np.testing.assert_array_equal(computed.lower, whole.lower)
    np.testing.assert_array_equal(computed.upper, whole.upper)


def test_response_at_the_cut_off_contradicts_no_recorded_answer() -> None:
    relief = [formula(10, 7) for formula in FORMULAS]
    no, yes = (
        pd.DataFrame({"relief_test": relief, "rtms_responder": answer})
        for answer in ("no", "yes")
    )
    assert check_cohort(no)["rtms_responder"].tolist() == [False] * len(relief)
    with pytest.raises(InvalidCohortError, match="consistent with Relief after") as e:
        check_cohort(yes)
    assert len(e.value.problems) == len(relief)


def test_one_patient_and_a_cohort_fail_the_test_alike() -> None:
    model = example_model("emcs_success", "implantation")
    said = {
        model.predict({"relief_test": formula(10, 7)}).applicability.level
        for formula in FORMULAS
    }
    assert said == {model.predict({"relief_test": 30}).applicability.level}
    assert said != {model.predict({"relief_test": 31}).applicability.level}


def test_value_at_a_limit_of_the_model_is_within_it() -> None:
    model = rm.published_model("rtms_response", "screening")
    high = model.limits.numbers["age"].usual[1]
    at, above = (model.predict({"age": high + more}) for more in (4e-10, 0.5))
    assert (at.applicability.level, above.applicability.level) == (
        "inside",
        "borderline",
    )


def test_probability_at_the_threshold_is_treated_by_every_formula() -> None:
    outcome = [1, 0, 1, 0]
    below = 1 - 0.7  # 0.30000000000000004
    assert below != 0.3
    for at, threshold in ((0.3, below), (below, 0.3), (0.3, 0.3)):
        p = [at, 0.1, 0.9, at]
        assert net_benefit(outcome, p, threshold=threshold) == pytest.approx(
            2 / 4 - 1 / 4 * 3 / 7
        )
        curve = decision_curve(outcome, p, thresholds=[threshold])
        assert curve.net_benefit[0] == pytest.approx(2 / 4 - 1 / 4 * 3 / 7)
    p = np.full(10, 0.3)
    stable = instability_curve(p, np.array([p, p + 5e-17]), threshold=below)
    assert stable.other_side.sum() == 0.0


@pytest.mark.parametrize(("n_events", "n"), [(1, 20), (3, 10), (8, 30), (29, 50)])
def test_decision_curve_at_the_outcome_proportion_is_one_by_every_formula(
    n_events: int, n: int
) -> None:
    outcome = np.repeat([1, 0], [n_events, n - n_events])
    thresholds = [n_events / n, 1 - (n - n_events) / n]
    curve = decision_curve(outcome, np.full(n, n_events / n), thresholds=thresholds)
    # treating all and treating none are worth the same there
    np.testing.assert_allclose(curve.treat_all, 0.0, atol=1e-15)
    assert curve.n_changed[0] == curve.n_changed[1]
    assert curve.useful is None


@pytest.mark.parametrize("bound", [10.0, 0.3, 1 / 3])
def test_comparisons_part_what_differs_by_more_than_the_resolution(
    bound: float,
) -> None:
    step = dictionary().resolution
    values = bound + step * np.array([-1.0, -0.4, 0.0, 0.4, 1.0])
    assert exceeds(values, bound).tolist() == [False, False, False, False, True]
    assert reaches(values, bound).tolist() == [False, True, True, True, True]
    assert not exceeds(np.nan, bound)
    assert not reaches(np.nan, bound)


@pytest.mark.parametrize("name", ["relief_test", "emcs_relief"])
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_help_of_relief_states_the_resolution(name: str, lang: str) -> None:
    decimals = round(-np.log10(dictionary().resolution))
    words = {"en": f"rounding to {decimals} dec", "fr": f"arrondi à {decimals} déc"}
    assert words[lang] in dictionary().fields[name].help[lang]


def in_parts(cohort: pd.DataFrame, n_parts: int) -> pd.DataFrame:
    names = [[name] * len(cohort.columns) for name in ("centre", "form")[2 - n_parts :]]
    whole = pd.MultiIndex.from_arrays([*names[: n_parts - 1], list(cohort.columns)])
    return cohort.set_axis(whole, axis="columns")


DOORS = {
    "check_cohort": lambda c, _: check_cohort(c),
    "outcome_levels": lambda c, _: outcome_levels(c, "rtms_response"),
    "repeated_rows": lambda c, _: repeated_rows(c),
    "write_cohort": lambda c, folder: write_cohort(c, folder / "cohort.parquet"),
    "develop": lambda c, _: rm.develop(c, "rtms_response", "screening"),
    "update": lambda c, _: rm.update(example_model(), c),
    "predict_cohort": lambda c, _: example_model().predict_cohort(c),
    "contributions_cohort": lambda c, _: example_model().contributions_cohort(c),
    "explain": lambda c, _: example_model().explain(c),
    "score_frame": lambda c, _: score_frame(example_model(), c),
    "validate_externally": lambda c, _: validate_externally(example_model(), c),
    "validate_internally": lambda c, _: validate_internally(
        Settings(decision="rtms_response", moment="screening"), c, n_resamples=2
    ),
    "validate_by_subgroup": lambda c, _: validate_by_subgroup(example_model(), c),
    "examine": lambda c, _: examine(example_model(), c),
}


@pytest.fixture(scope="module")
def patients() -> pd.DataFrame:
    return rm.simulate_cohort(n_patients=40, seed=1)


@pytest.mark.parametrize("n_parts", [1, 2])
@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS.keys())
def test_columns_with_names_in_parts_are_refused_as_such(
    patients: pd.DataFrame, door: Callable[..., Any], n_parts: int, tmp_path: Path
) -> None:
    cohort = in_parts(patients.copy(), n_parts)
    with pytest.raises(InvalidCohortError, match="a single name for each column"):
        door(cohort, tmp_path)
    assert not list(tmp_path.iterdir())


def test_measures_refuse_a_frame_in_place_of_a_column() -> None:
    frame = pd.DataFrame({("a", "b"): [0, 1, 0, 1]})
    p = [0.2, 0.6, 0.3, 0.7]
    with pytest.raises(ResponderModelError, match="outcome must be one-dimensional"):
        measure_performance(frame, p)
    with pytest.raises(ResponderModelError, match="probability must be one-dim"):
        measure_performance([0, 1, 0, 1], pd.DataFrame({("a", "b"): p}))
