"""The outbox: each mail at most once, refusals kept, chains, and what is unknown."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from ops.clock import Clock
from ops.crm_sync import mailer as mailing
from ops.crm_sync.announcer import Announcer
from ops.crm_sync.mailer import RETRIES_S, Mailer, SmtpServer, message
from ops.db.engine import Database
from ops.ids import uuid7
from tests.integration.people.crowd import Crowd, make_crowd
from tests.integration.people.people_kit import MovedClock, Place, make_place
from tests.integration.test_announcements_live import announce
from tests.mail_server import MailServer, mail_server


@pytest.fixture
async def place(database: Database) -> Place:
    return await make_place(database)


@pytest.fixture
async def crowd(database: Database, place: Place) -> Crowd:
    return await make_crowd(database, place)


def mailer(database: Database, server: MailServer) -> Mailer:
    url = f"smtp://127.0.0.1:{server.port}?from=doors%40example.org"
    return Mailer(database, Clock(), url)


async def figures(database: Database, announcement: UUID) -> dict[str, Any]:
    row = await database.pool.fetchrow(
        """SELECT e.delivery_count AS delivered,
                  count(r.delivered_at) FILTER (WHERE r.channel = 'email') AS mailed,
                  array_agg(r.failure ORDER BY r.failure)
                    FILTER (WHERE r.failure IS NOT NULL) AS failures
             FROM event_announcements e
             JOIN ops.announcement_receipts r ON r.announcement_id = e.id
            WHERE e.id = $1 GROUP BY e.id""",
        announcement,
    )
    assert row is not None
    return dict(row)


async def test_two_mailers_send_each_mail_once(
    database: Database, place: Place, crowd: Crowd
) -> None:
    made = await announce(database, place, "Doors open", delivery_method=["email"])
    async with mail_server() as server:
        first, second = mailer(database, server), mailer(database, server)
        for _ in range(3):
            await asyncio.gather(first.turn(), second.turn())
    assert len(server.taken) == 7
    assert len({mail["To"] for mail in server.taken}) == 7
    assert {mail["Subject"] for mail in server.taken} == {"Doors open"}
    assert await figures(database, made) == {
        "delivered": 7,
        "mailed": 7,
        "failures": None,
    }


async def test_a_bounce_is_kept_and_stops_nobody_else(
    database: Database, place: Place, crowd: Crowd
) -> None:
    await database.pool.execute(
        "UPDATE attendees SET email = 'nobody@example.org' WHERE id = $1", crowd.vip
    )
    await database.pool.execute(
        "UPDATE attendees SET email = 'not an address' WHERE id = $1", crowd.crew
    )
    made = await announce(database, place, "Doors open", delivery_method=["email"])
    async with mail_server() as server:
        assert await mailer(database, server).turn() == 7
    assert len(server.taken) >= 5
    found = await figures(database, made)
    assert "bounced 550" in found["failures"]
    assert found["mailed"] == found["delivered"] == len(server.taken)


async def rename(database: Database, attendee: UUID, address: str) -> None:
    await database.pool.execute(
        "UPDATE attendees SET email = $2 WHERE id = $1", attendee, address
    )


async def test_what_is_refused_for_now_is_tried_again_later_and_taken_once(
    database: Database, place: Place, crowd: Crowd
) -> None:
    await rename(database, crowd.vip, "grey@example.org")
    await rename(database, crowd.crew, "nobody@example.org")
    made = await announce(database, place, "Doors open", delivery_method=["email"])
    clock = MovedClock()
    async with mail_server() as server:
        server.not_now["grey"] = 2
        url = f"smtp://127.0.0.1:{server.port}?from=doors%40example.org"
        one = Mailer(database, clock, url)
        assert await one.turn() == 7
        assert await one.turn() == 0  # not before its time, and what is final never
        assert len(server.taken) == 5
        assert (await figures(database, made))["failures"] == ["bounced 550"]
        waits = "SELECT tries, last_answer, failure FROM ops.mails WHERE tries > 0"
        assert tuple(await database.pool.fetchrow(waits)) == (1, "bounced 451", None)
        for tried in (1, 1, 0):
            clock.shift += timedelta(seconds=301)
            assert await one.turn() == tried
    assert [mail["To"] for mail in server.taken].count("grey@example.org") == 1
    found = await figures(database, made)
    assert (found["delivered"], found["failures"]) == (6, ["bounced 550"])


async def test_without_retries_greylisting_costs_a_mail(
    database: Database, place: Place, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the one above."""
    monkeypatch.setattr(mailing, "RETRIES_S", ())
    await rename(database, crowd.vip, "grey@example.org")
    made = await announce(database, place, "Doors open", delivery_method=["email"])
    async with mail_server() as server:
        server.not_now["grey"] = 1
        await mailer(database, server).turn()
    assert (await figures(database, made))["failures"] == ["bounced 451"]


