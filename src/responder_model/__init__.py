"""Predict response to motor-cortex rTMS and benefit from an epidural stimulator.

Research use: not a medical device. Every public name is imported when first used, so
that ``import responder_model`` stays quick.

Examples
--------
>>> import responder_model as rm
>>> model = rm.published_model("rtms_response", moment="screening")
>>> prediction = model.predict({"age": 54, "aetiology": "ischaemic_stroke"})
>>> 0 < prediction.interval[0] < prediction.probability < prediction.interval[1] < 1
True
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from responder_model.words import Naming, name_with

if TYPE_CHECKING:
    from responder_model.artifact import load_model as load_model
    from responder_model.artifact import save_model as save_model
    from responder_model.artifact import sign_model as sign_model
    from responder_model.artifact import verify_model as verify_model
    from responder_model.cohort import read_cohort as read_cohort
    from responder_model.cohort import write_template as write_template
    from responder_model.cumulative_logit import (
        EvidenceCumulativeLogit as EvidenceCumulativeLogit,
    )
    from responder_model.development import build_procedure as build_procedure
    from responder_model.development import develop as develop
    from responder_model.development import update as update
    from responder_model.development.published import published_model as published_model
    from responder_model.errors import DevelopmentError as DevelopmentError
    from responder_model.errors import EvidenceError as EvidenceError
    from responder_model.errors import InvalidCohortError as InvalidCohortError
    from responder_model.errors import InvalidPatientError as InvalidPatientError
    from responder_model.errors import Problem as Problem
    from responder_model.errors import ResponderModelError as ResponderModelError
    from responder_model.errors import TrackingError as TrackingError
    from responder_model.errors import UntrustedModelError as UntrustedModelError
    from responder_model.model import Model as Model
    from responder_model.model import Prediction as Prediction
    from responder_model.pathways import Implant as Implant
    from responder_model.pathways import Pathway as Pathway
    from responder_model.pathways import pathway as pathway
    from responder_model.pathways.implanting import implant as implant
    from responder_model.rules import InformationWorth as InformationWorth
    from responder_model.rules import StoppingRules as StoppingRules
    from responder_model.rules import stopping_rule as stopping_rule
    from responder_model.rules import value_of_information as value_of_information
    from responder_model.schema import dictionary as dictionary
    from responder_model.scoring import score_file as score_file
    from responder_model.settings import Settings as Settings
    from responder_model.simulation import simulate_cohort as simulate_cohort
    from responder_model.validation import validate_externally as validate_externally
    from responder_model.validation import validate_internally as validate_internally
    from responder_model.visits import Course as Course
    from responder_model.visits import course as course

__version__ = "0.2.0"

# Sentences name fields by the labels of the dictionary, loaded when one is written.
name_with(lambda: cast("Naming", import_module(f"{__name__}.labels")))

# Module that defines each public name.
_MODULES = {
    "read_cohort": "cohort",
    "write_template": "cohort",
    "simulate_cohort": "simulation",
    "published_model": "development.published",
    "develop": "development",
    "build_procedure": "development",
    "update": "development",
    "Settings": "settings",
    "validate_internally": "validation",
    "validate_externally": "validation",
    "EvidenceCumulativeLogit": "cumulative_logit",
    "Model": "model",
    "Prediction": "model",
    "pathway": "pathways",
    "Pathway": "pathways",
    "course": "visits",
    "Course": "visits",
    "implant": "pathways",
    "Implant": "pathways",
    "stopping_rule": "rules",
    "StoppingRules": "rules",
    "value_of_information": "rules",
    "InformationWorth": "rules",
    "score_file": "scoring",
    "save_model": "artifact",
    "load_model": "artifact",
    "sign_model": "artifact",
    "verify_model": "artifact",
    "dictionary": "schema",
    "Problem": "errors",
    "ResponderModelError": "errors",
    "InvalidCohortError": "errors",
    "InvalidPatientError": "errors",
    "DevelopmentError": "errors",
    "EvidenceError": "errors",
    "TrackingError": "errors",
    "UntrustedModelError": "errors",
}

__all__ = ["__version__", *_MODULES]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
