"""Measures of a prediction: outcomes and probabilities in, numbers with words out.

Nothing here knows a model or a data set, and nothing is ever refitted on the cohort
that is measured except the calibration models that are the measures themselves.
"""

from .calibration import (
    calibration_in_the_large,
    calibration_slope,
    joint_calibration_intercept,
    observed_expected_ratio,
)
from .calibration_curve import CalibrationCurve, calibration_curve
from .calibration_distance import (
    SMOOTHERS,
    e50,
    e90,
    emax,
    estimated_calibration_index,
    integrated_calibration_index,
)
from .core import NEUTRAL_THRESHOLD, CoreMeasures, all_measures, core_measures
from .definitions import DEFINITIONS, Definition, describe_measure
from .discrimination import (
    CutPointConcordance,
    c_statistic,
    concordance_by_cut_point,
    ordinal_concordance,
    ordinal_concordance_estimate,
)
from .estimate import Estimate
from .instability import DecisionInstability, InstabilityCurve, instability_curve
from .intervals import estimate_measure
from .net_benefit import (
    DecisionCurve,
    decision_curve,
    net_benefit,
    net_benefit_treat_all,
)
from .overall import brier_score, log_loss, scaled_brier_score
from .proportion import exact_proportion, proportion_estimate
from .summary import MeasuredValue, Performance, measure_performance

__all__ = [
    "DEFINITIONS",
    "NEUTRAL_THRESHOLD",
    "SMOOTHERS",
    "CalibrationCurve",
    "CoreMeasures",
    "CutPointConcordance",
    "DecisionCurve",
    "DecisionInstability",
    "Definition",
    "Estimate",
    "InstabilityCurve",
    "MeasuredValue",
    "Performance",
    "all_measures",
    "brier_score",
    "c_statistic",
    "calibration_curve",
    "calibration_in_the_large",
    "calibration_slope",
    "concordance_by_cut_point",
    "core_measures",
    "decision_curve",
    "describe_measure",
    "e50",
    "e90",
    "emax",
    "estimate_measure",
    "estimated_calibration_index",
    "instability_curve",
    "integrated_calibration_index",
    "joint_calibration_intercept",
    "log_loss",
    "measure_performance",
    "net_benefit",
    "net_benefit_treat_all",
    "observed_expected_ratio",
    "ordinal_concordance",
    "ordinal_concordance_estimate",
    "exact_proportion",
    "proportion_estimate",
    "scaled_brier_score",
]
