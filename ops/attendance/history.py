"""The story of a ticket: every scan, act, code, seat and redemption, newest first.

Each source gives at most a page from its own index, so a page costs the same whatever
else is in the tables. No row is ever deleted; what was undone says so.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from ops.attendance.acting import House
from ops.listing import Start

# $1 ticket, $2 and $3 where the page begins (time, id), $4 rows.
HISTORY: Final = """
SELECT * FROM (
    (SELECT l.decided_at AS at, l.scan_id AS id, 'scan' AS kind, l.verdict AS what,
            l.reason, g.name AS gate, d.name AS device, o.name AS by,
            jsonb_build_object('direction', l.direction, 'people', l.people,
                'pass', l.pass_no, 'offline', l.offline, 'durable', l.durable,
                'undone_at', l.undone_at, 'code_hint', l.code_hint) AS detail
       FROM ops.scan_log l
       LEFT JOIN ops.gates g ON g.id = l.gate_id
       LEFT JOIN ops.devices d ON d.id = l.device_id
       LEFT JOIN ops.operators o ON o.id = l.operator_id
      WHERE l.ticket_id = $1 AND (l.decided_at, l.scan_id) < ($2, $3)
      ORDER BY l.decided_at DESC, l.scan_id DESC LIMIT $4)
    UNION ALL
    (SELECT a.at, ('00000000-0000-7000-8000-' || lpad(to_hex(a.id), 12, '0'))::uuid,
            'act', a.action, NULL, NULL, NULL,
            coalesce(o.name, concat_ws(' ', u.first_name, u.last_name)),
            jsonb_build_object('by', a.subject_kind, 'before', a.detail -> 'before',
                               'after', a.detail -> 'after')
       FROM ops.audit_log a
       LEFT JOIN ops.operators o ON o.id = a.subject_id AND a.subject_kind = 'operator'
       LEFT JOIN users u ON u.id = a.subject_id AND a.subject_kind = 'user'
      WHERE a.target_kind = 'tickets' AND a.target_id = $1 AND a.at <= $2
        AND (a.at, ('00000000-0000-7000-8000-' || lpad(to_hex(a.id), 12, '0'))::uuid)
            < ($2, $3)
      ORDER BY a.at DESC, a.id DESC LIMIT $4)
    UNION ALL
    (SELECT c.issued_at, c.id, 'code', c.kind, c.revoked_reason, NULL, NULL, NULL,
            jsonb_build_object('hint', c.hint, 'revoked_at', c.revoked_at)
       FROM ops.ticket_codes c
      WHERE c.ticket_id = $1 AND (c.issued_at, c.id) < ($2, $3)
      ORDER BY c.issued_at DESC, c.id DESC LIMIT $4)
    UNION ALL
    (SELECT r.registered_at, r.id, 'seat', r.status, NULL, NULL, NULL, NULL,
            jsonb_build_object('session', s.title, 'promoted_at', r.promoted_at,
                'released_at', r.released_at, 'cancelled_at', r.cancelled_at)
       FROM ops.session_registrations r JOIN sessions s ON s.id = r.session_id
      WHERE r.ticket_id = $1 AND (r.registered_at, r.id) < ($2, $3)
      ORDER BY r.registered_at DESC, r.id DESC LIMIT $4)
    UNION ALL
    (SELECT x.decided_at, x.id, 'redemption', x.verdict, x.reason, p.name, d.name,
            o.name, jsonb_build_object('item', i.name, 'quantity', x.quantity,
                'left', x.units_left, 'undone_at', x.undone_at)
       FROM ops.redemptions x
       LEFT JOIN ops.items i ON i.id = x.item_id
       LEFT JOIN ops.redemption_points p ON p.id = x.point_id
       LEFT JOIN ops.devices d ON d.id = x.device_id
       LEFT JOIN ops.operators o ON o.id = x.operator_id
      WHERE x.ticket_id = $1 AND (x.decided_at, x.id) < ($2, $3)
      ORDER BY x.decided_at DESC, x.id DESC LIMIT $4)
) AS story
ORDER BY at DESC, id DESC LIMIT $4
"""
END: Final = (
    datetime.fromisoformat("9999-01-01T00:00:00+00:00"),
    UUID(int=2**128 - 1),
)


class StoryLine(msgspec.Struct, frozen=True):
    """One thing that happened: a scan, an act, a code, a seat, a redemption."""

    at: datetime
    id: UUID
    kind: str
    what: str
    reason: str | None
    gate: str | None
    device: str | None
    by: str | None
    detail: dict[str, Any]


class History:
    """Reads stories; one query a page."""

    def __init__(self, house: House) -> None:
        self._house, self.event_of = house, house.event_of

    async def page(self, ticket_id: UUID, start: Start, limit: int) -> list[Any]:
        """At most `limit + 1` lines, newest first."""
        return list(
            await self._house.database.pool.fetch(
                HISTORY, ticket_id, *(start if all(start) else END), limit + 1
            )
        )
