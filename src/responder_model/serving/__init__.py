"""The server: JSON for programs and a page for people, on one address.

``app.create_app`` puts the parts together around one ``service.Service``, which holds
the models that answer. A part is a module with a function ``routes(service)`` that
returns its routes: ``api.routes`` speaks JSON; pages plug in the same way, and take
from ``Service`` the models (``service.models``), the settings (``service.settings``)
and a thread for their work (``await service.work(function)``). ``gate.Gate`` stands
before all of them: limits, host names, headers of every answer, the log.
A part raises ``problems.Refused``, and answers with what ``Model.predict`` says,
nothing else. Whom it scored it puts on the arrival: ``recording`` has it written before
the answer leaves.
"""

__all__ = [
    "app",
    "service",
]
