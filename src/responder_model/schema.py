"""The data dictionary: every predictor, outcome and decision, declared once in TOML.

Nothing else in the package lists fields. Layout of ``data/dictionary.toml``::

    format_version = 1
    resolution       numbers that differ by less than half of it compare as equal
    [[moments]]      name, label = {en, fr}            (in order of time)
    [[decisions]]    name, label, help, moments, outcome, binary_outcome, requires,
                     comparison (">" or ">="), cut_points, main_cut_point,
                     served_cut_points
    [[fields]]       name, kind, role, label, help, unit, minimum, maximum,
                     integer, known_from, used_by, transform, derived_from, indicates,
                     default_prior_sd
    [fields.reference]            mean, sd, source, status  (or proportions = {...})
    [fields.references.DECISION]  the same, for one decision only
    [[fields.categories]]         name, label, lesion_type, aliases
    [[fields.contrasts]]          name, weights = {category = weight}, source
    [[series]]       name, fields, features (of "mean", "trend")
    [[correlations]] fields = [a, b], value, source, status, decision (optional)
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from responder_model.errors import ResponderModelError, check_one_of, got
from responder_model.frozen import FrozenDict, freeze
from responder_model.words import Note

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "Category",
    "Contrast",
    "Correlation",
    "Decision",
    "Dictionary",
    "Field",
    "Moment",
    "Reference",
    "Series",
    "dictionary",
    "dictionary_text",
    "exceeds",
    "parse_dictionary",
    "parse_target",
    "reaches",
]

Kind = Literal["number", "boolean", "category", "text"]
Role = Literal["predictor", "outcome", "identifier", "grouping", "provenance"]
Text = Mapping[str, str]

FORMAT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A point in care from which values are known."""

    name: str
    label: Text


@dataclass(frozen=True, kw_only=True)
class Category:
    """One allowed value of a categorical field."""

    name: str
    label: Text
    lesion_type: str | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """A model column made from categories: the weight that each one gets (else 0)."""

    name: str
    weights: Mapping[str, float]
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What is usual in the reference population.

    ``mean`` and ``sd`` are on the field's transformed scale (log months for a
    duration); a category has ``proportions``, a boolean a ``mean`` in 0-1.
    """

    mean: float = 0.0
    sd: float = 1.0
    proportions: Mapping[str, float] = field(default_factory=FrozenDict)
    source: str = ""
    status: str = "judgement"


@dataclass(frozen=True, kw_only=True, eq=False)
class Field:
    """One row of the dictionary; compared by identity, so that it can key a cache."""

    name: str
    kind: Kind
    role: Role
    label: Text
    help: Text
    known_from: str
    unit: Text | None = None
    minimum: float | None = None
    maximum: float | None = None
    integer: bool = False
    categories: tuple[Category, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    used_by: tuple[str, ...] = ()
    transform: Literal["identity", "log", "log1p"] = "identity"
    reference: Reference = Reference()
    references: Mapping[str, Reference] = field(default_factory=FrozenDict)
    derived_from: str | None = None
    indicates: str | None = None
    default_prior_sd: float = 0.15

    def reference_for(self, decision: str) -> Reference:
        """Reference population of one decision, else the common one."""
        return self.references.get(decision, self.reference)

    @property
    def category_names(self) -> tuple[str, ...]:
        """Names of the categories in dictionary order."""
        return tuple(category.name for category in self.categories)

    @cached_property
    def rule(self) -> Note:
        """What a value is allowed to be, as it reads after "must be".

        Examples
        --------
        >>> dictionary().fields["age"].rule.text("en")
        'between 18 and 100 years'
        """
        if self.kind == "boolean":
            return Note("patient.yes_or_no")
        if self.kind == "category":
            values = self.category_names
            return Note("patient.one_of", field=self.name, values=values)
        if self.kind == "text":
            return Note("patient.printable")
        key = "whole_range" if self.integer else "range"
        bounds = {"minimum": self.minimum, "maximum": self.maximum}
        return Note(f"patient.{key}", field=self.name, **bounds)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A question that models answer, and how its outcome is cut."""

    name: str
    label: Text
    help: Text
    moments: tuple[str, ...]
    outcome: str
    binary_outcome: str
    comparison: Literal[">", ">="]
    cut_points: tuple[float, ...]
    main_cut_point: float
    served_cut_points: tuple[float, ...]
    requires: str | None = None

    @property
    def main_index(self) -> int:
        """Position of the main cut-off among the fitted ones."""
        return self.cut_points.index(self.main_cut_point)

    def passes(self, outcome: float | Floats, cut_point: float) -> Any:
        """Whether an outcome passes a cut-off: above it, or at it for ">=".

        An outcome may be a number or an array; a missing one (NaN) passes nothing.

        Examples
        --------
        >>> rtms = dictionary().decisions["rtms_response"]
        >>> rtms.passes((1 - 7 / 10) * 100, 30), rtms.passes(31.0, 30)
        (False, True)
        """
        compare = exceeds if self.comparison == ">" else reaches
        return compare(outcome, cut_point)

    def highest_failing(self, cut_point: float) -> float:
        """Highest whole percent that does not pass a cut-off.

        Examples
        --------
        >>> dictionary().decisions["emcs_success"].highest_failing(40)
        39
        """
        return cut_point if self.comparison == ">" else cut_point - 1