async def test_who_says_not_now_for_ever_is_a_bounce_in_the_end(
    database: Database, place: Place, crowd: Crowd
) -> None:
    await rename(database, crowd.vip, "grey@example.org")
    made = await announce(database, place, "Doors open", delivery_method=["email"])
    clock = MovedClock()
    async with mail_server() as server:
        server.not_now["grey"] = 1_000
        url = f"smtp://127.0.0.1:{server.port}?from=doors%40example.org"
        one = Mailer(database, clock, url)
        await one.turn()
        for wait_s in RETRIES_S:
            assert (await figures(database, made))["failures"] is None
            clock.shift += timedelta(seconds=wait_s + 1)
            assert await one.turn() == 1
    assert 1_000 - server.not_now["grey"] == len(RETRIES_S) + 1
    assert (await figures(database, made))["failures"] == ["bounced 451"]


async def test_a_server_that_closes_after_its_answer_leaves_nobody_unknown(
    database: Database, place: Place, crowd: Crowd
) -> None:
    await rename(database, crowd.vip, "last@example.org")
    await announce(database, place, "Doors open", delivery_method=["email"])
    clock = MovedClock()
    async with mail_server() as server:
        server.closing["last"] = 1
        url = f"smtp://127.0.0.1:{server.port}?from=doors%40example.org"
        one = Mailer(database, clock, url)
        for _ in range(3):
            clock.shift += timedelta(seconds=61)
            await one.turn()
    failed = "SELECT count(*) FROM ops.mails WHERE failure IS NOT NULL"
    assert await database.pool.fetchval(failed) == 0
    assert len(server.taken) == len({mail["To"] for mail in server.taken}) == 7


async def test_a_mail_whose_answer_was_lost_is_unknown_and_not_sent_again(
    database: Database, place: Place, crowd: Crowd
) -> None:
    await database.pool.execute(
        "UPDATE attendees SET email = 'hangup@example.org' WHERE id = $1", crowd.vip
    )
    await announce(database, place, "Doors open", delivery_method=["email"])
    async with mail_server() as server:
        one = mailer(database, server)
        for _ in range(5):
            await one.turn()
        unknown = await database.pool.fetchval(
            "SELECT count(*) FROM ops.mails WHERE failure = 'unknown'"
        )
        waiting = await database.pool.fetchval(
            "SELECT count(*) FROM ops.mails WHERE attempted_at IS NULL"
        )
    assert (unknown, waiting) == (1, 0)
    assert len(server.taken) == 6  # the others went on by another connection


async def test_without_a_server_mails_wait(
    database: Database, place: Place, crowd: Crowd
) -> None:
    await announce(database, place, "Doors open", delivery_method=["email"])
    assert await Mailer(database, Clock(), "").turn() == 0
    gone = Mailer(database, Clock(), "smtp://127.0.0.1:1")
    assert await gone.turn() == 0
    waiting = await database.pool.fetchval(
        "SELECT count(*) FROM ops.mails WHERE attempted_at IS NULL"
    )
    assert waiting == 7


async def test_a_chain_writes_only_to_those_whom_the_app_did_not_reach(
    database: Database, place: Place, crowd: Crowd
) -> None:
    clock = MovedClock()
    made = await announce(
        database, place, "Storm", delivery_method=["in_app", "email"], chain=True
    )
    await database.pool.execute(
        """UPDATE ops.announcement_receipts SET delivered_at = now()
            WHERE announcement_id = $1 AND channel = 'in_app'
              AND recipient_id = ANY($2)""",
        *(made, crowd.guests),
    )
    announcer = Announcer(database, clock)
    await announcer.turn()
    assert await database.pool.fetchval("SELECT count(*) FROM ops.mails") == 0
    clock.shift = timedelta(seconds=61)
    await announcer.turn()
    await announcer.turn()
    written = await database.pool.fetch("SELECT recipient_id FROM ops.mails")
    assert {row["recipient_id"] for row in written} == {crowd.vip, crowd.crew}


def test_a_line_break_adds_no_header() -> None:
    row = {
        "id": uuid7(),
        "to_address": "ada@example.org\r\nBcc: all@example.org",
        "subject": "Doors\r\nBcc: all@example.org",
        "body": "Come in.",
        "language": "en",
    }
    mail = message(row, "doors@example.org")
    assert mail["Bcc"] is None
    assert mail["Content-Language"] == "en"
    assert "\n" not in mail["Subject"]


def test_the_address_of_the_server() -> None:
    server = SmtpServer.parse("smtps://doors%40x:p%2Fw@mail.example.org?from=a%40b.org")
    assert server == SmtpServer(
        "mail.example.org", 465, "doors@x", "p/w", True, "a@b.org"
    )
