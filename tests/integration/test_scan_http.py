"""Scans over real HTTP, against real api and sync processes."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import pytest

from ops.db.engine import Database
from ops.ids import uuid7
from tests.running import Role, client, free_port, until_answers
from tests.small_event import SmallEvent

ROUNDS = int(os.environ.get("RACE_ROUNDS", "20"))
"""Tickets raced for; 200 in the long run."""


class House:
    """Two api processes and a sync process on one pair of stores."""

    def __init__(self, event: SmallEvent, database: Database, urls: list[str]) -> None:
        self.event, self.database, self.urls = event, database, urls
        self.client = client(timeout=10, limits=httpx.Limits(max_connections=100))

    async def post(self, path: str, body: object, api: int = 0, device=None, **kwargs):
        device = device or self.event.device
        headers = {"Authorization": f"Device dev_{device}"}
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        return await self.client.post(
            f"{self.urls[api]}/api/v1{path}", headers=headers, **content, **kwargs
        )

    async def scan(self, code: str, api: int = 0, device=None, **fields):
        body = {"id": str(uuid7()), "code": code, **fields}
        while True:
            # As a device does: an unknown outcome is asked again with the same id.
            path = f"/events/{self.event.id}/scans"
            answer = await self.post(path, body, api, device)
            if answer.status_code != 503:
                return answer


@pytest.fixture(scope="module")
async def house(
    cloned_database_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    tmp_path = tmp_path_factory.mktemp("house")
    database = Database(cloned_database_url, "tests")
    await database.start()
    event = await SmallEvent.make(database.pool, tickets=120 + ROUNDS)
    ports = [free_port(), free_port()]
    env = {
        "OPS_DATABASE_URL": cloned_database_url,
        "OPS_REDIS_URL": valkey_url,
        "OPS_DATA_DIR": str(tmp_path),
    }
    roles = [Role("sync", env, tmp_path / "sync.log")]
    roles += [
        Role("api", {**env, "OPS_PORT": str(port)}, tmp_path / "api.log")
        for port in ports
    ]
    for role in roles:
        role.start()
    house = House(event, database, [f"http://127.0.0.1:{port}" for port in ports])
    try:
        for url, role in zip(house.urls, roles[1:], strict=True):
            await until_answers(f"{url}/healthz", role.process)
        yield house
    finally:
        await house.client.aclose()
        for role in reversed(roles):
            await asyncio.to_thread(role.stop)
        await database.stop()


async def test_one_of_fifty_over_two_processes(house: House) -> None:
    before = await house.database.pool.fetchval("SELECT count(*) FROM check_ins")
    for n in range(101, 101 + ROUNDS):
        devices = (house.event.device, house.event.other_device)
        answers = await asyncio.gather(
            *(
                house.scan(f"T-{n}", api=k % 2, device=devices[k // 2 % 2])
                for k in range(50)
            )
        )
        assert {answer.status_code for answer in answers} == {200}
        verdicts = Counter(answer.json()["verdict"] for answer in answers)
        assert verdicts["admitted"] == 1, verdicts
    rows = await house.database.pool.fetchval("SELECT count(*) FROM check_ins")
    assert rows == before + ROUNDS


async def test_the_answer_of_the_contract(house: House) -> None:
    answer = (await house.scan("V-1")).json()
    assert answer["verdict"] == "admitted"
    assert answer["reason"] == "ok"
    assert answer["message"] == "Welcome, O'Brien-Łukasz"
    assert answer["durable"] == "committed"
    assert answer["pass"] == 1
    assert answer["replayed"] is False
    assert answer["ticket"]["type"] == "VIP"
    assert answer["ticket"]["admits"] == {"total": 1, "inside": 1, "used": 1}
    assert answer["area"]["name"] == "Venue"
    assert answer["area"]["inside"] >= 1
    again = (await house.scan("V-1", device=house.event.other_device)).json()
    assert again["verdict"] in ("refused", "hold")
    assert again["previous"]["gate"] == "Main gate"
    assert again["previous"]["device"] == "Phone 1"


async def test_replay_and_reuse(house: House) -> None:
    body = {"id": str(uuid7()), "code": "T-30"}
    path = f"/events/{house.event.id}/scans"
    first = (await house.post(path, body)).json()
    again = (await house.post(path, body, api=1)).json()
    assert again["replayed"] is True
    same = ("verdict", "reason", "at", "pass", "durable", "message")
    assert {key: again[key] for key in same} == {key: first[key] for key in same}
    other = await house.post(path, {**body, "code": "T-31"}, api=1)
    assert other.status_code == 409
    assert other.json()["code"] == "scan_id_reused"


async def test_undo_frees_the_place(house: House) -> None:
    first = (await house.scan("T-40")).json()
    path = f"/events/{house.event.id}/scans/{first['id']}/undo"
    undone = await house.post(path, {"reason": "wrong person"})
    assert undone.status_code == 200, undone.text
    assert undone.json()["replayed"] is False
    assert (await house.post(path, {"reason": "again"})).json()["replayed"] is True
    again = (await house.scan("T-40")).json()
    assert (again["verdict"], again["pass"]) == ("admitted", 2)
    replay = await house.post(
        f"/events/{house.event.id}/scans", {"id": first["id"], "code": "T-40"}
    )
    assert replay.json()["verdict"] == "hold"


async def test_a_batch_answers_each_record(house: House) -> None:
    good = [{"id": str(uuid7()), "code": f"T-{n}"} for n in range(50, 56)]
    bad = [
        {"id": str(uuid7()), "code": "a\x00b"},
        {"id": str(uuid7())},
        {"id": "no uuid", "code": "T-60"},
        {"id": str(uuid7()), "code": "T-61", "admit": "three"},
        {"id": str(uuid7()), "code": "T-62", "a_field_of_tomorrow": 1},
    ]
    path = f"/events/{house.event.id}/scans/batch"
    answer = await house.post(path, {"scans": good[:3] + bad + good[3:]})
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [r.get("verdict") for r in results] == (
        ["admitted"] * 3 + [None] * 4 + ["admitted"] * 4
    )
    assert [r["error"]["code"] for r in results[3:7]] == [
        "nul_character",
        "malformed_body",
        "malformed_body",
        "malformed_body",
    ]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"not json", 400, "malformed_body"),
        (b'{"scans": 1}', 400, "malformed_body"),
        (b"{}", 400, "malformed_body"),
        (b'{"scans": [' + b"[" * 5000 + b"]" * 5000 + b"]}", 400, "malformed_body"),
        (b'{"scans": ["\\ud800"]}', 400, "malformed_body"),
        (b'{"scans": [' + b"1," * 1000 + b"1]}", 413, "batch_too_large"),
    ],
)
async def test_a_body_that_is_no_batch(house: House, body, status, code) -> None:
    answer = await house.post(f"/events/{house.event.id}/scans/batch", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_revoked_device_is_stopped_at_the_next_scan(house: House) -> None:
    stolen = uuid7()
    await house.event.add_device(
        house.database.pool, stolen, "Phone 9", house.event.main_gate
    )
    assert (await house.scan("T-70", device=stolen)).status_code == 200
    await house.database.pool.execute(
        "UPDATE ops.devices SET state = 'revoked', revoked_at = now() WHERE id = $1",
        stolen,
    )
    answer = await house.scan("T-71", device=stolen)
    assert answer.status_code == 401
    assert answer.json()["code"] == "device_revoked"
