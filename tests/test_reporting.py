"""Reports: what they hold, what they must never hold, in both languages."""

import json
import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from responder_model.artifact import load_model, read_manifest, save_model
from responder_model.cohort import outcome_levels
from responder_model.development import develop, published_model, update
from responder_model.errors import DevelopmentError, ResponderModelError
from responder_model.features import expit
from responder_model.labels import label_of
from responder_model.model.learnt import (
    effective_parameters,
    expected_slope,
    learnt_by,
    planned,
)
from responder_model.reporting import (
    build_report,
    examine,
    read_statements,
    write_report,
)
from responder_model.reporting.blocks import Cell, Link
from responder_model.reporting.checklists import (
    answer_keys,
    probast,
    tally,
    tripod,
)
from responder_model.reporting.examination import role_of
from responder_model.reporting.render import markdown_cell
from responder_model.reporting.texts import read_texts
from responder_model.reporting.values import logged_values, to_plain
from responder_model.settings import Settings
from responder_model.simulation import simulate_cohort
from responder_model.words import Note, read_words

SETTINGS = Settings(decision="rtms_response", moment="screening", challenger=False)
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
def cohort():
    return simulate_cohort(n_patients=90, seed=11)


@pytest.fixture(scope="module")
def other():
    patients = simulate_cohort(n_patients=80, seed=12)
    patients["centre"] = np.where(np.arange(80) < 40, "A", "B & <i>C</i>")
    return patients


@pytest.fixture(scope="module")
def model(cohort):
    return develop(cohort, settings=SETTINGS, name="centre|<b>one</b>")


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


@pytest.fixture(scope="module")
def published():
    return published_model("rtms_response", "screening")


