"""Settings of a development: everything that decides what a model becomes."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import InitVar, asdict, dataclass, fields
from numbers import Integral
from pathlib import Path
from typing import Any

from responder_model.disclosure.record import SMALL_CELLS, is_cell_size
from responder_model.errors import (
    DevelopmentError,
    UntrustedModelError,
    got,
    toml_fault,
)
from responder_model.schema import Dictionary, dictionary
from responder_model.vocabulary import show
from responder_model.words import Note

__all__ = ["CENTRES", "COMPONENTS", "METHODS", "Settings"]

# How a model knows the centres of its patients.
CENTRES = ("named", "coded", "ignored")
# How an update puts its patients beside the earlier ones.
METHODS = ("bayes", "auto", "in_the_large", "recalibration", "refit")
# Which prior components the evidence-informed part may use.
COMPONENTS = ("robust", "published", "zero")


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
    small_cells : int
        Nothing is learned that fewer patients decide, so that the model gives none of
        them away; 0 learns from everything, in a model that ``stays_here``.
    stays_here : bool
        Whether the model is marked as one that never leaves its centre.
    centres : {"named", "coded", "ignored"}
        From two centres on, each has its own level, which the model knows by the name
        of the centre or by a code of this one's; ``ignored`` tells none apart.
    power : float
        Of an update: what the information of the earlier model counts, from above 0 to
        1 (a power prior).
    method : {"bayes", "auto", "in_the_large", "recalibration", "refit"}
        Of an update: how its patients stand beside the earlier ones.
    table : Dictionary, optional
        The dictionary that decision, moment and predictors are of: that of a model,
        or the installed one.

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
    small_cells: int = SMALL_CELLS
    stays_here: bool = False
    centres: str = "named"
    power: float = 1.0
    method: str = METHODS[0]
    table: InitVar[Dictionary | None] = None

    def __post_init__(self, table: Dictionary | None) -> None:
        _check_kinds({row.name: getattr(self, row.name) for row in fields(self)})
        if self.small_cells == 0 and not self.stays_here:
            raise DevelopmentError(Note("refusal.small_cells"))
        table = table or dictionary()
        _, moment = table.check_target(self.decision, self.moment or None)
        object.__setattr__(self, "moment", moment)
        excluded = tuple(dict.fromkeys(self.exclude_evidence))
        object.__setattr__(self, "exclude_evidence", excluded)
        if self.predictors is not None:
            object.__setattr__(
                self, "predictors", tuple(dict.fromkeys(self.predictors))
            )
            _check_predictors(self.predictors, table, self.decision, moment)

    @classmethod
    def from_toml(cls, path: str | Path) -> Settings:
        """Read settings from a TOML file whose keys are the field names.

        Raises
        ------
        DevelopmentError
            For a file that is not TOML, and with every key that is unknown, absent or
            of another kind.
        """
        try:
            table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            said = Note(
                "refusal.settings_file", name=Path(path).name, why=toml_fault(error)
            )
            raise DevelopmentError(said) from None
        _check_kinds(table)
        return cls(**table)

    def to_json(self) -> dict[str, Any]:
        """Plain data, as a model folder stores it; a method where one was asked."""
        parts = asdict(self)
        if self.method == METHODS[0]:
            del parts["method"]
        return parts

    @classmethod
    def from_json(
        cls, parts: Mapping[str, Any], table: Dictionary | None = None
    ) -> Settings:
        """Rebuild settings from ``to_json``, of the dictionary of a model.

        Raises
        ------
        UntrustedModelError
            For parts that ``to_json`` does not write.
        """
        try:
            _check_kinds(parts)
            return cls(**parts, table=table)
        except DevelopmentError as error:
            said = Note("refusal.in_a_model", said=error.said)
            raise UntrustedModelError(said) from None


def _check_kinds(table: Mapping[str, Any]) -> None:
    """Refuse keys and values of another kind, all at once."""
    given = {k: v for k, v in table.items() if k != "predictors" or v is not None}
    wrong = tuple(_wrong_keys(given))
    if wrong:
        raise DevelopmentError(Note("refusal.settings", wrong=wrong))


def _wrong_keys(table: dict[str, Any]) -> Iterator[Note]:
    known = {row.name for row in fields(Settings)}
    unknown = sorted(set(table) - known)
    if unknown:
        names = {"known": tuple(sorted(known)), "names": tuple(map(show, unknown))}
        yield Note("refusal.settings_keys", **names)
    if "decision" not in table:
        yield Note("refusal.settings_decision")
    for name, value in table.items():
        if name in known and not _KINDS[name][1](value):
            rule = _KINDS[name][0]
            if name in _CHOICES:
                rule = Note(
                    "refusal.choice_got", rule=rule, got=got(value, _CHOICES[name])
                )
            yield Note("refusal.setting", name=name, rule=rule)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(map(_is_text, value))


def _is_seed(value: object) -> bool:
    return (
        isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 0
    )


def _is_power(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0.0 < float(value) <= 1.0  # type: ignore[arg-type]


# What some keys choose from.
_CHOICES = {"centres": CENTRES, "method": METHODS, "components": COMPONENTS}

# What each key of a settings file must be.
_KINDS: dict[str, tuple[Note, Callable[[Any], bool]]] = {
    "decision": (Note("refusal.a_text"), _is_text),
    "moment": (Note("refusal.a_text"), _is_text),
    "seed": (Note("refusal.a_seed"), _is_seed),
    "exclude_evidence": (Note("refusal.a_list"), _is_texts),
    "predictors": (Note("refusal.a_list"), _is_texts),
    "challenger": (Note("refusal.a_flag"), lambda v: isinstance(v, bool)),
    "small_cells": (Note("refusal.a_cell"), is_cell_size),
    "stays_here": (Note("refusal.a_flag"), lambda v: isinstance(v, bool)),
    "power": (Note("refusal.a_power"), _is_power),
    **{
        name: (Note("refusal.a_choice", allowed=tuple(known)), known.__contains__)
        for name, known in _CHOICES.items()
    },
}


def _check_predictors(
    names: tuple[str, ...], table: Dictionary, decision: str, moment: str
) -> None:
    if not names:
        raise DevelopmentError(Note("refusal.no_predictors"))
    known = {row.name for row in table.predictors(decision, moment)}
    wrong = [name for name in names if name not in known]
    if wrong:
        said = Note(
            "refusal.predictors", moment=moment, decision=decision, names=tuple(wrong)
        )
        raise DevelopmentError(said)
