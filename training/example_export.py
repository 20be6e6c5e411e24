"""Write the example file of a French centre's export: 213 simulated patients.

python training/example_export.py
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from responder_model.simulation import simulate_cohort, write_french_export

SEED = 2025


def main() -> None:
    folder = Path(str(files("responder_model"))) / "data" / "examples"
    folder.mkdir(exist_ok=True)
    cohort = simulate_cohort(n_patients=213, seed=SEED)
    print(write_french_export(cohort, folder / "export_centre_simule.csv", seed=SEED))


if __name__ == "__main__":
    main()
