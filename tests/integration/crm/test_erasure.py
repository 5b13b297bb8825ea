"""Erasing one person, then looking for them in every store there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from ops.cache import keys
from ops.crm.merge import REFERENCES as TO_CONTACTS
from ops.crm_sync.worker import Worker
from ops.db.engine import Database
from ops.privacy.dossier import REFERENCES
from ops.runtime import Runtime
from ops.settings import Settings
from tests.integration.crm.crm_kit import contact, insert, smallest_row
from tests.integration.crm.stores_kit import in_files, in_redis, in_tables, until
from tests.integration.people.people_kit import (
    Place,
    pair_device,
    sign_in,
    user,
)

FIRST, LAST = "Zoë-Anaïs", "Ngũgĩ-O'Brien"
NAME = f"{FIRST} {LAST}"
EMAIL = "zoe.ngugi@example.org"
PHONE = "+1 (416) 555-0199"
NEEDLES = [FIRST, LAST, EMAIL, "4165550199", PHONE]
FILE = (
    "Code,Name,Email,Phone,Order,Company\n"
    f"Z-0042,{NAME},{EMAIL},{PHONE},A1,{LAST} & Sons\n"
    "Z-0043,Paul Untouched,paul@example.org,,A2,\n"
    f"1.2E+15,{NAME},{EMAIL},,A3,\n"
).encode()
COUNTED = ("contacts", "attendees", "tickets", "orders", "check_ins", "ops.scan_log")

TEXT_COLUMNS = """
SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type FROM pg_attribute a
 WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped
   AND a.attgenerated = ''
   AND format_type(a.atttypid, NULL) IN ('text', 'text[]', 'jsonb')
   AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = a.attrelid
                    AND k.contype IN ('c', 'p', 'u') AND a.attnum = ANY(k.conkey))
