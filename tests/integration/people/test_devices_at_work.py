"""Pairing, enrolment, heartbeats, operators and revocation, over a real socket."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from redis.asyncio import Redis

from ops.auth.devices import UNKNOWN_S
from ops.auth.subjects import DeviceIdentity
from ops.cache import keys
from ops.cache.entry import unpack_device
from ops.db.engine import Database
from ops.errors import Unauthenticated
from ops.runtime import Runtime
from tests.integration.people.people_kit import (
    MovedClock,
    Place,
    make_place,
    pair_device,
)

PAIR, HEARTBEAT = "/api/v1/devices/pair", "/api/v1/devices/heartbeat"
OPERATOR = "/api/v1/devices/operator"


async def _code(http: httpx.AsyncClient, bearer: dict[str, str], place: Place) -> str:
    made = await http.post(
        f"/api/v1/events/{place.event}/devices",
        json={"name": "Kiosk ١", "profile": "kiosk", "gate_id": str(place.gate)},
        headers=bearer,
    )
    assert made.status_code == 201, made.text
    assert made.json()["pairing_code"] in made.json()["pairing_url"]
    code: str = made.json()["pairing_code"]
    return code


async def test_pairing_answers_what_a_device_must_know(
    http: httpx.AsyncClient, bearer: dict[str, str], place: Place, database: Database
) -> None:
    code = await _code(http, bearer, place)
    typed = code.lower().replace("-", " ")
    paired = await http.post(PAIR, json={"pairing_code": typed, "hardware": "h1"})
    body = paired.json()
    assert paired.status_code == 200, body
    assert set(body) >= {
        "device_id",
        "token",
        "event",
        "gate",
        "areas",
        "profile",
        "live_url",
        "server_time",
    }
    assert body["event"]["id"] == str(place.event)
    assert body["gate"]["name"] == "Gate A"
    assert body["direction"] == "in"
    assert [area["name"] for area in body["areas"]] == ["Hall"]
    row = await database.pool.fetchrow("SELECT * FROM ops.devices")
    assert row["state"] == "active"
    assert body["token"].encode() not in row["token_hash"]
    assert code.encode() not in row["pairing_code_hash"]


async def test_pairing_repeats_for_the_same_hardware_and_the_old_token_dies(
    http: httpx.AsyncClient,
    bearer: dict[str, str],
    place: Place,
    runtime: Runtime,
    clock: MovedClock,
) -> None:
    code = await _code(http, bearer, place)

    async def pair(hardware: str | None) -> httpx.Response:
        return await http.post(PAIR, json={"pairing_code": code, "hardware": hardware})

    async def alive(answer: httpx.Response) -> int:
        header = {"Authorization": f"Device {answer.json()['token']}"}
        return (await http.post(HEARTBEAT, json={}, headers=header)).status_code

    first = await pair("h1")
    assert await alive(first) == 200
    again = await pair("h1")
    assert again.json()["device_id"] == first.json()["device_id"]
    assert (await alive(first), await alive(again)) == (401, 200)
    for other in ("h2", None):
        refused = await pair(other)
        assert (refused.status_code, refused.json()["code"]) == (
            409,
            "pairing_code_used",
        )
    clock.shift = timedelta(minutes=11)
    over = await pair("h1")
    assert (over.status_code, over.json()["code"]) == (422, "pairing_code_expired")
    unknown = await http.post(PAIR, json={"pairing_code": "AAAA-BBBB-CCCC"})
    assert unknown.json()["code"] == "pairing_code_unknown"


async def test_one_enrolment_code_pairs_n_devices_also_at_once(
    http: httpx.AsyncClient, bearer: dict[str, str], place: Place, clock: MovedClock
) -> None:
    url = f"/api/v1/events/{place.event}/enrolments"
    until = clock.now() + timedelta(hours=8)
    made = await http.post(
        url,
        json={
            "gate_id": str(place.gate),
            "profile": "scan",
            "max_devices": 3,
            "valid_until": until.isoformat(),
        },
        headers=bearer,
    )
    assert made.status_code == 201, made.text
    code = made.json()["pairing_code"]

    async def pair(hardware: str) -> httpx.Response:
        return await http.post(PAIR, json={"pairing_code": code, "hardware": hardware})

    answers = await asyncio.gather(*(pair(f"phone {n}") for n in range(6)))
    good = [a.json() for a in answers if a.status_code == 200]
    assert len({paired["device_id"] for paired in good}) == 3
    full = {a.json()["code"] for a in answers if a.status_code != 200}
    assert full == {"enrolment_full"}
    # A phone that lost its answer asks again and does not count twice.
    lucky = next(n for n in range(6) if answers[n].status_code == 200)
    repeated = await pair(f"phone {lucky}")
    assert repeated.json()["device_id"] == answers[lucky].json()["device_id"]
    listed = (await http.get(url, headers=bearer)).json()["items"]
    assert [(line["used"], line["max_devices"]) for line in listed] == [(3, 3)]
    gone = await http.post(f"{url}/{made.json()['id']}/revoke", headers=bearer)
    assert gone.status_code == 204
    assert (await pair("phone 9")).json()["code"] == "pairing_code_revoked"
    token = {"Authorization": f"Device {repeated.json()['token']}"}
    assert (await http.post(HEARTBEAT, json={}, headers=token)).status_code == 200


async def test_a_heartbeat_ignores_what_it_does_not_know(
    http: httpx.AsyncClient, bearer: dict[str, str], place: Place, database: Database
) -> None:
    device, token = await pair_device(http, bearer, place)
    answer = await http.post(
        HEARTBEAT,
        json={"battery": 81, "pending": 4, "software": "2.1", "antenna": {"x": [1]}},
        headers=token,
    )
    config = answer.json()["config"]
    assert answer.status_code == 200
    assert config["gate"]["name"] == "Gate A"
    assert (config["state"], config["direction"], config["doors"]) == (
        "active",
        "in",
        "open",
    )
    row = await database.pool.fetchrow("SELECT * FROM ops.devices WHERE id=$1", device)
    assert (row["battery"], row["pending"], row["software"]) == (81, 4, "2.1")
    await database.pool.execute("UPDATE ops.gates SET state = 'held'")
    answer = await http.post(HEARTBEAT, json={}, headers=token)
    assert answer.json()["config"]["doors"] == "held"
    # What was not said stays as it was.
    row = await database.pool.fetchrow("SELECT * FROM ops.devices WHERE id=$1", device)
    assert row["battery"] == 81
    wrong = await http.post(HEARTBEAT, json={"battery": "full"}, headers=token)
    assert wrong.status_code == 400
    assert wrong.json()["errors"][0]["field"] == "battery"


async def _warm(redis_url: str, event: UUID) -> None:
    """Say that the cache of an event is ready, as the rebuild does."""
    async with Redis.from_url(redis_url, protocol=2) as redis:
        run_id = (await redis.info("server"))["run_id"]
        await redis.hset(
            keys.meta(event),
            mapping={"layout": keys.LAYOUT_VERSION, "run_id": run_id, "state": "ready"},
        )


async def test_a_revocation_holds_at_once_and_in_the_cache(
    http: httpx.AsyncClient,
    bearer: dict[str, str],
    place: Place,
    runtime: Runtime,
    redis_url: str,
) -> None:
    await _warm(redis_url, place.event)
    device, token = await pair_device(http, bearer, place)

    async def cached() -> str:
        async with Redis.from_url(redis_url, protocol=2) as redis:
            return unpack_device(
                await redis.hget(keys.devices(place.event), device.bytes)
            ).state

    assert await cached() == "active"
    assert (await http.post(HEARTBEAT, json={}, headers=token)).status_code == 200
    for _ in range(2):
        answer = await http.post(f"/api/v1/devices/{device}/revoke", headers=bearer)
        assert (answer.status_code, answer.json()["state"]) == (200, "revoked")
    assert await cached() == "revoked"
    dead = await http.post(HEARTBEAT, json={}, headers=token)
    assert (dead.status_code, dead.json()["code"]) == (401, "device_revoked")


async def test_a_revocation_by_psql_empties_the_memory(
    http: httpx.AsyncClient,
    bearer: dict[str, str],
    place: Place,
    runtime: Runtime,
    database: Database,
) -> None:
    _, token = await pair_device(http, bearer, place)
    secret = token["Authorization"].removeprefix("Device ")
    assert isinstance(await runtime.registry.look_up(secret), DeviceIdentity)
    assert runtime.registry.known(secret) is not None
    await database.pool.execute("UPDATE ops.devices SET state = 'revoked'")
    await runtime.registry.refresh()
    assert runtime.registry.known(secret) is None
    with pytest.raises(Unauthenticated) as refused:
        await runtime.registry.authenticate(token["Authorization"])
    assert refused.value.code == "device_revoked"


async def test_an_unknown_token_is_asked_for_once(
    runtime: Runtime, base_url: str, database: Database, clock: MovedClock
) -> None:
    async def asked() -> int:
        for _ in range(3):
            with pytest.raises(Unauthenticated):
                await runtime.registry.authenticate("Device dev_nobody")
        return len(runtime.registry._unknown)

    assert await asked() == 1
    [(_, until_s)] = runtime.registry._unknown.values()
    assert await asked() == 1
    assert runtime.registry._unknown.popitem()[1][1] == until_s
    assert until_s <= clock.monotonic_s() + UNKNOWN_S


class Forgetful(dict[Any, Any]):
    """Nobody's question is remembered: everybody asks again."""

    def get(self, key: Any, default: Any = None) -> Any:
        return default

    def __delitem__(self, key: Any) -> None:
        self.pop(key, None)


