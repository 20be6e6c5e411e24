"""A digest that tells whether two logged results are about the same cohort."""

from __future__ import annotations

import pandas as pd

from responder_model.disclosure import keyed_digest
from responder_model.schema import dictionary


def cohort_digest(cohort: pd.DataFrame) -> str | None:
    """Return the digest of a checked cohort; None where no key can be kept.

    Equal for the same patients in any order, whatever they are called. It is keyed: a
    plain digest of few patients, or of many of whom all but one are known, could be
    compared with guesses by everybody who reads the store. The key is that of the
    centre (``disclosure``), never in a store, so that digests of two centres differ.

    Examples
    --------
    >>> import responder_model as rm
    >>> cohort = rm.simulate_cohort(n_patients=5, seed=0)
    >>> cohort_digest(cohort) == cohort_digest(cohort.iloc[::-1])
    True
    """
    fields = dictionary().fields
    named = [n for n in sorted(cohort.columns) if fields[n].role != "identifier"]
    lines = sorted(cohort[named].to_csv(index=False, header=False).splitlines())
    return keyed_digest("\n".join([",".join(named), *lines]))
