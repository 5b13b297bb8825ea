"""The number "at most n double entries possible now" on a live screen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from ops.db.engine import Database
from ops.live.auth import Authenticator
from ops.live.plan import read_plan
from ops.live.price import read_price
from ops.live.server import LiveServer, Options
from ops.live.topics import Kind
from tests.integration.offline.kit import Phone
from tests.integration.offline.test_returns import alone, upload
from tests.live_world import client
from tests.small_event import SmallEvent


@pytest.fixture
async def live(database: Database, redis_url: str) -> AsyncIterator[LiveServer]:
    """A live server that asks for the number."""
    server = LiveServer(
        Options(redis_url=redis_url),
        Authenticator(database.pool),
        partial(read_plan, database.pool),
        {Kind.OFFLINE: partial(read_price, database.pool)},
    )
    await server.start()
    yield server
    await server.stop()


async def hear(phone: Phone) -> None:
    """A heartbeat."""
    answer = await phone.http.post(
        "/api/v1/devices/heartbeat", json={"pending": 0}, headers=phone.headers
    )
    assert answer.status_code == 200, answer.text


async def until(screen: Any, wanted: int | None) -> Any:
    """The first update with this number."""
    while True:
        update = await screen.hear_op("update")
        if update["data"]["double_entries_possible"] == wanted:
            return update["data"]


async def choose(phone: Phone, bearer: dict[str, str], mode: str) -> None:
    """How devices decide alone."""
    answer = await phone.http.put(
        f"{phone.base}/offline-mode", json={"mode": mode, "budget": 7}, headers=bearer
    )
    assert answer.status_code == 200, answer.text


async def silence(database: Database, phone: Phone) -> None:
    """The phone was heard of half a minute ago, and not since."""
    await database.pool.execute(
        "UPDATE ops.devices SET last_seen_at = now() - interval '31 s' WHERE id = $1",
        phone.device,
    )


async def test_the_number_moves_while_a_screen_watches(
    live: LiveServer,
    phone: Phone,
    event: SmallEvent,
    database: Database,
    bearer: dict[str, str],
) -> None:
    await choose(phone, bearer, "bounded")
    await phone.package()
    await hear(phone)
    async with client(live) as screen:
        await screen.hello(bearer["Authorization"].removeprefix("Bearer "))
        first = await screen.watch(f"event:{event.id}:offline")
        assert first["data"] == {
            "mode": "bounded",
            "double_entries_possible": 0,
            "devices_away": 0,
            "leases_ended_unconfirmed": 0,
            "conflicts": 0,
            "away": [],
        }
        await silence(database, phone)
        data = await until(screen, 7)
        assert data["devices_away"] == 1
        [away] = data["away"]
        assert (away["name"], away["gate"], away["unspent"]) == (
            "Phone 1",
            "Main gate",
            7,
        )
        # It is back: two of its seven were used, and it is no risk any more.
        await upload(phone, [alone("T-1"), alone("T-2")])
        await hear(phone)
        assert (await until(screen, 0))["away"] == []
        await choose(phone, bearer, "open")
        await phone.package()
        await silence(database, phone)
        data = await until(screen, None)
        assert data["away"][0]["unspent"] is None
    # The endpoint says the same.
    risk = (await phone.http.get(f"{phone.base}/offline-risk", headers=bearer)).json()
    assert (risk["double_entries_possible"], risk["devices_away"]) == (None, 1)


async def test_who_may_not_read_devices_is_not_shown_the_number(
    live: LiveServer, event: SmallEvent
) -> None:
    async with client(live) as screen:
        await screen.hello(f"dev_{event.device}")
        answer = await screen.watch(f"event:{event.id}:offline")
        assert (answer["op"], answer["code"]) == ("error", "forbidden")
