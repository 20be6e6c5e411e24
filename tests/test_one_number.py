"""Whatever answers, it gives the number that ``predict`` gives for the same patient."""

from __future__ import annotations

import datetime
import html
import json
import re

import numpy as np
import pytest
from typer.testing import CliRunner

import responder_model as rm
from responder_model.cli.app import app
from responder_model.rules.counted import count_cohort
from responder_model.schema import dictionary
from responder_model.sheets import (
    course_sheet,
    implant_sheet,
    pathway_sheet,
    prediction_sheet,
    render_html,
)
from responder_model.words.numbers import format_percent

DAY = datetime.date(2026, 11, 29)
LANGUAGES = ("en", "fr")
MOMENTS = dictionary().decisions["rtms_response"].moments


def drawn(decision, moment, rng):
    """Patient of whom a random part is known, within the rules of the dictionary."""
    given = {}
    for field in dictionary().predictors(decision, moment):
        if rng.random() < 0.5:
            continue
        if field.kind == "category":
            given[field.name] = str(rng.choice(field.category_names))
        elif field.kind == "boolean":
            given[field.name] = bool(rng.random() < 0.5)
        else:
            low, high = field.minimum, field.maximum
            given[field.name] = round(float(rng.uniform(low, high)))
    # of two answers that may contradict each other, one
    for name in ("lesion_type", "lesion_site", "rtms_responder"):
        given.pop(name, None)
    return given


def patients(decision):
    """Moments, patients and languages; what is known last makes the moment."""
    moments, found = dictionary().decisions[decision].moments, []
    for place, moment in enumerate(moments):
        for k, lang in enumerate(LANGUAGES):
            rng = np.random.default_rng([place, k])
            given = drawn(decision, moment, rng)
            if place:
                given[f"relief_{place}"] = int(rng.integers(-20, 100))
            found.append(pytest.param(moment, given, lang, id=f"{moment}-{lang}"))
    return found


def printed(command, given, lang, *options):
    asked = [*command, "--input", "-", "--lang", lang, *options]
    done = CliRunner().invoke(app, asked, input=json.dumps(given))
    assert done.exit_code == 0, done.output
    return done.stdout


def as_json(command, given, lang, *options):
    return json.loads(printed(command, given, lang, "--json", *options))


def plain(value):
    return json.loads(json.dumps(value))


def words(text):
    """Text as it is read: without tags, breaks and signs for spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def is_told(prediction, text, lang):
    """The three numbers of the sentence that stands first, beside those of predict."""
    said = prediction.verdict.note.text(lang)
    assert words(said) in words(text)
    number = {"en": r"^(?:about )?(\S+) in 100 ", "fr": r"^Dans (\S+) cas sur 100"}
    between = {"en": r"from (.+?) to (.+?):", "fr": r"entre (.+?) et (.+?) :"}
    shown = re.search(number[lang], said).groups()
    shown += re.search(between[lang], said.replace("\N{NO-BREAK SPACE}", " ")).groups()
    for number_, p in zip(
        shown, (prediction.probability, *prediction.interval), strict=True
    ):
        assert is_rounded(number_, p), said


def is_rounded(told, p):
    """Whether a figure of a table, of 100, is a probability."""
    if not told.isdigit():
        return min(p, 1 - p) < 0.01
    return abs(int(told) - 100 * p) <= 0.5 + 1e-9


@pytest.mark.parametrize(("moment", "given", "lang"), patients("rtms_response"))
def test_every_answer_of_the_test_has_the_number_of_predict(moment, given, lang):
    model = rm.published_model("rtms_response", moment=moment)
    due = model.predict(given)
    target = ("predict", f"rtms_response@{moment}")
    # the command, in words and as data
    is_told(due, printed(target, given, lang), lang)
    data = as_json(target, given, lang)
    assert {key: data[key] for key in plain(due.to_dict(lang))} == plain(
        due.to_dict(lang)
    )
    # visit by visit
    found = rm.course(given)
    assert found.now == due
    visits = as_json(("course",), given, lang)["visits"]
    assert visits[-1]["prediction"] == plain(due.to_dict(lang))
    is_told(due, printed(("course",), given, lang), lang)
    # the path
    path = rm.pathway(given)
    assert path.response == due
    assert path.responders.probability == pytest.approx(due.probability, abs=1e-9)
    shares = [row.probability for row in path.classes]
    above = [1.0, *(due.probabilities[cut] for cut in (10, 30, 50)), 0.0]
    assert shares == pytest.approx(-np.diff(above), abs=1e-9)
    assert path.joint == pytest.approx(due.probability * path.responders.success)
    assert plain(path.to_dict(lang))["response"] == plain(due.to_dict(lang))
    text = printed(("pathway",), given, lang)
    is_told(due, text, lang)
    assert f"{format_percent(path.joint)} (" in text


@pytest.mark.parametrize(("moment", "given", "lang"), patients("rtms_response")[3:5])
def test_every_page_has_the_number_of_predict(moment, given, lang):
    model = rm.published_model("rtms_response", moment=moment)
    due, found, path = model.predict(given), rm.course(given), rm.pathway(given)
    how = {"date": DAY, "lang": lang}
    pages = (
        prediction_sheet(model, given, **how),
        course_sheet(found, given, **how),
        pathway_sheet(path, given, **how),
    )
    for page in pages:
        text = render_html(page)
        is_told(due, text, lang)
        assert due.model_digest in text
    for row, visit in zip(pages[1].tables[0].rows, found.visits, strict=True):
        assert is_rounded(row[2], visit.prediction.probability)
    for row, part in zip(pages[2].tables[0].rows, path.classes, strict=True):
        assert is_rounded(row[2].split()[0], part.probability)
        assert is_rounded(row[3].split()[0], part.success)


@pytest.mark.parametrize(("moment", "given", "lang"), patients("emcs_success"))
def test_every_answer_of_the_implant_has_the_number_of_predict(moment, given, lang):
    model = rm.published_model("emcs_success", moment=moment)
    due = model.predict(given)
    p, worth = due.probability, 2.0
    is_told(due, printed(("predict", "emcs_success"), given, lang), lang)
    asked = ("implant", "--failures-per-success", "2")
    told = as_json(asked, given, lang)
    assert told["prediction"] == plain(due.to_dict(lang))
    assert told["even_worth"] == pytest.approx((1 - p) / p)
    assert told["net_benefit"] == pytest.approx(100 * (p - (1 - p) / worth))
    is_told(due, printed(asked, given, lang), lang)
    found = rm.implant(given, failures_per_success=worth)
    assert found.prediction == due
    page = render_html(implant_sheet(found, given, date=DAY, lang=lang))
    is_told(due, page, lang)
    assert due.model_digest in page


@pytest.mark.parametrize("moment", MOMENTS[1:])
def test_a_rule_on_probability_stops_by_the_number_of_predict(moment):
    model = rm.published_model("rtms_response", moment=moment)
    cohort = rm.simulate_cohort(60, seed=5)
    counted = count_cohort(model, cohort)
    told = rm.stopping_rule(model, cohort)
    known = cohort[list(model.encoder.predictors)]
    due = np.array(
        [
            model.predict({k: v for k, v in row.items() if v is not None}).probability
            for row in known.astype(object)
            .where(known.notna(), None)
            .to_dict("records")
        ]
    )
    assert np.isin(np.round(counted.probability, 9), np.round(due, 9)).all()
    for rule in told.rules:
        if rule.kind == "probability":
            share = (counted.probability < rule.threshold).mean()
            assert rule.stopped.value == pytest.approx(100 * share, abs=4.0)
