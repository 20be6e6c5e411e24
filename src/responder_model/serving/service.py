"""What the parts of a server share: its settings, its models, and threads for work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from responder_model.artifact import digest_of
from responder_model.words import Note
from .callers import read_callers
from .logs import write_line
from .problems import Item, Kind, Refused
from .settings import ServerSettings
from .shelf import Served, Shelf, load_shelf, not_ready
from .tokens import Doorkeeper, read_tokens

T = TypeVar("T")
# Seconds after which a busy server is worth another try.
RETRY_AFTER = "1"


def shelf_of(settings: ServerSettings) -> Shelf:
    """Models of a server, with what monitoring says of them now.

    Raises
    ------
    UntrustedModelError, ResponderModelError
        As ``shelf.load_shelf`` and ``monitoring.read_review``.
    """
    path = settings.monitoring
    if path is None:
        return load_shelf(settings.models)
    from responder_model.monitoring import read_review

    review = read_review(path)
    shelf = load_shelf(settings.models, review)
    if not any(digest_of(served.model) in review for served in shelf.values()):
        said = Note("monitoring.of_no_served", name=path.name)
        write_line({"level": "warning", "monitoring": said.text()})
    return shelf


class Service:
    """Settings, models, doorkeeper and threads of one server.

    ``models`` is one reference, swapped whole by ``reload``: a request reads it once
    and answers by what it read.

    Raises
    ------
    UntrustedModelError, ResponderModelError
        As ``shelf.load_shelf``.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self.models: Shelf = shelf_of(settings)
        limits = settings.limits
        hospital = settings.hospital
        self.callers = None if hospital is None else hospital.callers
        self.doorkeeper: Doorkeeper | None = None
        if settings.tokens is not None:
            most = limits.failed_tokens
            self.doorkeeper = Doorkeeper(settings.tokens, most_failures=most)
        self._threads = ThreadPoolExecutor(limits.threads, thread_name_prefix="work")
        self._most = limits.threads + limits.queue
        self._at_work = 0
        # tells other processes of this server to reload too
        self.told: Callable[[], None] | None = None

    def served(self, decision: str, moment: str) -> Served:
        """Model of a question and moment.

        Raises
        ------
        Refused
            For one that did not give its known number when it was loaded.
        """
        found = self.models[decision, moment]
        if not found.is_itself:
            raise Refused(Kind.NOT_READY, [not_ready_item(found)])
        return found

    def reload(self) -> None:
        """Load all models anew beside those that serve, try them, and swap.

        Tokens and callers are read anew too.

        Raises
        ------
        UntrustedModelError, ResponderModelError
            As ``shelf.load_shelf``, ``read_tokens`` and ``read_callers``; what served
            before still serves, to those who might ask before.
        Refused
            For a model that does not give its known number.
        """
        found, path = shelf_of(self.settings), self.settings.tokens_file
        tokens = None if path is None else read_tokens(path)
        hospital = self.settings.hospital
        callers = self.callers
        if hospital is not None and hospital.callers_file is not None:
            callers = read_callers(hospital.callers_file)
        for served in not_ready(found):
            raise Refused(Kind.REFUSED_MODEL, [not_ready_item(served)])
        self.models, self.callers = found, callers
        if tokens is not None and self.doorkeeper is not None:
            self.doorkeeper.tokens = tokens

    async def work(self, task: Callable[[], T]) -> T:
        """Do a task in a thread, in turn; refused when too many wait already.

        Raises
        ------
        Refused
            When as many tasks are at work and waiting as the limits allow.
        TimeoutError
            When it takes longer than an answer may.
        """
        if self._at_work >= self._most:
            raise Refused(Kind.BUSY, headers={"Retry-After": RETRY_AFTER})
        self._at_work += 1
        loop = asyncio.get_running_loop()
        job = self._threads.submit(task)

        def done(_: Future[Any]) -> None:
            # a thread may outlive the server
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._one_done)

        job.add_done_callback(done)
        async with asyncio.timeout(self.settings.limits.answer_seconds):
            return await asyncio.wrap_future(job)

    def _one_done(self) -> None:
        self._at_work -= 1


def not_ready_item(served: Served) -> Item:
    """Say which model does not give its known number."""
    decision, moment = served.model.decision, served.model.moment
    label = Note("serving.target", decision=decision, moment=moment)
    return Item(pointer="", allowed=Note("serving.known_number"), label=label)
