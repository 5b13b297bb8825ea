"""A small event in a real database, for tests that need a door.

One venue (exits tracked, re-entry after exit), one VIP lounge inside it, one room with
a session, three gates, three ticket types, two devices. Numbers and codes are simple
so that a test can be read: ticket n has the code `T-<n>`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg

from ops.ids import uuid7


def code_hash(code: str) -> bytes:
    """How an imported code is stored."""
    return hashlib.sha256(code.encode()).digest()[:16]


class SmallEvent:
    """The ids of what was made; `await SmallEvent.make(connection)`."""

    def __init__(self) -> None:
        self.id, self.venue, self.lounge, self.room = (uuid7() for _ in range(4))
        self.venue_scope, self.lounge_scope = uuid7(), uuid7()
        self.session, self.session_scope = uuid7(), uuid7()
        self.main_gate, self.lounge_gate, self.room_gate = (uuid7() for _ in range(3))
        self.regular, self.vip, self.group = (uuid7() for _ in range(3))
        self.device, self.other_device, self.lounge_device = (uuid7() for _ in range(3))
        self.token_hashes: dict[UUID, bytes] = {}
        self.tickets: dict[str, UUID] = {}

    @classmethod
    async def make(
        cls,
        connection: asyncpg.Connection | asyncpg.Pool,
        *,
        tickets: int = 20,
        capacity: int | None = 1000,
    ) -> SmallEvent:
        """Write the event; `tickets` regular ones, 2 VIP and 1 group of 4."""
        if isinstance(connection, asyncpg.Pool):
            async with connection.acquire() as taken:
                return await cls.make(taken, tickets=tickets, capacity=capacity)
        event = cls()
        now = datetime.now(UTC)
        run = connection.execute
        await run(
            "INSERT INTO events (id, title, slug, event_type, status, starts_at,"
            " ends_at, capacity)"
            " VALUES ($1, 'Small conference', $2, 'conference', 'live', $3, $4, $5)",
            event.id,
            f"small-{event.id}",
            now - timedelta(hours=1),
            now + timedelta(hours=8),
            capacity,
        )
        for area, name, kind, limit in (
            (event.venue, "Venue", "venue", capacity),
            (event.lounge, "VIP lounge", "zone", None),
            (event.room, "Room 1", "room", None),
        ):
            await run(
                "INSERT INTO ops.areas (id, event_id, name, kind, capacity)"
                " VALUES ($1, $2, $3, $4, $5)",
                area,
                event.id,
                name,
                kind,
                limit,
            )
        await run(
            "INSERT INTO sessions (id, event_id, title, session_type, start_time,"
            " end_time, area_id, status) VALUES ($1, $2, 'Opening', 'keynote', $3, $4,"
            " $5, 'scheduled')",
            event.session,
            event.id,
            now,
            now + timedelta(hours=1),
            event.room,
        )
        for scope, kind, area, parent, session, name, tracks, re_entry in (
            (
                event.venue_scope,
                "venue",
                event.venue,
                None,
                None,
                "Venue",
                True,
                "after_exit",
            ),
            (
                event.lounge_scope,
                "zone",
                event.lounge,
                event.venue_scope,
                None,
                "VIP lounge",
                True,
                "after_exit",
            ),
            (
                event.session_scope,
                "session",
                event.room,
                event.venue_scope,
                event.session,
                "Opening",
                False,
                "always",
            ),
        ):
            await run(
                "INSERT INTO ops.scopes (id, event_id, kind, area_id, parent_id,"
                " session_id, name, tracks_exits, re_entry)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                scope,
                event.id,
                kind,
                area,
                parent,
                session,
                name,
                tracks,
                re_entry,
            )
        for gate, area, name in (
            (event.main_gate, event.venue, "Main gate"),
            (event.lounge_gate, event.lounge, "Lounge gate"),
            (event.room_gate, event.room, "Room 1 door"),
        ):
            await run(
                "INSERT INTO ops.gates (id, event_id, area_id, name, direction)"
                " VALUES ($1, $2, $3, $4, 'both')",
                gate,
                event.id,
                area,
                name,
            )
        for kind, name, category in (
            (event.regular, "Regular", "general"),
            (event.vip, "VIP", "vip"),
            (event.group, "Group of 4", "group"),
        ):
            await run(
                "INSERT INTO ticket_types (id, event_id, name, ticket_category, price)"
                " VALUES ($1, $2, $3, $4, 100)",
                kind,
                event.id,
                name,
                category,
            )
        await run(
            "INSERT INTO ops.access_rules (id, event_id, scope_id, ticket_type_id,"
            " allowed) VALUES ($1, $2, $3, $4, true)",
            uuid7(),
            event.id,
            event.lounge_scope,
            event.vip,
        )
        for device, name, gate in (
            (event.device, "Phone 1", event.main_gate),
            (event.other_device, "Phone 2", event.main_gate),
            (event.lounge_device, "Phone 3", event.lounge_gate),
        ):
            await event.add_device(connection, device, name, gate)
        await event.add_tickets(
            connection,
            [
                *(
                    (f"T-{n}", event.regular, f"Guest {n}", 1)
                    for n in range(1, tickets + 1)
                ),
                ("V-1", event.vip, "O'Brien-Łukasz", 1),
                ("V-2", event.vip, "李小龙", 1),
                ("G-1", event.group, "Família 🎉", 4),
            ],
        )
        return event

    async def add_device(
        self,
        connection: asyncpg.Connection | asyncpg.Pool,
        device: UUID,
        name: str,
        gate: UUID,
    ) -> None:
        """An active device at a gate; its token is `dev_<id>`."""
        self.token_hashes[device] = hashlib.sha256(f"dev_{device}".encode()).digest()
        await connection.execute(
            "INSERT INTO ops.devices (id, name, state, token_hash, gate_id)"
            " VALUES ($1, $2, 'active', $3, $4)",
            device,
            name,
            self.token_hashes[device],
            gate,
        )
        await connection.execute(
            "INSERT INTO ops.device_events (device_id, event_id) VALUES ($1, $2)",
            device,
            self.id,
        )

    async def add_ticket(
        self,
        connection: asyncpg.Connection | asyncpg.Pool,
        code: str,
        kind: UUID,
        name: str,
        *,
        admits: int = 1,
        state: str = "valid",
    ) -> UUID:
        """A ticket with its attendee and one imported code."""
        await self.add_tickets(connection, [(code, kind, name, admits)], state)
        return self.tickets[code]

    async def add_tickets(
        self,
        connection: asyncpg.Connection | asyncpg.Pool,
        guests: Sequence[tuple[str, UUID, str, int]],
        state: str = "valid",
    ) -> None:
        """Tickets of `(code, ticket type, name, people)`, written in three calls."""
        rows = [(uuid7(), uuid7(), *guest) for guest in guests]
        await connection.executemany(
            "INSERT INTO attendees (id, event_id, first_name) VALUES ($1, $2, $3)",
            [(attendee, self.id, name) for attendee, _, _, _, name, _ in rows],
        )
        await connection.executemany(
            "INSERT INTO tickets (id, event_id, attendee_id, ticket_type_id, state,"
            " admits) VALUES ($1, $2, $3, $4, $5, $6)",
            [
                (ticket, self.id, attendee, kind, state, people)
                for attendee, ticket, _, kind, _, people in rows
            ],
        )
        await connection.executemany(
            "INSERT INTO ops.ticket_codes (id, event_id, code_hash, ticket_id, kind)"
            " VALUES ($1, $2, $3, $4, 'imported')",
            [
                (uuid7(), self.id, code_hash(code), ticket)
                for _, ticket, code, _, _, _ in rows
            ],
        )
        self.tickets |= {code: ticket for _, ticket, code, _, _, _ in rows}
