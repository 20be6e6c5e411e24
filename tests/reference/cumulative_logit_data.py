"""Simulate the cohort of the cumulative-logit reference values."""

from pathlib import Path

import numpy as np

rng = np.random.default_rng(20260101)
x = rng.normal(size=(180, 3)).round(3)
latent = x @ [0.8, -0.5, 0.2] - 0.3 + rng.logistic(size=180)
level = np.searchsorted([-1.3, -0.6, 0.0, 1.05, 2.2], latent)
table = np.column_stack([x, level])
path = Path(__file__).with_name("cumulative_logit_data.csv")
np.savetxt(path, table, "%.10g", ",", header="x0,x1,x2,level", comments="")
