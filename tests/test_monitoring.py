"""A model in use: evidence at any look, files read or refused, sentences that hold."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import responder_model as rm
from responder_model.artifact import digest_of
from responder_model.cli.app import app
from responder_model.cohort import check_cohort
from responder_model.features.population import REFERENCE_WEIGHT
from responder_model.model.scores import probability_of
from responder_model.monitoring import (
    ALARM,
    Series,
    beyond_own_uncertainty,
    early_warning,
    evidence_of_change,
    inputs_of,
    monitor,
    together,
)
from responder_model.monitoring.process import changes, simulated, when
from responder_model.simulation import simulate_cohort

TODAY = date(2026, 11, 28)
RELIEF = np.array([5.0, 20.0, 40.0, 70.0])
# log-odds at the four levels of the models, and how far patients differ
CUTS, CENTRE, SD = np.array([1.25, 0.0, -1.05]), -0.35, 0.65


def series(
    n_series: int, n: int, seed: int, shift: float = 0.0, since: int = 0
) -> Series:
    rng = np.random.default_rng(seed)
    served = CENTRE + SD * rng.normal(size=(n_series, n, 1)) + CUTS
    moved = np.where(np.arange(n) >= since, shift, 0.0)[:, None]
    passed = rng.random((n_series, n, 1)) < probability_of(served + moved)
    level = passed.sum(axis=-1)
    return Series(log_odds=served, lower=level, upper=level, centre=CENTRE)


# ---------------------------------------------------------------- the statistic


def test_evidence_is_the_sum_over_what_may_have_changed_and_when():
    one = series(1, 12, seed=3)
    alone = Series(
        log_odds=one.log_odds[0], lower=one.lower[0], upper=one.upper[0], centre=CENTRE
    )
    due = 1.0 - when(12).sum()
    for a, b, prior in zip(*changes(), strict=True):
        ratio = np.exp(alone.log_likelihood(a, b) - alone.log_likelihood())
        due += prior * sum(omega * ratio[t:].prod() for t, omega in enumerate(when(12)))
    assert np.exp(evidence_of_change(alone).log_e[-1]) == pytest.approx(due, rel=1e-12)


def test_an_unchanged_model_rarely_raises_an_alarm_at_any_look():
    n_series = 600
    found = evidence_of_change(series(n_series, 300, seed=1))
    share = (found.alarm() >= 0).mean()
    # at most 5 %, by Ville's inequality; three standard errors of a share of 5 %
    assert share <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / n_series)
    assert np.exp(found.log_e[:, 59]).mean() == pytest.approx(
        1.0, abs=4 * np.exp(found.log_e[:, 59]).std() / np.sqrt(n_series)
    )


@pytest.mark.parametrize(("shift", "most"), [(1.0, 45), (-1.0, 45), (0.5, 125)])
def test_a_shift_from_the_start_is_found(shift: float, most: int):
    alarm = evidence_of_change(series(400, 300, seed=2, shift=shift)).alarm()
    waited = np.where(alarm < 0, 10_000, alarm + 1)
    assert np.median(waited) <= most
    assert (alarm >= 0).mean() >= 0.9


def test_yes_or_no_is_worth_less_than_levels():
    levels = series(300, 300, seed=4, shift=0.5)
    yes = levels.lower >= 2
    halves = Series(
        log_odds=levels.log_odds,
        lower=np.where(yes, 2, 0),
        upper=np.where(yes, 3, 1),
        centre=CENTRE,
    )
    by_levels, by_halves = (
        np.median(np.where(a < 0, 400, a))
        for a in (evidence_of_change(s).alarm() for s in (levels, halves))
    )
    assert by_levels < 0.9 * by_halves


def test_an_unknown_outcome_is_no_evidence():
    known = series(1, 20, seed=5, shift=1.0)
    gap = Series(
        log_odds=known.log_odds,
        lower=np.zeros((1, 20), dtype=int),
        upper=np.full((1, 20), 3),
        centre=CENTRE,
    )
    assert np.allclose(evidence_of_change(gap).log_e, 0.0, atol=1e-12)


def test_what_the_model_did_not_know_of_itself_is_no_change():
    off = series(200, 200, seed=6, shift=0.8)
    evidence = evidence_of_change(off)
    assert (evidence.alarm() >= 0).mean() > 0.9
    wide = beyond_own_uncertainty(off, 0.8**2, evidence.log_e)
    assert (wide.max(axis=1) >= np.log(ALARM)).mean() < 0.05
    later = series(200, 300, seed=7, shift=1.5, since=150)
    changed = evidence_of_change(later)
    found = beyond_own_uncertainty(later, 0.3**2, changed.log_e)
    assert (found.max(axis=1) >= np.log(ALARM)).mean() > 0.9


def test_early_warning_is_the_larger_of_two_cusums():
    one = series(1, 30, seed=8)
    step = one.log_likelihood(0.5) - one.log_likelihood()
    up, level = [], 0.0
    for value in step[0]:
        level = max(0.0, level + value)
        up.append(level)
    assert (early_warning(one)[0] >= np.array(up) - 1e-12).all()


def test_simulated_series_are_as_served():
    served = series(1, 50, seed=9).log_odds[0]
    drawn = simulated(served, CENTRE, np.random.default_rng(0), n_series=200, n=50)
    share = (drawn.lower >= 2).mean()
    due = probability_of(served[:, 1]).mean()
    assert share == pytest.approx(due, abs=4 * np.sqrt(0.25 / 10_000))


# ---------------------------------------------------------------- files


@pytest.fixture(scope="module")
def model():
    return rm.published_model("rtms_response", moment="screening")


def use(model, folder, *, shift=0.0, n=150, seed=1, known=1.0):
    """Predictions of a model in use, and outcomes that are ``shift`` better."""
    cohort = simulate_cohort(n_patients=n, seed=3)
    served = model.predict_cohort(cohort)
    names = [c for c in served if str(c).startswith("probability_")]
    chance = served[names].to_numpy()
    log_odds = np.log(chance) - np.log1p(-chance) + shift
    rng = np.random.default_rng(seed)
    level = (rng.random((n, 1)) < probability_of(log_odds)).sum(axis=1)
    days = [date(2024, 1, 1) + timedelta(days=6 * k) for k in range(n)]
    who = [f"P-{k:04d}" for k in range(n)]
    predictions = pd.DataFrame(
        {"patient_id": who, "date": days, "model_digest": digest_of(model)}
        | {name: served[name].to_numpy() for name in names}
    )
    outcomes = pd.DataFrame(
        {
            "patient_id": who,
            "date": [day + timedelta(days=60) for day in days],
            "relief_test": RELIEF[level],
        }
    )
    outcomes = outcomes[np.random.default_rng(2).random(n) < known]
    outcomes = outcomes[[day <= TODAY for day in outcomes["date"]]]
    paths = folder / "scores.csv", folder / "outcomes.csv"
    predictions.to_csv(paths[0], index=False)
    outcomes.to_csv(paths[1], index=False)
    return paths


def test_a_model_that_holds_is_said_to_hold(model, tmp_path):
    found = monitor(model, *use(model, tmp_path), today=TODAY)
    assert found.state == "calibrated"
    assert not found.is_alarm
    assert found.mend.kind == "none"
    assert found.n_due == found.n_known == sum(m.n for m in found.months[-1:])
    assert sum(found.shares.values()) == pytest.approx(1.0)
    text = " ".join(note.text() for note in found.messages)
    assert "No sign" in text
    assert "would, as often as not, not have shown yet" in text
    # a published model spreads its patients little: the slope of 130 is anything
    assert found.measures["calibration_slope"][2] > 2.0
    assert "The interval of this slope is too wide to say much." in text


def test_without_a_sign_of_change_no_update_is_named(model, tmp_path):
    found = monitor(model, *use(model, tmp_path, shift=-0.3), today=TODAY)
    assert (found.state, found.early_warning) == ("calibrated", None)
    assert found.mend.kind != "none"
    assert not [n for n in found.messages if n.code.startswith("monitoring.update")]


def test_a_model_that_fails_is_said_to_fail_and_how_to_mend_it(model, tmp_path):
    found = monitor(model, *use(model, tmp_path, shift=-1.2), today=TODAY)
    assert found.state == "off"  # evidence alone knows no centre's level
    assert found.alarm is not None
    assert found.mend.kind == "in_the_large"
    assert found.mend.gain > 0.05
    assert found.observed < found.expected - 20
    # as the update that is named does it: so many would be expected as were observed
    off = (found.expected - found.observed) / found.n_known
    assert found.mend.mean_change == pytest.approx(off, abs=0.01)
    assert found.to_dict()["alarm"] == found.alarm.isoformat()


def test_patients_count_when_their_outcome_is_due_whenever_it_is_known(model, tmp_path):
    paths = use(model, tmp_path)
    rows = pd.read_csv(paths[1])
    shuffled = rows.sample(frac=1.0, random_state=3)
    early = shuffled.assign(date="2024-01-01")
    early["date"] = (
        pd.read_csv(paths[0])
        .set_index("patient_id")["date"]
        .reindex(early["patient_id"])
        .to_numpy()
    )
    early.to_csv(tmp_path / "early.csv", index=False)
    known = monitor(model, *paths, today=TODAY)
    sooner = monitor(model, paths[0], tmp_path / "early.csv", today=TODAY)
    assert sooner.months == known.months
    assert sooner.evidence == known.evidence


def test_looking_earlier_shows_the_start_of_the_same_series(model, tmp_path):
    paths = use(model, tmp_path)
    whole = monitor(model, *paths, today=TODAY)
    rows = pd.read_csv(paths[1])
    rows[rows["date"] <= "2025-06-30"].to_csv(tmp_path / "then.csv", index=False)
    scores = pd.read_csv(paths[0])
    scores[scores["date"] <= "2025-06-30"].to_csv(tmp_path / "s.csv", index=False)
    then = monitor(
        model, tmp_path / "s.csv", tmp_path / "then.csv", today=date(2025, 6, 30)
    )
    assert len(then.months) > 10
    for early, late in zip(then.months[:-1], whole.months, strict=False):
        assert asdict(early) == pytest.approx(asdict(late))


def test_an_alarm_that_rests_on_missing_outcomes_says_so(model, tmp_path):
    paths = use(model, tmp_path, known=0.5)
    found = monitor(model, *paths, today=TODAY)
    assert found.state == "depends"
    assert found.n_known < found.n_due
    text = found.messages[0].text()
    assert str(found.n_due - found.n_known) in text
    assert "Find out what became of them first" in text


def test_nothing_due_is_said(model, tmp_path):
    paths = use(model, tmp_path, n=20)
    empty = pd.read_csv(paths[1]).assign(date="2024-05-01")
    empty.head(1).to_csv(paths[1], index=False)
    found = monitor(model, *paths, today=TODAY, due_days=100_000)
    assert found.state == "nothing_due"
    assert found.n_waiting == 20
    assert found.months == ()


# ---------------------------------------------------------------- predictors


def with_predictors(model, folder, **change):
    """Predictions with the predictors of their patients, outcomes 1.2 worse."""
    paths = use(model, folder, shift=-1.2)
    cohort = simulate_cohort(n_patients=150, seed=3).assign(**change)
    known = cohort[[name for name in model.encoder.predictors if name in cohort]]
    pd.concat([pd.read_csv(paths[0]), known], axis=1).to_csv(paths[0], index=False)
    return paths


def test_with_predictors_the_update_is_named_by_what_has_changed(model, tmp_path):
    paths = with_predictors(model, tmp_path, age=88.0)
    found = monitor(model, *paths, today=TODAY)
    assert found.mend.kind == "update"
    assert found.mend.gain > 0.02
    assert found.mend.largest_change < -0.05
    assert found.mend.said[0].code == "development.changed"
    named = [one for one in found.inputs if one.is_flagged]
    assert [one.predictor for one in named] == ["age"]
    assert found.n_predicted == 150
    assert found.n_outside > 0
    for lang, words in (("en", "88 years, was 56 years"), ("fr", "88 ans, contre 56")):
        assert any(words in note.text(lang) for note in found.messages)


def test_without_predictors_the_level_is_named_and_who_is_told_what(model, tmp_path):
    found = monitor(model, *use(model, tmp_path, shift=-1.2), today=TODAY)
    told = [note.values for note in found.mend.said]
    assert len(told) == 3
    assert all(one["after"] < one["before"] for one in told)
    assert found.inputs == ()


def test_eight_patients_of_the_population_are_no_other_patients(model):
    patients = simulate_cohort(n_patients=8 * 40, seed=11)
    named = [
        sum(one.is_flagged for one in inputs_of(model, patients.iloc[k : k + 8]))
        for k in range(0, len(patients), 8)
    ]
    # 40 groups of 18 predictors: 1 % would be 7
    assert sum(named) <= 1


def test_an_input_is_as_likely_as_its_sequence_one_by_one(model):
    """The e-value of yes/no: Beta predictive probabilities, multiplied."""
    n = REFERENCE_WEIGHT
    share = next(c.centre for c in model.encoder.columns if c.name == "opioid")
    values = [True, True, False, True, True, True]

    def probability(yes, no):
        product = 1.0
        for value in values:
            product *= (yes if value else no) / (yes + no)
            yes, no = yes + value, no + (not value)
        return product

    yes, no = n * share + 0.5, n * (1 - share) + 0.5
    null, moved = probability(yes, no), []
    for worth in (2.0, 8.0, 32.0):
        kept = 1.0 / (1.0 / (yes + no) + 1.0 / worth) / (yes + no)
        moved.append(probability(kept * yes, kept * no))
    (found,) = inputs_of(model, check_cohort(pd.DataFrame({"opioid": values})))
    assert found.evidence == pytest.approx(np.mean(moved) / null, rel=1e-9)


# ---------------------------------------------------------------- together


def test_all_decisions_together_have_the_mean_of_their_evidence(model, tmp_path):
    one = monitor(model, *use(model, tmp_path, shift=-1.2), today=TODAY)
    later = tuple((day + timedelta(days=400), e / 1e9) for day, e in one.path)
    other = replace(one, decision="emcs_success", path=later, alarm=None)
    found = together([one, other])
    means = [(e + 1.0) / 2.0 for day, e in one.path if day < later[0][0]]
    first = next(k for k, mean in enumerate(means) if mean >= ALARM)
    assert found.alarm == one.path[first][0] >= one.alarm
    assert found.highest >= max(means)
    assert "ALARM since" in found.messages[0].text()
    with pytest.raises(rm.ResponderModelError, match="of different decisions"):
        together([one, one])


def test_lines_of_other_models_are_set_aside(model, tmp_path):
    paths = use(model, tmp_path)
    rows = pd.read_csv(paths[0])
    rows.loc[:9, "model_digest"] = "0" * 64
    rows.to_csv(paths[0], index=False)
    found = monitor(model, *paths, today=TODAY)
    assert found.n_set_aside == 10
    assert any(note.code == "monitoring.set_aside" for note in found.messages)
    assert found.messages[0].code != "monitoring.none_of_model"
    rows["model_digest"] = "0" * 64
    rows.to_csv(paths[0], index=False)
    found = monitor(model, *paths, today=TODAY)
    assert found.n_set_aside == len(rows)
    assert found.messages[0].text("en").startswith("No prediction here is of this")
    assert found.messages[0].text("fr").startswith("Aucune prédiction n'est de ce")


BROKEN = {
    "date": ("scores", {"date": "03/05/24"}, "date"),
    "to come": ("scores", {"date": "2031-05-03"}, "not_to_come"),
    "outside": ("scores", {"probability_30": 1.2}, "probability"),
    "text": ("scores", {"probability_30": "high"}, "probability"),
    "rising": ("scores", {"probability_10": 0.01, "probability_30": 0.9}, "falling"),
    "twice": ("scores", {"patient_id": "P-0003"}, "one_prediction"),
    "no patient": ("scores", {"patient_id": ""}, "given"),
    "two outcomes": ("outcomes", {"patient_id": "P-0007"}, "unique"),
    "nobody": ("outcomes", {"patient_id": "P-9999"}, "predicted"),
    "before": ("outcomes", {"date": "2023-01-01"}, "after_prediction"),
}


@pytest.mark.parametrize("key", BROKEN)
def test_lines_that_cannot_be_meant_are_refused_by_row(model, tmp_path, key):
    paths = dict(zip(("scores", "outcomes"), use(model, tmp_path), strict=True))
    which, values, rule = BROKEN[key]
    rows = pd.read_csv(paths[which]).astype(object)
    for name, value in values.items():
        rows.loc[4, name] = value
    rows.to_csv(paths[which], index=False)
    with pytest.raises(rm.InvalidCohortError) as refused:
        monitor(model, paths["scores"], paths["outcomes"], today=TODAY)
    rules = {(p.row, p.allowed.code) for p in refused.value.problems}
    # a repeated identifier of a cohort is refused where any cohort's is
    due = (9, "cohort.unique") if rule == "unique" else (6, f"monitoring.{rule}")
    assert due in rules
    for lang in ("en", "fr"):
        told = [p.text(lang) for p in refused.value.problems]
        assert all("monitoring." not in text for text in told)


def test_everything_wrong_in_both_files_is_listed_at_once(model, tmp_path):
    paths = use(model, tmp_path)
    scores, outcomes = (pd.read_csv(path).astype(object) for path in paths)
    scores.loc[[2, 7], "probability_30"] = "high"
    scores.loc[3, "date"] = "soon"
    outcomes.loc[[1, 5], "relief_test"] = "plenty"
    outcomes.loc[4, "date"] = "later"
    outcomes.loc[6, "patient_id"] = "P-9999"
    for table, path in zip((scores, outcomes), paths, strict=True):
        table.to_csv(path, index=False)
    with pytest.raises(rm.InvalidCohortError) as refused:
        monitor(model, *paths, today=TODAY)
    found = {(p.file, p.row) for p in refused.value.problems}
    first, then = (path.name for path in paths)
    wrong = {(first, row) for row in (4, 9, 5)}
    assert found == wrong | {(then, row) for row in (3, 7, 6, 8)}
    assert "plenty" not in str(refused.value)
    assert refused.value.problems[0].name("fr").startswith("scores.csv : ")


def test_missing_columns_are_named(model, tmp_path):
    paths = use(model, tmp_path)
    pd.read_csv(paths[0]).drop(columns=["date", "probability_50"]).to_csv(
        paths[0], index=False
    )
    with pytest.raises(rm.InvalidCohortError) as refused:
        monitor(model, *paths, today=TODAY)
    text = refused.value.problems[0].text()
    assert "one with a column for each of: " in text
    assert "date" in text
    assert "probability_50" in text
    assert "score --date" in text


def test_a_prediction_without_a_day_says_what_writes_it(model, tmp_path):
    paths = use(model, tmp_path)
    for path in paths:
        table = pd.read_csv(path).astype(object)
        table.loc[3, "date"] = None
        table.to_csv(path, index=False)
    with pytest.raises(rm.InvalidCohortError) as refused:
        monitor(model, *paths, today=TODAY)
    said = {p.file: p.text("fr") for p in refused.value.problems}
    first, then = (path.name for path in paths)
    assert "score --date" in said[first]
    assert "score --date" not in said[then]


def test_relief_as_a_fraction_is_asked_here_too(model, tmp_path):
    paths = use(model, tmp_path)
    rows = pd.read_csv(paths[1])
    rows["relief_test"] /= 100
    rows.to_csv(paths[1], index=False)
    with pytest.raises(rm.InvalidCohortError) as refused:
        monitor(model, *paths, today=TODAY)
    assert refused.value.questions


# ---------------------------------------------------------------- the command


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_scores_with_a_date_are_what_monitor_reads(tmp_path):
    cohort = tmp_path / "new.csv"
    assert run("simulate", "--n-patients", 30, "--out", cohort).exit_code == 0
    scores = tmp_path / "scores.csv"
    model = "rtms_response@screening"
    done = run("score", model, cohort, "--out", scores, "--date", "2026-01-15")
    assert done.exit_code == 0
    rows = pd.read_csv(scores)
    assert set(rows["date"]) == {"2026-01-15"}
    relief = pd.read_csv(cohort)[["patient_id", "relief_test"]].dropna()
    relief.assign(date="2026-03-01").to_csv(tmp_path / "known.csv", index=False)
    given = ["--predictions", scores, "--outcomes", tmp_path / "known.csv"]
    done = run("monitor", model, *given, "--today", "2026-11-28", "--json")
    assert done.exit_code in (0, 4), done.output
    found = json.loads(done.stdout)
    assert found["n_due"] == 30
    assert found["n_known"] == len(relief)
    assert found["provenance"] == "simulated"


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_an_alarm_has_an_exit_code_a_sentence_and_a_page(model, tmp_path, lang):
    paths = use(model, tmp_path, shift=-1.2)
    out = tmp_path / "monitoring"
    given = ["--predictions", paths[0], "--outcomes", paths[1], "--out", out]
    done = run(
        "monitor", model.target, *given, "--today", TODAY.isoformat(), "--lang", lang
    )
    assert done.exit_code == 4
    assert done.stdout.startswith({"en": "ALARM since", "fr": "ALARME depuis"}[lang])
    assert digest_of(model)[:12] in done.stdout
    assert (out / "monitoring.png").read_bytes().startswith(b"\x89PNG")
    page = (out / "monitoring.html").read_text("utf-8")
    assert done.stdout.splitlines()[0].replace("'", "&#39;") in page
    kept = json.loads((out / "monitoring.json").read_text("utf-8"))
    assert kept["digest"] == digest_of(model)
    assert sum(level["observed"] for level in kept["levels"]) == kept["n_known"]
    expected = sum(level["expected"] for level in kept["levels"])
    assert expected == pytest.approx(kept["n_known"])


def test_commands_of_the_page_run(tmp_path, monkeypatch):
    page = (Path(__file__).parents[1] / "docs" / "monitoring.md").read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    lines = re.findall(r"^    responder-model (.*)$", page, re.MULTILINE)
    assert len(lines) == 3
    for line in lines:
        words = line.split()
        if words[0] == "monitor":
            relief = pd.read_csv("new.csv")[["patient_id", "relief_test"]].dropna()
            relief.assign(date="2026-03-01").to_csv("outcomes.csv", index=False)
        done = run(*words)
        assert done.exit_code in (0, 4), done.output
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(code, "monitoring.md", "exec"), {})