class Page(HTMLParser):
    """Anchors, references, sources and text of a page."""

    def __init__(self, html):
        super().__init__()
        self.ids, self.targets, self.sources, self.words = [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        parts = dict(attrs)
        self.ids += [parts["id"]] if "id" in parts else []
        self.targets += [parts["href"]] if "href" in parts else []
        self.sources += [parts["src"]] if "src" in parts else []

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(self.words)


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


def test_small_number_of_unknown_outcomes_is_not_given_away(published, cohort):
    known = cohort[cohort["relief_test"].notna()].copy()
    known.attrs = dict(cohort.attrs)
    known.loc[known.index[:4], ["relief_test", "rtms_responder"]] = None
    study = examine(published, known, n_resamples=5)
    values = to_plain(logged_values(published, (study,)))
    assert values["new.n_unknown"] == "< 10"
    assert "new.n_patients" not in values


def test_report_draws_the_decision_curve_from_50_known_outcomes_only(published):
    patients = simulate_cohort(n_patients=90, seed=4)
    known = patients[patients["relief_test"].notna()]
    few, enough = (
        build_report(published, [examine(published, part, n_resamples=5)])
        for part in (known.iloc[:49], known.iloc[:50])
    )
    assert "decision_new_1" not in few.figures
    assert "calibration_new_1" in few.figures
    assert "No decision curve with fewer than 50 patients" in Page(few.html).text
    assert "decision_new_1" in enough.figures
    assert "No decision curve" not in Page(enough.html).text
    # and says from which threshold the model is worth having
    said = Page(enough.html).text
    assert "changes nothing worth having" in said or "half a patient of 100" in said
    assert "half a patient of 100" not in Page(few.html).text


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


def test_development_of_few_patients_draws_no_net_benefit(published):
    cohort = simulate_cohort(n_patients=45, seed=7)
    few = develop(cohort, settings=SETTINGS)
    study = examine(few, cohort, role="development", n_resamples=4)
    assert study.decision_instability is None
    assert study.curves.decision is None


@pytest.fixture(scope="module")
def not_completed(other):
    patients = other[other["relief_test"].notna()].copy()
    patients.attrs = dict(other.attrs)
    return patients


def without_outcome(patients, n):
    found = patients.copy()
    found.attrs = dict(patients.attrs)
    found.loc[found.index[:n], ["relief_test", "rtms_responder"]] = None
    return found


def test_report_counts_non_completers_as_non_responders_too(published, not_completed):
    study = examine(published, without_outcome(not_completed, 12), n_resamples=5)
    report = build_report(published, [study])
    expected = study.external.sensitivity.value("observed_expected_ratio")
    key = "new.external.observed_expected_ratio.non_completers_as_non_responders"
    assert report.values[key] == expected
    assert f"{expected:.3f}" in Page(report.html).text
    assert "non-completers as non-responders" in Page(report.html).text


def test_few_non_completers_are_not_given_away(published, not_completed):
    study = examine(published, without_outcome(not_completed, 4), n_resamples=5)
    report = build_report(published, [study])
    assert study.external.sensitivity is not None
    assert not [key for key in report.values if "non_completers" in key]
    assert "the difference would tell how many" in Page(report.html).text


def rows_of(html):
    found = re.findall(r"<tr>(.*?)</tr>", html, flags=re.DOTALL)
    return [
        [re.sub(r"<[^>]+>", "", c) for c in re.split(r"</t[dh]>", r)] for r in found
    ]


def test_centres_are_shown_with_limits_where_events_and_others_are_many(published):
    patients = simulate_cohort(n_patients=120, seed=12)
    patients["centre"] = np.where(np.arange(120) < 60, "North", "South")
    html = build_report(published, [examine(published, patients, n_resamples=5)]).html
    cells = {
        r[0].strip(): r for r in rows_of(html) if r[0].strip() in ("North", "South")
    }
    for row in cells.values():
        assert re.fullmatch(r"\s*0\.\d\d\(0\.\d\d to [01]\.?\d*\)\s*", row[2]), row


def test_limits_stand_below_their_measure_so_that_the_table_fits_a_page(report):
    words = {"en": (r"\.", "to"), "fr": (",", "à")}[report.lang]
    number = rf"\d{words[0]}\d\d"
    assert re.search(rf">{number}<br>\({number} {words[1]} {number}\)<", report.html)
    assert re.search(rf"\| {number} \({number} {words[1]} {number}\)", report.markdown)


def test_centre_with_few_events_has_no_measure_in_a_report(published):
    patients = simulate_cohort(n_patients=120, seed=12)
    yes = patients["rtms_responder"].fillna(value=False).astype(bool)
    patients["centre"] = np.where(yes, "North", "South")
    patients.iloc[:50, patients.columns.get_loc("centre")] = "East"
    few = patients.index[50:][yes[50:]][:4]
    patients.loc[few, "centre"] = "South"
    html = build_report(published, [examine(published, patients, n_resamples=5)]).html
    (row,) = [r for r in rows_of(html) if r[0].strip() == "South"]
    assert {cell.strip() for cell in row[2:] if cell.strip()} == {"–"}


# ---------------------------------------------------------------- which cohort it is


def test_centres_without_any_measure_leave_their_reason(published):
    patients = simulate_cohort(n_patients=60, seed=12)
    patients["centre"] = [f"centre {k % 4}" for k in range(60)]
    study = examine(published, patients, n_resamples=5)
    page = Page(build_report(published, [study]).html).text
    assert "Centres are not compared" in page
    assert "centre 1" not in page
    values = logged_values(published, (study,))
    (item,) = [i for i in tripod(values, "en") if i.number == "12d"]
    assert "no centre is large enough" in item.answers[0].text


def test_subgroups_stand_in_the_order_of_the_dictionary(published):
    study = examine(published, simulate_cohort(n_patients=250, seed=6), n_resamples=5)
    html = build_report(published, [study], lang="fr").html
    html = html[html.index("Performance par sous-groupe") :]
    labels = [row[0].strip() for row in rows_of(html) if row]
    named = ("AVC ischémique", "lésion médullaire", "neuropathie trigéminale")
    ages = ("moins de 50 ans", "50 à 64 ans", "65 ans et plus")
    for names in (named, ages):
        places = [labels.index(name) for name in names]
        assert places == sorted(places)

    between = html[html.index("Différences entre groupes") :]
    rows = [row for row in rows_of(between) if row and row[0].strip() == "Sexe"]
    assert {name.strip() for row in rows for name in row[1:3]} == {"femme", "homme"}


@pytest.mark.parametrize(
    ("name", "n_missing"),
    [("sex", 80), ("aetiology", 12), ("aetiology", 4), ("age", 12), ("age", 4)],
)
def test_subgroups_count_the_patients_of_table_one(published, name, n_missing):
    patients = simulate_cohort(n_patients=250, seed=6)
    known = np.flatnonzero(outcome_levels(patients, "rtms_response").observed)
    gone = known[:n_missing]
    patients.loc[patients.index[gone], [name]] = np.nan
    if name == "aetiology":
        patients = patients.drop(columns="lesion_type")
    study = examine(published, patients, n_resamples=2)
    table = {(r.predictor, r.value): r.cells[0] for r in study.table.rows}
    page = build_report(published, [study]).markdown
    part = page[page.index("Performance by subgroup") :]
    part = part[part.index(f"| **{label_of(name, 'en')}** |") :]
    shown = re.search(r"not recorded \|\s*([^|]*?)\s*\|", part)
    counted = table[name, "missing"].n
    if n_missing < 10:
        assert counted is None
        assert shown is None  # so small a group has no line
    else:
        # hidden in one, hidden in both
        assert shown[1] == ("hidden" if counted is None else str(counted))
    assert counted == 80 or n_missing < 80


def test_outcome_of_the_implanted_is_not_called_that_of_completers():
    patients = simulate_cohort(n_patients=200, seed=4)
    published = published_model("emcs_success")
    study = examine(published, patients, role="new", n_resamples=5)
    page = Page(build_report(published, [study]).html).text
    assert "the estimand is success if implanted" in page
    assert "among those who complete" not in page
    notes = develop(patients, "emcs_success").notes
    assert "the estimand is success among those who are" in str(notes[0])


def test_answers_claim_no_figure_that_is_not_there(published):
    few = examine(published, simulate_cohort(n_patients=25, seed=6), n_resamples=5)
    many = examine(published, simulate_cohort(n_patients=200, seed=6), n_resamples=5)
    for study, shown in ((few, False), (many, True)):
        values = logged_values(published, (study,))
        (item,) = [i for i in tripod(values, "en") if i.number == "23a"]
        words = " ".join(answer.text for answer in item.answers)
        assert "calibration curve" in words
        assert ("Decision curve" in words) == shown
        assert ("Subgroups" in words) == shown


def test_chosen_predictors_are_not_called_all_of_the_dictionary(cohort):
    settings = replace(SETTINGS, predictors=("age", "sex", "fatigue"))
    values = logged_values(develop(cohort, settings=settings), ())
    (item,) = [i for i in tripod(values, "en") if i.number == "9a"]
    assert "how they were chosen was not logged" in item.answers[0].text
    found = {(i.part, i.number): i for i in probast(values, "en")}
    assert found["development_4", "4.5"].judgement == ""


def test_trees_are_spoken_of_where_they_were_developed_only(model, cohort):
    page = Page(build_report(model).html).text
    assert "No boosted trees were developed beside it" in page
    with_trees = replace(SETTINGS, challenger=True)
    page = Page(build_report(develop(cohort, settings=with_trees)).html).text
    assert re.search(r"They enter with weight 0\.00", page)


def test_few_resamples_are_said_to_be_few(reports):
    assert "Only 8 resamples" in Page(reports["en"].html).text


def test_summary_warns_of_patients_of_the_evidence_and_of_too_few(published):
    patients = simulate_cohort(n_patients=12, seed=1)
    patients = patients.drop(columns=["rtms_responder", "symptom_improved"])
    patients["relief_test"] = np.where(np.arange(12) < 2, 60.0, 0.0)
    patients.attrs["overlap_groups"] = ("saint_etienne",)
    study = examine(published, patients, role="new", n_resamples=5)
    html = build_report(published, [study]).html
    summary = Page(html[html.index('id="summary"') : html.index('id="card"')]).text
    assert "may be part of the published evidence" in summary
    assert "Too few patients in simulated cohort to judge a model" in summary


def test_development_cohort_is_recognised(model, cohort, other, published):
    assert role_of(model, cohort) == "development"
    assert role_of(model, other) == "new"
    assert role_of(published, cohort) == "new"


def test_saved_model_recognises_its_cohort(model, cohort, tmp_path):
    folder = save_model(model, tmp_path / "model")
    assert role_of(load_model(folder), cohort) == "development"


def test_same_counts_with_other_values_are_refused(model, cohort):
    changed = cohort.assign(age=cohort["age"] + 1.0)
    with pytest.raises(DevelopmentError, match="same patients with other values"):
        role_of(model, changed)
    unknown = replace(model, fingerprints=None)
    with pytest.raises(DevelopmentError, match="same counts"):
        role_of(unknown, changed)
    assert role_of(unknown, cohort) == "development"


def test_updated_model_asks_for_the_role(published, cohort):
    newer = update(published, cohort)
    with pytest.raises(DevelopmentError, match="82 of its 82 patients"):
        examine(newer, cohort, n_resamples=5)
    with pytest.raises(DevelopmentError, match="role must be given"):
        role_of(replace(newer, fingerprints=None), cohort)
    with pytest.raises(DevelopmentError, match="role must be new"):
        examine(newer, cohort, role="development", n_resamples=5)


def test_patients_of_the_evidence_are_no_new_patients(published, cohort):
    own = cohort.assign(centre="Saint-Étienne")
    study = examine(published, own, n_resamples=5)
    assert study.overlaps
    assert (
        "may be part of the published evidence" in build_report(published, [study]).html
    )


def test_development_cohort_is_refused_twice(model, studies):
    with pytest.raises(DevelopmentError, match="once, got it 2 times"):
        build_report(model, [studies[1], studies[1]])


def test_response_that_is_not_shown_leaves_its_reason(published):
    study = examine(published, simulate_cohort(n_patients=40, seed=2), n_resamples=5)
    assert study.response is None
    page = Page(build_report(published, [study]).html).text
    assert "Response by aetiology is not shown" in page


@pytest.mark.parametrize(
    ("n", "said"),
    [(8, "Too few patients to judge a model"), (80, "would give narrow intervals")],
)
def test_new_patients_who_are_too_few_are_said_to_be(published, n, said):
    patients = simulate_cohort(n_patients=n, seed=3)
    study = examine(published, patients, n_resamples=5)
    assert said in Page(build_report(published, [study]).html).text


def test_fewer_than_ten_patients_have_no_curve_and_no_subgroups(published):
    study = examine(published, simulate_cohort(n_patients=9, seed=3), n_resamples=5)
    report = build_report(published, [study])
    assert report.figures == {}
    page = Page(report.html).text
    assert "a curve of fewer than 10 patients shows each of them" in page
    assert "Performance by subgroup" not in page


def test_impossible_analysis_leaves_its_reason(published):
    few = simulate_cohort(n_patients=12, seed=1)
    few = few.drop(columns=["rtms_responder", "symptom_improved"])
    few["relief_test"] = 60.0
    study = examine(published, few, n_resamples=5)
    assert study.curves.calibration is None
    page = Page(build_report(published, [study]).html).text
    assert "both responders and non-responders" in page


# ---------------------------------------------------------------- checklists


@pytest.mark.parametrize("name", ["tripod", "probast"])
def test_checklist_has_both_languages_and_the_same_gaps(name):
    for item in read_texts(name)["items"]:
        assert set(item["title"]) == {"en", "fr"}
        for answer in item.get("answers", ()):
            gaps = [
                sorted(re.findall(r"{([a-z0-9_.]+)}", answer[k])) for k in ("en", "fr")
            ]
            assert gaps[0] == gaps[1], item["number"]
            assert answer_keys(answer), item["number"]


def test_report_texts_have_both_languages():
    for key, text in read_words("report").items():
        assert set(text) == {"en", "fr"}, key
        gaps = [set(re.findall(r"{\w+}", text[lang])) for lang in ("en", "fr")]
        assert gaps[0] == gaps[1], key


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


def test_nothing_is_invented_without_a_run():
    assert {item.status for item in tripod({}, "en")} == {"blank"}
    assert {item.status for item in probast({}, "en")} == {"blank"}


def test_run_decides_only_what_it_can(model, studies):
    items = probast(logged_values(model, studies), "en")
    found = {(i.part, i.number): i.judgement for i in items}
    assert found["development_2", "2.4"] == "yes"  # the leakage guard
    assert found["development_4", "4.1"] == "no"  # too few patients
    assert found["development_4", "4.4"] == "not_applicable"
    assert found["evaluation_4", "4.6"] == "yes"
    assert found["development_1", "1.3"] == ""


def test_published_model_answers_what_it_can_without_a_cohort(published):
    values = logged_values(published, ())
    found = {(i.part, i.number): i for i in probast(values, "en")}
    moment, size = (found["development_2", "2.4"], found["development_4", "4.1"])
    assert moment.judgement == "yes"
    assert str(values["model.n_predictors"].value) in moment.answers[0].text
    assert size.judgement == "no"
    assert "sample_size.n_required" in size.answers[0].keys


def test_measures_are_named_where_few_patients_have_no_decision_curve(published):
    study = examine(published, simulate_cohort(n_patients=40, seed=2), n_resamples=5)
    (item,) = [
        item
        for item in tripod(logged_values(published, (study,)), "en")
        if item.number == "12e"
    ]
    assert any("no decision curve with so few" in a.text for a in item.answers)


def test_filled_item_links_to_its_logged_value(report):
    assert 'href="#value-development.internal.c_statistic.lower"' in report.html
    assert 'id="value-development.internal.c_statistic.lower"' in report.html


# ---------------------------------------------------------------- authors' statements


def test_statement_fills_a_blank_as_the_authors_own_words(published):
    stated = {"17": "Committee A | approval <b>1</b>."}
    items = tripod(logged_values(published, (), statements=stated), "en")
    assert {item.number: item.status for item in items}["17"] == "stated"
    assert tally(items).stated == ("17",)
    report = build_report(published, statements=stated)
    assert "The authors state: Committee A | approval &lt;b&gt;1&lt;/b&gt;." in (
        report.html
    )
    assert report.values["authors.17"] == stated["17"]


def test_statements_are_read_from_toml(tmp_path):
    path = tmp_path / "statements.toml"
    path.write_text('17 = "Committee A."\n18a = "None."\n', encoding="utf-8")
    assert read_statements(path) == {"17": "Committee A.", "18a": "None."}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('99 = "x"', "99 is no number"),
        ("17 = 5", "17 must be text"),
        ('17 = " "', "17 must be text"),
        ("17 = ", "must be a TOML file"),
    ],
)
def test_wrong_statements_are_refused(tmp_path, text, reason):
    path = tmp_path / "statements.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ResponderModelError, match=reason):
        read_statements(path)


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