@pytest.mark.parametrize("shared", [True, False])
async def test_forty_first_requests_of_a_device_ask_once(
    http: httpx.AsyncClient,
    bearer: dict[str, str],
    place: Place,
    runtime: Runtime,
    monkeypatch: pytest.MonkeyPatch,
    shared: bool,
) -> None:
    _, token = await pair_device(http, bearer, place)
    registry, asked = runtime.registry, 0
    found = await registry.authenticate(token["Authorization"])
    row, may_answer = registry._row, asyncio.Event()

    async def counted(key: bytes) -> Any:
        nonlocal asked
        asked += 1
        await may_answer.wait()
        return await row(key)

    monkeypatch.setattr(registry, "_row", counted)
    monkeypatch.setattr("ops.auth.devices.LOOK_UP_TIMEOUT_S", 30)
    if not shared:
        monkeypatch.setattr(registry, "_asked", Forgetful())
    registry.forget(found.id)
    secret = token["Authorization"].removeprefix("Device ")
    waiting = [asyncio.create_task(registry.look_up(secret)) for _ in range(40)]
    await asyncio.sleep(0)
    waiting[0].cancel()  # who gives up takes nobody along
    may_answer.set()
    answers = await asyncio.gather(*waiting[1:])
    assert {one.id for one in answers if isinstance(one, DeviceIdentity)} == {found.id}
    assert (asked == 1) is shared


