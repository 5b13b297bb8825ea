"""Sponsors' leads over HTTP: whose they are, what they show, and what they never do."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import pytest

from ops.db.engine import Database
from ops.fleet.lead_routes import LeadView, table
from ops.ids import uuid7
from tests.small_event import SmallEvent

Headers = dict[str, str]


class Stand(NamedTuple):
    """A sponsor and a phone of its staff."""

    sponsor: UUID
    phone: Headers


async def sponsor(database: Database, event: SmallEvent, name: str) -> UUID:
    company, found = uuid7(), uuid7()
    pool = database.pool
    await pool.execute(
        "INSERT INTO companies (id, name) VALUES ($1, $2)", company, name
    )
    await pool.execute(
        "INSERT INTO sponsors (id, event_id, company_id) VALUES ($1, $2, $3)",
        found,
        event.id,
        company,
    )
    return found


async def stand(
    http: httpx.AsyncClient,
    bearer: Headers,
    event: SmallEvent,
    database: Database,
    name: str = "Łukasz & Söhne",
) -> Stand:
    """Invite a sponsor's staff by a link and pair one phone with it."""
    found = await sponsor(database, event, name)
    made = await http.post(
        f"/api/v1/events/{event.id}/enrolments",
        json={
            "profile": "lead",
            "sponsor_id": str(found),
            "max_devices": 5,
            "valid_until": (datetime.now(UTC) + timedelta(hours=8)).isoformat(),
        },
        headers=bearer,
    )
    assert made.status_code == 201, made.text
    assert "#pair=" in made.json()["pairing_url"]
    paired = await http.post(
        "/api/v1/devices/pair",
        json={"pairing_code": made.json()["pairing_code"], "name": "Noor's phone"},
    )
    assert paired.status_code == 200, paired.text
    assert (paired.json()["profile"], paired.json()["name"]) == ("lead", "Noor's phone")
    return Stand(found, {"Authorization": f"Device {paired.json()['token']}"})


