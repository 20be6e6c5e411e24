"""Cells of the accuracy benchmark: one truth, one size, many cohorts and methods."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray

from known_truth.scores import (
    failed_scores,
    score_predictions,
)
from responder_model.cohort import OutcomeLevels, outcome_levels
from responder_model.errors import ResponderModelError
from responder_model.schema import dictionary
from responder_model.simulation.generator import simulate_cohort
from responder_model.simulation.relief import true_probabilities
from responder_model.simulation.screening import blank_questionnaires
from responder_model.simulation.settings import generator_settings
from responder_model.simulation.truth import Truth, draw_truth, first_moment

Array = NDArray[np.float64]

# Cohorts between two savings of a cell.
_SAVE_EVERY = 10
# Tested patients per implanted one, so that enough of them respond.
_TESTED_PER_IMPLANT = 8


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell of the benchmark.

    Parameters
    ----------
    decision, truth : str
        Decision model, and kind of truth that each cohort's slopes are drawn from.
    size : int
        Patients in a development cohort.
    test_size : int
        Patients in the test cohort of the same truth.
    selection, test_selection : str
        Who is implanted in either cohort (``emcs_success`` only).
    test_blank_share : float
        Share of each questionnaire that test patients left blank; the score then holds
        what nobody can know, the same for every method. Development cohorts have the
        share of the generator's settings.
    base_seed : int
        Cohort k of a size has the same patients for every truth and method.
    """

    decision: str
    truth: str
    size: int
    test_size: int = 8000
    selection: str = "any"
    test_selection: str = "any"
    test_blank_share: float = 0.0
    base_seed: int = 0

    @property
    def moment(self) -> str:
        """Moment of the decision model: before any session, or at implantation."""
        return dictionary().check_target(self.decision, first_moment(self.decision))[1]

    @property
    def label(self) -> str:
        """Truth as tables show it, with the selection where there is one."""
        label = self.truth
        if not self.selection == self.test_selection == "any":
            label += f":{self.selection}-to-{self.test_selection}"
        if self.test_blank_share > 0:
            label += f":{100 * self.test_blank_share:g}-percent-blank"
        return label

    @property
    def name(self) -> str:
        """File name of the cell's results, without suffix."""
        return f"{self.decision}_{self.label}_{self.size}".replace(":", "_")


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a method gets to develop on and predict, and what only the score knows."""

    decision: str
    moment: str
    truth: str  # kind of truth: only the floor may look
    development: pd.DataFrame  # checked cohort of ``size`` patients
    levels: OutcomeLevels  # their outcome as levels
    outcome: NDArray[np.int64]  # their outcome at the main cut-off, 0/1
    test: pd.DataFrame  # checked cohort, outcome columns removed
    true_probability: Array  # at the main cut-off, given all predictors


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """Probabilities of the test patients; bounds where the method has intervals."""

    probability: Array
    lower: Array | None = None
    upper: Array | None = None


Method = Callable[[Task], Predicted]
Row = dict[str, str | float]


def simulate_task(cell: Cell, cohort: int) -> Task:
    """Simulate development and test cohort number ``cohort`` of a cell.

    Examples
    --------
    >>> cell = Cell(decision="rtms_response", truth="null", size=30, test_size=10)
    >>> task = simulate_task(cell, cohort=0)
    >>> len(task.development), len(task.test), task.true_probability.round(2)[0]
    (30, 10, np.float64(0.42))
    """
    seeds = np.random.SeedSequence([cell.base_seed, cell.size, cohort]).spawn(4)
    truth = draw_truth(cell.decision, cell.truth, np.random.default_rng(seeds[0]))
    simulate = _simulate_tested if first_moment(cell.decision) else _simulate_implanted
    development = simulate(cell, cell.size, cell.selection, truth, seeds[1])
    test = simulate(cell, cell.test_size, cell.test_selection, truth, seeds[2])
    main = dictionary().decisions[cell.decision].main_cut_point
    true_probability = true_probabilities(test, truth, cut_points=[main])[main]
    rng = np.random.default_rng(seeds[3])
    settings = generator_settings()
    share = settings.blank_share
    development = blank_questionnaires(development, share, rng, settings)
    test = blank_questionnaires(test, cell.test_blank_share, rng, settings)
    levels = outcome_levels(development, cell.decision)
    decision = dictionary().decisions[cell.decision]
    return Task(
        decision=cell.decision,
        moment=cell.moment,
        truth=cell.truth,
        development=development,
        levels=levels,
        outcome=np.asarray(levels.lower > decision.main_index, dtype=np.int64),
        test=test.drop(columns=[decision.outcome, decision.binary_outcome]),
        true_probability=true_probability,
    )


def _simulate_tested(
    cell: Cell, size: int, selection: str, truth: Truth, seed: np.random.SeedSequence
) -> pd.DataFrame:
    """Patients who all completed the test; nobody records the symptom."""
    del cell, selection
    cohort = simulate_cohort(
        size,
        _as_int(seed),
        truth=truth,
        n_implanted=0,
        symptom_recorded=False,
        blank_share=0.0,
        non_completers=0.0,
    )
    return cohort.drop(columns=list(generator_settings().not_recorded))


def _simulate_implanted(
    cell: Cell, size: int, selection: str, truth: Truth, seed: np.random.SeedSequence
) -> pd.DataFrame:
    """Implanted patients, with the predictors that the truth knows."""
    cohort = simulate_cohort(
        _TESTED_PER_IMPLANT * size,
        _as_int(seed),
        implant_truth=truth,
        n_implanted=size,
        selection=selection,
        symptom_recorded=False,
        blank_share=0.0,
        non_completers=0.0,
    )
    decision = dictionary().decisions[cell.decision]
    known = {name.partition("=")[0] for name in truth.scale.columns}
    kept = [*known, decision.outcome, decision.binary_outcome, "provenance"]
    implanted = cohort[cohort[decision.outcome].notna()]
    columns = [name for name in cohort.columns if name in kept]
    return implanted[columns].reset_index(drop=True)


def _as_int(seed: np.random.SeedSequence) -> int:
    return int(seed.generate_state(1, np.uint64)[0])


def run_cell(
    cell: Cell,
    methods: Mapping[str, Method],
    n_cohorts: int,
    folder: Path,
    *,
    n_jobs: int = 1,
    rerun: Collection[str] = (),
) -> pd.DataFrame:
    """Run methods on cohorts of a cell; what ``folder`` already holds is kept.

    Parameters
    ----------
    cell : Cell
        What to simulate.
    methods : mapping of str to callable
        Name and function from ``Task`` to ``Predicted``. A method that raises one of
        the errors that small samples cause counts as failed.
    n_cohorts : int
        Cohorts 0 to ``n_cohorts - 1``.
    folder : Path
        Holds one CSV per cell, saved as the cohorts are done.
    n_jobs : int
        Cohorts at a time.
    rerun : collection of str
        Methods whose earlier results are thrown away, because they changed since.

    Returns
    -------
    DataFrame
        One row per cohort and method asked for: scores, ``failed``, ``seconds``.

    Raises
    ------
    ValueError
        If the folder holds results of another seed or test size.
    """
    path = Path(folder) / f"{cell.name}.csv"
    done = _read_done(path, cell, set(rerun) & set(methods))
    todo = [
        (cohort, left)
        for cohort in range(n_cohorts)
        if (left := _not_done(done, cohort, methods))
    ]
    parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    jobs = (delayed(run_cohort)(cell, cohort, left) for cohort, left in todo)
    for rows in _in_batches(parallel(jobs), _SAVE_EVERY):
        done = pd.concat([done, pd.DataFrame(rows)], ignore_index=True)
        done = done.sort_values(["cohort", "method"], ignore_index=True)
        _save(done, path)
    asked = done["method"].isin(list(methods)) & (done["cohort"] < n_cohorts)
    return done[asked].reset_index(drop=True)


def read_results(folder: Path, decision: str) -> pd.DataFrame:
    """All that a folder of cells holds of one decision, by truth and size.

    Raises
    ------
    ValueError
        If it holds nothing.
    """
    paths = sorted(Path(folder).glob(f"{decision}_*.csv"))
    if not paths:
        msg = f"{folder} must hold results of {decision}, got none."
        raise ValueError(msg)
    # a truth is called "null": only an empty cell is missing
    tables = [
        pd.read_csv(path, keep_default_na=False, na_values=[""]) for path in paths
    ]
    results = pd.concat(tables, ignore_index=True)
    return results.sort_values(["truth", "size", "cohort"], ignore_index=True)


def _read_done(path: Path, cell: Cell, rerun: Collection[str]) -> pd.DataFrame:
    if not path.exists():
        return pd.DataFrame()
    # a truth is called "null": no value is missing by its name
    done = pd.read_csv(path).assign(truth=cell.label)
    for name in ("base_seed", "test_size"):
        if (done[name] != getattr(cell, name)).any():
            msg = f"{name} must be that of the results in {path.parent}, got "
            msg += f"{getattr(cell, name)}. Choose another folder."
            raise ValueError(msg)
    return done[~done["method"].isin(list(rerun))]


def _not_done(
    done: pd.DataFrame, cohort: int, methods: Mapping[str, Method]
) -> dict[str, Method]:
    if done.empty:
        return dict(methods)
    names = set(done.loc[done["cohort"] == cohort, "method"])
    return {name: method for name, method in methods.items() if name not in names}


def _in_batches(results: Iterable[list[Row]], size: int) -> Iterable[list[Row]]:
    batch: list[Row] = []
    for k, rows in enumerate(results, start=1):
        batch += rows
        if k % size == 0:
            yield batch
            batch = []
    if batch:
        yield batch


def _save(results: pd.DataFrame, path: Path) -> None:
    """Replace the file at once, so that a killed run leaves the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    results.to_csv(temporary, index=False, float_format="%.6g")
    temporary.replace(path)


def run_cohort(cell: Cell, cohort: int, methods: Mapping[str, Method]) -> list[Row]:
    """Run methods on one cohort of a cell: a row of scores for each."""
    task = simulate_task(cell, cohort)
    key: Row = {"truth": cell.label, "size": cell.size, "cohort": cohort}
    key |= {"base_seed": cell.base_seed, "test_size": cell.test_size}
    return [key | {"method": name} | _score(m, task) for name, m in methods.items()]


def _score(method: Method, task: Task) -> Row:
    start = time.perf_counter()
    try:
        predicted = method(task)
    except (ValueError, np.linalg.LinAlgError, ResponderModelError):
        seconds = time.perf_counter() - start
        return {**asdict(failed_scores()), "failed": 1, "seconds": seconds}
    seconds = time.perf_counter() - start
    scores = score_predictions(
        task.true_probability, predicted.probability, predicted.lower, predicted.upper
    )
    return {**asdict(scores), "failed": 0, "seconds": seconds}
