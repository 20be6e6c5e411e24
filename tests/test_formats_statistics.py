"""Files of SPSS, Stata, SAS and R: words of labels, reasons of missing values."""

from __future__ import annotations

import gzip
import json
import shutil
import struct
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from pandas.testing import assert_frame_equal

import responder_model as rm
from in_words import said
from responder_model.cohort import CohortMap, inspect_file, map_from, read_cohort
from responder_model.development import published_model
from responder_model.errors import InvalidCohortError
from responder_model.formats import Labelled
from responder_model.formats.statistical import SPSS, STATA, reading
from responder_model.scoring import score_file

CASES = Path(__file__).parent / "cases"
EXPECTED = json.loads((CASES / "expected.json").read_text(encoding="utf-8"))
OURS = [name for name in EXPECTED if name.endswith(("sav", "dta", "xpt", "rds"))]


def values(path: Path, name: str) -> list[Any]:
    """Return a column as plain values, None for missing."""
    inspection, _ = inspect_file(path)
    assert not inspection.problems
    return [None if pd.isna(x) else x for x in inspection.cohort[name].tolist()]


@pytest.mark.parametrize("name", OURS)
def test_read_cohort_reads_what_hospitals_have(name: str) -> None:
    cohort = read_cohort(CASES / name)
    for field, expected in EXPECTED[name]["values"].items():
        found = [None if pd.isna(x) else x for x in cohort[field].tolist()]
        assert found == expected, field


@pytest.mark.parametrize("name", ["haven.sas7bdat", "haven_v8.xpt", "haven.dta"])
def test_read_cohort_reads_what_haven_writes(name: str) -> None:
    cohort = read_cohort(CASES / name)
    assert cohort["patient_id"].tolist() == ["P01", "P02", "P03", "P04"]
    assert cohort["age"].tolist()[:3] == [54.0, 61.0, 47.0]
    assert cohort["relief_test"].isna().tolist() == [False, False, True, True]
    assert "visit" not in cohort


def test_declared_missing_values_are_told_by_reason() -> None:
    notices = said(read_cohort(CASES / "cohort_pspp.sav").attrs["notices"])
    told = "2 of pain_intensity declared missing in the file"
    assert f"{told} (-9 (non demandé): 1, 99 (refus): 1)" in notices
    stata = " ".join(said(read_cohort(CASES / "cohort.dta").attrs["notices"]))
    assert "1 of opioid declared missing in the file (.r (refus): 1)" in stata
    sas = " ".join(said(read_cohort(CASES / "haven.sas7bdat").attrs["notices"]))
    assert "1 of relief_test declared missing in the file (.A: 1)" in sas


def test_r_keeps_factors_and_missing_values_of_every_type() -> None:
    inspection, _ = inspect_file(CASES / "haven.RData")
    cohort = inspection.cohort
    assert cohort["sex"].tolist() == ["male", "female", "male", "female"]
    assert cohort["pain_intensity"].tolist()[:2] == [7, 8]
    assert cohort["pain_intensity"].isna().tolist()[2:] == [True, True]
    assert cohort["opioid"].isna().tolist() == [False, True, False, False]
    assert cohort["dn4"].isna().tolist() == [False, True, False, False]
    assert cohort["aetiology"].tolist()[0] == "ischaemic_stroke"
    assert cohort["aetiology"].isna().tolist() == [False, True, False, False]
    # 10 weeks are no 10 months
    assert 10 not in cohort["pain_duration"].tolist()


def test_more_than_one_data_frame_is_asked_about() -> None:
    with pytest.raises(InvalidCohortError, match="one data frame, by saveRDS"):
        read_cohort(CASES / "haven_two.rds")


def write_sav(path: Path, frame: pd.DataFrame, **about: Any) -> Path:
    pyreadstat.write_sav(frame, str(path), **about)
    return path


