"""Settings of a development: everything that decides what a model becomes."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from responder_model.errors import DevelopmentError
from responder_model.schema import dictionary

if TYPE_CHECKING:
    from responder_model.development.procedure import Procedure


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a model is developed; a frozen TOML file reproduces a released model.

    Parameters
    ----------
    decision, moment : str
        What is predicted, and from what is known when.
    seed : int
        Seed of folds and trees.
    exclude_evidence : tuple of str
        Overlap groups of the evidence that the prior must not contain.
    predictors : tuple of str or None
        Use these predictors only; None uses all that are known at the moment.
    challenger : bool
        Whether trees may enter the pool.
    components : {"robust", "published", "zero"}
        Which prior components the evidence-informed part uses.

    Examples
    --------
    >>> Settings(decision="emcs_success").moment
    'implantation'
    """

    decision: str
    moment: str = ""
    seed: int = 0
    exclude_evidence: tuple[str, ...] = ()
    predictors: tuple[str, ...] | None = None
    challenger: bool = True
    components: str = "robust"

    def __post_init__(self) -> None:
        _, moment = dictionary().check_target(self.decision, self.moment or None)
        object.__setattr__(self, "moment", moment)
        object.__setattr__(self, "exclude_evidence", tuple(self.exclude_evidence))
        if self.predictors is not None:
            object.__setattr__(self, "predictors", tuple(self.predictors))
            _check_predictors(self.predictors, self.decision, moment)

    @classmethod
    def from_toml(cls, path: str | Path) -> Settings:
        """Read settings from a TOML file whose keys are the field names."""
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        known = {row.name for row in fields(cls)}
        unknown = sorted(set(table) - known)
        if unknown:
            msg = f"settings must be among {', '.join(sorted(known))}, "
            raise DevelopmentError(msg + f"got {', '.join(unknown)}.")
        return cls(**table)

    def build_procedure(self, *, report_challenger: bool = False) -> Procedure:
        """Return the unfitted procedure that these settings describe."""
        from responder_model.development.procedure import Procedure

        return Procedure(
            self.decision,
            self.moment,
            exclude_evidence=self.exclude_evidence,
            predictors=self.predictors,
            challenger=self.challenger,
            report_challenger=report_challenger,
            components=self.components,
            seed=self.seed,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain data, as a model folder stores it."""
        return asdict(self)

    @classmethod
    def from_json(cls, parts: dict[str, Any]) -> Settings:
        """Rebuild settings from ``to_json``."""
        return cls(**parts)


def _check_predictors(names: tuple[str, ...], decision: str, moment: str) -> None:
    known = {row.name for row in dictionary().predictors(decision, moment)}
    wrong = [name for name in names if name not in known]
    if wrong:
        msg = (
            f"predictors must be known at {moment} and used by {decision}, "
            f"got {', '.join(wrong)}. Leave them out or choose a later moment."
        )
        raise DevelopmentError(msg)
