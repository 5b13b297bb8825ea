"""Merging contacts: every reference of the catalogue moves, nothing is lost."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx

from ops.audit.auditor import Auditor
from ops.audit.entry import SYSTEM, Entry, Person
from ops.crm.merge import REFERENCES, Merging
from ops.db.engine import Database
from ops.ids import uuid7
from ops.imports import statements
from tests.integration.crm.crm_kit import contact, insert, smallest_row
from tests.integration.people.people_kit import Place

SECRET = "a secret key of the tests, long enough"


async def two_contacts(database: Database) -> tuple[UUID, UUID]:
    return await contact(database, "a@x.org"), await contact(database, "b@x.org")


async def hanging_on(database: Database, who: UUID) -> dict[str, int]:
    """How many rows of each reference name a contact, by the catalogue."""
    found = {}
    for row in await database.pool.fetch(REFERENCES):
        found[f"{row['tab']}.{row['col']}"] = await database.pool.fetchval(
            f"SELECT count(*) FROM {row['tab']} WHERE {row['col']} = $1", who
        )
    return found


async def one_of_each(database: Database, who: UUID) -> None:
    for row in await database.pool.fetch(REFERENCES):
        given: dict[str, Any] = {row["col"]: who}
        if row["tab"] == "public.contacts":
            given["email"] = f"{uuid4().hex}@example.org"
        await smallest_row(database, row["tab"], **given)


async def test_every_reference_moves(database: Database) -> None:
    winner, loser = (
        await contact(database, "a@x.org"),
        await contact(database, "b@x.org"),
    )
    await one_of_each(database, loser)
    before = await hanging_on(database, loser)
    assert len(before) >= 13
    assert set(before.values()) == {1}
    merged = await Merging(database, Auditor(SECRET)).merge(SYSTEM, winner, loser)
    after = await hanging_on(database, winner)
    # The loser itself refers to the winner now.
    assert after.pop("public.contacts.merged_into_id") == 2
    assert set(after.values()) == {1}
    assert set((await hanging_on(database, loser)).values()) == {0}
    assert set(merged.row["moved"]) == set(before)


async def test_a_reference_that_the_catalogue_gains_moves_as_well(
    database: Database,
) -> None:
    await database.pool.execute(
        'CREATE TABLE ops."Guests of honour" ("the contact" uuid REFERENCES contacts)'
    )
    winner, loser = (
        await contact(database, "a@x.org"),
        await contact(database, "b@x.org"),
    )
    await database.pool.execute('INSERT INTO ops."Guests of honour" VALUES ($1)', loser)
    await Merging(database, Auditor(SECRET)).merge(SYSTEM, winner, loser)
    assert (
        await database.pool.fetchval('SELECT "the contact" FROM ops."Guests of honour"')
        == winner
    )


async def test_a_row_that_cannot_move_stays_reachable(
    http: httpx.AsyncClient, bearer: dict[str, str], database: Database
) -> None:
    winner, loser = (
        await contact(database, "a@x.org"),
        await contact(database, "b@x.org"),
    )
    both, once = [await insert(database, "campaigns", name=n) for n in ("Both", "Once")]
    for campaign, who in ((both, winner), (both, loser), (once, loser)):
        await insert(
            database, "campaign_recipients", campaign_id=campaign, contact_id=who
        )
    url = f"/api/v1/contacts/{winner}/merge"
    key = {"Idempotency-Key": str(uuid4())}
    answers = [
        await http.post(url, json={"loser_id": str(loser)}, headers={**bearer, **key})
        for _ in range(2)
    ]
    assert [a.status_code for a in answers] == [201, 201], answers[0].text
    assert answers[0].json()["moved"] == {"public.campaign_recipients.contact_id": 1}
    line = await http.get(f"/api/v1/contacts/{winner}/timeline", headers=bearer)
    campaigns = [
        i["what"]["campaign"] for i in line.json()["items"] if "campaign" in i["kind"]
    ]
    assert sorted(campaigns) == ["Both", "Both", "Once"]
    # Without the key it is known all the same, and done once.
    again = await http.post(url, json={"loser_id": str(loser)}, headers=bearer)
    assert (again.status_code, again.json()["replayed"]) == (200, True)


async def test_values_fill_and_may_be_taken(database: Database) -> None:
    winner = await contact(database, "a@x.org", city="Laval", tags=["a", "b"])
    loser = await contact(
        database,
        "b@x.org",
        city="Paris",
        phone="+33612345678",
        job_title="CTO",
        tags=["b", "c"],
        lead_score=70,
    )
    merging = Merging(database, Auditor(SECRET))
    await merging.merge(SYSTEM, winner, loser, ["email", "city"])
    row = await database.pool.fetchrow("SELECT * FROM contacts WHERE id = $1", winner)
    assert row["email"] == "b@x.org"
    assert (row["city"], row["phone"], row["job_title"]) == (
        "Paris",
        "+33612345678",
        "CTO",
    )
    assert (row["tags"], row["lead_score"]) == (["a", "b", "c"], 70)
    gone = await database.pool.fetchrow("SELECT * FROM contacts WHERE id = $1", loser)
    assert (gone["email"], gone["status"], gone["merged_into_id"]) == (
        "a@x.org",
        "deleted",
        winner,
    )


async def test_the_newer_word_on_a_consent_counts(database: Database) -> None:
    winner, loser = (
        await contact(database, "a@x.org"),
        await contact(database, "b@x.org"),
    )
    for who, state, ago in (
        (winner, "granted", "2 days"),
        (loser, "granted", "3 days"),
        (loser, "withdrawn", "1 day"),
    ):
        await database.pool.execute(
            "INSERT INTO ops.consents (contact_id, purpose, state, source, given_at)"
            " VALUES ($1, 'email', $2, 'x', now() - $3::text::interval)",
            who,
            state,
            ago,
        )
    assert await database.pool.fetchval(
        "SELECT email_consent FROM contacts WHERE id = $1", winner
    )
    await Merging(database, Auditor(SECRET)).merge(SYSTEM, winner, loser)
    assert not await database.pool.fetchval(
        "SELECT email_consent FROM contacts WHERE id = $1", winner
    )
    assert await database.pool.fetchval("SELECT count(*) FROM ops.consents") == 3


async def test_chains_and_races(
    http: httpx.AsyncClient, bearer: dict[str, str], database: Database
) -> None:
    a, b, c = [await contact(database, f"{n}@x.org") for n in "abc"]

    async def merge(winner: UUID, loser: UUID) -> httpx.Response:
        return await http.post(
            f"/api/v1/contacts/{winner}/merge",
            json={"loser_id": str(loser)},
            headers=bearer,
        )

    assert (await merge(a, a)).json()["code"] == "same_contact"
    assert (await merge(a, uuid7())).status_code == 404
    both_ways = await asyncio.gather(merge(a, b), merge(b, a))
    assert sorted(r.status_code for r in both_ways) == [201, 409]
    stays = a if both_ways[0].status_code == 201 else b
    assert (await merge(c, stays)).status_code == 201
    rows = await database.pool.fetch(
        "SELECT merged_into_id FROM contacts WHERE id <> $1", c
    )
    assert {row["merged_into_id"] for row in rows} == {c}


async def test_the_audit_log_goes_along(database: Database) -> None:
    winner, loser = (
        await contact(database, "a@x.org"),
        await contact(database, "b@x.org"),
    )
    auditor = Auditor(SECRET)
    entry = Entry(
        SYSTEM,
        "contacts.create",
        "contacts",
        loser,
        after={"first_name": "Zoë"},
        person=Person("contact", loser),
    )
    await auditor.record(database.pool, entry)
    await Merging(database, auditor).merge(SYSTEM, winner, loser)
    await auditor.keys.delete(database.pool, [winner])
    rows = await database.pool.fetch("SELECT key_id, personal FROM ops.audit_log")
    sealed = [(row["key_id"], row["personal"]) for row in rows]
    assert len(sealed) == 2
    assert await auditor.keys.open(database.pool, sealed) == [None, None]


async def test_the_list_of_duplicates(
    http: httpx.AsyncClient, bearer: dict[str, str], database: Database
) -> None:
    acme = await insert(database, "companies", name="Acme")
    ana = await contact(
        database,
        "ana@x.org",
        first_name="Ana",
        last_name="Łukasz",
        phone="416 555 0199",
    )
    again = await contact(
        database,
        "ana.l@y.org",
        first_name="ANA",
        last_name="Lukasz",
        phone="+1 (416) 555-0199",
    )
    one = await contact(
        database, "w1@z.org", first_name="Wu", last_name="Na", company_id=acme
    )
    two = await contact(
        database, "w2@z.org", first_name="Wu", last_name="Na", company_id=acme
    )
    await contact(database, "other@z.org", first_name="Peter", last_name="Jones")
    found = await http.post("/api/v1/contacts/duplicates/find", headers=bearer)
    assert found.json() == {"found": 2}, found.text
    listed = await http.get("/api/v1/contacts/duplicates?limit=1", headers=bearer)
    first = listed.json()
    assert {first["items"][0]["one"]["id"], first["items"][0]["other"]["id"]} == {
        str(ana),
        str(again),
    }
    assert first["items"][0]["reasons"] == ["phone", "name"]
    rest = await http.get(
        f"/api/v1/contacts/duplicates?cursor={first['next_cursor']}", headers=bearer
    )
    assert [i["reasons"] for i in rest.json()["items"]] == [["name", "company"]]
    near = await http.get(f"/api/v1/contacts/{ana}/duplicates", headers=bearer)
    assert [i["contact"]["id"] for i in near.json()] == [str(again)]
    dismissed = await http.post(
        "/api/v1/contacts/duplicates/dismiss",
        json={"one_id": str(two), "other_id": str(one)},
        headers=bearer,
    )
    assert dismissed.status_code == 204
    assert (
        await http.post("/api/v1/contacts/duplicates/find", headers=bearer)
    ).json() == {"found": 0}
    left = await http.get("/api/v1/contacts/duplicates", headers=bearer)
    assert len(left.json()["items"]) == 1
    bad = await http.get("/api/v1/contacts/duplicates?cursor=x", headers=bearer)
    assert bad.json()["code"] == "bad_cursor"


async def test_an_import_of_the_old_address_finds_the_winner(
    database: Database, place: Place
) -> None:
    winner, loser = (
        await contact(database, "a@x.org"),
        await contact(database, "b@x.org"),
    )
    await Merging(database, Auditor(SECRET)).merge(SYSTEM, winner, loser)
    rows = await database.pool.fetch(statements.CONTACTS, ["a@x.org", "b@x.org"])
    assert {row["id"] for row in rows} == {winner}
