"""Feedback: for those who were scanned in, once each, to be changed for a day.

An anonymous answer stores no attendee. That each gives one only is known by a keyed
one-way value of person and target (`once_hash`); its time is cut to the hour, so that
it stands beside nobody in a log. Summaries of fewer than five answers are hidden.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import Annotated, Any, Final
from uuid import UUID, uuid4

import msgspec

from ops.auth.subjects import Attendee
from ops.clock import Clock
from ops.db.engine import Database
from ops.errors import Conflict, NotFound, Unprocessable
from ops.ids import uuid7

EDITABLE: Final = timedelta(hours=24)
SHOWN_FROM: Final = 5
"""Fewer answers than this show no summary: too few to hide among."""

Rating = Annotated[int, msgspec.Meta(ge=1, le=5)]
Comment = Annotated[str, msgspec.Meta(max_length=4_000)]

# $1 attendee, $2 event, $3 session: whether it has ended and the person was there
MAY: Final = """
SELECT s.end_time AS ended_at, EXISTS (
    SELECT FROM check_ins c JOIN ops.scopes sc ON sc.id = c.scope_id
     WHERE sc.session_id = s.id AND c.attendee_id = $1
       AND c.undone_at IS NULL) AS was_in
  FROM sessions s WHERE s.id = $3 AND s.event_id = $2
"""
MAY_EVENT: Final = """
SELECT e.ends_at AS ended_at, EXISTS (
    SELECT FROM check_ins c WHERE c.event_id = $2 AND c.attendee_id = $1
       AND c.undone_at IS NULL) AS was_in
  FROM events e WHERE e.id = $2
"""
SAVE: Final = """
INSERT INTO event_feedback AS f
       (id, event_id, session_id, attendee_id, is_anonymous, once_hash, overall_rating,
        content_rating, speaker_rating, venue_rating, organization_rating, value_rating,
        session_rating, comments, suggestions, session_comments, would_recommend,
        would_attend_again, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
        $19, $19)
ON CONFLICT (once_hash) WHERE once_hash IS NOT NULL DO UPDATE SET
  attendee_id = excluded.attendee_id, is_anonymous = excluded.is_anonymous,
  overall_rating = excluded.overall_rating, content_rating = excluded.content_rating,
  speaker_rating = excluded.speaker_rating, venue_rating = excluded.venue_rating,
  organization_rating = excluded.organization_rating,
  value_rating = excluded.value_rating, session_rating = excluded.session_rating,
  comments = excluded.comments, suggestions = excluded.suggestions,
  session_comments = excluded.session_comments,
  would_recommend = excluded.would_recommend,
  would_attend_again = excluded.would_attend_again
 WHERE f.created_at > $20
RETURNING id
"""
SUMMARY: Final = """
SELECT s.id AS session_id, s.title, count(*) AS answers,
       CASE WHEN count(*) >= $2 THEN round(avg(f.session_rating), 2) END AS session,
       CASE WHEN count(*) >= $2 THEN round(avg(f.speaker_rating), 2) END AS speaker,
       CASE WHEN count(*) >= $2 THEN round(avg(f.content_rating), 2) END AS content,
       CASE WHEN count(*) >= $2 THEN round(avg(f.overall_rating), 2) END AS overall,
       CASE WHEN count(*) >= $2 THEN
         round(100.0 * count(*) FILTER (WHERE f.would_recommend)
               / nullif(count(f.would_recommend), 0), 1) END AS recommend_percent
  FROM event_feedback f LEFT JOIN sessions s ON s.id = f.session_id
 WHERE f.event_id = $1 GROUP BY s.id, s.title ORDER BY s.title NULLS FIRST LIMIT 1000
"""


class FeedbackBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What somebody thinks; `session_id` null is about the event."""

    session_id: UUID | None = None
    is_anonymous: bool = False
    overall_rating: Rating | None = None
    content_rating: Rating | None = None
    speaker_rating: Rating | None = None
    venue_rating: Rating | None = None
    organization_rating: Rating | None = None
    value_rating: Rating | None = None
    session_rating: Rating | None = None
    comments: Comment | None = None
    suggestions: Comment | None = None
    session_comments: Comment | None = None
    would_recommend: bool | None = None
    would_attend_again: bool | None = None


class Feedback:
    """Keeps answers and sums them up."""

    def __init__(self, database: Database, clock: Clock, secret_key: str) -> None:
        self._database, self._clock = database, clock
        self._key = secret_key.encode()

    async def give(self, who: Attendee, body: FeedbackBody) -> None:
        """Keep an answer, or change it within a day.

        Raises:
            NotFound: the event has no such session.
            Unprocessable: `not_over`, or `was_not_there`.
            Conflict: `feedback_closed`, a day after the first answer.
        """
        pool, now = self._database.pool, self._clock.now()
        if body.session_id is None:
            row = await pool.fetchrow(MAY_EVENT, who.attendee_id, who.event_id)
        else:
            args = (who.attendee_id, who.event_id, body.session_id)
            row = await pool.fetchrow(MAY, *args)
        if row is None:
            raise NotFound("The event has no such session.")
        if row["ended_at"] > now:
            raise Unprocessable("It is not over yet.", code="not_over")
        if not row["was_in"]:
            raise Unprocessable(
                "Feedback is for those who were there.", code="was_not_there"
            )
        at = (
            now.replace(minute=0, second=0, microsecond=0) if body.is_anonymous else now
        )
        kept = await self._save(who, body, at)
        if kept is None:
            raise Conflict("It could be changed for 24 hours.", code="feedback_closed")

    async def _save(self, who: Attendee, body: FeedbackBody, at: Any) -> Any:
        from_fields = (
            *(body.overall_rating, body.content_rating, body.speaker_rating),
            *(body.venue_rating, body.organization_rating, body.value_rating),
            *(body.session_rating, body.comments, body.suggestions),
            *(body.session_comments, body.would_recommend, body.would_attend_again),
        )
        return await self._database.pool.fetchval(
            SAVE,
            uuid4() if body.is_anonymous else uuid7(),  # v7 tells the minute
            who.event_id,
            body.session_id,
            None if body.is_anonymous else who.attendee_id,
            body.is_anonymous,
            self._once(who, body.session_id),
            *from_fields,
            at,
            self._clock.now() - EDITABLE,
        )

    def _once(self, who: Attendee, session_id: UUID | None) -> bytes:
        """The same for the same person and target, and no way back to the person."""
        target = f"feedback:{who.event_id}:{session_id}:{who.attendee_id}"
        return hmac.new(self._key, target.encode(), hashlib.sha256).digest()

    async def summary(self, event_id: UUID) -> list[Any]:
        """Means by session (first the event's own); null below five answers."""
        rows: list[Any] = await self._database.pool.fetch(SUMMARY, event_id, SHOWN_FROM)
        return rows
