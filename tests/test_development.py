"""Development of the decision models, the pool, and the published models."""

import json
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from sklearn.base import clone

from in_words import said
from responder_model.artifact import (
    digest_of,
    load_model,
    read_manifest,
    save_model,
)
from responder_model.challenger import Trees, fit_trees
from responder_model.cohort import check_cohort, outcome_levels, read_cohort
from responder_model.development import (
    build_procedure,
    develop,
    procedure_from,
    published_model,
    update,
)
from responder_model.errors import DevelopmentError, EvidenceError, ResponderModelError
from responder_model.features import Encoder, Population, expit
from responder_model.priors import build_priors
from responder_model.recalibration import challenger_weight, recalibrate
from responder_model.schema import dictionary
from responder_model.settings import Settings
from responder_model.simulation import simulate_cohort

ROOT = Path(__file__).parents[1]
TARGETS = dictionary().targets()


@pytest.fixture(scope="module")
def cohort():
    return simulate_cohort(213, 21)


@pytest.fixture(scope="module")
def screening(cohort):
    return develop(cohort, "rtms_response", "screening", seed=3)


@pytest.mark.parametrize(("decision", "moment"), TARGETS)
def test_every_decision_model_is_developed(cohort, decision, moment):
    settings = Settings(decision=decision, moment=moment, challenger=False)
    model = develop(cohort, settings=settings)
    assert model.provenance == "simulated"
    assert sum(part.weight for part in model.components) == pytest.approx(1.0)
    prediction = model.predict({"age": 50, "aetiology": "spinal_cord_injury"})
    low, high = prediction.interval
    assert 0.0 < low < prediction.probability < high < 1.0
    assert any("simulated" in message for message in said(prediction.messages))


def test_served_model_equals_the_fitted_procedure(cohort, screening):
    procedure = procedure_from(screening.settings)
    levels = outcome_levels(cohort, "rtms_response")
    fitted = procedure.fit(cohort, levels)
    assert fitted.pool_.weight > 0.0
    np.testing.assert_allclose(
        screening.predict_cohort(cohort)["probability"],
        fitted.predict_proba(cohort)[:, 1],
        rtol=0,
        atol=1e-7,
    )


def test_in_resample_predicts_the_main_cut_off_alike():
    cohort = simulate_cohort(150, 4)
    levels = outcome_levels(cohort, "rtms_response")
    whole = build_procedure("rtms_response", "screening").fit(cohort, levels)
    lean = clone(whole).set_params(in_resample=True).fit(cohort, levels)
    # cut points fitted together stop together, at a Newton decrement of 1e-4; the
    # challenger's weight rests on one repeat of its folds
    served = [fit.estimator_.linear_predictor for fit in (lean, whole)]
    design = np.random.default_rng(0).normal(size=(20, whole.estimator_.n_features_in_))
    np.testing.assert_allclose(served[0](design), served[1](design), atol=1e-4)
    assert abs(lean.pool_.weight - whole.pool_.weight) < 0.05


def test_procedure_is_cloned_unfitted():
    procedure = build_procedure("rtms_response", "session_1", seed=5)
    copy = clone(procedure)
    assert copy.get_params() == procedure.get_params()
    assert not hasattr(copy, "estimator_")


def test_development_is_reproducible(cohort):
    one = develop(cohort, "rtms_response", "screening", seed=3)
    two = develop(cohort, "rtms_response", "screening", seed=3)
    assert one.pool.trees == two.pool.trees
    np.testing.assert_array_equal(one.main.coefficients, two.main.coefficients)


def test_later_columns_are_left_unused_and_listed(cohort, screening):
    assert "relief_1" in screening.notes[0].values["fields"]
    blinded = cohort.drop(columns=["relief_1", "relief_days_3", "relief_maintenance"])
    again = develop(blinded, "rtms_response", "screening", seed=3)
    np.testing.assert_array_equal(again.main.coefficients, screening.main.coefficients)


def test_settings_refuse_a_later_predictor():
    with pytest.raises(
        DevelopmentError, match="known after session 1.*got Relief after session 2"
    ):
        Settings(
            decision="rtms_response", moment="session_1", predictors=("age", "relief_2")
        )