def test_labels_that_explain_a_number_leave_it(tmp_path: Path) -> None:
    path = write_sav(
        tmp_path / "a.sav",
        pd.DataFrame({"pain_intensity": [0.0, 5, 10], "dn4": [4.0, 5, 6]}),
        variable_value_labels={
            "pain_intensity": {0: "aucune douleur", 10: "pire douleur"},
            "dn4": {4: "4 = neuropathic", 5: "ND"},
        },
    )
    assert values(path, "pain_intensity") == [0, 5, 10]
    assert values(path, "dn4") == [4, None, 6]


def test_a_label_that_is_no_number_is_asked_about(tmp_path: Path) -> None:
    frame = pd.DataFrame({"age": [54.0, 99.0], "sex": [1.0, 7.0]})
    labels = {"age": {99: "refuse de répondre"}, "sex": {1: "Homme", 2: "Femme"}}
    path = write_sav(tmp_path / "a.sav", frame, variable_value_labels=labels)
    inspection, _ = inspect_file(path)
    found = [(p.row, p.field, str(p.found)) for p in inspection.problems]
    asked = "refuse de répondre (code 99)"
    assert found == [(3, "age", asked), (3, "sex", "7.0")]


def test_name_and_label_that_mean_two_fields_are_asked_about(tmp_path: Path) -> None:
    path = write_sav(
        tmp_path / "a.sav",
        pd.DataFrame({"relief_1": [1.5], "age": [50.0]}),
        column_labels={"relief_1": "Relief after session 2", "age": "Âge"},
    )
    (question,) = inspect_file(path)[0].questions
    assert question.text.text("fr") == (
        "la colonne « relief_1 (Relief after session 2) » nomme deux champs : est-ce "
        "Soulagement après la séance 1, ou Soulagement après la séance 2 ?"
    )
    for answer, meant in zip(question.answers, ("relief_1", "relief_2"), strict=False):
        how = map_from(tomllib.loads(answer))
        assert read_cohort(path, how=how)[meant].tolist() == [1.5]
    model = published_model("rtms_response", "screening")
    with pytest.raises(InvalidCohortError, match="open question"):
        score_file(model, path, tmp_path / "scores.csv")


def test_a_label_that_says_more_than_the_name_is_asked_about(tmp_path: Path) -> None:
    labels = {
        "age": "Âge au début de la douleur",
        "relief_1": "Soulagement S1 (0-10)",
        "relief_test": "Douleur après test (EVA)",
        "pain_duration": "Ancienneté douleur selon patient, en années",
        "depression": "HADS-D > 10, oui/non",
        "dn4": "DN4 (0-10)",
        "sex": "Sexe du patient, selon le dossier",
    }
    frame = pd.DataFrame(dict.fromkeys(labels, [5.0]))
    path = write_sav(tmp_path / "a.sav", frame, column_labels=labels)
    found, _ = inspect_file(path)
    asked = {question.field for question in found.questions if question.rows == (1,)}
    assert {"age", "relief_1", "pain_duration"} <= asked
    assert [*found.cohort] == ["sex", "dn4"]


def test_what_is_shown_as_a_date_or_a_time_is_no_number(tmp_path: Path) -> None:
    frame = pd.DataFrame({"patient_id": [7.0], "age": [86400.0], "dn4": [4.0]})
    path = write_sav(
        tmp_path / "a.sav",
        frame,
        variable_format={"patient_id": "N6", "age": "EDATE10", "dn4": "TIME8"},
    )
    inspection, _ = inspect_file(path)
    assert inspection.cohort["patient_id"].tolist() == ["000007"]
    found = {p.field: str(p.found) for p in inspection.problems}
    assert found == {"age": "1582-10-15", "dn4": "0:00:04"}


def test_numbers_of_single_precision_are_those_that_were_written(
    tmp_path: Path,
) -> None:
    frame = pd.DataFrame({"relief_1": np.array([30.1, -0.3, 30], dtype=np.float32)})
    frame.to_stata(tmp_path / "a.dta", write_index=False)
    assert values(tmp_path / "a.dta", "relief_1") == [30.1, -0.3, 30]


