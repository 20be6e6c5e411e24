"""The fitted model: a value made of aggregates, and what it says about patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, fields, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from responder_model.cumulative_logit.earlier import Missed
from responder_model.errors import ResponderModelError, check_one_of
from responder_model.evidence import Evidence
from responder_model.features import Encoder, Population
from responder_model.frozen import FrozenDict, freeze
from responder_model.patient import Value, check_patient
from responder_model.schema import Decision, Dictionary
from responder_model.words import Note
from . import comparison, parts
from .answer import answer
from .batch import cohort_table, score_cohort
from .limits import Limits
from .messages import standing_messages
from .prediction import Prediction
from .questions import Question, rank_questions
from .scorer import Scorer
from .scores import Scores
from .whose_centre import position_of

if TYPE_CHECKING:
    import pandas as pd
    import shap

    from responder_model.disclosure.fingerprints import Fingerprints
    from responder_model.disclosure.record import Disclosure
    from responder_model.priors.sets import ColumnPrior, PriorSet
    from responder_model.sample_size import SampleSizeVerdict
    from responder_model.settings import Settings

PROVENANCES = ("published", "simulated", "cohort")


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """One decision model, fitted or built from published evidence.

    It holds aggregates of at least ``disclosure.k`` patients: no row, value or
    identifier of one. All who ask for a published model share it, so nothing in it can
    be changed: arrays are read-only, mappings refuse. ``dataclasses.replace`` makes
    another model.

    Parameters
    ----------
    decision, moment : str
        The question and the moment in care.
    provenance : {"published", "simulated", "cohort"}
        What it was made from.
    name : str
        Name of the cohort, or "published evidence".
    encoder, population : Encoder, Population
        How values become base columns, and their mean and covariance.
    limits : Limits
        Where the model applies.
    linear : tuple of LinearPart
        One per served cut-off, rising.
    mean_variance : float
        Mean posterior variance of the linear predictor over the population.
    discrepancy : float
        Estimated variance of what a linear predictor misses.
    centres : tuple of CentreLevel
        Levels of the centres that were told apart; ``linear`` is for another one.
    components : tuple of Component
        The mixture behind ``linear``, for updating.
    cut_components : tuple of tuple of Component
        Those of each served cut-off by itself, for updating; empty where they follow
        from ``components``.
    missed : Missed
        What its patients say of the discrepancy.
    priors : PriorSet or None
        The priors that it started from; None where none were kept.
    evidence : Evidence
        The published rows and declarations behind them, as they were then.
    pool : Pool or None
        The trees' share; None when their weight is 0.
    sample_size : SampleSizeVerdict or None
        Whether its patients were enough; None where no patient stands behind it.
    settings : Settings or None
        How it was developed; None where it was not.
    performance : ApparentPerformance
        What was measured on its own patients.
    n_patients, n_events : int
        Patients with a known outcome, and those with the event.
    excluded_evidence : tuple of str
        Overlap groups removed from the prior.
    notes : tuple of Note
        What else a reader must know.
    disclosure : Disclosure or None
        The rule that keeps patients from being read off; None without patients.
    fingerprints : Fingerprints or None
        Keyed fingerprints of the patients, so that none is counted twice.
    mapping : mapping
        What a mapping stated about the cohort's file, without its words
        (``CohortMap.record``); empty where none was needed.
    parent : str or None
        Digest of the model that this one updates.
    digest : str or None
        Identity of its folder, in every prediction; None until a developed model is
        saved, or ``artifact.digest_of`` works it out.
    review : Note or None
        That its calibration is under review (``under_review``); no part of its folder.
    """

    decision: str
    moment: str
    provenance: str
    name: str
    encoder: Encoder
    population: Population
    limits: Limits
    linear: tuple[parts.LinearPart, ...]
    mean_variance: float
    discrepancy: float = 0.0
    centres: tuple[parts.CentreLevel, ...] = ()
    components: tuple[parts.Component, ...] = ()
    cut_components: tuple[tuple[parts.Component, ...], ...] = ()
    missed: Missed = Missed()
    priors: PriorSet | None = None
    evidence: Evidence = field(default_factory=Evidence)
    pool: parts.Pool | None = None
    settings: Settings | None = None
    sample_size: SampleSizeVerdict | None = None
    performance: parts.ApparentPerformance = field(
        default_factory=parts.ApparentPerformance
    )
    n_patients: int = 0
    n_events: int = 0
    excluded_evidence: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    disclosure: Disclosure | None = None
    fingerprints: Fingerprints | None = None
    mapping: Mapping[str, Any] = field(default_factory=FrozenDict)
    parent: str | None = None
    # not copied by `replace`: another model is another folder
    digest: str | None = field(default=None, init=False)
    review: Note | None = field(default=None, init=False, compare=False)

    def __post_init__(self) -> None:
        check_one_of(self.provenance, PROVENANCES, name="provenance")
        covariance = parts.symmetric(self.population.covariance)
        population = replace(self.population, covariance=covariance)
        object.__setattr__(self, "population", population)
        self.__setstate__({row.name: getattr(self, row.name) for row in fields(self)})
        if (self.encoder.decision, self.encoder.moment) != (self.decision, self.moment):
            raise ResponderModelError(Note("model.encoder"))
        cuts = self.served_cut_points
        main = self.rules.main_cut_point
        if list(cuts) != sorted(set(cuts)) or main not in cuts:
            raise ResponderModelError(Note("model.cut_offs", main=main, got=str(cuts)))

    def __getstate__(self) -> dict[str, Any]:
        """State without what is compiled from it."""
        compiled = ("scorer", "standing")
        return {k: v for k, v in self.__dict__.items() if k not in compiled}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the fields, frozen: arrays come writeable out of a pickle."""
        for name, value in state.items():
            object.__setattr__(self, name, freeze(value))

    def under_review(self, since: date) -> Model:
        """Return the same model, saying that its calibration is under review."""
        same = copy(self)
        said = Note("model.under_review", since=since.isoformat())
        object.__setattr__(same, "review", said)
        return same

    @property
    def target(self) -> str:
        """``decision@moment``."""
        return f"{self.decision}@{self.moment}"

    @property
    def dictionary(self) -> Dictionary:
        """Its own dictionary: that of its folder, whatever is installed."""
        return self.encoder.dictionary

    @property
    def rules(self) -> Decision:
        """What its own dictionary declares of its decision."""
        return self.dictionary.decisions[self.decision]

    @property
    def is_update(self) -> bool:
        """Whether its priors are what its parent had learned; not so of a refit."""
        refit = self.settings is not None and self.settings.method == "refit"
        return self.parent is not None and not refit

    @property
    def prior_columns(self) -> Mapping[str, ColumnPrior]:
        """Prior of each model column; empty where none were kept."""
        return FrozenDict() if self.priors is None else self.priors.columns

    def kept_priors(self) -> PriorSet:
        """Its priors; raises ResponderModelError where none were kept."""
        if self.priors is None:
            raise ResponderModelError(Note("refusal.priors"))
        return self.priors

    @property
    def served_cut_points(self) -> tuple[float, ...]:
        """Cut-offs that have a probability, rising."""
        return tuple(part.cut_point for part in self.linear)

    @property
    def cut_point(self) -> float:
        """Main cut-off, that of ``probability``."""
        return self.main.cut_point

    @cached_property
    def main_index(self) -> int:
        """Position of the main cut-off among the served ones."""
        return self.served_cut_points.index(self.rules.main_cut_point)

    @property
    def main(self) -> parts.LinearPart:
        """Linear part of the main cut-off."""
        return self.linear[self.main_index]

    @property
    def baseline(self) -> float:
        """Log-odds of the average patient whose centre is not told."""
        return float(self.scorer.baseline_of())

    def baseline_in(self, centre: str | None) -> float:
        """Log-odds of the average patient of a centre."""
        return float(self.scorer.baseline_of(self.position_of(centre)))

    @property
    def component_weights(self) -> dict[str, tuple[float, float]]:
        """Weight of each prior component before and after the patients.

        Over every SD between centres that it was combined with.
        """
        weights: dict[str, tuple[float, float]] = {}
        for part in self.components:
            before, after = weights.get(part.name, (0.0, 0.0))
            weights[part.name] = before + part.prior_weight, after + part.weight
        return weights

    @property
    def centre_names(self) -> tuple[str, ...]:
        """Names or codes of the centres that a patient can be of."""
        return tuple(c.name for c in self.centres if c.name != parts.OTHER_CENTRES)

    def position_of(self, centre: object) -> int:
        """Position of a centre, told by name or code; -1 for any other one."""
        return position_of(self, centre)

    @cached_property
    def scorer(self) -> Scorer:
        """The model compiled to arrays."""
        return Scorer(self)

    @cached_property
    def standing(self) -> tuple[Note, ...]:
        """What every prediction of this model says."""
        return standing_messages(self)

    def check_patient(self, values: Mapping[str, Any]) -> dict[str, Value]:
        """Values of one patient as this model reads them, by its own dictionary."""
        return check_patient(values, self.decision, self.moment, table=self.dictionary)

    def predict(
        self, values: Mapping[str, Any], *, centre: str | None = None
    ) -> Prediction:
        """Predict for one patient.

        Parameters
        ----------
        values : mapping
            Predictor to value, as the data dictionary declares them; absent or None is
            missing.
        centre : str, optional
            Centre of the patient, where ``centre_names`` tells centres apart. Its level
            is in ``baseline``; that of any other centre may lie anywhere between them.

        Raises
        ------
        InvalidPatientError
            With every problem at once: unknown or out of range values, or values that
            are known only later than the model's moment.

        Examples
        --------
        >>> import responder_model as rm
        >>> model = rm.published_model("rtms_response", moment="screening")
        >>> prediction = model.predict({"age": 54, "aetiology": "ischaemic_stroke"})
        >>> lower, upper = prediction.interval
        >>> lower < prediction.probability < upper
        True
        """
        cleaned = self.check_patient(values)
        return answer(self, self.encoder.raw(cleaned), centre)

    def questions(
        self,
        values: Mapping[str, Any],
        *,
        centre: str | None = None,
        threshold: float | None = None,
    ) -> tuple[Question, ...]:
        """Rank what was not given by what its answer would change on average.

        By the expected narrowing of the interval, then by the chance that the
        probability moves to the other side of ``threshold``, by default the average
        patient. What follows from another answer is not asked.

        Raises
        ------
        InvalidPatientError
            As ``predict``.

        Examples
        --------
        >>> import responder_model as rm
        >>> model = rm.published_model("rtms_response", moment="session_1")
        >>> model.questions({"aetiology": "amputation"})[0].predictor
        'relief_1'
        """
        cleaned = self.check_patient(values)
        return rank_questions(self, self.encoder.raw(cleaned), centre, threshold)

    def compare(
        self, patient: Mapping[str, Any], changes: Mapping[str, Any]
    ) -> comparison.Comparison:
        """Compare a patient with one who differs in some predictors.

        ``changes`` maps predictors to the second patient's values; None takes a value
        away. The result compares two patients: never the effect of a treatment, or of
        changing a predictor in one patient.

        Raises
        ------
        InvalidPatientError
            For either patient.
        """
        before = self.predict(patient)
        other = comparison.changed_patient(patient, changes)
        after = self.predict(other)
        first, second = self.check_patient(patient), self.check_patient(other)
        found = comparison.differing(first, second, changes)
        names = {"names": tuple(found)} if found else {}
        said = Note("model.comparison" if found else "model.no_difference", **names)
        return comparison.compare_predictions(before, after, found, (said,))

    def predict_cohort(
        self,
        cohort: pd.DataFrame,
        *,
        centre: str | Sequence[str | None] | None = None,
        n_jobs: int = 1,
    ) -> pd.DataFrame:
        """Predict for every row of a cohort; see ``batch.cohort_table``."""
        return cohort_table(self, cohort, centre=centre, n_jobs=n_jobs)

    def score_cohort(
        self,
        cohort: pd.DataFrame,
        *,
        centre: str | Sequence[str | None] | None = None,
        n_jobs: int = 1,
    ) -> Scores:
        """Predict for every row of a cohort, as arrays."""
        return score_cohort(self, cohort, centre=centre, n_jobs=n_jobs)

    def contributions_cohort(
        self, cohort: pd.DataFrame, *, centre: str | None = None, n_jobs: int = 1
    ) -> pd.DataFrame:
        """Contributions of every row, in log-odds: one column per predictor.

        ``model.baseline_in(centre)`` plus the sum of a row is its served log-odds.
        """
        import pandas as pd

        scores = score_cohort(self, cohort, centre=centre, n_jobs=n_jobs)
        columns = list(self.encoder.predictors)
        return pd.DataFrame(scores.contributions, index=cohort.index, columns=columns)

    def explain(self, cohort: pd.DataFrame) -> shap.Explanation:
        """Explain every row of a cohort; see ``model.explanation.explain``."""
        from .explanation import explain

        return explain(self, cohort)
