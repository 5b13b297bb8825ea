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


_ECHOING = """local ECHO = table.remove(ARGV)
local function script()
{body}
end
return {{ECHO, script()}}
"""
"""Every reply names its call: the last argument, which the script does not see."""


def _load(name: str, *before: str) -> Script:
    folder = files("ops.cache").joinpath("lua")
    parts = [folder.joinpath(f"{part}.lua") for part in (*before, name)]
    body = "".join(part.read_text("utf-8") for part in parts)
    text = _ECHOING.format(body=body)
    # SHA1 is the name Redis gives a script, not a protection.
    return Script(
        name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    )


READ_FACTS = _load("read_facts")
FINISH = _load("finish", "visits")
CLAIM = _load("claim", "visits")
SWITCH = _load("switch")
PUT = _load("put")
WARM_BEGIN = _load("warm_begin")
WARM_READY = _load("warm_ready")
RATE_LIMIT = _load("rate_limit")
