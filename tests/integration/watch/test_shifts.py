"""Shifts over HTTP, and who a sign-on at a device makes present."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from ops.db.engine import Database
from ops.ids import uuid7
from tests.small_event import SmallEvent

Headers = dict[str, str]


async def test_a_shift_is_missing_until_its_person_signs_on(
    http: httpx.AsyncClient, bearer: Headers, event: SmallEvent, database: Database
) -> None:
    root = f"/api/v1/events/{event.id}"
    made = await http.post(
        f"{root}/operators",
        json={"name": "Zoë O'Brien-Łukasz", "pin": "240917"},
        headers=bearer,
    )
    operator = made.json()["id"]
    now = datetime.now(UTC)
    body: dict[str, Any] = {
        "operator_id": operator,
        "gate_id": str(event.main_gate),
        "starts_at": (now - timedelta(minutes=5)).isoformat(),
        "ends_at": (now + timedelta(hours=2)).isoformat(),
    }
    key = {"Idempotency-Key": str(uuid7())}
    added = await http.post(f"{root}/shifts", json=body, headers={**bearer, **key})
    assert added.status_code == 201, added.text
    again = await http.post(f"{root}/shifts", json=body, headers={**bearer, **key})
    assert again.json()["id"] == added.json()["id"]

    async def staff() -> Any:
        return (await http.get(f"{root}/staffing", headers=bearer)).json()

    found = await staff()
    assert [one["state"] for one in found["shifts"]] == ["missing"]
    main = next(one for one in found["gates"] if one["gate"] == "Main gate")
    assert (main["wanted"], main["there"], main["short"]) == (1, 0, 1)
    signed = await http.post(
        "/api/v1/devices/operator",
        json={"pin": "240917"},
        headers={"Authorization": f"Device dev_{event.device}"},
    )
    assert signed.status_code == 200, signed.text
    found = await staff()
    assert [one["state"] for one in found["shifts"]] == ["signed_on"]
    main = next(one for one in found["gates"] if one["gate"] == "Main gate")
    assert (main["there"], main["short"]) == (1, 0)
    assert found["shifts"][0]["device"] == "Phone 1"

    listed = await http.get(f"{root}/shifts", headers=bearer)
    assert [one["operator"] for one in listed.json()["items"]] == ["Zoë O'Brien-Łukasz"]
    gone = await http.delete(f"{root}/shifts/{added.json()['id']}", headers=bearer)
    assert gone.status_code == 204
    gone = await http.delete(f"{root}/shifts/{added.json()['id']}", headers=bearer)
    assert gone.status_code == 404
    found = await staff()
    assert [one["operator"] for one in found["unplanned"]] == ["Zoë O'Brien-Łukasz"]


async def test_a_shift_that_cannot_be_is_refused(
    http: httpx.AsyncClient, bearer: Headers, event: SmallEvent, database: Database
) -> None:
    root = f"/api/v1/events/{event.id}"
    other = await SmallEvent.make(database.pool, tickets=1)
    made = await http.post(f"{root}/operators", json={"name": "Ng"}, headers=bearer)
    now = datetime.now(UTC)
    body: dict[str, Any] = {
        "operator_id": made.json()["id"],
        "starts_at": now.isoformat(),
        "ends_at": (now - timedelta(minutes=1)).isoformat(),
    }
    for change, code in (
        ({}, "before_the_start"),
        (
            {
                "ends_at": (now + timedelta(hours=1)).isoformat(),
                "gate_id": str(other.main_gate),
            },
            "unknown_operator",
        ),
        (
            {
                "ends_at": (now + timedelta(hours=1)).isoformat(),
                "operator_id": str(uuid7()),
            },
            "unknown_operator",
        ),
    ):
        answer = await http.post(
            f"{root}/shifts", json={**body, **change}, headers=bearer
        )
        assert (answer.status_code, answer.json()["code"]) == (422, code)