@pytest.mark.parametrize("asked_again", [True, False])
async def test_who_was_unlocked_or_given_an_event_elsewhere_is_asked_for_again(
    http: httpx.AsyncClient,
    bearer: dict[str, str],
    place: Place,
    database: Database,
    runtime: Runtime,
    monkeypatch: pytest.MonkeyPatch,
    asked_again: bool,
) -> None:
    """Another process did it; the control: memory alone turns the device away."""
    device, token = await pair_device(http, bearer, place)
    other = await make_place(database, "Elsewhere")
    await runtime.registry.stop()
    here, there = (f"/api/v1/events/{one.event}" for one in (place, other))
    assert (await http.get(there, headers=token)).status_code == 403
    run = database.pool.execute
    await run("UPDATE ops.devices SET locked_at = now() WHERE id = $1", device)
    await runtime.registry.refresh()
    assert (await http.get(here, headers=token)).status_code == 423
    if not asked_again:
        monkeypatch.setattr("ops.auth.middleware.at_home", lambda *_: True)
    await run("UPDATE ops.devices SET locked_at = NULL WHERE id = $1", device)
    answer = await http.get(here, headers=token)
    assert answer.status_code == (200 if asked_again else 423)
    await runtime.registry.refresh()
    await run(
        "INSERT INTO ops.device_events (device_id, event_id) VALUES ($1, $2)",
        device,
        other.event,
    )
    answer = await http.get(there, headers=token)
    assert answer.status_code == (200 if asked_again else 403)


async def test_a_device_stays_at_its_own_event(
    http: httpx.AsyncClient, bearer: dict[str, str], place: Place, database: Database
) -> None:
    _, token = await pair_device(http, bearer, place)
    other = await make_place(database, "Elsewhere")
    assert (
        await http.get(f"/api/v1/events/{place.event}", headers=token)
    ).status_code == 200
    refused = await http.get(f"/api/v1/events/{other.event}", headers=token)
    assert (refused.status_code, refused.json()["code"]) == (403, "wrong_event")
    staff_only = await http.get("/api/v1/events", headers=token)
    assert staff_only.status_code == 403
    # And a person is not a device.
    person = await http.post(HEARTBEAT, json={}, headers=bearer)
    assert person.status_code == 403


async def _operator(
    http: httpx.AsyncClient, bearer: dict[str, str], place: Place, **fields: Any
) -> dict[str, Any]:
    made = await http.post(
        f"/api/v1/events/{place.event}/operators",
        json={"name": "O'Brien-Łukasz", **fields},
        headers=bearer,
    )
    assert made.status_code == 201, made.text
    body: dict[str, Any] = made.json()
    return body


async def test_a_steward_signs_on_and_off(
    http: httpx.AsyncClient, bearer: dict[str, str], place: Place, database: Database
) -> None:
    _, token = await pair_device(http, bearer, place)
    made = await _operator(http, bearer, place, role="supervisor", language="fr")
    names = (await http.get("/api/v1/devices/operators", headers=token)).json()
    assert names == [{"id": made["id"], "name": "O'Brien-Łukasz", "role": "supervisor"}]
    on = await http.post(OPERATOR, json={"pin": made["pin"]}, headers=token)
    assert on.json()["operator"]["id"] == made["id"]
    assert on.json()["operator"]["language"] == "fr"
    config = (await http.post(HEARTBEAT, json={}, headers=token)).json()["config"]
    assert config["operator"]["name"] == "O'Brien-Łukasz"
    off = await http.post(OPERATOR, json={"sign_off": True}, headers=token)
    assert off.json() == {"operator": None}
    assert (await http.delete(OPERATOR, headers=token)).status_code == 204
    config = (await http.post(HEARTBEAT, json={}, headers=token)).json()["config"]
    assert config["operator"] is None
    stored = await database.pool.fetchval("SELECT pin_hash FROM ops.operators")
    assert made["pin"].encode() not in stored


