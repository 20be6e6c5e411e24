"""Benefit and harm of the implant side by side, and the published rows behind it."""

from __future__ import annotations

import io
import json
import tomllib

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

import responder_model as rm
from in_words import said
from responder_model.cli.app import app
from responder_model.cli.output import rich_table
from responder_model.errors import EvidenceError, ResponderModelError
from responder_model.evidence import harm_rows, packaged_evidence, published_like
from responder_model.evidence.base import evidence_directory
from responder_model.evidence.harm import read_harm
from responder_model.performance import exact_proportion
from responder_model.schema import dictionary
from responder_model.tables import classes_table, harm_table, like_table
from responder_model.words import read_words, say

PATIENT = {"age": 57, "aetiology": "ischaemic_stroke", "relief_test": 55}


def test_success_is_that_of_predict():
    found = rm.implant(PATIENT, failures_per_success=2)
    assert found.prediction == rm.published_model("emcs_success").predict(PATIENT)


@pytest.mark.parametrize("worth", [0.5, 2.0, 7.0])
def test_net_benefit_counts_successes_less_failures_at_the_trade_off(worth):
    found = rm.implant(PATIENT, failures_per_success=worth)
    rng = np.random.default_rng(1)
    success = rng.random(1_000_000) < found.prediction.probability
    net = np.where(success, 1.0, -1.0 / worth)
    bound = 4 * 100 * net.std() / 1000
    assert found.net_benefit == pytest.approx(100 * net.mean(), abs=bound)
    low, high = found.prediction.interval
    assert found.net_benefit_interval == pytest.approx(
        tuple(100 * (p - (1 - p) / worth) for p in (low, high))
    )


def test_the_net_benefit_is_0_where_the_trade_off_breaks_even():
    even = rm.implant(PATIENT).even_worth
    assert rm.implant(PATIENT, failures_per_success=even).net_benefit == pytest.approx(
        0.0, abs=1e-9
    )
    low, high = rm.implant(PATIENT).even_worth_interval
    assert low < even < high


def test_without_a_trade_off_there_is_no_net_benefit():
    found = rm.implant(PATIENT)
    assert found.net_benefit is None
    assert found.to_dict()["net_benefit_interval"] is None


@pytest.mark.parametrize("worth", [0.0, -1.0, float("nan"), float("inf")])
def test_a_trade_off_that_is_none_is_refused(worth):
    with pytest.raises(ResponderModelError, match="failures_per_success"):
        rm.implant(PATIENT, failures_per_success=worth)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_an_outsider_is_told_no_worth(lang):
    far = {"age": 100, "relief_test": 100, "relief_maintenance": -100}
    found = rm.implant({**far, "sham_relief": -100}, failures_per_success=2)
    assert found.prediction.applicability.level == "outside"
    assert [note.code for note in found.worth_notes] == ["implant.no_worth"]
    inside = rm.implant(PATIENT, failures_per_success=2)
    assert len(inside.worth_notes) == 3
    assert found.worth_notes[0].text(lang) not in [
        note.text(lang) for note in inside.worth_notes
    ]


def test_a_model_of_the_test_is_refused():
    model = rm.published_model("rtms_response", "screening")
    with pytest.raises(ResponderModelError, match="emcs_success"):
        rm.implant({"age": 57}, model=model)


def test_relief_under_sham_moves_the_probability_and_says_from_where():
    found = rm.implant({**PATIENT, "sham_relief": 40})
    assert found.without_sham == rm.implant(PATIENT).prediction.probability
    assert found.prediction.probability < found.without_sham
    assert rm.implant(PATIENT).without_sham is None


def test_a_value_without_any_effect_is_named():
    found = rm.implant({**PATIENT, "relief_maintenance": 80})
    alone = rm.implant(PATIENT)
    assert found.prediction.probability == pytest.approx(
        alone.prediction.probability, abs=0.01
    )
    idle = [m for m in found.messages if m.code == "implant.does_not_enter"]
    assert [m.values["names"] for m in idle] == [("relief_maintenance",)]
    assert "implant.does_not_enter" not in [m.code for m in alone.messages]