# ---------------------------------------------------------------- there and back


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    return rm.simulate_cohort(n_patients=180, seed=1, n_implanted=30)


def coded(cohort: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, dict[int, str]]]:
    """Return a cohort as packages hold it: numbers for categories, and their labels."""
    frame, labels = pd.DataFrame(index=cohort.index), {}
    for name, cells in cohort.items():
        if isinstance(cells.dtype, pd.CategoricalDtype):
            codes = cells.cat.codes.astype(float) + 1
            frame[name] = codes.where(cells.notna())
            labels[name] = dict(enumerate(cells.cat.categories, start=1))
        elif isinstance(cells.dtype, pd.BooleanDtype):
            frame[name] = cells.astype("Float64").astype(float)
            labels[name] = {0: "no", 1: "yes"}
        else:
            frame[name] = cells.fillna("") if cells.dtype == "str" else cells
    return frame, labels


def worded(cohort: pd.DataFrame) -> pd.DataFrame:
    frame = cohort.copy()
    for name, cells in cohort.items():
        if isinstance(cells.dtype, pd.BooleanDtype):
            frame[name] = cells.map({True: "yes", False: "no"}).astype("str")
        elif not pd.api.types.is_float_dtype(cells.dtype):
            frame[name] = cells.astype("str")
    return frame.astype({k: object for k in frame if frame[k].dtype == "str"})


def assert_same(path: Path, cohort: pd.DataFrame) -> None:
    read = read_cohort(path)
    assert read.attrs["notices"] == ()
    assert_frame_equal(read, cohort, check_names=False)


@pytest.mark.parametrize("ending", ["sav", "zsav"])
def test_a_cohort_comes_back_from_spss(
    cohort: pd.DataFrame, tmp_path: Path, ending: str
) -> None:
    frame, labels = coded(cohort)
    path = tmp_path / f"cohort.{ending}"
    packed = ending == "zsav"
    write_sav(path, frame, variable_value_labels=labels, compress=packed)
    assert_same(path, cohort)


@pytest.mark.parametrize("version", [117, 118, 119])
def test_a_cohort_comes_back_from_stata(
    cohort: pd.DataFrame, tmp_path: Path, version: Any
) -> None:
    frame, labels = coded(cohort)
    path = tmp_path / "cohort.dta"
    frame.to_stata(path, write_index=False, value_labels=labels, version=version)
    assert_same(path, cohort)


@pytest.mark.parametrize("version", [5, 8])
def test_a_cohort_comes_back_from_sas(
    cohort: pd.DataFrame, tmp_path: Path, version: int
) -> None:
    path, names = tmp_path / "cohort.xpt", list(cohort)
    frame = worded(cohort).set_axis([f"V{k}" for k in range(len(names))], axis=1)
    pyreadstat.write_xport(
        frame, str(path), file_format_version=version, column_labels=names
    )
    assert_same(path, cohort)


# ---------------------------------------------------------------- broken files


def test_a_file_that_claims_to_be_long_is_refused(tmp_path: Path) -> None:
    data = bytearray((CASES / "cohort.sav").read_bytes())
    data[80:84] = struct.pack("<i", 10_000_000)
    (tmp_path / "long.sav").write_bytes(data)
    with pytest.raises(InvalidCohortError, match="that can be opened"):
        read_cohort(tmp_path / "long.sav")


def test_a_small_file_is_not_unpacked_into_all_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.rds"
    path.write_bytes(gzip.compress(b"X\n\0\0\0\3" + bytes(300 << 20)))
    with pytest.raises(InvalidCohortError, match="smaller, or CSV"):
        read_cohort(path)