"""


async def told(database: Database, table: str) -> dict[str, Any]:
    """The person in every text of a row, whatever the column is for."""
    said = f"{NAME} {EMAIL} {PHONE}"
    values = {"text": said, "text[]": [said], "jsonb": {"said": said}}
    rows = await database.pool.fetch(TEXT_COLUMNS, table)
    return {row["name"]: values[row["type"]] for row in rows}


async def counts(database: Database) -> dict[str, int]:
    return {
        table: await database.pool.fetchval(f"SELECT count(*) FROM {table}")
        for table in COUNTED
    }


FILLED = {
    "public.contacts",
    "public.attendees",
    "public.tickets",
    "ops.attendee_words",  # by a trigger
}


async def everywhere(
    database: Database, who: UUID, attendee: UUID, ticket: UUID
) -> int:
    """A row in each table that refers to the person, all its texts about them."""
    ids = {"contacts": who, "attendees": attendee, "tickets": ticket}
    made = 0
    for row in await database.pool.fetch(REFERENCES):
        table = row["name"]
        if table not in FILLED:
            given = await told(database, table)
            given[row["col"].strip('"')] = ids[row["target"]]
            await smallest_row(database, table, **given)
            made += 1
    return made


@pytest.fixture
async def person(
    http: httpx.AsyncClient,
    bearer: dict[str, str],
    database: Database,
    place: Place,
    sync: Worker,
) -> tuple[UUID, UUID, dict[str, str]]:
    """Imported, scanned, written about everywhere; contact, attendee, the device."""
    done = await http.post(
        f"/api/v1/events/{place.event}/imports",
        content=FILE,
        headers=bearer,
        params={"file_name": f"{LAST}.csv"},
    )
    assert done.status_code == 201, done.text
    row = await database.pool.fetchrow(
        "SELECT c.id AS who, a.id AS attendee, t.id AS ticket FROM contacts c"
        " JOIN attendees a ON a.contact_id = c.id JOIN tickets t"
        " ON t.attendee_id = a.id WHERE c.email = $1",
        EMAIL,
    )
    _, device = await pair_device(http, bearer, place)

    async def admitted() -> bool:
        answer = await http.post(
            f"/api/v1/events/{place.event}/scans",
            json={"id": str(uuid4()), "code": "Z-0042"},
            headers=device,
        )
        return answer.status_code == 200 and answer.json()["verdict"] == "admitted"

    await until(admitted, "the guest is let in")
    assert await everywhere(database, row["who"], row["attendee"], row["ticket"]) > 20
    changed = await http.patch(
        f"/api/v1/contacts/{row['who']}",
        json={"phone": PHONE, "job_title": f"{LAST}'s boss"},
        headers={**bearer, "If-Match": "*"},
    )
    if changed.status_code >= 400:
        await database.pool.execute(
            "UPDATE contacts SET phone = $2 WHERE id = $1", row["who"], PHONE
        )
    other = await contact(database, "b@x.org", first_name="Peter", last_name="Jones")
    await insert(
        database,
        "notes",
        contact_id=other,
        content=f"Works with {NAME.upper()}, reach: {EMAIL.title()} or 416 555 0199.",
    )
    await insert(database, "companies", name="Acme", email=EMAIL, phone=PHONE)
    await database.pool.execute(
        "UPDATE ops.import_runs SET problems = problems || $1",
        [{"line": 9, "cause": f"cannot read {NAME} <{EMAIL}>"}],
    )
    return row["who"], row["attendee"], device


async def drained(database: Database) -> bool:
    return not await database.pool.fetchval("SELECT count(*) FROM ops.outbox")


async def test_a_person_is_erased_from_all_stores(
    http: httpx.AsyncClient,
    bearer: dict[str, str],
    database: Database,
    runtime: Runtime,
    settings: Settings,
    place: Place,
    person: tuple[UUID, UUID, dict[str, str]],
) -> None:
    who, _, device = person
    redis = runtime.cache.redis
    folder = Path(settings.data_dir)

    async def in_cache() -> list[str]:
        return await in_redis(redis, NEEDLES)

    # The control: before, the person is all over the place.
    assert keys.tickets(place.event) in await until(in_cache, "the name is cached")
    before_in = await in_tables(database, NEEDLES)
    assert len(before_in) > 25, before_in
    assert "ops.attendee_words" in before_in
    before = await counts(database)
    told_all = await http.get(f"/api/v1/contacts/{who}/export", headers=bearer)
    assert EMAIL in told_all.text

    erased = await http.post(
        f"/api/v1/contacts/{who}/erase",
        json={"reason": "asked by letter"},
        headers={**bearer, "Idempotency-Key": str(uuid4())},
    )
    assert erased.status_code == 200, erased.text
    result = erased.json()["result"]
    assert result["changed"]["public.attendees"] == 1
    assert result["mentions"]["public.companies"] >= 1
    assert result["kept_names"] == 0
    await until(lambda: drained(database), "the relay has told the cache")

    assert await in_tables(database, NEEDLES) == {}
    assert await in_redis(redis, NEEDLES) == []
    assert in_files(folder, NEEDLES) == []
    assert await counts(database) == before
    note = await database.pool.fetchval(
        "SELECT content FROM notes n JOIN contacts c ON c.id = n.contact_id"
        " WHERE c.email = 'b@x.org'"
    )
    assert note == "Works with (erased), reach: (erased) or (erased)."
    # The door knows the ticket as before.
    again = await http.post(
        f"/api/v1/events/{place.event}/scans",
        json={"id": str(uuid4()), "code": "Z-0042"},
        headers=device,
    )
    assert again.json()["verdict"] in ("refused", "hold")
    # Which cause comes first depends on the rows above: a ban of the person is one.
    assert again.json()["ticket"] is not None
    # Paul is who he was.
    assert await in_tables(database, ["Untouched", "paul@example.org"])


async def test_what_was_erased_stays_so(
    http: httpx.AsyncClient,
    bearer: dict[str, str],
    database: Database,
    place: Place,
    person: tuple[UUID, UUID, dict[str, str]],
) -> None:
    who, _, _ = person
    url = f"/api/v1/contacts/{who}"
    for _ in range(2):
        done = await http.post(
            f"{url}/erase", json={"reason": "asked twice"}, headers=bearer
        )
        assert done.status_code == 200, done.text
    # A file that still has the person brings nobody back.
    again = await http.post(
        f"/api/v1/events/{place.event}/imports", content=FILE, headers=bearer
    )
    assert again.status_code == 201, again.text
    await database.pool.execute("UPDATE ops.import_runs SET problems = '[]'")
    assert await in_tables(database, NEEDLES) == {}
    assert (again.json()["created"], again.json()["bad"]) == (0, 1)
    # The audit log keeps that it was done and what cannot be read.
    audit = await http.get(f"/api/v1/audit?target_id={who}", headers=bearer)
    items = audit.json()["items"]
    assert [i["action"] for i in items][:2] == ["contacts.erase"] * 2
    assert {i["personal"] is None for i in items} == {True}
    assert (await http.post("/api/v1/audit/verify", headers=bearer)).status_code == 200
    told_all = await http.get(f"{url}/export?form=html", headers=bearer)
    assert told_all.status_code == 200
    assert all(needle not in told_all.text for needle in NEEDLES)
    listed = await http.get("/api/v1/privacy/erasures?limit=1", headers=bearer)
    assert listed.json()["items"][0]["person_id"] == str(who)
    assert listed.json()["next_cursor"]
    nobody = await http.post(
        f"/api/v1/contacts/{uuid4()}/erase", json={"reason": "x"}, headers=bearer
    )
    assert nobody.status_code == 404
    await user(database, "sales@example.org", "sales")
    sales = await sign_in(http, "sales@example.org")
    for method, path in (("POST", f"{url}/erase"), ("GET", f"{url}/export")):
        refused = await http.request(method, path, json={"reason": "x"}, headers=sales)
        assert refused.status_code == 403


async def test_friends_who_share_an_address_keep_their_names(
    http: httpx.AsyncClient, bearer: dict[str, str], database: Database, place: Place
) -> None:
    who = await contact(database, EMAIL, first_name=FIRST, last_name=LAST)
    shared = {"event_id": place.event, "contact_id": who, "email": EMAIL}
    own = await insert(
        database, "attendees", **shared, first_name="Zoé Anaïs", last_name=LAST
    )
    friend = await insert(
        database, "attendees", **shared, first_name="李小龙", last_name="Li"
    )
    done = await http.post(
        f"/api/v1/contacts/{who}/erase", json={"reason": "asked"}, headers=bearer
    )
    assert done.json()["result"]["other_holders"] == 1
    rows = {
        row["id"]: (row["first_name"], row["email"])
        for row in await database.pool.fetch("SELECT * FROM attendees")
    }
    assert rows == {own: ("Erased", None), friend: ("李小龙", None)}


async def test_a_namesake_is_left_alone(
    http: httpx.AsyncClient, bearer: dict[str, str], database: Database, place: Place
) -> None:
    who = await contact(database, EMAIL, first_name="Ana", last_name="Tremblay")
    other = await contact(database, "x@y.org", first_name="Ana", last_name="TREMBLAY")
    await insert(database, "notes", contact_id=other, content="Ana Tremblay called")
    done = await http.post(
        f"/api/v1/contacts/{who}/erase", json={"reason": "asked"}, headers=bearer
    )
    assert done.json()["result"]["kept_names"] == 1
    assert await database.pool.fetchval("SELECT content FROM notes") == (
        "Ana Tremblay called"
    )


@pytest.mark.parametrize("kept", [True, False])
async def test_a_number_of_several_stays_with_the_others(
    http: httpx.AsyncClient, bearer: dict[str, str], database: Database, kept: bool
) -> None:
    who = await contact(database, EMAIL, phone="+1 416 555 0199")
    if kept:
        await contact(database, "x@y.org", phone="(416) 555-0199")
    await insert(database, "tasks", title="Call 416 555-0199 at four")
    done = await http.post(
        f"/api/v1/contacts/{who}/erase", json={"reason": "asked"}, headers=bearer
    )
    assert (done.json()["result"]["kept_numbers"] > 0) is kept
    own = await database.pool.fetchval("SELECT phone FROM contacts WHERE id = $1", who)
    assert own is None
    title = await database.pool.fetchval("SELECT title FROM tasks")
    assert ("0199" in title) is kept
    numbers = await database.pool.fetch(
        "SELECT phone FROM contacts WHERE phone IS NOT NULL"
    )
    assert [row["phone"] for row in numbers] == ["(416) 555-0199"] * kept


async def test_a_holder_without_contact(
    http: httpx.AsyncClient, bearer: dict[str, str], database: Database, place: Place
) -> None:
    holder = await insert(
        database,
        "attendees",
        event_id=place.event,
        first_name=FIRST,
        last_name=LAST,
        phone=PHONE,
    )
    done = await http.post(
        f"/api/v1/attendees/{holder}/erase", json={"reason": "asked"}, headers=bearer
    )
    assert done.status_code == 200, done.text
    assert await in_tables(database, NEEDLES) == {}


async def test_every_table_that_refers_to_a_contact_is_in_the_dossier(
    http: httpx.AsyncClient,
    bearer: dict[str, str],
    database: Database,
    person: tuple[UUID, UUID, dict[str, str]],
) -> None:
    who, _, _ = person
    made = (await http.get(f"/api/v1/contacts/{who}/export", headers=bearer)).json()
    wanted = {row["tab"] for row in await database.pool.fetch(TO_CONTACTS)}
    assert wanted - {"public.contacts"} <= set(made["tables"])
    assert "public.check_ins" in made["tables"]
    assert made["tables"]["public.contacts"][0]["email"] == EMAIL
    text = str(made["tables"])
    assert "code_hash" not in text
    assert "Untouched" not in text
