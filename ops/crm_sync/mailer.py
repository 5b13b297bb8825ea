"""Sends the mails of the outbox, in batches, each at most once.

`attempted_at` is committed before a mail is handed over: between the server's 250 and
our commit nobody knows, so a mail without a result after a crash is unknown and is sent
again only by a person's decision (core.md). Without OPS_SMTP_URL mails wait.

A server that says *not now* (4xx: greylisting, a full queue) has not taken the mail: it
waits and is tried again, later each time; after the last try its answer is the failure.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

import aiosmtplib
import msgspec

from ops import log
from ops.clock import Clock
from ops.db.engine import Database

BATCH_MAX = 100
SMTP_TIMEOUT_S = 10.0
RETRIES_S = (60, 300, 900, 3_600, 7_200)
"""How long a mail waits after each temporary refusal; greylisting asks for minutes."""

CLAIM = """
UPDATE ops.mails SET attempted_at = $1 WHERE id IN (
  SELECT id FROM ops.mails
   WHERE attempted_at IS NULL AND (not_before IS NULL OR not_before <= $1)
   ORDER BY created_at, id LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING id, kind, reference_id, recipient_id, to_address, subject, body, language,
          tries
"""

RELEASE = "UPDATE ops.mails SET attempted_at = NULL WHERE id = ANY($1::uuid[])"
"""Mails that were not handed to any server: the connection failed before them."""

LATER = """
UPDATE ops.mails m SET attempted_at = NULL, tries = m.tries + 1, not_before = x.at,
       last_answer = x.answer
  FROM unnest($1::uuid[], $2::timestamptz[], $3::text[]) AS x(id, at, answer)
 WHERE m.id = x.id
"""
"""Mails that the server refused for now."""

RESULTS = """
UPDATE ops.mails m SET sent_at = CASE WHEN x.failure IS NULL THEN $3::timestamptz END,
       failure = x.failure
  FROM unnest($1::uuid[], $2::text[]) AS x(id, failure) WHERE m.id = x.id
"""

# Accepted by the server is what can be known of a mail; it counts as delivered.
# $1 announcements, $2 recipients, $3 failures, $4 now, $5 channel
RECEIPTS = """
WITH results AS (
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[])
           AS x(announcement_id, recipient_id, failure)
), after AS (
  UPDATE ops.announcement_receipts r
     SET failure = x.failure,
         delivered_at = CASE WHEN x.failure IS NULL THEN $4::timestamptz END
    FROM results x
   WHERE r.announcement_id = x.announcement_id AND r.recipient_id = x.recipient_id
     AND r.channel = $5 AND r.delivered_at IS NULL
  RETURNING r.announcement_id, r.delivered_at IS NOT NULL AND NOT EXISTS (
    SELECT FROM ops.announcement_receipts o
     WHERE o.announcement_id = r.announcement_id AND o.recipient_id = r.recipient_id
       AND o.channel <> $5 AND o.delivered_at IS NOT NULL) AS first
), sums AS (
  SELECT announcement_id, count(*) FILTER (WHERE first) AS delivered
    FROM after GROUP BY announcement_id ORDER BY announcement_id
)
UPDATE event_announcements e SET delivery_count = e.delivery_count + s.delivered
  FROM sums s WHERE e.id = s.announcement_id
"""

_logger = log.get(__name__)


class SmtpServer(msgspec.Struct, frozen=True):
    """Where mails go; from `smtp://user:password@host:port?from=doors@example.org`."""

    host: str
    port: int
    user: str | None
    password: str | None
    tls: bool
    sender: str

    @classmethod
    def parse(cls, url: str) -> SmtpServer:
        """The server of an address; `smtps` is TLS from the start, else STARTTLS."""
        parts = urlsplit(url)
        query = dict(
            pair.partition("=")[::2] for pair in parts.query.split("&") if pair
        )
        tls = parts.scheme == "smtps"
        host = parts.hostname or "localhost"
        return cls(
            host,
            parts.port or (465 if tls else 587),
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
            tls,
            unquote(query.get("from", f"events@{host}")),
        )


def message(row: Any, sender: str) -> EmailMessage:
    """The mail of a row; a line break in a subject or address cannot add a header."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = " ".join(row["to_address"].split())
    mail["Subject"] = " ".join(row["subject"].split())
    mail["Date"] = formatdate()
    mail["Message-ID"] = make_msgid(str(row["id"]), sender.rpartition("@")[2] or None)
    mail.set_content(row["body"])  # takes every Content- header away
    mail["Content-Language"] = row["language"]
    return mail