def test_a_process_that_goes_down_is_a_refusal() -> None:
    with reading() as read:
        assert read(CASES / "cohort.sav", SPSS).header[0] == "patient_id"
        # it is still there for another file, whatever became of the one before
        with pytest.raises(InvalidCohortError, match="that can be opened"):
            read(CASES / "cohort.sav", STATA)
        assert read(CASES / "cohort.dta", STATA).header[0] == "patient_id"


def test_a_missing_library_is_named_with_its_extra(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "class Without:\n"
        "    def __init__(self, finder):\n"
        "        self.finder = finder\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name.partition('.')[0] in ('pyreadstat', 'rdata'):\n"
        "            return None\n"
        "        return self.finder.find_spec(name, *rest)\n"
        "sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]\n"
        "from responder_model.cli import main\n"
        "main()\n"
    )
    for name in ("cohort.sav", "cohort.rds"):
        done = subprocess.run(
            [sys.executable, "-c", script, "check", str(CASES / name)],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1
        assert "pip install 'responder-model[formats]'" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_labelled_code_shows_its_word() -> None:
    assert str(Labelled(code="F", label="Femme")) == "Femme (code F)"


# ---------------------------------------------------------------- other programs


def typed_in_r(cohort: pd.DataFrame) -> str:
    """R code that gives columns of a table of texts their types."""
    lines = []
    for name, cells in cohort.items():
        if isinstance(cells.dtype, pd.CategoricalDtype):
            lines.append(f"d${name} <- factor(d${name})")
        elif isinstance(cells.dtype, pd.BooleanDtype):
            lines.append(f"d${name} <- as.logical(d${name})")
        elif pd.api.types.is_float_dtype(cells.dtype):
            lines.append(f"d${name} <- as.numeric(d${name})")
    return "\n".join(lines)


@pytest.mark.long
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="no R")
@pytest.mark.parametrize(
    ("ending", "write"),
    [
        ("rds", "saveRDS(d, 'a.rds')"),
        ("rds", "saveRDS(d, 'a.rds', compress = 'xz', version = 2)"),
        ("rds", "saveRDS(d, 'a.rds', ascii = TRUE)"),
        ("RData", "save(d, file = 'a.RData', compress = 'bzip2')"),
        ("sav", "haven::write_sav(d, 'a.sav')"),
        ("dta", "haven::write_dta(d, 'a.dta', version = 14)"),
        ("xpt", "haven::write_xpt(d, 'a.xpt', version = 8)"),
    ],
)
def test_a_cohort_comes_back_from_r(
    cohort: pd.DataFrame, tmp_path: Path, ending: str, write: str
) -> None:
    cohort.to_csv(tmp_path / "a.csv", index=False, na_rep="")
    read = "d <- read.csv('a.csv', colClasses = 'character', na.strings = '')"
    # a transport file has neither factors nor yes and no
    plain = (
        "for (n in names(d)) {",
        "  if (is.factor(d[[n]])) d[[n]] <- as.character(d[[n]])",
        "  if (is.logical(d[[n]])) d[[n]] <- as.integer(d[[n]])",
        "}",
    )
    words = "\n".join(plain) if ending == "xpt" else ""
    code = "\n".join([read, typed_in_r(cohort), words, write])
    subprocess.run(["Rscript", "-e", code], cwd=tmp_path, check=True)
    assert_same(tmp_path / f"a.{ending}", cohort)


@pytest.mark.long
@pytest.mark.skipif(shutil.which("pspp") is None, reason="no PSPP")
@pytest.mark.parametrize("packed", ["", " /ZCOMPRESSED", " /UNCOMPRESSED"])
def test_codes_come_back_from_pspp(tmp_path: Path, packed: str) -> None:
    syntax = f"""
DATA LIST LIST /patient_id (A8) age (F3.0) sex (F1.0) relief_1 (PCT8.1).
BEGIN DATA
P1 54 1 30
P2 61 2 -99
P3 999 2 -5
END DATA.
VALUE LABELS sex 1 'Homme' 2 'Femme'.
MISSING VALUES age (999) relief_1 (LO THRU -90).
SAVE OUTFILE='a.sav'{packed}.
"""
    (tmp_path / "a.sps").write_text(syntax)
    subprocess.run(["pspp", "a.sps"], cwd=tmp_path, check=True, capture_output=True)
    cohort = read_cohort(tmp_path / "a.sav")
    assert cohort["patient_id"].tolist() == ["P1", "P2", "P3"]
    assert cohort["sex"].tolist() == ["male", "female", "female"]
    assert cohort["age"].tolist()[:2] == [54, 61]
    assert cohort["age"].isna().tolist() == [False, False, True]
    assert [None if pd.isna(x) else x for x in cohort["relief_1"]] == [30, None, -5]


