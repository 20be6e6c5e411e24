"""The page as text: what it asks, what it says, and that all of it agrees."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

import responder_model as rm
from desk import LONGEST
from responder_model.errors import InvalidPatientError
from responder_model.patient import check_patient
from responder_model.schema import dictionary
from responder_model.serving.compare import compare_page
from responder_model.serving.drawing import counts, icon_array, marks_for
from responder_model.serving.entries import NOT_KNOWN, patient_of, read_entries
from responder_model.serving.form import form_parts
from responder_model.serving.frame import Models, Page
from responder_model.serving.pages import form_page, result_page
from responder_model.serving.path import pathway_page
from responder_model.serving.result import hundred_of, show_result
from responder_model.serving.start import about_page, start_page
from responder_model.words import LANGUAGES, read_words

ROOM = Path(rm.__file__).parent / "serving"
TARGETS = dictionary().targets()
RTMS, IMPLANT = "rtms_response", "emcs_success"
IMPLANTED = (IMPLANT, "implantation")
PATIENT = {
    "age": ("54,5",),
    "aetiology": ("ischaemic_stroke",),
    "pain_site": ("hemibody",),
    "pain_intensity": ("7",),
    "depression": (NOT_KNOWN,),
    "relief_1": ("40",),
}
OTHER = {f"other.{name}": texts for name, texts in PATIENT.items()}


@cache
def models() -> Models:
    return {target: rm.published_model(*target) for target in TARGETS}


@cache
def pages(lang: str) -> dict[str, Page]:
    """Every page of the published models, with a patient and with a wrong one."""
    wrong = {**PATIENT, "age": ("180",), "dn4": ("4", NOT_KNOWN)}
    other = {**PATIENT, **OTHER, "other.age": ("70",)}
    implanted = {**PATIENT, "relief_test": ("45",)}
    return {
        "start": start_page(models(), lang=lang),
        "about": about_page(models(), RTMS, "session_1", lang=lang),
        "form": form_page(models(), RTMS, "screening", PATIENT, lang=lang),
        "wrong": result_page(models(), RTMS, "screening", wrong, lang=lang),
        "result": result_page(models(), RTMS, "screening", PATIENT, lang=lang),
        "session": form_page(models(), RTMS, "session_1", PATIENT, lang=lang),
        "course": result_page(models(), RTMS, "session_1", PATIENT, lang=lang),
        "implant": result_page(models(), IMPLANT, "implantation", implanted, lang=lang),
        "pathway": pathway_page(models(), RTMS, "session_1", PATIENT, lang=lang),
        "other": compare_page(models(), RTMS, "session_1", PATIENT, lang=lang),
        "compare": compare_page(models(), RTMS, "session_1", other, lang=lang),
    }


class Reader(HTMLParser):
    """Tags with their attributes, and text outside of them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.foreign = 0
        self.lang = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag == "html":
            self.lang = found["lang"] or ""
        elif self.foreign or "lang" in found:
            self.foreign += tag not in ("input", "meta", "link", "br")

    def handle_endtag(self, tag: str) -> None:
        self.foreign -= bool(self.foreign)

    def handle_data(self, data: str) -> None:
        if not self.foreign:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [found for name, found in self.tags if name == tag]


def read(name: str, lang: str = "en") -> Reader:
    return Reader(pages(lang)[name].html)


def prediction_at(probability: float, low: float, high: float) -> rm.Prediction:
    found = models()[RTMS, "screening"].predict({})
    return replace(found, probability=probability, interval=(low, high))


# ---------------------------------------------------------------- numbers


def test_text_array_and_legend_agree() -> None:
    for thousandths in range(1001):
        check_agreement(thousandths / 1000)


def check_agreement(p: float) -> None:
    prediction = prediction_at(p, max(p - 0.2, 0.0), min(p + 0.2, 1.0))
    shown = hundred_of(prediction, lang="en")
    do, do_not = (tone.count for tone in shown.tones)
    assert do + do_not == 100
    assert abs(100 * p - do) <= 0.5 + 1e-9
    assert shown.array.count('class="filled"') == do
    assert shown.array.count('class="empty"') == do_not
    said = {0: "fewer than 1", 100: "more than 99"}.get(do, str(do))
    assert shown.verdict.startswith(f"{said} in 100 patients like this one")
    others = {0: "fewer than 1", 100: "more than 99"}.get(do_not, str(do_not))
    assert shown.others.startswith(f"{others} in 100 do not")
    assert [tone.words.split()[0] for tone in shown.tones] == [str(do), str(do_not)]


