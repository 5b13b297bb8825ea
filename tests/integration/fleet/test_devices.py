"""Devices that are locked, moved, and serve several events; over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from ops.checkin.devices import skew_ms
from ops.db.engine import Database
from ops.ids import uuid7
from ops.runtime import Runtime
from tests.small_event import SmallEvent

Headers = dict[str, str]


def phone(event: SmallEvent) -> Headers:
    return {"Authorization": f"Device dev_{event.device}"}


async def scan(
    http: httpx.AsyncClient, event: SmallEvent, code: str, path: str = "", **more: Any
) -> httpx.Response:
    return await http.post(
        path or f"/api/v1/events/{event.id}/scans",
        json={"id": str(uuid7()), "code": code, **more},
        headers=phone(event),
    )


async def test_a_locked_device_admits_nobody_until_somebody_signs_on(
    http: httpx.AsyncClient, bearer: Headers, event: SmallEvent, database: Database
) -> None:
    assert (await scan(http, event, "T-1")).json()["verdict"] == "admitted"
    url = f"/api/v1/devices/{event.device}"
    locked = await http.post(f"{url}/lock", headers=bearer)
    assert locked.json()["locked_at"] is not None
    refused = await scan(http, event, "T-2")
    assert (refused.status_code, refused.json()["code"]) == (423, "device_locked")
    other = await http.get(f"/api/v1/events/{event.id}", headers=phone(event))
    assert other.status_code == 423
    beat = await http.post("/api/v1/devices/heartbeat", json={}, headers=phone(event))
    assert beat.json()["config"]["locked"] is True
    made = await http.post(
        f"/api/v1/events/{event.id}/operators",
        json={"name": "Sam", "pin": "240917"},
        headers=bearer,
    )
    assert made.status_code == 201
    signed = await http.post(
        "/api/v1/devices/operator", json={"pin": "240917"}, headers=phone(event)
    )
    assert signed.status_code == 200, signed.text
    assert (await scan(http, event, "T-2")).json()["verdict"] == "admitted"
    beat = await http.post("/api/v1/devices/heartbeat", json={}, headers=phone(event))
    assert beat.json()["config"]["locked"] is False


async def test_the_control_room_unlocks_as_well(
    http: httpx.AsyncClient, bearer: Headers, event: SmallEvent
) -> None:
    url = f"/api/v1/devices/{event.device}"
    await http.post(f"{url}/lock", headers=bearer)
    assert (await scan(http, event, "T-3")).status_code == 423
    assert (await http.post(f"{url}/unlock", headers=bearer)).status_code == 200
    assert (await scan(http, event, "T-3")).json()["verdict"] == "admitted"


@pytest.mark.parametrize("guarded", [True, False])
async def test_the_lock_holds_at_the_next_scan_without_any_message(
    http: httpx.AsyncClient,
    event: SmallEvent,
    database: Database,
    runtime: Runtime,
    guarded: bool,
) -> None:
    """What the process remembers of the device is old; the entry that is read with the
    facts says it. Negative control: without it in the entry the device goes on."""
    assert (await scan(http, event, "T-1")).json()["verdict"] == "admitted"
    await runtime.registry.stop()
    if not guarded:
        view: str = await database.pool.fetchval(
            "SELECT pg_get_viewdef('ops.device_entries_v1'::regclass)"
        )
        begin, end = view.index("CASE"), view.index("END AS state")
        await database.pool.execute(
            "CREATE OR REPLACE VIEW ops.device_entries_v1 AS "
            + view[:begin]
            + "d.state "
            + view[end + len("END ") :]
        )
    await database.pool.execute(
        "UPDATE ops.devices SET locked_at = now() WHERE id = $1", event.device
    )
    answer = await scan(http, event, "T-2")
    assert answer.status_code == (423 if guarded else 200)


async def test_a_device_of_two_events_finds_the_event_of_each_ticket(
    http: httpx.AsyncClient, bearer: Headers, event: SmallEvent, database: Database
) -> None:
    pool = database.pool
    other = await SmallEvent.make(pool, tickets=1)
    third = await SmallEvent.make(pool, tickets=1)
    await other.add_ticket(pool, "B-1", other.regular, "Ng")
    await third.add_ticket(pool, "C-1", third.regular, "Wu")
    linked = await http.post(
        f"/api/v1/devices/{event.device}/events",
        json={"event_id": str(other.id), "gate_id": str(other.lounge_gate)},
        headers=bearer,
    )
    assert linked.status_code == 200, linked.text
    assert {item["id"] for item in linked.json()} == {str(event.id), str(other.id)}
    here = await scan(http, event, "V-1", "/api/v1/scans")
    assert (here.json()["verdict"], here.json()["area"]["name"]) == (
        "admitted",
        "Venue",
    )
    # At the other event it stands at the lounge, where a regular ticket may not go.
    there = await scan(http, event, "B-1", "/api/v1/scans")
    assert (there.json()["verdict"], there.json()["reason"]) == (
        "refused",
        "wrong_area",
    )
    foreign = (await scan(http, event, "C-1", "/api/v1/scans")).json()
    assert (foreign["verdict"], foreign["reason"]) == ("refused", "other_event")
    assert "Small conference" in foreign["message"]
    moved = await http.patch(
        f"/api/v1/devices/{event.device}",
        json={"gate_id": str(other.main_gate), "name": "李小龙's phone"},
        headers=bearer,
    )
    assert (moved.status_code, moved.json()["name"]) == (200, "李小龙's phone")
    assert (await scan(http, event, "B-1", "/api/v1/scans")).json()["reason"] == "ok"
    # Found by name, a ticket is scanned by its id: it has its event as well.
    found = str(await other.add_ticket(pool, "B-2", other.regular, "李"))
    by_hand = await scan(http, event, found, "/api/v1/scans", method="manual")
    assert by_hand.json()["reason"] == "ok"
    # Its place at the first event is what it was.
    assert (await scan(http, event, "V-2", "/api/v1/scans")).json()["area"][
        "name"
    ] == "Venue"


async def test_the_last_event_of_a_device_is_not_taken_from_it(
    http: httpx.AsyncClient, bearer: Headers, event: SmallEvent, database: Database
) -> None:
    other = await SmallEvent.make(database.pool, tickets=1)
    url = f"/api/v1/devices/{event.device}/events"
    await http.post(url, json={"event_id": str(other.id)}, headers=bearer)
    gone = await http.delete(f"{url}/{event.id}", headers=bearer)
    assert gone.status_code == 204, gone.text
    assert (await scan(http, event, "T-5")).status_code in (401, 403)
    last = await http.delete(f"{url}/{other.id}", headers=bearer)
    assert (last.status_code, last.json()["code"]) == (422, "last_event")


async def test_a_heartbeat_tells_how_wrong_the_clock_is(
    http: httpx.AsyncClient, bearer: Headers, event: SmallEvent
) -> None:
    wrong = datetime.now(UTC) + timedelta(minutes=3)
    await http.post(
        "/api/v1/devices/heartbeat",
        json={"clock": wrong.isoformat(), "battery": 41, "pending": 2},
        headers=phone(event),
    )
    listed = await http.get(f"/api/v1/events/{event.id}/devices", headers=bearer)
    [mine] = [d for d in listed.json()["items"] if d["id"] == str(event.device)]
    assert 179_000 < mine["clock_skew_ms"] < 181_000
    assert (mine["battery"], mine["pending"]) == (41, 2)


@pytest.mark.parametrize("years", [-3_000, 900])
def test_a_clock_beyond_reason_fits_the_column(years: int) -> None:
    now = datetime(4000, 1, 1, tzinfo=UTC)
    skew = skew_ms(now + timedelta(days=365 * years), now)
    assert skew is not None
    assert abs(skew) < 2**31


async def test_a_supervisor_is_on_for_one_action_and_the_steward_comes_back(
    http: httpx.AsyncClient, bearer: Headers, event: SmallEvent
) -> None:
    for name, pin, role in (
        ("Sam", "111222", "steward"),
        ("Eve", "333444", "supervisor"),
    ):
        made = await http.post(
            f"/api/v1/events/{event.id}/operators",
            json={"name": name, "pin": pin, "role": role},
            headers=bearer,
        )
        assert made.status_code == 201, made.text

    async def operator(**body: Any) -> Any:
        answer = await http.post(
            "/api/v1/devices/operator", json=body, headers=phone(event)
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["operator"]

    assert (await operator(pin="111222"))["name"] == "Sam"
    assert (await operator(pin="333444", once=True))["role"] == "supervisor"
    # Twice on for one action: it is still the steward who comes back.
    await operator(pin="333444", once=True)
    answer = (await scan(http, event, "T-7")).json()
    assert answer["operator"]["name"] == "Eve"
    assert (await operator(resume=True))["name"] == "Sam"
    assert (await scan(http, event, "T-8")).json()["operator"]["name"] == "Sam"
    # Nothing to come back to: nobody is on.
    assert await operator(resume=True) is None


async def test_a_person_at_the_device_moves_it_after_a_pin(
    http: httpx.AsyncClient, bearer: Headers, event: SmallEvent
) -> None:
    body = {"gate_id": str(event.lounge_gate)}
    nobody = await http.patch("/api/v1/devices/me", json=body, headers=phone(event))
    assert (nobody.status_code, nobody.json()["code"]) == (403, "operator_needed")
    await http.post(
        f"/api/v1/events/{event.id}/operators",
        json={"name": "Sam", "pin": "240917"},
        headers=bearer,
    )
    await http.post(
        "/api/v1/devices/operator", json={"pin": "240917"}, headers=phone(event)
    )
    moved = await http.patch("/api/v1/devices/me", json=body, headers=phone(event))
    assert moved.status_code == 200, moved.text
    assert moved.json()["gate"]["name"] == "Lounge gate"
    assert (await scan(http, event, "T-9")).json()["reason"] == "wrong_area"
    turned = await http.patch(
        "/api/v1/devices/me", json={"direction": "out"}, headers=phone(event)
    )
    assert (turned.json()["direction"], turned.json()["gate"]["name"]) == (
        "out",
        "Lounge gate",
    )
    foreign = await http.patch(
        "/api/v1/devices/me", json={"gate_id": str(uuid7())}, headers=phone(event)
    )
    assert foreign.json()["code"] == "unknown_gate"
