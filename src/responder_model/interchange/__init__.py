"""FHIR in and out: codes of the dictionary, resources read and written."""
