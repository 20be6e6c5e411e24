"""Models of centres that share no patient, combined."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from matplotlib.figure import Figure
from scipy.stats import norm
from typer.testing import CliRunner

import responder_model as rm
from responder_model.artifact import digest_of, release_model, sign_model
from responder_model.cli.app import app
from responder_model.combining import combine, read_share, share
from responder_model.combining.contribution import contribution_of
from responder_model.combining.product import (
    Gaussian,
    Likelihoods,
    mass,
    multiply,
)
from responder_model.combining.share_file import release_share, what_leaves
from responder_model.errors import DisclosureError
from responder_model.figures.combining import plot_effect
from responder_model.reporting import build_report
from responder_model.schema import dictionary, parse_dictionary
from responder_model.simulation import draw_truth, simulate_cohort
from responder_model.validation import validate_by_centre

SETTINGS = rm.Settings(
    decision="rtms_response", moment="screening", challenger=False, centres="ignored"
)
SIZES = (60, 80, 100)


def cohort(n, seed, truth):
    drawn = simulate_cohort(n, seed, truth=truth, n_implanted=0, symptom_recorded=False)
    return drawn.assign(patient_id=[f"{seed}-{k}" for k in range(len(drawn))])


@pytest.fixture(scope="module")
def truth():
    return draw_truth("rtms_response", "right", np.random.default_rng(5))


@pytest.fixture(scope="module")
def cohorts(truth):
    return [cohort(n, seed, truth) for seed, n in enumerate(SIZES, start=1)]


@pytest.fixture(scope="module")
def models(cohorts):
    return [
        rm.develop(one, settings=SETTINGS, name=f"centre {c}")
        for c, one in enumerate(cohorts)
    ]


@pytest.fixture(scope="module")
def new(truth):
    return cohort(300, 9, truth)


# ---------------------------------------------------------------- the product


# A, e and constant of three centres: exp(constant - A·x²/2 + e·x)
CENTRES = np.array([[4.0, 1.2, -0.5], [6.3, -1.3, 0.2], [2.0, 1.8, 0.4]])


@pytest.mark.parametrize("tau", [0.0, 0.4])
def test_product_is_the_integral_over_what_centres_share(tau):
    parts = Likelihoods(
        precision=CENTRES[:, 0].reshape(-1, 1, 1),
        vector=CENTRES[:, 1].reshape(-1, 1),
        constant=CENTRES[:, 2],
    ).apart(np.array([tau**2]))
    prior = Gaussian(precision=np.array([[1 / 0.64]]), vector=np.array([0.1 / 0.64]))
    found = multiply(prior, parts)
    x = np.linspace(-6.0, 6.0, 2401)
    step = x[1] - x[0]
    density = norm.pdf(x, 0.1, 0.8)
    for precision, vector, constant in CENTRES:

        def likelihood(at, a=precision, e=vector, c=constant):
            return np.exp(c - 0.5 * a * at**2 + e * at)

        if tau == 0.0:
            density = density * likelihood(x)
        else:
            weight = norm.pdf(x, 0.0, tau) * step
            density = density * (likelihood(x[:, None] + x) @ weight)
    whole = density.sum() * step
    assert found.log_weight == pytest.approx(np.log(whole), abs=1e-8)
    assert found.mean[0] == pytest.approx((density @ x) * step / whole, abs=1e-8)


def test_product_is_refused_where_it_is_no_distribution():
    with pytest.raises(rm.ResponderModelError, match="no distribution"):
        mass(np.array([[-1.0]]), np.array([0.0]))


# ---------------------------------------------------------------- models


def test_combined_is_as_if_developed_together(models, cohorts, new):
    whole = pd.concat(cohorts, ignore_index=True)
    together = rm.develop(whole, settings=SETTINGS)
    combined = combine(models, alike=True).model
    ours, theirs = (m.predict_cohort(new) for m in (combined, together))
    assert np.abs(ours.probability - theirs.probability).mean() < 0.03
    assert np.corrcoef(ours.probability, theirs.probability)[0, 1] > 0.98
    alone = models[0].predict_cohort(new)
    assert (ours.upper - ours.lower).mean() < (alone.upper - alone.lower).mean()
    assert combined.n_patients == together.n_patients
    assert combined.n_events == together.n_events


def test_combining_in_steps_is_combining_at_once(models, new):
    once = combine(models, alike=True).model
    pair = combine(models[:2], alike=True).model
    steps = combine([pair, models[2]], alike=True).model
    here, there = (m.predict_cohort(new) for m in (once, steps))
    for column in ("probability", "lower", "upper"):
        assert np.abs(here[column] - there[column]).max() < 1e-9


def test_order_of_centres_changes_nothing(models, new):
    here, there = (
        combine(some).model.predict_cohort(new).probability
        for some in (models, models[::-1])
    )
    assert np.abs(here - there).max() < 1e-9


def test_centres_that_may_differ_leave_a_new_one_less_sure(models, new):
    alike, apart = (combine(models, alike=a).model for a in (True, False))
    sure, unsure = (m.predict_cohort(new) for m in (alike, apart))
    assert (unsure.upper - unsure.lower).mean() > (sure.upper - sure.lower).mean()


def test_far_levels_are_found_and_kept_for_their_own_centre(truth, new):
    moved = [replace(truth, mean=truth.mean + shift) for shift in (-0.8, 0.0, 0.8)]
    models = [
        rm.develop(cohort(150, 20 + c, one), settings=SETTINGS, name=f"centre {c}")
        for c, one in enumerate(moved)
    ]
    found = combine(models)
    levels = [member.level for member in found.members]
    assert levels == sorted(levels)
    assert levels[2] - levels[0] > 0.8
    assert found.between.level[0] > 0.3
    assert found.between.i_squared > 0.5
    low, middle, high = (
        combine(models, for_member=c).model.predict_cohort(new).probability.mean()
        for c in range(3)
    )
    assert low < middle < high


def test_a_centre_whose_outcomes_are_swapped_is_named(truth, models):
    swapped = cohort(150, 31, truth)
    relief = swapped["relief_test"]
    swapped["relief_test"] = (60 - relief).clip(-100, 100)
    swapped["rtms_responder"] = None
    swapped = swapped.drop(
        columns=[
            c for c in swapped if str(c).startswith("relief_") and c != "relief_test"
        ]
    )
    odd = rm.develop(swapped, settings=SETTINGS, name="swapped")
    found = combine([*models, odd])
    assert [m.name for m in found.members if m.contradicts] == ["swapped"]
    notes = [str(note) for note in found.model.notes]
    assert any("Contradicts the others" in note and "swapped" in note for note in notes)


@pytest.fixture(scope="module")
def odd(truth):
    """A centre where every effect has the other sign, and more than that."""
    turned = replace(truth, slopes=-2.0 * truth.slopes)
    return rm.develop(cohort(150, 33, turned), settings=SETTINGS, name="turned")


def test_a_centre_that_contradicts_is_shown_with_and_without(models, odd):
    found, rest = combine([*models, odd]), combine(models)
    assert [m.name for m in found.members if m.contradicts] == ["turned"]
    assert len(found.members) == 4
    assert found.model.n_patients == sum(m.n_patients for m in (*models, odd))
    assert found.without.to_dict() == rest.to_dict()
    assert found.to_dict()["without"]["n_patients"] == rest.model.n_patients
    assert rest.without is None
    # of two centres nobody can tell which one is wrong
    assert combine([models[2], odd]).without is None


def test_weights_are_shares_of_what_is_known(models):
    found = combine(models)
    weights = [member.weight for member in found.members]
    assert weights == sorted(weights)  # more patients, more weight
    assert min(weights) > 0.0
    assert 0.0 < found.evidence_weight < 1.0
    assert sum(weights) + found.evidence_weight == pytest.approx(1.0)
    fewer = combine(models[:2])
    assert fewer.members[0].weight > weights[0]
    assert fewer.evidence_weight > found.evidence_weight


def test_effects_are_those_served_and_a_new_centre_is_less_sure(models):
    found = combine(models)
    columns = [effect.column for effect in found.effects]
    assert columns == ["level", *found.model.encoder.derived]
    new = np.array([effect.new[0] for effect in found.effects])
    np.testing.assert_allclose(
        new[1:] @ found.model.encoder.projection, found.model.main.coefficients
    )
    assert new[0] == pytest.approx(found.model.main.intercept)
    for effect in found.effects:
        assert effect.new[0] == pytest.approx(effect.common[0])
        assert effect.new[1] < effect.common[1] < effect.common[2] < effect.new[2]
    for effect in combine(models, alike=True).effects:
        assert effect.new == pytest.approx(effect.common)


def test_effects_of_a_centre_are_what_its_patients_add(models):
    """With the evidence's precision back in, the centre's own posterior is there."""
    found = combine(models)
    own = models[2].components[0]  # the published one
    place = len(models[2].rules.cut_points) + models[2].encoder.derived.index("age")
    mean, low, high = found.effects[place - 4].centres[2]
    assert found.effects[place - 4].column == "age"
    added = ((high - low) / 2.0 / 1.959964) ** -2.0
    before, after = own.prior_sd[place] ** -2.0, 1.0 / own.covariance[place, place]
    assert added == pytest.approx(after - before)
    whole = (mean * added + own.prior_mean[place] * before) / after
    assert whole == pytest.approx(own.mean[place])


def test_combined_model_is_validated_explained_signed_and_reported(
    models, new, tmp_path
):
    model = combine(models).model
    centres = new.assign(centre=np.where(np.arange(len(new)) % 2, "east", "west"))
    table = validate_by_centre(model, centres)
    assert list(table["centre"]) == ["east", "west"]
    assert table["c_statistic"].between(0.4, 1.0).all()
    told = model.explain(new.head(5))
    served = model.predict_cohort(new.head(5))["probability"]
    log_odds = told.base_values + told.values.sum(axis=1)
    np.testing.assert_allclose(1.0 / (1.0 + np.exp(-log_odds)), served)
    key = Ed25519PrivateKey.generate()
    rm.save_model(model, tmp_path / "abc")
    public = sign_model(tmp_path / "abc", key.private_bytes_raw())
    read = rm.load_model(tmp_path / "abc", trusted_keys=[public])
    for lang, words in {"en": "3 centres, without", "fr": "3 centres, sans"}.items():
        assert words in build_report(read, lang=lang).html


def test_updated_centre_is_combined_as_if_developed_on_all_its_patients(
    truth, models, new
):
    early, late = cohort(60, 51, truth), cohort(60, 52, truth)
    free = replace(SETTINGS, small_cells=0, stays_here=True)
    whole = rm.develop(pd.concat([early, late], ignore_index=True), settings=free)
    steps = rm.update(rm.develop(early, settings=free), late)
    here, there = (
        combine([contribution_of(one), models[2]], alike=True)
        .model.predict_cohort(new)
        .probability
        for one in (whole, steps)
    )
    assert np.abs(here - there).max() < 0.02
    with pytest.raises(rm.ResponderModelError, match="may have changed"):
        combine([rm.update(models[0], late, method="auto"), models[1]])
    with pytest.raises(rm.ResponderModelError, match="may have changed"):
        combine([rm.update(models[0], late, power=0.5), models[1]])


def test_an_update_of_the_published_model_is_combined_like_a_development(
    models, cohorts, new
):
    published = rm.published_model("rtms_response", moment="screening")
    updated = rm.update(published, cohorts[0])
    here, there = (
        combine([one, models[1]], alike=True).model.predict_cohort(new).probability
        for one in (updated, models[0])
    )
    assert np.abs(here - there).max() < 0.02


def test_a_combined_model_is_a_model_like_any_other(models, new, tmp_path):
    model = combine(models).model
    rm.save_model(model, tmp_path / "abc")
    read = rm.load_model(tmp_path / "abc")
    assert (read.predict_cohort(new) == model.predict_cohort(new)).all(axis=None)
    assert read.digest == digest_of(model)
    newer = rm.update(read, new)
    assert newer.n_patients > model.n_patients
    assert newer.parent == read.digest


def test_what_cannot_be_combined_is_refused_with_every_reason(models, cohorts):
    published = rm.published_model("rtms_response", moment="screening")
    updated = rm.update(models[0], cohorts[1], method="auto")
    other = rm.develop(
        cohorts[0], settings=replace(SETTINGS, moment="session_1"), name="later"
    )
    apart = combine(models[:2]).model
    with pytest.raises(rm.ResponderModelError) as refused:
        combine([models[0], models[0], published, updated, other, apart])
    for lang, words in {
        "en": ("same model", "no patient", "was updated", "another question"),
        "fr": ("le même modèle", "aucun patient", "mis à jour", "une autre question"),
    }.items():
        text = refused.value.text(lang)
        assert all(word in text for word in words), text
    with pytest.raises(rm.ResponderModelError, match="combined already"):
        combine([apart, models[2]])
    with pytest.raises(rm.ResponderModelError, match="at least two"):
        combine(models[:1])
    with pytest.raises(rm.ResponderModelError, match="for_member"):
        combine(models, for_member=3)


def test_models_of_one_name_are_told_apart_by_their_digests(models):
    alike = [replace(one, name="cohort") for one in models[:2]]
    named = [f"cohort ({digest_of(one)[:8]})" for one in alike]
    found = combine([*alike, models[2]])
    assert [one.name for one in found.members] == [*named, "centre 2"]
    assert found.model.name.startswith(" + ".join(named))
    with pytest.raises(rm.ResponderModelError, match="is the same model") as refused:
        combine([*alike, alike[0]])
    assert named[0] in str(refused.value)


def other(model, **changes):
    """Model that differs in something, under a name of its own."""
    return replace(model, name="other", **changes)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("evidence", "another version of the published evidence, which differs in: "),
        ("priors", "other priors than this version makes"),
        ("predictors", "has other predictors than centre 0"),
        ("cut points", "counts outcomes by other rules than centre 0"),
        ("centre", "stays in its centre"),
        ("precision", "says what no patients can say"),
    ],
)
def test_what_differs_is_refused_by_name(models, cohorts, change, words):
    model = models[1]
    part = model.components[0]
    few = replace(SETTINGS, predictors=("age", "pain_intensity", "depression"))
    rows = model.evidence.rows
    first = next(iter(rows))
    newer = {**rows, first: replace(rows[first], n=(rows[first].n or 0) + 1)}
    changed = {
        "evidence": lambda: other(
            model,
            evidence=replace(model.evidence, rows=newer),
            components=tuple(
                replace(one, prior_mean=one.prior_mean + 0.1)
                for one in model.components
            ),
        ),
        "priors": lambda: other(
            model,
            components=(
                replace(part, prior_mean=part.prior_mean + 0.1),
                *model.components[1:],
            ),
        ),
        "predictors": lambda: rm.develop(cohorts[1], settings=few, name="other"),
        "cut points": lambda: other(
            model, encoder=replace(model.encoder, dictionary=with_other_cut_points())
        ),
        "centre": lambda: other(
            model, disclosure=replace(model.disclosure, stays_here=True)
        ),
        "precision": lambda: other(
            model,
            components=(
                replace(part, covariance=1e6 * part.covariance, weight=1.0),
                *model.components[1:],
            ),
        ),
    }
    with pytest.raises(rm.ResponderModelError, match=words) as refused:
        combine([models[0], changed[change]()])
    named = {
        "evidence": first,
        "predictors": "sex",
        "cut points": "cut_points is 10, 25",
    }
    assert named.get(change, "") in str(refused.value)


def test_all_that_speaks_against_one_model_is_said(models):
    model = models[1]
    bad = other(
        model,
        encoder=replace(model.encoder, dictionary=with_other_cut_points()),
        disclosure=replace(model.disclosure, stays_here=True),
    )
    with pytest.raises(rm.ResponderModelError, match="cut_points") as refused:
        combine([models[0], bad])
    assert "\n- other is marked as one that stays" in str(refused.value)


def test_many_rows_that_differ_are_counted_and_all_kept(models):
    evidence = models[1].evidence
    newer = {k: replace(row, n=(row.n or 0) + 1) for k, row in evidence.rows.items()}
    parts = [
        replace(one, prior_mean=one.prior_mean + 0.1) for one in models[1].components
    ]
    bad = other(
        models[1], evidence=replace(evidence, rows=newer), components=tuple(parts)
    )
    with pytest.raises(rm.ResponderModelError) as refused:
        combine([models[0], bad])
    (reason,) = refused.value.said.values["reasons"]
    rows = reason.values["rows"]
    assert set(newer) <= set(rows)
    assert f", {len(rows) - 5} more. " in reason.text()
    assert f", {len(rows) - 5} de plus. " in reason.text("fr")
    assert rows[4] in reason.text()
    assert rows[5] not in reason.text()


def with_other_cut_points():
    text = dictionary().text
    ours = "cut_points = [10, 20, 30, 50, 70]"
    assert ours in text
    return parse_dictionary(text.replace(ours, ours.replace("20", "25")))


def test_simulated_beside_real_is_simulated_and_said(models):
    real = replace(models[0], provenance="cohort")
    model = combine([real, models[1]]).model
    assert model.provenance == "simulated"
    assert "development.combined_simulated" in [note.code for note in model.notes]
    assert combine([models[0], models[1]]).model.provenance == "simulated"


def test_the_same_patients_twice_are_refused(cohorts):
    both = pd.concat(cohorts[:2], ignore_index=True)
    whole = rm.develop(both, settings=SETTINGS, name="both")
    part = rm.develop(cohorts[0], settings=SETTINGS, name="part")
    if whole.fingerprints is None:
        pytest.skip("no key can be kept here")
    with pytest.raises(rm.ResponderModelError, match="are in another"):
        combine([whole, part])


# ---------------------------------------------------------------- the command


def test_a_combined_run_names_its_members(models, tmp_path, new_store):
    folders = [str(tmp_path / f"m{c}") for c in range(2)]
    for model, folder in zip(models, folders, strict=False):
        rm.save_model(model, folder)
    uri = new_store(tmp_path)
    words = ["combine", *folders, "--out", str(tmp_path / "all")]
    done = CliRunner().invoke(app, [*words, "--tracking-uri", uri, "--json"])
    said = json.loads(done.stdout)
    tags = mlflow.MlflowClient(uri).get_run(said["run_id"]).data.tags
    assert tags["model_digest"] == said["digest"]
    members = [digest_of(model) for model in models[:2]]
    assert tags["member_digests"].split() == members


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_command_combines_folders(models, tmp_path, lang):
    folders = []
    for c, model in enumerate(models):
        folders.append(str(tmp_path / f"m{c}"))
        rm.save_model(model, folders[-1])
    out = tmp_path / "abc"
    words = ["combine", *folders, "--out", str(out), "--no-track"]
    picture = tmp_path / "abc.png"
    done = CliRunner().invoke(app, [*words, "--lang", lang, "--figure", str(picture)])
    assert done.exit_code == 0, done.output
    for model in models:
        assert f"{model.name} " in done.stdout
        assert digest_of(model)[:12] in done.stdout
    for said in {
        "en": (
            "SIMULATED patients",
            "SD between centres",
            "a new centre",
            "published evidence has",
        ),
        "fr": (
            "patients SIMULÉS",
            "Écart-type entre centres",
            "un nouveau centre",
            "publiées ont",
        ),
    }[lang]:
        assert said in done.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert rm.load_model(out).n_patients == sum(m.n_patients for m in models)
    again = CliRunner().invoke(
        app, [*words, "--for", folders[1], "--overwrite", "--json"]
    )
    assert again.exit_code == 0, again.output
    found = json.loads(again.stdout)
    assert len(found["members"]) == 3
    assert found["member_digests"] == [digest_of(model) for model in models]
    assert sum(one["weight"] for one in found["members"]) < 1.0
    assert len(found["effects"][0]["centres"]) == 3
    assert found["without"] is None
    other = CliRunner().invoke(
        app, [*words, "--for", str(tmp_path), "--overwrite", "--lang", lang]
    )
    assert other.exit_code == 1


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_figure_names_who_contradicts_and_draws_all_without(models, odd, lang):
    found = combine([models[2], models[1], odd])
    figure = Figure()
    ax = plot_effect(
        found.effects[0],
        found.members,
        found.without.effects[0],
        ax=figure.add_subplot(),
        decision=found.model.decision,
        lang=lang,
    )
    squares = [line for line in ax.lines if line.get_marker() == "s"]
    diamonds = [line for line in ax.lines if line.get_marker() == "D"]
    assert [line.get_xdata()[0] for line in squares] == pytest.approx(
        [centre[0] for centre in found.effects[0].centres]
    )
    assert [line.get_markerfacecolor() == "white" for line in squares] == [
        member.contradicts for member in found.members
    ]
    assert [line.get_xdata()[0] for line in diamonds] == pytest.approx(
        [found.effects[0].common[0], found.without.effects[0].common[0]]
    )


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_command_shows_who_contradicts_with_and_without(models, odd, tmp_path, lang):
    folders = [str(tmp_path / f"m{c}") for c in range(4)]
    for folder, model in zip(folders, [*models, odd], strict=True):
        rm.save_model(model, folder)
    words = ["combine", *folders, "--out", str(tmp_path / "all"), "--no-track"]
    done = CliRunner().invoke(app, [*words, "--lang", lang])
    assert done.exit_code == 0, done.output
    said = {
        "en": ("CONTRADICTS", "Without turned, for comparison (nothing was left out)"),
        "fr": ("CONTREDIT", "Sans turned, pour comparaison (rien n'a été écarté)"),
    }[lang]
    assert all(one in done.stdout for one in said), done.stdout


def test_commands_and_code_of_the_page_run(tmp_path, monkeypatch, new_store):
    page = (Path(__file__).parents[1] / "docs" / "combining.md").read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    new_store(tmp_path)
    (settings,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "settings.toml").write_text(settings)
    lines = re.findall(r"^    responder-model (.*)$", page, re.MULTILINE)
    assert len(lines) == 8
    for line in lines:
        done = CliRunner().invoke(app, line.split())
        assert done.exit_code == 0, done.output
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(code, "combining.md", "exec"), {})


def test_each_reason_against_combining_is_a_sentence_of_its_own(models):
    nobody = rm.published_model("rtms_response", moment="screening")
    with pytest.raises(rm.ResponderModelError) as caught:
        combine([models[0], nobody, replace(nobody, name="nobody either")])
    for lang in ("en", "fr"):
        said = caught.value.said.text(lang)
        assert "., " not in said
        assert said.count(".\n- ") == 1, said


# ---------------------------------------------------------------- where it may go


@pytest.fixture
def shared(truth, tmp_path, monkeypatch):
    """Files of two centres, each with a key of its own; we are the first."""
    files = []
    for name, seed in (("south", 22), ("north", 21)):
        monkeypatch.setenv("RESPONDER_MODEL_CENTRE_FOLDER", str(tmp_path / name))
        one = share(cohort(60, seed, truth), "rtms_response", "screening")
        path = tmp_path / f"{name}.share.json"
        path.write_bytes(data := what_leaves(one))
        release_share(one, data)
        files.insert(0, read_share(path))
    return files


def test_a_model_of_what_has_left_two_centres_may_leave(shared, truth):
    whole = combine(shared, alike=True).model
    assert whole.fingerprints == shared[0].fingerprints  # those that we can compare
    release_model(whole)
    added = cohort(30, 23, truth)
    release_model(rm.update(whole, added))
    others = cohort(30, 26, truth)
    release_model(rm.update(whole, others))
    few = pd.concat([added.iloc[:28], cohort(2, 27, truth)])
    with pytest.raises(DisclosureError, match="must be an update of each one"):
        release_model(rm.update(whole, few))  # beside the first it tells of the two


def test_a_member_that_must_wait_takes_the_whole_with_it(models, truth):
    released = rm.develop(cohort(60, 24, truth), settings=SETTINGS, name="ours")
    release_model(released)
    waiting = rm.update(released, cohort(4, 25, truth), small_cells=5)
    assert not waiting.disclosure.may_leave
    with pytest.raises(DisclosureError):
        release_model(combine([waiting, models[0]], alike=True).model)