def test_centre_of_fewer_than_ten_is_not_counted_as_measured(published):
    patients = simulate_cohort(n_patients=80, seed=12)
    patients["centre"] = np.array(["A", "B", "C"])[np.digitize(np.arange(80), [6, 40])]
    study = examine(published, patients, n_resamples=5)
    assert len(study.centres) == 3
    assert logged_values(published, (study,))["new.n_centres_measured"].value == 2


def test_values_are_plain(report):
    json.dumps(report.values, allow_nan=False)


def test_updated_model_is_said_to_be_updated(published, cohort):
    newer = update(published, cohort)
    items = {item.number: item for item in tripod(logged_values(newer, ()), "en")}
    assert items["24"].status == "filled"
    assert "brought up to date" in items["12f"].answers[0].text


# ---------------------------------------------------------------- models without cohort


@pytest.mark.parametrize(
    ("decision", "moment"),
    [
        ("rtms_response", "screening"),
        ("rtms_response", "session_2"),
        ("emcs_success", "implantation"),
    ],
)
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_published_models_are_reported_without_a_cohort(decision, moment, lang):
    report = build_report(published_model(decision, moment), lang=lang)
    assert "SIMUL" not in report.html
    assert report.values["model.provenance"] == "published"
    assert "model.n_patients" not in report.values


