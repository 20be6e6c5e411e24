"""One page to keep: one page, the same numbers, the same bytes, in two languages."""

from __future__ import annotations

import datetime
import re
import shutil
import subprocess
import zlib
from contextlib import suppress
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import pytest
from typer.testing import CliRunner

import responder_model as rm
from desk import chromium
from responder_model.cli.app import app
from responder_model.errors import MissingExtraError, ResponderModelError
from responder_model.model.example import example_model
from responder_model.schema import dictionary
from responder_model.sheets import (
    course_sheet,
    implant_sheet,
    pathway_sheet,
    prediction_sheet,
    render_html,
    render_pdf,
    stopping_sheet,
)

DAY = datetime.date(2026, 11, 28)
IMPLANTED = {
    "age": 57,
    "aetiology": "ischaemic_stroke",
    "relief_test": 55,
    "relief_maintenance": 40,
    "sham_relief": 20,
    "single_session_responder": True,
    "active_minus_sham_responder": True,
}


def described(moment="session_3"):
    """Patient of whom everything is known: the longest sheet of a prediction."""
    values = {}
    for field in dictionary().predictors("rtms_response", moment):
        if field.kind == "category":
            values[field.name] = max(field.category_names, key=len)
        elif field.kind == "boolean":
            values[field.name] = True
        else:
            values[field.name] = round((field.minimum + field.maximum) / 2)
    return {**values, "aetiology": "ischaemic_stroke", "lesion_type": "central"}


@cache
def sheets(lang):
    full = described()
    last = rm.published_model("rtms_response", moment="session_3")
    first = rm.published_model("rtms_response", moment="screening")
    how = {"date": DAY, "lang": lang}
    stops = [
        rm.stopping_rule(rm.published_model("rtms_response", moment=f"session_{k}"))
        for k in (1, 2, 3)
    ]
    implant = rm.implant(IMPLANTED, failures_per_success=2, other_use=True)
    visits = {"aetiology": "ischaemic_stroke", "relief_1": 10, "relief_2": 20}
    return {
        "course": course_sheet(rm.course(visits), visits, **how),
        "full": prediction_sheet(last, full, label="Étude 12, patient 7", **how),
        "few": prediction_sheet(first, {"age": 54}, threshold=0.3, **how),
        "path": pathway_sheet(rm.pathway({"age": 54}), {"age": 54}, **how),
        "implant": implant_sheet(implant, IMPLANTED, **how),
        "stopping": stopping_sheet(stops, **how),
    }


@pytest.fixture(scope="module", params=["en", "fr"])
def made(request):
    return request.param, sheets(request.param)


@pytest.fixture(scope="module")
def english():
    return sheets("en")


