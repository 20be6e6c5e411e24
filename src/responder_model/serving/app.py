"""The application: parts plugged into one, behind the gate."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from responder_model import __version__
from . import api, docs, site
from .gate import Gate, Log
from .logs import write_line
from .problems import KIND_OF_STATUS, Kind, Refused
from .recording import Recorder
from .service import Service
from .settings import ServerSettings


def create_app(
    settings: ServerSettings | None = None, *, log: Log = write_line
) -> FastAPI:
    """Build the application of one server.

    Parameters
    ----------
    settings : ServerSettings, optional
        By default the published-evidence models, for this machine alone.
    log : callable, optional
        Takes each line of the log; by default it goes to stderr.

    Raises
    ------
    UntrustedModelError, ResponderModelError
        For a model that cannot be loaded.

    Examples
    --------
    >>> create_app().title
    'responder_model'
    """
    settings = settings or ServerSettings()
    service = Service(settings)
    routes = [route for part in (api, docs, site) for route in part.routes(service)]
    if settings.hospital is not None:
        from . import cds, fhir, opened

        for room in (fhir, cds, opened):
            routes += room.routes(service, settings.hospital)
    app = FastAPI(
        title="responder_model",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        routes=routes,
    )
    app.state.service = service
    app.add_exception_handler(HTTPException, _refuse_as_problem)
    app.add_middleware(
        Gate,
        settings=settings,
        doorkeeper=service.doorkeeper,
        recorder=None if settings.audit is None else Recorder(settings.audit),
        log=log,
    )
    return app


async def _refuse_as_problem(_: Request, error: Exception) -> Response:
    """Turn what the framework refuses into our own refusal; the gate answers it."""
    if not isinstance(error, HTTPException):
        raise error
    kind = KIND_OF_STATUS.get(error.status_code, Kind.BAD_REQUEST)
    raise Refused(kind, headers=error.headers) from None