def test_tripod_fills_at_least_18_items_without_a_cohort(model, published):
    for found in (model, published):
        counted = tally(tripod(logged_values(found, ()), "en"))
        assert len(counted.filled) + len(counted.partly) >= 18


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_no_weight_after_patients_without_patients(published, model, lang):
    after = read_words("report")["after"][lang]
    assert after not in Page(build_report(published, lang=lang).html).words
    assert after in Page(build_report(model, lang=lang).html).words


def test_report_says_how_many_coefficients_the_patients_taught(model, published):
    words = Page(build_report(model).html).text
    assert f"Of the {len(model.encoder.derived)} coefficients of this one" in words
    assert f"slope is expected at {expected_slope(model)[0]:.2f} (" in words
    assert "the patients taught about" not in Page(build_report(published).html).text


def test_effective_parameters_grow_with_the_patients_and_stay_below_them():
    found = []
    for n in (40, 160):
        fitted = develop(simulate_cohort(n, 7), settings=SETTINGS)
        columns = len(fitted.encoder.derived)
        found.append(effective_parameters(fitted))
        assert 0.0 < found[-1] < min(n, columns)
    assert found[0] < found[1]
    nothing = published_model("rtms_response", "screening")
    assert effective_parameters(nothing) == pytest.approx(0.0)


