"""Develop eMCS success on 59 published patients, validate it on 12 others.

The only patient-level counts that can be rebuilt from the literature (training/data).
Writes a model folder and three tables to reports/emcs_published/:

python training/develop_emcs_published.py
"""

from pathlib import Path

import pandas as pd

from responder_model import __version__
from responder_model.artifact import digest_of, save_model
from responder_model.cohort import read_cohort
from responder_model.development import develop
from responder_model.model import Model
from responder_model.settings import Settings
from responder_model.validation import validate_externally, validate_internally

HERE = Path(__file__).parent
REPORTS = HERE.parent / "reports" / "emcs_published"
N_RESAMPLES = 200
SOFTWARE = f"responder_model {__version__}"


def predictions_by_test(model: Model) -> pd.DataFrame:
    """Probability for each result of the tests that the published tables know."""
    patients = [
        {"single_session_responder": True, "active_minus_sham_responder": True},
        {"single_session_responder": True, "active_minus_sham_responder": False},
        {"single_session_responder": False, "active_minus_sham_responder": False},
        {"rtms_responder": True},
        {"rtms_responder": False},
    ]
    rows = []
    for patient in patients:
        found = model.predict(patient)
        tests = ", ".join(f"{k} {'yes' if v else 'no'}" for k, v in patient.items())
        low, high = found.interval
        rows.append((tests, found.probability, low, high, found.applicability.level))
    columns = ["tests", "probability", "lower", "upper", "applicability"]
    return pd.DataFrame(rows, columns=columns)


def build() -> tuple[Model, dict[str, pd.DataFrame], list[str]]:
    """Return the model, its tables and what must be said of them."""
    settings = Settings.from_toml(HERE / "settings" / "emcs_published.toml")
    development = read_cohort(
        HERE / "data" / "lefaucheur_2011.csv", overlap_groups=["lefaucheur_2011"]
    )
    validation = read_cohort(
        HERE / "data" / "pommier_2018.csv", overlap_groups=["saint_etienne"]
    )
    model = develop(development, settings=settings)
    internal = validate_internally(settings, development, n_resamples=N_RESAMPLES)
    external = validate_externally(model, validation)
    tables = {
        "internal_validation": internal.table,
        "external_validation": external.table,
        "predictions_by_test": predictions_by_test(model),
    }
    return model, tables, [*internal.notes, *external.notes, *model.notes]


def main() -> None:
    model, tables, notes = build()
    REPORTS.mkdir(parents=True, exist_ok=True)
    save_model(model, REPORTS / "model")
    for name, table in tables.items():
        # who reads an old table sees that it is old
        table = table.assign(software=SOFTWARE, model_digest=digest_of(model))
        table.to_csv(REPORTS / f"{name}.csv", index=False, float_format="%.4f")
        hidden = ["definition", "interval", "software", "model_digest"]
        shown = table.drop(columns=hidden, errors="ignore")
        print(f"\n{name}\n{shown.round(3).to_string(index=False)}")
    for note in notes:
        print(note)


if __name__ == "__main__":
    main()
