"""Reference values of effects and pools, by statsmodels from the published counts.

Run in this directory: python evidence.py
Writes evidence.csv (name, effect, se, tau_squared) and evidence_versions.txt. Effects
are fitted by binomial regression, pools by DerSimonian and Laird's method; nothing of
responder_model is used.
"""

import csv
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import statsmodels.api as sm
from statsmodels.stats.meta_analysis import combine_effects

HERE = Path(__file__).parent

# Successes and patients of each series of implants.
SUCCESS = {
    "nuti_2005_success": (16, 31),
    "andre_obadia_2014_success": (10, 20),
    "henssen_2018_success": (7, 18),
    "hamani_2021_success": (7, 18),
    "two_centre_2024_success": (11, 31),
    "tanei_2018_success": (8, 15),
    "fagundes_2010_success": (15, 26),
    "rasche_2006_success": (8, 17),
    "sachs_2014_success": (2, 14),
    "lefaucheur_2011_success": (36, 59),
}
RESPONSE = {
    "thomas_2025_response": (81, 193),
    "hodaj_2020_response": (39, 57),
    "hodaj_2015_response": (40, 55),
    "malavera_2016_response": (19, 27),
    "de_martino_2025_response": (20, 43),
}
# Events and patients of two groups; 0.5 is added to each cell if one is empty.
TABLES = {
    "fontaine_2009_trigeminal": (30, 44, 63, 117),
    "rasche_2006_trigeminal": (5, 10, 3, 7),
    "two_centre_2024_trigeminal": (11, 19, 0, 7),
    "lefaucheur_2011_single": (26, 33, 10, 26),
    "lefaucheur_2011_active_minus_sham": (21, 21, 15, 38),
    "pommier_2018_four_sessions": (9, 9, 0, 3),
    "hamani_2021_aetiology": (5, 8, 2, 10),
    "henssen_2018_central": (7, 10, 0, 8),
    "henssen_2018_facial": (0, 7, 7, 10),
    "malavera_2016_active": (19, 27, 11, 27),
}
POOLS = {
    "success": tuple(SUCCESS),
    # One row of each group that shares patients.
    "response_30": tuple(name for name in RESPONSE if name != "hodaj_2015_response"),
    "facial_vs_central": (
        "fontaine_2009_trigeminal",
        "two_centre_2024_trigeminal",
        "henssen_2018_facial",
        "hamani_2021_aetiology",
    ),
    "single_and_four_sessions": (
        "lefaucheur_2011_single",
        "pommier_2018_four_sessions",
    ),
}


def regression(cells: np.ndarray) -> tuple[float, float]:
    """Last coefficient of a binomial regression, rows = (events, others)."""
    design = np.ones((1, 1)) if len(cells) == 1 else np.array([[1.0, 1.0], [1.0, 0.0]])
    with warnings.catch_warnings():
        # Saturated models: no residual degrees of freedom, and a perfect fit.
        warnings.simplefilter("ignore")
        fit = sm.GLM(cells, design, family=sm.families.Binomial()).fit(tol=1e-14)
    return float(fit.params[-1]), float(fit.bse[-1])


def effects() -> dict[str, tuple[float, float]]:
    found = {}
    for name, (events, n) in {**SUCCESS, **RESPONSE}.items():
        found[name] = regression(np.array([[events, n - events]], dtype=float))
    for name, (a, n, c, m) in TABLES.items():
        cells = np.array([[a, n - a], [c, m - c]], dtype=float)
        found[name] = regression(cells + 0.5 * (cells.min() == 0))
    return found


def main() -> None:
    found = effects()
    lines = [(name, effect, se, "") for name, (effect, se) in found.items()]
    for name, members in POOLS.items():
        effect, se = np.array([found[key] for key in members]).T
        pool = combine_effects(effect, se**2, method_re="dl")
        lines.append((name, pool.mean_effect_re, pool.sd_eff_w_re, pool.tau2))
    with (HERE / "evidence.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["name", "effect", "se", "tau_squared"])
        for name, *numbers in lines:
            writer.writerow([name, *(f"{x:.15g}" if x != "" else x for x in numbers)])
    text = "\n".join(f"{name} {version(name)}" for name in ("statsmodels", "numpy"))
    (HERE / "evidence_versions.txt").write_text(text + "\n")


if __name__ == "__main__":
    main()