def test_an_update_counts_what_all_patients_taught_since_the_evidence(model):
    published = published_model("rtms_response", "screening")
    updated = update(published, simulate_cohort(90, 11))
    developed = develop(simulate_cohort(90, 11), settings=SETTINGS)
    # below 100 patients an update of the published model is a development
    assert effective_parameters(updated) == pytest.approx(
        effective_parameters(developed), rel=0.02
    )
    again = update(updated, simulate_cohort(60, 12))
    assert effective_parameters(again) > effective_parameters(updated)
    words = Page(build_report(again).html).text
    assert f"the {again.n_patients} patients taught about" in words


def test_levels_of_centres_are_no_coefficients_that_patients_taught():
    cohort = simulate_cohort(120, 5)
    cohort["centre"] = np.where(np.arange(120) % 2, "A", "B")
    apart, one = (
        develop(cohort, settings=replace(SETTINGS, centres=how))
        for how in ("named", "ignored")
    )
    assert effective_parameters(apart) == pytest.approx(
        effective_parameters(one), abs=0.5
    )


def test_planned_is_near_what_developments_of_as_many_learn():
    plan = planned(published_model("rtms_response", "screening"), 190)
    found = learnt_by(develop(simulate_cohort(211, 3), settings=SETTINGS))
    assert plan.coefficients == pytest.approx(found.coefficients, rel=0.35)
    assert np.ptp(plan.interval) == pytest.approx(np.ptp(found.interval), abs=0.1)
    assert plan.slope[0] == pytest.approx(1.0, abs=0.05)


