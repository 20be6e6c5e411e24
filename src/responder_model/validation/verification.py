"""Who was implanted among those tested, and what that does to test accuracy.

Only some of the tested patients are implanted, responders more often. Sensitivity,
specificity and negative predictive value among the implanted therefore say who was
chosen, not how good the test is (verification bias), and are never computed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.cohort import (
    OutcomeLevels,
    binary_outcome,
    check_cohort,
    outcome_levels,
)
from responder_model.errors import DevelopmentError
from responder_model.features import expit
from responder_model.model import Model
from responder_model.model.limits import preceding_test
from responder_model.performance.estimate import Estimate, normal_quantile
from responder_model.performance.proportion import proportion_estimate
from responder_model.schema import Decision
from responder_model.words import Note
from .external import SMALL_CELL

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ReliefClass:
    """Patients of one class of relief after the test.

    Parameters
    ----------
    lower, upper : float or None
        Bounds of relief, %; None is open.
    responder : bool
        Whether the class passes the test's main cut-off.
    n_tested, n_implanted, n_successes : int
        Tested; implanted with a known outcome; successes among these.
    """

    lower: float | None
    upper: float | None
    responder: bool
    n_tested: int
    n_implanted: int
    n_successes: int


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """Accuracy of the test sessions for success of the implant (Begg–Greenes).

    It assumes that, within a relief class, whether a patient was implanted does not
    depend on anything that also bears on success. Selection on judgement breaks it.
    """

    sensitivity: Estimate
    specificity: Estimate
    positive_predictive_value: Estimate
    negative_predictive_value: Estimate


@dataclass(frozen=True, kw_only=True)
class Verification:
    """Implanted among tested by relief class, and the corrected accuracy.

    Parameters
    ----------
    classes : tuple of ReliefClass
        Rising relief; counts are not suppressed here.
    accuracy : Accuracy or None
        None when ``problem`` says why.
    problem : str or None
        ``not_tested`` (the cohort holds implanted patients only) or ``few`` (fewer than
        10 successes or failures in a class: its predictive value would tell them).
    """

    classes: tuple[ReliefClass, ...]
    accuracy: Accuracy | None
    problem: str | None


def verify(model: Model, cohort: pd.DataFrame) -> Verification:
    """Count implanted among tested, and correct the test's accuracy where possible.

    Parameters
    ----------
    model : Model
        A model of a decision that a test precedes.
    cohort : DataFrame
        Every tested patient, implanted or not.

    Raises
    ------
    DevelopmentError
        For a decision that no test precedes.
    """
    test = preceding_test(model.encoder)
    if test is None:
        raise DevelopmentError(Note("validation.test_precedes", got=model.target))
    cohort = check_cohort(cohort)
    success = binary_outcome(outcome_levels(cohort, model.decision), model.decision)
    # raw relief: a symptom that did not improve is no reason to lower it here
    raw = cohort.drop(columns=[test.requires] if test.requires in cohort else [])
    levels = outcome_levels(raw, test.name)
    fine = _by_level(levels, success, test)
    coarse = _by_response(binary_outcome(levels, test.name), success, test)
    accuracy, problem = _accuracy(coarse)
    classes = fine if _large_enough(fine) else coarse
    return Verification(classes=classes, accuracy=accuracy, problem=problem)


def _by_level(
    levels: OutcomeLevels, success: Array, test: Decision
) -> tuple[ReliefClass, ...]:
    """One class between each two fitted cut points, where relief itself is known."""
    edges = (None, *test.cut_points, None)
    known = levels.observed & (levels.lower == levels.upper)
    return tuple(
        _relief_class(
            known & (levels.lower == k),
            success,
            (edges[k], edges[k + 1]),
            responder=k > test.main_index,
        )
        for k in range(len(edges) - 1)
    )


def _by_response(
    response: Array, success: Array, test: Decision
) -> tuple[ReliefClass, ...]:
    """Non-responders, then responders to the test."""
    main = test.main_cut_point
    return (
        _relief_class(response == 0.0, success, (None, main), responder=False),
        _relief_class(response == 1.0, success, (main, None), responder=True),
    )


def _relief_class(
    inside: NDArray[np.bool_],
    success: Array,
    bounds: tuple[float | None, float | None],
    *,
    responder: bool,
) -> ReliefClass:
    known = inside & ~np.isnan(success)
    return ReliefClass(
        lower=bounds[0],
        upper=bounds[1],
        responder=responder,
        n_tested=int(inside.sum()),
        n_implanted=int(known.sum()),
        n_successes=int(success[known].sum()),
    )


def _large_enough(classes: tuple[ReliefClass, ...]) -> bool:
    """Whether no count of a finer table would have to be hidden."""
    counts = [
        n
        for row in classes
        for n in (row.n_successes, row.n_implanted - row.n_successes, row.n_tested)
    ]
    return min(counts) >= SMALL_CELL


def _accuracy(
    classes: tuple[ReliefClass, ...],
) -> tuple[Accuracy | None, str | None]:
    negative, positive = classes
    if negative.n_tested + positive.n_tested <= (
        negative.n_implanted + positive.n_implanted
    ):
        return None, "not_tested"
    successes = [row.n_successes for row in classes]
    failures = [row.n_implanted - row.n_successes for row in classes]
    if min(*successes, *failures) < SMALL_CELL:
        return None, "few"
    return begg_greenes(positive=positive, negative=negative), None


def begg_greenes(
    *, positive: ReliefClass, negative: ReliefClass, confidence: float = 0.95
) -> Accuracy:
    """Test accuracy among all who were tested, from those who were verified.

    Parameters
    ----------
    positive, negative : ReliefClass
        Responders and non-responders to the test; in each, some but not all of the
        implanted succeeded.
    confidence : float, default 0.95
        Coverage of the intervals, which are Wald on the log-odds scale; Wilson for the
        predictive values.

    References
    ----------
    .. [1] Begg CB, Greenes RA. Assessment of diagnostic tests when disease
       verification is subject to selection bias. Biometrics 1983;39:207-215.
       doi:10.2307/2530820

    Examples
    --------
    Of 100 responders 40 were implanted and 30 succeeded; of 100 others 20 and 5. Were
    all implanted, 75 and 25 would succeed: the test finds 75 of 100.

    >>> found = begg_greenes(
    ...     positive=ReliefClass(lower=30, upper=None, responder=True, n_tested=100,
    ...                          n_implanted=40, n_successes=30),
    ...     negative=ReliefClass(lower=None, upper=30, responder=False, n_tested=100,
    ...                          n_implanted=20, n_successes=5))
    >>> round(found.sensitivity.value, 3), round(found.specificity.value, 3)
    (0.75, 0.75)
    """
    n1, n0 = positive.n_tested, negative.n_tested
    v1, v0 = positive.n_implanted, negative.n_implanted
    p1, p0 = positive.n_successes / v1, negative.n_successes / v0
    # logit sens = log n1 p1 - log n0 p0 ; variance by the delta method
    tested = 1.0 / n1 + 1.0 / n0
    sensitivity = np.log(n1 * p1) - np.log(n0 * p0)
    specificity = np.log(n0 * (1.0 - p0)) - np.log(n1 * (1.0 - p1))
    var_sens = (1.0 - p1) / (v1 * p1) + (1.0 - p0) / (v0 * p0) + tested
    var_spec = p0 / (v0 * (1.0 - p0)) + p1 / (v1 * (1.0 - p1)) + tested
    failures = negative.n_implanted - negative.n_successes
    return Accuracy(
        sensitivity=_on_log_odds(sensitivity, var_sens, confidence),
        specificity=_on_log_odds(specificity, var_spec, confidence),
        positive_predictive_value=proportion_estimate(
            positive.n_successes, v1, confidence=confidence
        ),
        negative_predictive_value=proportion_estimate(
            failures, v0, confidence=confidence
        ),
    )


def _on_log_odds(middle: float, variance: float, confidence: float) -> Estimate:
    half = normal_quantile(confidence) * variance**0.5
    value, lower, upper = expit(np.array([middle, middle - half, middle + half]))
    return Estimate(
        value=float(value),
        lower=float(lower),
        upper=float(upper),
        standard_error=variance**0.5,
        method="Wald on the log-odds",
    )
