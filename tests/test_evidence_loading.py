"""Evidence as it is read: what the loader refuses, declarations, published tables."""

import re

import pytest
from scipy import stats

from evidenced import ROOT, counted
from responder_model.cohort import outcome_levels, read_cohort
from responder_model.errors import EvidenceError
from responder_model.evidence import (
    declarations_for,
    evidence_directory,
    load_evidence,
    packaged_evidence,
)
from responder_model.evidence.effects import (
    effect_from_two_groups,
)


@pytest.fixture(scope="module")
def evidence():
    return load_evidence()


# ------------------------------------------------------------------ the loader


def write(tmp_path, text):
    (tmp_path / "rows.toml").write_text(text, encoding="utf-8")
    return tmp_path


GOOD = """
[[rows]]
id = "a"
study = "A"
year = 2020
decision = "rtms_response"
contrast = "c"
status = "seen"
source = "text"
"""


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('effect = 0.3\nse = 0.1\nstatus = "recalled"', "a: status 'recalled' is not"),
        ('effect = 0.3\nse = 0.1\nstatus = "guess"', "a: status must be one of seen"),
        ('effect = 0.3\nse = 0.1\nstatus = ""', "a: status is missing"),
        ("effect = 0.3", "a: effect without se"),
        ("odds_ratio = 2.0", "a: odds_ratio without interval"),
        ("se = 0.3", "a: se without effect"),
        ("interval = [1, 2]", "a: interval without odds_ratio"),
        ("effect = 0.3\nse = 0", "a: se must be a number above 0"),
        ('effect = "x"\nse = 1', "a: effect must be a number"),
        ("odds_ratio = 3\ninterval = [1, 2]", "a: odds_ratio must lie inside"),
        ("odds_ratio = 3\ninterval = [1]", "a: interval must be two numbers"),
        ("counts = { events = 3 }", "a: counts must have events, n"),
        ("counts = { events = 3, n = 2 }", "a: events must lie between 0 and n"),
        ("counts = { events = 1.5, n = 2 }", "a: counts must be whole numbers"),
        ("null = { share = 0.5 }", "a: null must have n"),
        ("null = { n = 0 }", "a: null.n must be a whole number above 0"),
        ("null = { n = 9, share = 1.0 }", "a: null.share must lie between"),
        ("correlation = { r = 0.5 }", "a: correlation must have r and n"),
        ("correlation = { r = 1.0, n = 9 }", "a: correlation.r must lie between"),
        ("correlation = { r = 0.5, n = 3 }", "a: correlation.n must be a whole"),
        ("effect = 0.3\nse = 0.1\nnull = { n = 5 }", "a: only one of effect, null"),
        ("", "a: neither a number nor a finding"),
        ('finding = "x"\nprimry = true', "a: unknown key 'primry'"),
        ('finding = "x"\nprimary = 1', "a: primary must be true or false"),
        ('finding = "x"\nn = "many"', "a: n must be a whole number"),
        ('finding = "x"\ndecision = "surgery"', "a: decision must be one of"),
        ('finding = "x"\nnote = 3', "a: note must be text"),
        ('finding = "x"\nprotocol = "often"', "a: protocol must be one of spaced"),
        ('finding = "x"\nstatus = "other_treatment"', "a: primary must be false"),
    ],
)
def test_loader_refuses_a_broken_row(lines, message, tmp_path):
    text = GOOD
    for key in ("status", "decision"):
        if f"{key} =" in lines:
            text = re.sub(rf"{key} = .*\n", "", text)
    with pytest.raises(EvidenceError, match=re.escape(message)):
        load_evidence(write(tmp_path, text + lines + "\n"))


def test_loader_refuses_a_row_without_status(tmp_path):
    text = GOOD.replace('status = "seen"\n', "") + 'finding = "x"\n'
    with pytest.raises(EvidenceError, match="a: status is missing"):
        load_evidence(write(tmp_path, text))


def test_loader_reports_every_problem_of_every_file(tmp_path):
    second = GOOD.replace('"a"', '"b"').replace('"seen"', '"recalled"')
    write(tmp_path, GOOD + "effect = 0.3\nunknown = 1\n" + second + 'finding = "x"\n')
    (tmp_path / "more.toml").write_text("surprise = 1\n", encoding="utf-8")
    with pytest.raises(EvidenceError) as caught:
        load_evidence(tmp_path)
    text = str(caught.value)
    assert text.startswith("4 problems in the evidence: ")
    for part in (
        "rows.toml: a: effect without se",
        "rows.toml: a: unknown key 'unknown'",
        "rows.toml: b: status 'recalled'",
        "more.toml: unknown key 'surprise'",
    ):
        assert part in text


def test_loader_refuses_a_name_used_twice(tmp_path):
    text = GOOD + 'finding = "x"\n'
    with pytest.raises(EvidenceError, match="a: id is used 2 times"):
        load_evidence(write(tmp_path, text + text))


def test_loader_refuses_two_primary_rows_of_a_group(tmp_path):
    text = GOOD + "null = { n = 9 }\n"
    with pytest.raises(EvidenceError, match="c: a_2020 has 2 primary rows"):
        load_evidence(write(tmp_path, text + text.replace('"a"', '"b"')))


