"""Random values that a seed decides: ids, codes, choices. Pure."""

from __future__ import annotations

import hashlib
import random
from datetime import datetime
from uuid import UUID

_VERSION, _VARIANT = 0x7 << 76, 0x2 << 62
_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"


def rng(*parts: object) -> random.Random:
    """A generator that depends on these values alone, on every machine."""
    text = "\0".join(map(str, parts)).encode()
    return random.Random(int.from_bytes(hashlib.sha256(text).digest()))


def uuid7(source: random.Random, at: datetime) -> UUID:
    """A UUIDv7 of that time whose other bits the seed decides."""
    milliseconds = int(at.timestamp() * 1000) & (2**48 - 1)
    high, low = source.getrandbits(12), source.getrandbits(62)
    return UUID(int=milliseconds << 80 | _VERSION | high << 64 | _VARIANT | low)


def code(source: random.Random) -> str:
    """A pairing code in the form that people read aloud."""
    text = "".join(source.choices(_LETTERS, k=12))
    return "-".join(text[at : at + 4] for at in range(0, 12, 4))