def test_three_tones_end_where_the_text_says() -> None:
    for low in range(497):
        check_three_tones(low)


def check_three_tones(thousandths: int) -> None:
    bounds = thousandths / 1000, (thousandths + 503) / 1000
    p = (thousandths + 251) / 1000
    prediction = prediction_at(p, *bounds)
    shown = hundred_of(prediction, lang="en")
    found = [tone.count for tone in shown.tones]
    assert shown.is_wide
    assert sum(found) == 100
    marks = ("filled", "dotted", "empty")
    assert [shown.array.count(f'class="{mark}"') for mark in marks] == found
    ends = [found[0], found[0] + found[1]]
    few = {0: "fewer than 1", 100: "more than 99"}
    low, high = (few.get(n, str(n)) for n in ends)
    assert f"from {low} to {high}:" in shown.verdict


def test_array_needs_no_style_and_no_colour() -> None:
    array = icon_array(counts(0.084, 0.936), "words")
    assert array.count("<circle") == 100 + 86  # a dot inside each of the middle tone
    outlined = re.findall(r'<circle class="(?:dotted|empty)"[^>]*>', array)
    assert len(outlined) == 92
    assert all('fill="none"' in circle for circle in outlined)
    assert set(re.findall(r'(?:fill|stroke)="([^"]*)"', array)) == {
        "currentColor",
        "none",
    }
    assert "style=" not in array
    assert marks_for(counts(0.5)) == ("filled", "empty")


@pytest.mark.parametrize("name", ["result", "course", "implant", "pathway", "compare"])
def test_both_languages_hold_the_same_numbers(name: str) -> None:
    found = []
    for lang in LANGUAGES:
        text = read(name, lang).text.replace(",", ".").replace("\N{MINUS SIGN}", "-")
        found.append(sorted(re.findall(r"\d+(?:\.\d+)?", text)))
    assert found[0] == found[1]
    assert len(found[0]) > 10


def test_page_shows_what_the_model_predicts() -> None:
    given, _ = patient_of(PATIENT, RTMS, "screening")
    prediction = models()[RTMS, "screening"].predict(given)
    low, high = (round(100 * p) for p in prediction.interval)
    text = read("result").text.replace("\N{NO-BREAK SPACE}", " ")
    assert f"{100 * prediction.probability:.0f} in 100 patients like this" in text
    assert f"from {low} to {high}:" in text
    assert prediction.verdict.note.text() in text
    for p in prediction.probabilities.values():
        assert f"{p:.0%}".replace("%", " %") in text


# ---------------------------------------------------------------- the form


@pytest.mark.parametrize(("decision", "moment"), TARGETS)
def test_form_asks_every_predictor_once(decision: str, moment: str) -> None:
    parts = form_parts(decision, moment, {}, lang="fr")
    asked = [control.name for part in parts for control in part.controls]
    rows = dictionary().predictors(decision, moment)
    assert sorted(asked) == sorted(row.name for row in rows if not row.derived_from)
    reader = Reader(form_page(models(), decision, moment, {}, lang="fr").html)
    for name in asked:
        answers = [i for i in reader.all("input") if i["name"] == name]
        # "not known" is an answer of every field
        assert [i["value"] for i in answers].count(NOT_KNOWN) == 1


def test_controls_follow_the_dictionary() -> None:
    inputs = [i for i in read("session").all("input") if i["type"] == "text"]
    modes = {i["name"]: i["inputmode"] for i in inputs}
    # keyboards of telephones that have digits have no minus
    assert modes["relief_1"] == "text"
    assert modes["age"] == "decimal"
    assert modes["dn4"] == "numeric"
    assert {i["autocomplete"] for i in inputs} == {"off"}
    parts = form_parts(RTMS, "screening", {}, lang="en")
    aetiology = next(c for c in parts[0].controls if c.name == "aetiology")
    headings = [group.heading for group in aetiology.choices]
    assert headings == ["Lesion type: central", "Lesion type: peripheral", ""]
    rows = dictionary().fields.values()
    large = [row.name for row in rows if len(row.categories) > 8]
    assert large == ["aetiology"]


