"""A handheld of the crowd: what it repeats, what it writes down, what it believes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from ops.dev import handheld
from ops.dev.arrivals import Step
from ops.dev.handheld import Handheld, Journal, PairingRefused, read
from ops.dev.layout import SampleDevice

EVENT = UUID(int=7)
DEVICE = SampleDevice(UUID(int=1), "North 1", "north", "AAAA-BBBB-CCCC", "n1", "240001")
STEP = Step(1.0, UUID(int=42), "North 1", "CODE", "in", "arrive", None, UUID(int=9))
GREEN = {"verdict": "admitted", "reason": "ok", "durable": "committed"}

Answers = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handheld, "PAUSE_S_FIRST", 0.001)
    monkeypatch.setattr(handheld, "PAUSE_S_MAX", 0.001)


class Server:
    """Answers scans in turn with what it was given; pairing always works."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.scans: list[dict[str, object]] = []
        self.tokens = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/pair"):
            self.tokens += 1
            return httpx.Response(200, json={"token": f"token-{self.tokens}"})
        if not request.url.path.endswith("/scans"):
            return httpx.Response(200, json={})
        self.scans.append(json.loads(request.content))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def scan(server: Server, path: Path) -> handheld.Answer | None:
    journal = Journal(path)
    transport = httpx.MockTransport(server)
    async with httpx.AsyncClient(base_url="http://x", transport=transport) as client:
        it = Handheld(DEVICE, EVENT, client, journal)
        await it.pair()
        try:
            return await it.scan(STEP, None)
        finally:
            journal.close()


async def test_no_answer_is_asked_again_under_the_same_id(tmp_path: Path) -> None:
    server = Server(
        httpx.ConnectError("gone"),
        httpx.ReadTimeout("slow"),
        httpx.Response(503),
        httpx.Response(200, json=GREEN),
    )
    answer = await scan(server, tmp_path / "log")
    assert answer is not None
    assert answer.verdict == "admitted"
    assert [body["id"] for body in server.scans] == [str(STEP.scan_id)] * 4
    assert [note.op for note in read(tmp_path / "log")] == ["invoke", "answer"]


async def test_a_dead_token_is_replaced_by_pairing_again(tmp_path: Path) -> None:
    server = Server(httpx.Response(401), httpx.Response(200, json=GREEN))
    assert await scan(server, tmp_path / "log") is not None
    assert server.tokens == 2


async def test_what_the_server_refuses_to_hear_is_written_down(tmp_path: Path) -> None:
    assert await scan(Server(httpx.Response(409)), tmp_path / "log") is None
    assert read(tmp_path / "log")[-1].status == 409


async def test_an_answered_scan_is_not_sent_again(tmp_path: Path) -> None:
    await scan(Server(httpx.Response(200, json=GREEN)), tmp_path / "log")
    server = Server()
    assert await scan(server, tmp_path / "log") is None
    assert not server.scans


async def test_a_scan_without_an_answer_is_sent_again_after_a_restart(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    await scan(Server(httpx.Response(200, json=GREEN)), log)
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(lines[0] + lines[1][:20])  # killed while it wrote the answer
    server = Server(httpx.Response(200, json={**GREEN, "replayed": True}))
    answer = await scan(server, log)
    assert answer is not None
    assert answer.replayed
    assert server.scans[0]["id"] == str(STEP.scan_id)
    assert [note.op for note in read(log)] == ["invoke", "invoke", "answer"]


async def test_a_refused_pairing_ends_it(tmp_path: Path) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        return httpx.Response(422, json={})

    transport = httpx.MockTransport(refuse)
    journal = Journal(tmp_path / "log")
    async with httpx.AsyncClient(base_url="http://x", transport=transport) as client:
        with pytest.raises(PairingRefused):
            await Handheld(DEVICE, EVENT, client, journal).pair()
    journal.close()
