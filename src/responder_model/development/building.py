"""The unfitted procedure that develops one decision model."""

from __future__ import annotations

from collections.abc import Sequence

from responder_model.model import Model
from responder_model.schema import dictionary
from responder_model.settings import Settings
from .procedure import Procedure


def build_procedure(
    decision: str,
    moment: str | None = None,
    *,
    exclude_evidence: Sequence[str] = (),
    predictors: Sequence[str] | None = None,
    challenger: bool = True,
    components: str = "robust",
    seed: int = 0,
) -> Procedure:
    """Return the unfitted procedure that develops one decision model.

    Examples
    --------
    >>> build_procedure("emcs_success").moment
    'implantation'
    """
    decision, moment = dictionary().check_target(decision, moment)
    return Procedure(
        decision,
        moment,
        exclude_evidence=tuple(exclude_evidence),
        predictors=None if predictors is None else tuple(predictors),
        challenger=challenger,
        components=components,
        seed=seed,
    )


def procedure_from(
    settings: Settings, *, report_challenger: bool = False, model: Model | None = None
) -> Procedure:
    """Return the unfitted procedure that settings describe.

    That of an earlier ``model`` has its dictionary and its priors, whatever is
    installed.
    """
    return Procedure(
        settings.decision,
        settings.moment,
        exclude_evidence=settings.exclude_evidence,
        predictors=settings.predictors,
        challenger=settings.challenger,
        report_challenger=report_challenger,
        components=settings.components,
        small_cells=settings.small_cells,
        centres=None if settings.centres == "ignored" else (),
        table=None if model is None else model.dictionary,
        priors=None if model is None else model.priors,
        seed=settings.seed,
    )
