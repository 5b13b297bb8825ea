"""What happened at the door happens to the CRM, once, and is taken back by an undo."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from ops.auth.subjects import DeviceIdentity
from ops.checkin.undo import Undo
from ops.crm_sync.effects import Effects
from ops.db.engine import Database
from ops.ids import uuid7
from tests.integration.test_desk import Door, door, event, said, scan  # noqa: F401
from tests.small_event import SmallEvent

OWNER = "INSERT INTO users (id, first_name, last_name, email) VALUES ($1, $2, 'X', $3)"
RULE = (
    "INSERT INTO ops.effect_rules (name, event_id, happened, session_id, action,"
    " sponsor_id, lead_score, amount) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)


class Crm:
    """The CRM around the small event: a company with an owner, contacts, a sponsor."""

    def __init__(self, database: Database, event: SmallEvent) -> None:  # noqa: F811
        self.db, self.event = database.pool, event
        self.owner, self.company, self.sponsor, self.promoter = (
            uuid7() for _ in range(4)
        )
        self.contacts: dict[str, UUID] = {}
        self.effects = Effects(database)

    async def make(self) -> None:
        await self.db.execute(OWNER, self.owner, "Dana", f"{self.owner}@example.org")
        await self.db.execute(
            "INSERT INTO companies (id, name, assigned_to) VALUES ($1, 'Nord', $2)",
            self.company,
            self.owner,
        )
        await self.db.execute(
            "INSERT INTO sponsors (id, event_id, company_id) VALUES ($1, $2, $3)",
            self.sponsor,
            self.event.id,
            self.company,
        )
        await self.db.execute(
            "INSERT INTO promoters (id, promoter_code) VALUES ($1, $2)",
            self.promoter,
            f"P{self.promoter.hex[:6]}",
        )
        order = uuid7()
        await self.db.execute(
            "INSERT INTO orders (id, event_id, order_number, promoter_id)"
            " VALUES ($1, $2, '1', $3)",
            order,
            self.event.id,
            self.promoter,
        )
        for code in ("T-1", "T-2", "T-3", "V-1"):
            contact = self.contacts[code] = uuid7()
            await self.db.execute(
                "INSERT INTO contacts (id, first_name, last_name, email, company_id)"
                " VALUES ($1, $2, '', $3, $4)",
                contact,
                code,
                f"{contact}@example.org",
                self.company,
            )
            await self.db.execute(
                "UPDATE attendees SET contact_id = $2 FROM tickets t"
                " WHERE t.attendee_id = attendees.id AND t.id = $1",
                self.event.tickets[code],
                contact,
            )
            await self.db.execute(
                "UPDATE tickets SET order_id = $2, price = 40 WHERE id = $1",
                self.event.tickets[code],
                order,
            )
        await self.effects.start()

    async def rule(self, happened: str, action: str, **more: Any) -> None:
        await self.db.execute(
            RULE,
            f"{action} when {happened}",
            self.event.id,
            happened,
            more.get("session"),
            action,
            self.sponsor,
            30,
            Decimal(500),
        )

    async def settle(self) -> None:
        while await self.effects.turn():
            pass

    async def one(self, query: str, code: str) -> asyncpg.Record | None:
        return await self.db.fetchrow(query, self.contacts[code])


@pytest.fixture
async def crm(database, event) -> Crm:  # noqa: F811
    crm = Crm(database, event)
    await crm.make()
    return crm


STATUS = (
    "SELECT a.status, c.last_event_attended_at AS last FROM attendees a"
    " JOIN contacts c ON c.id = a.contact_id WHERE c.id = $1"
)
TALKS = (
    "SELECT interaction_type, outcome, subject FROM interactions"
    " WHERE contact_id = $1 ORDER BY outcome"
)
LEADS = "SELECT * FROM leads WHERE contact_id = $1"
TASKS = "SELECT * FROM tasks WHERE contact_id = $1"
FIGURE = (
    "SELECT metric_value::int FROM event_analytics"
    " WHERE event_id = $1 AND metric_name = $2 AND dimension_1 = $3"
)


async def undo(door: Door, crm: Crm, scan_id: UUID) -> None:  # noqa: F811
    who = DeviceIdentity(
        crm.event.device, 1, "Phone", "scan", frozenset({crm.event.id}), b""
    )
    await Undo(door.stores, door.desk, door.clock).undo(
        crm.event.id, scan_id, who, "a wrong tap"
    )


async def test_an_arrival_is_in_the_crm(crm, door) -> None:  # noqa: F811
    await scan(door, crm.event, "T-1")
    await crm.settle()
    state = await crm.one(STATUS, "T-1")
    assert state["status"] == "checked_in"
    assert state["last"] is not None
    talk = await crm.one(TALKS, "T-1")
    assert tuple(talk) == ("meeting", "attended", "Small conference")
    assert (await crm.one(STATUS, "T-2"))["status"] == "registered"
    await scan(door, crm.event, "T-1", direction="out")
    await crm.settle()
    assert (await crm.one(STATUS, "T-1"))["status"] == "left"
    assert (await crm.one(TALKS, "T-1"))["outcome"] == "left_early"
    await scan(door, crm.event, "T-1")
    await crm.settle()
    assert (await crm.one(STATUS, "T-1"))["status"] == "checked_in"
    assert (await crm.one(TALKS, "T-1"))["outcome"] == "attended"


async def test_twice_is_once(crm, door) -> None:  # noqa: F811
    """The cursor is lost: everything is applied again, and nothing is new."""
    await crm.rule("attended_event", "lead")
    for code in ("T-1", "T-2", "V-1"):
        await scan(door, crm.event, code)
    await crm.settle()

    async def counts() -> list[int]:
        return [
            await crm.db.fetchval(f"SELECT count(*) FROM {table}")
            for table in ("interactions", "leads", "tasks", "ops.effects", "ops.facts")
        ]

    before = await counts()
    await crm.db.execute("DELETE FROM ops.cursors WHERE name = 'effects'")
    again = Effects(door.database)
    await again.start()
    while await again.turn():
        pass
    assert await counts() == before
    assert before[1] == 3


async def test_two_sync_processes_at_once_are_once(crm, door) -> None:  # noqa: F811
    await crm.rule("attended_event", "lead")
    for code in ("T-1", "T-2", "T-3", "V-1"):
        await scan(door, crm.event, code)
    both = [Effects(door.database) for _ in range(2)]
    await asyncio.gather(*(one.turn() for one in both))
    await crm.settle()
    assert await crm.db.fetchval("SELECT count(*) FROM leads") == 4
    assert await crm.db.fetchval("SELECT count(*) FROM tasks") == 1


async def test_a_session_makes_a_lead_for_the_sponsors_owner(crm, door) -> None:  # noqa: F811
    await crm.rule("attended_session", "lead", session=crm.event.session)
    await scan(door, crm.event, "T-1")
    await crm.settle()
    assert await crm.one(LEADS, "T-1") is None
    inside = await scan(door, crm.event, "T-1", gate_id=crm.event.room_gate)
    assert said(inside)[0] == "admitted"
    await crm.settle()
    lead = await crm.one(LEADS, "T-1")
    assert (lead["assigned_to"], lead["lead_score"]) == (crm.owner, 30)
    assert lead["estimated_value"] == Decimal("500.00")
    assert lead["company_id"] == crm.company


async def test_a_vip_is_told_within_two_seconds_even_beside_an_import(
    crm,
    door,  # noqa: F811
) -> None:
    """A transaction that stays open holds the cursor, not the host."""
    importing = await crm.db.acquire()
    transaction = importing.transaction()
    await transaction.start()
    await importing.execute("UPDATE companies SET name = 'Nord' WHERE false")
    await importing.execute("SELECT pg_current_xact_id()")
    try:
        began_s = time.monotonic()
        await scan(door, crm.event, "V-1")
        while await crm.one(TASKS, "V-1") is None:
            await crm.effects.turn()
            assert time.monotonic() - began_s < 2.0
    finally:
        await transaction.rollback()
        await crm.db.release(importing)
    task = await crm.one(TASKS, "V-1")
    assert (task["task_type"], task["assigned_to"]) == ("follow_up", crm.owner)
    await crm.settle()
    alerts = await crm.db.fetch("SELECT payload FROM ops.facts WHERE kind = 'alert'")
    assert [row["payload"]["name"] for row in alerts] == ["vip_arrived"]
    assert alerts[0]["payload"]["args"]["owner_id"] == str(crm.owner)
    assert [r["outcome"] for r in await crm.db.fetch(TALKS, crm.contacts["V-1"])] == [
        "attended",
        "vip_arrived",
    ]


async def test_an_undo_takes_it_all_back(crm, door) -> None:  # noqa: F811
    await crm.rule("attended_event", "lead")
    await crm.rule("attended_event", "opportunity")
    answered = await scan(door, crm.event, "V-1")
    await crm.settle()
    assert await crm.db.fetchval("SELECT count(*) FROM opportunities") == 1
    at = (crm.event.id, "promoter_attended", str(crm.promoter))
    assert await crm.db.fetchval(FIGURE, *at) == 1
    await undo(door, crm, answered.item.ask.scan.id)
    began_s = time.monotonic()
    await crm.settle()
    assert time.monotonic() - began_s < 2.0
    state = await crm.one(STATUS, "V-1")
    assert (state["status"], state["last"]) == ("registered", None)
    for table in ("interactions", "leads", "opportunities", "tasks", "ops.effects"):
        assert await crm.db.fetchval(f"SELECT count(*) FROM {table}") == 0, table
    assert await crm.db.fetchval(FIGURE, *at) == 0


async def test_what_somebody_works_on_stays(crm, door) -> None:  # noqa: F811
    await crm.rule("attended_event", "lead")
    answered = await scan(door, crm.event, "T-1")
    await crm.settle()
    await crm.db.execute("UPDATE leads SET lead_status = 'contacted'")
    await undo(door, crm, answered.item.ask.scan.id)
    await crm.settle()
    assert (await crm.one(LEADS, "T-1"))["lead_status"] == "contacted"


async def test_one_bad_ticket_does_not_stop_the_others(crm, door) -> None:  # noqa: F811
    """A trigger of somebody's refuses one person: the others are told all the same."""
    await crm.db.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'no' USING ERRCODE = 'check_violation'; END $$;"
        "CREATE TRIGGER refuse BEFORE INSERT ON interactions FOR EACH ROW WHEN"
        f" (NEW.contact_id = '{crm.contacts['T-2']}') EXECUTE FUNCTION refuse()"
    )
    for code in ("T-1", "T-2", "T-3"):
        await scan(door, crm.event, code)
    await crm.settle()
    states = [(await crm.one(STATUS, c))["status"] for c in ("T-1", "T-2", "T-3")]
    assert states == ["checked_in", "registered", "checked_in"]