@pytest.mark.parametrize(
    ("cause", "silent"),
    [
        ("amputation", True),
        ("ischaemic_stroke", True),
        ("trigeminal_neuropathy", False),
        ("spinal_cord_injury", False),
        ("brachial_plexus_avulsion", False),
    ],
)
def test_a_cause_without_an_effect_of_its_own_is_said_to_have_none(cause, silent):
    found = rm.implant({**PATIENT, "aetiology": cause})
    told = "implant.cause_silent" in [m.code for m in found.messages]
    assert told == silent


# ------------------------------------------------------------ harm


def test_harm_rows_have_the_counts_and_intervals_of_the_evidence():
    due = {
        "infection": (4, 36, 3.1, 26.1),
        "seizure_in_operation": (2, 36, 0.7, 18.7),
        "device_failure": (2, 36, 0.7, 18.7),
        "second_operation": (3, 22, 2.9, 34.9),
        "left_for_side_effects": (5, 12, 15.2, 72.3),
        "removal": (6, 23, 10.2, 48.4),
        "loss_of_effect": (8, 26, 14.3, 51.8),
        "early_success": (26, 56, 33.0, 60.3),
        "late_success": (18, 56, 20.3, 46.0),
    }
    rows = {row.id: row for row in harm_rows("emcs") if row.share is not None}
    assert set(rows) == set(due)
    for name, (events, n, lower, upper) in due.items():
        row = rows[name]
        assert (row.events, row.n) == (events, n)
        assert 100 * row.share.lower == pytest.approx(lower, abs=0.06)
        assert 100 * row.share.upper == pytest.approx(upper, abs=0.06)


def test_exact_interval_covers_at_least_95_of_100_samples():
    for n, p in ((18, 0.05), (36, 0.1), (80, 0.01)):
        k = np.arange(n + 1)
        mass = np.array([float(x) for x in binomial(n, p)])
        ends = [exact_proportion(int(e), n) for e in k]
        covered = sum(
            m for m, e in zip(mass, ends, strict=True) if e.lower <= p <= e.upper
        )
        assert covered >= 0.95


def binomial(n, p):
    from math import comb

    return [comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]


def test_what_nobody_counted_is_said_to_be_unknown_never_0():
    unknown = [row for row in harm_rows("emcs") if row.share is None]
    names = {row.id for row in unknown}
    assert names >= {"haematoma", "death", "late_epilepsy", "lead", "battery"}
    for row in unknown:
        assert row.to_dict()["events"] is None
        for lang in ("en", "fr"):
            assert "0" not in row.figure.text(lang)


def test_none_of_some_is_told_with_its_upper_limit():
    row = next(row for row in harm_rows("rtms") if row.events == 0)
    assert row.figure.text() == "none of 80 patients (so at most 5 %)"
    seizure = next(row for row in harm_rows("rtms") if row.unit == "sessions")
    assert seizure.figure.text("fr").endswith("(3,1 pour 100 000 ; 1,8 à 4,8)")


def test_other_implants_are_shown_only_when_asked_for():
    assert {row.transport for row in harm_rows("emcs")} == {"same"}
    found = rm.implant(PATIENT, other_use=True)
    assert "other_implant" in {row.transport for row in found.harms}


def test_every_harm_row_has_words_and_a_source():
    words = read_words("harm")
    for treatment in ("emcs", "rtms"):
        for row in harm_rows(treatment, other_use=True):
            assert {row.id, f"{row.id}_about", row.status} <= set(words)
            assert row.source


def test_harm_is_the_same_for_everybody():
    other = rm.implant({"age": 30, "relief_test": 10})
    assert other.harms == rm.implant(PATIENT).harms


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": "recalled"}, "status must be one of"),
        ({"events": 40}, "between 0 and n"),
        ({"source": ""}, "source is missing"),
        ({"events": None}, "events and n must be given"),
        ({"colour": "red"}, "unknown key"),
        ({"transport": "near"}, "transport must be one of"),
    ],
)
def test_a_harm_row_that_breaks_a_rule_is_refused(change, message):
    path = evidence_directory() / "series" / "harm.toml"
    row = tomllib.loads(path.read_text("utf-8"))["rows"][0]
    assert read_harm({"rows": [row]})[0].id == "infection"
    with pytest.raises(EvidenceError, match=message):
        read_harm({"rows": [{**row, **change}]})


# ------------------------------------------------------------ published patients


