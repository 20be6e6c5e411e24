"""A proportion of responders with its interval."""

from __future__ import annotations

import math

from responder_model.errors import ResponderModelError
from responder_model.performance.estimate import Estimate, normal_quantile


def proportion_estimate(
    n_events: int, n_patients: int, *, confidence: float = 0.95
) -> Estimate:
    """Proportion of responders with Wilson's score interval.

    The interval has width also when nobody or everybody responded.

    Parameters
    ----------
    n_events : int
        Responders.
    n_patients : int
        Patients, at least 1.
    confidence : float, default 0.95
        Coverage of the interval.

    Returns
    -------
    Estimate
        Proportion and interval.

    Raises
    ------
    ResponderModelError
        If the counts are not possible.

    Examples
    --------
    >>> print(proportion_estimate(17, 36))
    0.472 (0.320 to 0.630)
    """
    if not 0 <= n_events <= n_patients or n_patients == 0:
        message = (
            "n_events must be between 0 and n_patients, which is at least 1, got "
            f"{n_events} of {n_patients}."
        )
        raise ResponderModelError(message)
    p, n = n_events / n_patients, n_patients
    z = normal_quantile(confidence)
    # (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)
    centre = p + z * z / (2 * n)
    half = z * math.sqrt(p * (1.0 - p) / n + z * z / (4 * n * n))
    scale = 1.0 + z * z / n
    return Estimate(
        value=p,
        lower=max((centre - half) / scale, 0.0),
        upper=min((centre + half) / scale, 1.0),
        standard_error=None,
        method="Wilson",
    )
