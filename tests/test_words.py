"""Every sentence exists in both languages, and every code that is said exists."""

from __future__ import annotations

import ast
import pickle
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

import responder_model as rm
from responder_model.labels import describe_value, label_of
from responder_model.schema import dictionary
from responder_model.words import LANGUAGES, Note, note_from, read_words

SOURCE = Path(rm.__file__).parent
ROOMS = sorted(path.stem for path in (SOURCE / "words").glob("*.toml"))
ENTRIES = [(room, key) for room in ROOMS for key in read_words(room)]


def gaps(sentence: str) -> set[tuple[str, str]]:
    """Gaps and how they are written; forms of a word are each language's own."""
    found = {(g, spec or "") for _, g, spec, _ in Formatter().parse(sentence) if g}
    return {(gap, spec) for gap, spec in found if "|" not in spec}


@pytest.mark.parametrize(("room", "key"), ENTRIES)
def test_sentence_names_the_same_in_both_languages(room: str, key: str) -> None:
    entry = read_words(room)[key]
    assert set(entry) == set(LANGUAGES)
    english, french = (entry[lang] for lang in LANGUAGES)
    # a heading may stand in one language without a word of its own
    assert gaps(english) == gaps(french)


def said() -> Iterator[tuple[Path, str]]:
    """Codes that the package says, as literals."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            code = node.args[0]
            if name in ("Note", "say") and isinstance(code, ast.Constant):
                yield path, str(code.value)


def test_every_code_that_is_said_has_a_sentence() -> None:
    known = {f"{room}.{key}" for room, key in ENTRIES}
    codes = {code for _, code in said() if code.split(".")[0] in ROOMS}
    assert len(codes) > 50
    assert codes - known == set()


def bare() -> Iterator[str]:
    """Codes of sentences that are said with no value at all."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and not node.keywords and node.args:
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                code = node.args[0]
                if name in ("Note", "say") and isinstance(code, ast.Constant):
                    yield str(code.value)
    for path in SOURCE.rglob("*.j2"):
        for key in re.findall(r"\bsay\(\"(\w+)\"\)", path.read_text(encoding="utf-8")):
            yield f"page.{key}"


def test_sentence_with_a_gap_is_said_with_a_value() -> None:
    entries = {f"{room}.{key}": read_words(room)[key]["en"] for room, key in ENTRIES}
    codes = {code for code in bare() if code in entries}
    assert len(codes) > 100
    assert {code for code in codes if "{" in entries[code]} == set()


def test_note_is_a_value() -> None:
    note = Note("patient.follows", field="lesion_type", due="central", source="age")
    same = note_from(note.to_dict())
    assert note == same == pickle.loads(pickle.dumps(note))
    assert len({note, same}) == 1
    assert note != Note("patient.follows", field="lesion_type", due="x", source="age")
    with pytest.raises(AttributeError, match="must not be changed"):
        note.code = "other"  # type: ignore[misc]


def test_note_speaks_the_words_of_the_dictionary() -> None:
    note = Note("model.range", field="age", value=91.5, low=30.0, high=80.0)
    assert note.text("en") == "Age: 91.5 years lies beyond the usual 30 to 80"
    assert note.text("fr") == "Âge : 91,5 ans sort de l'étendue habituelle, 30 à 80"
    missing = Note("model.missing", names=("age", "dn4")).text("fr")
    assert label_of("age", "fr") in missing
    assert label_of("dn4", "fr") in missing


def test_counts_of_few_can_be_hidden() -> None:
    note = Note("cohort.identical_rows", n=3)
    assert note.text("fr", hide_below=10).startswith("< 10 lignes")
    assert note.text().startswith("3 rows")
    assert Note("cohort.identical_rows", n=12).text(hide_below=10).startswith("12 ")


def test_word_follows_its_number_in_each_language() -> None:
    texts = {n: Note("cohort.identical_rows", n=n).text("fr") for n in (0, 1, 2)}
    assert texts[0].startswith("0 ligne est identique ")
    assert texts[1].startswith("1 ligne est identique ")
    assert texts[2].startswith("2 lignes sont identiques ")
    assert Note("cohort.identical_rows", n=0).text().startswith("0 rows are ")
    hidden = Note("cohort.identical_rows", n=1).text("fr", hide_below=10)
    assert hidden.startswith("< 10 lignes sont identiques ")


