"""Audit trails for tests: written, judged, and their files."""

from __future__ import annotations

from pathlib import Path

from responder_model.audit import (
    AuditKey,
    Entry,
    Judgement,
    Trail,
    verify_trail,
)

KEY = AuditKey(secret=bytes(range(32)))
OTHER = AuditKey(secret=bytes(range(1, 33)))
WORD = "zq7canary"


def entry(k: int, **more: object) -> Entry:
    parts = {
        "request": f"{k:032x}",
        "decision": "rtms_response@screening",
        "model": "a" * 64,
        "input": {"patient": {"age": 54.0, "centre": WORD}},
        "output": {"probability": k / 1000},
    }
    return Entry(**{**parts, **more})


def written(folder: Path, sizes=(3, 1, 4), *, full: int = 1000) -> Path:
    """A trail of groups of these sizes, over several files."""
    trail, k = Trail(folder, KEY, full=full), 0
    for size in sizes:
        trail.append([entry(k + j) for j in range(size)])
        k += size
    return folder


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def codes(found: Judgement) -> list[str]:
    return [note.code.partition(".")[2] for note in found.faults]


def judged(folder: Path, key: AuditKey = KEY) -> tuple[str, list[str]]:
    found = verify_trail(folder, key)
    return found.state, codes(found)