def test_entries_are_kept_as_they_were_typed() -> None:
    reader = read("wrong")
    values = {i["name"]: i["value"] for i in reader.all("input") if i["type"] == "text"}
    assert values["age"] == "180"
    assert values["pain_intensity"] == "7"
    chosen = {i["value"] for i in reader.all("input") if "checked" in i}
    assert {"ischaemic_stroke", "hemibody"} <= chosen
    hidden = [i for i in reader.all("input") if i["type"] == "hidden"]
    assert {"name": "relief_1", "value": "40", "type": "hidden"} in hidden


@pytest.mark.parametrize("lang", LANGUAGES)
def test_problems_come_first_and_no_result_is_shown(lang: str) -> None:
    page = pages(lang)["wrong"]
    assert page.status == 422
    begins = {"en": "Error: ", "fr": "Erreur : "}[lang]
    title = re.search("<title>(.*)</title>", page.html)
    assert title
    assert title[1].replace("\N{NO-BREAK SPACE}", " ").startswith(begins)
    main = page.html.split('<main id="main" tabindex="-1">')[1].strip()
    assert main.startswith('<div class="summary"')
    assert page.problems == (
        ("age", "patient.range"),
        ("dn4", "page.value_or_not_known"),
    )
    reader = Reader(page.html)
    links = [a["href"] for a in reader.all("a") if a["href"].startswith("#")]
    assert links == ["#main", "#age", "#dn4"]
    ids = {found.get("id") for _, found in reader.tags}
    for name in ("age", "dn4"):
        field = next(i for i in reader.all("input") if i.get("id") == name)
        assert field["aria-invalid"] == "true"
        assert f"{name}-problem" in field["aria-describedby"].split()
        assert f"{name}-problem" in ids
    # the same words in the summary and at the field
    with pytest.raises(InvalidPatientError) as refused:
        patient_of({"age": ("180",)}, RTMS, "screening")
    said = refused.value.problems[0].text(lang)
    assert reader.text.replace("\N{NO-BREAK SPACE}", " ").count(said) == 2
    assert 'class="array"' not in page.html


def test_value_beside_not_known_is_asked_about() -> None:
    entries = read_entries([("age", "54"), ("age", NOT_KNOWN), ("sex", "")])
    with pytest.raises(InvalidPatientError) as refused:
        patient_of(entries, RTMS, "screening")
    assert [p.field for p in refused.value.problems] == ["age"]
    given, known = patient_of({"age": (NOT_KNOWN,)}, RTMS, "screening")
    assert known == {}
    assert models()[RTMS, "screening"].predict(given).missing[0] == "age"


def test_earlier_answers_are_shown_not_asked_again() -> None:
    html = pages("en")["session"].html
    before, _, earlier = html.partition('<h2 id="earlier">')
    assert 'name="relief_1"' in before
    assert 'name="age"' not in before
    assert "54.5 years" in earlier
    assert 'id="age" name="age" value="54,5"' in earlier
    assert "<details>" in earlier
    # nobody answered before: the questions are unfolded
    assert (
        "<details open>" in form_page(models(), RTMS, "session_1", {}, lang="en").html
    )


def test_later_answers_travel_along_unread() -> None:
    page = pages("en")["form"]
    assert '<input type="hidden" name="relief_1" value="40">' in page.html
    assert pages("en")["result"].status == 200


# ---------------------------------------------------------------- the result


def test_result_keeps_its_order() -> None:
    html = pages("en")["result"].html
    order = ["headline", 'id="wide"', 'class="array"', 'id="figures"', 'id="reasons"']
    order += ['id="ask"', 'id="applies"', 'id="source"', 'id="checklist"']
    places = [html.index(part) for part in order]
    assert places == sorted(places)
    assert html.index("not a medical device") > places[-1]


def test_narrow_interval_has_two_tones_and_no_box() -> None:
    wide = hundred_of(prediction_at(0.5, 0.2, 0.71), lang="en")
    narrow = hundred_of(prediction_at(0.5, 0.3, 0.7), lang="en")
    assert (wide.is_wide, len(wide.tones)) == (True, 3)
    assert (narrow.is_wide, len(narrow.tones)) == (False, 2)


