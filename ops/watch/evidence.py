"""The record of a case on one page: who showed what, where, when, to whom.

It is read from the scan log, which nobody can change, when somebody asks for it. First
and second scan are those that the case is about; the others of the same ticket, code,
order, device or operator stand beside them, oldest first.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from ops.clock import Clock
from ops.db.engine import Database
from ops.errors import NotFound
from ops.watch.alerts import ONE
from ops.watch.rules import CASES

SCANS_MAX: Final = 60
BEFORE: Final = timedelta(hours=12)
AFTER: Final = timedelta(hours=1)

_SCANS: Final = """
SELECT l.scan_id, l.decided_at AS at, l.scanned_at, l.verdict, l.reason, l.direction,
       l.method, l.people, l.offline, l.durable, l.undone_at, l.code_hint,
       l.args ->> 'override_reason' AS override_reason,
       l.args ->> 'overridden' AS overridden,
       g.name AS gate, r.name AS area, d.name AS device, o.name AS operator,
       o.agency, y.name AS type, q.order_number,
       nullif(btrim(t.first_name || ' ' || t.last_name), '') AS holder,
       l.ticket_id
  FROM ops.scan_log l
  LEFT JOIN ops.gates g ON g.id = l.gate_id
  LEFT JOIN ops.areas r ON r.id = g.area_id
  LEFT JOIN ops.devices d ON d.id = l.device_id
  LEFT JOIN ops.operators o ON o.id = l.operator_id
  LEFT JOIN public.tickets k ON k.id = l.ticket_id
  LEFT JOIN public.ticket_types y ON y.id = k.ticket_type_id
  LEFT JOIN public.orders q ON q.id = k.order_id
  LEFT JOIN public.attendees t ON t.id = k.attendee_id
 WHERE l.event_id = $1 AND l.decided_at BETWEEN $3 AND $4 AND {whose}
 ORDER BY l.decided_at, l.scan_id LIMIT 61
"""
_WHOSE: Final = {
    "ticket": "l.ticket_id = $2::uuid",
    "code": "l.code_hash = decode($2, 'hex')",
    "order": "l.ticket_id IN (SELECT id FROM public.tickets WHERE order_id = $2::uuid)",
    "guesses": "l.device_id = $2::uuid AND l.verdict = 'refused' AND l.reason IN"
    " ('unknown_code', 'malformed_code', 'forged_code')",
    "overrides": "l.operator_id = $2::uuid AND l.args ? 'overridden'",
}
_EVENT: Final = "SELECT title, timezone FROM events WHERE id = $1"
_CONFLICT: Final = """
SELECT kind, ticket_id, winner_scan_id, loser_scan_id, created_at
  FROM ops.conflicts WHERE id = $2 AND event_id = $1
"""


class Scan(msgspec.Struct):
    """A scan of the case; `part`: the first or the second of what it is about."""

    scan_id: UUID
    at: datetime
    scanned_at: datetime | None
    verdict: str
    reason: str
    direction: str | None
    method: str | None
    people: int
    offline: bool
    durable: str | None
    undone_at: datetime | None
    code_hint: str | None
    override_reason: str | None
    overridden: str | None
    gate: str | None
    area: str | None
    device: str | None
    operator: str | None
    agency: str | None
    type: str | None
    order_number: str | None
    holder: str | None
    ticket_id: UUID | None = None
    part: str | None = None


class Evidence(msgspec.Struct):
    """A case. `digest` is SHA-256 over its scans as JSON: two print-outs that show the
    same one show the same scans."""

    case_id: UUID
    event_id: UUID
    event: str
    timezone: str
    rule: str
    args: dict[str, Any]
    raised_at: datetime
    made_at: datetime
    scans: list[Scan]
    more: bool
    digest: str


def whose(rule: str, subject: str, args: dict[str, Any]) -> tuple[str, str]:
    """Which scans belong to a case: a key of the conditions above, and its value."""
    if rule == "code_guessing":
        return "guesses", subject
    if rule == "override_rate":
        return "overrides", subject
    if rule == "order_duplicates":
        return "order", str(args.get("order_id", subject))
    return ("ticket" if "-" in subject else "code"), subject


def parts(scans: list[Scan], first: str | None, second: str | None) -> None:
    """Mark first and second: those that the case names, else the last that was read
    and, of the same ticket, the first that was let in (or read at all)."""
    if not scans:
        return
    by_id = {str(scan.scan_id): scan for scan in scans}
    closing = by_id.get(second or "") or _last(scans)
    same = [scan for scan in scans if scan.ticket_id == closing.ticket_id] or scans
    opening = by_id.get(first or "") or next(
        (scan for scan in same if scan.verdict == "admitted"), same[0]
    )
    closing.part = "second"
    opening.part = "first"  # one scan is the first and none the second


def _last(scans: list[Scan]) -> Scan:
    """The newest repeat or refusal; where there is none, the newest scan."""
    return next(
        (scan for scan in reversed(scans) if scan.verdict != "admitted"), scans[-1]
    )


class Cases:
    """Makes records of evidence."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def of_alert(self, event_id: UUID, alert_id: UUID) -> Evidence:
        """The record of an alert that is a case.

        Raises:
            NotFound: no such alert in this event, or it is no case.
        """
        async with self._database.pool.acquire() as db:
            row = await db.fetchrow(ONE, alert_id, event_id)
            if row is None or row["rule"] not in CASES:
                raise NotFound()
            args = row["args"]
            which = whose(row["rule"], row["subject"], args)
            return await self._make(
                db,
                event_id,
                alert_id,
                (row["rule"], args, row["raised_at"]),
                which,
                (args.get("first_scan"), args.get("second_scan")),
            )

    async def of_conflict(self, event_id: UUID, conflict_id: UUID) -> Evidence:
        """The record of a conflict: an entry beyond the one that was possible.

        Raises:
            NotFound: no such conflict in this event, or it has no ticket.
        """
        async with self._database.pool.acquire() as db:
            row = await db.fetchrow(_CONFLICT, event_id, conflict_id)
            if row is None or row["ticket_id"] is None:
                raise NotFound()
            pair = tuple(
                str(row[name]) if row[name] else None
                for name in ("winner_scan_id", "loser_scan_id")
            )
            about = (f"conflict.{row['kind']}", dict[str, Any](), row["created_at"])
            which = ("ticket", str(row["ticket_id"]))
            return await self._make(
                db, event_id, conflict_id, about, which, (pair[0], pair[1])
            )

    async def _make(
        self,
        db: Any,
        event_id: UUID,
        case_id: UUID,
        about: tuple[str, dict[str, Any], datetime],
        which: tuple[str, str],
        pair: tuple[str | None, str | None],
    ) -> Evidence:
        rule, args, raised_at = about
        event = await db.fetchrow(_EVENT, event_id)
        rows = await db.fetch(
            _SCANS.format(whose=_WHOSE[which[0]]),
            event_id,
            which[1],
            raised_at - BEFORE,
            raised_at + AFTER,
        )
        scans = [msgspec.convert(dict(row), Scan) for row in rows[:SCANS_MAX]]
        parts(scans, *pair)
        digest = hashlib.sha256(msgspec.json.encode(scans, order="sorted"))
        return Evidence(
            case_id,
            event_id,
            event["title"],
            event["timezone"],
            rule,
            args,
            raised_at,
            self._clock.now(),
            scans,
            len(rows) > SCANS_MAX,
            digest.hexdigest(),
        )
