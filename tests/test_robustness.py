"""Whatever comes in: a sound answer, or an error of our own; never anything else."""

from __future__ import annotations

import json
import math
import random
import shutil
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import responder_model as rm
from in_words import said, told
from responder_model.artifact import load_model, save_model
from responder_model.artifact.manifest import sha256
from responder_model.artifact.strict_json import canonical_json
from responder_model.challenger import fit_trees
from responder_model.cli.app import app
from responder_model.cohort import read_cohort
from responder_model.errors import (
    InvalidCohortError,
    InvalidPatientError,
    ResponderModelError,
    UntrustedModelError,
)
from responder_model.model import Pool
from responder_model.model.example import example_model
from responder_model.schema import dictionary
from responder_model.simulation import simulate_cohort
from responder_model.vocabulary import check_language

TARGETS = dictionary().targets()
SESSIONS = ("session_1", "session_2", "session_3")
# A number between 0 and 1 may be a fraction, and is asked about.
PERCENTS = st.floats(-100, 100).filter(lambda x: x == 0 or abs(x) >= 1)
modest = settings(
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def values_of(row):
    """Strategy of the values that a field allows."""
    if row.kind == "boolean":
        return st.booleans()
    if row.kind == "category":
        return st.sampled_from(row.category_names)
    edges = st.sampled_from([row.minimum, row.maximum])
    if row.integer:
        return edges | st.integers(int(row.minimum), int(row.maximum))
    if row.unit["en"] == "%":
        return edges | PERCENTS
    return edges | st.floats(row.minimum, row.maximum)


@st.composite
def patients(draw, decision, moment, without=()):
    """Patients of one decision model, with any of its predictors missing."""
    rows = [r for r in dictionary().predictors(decision, moment) if not r.derived_from]
    optional = {
        row.name: values_of(row)
        for row in rows
        if row.name not in without and row.indicates is None
    }
    return draw(st.fixed_dictionaries({}, optional=optional))


@pytest.fixture(scope="module")
def pooled():
    """Made-up model with trees, which serves every cut-off by another slope."""
    model = example_model(moment="session_2", seed=5)
    raw = model.encoder.raw(simulate_cohort(150, seed=2))
    outcome = np.random.default_rng(0).integers(0, 2, len(raw)).astype(float)
    trees = fit_trees(raw, outcome, model.encoder, seed=0).to_json()
    pool = Pool(weight=0.4, offset=0.1, slope=0.8, trees=trees)
    return example_model(moment="session_2", seed=5, pool=pool)


def assert_sound(prediction, model):
    lower, upper = prediction.interval
    assert 0.0 < lower <= prediction.probability <= upper < 1.0
    probabilities = list(prediction.probabilities.values())
    assert probabilities == sorted(probabilities, reverse=True)
    assert prediction.probabilities[prediction.cut_point] == prediction.probability
    total = model.baseline + math.fsum(prediction.contributions.values())
    assert total == pytest.approx(prediction.linear_predictor, abs=1e-5)
    for bounds in prediction.contribution_ranges.values():
        assert math.isfinite(bounds.lower)
        assert bounds.lower <= bounds.upper
        assert 0.5 <= bounds.same_sign <= 1.0
    assert said(prediction.messages)
    json.dumps(prediction.to_dict(), allow_nan=False)


# ---------------------------------------------------------------- coherence


@pytest.mark.parametrize(("decision", "moment"), TARGETS)
@modest
@given(data=st.data())
def test_published_models_are_coherent_over_the_whole_dictionary(
    decision, moment, data
):
    model = rm.published_model(decision, moment)
    patient = data.draw(patients(decision, moment))
    prediction = model.predict(patient)
    assert_sound(prediction, model)
    known = {row.name for row in dictionary().predictors(decision, moment)}
    assert set(prediction.missing) <= known - set(patient)


@modest
@given(patient=patients("rtms_response", "session_2"))
def test_a_pooled_model_is_coherent_over_the_whole_dictionary(pooled, patient):
    assert_sound(pooled.predict(patient), pooled)


@modest
@given(patient=patients("emcs_success", "implantation"), seed=st.integers(0, 50))
def test_any_linear_model_is_coherent(patient, seed):
    model = example_model("emcs_success", None, seed=seed)
    assert_sound(model.predict(patient), model)


@pytest.mark.parametrize("moment", SESSIONS)
@modest
@given(data=st.data())
def test_more_relief_in_a_session_never_lowers_a_published_probability(moment, data):
    model = rm.published_model("rtms_response", moment)
    patient = data.draw(patients("rtms_response", moment))
    number = data.draw(st.integers(1, int(moment[-1])))
    name = f"relief_{number}"
    low, high = sorted([data.draw(PERCENTS), data.draw(PERCENTS)])
    before = model.predict({**patient, name: low})
    after = model.predict({**patient, name: high})
    for cut, probability in before.probabilities.items():
        assert after.probabilities[cut] >= probability - 1e-12


@modest
@given(
    patient=patients("emcs_success", "implantation", without=("relief_test",)),
    reliefs=st.tuples(PERCENTS, PERCENTS),
)
def test_more_relief_after_the_test_never_lowers_a_published_success(patient, reliefs):
    model = rm.published_model("emcs_success")
    low, high = (
        model.predict({**patient, "relief_test": relief}) for relief in sorted(reliefs)
    )
    for cut, probability in low.probabilities.items():
        assert high.probabilities[cut] >= probability - 1e-12


@pytest.mark.parametrize("moment", SESSIONS)
@modest
@given(patient=patients("rtms_response", "screening"))
def test_a_session_model_without_relief_stays_near_screening(moment, patient):
    screening = rm.published_model("rtms_response", "screening").predict(patient)
    later = rm.published_model("rtms_response", moment).predict(patient)
    assert later.probability == pytest.approx(screening.probability, abs=0.05)


@settings(modest, max_examples=15)
@given(patient=patients("rtms_response", "session_3"))
def test_the_path_to_an_implant_is_coherent(patient):
    found = rm.pathway(patient)
    lower, upper = found.interval
    assert 0.0 < lower <= found.probability <= upper < 1.0
    assert list(found.probabilities.values()) == sorted(
        found.probabilities.values(), reverse=True
    )
    assert sum(row.probability for row in found.classes) == pytest.approx(1.0)
    assert found.halved_odds <= found.probability
    json.dumps(found.to_dict(), allow_nan=False)


# ---------------------------------------------------------------- edges


@pytest.mark.parametrize(("decision", "moment"), TARGETS)
@pytest.mark.parametrize("end", ["minimum", "maximum"])
def test_each_number_at_its_edge_is_answered(decision, moment, end):
    model = rm.published_model(decision, moment)
    for row in dictionary().predictors(decision, moment):
        if row.kind == "number":
            assert_sound(model.predict({row.name: getattr(row, end)}), model)


@pytest.mark.parametrize(("decision", "moment"), TARGETS)
def test_nothing_known_is_answered_and_said(decision, moment):
    model = rm.published_model(decision, moment)
    prediction = model.predict({})
    assert_sound(prediction, model)
    assert prediction.applicability.level != "inside"
    assert any(
        "no predictor was given" in r for r in said(prediction.applicability.reasons)
    )


def test_the_youngest_patient_is_outside():
    model = rm.published_model("rtms_response", "screening")
    found = model.predict({"age": 18.0, "pain_intensity": 10}).applicability
    assert found.level == "outside"
    assert any(reason.startswith("Age: 18 years") for reason in said(found.reasons))


def test_pain_that_doubled_is_at_the_edge_and_lowers_the_chance():
    model = rm.published_model("rtms_response", "session_1")
    worse, none = (model.predict({"relief_1": relief}) for relief in (-100, 0))
    assert worse.applicability.level == "outside"
    assert worse.probability < none.probability


# ---------------------------------------------------------------- odd values

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=5),
    st.lists(st.integers(), max_size=2),
    st.decimals(),
    st.complex_numbers(),
    st.sampled_from([pd.NA, pd.NaT, np.nan, np.float32(54), np.array([1, 2]), 10**400]),
)


