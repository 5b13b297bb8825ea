"""Segments over real rows, and lead scores by rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx

from ops.crm.conditions import read
from ops.crm.segment_sql import Compiled, compile_sql, narrowed
from ops.crm.segments import quickest
from ops.db.engine import Database
from tests.integration.crm.crm_kit import contact, insert
from tests.integration.crm.test_timeline import attend
from tests.integration.people.people_kit import Place, make_place, sign_in, user

NOW = datetime.now(UTC)


async def past(database: Database, title: str, days: int) -> Place:
    place = await make_place(database, title)
    await database.pool.execute(
        "UPDATE events SET starts_at = $2, ends_at = $3 WHERE id = $1",
        place.event,
        NOW - timedelta(days=days),
        NOW - timedelta(days=days - 1),
    )
    return place


async def people(database: Database) -> dict[str, UUID]:
    """Regular came twice; lapsed came first and not last; new never; rich paid."""
    large = await insert(database, "companies", name="Acme", company_size="large")
    made = {
        "regular": await contact(
            database, "regular@x.org", company_id=large, tags=["press"], city="Laval"
        ),
        "lapsed": await contact(database, "lapsed@x.org", city="LAVAL", lead_score=3),
        "new": await contact(database, "new@x.org", contact_type="vip"),
        "rich": await contact(database, "rich@x.org", sms_consent=True),
    }
    first, last = await past(database, "First", 60), await past(database, "Last", 20)
    for who in ("regular", "lapsed"):
        await attend(database, first, made[who], NOW - timedelta(days=60))
    await attend(database, last, made["regular"], NOW - timedelta(days=20))
    await insert(
        database,
        "attendees",
        event_id=last.event,
        contact_id=made["lapsed"],
        first_name="Bo",
    )
    for number, paid in (("A", 80), ("B", 30)):
        await insert(
            database,
            "orders",
            event_id=last.event,
            contact_id=made["rich"],
            order_number=number,
            amount_paid=paid,
            status="paid",
        )
    return made


SIZE = {"type": "field", "field": "company_size"}
CASES: list[tuple[dict[str, Any], set[str]]] = [
    ({"type": "all", "of": []}, {"regular", "lapsed", "new", "rich"}),
    ({"type": "attended", "at_least": 2}, {"regular"}),
    ({"type": "attended"}, {"regular", "lapsed"}),
    ({"type": "attended", "within_days": 30}, {"regular"}),
    ({"type": "no_show_last_time"}, {"lapsed"}),
    ({"type": "vip"}, {"new"}),
    ({"type": "spent", "more_than": "100"}, {"rich"}),
    ({"type": "spent", "more_than": "110"}, set()),
    ({"type": "spent", "more_than": "1", "currency": "EUR"}, set()),
    ({"type": "tag", "tag": "press"}, {"regular"}),
    ({"type": "consent", "purpose": "sms"}, {"rich"}),
    ({"type": "score", "at_least": 3}, {"lapsed"}),
    (
        {"type": "field", "field": "city", "value": "laval"},
        {"regular", "lapsed"},
    ),
    (
        {"type": "field", "field": "company_size", "op": "in", "value": ["large"]},
        {"regular"},
    ),
    (
        {"type": "field", "field": "company_size", "op": "empty"},
        {"lapsed", "new", "rich"},
    ),
    ({"type": "field", "field": "city", "op": "contains", "value": "%"}, set()),
    ({"type": "not", "that": {"type": "attended"}}, {"new", "rich"}),
    (
        {
            "type": "any",
            "of": [{"type": "vip"}, {"type": "spent", "more_than": "100"}],
        },
        {"new", "rich"},
    ),
    ({"type": "not_contacted", "for_days": 1}, {"regular", "lapsed", "new", "rich"}),
]


async def test_each_condition_finds_whom_it_says(
    http: httpx.AsyncClient, bearer: dict[str, str], database: Database
) -> None:
    made = await people(database)
    gone = await contact(database, "gone@x.org", status="deleted", tags=["press"])
    names = {str(row): name for name, row in made.items()}
    assert str(gone) not in names
    for n, (tree, wanted) in enumerate(CASES):
        body = {"name": f"Case {n}", "conditions": tree}
        saved = await http.post("/api/v1/segments", json=body, headers=bearer)
        assert saved.status_code == 201, saved.text
        url = f"/api/v1/segments/{saved.json()['id']}"
        listed = (await http.get(f"{url}/contacts", headers=bearer)).json()
        assert {names[i["id"]] for i in listed["items"]} == wanted, tree
        count = await http.get(f"{url}/count", headers=bearer)
        assert count.json() == {"count": len(wanted)}
    everybody = {"conditions": {"type": "all", "of": []}}
    preview = await http.post(
        "/api/v1/segments/preview", json=everybody, headers=bearer
    )
    assert preview.json() == {"count": 4}


async def test_every_way_to_count_finds_the_same(database: Database) -> None:
    """Whole, with one walk for several behaviours, and beginning with the few."""
    made = await people(database)
    await contact(database, "gone@x.org", status="deleted", tags=["press"])
    names = {row: name for name, row in made.items()}

    async def found(statement: Compiled) -> set[str]:
        rows = await database.pool.fetch(statement.select("c.id"), *statement.values)
        assert len(rows) == len({row["id"] for row in rows})
        return {names[row["id"]] for row in rows}

    begun = 0
    for one, of_one in CASES:
        for other, of_other in CASES:
            both = read({"type": "all", "of": [one, other]})
            either = read({"type": "any", "of": [one, other]})
            assert await found(compile_sql(both)) == of_one & of_other, both
            assert await found(compile_sql(either)) == of_one | of_other, either
            begins = narrowed(both)
            if begins is not None:
                begun += 1
                assert await found(begins.segment) == of_one & of_other, both
    assert begun > 50


async def test_the_few_come_first_where_they_are_few(database: Database) -> None:
    """By PostgreSQL's own estimate: a tag of one in fifty, and one of all."""
    await database.pool.execute(
        """
        INSERT INTO contacts (first_name, last_name, email, tags)
        SELECT 'Zoë', 'O''Brien', n || '@x.org',
               CASE WHEN n % 50 = 0 THEN '{press,all}' ELSE '{all}' END::text[]
          FROM generate_series(1, 2000) AS n
        """
    )
    await database.pool.execute("ANALYZE contacts")
    for tag, first in (("press", True), ("all", False)):
        tree = [{"type": "tag", "tag": tag}, {"type": "attended"}]
        made = await quickest(database.pool, read({"type": "all", "of": tree}))
        assert ("few" in made.sets) is first, tag


