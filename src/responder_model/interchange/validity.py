"""Our resources against the classes of FHIR R4: the only place that imports them.

``fhir.resources`` has no R4 package; its R4B has the same elements for what is written
here, which a test holds against the profiles of 4.0.1. A resource takes 2 ms, so that
this is done when a server starts, not per request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def check_resources(resources: Iterable[Mapping[str, Any]]) -> None:
    """Refuse resources that are none of FHIR R4B.

    Raises
    ------
    ModuleNotFoundError
        Without the extra ``hospital``.
    ValueError
        For an element that FHIR does not know, or of another type: a fault of ours.
    """
    from fhir.resources.R4B import get_fhir_model_class

    for resource in resources:
        kind = get_fhir_model_class(resource["resourceType"])
        kind.model_validate(resource)