@dataclass(frozen=True, kw_only=True)
class Series:
    """Repeated measurements that enter as features of the whole series."""

    name: str
    fields: tuple[str, ...]
    features: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Correlation:
    """Declared correlation of two model columns in the reference population."""

    fields: tuple[str, str]
    value: float
    source: str = ""
    status: str = "judgement"
    decision: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Dictionary:
    """The whole data dictionary; compared by identity.

    ``text`` is the TOML that it was read from, as a model folder keeps it; empty for
    one that was changed by hand.
    """

    moments: tuple[Moment, ...]
    decisions: Mapping[str, Decision]
    fields: Mapping[str, Field]
    series: tuple[Series, ...]
    correlations: tuple[Correlation, ...]
    resolution: float = 1e-9
    text: str = field(default="", init=False, repr=False)

    @property
    def is_frozen(self) -> bool:
        """Whether nothing in it can be changed: it was read from its text."""
        return bool(self.text)

    def __reduce__(self) -> str | tuple[Any, ...]:
        # its text, so that each process has one of each, whatever is sent to it
        if self.text:
            return parse_dictionary, (self.text,)
        return super().__reduce__()

    def moment_index(self, name: str) -> int:
        """Position of a moment in time; raises for an unknown one."""
        names = [moment.name for moment in self.moments]
        check_one_of(name, names, name="moment")
        return names.index(name)

    def is_known(self, name: str, moment: str) -> bool:
        """Whether a field's value is known at a moment."""
        known_from = self.fields[name].known_from
        return self.moment_index(known_from) <= self.moment_index(moment)

    def predictors(self, decision: str, moment: str) -> tuple[Field, ...]:
        """Predictors that a decision model may see at a moment, in order."""
        return tuple(
            row
            for row in self.fields.values()
            if row.role == "predictor"
            and decision in row.used_by
            and self.is_known(row.name, moment)
        )

    def derived_categories(self, name: str) -> dict[str, str]:
        """Category that a derived field takes for each category of its source.

        Examples
        --------
        >>> dictionary().derived_categories("lesion_type")["amputation"]
        'peripheral'
        """
        source = self.fields[name].derived_from
        return {
            category.name: category.lesion_type
            for category in (self.fields[source].categories if source else ())
            if category.lesion_type
        }

    def targets(self) -> tuple[tuple[str, str], ...]:
        """Every (decision, moment) that has a model."""
        return tuple((d.name, m) for d in self.decisions.values() for m in d.moments)

    def check_decision(self, decision: str) -> str:
        """Return the name of a known decision; raises for an unknown one."""
        check_one_of(decision, self.decisions, name="decision")
        return decision

    def check_target(self, decision: str, moment: str | None) -> tuple[str, str]:
        """Return a known (decision, moment); the moment may be left out if single."""
        self.check_decision(decision)
        moments = self.decisions[decision].moments
        if moment is None and len(moments) == 1:
            return decision, moments[0]
        if moment not in moments:
            said = {"allowed": tuple(moments), "got": got(moment, moments)}
            raise ResponderModelError(
                Note("argument.moment_of", decision=decision, **said)
            )
        return decision, moment


