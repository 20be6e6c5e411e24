"""Whether a development had enough patients, and what may be said of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from responder_model.errors import ResponderModelError
from responder_model.words import LANGUAGES, Note, plain
from .criterion import (
    PLANNING_C_STATISTIC,
    Criterion,
    check_counts,
    check_proportion,
    whole_patients,
)
from .development import cox_snell_r2, development_criteria, expected_shrinkage

Claim = Literal["published_evidence", "exploratory", "developed"]
Verdict = Literal["sufficient", "insufficient", "no_patients"]

INFORMATIVE = 50  # patients below which bootstrap optimism is mostly noise


@dataclass(frozen=True, kw_only=True)
class SampleSizeVerdict:
    """Whether a development had enough patients, and what may be said of the model."""

    n_patients: int
    n_events: int
    n_candidate_parameters: int
    outcome_proportion: float  # assumed in the criteria
    c_statistic: float  # assumed
    r2: float  # Cox–Snell, implied
    criteria: tuple[Criterion, ...]
    n_required: int  # largest of the criteria that decide
    n_events_required: int
    events_per_parameter: float  # at hand
    events_per_parameter_required: float
    sufficient: bool
    verdict: Verdict
    expected_shrinkage: float | None  # of an unpenalised model; None without patients
    internal_validation_informative: bool  # False below 50 patients
    may_claim: Claim
    wording: Mapping[str, str]  # {"en": …, "fr": …}

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(asdict(self)))


def _claim(n_patients: int, *, sufficient: bool) -> Claim:
    if n_patients == 0:
        return "published_evidence"
    return "developed" if sufficient else "exploratory"


_VERDICTS: Mapping[Claim, Verdict] = {
    "published_evidence": "no_patients",
    "exploratory": "insufficient",
    "developed": "sufficient",
}


def _wording(
    claim: Claim, *, informative: bool, shrinkage: float | None, **numbers: int
) -> dict[str, str]:
    said = Note(f"sample_size.{claim}", **numbers, shrinkage=shrinkage)
    unsure = Note("sample_size.not_informative")
    told = (said,) if claim == "published_evidence" or informative else (said, unsure)
    return {lang: " ".join(part.text(lang) for part in told) for lang in LANGUAGES}


def _observed_proportion(
    n_patients: int, n_events: int, assumed: float | None
) -> float:
    if not 0 <= n_events <= n_patients:
        said = Note("sample_size.events", n=n_events, all=n_patients)
        raise ResponderModelError(said)
    if assumed is not None:
        return check_proportion(assumed)
    if n_events in (0, n_patients):
        raise ResponderModelError(Note("sample_size.proportion_missing"))
    return n_events / n_patients


def sample_size_verdict(
    n_patients: int,
    n_events: int,
    n_candidate_parameters: int,
    *,
    c_statistic: float = PLANNING_C_STATISTIC,
    outcome_proportion: float | None = None,
) -> SampleSizeVerdict:
    """Judge the size of a development by Riley's criteria.

    The verdict is about an unpenalised model. It decides the wording and what a report
    may claim, never the predictors: an informative prior lowers what is needed.

    Parameters
    ----------
    n_patients : int
        Patients with a known outcome; 0 for a model from published evidence.
    n_events : int
        Responders among them.
    n_candidate_parameters : int
        Coefficients considered, intercept excluded.
    c_statistic : float, default 0.68
        Expected c-statistic; the default is what the published evidence supports.
        Never the apparent c-statistic of the same patients.
    outcome_proportion : float, optional
        Expected proportion of responders; by default that of the patients.

    Returns
    -------
    SampleSizeVerdict
        Criteria, verdict, expected shrinkage, wording and claim; ``to_dict`` gives
        JSON.

    Raises
    ------
    ResponderModelError
        If a count or proportion is out of range, or no proportion can be computed.

    References
    ----------
    .. [1] Riley RD et al. Calculating the sample size required for developing a
       clinical prediction model. BMJ 2020;368:m441. doi:10.1136/bmj.m441

    Examples
    --------
    >>> verdict = sample_size_verdict(193, 81, 20)
    >>> verdict.sufficient, verdict.may_claim, round(verdict.expected_shrinkage, 2)
    (False, 'exploratory', 0.51)
    """
    check_counts(n_patients, n_candidate_parameters)
    phi = _observed_proportion(n_patients, n_events, outcome_proportion)
    r2 = cox_snell_r2(c_statistic, phi)
    criteria = development_criteria(
        n_candidate_parameters, phi, r2=r2, n_patients=n_patients
    )
    n_required = max(c.n_required for c in criteria if c.decides)
    sufficient = n_patients >= n_required
    claim = _claim(n_patients, sufficient=sufficient)
    shrinkage = (
        expected_shrinkage(n_patients, n_candidate_parameters, r2)
        if n_patients
        else None
    )
    n_events_required = whole_patients(n_required * phi)
    informative = n_patients >= INFORMATIVE
    return SampleSizeVerdict(
        n_patients=n_patients,
        n_events=n_events,
        n_candidate_parameters=n_candidate_parameters,
        outcome_proportion=phi,
        c_statistic=c_statistic,
        r2=r2,
        criteria=criteria,
        n_required=n_required,
        n_events_required=n_events_required,
        events_per_parameter=n_events / n_candidate_parameters,
        events_per_parameter_required=n_required * phi / n_candidate_parameters,
        sufficient=sufficient,
        verdict=_VERDICTS[claim],
        expected_shrinkage=shrinkage,
        internal_validation_informative=informative,
        may_claim=claim,
        wording=_wording(
            claim,
            informative=informative,
            have=n_patients,
            events=n_events,
            p=n_candidate_parameters,
            n=n_required,
            e=n_events_required,
            shrinkage=shrinkage,
        ),
    )