def test_expected_slope_is_that_of_draws_from_the_posterior():
    """Logistic regression of drawn truths on what is served, 200 draws.

    The mean within 4 SE (0.02 more: the normal curve is not the logistic one).
    """
    model = develop(simulate_cohort(160, 7), settings=SETTINGS)
    model = replace(model, discrepancy=0.0)
    rng = np.random.default_rng(3)
    population, part = model.population, model.main
    z = rng.multivariate_normal(population.mean, population.covariance, 1_000)
    centre = part.intercept + part.coefficients @ population.mean
    kappa = 1.0 / np.sqrt(1.0 + np.pi * model.mean_variance / 8.0)
    served = kappa * (centre + (z - population.mean) @ part.coefficients)
    theta = rng.multivariate_normal(
        np.r_[part.intercept, part.coefficients], part.covariance, 200
    )
    truth = expit(theta[:, 0] + z @ theta[:, 1:].T)
    slopes = [_slope(served, p) for p in truth.T]
    slope, low, high = expected_slope(model)
    assert abs(np.mean(slopes) - slope) < 0.02 + 4 * np.std(slopes) / np.sqrt(200)
    inside = np.mean((low < np.array(slopes)) & (np.array(slopes) < high))
    assert inside > 0.95 - 4 * np.sqrt(0.05 * 0.95 / 200)


def _slope(served, truth):
    """Calibration slope where the true probabilities are known."""
    design, beta = np.column_stack([np.ones_like(served), served]), np.zeros(2)
    for _ in range(20):
        p = expit(design @ beta)
        information = design.T @ (design * (p * (1.0 - p))[:, None])
        beta += np.linalg.solve(information, design.T @ (truth - p))
    return beta[1]


def test_component_with_sds_doubled_is_said_in_words(published):
    pages = [build_report(published, lang=lang).html for lang in ("en", "fr")]
    assert "as published, SDs doubled" in pages[0]
    assert "telle que publiée, écarts-types doublés" in pages[1]


def test_developed_model_without_cohort_shows_apparent_performance_as_such(model):
    page = Page(build_report(model).html).text
    assert "Only the apparent performance was logged" in page


def test_updated_model_shows_apparent_performance_of_the_last_update(model, other):
    page = Page(build_report(update(model, other)).html).text
    assert "Apparent performance in the patients of the last update" in page
    assert "Give the development cohort" not in page


def test_apparent_measure_without_a_value_says_why(model):
    reason = Note("performance.none_expected")
    failed = replace(model.performance, not_measured={"calibration_slope": reason})
    page = build_report(replace(model, performance=failed), lang="fr").markdown
    assert "Sans valeur : Pente de calibration. Raison : la probabilité" in page


def test_notes_do_not_give_small_counts_away(model):
    noted = replace(model, notes=(Note("development.not_completed", n=4),))
    page = Page(build_report(noted).html).text
    assert "outcome not known: < 10 patients" in page


def test_model_folder_digest_is_reported(model, tmp_path):
    folder = save_model(model, tmp_path / "model")
    digest = read_manifest(folder).digest
    report = build_report(model)
    assert digest in report.html
    assert report.values["model.digest"] == digest


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
