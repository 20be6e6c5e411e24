"""uvicorn's server, which loses nobody when it stops.

Closing a listening socket resets who has been accepted by the system and not yet by the
process. So the system is told to let nobody else begin, then all who wait are taken and
given time to ask.
"""

from __future__ import annotations

import asyncio
import ctypes
import socket
import struct
import sys
from contextlib import suppress
from functools import partial
from typing import Any

import uvicorn

# Seconds in which a connection that has begun is completed.
HANDSHAKE = 0.05
# Seconds in which a connection that is kept may ask once more.
LINGER = 0.3
# Seconds in which those taken last send what they are about to ask.
ASKING = 2.0
# Linux: SO_ATTACH_FILTER, which Python does not name.
ATTACH_FILTER = 26
# Of a segment's flags (byte 13) SYN means that somebody begins: drop it, keep the rest.
NO_BEGINNING = b"".join(
    struct.pack("=HBBI", *step)
    for step in (
        (0x30, 0, 0, 13),
        (0x45, 0, 1, 0x02),
        (0x06, 0, 0, 0),
        (0x06, 0, 0, ~0 & 0xFFFFFFFF),
    )
)


class Server(uvicorn.Server):
    """Serves until it is told to stop, then finishes.

    ``alone``: no other process listens to the same socket, so it can be closed to all.
    """

    def __init__(self, config: uvicorn.Config, *, alone: bool) -> None:
        super().__init__(config)
        self._alone = alone

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
        for place in sockets or ():
            if self._alone:
                let_nobody_begin(place)
        await asyncio.sleep(HANDSHAKE)
        taken = [each for place in sockets or () for each in _take_all(place)]
        for server in self.servers:
            server.close()
        for connection in taken:
            await loop.connect_accepted_socket(protocol, connection)
        await asyncio.sleep(LINGER)
        await self._until_all_have_asked(loop.time() + ASKING)
        await super().shutdown(sockets=sockets)

    async def _until_all_have_asked(self, deadline: float) -> None:
        connections: Any = self.server_state.connections
        while any(each.cycle is None for each in connections):
            if asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(HANDSHAKE)


def let_nobody_begin(place: socket.socket) -> None:
    """Drop the first segment of new connections; who has begun completes.

    Who is dropped tries again after a second and is refused then, as the socket is
    closed. Elsewhere than on Linux nothing happens.
    """
    if sys.platform != "linux":
        return
    steps = ctypes.create_string_buffer(NO_BEGINNING, len(NO_BEGINNING))
    program = struct.pack("HP", len(NO_BEGINNING) // 8, ctypes.addressof(steps))
    with suppress(OSError):
        place.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, program)


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
