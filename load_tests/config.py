"""What a load test is pointed at. A load test must not be able to touch a real event.

Two locks, and both must open: the addresses are literally of this machine, and the
event's slug begins with `load-test-` by the server's own word. `make load` sets the
variables; who runs locust by hand sets them by hand.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

SLUG_PREFIX = "load-test-"


class Refused(Exception):
    """The load test may not run against this; the message is one line."""


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file that `LOAD_TARGET` names: who scans what.

    Ticket n (1 to `tickets`) has the code `prefix` + n in eight digits.
    """

    host: str
    live: str
    event_id: UUID
    tokens: list[str]
    prefix: str
    tickets: int
    start: int = 0
    """Tickets below this number were scanned by an earlier run."""


def load(environ: Mapping[str, str] = os.environ) -> Target:
    """Read the target and check that it is this machine.

    Raises:
        Refused: no target, an unreadable one, or an address beyond loopback.
    """
    path = environ.get("LOAD_TARGET", "")
    if not path:
        raise Refused("LOAD_TARGET is not set: use `make load`")
    try:
        target = msgspec.json.decode(Path(path).read_bytes(), type=Target)
    except (OSError, msgspec.DecodeError) as error:
        raise Refused(f"LOAD_TARGET cannot be read: {error}") from None
    for name, url in (("host", target.host), ("live", target.live)):
        require_loopback(name, url)
    return target


def require_loopback(name: str, url: str) -> None:
    """Refuse every address that is not literally of this machine.

    A name could be resolved to anything, so only numbers are taken.

    Raises:
        Refused: a name, or an address beyond loopback.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "ws") or parts.username is not None:
        raise Refused(f"{name} must be plain http or ws without a user: {url}")
    try:
        loopback = ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise Refused(f"{name} is not a loopback address: {url}")


def require_load_test(event: Mapping[str, object]) -> None:
    """Refuse an event that was not made for load tests.

    Args:
        event: the answer of `GET /api/v1/events/{id}`.

    Raises:
        Refused: its slug does not begin with `load-test-`.
    """
    slug = event.get("slug")
    if not isinstance(slug, str) or not slug.startswith(SLUG_PREFIX):
        raise Refused(f"the event {slug!r} is not marked as a load test")
