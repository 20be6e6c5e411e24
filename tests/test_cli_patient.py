"""One patient on the command line: what is read, from where, and what is refused."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

import responder_model as rm
from responder_model.cli.app import app

TARGET = "rtms_response@screening"


def run(*arguments, stdin=None):
    return CliRunner().invoke(app, [str(part) for part in arguments], stdin)


def probability(done):
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)["probability"]


def expected(patient):
    return rm.published_model("rtms_response", "screening").predict(patient).probability


@pytest.mark.parametrize("command", ["predict", "explain", "pathway"])
def test_a_key_that_stands_twice_in_the_json_is_refused(command):
    target = [] if command == "pathway" else [TARGET]
    text = '{"depression": 3, "depression": 18}'
    done = run(command, *target, "--input", "-", stdin=text)
    assert done.exit_code == 1
    assert done.stderr == "error: Depression (HADS-D) must be given once only.\n"


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ('{"age": true}', "got true."),
        ('{"sex": ["a", null]}', 'got ["a", null].'),
        ('{"age": {"é": false}}', 'got {"é": false}.'),
    ],
)
def test_a_value_is_quoted_as_the_json_has_it(text, quoted):
    assert quoted in run("predict", TARGET, "--input", "-", stdin=text).stderr


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "marked"])
def test_json_of_a_windows_editor_is_read(tmp_path, mark):
    data = (
        mark + json.dumps({"Étiologie": "AVC ischémique"}, ensure_ascii=False).encode()
    )
    (tmp_path / "patient.json").write_bytes(data)
    due = expected({"aetiology": "ischaemic_stroke"})
    from_file = run("predict", TARGET, "--json", "--input", tmp_path / "patient.json")
    from_stdin = run("predict", TARGET, "--json", "--input", "-", stdin=data)
    assert probability(from_file) == probability(from_stdin) == due


def test_an_option_overrides_the_json_under_any_name():
    text = json.dumps({"Dépression (HADS-D)": 3, "opioid": True})
    done = run(
        *("predict", TARGET, "--json", "--input", "-", "--depression", "18"), stdin=text
    )
    assert probability(done) == expected({"depression": 18, "opioid": True})


def test_a_file_of_a_patient_that_cannot_be_opened_says_why(tmp_path):
    said = run("predict", TARGET, "--input", tmp_path / "none.json").stderr
    assert "--input must be a readable file (no such file or folder)." in said
    said = run("predict", TARGET, "--input", tmp_path, "--lang", "fr").stderr
    assert "--input : attendu un fichier lisible (c'est un dossier)." in said


def test_explain_draws_a_patient_of_whom_nothing_is_known(tmp_path):
    done = run("explain", TARGET, "--json", "--figure", tmp_path / "why.png")
    assert probability(done) == expected({})
    assert (tmp_path / "why.png").read_bytes().startswith(b"\x89PNG")


def test_a_figure_that_cannot_be_written_is_refused(tmp_path):
    for name, message in (
        (
            "absent/why.png",
            "--figure must lie in an existing directory, got ",
        ),
        ("why.xyz", "--figure must be a file that ends in .png, got why.xyz"),
        ("", "--figure must be a file that ends in .png"),
    ):
        done = run("explain", TARGET, "--age", "54", "--figure", tmp_path / name)
        assert done.exit_code == 1
        assert message in done.stderr
        assert done.stdout == ""


def test_a_card_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").touch()
    arguments = ("--known", "aetiology", "--out", tmp_path / "file")
    done = run("scorecard", TARGET, *arguments)
    assert done.exit_code == 1
    assert "error: --out must be a folder, got " in done.stderr


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_reasons_are_points_of_what_was_given(lang):
    given = ("--aetiology", "ischaemic_stroke", "--depression", "15", "--lang", lang)
    done = run("explain", TARGET, *given)
    patient = {"aetiology": "ischaemic_stroke", "depression": 15}
    found = rm.published_model("rtms_response", "screening").predict(patient)
    points = round(100 * found.points["depression"])
    assert points <= -3
    table = done.stdout.split("┏")[1].split("└")[0]
    row = next(line for line in table.splitlines() if "HADS-D" in line)
    assert [part.strip() for part in row.split("│")][4] == str(points)
    # two that were given and the lesion type, which follows
    assert table.count("│") // 6 == 3
    assert {"en": "opinion", "fr": "avis"}[lang] in row
    log_odds = run("explain", TARGET, *given, "--log-odds").stdout
    contribution = f"{found.contributions['depression']:.2f}"
    assert contribution.replace(".", {"en": ".", "fr": ","}[lang]) in log_odds


def test_at_most_three_questions_are_shown():
    done = run("predict", "rtms_response@session_3", "--age", "54", "--lang", "en")
    lines = [
        line for line in done.stdout.splitlines() if "the interval narrows" in line
    ]
    assert len(lines) == 3
    assert all("Relief after session" in line for line in lines)
    assert "Worth asking next, of " in done.stdout
    quiet = run("predict", TARGET, "--aetiology", "amputation", "--depression", "10")
    assert quiet.stdout.count("the interval narrows") <= 3


def test_a_threshold_says_how_likely_the_patient_is_above_it():
    done = run("predict", TARGET, "--age", "54", "--threshold", "0.3", "--lang", "en")
    found = rm.published_model("rtms_response", "screening").predict({"age": 54})
    chance = round(100 * found.verdict_at(0.3).chance_above)
    assert f"above 30 in 100: {chance} %." in done.stdout
    refused = run("predict", TARGET, "--age", "54", "--threshold", "30", "--lang", "fr")
    assert refused.exit_code == 1
    assert "le seuil doit être supérieur à 0 et inférieur à 1" in refused.stderr


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_what_cannot_matter_says_so(lang):
    given = ("--age", "80", "--dn4", "9", "--depression", "7.5", "--lang", lang)
    done = run("predict", TARGET, *given)
    said = {"en": "without effect on this answer", "fr": "sans effet sur cette réponse"}
    line = " ".join(done.stdout.split()).split(said[lang])[1].split(". - ")[0]
    assert "DN4" in line
    assert {"en": "Age", "fr": "Âge"}[lang] in line
    # at its mean it adds nothing either, but might have
    assert "HADS-D" not in line
    moved = run("predict", TARGET, "--depression", "7.5", "--lang", lang).stdout
    assert said[lang] not in moved


def test_days_of_relief_have_no_effect_in_published_models():
    from responder_model.model.basis import without_effect

    model = rm.published_model("rtms_response", "session_2")
    patient = {"relief_1": 10, "relief_2": 20, "relief_days_2": 30}
    idle = without_effect(model, model.predict(patient))
    assert idle == ("relief_days_2",)
    # what follows from a cause was perhaps never given
    implant = rm.published_model("emcs_success")
    patient_2 = {"aetiology": "trigeminal_neuropathy", "relief_test": 55}
    assert without_effect(implant, implant.predict(patient_2)) == ()
    changed = model.predict({**patient, "relief_days_2": 0})
    due = model.predict(patient)
    assert changed.probability == pytest.approx(due.probability, abs=1e-9)
