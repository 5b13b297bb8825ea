"""Writing announcements: drafts, previews, when they go, who was not reached."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from ops.announcements import sending, statements
from ops.announcements.audience import Audience, Segments, segments_of
from ops.announcements.content import RECALL_S, Method, Priority, Words
from ops.announcements.sending import Recipients
from ops.clock import Clock
from ops.db.engine import Database
from ops.errors import Conflict, FieldProblem, NotFound, Unprocessable
from ops.ids import uuid7
from ops.listing import Start

SCHEDULE_MAX = timedelta(days=400)

LIST: Final = f"""
SELECT {statements.COLUMNS} FROM event_announcements
 WHERE event_id = $1 AND ($2::text IS NULL OR status = $2)
   AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4))
 ORDER BY created_at DESC, id DESC LIMIT $5
"""

# $1 announcement, $2 event, $3 channel, $4 reached or null, $5 after, $6 limit
RECIPIENTS: Final = """
SELECT r.recipient_id AS id, r.channel, r.kind,
       coalesce(nullif(concat_ws(' ', a.first_name, a.last_name), ''), d.name) AS name,
       r.attempted_at, r.delivered_at, r.opened_at, r.clicked_at, r.failure
  FROM ops.announcement_receipts r
  LEFT JOIN attendees a ON a.id = r.recipient_id
  LEFT JOIN ops.devices d ON d.id = r.recipient_id
 WHERE r.announcement_id = $1 AND r.event_id = $2
   AND r.channel = $3
   AND ($4::bool IS NULL OR $4 = (r.delivered_at IS NOT NULL))
   AND ($5::uuid IS NULL OR r.recipient_id > $5)
 ORDER BY r.recipient_id LIMIT $6
"""

BY_CHANNEL: Final = """
SELECT channel, count(*) AS counted, count(delivered_at) AS delivered,
       count(opened_at) AS opened, count(clicked_at) AS clicked,
       count(*) - count(delivered_at) AS missed, count(failure) AS failed
  FROM ops.announcement_receipts WHERE announcement_id = $1
 GROUP BY channel ORDER BY channel