def test_word_follows_its_number_as_it_is_written() -> None:
    one = Note("figure.mape", error=0.96, n=1, resamples=1)
    assert one.text().startswith("mean difference: 0.96 points\n1 patient, 1 resample")
    almost = Note("figure.mape", error=0.999, n=2, resamples=1)
    assert almost.text().startswith("mean difference: 1 point\n2 patients, ")
    assert almost.text("fr").startswith("différence moyenne : 1 point\n")
    told = {"mean": "0.6", "size": "1", "largest": "-1.0", "n": 30}
    assert "by 0.6 points of 100" in Note("development.effect", **told).text()
    moved = Note("development.moved_is", label="a", value="b", change="+1", n=1)
    assert moved.text() == "a, b: +1 point (1 patient)"
    assert moved.text(hide_below=10) == "a, b: +1 point (< 10 patients)"


# What is counted, after a number that may be one; ``k``, ``least`` and their like are
# numbers of this software, and never one.
COUNTED = {
    "en": "patients|answers|points|rows|lines|centres|months|days|sessions|outcomes|"
    "columns|parameters|values|cases|predictors|coefficients|resamples|responders|"
    "candidates|slots|predictions|decisions|implants|questions|years",
    "fr": "patients|réponses|points|lignes|centres|jours|séances|issues|colonnes|"
    "paramètres|valeurs|prédicteurs|coefficients|rééchantillons|répondeurs|candidats|"
    "places|prédictions|décisions|implants|questions|ans|nouveaux",
}
NEVER_ONE = {"k", "least", "most"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_sentence_can_say_one_patients(lang: str) -> None:
    before = r"\{(\w+)(?::(?!label|name|of_)[^}|]*)?\}[ \u00a0]"
    plural = re.compile(rf"{before}(?:new |known )?(?:{COUNTED[lang]})\b")
    # the number of a session, of a figure in 100: no number of what follows
    sentences = {f"{r}.{k}": read_words(r)[k][lang] for r, k in ENTRIES}
    found = {
        (code, match[0])
        for code, sentence in sentences.items()
        for match in plural.finditer(sentence)
        if match[1] not in NEVER_ONE and ":hundred" not in match[0]
    }
    assert found == set()


def languages_chosen_in_code() -> Iterator[str]:
    """Places where code holds the words of both languages, or asks which it is."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            keys = node.keys if isinstance(node, ast.Dict) else []
            names = {key.value for key in keys if isinstance(key, ast.Constant)}
            if names == set(LANGUAGES):
                yield f"{path.relative_to(SOURCE)}"


def test_no_code_holds_the_words_of_both_languages() -> None:
    # words of yes and no, and how spreadsheets write, are read as well as said
    known = {"vocabulary/values.py", "labels.py", "cohort/writing.py"}
    assert set(languages_chosen_in_code()) <= known


def test_unit_after_a_number_follows_it_in_each_language() -> None:
    rows = dictionary().fields.values()
    units = {row.unit["en"]: row for row in rows if row.unit and row.unit["en"] != "%"}
    # a unit of the dictionary without a word for one of it would be plural there
    assert set(units) == set(read_words("units"))
    words = {
        "years": ("year", "an", "ans"),
        "months": ("month", "mois", "mois"),
        "days": ("day", "jour", "jours"),
        "points": ("point", "point", "points"),
        "sessions": ("session", "séance", "séances"),
    }
    asked = [(1.0, "en"), (1.5, "en"), (1.0, "fr"), (1.5, "fr"), (1.99999, "fr")]
    for unit, row in units.items():
        said = tuple(describe_value(row.name, number, lang) for number, lang in asked)
        one, un, plusieurs = words[unit]
        french = f"1 {un}", f"1,5 {un}", f"2 {plusieurs}"
        assert said == (f"1 {one}", f"1.5 {unit}", *french)
        assert describe_value(row.name, 0.0, "en") == f"0 {unit}"
        assert describe_value(row.name, 0.0, "fr") == f"0 {un}"
    assert describe_value("relief_1", 1.0, "fr") == "1 %"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_refused_patient_is_told_in_the_language(lang: str) -> None:
    model = rm.published_model("rtms_response", moment="session_1")
    patient = {"age": 180, "opioid": "perhaps", "relief_2": 30, "hair": "red"}
    patient["relief_1"] = 0.45
    with pytest.raises(rm.InvalidPatientError) as refused:
        model.predict(patient)
    error = refused.value
    assert [problem.field for problem in error.problems] == list(patient)
    rules = ["patient.range", "patient.yes_or_no", "patient.known_later"]
    assert [problem.rule for problem in error.problems][:3] == rules
    text = error.text(lang)
    assert "180" not in text
    assert "perhaps" not in text
    assert "45" not in text
    on_screen = error.problems[0].text(lang)
    due = {"en": "Age must be between 18 and 100 years, got 180."}
    due["fr"] = "Âge : attendu de 18 à 100 ans ; reçu 180."
    assert on_screen == due[lang]
