"""Mutated cohort files."""

from __future__ import annotations

import random
import zipfile
from io import BytesIO

from fuzz_values import BYTES


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
