"""Tells those who hold a seat that their session has moved, changed rooms, or is off.

What each session's people were told last is kept; a difference that has stood for ten
seconds (whoever edits is done by then) becomes an announcement to them, in both
languages. Safe to run twice: the row is locked, and holds what was told in the same
transaction as the announcement.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from ops.clock import Clock
from ops.db.engine import Database
from ops.ids import uuid7
from ops.texts import Texts

STANDS_FOR: Final = timedelta(seconds=10)
PAST: Final = timedelta(hours=1)
AT_ONCE_MAX: Final = 50
LANGUAGES: Final = ("en", "fr")
OFF: Final = frozenset({"cancelled", "postponed"})

# Sessions to come that have people: what holds when it is first seen is what they know.
MEET: Final = """
INSERT INTO ops.session_told (session_id, starts_at, ends_at, room, status, told_at)
SELECT s.id, s.start_time, s.end_time, a.name, s.status, $1
  FROM sessions s LEFT JOIN ops.areas a ON a.id = s.area_id
 WHERE s.start_time > $2 AND EXISTS (SELECT FROM ops.session_registrations r
         WHERE r.session_id = s.id AND r.status IN ('registered', 'waitlist'))
ON CONFLICT (session_id) DO NOTHING
"""
# $1 before which it must stand, $2 since when a session is past, $3 how many
CHANGED: Final = """
SELECT s.id, s.event_id, s.title, s.start_time AS starts_at, s.end_time AS ends_at,
       a.name AS room, s.status, t.starts_at AS was_at, t.ends_at AS was_until,
       t.room AS was_in, t.status AS was, e.timezone
  FROM ops.session_told t
  JOIN sessions s ON s.id = t.session_id
  JOIN events e ON e.id = s.event_id
  LEFT JOIN ops.areas a ON a.id = s.area_id
 WHERE s.updated_at <= $1 AND greatest(s.start_time, t.starts_at) > $2
   AND ((s.start_time, s.end_time, a.name)
          IS DISTINCT FROM (t.starts_at, t.ends_at, t.room)
        OR (s.status IN ('cancelled', 'postponed'))
          <> (coalesce(t.status, '') IN ('cancelled', 'postponed')))
 ORDER BY s.updated_at, s.id LIMIT $3 FOR UPDATE OF t SKIP LOCKED
"""
TOLD: Final = """
UPDATE ops.session_told SET starts_at = $2, ends_at = $3, room = $4, status = $5,
       told_at = $6 WHERE session_id = $1
"""
ANNOUNCE: Final = """
INSERT INTO event_announcements (id, event_id, session_id, title, content, priority,
       target_audience, target_segments, delivery_method, translations, status,
       scheduled_for, created_at)
SELECT $1, $2, $3, $4, $5, 'high', 'all',
       jsonb_build_object('session_ids', jsonb_build_array($3::uuid),
                          'session_state', $8::text),
       '{in_app,email}', $6::jsonb, 'scheduled', $7, $7
 WHERE EXISTS (SELECT FROM ops.session_registrations r
                WHERE r.session_id = $3 AND r.status = $8)
"""


class SessionNews:
    """The duty of the sync role."""

    def __init__(self, database: Database, clock: Clock, texts: Texts) -> None:
        self._database, self._clock, self._texts = database, clock, texts

    async def turn(self) -> int:
        """Tell what changed; how many sessions there were."""
        now = self._clock.now()
        async with self._database.pool.acquire() as db, db.transaction():
            await db.execute(MEET, now, now - PAST)
            rows = await db.fetch(CHANGED, now - STANDS_FOR, now - PAST, AT_ONCE_MAX)
            for row in rows:
                await self._tell(db, row, now)
        return len(rows)

    async def _tell(self, db: Any, row: Any, now: datetime) -> None:
        said = {language: words(self._texts, language, row) for language in LANGUAGES}
        # A session that stays off has moved for nobody.
        off = row["status"] in OFF and row["was"] in OFF
        for state in () if off else ("registered", "waitlist"):
            await db.execute(
                ANNOUNCE,
                *(uuid7(), row["event_id"], row["id"]),
                *(said["en"]["title"], said["en"]["content"], said, now, state),
            )
        await db.execute(
            TOLD,
            *(row["id"], row["starts_at"], row["ends_at"], row["room"]),
            *(row["status"], now),
        )


def words(texts: Texts, language: str, row: Any) -> dict[str, str]:
    """Title and text: off, on again, or moved, with the time at the event."""
    zone = ZoneInfo(row["timezone"])

    def clock(at: datetime) -> str:
        return at.astimezone(zone).strftime("%H:%M")

    kind = "moved"
    if (row["status"] in OFF) != (row["was"] in OFF):
        kind = row["status"] if row["status"] in OFF else "on_again"
    args = {
        "title": row["title"][:80],
        "when": f"{clock(row['starts_at'])}–{clock(row['ends_at'])}",
        "day": row["starts_at"].astimezone(zone).date().isoformat(),
        "room": row["room"] or "–",
        "was": f"{clock(row['was_at'])}, {row['was_in'] or '–'}",
    }
    return {
        part: texts.say(language, f"news.session.{kind}.{part}", args)
        for part in ("title", "content")
    }
