"""Reference values of the sample-size criteria by the published tools.

Needs Python 3.12 with pmsampsize and pmvalsampsize 0.1.0 (0.2.1 stops with an error
when a threshold is given), which the package itself does not use.
Run in this directory: python sample_size.py
Writes sample_size.json, versions included.
"""

import contextlib
import io
import json
import platform
from importlib.metadata import version
from pathlib import Path

from pmsampsize.pmsampsize import pmsampsize
from pmvalsampsize.pmvalsampsize import pmvalsampsize

HERE = Path(__file__).parent

# n_candidate_parameters, outcome_proportion, then Cox-Snell R2 or c-statistic
DEVELOPMENT = [
    {"parameters": 24, "prevalence": 0.174, "csrsquared": 0.288},
    {"parameters": 24, "prevalence": 0.174, "csrsquared": 0.55},
    {"parameters": 36, "prevalence": 0.174, "csrsquared": 0.288},
    {"parameters": 24, "prevalence": 0.25, "csrsquared": 0.288},
    {"parameters": 7, "prevalence": 0.42, "csrsquared": 0.1},
    {"parameters": 30, "prevalence": 0.05, "csrsquared": 0.04},
    {"parameters": 12, "prevalence": 0.4, "cstatistic": 0.75},
    {"parameters": 20, "prevalence": 0.42, "cstatistic": 0.68},
    {"parameters": 5, "prevalence": 0.475, "cstatistic": 0.8},
    {"parameters": 15, "prevalence": 0.1, "cstatistic": 0.89},
]
VALIDATION = [
    {"prevalence": 0.018, "cstatistic": 0.8, "lpnormal": (-5, 2.5), "oeciwidth": 1},
    {"prevalence": 0.42, "cstatistic": 0.7, "lpnormal": (-0.35, 0.8)},
    {
        "prevalence": 0.31,
        "cstatistic": 0.74,
        "lpnormal": (-0.9, 1.0),
        "oeciwidth": 0.3,
        "csciwidth": 0.4,
        "cstatciwidth": 0.12,
        "sensitivity": 0.7,
        "specificity": 0.6,
        "threshold": 0.3,
    },
]


def _criteria(function, options: dict[str, object]) -> dict[str, object]:
    with contextlib.redirect_stdout(io.StringIO()):
        found = function(type="b", noprint=True, **options)
    lines = [line for line in found["results_table"] if isinstance(line, list)]
    required = {line[0]: int(line[1]) for line in lines}
    names = ("rsquared", "max_r2a", "EPP")
    extra = {name: round(float(found[name]), 10) for name in names if name in found}
    return {"options": options, "required": required, **extra}


def main() -> None:
    found = {
        "development": [_criteria(pmsampsize, options) for options in DEVELOPMENT],
        "validation": [_criteria(pmvalsampsize, options) for options in VALIDATION],
        "versions": {
            "python": platform.python_version(),
            "pmsampsize": version("pmsampsize"),
            "pmvalsampsize": version("pmvalsampsize"),
        },
    }
    (HERE / "sample_size.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
