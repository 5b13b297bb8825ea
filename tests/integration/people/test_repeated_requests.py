"""Idempotency-Key over a real socket."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import httpx

from ops.db.engine import Database
from tests.integration.people.people_kit import (
    MovedClock,
    Place,
    sign_in,
    user,
)


async def test_the_same_request_gets_the_same_answer(
    http: httpx.AsyncClient,
    bearer: dict[str, str],
    place: Place,
    database: Database,
    clock: MovedClock,
) -> None:
    url = f"/api/v1/events/{place.event}/devices"
    headers = {**bearer, "Idempotency-Key": str(uuid4())}

    async def make(name: str) -> httpx.Response:
        return await http.post(url, json={"name": name}, headers=headers)

    first, second = await make("Phone 1"), await make("Phone 1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert await database.pool.fetchval("SELECT count(*) FROM ops.devices") == 1
    other = await make("Phone 2")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    kept = await database.pool.fetchval("SELECT body FROM ops.idempotency_keys")
    assert first.json()["pairing_code"].encode() not in kept
    clock.shift = timedelta(hours=25)
    headers |= await sign_in(http, "owner@example.org")
    assert (await make("Phone 2")).status_code == 201


async def test_at_the_same_time_it_is_done_once(
    http: httpx.AsyncClient, bearer: dict[str, str], place: Place, database: Database
) -> None:
    url = f"/api/v1/events/{place.event}/operators"
    headers = {**bearer, "Idempotency-Key": str(uuid4())}
    answers = await asyncio.gather(
        *(http.post(url, json={"name": "Wu"}, headers=headers) for _ in range(8))
    )
    assert await database.pool.fetchval("SELECT count(*) FROM ops.operators") == 1
    others = [a for a in answers if a.status_code != 201]
    assert {a.json()["code"] for a in others} <= {"idempotency_under_way"}
    assert len({a.content for a in answers if a.status_code == 201}) == 1
    # Without a key each request is one of its own.
    for _ in range(2):
        assert (
            await http.post(url, json={"name": "Ng"}, headers=bearer)
        ).status_code == 201
    assert await database.pool.fetchval("SELECT count(*) FROM ops.operators") == 3


async def test_a_refusal_is_kept_a_key_of_another_person_is_another_key(
    http: httpx.AsyncClient, bearer: dict[str, str], place: Place, database: Database
) -> None:
    url = f"/api/v1/events/{place.event}/devices"
    key = {"Idempotency-Key": str(uuid4())}
    body = {"name": "x", "gate_id": str(uuid4())}
    first = await http.post(url, json=body, headers={**bearer, **key})
    again = await http.post(url, json=body, headers={**bearer, **key})
    assert (first.status_code, again.status_code) == (422, 422)
    assert again.headers["content-type"] == "application/problem+json"
    assert again.headers["Idempotency-Replayed"] == "true"
    await user(database, "dana@example.org", "owner")
    dana = await sign_in(http, "dana@example.org")
    made = await http.post(url, json={"name": "x"}, headers={**dana, **key})
    assert made.status_code == 201
    bad = await http.post(
        url, json={"name": "x"}, headers={**bearer, "Idempotency-Key": "1"}
    )
    assert (bad.status_code, bad.json()["code"]) == (400, "bad_idempotency_key")