def test_loader_refuses_what_is_not_toml(tmp_path):
    with pytest.raises(EvidenceError, match="rows.toml: "):
        load_evidence(write(tmp_path, "rows = ["))


def test_overlap_group_of_a_row_is_its_study_unless_declared(tmp_path):
    rows = load_evidence(write(tmp_path, GOOD + 'finding = "x"\n')).rows
    assert rows["a"].overlap_group == "a_2020"


# ------------------------------------------------------------------ declarations


def declared(tmp_path, change):
    source = evidence_directory()
    for path in source.glob("*.toml"):
        (tmp_path / path.name).write_text(path.read_text("utf-8"), encoding="utf-8")
    (tmp_path / "priors").mkdir()
    text = (source / "priors" / "emcs_success.toml").read_text("utf-8")
    text = change(text)
    (tmp_path / "priors" / "emcs_success.toml").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"lefaucheur_2011_single"', '"nobody"', "rests on an unknown row 'nobody'"),
        ('["lefaucheur_2011_single"]', '["mo_2019_age"]', "is on another contrast"),
        ('rows = ["lefaucheur_2011_single"]', "", "must name its rows"),
        ("mean = 1.6", "maen = 1.6", "unknown key 'maen'"),
        ("sd = 0.6\n", "sd = 0.0\n", "sd above 0"),
        ('status = "judgement"', 'status = "seen"', "status must be evidence or"),
        ('s = ["nuti_2005_relief"]', 's = ["x"]', "must be declared"),
        ('s = ["nuti_2005_relief"]', "s = []", "must be declared"),
        ("format_version = 1", "format_version = 2", "format_version must be 1"),
        ('decision = "emcs_success"', 'decision = "x"', "decision must be known"),
        ("sd_factor = 0.4", "sd_factors = 0.4", "unknown key 'sd_factors'"),
        ("sd_factor = 0.4", "sd_factor = 1.5", "sd_factor must be a number above 0"),
        ("sd_factor = 0.4", "", "sd_factor must be a number above 0"),
        ("[gaps]", "[gaps", "priors/emcs_success.toml: "),
    ],
)
def test_loader_refuses_broken_declarations(old, new, message, tmp_path):
    folder = declared(tmp_path, lambda text: text.replace(old, new, 1))
    with pytest.raises(EvidenceError, match=re.escape(message)):
        load_evidence(folder)


def test_declared_priors_are_the_values_in_use(evidence):
    priors = {(row.column, row.moment): row for row in evidence.priors["rtms_response"]}
    central = priors["lesion_type=central", None]
    assert (central.mean, central.sd) == (0.40, 0.40)
    assert priors["relief_so_far", "session_2"].mean == 1.1
    assert (evidence.anchors["rtms_response"].mean) == -0.32
    assert evidence.anchors["emcs_success"].sd == 0.5


def test_marked_motor_deficit_rests_on_no_remembered_row(evidence):
    row = declarations_for("emcs_success").find("motor_deficit=marked", "implantation")
    assert (row.mean, row.sd, row.status) == (0.0, 0.5, "judgement")
    assert all(evidence.rows[name].effect == 0 for name in row.rows)


def test_check_groups_names_the_known_ones():
    with pytest.raises(EvidenceError, match="did you mean saint_etienne.*mo_2019"):
        packaged_evidence().check_groups(["saint_etiene"])


@pytest.mark.parametrize(
    ("file", "test", "row"),
    [
        ("lefaucheur_2011.csv", "single_session_responder", "lefaucheur_2011_single"),
        (
            "lefaucheur_2011.csv",
            "active_minus_sham_responder",
            "lefaucheur_2011_active_minus_sham",
        ),
        ("pommier_2018.csv", "rtms_responder", "pommier_2018_four_sessions"),
    ],
)
def test_expanded_tables_agree_with_the_evidence(file, test, row, evidence):
    patients = counted(file)
    positive = [p["emcs_success"] for p in patients if p[test]]
    negative = [p["emcs_success"] for p in patients if not p[test]]
    effect, se = effect_from_two_groups(
        sum(positive), len(positive), sum(negative), len(negative)
    )
    assert (evidence.rows[row].effect, evidence.rows[row].se) == (effect, se)


def test_response_beyond_sham_is_a_subset_of_response():
    patients = counted("lefaucheur_2011.csv")
    assert len(patients) == 59
    beyond = [p for p in patients if p["active_minus_sham_responder"]]
    assert all(p["single_session_responder"] for p in beyond)


def test_pommier_table_has_the_published_p_value():
    assert stats.fisher_exact([[9, 0], [0, 3]])[1] == pytest.approx(0.0045, abs=5e-5)
    assert len(counted("pommier_2018.csv")) == 12


def test_expanded_tables_are_read_as_cohorts():
    folder = ROOT / "training" / "data"
    frame = read_cohort(
        folder / "lefaucheur_2011.csv", overlap_groups=["lefaucheur_2011"]
    )
    assert frame["emcs_success"].sum() == 36
    assert frame.attrs["provenance"] == "cohort"
    levels = outcome_levels(frame, "emcs_success")
    assert levels.observed.all()
