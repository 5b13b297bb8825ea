"""The page of a ticket over HTTP: what it says, what it never says, and to whom."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest

from ops.auth.limiter import GUESTS_BY_ADDRESS, RateLimiter
from ops.cache.client import Cache
from ops.checkin import codes, qr
from ops.checkin.guest_tickets import PICTURE_COST, GuestTickets
from ops.checkin.keys import Signer, SigningKeys
from ops.checkin.pictures import Pictures
from ops.clock import Clock
from ops.db.engine import Database
from ops.errors import TooManyRequests
from ops.ids import uuid7
from ops.settings import DEVELOPMENT_SECRET
from tests.small_event import SmallEvent

HOLDER = "Siobhán O'Brien-Łukasz"
UNKNOWN = codes.sign(bytes(32), 1, UUID(int=7), 0)


class Standing(Clock):
    """A clock that does not move, so that no bucket refills."""

    def monotonic_s(self) -> float:
        return 1_000.0


@pytest.fixture
async def signer(database: Database) -> Signer:
    """The key of the installation."""
    _, signer = await SigningKeys(database.pool, DEVELOPMENT_SECRET).ensure(
        datetime.now(UTC)
    )
    return signer


@pytest.fixture
async def event(database: Database) -> SmallEvent:
    """One venue, one session, and a ticket that was sold elsewhere."""
    return await SmallEvent.make(database.pool, tickets=1)


@pytest.fixture
async def code(database: Database, event: SmallEvent, signer: Signer) -> str:
    """The first own code of a VIP ticket with a seat."""
    ticket = await event.add_ticket(database.pool, "own", event.vip, HOLDER, admits=2)
    code = signer.sign(ticket, 0)
    await database.pool.execute(
        "UPDATE ops.ticket_codes SET code_hash = $1, kind = 'own' WHERE ticket_id = $2",
        codes.code_hash(code),
        ticket,
    )
    await database.pool.execute(
        "UPDATE tickets SET seat_label = 'Row C, 12' WHERE id = $1", ticket
    )
    event.tickets[code] = ticket
    return code


async def test_a_code_opens_its_ticket_and_the_agenda(
    http: httpx.AsyncClient, event: SmallEvent, code: str
) -> None:
    answer = await http.get(f"/api/v1/ticket/{code}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex"
    view = answer.json()
    assert view["ticket"] == {
        "state": "valid",
        "type": "VIP",
        "category": "vip",
        "admits": 2,
        "seat": "Row C, 12",
        "valid_from": None,
        "valid_to": None,
    }
    assert view["event"]["title"] == "Small conference"
    assert view["event"]["timezone"] == "America/Toronto"
    (line,) = view["agenda"]
    assert (line["title"], line["room"], line["type"], line["status"]) == (
        "Opening",
        "Room 1",
        "keynote",
        "scheduled",
    )
    for word in ("Siobhán", "O'Brien", HOLDER, str(event.tickets[code])):
        assert word not in answer.text


async def test_every_spelling_of_a_code_opens_it(
    http: httpx.AsyncClient, code: str
) -> None:
    first = (await http.get(f"/api/v1/ticket/{code}")).content
    spaced = "-".join(code[i : i + 11] for i in range(0, len(code), 11))
    for spelled in (code.lower(), spaced, f"%20{code}%20"):
        assert (await http.get(f"/api/v1/ticket/{spelled}")).content == first


async def test_whatever_opens_nothing_gets_the_same_answer(
    http: httpx.AsyncClient, event: SmallEvent, code: str
) -> None:
    forged = code[:40] + ("A" if code[40] != "A" else "B") + code[41:]
    texts = {
        "unknown": UNKNOWN,
        "forged": forged,
        "cut off": code[:-3],
        # Real, but sold elsewhere: such codes can be counted through.
        "imported": "T-1",
        "digits": "0012345",
        "nul": "a%00b",
        "no text": "%ff%fe",
        "a card": "BEGIN:VCARD",
        "long": "A" * 5_000,
        "emoji": "🎪",
    }
    answers = {}
    for name, text in texts.items():
        for end in ("", "/qr.svg"):
            answer = await http.get(f"/api/v1/ticket/{text}{end}")
            assert answer.json()["code"] == "ticket_not_found", name
            answers[name, end] = (answer.status_code, answer.content)
    assert len(set(answers.values())) == 1
    assert answers["unknown", ""][0] == 404


@pytest.mark.parametrize(
    ("state", "shown"),
    [("unpaid", "desk"), ("blocked", "desk"), ("cancelled", "cancelled")],
)
async def test_a_state_is_said_and_its_cause_is_not(
    http: httpx.AsyncClient,
    database: Database,
    event: SmallEvent,
    code: str,
    state: str,
    shown: str,
) -> None:
    await database.pool.execute(
        "UPDATE tickets SET state = $2, blocked_reason = 'Charged back' WHERE id = $1",
        event.tickets[code],
        state,
    )
    answer = await http.get(f"/api/v1/ticket/{code}")
    assert answer.json()["ticket"]["state"] == shown
    assert "Charged back" not in answer.text
    assert shown == state or state not in answer.text


async def test_an_old_code_says_that_there_is_a_newer_one(
    http: httpx.AsyncClient,
    database: Database,
    event: SmallEvent,
    signer: Signer,
    code: str,
) -> None:
    ticket = event.tickets[code]
    newer = signer.sign(ticket, 1)
    await database.pool.execute(
        "UPDATE ops.ticket_codes SET revoked_at = now(), revoked_reason = 'reissued'"
        " WHERE ticket_id = $1",
        ticket,
    )
    await database.pool.execute(
        "INSERT INTO ops.ticket_codes (id, event_id, code_hash, ticket_id, kind)"
        " VALUES ($1, $2, $3, $4, 'own')",
        uuid7(),
        event.id,
        codes.code_hash(newer),
        ticket,
    )
    old = (await http.get(f"/api/v1/ticket/{code}")).json()
    new = (await http.get(f"/api/v1/ticket/{newer}")).json()
    assert old["ticket"]["state"] == "replaced"
    assert {v for k, v in old["ticket"].items() if k != "state"} == {None}
    assert old["ticket"].keys() == new["ticket"].keys()
    assert (old["event"], old["agenda"]) == (new["event"], new["agenda"])
    assert new["ticket"]["state"] == "valid"
    assert newer not in str(old)


async def test_the_agenda_of_a_draft_stays_in_the_house(
    http: httpx.AsyncClient, database: Database, event: SmallEvent, code: str
) -> None:
    await database.pool.execute(
        "UPDATE events SET status = 'draft' WHERE id = $1", event.id
    )
    view = (await http.get(f"/api/v1/ticket/{code}")).json()
    assert view["agenda"] == []
    assert view["ticket"]["state"] == "valid"


async def test_the_picture_is_of_the_code_itself(
    http: httpx.AsyncClient, code: str
) -> None:
    answer = await http.get(f"/api/v1/ticket/{code.lower()}/qr.svg")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content == qr.svg(code, qr.MASK_OF_OWN_CODES)


async def test_an_address_that_asks_too_often_waits_and_no_other(
    database: Database, code: str
) -> None:
    # A cache that is not there: the bucket of this process, on a clock that stands.
    limiter = RateLimiter(Cache("redis://127.0.0.1:1/0"), Standing())
    pictures = Pictures()
    guests = GuestTickets(database, limiter, pictures)
    await limiter.take(GUESTS_BY_ADDRESS, "a", GUESTS_BY_ADDRESS.burst - PICTURE_COST)
    await guests.picture(code, "a")
    with pytest.raises(TooManyRequests):
        await guests.picture(code, "a")
    with pytest.raises(TooManyRequests):
        await guests.view(code, "a")
    assert (await guests.view(code, "b")).ticket.state == "valid"
    pictures.stop()
