"""The evidence base: all rows and declarations, read together and cross-checked."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

from responder_model.errors import EvidenceError, got
from responder_model.frozen import FrozenDict, freeze
from responder_model.words import Note
from .declarations import Anchor, Declarations, PriorDeclaration, load_declarations
from .rows import EvidenceRow, parse_rows


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Every published row, and the priors declared on them.

    Parameters
    ----------
    rows : dict of str to EvidenceRow
        By name, in the order of the files.
    declarations : dict of str to Declarations
        By decision.
    """

    rows: Mapping[str, EvidenceRow] = field(default_factory=FrozenDict)
    declarations: Mapping[str, Declarations] = field(default_factory=FrozenDict)

    @property
    def is_frozen(self) -> bool:
        """Whether nothing in it can be changed."""
        return all(isinstance(t, FrozenDict) for t in (self.rows, self.declarations))

    def behind(self, decision: str, *, without: Collection[str] = ()) -> Evidence:
        """What a model of one decision rests on, some overlap groups left out."""
        rows = {
            name: row
            for name, row in self.rows.items()
            if row.decision == decision and row.overlap_group not in without
        }
        declared = {k: v for k, v in self.declarations.items() if k == decision}
        return Evidence(rows=FrozenDict(rows), declarations=FrozenDict(declared))

    @property
    def priors(self) -> dict[str, tuple[PriorDeclaration, ...]]:
        """Declared priors of each decision."""
        return {name: row.priors for name, row in self.declarations.items()}

    @property
    def anchors(self) -> dict[str, Anchor]:
        """Declared anchor of each decision."""
        return {name: row.anchor for name, row in self.declarations.items()}

    @property
    def gaps(self) -> dict[str, tuple[float, ...]]:
        """Published gaps between the fitted cut points of each decision."""
        return {name: row.published_gaps() for name, row in self.declarations.items()}

    @property
    def overlap_groups(self) -> tuple[str, ...]:
        """Every overlap group, sorted."""
        return tuple(sorted({row.overlap_group for row in self.rows.values()}))

    def on_contrast(
        self, decision: str, contrast: str, *, without: Collection[str] = ()
    ) -> tuple[EvidenceRow, ...]:
        """Rows on one contrast, those of some overlap groups left out."""
        return tuple(
            row
            for row in self.rows.values()
            if (row.decision, row.contrast) == (decision, contrast)
            and row.overlap_group not in without
        )

    def check_groups(self, groups: Iterable[str]) -> tuple[str, ...]:
        """Return known overlap groups, sorted and without repeats.

        Raises
        ------
        EvidenceError
            For an unknown group; names the known ones.
        """
        wanted = tuple(sorted(set(groups)))
        known = self.overlap_groups
        unknown = [group for group in wanted if group not in known]
        if unknown:
            said = Note("evidence.unknown_group", got=got(unknown[0], known))
            names = Note("evidence.known_groups", known=known)
            raise EvidenceError(Note("refusal.several", said=(said, names)))
        return wanted


def evidence_directory() -> Path:
    """Return the directory of the packaged evidence."""
    with as_file(files("responder_model") / "data" / "evidence") as path:
        return path


@cache
def packaged_evidence() -> Evidence:
    """Return the packaged evidence, read once."""
    return freeze(load_evidence())


def load_evidence(directory: str | Path | None = None) -> Evidence:
    """Read every evidence file of a directory.

    Parameters
    ----------
    directory : path, optional
        Holds ``*.toml`` with rows and ``priors/*.toml`` with declarations; the
        packaged evidence if left out.

    Raises
    ------
    EvidenceError
        With every broken rule of every file: a row whose status is ``recalled`` or
        missing, an unknown key, an effect without standard error, interval or counts,
        a name used twice, a prior that rests on an unknown row.

    Examples
    --------
    >>> evidence = load_evidence()
    >>> row = evidence.rows["thomas_2025_central"]
    >>> round(row.effect, 2), row.overlap_group
    (0.71, 'saint_etienne')
    """
    folder = evidence_directory() if directory is None else Path(directory)
    rows, problems = _read_rows(sorted(folder.glob("*.toml")))
    problems += _repeated_names(rows) + _repeated_primaries(rows)
    known = {row.id: row for row in rows}
    declarations: dict[str, Declarations] = {}
    for path in sorted((folder / "priors").glob("*.toml")):
        parsed, found = load_declarations(path)
        if parsed is not None:
            declarations[parsed.decision] = parsed
            found = _basis_problems(parsed, known)
        problems += [f"priors/{path.name}: {problem}" for problem in found]
    if problems:
        raise EvidenceError(
            Note("evidence.problems", n=len(problems), problems=tuple(problems))
        )
    return Evidence(rows=known, declarations=declarations)


def _read_rows(paths: list[Path]) -> tuple[list[EvidenceRow], list[str]]:
    rows: list[EvidenceRow] = []
    problems: list[str] = []
    for path in paths:
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            problems.append(f"{path.name}: {error}")
            continue
        unknown = [f"unknown key {key!r}" for key in table if key != "rows"]
        parsed, found = parse_rows(table.get("rows", []))
        rows += parsed
        problems += [f"{path.name}: {problem}" for problem in unknown + found]
    return rows, problems


def _repeated_names(rows: list[EvidenceRow]) -> list[str]:
    counts = Counter(row.id for row in rows)
    return [f"{name}: id is used {k} times" for name, k in counts.items() if k > 1]


def _repeated_primaries(rows: list[EvidenceRow]) -> list[str]:
    counts = Counter(
        (row.decision, row.contrast, row.overlap_group)
        for row in rows
        if row.has_number and row.primary
    )
    return [
        f"{contrast}: {group} has {k} primary rows; set primary = false on all but one"
        for (_, contrast, group), k in counts.items()
        if k > 1
    ]


def _basis_problems(
    declared: Declarations, known: Mapping[str, EvidenceRow]
) -> list[str]:
    bases = [("anchor", declared.anchor.contrast, declared.anchor.rows)]
    bases += [(row.column, row.contrast, row.rows) for row in declared.priors]
    problems = []
    for name, contrast, ids in bases:
        for key in ids:
            row = known.get(key)
            if row is None:
                problems.append(f"{name}: rests on an unknown row {key!r}")
            elif (row.decision, row.contrast) != (declared.decision, contrast):
                problems.append(f"{name}: {key} is on another contrast or decision")
    return problems
