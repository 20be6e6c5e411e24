"""Reference values of the net benefit by dcurves, an independent implementation.

Run in this directory after performance.R: python net_benefit.py
Writes net_benefit.csv and net_benefit_versions.txt.
"""

from importlib.metadata import version
from pathlib import Path

import pandas as pd
from dcurves import dca

HERE = Path(__file__).parent
THRESHOLDS = [0.0, 0.05, 0.1, 0.2, 0.35, 0.42, 0.5, 0.65, 0.8]


def main() -> None:
    cases = pd.read_csv(HERE / "performance_cases.csv")
    tables = []
    for case, rows in cases.groupby("case", sort=False):
        found = dca(
            data=rows[["outcome", "probability"]].reset_index(drop=True),
            outcome="outcome",
            modelnames=["probability"],
            thresholds=THRESHOLDS,
        )
        tables.append(
            found.assign(case=case)[["case", "model", "threshold", "net_benefit"]]
        )
    pd.concat(tables).to_csv(
        HERE / "net_benefit.csv", index=False, float_format="%.17g"
    )
    packages = ("dcurves", "pandas", "numpy")
    lines = [f"{name} {version(name)}" for name in packages]
    (HERE / "net_benefit_versions.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
