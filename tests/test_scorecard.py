"""The scorecard: arithmetic from the CSV alone, points within one percentage point."""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

import responder_model as rm
from responder_model.challenger import fit_trees
from responder_model.cli.app import app
from responder_model.errors import ResponderModelError
from responder_model.figures.scorecard import nomogram_size, plot_nomogram
from responder_model.labels import label_of
from responder_model.model import Pool
from responder_model.model.example import example_model
from responder_model.model.learnt import learnt_by
from responder_model.outputs import RECORD
from responder_model.schema import dictionary
from responder_model.scorecard import (
    build_points,
    build_scorecard,
    render_csv,
    render_page,
)
from responder_model.simulation import simulate_cohort
from responder_model.words.numbers import format_percent

# Predictors that a surgeon has at the decision; the others are averaged over.
SURGEON = ("age", "aetiology", "pain_duration", "motor_deficit", "relief_test")
CASES = [
    ("rtms_response", "screening", None),
    ("rtms_response", "session_3", None),
    ("emcs_success", "implantation", None),
    ("emcs_success", "implantation", SURGEON),
    ("rtms_response", "screening", ("age", "lesion_type", "depression")),
]


def models(decision, moment):
    """Published model, and a made-up one whose cut-offs have slopes of their own."""
    return [
        rm.published_model(decision, moment),
        example_model(decision, moment, seed=3),
    ]


def random_patient(names, rng):
    """Complete values of some predictors."""
    patient = {}
    for name in names:
        row = dictionary().fields[name]
        if row.kind == "category":
            patient[name] = str(rng.choice(row.category_names))
        elif row.kind == "boolean":
            patient[name] = bool(rng.integers(2))
        elif row.integer:
            patient[name] = int(rng.integers(row.minimum, row.maximum + 1))
        else:
            number = float(rng.uniform(row.minimum, row.maximum))
            percent = row.unit is not None and row.unit["en"] == "%"
            # a percentage below 1 may be a fraction, and is refused
            patient[name] = round(number) if percent else number
    return patient


def probability_by_hand(text, patient):
    """P(each cut-off) from the CSV alone, as its own formula says."""
    rows = list(csv.DictReader(io.StringIO(text)))
    columns = [name for name in rows[0] if name.startswith("log_odds_")]
    transforms = {"identity": lambda x: x, "log": math.log, "log1p": math.log1p}
    words = {True: "yes", False: "no"}
    total = dict.fromkeys(columns, 0.0)
    about_formula = next(r["value"] for r in rows if r["predictor"] == "formula")
    for row in rows:
        if row["kind"] == "constant":
            weight = 1.0
        elif row["kind"] == "number":
            value = transforms[row["transform"]](patient[row["predictor"]])
            weight = (value - float(row["centre"])) / float(row["scale"])
        elif row["kind"] == "curve":
            value = transforms[row["transform"]](patient[row["predictor"]])
            u = abs(value - float(row["centre"])) / float(row["scale"])
            mean, sd, k = map(float, re.findall(r"0\.\d{4,}|1\.\d{4,}", about_formula))
            h = u if u >= k else (k**3 + 3 * k * u**2 - u**3) / (3 * k**2)
            weight = (h - mean) / sd
        elif row["kind"] == "category":
            value = patient[row["predictor"]]
            weight = 1.0 if row["value"] == words.get(value, value) else 0.0
        else:
            continue
        for name in columns:
            total[name] += float(row[name]) * weight
    about = {r["predictor"]: r["value"] for r in rows if r["kind"] == "about"}
    main = next(k for k, name in enumerate(columns) if "main" in about[name])
    log_odds = [total[name] for name in columns]
    for k in range(main - 1, -1, -1):
        log_odds[k] = max(log_odds[k], log_odds[k + 1])
    for k in range(main + 1, len(log_odds)):
        log_odds[k] = min(log_odds[k], log_odds[k - 1])
    return [1.0 / (1.0 + math.exp(-x)) for x in log_odds]


