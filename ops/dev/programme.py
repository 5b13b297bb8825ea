"""The programme of the sample conference: a day pressed into ten minutes. Pure.

Times stand as shares of the evening, so that one number, its length, makes it slower
or faster. Servers use the real clock: windows, sessions and doors are real times.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

LENGTH_S = 600.0
ATTENDEES = 5_000
VENUE_CAPACITY = 4_700


class Timetable(msgspec.Struct, frozen=True):
    """From the opening of the doors to their closing."""

    opens_at: datetime
    length_s: float = LENGTH_S

    def at(self, share: float) -> datetime:
        """The time when this share of the evening has passed."""
        return self.opens_at + timedelta(seconds=share * self.length_s)

    def share(self, now: datetime) -> float:
        """How much of the evening has passed; below 0 before it, above 1 after."""
        return (now - self.opens_at).total_seconds() / self.length_s


class TypeSpec(NamedTuple):
    """A ticket type: how many of all tickets, for how much, for whom."""

    key: str
    name: str
    category: str
    access_class: str
    price: str
    share: float


TYPES = (
    TypeSpec("general", "General admission", "general", "guest", "249.00", 0.58),
    TypeSpec("early", "Early bird", "early_bird", "guest", "179.00", 0.20),
    TypeSpec("student", "Student", "student", "guest", "49.00", 0.10),
    TypeSpec("vip", "VIP", "vip", "guest", "799.00", 0.07),
    TypeSpec("sponsor", "Sponsor", "sponsor", "exhibitor", "0.00", 0.04),
    TypeSpec("speaker", "Speaker", "speaker", "artist", "0.00", 0.01),
)
LOUNGE_TYPES = ("vip", "sponsor", "speaker")


class AreaSpec(NamedTuple):
    """A place with a limit."""

    key: str
    name: str
    kind: str
    capacity: int
    overflow: str | None = None


AREAS = (
    AreaSpec("venue", "Lakeshore Hall", "venue", VENUE_CAPACITY),
    AreaSpec("lounge", "VIP lounge", "zone", 420),
    AreaSpec("main", "Main stage", "room", 3_600, "harbour"),
    AreaSpec("harbour", "Harbour room", "room", 900),
    AreaSpec("gallery", "Gallery", "room", 500),
    AreaSpec("studio1", "Studio One", "room", 130),
    AreaSpec("studio2", "Studio Two", "room", 130),
)


class SessionSpec(NamedTuple):
    """A session in a room; `begin` and `end` are shares of the evening."""

    key: str
    title: str
    kind: str
    room: str
    begin: float
    end: float
    mode: str
    seats: int
    draw: float
    """The share of the people inside who go there."""


SESSIONS = (
    SessionSpec(
        "keynote",
        "Opening keynote: the day when everything scans",
        "keynote",
        "main",
        0.24,
        0.35,
        "track",
        3_400,
        0.55,
    ),
    SessionSpec(
        "queues",
        "Panel: queues that end",
        "panel",
        "harbour",
        0.38,
        0.48,
        "track",
        850,
        0.10,
    ),
    SessionSpec(
        "postgres",
        "Workshop: PostgreSQL under a crowd",
        "workshop",
        "studio1",
        0.38,
        0.48,
        "registered",
        120,
        1.0,
    ),
    SessionSpec(
        "maps",
        "Demo: maps of moving people",
        "demo",
        "gallery",
        0.38,
        0.48,
        "track",
        480,
        0.05,
    ),
    SessionSpec(
        "bilingual",
        "Table ronde : servir en deux langues",
        "panel",
        "harbour",
        0.60,
        0.70,
        "track",
        850,
        0.11,
    ),
    SessionSpec(
        "scanners",
        "Workshop: build a scanner",
        "workshop",
        "studio2",
        0.60,
        0.70,
        "registered",
        120,
        1.0,
    ),
    SessionSpec(
        "accessibility",
        "Demo: doors for everybody",
        "demo",
        "gallery",
        0.60,
        0.70,
        "track",
        480,
        0.05,
    ),
    SessionSpec(
        "closing",
        "Closing keynote: what we counted",
        "keynote",
        "main",
        0.74,
        0.85,
        "track",
        3_400,
        0.45,
    ),
)
OPENS_BEFORE = 0.035  # a session's door opens so much earlier
CLOSES_BEFORE = 0.01
FIRST_ENTRY = 0.01
LAST_ENTRY = 0.92


class GateSpec(NamedTuple):
    """A gate with its devices."""

    key: str
    name: str
    area: str
    devices: tuple[str, ...]


GATES = (
    GateSpec("north", "North doors", "venue", ("North 1", "North 2", "North 3")),
    GateSpec("south", "South doors", "venue", ("South 1", "South 2")),
    GateSpec("lake", "Lakeside doors", "venue", ("Lake 1", "Lake 2")),
    GateSpec("lounge", "VIP lounge", "lounge", ("Lounge",)),
    GateSpec("main", "Main stage doors", "main", ("Stage 1", "Stage 2", "Stage 3")),
    GateSpec("rooms", "Session rooms", "harbour", ("Rooms",)),
)
VENUE_GATES = tuple(gate.key for gate in GATES if gate.area == "venue")

# Name, role, language; the PIN is the position with these digits in front.
OPERATORS = (
    ("Dana Haddad", "supervisor", "en"),
    ("Siobhán O'Brien-Łukasz", "steward", "en"),
    ("Étienne Côté", "steward", "fr"),
    ("李小龙", "steward", "en"),
    ("Wanjiru Mensah", "steward", "en"),
    ("Kai Nakamura", "steward", "en"),
    ("Amélie Tremblay", "door_manager", "fr"),
    ("Zoë 🎉 Björk", "steward", "en"),
)


def pin(position: int) -> str:
    """The PIN of the operator at this position: easy to type in a demonstration."""
    return f"{240_000 + position + 1:06d}"
