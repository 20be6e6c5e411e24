"""One row for each published effect, read from TOML and checked.

A file holds ``[[rows]]`` with these keys (* required)::

    id*, study*, year, doi, reference      who found it, and where it is printed
    n                                      patients
    decision*, contrast*                   what it bears on; rows on one contrast are
                                           comparable and can be combined
    status*                                "seen", "derived", "judgement", or
                                           "other_treatment": measured in patients of
                                           another treatment, never combined
    overlap_group                          rows that share patients (else the study)
    primary                                false: never combined, printed only
    protocol                               of a rate: "spaced", "weekly", "daily" or
                                           "single" sessions; only rates of one protocol
                                           stand for each other
    source*, note                          the text that was read; remarks
    finding                                what was found, in words

and at most one of the number forms (log-odds throughout)::

    effect, se
    odds_ratio, interval = [lower, upper]             (95 %)
    counts = { events, n }                            (one group)
    counts = { events, n, reference_events, reference_n }
    null = { n, share }                               (null finding without numbers)
    correlation = { r, n }

A row that is only remembered (status ``recalled``) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from responder_model.frozen import FrozenDict
from responder_model.schema import dictionary
from . import effects

STATUSES = ("seen", "derived", "judgement", "other_treatment")
PROTOCOLS = ("spaced", "weekly", "daily", "single")
_REQUIRED = ("id", "study", "decision", "contrast", "status", "source")
_TEXTS = (
    *_REQUIRED,
    "doi",
    "reference",
    "overlap_group",
    "note",
    "finding",
    "protocol",
)
_FORMS = ("effect", "odds_ratio", "counts", "null", "correlation")
_PARTNERS = {"effect": "se", "odds_ratio": "interval"}
_KEYS = {*_TEXTS, *_FORMS, *_PARTNERS.values(), "year", "n", "primary"}


@dataclass(frozen=True, kw_only=True)
class EvidenceRow:
    """One published finding.

    Parameters
    ----------
    id, study, year, doi, reference : str, int or None
        Name of the row, and where the finding is printed.
    n : int or None
        Patients behind it.
    decision, contrast : str
        The decision it bears on, and the key of the comparison that it makes.
    status : {"seen", "derived", "judgement", "other_treatment"}
        Stands in a text that was read, is arithmetic on such numbers, is opinion, or
        was measured in another treatment: it bears on structure, never on an effect.
    effect, se : float or None
        Log-odds and standard error; None when only words were found.
    counts : mapping
        Counts behind them, where these are the published form.
    overlap_group : str
        Rows of one group share patients and are never combined with each other.
    primary : bool
        Whether this is the row that stands for its group.
    protocol : str
        How the sessions of a published rate were spaced; empty for anything else.
    finding, source, note : str
        What was found in words, the text that was read, remarks.
    """

    id: str
    study: str
    decision: str
    contrast: str
    status: str
    source: str
    overlap_group: str
    year: int | None = None
    doi: str = ""
    reference: str = ""
    n: int | None = None
    effect: float | None = None
    se: float | None = None
    counts: Mapping[str, int] = field(default_factory=FrozenDict)
    primary: bool = True
    protocol: str = ""
    finding: str = ""
    note: str = ""

    @property
    def has_number(self) -> bool:
        """Whether the row carries an effect with its standard error."""
        return self.effect is not None

    @property
    def citation(self) -> str:
        """Study, year and DOI or journal, as printed beside a number."""
        name = self.study if self.year is None else f"{self.study} {self.year}"
        where = f"doi:{self.doi}" if self.doi else self.reference
        return f"{name}, {where}" if where else name


def parse_rows(
    tables: Sequence[Mapping[str, Any]],
) -> tuple[list[EvidenceRow], list[str]]:
    """Read the rows of one file.

    Returns
    -------
    rows : list of EvidenceRow
        Those without a problem.
    problems : list of str
        Every broken rule, with the row it stands in.
    """
    rows: list[EvidenceRow] = []
    problems: list[str] = []
    for position, table in enumerate(tables, start=1):
        name = table.get("id", f"row {position}")
        found = _problems(table)
        problems += [f"{name}: {problem}" for problem in found]
        if not found:
            rows.append(_row(table))
    return rows, problems


def study_key(study: str, year: int | None) -> str:
    """Overlap group of a row that declares none: its study.

    Examples
    --------
    >>> study_key("Lawson McLean", 2018)
    'lawson_mclean_2018'
    """
    text = study if year is None else f"{study} {year}"
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def _row(table: Mapping[str, Any]) -> EvidenceRow:
    numbers = {*_FORMS, *_PARTNERS.values()} - {"counts"}
    parts = {key: value for key, value in table.items() if key not in numbers}
    parts.setdefault("overlap_group", study_key(table["study"], table.get("year")))
    effect, se = _number(table)
    return EvidenceRow(**parts, effect=effect, se=se)


def _number(table: Mapping[str, Any]) -> tuple[float, float] | tuple[None, None]:
    if "effect" in table:
        return float(table["effect"]), float(table["se"])
    if "odds_ratio" in table:
        return effects.effect_from_interval(table["odds_ratio"], *table["interval"])
    if "counts" in table:
        return _from_counts(table["counts"])
    if "null" in table:
        return effects.effect_of_null(**table["null"])
    if "correlation" in table:
        return effects.effect_from_correlation(**table["correlation"])
    return None, None


def _from_counts(counts: Mapping[str, int]) -> effects.Effect:
    if "reference_n" in counts:
        return effects.effect_from_two_groups(**counts)
    return effects.effect_from_group(**counts)


def _problems(table: Mapping[str, Any]) -> list[str]:
    problems = [f"unknown key {key!r}" for key in table if key not in _KEYS]
    problems += [f"{key} is missing" for key in _REQUIRED if not table.get(key)]
    problems += [
        f"{key} must be text"
        for key in _TEXTS
        if key in table and not isinstance(table[key], str)
    ]
    problems += [
        f"{key} must be a whole number"
        for key in ("year", "n")
        if key in table and not is_count(table[key])
    ]
    if "primary" in table and not isinstance(table["primary"], bool):
        problems.append("primary must be true or false")
    return problems + _status_problems(table) + _number_problems(table)


def _status_problems(table: Mapping[str, Any]) -> list[str]:
    problems = []
    status, decision = table.get("status"), table.get("decision")
    if status == "recalled":
        problems.append("status 'recalled' is not evidence: read the source first")
    elif status and status not in STATUSES:
        problems.append(f"status must be one of {', '.join(STATUSES)}, got {status!r}")
    if status == "other_treatment" and table.get("primary", True):
        problems.append("primary must be false for a row from another treatment")
    if table.get("protocol", PROTOCOLS[0]) not in PROTOCOLS:
        problems.append(f"protocol must be one of {', '.join(PROTOCOLS)}")
    if isinstance(decision, str) and decision not in dictionary().decisions:
        known = ", ".join(dictionary().decisions)
        problems.append(f"decision must be one of {known}, got {decision!r}")
    return problems


def _number_problems(table: Mapping[str, Any]) -> list[str]:
    forms = [form for form in _FORMS if form in table]
    lonely = [
        f"{partner} without {form}"
        for form, partner in _PARTNERS.items()
        if partner in table and form not in table
    ]
    if lonely:
        return lonely
    if len(forms) > 1:
        return [f"only one of {', '.join(forms)} may be given"]
    if not forms:
        return [] if table.get("finding") else ["neither a number nor a finding"]
    partner = _PARTNERS.get(forms[0])
    if partner is not None and partner not in table:
        return [f"{forms[0]} without {partner}"]
    return _CHECKS[forms[0]](table)


def _check_effect(table: Mapping[str, Any]) -> list[str]:
    problems = []
    if not is_number(table["effect"]):
        problems.append("effect must be a number")
    if not is_number(table["se"]) or table["se"] <= 0:
        problems.append("se must be a number above 0")
    return problems


def _check_odds_ratio(table: Mapping[str, Any]) -> list[str]:
    interval, ratio = table["interval"], table["odds_ratio"]
    numbers = [ratio, *interval] if isinstance(interval, list) else []
    if len(numbers) != 3 or not all(map(is_number, numbers)):
        return ["interval must be two numbers"]
    if not 0 < interval[0] < ratio < interval[1]:
        return ["odds_ratio must lie inside its interval, above 0"]
    return []


def _check_counts(table: Mapping[str, Any]) -> list[str]:
    counts = table["counts"]
    one, two = {"events", "n"}, {"events", "n", "reference_events", "reference_n"}
    if not isinstance(counts, dict) or set(counts) not in (one, two):
        return ["counts must have events, n and both or none of the reference group"]
    pairs = [("events", "n"), ("reference_events", "reference_n")][: len(counts) // 2]
    if not all(map(is_count, counts.values())):
        return ["counts must be whole numbers"]
    wrong = any(not 0 <= counts[k] <= counts[n] or counts[n] == 0 for k, n in pairs)
    return ["events must lie between 0 and n"] if wrong else []


def _check_null(table: Mapping[str, Any]) -> list[str]:
    null = table["null"]
    if not isinstance(null, dict) or not {"n"} <= set(null) <= {"n", "share"}:
        return ["null must have n and may have share"]
    if not is_count(null["n"]) or null["n"] == 0:
        return ["null.n must be a whole number above 0"]
    share = null.get("share", 0.5)
    if not is_number(share) or not 0 < share < 1:
        return ["null.share must lie between 0 and 1"]
    return []


def _check_correlation(table: Mapping[str, Any]) -> list[str]:
    parts = table["correlation"]
    if not isinstance(parts, dict) or set(parts) != {"r", "n"}:
        return ["correlation must have r and n"]
    if not is_number(parts["r"]) or not -1 < parts["r"] < 1:
        return ["correlation.r must lie between -1 and 1"]
    if not is_count(parts["n"]) or parts["n"] < 4:
        return ["correlation.n must be a whole number of 4 or more"]
    return []


_CHECKS = {
    "effect": _check_effect,
    "odds_ratio": _check_odds_ratio,
    "counts": _check_counts,
    "null": _check_null,
    "correlation": _check_correlation,
}


def is_number(value: object) -> bool:
    """Whether a TOML value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_count(value: object) -> bool:
    """Whether a TOML value is a whole number of 0 or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