@pytest.mark.parametrize(("decision", "moment", "known"), CASES)
def test_csv_alone_reproduces_the_probability(decision, moment, known):
    rng = np.random.default_rng(0)
    for model in models(decision, moment):
        card = build_scorecard(model, known=known)
        text = render_csv(card)
        names = [term.predictor for term in card.terms]
        for _ in range(50):
            patient = random_patient(names, rng)
            expected = list(model.predict(patient).probabilities.values())
            found = probability_by_hand(text, patient)
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("n", "bends"), [(39, False), (140, True)])
def test_a_card_of_a_developed_model_reproduces_it(n, bends):
    cohort = simulate_cohort(n, seed=8)
    model = rm.develop(cohort, "rtms_response", "screening")
    card = build_scorecard(model, linear_part_only=True)
    model = replace(model, pool=None)
    assert any(term.curve for term in card.terms) == bends
    points = build_points(card)
    assert points.largest_error <= 0.01
    rng = np.random.default_rng(1)
    patient = random_patient(card.known + card.optional, rng)
    found = probability_by_hand(render_csv(card), patient)
    expected = list(model.predict(patient).probabilities.values())
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    assert "provenance,simulated" in render_csv(card)


@pytest.mark.parametrize(("decision", "moment", "known"), CASES)
def test_points_reproduce_the_probability_within_a_percentage_point(
    decision, moment, known
):
    rng = np.random.default_rng(2)
    for model in models(decision, moment):
        card = build_scorecard(model, known=known)
        points = build_points(card)
        worst = 0.0
        for _ in range(200):
            patient = random_patient([term.predictor for term in card.terms], rng)
            told = {
                name: {True: "yes", False: "no"}.get(value, value)
                if isinstance(value, bool)
                else value
                for name, value in patient.items()
            }
            read = points.percent(points.total(told)) / 100.0
            worst = max(worst, abs(read - model.predict(patient).probability))
        assert worst <= points.largest_error <= 0.01


def test_points_are_whole_and_start_at_zero():
    points = build_points(build_scorecard(rm.published_model("emcs_success")))
    for row in points.rows:
        assert min(row.points.values()) == 0
        assert all(isinstance(p, int) for p in row.points.values())
    totals = list(points.totals.values())
    assert totals == sorted(totals)


def test_largest_step_that_is_exact_enough_is_taken():
    few = build_scorecard(rm.published_model("emcs_success"), known=SURGEON)
    many = build_scorecard(rm.published_model("rtms_response", "session_3"))
    assert build_points(few).step > build_points(many).step


def test_lesion_type_is_part_of_the_aetiology():
    model = rm.published_model("rtms_response", "screening")
    card = build_scorecard(model)
    assert "lesion_type" not in card.known + card.averaged + card.optional
    alone = build_scorecard(model, known=["lesion_type"])
    assert alone.known == ("lesion_type",)
    assert "aetiology" in alone.averaged


def test_what_is_averaged_over_is_named():
    card = build_scorecard(rm.published_model("emcs_success"), known=SURGEON)
    assert "relief_days_test" in card.averaged
    assert "rtms_responder" not in card.averaged
    without = build_scorecard(rm.published_model("emcs_success"), known=["age"])
    assert "rtms_responder" in without.averaged


def test_optional_predictors_change_nothing_known_or_not():
    model = rm.published_model("rtms_response", "screening")
    card = build_scorecard(model)
    assert "fatigue" in card.optional
    assert "depression" in card.known
    patient = random_patient(card.known, np.random.default_rng(3))
    others = random_patient(card.optional, np.random.default_rng(4))
    alone = model.predict(patient).probability
    assert model.predict(patient | others).probability == pytest.approx(
        alone, abs=1e-14
    )


