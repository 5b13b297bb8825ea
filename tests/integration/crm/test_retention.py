"""Rules of retention: defaults, changes, and what they touch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx

from ops.db.engine import Database
from ops.privacy.personal import traces, words
from ops.privacy.retention import RULES
from tests.integration.crm.crm_kit import contact, insert
from tests.integration.people.people_kit import MovedClock, Place, sign_in, user

NOW = datetime.now(UTC)


async def test_what_is_old_is_forgotten_and_what_is_not_is_kept(
    http: httpx.AsyncClient,
    bearer: dict[str, str],
    database: Database,
    place: Place,
    clock: MovedClock,
) -> None:
    needs = {"first_name": "Wu", "accessibility_needs": "ramp", "notes": ["ask"]}
    holder = await insert(database, "attendees", event_id=place.event, **needs)
    run = await http.post("/api/v1/privacy/retention/run", headers=bearer)
    assert run.status_code == 200, run.text
    assert set(run.json()["touched"].values()) == {0}
    clock.shift = timedelta(days=92)
    bearer = await sign_in(http, "owner@example.org")
    run = await http.post("/api/v1/privacy/retention/run", headers=bearer)
    touched = run.json()["touched"]
    assert touched["special_needs"] == 1
    assert "inactive_contacts" not in touched
    row = await database.pool.fetchrow("SELECT * FROM attendees WHERE id = $1", holder)
    assert (row["first_name"], row["accessibility_needs"], row["notes"]) == (
        "Wu",
        None,
        [],
    )
    rules = (await http.get("/api/v1/privacy/retention", headers=bearer)).json()
    assert [rule["name"] for rule in rules] == list(RULES)
    told = {rule["name"]: rule for rule in rules}
    assert told["special_needs"]["last_rows"] == 1
    assert told["inactive_contacts"]["last_run_at"] is None


async def test_contacts_that_nobody_knows_any_more_are_erased(
    http: httpx.AsyncClient,
    bearer: dict[str, str],
    database: Database,
    place: Place,
    clock: MovedClock,
) -> None:
    await contact(database, "old@x.org")
    busy = await contact(database, "busy@x.org")
    await insert(database, "opportunities", contact_id=busy, name="Deal")
    guest = await contact(database, "guest@x.org")
    await insert(
        database, "attendees", event_id=place.event, contact_id=guest, first_name="Bo"
    )
    url = "/api/v1/privacy/retention/inactive_contacts"
    for body, status in (
        ({"keep_days": 0}, 400),
        ({"keep_days": 30, "enabled": True}, 200),
    ):
        answer = await http.put(url, json=body, headers=bearer)
        assert answer.status_code == status, answer.text
    assert (
        await http.put(f"{url}x", json={"keep_days": 1}, headers=bearer)
    ).status_code == 404
    # The guest's event ended six hours ahead: not yet a month ago.
    clock.shift = timedelta(days=30, hours=1)
    bearer = await sign_in(http, "owner@example.org")
    run = await http.post("/api/v1/privacy/retention/run", headers=bearer)
    assert run.json()["touched"]["inactive_contacts"] == 1, run.text
    left = await database.pool.fetch(
        "SELECT email FROM contacts WHERE status <> 'deleted' ORDER BY email"
    )
    assert [row["email"] for row in left] == ["busy@x.org", "guest@x.org"]
    audit = await http.get("/api/v1/audit?action=retention.update", headers=bearer)
    assert audit.json()["items"][0]["detail"]["after"]["keep_days"] == 30
    await user(database, "sales@example.org", "sales")
    sales = await sign_in(http, "sales@example.org")
    for method, path in (("GET", "/privacy/retention"), ("GET", "/privacy/erasures")):
        refused = await http.request(method, f"/api/v1{path}", headers=sales)
        assert refused.status_code == 403


async def test_patterns_find_a_person_and_nobody_else(database: Database) -> None:
    marks = traces(
        ["a.b@x.org", "erased-1@erased.invalid"],
        ["+1 (416) 555-0199", "12", "+33612345678"],
        ["Ana  O'Brien-Łukasz", "Wu", "(x) [y] .*"],
    )
    for text, expected in (
        ("mail a.b@x.org!", "mail (erased)!"),
        ("mail A.B@X.ORG", "mail (erased)"),
        ("mail za.b@x.org", "mail za.b@x.org"),
        ("mail aXb@x.org", "mail aXb@x.org"),
        ("call 1-416-555-0199 now", "call (erased) now"),
        ("call (416) 555.0199.", "call (erased)."),
        ("call 0612345678", "call (erased)"),
        ("call 91416555019933", "call 91416555019933"),
        ("ana o'brien-łukasz", "(erased)"),
        ("Wu said (x) [y] .* and more", "Wu said (erased) and more"),
    ):
        found = await database.pool.fetchval(
            "SELECT regexp_replace($1::text, $2, '(erased)', 'gi')", text, marks.pattern
        )
        assert found == expected
        hinted = await database.pool.fetchval(
            "SELECT lower($1::text) ~ $2", text, marks.hint
        )
        assert hinted or found == text, text
    assert words(["Ana O'Brien-Łukasz", "Wu"]) == "O'Brien\\-Łukasz"
