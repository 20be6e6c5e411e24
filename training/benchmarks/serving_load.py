"""Clients that ask a server over kept connections, and servers to be asked."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from urllib.error import URLError

import numpy as np

# Seconds in which a server must have started.
STARTING = 120.0


@dataclass(frozen=True, kw_only=True)
class Found:
    """What clients saw: seconds of each answer, and how many were none."""

    latencies: np.ndarray
    seconds: float
    errors: int

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def quantile_ms(self, q: float) -> float:
        """Quantile of the time of an answer, in milliseconds."""
        return 1000.0 * float(np.quantile(self.latencies, q))


@dataclass(frozen=True, kw_only=True)
class Running:
    """A server that has started: its process, its port and how long it took."""

    process: subprocess.Popen[bytes]
    port: int
    seconds: float

    def cpu_seconds(self) -> float:
        """Processor time of the process and its children until now."""
        return sum(map(_cpu_seconds, [self.process.pid, *_children(self.process.pid)]))

    def memory_mb(self) -> float:
        """Resident memory of the process and its children."""
        pids = [self.process.pid, *_children(self.process.pid)]
        return sum(map(_resident_mb, pids))

    def stop(self) -> None:
        """End it."""
        with suppress(ProcessLookupError):
            self.process.terminate()
        self.process.wait(30)


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    found = [int(number) for number in path.read_text("ascii").split()]
    return found + [each for child in found for each in _children(child)]


def _resident_mb(pid: int) -> float:
    rows = dict(
        line.split(":", 1)
        for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    )
    return int(rows["VmRSS"].split()[0]) / 1024


def _cpu_seconds(pid: int) -> float:
    # the name, in brackets, may hold anything
    told = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """Port that nobody listens to now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(command: Sequence[str], port: int, path: str) -> Running:
    """Start a server and wait until it answers at a path."""
    began = time.monotonic()
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet)
    while time.monotonic() - began < STARTING and process.poll() is None:
        with suppress(URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).close()
            seconds = time.monotonic() - began
            return Running(process=process, port=port, seconds=seconds)
        time.sleep(0.02)
    msg = f"{command[0]} did not start"
    raise RuntimeError(msg)


def request(
    path: str,
    body: bytes,
    media: str = "application/json",
    method: str = "POST",
    *,
    token: str = "",
) -> bytes:
    """Bytes of one request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {media}\r\n"
    if token:
        head += f"Authorization: Bearer {token}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def ask(
    port: int, sent: bytes | Iterable[bytes], *, clients: int, seconds: float
) -> Found:
    """Ask for some seconds, each client as fast as it is answered.

    Of several requests each is sent once, and asking ends with them.
    """
    each = repeat(sent) if isinstance(sent, bytes) else iter(sent)
    return asyncio.run(_ask(port, each, clients, seconds, 0.0))


def ask_at_rate(port: int, sent: bytes, *, rate: float, seconds: float) -> Found:
    """Ask so many times a second, spread over 10 clients; waiting counts."""
    clients = 10
    return asyncio.run(_ask(port, repeat(sent), clients, seconds, clients / rate))


async def _ask(
    port: int, sent: Iterator[bytes], clients: int, seconds: float, every: float
) -> Found:
    began = time.perf_counter()
    end = began + seconds
    rows = await asyncio.gather(
        *(
            _client(port, sent, began + every * k / clients, end, every)
            for k in range(clients)
        )
    )
    took = time.perf_counter() - began
    latencies = np.concatenate([np.array(found) for found, _ in rows])
    return Found(
        latencies=latencies, seconds=took, errors=sum(errors for _, errors in rows)
    )


async def _client(
    port: int, sent: Iterator[bytes], due: float, end: float, every: float
) -> tuple[list[float], int]:
    found, errors = [], 0
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (now := time.perf_counter()) < end:
        if every:
            await asyncio.sleep(max(0.0, due - now))
        began = due if every else now
        one = next(sent, None)
        if one is None:
            break
        writer.write(one)
        status = await _read_answer(reader)
        found.append(time.perf_counter() - began)
        errors += status != 200
        due += every
    writer.close()
    return found, errors


async def _read_answer(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].split(b"\r", 1)[0])
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])
