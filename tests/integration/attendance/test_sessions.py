"""Seats of sessions over HTTP: the last seat, the waitlist, release, credit minutes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from ops.ids import uuid7
from tests.integration.attendance.kit import Doors

STATUS = "SELECT status FROM ops.session_registrations WHERE ticket_id = $1"
COUNTED = """
SELECT s.current_registrations, (SELECT count(*)::int FROM ops.session_registrations r
    WHERE r.session_id = s.id AND r.status = 'registered')
FROM sessions s WHERE s.id = $1
"""


async def setting(doors: Doors, **columns: Any) -> None:
    """Change the session; times are minutes from now."""
    for name, value in columns.items():
        if name in ("start_time", "end_time", "registration_deadline"):
            value = doors.clock.now() + timedelta(minutes=value)
        await doors.database.pool.execute(
            f"UPDATE sessions SET {name} = $2 WHERE id = $1", doors.event.session, value
        )


def path(doors: Doors) -> str:
    return f"{doors.base}/sessions/{doors.event.session}/registrations"


async def register(doors: Doors, code: str, **fields: Any) -> Any:
    return await doors.ok(path(doors), {"ticket_code": code, **fields}, doors.at())


async def due(doors: Doors) -> int:
    """What the sync role does every second, at the clock of the test."""
    freed: int = await doors.value("SELECT ops.seats_due_v1($1)", doors.clock.now())
    return freed


async def test_200_at_once_for_the_last_seat(doors: Doors) -> None:
    registered = await _race(doors)
    assert registered == 1
    row = await doors.database.pool.fetchrow(COUNTED, doors.event.session)
    assert tuple(row) == (3, 3)


async def test_without_the_lock_the_last_seat_is_sold_twice(doors: Doors) -> None:
    """Negative control: the session is read without its lock."""
    source = await doors.value(
        "SELECT pg_get_functiondef('ops.register_v1'::regproc::oid)"
    )
    source = source.replace(
        "WHERE id = p_session AND event_id = p_event\n        FOR NO KEY UPDATE;",
        "WHERE id = p_session AND event_id = p_event; PERFORM pg_sleep(2);",
    )
    assert "pg_sleep" in source
    await doors.database.pool.execute(source)
    assert await _race(doors, 8) > 1


async def _race(doors: Doors, requests: int = 200) -> int:
    """How many of so many tickets, each asking once, get the seat that is left."""
    await setting(doors, max_attendees=3, start_time=60, end_time=120)
    for code in ("T-1", "T-2"):
        await register(doors, code)
    guests = [(f"R-{n}", doors.event.regular, f"李 {n}", 1) for n in range(requests)]
    await doors.event.add_tickets(doors.database.pool, guests)
    tickets = [doors.event.tickets[code] for code, *_ in guests]

    async def ask(ticket: UUID) -> httpx.Response:
        while True:  # whoever a busy machine kept waiting too long comes again
            body = {"ticket_id": str(ticket)}
            answer = await doors.post(path(doors), body, doors.at())
            if answer.status_code != 503:
                return answer

    answers = await asyncio.gather(*(ask(ticket) for ticket in tickets))
    refused = [a.json()["code"] for a in answers if a.status_code != 200]
    assert set(refused) == {"session_full"}
    return len(answers) - len(refused)


async def test_who_cancels_makes_room_at_once(doors: Doors) -> None:
    await setting(
        doors, max_attendees=1, waitlist_enabled=True, start_time=60, end_time=120
    )
    assert (await register(doors, "T-1"))["status"] == "registered"
    assert (await register(doors, "T-2"))["position"] == 1
    third = await register(doors, "T-3")
    assert (third["status"], third["position"]) == ("waitlist", 2)
    assert (await register(doors, "T-3"))["replayed"] is True
    first = doors.event.tickets["T-1"]
    answer = await doors.ok(f"{path(doors)}/{first}/cancel", None, doors.at())
    assert answer["promoted"] == [str(doors.event.tickets["T-2"])]
    again = await doors.ok(f"{path(doors)}/{first}/cancel", None, doors.at())
    assert (again["replayed"], again["promoted"]) == (True, [])
    assert await doors.value(STATUS, doors.event.tickets["T-3"]) == "waitlist"
    # A cancelled ticket gives its seat back too.
    second = doors.event.tickets["T-2"]
    await doors.ok(f"/tickets/{second}/cancel", {"reason": "ill"})
    assert await doors.value(STATUS, doors.event.tickets["T-3"]) == "registered"
    row = await doors.database.pool.fetchrow(COUNTED, doors.event.session)
    assert tuple(row) == (1, 1)


@pytest.mark.parametrize(
    ("columns", "fields", "code"),
    [
        ({"registration_deadline": -1}, {}, "registration_closed"),
        ({"start_time": -1, "end_time": 60}, {}, "registration_closed"),
        ({"start_time": -60, "end_time": -1}, {}, "session_over"),
        ({"status": "cancelled"}, {}, "session_off"),
        ({"max_attendees": 0}, {}, "session_full"),
        ({"door_mode": "registered"}, {"at_door": True}, "registered_only"),
    ],
)
async def test_no_seat(doors: Doors, columns, fields, code: str) -> None:
    await setting(doors, **{"start_time": 60, "end_time": 120, **columns})
    body = {"ticket_code": "T-1", **fields}
    assert await doors.refused(path(doors), body, doors.at()) == (422, code)


async def test_crew_takes_no_seat_and_the_deadline_is_not_for_the_door(
    doors: Doors,
) -> None:
    await setting(
        doors,
        door_mode="register",
        registration_deadline=-10,
        start_time=5,
        end_time=60,
    )
    assert (await register(doors, "T-1", at_door=True))["status"] == "registered"
    await doors.database.pool.execute(
        "UPDATE tickets SET access_class = 'crew' WHERE id = $1",
        doors.event.tickets["T-2"],
    )
    assert await doors.refused(path(doors), {"ticket_code": "T-2"}, doors.at()) == (
        422,
        "no_seat_needed",
    )
    assert (await doors.refused(path(doors), {"ticket_code": "T-3"}))[1] == (
        "registration_closed"
    )


async def test_registered_only_at_the_door(doors: Doors) -> None:
    await setting(
        doors, door_mode="registered", max_attendees=5, start_time=20, end_time=80
    )
    scan = {"session_id": str(doors.event.session)}
    refused = await doors.scan("T-1", **scan)
    assert refused["reason"] == "not_registered"
    await register(doors, "T-1")
    assert (await doors.scan("T-1", **scan))["verdict"] == "admitted"


async def test_unclaimed_seats_are_given_away_five_minutes_after_the_start(
    doors: Doors,
) -> None:
    await setting(
        doors,
        door_mode="registered",
        max_attendees=2,
        waitlist_enabled=True,
        start_time=20,
        end_time=80,
    )
    for code in ("T-1", "T-2", "T-3"):
        await register(doors, code)
    await doors.scan("T-1", session_id=str(doors.event.session))
    doors.clock.shift += timedelta(minutes=24)
    assert await due(doors) == 0  # four minutes after the start: never before
    # Somebody waits at the door, and comes before who waits at home.
    standby = await register(doors, "T-4", standby=True)
    assert standby["status"] == "waitlist"
    doors.clock.shift += timedelta(minutes=1, seconds=1)
    assert await due(doors) == 1
    states = [
        await doors.value(STATUS, doors.event.tickets[f"T-{n}"]) for n in range(1, 5)
    ]
    assert states == ["registered", "released", "waitlist", "registered"]
    seats = (
        await doors.get(f"{doors.base}/sessions/{doors.event.session}/seats")
    ).json()
    assert (seats["registered"], seats["released"], seats["waiting"]) == (2, 1, 1)
    # From now on a walk-up may register at this door too, if there is a seat.
    await setting(doors, max_attendees=4)
    assert (await register(doors, "T-5", at_door=True))["status"] == "registered"


async def test_a_seat_left_is_held_for_ten_minutes(doors: Doors) -> None:
    session = str(doors.event.session)
    await doors.database.pool.execute(
        "UPDATE ops.scopes SET tracks_exits = true, re_entry = 'after_exit'"
        " WHERE id = $1",
        doors.event.session_scope,
    )
    await setting(
        doors, door_mode="registered", max_attendees=1, start_time=20, end_time=80
    )
    await register(doors, "T-1")
    doors.clock.shift += timedelta(minutes=21)
    await doors.scan("T-1", session_id=session)
    await doors.scan("T-1", session_id=session, direction="out")
    await register(doors, "T-2", standby=True)
    doors.clock.shift += timedelta(minutes=9)
    assert await due(doors) == 0
    doors.clock.shift += timedelta(minutes=2)
    assert await due(doors) == 1
    assert await doors.value(STATUS, doors.event.tickets["T-1"]) == "released"
    assert await doors.value(STATUS, doors.event.tickets["T-2"]) == "registered"


async def test_a_smaller_room_takes_nobodys_seat_and_tells(doors: Doors) -> None:
    await setting(doors, max_attendees=5, start_time=60, end_time=120)
    for code in ("T-1", "T-2", "T-3"):
        await register(doors, code)
    await setting(doors, max_attendees=1)
    row = await doors.database.pool.fetchrow(COUNTED, doors.event.session)
    assert tuple(row) == (3, 3)
    alert = await doors.value("SELECT payload FROM ops.facts WHERE kind = 'alert'")
    assert (alert["alert"], alert["too_many"]) == ("too_many_registered", 2)
    seats = (
        await doors.get(f"{doors.base}/sessions/{doors.event.session}/seats")
    ).json()
    assert seats["too_many"] == 2


async def test_a_larger_room_lets_the_waitlist_in(doors: Doors) -> None:
    await setting(
        doors, max_attendees=1, waitlist_enabled=True, start_time=60, end_time=120
    )
    for code in ("T-1", "T-2"):
        await register(doors, code)
    await setting(doors, max_attendees=2)
    assert await doors.value(STATUS, doors.event.tickets["T-2"]) == "registered"


async def test_the_list_of_a_session(doors: Doors) -> None:
    await setting(doors, start_time=60, end_time=120)
    for n in range(1, 6):
        await register(doors, f"T-{n}")
    first = (await doors.get(path(doors), limit=3)).json()
    rest = (await doors.get(path(doors), limit=3, cursor=first["next_cursor"])).json()
    assert [line["holder"] for line in first["items"] + rest["items"]] == [
        f"Guest {n}" for n in range(1, 6)
    ]
    assert rest["next_cursor"] is None


async def visit(
    doors: Doors, code: str, came: int, went: int | None, *, assumed: bool = False
) -> None:
    """A visit of the session, minutes from its start; pass numbers follow."""
    start = await doors.value(
        "SELECT start_time FROM sessions WHERE id = $1", doors.event.session
    )
    ticket: UUID = doors.event.tickets[code]
    await doors.database.pool.execute(
        "INSERT INTO check_ins (id, event_id, ticket_id, scope_id, scan_id, pass_no,"
        " checked_in_at, checked_out_at, exit_assumed) VALUES ($1, $2, $3, $4, $5,"
        " (SELECT count(*) + 1 FROM check_ins WHERE ticket_id = $3), $6, $7, $8)",
        uuid7(),
        doors.event.id,
        ticket,
        doors.event.session_scope,
        uuid7(),
        start + timedelta(minutes=came),
        None if went is None else start + timedelta(minutes=went),
        assumed,
    )


async def test_credit_minutes_are_clipped_and_summed(doors: Doors) -> None:
    await setting(doors, start_time=-60, end_time=0)
    await visit(doors, "T-1", -10, 30)  # came early: 30 of 60
    await visit(doors, "T-1", 40, 70)  # and 20 more, never beyond the end
    await visit(doors, "T-2", 0, 47)  # one minute short
    await visit(doors, "T-3", 5, 600, assumed=True)  # nobody saw the exit: 55
    await visit(doors, "T-4", 50, None)  # still open
    await doors.database.pool.execute(
        "UPDATE attendees SET first_name = '=cmd()' WHERE first_name = 'Guest 2'"
    )
    # Brought after the end by a phone that was alone: it counts by its door's times.
    await visit(doors, "T-5", 90, 91)
    start = datetime.now(UTC) - timedelta(minutes=60)
    await doors.database.pool.execute(
        "UPDATE check_ins SET door_time = $2, exit_door_time = $3 WHERE ticket_id = $1",
        doors.event.tickets["T-5"],
        start + timedelta(minutes=2, seconds=30),
        start + timedelta(minutes=52, seconds=45),
    )
    base = f"{doors.base}/sessions/{doors.event.session}/credits"
    first = (await doors.get(base, limit=2)).json()
    rest = (await doors.get(base, limit=3, cursor=first["next_cursor"])).json()
    lines = {
        line["holder"]: (
            line["minutes"],
            line["visits"],
            line["assumed"],
            line["credit"],
        )
        for line in first["items"] + rest["items"]
    }
    assert lines == {
        "Guest 1": (50, 2, False, True),
        "=cmd()": (47, 1, False, False),
        "Guest 3": (55, 1, True, True),
        "Guest 4": (10, 1, True, False),
        "Guest 5": (50, 1, False, True),
    }
    easier = (await doors.get(base, share=78)).json()["items"]
    assert sum(line["credit"] for line in easier) == 4
    text = (await doors.get(f"{doors.base}/credits.csv")).text
    assert len(text.splitlines()) == 6
    assert ",'=cmd()," in text
