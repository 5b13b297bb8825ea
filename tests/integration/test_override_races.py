"""Two supervisors and one ticket: an override is a decision about one known state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ops.admission.deciding import Deciding
from ops.admission.scan import Override, ScanRequest
from ops.cache.client import Cache
from ops.clock import Clock
from ops.db.engine import Database
from ops.ids import uuid7
from tests.house import House


@pytest.fixture
async def houses(
    database: Database, redis_url: str, tmp_path: Path
) -> AsyncIterator[list[House]]:
    """Two processes of one event; a supervisor is on at a phone of each."""
    cache = Cache(redis_url, timeout_s=5.0)
    first = House(database, cache, tmp_path, Clock())
    second = House(database, cache, tmp_path, Clock())
    await first.start(warm=True)
    await database.pool.execute(
        "WITH o AS (INSERT INTO ops.operators (id, event_id, name, role)"
        " VALUES ($1, $2, 'O''Brien-Łukasz', 'supervisor') RETURNING id)"
        " UPDATE ops.devices SET operator_id = o.id FROM o WHERE devices.id = $3",
        uuid7(),
        first.event.id,
        first.event.other_device,
    )
    await second.join(first)
    yield [first, second]
    for one in (first, second):
        await one.stop()
    await cache.stop()


async def orders(house: House, device: UUID, **saw: Any) -> Any:
    """A supervisor lets T-1 in, on what the screen said."""
    scan = ScanRequest(
        uuid7(),
        "T-1",
        gate_id=house.event.main_gate,
        override=Override("her badge was checked", **saw),
    )
    return (await house.desk.scan(house.event.id, device, scan)).item


def together(monkeypatch: pytest.MonkeyPatch, houses: list[House]) -> None:
    """Both have read and decided before either commits."""
    barrier = asyncio.Barrier(len(houses))
    for house in houses:
        commit, met = house.stores.commit, []

        async def waits(*args: Any, commit: Any = commit, met: list[int] = met) -> Any:
            if not met:
                met.append(1)
                await barrier.wait()
            return await commit(*args)

        monkeypatch.setattr(house.stores, "commit", waits)


async def refund(house: House) -> None:
    await house.database.pool.execute(
        "UPDATE tickets SET state = 'refunded' WHERE id = $1",
        house.event.tickets["T-1"],
    )
    assert await house.rewarm(), "the cache knows it as well"


async def rows(house: House) -> int:
    found: int = await house.database.pool.fetchval(
        "SELECT count(*) FROM check_ins WHERE ticket_id = $1",
        house.event.tickets["T-1"],
    )
    return found


@pytest.mark.parametrize("saw", [{}, {"saw": "refunded"}], ids=["untold", "told"])
async def test_two_at_once_let_in_one_guest(
    houses: list[House], monkeypatch: pytest.MonkeyPatch, saw: dict[str, str]
) -> None:
    one, two = houses
    await refund(one)
    together(monkeypatch, houses)
    event = one.event
    made = await asyncio.gather(
        orders(one, event.device, **saw), orders(two, event.other_device, **saw)
    )
    green = [item for item in made if item.decision.verdict == "admitted"]
    [other] = [item for item in made if item not in green]
    assert len(green) == 1
    assert await rows(one) == 1
    # The second is told who, where and when, and may ask again, about that.
    told = other.decision
    assert told.reason in ("unconfirmed", "already_inside")
    assert told.args["previous"] == str(green[0].ask.scan.id)
    assert told.args["gate"] == "Main gate"
    assert told.args["operator"] in ("Dana", "O'Brien-Łukasz")
    assert told.args["device"] in ("Phone 1", "Phone 2")
    again = await orders(
        two,
        event.other_device,
        saw=told.reason,
        previous=UUID(str(told.args["previous"])),
    )
    assert again.decision.verdict == "admitted"
    assert await rows(one) == 2, "this is what was asked for"


async def test_without_the_guard_both_get_green(
    houses: list[House], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    one, two = houses
    await refund(one)
    monkeypatch.setattr(
        Deciding, "_of_one_state", lambda _, __, decision, ___: decision
    )
    together(monkeypatch, houses)
    made = await asyncio.gather(
        orders(one, one.event.device), orders(two, one.event.other_device)
    )
    assert [item.decision.verdict for item in made] == ["admitted"] * 2
    assert await rows(one) == 2


async def test_the_second_comes_later_and_looked_before(houses: list[House]) -> None:
    """Both had the refund on their screens; the first decided a while ago."""
    one, two = houses
    await refund(one)
    event = one.event
    first = await orders(one, event.device, saw="refunded")
    assert first.decision.verdict == "admitted"
    late = await orders(two, event.other_device, saw="refunded")
    assert late.decision.reason in ("unconfirmed", "already_inside")
    assert late.decision.args["previous"] == str(first.ask.scan.id)
    # Two saw the same admission; one of them has let in against it meanwhile.
    saw = {"saw": "already_inside", "previous": first.ask.scan.id}
    second = await orders(one, event.device, **saw)
    assert second.decision.verdict == "admitted"
    third = await orders(two, event.other_device, **saw)
    assert third.decision.verdict != "admitted"
    assert third.decision.args["previous"] == str(second.ask.scan.id)
    # The control: who does not say what was seen decides on what stands.
    assert (await orders(two, event.other_device)).decision.verdict == "admitted"
