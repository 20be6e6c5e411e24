"""uvicorn's server, which loses nobody when it stops.

Closing a listening socket resets who has been accepted by the system and not yet by the
process. They are taken first, in one go, and given time to ask.
"""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from typing import Any

import uvicorn

# Seconds in which those taken last send what they are about to ask.
LINGER = 0.3


class Server(uvicorn.Server):
    """Serves until it is told to stop, then finishes."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take who has knocked, close the door, then finish what is at work."""
        loop = asyncio.get_running_loop()
        made: Any = self.config.http_protocol_class
        protocol = partial(
            made,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
            _loop=loop,
        )
        taken = [each for place in sockets or () for each in _take_all(place)]
        for server in self.servers:
            server.close()
        for connection in taken:
            await loop.connect_accepted_socket(protocol, connection)
        await asyncio.sleep(LINGER)
        await super().shutdown(sockets=sockets)


def _take_all(place: socket.socket) -> list[socket.socket]:
    """Accept all who wait."""
    taken = []
    while True:
        try:
            connection, _ = place.accept()
        except OSError:
            break
        connection.setblocking(False)  # noqa: FBT003 - the socket's own
        taken.append(connection)
    return taken