def text_of(pdf, tmp_path):
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is absent")
    path = tmp_path / "page.pdf"
    path.write_bytes(pdf)
    done = subprocess.run(
        ["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True
    )
    return " ".join(done.stdout.decode("utf-8").split())


def letters_in(pdf):
    """Sizes of letters that a page sets, in points."""
    packed = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    found = set()
    for part in packed:
        with suppress(zlib.error):
            found |= set(re.findall(rb"/F\d+ ([\d.]+) Tf", zlib.decompress(part)))
    return sorted(map(float, found))


def smallest_drawn(pdf):
    """Size of the smallest letters of the picture as it is printed, in points."""
    from responder_model.figures.drawing import PAGE_WIDTH

    packed = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    for part in packed:
        with suppress(zlib.error):
            page = zlib.decompress(part)
            if found := re.search(rb"q ([\d.]+) 0 0 [\d.]+ [\d. -]+ cm /I\d+ Do", page):
                # drawn in letters of 9 points, of which the smallest are 5/6
                return 7.5 * float(found[1]) / (72 * PAGE_WIDTH)
    raise AssertionError


@pytest.mark.parametrize(
    "name", ["full", "few", "path", "implant", "course", "stopping"]
)
def test_each_sheet_is_one_page_and_says_what_it_must(made, name, tmp_path):
    pytest.importorskip("fpdf")
    lang, found = made
    sheet = found[name]
    pdf = render_pdf(sheet)
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 1
    assert letters_in(pdf)[0] >= 6.5
    assert smallest_drawn(pdf) >= 6.5
    text = text_of(pdf, tmp_path)
    squeezed = text.replace(" ", "")
    for due in (
        sheet.headline,
        sheet.footer,
        sheet.day,
        *sheet.notes,
        *sheet.lines,
        *(t.title for t in sheet.tables),
    ):
        assert due.replace(" ", "").replace("\n", "") in squeezed
    for row in (row for table in sheet.tables for row in table.rows):
        assert row[-1].replace(" ", "") in squeezed
    assert {"en": "Research use only", "fr": "Usage de recherche"}[lang] in text


def test_the_same_sheet_gives_the_same_bytes(english):
    pytest.importorskip("fpdf")
    model = rm.published_model("rtms_response", moment="screening")
    again = prediction_sheet(model, {"age": 54}, threshold=0.3, date=DAY)
    assert again == english["few"]
    assert render_pdf(again) == render_pdf(english["few"])
    assert render_html(again) == render_html(english["few"])
    other = replace(english["few"], date=DAY + datetime.timedelta(days=1))
    assert render_pdf(other) != render_pdf(english["few"])


def test_numbers_are_those_of_predict(english):
    model = rm.published_model("rtms_response", moment="session_3")
    found = model.predict(described())
    sheet = english["full"]
    assert sheet.headline == found.verdict.note.text("en")
    assert found.model_digest in sheet.models[0]
    shown = {row[0] for table in sheet.tables for row in table.rows}
    assert "Relief after session 3" in shown
    points = {row[0]: row[3] for row in sheet.tables[0].rows}
    due = 100 * found.points["relief_3"]
    assert float(points["Relief after session 3"]) == round(due)


def test_a_sheet_names_nobody_unless_somebody_typed_a_label(english):
    assert english["few"].label == ""
    assert "Étude 12, patient 7" in render_html(english["full"])
    model = rm.published_model("rtms_response", moment="screening")
    for label in ("x" * 61, "two\nlines"):
        with pytest.raises(ResponderModelError, match="label must be"):
            prediction_sheet(model, {"age": 54}, date=DAY, label=label)


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.addresses = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [v for k, v in attrs if k in ("src", "href")]


def test_html_needs_nothing_else_and_escapes_what_is_typed():
    model = rm.published_model("rtms_response", moment="screening")
    sheet = prediction_sheet(model, {"age": 54}, date=DAY, label="<script>alert(1)")
    page = render_html(sheet)
    reader = Reader()
    reader.feed(page)
    assert "script" not in reader.tags
    assert all(a.startswith("data:image/png;base64,") for a in reader.addresses)
    assert "://" not in re.sub(r"base64,[^\"]*", "", page)
    assert 'lang="en"' in page


# Widest and highest part of A4 that is printed on, of 96 pixels an inch, and a point.
PRINTED, POINT = {"width": 718, "height": 1047}, 96 / 72


@pytest.mark.long
def test_html_prints_on_one_page_in_letters_that_can_be_read(made):
    with chromium() as browser:
        page = browser.new_page(viewport=PRINTED)
        page.emulate_media(media="print")
        for name, sheet in made[1].items():
            page.set_content(render_html(sheet))
            printed = page.pdf(format="A4", prefer_css_page_size=True)
            assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1, name
            # with room for the wider letters of another machine
            height = page.evaluate("document.body.scrollHeight")
            assert height <= 0.97 * PRINTED["height"], name
            sizes = page.evaluate(
                "[...document.body.querySelectorAll('*')]"
                ".map(e => parseFloat(getComputedStyle(e).fontSize))"
            )
            assert min(sizes) >= 6.5 * POINT - 0.01, name


def test_html_has_letters_that_can_be_read_in_the_longest_case(made):
    for name, sheet in made[1].items():
        (size,) = re.findall(r"font: ([\d.]+)pt", render_html(sheet))
        assert float(size) >= (8.0 if name in ("few", "full", "course") else 6.5)


def test_a_simulated_model_is_marked_on_its_sheet():
    sheet = prediction_sheet(example_model(), {"age": 54}, date=DAY)
    assert sheet.simulated
    assert "simulated patients" in sheet.footer
    assert "simulated patients" in render_html(sheet)


def test_what_is_too_long_for_a_page_is_refused(english):
    pytest.importorskip("fpdf")
    sheet = replace(english["few"], notes=english["few"].notes * 60)
    with pytest.raises(ResponderModelError, match="fit on one page"):
        render_pdf(sheet)


def test_pictures_are_readable_in_grey(english):
    """What is told apart by colour is told apart by mark or line too."""
    from matplotlib.figure import Figure

    from responder_model.figures.ranges import Range, plot_ranges

    rows = [
        Range(label="a", value=0.5, lower=0.2, upper=0.8),
        Range(label="b", value=0.4, lower=0.3, upper=0.6, weak=True),
    ]
    ax = plot_ranges(rows, ax=Figure().add_subplot(), marks=[(0.43, "average")])
    marks = {line.get_marker() for line in ax.lines if len(line.get_xdata()) == 1}
    widths = {line.get_linewidth() for line in ax.lines if len(line.get_xdata()) == 2}
    assert marks == {"o", "s"}
    assert len(widths) >= 2
    assert [t.get_text() for t in ax.texts] == ["average 43"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "rtms_response@screening", "--age", "54"],
        ["pathway", "--age", "54"],
        ["implant", "--age", "57", "--relief-test", "55"],
        ["course", "--relief-1", "10"],
        ["stopping", "rtms_response@session_1"],
    ],
)
def test_commands_write_both_pages_beside_what_they_print(arguments, tmp_path):
    pytest.importorskip("fpdf")
    pdf, page = tmp_path / "a.pdf", tmp_path / "a.html"
    given = [*arguments, "--lang", "fr", "--label", "P 7"]
    done = CliRunner().invoke(app, [*given, "--pdf", str(pdf), "--html", str(page)])
    assert done.exit_code == 0, done.output
    assert done.stdout == CliRunner().invoke(app, [*arguments, "--lang", "fr"]).stdout
    assert pdf.read_bytes().startswith(b"%PDF")
    assert "P 7" in page.read_text("utf-8")
    assert 'lang="fr"' in page.read_text("utf-8")


def test_a_page_of_another_command_or_kind_is_not_written(tmp_path):
    taken = tmp_path / "mine.html"
    taken.write_text("mine", encoding="utf-8")
    arguments = ["predict", "rtms_response@screening", "--age", "54", "--html"]
    done = CliRunner().invoke(app, [*arguments, str(taken)])
    assert done.exit_code == 1
    assert taken.read_text("utf-8") == "mine"
    done = CliRunner().invoke(app, [*arguments, str(tmp_path / "a.pdf")])
    assert done.exit_code == 1
    assert "ends in .html" in done.stderr


def test_without_fpdf2_the_extra_is_named(english, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "fpdf", None)
    with pytest.raises(MissingExtraError, match=r"responder-model\[pdf\]"):
        render_pdf(english["few"])
