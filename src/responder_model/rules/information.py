"""What patients teach, before they are seen: the posterior that n of them would leave.

With coefficients of covariance C = R R', Fisher's information I of one patient and
A = R' I R, n patients leave the covariance

    C_n = R (1 + n A)⁻¹ R',

and the mean that they will leave is, today, normal around today's mean with covariance
C - C_n (Laplace's approximation, as everywhere in this package). n = 0 is today, and
n = infinity knows the coefficients.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from responder_model.features import Array, logit
from responder_model.model import Model
from responder_model.model.scores import probability_of
from .rates import patients_of, square_root, standard_normal

# Patients of the model's population that averages are over.
N_PATIENTS = 2000
# Draws of what will have been learned, where candidates are ranked.
_N_DRAWS = 100
# Nodes along what will be learned, and across what stays unknown.
_ALONG, _ACROSS = 12, 9
# What a patient tells of a direction that is not learned at all.
_NOTHING = 1e-9
# Newton's steps to where a decision changes.
_STEPS = 6


@dataclass(frozen=True, kw_only=True, eq=False)
class Outlook:
    """Log-odds of patients as n more would tell them.

    Parameters
    ----------
    centre : ndarray of shape (n_patients,)
        Mean log-odds, today and expected.
    learned, open : ndarray of shape (n_patients,)
        SD of the mean that will be learned, and of what stays unknown after it.
    """

    centre: Array
    learned: Array
    open: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Lesson:
    """What patients teach about a model's population.

    Parameters
    ----------
    centre : ndarray of shape (n_patients,)
        Mean log-odds of patients of the population.
    along : ndarray of shape (n_patients, k)
        The posterior of each, in independent directions that are learned apart.
    information : ndarray of shape (k,)
        What one patient tells of each direction.
    discrepancy : float
        Variance that no number of patients removes.
    """

    centre: Array
    along: Array
    information: Array
    discrepancy: float

    def kept(self, n: float) -> Array:
        """Share of each direction's variance that n patients leave open."""
        if math.isinf(n):
            return np.where(self.information > _NOTHING, 0.0, 1.0)
        return np.asarray(1.0 / (1.0 + n * self.information))

    def after(self, n: float) -> Outlook:
        """Outlook after n patients; infinity: all that can be learned is known."""
        kept = self.kept(n)
        squared = self.along**2
        return Outlook(
            centre=self.centre,
            learned=np.sqrt(squared @ (1.0 - kept)),
            open=np.sqrt(squared @ kept + self.discrepancy),
        )


def lessons_of(model: Model) -> tuple[Lesson, Lesson]:
    """What records of patients teach, and what counts of responders alone do."""
    z = patients_of(model, N_PATIENTS)
    x = np.column_stack([np.ones(N_PATIENTS), z])
    root = square_root(model.main.covariance)
    centre = model.main.intercept + z @ model.main.coefficients
    today = np.sqrt(((x @ root) ** 2).sum(axis=1) + model.discrepancy)
    # E[p (1 - p)]: Fisher's information of one answer
    _, told = expectation(centre, today)
    average = x.mean(axis=0)
    both = (
        (x * told[:, None]).T @ x / N_PATIENTS,
        np.outer(average, average) * told.mean(),
    )
    records, counts = (
        _lesson(root.T @ each @ root, centre, x @ root, model.discrepancy)
        for each in both
    )
    return records, counts


def _lesson(information: Array, centre: Array, seen: Array, rest: float) -> Lesson:
    values, vectors = np.linalg.eigh(information)
    return Lesson(
        centre=centre,
        along=seen @ vectors,
        information=np.maximum(values, 0.0),
        discrepancy=rest,
    )


def gain_of_ranking(lesson: Lesson, n: float, *, slots: int, candidates: int) -> float:
    """Responders gained where the likeliest of the candidates get the slots.

    Against first come, first served; after n patients, on average over candidates and
    over what will have been learned.
    """
    n_groups = max(1, N_PATIENTS // candidates)
    rows = np.arange(n_groups * candidates) % N_PATIENTS
    kept = lesson.kept(n)
    along = lesson.along[rows]
    open_sd = np.sqrt(along**2 @ kept + lesson.discrepancy)
    shift = along * np.sqrt(1.0 - kept)
    gain = 0.0
    for normal in standard_normal(_N_DRAWS, along.shape[1]):
        p, _ = expectation(lesson.centre[rows] + shift @ normal, open_sd)
        groups = np.sort(p.reshape(n_groups, candidates), axis=1)
        gain += slots * float(groups[:, -slots:].mean() - groups.mean())
    return gain / _N_DRAWS


def expectation(centre: Array, sd: Array) -> tuple[Array, Array]:
    """Mean of p and of p (1 - p) where log-odds are normal, each (n,)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(_ACROSS)
    weights = weights / weights.sum()
    p = probability_of(centre[..., None] + sd[..., None] * nodes)
    return np.asarray(p @ weights), np.asarray((p * (1.0 - p)) @ weights)


def worth_of(outlook: Outlook, threshold: float) -> float:
    """Net responders per patient when each is decided by what is then known.

    A patient is treated where P(response) reaches the threshold t; a treatment in vain
    costs t / (1 - t) responders. E[max(0, P - (1 - P) t / (1 - t))] over patients and
    over what will have been learned: the integral begins where the decision changes.
    """
    odds = threshold / (1.0 - threshold)
    change = _change(outlook.open, threshold)
    sd = np.maximum(outlook.learned, 1e-12)
    below = ndtr((change - outlook.centre) / sd)
    nodes, weights = np.polynomial.legendre.leggauss(_ALONG)
    share = 0.5 * (1.0 - below)[:, None]
    at = np.clip(below[:, None] + share * (nodes + 1.0), 1e-15, 1.0 - 1e-15)
    log_odds = outlook.centre[:, None] + sd[:, None] * ndtri(at)
    p, _ = expectation(log_odds, np.broadcast_to(outlook.open[:, None], log_odds.shape))
    net = p * (1.0 + odds) - odds
    return float(((share * net) @ weights).mean())


def _change(sd: Array, threshold: float) -> Array:
    """Mean log-odds at which P(response) is the threshold, by Newton's steps."""
    due = float(logit(np.array(threshold)))
    # where the usual approximation of P(response) has it
    at = due * np.sqrt(1.0 + math.pi * sd**2 / 8.0)
    for _ in range(_STEPS):
        p, slope = expectation(at, sd)
        at = at - (p - threshold) / np.maximum(slope, 1e-6)
    return np.asarray(at)
