"""Kill writers of an audit trail while they write, and judge it after each.

    python tests/audit_kills.py FOLDER ROUNDS SEED

One process is started, and forks the writers: two at a time, on one folder. Each tells
which answers it was allowed to give. Prints what was found, as JSON.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from responder_model.audit import AuditKey, Entry, Trail, verify_trail
from responder_model.audit.entry import read_line
from responder_model.audit.head import files_of

KEY = AuditKey(secret=bytes(range(32)))
# Bytes after which a file is full: a few groups, so that a kill meets a new file too.
FULL = 20_000
# Seconds in which a writer must have answered.
PATIENCE = 20.0


def write_until_killed(folder: Path, told: int, seed: int) -> None:
    """Write groups, and tell the number of each answer that may leave."""
    rng, trail, k = random.Random(seed), Trail(folder, KEY, full=FULL), 0
    while True:
        names = [f"{os.getpid():016x}{k + j:016x}" for j in range(rng.randint(1, 8))]
        trail.append([_entry(name) for name in names])
        os.write(told, "".join(f"{name}\n" for name in names).encode())
        k += len(names)


def _entry(name: str) -> Entry:
    output = {"probability": 0.5, "interval": [0.1, 0.9]}
    return Entry(request=name, decision="d@m", model="a" * 64, input={}, output=output)


def start(folder: Path, seed: int) -> tuple[int, int]:
    """Fork a writer; its number, and where it tells."""
    told, tells = os.pipe()
    number = os.fork()
    if number == 0:
        os.close(told)
        write_until_killed(folder, tells, seed)
    os.close(tells)
    return number, told


def kill_once(folder: Path, rng: random.Random) -> set[str]:
    """Kill two writers at a random moment; the answers that they gave."""
    writers = [start(folder, rng.randrange(10**6)) for _ in range(2)]
    if rng.random() < 0.5:
        # one has answered: the disk may be slow
        select.select([told for _, told in writers], [], [], PATIENCE)
    time.sleep(rng.uniform(0.0, 0.05))
    given = set()
    for number, _ in writers:
        os.kill(number, signal.SIGKILL)
    for number, told in writers:
        os.waitpid(number, 0)
        with os.fdopen(told) as file:
            given |= {line.strip() for line in file if line.endswith("\n")}
    return given


def main() -> None:
    folder, rounds, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    rng, given, states, notes = random.Random(seed), set(), Counter(), Counter()
    Trail(folder, KEY, full=FULL)
    for _ in range(rounds):
        given |= kill_once(folder, rng)
        found = verify_trail(folder, KEY)
        states[found.state] += 1
        notes.update(note.code for note in found.notes)
    kept = {
        read_line(line).get("request")
        for _, path in files_of(folder)
        for line in path.read_bytes().splitlines()
    }
    told = {"given": len(given), "lost": len(given - kept), "states": states}
    json.dump({**told, "notes": notes, "lines": len(kept)}, sys.stdout)


if __name__ == "__main__":
    main()