def test_codes_of_sas_are_read_by_their_catalog() -> None:
    path, catalog = CASES / "coded.sas7bdat", str(CASES / "coded.sas7bcat")
    cohort = read_cohort(path, how=CohortMap(data_dictionary=catalog))
    assert cohort["sex"].tolist() == ["female", "male", "male"]
    # 1 is no and 2 is yes there
    assert cohort["opioid"].tolist() == [True, False, True]
    assert cohort["relief_1"].tolist() == [30, 10, 20]


def test_codes_of_sas_without_a_catalog_are_asked_about() -> None:
    with pytest.raises(InvalidCohortError) as caught:
        read_cohort(CASES / "coded.sas7bdat")
    asked = {(q.field, q.code) for q in caught.value.questions}
    assert asked == {("sex", "code"), ("opioid", "code")}
    assert caught.value.unexplained == ()


@pytest.mark.parametrize(
    ("name", "catalog"),
    [("coded.sas7bcat", None), ("cohort.sav", "coded.sas7bcat")],
)
def test_a_catalog_alone_or_beside_another_file_is_refused(
    name: str, catalog: str | None
) -> None:
    given = None if catalog is None else str(CASES / catalog)
    with pytest.raises(InvalidCohortError) as caught:
        read_cohort(CASES / name, how=CohortMap(data_dictionary=given))
    (problem,) = caught.value.problems
    assert "catalog of SAS formats" in problem.text()


def test_a_broken_catalog_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.sas7bcat"
    broken.write_bytes((CASES / "coded.sas7bcat").read_bytes()[:5000])
    with pytest.raises(InvalidCohortError):
        read_cohort(
            CASES / "coded.sas7bdat", how=CohortMap(data_dictionary=str(broken))
        )


@pytest.mark.parametrize(
    "label",
    ["Durée de la douleur (années)", "Evolution [ans]", "Pain duration (years)"],
)
def test_a_unit_in_a_label_counts(tmp_path: Path, label: str) -> None:
    frame = pd.DataFrame({"age": [50.0, 60.0], "pain_duration": [12.0, 20.0]})
    path = tmp_path / "units.sav"
    pyreadstat.write_sav(frame, str(path), column_labels={"pain_duration": label})
    assert read_cohort(path)["pain_duration"].tolist() == [144, 240]


def test_a_label_that_begins_with_its_code_is_read(tmp_path: Path) -> None:
    frame = pd.DataFrame({"sex": [1.0, 2.0], "opioid": [0.0, 1.0], "age": [50.0, 60.0]})
    labels = {
        "sex": {1: "1 - Homme", 2: "2. Femme"},
        "opioid": {0: "0=non", 1: "1: oui"},
    }
    path = tmp_path / "numbered.sav"
    pyreadstat.write_sav(frame, str(path), variable_value_labels=labels)
    cohort = read_cohort(path)
    assert cohort["sex"].tolist() == ["male", "female"]
    assert cohort["opioid"].tolist() == [False, True]
    # another number than its code leaves a doubt
    labels["sex"] = {1: "2 - Homme", 2: "1 - Femme"}
    pyreadstat.write_sav(frame, str(path), variable_value_labels=labels)
    with pytest.raises(InvalidCohortError):
        read_cohort(path)
