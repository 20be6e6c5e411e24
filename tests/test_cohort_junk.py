"""Files that are none: whatever they hold, they are read or refused."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from responder_model.cohort import read_cohort
from responder_model.errors import InvalidCohortError

_each = settings(
    max_examples=120,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def _read_or_refuse(folder: Path, content: bytes) -> None:
    path = folder / "centre.csv"
    path.write_bytes(content)
    try:
        cohort = read_cohort(path)
    except InvalidCohortError as error:
        refused = error
    else:
        assert len(cohort)
        return
    assert refused.problems or refused.questions


@given(st.binary(max_size=400))
@_each
def test_junk_is_refused_and_nothing_else_is_raised(
    tmp_path: Path, junk: bytes
) -> None:
    _read_or_refuse(tmp_path, junk)


@given(st.binary(max_size=60), st.sampled_from([b"PK\x03\x04", b"PAR1", b"\xff\xfe"]))
@_each
def test_junk_in_disguise_is_refused(tmp_path: Path, junk: bytes, start: bytes) -> None:
    _read_or_refuse(tmp_path, start + junk)


@given(st.text(alphabet="age,;\t\n\r\"'5x0 é\x0b\u2028", max_size=60))
@_each
def test_junk_under_a_good_header_is_refused(tmp_path: Path, junk: str) -> None:
    _read_or_refuse(tmp_path, f"age;sex\n{junk}".encode())