async def test_segments_are_kept_changed_and_guarded(
    http: httpx.AsyncClient, bearer: dict[str, str], database: Database
) -> None:
    body = {"name": "VIPs", "conditions": {"type": "vip"}}
    key = {"Idempotency-Key": str(uuid4())}
    first, again = [
        await http.post("/api/v1/segments", json=body, headers={**bearer, **key})
        for _ in range(2)
    ]
    assert first.json() == again.json()
    taken = await http.post("/api/v1/segments", json=body, headers=bearer)
    assert (taken.status_code, taken.json()["code"]) == (409, "already_exists")
    url = f"/api/v1/segments/{first.json()['id']}"
    changed = await http.put(
        url, json={**body, "conditions": {"type": "attended"}}, headers=bearer
    )
    assert changed.json()["conditions"]["type"] == "attended"
    wrong = await http.put(
        url, json={**body, "conditions": {"type": "sql"}}, headers=bearer
    )
    assert wrong.status_code == 400
    listed = await http.get("/api/v1/segments", headers=bearer)
    assert [s["name"] for s in listed.json()["items"]] == ["VIPs"]
    await user(database, "steward@example.org", "steward")
    steward = await sign_in(http, "steward@example.org")
    assert (await http.get("/api/v1/segments", headers=steward)).status_code == 403
    assert (await http.delete(url, headers=bearer)).status_code == 204
    assert (await http.delete(url, headers=bearer)).status_code == 404


async def test_scores_follow_the_rules(
    http: httpx.AsyncClient, bearer: dict[str, str], database: Database
) -> None:
    made = await people(database)
    apply = "/api/v1/score-rules/apply"
    assert (await http.post(apply, headers=bearer)).json() == {"changed": 0}
    rules = (
        {"name": "Came", "signal": "event_attended", "points": 20, "times_max": 5},
        {"name": "Lately", "signal": "event_attended", "points": 7, "within_days": 30},
        {"name": "Paid", "signal": "order_paid", "points": 90, "times_max": 9},
        {"name": "Off", "signal": "order_paid", "points": -50, "enabled": False},
    )
    ids = []
    for rule in rules:
        saved = await http.post("/api/v1/score-rules", json=rule, headers=bearer)
        assert saved.status_code == 201, saved.text
        ids.append(saved.json()["id"])
    assert (await http.post(apply, headers=bearer)).json() == {"changed": 3}

    async def scores() -> dict[str, int]:
        return {
            name: await database.pool.fetchval(
                "SELECT lead_score FROM contacts WHERE id = $1", who
            )
            for name, who in made.items()
        }

    assert await scores() == {"regular": 47, "lapsed": 20, "new": 0, "rich": 100}
    assert (await http.post(apply, headers=bearer)).json() == {"changed": 0}
    gone = await http.delete(f"/api/v1/score-rules/{ids[2]}", headers=bearer)
    assert gone.status_code == 204
    on = {**rules[3], "enabled": True}
    await http.put(f"/api/v1/score-rules/{ids[3]}", json=on, headers=bearer)
    await http.post(apply, headers=bearer)
    assert (await scores())["rich"] == 0
    bad = await http.post(
        "/api/v1/score-rules", json={**rules[0], "points": 101}, headers=bearer
    )
    assert bad.status_code == 400
