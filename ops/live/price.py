"""The topic offline: what the network's absence may cost now, as it changes.

The number moves without anybody's act (a device falls silent for 30 s), so it is asked
for every second while somebody watches (`polled`). What is counted, and why the number
is a bound, is told in docs/offline-proof.md.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from ops.db.pools import DATABASE_ERRORS
from ops.errors import StoreUnavailable
from ops.live.plan import CALL_TIMEOUT_S

READ_EVERY_S = 1.0
AWAY_MAX = 50

_PRICE = """
SELECT coalesce(s.mode, 'bounded') AS mode, p.possible, p.devices_away, p.ended,
       (SELECT count(*) FROM ops.conflicts c
         WHERE c.event_id = e.id AND c.resolved_at IS NULL)::int AS conflicts,
       (SELECT coalesce(json_agg(row_to_json(k)), '[]')::text FROM (
          SELECT x.id, x.name, x.gate, x.state, x.mode, x.unspent, x.leases, x.pending,
                 x.last_seen_at
            FROM ops.offline_devices_v1(e.id, now()) x
           WHERE x.away OR x.state = 'revoked'
           ORDER BY x.unspent DESC NULLS FIRST, x.name, x.id LIMIT $2) k) AS away
  FROM public.events e
  LEFT JOIN ops.offline_settings s ON s.event_id = e.id
 CROSS JOIN LATERAL ops.offline_price_v1(e.id, now()) p
 WHERE e.id = $1
"""


class AwayDevice(msgspec.Struct, frozen=True):
    """A device that was not heard of; `unspent` None: nothing bounds it."""

    id: UUID
    name: str
    gate: str | None
    state: str
    mode: str
    unspent: int | None
    leases: int
    pending: int
    last_seen_at: datetime | None


class Price(msgspec.Struct, frozen=True):
    """`data` of the topic; the number is None where nothing bounds it.

    `conflicts`: entries beyond one that nobody has settled. `away`: the 50 devices that
    may do most.
    """

    mode: str
    double_entries_possible: int | None
    devices_away: int
    leases_ended_unconfirmed: int
    conflicts: int
    away: tuple[AwayDevice, ...]


_away = msgspec.json.Decoder(tuple[AwayDevice, ...])


async def read_price(pool: asyncpg.Pool, event_id: UUID) -> Price | None:
    """The number of an event and who makes it; None if there is no such event.

    Raises:
        StoreUnavailable: PostgreSQL did not answer.
    """
    try:
        row = await pool.fetchrow(_PRICE, event_id, AWAY_MAX, timeout=CALL_TIMEOUT_S)
    except DATABASE_ERRORS as error:
        raise StoreUnavailable(f"offline: {type(error).__name__}") from error
    if row is None:
        return None
    return Price(
        row["mode"],
        row["possible"],
        row["devices_away"],
        row["ended"],
        row["conflicts"],
        _away.decode(row["away"]),
    )
