"""The CRM works with connections of its own, and waits for them with an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import uuid4

import httpx
import pytest

from ops.crm import pool as crm_pool
from ops.errors import Unavailable
from ops.runtime import Runtime
from tests.integration.crm.rows import API, make
from tests.integration.people.people_kit import Place, pair_device

Bearer = dict[str, str]
HURRY_S = 0.2
OF_THE_CRM = (
    "contacts",
    "contacts/export.csv?limit=1",
    "contacts/duplicates",
    "contacts/{id}/timeline",
    "contacts/{id}/consents",
    "contacts/{id}/duplicates",
    "contacts/{id}/export",
    "consent-texts",
    "segments",
    "pipeline/forecast",
    "pipeline/outcomes",
    "me/tasks",
    "privacy/erasures",
    "privacy/retention",
    "audit",
)


@pytest.fixture
async def all_taken(
    runtime: Runtime, base_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AsyncExitStack]:
    """What a test takes of the CRM, until the stack is closed."""
    monkeypatch.setattr(crm_pool, "WAIT_TIMEOUT_S", HURRY_S)
    async with AsyncExitStack() as hands:
        yield hands


async def take_all(runtime: Runtime, hands: AsyncExitStack) -> None:
    """All connections are taken, and nobody waits for one for long."""
    hurry = hands.enter_context(pytest.MonkeyPatch.context())
    hurry.setattr(runtime.crm_pool.pool, "wait_s", HURRY_S)
    for _ in range(crm_pool.CONNECTIONS_MAX):
        await hands.enter_async_context(runtime.crm_pool.pool.acquire())


async def test_what_the_crm_answers_waits_for_its_own_connections(
    http: httpx.AsyncClient,
    bearer: Bearer,
    runtime: Runtime,
    place: Place,
    all_taken: AsyncExitStack,
) -> None:
    """503 while they are taken, and the door goes on; 200 when they are free again."""
    ids: dict[str, str] = {}
    await make(http, bearer, "contacts", ids)
    _, device = await pair_device(http, bearer, place)
    paths = [path.format(id=ids["contacts"]) for path in OF_THE_CRM]

    async def status_of(path: str) -> int:
        answer = await http.get(f"{API}/{path}", headers=bearer, timeout=30)
        return answer.status_code

    async def statuses() -> dict[str, int]:
        return {path: await status_of(path) for path in paths}

    assert set((await statuses()).values()) == {200}
    await take_all(runtime, all_taken)
    busy = await statuses()
    assert {path for path, status in busy.items() if status != 503} == set()
    scan = await http.post(
        f"{API}/events/{place.event}/scans",
        json={"id": str(uuid4()), "code": "NOBODY-1"},
        headers=device,
    )
    assert scan.json()["verdict"] == "refused", scan.text
    await all_taken.aclose()
    assert set((await statuses()).values()) == {200}


async def test_two_count_at_a_time_and_a_list_is_answered(
    http: httpx.AsyncClient,
    bearer: Bearer,
    runtime: Runtime,
    all_taken: AsyncExitStack,
) -> None:
    body = {"conditions": {"type": "vip"}}
    for _ in range(crm_pool.HEAVY_MAX):
        await all_taken.enter_async_context(runtime.crm_pool.turn())
    third = await http.post(f"{API}/segments/preview", json=body, headers=bearer)
    assert (third.status_code, third.headers["Retry-After"]) == (503, "10")
    assert (await http.get(f"{API}/contacts", headers=bearer)).status_code == 200
    await all_taken.aclose()
    again = await http.post(f"{API}/segments/preview", json=body, headers=bearer)
    assert again.json() == {"count": 0}


async def test_who_waits_for_a_turn_gets_it(runtime: Runtime, base_url: str) -> None:
    order = []

    async def count(name: str) -> None:
        async with runtime.crm_pool.turn():
            order.append(name)
            await asyncio.sleep(0)

    await asyncio.gather(*(count(f"{n}") for n in range(20)))
    assert sorted(order, key=int) == [f"{n}" for n in range(20)]


async def test_a_turn_that_is_refused_takes_nothing(
    runtime: Runtime, all_taken: AsyncExitStack
) -> None:
    for _ in range(crm_pool.HEAVY_MAX):
        await all_taken.enter_async_context(runtime.crm_pool.turn())
    for _ in range(3):
        with pytest.raises(Unavailable):
            async with runtime.crm_pool.turn():
                raise AssertionError
    await all_taken.aclose()
    async with runtime.crm_pool.turn(), runtime.crm_pool.turn():
        pass
