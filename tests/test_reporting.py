"""Reports: what they hold, what they must never hold, in both languages."""

import json
import re
from base64 import b64decode

import pytest

from reported import (
    Page,
    cohort,
    model,
    other,
    published,
)
from responder_model.errors import DevelopmentError, ResponderModelError
from responder_model.reporting import (
    build_report,
    examine,
    write_report,
)
from responder_model.reporting.blocks import Cell, Link
from responder_model.reporting.checklists import (
    probast,
    tally,
    tripod,
)
from responder_model.reporting.render import markdown_cell
from responder_model.reporting.values import logged_values, to_plain

SECTIONS = (
    "summary",
    "card",
    "patients",
    "performance",
    "learned",
    "evidence",
    "sample-size",
    "limits",
    "tripod",
    "probast",
    "values",
)
# Parts that nobody but the authors can know.
AUTHORS_ONLY = {"3c", "5b", "6b", "6c", "8c", "9c", "17", "18a", "18b", "18c", "18d"}
AUTHORS_ONLY |= {"18e", "19", "25"}


@pytest.fixture(scope="module")
def studies(model, cohort, other):
    return (
        examine(model, other, n_resamples=20),
        examine(model, cohort, n_resamples=8),
    )


@pytest.fixture(scope="module")
def reports(model, studies):
    return {lang: build_report(model, studies, lang=lang) for lang in ("en", "fr")}


@pytest.fixture(params=["en", "fr"])
def report(request, reports):
    return reports[request.param]


# ---------------------------------------------------------------- the page


def test_page_is_self_contained(report):
    page = Page(report.html)
    assert page.sources
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert all(target.startswith("#") for target in page.targets)
    assert "url(" not in report.html
    assert "<script" not in report.html
    assert "<link" not in report.html


def test_every_reference_has_its_anchor(report):
    page = Page(report.html)
    assert len(page.ids) == len(set(page.ids))
    assert {target[1:] for target in page.targets} <= set(page.ids)


def test_every_reference_of_the_markdown_has_its_anchor(report):
    anchors = set(re.findall(r'<a id="([^"]+)"></a>', report.markdown))
    assert set(re.findall(r"\]\(#([^)]+)\)", report.markdown)) <= anchors


def test_report_has_every_section(report):
    assert set(SECTIONS) <= set(Page(report.html).ids)


def test_words_from_outside_are_escaped(report):
    assert "<b>one</b>" not in report.html
    assert "<i>C</i>" not in report.html
    assert "centre|&lt;b&gt;one&lt;/b&gt;" in report.html
    assert r"centre\|\<b\>one" in report.markdown


def test_simulated_is_said_in_every_table_figure_and_page(report):
    word = {"en": "SIMULATED", "fr": "SIMULÉ"}[report.lang]
    captions = re.findall(r'<th class="caption"[^>]*>(.*?)</th>', report.html)
    assert captions
    assert all(word in caption for caption in captions)
    assert re.search(rf'@top-left {{ content: "{word}', report.html)
    assert f"**{word}**" in report.markdown


def test_figures_are_shown_at_one_scale(reports):
    images = re.findall(r'base64,([^"]+)"[^>]* width="(\d+)">', reports["en"].html)
    sizes = [int.from_bytes(b64decode(png[:64])[16:20]) for png, _ in images]
    scales = [int(width) / size for (_, width), size in zip(images, sizes, strict=True)]
    assert len(images) == len(reports["en"].figures)
    assert scales == pytest.approx([scales[0]] * len(images), rel=0.01)


def test_report_says_research_use_only(report):
    words = {"en": "not a medical device", "fr": "n'est pas un dispositif médical"}
    assert words[report.lang] in Page(report.html).text


def test_numbers_follow_the_language(reports, studies):
    c_statistic = f"{studies[1].internal.value('c_statistic'):.3f}"
    assert c_statistic in Page(reports["en"].html).text
    assert c_statistic.replace(".", ",") in Page(reports["fr"].html).text


def test_unknown_language_is_refused(published):
    with pytest.raises(ResponderModelError, match="lang must be one of en, fr"):
        build_report(published, lang="de")


def test_same_model_gives_the_same_report(published):
    first, second = (build_report(published) for _ in range(2))
    assert first == second


def test_no_line_of_a_page_begins_with_a_sign(reports):
    words = Page(reports["fr"].html.split("</style>")[1]).text
    assert "Usage de recherche\N{NO-BREAK SPACE}: n'est pas" in words
    assert not re.search(r"\w [:;?!] ", words)


def test_markdown_cell_takes_nothing_for_markup():
    cell = Cell(text="a|b [x](y) <i>", links=(Link(text="n_1", anchor="value-n_1"),))
    assert markdown_cell(cell) == r"a\|b \[x\](y) \<i\> → [n\_1](#value-n_1)"


# ---------------------------------------------------------------- aggregates only


def test_report_holds_no_patient(report, cohort, other):
    identifiers = [*cohort["patient_id"], *other["patient_id"]]
    text = Page(report.html).text + report.markdown + json.dumps(report.values)
    assert not [name for name in identifiers if name in text]


