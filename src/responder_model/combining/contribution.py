"""What one centre brings to a combined model: a folder, or a file made to leave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from responder_model.artifact import digest_of
from responder_model.cumulative_logit.components import Prior
from responder_model.development.published import prior_mixture
from responder_model.development.shared import priors_for
from responder_model.disclosure import Disclosure, Fingerprints
from responder_model.features import Population
from responder_model.model import Model
from .product import Floats, Likelihoods, gaussian_of, likelihoods_of, mass
from .straight import straightened


@dataclass(frozen=True, kw_only=True, eq=False)
class Contribution:
    """What the patients of one centre said, and who they are as a whole.

    Parameters
    ----------
    name : str
        Of the centre.
    decision, moment, provenance, digest : str
        As of a model; the digest is that of the folder or of the file.
    n_patients, n_events : int
        Patients with a known outcome, and those with the event.
    excluded_evidence : tuple of str
        Overlap groups that its prior did not contain.
    columns : tuple of str
        Model columns that its fit held; of the others it says nothing.
    likelihoods : Likelihoods
        A, e and constant of each component, (K, d, d), (K, d) and (K,), over cut points
        and ``columns``.
    population : Population
        Moments of its base columns.
    discrepancy : float
        Estimated variance of what a linear predictor misses.
    disclosure, fingerprints : Disclosure, Fingerprints or None
        As of a model.
    model : Model or None
        The folder behind it; None for a file made for leaving.
    """

    name: str
    decision: str
    moment: str
    provenance: str
    digest: str
    n_patients: int
    n_events: int
    excluded_evidence: tuple[str, ...]
    columns: tuple[str, ...]
    likelihoods: Likelihoods
    population: Population
    discrepancy: float
    disclosure: Disclosure | None
    fingerprints: Fingerprints | None
    model: Model | None = None

    @property
    def target(self) -> str:
        """``decision@moment``."""
        return f"{self.decision}@{self.moment}"

    @property
    def n_cuts(self) -> int:
        """Cut points, which come before the columns."""
        return int(self.likelihoods.vector.shape[1]) - len(self.columns)

    def of_all(self, columns: Sequence[str]) -> Likelihoods:
        """Likelihoods over all ``columns``: of those that it did not hold, nothing."""
        part, n_cuts = self.likelihoods, self.n_cuts
        places = [columns.index(name) + n_cuts for name in self.columns]
        held = np.array([*range(n_cuts), *places], dtype=np.int64)
        n, size = len(part.constant), n_cuts + len(columns)
        precision, vector = np.zeros((n, size, size)), np.zeros((n, size))
        precision[:, held[:, None], held] = part.precision
        vector[:, held] = part.vector
        return Likelihoods(precision=precision, vector=vector, constant=part.constant)


def contribution_of(
    model: Model, *, columns: Sequence[str] | None = None
) -> Contribution:
    """What a developed model holds of its patients.

    Parameters
    ----------
    model : Model
        Developed on the patients of one centre, and updated with more of them.
    columns : sequence of str, optional
        Model columns that its fit held; default: all but curves.
    """
    model = straightened(model)
    derived = model.encoder.derived
    held = tuple(derived if columns is None else columns)
    n_cuts = len(model.rules.cut_points)
    places = [derived.index(name) + n_cuts for name in held]
    parameters = np.array([*range(n_cuts), *places], dtype=np.int64)
    updated = model.is_update
    priors = own_priors(model, model.excluded_evidence) if updated else None
    return Contribution(
        name=model.name,
        decision=model.decision,
        moment=model.moment,
        provenance=model.provenance,
        digest=digest_of(model),
        n_patients=model.n_patients,
        n_events=model.n_events,
        excluded_evidence=tuple(model.excluded_evidence),
        columns=held,
        likelihoods=likelihoods_of(model, parameters, priors),
        population=model.population,
        discrepancy=model.discrepancy,
        disclosure=model.disclosure,
        fingerprints=model.fingerprints,
        model=model,
    )


def own_priors(base: Model, excluded: Iterable[str]) -> tuple[Prior, ...]:
    """Components of the evidence of today without some groups of it."""
    groups = tuple(sorted(excluded))
    priors = priors_for(base.decision, base.moment, groups)
    return tuple(part.prior for part in prior_mixture(base.encoder, priors))


def beliefs(likelihoods: Likelihoods, priors: Sequence[Prior]) -> Floats:
    """Log of prior weight times p(patients | component), of one centre alone, (K,).

    Parameters
    ----------
    likelihoods : Likelihoods
        Of all columns, one row a component.
    priors : sequence of Prior
        Those of the centre.

    Raises
    ------
    ResponderModelError
        Where prior and likelihood together are no distribution.
    """
    starts = [gaussian_of(prior) for prior in priors]
    precision = np.array([start.precision for start in starts])
    vector = np.array([start.vector for start in starts])
    weights = np.array([prior.weight for prior in priors])
    after = mass(precision + likelihoods.precision, vector + likelihoods.vector)
    evidence = likelihoods.constant + after - mass(precision, vector)
    return np.asarray(np.log(weights) + evidence)
