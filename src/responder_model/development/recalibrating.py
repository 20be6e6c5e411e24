"""Recalibrate a model: another level for all, or another level and strength.

With L the log-odds that the earlier model serves, the outcomes of new patients are
fitted by maximum likelihood as

    in the large:   L' = a + L                 recalibration:   L' = a + b·L

and a, b become part of the coefficients, of every cut-off (whose distances stay), of
the components that an update starts from, and of the trees' share. The variance of a
and b adds to that of the linear predictor. As it widens what is served, both are sought
until the served log-odds of the newer model need neither.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from responder_model.artifact import digest_of
from responder_model.cohort import outcome_levels
from responder_model.disclosure import FEWEST, Disclosure, fingerprints_of
from responder_model.errors import DevelopmentError, ResponderModelError
from responder_model.features import Array
from responder_model.model import CentreLevel, Component, LinearPart, Model, Pool
from responder_model.model.parts import ApparentPerformance
from responder_model.model.scores import Z_95
from responder_model.performance.calibration import joint_fit, offset_fit
from responder_model.settings import Settings
from responder_model.words import Note
from .centres import read_centres
from .from_cohort import measured_unless_few
from .newcomers import notes_of_update
from .outcomes import at_cut, split_levels
from .pooled import joint_disclosure, joint_fingerprints

__all__ = ["SHIFTS", "recalibrated"]

# Methods of an update that leave each predictor its share.
SHIFTS = ("in_the_large", "recalibration")
# The fit is repeated until a and b - 1 are below.
_TOLERANCE, _MOST_STEPS = 1e-10, 200


@dataclass(frozen=True, kw_only=True)
class Line:
    """a + b·L, on the scale of the linear predictor, and the covariance of (a, b)."""

    a: float = 0.0
    b: float = 1.0
    covariance: Array = field(default_factory=lambda: np.zeros((2, 2)))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Seen:
    """New patients with a known outcome at the main cut-off."""

    cohort: pd.DataFrame
    centre: list[str | None]
    outcome: Array

    def probability(self, model: Model) -> Array:
        """What a model serves for them."""
        return model.score_cohort(self.cohort, centre=self.centre).probability


def recalibrated(
    model: Model,
    cohort: pd.DataFrame,
    settings: Settings,
    name: str,
    known: tuple[Note, ...],
) -> Model:
    """Recalibrate a model on checked new patients.

    Parameters
    ----------
    model : Model
        Published or developed.
    cohort : DataFrame
        Patients who are not in it.
    settings : Settings
        Its settings, with the method and the rule of small cells of the update.
    name : str
        Name of the new model.
    known : tuple of Note
        What is to be said of the cohort.

    Raises
    ------
    DevelopmentError
        When all have one outcome, or fewer than the rule of small cells asks for; of
        a recalibration, when the outcome falls as the model's probability rises.
    """
    seen, definition = _seen(model, cohort)
    _check_outcomes(seen.outcome, settings)
    try:
        newer, told = _fitted(model, seen, settings.method)
    except ResponderModelError as error:
        said = Note("refusal.no_recalibration", why=error.said)
        raise DevelopmentError(said) from None
    return _joined(model, newer, seen, settings, definition, name, (*known, told))


def _seen(model: Model, cohort: pd.DataFrame) -> tuple[_Seen, str]:
    levels = outcome_levels(cohort, model.rules)
    outcome = at_cut(*split_levels(levels, model.rules), model.rules.main_index)
    known = ~np.isnan(outcome)
    centre = read_centres(cohort)
    told = [None] * len(cohort) if centre is None else centre.tolist()
    seen = _Seen(
        cohort=cohort[known],
        centre=[told[k] or None for k in np.flatnonzero(known)],
        outcome=outcome[known],
    )
    return seen, levels.definition


def _check_outcomes(outcome: Array, settings: Settings) -> None:
    least = 1
    if settings.method == "recalibration":
        least = max(settings.small_cells, FEWEST)
    n_events = int(outcome.sum())
    n_others = len(outcome) - n_events
    if min(n_events, n_others) < least:
        counts = {"least": least, "events": n_events, "others": n_others}
        said = Note("refusal.recalibration", method=settings.method, **counts)
        raise DevelopmentError(said)


def _fitted(model: Model, seen: _Seen, method: str) -> tuple[Model, Note]:
    """Model whose served log-odds need no other line, and what its line is."""
    line, newer, told = Line(), model, None
    for _ in range(_MOST_STEPS):
        a, b, covariance = _line(seen.outcome, seen.probability(newer), method)
        # the first is what a validation of the earlier model shows
        told = told or _told(a, b, covariance, len(seen.outcome), method)
        if b <= 0.0:
            raise DevelopmentError(Note("refusal.falling", slope=b))
        if abs(a) + abs(b - 1.0) < _TOLERANCE:
            return newer, told
        kappa = float(newer.scorer.kappa[-1])
        scale = np.array([1.0 / kappa, 1.0])
        line = Line(
            a=a / kappa + b * line.a,
            b=b * line.b,
            covariance=covariance * np.outer(scale, scale),
        )
        newer = _moved(model, line)
    raise DevelopmentError(Note("refusal.linear_algebra"))


def _line(
    outcome: Array, probability: Array, method: str
) -> tuple[float, float, Array]:
    if method == "recalibration":
        fit = joint_fit(outcome, probability)
        a, b = fit.coefficients.tolist()
        return a, b, fit.covariance
    fit = offset_fit(outcome, probability)
    covariance = np.zeros((2, 2))
    covariance[0, 0] = fit.covariance[0, 0]
    return float(fit.coefficients[0]), 1.0, covariance


def _told(a: float, b: float, covariance: Array, n: int, method: str) -> Note:
    reach = Z_95 * np.sqrt(np.diag(covariance))
    low, high = (np.array([a, b]) - reach).tolist(), (np.array([a, b]) + reach).tolist()
    values = {"n": n, "a": a, "a_low": low[0], "a_high": high[0]}
    if method == "recalibration":
        values |= {"b": b, "b_low": low[1], "b_high": high[1]}
    return Note(f"development.{method}", **values)


# ---------------------------------------------------------------- the line in a model


def _moved(model: Model, line: Line) -> Model:
    """Model whose main linear predictor is a + b·L."""
    level = line.a + (line.b - 1.0) * model.main.intercept
    linear = tuple(_part(part, line, level) for part in model.linear)
    main = linear[model.main_index]
    n_cuts = len(model.rules.cut_points)
    return replace(
        model,
        linear=linear,
        centres=tuple(_centre(one, line, main, model) for one in model.centres),
        components=tuple(_component(c, line, level, n_cuts) for c in model.components),
        cut_components=tuple(
            tuple(_component(one, line, level, 1) for one in parts)
            for parts in model.cut_components
        ),
        pool=_pool(model, line),
        mean_variance=main.mean_variance(model.population),
        discrepancy=line.b**2 * model.discrepancy,
        missed=model.missed.scaled(line.b**2),
    )


def _part(part: LinearPart, line: Line, level: float) -> LinearPart:
    intercept, coefficients = part.intercept + level, line.b * part.coefficients
    along = np.zeros((len(coefficients) + 1, 2))
    along[:, 1] = [intercept, *coefficients]
    along[0, 0] = 1.0
    covariance = line.b**2 * part.covariance + along @ line.covariance @ along.T
    return replace(
        part, intercept=intercept, coefficients=coefficients, covariance=covariance
    )


def _centre(
    centre: CentreLevel, line: Line, main: LinearPart, model: Model
) -> CentreLevel:
    """Level of a centre: with c what it adds, a + b·(L + c)."""
    shift = line.b * centre.shift
    c = shift[model.main_index]
    (_, ab), (_, bb) = line.covariance
    variance = line.b**2 * centre.variance
    variance[0] += 2.0 * c * (ab + bb * main.intercept) + bb * c**2
    variance[1:] += 2.0 * c * bb * main.coefficients
    return replace(centre, shift=shift, variance=variance)


def _component(part: Component, line: Line, level: float, n_cuts: int) -> Component:
    """Level, gaps between cut-offs (which stay), columns and levels of centres."""
    scale = np.full(len(part.mean), line.b)
    scale[1:n_cuts] = 1.0
    mean = scale * part.mean
    mean[0] = part.mean[0] + level
    along = np.zeros((len(mean), 2))
    along[:, 1] = np.where(scale == line.b, mean, 0.0)
    along[1:n_cuts, 1] = 0.0
    along[0, 0] = 1.0
    covariance = np.outer(scale, scale) * part.covariance
    covariance = covariance + along @ line.covariance @ along.T
    return replace(
        part,
        prior_mean=part.mean,
        prior_sd=np.sqrt(np.diag(part.covariance)),
        prior_weight=part.weight,
        mean=mean,
        covariance=covariance,
    )


def _pool(model: Model, line: Line) -> Pool | None:
    pool = model.pool
    if pool is None:
        return None
    a = float(model.scorer.kappa[-1]) * line.a
    return replace(pool, offset=a + line.b * pool.offset, slope=line.b * pool.slope)


# ---------------------------------------------------------------- who stands behind it


def _joined(
    model: Model,
    newer: Model,
    seen: _Seen,
    settings: Settings,
    definition: str,
    name: str,
    told: tuple[Note, ...],
) -> Model:
    n, n_events = len(seen.outcome), int(seen.outcome.sum())
    measured = measured_unless_few(
        seen.outcome, seen.probability(newer), least=settings.small_cells
    )
    simulated = "simulated" in (model.provenance, _provenance(seen.cohort))
    columns = tuple(column.name for column in model.encoder.columns)
    fresh = replace(
        newer,
        name=name,
        provenance="simulated" if simulated else "cohort",
        settings=settings,
        performance=ApparentPerformance(
            apparent=measured.values,
            not_measured=measured.failures,
            outcome_definition=definition,
        ),
        n_patients=model.n_patients + n,
        n_events=model.n_events + n_events,
        notes=notes_of_update(model, told),
        mapping=seen.cohort.attrs.get("mapping", {}),
        parent=digest_of(model),
        disclosure=Disclosure(
            k=settings.small_cells,
            n=n,
            n_since_release=n,
            events_since_release=n_events,
            parameters=1 + SHIFTS.index(settings.method),
            contrasts_left_out=columns,
            stays_here=settings.stays_here,
        ),
        fingerprints=fingerprints_of(seen.cohort),
    )
    return replace(
        fresh,
        disclosure=joint_disclosure(model, fresh),
        fingerprints=joint_fingerprints(model, fresh),
    )


def _provenance(cohort: pd.DataFrame) -> str:
    return str(cohort.attrs.get("provenance", "cohort"))