async def test_three_wrong_pins_lock_the_operator_not_the_device(
    http: httpx.AsyncClient, bearer: dict[str, str], place: Place, clock: MovedClock
) -> None:
    _, token = await pair_device(http, bearer, place)
    sam = await _operator(http, bearer, place, pin="1234")
    dana = await _operator(http, bearer, place, name="Dana", pin="5678")

    async def sign_on(who: dict[str, Any], pin: str) -> str:
        answer = await http.post(
            OPERATOR, json={"pin": pin, "operator_id": who["id"]}, headers=token
        )
        return str(answer.json().get("code", answer.status_code))

    assert [await sign_on(sam, "0000") for _ in range(3)] == ["wrong_pin"] * 3
    assert await sign_on(sam, "1234") == "operator_locked"
    assert await sign_on(dana, "5678") == "200"
    alone = await http.post(OPERATOR, json={"pin": "1234"}, headers=token)
    assert alone.json()["code"] == "operator_locked"
    assert (await http.post(HEARTBEAT, json={}, headers=token)).status_code == 200
    clock.shift = timedelta(minutes=6)
    assert await sign_on(sam, "1234") == "200"


async def test_a_badge_signs_on_and_a_shift_ends(
    http: httpx.AsyncClient, bearer: dict[str, str], place: Place, clock: MovedClock
) -> None:
    _, token = await pair_device(http, bearer, place)
    until = (clock.now() + timedelta(hours=1)).isoformat()
    made = await _operator(http, bearer, place, badge_code="BADGE-77", valid_to=until)
    on = await http.post(OPERATOR, json={"badge_code": "BADGE-77"}, headers=token)
    assert on.json()["operator"]["id"] == made["id"]
    unknown = await http.post(OPERATOR, json={"badge_code": "BADGE-78"}, headers=token)
    assert (unknown.status_code, unknown.json()["code"]) == (403, "unknown_badge")
    both = await http.post(
        OPERATOR, json={"badge_code": "BADGE-77", "pin": "1234"}, headers=token
    )
    assert (both.status_code, both.json()["code"]) == (422, "pin_or_badge")
    clock.shift = timedelta(hours=2)
    late = await http.post(OPERATOR, json={"badge_code": "BADGE-77"}, headers=token)
    assert late.json()["code"] == "operator_too_late"


async def test_a_pin_is_given_once_in_an_event(
    http: httpx.AsyncClient, bearer: dict[str, str], place: Place, database: Database
) -> None:
    await _operator(http, bearer, place, pin="1234")
    again = await http.post(
        f"/api/v1/events/{place.event}/operators",
        json={"name": "Wu", "pin": "1234"},
        headers=bearer,
    )
    assert (again.status_code, again.json()["code"]) == (409, "pin_taken")
    other = await make_place(database, "Elsewhere")
    await _operator(http, bearer, other, pin="1234")


async def test_the_control_room_moves_a_device(
    http: httpx.AsyncClient, bearer: dict[str, str], place: Place, database: Database
) -> None:
    device, token = await pair_device(http, bearer, place)
    url = f"/api/v1/devices/{device}"
    out = await http.patch(url, json={"direction": "out"}, headers=bearer)
    assert (out.status_code, out.json()["direction"]) == (200, "out")
    assert out.json()["gate"] == "Gate A"
    named = await http.patch(url, json={"name": "李小龙"}, headers=bearer)
    assert (named.json()["name"], named.json()["direction"]) == ("李小龙", "out")
    loose = await http.patch(url, json={"gate_id": None}, headers=bearer)
    assert loose.json()["gate_id"] is None
    other = await make_place(database, "Elsewhere")
    foreign = await http.patch(url, json={"gate_id": str(other.gate)}, headers=bearer)
    assert (foreign.status_code, foreign.json()["code"]) == (422, "unknown_gate")
    strange = await http.patch(url, json={"session_id": str(uuid4())}, headers=bearer)
    assert (strange.status_code, strange.json()["code"]) == (422, "unknown_session")
    nobody = await http.patch(
        f"/api/v1/devices/{uuid4()}", json={"name": "x"}, headers=bearer
    )
    assert nobody.status_code == 404
    as_device = await http.patch(url, json={"direction": "in"}, headers=token)
    assert as_device.status_code == 403
