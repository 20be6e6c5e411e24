"""What all centres say, at every prior component and every distance between centres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from responder_model.cumulative_logit.components import Prior
from responder_model.cumulative_logit.mixture import Component as Posterior
from responder_model.errors import ResponderModelError
from responder_model.model import Model
from responder_model.words import Note
from .contribution import Contribution, own_priors
from .product import (
    ALIKE,
    APART,
    Floats,
    Gaussian,
    Likelihoods,
    Spread,
    gaussian_of,
    multiply,
    of_component,
    variances_of,
)

# Components below this share of the posterior are left out.
_NEGLIGIBLE = 1e-4


@dataclass(frozen=True, kw_only=True, eq=False)
class Joint:
    """Centres, their common evidence, and what they say of what they share.

    Parameters
    ----------
    centres : tuple of Contribution
        In the order in which they were given.
    base : Model
        Whose dictionary and columns count.
    common : tuple of Prior
        Components of the evidence, without what any centre's patients are part of.
    priors : tuple of Gaussian
        The same, by precision.
    parts : tuple of Likelihoods
        What centres say of themselves, one a component.
    moved : tuple of tuple of Likelihoods
        What they say of what they share: one a component and spread.
    spreads : tuple of Spread
    """

    centres: tuple[Contribution, ...]
    base: Model
    common: tuple[Prior, ...]
    priors: tuple[Gaussian, ...]
    parts: tuple[Likelihoods, ...]
    moved: tuple[tuple[Likelihoods, ...], ...]
    spreads: tuple[Spread, ...]

    @classmethod
    def of(
        cls, centres: Sequence[Contribution], base: Model, *, alike: bool = False
    ) -> Joint:
        """Take the priors of centres out of what they say."""
        excluded = {group for one in centres for group in one.excluded_evidence}
        common = own_priors(base, excluded)
        learned = [one.of_all(base.encoder.derived) for one in centres]
        parts = tuple(of_component(learned, k) for k in range(len(common)))
        priors = tuple(gaussian_of(prior) for prior in common)
        spreads, n_cuts = ALIKE if alike else APART, len(base.rules.cut_points)
        size = len(common[0].mean)
        moved = tuple(
            tuple(part.apart(variances_of(spread, size, n_cuts)) for spread in spreads)
            for part in parts
        )
        for prior, ways in zip(priors, moved, strict=True):
            _check_definite(centres, prior, ways)
        return cls(
            centres=tuple(centres),
            base=base,
            common=common,
            priors=priors,
            parts=parts,
            moved=moved,
            spreads=spreads,
        )

    @property
    def n_cuts(self) -> int:
        """Cut points, which come before the columns."""
        return len(self.base.rules.cut_points)

    def variances(self, spread: Spread) -> Floats:
        """Diagonal of T."""
        return variances_of(spread, len(self.common[0].mean), self.n_cuts)

    def posteriors(self, member: int | None = None) -> tuple[Posterior, ...]:
        """Of a new centre or of a member: one a component and spread, weighed.

        The log evidence holds the prior weight of the spread.
        """
        found = [
            self._posterior(k, s, member)
            for k in range(len(self.common))
            for s in range(len(self.spreads))
        ]
        log_weight = np.array([one.log_evidence for one in found])
        weights = np.exp(log_weight - log_weight.max())
        weights /= weights.sum()
        return tuple(
            replace(one, weight=float(weight))
            for one, weight in zip(found, weights, strict=True)
        )

    def _posterior(self, k: int, s: int, member: int | None) -> Posterior:
        others = [c for c in range(len(self.centres)) if c != member]
        spread, prior = self.spreads[s], self.common[k]
        found = multiply(self.priors[k], self.moved[k][s].of(others))
        mean = found.mean
        covariance = found.covariance + np.diag(self.variances(spread))
        log_z = found.log_weight
        if member is not None:
            precision = np.asarray(np.linalg.inv(covariance))
            new = Gaussian(precision=precision, vector=precision @ mean)
            own = multiply(new, self.parts[k].of([member]))
            mean, covariance = own.mean, own.covariance
            log_z += own.log_weight
        weight = prior.weight * spread.weight
        return Posterior(
            prior=replace(prior, weight=weight),
            mean=mean,
            covariance=covariance,
            log_evidence=log_z + float(np.log(weight)),
        )

    def likely(self, posteriors: Sequence[Posterior]) -> list[int]:
        """Places of those that count; where centres are alike all: nothing is lost."""
        every = len(self.spreads) == 1
        return [
            place
            for place, one in enumerate(posteriors)
            if every or one.weight > _NEGLIGIBLE
        ]

    def shares(self, posteriors: Sequence[Posterior]) -> Floats:
        """Share of each centre in what is known of what all share, (C,).

        Trace of (posterior covariance times the centre's information), over the number
        of parameters: what is missing to 1 is the evidence's.
        """
        found, likely = np.zeros(len(self.centres)), self.likely(posteriors)
        for place in likely:
            one, (k, s) = posteriors[place], divmod(place, len(self.spreads))
            known = one.covariance - np.diag(self.variances(self.spreads[s]))
            part = self.moved[k][s].precision
            found += one.weight * np.einsum("ij,cji->c", known, part) / len(known)
        return np.asarray(found / sum(posteriors[place].weight for place in likely))


def _check_definite(
    centres: Sequence[Contribution], prior: Gaussian, ways: Sequence[Likelihoods]
) -> None:
    """Refuse what is no distribution, and name who takes away what others know."""
    for way in ways:
        values, vectors = np.linalg.eigh(prior.precision + way.precision.sum(axis=0))
        if values[0] > 0.0:
            continue
        pull = vectors[:, 0] @ way.precision @ vectors[:, 0]
        reasons = tuple(
            Note("combining.not_definite_of", model=one.name)
            for one, p in zip(centres, pull, strict=True)
            if p < 0.0
        )
        raise ResponderModelError(Note("combining.refused", reasons=reasons))
