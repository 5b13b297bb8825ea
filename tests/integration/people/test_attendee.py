"""An attendee's own page: getting in, one's own data only, feedback, meetings."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from ops.attendee import consents, feedback, links, me, networking, routes
from ops.auth.attendees import AttendeeTokens
from ops.auth.guards import AttendeeRequired, Public, Requires
from ops.db.engine import Database
from ops.ids import uuid7
from tests.integration.people.crowd import Crowd, make_crowd
from tests.integration.people.people_kit import MovedClock, Place


@pytest.fixture
async def crowd(database: Database, place: Place) -> Crowd:
    return await make_crowd(database, place)


class Guest:
    """Calls as one attendee."""

    def __init__(self, http: httpx.AsyncClient, token: str) -> None:
        self._http, self._headers = http, {"Authorization": f"Attendee {token}"}

    async def call(self, method: str, path: str, **body: Any) -> httpx.Response:
        return await self._http.request(
            method,
            f"/api/v1/me{path}",
            headers=self._headers,
            json=body or None,
        )


async def guest(http: httpx.AsyncClient, database: Database, attendee: UUID) -> Guest:
    async with database.pool.acquire() as db, db.transaction():
        return Guest(http, await AttendeeTokens.make(db, attendee, "link", None))


def test_every_route_asks_for_a_person_or_says_why_not() -> None:
    kinds = {}
    for handler in routes.ROUTES:
        (guard,) = handler.guards
        kinds[next(iter(handler.paths))] = type(guard)
    assert {p for p, kind in kinds.items() if kind is Public} == {
        "/me/code",
        "/me/token",
    }
    assert {kind for p, kind in kinds.items() if p.startswith("/me")} == {
        AttendeeRequired,
        Public,
    }
    assert {kind for p, kind in kinds.items() if p.startswith("/ev")} == {Requires}


def test_statements_name_the_person_or_the_event() -> None:
    for module in (consents, feedback, links, me, networking):
        for name, text in vars(module).items():
            if name.isupper() and isinstance(text, str) and "SELECT" in text:
                assert "$2" in text or name in {"USE"}, (module.__name__, name)


async def test_a_mailed_link_opens_one_persons_page_until_it_is_revoked(
    http: httpx.AsyncClient,
    bearer: dict[str, str],
    database: Database,
    place: Place,
    crowd: Crowd,
) -> None:
    sent = await http.post(
        f"/api/v1/events/{place.event}/attendees/{crowd.vip}/link", headers=bearer
    )
    assert sent.status_code == 202, sent.text
    mail = await database.pool.fetchrow("SELECT * FROM ops.mails")
    assert mail is not None
    found = re.search(r"/me\.html#(att_\S+)", mail["body"])
    assert found is not None
    vera = Guest(http, found.group(1))
    me = (await vera.call("GET", "")).json()
    assert me["me"]["first_name"] == "Vera"
    assert [ticket["type"] for ticket in me["tickets"]] == ["VIP"]
    assert (await vera.call("POST", "/revoke")).status_code == 200
    refused = await vera.call("GET", "")
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_token")
    # A person's token opens nothing of the staff's.
    events = await http.get(
        "/api/v1/events", headers={"Authorization": f"Attendee {found.group(1)}"}
    )
    assert events.status_code == 401


async def test_a_code_proves_an_address_five_tries_long(
    http: httpx.AsyncClient,
    database: Database,
    place: Place,
    crowd: Crowd,
    clock: MovedClock,
) -> None:
    email = f"{crowd.vip.hex}@example.org"
    ask = {"event_id": str(place.event), "email": email.upper()}
    stranger = {**ask, "email": "nobody@example.org"}
    for body in (ask, stranger):
        answer = await http.post("/api/v1/me/code", json=body)
        assert (answer.status_code, answer.json()) == (202, {"ok": True})
    (mail,) = await database.pool.fetch("SELECT * FROM ops.mails")
    code = re.search(r"\b\d{6}\b", mail["subject"])
    assert code is not None
    wrong = f"{(int(code.group()) + 1) % 10**6:06d}"

    async def redeem(text: str) -> httpx.Response:
        return await http.post("/api/v1/me/token", json={**ask, "code": text})

    tries = await asyncio.gather(*(redeem(wrong) for _ in range(4)))
    assert {answer.status_code for answer in tries} == {401}
    right = await redeem(code.group())
    assert right.status_code == 200, right.text
    (token,) = right.json()
    me = await Guest(http, token["token"]).call("GET", "")
    assert me.json()["me"]["email"] == email
    assert (await redeem(code.group())).status_code == 401  # used
    await http.post("/api/v1/me/code", json=ask)
    newest = await database.pool.fetchval(
        "SELECT subject FROM ops.mails ORDER BY created_at DESC, id DESC LIMIT 1"
    )
    code = re.search(r"\b\d{6}\b", newest)
    assert code is not None
    wrong = f"{(int(code.group()) + 1) % 10**6:06d}"
    await asyncio.gather(*(redeem(wrong) for _ in range(9)))
    assert (await redeem(code.group())).status_code == 401  # tried too often


async def _session(database: Database, place: Place, ended: timedelta) -> UUID:
    session, scope, end = uuid7(), uuid7(), datetime.now(UTC) - ended
    await database.pool.execute(
        "INSERT INTO sessions (id, event_id, title, start_time, end_time)"
        " VALUES ($1, $2, 'Queues', $3, $4)",
        *(session, place.event, end - timedelta(hours=1), end),
    )
    await database.pool.execute(
        """INSERT INTO ops.scopes (id, event_id, kind, area_id, session_id, name)
           VALUES ($1, $2, 'session', $3, $4, 'Queues')""",
        *(scope, place.event, place.area, session),
    )
    return session


async def _was_in(database: Database, session: UUID, attendees: list[UUID]) -> None:
    for attendee in attendees:
        await database.pool.execute(
            """INSERT INTO check_ins (id, event_id, attendee_id, ticket_id, scope_id,
                 area_id, scan_id)
               SELECT $1, t.event_id, $2, t.id, s.id, s.area_id, $1
                 FROM tickets t, ops.scopes s
                WHERE t.attendee_id = $2 AND s.session_id = $3""",
            *(uuid7(), attendee, session),
        )


async def test_feedback_once_each_from_those_who_were_there(
    http: httpx.AsyncClient,
    bearer: dict[str, str],
    database: Database,
    place: Place,
    crowd: Crowd,
    clock: MovedClock,
) -> None:
    over = await _session(database, place, timedelta(minutes=5))
    later = await _session(database, place, -timedelta(hours=1))
    await _was_in(database, over, crowd.guests)
    await _was_in(database, later, crowd.guests[:1])
    ada = await guest(http, database, crowd.guests[0])
    vera = await guest(http, database, crowd.vip)
    early = await ada.call("POST", "/feedback", session_id=str(later))
    assert early.json()["code"] == "not_over"
    away = await vera.call("POST", "/feedback", session_id=str(over))
    assert away.json()["code"] == "was_not_there"
    silly = await ada.call("POST", "/feedback", session_id=str(over), session_rating=6)
    assert silly.status_code == 400

    async def summary() -> dict[str, Any]:
        answer = await http.get(
            f"/api/v1/events/{place.event}/feedback-summary", headers=bearer
        )
        (line,) = answer.json()
        found: dict[str, Any] = line
        return found

    for n, attendee in enumerate(crowd.guests):
        one = await guest(http, database, attendee)
        for rating in (1, 4):  # changed their mind
            given = await one.call(
                "POST",
                "/feedback",
                session_id=str(over),
                session_rating=rating,
                is_anonymous=n % 2 == 0,
            )
            assert given.status_code == 200, given.text
        line = await summary()
        assert line["answers"] == n + 1
        assert line["session"] == (4.0 if n == 4 else None)  # five, and no fewer
    rows = await database.pool.fetch(
        "SELECT attendee_id, is_anonymous, created_at FROM event_feedback"
    )
    assert len(rows) == 5
    for row in rows:
        assert (row["attendee_id"] is None) == row["is_anonymous"]
        if row["is_anonymous"]:
            assert (row["created_at"].minute, row["created_at"].second) == (0, 0)
    clock.shift = timedelta(hours=26)
    closed = await ada.call("POST", "/feedback", session_id=str(over), session_rating=5)
    assert (closed.status_code, closed.json()["code"]) == (409, "feedback_closed")


async def test_only_those_who_want_to_be_found_are_found_and_met(
    http: httpx.AsyncClient, database: Database, place: Place, crowd: Crowd
) -> None:
    ada, sam = [await guest(http, database, crowd.guests[n]) for n in (0, 4)]
    assert (await ada.call("GET", "/people")).json()["items"] == []
    hidden = await ada.call("POST", "/connections", person_id=str(crowd.guests[4]))
    assert hidden.status_code == 404
    shown = await sam.call("PATCH", "", networking_visible=True, headline="Queues % _")
    assert shown.json()["headline"] == "Queues % _"
    (found,) = (await ada.call("GET", "/people?q=queues")).json()["items"]
    assert found["first_name"] == "Sam"
    assert "email" not in found
    for _ in range(2):
        asked = await ada.call(
            "POST", "/connections", person_id=found["id"], message="Coffee?"
        )
        assert asked.status_code == 200
    (request,) = (await sam.call("GET", "/connections")).json()
    assert (request["from_me"], request["status"], request["email"]) == (
        False,
        "pending",
        None,
    )
    path = f"/connections/{request['id']}"
    cheat = await ada.call("POST", f"{path}/answer", act="accept")
    assert cheat.status_code == 404  # only who was asked answers
    soon = "2026-11-27T10:00:00Z"
    early = await ada.call("POST", f"{path}/meeting", at=soon, place="Bar")
    assert early.status_code == 404
    assert (await sam.call("POST", f"{path}/answer", act="accept")).status_code == 200
    assert (
        await ada.call("POST", f"{path}/meeting", at=soon, place="Bar")
    ).status_code == 200
    (mine,) = (await ada.call("GET", "/connections")).json()
    assert mine["email"] == f"{crowd.guests[4].hex}@example.org"
    assert mine["meeting_location"] == "Bar"
    await sam.call("POST", f"{path}/answer", act="block")
    (mine,) = (await ada.call("GET", "/connections")).json()
    assert (mine["status"], mine["email"]) == ("pending", None)  # told neither
    assert (await ada.call("GET", "/people")).json()["items"] == []


async def test_agenda_and_materials_are_ones_own(
    http: httpx.AsyncClient, database: Database, place: Place, crowd: Crowd
) -> None:
    session = await _session(database, place, timedelta(minutes=5))
    await _was_in(database, session, crowd.guests[:1])
    for level in ("public", "attendees_only", "speakers_only", "organizers_only"):
        await database.pool.execute(
            "INSERT INTO event_materials (event_id, title, access_level)"
            " VALUES ($1, $2, $2)",
            *(place.event, level),
        )
    ada, sam = [await guest(http, database, crowd.guests[n]) for n in (0, 1)]
    (line,) = (await ada.call("GET", "/agenda")).json()
    assert (line["attended"], line["mine"]) == (True, None)
    (line,) = (await sam.call("GET", "/agenda")).json()
    assert line["attended"] is False
    materials = (await ada.call("GET", "/materials")).json()
    assert {m["title"] for m in materials} == {"public", "attendees_only"}


async def test_the_oldest_links_give_way(
    http: httpx.AsyncClient, database: Database, crowd: Crowd
) -> None:
    tokens = [await guest(http, database, crowd.vip) for _ in range(22)]
    answers = [(await one.call("GET", "")).status_code for one in tokens]
    assert answers == [401, 401, *[200] * 20]


async def test_what_one_allows_is_ones_own_ledger(
    http: httpx.AsyncClient, database: Database, crowd: Crowd
) -> None:
    contact = await database.pool.fetchval(
        "INSERT INTO contacts (id, email, first_name, last_name)"
        " VALUES ($1, $2, 'Zoë', '') RETURNING id",
        *(uuid7(), "zoe@example.org"),
    )
    await database.pool.execute(
        "UPDATE attendees SET contact_id = $2 WHERE id = $1", crowd.guests[1], contact
    )
    mine = await guest(http, database, crowd.guests[1])
    theirs = await guest(http, database, crowd.guests[2])
    found = (await mine.call("GET", "/consents")).json()
    assert {one["purpose"]: one["allowed"] for one in found}["marketing"] is False
    # Who came on somebody else's order has nothing to allow.
    assert (await theirs.call("GET", "/consents")).json() == []
    body = {"purpose": "marketing", "allowed": True}
    refused = await theirs.call("POST", "/consents", **body)
    assert (refused.status_code, refused.json()["code"]) == (409, "no_contact")
    for _ in range(2):
        answer = await mine.call("POST", "/consents", **body)
        assert answer.status_code == 200, answer.text
    rows = "SELECT count(*) FROM ops.consents WHERE contact_id = $1"
    assert await database.pool.fetchval(rows, contact) == 1
    flag = "SELECT marketing_consent FROM contacts WHERE id = $1"
    assert await database.pool.fetchval(flag, contact) is True
    await mine.call("POST", "/consents", **{**body, "allowed": False})
    assert await database.pool.fetchval(flag, contact) is False
    bad = await mine.call("POST", "/consents", **{**body, "purpose": "sins"})
    assert bad.status_code == 400