def pooled_model():
    model = example_model(seed=5)
    raw = model.encoder.raw(simulate_cohort(120, seed=2))
    outcome = np.random.default_rng(0).integers(0, 2, len(raw)).astype(float)
    trees = fit_trees(raw, outcome, model.encoder, seed=0).to_json()
    return replace(model, pool=Pool(weight=0.4, offset=0.1, slope=0.8, trees=trees))


def test_a_pooled_model_is_refused_unless_its_linear_part_is_asked_for():
    model = pooled_model()
    with pytest.raises(ResponderModelError, match="must have no trees, got a pooled"):
        build_scorecard(model)
    card = build_scorecard(model, linear_part_only=True)
    assert card.trees_weight == 0.4
    assert "trees of weight 0.4 left out" in render_csv(card)
    assert "The card is not the model" in render_page(build_points(card))
    patient = random_patient(card.known, np.random.default_rng(5))
    linear = replace(model, pool=None)
    expected = list(linear.predict(patient).probabilities.values())
    found = probability_by_hand(render_csv(card), patient)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("known", "message"),
    [
        (["age", "nonsense"], "known must be among age, .*, got 'nonsense'"),
        (["relief_1"], "known must be among"),
        (["rtms_responder"], "rtms_responder must not be known without relief_test"),
    ],
)
def test_known_predictors_are_checked(known, message):
    with pytest.raises(ResponderModelError, match=message):
        build_scorecard(rm.published_model("emcs_success"), known=known)


def test_csv_says_what_it_is():
    text = render_csv(build_scorecard(rm.published_model("emcs_success")))
    about = {r[1]: r[2] for r in csv.reader(io.StringIO(text)) if r[0] == "about"}
    assert about["target"] == "emcs_success@implantation"
    assert about["provenance"] == "published"
    assert about["log_odds_40"] == "emcs_relief ≥ 40 % (main cut-off)"
    assert "Research use only" in about["use"]
    assert "1 / (1 + exp(-log-odds))" in about["formula"]


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_page_holds_every_number_of_the_table(lang):
    card = build_scorecard(rm.published_model("emcs_success"), known=SURGEON)
    points = build_points(card)
    page = render_page(points, lang)
    cells = re.findall(r"<td>(.*?)</td><td class=\"number\">(-?\d+)</td>", page)
    assert len(cells) == sum(len(row.points) for row in points.rows)
    assert all(label_of(name, lang) in page for name in card.known)
    for percent, total in points.totals.items():
        shown = f"{percent:g}".replace(".", "," if lang == "fr" else ".")
        assert f"<span>{total}</span><span>{shown} %</span>" in page
    assert not re.search(r"https?://|<script|src=", page)


def test_a_card_of_the_implant_is_not_for_non_responders():
    implant = build_scorecard(rm.published_model("emcs_success"), known=SURGEON)
    test = build_scorecard(rm.published_model("rtms_response", "screening"))
    for card, expected in ((implant, True), (test, False)):
        page = render_page(build_points(card))
        assert ("did not respond to the test" in page) is expected
        assert ("not_for" in render_csv(card)) is expected
        assert "not a treatment effect" in page


def test_page_of_a_simulated_model_says_so():
    model = example_model(name="<b>centre</b>")
    page = render_page(build_points(build_scorecard(model)))
    assert "SIMULATED" in page
    assert "<b>centre</b>" not in page


def test_page_refuses_an_unknown_language():
    points = build_points(build_scorecard(rm.published_model("emcs_success")))
    with pytest.raises(ResponderModelError, match="lang must be one of en, fr"):
        render_page(points, "de")


def test_nomogram_draws_a_scale_per_predictor_on_the_given_axes():
    card = build_scorecard(rm.published_model("emcs_success"), known=SURGEON)
    points = build_points(card)
    ax = Figure(figsize=nomogram_size(points)).add_subplot()
    assert plot_nomogram(points, ax=ax, lang="fr") is ax
    said = " ".join(text.get_text().replace("\n", " ") for text in ax.texts)
    for row in points.rows:
        assert label_of(row.predictor, "fr") in said
    assert "probabilité d'un soulagement ≥ 40 %" in said
    longest = max(max(row.points.values()) for row in points.rows)
    ends = {round(float(line.get_xdata()[-1]), 6) for line in ax.lines}
    for row in points.rows:
        assert round(max(row.points.values()) / longest, 6) in ends


