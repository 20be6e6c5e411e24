"""The published models are every development's mixture, seen at zero patients."""

import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import responder_model as rm
from responder_model.cli.app import app
from responder_model.development.published import check_local_rate
from responder_model.errors import ResponderModelError
from responder_model.features import expit
from responder_model.priors import build_priors
from responder_model.schema import dictionary

sys.path.insert(0, str(Path(__file__).parent.parent / "training" / "benchmarks"))
import one_belief

TARGETS = dictionary().targets()
FORMS = ("single_session_responder", "active_minus_sham_responder")


@pytest.fixture(scope="module")
def patients():
    return rm.simulate_cohort(400, 31)


def known(patients, model):
    names = model.encoder.predictors
    return patients[[name for name in names if name in patients]]


@pytest.mark.parametrize(("decision", "moment"), TARGETS)
def test_mixture_claims_no_more_than_its_published_model(decision, moment, patients):
    model = rm.published_model(decision, moment)
    found = one_belief.check(model, known(patients, model), 2000, 7)
    # bounds of the design: 0.9 to 1.1 and 94 to 96 %, with Monte-Carlo error
    assert abs(found["slope"] - 1.0) <= 0.1 + 2 * found["slope_se"]
    assert 0.94 - 2 * found["coverage_se"] <= found["coverage"]
    assert found["coverage"] <= 0.96 + 2 * found["coverage_se"]
    if moment == "screening":
        assert found["c_median"] <= 0.70


def test_ten_patients_drawn_from_the_model_leave_it_where_it_is_on_average():
    mean, size = one_belief.moved(24, 5)
    assert (np.abs(mean) <= 0.05 + 2 * size / np.sqrt(24)).all()


@pytest.mark.parametrize(("decision", "moment"), TARGETS)
def test_local_rate_moves_the_level_and_narrows_the_interval(
    decision, moment, patients
):
    plain = rm.published_model(decision, moment)
    found = plain.score_cohort(known(patients, plain))
    for k in (20, 60):
        local = rm.published_model(decision, moment, local_rate=(k, 100))
        here = local.score_cohort(known(patients, local))
        assert (here.standard_error < found.standard_error).all()
        share = here.probability.mean()
        assert abs(share - k / 100) < abs(found.probability.mean() - k / 100)


def test_local_rate_is_the_binomial_likelihood_of_the_level():
    """Against the posterior of a level whose prior says nothing, by counting."""
    priors = build_priors("rtms_response", "screening")
    rng = np.random.default_rng(3)
    level = priors.anchor[0] + priors.anchor[1] * rng.normal(size=400_000)
    share = expit(level / priors.level_scale)
    kept = level[rng.binomial(25, share) == 15]
    local = rm.published_model("rtms_response", "screening", local_rate=(15, 25))
    anchor = local.priors.anchor
    error = kept.std() / np.sqrt(len(kept))
    assert anchor[0] == pytest.approx(kept.mean(), abs=4 * error)
    assert anchor[1] == pytest.approx(kept.std(), rel=0.02)


def test_no_patient_tested_is_no_local_rate_and_many_settle_it():
    with pytest.raises(ResponderModelError, match=r"local_rate .*must be"):
        check_local_rate((0, 0))
    local = rm.published_model("rtms_response", "screening", local_rate=(3000, 5000))
    assert local.predict({}).probability == pytest.approx(0.6, abs=0.02)


@pytest.mark.parametrize(
    "rate", [(3, 2), (-1, 4), (1.5, 4), (1,), (True, 4), "4 of 9", 0.4]
)
def test_local_rate_must_be_two_counts(rate):
    with pytest.raises(ResponderModelError, match="local_rate .* must be") as refused:
        rm.published_model("emcs_success", local_rate=rate)
    assert refused.value.text("fr").endswith(f"reçu {rate!r}.")


def test_pathway_takes_the_rates_of_both_steps():
    patient = {"age": 54, "aetiology": "ischaemic_stroke"}
    plain = rm.pathway(patient)
    local = rm.pathway(patient, local_rate=(80, 100), implant_rate=(9, 10))
    assert local.response.probability > plain.response.probability
    assert local.responders.success > plain.responders.success
    model = rm.published_model("emcs_success")
    with pytest.raises(ResponderModelError, match="left out beside implant_model"):
        rm.pathway(patient, implant_model=model, implant_rate=(9, 10))


