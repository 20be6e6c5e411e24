"""The server as the command starts it: slow clients, signals, and what it logs."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import numpy as np
import pytest
import uvicorn
from uvicorn.server import ServerState

from patience import PATIENCE
from responder_model.artifact import save_model
from responder_model.model.example import example_model
from responder_model.serving.fields import patient_fields
from responder_model.serving.listener import let_nobody_begin
from responder_model.serving.protocol import TimedProtocol
from responder_model.serving.settings import Limits, ServerSettings
from serving_client import PATIENT, SCREENING, Live, Local

BODY = json.dumps({**SCREENING, "patients": [PATIENT]})
HEADERS = {"Content-Type": "application/json"}
# Limits that a test can wait for.
SHORT = {"header_seconds": 0.5, "request_seconds": 1.0, "connections_per_address": 60}


def limits_file(folder, **limits):
    path = folder / "limits.toml"
    text = "\n".join(f"{name} = {value}" for name, value in limits.items())
    path.write_text(text, encoding="utf-8")
    return "--limits", str(path)


def ask(server, body=BODY, path="/v1/predictions", headers=HEADERS):
    """Status and text of one answer, on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    try:
        method = "GET" if body is None else "POST"
        connection.request(method, path, body, {**headers, "Connection": "close"})
        answered = connection.getresponse()
        return answered.status, answered.read().decode()
    finally:
        connection.close()


def raw(server, text):
    """All that is answered to bytes on a connection."""
    with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
        connection.sendall(text)
        return read_all(connection)


def read_all(connection):
    parts = []
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def post(n_bytes, *, first=b""):
    """Head of a request with a body of so many bytes, and its beginning."""
    head = (
        f"POST /v1/predictions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {n_bytes}"
    )
    return f"{head}\r\nContent-Type: application/json\r\n\r\n".encode() + first


# ---------------------------------------------------------------- what is no request


