"""The prior of each model column, as declared in ``data/evidence/priors/*.toml``.

Layout of a file, one for each decision (* required)::

    format_version* = 1
    decision*
    sd_factor*            factor on every declared SD, all of which hold at once
    [anchor]              contrast, mean, sd, rows, status, note
    [gaps]                sd, distributions (ids; their gaps are averaged), note
    [[distributions]]     see responder_model.evidence.distributions
    [[priors]]            column* (a model column, or a pattern with *), mean*, sd*,
                          status* ("evidence" or "judgement"), moment (that one only),
                          contrast, rows (ids of the rows it rests on), per (raw units
                          of a number, else reference units), unit, note, firm (no
                          source disputes its sign), conditional (declared at given
                          other predictors)
    [[blocks]]            columns, note: their declared effects are marginal to each
                          other
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from pathlib import Path
from statistics import fmean
from typing import Any

from responder_model.errors import EvidenceError
from responder_model.frozen import freeze
from responder_model.schema import dictionary
from responder_model.words import Note
from .distributions import Distribution, published_gaps
from .rows import is_number

FORMAT_VERSION = 1
PRIOR_STATUSES = ("evidence", "judgement")


@dataclass(frozen=True, kw_only=True)
class PriorDeclaration:
    """Mean and SD that a model column uses, with the rows they rest on."""

    column: str
    mean: float
    sd: float
    status: str
    moment: str | None = None
    contrast: str = ""
    rows: tuple[str, ...] = ()
    per: float | None = None
    unit: str = ""
    note: str = ""
    firm: bool = False
    conditional: bool = False


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """Log-odds of passing the main cut-off at the reference means."""

    contrast: str
    mean: float
    sd: float
    rows: tuple[str, ...]
    status: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Gaps:
    """Which distributions place the cut points; SD of the logarithm of each gap."""

    sd: float
    distributions: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Block:
    """Columns whose declared effects are each marginal to the others.

    With ``marginal_sd`` the declared SDs are marginal too, not only the means.
    """

    columns: tuple[str, ...]
    note: str = ""
    marginal_sd: bool = False


@dataclass(frozen=True, kw_only=True)
class Declarations:
    """Everything declared for the priors of one decision."""

    decision: str
    anchor: Anchor
    gaps: Gaps
    distributions: tuple[Distribution, ...]
    priors: tuple[PriorDeclaration, ...]
    blocks: tuple[Block, ...]
    sd_factor: float = 1.0

    def find(self, column: str, moment: str) -> PriorDeclaration | None:
        """Declaration of a model column at a moment; an exact name wins."""
        fitting = [row for row in self.priors if row.moment in (None, moment)]
        for row in fitting:
            if row.column == column:
                return row
        for row in fitting:
            if fnmatchcase(column, row.column):
                return row
        return None

    def placing(self) -> tuple[Distribution, ...]:
        """Return the distributions that place the cut points."""
        known = {row.id: row for row in self.distributions}
        return tuple(known[name] for name in self.gaps.distributions)

    def published_gaps(self) -> tuple[float, ...]:
        """Gaps between consecutive fitted cut points of the decision."""
        cut_points = dictionary().decisions[self.decision].cut_points
        each = [published_gaps(row, cut_points) for row in self.placing()]
        return tuple(fmean(gaps) for gaps in zip(*each, strict=True))


@cache
def declarations_for(decision: str) -> Declarations:
    """Return the packaged declarations of one decision."""
    path = files("responder_model") / "data/evidence/priors" / f"{decision}.toml"
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    parsed, problems = parse_declarations(table)
    if parsed is None:
        told = tuple(f"priors/{decision}.toml: {problem}" for problem in problems)
        raise EvidenceError(Note("evidence.problems", n=len(told), problems=told))
    return freeze(parsed)


def load_declarations(path: Path) -> tuple[Declarations | None, list[str]]:
    """Read one file; None with the problems when it breaks a rule."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        return None, [str(error)]
    return parse_declarations(table)


def parse_declarations(
    table: Mapping[str, Any],
) -> tuple[Declarations | None, list[str]]:
    """Read the declarations of one decision, or every problem that they have."""
    problems = _problems(table)
    if problems:
        return None, problems
    lists = {
        "distributions": tuple(_build(Distribution, r) for r in _list(table, 2)),
        "priors": tuple(_build(PriorDeclaration, row) for row in _list(table, 0)),
        "blocks": tuple(_build(Block, row) for row in _list(table, 1)),
    }
    parsed = Declarations(
        decision=table["decision"],
        anchor=_build(Anchor, table["anchor"]),
        gaps=_build(Gaps, table["gaps"]),
        sd_factor=float(table["sd_factor"]),
        **lists,
    )
    return parsed, []


_SECTIONS: tuple[tuple[str, type], ...] = (
    ("priors", PriorDeclaration),
    ("blocks", Block),
    ("distributions", Distribution),
)
_TOP = {"format_version", "decision", "sd_factor", "anchor", "gaps"}


def _list(table: Mapping[str, Any], section: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.get(_SECTIONS[section][0], [])
    return rows


def _build(kind: Any, row: Mapping[str, Any]) -> Any:
    parts = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
    return kind(**parts)


def _problems(table: Mapping[str, Any]) -> list[str]:
    known = _TOP | {name for name, _ in _SECTIONS}
    problems = [f"unknown key {key!r}" for key in table if key not in known]
    if table.get("format_version") != FORMAT_VERSION:
        problems.append(f"format_version must be {FORMAT_VERSION}")
    if table.get("decision") not in dictionary().decisions:
        problems.append(f"decision must be known, got {table.get('decision')!r}")
    factor: Any = table.get("sd_factor")
    if not is_number(factor) or not 0 < factor <= 1:
        problems.append("sd_factor must be a number above 0, at most 1")
    problems += _key_problems("anchor", Anchor, [table.get("anchor", {})])
    problems += _key_problems("gaps", Gaps, [table.get("gaps", {})])
    for name, kind in _SECTIONS:
        problems += _key_problems(name, kind, table.get(name, []))
    problems += _status_problems([table.get("anchor", {}), *table.get("priors", [])])
    wanted = table.get("gaps", {}).get("distributions")
    declared = [row.get("id") for row in table.get("distributions", [])]
    if not wanted or not set(wanted) <= set(declared):
        problems.append(f"gaps.distributions must be declared, got {wanted!r}")
    return problems


def _key_problems(
    section: str, kind: type, rows: Sequence[Mapping[str, Any]]
) -> list[str]:
    known = {row.name for row in fields(kind)}
    required = [row.name for row in fields(kind) if row.default is MISSING]
    problems = []
    for row in rows:
        name = f"{section} {row.get('column', row.get('id', ''))}".strip()
        problems += [f"{name}: unknown key {key!r}" for key in row if key not in known]
        problems += [f"{name}: {key} is missing" for key in required if key not in row]
    return problems


def _status_problems(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    problems = []
    for row in rows:
        name = row.get("column", "anchor")
        if row.get("status", "evidence") not in PRIOR_STATUSES:
            allowed = " or ".join(PRIOR_STATUSES)
            problems.append(f"{name}: status must be {allowed}")
        sd = row.get("sd", 1.0)
        if not is_number(row.get("mean", 0.0)) or not is_number(sd) or sd <= 0:
            problems.append(f"{name}: mean and sd must be numbers, sd above 0")
        if row.get("status") == "evidence" and not row.get("rows"):
            problems.append(f"{name}: a prior from evidence must name its rows")
    return problems
