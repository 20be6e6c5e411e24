"""The page in a browser: every state, in two languages, without scripts, on paper.

``SCREENS=reports/screens pytest tests/test_serving_browser.py -m ""`` keeps a picture
of every state.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
from pathlib import Path

import pytest

from desk import (
    LONGEST,
    LONGEST_IMPLANT,
    answer,
    chromium,
    follow,
    press,
    served,
    show,
    walk,
)
from responder_model.serving.tokens import new_token
from responder_model.words import LANGUAGES

AXE = Path(__file__).parent / "axe" / "axe.min.js"
# axe-core 4.14.1 of npm (MPL-2.0), unchanged.
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
TAGS += ["best-practice", "RGAAv4"]
SCREENS = os.environ.get("SCREENS")
N_STATES = 15

# Sizes in CSS pixels of everything that can be pressed; a label is part of its input.
TARGETS = """() => [...document.querySelectorAll("a, button, input, summary")]
  .filter(e => e.type !== "hidden" && !e.matches(".skip, .enter"))
  .map(e => e.closest("label") || e)
  .filter(e => e.getClientRects().length)
  .map(e => [e.outerHTML.slice(0, 90), e.getBoundingClientRect()])
  .filter(([_, box]) => box.width < 24 || box.height < 24)
  .map(([html, _]) => html)"""
# Whether what has the focus can be seen, and what it is.
FOCUS = """() => {
  const e = document.activeElement, box = e.getBoundingClientRect();
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return [e.id || e.name || e.className || e.tagName, e === top || e.contains(top)
    || (e.closest("label") || e).contains(top)];
}"""


@pytest.fixture(scope="module")
def address():
    with served() as found:
        yield found


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 900, "height": 800})
    yield context.new_page()
    context.close()


def picture(page, name):
    """Keep a picture in few colours, where one is asked for."""
    if SCREENS:
        keep(page.screenshot(full_page=True), name)


def keep(png, name):
    from PIL import Image

    Path(SCREENS).mkdir(parents=True, exist_ok=True)
    image = Image.open(io.BytesIO(png)).convert("RGB").quantize(16)
    image.save(Path(SCREENS) / f"{name}.png", optimize=True)


def test_axe_is_the_published_file():
    assert hashlib.sha256(AXE.read_bytes()).hexdigest() == AXE_SHA256


FRENCH_LATER = ["en", pytest.param("fr", marks=pytest.mark.long)]
ENGLISH_LATER = [pytest.param("en", marks=pytest.mark.long), "fr"]


@pytest.mark.parametrize("lang", FRENCH_LATER)
def test_every_state_is_accessible(page, address, lang):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    found, states = {}, []
    for state in walk(page, address, lang):
        states.append(state)
        picture(page, f"{state}_{lang}")
        faults = page.evaluate(TARGETS) + axe_faults(page)
        if faults:
            found[state] = faults
    assert found == {}
    assert len(states) == N_STATES
    assert all(url.startswith(address) for url in asked)
    assert not any("?" in url for url in asked)


def test_who_logs_in_and_out_can_read_the_pages(browser, tmp_path):
    tokens = tmp_path / "tokens.json"
    secret, _ = new_token(tokens, name="desk", role="read", days=1)
    with served("--tokens", str(tokens)) as address:
        page = browser.new_context().new_page()
        page.goto(f"{address}/fr")
        assert page.locator("#token").is_visible()
        assert page.evaluate(TARGETS) + axe_faults(page) == []
        picture(page, "login_fr")
        page.locator("#token").fill(secret)
        show(page)
        assert page.evaluate(TARGETS) + axe_faults(page) == []
        follow(page, "form[action='/fr/logout'] button")
        assert page.locator("#token").is_visible()
        page.context.close()


def axe_faults(page):
    """What axe finds, and what it cannot tell."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    options = {"runOnly": {"type": "tag", "values": TAGS}}
    found = page.evaluate("options => axe.run(document, options)", options)
    rows = [*found["violations"], *found["incomplete"]]
    return [(row["id"], [n["html"][:90] for n in row["nodes"]]) for row in rows]


