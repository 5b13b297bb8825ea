"""An event of any size, written by SQL in seconds, marked as a load-test event.

One venue (exits tracked, re-entry after exit), one ticket type, gates and devices.
Ticket number n has the imported code `code(n)`; device number n the token `token(n)`.
Names are as long as people's are, because they are most of a ticket's memory.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import asyncpg

from ops.ids import uuid7

SLUG_PREFIX = "load-test-"
GATES = 4

_NAMES = (
    "Aoife O'Brien-Łukasz",
    "李小龙",
    "Marie-Ève Tremblay",
    "Jean-Baptiste de La Fontaine-Desrochers du Haut-Saint-Laurent",
    "نور الهدى",
    "Sam 🎈 Fischer",
    "Priya Raghunathan",
    "Tom Lee",
)
_COMPANIES = ("Lakeshore Analytics Ltd", "Atelier Vingt-Six", "", "Northern Rail")

_BULK = (
    """
    CREATE TEMP TABLE bulk ON COMMIT DROP AS
    SELECT n, gen_random_uuid() AS attendee, gen_random_uuid() AS ticket
    FROM generate_series(1, $1::int) AS n
    """,
    """
    INSERT INTO attendees (id, event_id, first_name, company, language)
    SELECT attendee, $1, ($2::text[])[1 + n % 8], ($3::text[])[1 + n % 4],
      CASE WHEN n % 3 = 0 THEN 'fr' ELSE 'en' END
    FROM bulk
    """,
    """
    INSERT INTO tickets (id, event_id, attendee_id, ticket_type_id)
    SELECT ticket, $1, attendee, $2 FROM bulk
    """,
    """
    INSERT INTO ops.ticket_codes (event_id, code_hash, ticket_id, kind, hint)
    SELECT $1, substring(sha256(convert_to($2 || lpad(n::text, 8, '0'), 'UTF8'))
      FOR 16), ticket, 'imported', right(n::text, 4)
    FROM bulk
    """,
)


def code(prefix: str, number: int) -> str:
    """The code of a ticket, as its QR symbol says it."""
    return f"{prefix}{number:08d}"


class BulkEvent:
    """The ids of what was made; `await BulkEvent.make(connection, ..)`."""

    def __init__(self, tickets: int) -> None:
        self.id, self.venue, self.scope, self.kind = (uuid7() for _ in range(4))
        self.gates = [uuid7() for _ in range(GATES)]
        self.slug = f"{SLUG_PREFIX}{self.id}"
        self.tickets = tickets
        self.prefix = f"T{self.id.hex[-4:].upper()}-"
        self.tokens: list[str] = []
        self._next = 0

    @classmethod
    async def make(
        cls, connection: asyncpg.Connection, tickets: int, devices: int = 32
    ) -> BulkEvent:
        """Write the event; the cache is then filled by the sync role."""
        event = cls(tickets)
        async with connection.transaction():
            await event._frame(connection)
            for number in range(devices):
                await event._device(connection, number)
            await event._people(connection)
        for table in ("attendees", "tickets", "ops.ticket_codes"):
            # Else autovacuum does it in the middle of a measurement.
            await connection.execute(f"VACUUM (FREEZE, ANALYZE) {table}")
        return event

    def code(self, number: int) -> str:
        """The code of ticket `number`, which counts from 1."""
        return code(self.prefix, number)

    def fresh(self, count: int) -> list[int]:
        """Numbers of tickets that nobody has asked for yet.

        Scattered over the whole event, so that a hot page is no help.

        Raises:
            ValueError: the event has not that many left.
        """
        if self._next + count > self.tickets:
            raise ValueError(f"the event has only {self.tickets} tickets")
        step = _coprime(self.tickets)
        numbers = range(self._next, self._next + count)
        self._next += count
        return [1 + n * step % self.tickets for n in numbers]

    def give_back(self, count: int) -> None:
        """The last `count` numbers were not used after all."""
        self._next -= count

    async def _frame(self, connection: asyncpg.Connection) -> None:
        now, run = datetime.now(UTC), connection.execute
        await run(
            "INSERT INTO events (id, title, slug, event_type, status, starts_at,"
            " ends_at, settings) VALUES ($1, 'Load test', $2, 'conference', 'live',"
            " $3, $4, '{\"load_test\": true}')",
            self.id,
            self.slug,
            now - timedelta(hours=1),
            now + timedelta(hours=12),
        )
        await run(
            "INSERT INTO ops.areas (id, event_id, name, kind) VALUES"
            " ($1, $2, 'Venue', 'venue')",
            self.venue,
            self.id,
        )
        await run(
            "INSERT INTO ops.scopes (id, event_id, kind, area_id, name, tracks_exits,"
            " re_entry) VALUES ($1, $2, 'venue', $3, 'Venue', true, 'after_exit')",
            self.scope,
            self.id,
            self.venue,
        )
        for number, gate in enumerate(self.gates, 1):
            await run(
                "INSERT INTO ops.gates (id, event_id, area_id, name, direction)"
                " VALUES ($1, $2, $3, $4, 'both')",
                gate,
                self.id,
                self.venue,
                f"Gate {number}",
            )
        await run(
            "INSERT INTO ticket_types (id, event_id, name, ticket_category, price)"
            " VALUES ($1, $2, 'Regular', 'general', 100)",
            self.kind,
            self.id,
        )

    async def _device(self, connection: asyncpg.Connection, number: int) -> None:
        device, token = uuid7(), f"dev_{uuid7()}"
        self.tokens.append(token)
        await connection.execute(
            "INSERT INTO ops.devices (id, name, state, token_hash, gate_id)"
            " VALUES ($1, $2, 'active', $3, $4)",
            device,
            f"Phone {number + 1}",
            hashlib.sha256(token.encode()).digest(),
            self.gates[number % GATES],
        )
        await connection.execute(
            "INSERT INTO ops.device_events (device_id, event_id) VALUES ($1, $2)",
            device,
            self.id,
        )

    async def _people(self, connection: asyncpg.Connection) -> None:
        """Tickets without triggers: the cache is filled from the tables, not told."""
        await connection.execute("SET LOCAL session_replication_role = replica")
        arguments: tuple[tuple[object, ...], ...] = (
            (self.tickets,),
            (self.id, list(_NAMES), list(_COMPANIES)),
            (self.id, self.kind),
            (self.id, self.prefix),
        )
        for statement, values in zip(_BULK, arguments, strict=True):
            await connection.execute(statement, *values)


def _coprime(tickets: int) -> int:
    """A prime that scatters 1..tickets: none of our sizes is a multiple of it."""
    return 7919 if tickets % 7919 else 7907