def test_no_count_from_1_to_9_beside_a_share(report):
    shown = re.findall(r">(\d+) \(\d+\s%\)<", report.html)
    assert shown
    assert all(int(n) >= 10 for n in shown)


def test_report_shows_stability_of_predictions_and_of_net_benefit(reports, studies):
    page = Page(reports["en"].html).text
    found = studies[1].internal.stability.summary()
    for name in ("mean_absolute_prediction_error_95th", "mean_width_95"):
        assert f"{found[name]:.2g}" in page
        assert reports["en"].values[f"development.stability.{name}"] == found[name]
    assert (
        "the net benefit of 95\N{NO-BREAK SPACE}% of the models from resamples" in page
    )
    assert "decision_stability_development" in reports["fr"].figures


def test_limits_stand_below_their_measure_so_that_the_table_fits_a_page(report):
    words = {"en": (r"\.", "to"), "fr": (",", "à")}[report.lang]
    number = rf"\d{words[0]}\d\d"
    assert re.search(rf">{number}<br>\({number} {words[1]} {number}\)<", report.html)
    assert re.search(rf"\| {number} \({number} {words[1]} {number}\)", report.markdown)


def test_few_resamples_are_said_to_be_few(reports):
    assert "Only 8 resamples" in Page(reports["en"].html).text


def test_development_cohort_is_refused_twice(model, studies):
    with pytest.raises(DevelopmentError, match="once, got it 2 times"):
        build_report(model, [studies[1], studies[1]])


def test_tripod_has_27_items_with_52_parts(model, studies):
    items = tripod(logged_values(model, studies), "en")
    assert len({item.main for item in items}) == 27
    assert len(items) == 52


def test_probast_has_16_and_18_questions(model, studies):
    items = probast(logged_values(model, studies), "en")
    development = [item for item in items if item.part.startswith("development")]
    assert (len(development), len(items)) == (16, 34)


@pytest.mark.parametrize("which", [slice(0, 2), slice(1, 2)], ids=["both", "own"])
def test_tripod_fills_at_least_18_items(model, studies, which):
    counted = tally(tripod(logged_values(model, studies[which]), "en"))
    assert len(counted.filled) + len(counted.partly) >= 18


def test_what_only_authors_know_stays_blank(model, studies):
    items = tripod(logged_values(model, studies), "en")
    blank = {item.number for item in items if item.status == "blank"}
    assert blank == AUTHORS_ONLY


def test_every_filled_item_rests_on_logged_values(model, studies):
    values = logged_values(model, studies)
    for item in (*tripod(values, "en"), *probast(values, "en")):
        for answer in item.answers:
            assert answer.keys
            assert all(key in values for key in answer.keys)


def test_an_answer_without_its_value_is_not_given(model, studies):
    values = logged_values(model, studies)
    fewer = {k: v for k, v in values.items() if not k.startswith("sample_size.")}
    found = {item.number: item.status for item in tripod(fewer, "en")}
    assert found["10"] == "blank"


def test_run_decides_only_what_it_can(model, studies):
    items = probast(logged_values(model, studies), "en")
    found = {(i.part, i.number): i.judgement for i in items}
    assert found["development_2", "2.4"] == "yes"  # the leakage guard
    assert found["development_4", "4.1"] == "no"  # too few patients
    assert found["development_4", "4.4"] == "not_applicable"
    assert found["evaluation_4", "4.6"] == "yes"
    assert found["development_1", "1.3"] == ""


def test_filled_item_links_to_its_logged_value(report):
    assert 'href="#value-development.internal.c_statistic.lower"' in report.html
    assert 'id="value-development.internal.c_statistic.lower"' in report.html


# ---------------------------------------------------------------- values


def test_values_are_those_of_the_validation(model, studies):
    values = to_plain(logged_values(model, studies))
    internal, external = studies[1].internal, studies[0].external
    for name in ("c_statistic", "brier_score"):
        key = f"development.internal.{name}.optimism_corrected"
        assert values[key] == internal.value(name)
        key = f"new.external.{name}.value"
        assert values[key] == external.performance.value(name)
    assert values["model.n_patients"] == model.n_patients


def test_share_classed_otherwise_is_that_of_the_resamples(model, studies):
    found = logged_values(model, studies[1:])
    stability = studies[1].internal.stability
    there = (stability.resampled >= 0.5) != (stability.probability >= 0.5)
    logged = found["development.stability.classification_instability"]
    assert logged.value == pytest.approx(there.mean())


def test_values_are_plain(report):
    json.dumps(report.values, allow_nan=False)


# ---------------------------------------------------------------- files


def test_write_report_leaves_page_markdown_values_and_figures(report, tmp_path):
    written = write_report(report, tmp_path)
    assert written[0].name == f"report_{report.lang}.html"
    pictures = re.findall(r"\]\((figures_\w+/\w+\.png)\)", report.markdown)
    assert pictures
    assert all((tmp_path / path).read_bytes()[:4] == b"\x89PNG" for path in pictures)
    values = json.loads((tmp_path / "values.json").read_text(encoding="utf-8"))
    assert values == report.values


def test_values_table_names_what_the_file_holds(report):
    named = set(re.findall(r'id="value-([^"]+)"', report.html))
    assert named == set(report.values)
