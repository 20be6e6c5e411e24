"""FHIR in and out: codes of the dictionary, resources read and written."""

from __future__ import annotations

# Its modules are asked by name: most servers load none of them.
__all__: list[str] = []
