"""An audience for the tests: guests with tickets, some of them inside."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from ops.db.engine import Database
from ops.ids import uuid7
from tests.integration.people.people_kit import Place

NAMES = ("Ada O'Brien-Łukasz", "小龙 李", "Zoë 🎪", "מרים כהן", "Sam Ng")


class Crowd(NamedTuple):
    """Attendees by what they are."""

    guests: list[UUID]
    vip: UUID
    crew: UUID


async def make_crowd(database: Database, place: Place, guests: int = 5) -> Crowd:
    """Insert guests (the first of whom is inside), one VIP, one of the crew."""
    kinds = {}
    for name, category, access in (
        ("General", "general", "guest"),
        ("VIP", "vip", "guest"),
        ("Crew", "general", "crew"),
    ):
        kinds[name] = await database.pool.fetchval(
            """INSERT INTO ticket_types (id, event_id, name, ticket_category, price,
                 access_class) VALUES ($1, $2, $3, $4, 0, $5) RETURNING id""",
            *(uuid7(), place.event, name, category, access),
        )
    made = [
        await add_guest(database, place, kinds["General"], NAMES[n % len(NAMES)])
        for n in range(guests)
    ]
    crowd = Crowd(
        made,
        await add_guest(database, place, kinds["VIP"], "Vera Iponymous"),
        await add_guest(database, place, kinds["Crew"], "Kit Crewe"),
    )
    await database.pool.execute(
        """INSERT INTO check_ins (id, event_id, attendee_id, ticket_id, scope_id,
             area_id, gate_id, scan_id)
           SELECT $1, $2, $3, t.id, $4, $5, $6, $1 FROM tickets t
            WHERE t.attendee_id = $3""",
        *(uuid7(), place.event, made[0], place.scope, place.area, place.gate),
    )
    return crowd


async def add_guest(database: Database, place: Place, kind: UUID, name: str) -> UUID:
    """One attendee with a ticket."""
    attendee = uuid7()
    first, _, last = name.partition(" ")
    await database.pool.execute(
        """INSERT INTO attendees (id, event_id, first_name, last_name, email, language)
           VALUES ($1, $2, $3, $4, $5, 'en')""",
        *(attendee, place.event, first, last, f"{attendee.hex}@example.org"),
    )
    await database.pool.execute(
        """INSERT INTO tickets (id, event_id, attendee_id, ticket_type_id, access_class)
           SELECT $1, $2, $3, id, access_class FROM ticket_types WHERE id = $4""",
        *(uuid7(), place.event, attendee, kind),
    )
    return attendee
