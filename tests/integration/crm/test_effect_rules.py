"""The organiser's rules for who came or did not: set over HTTP, followed by sync."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx

from ops.clock import FixedClock
from ops.crm_sync.duties import DUTIES
from ops.crm_sync.schedule import Schedule
from ops.db.engine import Database
from ops.ids import uuid7
from tests.small_event import SmallEvent

URL = "/api/v1/effect-rules"
CALL = {"name": "Call them", "happened": "no_show", "action": "task", "due_hours": 48}


class Guests:
    """Two contacts who hold tickets of the small event and did not come."""

    def __init__(self, database: Database, event: SmallEvent) -> None:
        self.database, self.pool, self.event = database, database.pool, event

    async def make(self) -> Guests:
        for code, name in (("T-1", "O'Brien-Łukasz"), ("V-1", "李小龙")):
            contact = uuid7()
            await self.pool.execute(
                "INSERT INTO contacts (id, first_name, last_name, email)"
                " VALUES ($1, 'N', $2, $3)",
                contact,
                name,
                f"{contact}@example.org",
            )
            await self.pool.execute(
                "UPDATE attendees SET contact_id = $2, status = 'no_show' WHERE id ="
                " (SELECT attendee_id FROM tickets WHERE id = $1)",
                self.event.tickets[code],
                contact,
            )
        return self

    async def turn(self) -> None:
        """The sync role does what is due by now, the rules among it."""
        now = FixedClock(datetime.now(UTC))
        await Schedule(self.database, now, DUTIES).turn()

    async def tasks(self) -> list[tuple[str, str, UUID | None]]:
        rows = await self.pool.fetch(
            "SELECT t.title, t.status, t.assigned_to FROM tasks t"
            " JOIN contacts c ON c.id = t.contact_id ORDER BY c.last_name"
        )
        return [(row["title"], row["status"], row["assigned_to"]) for row in rows]


async def test_a_rule_holds_for_those_who_came_before_it(
    http: httpx.AsyncClient, bearer: dict[str, str], database: Database
) -> None:
    event = await SmallEvent.make(database.pool, tickets=3)
    guests = await Guests(database, event).make()
    me = (await http.get("/api/v1/auth/me", headers=bearer)).json()["user"]["id"]
    rule = {**CALL, "event_id": str(event.id), "assigned_to": me}
    made = await http.post(URL, json=rule, headers=bearer)
    assert made.status_code == 201, made.text
    await guests.turn()
    told = "Call them: "
    assert [(t.startswith(told), s, str(o)) for t, s, o in await guests.tasks()] == [
        (True, "pending", me)
    ] * 2
    await guests.turn()
    assert len(await guests.tasks()) == 2, "once, however often it is looked at"

    address = f"{URL}/{made.json()['id']}"
    await database.pool.execute(
        "UPDATE tasks SET status = 'in_progress' WHERE contact_id ="
        " (SELECT id FROM contacts WHERE last_name = '李小龙')"
    )
    for_nobody = {**rule, "ticket_type_id": str(event.group)}
    changed = await http.put(address, json=for_nobody, headers=bearer)
    assert changed.status_code == 200, changed.text
    await guests.turn()
    left = await guests.tasks()
    assert [status for _, status, _ in left] == ["in_progress"], "begun work stays"

    await http.put(address, json=rule, headers=bearer)
    await guests.turn()
    count = len(await guests.tasks())
    assert (await http.delete(address, headers=bearer)).status_code == 204
    await database.pool.execute("UPDATE ops.jobs SET due_at = now(), done_at = NULL")
    await guests.turn()
    assert len(await guests.tasks()) == count, "what a forgotten rule made stays"
    assert (await http.delete(address, headers=bearer)).status_code == 404
    assert (await http.get(URL, headers=bearer)).json() == []


async def test_a_rule_for_every_event_is_held_against_those_near(
    http: httpx.AsyncClient, bearer: dict[str, str], database: Database
) -> None:
    event = await SmallEvent.make(database.pool, tickets=3)
    guests = await Guests(database, event).make()
    old = await SmallEvent.make(database.pool, tickets=3)
    await database.pool.execute(
        "UPDATE events SET starts_at = now() - interval '99 days',"
        " ends_at = now() - interval '98 days' WHERE id = $1",
        old.id,
    )
    assert (await http.post(URL, json=CALL, headers=bearer)).status_code == 201
    due = await database.pool.fetch(
        "SELECT event_id FROM ops.jobs WHERE kind = 'effect_rules'"
    )
    assert [row["event_id"] for row in due] == [event.id]
    await guests.turn()
    assert len(await guests.tasks()) == 2


async def test_a_rule_that_names_what_is_not_there_is_told_by_field(
    http: httpx.AsyncClient, bearer: dict[str, str], database: Database
) -> None:
    event = await SmallEvent.make(database.pool, tickets=1)
    session, unknown = str(event.session), str(uuid7())

    async def refused(**more: Any) -> set[str]:
        answer = await http.post(URL, json={**CALL, **more}, headers=bearer)
        assert answer.status_code == 422, answer.text
        return {one["field"] for one in answer.json()["errors"]}

    assert await refused(happened="attended_session") == {"session_id"}
    assert await refused(session_id=session) == {"session_id"}, "of which event?"
    here = {"event_id": str(event.id)}
    assert await refused(**here, sponsor_id=unknown, assigned_to=unknown) == {
        "sponsor_id",
        "assigned_to",
    }
    assert await refused(event_id=unknown) == {"event_id"}
    assert await refused(amount="-1") == {"amount"}
    assert await refused(amount="NaN") == {"amount"}
    held = {**CALL, **here, "happened": "attended_session", "session_id": session}
    saved = await http.post(URL, json=held, headers=bearer)
    assert saved.status_code == 201, saved.text
    assert (await http.get(URL, headers=bearer)).json() == [saved.json()]
