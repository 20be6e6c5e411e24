"""Whatever a command refuses or prints, it says in the language that was asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import responder_model as rm
from responder_model.cli.app import app
from responder_model.cohort import write_cohort

# Words of English sentences that no French one has, and no name, code or path.
ENGLISH = re.compile(
    r"\b(?:the|must|got|with|which|what|that|this|from|cannot|have|has|been|its|"
    r"were|was|when|should|missing|invalid|such|choose|give|of|and|not|are|be|to|one|"
    r"rows?|columns?|values?|files?|folders?|cohorts?|models?|found|allowed|patient's)\b",
    re.IGNORECASE,
)
# Options and codes of commands stay what they are.
CODES = re.compile(r"--[a-z-]+|`[^`]*`|https?://\S+|\S*[_./@=]\S*|#.*|\b[A-Z]{2,}\b")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that a centre may have, most of them unfit for what is asked."""
    folder = tmp_path_factory.mktemp("words")
    patients = rm.simulate_cohort(n_patients=60, seed=1)
    write_cohort(patients, folder / "centre.csv")
    write_cohort(patients.iloc[:8], folder / "few.csv")
    alike = patients.drop(columns=["rtms_responder", "symptom_improved"])
    write_cohort(alike.assign(relief_test=60.0), folder / "alike.csv")
    bad = "patient_id;Alter;age;sex;relief_test;opioid;aetiology\n"
    bad += "A1;5;180;f;45;oui;AVC\nA2;5;40;neither;0,3;peut-être;amputation\n"
    (folder / "bad.csv").write_text(bad, encoding="utf-8")
    (folder / "ragged.csv").write_text("age;sex\n54;f;1\n", encoding="utf-8")
    (folder / "none.csv").write_text("colour;shape\nred;round\n", encoding="utf-8")
    (folder / "printed.csv").write_bytes(b"%PDF-1.7")
    (folder / "packed.xlsx").write_bytes(b"PK\x03\x04 broken")
    (folder / "wrong.toml").write_text("units = 3\nhello = 1\n", encoding="utf-8")
    (folder / "settings.toml").write_text("seed = 'a'\n", encoding="utf-8")
    (folder / "broken.toml").write_text("a = [", encoding="utf-8")
    (folder / "folder").mkdir()
    return folder


REFUSED = [
    "bla",
    "predict",
    "predict nothing --age 54",
    "predict rtms_response@never --age 54",
    "predict rtms_response@screening --age 540",
    "predict rtms_response@screening --bla 3",
    "predict rtms_response@screening --responders 4",
    "predict folder --age 54",
    "explain emcs_success@implantation --sex neither",
    "check absent.csv",
    "check bad.csv",
    "check ragged.csv",
    "check none.csv",
    "check printed.csv",
    "check packed.xlsx",
    "check bad.csv --map wrong.toml",
    "check bad.csv --inclusive",
    "simulate --seed x --out a.csv",
    "simulate --seed",
    "simulate --out a.txt",
    "simulate --out centre.csv",
    "simulate --out absent/a.csv",
    "score rtms_response@screening none.csv --out scores.csv",
    "score rtms_response@screening centre.csv --out scores.txt",
    "score rtms_response@screening centre.csv --out centre.csv",
    "develop few.csv rtms_response@screening --out made --no-track",
    "develop centre.csv --out made --no-track",
    "develop centre.csv --settings settings.toml --out made --no-track",
    "develop centre.csv emcs_success@implantation --out centre.csv --no-track",
    "validate rtms_response@screening few.csv --design bla",
    "validate rtms_response@screening few.csv --design bootstrap --no-track",
    "validate rtms_response@screening few.csv --design by_centre --no-track",
    "validate rtms_response@screening centre.csv --exclude-evidence nobody",
    "evidence nothing",
    "sample-size --outcome-proportion 0.4",
    "sample-size --outcome-proportion 4 --parameters 3",
    "sign folder --key bad.csv",
    "verify folder",
    "verify absent",
    "track folder",
    "inspect absent",
    "check bad.csv --map broken.toml",
    "develop centre.csv --settings broken.toml --out made --no-track",
    "predict rtms_response@screening --label x",
    "predict rtms_response@screening --tested 3 --responders 4",
    "report rtms_response@screening --out r --cohort absent.csv",
    "score rtms_response@screening centre.csv --out s.csv --date demain",
    "share centre.csv rtms_response@screening --out s.json --small-cells 2",
]

