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
    ANNOUNCEMENTS = "announcements"
    REACH = "reach"
    OFFLINE = "offline"
    FORECAST = "forecast"
    DOORS = "doors"


CONFLATED = frozenset(Kind) - {Kind.SCANS, Kind.ANNOUNCEMENTS}
"""The latest state is all that matters: resume always gives a snapshot."""

COUNTED = frozenset({Kind.ATTENDANCE, Kind.SESSIONS, Kind.SCANS})
"""From the counters and the stream; the others come from PostgreSQL alone, by
publishers of their own (`ops.live.polled`, `ops.live.boards`)."""


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
    ATTENDEE = "attendee"
    TICKET = "ticket"
    """Whoever holds up a ticket's code: a stranger may have photographed it."""


STAFF_PERMISSION: dict[Kind, str] = {
    Kind.ATTENDANCE: "events.read",
    Kind.SESSIONS: "sessions.read",
    Kind.SCANS: "scans.read",
    Kind.DEVICES: "devices.read",
    Kind.ALERTS: "incidents.read",
    Kind.ANNOUNCEMENTS: "announcements.read",
    Kind.REACH: "announcements.read",
    Kind.FORECAST: "events.read",
    Kind.DOORS: "events.read",
    Kind.OFFLINE: "devices.read",
}
"""What a member of staff needs for a topic (resource.action of the roles' JSON)."""

KINDS_BY_SUBJECT = {
    Subject.DEVICE: frozenset(
        {Kind.ATTENDANCE, Kind.SESSIONS, Kind.ANNOUNCEMENTS, Kind.DOORS}
    ),
    Subject.ATTENDEE: frozenset({Kind.SESSIONS, Kind.ANNOUNCEMENTS}),
    Subject.TICKET: frozenset({Kind.SESSIONS, Kind.ANNOUNCEMENTS}),
}
"""What the others see of their events: counts and what is said to them, no name."""


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
    event (a global role). The others have no permissions: `events` are those that a
    device serves, or the one that an attendee comes to. `reader_id` is the attendee or
    the device, whom an announcement may be meant for.
    """

    subject: Subject
    permissions: dict[UUID | None, frozenset[str]] = {}
    events: frozenset[UUID] = frozenset()
    reader_id: UUID | None = None
    language: str = "en"

    def may_watch(self, topic: Topic) -> bool:
        """Whether this subject may subscribe to the topic."""
        if self.subject is not Subject.STAFF:
            kinds = KINDS_BY_SUBJECT[self.subject]
            return topic.kind in kinds and topic.event_id in self.events
        needed = STAFF_PERMISSION[topic.kind]
        everywhere = self.permissions.get(None, frozenset())
        here = self.permissions.get(topic.event_id, frozenset())
        return bool({needed, "*.read"} & (everywhere | here))