"""

SAVE: Final = """
INSERT INTO event_announcements
       (id, event_id, author_id, title, content, priority, target_audience,
        target_segments, delivery_method, session_id, translations, link_url,
        commercial, chain, chain_after_s, corrects_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT (id) DO UPDATE SET
  title = excluded.title, content = excluded.content, priority = excluded.priority,
  target_audience = excluded.target_audience,
  target_segments = excluded.target_segments,
  delivery_method = excluded.delivery_method, session_id = excluded.session_id,
  translations = excluded.translations, link_url = excluded.link_url,
  commercial = excluded.commercial, chain = excluded.chain,
  chain_after_s = excluded.chain_after_s, corrects_id = excluded.corrects_id
"""


class Draft(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What an organiser writes; times and counters are not theirs."""

    title: str
    content: str
    priority: Priority = "normal"
    target_audience: Audience = "all"
    target_segments: Segments = Segments()
    delivery_method: list[Method] = msgspec.field(
        default_factory=lambda: ["in_app", "website"]
    )
    session_id: UUID | None = None
    translations: dict[str, Words] = {}
    link_url: str | None = None
    commercial: bool = False
    chain: bool = False
    chain_after_s: int = 60
    corrects_id: UUID | None = None


class Announcements:
    """Announcements of events; every call is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def create(self, event_id: UUID, draft: Draft, author: UUID | None) -> Any:
        """Keep a draft.

        Raises:
            Unprocessable: a field is wrong, or names what the event does not have.
        """
        return await self._save(uuid7(), event_id, draft, author)

    async def change(self, event_id: UUID, announcement_id: UUID, draft: Draft) -> Any:
        """Write a draft anew, or a scheduled one that has not gone.

        Raises:
            NotFound, Unprocessable.
            Conflict: `already_sent`, `announcement_cancelled`.
        """
        async with self._database.pool.acquire() as db, db.transaction():
            row = await _lock(db, event_id, announcement_id)
            _changeable(row)
            return await self._write(db, announcement_id, event_id, draft, None)

    async def remove(self, event_id: UUID, announcement_id: UUID) -> None:
        """Delete a draft; what was scheduled or sent stays in the record.

        Raises:
            NotFound, Conflict (`not_a_draft`).
        """
        async with self._database.pool.acquire() as db, db.transaction():
            row = await _lock(db, event_id, announcement_id)
            if row["status"] != "draft":
                raise Conflict("Only a draft can be deleted.", code="not_a_draft")
            await db.execute(
                "DELETE FROM event_announcements WHERE id = $1", announcement_id
            )

    async def one(self, event_id: UUID, announcement_id: UUID) -> tuple[Any, list[Any]]:
        """The row, and its receipts by channel.

        Raises:
            NotFound: the event has no such announcement.
        """
        pool = self._database.pool
        row = await pool.fetchrow(
            f"SELECT {statements.COLUMNS} FROM event_announcements"
            " WHERE id = $1 AND event_id = $2",
            announcement_id,
            event_id,
        )
        if row is None:
            raise _missing()
        return row, await pool.fetch(BY_CHANNEL, announcement_id)

    async def page(
        self, event_id: UUID, status: str | None, start: Start, limit: int
    ) -> list[Any]:
        """Newest first, one more than `limit`."""
        rows: list[Any] = await self._database.pool.fetch(
            LIST,
            event_id,
            status,
            *start,
            limit + 1,
        )
        return rows

    async def recipients(
        self,
        event_id: UUID,
        announcement_id: UUID,
        channel: str,
        reached: bool | None,
        after: UUID | None,
        limit: int,
    ) -> list[Any]:
        """Receipts by recipient, one more than `limit`."""
        rows: list[Any] = await self._database.pool.fetch(
            RECIPIENTS, announcement_id, event_id, channel, reached, after, limit + 1
        )
        return rows

    async def preview(self, event_id: UUID, draft: Draft) -> Recipients:
        """Count the audience as it is now, by the statement that a send uses."""
        check(draft)
        async with self._database.pool.acquire() as db:
            return await sending.count(
                db,
                event_id,
                draft.target_audience,
                draft.target_segments,
                list(draft.delivery_method),
                commercial=draft.commercial and draft.priority != "urgent",
            )

    async def send(
        self,
        event_id: UUID,
        announcement_id: UUID,
        at: datetime | None,
        at_once: bool | None,
    ) -> Any:
        """Schedule: at a time, or in ten seconds, or at once.

        Urgent ones go at once unless `at_once` is false. Sending what is scheduled for
        the same time already, or sent, changes nothing.

        Raises:
            NotFound, Conflict (`announcement_cancelled`), Unprocessable (`too_far`).
        """
        now = self._clock.now()
        if at is not None and at > now + SCHEDULE_MAX:
            raise Unprocessable("Within the next 400 days, please.", code="too_far")
        async with self._database.pool.acquire() as db, db.transaction():
            row = await _lock(db, event_id, announcement_id)
            if row["status"] == "sent":
                return row
            _changeable(row)
            if at_once is None:
                at_once = at is None and row["priority"] == "urgent"
            when = now if at_once else at or now + timedelta(seconds=RECALL_S)
            await db.execute(
                "UPDATE event_announcements SET status = 'scheduled',"
                " scheduled_for = $2 WHERE id = $1",
                announcement_id,
                when,
            )
            if when <= now:
                await sending.send(db, row, now)
            return await _lock(db, event_id, announcement_id)

    async def cancel(self, event_id: UUID, announcement_id: UUID) -> Any:
        """Take back what has not gone; again changes nothing.

        Raises:
            NotFound, Conflict (`already_sent`): then only a correction helps.
        """
        async with self._database.pool.acquire() as db, db.transaction():
            row = await _lock(db, event_id, announcement_id)
            if row["status"] == "sent":
                raise Conflict(
                    "It has gone: write a correction instead.", code="already_sent"
                )
            await db.execute(
                "UPDATE event_announcements SET status = 'cancelled' WHERE id = $1",
                announcement_id,
            )
            return await _lock(db, event_id, announcement_id)

    async def _save(
        self, announcement_id: UUID, event_id: UUID, draft: Draft, author: UUID | None
    ) -> Any:
        async with self._database.pool.acquire() as db, db.transaction():
            return await self._write(db, announcement_id, event_id, draft, author)

    async def _write(
        self,
        db: sending.Connection,
        announcement_id: UUID,
        event_id: UUID,
        draft: Draft,
        author: UUID | None,
    ) -> Any:
        check(draft)
        await check_references(db, event_id, draft)
        await db.execute(
            SAVE,
            announcement_id,
            event_id,
            author,
            draft.title.strip(),
            draft.content.strip(),
            draft.priority,
            draft.target_audience,
            msgspec.to_builtins(draft.target_segments),
            list(dict.fromkeys(draft.delivery_method)),
            draft.session_id,
            msgspec.to_builtins(draft.translations),
            draft.link_url,
            draft.commercial,
            draft.chain,
            draft.chain_after_s,
            draft.corrects_id,
            self._clock.now(),
        )
        return await _lock(db, event_id, announcement_id)


async def _lock(db: sending.Connection, event_id: UUID, announcement_id: UUID) -> Any:
    row = await db.fetchrow(statements.LOCK, announcement_id)
    if row is None or row["event_id"] != event_id:
        raise _missing()
    return row


def draft_of(row: Any) -> Draft:
    """What an organiser wrote, from a row; the start of a PATCH."""
    return Draft(
        title=row["title"],
        content=row["content"],
        priority=row["priority"] or "normal",
        target_audience=row["target_audience"] or "all",
        target_segments=segments_of(row["target_segments"]),
        delivery_method=row["delivery_method"] or ["in_app"],
        session_id=row["session_id"],
        translations=msgspec.convert(row["translations"], dict[str, Words]),
        link_url=row["link_url"],
        commercial=row["commercial"],
        chain=row["chain"],
        chain_after_s=row["chain_after_s"],
        corrects_id=row["corrects_id"],
    )


def _changeable(row: Any) -> None:
    if row["status"] == "sent":
        raise Conflict("It has gone: write a correction instead.", code="already_sent")
    if row["status"] == "cancelled":
        raise Conflict("It was cancelled.", code="announcement_cancelled")


def check(draft: Draft) -> None:
    """Refuse what cannot be sent.

    Raises:
        Unprocessable: `invalid_announcement`, with each field.
    """
    problems = {
        **Words(draft.title, draft.content).problems(),
        **{
            f"target_segments.{name}": why
            for name, why in draft.target_segments.problems().items()
        },
        **{
            f"translations.{language}.{name}": why
            for language, said in draft.translations.items()
            for name, why in said.problems().items()
        },
    }
    if not draft.delivery_method:
        problems["delivery_method"] = "Name at least one way."
    if not 5 <= draft.chain_after_s <= 86_400:
        problems["chain_after_s"] = "5 to 86400 seconds."
    if draft.link_url and not draft.link_url.startswith(("https://", "/")):
        problems["link_url"] = "An https:// address, or a path of this site."
    for language in draft.translations:
        if not (len(language) == 2 and language.isascii() and language.islower()):
            problems[f"translations.{language[:20]}"] = "A language is two letters."
    found = problems.items()
    if found:
        raise Unprocessable(
            "The announcement cannot be kept like this.",
            code="invalid_announcement",
            errors=[
                FieldProblem(name, "invalid", why) for name, why in problems.items()
            ],
        )


async def check_references(
    db: sending.Connection, event_id: UUID, draft: Draft
) -> None:
    """Refuse what names another event's things.

    Raises:
        Unprocessable: `unknown_reference`.
    """
    segments = draft.target_segments
    asked = (
        ("session_id", "sessions", [draft.session_id] if draft.session_id else []),
        (
            "corrects_id",
            "event_announcements",
            [draft.corrects_id] if draft.corrects_id else [],
        ),
        ("target_segments.session_ids", "sessions", segments.session_ids or []),
        ("target_segments.area_ids", "ops.areas", segments.area_ids or []),
        ("target_segments.gate_ids", "ops.gates", segments.gate_ids or []),
        ("target_segments.ticket_type_ids", "ticket_types", segments.ticket_type_ids),
    )
    for field, table, ids in asked:
        if not ids:
            continue
        found = await db.fetchval(
            f"SELECT count(*) FROM {table} WHERE event_id = $1 AND id = ANY($2)",
            event_id,
            ids,
        )
        if found < len(set(ids)):
            problem = FieldProblem(field, "unknown_id", "The event has no such one.")
            raise Unprocessable(
                "The announcement names what the event does not have.",
                code="unknown_reference",
                errors=[problem],
            )


def _missing() -> NotFound:
    return NotFound("The event has no such announcement.", code="announcement_unknown")
