"""Topics: their names, and who may watch which.

A topic is `event:<event id>:<kind>`. It has an epoch and an offset; kinds differ in
whether a newer state replaces an older one (conflated) or each line counts.
"""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

import msgspec

NAME_LENGTH_MAX = 96


class Kind(StrEnum):
    """What a topic shows of an event."""

    ATTENDANCE = "attendance"
    SESSIONS = "sessions"
    SCANS = "scans"
    DEVICES = "devices"
    ALERTS = "alerts"


CONFLATED = frozenset({Kind.ATTENDANCE, Kind.SESSIONS, Kind.DEVICES, Kind.ALERTS})
"""The latest state is all that matters: resume always gives a snapshot."""

POLLED = frozenset({Kind.DEVICES, Kind.ALERTS})
"""From PostgreSQL alone, by publishers of their own (`ops.live.polled`)."""


class Topic(msgspec.Struct, frozen=True):
    """One kind of one event."""

    event_id: UUID
    kind: Kind

    @property
    def name(self) -> str:
        """The name on the wire."""
        return f"event:{self.event_id}:{self.kind.value}"


class Subject(StrEnum):
    """What kind of token a socket said hello with."""

    STAFF = "staff"
    DEVICE = "device"


STAFF_PERMISSION: dict[Kind, str] = {
    Kind.ATTENDANCE: "events.read",
    Kind.SESSIONS: "sessions.read",
    Kind.SCANS: "scans.read",
    Kind.DEVICES: "devices.read",
    Kind.ALERTS: "incidents.read",
}
"""What a member of staff needs for a topic (resource.action of the roles' JSON)."""

DEVICE_KINDS = frozenset({Kind.ATTENDANCE, Kind.SESSIONS})
"""A paired device sees counts of the events it serves, never a name."""


def parse(name: str) -> Topic | None:
    """The topic of a name, None if there is no such topic.

    Only the canonical form counts (lower-case UUID with hyphens), so that a topic has
    one name.
    """
    if len(name) > NAME_LENGTH_MAX:
        return None
    head, _, rest = name.partition(":")
    event, _, kind = rest.partition(":")
    if head != "event":
        return None
    try:
        topic = Topic(UUID(event), Kind(kind))
    except ValueError:
        return None
    return topic if topic.name == name else None


class Grants(msgspec.Struct, frozen=True):
    """What the holder of a token may watch; shared by all with the same role.

    `permissions` maps an event to the permissions there; the key None holds for every
    event (a global role). A device has no permissions: `events` are those it serves.
    """

    subject: Subject
    permissions: dict[UUID | None, frozenset[str]] = {}
    events: frozenset[UUID] = frozenset()

    def may_watch(self, topic: Topic) -> bool:
        """Whether this subject may subscribe to the topic."""
        if self.subject is Subject.DEVICE:
            return topic.kind in DEVICE_KINDS and topic.event_id in self.events
        needed = STAFF_PERMISSION[topic.kind]
        everywhere = self.permissions.get(None, frozenset())
        here = self.permissions.get(topic.event_id, frozenset())
        return bool({needed, "*.read"} & (everywhere | here))
