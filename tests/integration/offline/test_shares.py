"""Devices that are alone and what many take of: places of a limit, units of an item.

Three node processes with the page's own code get packages of the real server, are cut
off, and each lets in whoever comes. Together they take no more than was free, and the
number shown before says by how many the limit may be exceeded by those still online.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ops.db.engine import Database
from ops.ids import uuid7
from tests.integration.offline.isolated import Isolated
from tests.integration.offline.kit import Phone
from tests.small_event import SmallEvent

FREE = 8
TICKETS = 30


@pytest.fixture
async def event(database: Database) -> SmallEvent:
    event = await SmallEvent.make(database.pool, tickets=TICKETS, capacity=FREE)
    await database.pool.execute(
        "UPDATE ops.devices SET gate_id = $1 WHERE gate_id = $2",
        event.main_gate,
        event.lounge_gate,
    )
    return event


@pytest.fixture
def devices(http: httpx.AsyncClient, event: SmallEvent) -> Iterator[list[Isolated]]:
    made = [Isolated(Phone(http, event, one)) for one in event.token_hashes]
    yield made
    for device in made:
        device.stop()


async def choose(phone: Phone, bearer: dict[str, str], mode: str) -> None:
    answer = await phone.http.put(
        f"{phone.base}/offline-mode", json={"mode": mode}, headers=bearer
    )
    assert answer.status_code == 200, answer.text


async def risk(phone: Phone, bearer: dict[str, str]) -> Any:
    answer = await phone.http.get(f"{phone.base}/offline-risk", headers=bearer)
    return answer.json()


def everybody(devices: list[Isolated]) -> list[list[Any]]:
    """Other tickets at each door; what was answered there."""
    each = TICKETS // len(devices)
    return [
        [device.scan(f"T-{at * each + n}") for n in range(1, each + 1)]
        for at, device in enumerate(devices)
    ]


def let_in(said: list[list[Any]]) -> list[int]:
    return [sum(one["verdict"] == "admitted" for one in door) for door in said]


async def test_together_they_take_what_was_free(
    devices: list[Isolated],
    bearer: dict[str, str],
    event: SmallEvent,
    database: Database,
) -> None:
    phone = devices[0].phone
    await choose(phone, bearer, "bounded")
    for device in devices:
        await device.download()
    shown = {one["id"]: one for one in (await risk(phone, bearer))["beyond"]}
    assert shown[str(event.venue)]["at_most"] == FREE
    assert shown[str(event.venue)]["name"] == "Venue"
    said = everybody(devices)
    assert let_in(said) == [3, 3, 2], "eight places, three doors"
    held = next(one for one in said[0] if one["verdict"] == "hold")
    assert (held["reason"], held["args"]["fits"]) == ("area_full", 0)
    for device in devices:
        await device.come_back()
    inside = await database.pool.fetchval(
        "SELECT inside FROM ops.areas WHERE id = $1", event.venue
    )
    assert inside == FREE


async def test_in_open_the_limit_is_exceeded(
    devices: list[Isolated], bearer: dict[str, str]
) -> None:
    """The control: the industry's practice asks no limit while it is alone."""
    await choose(devices[0].phone, bearer, "open")
    for device in devices:
        await device.download()
    assert sum(let_in(everybody(devices))) == TICKETS > FREE


async def test_one_out_one_in_and_the_next_package(
    devices: list[Isolated], bearer: dict[str, str], database: Database
) -> None:
    one, two = devices[0], devices[1]
    await one.download()
    await two.download()
    codes = [f"T-{n}" for n in range(1, 7)]
    assert [one.scan(code)["verdict"] for code in codes[:4]] == [
        *["admitted"] * 3,
        "hold",
    ]
    assert one.scan("T-1", "out")["verdict"] == "exited"
    assert one.scan("T-5")["verdict"] == "admitted", "one out, one in"
    assert one.scan("T-6")["reason"] == "area_full"
    # A package that the server made before it heard of them gives nothing anew.
    await one.download()
    left_before = one.scan("T-6")["reason"]
    assert left_before == "area_full"
    await one.come_back()
    said = await one.download()
    inside = await database.pool.fetchval(
        "SELECT inside FROM ops.areas WHERE id = $1", one.phone.event.venue
    )
    assert inside == 3
    share = said["head"]["shares"][str(one.phone.event.venue)]
    assert share == 2, "five free places, three doors"
    assert [one.scan(f"T-{n}")["verdict"] for n in (7, 8, 9)] == [
        "admitted",
        "admitted",
        "hold",
    ]


