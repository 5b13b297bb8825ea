"""Every key of the cache, as a function. Nothing else builds a key."""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

LAYOUT_VERSION = 2
"""Changes with the meaning of any key or entry; another version is cold."""
EVENTS_KEPT_MAX = 256
"""Their keys are at hand: a scan names nine."""


RECALLS = "ops:recalls"
"""Channel: which device is asked for which ticket's lease; lost messages cost 0.3 s."""


def tag(event_id: UUID) -> str:
    """The hash tag that puts an event on one slot."""
    return f"{{ev:{event_id}}}"


@lru_cache(EVENTS_KEPT_MAX)
def meta(event_id: UUID) -> str:
    """Hash: mode, epoch, layout, state, run_id, plan, feed_epoch, off:<topic>."""
    return f"{tag(event_id)}:m"


@lru_cache(EVENTS_KEPT_MAX)
def codes(event_id: UUID) -> str:
    """Hash: code hash (16 bytes) -> ticket id (16 bytes) + code state (1 byte)."""
    return f"{tag(event_id)}:c"


@lru_cache(EVENTS_KEPT_MAX)
def tickets(event_id: UUID) -> str:
    """Hash: ticket id (16 bytes) -> packed `TicketEntry`."""
    return f"{tag(event_id)}:t"


@lru_cache(EVENTS_KEPT_MAX)
def visits(event_id: UUID) -> str:
    """Hash: ticket id + scope no + person no -> packed `Visit`."""
    return f"{tag(event_id)}:v"


@lru_cache(EVENTS_KEPT_MAX)
def devices(event_id: UUID) -> str:
    """Hash: device id (16 bytes) -> packed `DeviceEntry`."""
    return f"{tag(event_id)}:d"


@lru_cache(EVENTS_KEPT_MAX)
def counters(event_id: UUID) -> str:
    """Hash: ascii counters for screens (see docs/subsystems/seams.md)."""
    return f"{tag(event_id)}:n"


@lru_cache(EVENTS_KEPT_MAX)
def feed(event_id: UUID) -> str:
    """Stream: one entry a batch, for screens; capped, may be lost."""
    return f"{tag(event_id)}:f"


def rate_limit(rule: str, subject: str) -> str:
    """Bucket of a limit; `subject` is a hash or an id, never an address in clear."""
    return f"{{rl:{rule}:{subject}}}"


def finish(event_id: UUID) -> list[str]:
    """The keys of `finish.lua`, in its order."""
    return [meta(event_id), visits(event_id), counters(event_id), feed(event_id)]
