"""Models and patients for tests of what a model gives away."""

import pandas as pd

from responder_model.cohort import outcome_levels
from responder_model.settings import Settings
from responder_model.simulation import simulate_cohort

RTMS = ("rtms_response", "screening")
EMCS = ("emcs_success", "implantation")
SETTINGS = {
    target: Settings(decision=target[0], moment=target[1], challenger=False)
    for target in (RTMS, EMCS)
}


def patients(target, n, seed):
    """Complete patients with a known outcome."""
    ask = 12 * n if target == EMCS else n
    cohort = simulate_cohort(ask, seed, non_completers=0.0, blank_share=0.0)
    known = outcome_levels(cohort, target[0]).observed
    found = cohort[known].iloc[:n].reset_index(drop=True)
    found.attrs = dict(cohort.attrs)
    return found


def both(rest, n):
    """The first patients with both outcomes among them."""
    yes = rest["rtms_responder"].astype(bool)
    found = pd.concat([rest[yes].iloc[: n // 2], rest[~yes].iloc[: n - n // 2]])
    found.attrs = dict(rest.attrs)
    return found
