"""The pages as a folder that opens from disk: links, commands, search, access."""

from __future__ import annotations

import csv
import re
import shlex
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from typer.main import get_command

from desk import chromium
from responder_model.cli.app import app

ROOT = Path(__file__).parents[1]
AXE = ROOT / "tests" / "axe" / "axe.min.js"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LARGEST = 300 * 2**10
KINDS = (
    "index",
    "bedside/session",
    "reference/measures",
    "reference/python/sample_size",
    "fr/seance",
    "hospital/install",
    "made/en/bedside/implant/implant",
)
EMBEDDED = re.compile(rb"data:[\w/+.;-]+,[A-Za-z0-9+/=%]+")
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


def build(folder, *options):
    """Build the pages with warnings as errors."""
    pytest.importorskip("furo")
    script = ROOT / "training" / "documentation" / "build.py"
    command = [sys.executable, str(script), str(folder / "html"), *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout
    return folder / "html"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return build(tmp_path_factory.mktemp("site"), "--quick")


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


class Addresses(HTMLParser):
    """What a page leads to, what it loads, and its anchors."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loaded, self.anchors = [], [], set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.anchors |= {found.get("id"), found.get("name")}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        elif tag == "link" or found.get("src"):
            self.loaded.append(found.get("href") or found.get("src"))


def broken(site):
    """Links that lead nowhere on disk, and what is loaded from elsewhere."""
    pages = {path: Addresses(path) for path in site.rglob("*.html")}
    for path, page in pages.items():
        for address in [*page.links, *page.loaded]:
            parts = urlsplit(address)
            to = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if parts.scheme or parts.netloc:
                wrong = address in page.loaded and parts.scheme != "data"
            elif parts.fragment and to in pages:
                wrong = unquote(parts.fragment) not in pages[to].anchors
            else:
                wrong = not to.exists()
            if wrong:
                yield path.name, address


def commands_of(text):
    """Commands that a page shows, whole."""
    for line in text.replace("\\\n", " ").splitlines():
        if re.match(r" *(\$ )?responder-model [a-z]", line) and "…" not in line:
            yield shlex.split(line.split(" | ")[0].strip())[1:]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_that_a_page_names_exist_with_their_options(page):
    group = get_command(app)
    for name, *arguments in commands_of(page.read_text("utf-8")):
        known = {o for p in group.commands[name].params for o in p.opts}
        known |= {o for p in group.commands[name].params for o in p.secondary_opts}
        asked = {a.partition("=")[0] for a in arguments if re.match(r"--[a-z]", a)}
        assert asked <= known | {"--help"}, name


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_page_that_another_names_is_a_link(page):
    named = re.findall(
        r"`[a-z_/]+\.md`|(?<!\]\()docs/[\w/]+\.md", page.read_text("utf-8")
    )
    assert named == []


def test_every_link_of_the_site_leads_somewhere_on_disk(site):
    assert len(list(site.rglob("*.html"))) > 40
    assert list(broken(site)) == []


def test_every_table_of_a_benchmark_can_be_had_from_its_page(site):
    page = Addresses(site / "benchmarks.html")
    had = {(site / link).read_bytes() for link in page.links if link.endswith(".csv")}
    tables = list((ROOT / "reports" / "benchmarks").rglob("*.csv"))
    assert len(tables) > 50
    assert [path.name for path in tables if path.read_bytes() not in had] == []


def test_the_page_of_benchmarks_says_what_missed_its_bar(site):
    text = (site / "benchmarks.html").read_text("utf-8")
    said = "".join(re.findall(r"<p><strong>Missed:.*?</p>", text, re.DOTALL))
    for name in ("updating", "combining"):
        path = ROOT / "reports" / "benchmarks" / f"{name}.csv"
        with path.open(encoding="utf-8", newline="") as lines:
            missed = [row for row in csv.DictReader(lines) if row["met"] == "False"]
        for row in missed:
            assert f"{row['ratio']}, bar {row['bar']}" in said
    assert "CDS call, this machine, 10: p95_ms" in said


def test_the_page_of_benchmarks_names_commands_that_exist():
    tables = ROOT / "training" / "documentation" / "benchmarks.toml"
    folder = ROOT / "training" / "benchmarks"
    shared = (folder / "options.py").read_text("utf-8")
    for entry in tomllib.loads(tables.read_text("utf-8"))["tables"]:
        script, *options = entry["command"].split()
        text = (folder / script).read_text("utf-8") + shared
        assert all(f'"{one}"' in text for one in options if one.startswith("--"))


def too_large(site):
    """Pages that are too large without the pictures that they hold."""
    read = {page: page.read_bytes() for page in site.rglob("*.html")}
    return [
        page for page, text in read.items() if len(EMBEDDED.sub(b"", text)) > LARGEST
    ]


def test_no_page_is_larger_than_it_may_be(site):
    assert too_large(site) == []


def test_blocks_show_what_their_commands_print_and_draw(site):
    page = (site / "bedside" / "session.html").read_text("utf-8")
    assert "What the next session could still change" in page
    assert 'src="../made/en/bedside/session/course.png"' in page
    french = (site / "fr" / "seance.html").read_text("utf-8")
    assert '<html class="no-js" lang="fr"' in french
    assert "un patient comme celui-ci" in french


def test_search_works_from_disk(site, browser):
    page = browser.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((site / "search.html").as_uri() + "?q=implant")
    page.wait_for_selector("#search-results li")
    assert page.locator("#search-results li a").count() > 3
    assert {urlsplit(address).scheme for address in asked} <= {"file", "data"}


@pytest.mark.parametrize("kind", KINDS)
def test_page_is_accessible_and_fits_a_small_screen(site, browser, kind):
    page = browser.new_page(viewport={"width": 320, "height": 640})
    page.goto((site / f"{kind}.html").as_uri())
    assert not page.evaluate(WIDER)
    page.set_viewport_size({"width": 1200, "height": 900})
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run()")["violations"]
    assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found] == []


def test_the_reference_names_what_can_be_imported():
    """A constant that is a text is no module, whatever it says."""
    sys.path.insert(0, str(ROOT / "training" / "documentation"))
    from reference import reference_pages

    pages = reference_pages(quick=False).values()
    named = {m for text in pages for m in re.findall(r"automodule:: (\S+)", text)}
    assert len(named) > 20
    assert {name for name in named if not name.startswith("responder_model")} == set()
    assert all(map(import_module, named))


@pytest.mark.long
def test_the_whole_site_is_built_and_every_link_leads_somewhere(tmp_path):
    site = build(tmp_path)
    assert list(broken(site)) == []
    assert too_large(site) == []
