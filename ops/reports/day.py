"""A day report as values: the lines of its tables. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from ops.admission.figures import Figures

STEP = timedelta(minutes=5)
SHORT_STEP = timedelta(minutes=1)
SHORT_MAX = timedelta(minutes=90)
POINTS_MAX = 2_000
"""A curve of a week in steps of five minutes."""


class Minute(msgspec.Struct, frozen=True):
    """People who came in for the first time in a minute."""

    minute: datetime
    people: int


class Day(msgspec.Struct, frozen=True):
    """People with an entry on an event day."""

    day: date
    people: int


class Gate(msgspec.Struct, frozen=True):
    """What went through a gate; counted without ticket beside it."""

    name: str
    area: str | None
    entered: int
    exited: int
    refused: int
    counted: int
    first_at: datetime | None
    last_at: datetime | None


class Kind(msgspec.Struct, frozen=True):
    """A ticket type; `missed` are valid places whose people did not come."""

    name: str
    access_class: str
    sold: int
    valid: int
    entered: int

    @property
    def missed(self) -> int:
        """Valid places whose people did not come."""
        return max(0, self.valid - self.entered)


class Session(msgspec.Struct, frozen=True):
    """A session; `no_shows` of those who had a seat, `minutes` of those scanned out."""

    title: str
    room: str | None
    starts_at: datetime
    ends_at: datetime
    capacity: int | None
    registered: int
    attended: int
    no_shows: int
    minutes: float | None


class Refusal(msgspec.Struct, frozen=True):
    """Red answers for one reason; people are different tickets or codes."""

    reason: str
    attempts: int
    people: int


class Conflict(msgspec.Struct, frozen=True):
    """Conflicts of one kind."""

    kind: str
    conflicts: int
    open: int
    people: int


class ConflictLine(msgspec.Struct, frozen=True):
    """One conflict, with the ticket's holder."""

    at: datetime
    kind: str
    people: int
    resolution: str | None
    holder: str


class Announcement(msgspec.Struct, frozen=True):
    """How far an announcement came: delivered + missed = counted."""

    title: str
    priority: str | None
    sent_at: datetime | None
    counted: int
    delivered: int
    opened: int
    clicked: int
    missed: int


class Incident(msgspec.Struct, frozen=True):
    """Incidents of one kind."""

    kind: str
    incidents: int
    open: int


class DayReport(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, as of `at`."""

    event: str
    timezone: str
    starts_at: datetime
    ends_at: datetime
    capacity: int | None
    at: datetime
    figures: Figures
    peak_inside: int
    days: list[Day]
    curve: list[Minute]
    gates: list[Gate]
    types: list[Kind]
    sessions: list[Session]
    refusals: list[Refusal]
    conflicts: list[Conflict]
    conflict_list: list[ConflictLine]
    announcements: list[Announcement]
    incidents: list[Incident]


def step_of(curve: list[Minute]) -> timedelta:
    """Five minutes; one where five would hide the shape of a short evening."""
    short = bool(curve) and curve[-1].minute - curve[0].minute <= SHORT_MAX
    return SHORT_STEP if short else STEP


def points(curve: list[Minute], step: timedelta = STEP) -> list[int]:
    """People by step, without holes, from the first minute to the last."""
    if not curve:
        return []
    first = curve[0].minute
    made = [0] * min(POINTS_MAX, (curve[-1].minute - first) // step + 1)
    for one in curve:
        at = (one.minute - first) // step
        if at < len(made):
            made[at] += one.people
    return made


Row = tuple[str, str, str, Any]
_NAMED = {
    "days": "day",
    "curve": "minute",
    "gates": "name",
    "types": "name",
    "sessions": "title",
    "refusals": "reason",
    "conflicts": "kind",
    "announcements": "title",
    "incidents": "kind",
}


def rows(report: DayReport) -> Iterator[Row]:
    """The report as (section, item, figure, value): one number a row, for any tool."""
    for name in ("event", "timezone", "starts_at", "ends_at", "capacity", "at"):
        yield "event", "", name, getattr(report, name)
    for name, value in msgspec.structs.asdict(report.figures).items():
        yield "figures", "", name, value
    yield "figures", "", "peak_inside", report.peak_inside
    for section, key in _NAMED.items():
        for line in getattr(report, section):
            values = msgspec.structs.asdict(line)
            item = values.pop(key)
            if isinstance(line, Kind):
                values["missed"] = line.missed
            for name, value in values.items():
                yield section, _text(item), name, value


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