def test_settings_come_from_toml_and_return_to_it(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text('decision = "rtms_response"\nmoment = "session_2"\nseed = 4\n')
    settings = Settings.from_toml(path)
    assert settings == Settings.from_json(json.loads(json.dumps(settings.to_json())))
    path.write_text('decision = "rtms_response"\nmoment = "screening"\ndepth = 3\n')
    with pytest.raises(DevelopmentError, match="got depth"):
        Settings.from_toml(path)


def test_centre_with_only_a_binary_outcome_is_developed(cohort):
    alone = cohort.drop(columns=["relief_test", "symptom_improved"])
    model = develop(
        alone,
        settings=Settings(
            decision="rtms_response", moment="screening", challenger=False
        ),
    )
    assert model.performance.outcome_definition == "binary_only"
    assert model.n_patients == 193


@pytest.mark.parametrize("missing", ["opioid", "fatigue", "aetiology"])
def test_predictor_missing_throughout_keeps_its_prior(cohort, missing):
    settings = Settings(decision="rtms_response", moment="screening", challenger=False)
    dropped = ["lesion_type", missing] if missing == "aetiology" else [missing]
    procedure = procedure_from(settings)
    fitted = procedure.fit(
        cohort.drop(columns=dropped), outcome_levels(cohort, "rtms_response")
    )
    published = fitted.estimator_.components_[0]
    names = list(fitted.encoder_.derived)
    at = 5 + names.index("opioid" if missing == "opioid" else names[0])
    if missing == "opioid":
        assert published.mean[at] == pytest.approx(published.prior.mean[at], abs=1e-3)
        assert published.covariance[at, at] == pytest.approx(
            published.prior.sd[at] ** 2, rel=1e-3
        )
    probability = fitted.predict_proba(cohort)[:, 1]
    assert np.isfinite(probability).all()


def test_one_outcome_class_is_refused(cohort):
    one = cohort.copy()
    one["relief_test"] = 0.0
    one["rtms_responder"] = pd.array([False] * len(one), dtype="boolean")
    with pytest.raises(DevelopmentError, match="must have both yes and no"):
        develop(one, "rtms_response", "screening")


def test_fewer_than_ten_patients_are_refused(cohort):
    with pytest.raises(DevelopmentError, match="at least 10, got"):
        develop(cohort.head(8), "rtms_response", "screening")


def test_cohort_of_the_evidence_is_refused_with_that_evidence_left_in():
    path = ROOT / "training" / "data" / "lefaucheur_2011.csv"
    declared = read_cohort(path, overlap_groups=["lefaucheur_2011"])
    with pytest.raises(DevelopmentError, match="got lefaucheur_2011 left in"):
        develop(declared, "emcs_success")
    model = develop(declared, "emcs_success", exclude_evidence=["lefaucheur_2011"])
    assert model.excluded_evidence == ("lefaucheur_2011",)


@pytest.mark.parametrize("name", ["Saint-Étienne", "St Etienne", "SAINT ETIENNE"])
def test_saint_etienne_is_refused_when_undeclared(cohort, name):
    own = cohort.copy()
    own["centre"] = name
    with pytest.raises(DevelopmentError, match="got saint_etienne left in"):
        develop(own, "rtms_response", "screening")


def test_published_single_session_effect_is_learnt_from_its_own_patients():
    path = ROOT / "training" / "data" / "lefaucheur_2011.csv"
    cohort = read_cohort(path)
    model = develop(cohort, "emcs_success", exclude_evidence=["lefaucheur_2011"])
    yes = model.predict({"single_session_responder": True}).probability
    no = model.predict({"single_session_responder": False}).probability
    # 26 of 33 and 10 of 26 succeeded
    assert yes == pytest.approx(26 / 33, abs=0.1)
    assert no == pytest.approx(10 / 26, abs=0.1)


def test_challenger_needs_a_hundred_patients(cohort):
    model = develop(cohort.head(100), "rtms_response", "screening")
    assert model.pool is None
    assert np.isfinite(model.performance.challenger["out_of_fold_log_loss"])
    assert model.performance.challenger["weight"] == 0.0


def test_recalibration_matches_an_independent_optimiser():
    rng = np.random.default_rng(1)
    margin = rng.normal(size=80) * 2
    outcome = (rng.uniform(size=80) < expit(0.4 + 0.6 * margin)).astype(float)

    def loss(parameters):
        eta = parameters[0] + parameters[1] * margin
        penalty = (parameters[0] / 0.5) ** 2 + ((parameters[1] - 1) / 0.5) ** 2
        return (np.logaddexp(0, eta) - outcome * eta).sum() + penalty / 2

    expected = minimize(loss, [0.0, 1.0], options={"gtol": 1e-8}).x
    np.testing.assert_allclose(recalibrate(margin, outcome), expected, atol=1e-5)


def test_recalibration_slope_is_never_negative():
    margin = np.linspace(-2, 2, 100)
    offset, slope = recalibrate(margin, (margin < 0).astype(float))
    assert slope == 0.0
    assert offset == pytest.approx(0.0, abs=1e-9)


def test_challenger_weight_matches_numerical_integration():
    rng = np.random.default_rng(2)
    outcome = (rng.uniform(size=120) < 0.4).astype(float)
    evidence, rival = rng.normal(size=120), rng.normal(size=120) + 0.5 * outcome
    w = np.linspace(0, 1, 20001)
    mixed = np.outer(1 - w, evidence) + np.outer(w, rival)
    log_density = (outcome * mixed - np.logaddexp(0, mixed)).sum(axis=1)
    density = np.exp(log_density - log_density.max()) * (1 - w) ** 8
    assert challenger_weight(evidence, rival, outcome) == pytest.approx(
        (density @ w) / density.sum(), abs=1e-3
    )


def test_challenger_weight_is_a_tenth_without_information():
    same = np.zeros(50)
    assert challenger_weight(same, same, np.ones(50)) == pytest.approx(0.1, abs=5e-3)


def test_trees_return_from_json_and_explain_exactly(cohort):
    encoder = Encoder.for_decision("rtms_response", "session_2")
    raw = encoder.raw(cohort)
    outcome = (np.arange(len(raw)) % 3 == 0).astype(float)
    trees = fit_trees(raw, outcome, encoder, seed=0)
    again = Trees.from_json(trees.to_json(), encoder)
    np.testing.assert_array_equal(again.margin(raw), trees.margin(raw))
    np.testing.assert_allclose(
        again.contributions(raw).sum(axis=1), trees.margin(raw), atol=1e-5
    )


def test_trees_never_fall_with_relief(cohort):
    encoder = Encoder.for_decision("rtms_response", "session_1")
    raw = encoder.raw(cohort)
    outcome = (raw[:, 0] > np.nanmedian(raw[:, 0])).astype(float)
    trees = fit_trees(raw, outcome, encoder, seed=0)
    at = encoder.predictors.index("relief_1")
    grid = np.repeat(raw[:1], 41, axis=0)
    grid[:, at] = np.linspace(-100, 100, 41)
    assert (np.diff(trees.margin(grid)) >= -1e-9).all()


def test_model_holds_no_patient_row(cohort, screening):
    content = pickle.dumps(screening)
    for name in ("pain_duration", "catastrophising"):
        values = cohort[name].dropna().unique()
        awkward = [v for v in values if v != round(v)]
        for value in awkward:
            assert np.float64(value).tobytes() not in content
    for identifier in cohort["patient_id"].dropna():
        assert str(identifier).encode() not in content


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory):
    """Folder of the published-evidence models as the released script writes them."""
    folder = tmp_path_factory.mktemp("rebuilt")
    script = ROOT / "training" / "build_published_models.py"
    subprocess.run([sys.executable, script, folder], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize(("decision", "moment"), TARGETS)
def test_rebuilding_a_published_model_gives_the_released_bytes(
    rebuilt, decision, moment
):
    name = f"{decision}@{moment}"
    released = ROOT / "models" / "published_evidence" / name
    for path in sorted(released.iterdir()):
        assert (rebuilt / name / path.name).read_bytes() == path.read_bytes(), path
    digest = read_manifest(rebuilt / name).digest
    assert published_model(decision, moment).digest == digest


@pytest.mark.parametrize(
    "name",
    ["published_digests.json", "published_standing.json", "known_numbers.json"],
)
def test_rebuilding_published_models_gives_what_the_package_holds(rebuilt, name):
    packaged = ROOT / "src" / "responder_model" / "data" / name
    assert packaged.read_bytes() == (rebuilt / packaged.name).read_bytes()


def test_published_model_of_other_evidence_has_a_digest_of_its_own():
    released = published_model("emcs_success")
    excluded = ["saint_etienne"]
    local = published_model("emcs_success", local_rate=(6, 11))
    both = published_model(
        "emcs_success", exclude_evidence=excluded, local_rate=(6, 11)
    )
    assert len({model.digest for model in (released, local, both)}) == 3
    for model in (local, both):
        assert model.digest == digest_of(model)


def test_published_model_leaves_the_excluded_evidence_out(tmp_path):
    excluded = ["saint_etienne"]
    model = published_model("rtms_response", "screening", exclude_evidence=excluded)
    assert model.excluded_evidence == ("saint_etienne",)
    priors = build_priors("rtms_response", "screening", exclude_evidence=excluded)
    assert model.main.intercept == pytest.approx(priors.anchor[0], abs=1e-12)
    full = published_model("rtms_response", "screening")
    assert not np.allclose(model.main.coefficients, full.main.coefficients)
    assert full.excluded_evidence == ()
    again = load_model(save_model(model, tmp_path / "model"))
    assert again.predict({"age": 60}) == model.predict({"age": 60})


def test_published_model_refuses_unknown_evidence():
    with pytest.raises(EvidenceError, match="known overlap groups, got 'nowhere'"):
        published_model("emcs_success", exclude_evidence=["nowhere"])


def test_update_of_a_published_model_keeps_evidence_excluded():
    cohort = simulate_cohort(60, 3)
    cohort.attrs["overlap_groups"] = ("saint_etienne",)
    excluded = ["saint_etienne"]
    model = published_model("rtms_response", "screening", exclude_evidence=excluded)
    newer = update(model, cohort)
    assert newer.excluded_evidence == ("saint_etienne",)
    assert newer.settings.exclude_evidence == ("saint_etienne",)


@pytest.mark.parametrize(("decision", "moment"), TARGETS)
def test_released_model_is_the_published_model(decision, moment):
    patient = {"age": 61, "aetiology": "trigeminal_neuropathy", "pain_duration": 40}
    folder = ROOT / "models" / "published_evidence" / f"{decision}@{moment}"
    released = load_model(folder).predict(patient)
    assert (
        released.to_dict()
        == published_model(decision, moment).predict(patient).to_dict()
    )


def test_session_models_without_relief_agree_with_screening():
    rng = np.random.default_rng(5)
    cohort = simulate_cohort(300, 30)
    columns = [f.name for f in dictionary().predictors("rtms_response", "screening")]
    patients = check_cohort(cohort[columns])
    before = published_model("rtms_response", "screening").predict_cohort(patients)
    for k in (1, 2, 3):
        model = published_model("rtms_response", f"session_{k}")
        after = model.predict_cohort(patients)
        gap = np.abs(after["probability"] - before["probability"])
        assert gap.max() < 0.05
    del rng


@pytest.mark.parametrize("k", [1, 2, 3])
def test_published_session_model_rises_with_relief(k):
    model = published_model("rtms_response", f"session_{k}")
    found = [
        model.predict({f"relief_{j}": relief for j in range(1, k + 1)}).probability
        for relief in (-50, 0, 20, 40, 80)
    ]
    assert found == sorted(found)


def test_lone_responder_counts_as_relief_above_the_cut_off():
    model = published_model("emcs_success")
    yes = model.predict({"rtms_responder": True}).probability
    no = model.predict({"rtms_responder": False}).probability
    nothing = model.predict({}).probability
    assert no < nothing < yes
    low = model.predict({"relief_test": 31}).probability
    high = model.predict({"relief_test": 100}).probability
    assert low < yes < high


def test_population_estimate_recovers_moments_with_gaps():
    encoder = Encoder.for_decision("rtms_response", "screening")
    z = encoder.encode(encoder.raw(simulate_cohort(4000, 40)))
    truth = Population.estimate(z, encoder)
    holes = z.copy()
    rng = np.random.default_rng(0)
    names = [column.name for column in encoder.columns]
    for name in ("depression", "anxiety", "pain_intensity"):
        holes[rng.uniform(size=len(z)) < 0.3, names.index(name)] = np.nan
    found = Population.estimate(holes, encoder)
    # SE of a mean over about 2800 values is 0.02, of a correlation 0.02
    np.testing.assert_allclose(found.mean, truth.mean, atol=0.08)
    np.testing.assert_allclose(found.covariance, truth.covariance, atol=0.1)


def test_imputation_is_the_conditional_expectation():
    encoder = Encoder.for_decision("rtms_response", "screening")
    population = Population.reference(encoder)
    names = [column.name for column in encoder.columns]
    i, j = names.index("depression"), names.index("anxiety")
    z = np.zeros((1, len(names)))
    z[0, i], z[0, j] = 2.0, np.nan
    direction = np.eye(len(names))[[j]]
    filled, extra = population.impute(z, direction)
    observed = [k for k in range(len(names)) if k != j]
    S = population.covariance + 1e-3 * np.diag(np.diag(population.covariance))
    gain = np.linalg.solve(S[np.ix_(observed, observed)], S[observed, j])
    assert filled[0, j] == pytest.approx(gain @ z[0, observed], abs=1e-6)
    assert extra[0, 0] == pytest.approx(S[j, j] - gain @ S[observed, j], abs=1e-6)


def test_development_error_for_an_unknown_outcome(cohort):
    outcomes = ["relief_test", "rtms_responder", "symptom_improved"]
    with pytest.raises(DevelopmentError, match="known outcome must be at least 10"):
        develop(cohort.drop(columns=outcomes), "rtms_response", "screening")


def test_updating_the_published_model_is_development():
    cohort = simulate_cohort(39, 50)
    settings = Settings(decision="rtms_response", moment="screening", challenger=False)
    developed = develop(cohort, settings=settings)
    updated = update(published_model("rtms_response", "screening"), cohort)
    np.testing.assert_allclose(
        [part.weight for part in updated.components],
        [part.weight for part in developed.components],
        atol=1e-6,
    )
    np.testing.assert_allclose(
        updated.components[0].mean, developed.components[0].mean, atol=1e-5
    )
    assert updated.n_patients == developed.n_patients


def test_updating_twice_is_near_developing_on_both():
    cohort = simulate_cohort(240, 51, non_completers=0.0)
    halves = [cohort.iloc[:120].copy(), cohort.iloc[120:].copy()]
    for half in halves:
        half.attrs = dict(cohort.attrs)
    settings = Settings(
        decision="rtms_response",
        moment="screening",
        challenger=False,
        # a half has smaller cells than the whole
        small_cells=0,
        stays_here=True,
    )
    joint = procedure_from(settings).fit(
        cohort, outcome_levels(cohort, "rtms_response")
    )
    updated = update(develop(halves[0], settings=settings), halves[1])
    expected = joint.estimator_.components_[0]
    # the two differ by Laplace's approximation and by how gaps were filled
    error = np.abs(updated.components[0].mean - expected.mean)
    assert (error < 0.35 * np.sqrt(np.diag(expected.covariance))).all()
    assert updated.n_patients == 240
    assert "Updated from" in " ".join(said(updated.notes))
    restored = load_model(save_model(updated, Path(tempfile.mkdtemp()) / "updated"))
    patient = {"age": 40, "aetiology": "amputation"}
    assert restored.predict(patient).to_dict() == updated.predict(patient).to_dict()


def test_settings_file_names_every_wrong_key(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text('seed = -1\npredictors = "age"\ncolour = 2\n')
    with pytest.raises(DevelopmentError) as raised:
        Settings.from_toml(path)
    assert "got colour" in str(raised.value)
    for name in ("seed", "predictors", "decision"):
        assert f"{name} must be" in str(raised.value)


@pytest.mark.parametrize("content", [b"decision = ", b"\xff\xfe", b"= 1"])
def test_settings_file_that_is_not_toml_is_refused(tmp_path, content):
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    with pytest.raises(DevelopmentError, match="must be a TOML file"):
        Settings.from_toml(path)


@pytest.mark.parametrize(
    ("names", "got"),
    [
        ((), "none"),
        (("age", "agee"), "agee"),
        (("relief_1",), "Relief after session 1"),
    ],
)
def test_build_procedure_refuses_predictors_that_it_cannot_use(names, got):
    cohort = simulate_cohort(n_patients=30, seed=0)
    procedure = build_procedure("rtms_response", "screening", predictors=names)
    message = f"predictors must be known by the moment .* got {got}"
    with pytest.raises(DevelopmentError, match=message):
        procedure.fit(cohort, outcome_levels(cohort, "rtms_response"))


def test_develop_gives_the_same_model_whatever_the_threads(cohort):
    one, three = (
        develop(cohort, "rtms_response", "session_1", n_jobs=n) for n in (1, 3)
    )
    assert (three.pool.weight, three.pool.trees) == (one.pool.weight, one.pool.trees)
    np.testing.assert_array_equal(three.main.coefficients, one.main.coefficients)
    with pytest.raises(ResponderModelError, match="n_jobs must be a whole number"):
        develop(cohort, "rtms_response", "screening", n_jobs=0)