@modest
@given(
    patient=st.dictionaries(
        st.sampled_from(sorted(dictionary().fields)) | st.text(max_size=12),
        JUNK,
        max_size=6,
    )
)
def test_any_value_under_any_name_is_answered_or_refused(patient):
    for decision, moment in TARGETS:
        model = rm.published_model(decision, moment)
        try:
            assert_sound(model.predict(patient), model)
        except InvalidPatientError as error:
            str(error).encode()


@modest
@given(patient=JUNK | st.dictionaries(JUNK.filter(lambda k: hash_of(k)), JUNK))
def test_anything_at_all_is_answered_or_refused(patient):
    for ask in (
        rm.published_model("emcs_success").predict,
        rm.pathway,
        lambda p: rm.published_model("emcs_success").compare(p, p),
    ):
        try:
            ask(patient)
        except InvalidPatientError as error:
            str(error).encode()


def hash_of(key):
    try:
        hash(key)
    except TypeError:
        return False
    return True


class Silent:
    """An object without a text of its own."""

    def __str__(self) -> str:
        raise RuntimeError


def test_an_object_that_has_no_text_is_refused_by_its_type():
    with pytest.raises(InvalidPatientError, match="age") as caught:
        rm.published_model("emcs_success").predict({"age": Silent()})
    assert told(caught.value)["age"].endswith("got Silent.")