@pytest.mark.parametrize(
    ("lang", "words"), [("en", r" and 1\d others$"), ("fr", r" et 1\d autres$")]
)
def test_nomogram_counts_further_categories_in_words_not_as_points(lang, words):
    card = build_scorecard(rm.published_model("emcs_success"), known=SURGEON)
    points = build_points(card)
    ax = plot_nomogram(points, ax=Figure().add_subplot(), lang=lang)
    said = [text.get_text() for text in ax.texts]
    assert any(re.search(words, text) for text in said)
    assert not any("+" in text for text in said)


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("made_up", [False, True])
def test_nomogram_prints_nothing_over_anything_and_counts_to_100(lang, made_up):
    model = rm.published_model("rtms_response", "screening")
    if made_up:
        model = example_model("rtms_response", "screening", seed=3)
    table = build_points(build_scorecard(model))
    figure = Figure(figsize=nomogram_size(table, lang))
    ax = plot_nomogram(table, ax=figure.add_axes((0, 0, 1, 1)), lang=lang)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    boxes = [(b.x0 + 1, b.x1 - 1, b.y0 + 1, b.y1 - 1) for b in boxes]
    over = [
        (a, b)
        for k, a in enumerate(boxes)
        for b in boxes[k + 1 :]
        if a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3]
    ]
    assert over == []
    top = max(text.get_position()[1] for text in ax.texts)
    scale = [t.get_text() for t in ax.texts if abs(t.get_position()[1] - top) < 1e-9]
    assert scale == [f"{n}" for n in range(0, 101, 10)]


def test_nomogram_marks_an_even_chance_and_breaks_no_cut_off():
    card = build_scorecard(rm.published_model("emcs_success"), known=SURGEON)
    ax = plot_nomogram(build_points(card), ax=Figure().add_subplot(), lang="fr")
    said = [text.get_text() for text in ax.texts]
    assert "50 %" in said
    assert any("≥ 40 %" in text for text in said)


@pytest.mark.parametrize("few", [True, False])
def test_nomogram_draws_how_sure_the_average_patient_is(few):
    model = example_model(n_patients=54) if few else rm.published_model("emcs_success")
    table = build_points(build_scorecard(model))
    low, high = learnt_by(model).interval
    highest = sum(max(row.points.values()) for row in table.rows)
    ax = plot_nomogram(table, ax=Figure().add_subplot(), lang="fr")
    (bar,) = (line for line in ax.lines if line.get_linewidth() > 2.0)
    read = [table.percent(x * highest) / 100.0 for x in bar.get_xdata()]
    assert read == pytest.approx([low, high], abs=0.01)
    said = ax.texts[-1].get_text()
    whom = "un modèle de 54 patients" if few else "les seules données publiées"
    assert f"{format_percent(low)} à {format_percent(high)}, d'après {whom}." in said


def test_command_writes_csv_page_and_picture(tmp_path):
    options = [o for name in SURGEON for o in ("--known", name)]
    out = tmp_path / "card"
    done = CliRunner().invoke(
        app, ["scorecard", "emcs_success", *options, "--out", str(out), "--lang", "fr"]
    )
    assert done.exit_code == 0
    names = {path.name for path in out.iterdir()}
    assert names == {"scorecard.csv", "points.html", "nomogram.png", RECORD}
    model = rm.published_model("emcs_success")
    expected = render_csv(build_scorecard(model, known=SURGEON))
    assert (out / "scorecard.csv").read_text("utf-8") == expected


def test_command_says_which_predictors_there_are(tmp_path):
    asked = ["scorecard", "emcs_success", "--known", "x", "--out", str(tmp_path)]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 1
    assert "known must be among age" in done.stderr
