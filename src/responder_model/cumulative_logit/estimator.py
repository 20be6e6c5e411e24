"""The evidence-informed estimator behind the scikit-learn interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from .components import (
    DISCREPANCY_VARIANCES,
    SLOPE_VARIANCES,
    STRAIGHT_SD,
    UNSUPPORTED_SD,
    Array,
    apart_by_centre,
    apart_by_curve,
    robust_priors,
)
from .conflict import column_p_values, conflict_p_value
from .discrepancy import estimate_discrepancy
from .earlier import Earlier, Missed
from .fitting import fit_at_cuts, fit_mixture, predicted_without
from .levels import check_classes, declared_levels, highest_places, levels_in, places
from .likelihood import Levels, Observations
from .mixture import Component, collapse, collapse_at
from .parameters import check_names, check_parameters
from .scales import column_scales
from .served import average, averaged, monotone, widen_by_centres

# Patients from which each served cut point is half its own fit (statistics.md 2).
CUT_SPECIFIC_FROM = 100
# Intercept and log-gap priors where nothing is published.
VAGUE_ANCHOR = (0.0, 5.0)
VAGUE_GAP_SD = 1.0


class EvidenceCumulativeLogit(ClassifierMixin, BaseEstimator):
    """Cumulative logit that starts from evidence and learns how far to trust it.

    One proportional-odds model ``P(level > j | x) = logistic(c_j + x·b)`` under a
    mixture of Gaussian priors: the published one, the same with SDs doubled, and
    zero-centred ones of several widths. Each is fitted by Newton with a Laplace
    posterior; marginal likelihoods weigh them; the mixture is collapsed to one
    coefficient vector and covariance per cut point. From 100 patients each cut point is
    half this fit and half the same evidence fitted to that cut point alone, then made
    monotone. With a binary outcome it is logistic regression; without ``priors``, a
    ridge that averages over its penalty.

    Parameters
    ----------
    priors : mapping, optional
        Column -> ``(mean, sd)``, log-odds per development SD (per unit for 0/1
        columns), or ``(mean, sd, scale, centre)``, log-odds per ``scale`` units of
        ``x - centre``. Columns are names of a DataFrame, ``x0``, ``x1``, … otherwise.
    anchor : (float, float), optional
        Mean and SD of the prior of the intercept at the main cut point (log-odds).
    gaps : sequence of float, optional
        Published gaps between neighbouring cut points, log-odds, positive.
    gap_sd : float, default 0.35
        SD of the prior of each log-gap, when ``gaps`` are given.
    levels : sequence, optional
        All levels, lowest first, also those that nobody has; default: the categories
        of an ordered categorical ``y``, else those in ``y`` in the order of numbers.
        Words take the order of the alphabet; more than two of them are warned of.
    main_cut : int, default 0
        Position of the main cut point; 0 lies between the two lowest levels. Give
        ``levels`` too where a resample may lack one.
    served_cuts : sequence of int, optional
        Cut points that get their own half; default: all.
    components : {"robust", "published", "zero"}, default "robust"
        ``published`` trusts the evidence alone, ``zero`` ignores it.
    cut_specific_from : int, default 100
        Patients from which the cut-specific half is added.
    firm : sequence of str, optional
        Columns of ``priors`` whose sign no source disputes: the zero-centred
        components keep most of their mean, and two that doubt even these a little.
    curves : sequence of str, optional
        Columns of ``priors`` that bend another one: their coefficients have an SD of
        their own, over which the mixture averages; one of ``STRAIGHT_SD`` keeps it.
    earlier : Earlier, optional
        Posteriors of an earlier fit on the same columns, in place of all other priors:
        Bayesian updating, component by component.
    n_centres : int, default 0
        Last columns of ``X`` that are 0/1 indicators of centres. Their coefficients
        share an SD, over which the mixture averages; a row with 0 in all of them is of
        another centre.
    with_intervals : bool, default True
        Whether to estimate what intervals need beside the posterior; without,
        components that count for next to nothing take no part.

    Attributes
    ----------
    classes_ : ndarray
        Ordered levels.
    components_ : tuple of Component
        Laplace posteriors of the ordinal fit, with posterior weights.
    cut_components_ : dict of int to tuple of Component
        The same of the fits at single cut points; made below ``cut_specific_from``
        too, where they are kept for an update and not served.
    missed_ : Missed
        What all patients say of misfit.
    served_ : dict of int to Collapsed
        Posterior at each cut point, columns scaled.
    discrepancy_ : float
        Estimated variance that a linear predictor misses.
    conflict_ : float
        Overall p-value of ``prior_conflict``; NaN without evidence or intervals.

    Notes
    -----
    No patient row is kept. Outcomes may be intervals of levels: ``fit(X, lower,
    upper=upper)``. Probabilities average over the uncertainty of each row's own linear
    predictor (MacKay 1992, doi:10.1162/neco.1992.4.5.720), so that a row far from the
    others gets no extreme one.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 2))
    >>> y = (X[:, 0] + rng.logistic(size=60) > 0).astype(int)
    >>> model = EvidenceCumulativeLogit(priors={"x0": (1.0, 0.5)}).fit(X, y)
    >>> model.predict_proba(X).shape
    (60, 2)
    >>> bool(model.coef_[0] > model.coef_[1])
    True
    """

    def __init__(
        self,
        priors: Mapping[str, Sequence[float]] | None = None,
        *,
        anchor: tuple[float, float] | None = None,
        gaps: Sequence[float] | None = None,
        gap_sd: float = 0.35,
        levels: Sequence[Any] | None = None,
        main_cut: int = 0,
        served_cuts: Sequence[int] | None = None,
        components: str = "robust",
        cut_specific_from: int = CUT_SPECIFIC_FROM,
        firm: Sequence[str] | None = None,
        curves: Sequence[str] | None = None,
        earlier: Earlier | None = None,
        n_centres: int = 0,
        with_intervals: bool = True,
    ) -> None:
        self.priors = priors
        self.anchor = anchor
        self.gaps = gaps
        self.gap_sd = gap_sd
        self.levels = levels
        self.main_cut = main_cut
        self.served_cuts = served_cuts
        self.components = components
        self.cut_specific_from = cut_specific_from
        self.firm = firm
        self.curves = curves
        self.earlier = earlier
        self.n_centres = n_centres
        self.with_intervals = with_intervals

    def __sklearn_tags__(self) -> Any:
        """Say that the levels are ordered, so that nominal classes score poorly."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags

    def fit(self, X: ArrayLike, y: ArrayLike, upper: ArrayLike | None = None) -> Self:
        """Learn from predictors (n, K) and ordered levels (n,).

        Parameters
        ----------
        X : array-like of shape (n_patients, n_columns)
        y : array-like of shape (n_patients,)
            Level of each outcome, or the lowest that it allows when ``upper`` is
            given.
        upper : array-like of shape (n_patients,), optional
            Highest level that each outcome allows.
        """
        declared = declared_levels(y) if self.levels is None else np.array(self.levels)
        check_names(X)
        design, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_ = check_classes(
            levels_in(np.asarray(y)) if declared is None else declared
        )
        check_parameters(self.get_params(deep=False), len(self.classes_) - 1)
        lower = places(self.classes_, np.asarray(y))
        return self._learn(design, lower, highest_places(self.classes_, lower, upper))

    def fit_places(self, design: Array, lower: Levels, upper: Levels) -> Self:
        """Learn as ``fit`` from what was checked before, which resampling repeats.

        Parameters
        ----------
        design : ndarray of shape (n_patients, n_columns)
        lower, upper : ndarray of shape (n_patients,)
            Places among ``levels``, the lowest and the highest that outcomes allow.
        """
        self.classes_ = np.array(self.levels)
        self.n_features_in_ = design.shape[1]
        return self._learn(design, lower, upper)

    def _learn(self, design: Array, lower: Levels, upper: Levels) -> Self:
        self.main_ = self.main_cut
        self.centre_, self.scale_, self._units = column_scales(
            design, self._column_names(), self.priors or {}, self.n_centres
        )
        observations = self._observe(self._design(design), lower, upper)
        self._fit_mixture(observations)
        self._serve(observations)
        published = self._published_component()
        self.conflict_ = float("nan")
        if published is not None and self.with_intervals:
            n_columns = len(self._described())
            self.conflict_ = conflict_p_value(observations, published.prior, n_columns)
        return self

    def _observe(self, design: Array, lower: Levels, upper: Levels) -> Observations:
        J, main = len(self.classes_) - 1, self.main_
        return Observations(
            design=design, lower=lower, upper=upper, n_cuts=J, main=main
        )

    def _column_names(self) -> list[str]:
        names = getattr(self, "feature_names_in_", None)
        if names is not None:
            return [str(name) for name in names]
        return [f"x{k}" for k in range(self.n_features_in_)]

    def _described(self) -> list[str]:
        """Names of the columns that describe patients: all but those of centres."""
        return self._column_names()[: self.n_features_in_ - self.n_centres]

    def _design(self, X: Array) -> Array:
        return np.asarray((X - self.centre_) / self.scale_)

    def _published(self) -> tuple[Array | None, Array | None]:
        if not self.priors:
            return None, None
        names = self._described()
        unknown = sorted(set(self.priors) - set(names))
        if unknown:
            msg = f"priors must name columns of X, got {', '.join(unknown)}."
            raise ValueError(msg)
        pairs = [self.priors.get(name, (0.0, UNSUPPORTED_SD))[:2] for name in names]
        mean, sd = np.array(pairs, dtype=np.float64).T
        return mean, sd

    def _fit_mixture(self, observations: Observations) -> None:
        mean, sd = self._published()
        if self.earlier is not None:
            self.components_ = fit_mixture(observations, self.earlier.components)
            return
        described, known = self._described(), self.gaps is not None
        gaps = self.gaps if known else np.ones(observations.n_cuts - 1)
        priors = robust_priors(
            mean,
            sd,
            len(described),
            anchor=self.anchor or VAGUE_ANCHOR,
            gaps=np.array(gaps, dtype=np.float64),
            gap_sd=self.gap_sd if known else VAGUE_GAP_SD,
            components=self.components,
            units=self._units[: len(described)],
            firm=np.isin(described, list(self.firm or ())),
        )
        bent = np.isin(described, list(self.curves or ()))
        priors = apart_by_curve(priors, bent, self._straight())
        if self.n_centres:
            priors = apart_by_centre(priors, self.n_centres)
        few = not self.with_intervals
        self.components_ = fit_mixture(observations, priors, only_likely=few)

    def _straight(self) -> NDArray[np.bool_]:
        """Curves, among the columns that are described, that are held straight."""
        _, sd = self._published()
        bent = np.isin(self._described(), list(self.curves or ()))
        return bent if sd is None else bent & (sd <= STRAIGHT_SD)

    def _serve(self, observations: Observations) -> None:
        J, main = observations.n_cuts, observations.main
        cuts = list(range(J) if self.served_cuts is None else self.served_cuts)
        before = 0 if self.earlier is None else self.earlier.n_patients
        self.are_halves_ = before + len(observations.lower) >= self.cut_specific_from
        self.cut_components_ = {}
        if J > 1 and (self.are_halves_ or self.with_intervals):
            self.cut_components_ = fit_at_cuts(
                observations, cuts, self.components_, self.earlier
            )
        halves = self.cut_components_ if self.are_halves_ else {}
        own = {cut: collapse(parts, 0, 1, 0) for cut, parts in halves.items()}
        slopes = np.where(self._straight(), 0.0, self._misses(observations))
        parts, n = self.components_, self.n_centres
        ordinal = collapse_at(parts, range(J), J, main)
        self.served_ = {
            cut: widen_by_centres(average(ordinal[cut], own.get(cut)), parts, slopes, n)
            for cut in range(J)
        }
        self.coef_ = self.served_[main].coefficients
        self.intercepts_ = np.array([self.served_[cut].intercept for cut in range(J)])

    def _misses(self, observations: Observations) -> float:
        """Set the variance that is missed; return that of slopes between centres."""
        J, main = observations.n_cuts, observations.main
        self.missed_ = Missed() if self.earlier is None else self.earlier.missed
        self.discrepancy_ = float("nan")
        if not self.with_intervals and not self.n_centres:
            return 0.0
        self.missed_ += estimate_discrepancy(
            observations,
            max(self.components_, key=lambda component: component.weight),
            collapse(self.components_, main, J, main),
            self.n_centres,
        )
        self.discrepancy_ = self.missed_.interactions.mean(DISCREPANCY_VARIANCES)
        return self.missed_.slopes.mean(SLOPE_VARIANCES) if self.n_centres else 0.0

    def out_of_fold(
        self,
        X: ArrayLike,
        y: ArrayLike,
        folds: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
        upper: ArrayLike | None = None,
    ) -> Array:
        """Linear predictors at the main cut point of patients left out, (n,).

        The mixture of all patients, less what each fold adds, in one step
        (``predicted_without``); the shrinkage is that of the whole. Averaged over the
        folds that leave a patient out.
        """
        design = self._checked(X)
        lower = places(self.classes_, y)
        upper = highest_places(self.classes_, lower, upper)
        own = self.cut_components_.get(self.main_) if self.are_halves_ else None
        found = predicted_without(
            self._observe(design, lower, upper),
            [outside for _, outside in folds],
            self.components_,
            own,
        )
        variance = float(self.served_[self.main_].variance(design).mean())
        return np.asarray(found / np.sqrt(1.0 + np.pi * variance / 8.0))

    def linear_predictor(self, X: ArrayLike, cut: int | None = None) -> Array:
        """Shrunken log-odds of exceeding one cut point (default: the main one)."""
        design = self._checked(X)
        if cut is not None and cut not in self.served_:
            msg = f"cut must be from 0 to {len(self.served_) - 1}, got {cut}."
            raise ValueError(msg)
        return averaged(self.served_[self.main_ if cut is None else cut], design)

    def predict_exceedance(self, X: ArrayLike) -> Array:
        """P(above each cut point), (n_patients, n_levels - 1), never increasing."""
        design = self._checked(X)
        columns = [averaged(one, design) for one in self.served_.values()]
        return monotone(expit(np.column_stack(columns)), self.main_)

    def predict_proba(self, X: ArrayLike) -> Array:
        """Probability of each level, (n_patients, n_levels)."""
        above = self.predict_exceedance(X)
        ends = np.ones((above.shape[0], 1))
        return np.asarray(np.hstack([ends, above]) - np.hstack([above, 0.0 * ends]))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Most probable level."""
        level = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[level])

    def _checked(self, X: ArrayLike) -> Array:
        check_is_fitted(self, "served_")
        check_names(X)
        return self._design(validate_data(self, X, dtype=np.float64, reset=False))

    def prior_conflict(self) -> tuple[float, dict[str, float]]:
        """p-values of conflict between published coefficients and these data.

        Small values say that the data lie where the evidence did not expect them:
        overall, and per column. Not a test of the whole model.
        """
        check_is_fitted(self, "components_")
        component = self._published_component()
        if component is None:
            return float("nan"), {}
        names = self._described()
        slopes = slice(len(self.classes_) - 1, len(self.classes_) - 1 + len(names))
        shift = (component.mean - component.prior.mean)[slopes]
        # before the data are seen, Var(posterior mean) = S - C
        spread = component.prior.spread - component.covariance
        return self.conflict_, column_p_values(shift, spread[slopes, slopes], names)

    def _published_component(self) -> Component | None:
        found = [c for c in self.components_ if c.prior.name == "published"]
        return max(found, key=lambda part: part.weight, default=None)
