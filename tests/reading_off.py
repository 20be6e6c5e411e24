"""What a reader of a model folder can work out of it, with the public package alone.

Everything here uses the model (its population, components and served parts) and the
dictionary. ``singled_out`` is told the true records afterwards, to count the hits.
"""

from __future__ import annotations

from itertools import combinations, product

import numpy as np

from responder_model.cumulative_logit.likelihood import intercept_jacobian, intercepts
from responder_model.features import Population, expit
from responder_model.features.population import REFERENCE_WEIGHT
from responder_model.model import Model
from responder_model.schema import dictionary

# Values that a sum or difference of two contrasts can have in most patients.
_LEVELS = (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)
# Cosine from which two rows are the same but for their length.
_SAME = 1.0 - 1e-6


def kept_columns(model: Model) -> np.ndarray:
    """Base columns of which the model says that it learned."""
    out = model.disclosure.contrasts_left_out if model.disclosure else ()
    names = [column.name for column in model.encoder.columns]
    names += [f"centre: {level.name}" for level in model.centres]
    return np.array([k for k, name in enumerate(names) if name not in out], dtype=int)


def contrasts_of(model: Model) -> np.ndarray:
    """Of those, the ones that are no number."""
    fields, owners = model.encoder.fields, model.encoder.column_predictor
    return np.array(
        [
            k
            for k in kept_columns(model)
            if k >= len(owners) or fields[owners[k]].kind != "number"
        ],
        dtype=int,
    )


def lowest(model: Model) -> np.ndarray:
    """Value of each contrast for those who do not have it, in reference units."""
    low = [min(c.weights, default=0.0) - c.centre for c in model.encoder.columns]
    return np.array(low + [0.0] * len(model.centres))


def directions(model: Model) -> tuple[np.ndarray, np.ndarray]:
    """Single contrasts, sums and differences of two, and what most may have of each."""
    low = lowest(model)
    rows = []
    for size in (1, 2):
        for columns in combinations(contrasts_of(model), size):
            for signs in product((1.0, -1.0), repeat=size - 1):
                rows.append(np.zeros(len(low)))
                rows[-1][list(columns)] = (1.0, *signs)
    found = np.array(rows).reshape(-1, len(low))
    return found, (found @ low)[:, None] + np.array(_LEVELS)


def from_sums(
    model: Model, n: float, total: np.ndarray, squares: np.ndarray
) -> np.ndarray:
    """Sums of records over those who differ from the most in one direction.

    With a·x = c in all but one patient, sum (a·x - c) x is a multiple of that record.
    """
    size = len(total)  # without centres where they take no part, as in a population
    a, c = directions(model)
    kept = ~a[:, size:].any(axis=1)
    rows = (a[kept, :size] @ squares.T)[:, None] - c[kept, :, None] * total
    return rows.reshape(-1, size)


def from_population(model: Model) -> np.ndarray:
    """Candidate records from means and covariance."""
    n, found = model.population.n_patients, model.population
    reference = Population.reference(model.encoder).covariance
    scatter = (REFERENCE_WEIGHT + n) * found.covariance - REFERENCE_WEIGHT * reference
    squares = scatter + n * np.outer(found.mean, found.mean)
    return from_sums(model, n, n * found.mean, squares)


def from_components(model: Model, earlier: Model | None = None) -> np.ndarray:
    """Candidates from what each posterior adds to its prior, by column and cut point.

    Base and model columns must be the same (no series). With an ``earlier`` model, its
    posteriors are the priors.
    """
    rules = dictionary().decisions[model.decision]
    n_cuts, main = len(rules.cut_points), rules.main_index
    before = {
        (part.name, part.centre_sd): part
        for part in (earlier.components if earlier else ())
    }
    rows = []
    for part in model.components:
        prior = np.diag(part.prior_sd**-2.0)
        if (key := (part.name, part.centre_sd)) in before:
            prior = np.linalg.inv(before[key].covariance)
        added = np.linalg.inv(part.covariance) - prior
        rows.append(from_sums(model, 0.0, added[0, n_cuts:], added[n_cuts:, n_cuts:]))
        jacobian = intercept_jacobian(part.mean[None], n_cuts, main)[0]
        at_cuts = np.linalg.solve(jacobian.T, added[:n_cuts, n_cuts:])
        rows += [at_cuts, np.diff(at_cuts, axis=0)]
        shift = np.linalg.solve(part.covariance, part.mean - part.prior_mean)
        rows.append(shift[None, n_cuts:])
    return np.concatenate(rows)


def from_served(model: Model) -> np.ndarray:
    """Candidates from the covariance of the main cut-off."""
    inverse = np.linalg.pinv(model.main.covariance, hermitian=True)
    prior = max(model.components, key=lambda part: part.weight)
    n_cuts = len(prior.prior_sd) - len(model.encoder.derived) - len(model.centres)
    end = len(prior.prior_sd) - len(model.centres)
    added = inverse[1:, 1:] - np.diag(prior.prior_sd[n_cuts:end] ** -2.0)
    return from_sums(model, 0.0, inverse[0, 1:], added)


def singled_out(model: Model, candidates: np.ndarray, records: np.ndarray) -> set[int]:
    """Patients whose record is one of the candidates, in the columns learned from."""
    kept = kept_columns(model)
    kept = kept[kept < candidates.shape[1]]
    unit = [
        rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        for rows in (candidates[:, kept], records[:, kept])
    ]
    alike = np.abs(unit[0] @ unit[1].T) > _SAME
    return set(np.flatnonzero(alike.any(axis=0)).tolist())


def outcome_guess(model: Model, record: np.ndarray, score: float) -> int:
    """Level whose score at the mode of the widest component is this one."""
    rules = dictionary().decisions[model.decision]
    n_cuts, main = len(rules.cut_points), rules.main_index
    part = max(model.components, key=lambda one: one.prior_sd.min())
    cuts = np.r_[np.inf, intercepts(part.mean[None], n_cuts, main)[0], -np.inf]
    eta = record @ part.mean[n_cuts:]
    scores = [
        1.0 - expit(eta + cuts[v]) - expit(eta + cuts[v + 1]) for v in range(n_cuts + 1)
    ]
    return int(np.argmin(np.abs(np.array(scores) - score)))


def outcomes_read(model: Model, records: np.ndarray, lower: np.ndarray) -> int:
    """Outcomes read off right, of patients who are alone in a contrast."""
    rules = dictionary().decisions[model.decision]
    n_cuts = len(rules.cut_points)
    part = max(model.components, key=lambda one: one.prior_sd.min())
    gradient = part.prior_sd**-2.0 * (part.mean - part.prior_mean)
    low, right = lowest(model), 0
    for k in range(len(low)):
        alone = np.flatnonzero(np.abs(records[:, k] - low[k]) > 1e-9)
        if len(alone) != 1 or not model.encoder.columns[k].weights:
            continue
        # a coefficient that is its prior's tells of nobody
        if abs(gradient[n_cuts + k]) > 1e-9:
            score = gradient[n_cuts + k] - low[k] * gradient[0]
            guess = outcome_guess(model, records[alone[0]], score)
            right += guess == lower[alone[0]]
    return right
