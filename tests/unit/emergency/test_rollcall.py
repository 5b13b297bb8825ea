"""The roll-call adds up: each person once, in the innermost place, by class."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ops.emergency.rollcall import CLASSES, Inside, OnShift, Place, by_area, totals
from ops.ids import uuid7

AT = datetime(2026, 11, 22, 21, tzinfo=UTC)
HALL, ROOM = UUID(int=1), UUID(int=2)
PLACES = [Place(HALL, "Hall", 12, 1), Place(ROOM, "Room 李", 0, 0, AT)]


def person(
    area: UUID | None,
    access: str = "guest",
    needs: str | None = None,
    safe: bool = False,
) -> Inside:
    return Inside(uuid7(), 1, "Zoë", access, area, AT, needs, AT if safe else None)


def test_places_and_classes() -> None:
    people = [
        person(HALL, "crew"),
        person(HALL, safe=True),
        person(HALL, needs="wheelchair"),
        person(ROOM, "child", "deaf", safe=True),
        person(None),
    ]
    hall, room, lost = by_area(people, PLACES)
    assert [(line.access_class, line.people, line.safe) for line in hall.classes] == [
        ("guest", 2, 1),
        ("crew", 1, 0),
    ]
    assert (hall.missing, hall.needs, room.missing, room.clear_at) == (2, 1, 0, AT)
    assert (lost.area_id, lost.people) == (None, 1)
    staff = [OnShift(uuid7(), "Dana", "supervisor", "Gate A", "Dana's phone")]
    found = totals([hall, room, lost], people, staff)
    assert (found.people, found.safe, found.missing) == (5, 2, 3)
    assert (found.counted, found.disputed, found.all) == (12, 1, 18)
    assert (found.needs, found.needs_missing) == (2, 1)
    assert (found.areas, found.clear, found.staff, found.staff_safe) == (3, 1, 1, 0)


def test_a_class_that_nobody_knows_is_shown_too() -> None:
    [line, _] = by_area([person(HALL, "martian"), person(HALL, "guest")], PLACES)
    assert [one.access_class for one in line.classes] == ["guest", "martian"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([HALL, ROOM, None, UUID(int=9)]),
            st.sampled_from([*CLASSES, "other"]),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_nobody_is_lost_and_nobody_counts_twice(rows: list[tuple]) -> None:
    people = [person(area, access, safe=safe) for area, access, safe in rows]
    lines = by_area(people, PLACES)
    assert sum(line.people for line in lines) == len(people)
    assert sum(c.people for line in lines for c in line.classes) == len(people)
    found = totals(lines, people, [])
    assert found.safe + found.missing == found.people == len(people)
    assert found.safe == sum(safe for _, _, safe in rows)