def test_at_most_five_reasons_are_shown_before_the_rest() -> None:
    values = {"age": 80, "aetiology": "multiple_sclerosis", "pain_site": "face"}
    values |= {"pain_intensity": 9, "depression": 15, "fatigue": 9, "opioid": True}
    values |= {"severe_dysaesthesia": True, "motor_deficit": "marked"}
    model = models()[RTMS, "screening"]
    known = check_patient(values, RTMS, "screening")
    found = show_result(model, model.predict(values), known, lang="en")
    because = found.because
    assert len(because.supporting) + len(because.opposing) == 5
    assert len(because.rest) >= 2
    sizes = {n: abs(c) for n, c in model.predict(values).contributions.items()}
    largest = max(known, key=lambda name: sizes[name])
    said = dictionary().fields[largest].label["en"]
    shown = (*because.supporting, *because.opposing)
    assert any(reason.words.startswith(said) for reason in shown)
    # every answer once, in points that the library gives
    assert len(shown) + len(because.rest) == len(known)
    points = model.predict(values).points[largest]
    assert any(f"{100 * points:+.0f} points" in reason.detail for reason in shown)


def test_implant_shows_benefit_and_harm_as_the_library_does() -> None:
    text = read("implant").text.replace("\N{NO-BREAK SPACE}", " ")
    given, _ = patient_of({**PATIENT, "relief_test": ("45",)}, *IMPLANTED)
    found = rm.implant(given)
    counted = [row for row in found.harms if row.share is not None]
    assert len(counted) > 5
    for row in counted:
        assert row.label.text() in text
        assert row.figure.text() in text
    assert f"one success is worth {found.even_worth:.1f} failed implants" in text
    assert 'id="benefit"' not in pages("en")["result"].html


def test_course_is_that_of_the_library() -> None:
    given, _ = patient_of(PATIENT, RTMS, "session_1")
    found = rm.course(given)
    text = read("course").text.replace("\N{NO-BREAK SPACE}", " ")
    assert found.chances is not None
    assert found.chances.text() in text
    for visit in found.visits:
        low, high = visit.prediction.interval
        p = visit.prediction.probability
        assert f"{p:.0%} ({low:.0%} to {high:.0%})".replace("%", " %") in text
    # a visit of which nothing is known does not hide that it was asked about
    page = result_page(models(), RTMS, "session_2", PATIENT, lang="en").html
    assert "after session 2" in page
    assert 'id="ahead"' not in page


def test_what_to_ask_is_what_the_library_ranks() -> None:
    model = models()[RTMS, "session_1"]
    known = {"aetiology": "amputation"}
    found = show_result(model, model.predict(known), known, lang="en")
    first = model.questions(known)[0].predictor
    assert found.asking[1].startswith(dictionary().fields[first].label["en"])
    assert len(found.asking) <= 4


def test_comparison_says_of_whom_the_model_knows_nothing() -> None:
    young = {f"other.{name}": texts for name, texts in PATIENT.items()}
    rare = {**young, "other.aetiology": ("complex_regional_pain_syndrome",)}
    for lang, due in (("en", "No: the patient lies outside"), ("fr", "Non : le pat")):
        sent = {**PATIENT, **rare, "other.relief_1": ("-100",)}
        text = Reader(
            compare_page(models(), RTMS, "session_1", sent, lang=lang).html
        ).text.replace("\N{NO-BREAK SPACE}", " ")
        first, second = text.split(read_words("page")["other_patient"][lang], 2)[:2]
        assert due not in first
        assert due in second
        digest = str(models()[RTMS, "session_1"].digest)[:12]
        assert digest in text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_sentence_of_a_page_has_a_gap_left(lang: str) -> None:
    for name in pages(lang):
        assert not re.search(r"\{[a-z_]+(:[^}]*)?\}", read(name, lang).text), name


def test_one_circle_is_told_in_the_singular() -> None:
    told = {
        lang: [
            t.words for t in hundred_of(prediction_at(0.4, 0.01, 0.99), lang=lang).tones
        ]
        for lang in LANGUAGES
    }
    assert told["en"][0].startswith("1 reports more")
    assert told["en"][2].startswith("1 does not")
    assert told["fr"][0].startswith("1 déclare plus")
    assert told["fr"][2].startswith("1 n'en déclare pas")