def exceeds(value: float | Floats, bound: float | Floats) -> Any:
    """Whether a number lies above a bound by more than binary arithmetic explains.

    Every comparison with a cut-off or a threshold is made here or by ``reaches``.

    Examples
    --------
    >>> exceeds(30.000000000000004, 30.0), exceeds(30.00001, 30.0)
    (False, True)
    """
    return value > bound + dictionary().resolution / 2


def reaches(value: float | Floats, bound: float | Floats) -> Any:
    """Whether a number lies at a bound or above it; just below by arithmetic is at it.

    Examples
    --------
    >>> reaches(100 * (1 - 9 / 10), 10.0), reaches(9.9999, 10.0)
    (True, False)
    """
    return value >= bound - dictionary().resolution / 2


def parse_target(text: str) -> tuple[str, str]:
    """Split ``decision@moment``.

    Examples
    --------
    >>> parse_target("rtms_response@session_2")
    ('rtms_response', 'session_2')
    >>> parse_target("emcs_success")
    ('emcs_success', 'implantation')
    """
    decision, _, moment = text.partition("@")
    return dictionary().check_target(decision, moment or None)


@cache
def dictionary() -> Dictionary:
    """Return the installed data dictionary, by which values are read and named.

    A model means what its own says, ``Model.dictionary``.

    Examples
    --------
    >>> dictionary().fields["age"].label["en"]
    'Age'
    """
    return parse_dictionary(dictionary_text())


@cache
def dictionary_text() -> str:
    """Return the packaged TOML, as a model folder stores it."""
    data = files("responder_model") / "data"
    return (data / "dictionary.toml").read_text(encoding="utf-8")


@lru_cache(maxsize=16)
def parse_dictionary(text: str) -> Dictionary:
    """Read a dictionary from TOML text; the same text gives the same dictionary."""
    # frozen before it is read: tables refuse changes, lists are tuples
    table = freeze(tomllib.loads(text))
    if table.get("format_version") != FORMAT_VERSION:
        raise ResponderModelError(Note("argument.dictionary_format", n=FORMAT_VERSION))
    parsed = Dictionary(
        moments=tuple(Moment(**row) for row in table["moments"]),
        decisions=FrozenDict({r["name"]: Decision(**r) for r in table["decisions"]}),
        fields=FrozenDict({row["name"]: _parse_field(row) for row in table["fields"]}),
        series=tuple(Series(**row) for row in table.get("series", ())),
        correlations=tuple(Correlation(**row) for row in table.get("correlations", ())),
        # dictionaries in older model folders do not state it
        resolution=table.get("resolution", Dictionary.resolution),
    )
    object.__setattr__(parsed, "text", text)
    return parsed


def _parse_field(row: dict[str, Any]) -> Field:
    parts = dict(row)
    parts["categories"] = tuple(Category(**c) for c in row.get("categories", ()))
    parts["contrasts"] = tuple(Contrast(**c) for c in row.get("contrasts", ()))
    parts["reference"] = Reference(**row.get("reference", {}))
    own = row.get("references", {})
    parts["references"] = FrozenDict({k: Reference(**r) for k, r in own.items()})
    return Field(**parts)
