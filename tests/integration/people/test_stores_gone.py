"""Health, readiness, and what is answered when a store is gone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from ops.app import build
from ops.db.engine import Database
from ops.runtime import Runtime
from ops.settings import Settings
from tests.integration.people.people_kit import (
    OWNER,
    PASSWORD,
    MovedClock,
    Place,
    cheap_passwords,
    sign_in,
    user,
)

NOBODY_LISTENS = "redis://127.0.0.1:1/0"
LOGIN = "/api/v1/auth/login"


async def test_both_stores_there(http: httpx.AsyncClient) -> None:
    assert (await http.get("/healthz")).json()["status"] == "ok"
    ready = await http.get("/readyz")
    assert ready.status_code == 200
    assert (ready.json()["mode"], ready.json()["redis"]) == ("normal", "up")
    metrics = (await http.get("/metrics")).text
    assert "ops_requests_total" in metrics


@pytest.fixture
async def without_redis(
    database_url: str, clock: MovedClock
) -> AsyncIterator[httpx.AsyncClient]:
    """The application with a Redis that nobody listens for."""
    settings = Settings(database_url=database_url, redis_url=NOBODY_LISTENS)
    runtime = Runtime(settings, clock, cheap_passwords())
    await runtime.start()
    transport = httpx.ASGITransport(build(runtime))
    async with httpx.AsyncClient(transport=transport, base_url="http://ops") as client:
        yield client
    await runtime.stop()


async def test_without_redis_people_still_sign_in_and_are_still_limited(
    without_redis: httpx.AsyncClient, database: Database
) -> None:
    ready = (await without_redis.get("/readyz")).json()
    assert (ready["mode"], ready["postgresql"], ready["redis"]) == (
        "no-redis",
        "up",
        "down",
    )
    await user(database, OWNER, "owner")
    headers = await sign_in(without_redis, OWNER)
    assert (await without_redis.get("/api/v1/auth/me", headers=headers)).is_success
    body = {"email": "nobody@example.org", "password": "wrong"}
    answers = [await without_redis.post(LOGIN, json=body) for _ in range(21)]
    assert [a.status_code for a in answers] == [401] * 20 + [429]


async def test_without_postgresql_it_is_503_and_says_when_to_come_back(
    runtime: Runtime, http: httpx.AsyncClient, bearer: dict[str, str], place: Place
) -> None:
    await runtime.database.pool.close()
    answer = await http.get(f"/api/v1/events/{place.event}", headers=bearer)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "1"
    login = await http.post(LOGIN, json={"email": OWNER, "password": PASSWORD})
    assert login.status_code == 503
    ready = (await http.get("/readyz")).json()
    assert ready["mode"] == "journal"
    forged = await http.post(
        "/api/v1/devices/heartbeat", json={}, headers={"Authorization": "Device dev_x"}
    )
    assert forged.status_code == 503