async def test_after_the_event_who_did_not_come_is_known(crm, door) -> None:  # noqa: F811
    await crm.rule("no_show", "task")
    await scan(door, crm.event, "T-1")
    await crm.settle()
    over = datetime.now(UTC) - timedelta(hours=1)
    await crm.db.execute("UPDATE events SET ends_at = $1", over + timedelta(minutes=1))
    told = await crm.db.fetchval("SELECT ops.no_shows_v1($1, 3)", crm.event.id)
    assert told == 3
    while await crm.db.fetchval("SELECT ops.no_shows_v1($1, 3)", crm.event.id):
        pass
    assert (await crm.one(STATUS, "T-2"))["status"] == "no_show"
    assert (await crm.one(TALKS, "T-2"))["outcome"] == "no_show"
    assert (await crm.one(STATUS, "T-1"))["status"] == "checked_in"
    assert (
        await crm.db.fetchval("SELECT count(*) FROM tasks WHERE title LIKE 'task%'")
        == 3
    )


async def test_the_figures_of_the_event(crm, door) -> None:  # noqa: F811
    for code in ("T-1", "T-2", "V-1", "T-3"):
        await scan(door, crm.event, code)
    await scan(door, crm.event, "T-1", gate_id=crm.event.room_gate)
    last = await scan(door, crm.event, "T-4")
    await scan(door, crm.event, "T-2", direction="out")
    rollup = "SELECT ops.rollup_event_v1($1)"
    assert await crm.db.fetchval(rollup, crm.event.id) > 5
    assert await crm.db.fetchval(rollup, crm.event.id) == 0, "nothing moved"

    async def figure(name: str, of: str = "") -> int:
        return await crm.db.fetchval(FIGURE, crm.event.id, name, of)

    assert await figure("entered") == 5
    assert await figure("peak_inside") == 5
    assert await figure("arrivals_by_gate", str(crm.event.main_gate)) == 5
    assert await figure("arrivals_by_type", str(crm.event.vip)) == 1
    assert await figure("arrivals_by_session", str(crm.event.session)) == 1
    assert await figure("promoter_sold", str(crm.promoter)) == 4
    assert await figure("promoter_attended_value", str(crm.promoter)) == 160
    by_minute = await crm.db.fetchval(
        "SELECT sum(metric_value)::int FROM event_analytics WHERE event_id = $1"
        " AND metric_name = 'arrivals_by_minute'",
        crm.event.id,
    )
    assert by_minute == 5
    await undo(door, crm, last.item.ask.scan.id)
    await crm.db.fetchval(rollup, crm.event.id)
    assert await figure("entered") == 4