def test_what_is_no_request_is_answered_and_ended(tmp_path):
    with Live(tmp_path) as server:
        for text, status in (
            (b"GET / HTTP/1.1\r\nno header\r\n\r\n", 400),
            (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nx: " + b"a" * 40_000, 431),
            (post(10**9, first=b"{"), 413),
        ):
            answered = raw(server, text)
            assert answered.startswith(f"HTTP/1.1 {status} ".encode()), answered[:80]
            document = json.loads(answered.partition(b"\r\n\r\n")[2])
            assert document["status"] == status
            assert b"default-src 'none'" in answered
        chunked = post(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        assert raw(server, chunked + chunk * 2).startswith(b"HTTP/1.1 413 ")
    found = {line.get("status") for line in server.lines()}
    assert found == {400, 413, 431, None}


# ---------------------------------------------------------------- slow clients


def silent(connection, stop):
    stop.wait()


def half_head(connection, stop):
    connection.sendall(b"GET /ready HTTP/1.1\r\nHost: local")
    stop.wait()


def half_body(connection, stop):
    connection.sendall(post(500, first=b'{"decision"'))
    stop.wait()


def drip(connection, stop):
    connection.sendall(post(5000))
    while not stop.wait(0.05):
        connection.sendall(b" ")


def drip_after_an_answer(connection, stop):
    connection.sendall(post(5000).replace(b"/v1/predictions", b"/nothing"))
    while not stop.wait(0.05):
        connection.sendall(b" ")


SLOW = (silent, half_head, half_body, drip, drip_after_an_answer)


class SlowClient(threading.Thread):
    """Keeps a connection busy; when it was cut stands in ``cut_after``."""

    def __init__(self, server, behave: Callable, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.connection = socket.create_connection(("127.0.0.1", server.port), 60)
        self.behave, self.stop, self.cut_after = behave, stop, None
        self.started = time.monotonic()

    def run(self):
        sender = threading.Thread(target=self._send, daemon=True)
        sender.start()
        with self.connection:
            read_all(self.connection)
            self.cut_after = time.monotonic() - self.started

    def _send(self):
        with suppress(OSError):
            self.behave(self.connection, self.stop)


def start_slow(server, n, stop):
    clients = [SlowClient(server, SLOW[k % len(SLOW)], stop) for k in range(n)]
    for client in clients:
        client.start()
    return clients


def test_slow_connections_are_cut_and_others_are_answered(tmp_path):
    stop = threading.Event()
    with Live(tmp_path, *limits_file(tmp_path, **SHORT)) as server:
        clients = start_slow(server, 40, stop)
        assert [ask(server)[0] for _ in range(20)] == [200] * 20
        for client in clients:
            client.join(20)
        stop.set()
        uncut = [c.behave.__name__ for c in clients if c.cut_after is None]
    assert uncut == []
    assert 408 in {line.get("status") for line in server.lines()}


class Wire(asyncio.Transport):
    """A connection without a network; whether it was cut stands in ``is_cut``."""

    def __init__(self, address):
        super().__init__({"peername": (address, 5000), "sockname": ("127.0.0.1", 80)})
        self.is_cut = False

    def abort(self):
        self.is_cut = True

    def close(self):
        """Nothing is open."""


@pytest.mark.parametrize(
    ("limits", "addresses", "cut"),
    [
        ({"connections": 3}, ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"], [3]),
        ({"connections_per_address": 2}, ["10.0.0.1"] * 3 + ["10.0.0.2"], [2]),
        # a proxy may have all
        ({"connections_per_address": 2}, ["127.0.0.1"] * 4, []),
    ],
)
def test_connections_beyond_their_number_are_cut(limits, addresses, cut):
    settings = ServerSettings(limits=Limits(**limits), proxy="127.0.0.1")
    config = uvicorn.Config(Local(settings).app, ws="none", lifespan="off")
    config.load()
    shared = {"settings": settings, "per_address": Counter(), "log": print}
    shared |= {"config": config, "server_state": ServerState(), "app_state": {}}
    wires = [Wire(address) for address in addresses]

    async def connect():
        loop = asyncio.get_running_loop()
        protocols = [TimedProtocol(**shared, _loop=loop) for _ in wires]
        for protocol, wire in zip(protocols, wires, strict=True):
            protocol.connection_made(wire)
        assert [k for k, wire in enumerate(wires) if wire.is_cut] == cut
        for protocol in protocols:
            protocol.connection_lost(None)
        # what has ended no longer counts
        again = Wire(addresses[0])
        TimedProtocol(**shared, _loop=loop).connection_made(again)
        assert not again.is_cut

    asyncio.run(connect())


def latencies(server, n):
    found = []
    for _ in range(n):
        started = time.perf_counter()
        assert ask(server)[0] == 200
        found.append(time.perf_counter() - started)
    return found


def memory_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:  # noqa: PTH123
        rows = dict(line.split(":", 1) for line in file)
    return int(rows["VmRSS"].split()[0]) / 1024


def stream(server, n_bytes, stop):
    """Send one body after another, whatever is answered."""
    sent, block = 0, b"x" * 65536
    while sent < n_bytes and not stop.is_set():
        with (
            suppress(OSError),
            socket.create_connection(("127.0.0.1", server.port), 30) as connection,
        ):
            head = post(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
            connection.sendall(head)
            for _ in range(100):
                connection.sendall(b"10000\r\n" + block + b"\r\n")
                sent += len(block)


@pytest.mark.long
def test_slow_and_endless_clients_disturb_nobody(tmp_path):
    """Rounds alternate, and the best of each kind counts: the machine has others."""
    calm, disturbed = [], []
    with Live(tmp_path) as server:
        latencies(server, 100)
        for _ in range(3):
            calm.append(np.quantile(latencies(server, 300), 0.99))
            stop = threading.Event()
            clients = start_slow(server, 40, stop)
            one = threading.Thread(target=stream, args=(server, 2**30, stop))
            one.start()
            disturbed.append(np.quantile(latencies(server, 300), 0.99))
            # the true limits: the headers' 5 s, the body's 10 s and an answer
            for client in clients:
                client.join(30)
            stop.set()
            one.join()
            limits = Limits()
            longest = limits.request_seconds + 1 + limits.header_seconds
            assert max(c.cut_after or np.inf for c in clients) < longest
            assert memory_mb(server.process.pid) < 300
    # the client that streams takes a core of its own
    assert min(disturbed) <= 2 * min(calm) + 0.02, (calm, disturbed)


# ---------------------------------------------------------------- signals


class Load:
    """Clients that ask without a pause; who was not answered is a failure."""

    def __init__(self, server, n=4):
        self.server, self.stop, self.failures = server, threading.Event(), []
        self.digests, self.n_answers = [], 0
        self.threads = [threading.Thread(target=self._run) for _ in range(n)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def _run(self):
        while not self.stop.is_set():
            try:
                status, text = ask(self.server)
            except ConnectionRefusedError:
                return  # it no longer takes anybody
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                return
            self.n_answers += 1
            if status != 200:
                self.failures.append(text)
                return
            self.digests.append(json.loads(text)["model"]["digest"])

    def wait_for(self, n):
        goal, deadline = self.n_answers + n, time.monotonic() + PATIENCE
        while self.n_answers < goal and time.monotonic() < deadline:
            time.sleep(0.02)
        assert self.n_answers >= goal, self.failures


@pytest.mark.parametrize("processes", ["1", "2"])
def test_signals_under_load_lose_no_request(tmp_path, processes):
    folder = tmp_path / "centre"
    save_model(example_model(seed=1), folder)
    more = ("--model", str(folder), "--processes", processes)
    with Live(tmp_path, *more) as server, Load(server) as load:
        load.wait_for(40)
        before = set(load.digests)
        save_model(example_model(seed=2), folder)
        server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + PATIENCE
        while len(set(load.digests[-8:]) - before) != 1 and time.monotonic() < deadline:
            load.wait_for(8)
        assert len(set(load.digests)) == 2
        with ThreadPoolExecutor(1) as pool:
            late = pool.submit(ask_late, server, 1.0)
            load.wait_for(8)
            assert server.stop() == 0
        assert late.result() == 200
    assert load.failures == []


def ask_late(server, seconds):
    """Status for who connects now, and asks after some seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    with closing(connection):
        connection.connect()
        time.sleep(seconds)
        connection.request("POST", "/v1/predictions", BODY, HEADERS)
        return connection.getresponse().status


def test_who_has_begun_is_taken_and_nobody_else_begins():
    with socket.create_server(("127.0.0.1", 0)) as place:
        address = place.getsockname()
        with socket.create_connection(address, 5) as before:
            let_nobody_begin(place)
            with pytest.raises(TimeoutError):
                socket.create_connection(address, 0.2)
            taken, _ = place.accept()
            with taken:
                before.sendall(b"asked")
                assert taken.recv(5) == b"asked"


def children_of(server, n):
    """Processes of a server, once there are so many."""
    pid, deadline = server.process.pid, time.monotonic() + PATIENCE
    found = set()
    while len(found) != n and time.monotonic() < deadline:
        time.sleep(0.05)
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:  # noqa: PTH123
            found = {int(number) for number in file.read().split()}
    assert len(found) == n
    return found


def test_process_that_is_lost_is_replaced(tmp_path):
    with Live(tmp_path, "--processes", "2") as server:
        before = children_of(server, 2)
        os.kill(min(before), signal.SIGKILL)
        children_of(server, 1)
        after = children_of(server, 2)
        assert len(after - before) == 1
        assert [ask(server)[0] for _ in range(10)] == [200] * 10
        assert server.stop() == 0


# ---------------------------------------------------------------- canary

# a number that no time of day has: no minute has 67 seconds
WORD, NUMBER = "zq7canary", 67.391826


def unique(moment):
    """A patient whose every number is one that nothing else holds."""
    rows = patient_fields(moment)
    numbers = [row for row in rows if row.kind == "number" and not row.integer]
    shares = [0.6173 + k / 97 for k in range(len(numbers))]
    return {
        row.name: round(row.minimum + (row.maximum - row.minimum) * share, 6)
        for row, share in zip(numbers, shares, strict=True)
    }


def test_nothing_of_a_patient_is_logged(tmp_path):
    patient, whole = unique("screening"), unique("session_3")
    valid = {**PATIENT, **patient}
    wrong = {"age": 1000 + NUMBER, WORD: WORD, "opioid": WORD}
    headers = {**HEADERS, "X-Request-Id": WORD, "User-Agent": WORD, "Cookie": WORD}
    form_headers = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
    of = "_of=rtms_response%40screening&_do=score"
    good = "&".join(f"{name}={value}" for name, value in patient.items())
    forms = (f"{of}&{good}", f"{of}&age={NUMBER}&opioid={WORD}&{WORD}={WORD}")
    with Live(tmp_path) as server:
        for given in (valid, wrong):
            many = json.dumps({**SCREENING, "patients": [given], "centre": WORD})
            one = json.dumps({**SCREENING, "patient": given})
            ask(server, many, headers=headers)
            ask(server, one, "/v1/explanations", headers)
            along = json.dumps({"patient": {**given, **whole}})
            for path in ("/v1/pathway", "/v1/course"):
                ask(server, along, path, headers)
        ask(server, json.dumps({"cost": NUMBER}), "/v1/stopping", headers)
        ask(server, json.dumps({"moment": WORD}), "/v1/stopping", headers)
        for form in forms:
            other = form + f"&other.age={NUMBER}&other.opioid={WORD}"
            ask(server, form, "/fr/rtms_response/screening", form_headers)
            ask(server, form, "/en/pathway", form_headers)
            ask(server, other, "/fr/compare", form_headers)
            ask(server, form, "/fr/login", form_headers)
        ask(server, None, f"/{WORD}?age={NUMBER}", headers)
        ask(server, many[:-20], headers=headers)
        raw(server, f"GET /{WORD} HTTP/1.1\r\n{WORD}\r\n\r\n".encode())
        raw(server, f"{WORD} / HTTP/1.1\r\nHost: {WORD}\r\n\r\n".encode())
        log, later = server.log.read_text("utf-8"), ask(server)[1]
    statuses = {line.get("status") for line in server.lines()}
    assert {200, 400, 404, 421, 422} <= statuses
    assert len(server.lines()) >= 22
    for text in (log, later):
        for sent in (WORD, "67.391", *map(str, {**patient, **whole}.values())):
            assert sent not in text
