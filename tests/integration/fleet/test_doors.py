"""Doors, gates and delays, set in the control room and felt at the next scan."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from ops.db.engine import Database
from ops.ids import uuid7
from tests.integration.people.people_kit import sign_in, user
from tests.small_event import SmallEvent

Headers = dict[str, str]


async def scan(http: httpx.AsyncClient, event: SmallEvent, code: str) -> Any:
    answer = await http.post(
        f"/api/v1/events/{event.id}/scans",
        json={"id": str(uuid7()), "code": code},
        headers={"Authorization": f"Device dev_{event.device}"},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_closed_doors_refuse_at_the_next_scan_and_open_again(
    http: httpx.AsyncClient, bearer: Headers, event: SmallEvent, database: Database
) -> None:
    url = f"/api/v1/events/{event.id}/doors"
    assert (await scan(http, event, "T-1"))["verdict"] == "admitted"
    held = await http.post(url, json={"state": "held"}, headers=bearer)
    assert held.json()["doors_state"] == "held"
    assert (await scan(http, event, "T-2"))["reason"] == "doors_closed"
    await http.post(url, json={"state": "open", "reason": "all clear"}, headers=bearer)
    assert (await scan(http, event, "T-2"))["verdict"] == "admitted"
    noted = await database.pool.fetch(
        "SELECT action, detail ->> 'state' AS state FROM ops.audit_log"
        " WHERE action LIKE 'doors.%' ORDER BY id"
    )
    assert [tuple(row) for row in noted] == [
        ("doors.set", "held"),
        ("doors.set", "open"),
    ]


async def test_a_closed_gate_names_the_gate_to_use_instead(
    http: httpx.AsyncClient, bearer: Headers, event: SmallEvent
) -> None:
    closed = await http.post(
        f"/api/v1/events/{event.id}/gates/{event.main_gate}/doors",
        json={"state": "closed", "use_instead_id": str(event.room_gate)},
        headers=bearer,
    )
    assert closed.status_code == 200, closed.text
    answer = await scan(http, event, "T-3")
    assert answer["reason"] == "doors_closed"
    assert "Room 1 door" in answer["message"]
    beat = await http.post(
        "/api/v1/devices/heartbeat",
        json={},
        headers={"Authorization": f"Device dev_{event.device}"},
    )
    assert beat.json()["config"]["gate"]["use_instead"] == "Room 1 door"
    for wrong in (event.main_gate, uuid7()):
        refused = await http.post(
            f"/api/v1/events/{event.id}/gates/{event.main_gate}/doors",
            json={"state": "closed", "use_instead_id": str(wrong)},
            headers=bearer,
        )
        assert refused.json()["code"] == "unknown_gate"


async def test_a_delay_moves_doors_and_admission_together(
    http: httpx.AsyncClient, bearer: Headers, event: SmallEvent, database: Database
) -> None:
    opens = await database.pool.fetchval(
        "UPDATE events SET doors_open_at = starts_at, admission_opens_at = starts_at"
        " WHERE id = $1 RETURNING starts_at",
        event.id,
    )
    url = f"/api/v1/events/{event.id}/delay"
    moved = await http.post(url, json={"minutes": 80}, headers=bearer)
    assert moved.status_code == 200, moved.text
    for name in ("doors_open_at", "admission_opens_at"):
        at = datetime.fromisoformat(moved.json()[name])
        assert at == opens + timedelta(minutes=80)
    assert (await scan(http, event, "T-4"))["reason"] == "too_early"
    back = await http.post(url, json={"minutes": -80}, headers=bearer)
    assert datetime.fromisoformat(back.json()["doors_open_at"]) == opens
    assert (await scan(http, event, "T-4"))["verdict"] == "admitted"
    late = await http.post(url, json={"minutes": 1_000}, headers=bearer)
    assert (late.status_code, late.json()["code"]) == (422, "after_the_end")


async def test_a_delay_moves_what_is_prepared(
    http: httpx.AsyncClient, bearer: Headers, event: SmallEvent, database: Database
) -> None:
    pool = database.pool
    rows = {
        "soon": ("scheduled", None, timedelta(hours=2)),
        "about a session": ("scheduled", event.session, timedelta(hours=2)),
        "sent": ("sent", None, timedelta(hours=-1)),
        "late": ("scheduled", None, timedelta(minutes=-5)),
        "sent now, to be taken back": ("scheduled", None, timedelta(seconds=9)),
    }
    for title, (status, session, later) in rows.items():
        await pool.execute(
            "INSERT INTO event_announcements (event_id, session_id, title, content,"
            " status, scheduled_for) VALUES ($1, $2, $3, 'x', $4, now() + $5)",
            event.id,
            session,
            title,
            status,
            later,
        )
    read = "SELECT title, scheduled_for FROM event_announcements WHERE event_id = $1"
    before = dict([tuple(row) for row in await pool.fetch(read, event.id)])
    url = f"/api/v1/events/{event.id}/delay"
    answer = await http.post(url, json={"minutes": 20}, headers=bearer)
    assert answer.status_code == 200, answer.text
    after = dict([tuple(row) for row in await pool.fetch(read, event.id)])
    moved = {title for title in rows if after[title] != before[title]}
    assert moved == {"soon"}
    assert after["soon"] - before["soon"] == timedelta(minutes=20)


async def test_a_delay_repeated_under_its_key_moves_once(
    http: httpx.AsyncClient, bearer: Headers, event: SmallEvent
) -> None:
    url = f"/api/v1/events/{event.id}/delay"
    headers = {**bearer, "Idempotency-Key": str(uuid7())}
    first = await http.post(url, json={"minutes": 5}, headers=headers)
    again = await http.post(url, json={"minutes": 5}, headers=headers)
    assert again.json() == first.json()


@pytest.mark.parametrize("role", ["viewer", "steward"])
async def test_doors_are_for_door_managers(
    http: httpx.AsyncClient, event: SmallEvent, database: Database, role: str
) -> None:
    await user(database, f"{role}@example.org", role)
    me = await sign_in(http, f"{role}@example.org")
    answer = await http.post(
        f"/api/v1/events/{event.id}/doors", json={"state": "open"}, headers=me
    )
    assert answer.status_code == 403