class Answer(msgspec.Struct, frozen=True):
    """What became of a mail: taken (no `failure`), refused, or refused for now."""

    failure: str | None = None
    for_now: bool = False


def again_in_s(answer: Answer, tries: int) -> int | None:
    """How long a mail waits for its next try; None where there is none.

    Args:
        tries: how often it was refused for now before.
    """
    return RETRIES_S[tries] if answer.for_now and tries < len(RETRIES_S) else None


class Mailer:
    """The duty of the sync role. `turn` sends one batch."""

    def __init__(self, database: Database, clock: Clock, smtp_url: str) -> None:
        self._database, self._clock = database, clock
        self._server = SmtpServer.parse(smtp_url) if smtp_url else None

    async def turn(self) -> int:
        """Send what waits; how many were tried."""
        if self._server is None:
            return 0
        rows = await self._database.pool.fetch(CLAIM, self._clock.now(), BATCH_MAX)
        if not rows:
            return 0
        results = await self._hand_over(self._server, rows)
        await self._write(rows, results)
        return len(results)

    async def _hand_over(
        self, server: SmtpServer, rows: list[Any]
    ) -> dict[UUID, Answer]:
        """What became of each mail; those that no server was told of are missing."""
        results: dict[UUID, Answer] = {}
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.tls,
            timeout=SMTP_TIMEOUT_S,
        )
        try:
            async with client:
                for row in rows:
                    if not client.is_connected:  # 421: it hung up after its answer
                        break
                    results[row["id"]] = Answer("unknown")  # until it has answered
                    results[row["id"]] = await _one(client, row, server.sender)
        except (TimeoutError, aiosmtplib.SMTPException, OSError) as error:
            _logger.warning("mail_server_gone", error=type(error).__name__)
        return results

    async def _write(self, rows: list[Any], results: dict[UUID, Answer]) -> None:
        now = self._clock.now()
        later: list[tuple[UUID, datetime, str | None]] = []
        tried: list[tuple[Any, str | None]] = []
        for row in rows:
            answer = results.get(row["id"])
            if answer is None:
                continue
            wait_s = again_in_s(answer, row["tries"])
            if wait_s is None:
                tried.append((row, answer.failure))
            else:
                at = now + timedelta(seconds=wait_s)
                later.append((row["id"], at, answer.failure))
        announced = [one for one in tried if one[0]["kind"] == "announcement"]
        async with self._database.pool.acquire() as db, db.transaction():
            await db.execute(
                RELEASE, [row["id"] for row in rows if row["id"] not in results]
            )
            await db.execute(LATER, *_columns(later, 3))
            await db.execute(
                RESULTS,
                [row["id"] for row, _ in tried],
                [failure for _, failure in tried],
                now,
            )
            await db.execute(
                RECEIPTS,
                [row["reference_id"] for row, _ in announced],
                [row["recipient_id"] for row, _ in announced],
                [failure for _, failure in announced],
                now,
                "email",
            )


def _columns(rows: list[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [[row[n] for row in rows] for n in range(width)]


async def _one(client: aiosmtplib.SMTP, row: Any, sender: str) -> Answer:
    """Hand one mail over; the code of the refusal where it was not taken.

    Raises:
        SMTPServerDisconnected: the connection is gone; whether this mail went is not
            known, and it stays without a result.
    """
    try:
        await client.send_message(message(row, sender))
    except aiosmtplib.SMTPRecipientsRefused as error:
        code = error.recipients[0].code if error.recipients else 550
        return Answer(f"bounced {code}", _for_now(code))
    except aiosmtplib.SMTPResponseException as error:
        return Answer(f"refused {error.code}", _for_now(error.code))
    except ValueError:
        return Answer("bad_address")
    return Answer()


def _for_now(code: int) -> bool:
    return 400 <= code < 500