def test_simulated_model_says_so_on_every_page() -> None:
    simulated = replace(models()[RTMS, "screening"], provenance="simulated")
    served = {**models(), (RTMS, "screening"): simulated}
    made = [
        start_page(served, lang="en"),
        about_page(served, RTMS, "screening", lang="en"),
        form_page(served, RTMS, "screening", {}, lang="en"),
        result_page(served, RTMS, "screening", PATIENT, lang="en"),
        pathway_page(served, RTMS, "screening", PATIENT, lang="en"),
        compare_page(served, RTMS, "screening", PATIENT, lang="en"),
    ]
    assert all('<p class="simulated">' in page.html for page in made)
    assert '<p class="simulated">' not in pages("en")["result"].html


def test_outside_is_a_state_of_the_result() -> None:
    page = result_page(models(), RTMS, "screening", {"age": ("99",)}, lang="en")
    assert page.status == 200
    assert "lies beyond the usual" in page.html


def test_figure_of_a_patient_outside_is_called_no_best_guess() -> None:
    entries = {name: (text,) for name, text in LONGEST.items()}
    outside = result_page(models(), RTMS, "session_3", entries, lang="en").html
    assert "Do not rely on the probability" in outside
    assert "best guess" not in outside
    inside = result_page(models(), RTMS, "screening", {"age": ("54",)}, lang="en").html
    assert "best guess" in inside


@pytest.mark.parametrize("lang", LANGUAGES)
def test_page_of_the_path_says_both_verdicts_of_the_path(lang: str) -> None:
    page = pathway_page(models(), RTMS, "screening", {"age": ("54",)}, lang=lang).html
    first, second = rm.pathway({"age": 54}).verdicts
    assert first.code == "answers.does_not_tell_apart"
    text = " ".join(html.unescape(page).split())
    assert first.text(lang) in text
    assert second.text(lang) in text


# ---------------------------------------------------------------- all pages


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_address_holds_an_entry(lang: str) -> None:
    names = {row.name for row in dictionary().fields.values()} - {IMPLANT}
    names -= {decision for decision, _ in TARGETS}
    seen = set()
    for page in pages(lang).values():
        for _, found in Reader(page.html).tags:
            for key in ("href", "action", "formaction", "src"):
                seen.add(found.get(key) or "")
            if found.get("method"):
                assert found["method"] == "post"
    assert len(seen) > 10
    # a place on the page is never sent
    for address in (a for a in seen if not a.startswith("#")):
        assert "?" not in address
        assert "54" not in address
        assert not names & set(re.split(r"[^a-z0-9_]+", address))


def test_nothing_is_fetched_from_outside() -> None:
    for lang in LANGUAGES:
        for page in pages(lang).values():
            assert not re.findall(
                r"""(?:href|src|action)=["']?(?:https?:|//)""", page.html
            )
            assert "<script" not in page.html
            assert "style=" not in page.html


def test_what_was_typed_is_escaped() -> None:
    evil = '"><script>alert(1)</script>'
    entries = {"age": (evil,), "relief_1": (evil,)}
    html = result_page(models(), RTMS, "screening", entries, lang="en").html
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_french_pages_are_french() -> None:
    words = "the of and with is are not this that from these known relief"
    english = set(words.split())
    for name, page in pages("fr").items():
        said = set(re.findall(r"[a-zà-ÿ]+", Reader(page.html).text.lower()))
        assert not english & said, name


def test_templates_and_sentences_know_each_other() -> None:
    said = set()
    for path in (ROOM / "templates").glob("*.j2"):
        text = path.read_text(encoding="utf-8")
        said |= set(re.findall(r'say\("(\w+)"', text))
    assert len(said) > 20
    assert said <= set(read_words("page"))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_labels_and_headings_are_in_order(lang: str) -> None:
    for name, page in pages(lang).items():
        reader = Reader(page.html)
        ids = [f["id"] for _, f in reader.tags if f.get("id")]
        assert len(ids) == len(set(ids)), name
        labelled = {f["for"] for f in reader.all("label") if f.get("for")}
        assert labelled <= set(ids)
        described = [f.get("aria-describedby") for _, f in reader.tags]
        assert {i for d in described if d for i in d.split()} <= set(ids)
        levels = [int(tag[1]) for tag, _ in reader.tags if re.fullmatch("h[1-6]", tag)]
        if name not in ("wrong",):
            assert levels[0] == 1
            assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))