PRINTED = [
    "scorecard rtms_response@screening --out card",
    "check centre.csv",
    "models",
    "inspect rtms_response@screening",
    "sample-size --outcome-proportion 0.4 --parameters 12",
    "sample-size --outcome-proportion 0.4 --validation --threshold 0.5",
    "score rtms_response@screening centre.csv --out scores.csv",
    "validate rtms_response@screening alike.csv --resamples 3 --no-track",
    "validate rtms_response@screening few.csv --resamples 3 --no-track",
]


def said(command: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Exit code and all that a command says where the locale is French."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    done = CliRunner().invoke(app, command.split())
    return done.exit_code, done.output


def english_in(text: str) -> list[str]:
    return ENGLISH.findall(CODES.sub(" ", text))


@pytest.mark.parametrize("command", REFUSED)
def test_what_a_command_refuses_is_said_in_french(
    command: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, text = said(command, place, monkeypatch)
    assert code in (1, 2, 3), text
    assert text.strip()
    assert english_in(text) == [], text


@pytest.mark.parametrize("command", PRINTED)
def test_what_a_command_prints_is_said_in_french(
    command: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, text = said(command, place, monkeypatch)
    assert text.strip()
    assert english_in(text) == [], text


TYPED = {
    "implant --relief-test 50 --failures-per-success -1": "--failures-per-success must",
    "develop centre.csv rtms_response@screening --out made --small-cells 0": (
        "that stays (--stays-here)."
    ),
    "sample-size --outcome-proportion 4 --parameters 3": "--outcome-proportion must be",
    "update absent centre.csv --out x --method magic": "--method must be one of",
    "serve --port abc": "--port must be a number from 0 to 65535.",
    "template": "--out must be given.",
    "bla": "there is no command 'bla'.",
    "predict --agee 4": "there is no option --agee; like it: --age",
    "simulate --n 60 --out x.csv": "no option --n; like it: --n-centres, --n-patients.",
    "develop x --decision y --out z": "there is no option --decision.",
}


@pytest.mark.parametrize("command", TYPED)
def test_error_names_the_option_that_was_typed(
    command: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, text = said(f"{command} --lang en", place, monkeypatch)
    assert code in (1, 2)
    assert TYPED[command] in " ".join(text.split())
    assert (
        re.search(r"\b(?:small_cells|stays_here|outcome_p|failures_per)", text) is None
    )


MISTYPED = {
    "develop centre.csv rtms_respons@screening --out made": "rtms_response",
    "develop centre.csv rtms_response@sesion_2 --out made": "session_2",
    "predict rtms_response@sesion_2": "session_2",
    "evidence rtms_response@sesion_2": "session_2",
    "update absent centre.csv --out x --method bays": "bayes",
    "develop centre.csv rtms_response@screening --out made --centres name": "named",
    "simulate --out other.csv --truth rigth": "right",
    "develop centre.csv rtms_response@screening --out made --exclude-evidence mori": (
        "mori_2024"
    ),
    "scorecard rtms_response@screening --known agee --out card": "age",
    "sharee": "share",
}


@pytest.mark.parametrize("command", MISTYPED)
def test_a_mistyped_choice_is_quoted_with_what_may_be_meant(
    command: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, text = said(command, place, monkeypatch)
    text = " ".join(text.split())
    assert code in (1, 2)
    assert re.search(rf"« \w+ » \(est-ce {MISTYPED[command]} \?\)", text), text
    assert "'" not in re.sub(r"\w'", "", text), text