async def read(
    http: httpx.AsyncClient, event: SmallEvent, at: Stand, code: str, **more: Any
) -> Any:
    body = {"id": str(uuid7()), "code": code, **more}
    answer = await http.post(
        f"/api/v1/events/{event.id}/leads", json=body, headers=at.phone
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def contact(database: Database, event: SmallEvent, code: str) -> UUID:
    """Give the holder of a ticket a contact, a company and an address."""
    found = uuid7()
    pool = database.pool
    await pool.execute(
        "INSERT INTO contacts (id, first_name, last_name, email)"
        " VALUES ($1, 'Ada', 'Lovelace', $2)",
        found,
        f"ada.{found}@example.org",
    )
    await pool.execute(
        "UPDATE attendees SET contact_id = $1, company = 'Analytical Engines',"
        " email = 'ada@example.org' WHERE id ="
        " (SELECT attendee_id FROM tickets WHERE id = $2)",
        found,
        event.tickets[code],
    )
    return found


async def test_a_lead_is_a_person_with_visits_and_moves_no_count(
    http: httpx.AsyncClient, bearer: Headers, event: SmallEvent, database: Database
) -> None:
    at = await stand(http, bearer, event, database)
    ada = await contact(database, event, "T-1")
    before = (
        await http.get(f"/api/v1/events/{event.id}/occupancy", headers=bearer)
    ).json()
    first = await read(http, event, at, "T-1", rating=4, notes="wants a demo")
    assert first["outcome"] == "lead"
    assert first["lead"]["fields"] == {
        "name": "Guest 1",
        "company": "Analytical Engines",
    }
    again = await read(http, event, at, "T-1", answers={"budget": "now"})
    assert (again["outcome"], again["lead"]["visits"]) == ("again", 2)
    assert again["lead"]["rating"] == 4
    assert again["lead"]["answers"] == {"budget": "now"}
    consents = await database.pool.fetch(
        "SELECT * FROM ops.consents WHERE contact_id = $1", ada
    )
    assert [(c["purpose"], c["state"], c["source"]) for c in consents] == [
        ("sponsor_sharing", "granted", "badge_scan")
    ]
    for kept in ("check_ins", "ops.scan_log"):
        assert await database.pool.fetchval(f"SELECT count(*) FROM {kept}") == 0
    after = (
        await http.get(f"/api/v1/events/{event.id}/occupancy", headers=bearer)
    ).json()
    assert after["figures"] == before["figures"]


async def test_the_same_reading_sent_ten_times_at_once_is_one_visit(
    http: httpx.AsyncClient, bearer: Headers, event: SmallEvent, database: Database
) -> None:
    at = await stand(http, bearer, event, database)
    body = {"id": str(uuid7()), "code": "T-2"}
    url = f"/api/v1/events/{event.id}/leads"
    answers = await asyncio.gather(
        *(http.post(url, json=body, headers=at.phone) for _ in range(10))
    )
    assert [a.json()["outcome"] for a in answers] == ["lead"] * 10
    assert sum(a.json()["replayed"] for a in answers) == 9
    # Negative control: ten readings with ids of their own are ten visits.
    await asyncio.gather(*(read(http, event, at, "T-2") for _ in range(10)))
    mine = await http.get(url, headers=at.phone)
    assert [lead["visits"] for lead in mine.json()["items"]] == [11]


async def test_who_opted_out_is_counted_without_a_name(
    http: httpx.AsyncClient, bearer: Headers, event: SmallEvent, database: Database
) -> None:
    at = await stand(http, bearer, event, database)
    ada = await contact(database, event, "T-3")
    await database.pool.execute(
        "INSERT INTO ops.consents (id, contact_id, purpose, state, source)"
        " VALUES ($1, $2, 'sponsor_sharing', 'withdrawn', 'form')",
        uuid7(),
        ada,
    )
    answer = await read(http, event, at, "T-3")
    assert (answer["outcome"], answer["lead"]) == ("opted_out", None)
    url = f"/api/v1/events/{event.id}/leads"
    assert (await http.get(url, headers=at.phone)).json()["items"] == []
    figures = (await http.get(f"{url}/stand", headers=at.phone)).json()["figures"]
    assert figures == {"scans": 1, "leads": 0, "opted_out": 1, "unknown": 0}
    kept = await database.pool.fetchrow("SELECT * FROM ops.lead_scans")
    assert kept["lead_id"] is None


async def test_a_later_withdrawal_hides_the_person_and_keeps_the_count(
    http: httpx.AsyncClient, bearer: Headers, event: SmallEvent, database: Database
) -> None:
    at = await stand(http, bearer, event, database)
    ada = await contact(database, event, "T-4")
    await read(http, event, at, "T-4")
    await database.pool.execute(
        "INSERT INTO ops.consents (id, contact_id, purpose, state, source, given_at)"
        " VALUES ($1, $2, 'sponsor_sharing', 'withdrawn', 'form', now() + '1 s')",
        uuid7(),
        ada,
    )
    url = f"/api/v1/events/{event.id}/leads"
    [lead] = (await http.get(url, headers=at.phone)).json()["items"]
    assert (lead["withdrawn"], lead["fields"]) == (True, {})
    text = (await http.get(f"{url}.csv", headers=at.phone)).text
    assert "Guest 4" not in text
    assert "Analytical" not in text


async def test_the_organiser_decides_which_fields(
    http: httpx.AsyncClient, bearer: Headers, event: SmallEvent, database: Database
) -> None:
    at = await stand(http, bearer, event, database)
    await contact(database, event, "T-5")
    set_to = await http.put(
        f"/api/v1/events/{event.id}/lead-settings",
        json={
            "fields": ["name", "email", "ticket_type"],
            "questions": [{"key": "when", "label": "When?", "options": ["now"]}],
        },
        headers=bearer,
    )
    assert set_to.status_code == 200, set_to.text
    answer = await read(http, event, at, "T-5")
    assert answer["lead"]["fields"] == {
        "name": "Guest 5",
        "email": "ada@example.org",
        "ticket_type": "Regular",
    }
    shown = await http.get(f"/api/v1/events/{event.id}/leads/stand", headers=at.phone)
    assert shown.json()["sponsor"] == "Łukasz & Söhne"
    assert shown.json()["questions"][0]["key"] == "when"


async def test_a_sponsor_sees_its_own_leads_and_nothing_else(
    http: httpx.AsyncClient, bearer: Headers, event: SmallEvent, database: Database
) -> None:
    one = await stand(http, bearer, event, database)
    other = await stand(http, bearer, event, database, "Ng 李")
    lead = (await read(http, event, one, "V-2"))["lead"]
    url = f"/api/v1/events/{event.id}/leads"
    assert (await http.get(url, headers=other.phone)).json()["items"] == []
    foreign = await http.patch(
        f"{url}/{lead['id']}", json={"rating": 1}, headers=other.phone
    )
    assert foreign.status_code == 404
    mine = await http.patch(
        f"{url}/{lead['id']}", json={"rating": 5}, headers=one.phone
    )
    assert mine.json()["rating"] == 5
    export = await http.get(f"{url}.csv", headers=one.phone)
    rows = list(csv.DictReader(io.StringIO(export.content.decode("utf-8-sig"))))
    assert [row["name"] for row in rows] == ["李小龙"]
    staff = await http.get(
        f"/api/v1/events/{event.id}/sponsors/{one.sponsor}/leads", headers=bearer
    )
    assert len(staff.json()["items"]) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "scans"),
        ("POST", "scans/batch"),
        ("GET", "occupancy"),
        ("GET", ""),
        ("POST", "help-calls"),
    ],
)
async def test_a_sponsors_phone_is_no_scanner(
    http: httpx.AsyncClient,
    bearer: Headers,
    event: SmallEvent,
    database: Database,
    method: str,
    path: str,
) -> None:
    at = await stand(http, bearer, event, database)
    body = {"id": str(uuid7()), "code": "T-6", "kind": "queue", "scans": []}
    url = f"/api/v1/events/{event.id}/{path}".rstrip("/")
    answer = await http.request(
        method, url, json=body if method == "POST" else None, headers=at.phone
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "lead_device")
    # And a scanner is no sponsor's phone.
    scanner = {"Authorization": f"Device dev_{event.device}"}
    leads = await http.get(f"/api/v1/events/{event.id}/leads", headers=scanner)
    assert leads.status_code == 403


async def test_a_sponsor_belongs_to_the_profile_lead_and_to_the_event(
    http: httpx.AsyncClient, bearer: Headers, event: SmallEvent, database: Database
) -> None:
    other = await SmallEvent.make(database.pool, tickets=1)
    foreign = str(await sponsor(database, other, "Foreign"))
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    for fields, code in (
        ({"profile": "lead"}, "sponsor_needed"),
        ({"profile": "scan", "sponsor_id": foreign}, "no_sponsor_here"),
        ({"profile": "lead", "sponsor_id": foreign}, "unknown_sponsor"),
    ):
        answer = await http.post(
            f"/api/v1/events/{event.id}/enrolments",
            json={"max_devices": 1, "valid_until": until, **fields},
            headers=bearer,
        )
        assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_a_name_that_a_spreadsheet_would_run_is_tamed() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    lead = LeadView(uuid7(), 1, None, {}, "-1+1", now, now, False, {"name": "=1+1"})
    text = table([lead]).decode("utf-8-sig")
    assert "'=1+1" in text
    assert "'-1+1" in text
