"""The topic doors: what every device at a gate must know within a second.

Which doors are open, which gate to use instead, and where it is "one out, one in: n may
enter". It comes from PostgreSQL alone (`polled`) by one statement an event and process,
however many devices listen, and is sent when it differs. A place is full for as long as
its alert stands (`area_full`, with its threshold and its distance); how many may enter
is counted anew each time.
"""

from __future__ import annotations

from uuid import UUID

import asyncpg
import msgspec

from ops.db.pools import DATABASE_ERRORS
from ops.errors import StoreUnavailable
from ops.live.plan import CALL_TIMEOUT_S
from ops.watch.doors import stricter_doors

READ_EVERY_S = 0.5
GATES_MAX = 500

_DOORS = """
WITH full_places AS (
  SELECT coalesce(r.id, p.area_id) AS area_id, coalesce(r.name, p.title) AS place,
         CASE WHEN r.id IS NULL THEN s.inside
              ELSE r.inside + r.manual + r.disputed END AS inside,
         CASE WHEN r.id IS NULL THEN coalesce(s.capacity, p.max_attendees)
              ELSE coalesce(r.capacity, e.capacity) END AS capacity
    FROM ops.alerts a
    JOIN public.events e ON e.id = a.event_id
    LEFT JOIN ops.areas r ON r.id = a.area_id
    LEFT JOIN public.sessions p ON p.id = a.session_id
    LEFT JOIN ops.scopes s ON s.session_id = a.session_id
   WHERE a.event_id = $1 AND a.rule = 'area_full' AND a.cleared_at IS NULL
)
SELECT e.doors_state,
       (SELECT coalesce(json_agg(row_to_json(k)), '[]')::text FROM (
          SELECT g.id, g.state, i.name AS use_instead, f.place, f.inside, f.capacity
            FROM ops.gates g
            LEFT JOIN ops.gates i ON i.id = g.use_instead_id
            LEFT JOIN LATERAL (
                 SELECT * FROM full_places x WHERE x.area_id = g.area_id
                  ORDER BY x.capacity - x.inside, x.place LIMIT 1) f ON true
           WHERE g.event_id = e.id ORDER BY g.position, g.no LIMIT $2) k) AS gates
  FROM public.events e WHERE e.id = $1
"""


class Full(msgspec.Struct, frozen=True):
    """The place behind a gate is full: one out, one in."""

    place: str
    inside: int
    capacity: int
    may_enter: int


class GateDoors(msgspec.Struct, frozen=True):
    """A gate as it holds: `doors` is the stricter one of the event's and its own."""

    id: UUID
    doors: str
    use_instead: str | None
    full: Full | None


class Doors(msgspec.Struct, frozen=True):
    """`data` of the topic, in the order of the gates."""

    doors_state: str
    gates: tuple[GateDoors, ...]


class _Gate(msgspec.Struct):
    id: UUID
    state: str
    use_instead: str | None
    place: str | None
    inside: int | None
    capacity: int | None


_gates = msgspec.json.Decoder(tuple[_Gate, ...])


async def read_doors(pool: asyncpg.Pool, event_id: UUID) -> Doors | None:
    """The doors of an event; None if there is no such event.

    Raises:
        StoreUnavailable: PostgreSQL did not answer.
    """
    try:
        row = await pool.fetchrow(_DOORS, event_id, GATES_MAX, timeout=CALL_TIMEOUT_S)
    except DATABASE_ERRORS as error:
        raise StoreUnavailable(f"doors: {type(error).__name__}") from error
    if row is None:
        return None
    state = row["doors_state"]
    return Doors(
        state, tuple(_shown(gate, state) for gate in _gates.decode(row["gates"]))
    )


def _shown(gate: _Gate, event_doors: str) -> GateDoors:
    full = None
    if gate.place is not None and gate.inside is not None and gate.capacity is not None:
        may_enter = max(0, gate.capacity - gate.inside)
        full = Full(gate.place, gate.inside, gate.capacity, may_enter)
    doors = stricter_doors(event_doors, gate.state)
    return GateDoors(gate.id, doors, gate.use_instead, full)
