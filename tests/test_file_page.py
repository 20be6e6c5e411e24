"""The page about a file shows what is missing, how values lie, and what is open."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

from responder_model.cli.app import app
from responder_model.cohort import check_cohort, write_cohort
from responder_model.figures.cohort import (
    draw_distributions,
    drawn_fields,
    plot_distribution,
    plot_missingness,
    reference_range,
    shares_of,
)
from responder_model.schema import dictionary
from responder_model.simulation import simulate_cohort

FIELDS = dictionary().fields
OPEN = "patient_id;age;aetiology;pain_intensity;relief_1\n"
OPEN += "P1;54;AVC;7;0,3\nP2;<b>60</b>;zona;;0,1\nP3;61;zona;6;0,2\n"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("open.csv").write_text(OPEN, encoding="utf-8")
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments])


def text_of(page: Path) -> str:
    written = re.sub(r"<style>.*?</style>", "", page.read_text(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", written)).split())


def test_the_page_says_what_is_open_with_all_its_rows(run):
    done = run("check", "open.csv", "--report", "page.html", "--lang", "en")
    assert done.exit_code == 1
    told = text_of(Path("page.html"))
    assert "What was read of open.csv" in told
    assert "“AVC” in Aetiology" in told
    assert 'values.aetiology."AVC" = "ischaemic_stroke"' in told
    assert "Rows : 2, 3, 4" in told
    assert "rtms_response@screening" in told
    page = Path("page.html").read_text()
    assert page.count("data:image/png") == 2
    # what stands in a cell is text, and nothing is fetched
    assert "<b>60" not in page
    assert "&lt;b&gt;60" in page
    assert not re.findall(r"(?:src|href)=\"(?!data:)", page)


def test_the_page_speaks_french(run):
    run("check", "open.csv", "--report", "page.html", "--lang", "fr")
    told = text_of(Path("page.html"))
    assert "Questions ouvertes" in told
    assert "Ce qui manque" in told
    assert "Étiologie" in told


def test_a_page_is_written_again_but_never_over_something_else(run):
    assert run("check", "open.csv", "--report", "page.html").exit_code == 1
    before = Path("page.html").read_bytes()
    Path("open.csv").write_text(OPEN.replace("<b>60</b>", "60"), encoding="utf-8")
    assert run("check", "open.csv", "--report", "page.html").exit_code == 3
    assert Path("page.html").read_bytes() != before
    Path("mine.html").write_text("mine")
    assert run("check", "open.csv", "--report", "mine.html").exit_code == 1
    assert Path("mine.html").read_text() == "mine"
    done = run("check", "open.csv", "--report", "open.csv")
    assert done.exit_code == 1
    assert Path("open.csv").read_text(encoding="utf-8").startswith("patient_id")


def test_simulated_patients_are_called_so(run):
    cohort = simulate_cohort(n_patients=30, seed=3)
    write_cohort(cohort[["patient_id", "age", "aetiology", "provenance"]], "sim.csv")
    assert run("check", "sim.csv", "--report", "p.html", "--lang", "en").exit_code == 0
    assert "SIMULATED" in text_of(Path("p.html"))


def test_missingness_draws_each_state() -> None:
    cohort = check_cohort(pd.DataFrame({"age": [50, None, 60], "dn4": [4, 5, None]}))
    ax = Figure().add_subplot()
    assert plot_missingness(cohort, ax=ax, refused={"dn4": [2]}) is ax
    state = np.asarray(ax.images[0].get_array())
    assert state.tolist() == [[0, 1, 0], [0, 0, 2]]
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["Age  33 %", "DN4 score  33 %"]


def test_distribution_counts_every_known_value() -> None:
    cohort = simulate_cohort(n_patients=80, seed=3)
    for name in ("age", "relief_days_1", "dn4"):
        ax = Figure().add_subplot()
        plot_distribution(FIELDS[name], cohort[name], ax=ax)
        drawn = sum(patch.get_height() for patch in ax.containers[0].patches)
        assert drawn == cohort[name].notna().sum()


def test_one_value_in_all_is_still_a_bar_that_is_seen() -> None:
    ax = Figure().add_subplot()
    plot_distribution(FIELDS["pain_intensity"], pd.Series([7.0, 7.0]), ax=ax)
    low, high = ax.get_xlim()
    widths = {patch.get_width() for patch in ax.containers[0].patches}
    assert min(widths) > (high - low) / 40


def test_shares_are_those_of_the_known() -> None:
    sex = pd.Series(["female", "female", "male", None])
    assert shares_of(FIELDS["sex"], sex.dropna(), "en")[0][:2] == ("female", 2 / 3)
    opioid = pd.Series([True, False, False, False], dtype="boolean")
    ((label, share, usual),) = shares_of(FIELDS["opioid"], opioid, "fr")
    assert (label, share) == ("oui", 0.25)
    assert usual == FIELDS["opioid"].reference.mean


def test_reference_of_a_duration_is_on_its_own_scale() -> None:
    field = FIELDS["pain_duration"]
    low, middle, high = reference_range(field)
    assert middle == pytest.approx(np.exp(field.reference.mean))
    assert field.minimum <= low < middle < high <= field.maximum


def test_only_what_is_known_is_drawn() -> None:
    cohort = simulate_cohort(n_patients=20, seed=1).assign(dn4=np.nan)
    names = [field.name for field in drawn_fields(cohort)]
    assert "dn4" not in names
    assert "patient_id" not in names
    assert len(draw_distributions(cohort).axes) == len(names)
