"""The whole development procedure as one unfitted scikit-learn estimator.

Everything that learns from data happens inside ``fit``: means and covariance for
missing values, the robust mixture, cut-specific halves, the challenger, its
recalibration and its weight. Resampling therefore repeats all of it.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from responder_model.cumulative_logit import EvidenceCumulativeLogit
from responder_model.cumulative_logit.components import CURVE_SD
from responder_model.cumulative_logit.earlier import Earlier
from responder_model.cumulative_logit.likelihood import Levels
from responder_model.disclosure import (
    FEWEST,
    SMALL_CELLS,
    MergedLevels,
    columns_left_out,
    merge_levels,
)
from responder_model.errors import DevelopmentError
from responder_model.features import Array, Encoder, Population, expit
from responder_model.model.batch import one_thread_each, raw_cohort
from responder_model.priors import PriorSet
from responder_model.schema import Decision, Dictionary, dictionary
from responder_model.words import Note
from .centres import Names, read_centres, tell_apart
from .outcomes import (
    are_levels,
    as_they_come,
    at_cut,
    check_lengths,
    check_outcomes,
    is_rare,
    order_of,
    patients_of,
    split_levels,
)
from .parts import linear_part
from .pool import N_REPEATS, N_REPEATS_IN_RESAMPLES, Patients, fit_pool
from .shared import encoder_for, priors_for

# Patients from which the effect of a number may bend; an update has the columns of its
# model.
CURVES_FROM = 40


class Procedure(ClassifierMixin, BaseEstimator):
    """Develops one decision model; see ``build_procedure``.

    A classifier of no (0) and yes (1) at the main cut-off, in scikit-learn's tools too:
    pass them a frame and 0/1. The whole outcome is told as ``OutcomeLevels``, or as
    levels, which leave the fitted procedure without ``classes_``.

    Parameters
    ----------
    decision, moment : str
        The decision model.
    exclude_evidence : tuple of str
        Overlap groups removed from the prior.
    predictors : tuple of str or None
        Restrict the predictors.
    challenger : bool
        Whether trees may enter the pool.
    report_challenger : bool
        Develop the challenger for its figures also where its weight must be 0.
    components : str
        Prior components of the evidence-informed part.
    earlier : Earlier or None
        Posteriors of an earlier model, in place of the evidence: updating.
    centres : tuple of str or None
        Centres whose levels ``earlier`` holds; None tells no centres apart.
    table : Dictionary or None
        Dictionary of an earlier model; None takes the installed one.
    priors : PriorSet or None
        Priors of an earlier model; None builds them from the installed evidence.
    unused : tuple of str
        Base columns that take no part: as if nobody had them recorded.
    in_resample : bool
        Leave out what resampling has no use for: other cut-offs than the main one,
        what only intervals need, and the second repeat of the challenger's folds.
    small_cells : int
        Nothing is learned that fewer patients decide; 0 learns from everything.
    seed : int
        Seed of folds and trees.
    n_jobs : int
        Threads that share the folds of the challenger; no number depends on it.
    """

    def __init__(
        self,
        decision: str = "rtms_response",
        moment: str | None = None,
        *,
        exclude_evidence: tuple[str, ...] = (),
        predictors: tuple[str, ...] | None = None,
        challenger: bool = True,
        report_challenger: bool = False,
        components: str = "robust",
        earlier: Earlier | None = None,
        centres: tuple[str, ...] | None = (),
        table: Dictionary | None = None,
        priors: PriorSet | None = None,
        unused: tuple[str, ...] = (),
        in_resample: bool = False,
        small_cells: int = SMALL_CELLS,
        seed: int = 0,
        n_jobs: int = 1,
    ) -> None:
        self.decision = decision
        self.moment = moment
        self.exclude_evidence = exclude_evidence
        self.predictors = predictors
        self.challenger = challenger
        self.report_challenger = report_challenger
        self.components = components
        self.earlier = earlier
        self.centres = centres
        self.table = table
        self.priors = priors
        self.unused = unused
        self.in_resample = in_resample
        self.small_cells = small_cells
        self.seed = seed
        self.n_jobs = n_jobs

    @property
    def target(self) -> Decision:
        """The decision's declaration."""
        return (self.table or dictionary()).decisions[self.decision]

    def fit(
        self, cohort: pd.DataFrame, outcome: Any, groups: Any | None = None
    ) -> Self:
        """Develop on a cohort.

        Parameters
        ----------
        cohort : DataFrame
            Checked cohort; columns that the moment does not know are left unused. From
            two centres on, a column ``centre`` gives each its own level.
        outcome : OutcomeLevels or array-like of shape (n,)
            From ``outcome_levels``, or 1 yes and 0 no at the main cut-off, missing
            where not known; patients without a known outcome are left out. Numbers of
            which one is above 1 are levels, one a patient or the lowest and highest.
        groups : array-like of shape (n,), optional
            Patient behind each row; a resample passes the original row, so that
            copies of one patient stay in one fold.

        Raises
        ------
        InvalidCohortError
            For a frame that is not a valid cohort.
        DevelopmentError
            For an outcome that is neither, too short, known of too few, or one for all.
        """
        raw = raw_cohort(self.build_encoder(), cohort)
        lower, upper = split_levels(outcome, self.target)
        check_lengths(len(raw), outcome=lower, groups=groups)
        with one_thread_each():
            self.fit_raw(raw, lower, upper, groups, centre=read_centres(cohort))
        if are_levels(outcome):
            # no tool may take 0 and 1 for two of the levels
            del self.classes_
        return self

    def build_encoder(self, *, curved: bool = False) -> Encoder:
        """Encoder of this decision, moment and choice of predictors."""
        return encoder_for(
            self.decision, self.moment, self.predictors, self.table, curved=curved
        )

    def fit_raw(
        self,
        raw: Array,
        lower: Levels,
        upper: Levels,
        groups: Any | None = None,
        *,
        centre: Names | None = None,
    ) -> Self:
        """Develop on raw predictors (n, n_predictors) and intervals of levels."""
        groups = np.arange(len(raw)) if groups is None else np.asarray(groups)
        centre = np.full(len(raw), "") if centre is None else centre
        known = (upper - lower) < len(self.target.cut_points)
        order = np.flatnonzero(known)
        order = order[order_of(raw[order], lower[order], upper[order], centre[order])]
        raw, centre = raw[order], centre[order]
        lower, upper, groups = lower[order], upper[order], as_they_come(groups[order])
        if self.earlier is None:
            check_outcomes(lower, upper, self.target)
        self._set_out(len(raw))
        patients = patients_of(raw, groups)
        main, k = self.target.main_index, self.small_cells
        merged = self._merge_levels(lower, upper, patients)
        used = ~merged.left_out
        apart = tell_apart(centre[used], patients[used], k=k, known=self.centres)
        used[used] = ~apart.left_out
        raw, groups, patients = raw[used], groups[used], patients[used]
        lower, upper = lower[used], upper[used]
        rare = is_rare(lower, upper, patients, cut=main, k=k)
        self.centres_ = apart.names
        indicators = apart.indicators[~apart.left_out]
        design = self._describe(raw, patients, indicators, level_only=rare)
        levels = merged.lower[used], merged.upper[used]
        self.estimator_ = self._build_estimator(self._start())
        self.estimator_.fit_places(design, *levels)
        served = self.estimator_.served_[main]
        cut = self.target.main_cut_point
        self.main_ = linear_part(cut, served, self.encoder_.projection)
        self.mean_variance_ = self.main_.mean_variance(self.population_)
        self.pool_ = fit_pool(
            Patients(raw=raw, design=design, lower=lower, upper=upper, groups=groups),
            self._rival_of_trees(design, *levels),
            self.encoder_,
            challenger=self.challenger,
            report_challenger=self.report_challenger,
            seed=self.seed,
            small_cells=k,
            n_jobs=self.n_jobs,
            n_repeats=N_REPEATS_IN_RESAMPLES if self.in_resample else N_REPEATS,
        )
        self.classes_ = np.array([0, 1])
        return self

    def _set_out(self, n_patients: int) -> None:
        """Set columns and priors: an earlier model's, or as many as patients allow."""
        priors = self.priors
        bends = n_patients >= CURVES_FROM if priors is None else bool(priors.curves)
        self.encoder_ = encoder = self.build_encoder(curved=bends)
        if priors is None:
            priors = priors_for(self.decision, encoder.moment, self.exclude_evidence)
            priors = priors.with_curves(encoder.derived, CURVE_SD)
        self.priors_ = priors

    def _describe(
        self,
        raw: Array,
        patients: NDArray[np.int64],
        indicators: Array,
        *,
        level_only: bool,
    ) -> Array:
        """Estimate the population, fill gaps; model columns in reference units.

        Columns that a few patients decide are missing for everybody; a contrast is then
        0 in the design, so that its prior stands, and a number what the others lead to
        expect, as one that nobody recorded. Indicators of centres come last.
        """
        encoder = self.encoder_
        z = encoder.encode(raw)
        names = np.array([column.name for column in encoder.columns])
        unused = np.isin(names, (*self.unused, *self.priors_.straight))
        z[:, unused] = np.nan
        left_out = columns_left_out(
            z, encoder, self.small_cells, patients, indicators=indicators
        )
        self.left_out_, few = np.split(left_out | level_only, [z.shape[1]])
        # the level of the only centre is what all its patients decide
        few &= ~indicators.all(axis=0) | level_only
        # that of a centre of the earlier model stays as it was
        known = np.isin(self.centres_, self.centres or ())
        self.centres_ = tuple(np.array(self.centres_)[~few | known].tolist())
        indicators = np.where(few, 0.0, indicators)[:, ~few | known]
        if self.priors is None:  # what is not learned does not bend
            self.priors_ = self.priors_.held_straight(names[self.left_out_].tolist())
        z[:, self.left_out_] = np.nan
        self.population_ = Population.estimate(z, encoder, left_out=self.left_out_)
        contrast = np.array([encoder.is_contrast(k) for k in range(z.shape[1])])
        without = unused | (self.left_out_ & contrast)
        projection = np.where(without, 0.0, encoder.projection)
        priors = self.priors_.columns
        published = np.array([priors[name].mean for name in encoder.derived])
        filled, extra = self.population_.impute(
            z, (published @ projection)[None], encoder.interval(raw)
        )
        # unknown predictors flatten the slope of what is known (statistics.md 1.9)
        flatten = 1.0 / np.sqrt(1.0 + np.pi * extra / 8.0)
        centre = self.population_.mean
        design = (centre + flatten * (filled - centre)) @ projection.T
        return np.hstack([design, indicators])

    def _merge_levels(
        self, lower: Levels, upper: Levels, patients: Levels
    ) -> MergedLevels:
        merged = merge_levels(
            lower,
            upper,
            n_cuts=len(self.target.cut_points),
            main=self.target.main_index,
            k=min(self.small_cells, FEWEST),
            counted=np.unique(patients, return_index=True)[1],
        )
        self.open_cuts_ = merged.open_cuts
        return merged

    def _rival_of_trees(
        self, design: Array, lower: Levels, upper: Levels
    ) -> EvidenceCumulativeLogit:
        """Fit that has seen the patients of the trees, and no earlier ones.

        So that trees earn the same beside it whichever cohort came first.
        """
        if self.earlier is None or not self.challenger:
            return self.estimator_
        return self._build_estimator(None).fit_places(design, lower, upper)

    def _build_estimator(self, earlier: Earlier | None) -> EvidenceCumulativeLogit:
        names = {f"x{k}": name for k, name in enumerate(self.encoder_.derived)}
        rows = {x: self.priors_.columns[name] for x, name in names.items()}
        return EvidenceCumulativeLogit(
            {x: (row.mean, row.sd, 1.0, 0.0) for x, row in rows.items()},
            anchor=self.priors_.anchor,
            gaps=self.priors_.gaps,
            gap_sd=self.priors_.gap_sd,
            levels=range(len(self.target.cut_points) + 1),
            main_cut=self.target.main_index,
            served_cuts=self._served_cuts(),
            components=self.components,
            firm=[x for x, row in rows.items() if row.firm],
            curves=[x for x, name in names.items() if name in self.priors_.curves],
            earlier=earlier,
            n_centres=len(self.centres_),
            with_intervals=not self.in_resample,
        )

    def _start(self) -> Earlier | None:
        """Where an update starts, with the levels of centres that are new."""
        if self.earlier is None:
            return None
        known = self.centres or ()
        new = len(self.centres_) - len(known)
        return self.earlier.with_centres(new, known=bool(known))

    def _served_cuts(self) -> list[int]:
        if self.in_resample:
            return [self.target.main_index]
        return [self.target.cut_points.index(c) for c in self.target.served_cut_points]

    def linear_predictor_raw(self, raw: Array) -> Array:
        """Pooled log-odds at the main cut-off from raw predictors, (n,).

        Of patients whose centre is not told.
        """
        encoder, beta = self.encoder_, self.main_.coefficients
        filled, extra = self.population_.impute(
            encoder.encode(raw), beta[None], encoder.interval(raw)
        )
        centre, v = self.population_.mean, self.mean_variance_
        kappa = 1.0 / np.sqrt(1.0 + np.pi * (v + extra[:, 0]) / 8.0)
        average = self.main_.intercept + beta @ centre
        level = average / np.sqrt(1.0 + np.pi * v / 8.0)
        evidence = level + kappa * ((filled - centre) @ beta)
        pool = self.pool_
        if pool.trees is None:
            return np.asarray(evidence)
        rival = pool.offset + pool.slope * pool.trees.margin(raw)
        return np.asarray((1.0 - pool.weight) * evidence + pool.weight * rival)

    def predict_proba(self, cohort: pd.DataFrame) -> Array:
        """P(no), P(yes) at the main cut-off, (n, 2).

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        InvalidCohortError
            For a frame that is not a valid cohort.
        """
        check_is_fitted(self, "pool_")
        raw = raw_cohort(self.encoder_, cohort)
        probability = expit(self.linear_predictor_raw(raw))
        return np.column_stack([1.0 - probability, probability])

    def predict(self, cohort: pd.DataFrame) -> NDArray[np.int64]:
        """Return the more probable outcome, 0/1; decisions need the probability."""
        return np.asarray(self.predict_proba(cohort)[:, 1] > 0.5, dtype=np.int64)

    def score(
        self, cohort: pd.DataFrame, outcome: Any, sample_weight: Any | None = None
    ) -> float:
        """Accuracy of ``predict`` where the outcome is known; of no clinical use."""
        answer = at_cut(*split_levels(outcome, self.target), self.target.main_index)
        found = self.predict(cohort)
        check_lengths(len(found), outcome=answer, sample_weight=sample_weight)
        weight = np.ones(len(found)) if sample_weight is None else sample_weight
        known = ~np.isnan(answer)
        if not known.any():
            raise DevelopmentError(Note("refusal.outcome_of_nobody"))
        right = found[known] == answer[known]
        return float(np.average(right, weights=np.asarray(weight)[known]))
