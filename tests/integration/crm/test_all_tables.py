"""Each table is written and read through its API, by a number of queries that stays."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from ops.crm.resources import BY_NAME, RESOURCES
from ops.db.engine import Database
from ops.ids import uuid7
from ops.runtime import Runtime
from tests.integration.crm.rows import API, CIRCLES, ORDER, body_of, make, world
from tests.integration.people.people_kit import Place, pair_device

Bearer = dict[str, str]


@pytest.mark.timeout(400)
async def test_each_table_is_made_read_listed_changed_and_deleted(
    http: httpx.AsyncClient, bearer: Bearer
) -> None:
    assert CIRCLES
    ids = await world(http, bearer)
    for name in ORDER:
        resource = BY_NAME[name]
        row_id = ids[resource.table.partition(".")[2]]
        at = f"{API}/{name}/{row_id}"
        listed = await http.get(f"{API}/{name}?id={row_id}&labels=true", headers=bearer)
        assert listed.status_code == 200, (name, listed.text)
        [item] = listed.json()["items"]
        assert item["id"] == row_id
        assert {k for k, v in item.items() if v is not None} >= set(
            resource.example
        ) - resource.read_only, name
        read = (await http.get(f"{at}?labels=true", headers=bearer)).json()
        if name == "events":  # with its places, and no labels
            assert (read["id"], read["etag"]) == (item["id"], item["etag"])
        else:
            assert read == item, name
        wanted = {
            k: v
            for k, v in body_of(resource, ids).items()
            if k in {f.name for f in resource.writable(creating=False)}
        }
        changed = await http.patch(at, json=wanted, headers=bearer)
        assert changed.status_code == 200, (name, changed.text)
    for name in reversed(ORDER):
        resource = BY_NAME[name]
        at = f"{API}/{name}/{ids[resource.table.partition('.')[2]]}"
        gone = await http.delete(at, headers=bearer)
        if resource.soft:
            assert gone.json()["gone"] is False, (name, gone.text)
        else:
            assert gone.status_code in (200, 409), (name, gone.text)


async def test_a_visit_is_made_by_a_scan_and_read_by_the_api(
    http: httpx.AsyncClient, bearer: Bearer, place: Place, runtime: Runtime
) -> None:
    ids = {"events": str(place.event)}
    for name in ("ticket_types", "orders", "attendees", "tickets"):
        await make(http, bearer, name, ids)
    rule = {
        "event_id": str(place.event),
        "scope_id": str(place.scope),
        "ticket_type_id": ids["ticket_types"],
    }
    made = await http.post(f"{API}/access_rules", json=rule, headers=bearer)
    assert made.status_code == 201, made.text
    _, device = await pair_device(http, bearer, place)
    code = (await runtime._coder()).issue(UUID(ids["tickets"]))[0]
    scan = await http.post(
        f"{API}/events/{place.event}/scans",
        json={"id": str(uuid7()), "code": code},
        headers=device,
    )
    assert scan.json()["verdict"] == "admitted", scan.text
    page = await http.get(f"{API}/check_ins?ticket_id={ids['tickets']}", headers=bearer)
    [visit] = page.json()["items"]
    noted = await http.patch(
        f"{API}/check_ins/{visit['id']}",
        json={"validation_notes": "Checked the passport."},
        headers=bearer,
    )
    assert noted.json()["validation_notes"] == "Checked the passport."
    by_hand = await http.post(f"{API}/check_ins", json={}, headers=bearer)
    assert by_hand.status_code == 405
    moved = await http.patch(
        f"{API}/check_ins/{visit['id']}", json={"pass_no": 2}, headers=bearer
    )
    assert moved.status_code == 400


class Counted:
    """The statements that the CRM's connections were sent."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime, self.sent = runtime, []

    async def __aenter__(self) -> list[str]:
        pool = self.runtime.crm_pool.pool
        self.one = await pool.acquire()
        self.one.add_query_logger(self._heard)
        await pool.release(self.one)
        return self.sent

    def _heard(self, record: Any) -> None:
        self.sent.append(record.query)

    async def __aexit__(self, *_: object) -> None:
        async with self.runtime.crm_pool.pool.acquire() as one:
            one.remove_query_logger(self._heard)


@pytest.mark.timeout(300)
async def test_a_list_is_one_statement_however_long(
    http: httpx.AsyncClient, bearer: Bearer, runtime: Runtime
) -> None:
    """Two with labels. The negative control: what a row alone costs is seen."""
    ids = await world(http, bearer)
    for name in ("notes", "tasks", "leads", "bundle_items"):
        resource = BY_NAME[name]
        body = body_of(resource, ids)
        for n in range(0 if name == "bundle_items" else 20):
            made = await http.post(f"{API}/{name}", json=dict(body), headers=bearer)
            assert made.status_code == 201, (n, made.text)
    for resource in RESOURCES:
        for query, most in (("limit=200", 1), ("limit=200&labels=true", 2)):
            async with Counted(runtime) as sent:
                answer = await http.get(
                    f"{API}/{resource.name}?{query}", headers=bearer
                )
                assert answer.status_code == 200, answer.text
            assert len(sent) <= most, (resource.name, sent)
    async with Counted(runtime) as sent:
        for item in (await http.get(f"{API}/notes?limit=5", headers=bearer)).json()[
            "items"
        ]:
            await http.get(f"{API}/notes/{item['id']}", headers=bearer)
    assert len(sent) == 6


async def test_a_row_of_another_event_is_not_named(
    http: httpx.AsyncClient, bearer: Bearer
) -> None:
    ids: dict[str, str] = {}
    for name in ("events", "ticket_types"):
        await make(http, bearer, name, ids)
    other: dict[str, str] = {}
    await make(http, bearer, "events", other)
    answer = await http.post(
        f"{API}/tickets",
        json={"event_id": other["events"], "ticket_type_id": ids["ticket_types"]},
        headers=bearer,
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "other_event"


async def test_a_local_day_is_the_events(
    http: httpx.AsyncClient, bearer: Bearer, database: Database
) -> None:
    """03:00 in Toronto belongs to the evening before: the day starts at six."""
    ids: dict[str, str] = {}
    await make(http, bearer, "events", ids)
    for n, at in enumerate(("2026-11-26T03:00:00Z", "2026-11-26T12:00:00Z")):
        made = await http.post(
            f"{API}/orders",
            json={
                "event_id": ids["events"],
                "order_number": f"D-{n}",
                "placed_at": at,
            },
            headers=bearer,
        )
        assert made.status_code == 201
    for day, wanted in (("2026-11-25", ["D-0"]), ("2026-11-26", ["D-1"])):
        page = await http.get(f"{API}/orders?placed_at[day]={day}", headers=bearer)
        assert [i["order_number"] for i in page.json()["items"]] == wanted
    stored = await database.pool.fetchval("SELECT min(placed_at) FROM orders")
    assert stored == datetime(2026, 11, 26, 3, tzinfo=UTC)
