"""Which evening it is: the one that goes on, or the next one of the same people.

What must be known to build an evening again stands in its event's settings, written in
the same transaction as its rows; nothing else is kept.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from ops.auth.accounts import create_user
from ops.checkin.keys import SigningKeys
from ops.dev import people, programme, sample
from ops.dev.layout import VENUE_ID
from ops.dev.programme import Timetable
from ops.dev.sample import Evening
from ops.dev.tables import Connection, write

SEED = 20_261_122
LEAD_S = 4.0  # from making an evening to its doors: the crowd pairs meanwhile
PEOPLE_SINCE = datetime(2026, 9, 1, tzinfo=UTC)


class Login(NamedTuple):
    """A user of the demo."""

    email: str
    first_name: str
    last_name: str
    role: str


LOGINS = (
    Login("owner@example.org", "Olivia", "Okafor", "owner"),
    Login("doors@example.org", "Dana", "Haddad", "door_manager"),
    Login("viewer@example.org", "Wu", "Bo", "viewer"),
)
PASSWORD = "lakeshore-doors"  # of a demo on this machine, printed at every start

_LAST = """
SELECT id, settings->'sample' AS sample FROM events
WHERE settings ? 'sample' ORDER BY starts_at DESC LIMIT 1
"""
_ALL = "SELECT id, title FROM events WHERE settings ? 'sample' ORDER BY starts_at"
_FINISH = "UPDATE events SET status = 'completed', doors_state = 'closed' WHERE id = $1"
# A night in minutes: people walk as much faster, and repeats are no copies of tickets.
_WALKS = """
INSERT INTO ops.alert_rules (event_id, rule, threshold, clear_at, for_s, clear_s)
VALUES ($1, 'two_gates_fast', 1, 1, 0, 0) ON CONFLICT DO NOTHING
"""
_RETIRE = """
UPDATE ops.devices SET state = 'revoked', revoked_at = now()
WHERE state <> 'revoked'
  AND id IN (SELECT device_id FROM ops.device_events WHERE event_id = $1)
"""


class Mark(msgspec.Struct):
    """What stands in the event's settings: enough to build the evening again."""

    seed: int
    number: int
    opens_at: datetime
    length_s: float
    kind: str = "conference"


async def prepare(connection: Connection) -> None:
    """Make the users of the demo, once."""
    for login in LOGINS:
        if not await connection.fetchval(
            "SELECT true FROM users WHERE email = $1", login.email
        ):
            await create_user(
                connection,
                login.email,
                PASSWORD,
                login.role,
                first_name=login.first_name,
                last_name=login.last_name,
            )


async def current(
    pool: asyncpg.Pool,
    secret_key: str,
    now: datetime,
    speed: float = 1.0,
    kind: str | None = None,
) -> Evening:
    """The evening that goes on, else a new one whose doors open in `LEAD_S`.

    Args:
        speed: of a new evening: 2 makes it half as long.
        kind: of the evening; another kind than the one that goes on begins a new one.
            None: the kind of the last evening.
    """
    _, signer = await SigningKeys(pool, secret_key).ensure(now)
    async with pool.acquire() as connection:
        row = await connection.fetchrow(_LAST)
        mark = msgspec.json.decode(row["sample"], type=Mark) if row else None
        kind = kind or (mark.kind if mark else "conference")
        fresh = mark is None or _over(mark, now) or mark.kind != kind
        seed = mark.seed if mark else SEED
        if mark is None or fresh:
            mark = Mark(
                seed,
                mark.number + 1 if mark else 1,
                now + timedelta(seconds=LEAD_S),
                programme.LENGTH_S / speed,
                kind,
            )
        persons = people.build(seed, PEOPLE_SINCE)
        evening = sample.build(
            seed,
            mark.number,
            Timetable(mark.opens_at, mark.length_s),
            persons,
            signer.sign,
            secret_key,
            mark.kind,
        )
        if fresh:
            await _finish(connection, row["id"] if row else None)
            tables = list(evening.tables)
            if await connection.fetchval(
                "SELECT true FROM venues WHERE id=$1", VENUE_ID
            ):
                tables = tables[1:]
            else:
                tables = [*persons.tables, *tables]
            await write(connection, tables)
            await connection.execute(_WALKS, evening.ids.event)
        return evening


async def all_of(connection: Connection) -> list[tuple[UUID, str]]:
    """The evenings that the database holds: id and title, oldest first."""
    return [(row["id"], row["title"]) for row in await connection.fetch(_ALL)]


async def _finish(connection: Connection, event_id: UUID | None) -> None:
    if event_id is not None:
        async with connection.transaction():
            await connection.execute(_FINISH, event_id)
            await connection.execute(_RETIRE, event_id)


def _over(mark: Mark, now: datetime) -> bool:
    return now > mark.opens_at + timedelta(seconds=mark.length_s)
