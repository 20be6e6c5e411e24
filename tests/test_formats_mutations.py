"""Files of every kind with a few changed bytes: read, or refused in our words."""

from __future__ import annotations

import random
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

import responder_model as rm
from responder_model.cohort import check_cohort, inspect_file, write_cohort
from responder_model.errors import InvalidCohortError
from responder_model.formats import statistical
from responder_model.formats.table import Source, refused_when_broken

CASES = Path(__file__).parent / "cases"
# What a file of some kilobytes may take of the memory, in MB.
MOST_MEMORY = 600
# Changed files of each kind in the normal run; ten thousand in all under `long`.
FEW = 50
COMMAND = str(Path(sys.executable).with_name("responder-model"))
EDGES = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f")
STATISTICAL = {
    "cohort.sav": statistical.SPSS,
    "cohort_pspp.sav": statistical.SPSS,
    "cohort.dta": statistical.STATA,
    "haven.dta": statistical.STATA,
    "cohort_v5.xpt": statistical.TRANSPORT,
    "haven_v8.xpt": statistical.TRANSPORT,
    "haven.sas7bdat": statistical.SAS,
}
OTHERS = (
    *("cohort.rds", "haven.RData", "cohort.ods", "merged_cells.xlsx"),
    *("formula_never_calculated.xlsx", "redcap_longitudinal.csv", "uuid.parquet"),
)


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return data with some bytes changed, left out, doubled, or cut off."""
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 5, 20])):
        size = len(changed) or 1
        place = rng.randrange(size if rng.random() < 0.5 else min(size, 1000))
        way = rng.random()
        if way < 0.4 and changed:
            changed[place] = rng.randrange(256)
        elif way < 0.6:
            changed[place : place + 4] = rng.choice(EDGES)
        elif way < 0.75:
            del changed[place : place + rng.randrange(1, 50)]
        elif way < 0.95:
            changed[place:place] = changed[place : place + rng.randrange(1, 200)]
        else:
            del changed[place:]
    return bytes(changed)


def memory() -> float:
    """Most memory so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def memory_of_reader() -> float:
    """Most memory so far of the reader's own process, in MB, where it can be told.

    The system's figure for all children counts the memory of this process, too: a
    child is a copy of it for a moment.
    """
    most = [0]
    for listed in Path("/proc/self/task").glob("*/children"):
        for child in listed.read_text().split():
            status = Path("/proc", child, "status").read_text()
            most += [int(kb) for kb in re.findall(r"VmHWM:\s+(\d+) kB", status)]
    return max(most) / 1024


@pytest.fixture(autouse=True)
def _bounded() -> Iterator[None]:
    before = memory()
    yield
    assert memory() - before < MOST_MEMORY


def inspected(path: Path) -> None:
    """Read a file; what is read is a cohort, whatever became of its bytes."""
    inspection, rows = inspect_file(path)
    assert len(inspection.cohort) == len(rows)
    if len(rows):
        check_cohort(inspection.cohort.drop(columns="patient_id", errors="ignore"))


def outcomes(
    path: Path, whole: bytes, n_files: int, seed: int, read: Callable[[Path], object]
) -> tuple[int, int]:
    """Read mutated files; return how many were read, and how many refused."""
    rng, n_read = random.Random(seed), 0
    for _ in range(n_files):
        path.write_bytes(mutated(whole, rng))
        try:
            read(path)
            n_read += 1
        except InvalidCohortError:
            continue
    return n_read, n_files - n_read


def mutate_statistical(tmp_path: Path, name: str, n_files: int) -> tuple[int, int]:
    kind = STATISTICAL[name]
    with statistical.reading() as read:

        def table(path: Path) -> pd.DataFrame:
            source: Source
            with refused_when_broken():
                source = read(path, kind)
            *_, last = source.tables()
            return last.cells

        whole = (CASES / name).read_bytes()
        assert len(table(CASES / name))
        found = outcomes(tmp_path / "a", whole, n_files, 1, table)
        assert memory_of_reader() < MOST_MEMORY
        return found


@pytest.mark.parametrize("name", STATISTICAL)
def test_changed_files_of_packages_are_read_or_refused(
    tmp_path: Path, name: str
) -> None:
    n_read, n_refused = mutate_statistical(tmp_path, name, FEW)
    assert n_read
    assert n_refused


@pytest.mark.parametrize("name", OTHERS)
def test_changed_files_are_read_or_refused(tmp_path: Path, name: str) -> None:
    whole = (CASES / name).read_bytes()
    n_read, n_refused = outcomes(tmp_path / "a", whole, FEW, 2, inspected)
    assert n_read + n_refused == FEW
    assert n_refused


def test_changed_text_is_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "b.csv"
    write_cohort(rm.simulate_cohort(n_patients=5, seed=4), path, lang="fr")
    whole = path.read_bytes()
    n_read, n_refused = outcomes(tmp_path / "a", whole, FEW, 3, inspected)
    assert n_read + n_refused == FEW


def test_a_changed_file_is_refused_in_one_sentence_by_the_command(
    tmp_path: Path,
) -> None:
    whole = (CASES / "cohort.sav").read_bytes()
    path = tmp_path / "a.sav"
    path.write_bytes(whole[: len(whole) // 2])
    done = subprocess.run(
        [COMMAND, "check", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", [*STATISTICAL, *OTHERS])
def test_ten_thousand_changed_files_are_read_or_refused(
    tmp_path: Path, name: str
) -> None:
    if name in STATISTICAL:
        mutate_statistical(tmp_path, name, 800)
    else:
        whole = (CASES / name).read_bytes()
        outcomes(tmp_path / "a", whole, 650, 4, inspected)