@pytest.mark.parametrize(
    "key", [Silent(), 10**5000, "x" * 10**6], ids=["silent", "digits", "long"]
)
def test_a_key_that_is_no_name_is_refused(key):
    model = rm.published_model("rtms_response", "screening")
    for ask in (model.predict, rm.pathway, lambda p: model.compare({}, p)):
        with pytest.raises(InvalidPatientError, match="not valid") as caught:
            ask({key: 54})
        (problem,) = caught.value.problems
        assert problem.rule == "patient.unknown"


@pytest.mark.parametrize("other", [None, [("age", 54)], "age", 54, Decimal("sNaN")])
def test_comparing_with_something_that_is_no_mapping_is_refused(other):
    model = rm.published_model("emcs_success")
    with pytest.raises(InvalidPatientError, match="changes"):
        model.compare({"age": 54}, other)
    with pytest.raises(InvalidPatientError, match="patient"):
        model.compare(other, {"age": 54})


@pytest.mark.parametrize(
    "lang",
    [pd.NA, np.array(["en", "fr"]), Silent(), 10**5000],
    ids=["missing", "array", "silent", "long"],
)
def test_a_language_that_is_no_text_is_refused(lang):
    with pytest.raises(ResponderModelError, match="lang must be one of en, fr"):
        check_language(lang)


def test_a_pseudonym_of_more_digits_than_python_writes_is_no_harm():
    model = rm.published_model("emcs_success")
    expected = model.predict({"age": 54}).probability
    assert model.predict({"age": 54, "patient_id": 10**5000}).probability == expected


def test_a_number_of_more_digits_than_python_reads_is_refused():
    patient = '{"age": ' + "9" * 5000 + "}"
    done = CliRunner().invoke(app, ["predict", "emcs_success", "--input", "-"], patient)
    assert done.exit_code == 1
    assert "--input must be one JSON object" in done.stderr


def test_a_column_under_its_label_is_read_beside_typed_ones():
    model = rm.published_model("rtms_response", "screening")
    patient = {"age": 54.0, "Étiologie": "AVC ischémique"}
    table = model.predict_cohort(pd.DataFrame([patient]))
    assert table["probability"].iloc[0] == model.predict(patient).probability


def test_a_column_that_stands_twice_is_refused():
    model = rm.published_model("rtms_response", "screening")
    frame = pd.DataFrame([[54.0, 55.0]], columns=["age", "age"])
    with pytest.raises(InvalidCohortError, match="Age must be in one column only"):
        model.predict_cohort(frame)


def test_a_provenance_that_python_cannot_write_is_no_harm():
    model = rm.published_model("rtms_response", "screening")
    provenance = pd.Series([10**5000], dtype="object")
    frame = pd.DataFrame({"age": [54.0], "provenance": provenance})
    assert model.predict_cohort(frame)["provenance"].iloc[0] == "published"


