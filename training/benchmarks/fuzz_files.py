"""Mutated cohort files and model folders, and one look at each in its own process."""

from __future__ import annotations

import json
import os
import random
import resource
import select
import signal
import time
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from responder_model.artifact.manifest import sha256
from responder_model.artifact.strict_json import canonical_json

MEMORY = 3 * 2**30  # bytes of address space that one look may take
BYTES = [b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"'", b"\r", b"\n", b";", b",", b"\t"]
BYTES += [b"\xe9", b"\xc3\x28", b"=cmd|' /C calc'!A0", b"NA", b"9" * 400, b"1e999", b"\x1a"]
BYTES += [b"," * 2000, b"\n" * 500, b"\xf0\x9f\x98\x80", b"sep=;\n", b"PK\x03\x04", b"PAR1"]
VALUES = [None, True, -1, 0, 1e308, -1e308, 10**400, "", "x" * 3000, "\x00", [], {}, [[]]]
VALUES += [float("nan"), float("inf"), 0.5, "published", "../x", [1, "a"], {"a": {}}, 2**31]

Look = Callable[[], str]


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Spoil bytes in one to four ways."""
    out = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 4])):
        at, size = rng.randrange(len(out) + 1), rng.choice([1, 4, 64, 1024])
        way = rng.randrange(8)
        if way <= 1 and out:
            out[min(at, len(out) - 1)] ^= 1 << rng.randrange(8)
        elif way == 2:
            out[at : at + size] = rng.randbytes(min(size, 64))
        elif way == 3:
            del out[at : at + size]
        elif way == 4:
            out[at:at] = rng.choice(BYTES)
        elif way == 5:
            out[at:at] = out[at : at + size] * rng.choice([1, 2, 50])
        elif way == 6:
            del out[at:]
        else:
            one, other = rng.choice(BYTES), rng.choice(BYTES)
            out = bytearray(bytes(out).replace(one, other))[: 2 * len(data) + 10_000]
    return bytes(out)


def mutate_zip(data: bytes, rng: random.Random) -> bytes:
    """Spoil one member of a zipped workbook and zip it again."""
    with zipfile.ZipFile(BytesIO(data)) as source:
        members = {name: source.read(name) for name in source.namelist()}
    name = rng.choice(sorted(members))
    members[name] = mutate(members[name], rng)
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for member, content in members.items():
            if member != name or rng.random() < 0.95:
                target.writestr(member, content)
    return out.getvalue()


def mutate_json(data: bytes, rng: random.Random) -> bytes:
    """Replace, remove or repeat values anywhere in a JSON document."""
    document = json.loads(data)
    for _ in range(rng.choice([1, 1, 2, 5])):
        node: Any = document
        for _ in range(rng.randrange(1, 8)):
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            key = rng.choice(keys) if keys else None
            if key is None or not isinstance(node[key], dict | list) or rng.random() < 0.2:
                break
            node = node[key]
        if key is not None and (isinstance(node, dict) or key < len(node)):
            _change(node, key, rng)
    return json.dumps(document).encode()


def _change(node: Any, key: Any, rng: random.Random) -> None:
    way = rng.randrange(5)
    if way == 0:
        del node[key]
    elif way == 1 and isinstance(node, list):
        node.append(node[key])
    elif way == 2 and isinstance(node[key], int | float):
        node[key] *= rng.choice([-1, 0, 1e6, 1e150, 1e300, 1e-300])
    else:
        node[key] = rng.choice(VALUES)


def forge_manifest(folder: Path) -> None:
    """Write the digests of a folder as it is: what a forger would do."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    names = [p.name for p in folder.iterdir() if p.name != "manifest.json"]
    manifest["files"] = {name: sha256((folder / name).read_bytes()) for name in names}
    del manifest["digest"]
    digest = sha256(canonical_json(manifest))
    data = canonical_json({**manifest, "digest": digest})
    (folder / "manifest.json").write_bytes(data)


def look(check: Look, seconds: float) -> tuple[str, float]:
    """Run a check in a process of its own: its answer, ``crash`` or ``hang``."""
    start = time.perf_counter()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        try:
            answer = check()
        except BaseException as error:  # noqa: BLE001 - every kind counts
            answer = f"EXCEPTION {type(error).__name__}: {str(error)[:200]}"
        os.write(writing, answer.encode(errors="replace"))
        os._exit(0)
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], seconds)
    answer = os.read(reading, 4096).decode() or "CRASH" if ready else "HANG"
    os.close(reading)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return answer, time.perf_counter() - start
