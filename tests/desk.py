"""A physician at the desk: a real server, a browser, and the way through all pages."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from patience import PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = """--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync
--disable-background-networking --disable-component-update --disable-dev-shm-usage"""
COMMAND = (sys.executable, "-c", "from responder_model.cli import main; main()")
# Everything that the model after session 3 reads, in the longest words.
LONGEST = {
    "age": "79,5",
    "sex": "female",
    "aetiology": "complex_regional_pain_syndrome",
    "lesion_site": "cortical_subcortical",
    "pain_site": "lower_limb",
    "pain_duration": "120,5",
    "pain_intensity": "7,5",
    "dn4": "6",
    "severe_dysaesthesia": "yes",
    "motor_deficit": "marked",
    "depression": "12,5",
    "anxiety": "11",
    "catastrophising": "33",
    "magnification": "7",
    "fatigue": "7",
    "opioid": "yes",
    "antiepileptic": "no",
    "relief_1": "40",
    "relief_days_1": "3",
    "relief_2": "-35",
    "relief_days_2": "12",
    "relief_3": "-12,5",
    "relief_days_3": "1",
}
# The same of the implant.
LONGEST_IMPLANT = {
    "relief_test": "45",
    "relief_days_test": "12",
    "rtms_responder": "yes",
    "relief_maintenance": "48",
    "sham_relief": "13",
    "single_session_responder": "yes",
    "active_minus_sham_responder": "no",
}


@contextmanager
def served(*more: str) -> Iterator[str]:
    """Address of a server that runs as the command starts it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*COMMAND, "serve", "--port", str(port), *more]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as process:
        address = f"http://127.0.0.1:{port}"
        try:
            _wait(address, process)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{address}/ready"):
                return
        except (urllib.error.URLError, ConnectionError):
            assert process.poll() is None, "the server has ended"
            time.sleep(0.2)
    pytest.fail("the server is not ready")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Browser of the system; the tests are skipped without one."""
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed: apt install chromium (apt.txt)")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(
            executable_path=str(CHROMIUM), args=FLAGS.split()
        )
        yield browser
        browser.close()


def answer(page: Page, **values: str) -> None:
    """Fill in answers: a number by its field, any other by its button."""
    for name, value in values.items():
        field = page.locator(f"input[type=text][name='{name}']")
        if field.count():
            field.fill(value)
        else:
            page.locator(f"input[name='{name}'][value='{value}']").check()


def follow(page: Page, selector: str) -> None:
    """Press what leads to another page, and wait for it."""
    with page.expect_navigation():
        page.locator(selector).first.click()


def show(page: Page) -> None:
    """Press the main button."""
    follow(page, "button.main")


def press(page: Page, path: str, does: str) -> None:
    """Press the button that leads to a page."""
    follow(page, f"button[formaction='{path}'][value='{does}']:not(.language)")


def walk(page: Page, address: str, lang: str) -> Iterator[str]:
    """Go through every page, from the first to the implant; names of the states."""
    page.goto(f"{address}/{lang}")
    yield "start"
    follow(page, "a.aside")
    yield "about"
    page.goto(f"{address}/{lang}/docs")
    # the longest example of all is shown
    page.locator("summary").nth(4).click()
    yield "docs"
    page.goto(f"{address}/{lang}/rtms_response/screening")
    yield "form"
    answer(page, age="180", dn4="4", pain_intensity="7")
    page.locator("input[type=checkbox][name=dn4]").check()
    show(page)
    yield "wrong"
    answer(page, age="54,5", aetiology="ischaemic_stroke", pain_site="hemibody")
    page.locator("input[type=checkbox][name=dn4]").uncheck()
    show(page)
    yield "result"
    yield from _from_result(page, lang)
    yield from _sessions(page, lang)
    page.goto(f"{address}/{lang}/no/question")
    yield "nowhere"


def _from_result(page: Page, lang: str) -> Iterator[str]:
    press(page, f"/{lang}/pathway", "score")
    yield "pathway"
    press(page, f"/{lang}/rtms_response/screening", "score")
    press(page, f"/{lang}/compare", "form")
    yield "other_patient"
    answer(page, **{"other.age": "70", "other.aetiology": "amputation"})
    show(page)
    yield "comparison"
    press(page, f"/{lang}/rtms_response/screening", "score")


def _sessions(page: Page, lang: str) -> Iterator[str]:
    for k, relief in enumerate(("40", "-5", "20"), start=1):
        press(page, f"/{lang}/rtms_response/session_{k}", "form")
        if k == 1:
            yield "session_1"
        answer(page, **{f"relief_{k}": relief})
        show(page)
        if k != 2:
            yield f"result_{k}"
    press(page, f"/{lang}/emcs_success/implantation", "form")
    yield "implant_form"
    answer(page, relief_test="45")
    show(page)
    yield "implant"
