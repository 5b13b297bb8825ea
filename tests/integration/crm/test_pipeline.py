"""Leads, opportunities, orders, tasks: once, with history, forecast, reminders."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import httpx

from ops.crm_sync.keeper import REMIND
from ops.db.engine import Database
from tests.integration.crm.crm_kit import contact, insert
from tests.integration.people.people_kit import MovedClock, Place


async def lead_of(database: Database, place: Place, owner: UUID) -> UUID:
    who = await contact(database, "zoe@x.org")
    return await insert(
        database,
        "leads",
        contact_id=who,
        event_id=place.event,
        lead_source="event",
        estimated_value=1_200,
        assigned_to=owner,
        expected_close_date=date(2026, 12, 15),
    )


async def test_a_lead_becomes_one_opportunity_and_one_order(
    http: httpx.AsyncClient,
    bearer: dict[str, str],
    database: Database,
    place: Place,
    owner: UUID,
) -> None:
    lead = await lead_of(database, place, owner)
    url = f"/api/v1/leads/{lead}/convert"
    answers = await asyncio.gather(
        *(http.post(url, json={"name": "Team"}, headers=bearer) for _ in range(8))
    )
    assert sorted(a.status_code for a in answers) == [200] * 7 + [201], answers[0].text
    (deal,) = {a.json()["id"] for a in answers}
    assert await database.pool.fetchval("SELECT count(*) FROM opportunities") == 1
    move = f"/api/v1/opportunities/{deal}/move"
    moved = await http.post(
        move, json={"stage": "proposal", "probability": 60}, headers=bearer
    )
    assert moved.json()["probability"] == 60, moved.text
    no_reason = await http.post(move, json={"stage": "closed_lost"}, headers=bearer)
    assert (no_reason.status_code, no_reason.json()["code"]) == (422, "reason_required")
    months = await http.get("/api/v1/pipeline/forecast", headers=bearer)
    sums = {"deals": 1, "amount": "1200.00", "weighted": "720.00"}
    assert months.json() == [{"month": "2026-12-01", **sums}]
    orders = await asyncio.gather(
        *(
            http.post(
                f"/api/v1/opportunities/{deal}/order",
                json={"paid": True},
                headers=bearer,
            )
            for _ in range(4)
        )
    )
    assert sorted(a.status_code for a in orders) == [200, 200, 200, 201], orders[0].text
    order = await database.pool.fetchrow("SELECT * FROM orders")
    assert (order["status"], order["total"]) == ("paid", 1_200)
    history = await http.get(f"/api/v1/opportunities/{deal}/history", headers=bearer)
    steps = [(s["from_stage"], s["to_stage"]) for s in history.json()]
    assert steps == [
        (None, "qualification"),
        ("qualification", "proposal"),
        ("proposal", "closed_won"),
    ]
    assert {s["changed_by"] for s in history.json()} == {str(owner)}
    status = await database.pool.fetchval("SELECT lead_status FROM leads")
    assert status == "closed_won"
    assert (await http.get("/api/v1/pipeline/forecast", headers=bearer)).json() == []
    reasons = await http.get("/api/v1/pipeline/outcomes", headers=bearer)
    assert reasons.json()[0]["stage"] == "closed_won"
    nobody = await http.post(
        f"/api/v1/leads/{uuid4()}/convert", json={}, headers=bearer
    )
    assert nobody.status_code == 404


async def test_a_stage_weighs_by_itself_and_an_order_needs_an_event(
    http: httpx.AsyncClient, bearer: dict[str, str], database: Database
) -> None:
    deal = await insert(
        database, "opportunities", name="Deal", stage="negotiation", amount=100
    )
    month = (await http.get("/api/v1/pipeline/forecast", headers=bearer)).json()[0]
    assert (month["month"], month["weighted"]) == (None, "75.00")
    url = f"/api/v1/opportunities/{deal}"
    bare = await http.post(f"{url}/order", json={}, headers=bearer)
    assert (bare.status_code, bare.json()["code"]) == (422, "event_required")
    lost = await http.post(
        f"{url}/move",
        json={"stage": "closed_lost", "reason": "too dear"},
        headers=bearer,
    )
    assert lost.json()["actual_close_date"]
    late = await http.post(f"{url}/order", json={}, headers=bearer)
    assert (late.status_code, late.json()["code"]) == (409, "opportunity_lost")


async def test_a_board_closes_a_deal_as_the_act_does(
    http: httpx.AsyncClient,
    bearer: dict[str, str],
    database: Database,
    place: Place,
    owner: UUID,
    clock: MovedClock,
) -> None:
    """A card is moved by PATCH: the same reason, day, worth and lead as by `move`."""
    zone = "Pacific/Kiritimati"  # 14 hours before UTC: often another day
    await database.pool.execute(
        "UPDATE events SET timezone = $2 WHERE id = $1", place.event, zone
    )
    lead = await lead_of(database, place, owner)
    made = await http.post(f"/api/v1/leads/{lead}/convert", json={}, headers=bearer)
    url = f"/api/v1/opportunities/{made.json()['id']}"
    mute = await http.patch(url, json={"stage": "closed_lost"}, headers=bearer)
    assert (mute.status_code, mute.json()["code"]) == (422, "reason_required")
    assert mute.json()["errors"][0]["field"] == "loss_reason"
    said = {"stage": "closed_lost", "loss_reason": "too dear"}
    lost = (await http.patch(url, json=said, headers=bearer)).json()
    local = clock.now().astimezone(ZoneInfo(zone)).date().isoformat()
    assert (lost["actual_close_date"], lost["probability"]) == (local, 0)
    ended = "SELECT lead_status FROM leads"
    assert await database.pool.fetchval(ended) == "closed_lost"
    silent = await http.patch(url, json={"loss_reason": " "}, headers=bearer)
    assert silent.status_code == 422
    again = (await http.patch(url, json={"stage": "proposal"}, headers=bearer)).json()
    assert (again["actual_close_date"], again["probability"]) == (None, 50)
    sure = {"stage": "negotiation", "probability": 90}
    assert (await http.patch(url, json=sure, headers=bearer)).json()[
        "probability"
    ] == 90
    bulk = {"op": "create", "data": {"name": "Late", "stage": "closed_lost"}}
    answer = await http.post(
        "/api/v1/opportunities/bulk", json={"operations": [bulk]}, headers=bearer
    )
    assert answer.json()["results"][0]["error"]["code"] == "reason_required"


async def test_a_reminder_is_given_once(
    http: httpx.AsyncClient, bearer: dict[str, str], database: Database, owner: UUID
) -> None:
    now = datetime.now(UTC)
    due = {"assigned_to": owner, "reminder_date": now, "due_date": now}
    await insert(database, "tasks", title="Call 李小龙", **due)
    await insert(database, "tasks", title="Done", **due, status="completed")
    later = {**due, "reminder_date": now + timedelta(days=1)}
    await insert(database, "tasks", title="Later", **later)
    await asyncio.gather(*(database.pool.execute(REMIND, now, 10) for _ in range(6)))
    await database.pool.execute(REMIND, now, 10)
    mine = (await http.get("/api/v1/me/reminders", headers=bearer)).json()
    assert [r["title"] for r in mine] == ["Call 李小龙"]
    seen = f"/api/v1/me/reminders/{mine[0]['id']}/seen"
    for _ in range(2):
        assert (await http.post(seen, headers=bearer)).status_code == 204
    tasks = (await http.get("/api/v1/me/tasks", headers=bearer)).json()
    assert (tasks[0]["title"], tasks[0]["overdue"]) == ("Call 李小龙", True)
    assert "Done" not in {t["title"] for t in tasks}
