#!/usr/bin/env bash
# A server gets a second process (uvicorn --workers 2), or a socket that was bound before
# it drops its rights. One expects each answer as fast as before.
# Seen: on such a socket every answer over a kept connection waits about 40 ms. asyncio
# switches Nagle's algorithm off only where the socket names its protocol, and the socket
# that uvicorn binds for its workers names none; head and body of an answer go out in two
# packets, and the second waits until the first is acknowledged.
# Hurt: who scales a prediction service up: a request of 3 ms takes 44, so that two
# processes answer one client at a tenth of the rate of one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -qq --no-compile uvicorn==0.54.0 h11==0.16.0
HOME="$work" venv/bin/python - <<'PY'
import asyncio
import http.client
import socket
import statistics
import threading
import time

import uvicorn


async def app(scope, receive, send):
    head = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": b"ok"})


def median_ms(config, sockets, port):
    server = uvicorn.Server(config)
    run = threading.Thread(target=server.run, kwargs={"sockets": sockets})
    run.start()
    while not server.started:
        time.sleep(0.01)
    connection = http.client.HTTPConnection("127.0.0.1", port)
    found = []
    for _ in range(30):
        began = time.perf_counter()
        connection.request("GET", "/")
        connection.getresponse().read()
        found.append(1000 * (time.perf_counter() - began))
    connection.close()
    server.should_exit = True
    run.join()
    return statistics.median(found[5:])


def config(port=0):
    parts = {"host": "127.0.0.1", "http": "h11", "lifespan": "off", "log_config": None}
    return uvicorn.Config(app, port=port, **parts)


with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
by_port = median_ms(config(port), None, port)
# what uvicorn does for --workers
bound = config().bind_socket()
by_socket = median_ms(config(), [bound], bound.getsockname()[1])
print("uvicorn", uvicorn.__version__)
print("expected: the same time on either kind of socket")
print(f"seen:     {by_port:.1f} ms by host and port, {by_socket:.1f} ms as for workers")
assert bound.proto == 0
assert by_socket > 30 + by_port
PY
