"""The roll-call: who is inside, by area and class, and who of them is safe. Pure.

Three parts, as door.md has them: people on the list (each in the innermost place),
people counted without a ticket, and people of entries that are disputed. Only the first
can be marked safe by name; the others are numbers that a head count is compared with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

CLASSES = (
    "guest",
    "child",
    "companion",
    "crew",
    "artist",
    "press",
    "exhibitor",
    "emergency",
)
"""Access classes in the order in which a list shows them."""


class Inside(msgspec.Struct, frozen=True):
    """Somebody on the list; `needs` is what helps them to get out."""

    ticket_id: UUID
    person_no: int
    name: str
    access_class: str
    area_id: UUID | None
    entered_at: datetime | None
    needs: str | None
    safe_at: datetime | None = None


class OnShift(msgspec.Struct, frozen=True):
    """Somebody of the staff who was signed on."""

    operator_id: UUID
    name: str
    role: str
    gate: str | None
    device: str | None
    safe_at: datetime | None = None


class Place(msgspec.Struct, frozen=True):
    """An area at the freeze; counted and disputed are people without a name."""

    area_id: UUID
    name: str
    counted: int
    disputed: int
    clear_at: datetime | None = None


class HeadCount(msgspec.Struct, frozen=True):
    """Heads counted by taps at one place."""

    place: str
    people: int
    at: datetime


class ClassLine(msgspec.Struct, frozen=True):
    """People of one class in one place."""

    access_class: str
    people: int
    safe: int


class AreaLine(msgspec.Struct, frozen=True):
    """One place; `people` on the list, `missing` of them not yet safe."""

    area_id: UUID | None
    name: str
    people: int
    safe: int
    missing: int
    needs: int
    counted: int
    disputed: int
    clear_at: datetime | None
    classes: list[ClassLine]


class Totals(msgspec.Struct, frozen=True):
    """All places together; `all` is everybody: listed, counted and disputed."""

    people: int
    safe: int
    missing: int
    needs: int
    needs_missing: int
    counted: int
    disputed: int
    all: int
    areas: int
    clear: int
    staff: int
    staff_safe: int


def by_area(people: Iterable[Inside], places: Sequence[Place]) -> list[AreaLine]:
    """A line a place, in the order given; people of no known place come last."""
    groups: dict[UUID | None, list[Inside]] = {place.area_id: [] for place in places}
    lost: list[Inside] = []
    for one in people:
        groups.get(one.area_id, lost).append(one)
    lines = [_line(place, groups[place.area_id]) for place in places]
    if lost:
        lines.append(_line(None, lost))
    return lines


def totals(
    lines: Iterable[AreaLine], people: Iterable[Inside], staff: Iterable[OnShift]
) -> Totals:
    """The sums, which stand above the list."""
    lines, staff = list(lines), list(staff)
    listed = sum(line.people for line in lines)
    safe = sum(line.safe for line in lines)
    counted = sum(line.counted for line in lines)
    disputed = sum(line.disputed for line in lines)
    return Totals(
        people=listed,
        safe=safe,
        missing=listed - safe,
        needs=sum(line.needs for line in lines),
        needs_missing=sum(bool(one.needs) and one.safe_at is None for one in people),
        counted=counted,
        disputed=disputed,
        all=listed + counted + disputed,
        areas=len(lines),
        clear=sum(line.clear_at is not None for line in lines),
        staff=len(staff),
        staff_safe=sum(one.safe_at is not None for one in staff),
    )


def _line(place: Place | None, people: list[Inside]) -> AreaLine:
    counts = Counter(one.access_class for one in people)
    safe = Counter(one.access_class for one in people if one.safe_at is not None)
    known = [name for name in CLASSES if counts[name]]
    names = known + sorted(counts.keys() - set(CLASSES))
    return AreaLine(
        area_id=place.area_id if place else None,
        name=place.name if place else "",
        people=len(people),
        safe=safe.total(),
        missing=len(people) - safe.total(),
        needs=sum(bool(one.needs) for one in people),
        counted=place.counted if place else 0,
        disputed=place.disputed if place else 0,
        clear_at=place.clear_at if place else None,
        classes=[ClassLine(name, counts[name], safe[name]) for name in names],
    )
