"""Counting an audience, sending to it, and taking back what has not gone yet.

`send_due` is run by the sync role; several processes may run it at once: each locks
the rows that it sends (SKIP LOCKED), and a send is one transaction, so an announcement
goes once. A call that was cancelled or lost its connection has sent all or nothing.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from ops.announcements import statements
from ops.announcements.audience import Segments, parameters, segments_of
from ops.announcements.content import RECEIPTED, words
from ops.announcements.providers import NOT_CONFIGURED, missing
from ops.ids import uuid7

CHANNEL = "ops_announcements"
"""NOTIFY an event id: a live process looks for what it does not have."""
AT_ONCE_MAX = 20

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy


class Recipients(msgspec.Struct, frozen=True):
    """People of a preview, how many of them each channel can reach, and which channels
    cannot be used here (they reach nobody)."""

    people: int
    by_channel: dict[str, int]
    not_configured: list[str] = []


async def count(
    connection: Connection,
    event_id: UUID,
    audience: str,
    segments: Segments,
    methods: list[str],
    *,
    commercial: bool,
) -> Recipients:
    """Count the audience as a send would fix it now; one statement."""
    source, args = _source(event_id, audience, segments, commercial=commercial)
    row = await connection.fetchrow(
        "SELECT count(*) AS people, count(mail) AS email, count(phone) AS sms"
        f" FROM ({source}) AS meant",
        *args,
    )
    assert row is not None  # an aggregate always has one row
    reachable = {
        "in_app": row["people"],
        "push": row["people"],
        "email": row["email"],
        "sms": row["sms"],
    }
    away = missing(methods)
    asked: list[str] = [name for name in RECEIPTED if name in methods]
    by_channel = {name: 0 if name in away else reachable[name] for name in asked}
    return Recipients(row["people"], by_channel, away)


async def send_due(connection: Connection, now: datetime) -> list[UUID]:
    """Send what is due; returns the announcements that went, oldest first."""
    sent: list[UUID] = []
    while True:
        async with connection.transaction():
            rows = await connection.fetch(statements.DUE, now, 1)
            if not rows or len(sent) >= AT_ONCE_MAX:
                return sent
            await send(connection, rows[0], now)
        sent.append(rows[0]["id"])


async def send(connection: Connection, row: Any, now: datetime) -> int:
    """Send a locked announcement in the caller's transaction; how many it is for.

    The order of the event's announcements is that of their sends: the counter's row is
    locked until the commit, so nobody sees number n + 1 before n.
    """
    event_id, announcement_id = row["event_id"], row["id"]
    seq = await connection.fetchval(statements.NEXT, event_id, secrets.token_hex(4))
    people = await _fix_audience(connection, row, now)
    await connection.execute(statements.SENT, announcement_id, now, seq, people)
    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, str(event_id))
    return people


async def _fix_audience(connection: Connection, row: Any, now: datetime) -> int:
    """One receipt a person and channel; mails are put into the outbox."""
    segments = segments_of(row["target_segments"])
    commercial = row["commercial"] and row["priority"] != "urgent"
    source, args = _source(
        row["event_id"],
        row["target_audience"] or "all",
        segments,
        commercial=commercial,
    )
    methods = row["delivery_method"] or ["in_app"]
    channels = [name for name in RECEIPTED if name in methods]
    if segments.devices:
        channels = ["in_app"]
    number = len(args)
    people: int = await connection.fetchval(
        f"""
        WITH meant AS ({source}), receipts AS (
          INSERT INTO ops.announcement_receipts
                 (announcement_id, recipient_id, channel, event_id, kind, step, failure)
          SELECT ${number + 1}, m.recipient_id, ch.name, $1, m.kind, ch.step - 1,
                 CASE WHEN ch.name = 'email' AND m.mail IS NULL THEN 'no_address'
                      WHEN ch.name = 'sms' AND m.phone IS NULL THEN 'no_address'
                      WHEN ch.name = ANY(${number + 3}::text[])
                        THEN '{NOT_CONFIGURED}' END
            FROM meant m
           CROSS JOIN unnest(${number + 2}::text[]) WITH ORDINALITY AS ch(name, step)
          ON CONFLICT DO NOTHING
        )
        SELECT count(*) FROM meant
        """,
        *args,
        row["id"],
        channels,
        missing(channels),
    )
    if "email" in channels and not row["chain"]:
        await mail(connection, row, now)
    return people


async def mail(connection: Connection, row: Any, now: datetime) -> int:
    """Put a mail into the outbox for each open e-mail receipt of an announcement.

    In a chain only for those whom the step before has not reached.
    """
    waiting = await connection.fetch(
        """
        SELECT r.recipient_id, a.email,
               coalesce(a.language, e.languages[1], 'en') AS language
          FROM ops.announcement_receipts r
          JOIN attendees a ON a.id = r.recipient_id
          JOIN events e ON e.id = a.event_id
         WHERE r.announcement_id = $1 AND r.channel = 'email'
           AND r.attempted_at IS NULL AND r.failure IS NULL AND r.delivered_at IS NULL
           AND NOT EXISTS (SELECT FROM ops.announcement_receipts d
             WHERE d.announcement_id = r.announcement_id
               AND d.recipient_id = r.recipient_id AND d.step < r.step
               AND d.delivered_at IS NOT NULL)
         ORDER BY r.recipient_id FOR UPDATE OF r SKIP LOCKED
        """,
        row["id"],
    )
    mails = []
    for person in waiting:
        said = words(
            row["title"], row["content"], row["translations"], person["language"]
        )
        mails.append(
            (
                *(uuid7(), row["event_id"], "announcement", row["id"]),
                *(person["recipient_id"], person["email"]),
                *(said.title, said.content, person["language"], now),
            )
        )
    await connection.copy_records_to_table(
        "mails",
        schema_name="ops",
        records=mails,
        columns=[
            *("id", "event_id", "kind", "reference_id", "recipient_id", "to_address"),
            *("subject", "body", "language", "created_at"),
        ],
    )
    await connection.execute(
        "UPDATE ops.announcement_receipts SET attempted_at = $2"
        " WHERE announcement_id = $1 AND channel = 'email'"
        " AND recipient_id = ANY($3::uuid[])",
        row["id"],
        now,
        [person["recipient_id"] for person in waiting],
    )
    return len(mails)


def _source(
    event_id: UUID, audience: str, segments: Segments, *, commercial: bool
) -> tuple[str, tuple[Any, ...]]:
    if segments.devices:
        return statements.DEVICES, (event_id, segments.gate_ids)
    return statements.GUESTS, parameters(
        event_id,
        audience,  # type: ignore[arg-type]  # the table checks it
        segments,
        commercial=commercial,
    )
