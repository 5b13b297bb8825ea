"""The Lua scripts of the cache, loaded from `lua/*.lua` and called by their SHA."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import NamedTuple


class Script(NamedTuple):
    """A script's name, text and SHA1 (as EVALSHA wants it)."""

    name: str
    text: str
    sha: str


def _load(name: str) -> Script:
    text = files("ops.cache").joinpath("lua", f"{name}.lua").read_text("utf-8")
    # SHA1 is the name Redis gives a script, not a protection.
    return Script(
        name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    )


READ_FACTS = _load("read_facts")
FINISH = _load("finish")
PUT = _load("put")
WARM_BEGIN = _load("warm_begin")
WARM_READY = _load("warm_ready")
RATE_LIMIT = _load("rate_limit")
