"""The floor: our estimator given the prior that the true slopes were drawn from."""

from __future__ import annotations

import numpy as np

from columns import encoder_of
from known_truth.cells import Predicted, Task
from responder_model.cumulative_logit import EvidenceCumulativeLogit
from responder_model.features import Population
from responder_model.priors import build_priors
from responder_model.schema import dictionary
from responder_model.simulation.truth import mean_linear_predictor, slope_prior

# SD of a slope that is known exactly.
_KNOWN = 1e-3


def run_floor(task: Task) -> Predicted:
    encoder = encoder_of(task.decision, task.moment)
    z = encoder.encode(encoder.raw(task.development))
    population = Population.estimate(z, encoder)
    no_direction = np.zeros((1, z.shape[1]))
    filled, _ = population.impute(z, no_direction)
    z_test = encoder.encode(encoder.raw(task.test))
    filled_test, _ = population.impute(z_test, no_direction)
    model = _build(task).fit(filled, task.levels.lower, upper=task.levels.upper)
    return Predicted(probability=model.predict_exceedance(filled_test)[:, model.main_])


def _build(task: Task) -> EvidenceCumulativeLogit:
    published = build_priors(task.decision, task.moment)
    slopes = slope_prior(task.decision, task.truth).values()
    decision = dictionary().decisions[task.decision]
    return EvidenceCumulativeLogit(
        {
            f"x{k}": (mean, max(sd, _KNOWN), 1.0, 0.0)
            for k, (mean, sd) in enumerate(slopes)
        },
        anchor=(mean_linear_predictor(task.decision, task.truth), published.anchor[1]),
        gaps=published.gaps,
        gap_sd=published.gap_sd,
        levels=range(len(decision.cut_points) + 1),
        main_cut=decision.main_index,
        components="published",
    )