def test_published_groups_are_those_of_the_evidence_rows():
    found = rm.implant({**PATIENT, "single_session_responder": True}).published
    shown = {(g.row, g.events, g.n) for g in found}
    assert shown == {
        ("fontaine_2009_trigeminal", 63, 117),
        ("two_centre_2024_trigeminal", 0, 7),
        ("henssen_2018_central", 7, 10),
        ("hamani_2021_aetiology", 2, 10),
        ("pommier_2018_four_sessions", 9, 9),
        ("lefaucheur_2011_single", 26, 33),
    }
    rows = packaged_evidence().rows
    assert all(g.n in rows[g.row].counts.values() for g in found)


def test_published_groups_share_no_series_that_is_not_primary():
    path = evidence_directory() / "series" / "implanted.toml"
    groups = tomllib.loads(path.read_text("utf-8"))["groups"]
    rows = packaged_evidence().rows
    words = read_words("implant")
    fields = dictionary().fields
    for group in groups:
        assert rows[group["row"]].primary
        assert group["who"] in words
        for name, values in group["members"].items():
            known = fields[name].category_names or (True, False)
            assert set(values) <= set(known)


def test_a_group_of_few_is_not_shown():
    found = published_like({"rtms_responder": False})
    (group,) = found
    told = group.to_dict()
    assert (told["events"], told["n"], told["interval"]) == (None, None, None)
    assert told["figure"] == "fewer than 5 patients: not shown"


def test_a_patient_of_whom_nothing_is_known_is_like_nobody():
    assert rm.implant({}).published == ()


# ------------------------------------------------------------ the command


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_command_sets_benefit_beside_harm(lang):
    arguments = ["implant", "--age", "57", "--relief-test", "55", "--lang", lang]
    done = CliRunner().invoke(app, [*arguments, "--failures-per-success", "2"])
    assert done.exit_code == 0, done.output
    text = " ".join(done.stdout.split())
    for words in {
        "en": ("patients like this one", "haematoma", "The interval holds 0"),
        "fr": ("un patient comme celui-ci", "hématome", "L'intervalle contient 0"),
    }[lang]:
        assert words in text
    given = {"age": 57, "relief_test": 55}
    verdict = rm.published_model("emcs_success").predict(given).verdict.note
    assert text.startswith(verdict.text(lang))


def test_command_prints_json():
    arguments = ["implant", "--relief-test", "55", "--json"]
    done = CliRunner().invoke(app, arguments)
    found = json.loads(done.stdout)
    assert found == json.loads(json.dumps(rm.implant({"relief_test": 55}).to_dict()))


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_no_figure_of_a_table_is_broken_or_cut_on_80_columns(lang):
    found = rm.implant(PATIENT)
    tables = (
        harm_table(found.harms, "harm", lang, about=True),
        like_table(found.published, lang),
        classes_table(rm.pathway({"age": 54}), lang),
    )
    for table in tables:
        written = io.StringIO()
        Console(file=written, width=80).print(rich_table(table))
        lines = written.getvalue().splitlines()
        assert max(map(len, lines)) <= 80
        assert "…" not in written.getvalue()
        for cell in (row[-1] for row in table.rows):
            assert any(cell in line for line in lines)


def test_messages_stand_in_both_languages():
    found = rm.implant({**PATIENT, "sham_relief": 20, "relief_maintenance": 30})
    english, french = said(found.messages), said(found.messages, "fr")
    assert all(a != b for a, b in zip(english, french, strict=True))


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_evidence_shows_the_harm_of_rtms_and_of_the_implant(lang):
    shown = CliRunner().invoke(app, ["evidence", "--harm", "--lang", lang])
    assert shown.exit_code == 0, shown.output
    told = " ".join(shown.output.replace("│", " ").split())
    for treatment in ("rtms", "emcs"):
        assert say(f"harm.title_{treatment}", lang) in told
        for row in harm_rows(treatment):
            assert row.label.text(lang).split()[0] in told


def test_evidence_gives_the_harm_of_one_decision_as_json():
    typed = ["evidence", "rtms_response@session_2", "--harm", "--json", "--lang", "fr"]
    found = json.loads(CliRunner().invoke(app, typed).output)
    due = [row.to_dict("fr") for row in harm_rows("rtms")]
    assert found == {"rtms": json.loads(json.dumps(due))}