def run(*arguments):
    return CliRunner().invoke(app, list(arguments))


def test_commands_take_the_rate_of_the_centre():
    asked = ("predict", "rtms_response@screening", "--age", "54")
    done = run(*asked, "--responders", "40", "--tested", "100")
    assert done.exit_code == 0
    assert "published evidence with 40 of 100 here" in done.stdout
    french = run(*asked, "--responders", "40", "--tested", "100", "--lang", "fr")
    assert "données publiées avec 40 sur 100 ici" in french.stdout
    asked = ("pathway", "--age", "54", "--successes", "4", "--implanted")
    assert "with 4 of 9 here" in run(*asked, "9").stdout


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--successes", "4", "--implanted", "2"), "--successes must be from 0 to 2"),
        (("--responders", "-1", "--tested", "2"), "--responders must be from 0 to 2"),
        (("--responders", "0", "--tested", "0"), "--tested must be at least 1, got 0"),
    ],
)
def test_a_rate_that_is_none_is_refused_by_the_option_that_was_typed(given, said):
    done = run("pathway", "--age", "54", *given)
    assert done.exit_code == 2
    assert said in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("predict", "emcs_success", "--responders", "4"), "--tested"),
        (("predict", "emcs_success", "--tested", "4"), "--responders"),
        (("pathway", "--age", "54", "--implanted", "4"), "--successes"),
    ],
)
def test_half_a_rate_is_refused(arguments, said):
    done = run(*arguments)
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_rate_says_nothing_beside_a_model_folder(tmp_path):
    folder = rm.save_model(rm.published_model("emcs_success"), tmp_path / "model")
    done = run("predict", str(folder), "--responders", "4", "--tested", "9")
    assert done.exit_code == 2
    assert "left out for a model folder" in " ".join(done.stderr.split())


# ------------------------------------------------------------------ blocks


def test_a_form_of_relief_known_alone_has_the_direction_that_was_published():
    model = rm.published_model("emcs_success")
    for form in FORMS:
        yes, no = (model.predict({form: value}) for value in (True, False))
        assert yes.contributions[form] > 0.1 > -0.1 > no.contributions[form]
        # what it leads to expect of relief is its own, not that of relief not given
        assert yes.contributions["relief_test"] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("others", [{}, {FORMS[1]: False}, {"relief_test": 10.0}])
def test_a_positive_session_never_reads_as_lowering_the_odds(others):
    model = rm.published_model("emcs_success")
    found = model.predict({**others, FORMS[0]: True}).contributions[FORMS[0]]
    assert found >= 0.0


@pytest.mark.parametrize(("decision", "moment"), TARGETS)
def test_what_is_not_given_contributes_nothing(decision, moment):
    found = rm.published_model(decision, moment).predict({"age": 70})
    for name in found.missing:
        assert found.contributions[name] == pytest.approx(0.0, abs=1e-12)
    total = found.baseline + sum(found.contributions.values())
    assert total == pytest.approx(found.linear_predictor, abs=1e-9)


def test_a_cohort_has_the_contributions_of_its_patients(patients):
    model = rm.published_model("rtms_response", "session_2")
    cohort = known(patients, model).head(40)
    table = model.contributions_cohort(cohort)
    for k in range(len(cohort)):
        values = {n: v for n, v in cohort.iloc[k].items() if not rm_missing(v)}
        one = model.predict(values).contributions
        np.testing.assert_allclose(table.iloc[k], [one[n] for n in table], atol=1e-9)


def rm_missing(value):
    return value is None or value != value or str(value) == "<NA>"


def test_other_cut_offs_average_over_what_is_not_known_too():
    """Nothing known of a patient: the published shares at every cut-off."""
    found = rm.published_model("emcs_success").predict({}).probabilities
    expected = {30: -0.10 + 0.567, 40: -0.10, 50: -0.10 - 0.712}
    for cut, log_odds in expected.items():
        assert found[cut] == pytest.approx(float(expit(np.array(log_odds))), abs=0.02)