# ---------------------------------------------------------------- files


@modest
@given(
    head=st.lists(
        st.sampled_from(sorted(dictionary().fields)) | st.text(max_size=8), max_size=4
    ),
    rows=st.lists(st.lists(st.text(max_size=8), max_size=4), max_size=4),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
)
def test_any_text_file_is_read_or_refused(tmp_path, head, rows, delimiter, encoding):
    text = "\n".join(delimiter.join(cells) for cells in [head, *rows])
    path = tmp_path / "any.csv"
    path.write_bytes(text.encode(encoding, errors="ignore"))
    try:
        cohort = read_cohort(path)
        scores = rm.published_model("rtms_response", "screening").predict_cohort(cohort)
    except ResponderModelError as error:
        str(error).encode()
    else:
        assert scores["probability"].between(0, 1).all()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_table_too_wide_for_a_cohort_is_refused_at_once(tmp_path, kind):
    path = tmp_path / f"wide.{kind}"
    names = ["age", *(f"gene_{k}" for k in range(20_000))]
    if kind == "csv":
        line = ",".join(["54"] * len(names))
        path.write_text("\n".join([",".join(names), line]), encoding="utf-8")
    else:
        pd.DataFrame([[54] * len(names)], columns=names).to_parquet(path)
    with pytest.raises(InvalidCohortError, match="at most 20000 columns") as caught:
        read_cohort(path)
    assert str(caught.value.problems[0].found) == "20001 columns"


def test_parquet_text_that_is_not_utf_8_is_refused(tmp_path):
    path = tmp_path / "text.parquet"
    table = pd.DataFrame({"age": ["14.5", "15.5"], "sex": ["female", "male"]})
    table.to_parquet(path, compression=None, use_dictionary=False)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"14.5", b"14.\xe9"))
    with pytest.raises(InvalidCohortError, match="a table that can be opened"):
        read_cohort(path)
    asked = ["score", "rtms_response@screening", str(path)]
    done = CliRunner().invoke(app, [*asked, "--out", str(tmp_path / "scores.csv")])
    assert done.exit_code == 1
    assert "Traceback" not in done.output


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return save_model(example_model(), tmp_path_factory.mktemp("saved") / "model")


def forged(folder, change):
    """Alter model.json and make the manifest agree: what a forger would do."""
    document = json.loads((folder / "model.json").read_bytes())
    change(document)
    (folder / "model.json").write_text(json.dumps(document), encoding="utf-8")
    manifest = json.loads((folder / "manifest.json").read_bytes())
    names = [p.name for p in folder.iterdir() if p.name != "manifest.json"]
    manifest["files"] = {n: sha256((folder / n).read_bytes()) for n in names}
    del manifest["digest"]
    digest = sha256(canonical_json(manifest))
    data = canonical_json({**manifest, "digest": digest})
    (folder / "manifest.json").write_bytes(data)


def test_a_whole_number_too_large_for_a_float_is_refused(tmp_path):
    folder = save_model(example_model(), tmp_path / "model")

    def change(document):
        document["population"]["mean"][0] = 10**400

    forged(folder, change)
    with pytest.raises(UntrustedModelError, match="population.mean must hold numbers"):
        load_model(folder)


@pytest.mark.parametrize("seed", range(40))
def test_a_forged_model_is_refused_or_sound(saved, tmp_path, seed):
    rng = random.Random(seed)
    folder = shutil.copytree(saved, tmp_path / "model")

    def change(document):
        node = document
        while True:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            key = rng.choice(keys)
            if not isinstance(node[key], dict | list) or not node[key]:
                break
            node = node[key]
        node[key] = rng.choice([None, -1, 1e299, 1e-300, "x", [], {}, True, 10**400])

    forged(folder, change)
    try:
        model = load_model(folder)
    except UntrustedModelError as error:
        str(error).encode()
        return
    for patient in ({}, {"age": 54, "aetiology": "amputation"}):
        try:
            prediction = model.predict(patient)
        except ResponderModelError:
            continue
        lower, upper = prediction.interval
        assert 0.0 <= lower <= prediction.probability <= upper <= 1.0
