"""The outbox: each change that a door must know leaves one note, and no other does."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import pytest

from ops.ids import uuid7

PEOPLE = ("O'Brien-Łukasz", "李小龙", "مريم", "🎟️")


@dataclass
class House:
    """One event with a ticket, a device at a gate, an operator and a session."""

    db: asyncpg.Connection[asyncpg.Record]
    event: UUID
    ticket_type: UUID
    attendee: UUID
    ticket: UUID
    code: UUID
    area: UUID
    scope: UUID
    gate: UUID
    device: UUID
    operator: UUID
    session: UUID

    async def notes(self) -> Counter[tuple[str, UUID]]:
        """The notes since the last call, by kind and key; all are of this event."""
        rows = await self.db.fetch(
            "DELETE FROM ops.outbox RETURNING event_id, kind, key"
        )
        assert {row["event_id"] for row in rows} <= {self.event}
        return Counter((row["kind"], row["key"]) for row in rows)

    async def notes_of_all(self) -> set[tuple[UUID, UUID]]:
        """The notes since the last call, by event and key."""
        rows = await self.db.fetch("DELETE FROM ops.outbox RETURNING event_id, key")
        return {(row["event_id"], row["key"]) for row in rows}

    async def version(self) -> int:
        version = await self.db.fetchval(
            "SELECT version FROM tickets WHERE id = $1", self.ticket
        )
        return int(version)

    async def plan(self) -> int:
        version = await self.db.fetchval(
            "SELECT version FROM ops.plan_versions WHERE event_id = $1", self.event
        )
        return int(version)


async def insert(
    db: asyncpg.Connection[asyncpg.Record], table: str, **values: object
) -> UUID:
    """Insert a row with a new id; return the id."""
    values = {"id": uuid7(), **values}
    marks = ", ".join(f"${number + 1}" for number in range(len(values)))
    await db.execute(
        f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", *values.values()
    )
    return UUID(str(values["id"]))


async def make_event(db: asyncpg.Connection[asyncpg.Record], slug: str) -> UUID:
    event = uuid7()
    await db.execute(
        "INSERT INTO events (id, title, slug, starts_at, ends_at)"
        " VALUES ($1, $2, $2, now(), now() + interval '1 day')",
        event,
        slug,
    )
    return event


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    db = await asyncpg.connect(database_url)
    event = await make_event(db, "day-one")
    kind = await insert(db, "ticket_types", event_id=event, name="Day", price=0)
    attendee = await insert(db, "attendees", event_id=event, first_name=PEOPLE[0])
    ticket = await insert(
        db, "tickets", event_id=event, ticket_type_id=kind, attendee_id=attendee
    )
    code = await insert(
        db, "ops.ticket_codes", event_id=event, code_hash=b"1" * 16, ticket_id=ticket
    )
    area = await insert(db, "ops.areas", event_id=event, name="Hall", kind="venue")
    scope = await insert(
        db, "ops.scopes", event_id=event, name="Hall", kind="venue", area_id=area
    )
    gate = await insert(db, "ops.gates", event_id=event, name="North", area_id=area)
    operator = await insert(db, "ops.operators", event_id=event, name=PEOPLE[1])
    device = await insert(
        db, "ops.devices", name="Phone 1", gate_id=gate, operator_id=operator
    )
    session = uuid7()
    await db.execute(
        "INSERT INTO sessions (id, event_id, title, start_time, end_time)"
        " VALUES ($1, $2, 'Opening', now(), now() + interval '1 hour')",
        session,
        event,
    )
    await db.execute("DELETE FROM ops.outbox")
    yield House(
        db=db,
        event=event,
        ticket_type=kind,
        attendee=attendee,
        ticket=ticket,
        code=code,
        area=area,
        scope=scope,
        gate=gate,
        device=device,
        operator=operator,
        session=session,
    )
    await db.close()


async def test_a_changed_ticket_leaves_one_note_and_one_version(house: House) -> None:
    before = await house.version()
    await house.db.execute(
        "UPDATE tickets SET state = 'refunded' WHERE id = $1", house.ticket
    )
    assert await house.notes() == {("ticket", house.ticket): 1}
    assert await house.version() == before + 1


async def test_a_version_cannot_be_set_back(house: House) -> None:
    before = await house.version()
    await house.db.execute("UPDATE tickets SET version = 0 WHERE id = $1", house.ticket)
    assert await house.version() == before + 1


async def test_a_new_and_a_deleted_ticket_leave_a_note(house: House) -> None:
    ticket = await insert(
        house.db, "tickets", event_id=house.event, ticket_type_id=house.ticket_type
    )
    assert await house.notes() == {("ticket", ticket): 1}
    await house.db.execute("DELETE FROM tickets WHERE id = $1", ticket)
    assert await house.notes() == {("ticket", ticket): 1}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ops.ticket_codes SET revoked_at = now(), revoked_reason = 'lost'",
        "DELETE FROM ops.ticket_codes",
        "UPDATE attendees SET first_name = '李小龙'",
        "UPDATE attendees SET last_name = 'Ng', company = 'Łódź & Fils'",
        "UPDATE attendees SET flags = '{wheelchair}'",
        "UPDATE attendees SET notes = '{early}'",
        "UPDATE attendees SET email = 'a@example.org', phone = '+14165550100'",
        "DELETE FROM attendees",
    ],
)
async def test_codes_and_holders_are_parts_of_their_ticket(
    house: House, change: str
) -> None:
    before = await house.version()
    await house.db.execute(change)
    assert await house.notes() == {("ticket", house.ticket): 1}
    assert await house.version() == before + 1


async def test_a_new_code_is_a_change_of_its_ticket(house: House) -> None:
    before = await house.version()
    await insert(
        house.db,
        "ops.ticket_codes",
        event_id=house.event,
        code_hash=b"2" * 16,
        ticket_id=house.ticket,
    )
    assert await house.notes() == {("ticket", house.ticket): 1}
    assert await house.version() == before + 1


async def test_a_code_that_moves_changes_both_tickets(house: House) -> None:
    other = await insert(
        house.db, "tickets", event_id=house.event, ticket_type_id=house.ticket_type
    )
    await house.notes()
    await house.db.execute("UPDATE ops.ticket_codes SET ticket_id = $1", other)
    assert await house.notes() == {("ticket", house.ticket): 1, ("ticket", other): 1}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE attendees SET status = 'checked_in'",
        "UPDATE attendees SET first_name = first_name",
    ],
)
async def test_what_no_door_shows_of_a_holder_leaves_no_note(
    house: House, change: str
) -> None:
    before = await house.version()
    await house.db.execute(change)
    assert await house.notes() == {}
    assert await house.version() == before


async def test_a_registration_is_a_part_of_its_ticket(house: House) -> None:
    before = await house.version()
    await insert(
        house.db,
        "ops.session_registrations",
        event_id=house.event,
        session_id=house.session,
        ticket_id=house.ticket,
    )
    for change in (
        "UPDATE ops.session_registrations SET status = 'cancelled'",
        "DELETE FROM ops.session_registrations",
    ):
        assert await house.notes() == {("ticket", house.ticket): 1}
        await house.db.execute(change)
    assert await house.notes() == {("ticket", house.ticket): 1}
    assert await house.version() == before + 3


async def test_a_scope_of_a_session_reaches_the_tickets_registered_for_it(
    house: House,
) -> None:
    await insert(
        house.db,
        "ops.session_registrations",
        event_id=house.event,
        session_id=house.session,
        ticket_id=house.ticket,
    )
    await house.notes()
    before = await house.version()
    scope = {"event_id": house.event, "kind": "session", "name": "Opening"}
    await insert(house.db, "ops.scopes", session_id=house.session, **scope)
    for change in (
        "UPDATE ops.scopes SET session_id = NULL WHERE kind = 'session'",
        "DELETE FROM ops.scopes WHERE kind = 'session'",
    ):
        assert (await house.notes())["ticket", house.ticket] == 1
        await house.db.execute(change)
    assert await house.notes() == {("plan", house.event): 1}
    assert await house.version() == before + 2


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("ops.devices", "state = 'revoked', revoked_at = now()"),
        ("ops.devices", "operator_id = NULL"),
        ("ops.devices", "direction = 'out'"),
        ("ops.operators", "role = 'supervisor'"),
        ("ops.operators", "locked_until = now()"),
    ],
)
async def test_a_device_hears_of_itself_and_its_operator(
    house: House, table: str, change: str
) -> None:
    query = "SELECT version FROM ops.devices"
    before = await house.db.fetchval(query)
    await house.db.execute(f"UPDATE {table} SET {change}")
    assert await house.notes() == {("device", house.device): 1}
    assert await house.db.fetchval(query) == before + 1


async def test_a_deleted_operator_is_taken_from_the_device(house: House) -> None:
    await house.db.execute("DELETE FROM ops.operators")
    assert await house.notes() == {("device", house.device): 1}


async def test_a_device_is_told_to_each_event_it_serves(house: House) -> None:
    other = await make_event(house.db, "day-two")
    await house.notes_of_all()
    await house.db.execute(
        "INSERT INTO ops.device_events (device_id, event_id) VALUES ($1, $2), ($1, $3)",
        house.device,
        house.event,
        other,
    )
    both = {(house.event, house.device), (other, house.device)}
    assert await house.notes_of_all() == both
    await house.db.execute("UPDATE ops.devices SET state = 'revoked'")
    assert await house.notes_of_all() == both
    await house.db.execute("DELETE FROM ops.devices")
    assert await house.notes_of_all() == both


async def test_the_event_that_a_device_leaves_is_told(house: House) -> None:
    other = await make_event(house.db, "day-two")
    gate = await insert(house.db, "ops.gates", event_id=other, name="East")
    await house.notes_of_all()
    await house.db.execute("UPDATE ops.devices SET gate_id = $1", gate)
    assert await house.notes_of_all() == {
        (house.event, house.device),
        (other, house.device),
    }


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events SET doors_state = 'held'",
        "UPDATE ticket_types SET access_class = 'press'",
        "UPDATE sessions SET max_attendees = 40",
        "UPDATE ops.areas SET capacity = 500, inside = 3",
        "UPDATE ops.scopes SET re_entry = 'never'",
        "UPDATE ops.gates SET state = 'closed'",
        "DELETE FROM ops.gates",
        "DELETE FROM ops.scopes",
        "DELETE FROM sessions",
    ],
)
async def test_the_plan_of_an_event_has_one_version(house: House, change: str) -> None:
    before = await house.plan()
    await house.db.execute(change)
    notes = await house.notes()
    assert notes.pop(("plan", house.event)) == 1
    assert set(notes) <= {("device", house.device)}  # a deleted gate empties it
    assert await house.plan() == before + 1


async def test_a_new_rule_is_a_change_of_the_plan(house: House) -> None:
    before = await house.plan()
    rule = {"event_id": house.event, "scope_id": house.scope, "access_class": "press"}
    await insert(house.db, "ops.access_rules", **rule)
    await house.db.execute("UPDATE ops.access_rules SET allowed = false")
    await house.db.execute("DELETE FROM ops.access_rules")
    assert await house.notes() == {("plan", house.event): 3}
    assert await house.plan() == before + 3


async def test_one_transaction_raises_the_plan_once(house: House) -> None:
    before = await house.plan()
    async with house.db.transaction():
        for number in range(20):
            await insert(
                house.db, "ops.gates", event_id=house.event, name=f"Gate {number}"
            )
        await house.db.execute("UPDATE ops.gates SET state = 'held'")
    assert await house.notes() == {("plan", house.event): 1}
    assert await house.plan() == before + 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ops.areas SET inside = inside + 1",
        "UPDATE ops.areas SET manual = manual - 1, inside = 7",
        "UPDATE ops.scopes SET inside = inside + 1",
        "UPDATE ops.devices SET last_seen_at = now(), battery = 80, pending = 3",
        "UPDATE ops.operators SET failed_pins = failed_pins + 1",
        "UPDATE ticket_types SET sold_count = sold_count + 1, reserved_count = 2",
        "UPDATE sessions SET current_registrations = 12",
    ],
)
async def test_counters_and_heartbeats_leave_no_note_and_no_version(
    house: House, change: str
) -> None:
    table = change.split()[1]
    versioned = table != "sessions"
    query = f"SELECT version FROM {table}" if versioned else "SELECT 1"
    before, plan = await house.db.fetchval(query), await house.plan()
    await house.db.execute(change)
    assert await house.notes() == {}
    assert await house.db.fetchval(query) == before
    assert await house.plan() == plan


async def test_a_scan_leaves_no_note(house: House) -> None:
    await insert(
        house.db,
        "check_ins",
        event_id=house.event,
        ticket_id=house.ticket,
        scope_id=house.scope,
        scan_id=uuid7(),
    )
    await house.db.execute("UPDATE check_ins SET confirmed_at = now()")
    await house.db.execute(
        "INSERT INTO ops.scan_log (scan_id, event_id, content_hash, verdict, reason)"
        " VALUES ($1, $2, '', 'admitted', 'ok')",
        uuid7(),
        house.event,
    )
    await house.db.execute(
        "INSERT INTO ops.facts (event_id, kind, payload) VALUES ($1, 'admitted', '{}')",
        house.event,
    )
    assert await house.notes() == {}


async def test_taps_leave_one_note_an_area(house: House) -> None:
    await house.db.executemany(
        "INSERT INTO ops.counts (id, event_id, area_id, delta) VALUES ($1, $2, $3, 1)",
        [(uuid7(), house.event, house.area)],
    )
    assert await house.notes() == {("counts", house.area): 1}
    await house.db.execute(
        "INSERT INTO ops.counts (id, event_id, area_id, delta)"
        " SELECT gen_random_uuid(), $1, $2, 1 FROM generate_series(1, 50)",
        house.event,
        house.area,
    )
    assert await house.notes() == {("counts", house.area): 1}


async def test_an_event_can_be_deleted(house: House) -> None:
    await house.db.execute("DELETE FROM events WHERE id = $1", house.event)
    notes = await house.notes()
    assert notes[("plan", house.event)] == 1
    assert notes[("ticket", house.ticket)] >= 1


async def test_an_import_leaves_one_note_a_ticket_and_one_signal(
    house: House, database_url: str
) -> None:
    rows = 10_000
    heard: list[str] = []
    arrived = asyncio.Event()

    def hear(*arguments: object) -> None:
        heard.append(str(arguments[-1]))
        if heard[-1] == "end":
            arrived.set()

    listener = await asyncpg.connect(database_url)
    await listener.add_listener("ops_outbox", hear)
    async with house.db.transaction():
        await house.db.execute(
            "INSERT INTO attendees (event_id, first_name)"
            " SELECT $1, 'Guest ' || i FROM generate_series(1, $2::int) i",
            house.event,
            rows,
        )
        await house.db.execute(
            "INSERT INTO tickets (event_id, attendee_id, ticket_type_id)"
            " SELECT event_id, id, $1 FROM attendees WHERE id <> $2",
            house.ticket_type,
            house.attendee,
        )
        await house.db.execute(
            "INSERT INTO ops.ticket_codes (event_id, code_hash, ticket_id)"
            " SELECT event_id, uuid_send(id), id FROM tickets WHERE id <> $1",
            house.ticket,
        )
    await house.db.execute("SELECT pg_notify('ops_outbox', 'end')")
    await arrived.wait()
    await listener.close()

    notes = await house.notes()
    assert len(notes) == rows
    assert set(notes.values()) == {1}
    assert heard == [str(house.event), "end"]
    # Nobody has seen the tickets yet: their codes did not write them a second time.
    versions = await house.db.fetch(
        "SELECT DISTINCT version FROM tickets WHERE id <> $1", house.ticket
    )
    assert [row["version"] for row in versions] == [1]


async def test_two_sessions_that_change_codes_of_the_same_tickets_both_finish(
    house: House, database_url: str
) -> None:
    # The triggers lock tickets in id order; in any other order these would deadlock.
    await house.db.execute(
        "INSERT INTO tickets (event_id, ticket_type_id)"
        " SELECT $1, $2 FROM generate_series(1, 200)",
        house.event,
        house.ticket_type,
    )
    pool = await asyncpg.create_pool(database_url, min_size=4, max_size=4)

    async def add_codes(number: int, order: str) -> None:
        for turn in range(5):
            await pool.execute(
                "INSERT INTO ops.ticket_codes (event_id, code_hash, ticket_id)"
                " SELECT event_id, decode(md5(id::text || $1), 'hex'), id"
                f" FROM tickets ORDER BY id {order}",
                f"{number}-{turn}",
            )

    await asyncio.gather(*(add_codes(i, "ASC" if i % 2 else "DESC") for i in range(4)))
    await pool.close()
    assert await house.version() == 2 + 20
