"""The help of every command and option, in both languages and from one place."""

from __future__ import annotations

import re

import pytest
import typer
from typer.testing import CliRunner

import responder_model as rm
from responder_model.cli.app import PLACES, app
from responder_model.cli.help import key_of, option_help
from responder_model.labels import standing_note
from responder_model.words import read_words, say

COMMANDS = typer.main.get_command(app).commands
# Words that help in English has and French has not.
ENGLISH = re.compile(r"\b(?:the|of|and|by default|which|with|may be|is|are)\b", re.I)


def shown(*typed: str, locale: str = "C.UTF-8") -> str:
    """Help as it is printed, without its line breaks."""
    typed = (*typed, "--help")
    done = CliRunner().invoke(app, typed, env={"LC_ALL": locale}, prog_name="run")
    assert done.exit_code == 0, done.output
    return " ".join(done.output.split())


def parameters(command: str):
    return [p for p in COMMANDS[command].params if key_of(p) != "help"]


@pytest.mark.parametrize("command", PLACES)
def test_every_option_of_a_command_means_something_in_both_languages(command):
    for parameter in parameters(command):
        said = {lang: option_help(command, parameter, lang) for lang in ("en", "fr")}
        assert said["en"] != said["fr"], parameter.name
        assert not parameter.help, "help stands in words/options.toml alone"


def test_words_of_options_belong_to_an_option():
    own, shared = set(), set()
    for command in PLACES:
        keys = {key_of(p) for p in parameters(command) if not p.rich_help_panel}
        own |= {f"{command}.{key}" for key in keys}
        shared |= keys
    assert set(read_words("options")) <= own | shared


@pytest.mark.parametrize("command", PLACES)
def test_help_of_a_command_is_french_where_the_terminal_is(command):
    text = shown(command, locale="fr_FR.UTF-8")
    assert text.startswith(f"Utilisation : run {command}")
    assert say(f"commands.{command}", "fr") in text
    assert f"Exemple : responder-model {command}" in text
    # a name that may be typed is no English: --design by_centre
    words = re.sub(r"--?[a-z-]+|\S*[_./@=]\S*", " ", text)
    assert ENGLISH.findall(words) == []


@pytest.mark.parametrize(
    "typed",
    [
        ("--lang", "fr"),
        ("predict", "--lang", "fr"),
        ("--lang", "fr", "predict"),
        ("predict", "--lang=fr"),
    ],
)
def test_help_is_in_the_language_that_is_asked_for(typed):
    assert shown(*typed).startswith("Utilisation :")
    after = CliRunner().invoke(app, ["predict", "--help", "--lang", "fr"])
    assert after.output.startswith("Utilisation :")


def test_language_of_the_package_is_that_of_its_command():
    typed = ["predict", "rtms_response@screening", "--age", "54"]
    french = CliRunner().invoke(app, ["--lang", "fr", *typed]).output
    assert french == CliRunner().invoke(app, [*typed, "--lang", "fr"]).output
    assert french.startswith("Dans ")
    assert french != CliRunner().invoke(app, typed, env={"LC_ALL": "C"}).output


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("command", ["predict", "explain", "course", "implant"])
def test_help_says_which_fields_have_no_effect_of_their_own(command, lang):
    text = shown(command, "--lang", lang)
    for name in ("dn4", "opioid", "relief_1", "relief_days_1"):
        field = rm.dictionary().fields[name]
        _, _, described = text.rpartition(f"--{name.replace('_', '-')} ")
        line = described.partition(" --")[0]
        assert field.label[lang] in line
        stands = standing_note(name)
        assert stands is not None
        assert stands.text(lang) in line


def test_a_field_that_moves_no_published_model_is_said_to_move_none():
    for decision, moment in rm.dictionary().targets():
        model = rm.published_model(decision, moment)
        for row in model.encoder.fields:
            note = standing_note(row.name)
            if note is None or note.code != "answers.standing_none":
                continue
            values = (row.minimum, row.maximum)
            if row.kind != "number":
                values = row.category_names or (False, True)
            found = {model.predict({row.name: v}).probability for v in values}
            assert max(found) - min(found) < 1e-3, row.name