@pytest.mark.parametrize("lang", ENGLISH_LATER)
def test_everything_works_without_scripts(browser, address, lang):
    context = browser.new_context(java_script_enabled=False)
    states = list(walk(context.new_page(), address, lang))
    context.close()
    assert len(states) == N_STATES


def test_language_button_keeps_what_was_typed(page, address):
    page.goto(f"{address}/en/rtms_response/screening")
    answer(page, age="61", aetiology="amputation")
    follow(page, "button.language")
    assert page.locator("html").get_attribute("lang") == "fr"
    assert page.locator("#age").input_value() == "61"
    assert page.locator("#aetiology-amputation").is_checked()
    show(page)
    follow(page, "button.language")
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator(".headline").count() == 2


def test_keyboard_alone_reaches_a_result(page, address):
    page.goto(f"{address}/en/rtms_response/screening")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUS) == ["skip", True]
    page.keyboard.press("Enter")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        name, is_seen = page.evaluate(FOCUS)
        if name == "BODY":
            break
        assert is_seen, name
        reached.add(name)
        if name == "age":
            page.keyboard.type("180")
        if name.startswith("aetiology-"):
            page.keyboard.press("ArrowDown")
    assert {"age", "dn4", "fatigue"} <= reached
    # Enter in a field scores; it does not change the language
    page.locator("#age").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#problems")
    assert page.title().startswith("Error: ")
    assert page.evaluate("document.activeElement.id") == "problems"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "age"
    page.keyboard.press("Control+a")
    page.keyboard.type("54")
    page.keyboard.press("Enter")
    page.wait_for_selector(".headline")


@pytest.mark.parametrize(
    ("name", "width", "text"),
    [
        ("320", 320, "100%"),
        pytest.param("zoom", 640, "100%", marks=pytest.mark.long),
        pytest.param("text", 900, "200%", marks=pytest.mark.long),
    ],
)
def test_nothing_scrolls_sideways(browser, address, name, width, text):
    context = browser.new_context(viewport={"width": width, "height": 700})
    page = context.new_page()
    wide = []
    for state in walk(page, address, "fr"):
        page.evaluate("size => document.documentElement.style.fontSize = size", text)
        if name == "320":
            picture(page, f"{state}_fr_320")
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wide.append(state)
    context.close()
    assert wide == []


def test_forced_colours_keep_the_drawings(browser, address):
    context = browser.new_context(forced_colors="active", color_scheme="dark")
    page = context.new_page()
    page.goto(f"{address}/en/rtms_response/screening")
    show(page)
    style = "(e, key) => getComputedStyle(e)[key]"
    text = page.locator("body").evaluate(style, "color")
    ground = page.locator("body").evaluate(style, "backgroundColor")
    for kind, fill in (("filled", text), ("empty", "none")):
        circle = page.locator(f".array .{kind}").first
        assert circle.evaluate(style, "fill") == fill
        assert circle.evaluate(style, "stroke") == text
    assert text != ground
    picture(page, "result_en_forced_colours")
    context.close()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_longest_results_print_on_one_page(page, address, lang):
    page.goto(f"{address}/{lang}/rtms_response/session_3")
    answer(page, **LONGEST)
    show(page)
    assert pages_of(page, f"print_result_{lang}") == 1
    press(page, f"/{lang}/pathway", "score")
    assert pages_of(page, f"print_pathway_{lang}") == 1
    press(page, f"/{lang}/rtms_response/session_3", "score")
    press(page, f"/{lang}/compare", "form")
    answer(page, **{f"other.{name}": "1" for name in LONGEST if name.startswith("re")})
    show(page)
    assert pages_of(page, f"print_comparison_{lang}") == 1
    press(page, f"/{lang}/rtms_response/session_3", "score")
    press(page, f"/{lang}/emcs_success/implantation", "form")
    answer(page, **LONGEST_IMPLANT)
    show(page)
    assert pages_of(page, f"print_implant_{lang}") == 1


def pages_of(page, name):
    """Pages on paper."""
    pdf = page.pdf(prefer_css_page_size=True)
    if SCREENS:
        import subprocess

        command = ["pdftoppm", "-r", "90", "-png", "-singlefile"]
        done = subprocess.run(command, input=pdf, capture_output=True, check=True)
        keep(done.stdout, name)
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))
