"""The description of the JSON interface (OpenAPI 3.1), made from what it does.

Schemas of patients come from the dictionary, envelopes from their models, examples are
answers to the known patient, and the form of an answer is that of its examples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from responder_model import __version__
from responder_model.schema import dictionary
from responder_model.words import LANGUAGES, Note, say
from . import envelopes, problems
from .api import Operation, operations, ready
from .fields import Schema, patient_schema
from .gate import Arrival
from .service import Service
from .shelf import KNOWN_PATIENT

Plain = dict[str, Any]
_REQUEST_ID = "00000000-0000-4000-8000-000000000000"
# What only a request with a body can be answered.
_OF_BODIES = (
    problems.Kind.BAD_JSON,
    problems.Kind.REQUEST_TIMEOUT,
    problems.Kind.TOO_LARGE,
    problems.Kind.UNSUPPORTED_MEDIA_TYPE,
    problems.Kind.INVALID_PATIENT,
)


def document(service: Service, lang: str) -> Plain:
    """OpenAPI document of a server, its sentences in a language.

    Examples
    --------
    >>> from responder_model.serving.settings import ServerSettings
    >>> found = document(Service(ServerSettings()), "fr")
    >>> found["openapi"], list(found["paths"])[:2]
    ('3.1.0', ['/health', '/ready'])
    """
    has_tokens = service.settings.tokens is not None
    moments = [moment for _, moment in dictionary().targets()]
    components: Plain = {
        "schemas": {
            "Problem": _problem_schema(lang),
            **{f"Patient_{name}": patient_schema(name, lang) for name in moments},
        },
        "responses": {kind.code: _problem(kind, lang) for kind in problems.JSON_KINDS},
    }
    if has_tokens:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    paths = {"/health": {"get": _health(lang)}}
    for operation in operations(service):
        described = _operation(service, operation, lang)
        if has_tokens and operation.name != "ready":
            described["security"] = [{"token": []}]
        paths[operation.path] = {operation.method.lower(): described}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "responder_model",
            "version": __version__,
            "description": say("serving.api_about", lang),
        },
        "paths": paths,
        "components": components,
    }


def _health(lang: str) -> Plain:
    return {
        "operationId": "health",
        "summary": say("serving.op_health", lang),
        "responses": {
            "200": _answer([{"status": "alive"}]),
            **_refusals(with_body=False),
        },
    }


def _operation(service: Service, operation: Operation, lang: str) -> Plain:
    asked = _requests(operation.envelope)
    values = asked or [{}]
    answers = [_example(service, operation, value, lang) for value in values]
    told: Plain = {
        "operationId": operation.name,
        "summary": say(f"serving.op_{operation.name}", lang),
        "responses": {
            "200": _answer(answers),
            **_refusals(with_body=operation.envelope is not None),
        },
    }
    if operation.takes_language:
        schema = {"enum": list(LANGUAGES)}
        told["parameters"] = [{"name": "lang", "in": "query", "schema": schema}]
    if operation.envelope is not None:
        content = {
            "schema": envelope_schema(service, operation.envelope),
            "examples": {f"example_{k}": {"value": v} for k, v in enumerate(asked)},
        }
        told["requestBody"] = {"required": True, "content": {problems.JSON: content}}
    return told


# ---------------------------------------------------------------- requests


def envelope_schema(service: Service, envelope: type[envelopes.Envelope]) -> Schema:
    """JSON schema of a body: what it allows is answered.

    Examples
    --------
    >>> from responder_model.serving.settings import ServerSettings
    >>> from responder_model.serving import envelopes
    >>> schema = envelope_schema(Service(ServerSettings()), envelopes.Path)
    >>> schema["required"], schema["properties"]["patient"]["$ref"]
    (['patient'], '#/components/schemas/Patient_session_3')
    """
    lang: Schema = {"lang": {"enum": list(LANGUAGES), "default": LANGUAGES[0]}}
    test = next(iter(dictionary().decisions.values()))
    if envelope is envelopes.Path:
        return _object({**lang, "patient": _patient(test.moments[-1])}, ["patient"])
    if envelope is envelopes.Stopping:
        moment = {"enum": [*test.moments[1:], None]}
        cost = {"type": ["number", "null"], "exclusiveMinimum": 0}
        return _object({**lang, "moment": moment, "cost": cost}, [])
    if not issubclass(envelope, envelopes.ManyPatients | envelopes.OnePatient):
        return _object(lang, [])
    most = service.settings.limits.patients
    return {
        "oneOf": [
            _question(*at, lang, most if envelope is envelopes.ManyPatients else None)
            for at in dictionary().targets()
        ]
    }


def _question(decision: str, moment: str, lang: Schema, most: int | None) -> Schema:
    patient = _patient(moment)
    asked = {"patient": patient}
    if most is not None:
        asked = {
            "patients": {
                "type": "array",
                "items": patient,
                "minItems": 1,
                "maxItems": most,
            }
        }
    only = len(dictionary().decisions[decision].moments) == 1
    named: Schema = {"const": moment}
    properties = {
        "decision": {"const": decision},
        "moment": {"enum": [moment, None]} if only else named,
        **lang,
        "centre": {"type": ["string", "null"]},
        **asked,
    }
    return _object(properties, ["decision", *([] if only else ["moment"]), *asked])


def _patient(moment: str) -> Schema:
    return {"$ref": f"#/components/schemas/Patient_{moment}"}


def _object(properties: Schema, required: Sequence[str]) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _requests(envelope: type[envelopes.Envelope] | None) -> list[Plain]:
    """Examples of a body: the known patient, for every question."""
    patient = dict(KNOWN_PATIENT)
    if envelope is None:
        return []
    if envelope is envelopes.Path:
        # after the last session nothing lies ahead
        last = {**patient, "relief_3": 40}
        return [{"lang": "fr", "patient": each} for each in (patient, last)]
    if envelope is envelopes.Stopping:
        # rules of one session: those of all take a second
        moments = next(iter(dictionary().decisions.values())).moments
        return [{"lang": "fr", "moment": moments[1]}]
    if not issubclass(envelope, envelopes.ManyPatients | envelopes.OnePatient):
        return [{}]
    asked = {"patient": patient}
    if envelope is envelopes.ManyPatients:
        asked = {"patients": [patient]}  # type: ignore[dict-item]
    return [
        {"decision": decision, "moment": moment, "lang": "fr", **asked}
        for decision, moment in dictionary().targets()
    ]


# ---------------------------------------------------------------- answers


def _example(service: Service, operation: Operation, value: Any, lang: str) -> Plain:
    if operation.envelope is None:
        return operation.answer(service, lang)
    if operation.name == "reload":
        # described by what it leaves behind, not by doing it
        models = ready(service, lang)["models"]
        return {"request_id": _REQUEST_ID, "models": models}
    asked = envelopes.read_envelope(problems.dump_json(value), operation.envelope)
    arrival = Arrival(request_id=_REQUEST_ID, lang=lang)
    return {"request_id": _REQUEST_ID, **operation.answer(service, asked, arrival)}


def _answer(examples: Sequence[Plain]) -> Plain:
    content = {"schema": form_of(examples), "example": examples[0]}
    return {"description": "OK", "content": {problems.JSON: content}}


def form_of(examples: Sequence[Any], depth: int = 0) -> Schema:
    """JSON schema of what all examples have in common, three levels deep.

    Examples
    --------
    >>> form_of([{"a": 1, "b": None}, {"a": 0.5}])
    {'type': 'object', 'properties': {'a': {'type': 'number'}}, 'required': ['a']}
    """
    if all(isinstance(value, Mapping) for value in examples):
        shared = [key for key in examples[0] if all(key in value for value in examples)]
        properties = {
            key: form_of([value[key] for value in examples], depth + 1)
            for key in (shared if depth < _DEPTH else ())
        }
        return {"type": "object", "properties": properties, "required": [*properties]}
    if all(isinstance(value, list | tuple) for value in examples):
        rows = [row for value in examples for row in value]
        items = form_of(rows, depth + 1) if rows and depth < _DEPTH else {}
        return {"type": "array", "items": items}
    return _SCALARS.get(frozenset(map(type, examples)), {})


_DEPTH = 4
_SCALARS: dict[frozenset[type], Schema] = {
    frozenset({str}): {"type": "string"},
    frozenset({bool}): {"type": "boolean"},
    frozenset({int}): {"type": "number"},
    frozenset({float}): {"type": "number"},
    frozenset({int, float}): {"type": "number"},
}


# ---------------------------------------------------------------- refusals


def _refusals(*, with_body: bool) -> Plain:
    """Every refusal of a route: by status, which may have more than one kind."""
    kinds = [
        kind for kind in problems.JSON_KINDS if with_body or kind not in _OF_BODIES
    ]
    named = {str(kind.status): kind.code for kind in reversed(kinds)}
    return {
        status: {"$ref": f"#/components/responses/{code}"}
        for status, code in sorted(named.items())
    }


def _problem(kind: problems.Kind, lang: str) -> Plain:
    item = problems.Item(pointer="", allowed=Note("serving.required"))
    if kind is problems.Kind.INVALID_PATIENT:
        field = dictionary().fields["age"]
        item = problems.Item(
            pointer="/patients/0/age",
            allowed=field.rule,
            field=field.name,
            label=Note("patient.name", field=field.name),
        )
    items = (
        [item]
        if kind in (problems.Kind.INVALID_PATIENT, problems.Kind.INVALID_REQUEST)
        else []
    )
    example = problems.Refused(kind, items).document(_REQUEST_ID, lang)
    schema = {"$ref": "#/components/schemas/Problem"}
    content = {problems.MEDIA_TYPE: {"schema": schema, "example": example}}
    return {"description": say(f"serving.{kind.code}", lang), "content": content}


def _problem_schema(lang: str) -> Schema:
    item = problems.Item(pointer="", allowed=Note("serving.required"))
    text: Schema = {"type": "string"}
    or_none: Schema = {"type": ["string", "null"]}
    rows = dict.fromkeys(item.to_dict(lang), text) | {
        "field": or_none,
        "label": or_none,
    }
    return _object(
        {
            "type": text,
            "title": text,
            "status": {"type": "integer"},
            "request_id": text,
            "problems": {"type": "array", "items": _object(rows, [*rows])},
        },
        ["type", "title", "status", "request_id", "problems"],
    )