async def test_a_group_is_told_how_many_fit(devices: list[Isolated]) -> None:
    one = devices[2]
    await one.download()
    said = one.scan("G-1", admit=4)
    assert (said["reason"], said["args"]["fits"]) == ("area_full", 2)
    assert one.scan("G-1", admit=2)["verdict"] == "admitted"


async def test_units_of_an_item_up_to_the_allotment(
    devices: list[Isolated], bearer: dict[str, str], database: Database
) -> None:
    one, two = devices[0], devices[1]
    base, http = one.phone.base, one.phone.http
    made = {}
    for path, body in (
        ("items", {"name": "Bière 🍺", "offline_units": 3}),
        ("redemption-points", {"name": "Bar A"}),
    ):
        answer = await http.post(f"{base}/{path}", json=body, headers=bearer)
        assert answer.status_code == 201, answer.text
        made[path] = answer.json()["id"]
    item = made["items"]
    body = {"item_id": item, "quantity": 2}
    body["ticket_type_id"] = str(one.phone.event.regular)
    answer = await http.post(f"{base}/entitlements", json=body, headers=bearer)
    assert answer.status_code == 201, answer.text
    for device in (one, two):
        await device.download()
    beyond = {o["id"]: o["at_most"] for o in (await risk(one.phone, bearer))["beyond"]}
    assert beyond[item] == 6, "two devices, three each"

    def give(device: Isolated, code: str) -> dict[str, Any]:
        asked = {"id": str(uuid7()), "code": code, "itemId": item, "quantity": 1}
        return device.ask("give", asked=asked | {"atMs": int(time.time() * 1000)}) | {
            "id": asked["id"]
        }

    given = [give(one, code) for code in ("T-1", "T-1", "T-1", "T-2", "T-3")]
    assert [(g["verdict"], g["reason"]) for g in given] == [
        ("redeemed", "ok"),
        ("redeemed", "ok"),
        ("refused", "nothing_left"),
        ("redeemed", "ok"),
        ("hold", "no_share"),
    ]
    assert give(one, "nobody's")["reason"] == "unknown_code"
    # The other device knows nothing of it: that is what the number shown is for.
    again = give(two, "T-1")
    assert again["verdict"] == "redeemed"
    records = [
        {
            "id": g["id"],
            "code": code,
            "point_id": made["redemption-points"],
            "item_id": item,
            "offline": True,
        }
        for g, code in (
            *zip(given[:2] + given[3:4], ("T-1", "T-1", "T-2"), strict=True),
            (again, "T-1"),
        )
    ]
    for _ in range(2):
        told = await one.phone.post("redemptions/batch", {"redemptions": records})
        verdicts = [one["verdict"] for one in told["results"]]
        assert verdicts == ["redeemed", "redeemed", "redeemed", "refused"]
    rows = await database.pool.fetch(
        "SELECT kind FROM ops.conflicts WHERE loser_scan_id::text = $1", again["id"]
    )
    assert [row["kind"] for row in rows] == ["redeemed_beyond"]


async def test_a_lost_refusal_that_was_handed_out_is_a_conflict(
    devices: list[Isolated], bearer: dict[str, str], database: Database
) -> None:
    one = devices[0]
    base, http = one.phone.base, one.phone.http
    ids = {}
    for path, body in (
        ("items", {"name": "Lunch"}),
        ("redemption-points", {"name": "Bar A"}),
    ):
        answer = await http.post(f"{base}/{path}", json=body, headers=bearer)
        ids[path] = answer.json()["id"]
    record = {
        "id": str(uuid7()),
        "code": "T-1",
        "point_id": ids["redemption-points"],
        "item_id": ids["items"],
    }
    first = await one.phone.post("redemptions", record)
    assert (first["verdict"], first["reason"]) == ("refused", "nothing_left")
    for _ in range(2):
        again = await one.phone.post("redemptions", record | {"offline": True})
        assert (again["verdict"], again["replayed"]) == ("refused", True)
    found = await database.pool.fetchval(
        "SELECT count(*) FROM ops.conflicts WHERE kind = 'redeemed_beyond'"
    )
    assert found == 1
