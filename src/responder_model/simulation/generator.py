"""Whole simulated cohorts, from screening to follow-up of the implant."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from responder_model.cohort import check_cohort
from responder_model.errors import ResponderModelError, check_one_of, got
from responder_model.features import expit
from responder_model.performance._check import check_seed
from responder_model.schema import dictionary
from responder_model.words import Note
from .relief import draw_relief, draw_sessions, draw_symptom
from .screening import blank_questionnaires, draw_screening
from .settings import generator_settings
from .truth import Truth, draw_truth

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

PROVENANCE = "simulated"
COHORT_NAME = "simulated cohort"

# Who is implanted among those who completed the test.
SELECTIONS = ("any", "relief", "responders")


def simulate_cohort(
    n_patients: int = 213,
    seed: int = 0,
    *,
    truth: str | Truth = "right",
    implant_truth: str | Truth = "right",
    n_implanted: int | None = None,
    selection: str = "relief",
    n_centres: int = 1,
    symptom_recorded: bool = True,
    blank_share: float | None = None,
    non_completers: float | None = None,
    zero_share: float = 0.0,
) -> pd.DataFrame:
    """Simulate a cohort with every field of the dictionary; no row is a patient.

    Parameters
    ----------
    n_patients : int
        Patients who start the test sessions.
    seed : int
        Same seed and settings, same cohort.
    truth, implant_truth : str or Truth
        Truth of response to rTMS and of success of the implant: a kind, whose slopes
        are drawn from the seed, or slopes already drawn (see ``draw_truth``).
    n_implanted : int, optional
        Implanted patients; by default 13 % of those who complete the test.
    selection : str
        Who is implanted: ``any`` (at random), ``relief`` (the better their relief, the
        likelier) or ``responders`` only.
    n_centres : int
        Centres, which differ in name only.
    symptom_recorded : bool
        Whether improvement of the most disabling symptom is recorded, and then part of
        the response.
    blank_share : float, optional
        Share of each questionnaire that is blank; by default 5 %.
    non_completers : float, optional
        Share who stop before the test ends; by default 9.4 %.
    zero_share : float
        Share of patients who say 0 of every relief of 10 % or less, as in a clinic
        where few say that they are worse. No published figure is behind it.
        ``true_probabilities`` stay exact at screening from the cut-off of 10 % on.

    Returns
    -------
    DataFrame
        Dictionary types; ``attrs["provenance"]`` is ``"simulated"``.

    Raises
    ------
    ResponderModelError
        For an unknown truth or selection, a seed that is none, or more implants than
        patients.

    Examples
    --------
    >>> cohort = simulate_cohort(n_patients=20, seed=0)
    >>> cohort.attrs["provenance"], set(cohort["provenance"])
    ('simulated', {'simulated'})
    """
    settings = generator_settings()
    blank = settings.blank_share if blank_share is None else blank_share
    stop = settings.non_completers if non_completers is None else non_completers
    _check_request(n_patients, n_centres, selection)
    _check_shares(blank_share=blank, non_completers=stop, zero_share=zero_share)
    seeds = np.random.SeedSequence(check_seed(seed)).spawn(9)
    streams = [np.random.default_rng(one) for one in seeds]
    cohort = draw_screening(n_patients, streams[0], settings)
    response = _as_truth(truth, "rtms_response", streams[1])
    implant = _as_truth(implant_truth, "emcs_success", streams[2])
    _add_identity(cohort, n_centres, streams[3])
    _add_test(cohort, response, streams[4], symptom_recorded=symptom_recorded)
    _say_nothing_changed(cohort, zero_share, streams[8])
    _add_maintenance(cohort, streams[5])
    completed = _blank_after_stopping(cohort, stop, streams[6])
    count = round(settings.implantation.share * completed.size)
    count = count if n_implanted is None else n_implanted
    chosen = _choose_implanted(cohort, completed, count, selection, streams[7])
    _add_implants(cohort, implant, chosen, streams[7])
    return _finish(blank_questionnaires(cohort, blank, streams[6], settings))


def _add_test(
    cohort: pd.DataFrame,
    truth: Truth,
    rng: np.random.Generator,
    *,
    symptom_recorded: bool,
) -> None:
    """Add relief of the four sessions, and whether it counts as response."""
    relief = draw_relief(cohort, truth, rng)
    for name, values in draw_sessions(relief, rng).items():
        cohort[name] = values
    cohort["relief_test"] = relief
    responder = relief > dictionary().decisions["rtms_response"].main_cut_point
    if symptom_recorded:
        improved = draw_symptom(relief, rng)
        cohort["symptom_improved"] = pd.array(improved, dtype="boolean")
        responder &= improved
    cohort["rtms_responder"] = pd.array(responder, dtype="boolean")


def _say_nothing_changed(
    cohort: pd.DataFrame, share: float, rng: np.random.Generator
) -> None:
    """Make small and negative reliefs 0 in a share of patients, with their days."""
    lowest = dictionary().decisions["rtms_response"].served_cut_points[0]
    says_zero = rng.random(len(cohort)) < share
    for moment in ("1", "2", "3", "test"):
        piled = says_zero & (cohort[f"relief_{moment}"] <= lowest)
        cohort.loc[piled, [f"relief_{moment}", f"relief_days_{moment}"]] = 0.0


def _check_request(n_patients: int, n_centres: int, selection: str) -> None:
    if n_patients < 1 or n_centres < 1:
        said = Note("simulation.sizes", n=n_patients, centres=n_centres)
        raise ResponderModelError(said)
    check_one_of(selection, SELECTIONS, name="selection")


def _check_shares(**shares: float) -> None:
    for name, share in shares.items():
        if not 0 <= share <= 1:
            said = Note("simulation.share", name=name, got=got(share))
            raise ResponderModelError(said)


def _as_truth(truth: str | Truth, decision: str, rng: np.random.Generator) -> Truth:
    return truth if isinstance(truth, Truth) else draw_truth(decision, truth, rng)


def _add_identity(
    cohort: pd.DataFrame, n_centres: int, rng: np.random.Generator
) -> None:
    n_patients = len(cohort)
    centre = rng.integers(n_centres, size=n_patients)
    cohort["patient_id"] = [f"SIM-{k + 1:05d}" for k in range(n_patients)]
    cohort["centre"] = [f"simulated {c + 1}" for c in centre]
    cohort["provenance"] = PROVENANCE


def _add_maintenance(cohort: pd.DataFrame, rng: np.random.Generator) -> None:
    """Sessions, relief and sham relief of those who go on after the test."""
    settings = generator_settings().maintenance
    relief = cohort["relief_test"].to_numpy(dtype=np.float64)
    goes_on = relief >= settings.minimum_relief
    extra = rng.poisson(settings.mean_sessions - 4, size=len(cohort))
    cohort["rtms_sessions"] = 4.0 + np.where(goes_on, extra, 0)
    r = settings.correlation
    noise = np.sqrt(1.0 - r**2) * settings.sd * rng.standard_normal(len(cohort))
    mean = relief.mean() + r * (relief - relief.mean())
    cohort["relief_maintenance"] = _percent(np.where(goes_on, mean + noise, np.nan))
    sham = settings.sham_mean + settings.sham_sd * rng.standard_normal(len(cohort))
    had_sham = rng.random(len(cohort)) < settings.sham_share
    cohort["sham_relief"] = _percent(np.where(had_sham, sham, np.nan))


def _percent(relief: Array) -> Array:
    return np.clip(np.round(relief), -100.0, 100.0)


def _blank_after_stopping(
    cohort: pd.DataFrame, share: float, rng: np.random.Generator
) -> Rows:
    """Blank what non-completers never reached; return the rows of the others."""
    order = rng.permutation(len(cohort))
    n_stopped = round(share * len(cohort))
    moments = [moment.name for moment in dictionary().moments]
    last = rng.integers(4, size=n_stopped)
    for k in range(4):
        rows = order[:n_stopped][last == k]
        later = [
            row.name
            for row in dictionary().fields.values()
            if row.name in cohort.columns and moments.index(row.known_from) > k
        ]
        for name in later:
            cohort.loc[rows, name] = None if cohort[name].dtype == "boolean" else np.nan
    return np.sort(order[n_stopped:])


def _choose_implanted(
    cohort: pd.DataFrame,
    completed: Rows,
    count: int,
    selection: str,
    rng: np.random.Generator,
) -> Rows:
    relief = cohort["relief_test"].to_numpy(dtype=np.float64)[completed]
    slope = generator_settings().implantation.slope_of_selection
    weight = {
        "any": np.ones_like(relief),
        "relief": expit(slope * (relief - 40.0) / 30.0),
        "responders": (relief > 30).astype(np.float64),
    }[selection]
    allowed = completed[weight > 0]
    if count > allowed.size:
        said = Note("simulation.implanted", most=allowed.size, got=count)
        raise ResponderModelError(said)
    weight = weight[weight > 0]
    p = weight / weight.sum() if count else None
    return np.sort(rng.choice(allowed, size=count, replace=False, p=p))


def _add_implants(
    cohort: pd.DataFrame, truth: Truth, chosen: Rows, rng: np.random.Generator
) -> None:
    settings = generator_settings().implantation
    relief = draw_relief(cohort.loc[chosen], truth, rng)
    mean, sd = settings.follow_up_mean, settings.follow_up_sd
    months = np.round(rng.normal(mean, sd, size=chosen.size))
    cut = dictionary().decisions["emcs_success"].main_cut_point
    success = pd.Series(relief >= cut, index=chosen).astype("boolean")
    cohort["emcs_relief"] = pd.Series(relief, index=chosen).reindex(cohort.index)
    cohort["emcs_success"] = success.reindex(cohort.index)
    follow_up = np.maximum(months, settings.follow_up_minimum)
    cohort["emcs_follow_up"] = pd.Series(follow_up, index=chosen).reindex(cohort.index)


def _finish(cohort: pd.DataFrame) -> pd.DataFrame:
    """Check every field of the dictionary, in its order, and mark the provenance."""
    cohort = cohort.reindex(columns=list(dictionary().fields))
    # nothing is asked of what was drawn
    cohort.attrs["provenance"] = "simulated"
    checked = check_cohort(cohort)
    checked.attrs |= {"provenance": PROVENANCE, "name": COHORT_NAME}
    return checked
