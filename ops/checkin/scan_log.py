"""The scan log as a list: newest first, filtered, by keyset."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ops.admission.verdicts import REASONS
from ops.db.engine import Database
from ops.errors import MalformedBody

PAGE = """
SELECT l.scan_id, l.decided_at, l.verdict, l.reason, l.direction, l.people, l.pass_no,
  l.ticket_id, l.code_hint, l.method, l.mode, l.durable, l.offline, l.undone_at,
  l.device_id, d.name AS device, g.name AS gate, o.name AS operator,
  nullif(concat_ws(' ', nullif(a.first_name, ''), nullif(a.last_name, '')), '')
    AS holder
FROM ops.scan_log l
LEFT JOIN ops.devices d ON d.id = l.device_id
LEFT JOIN ops.gates g ON g.id = l.gate_id
LEFT JOIN ops.operators o ON o.id = l.operator_id
LEFT JOIN tickets t ON t.id = l.ticket_id
LEFT JOIN attendees a ON a.id = t.attendee_id
WHERE l.event_id = $1
  AND ($2::uuid IS NULL OR l.device_id = $2)
  AND ($3::text IS NULL OR l.reason = $3)
  AND ($4::text IS NULL OR l.verdict = $4)
  AND ($5::timestamptz IS NULL OR l.decided_at >= $5)
  AND ($6::timestamptz IS NULL OR (l.decided_at, l.scan_id) < ($6, $7))
ORDER BY l.decided_at DESC, l.scan_id DESC LIMIT $8
"""


def statement(device_id: UUID | None, reason: str | None, verdict: str | None) -> str:
    """The statement of a page: what is filtered is said plainly, so that a plan made
    once for all values still takes the index that fits it.
    """
    text = PAGE
    if device_id is not None:
        text = text.replace("($2::uuid IS NULL OR l.device_id = $2)", _DEVICE)
    if reason is not None:
        text = text.replace("($3::text IS NULL OR l.reason = $3)", _REASON)
    fixed = REASONS.get(reason or "")
    wanted = verdict or (fixed.verdict if fixed else None)
    if wanted in ("refused", "hold"):
        text = text.replace("l.event_id = $1", f"l.event_id = $1 AND {_TURNED_AWAY}")
    return text


_DEVICE = "l.device_id = $2::uuid"
_REASON = "l.reason = $3::text"
_TURNED_AWAY = "l.verdict IN ('refused', 'hold')"


class LogEntry(msgspec.Struct, frozen=True):
    """One scan as it was answered."""

    scan_id: UUID
    decided_at: datetime
    verdict: str
    reason: str
    direction: str | None
    people: int
    pass_no: int | None
    ticket_id: UUID | None
    code_hint: str | None
    method: str | None
    mode: str
    durable: str | None
    offline: bool
    undone_at: datetime | None
    device_id: UUID | None
    device: str | None
    gate: str | None
    operator: str | None
    holder: str | None


class LogPage(msgspec.Struct, frozen=True):
    """A page of the log."""

    items: list[LogEntry]
    next_cursor: str | None


class ScanLog:
    """Reads the log; one query a page."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self,
        event_id: UUID,
        *,
        device_id: UUID | None,
        reason: str | None,
        verdict: str | None,
        since: datetime | None,
        limit: int,
        cursor: str | None,
    ) -> LogPage:
        """The page after `cursor`.

        Raises:
            MalformedBody: the cursor is not one of ours.
        """
        at, last = _read(cursor)
        rows = await self._database.pool.fetch(
            statement(device_id, reason, verdict),
            event_id,
            device_id,
            reason,
            verdict,
            since,
            at,
            last,
            limit + 1,
        )
        items = [msgspec.convert(dict(row), LogEntry) for row in rows[:limit]]
        more = len(rows) > limit
        return LogPage(items, _write(items[-1]) if more else None)


def _write(entry: LogEntry) -> str:
    text = f"{entry.decided_at.isoformat()}|{entry.scan_id}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def _read(cursor: str | None) -> tuple[Any, Any]:
    if cursor is None:
        return None, None
    try:
        at, last = base64.urlsafe_b64decode(cursor).decode().split("|")
        return datetime.fromisoformat(at), UUID(last)
    except ValueError:
        raise MalformedBody("The cursor is not valid.", code="bad_cursor") from None
