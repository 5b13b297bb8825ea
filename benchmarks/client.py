"""A lean HTTP/1.1 client in a process of its own, so that it costs the server little.

Requests are bytes made beforehand; an answer is read for its length, status and
verdict and nothing else (about 25 us a request; httpx takes 400). Two ways to send:
closed (each connection asks again when it is answered) and open (a Poisson clock
asks, whether the server keeps up or not; the latency counts from the planned time).
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import time
from collections import Counter, deque
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Literal, cast

import msgspec
import uvloop

from ops.ids import uuid7

HOST = "127.0.0.1"
ANSWER_S_MAX = 30.0

VERDICT = b'"verdict":"'
_ID = b'"id":"'


class Job(msgspec.Struct, frozen=True):
    """What to send.

    `codes` are scanned once each, in order; the run ends with them or after
    `seconds`. An empty `codes` sends `body` for ever.
    """

    port: int
    path: str
    tokens: list[str]
    connections: int
    seconds: float
    codes: list[str] = []
    more: dict[str, int] = {}
    """Further fields of each scan."""
    mode: Literal["closed", "open"] = "closed"
    rate_per_s: float = 0.0
    seed: int = 1


class Outcome(msgspec.Struct, frozen=True):
    """What came back; latencies in seconds, in the order of the answers."""

    seconds: float
    latencies_s: list[float]
    statuses: dict[int, int]
    verdicts: dict[str, int]
    late: int = 0
    """Open loop: requests that waited for a free connection."""
    sent: int = 0
    """Codes that were used."""
    due_s: dict[str, float] = {}
    """Open loop: the planned instant of each scan id (`time.perf_counter()`)."""

    @property
    def count(self) -> int:
        """Answers with status 200."""
        return self.statuses.get(200, 0)

    @property
    def errors(self) -> int:
        """All other answers, and requests without one."""
        return sum(n for status, n in self.statuses.items() if status != 200)

    @property
    def per_s(self) -> float:
        """Good answers a second."""
        return self.count / self.seconds

    def quantile_ms(self, part: float) -> float:
        """A quantile of the latencies in milliseconds."""
        ordered = sorted(self.latencies_s)
        return ordered[min(int(len(ordered) * part), len(ordered) - 1)] * 1000


class Wire(asyncio.Protocol):
    """One keep-alive connection with at most one request under way."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._transport: asyncio.Transport | None = None
        self._got = b""
        self.sent_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def send(self, request: bytes, since_s: float) -> None:
        """Write a request; the answer goes to the run."""
        assert self._transport is not None
        self.sent_s = since_s
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        got = self._got = self._got + data if self._got else data
        head = got.find(b"\r\n\r\n")
        if head < 0:
            return
        at = got.find(b"content-length: ", 0, head)
        length = int(got[at + 16 : got.index(b"\r\n", at)])
        if len(got) < head + 4 + length:
            return
        self._got = b""
        self._run.answered(self, int(got[9:12]), got[head:])

    def connection_lost(self, error: Exception | None) -> None:
        self._run.lost(self)

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()


class Run:
    """One job being done."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._requests = requests(job)
        self._wires: list[Wire] = []
        self._idle: deque[Wire] = deque()
        self._due: deque[float] = deque()
        self._latencies: list[float] = []
        self._statuses: Counter[int] = Counter()
        self._verdicts: Counter[str] = Counter()
        self._under_way = self._at = self._late = 0
        self._over = False
        self._end_s = 0.0
        self._due_s: dict[str, float] = {}
        self._done = asyncio.Event()

    async def go(self) -> Outcome:
        """Connect, send, wait for the last answers, close."""
        loop = asyncio.get_running_loop()
        for _ in range(self.job.connections):
            _, wire = await loop.create_connection(
                lambda: Wire(self), HOST, self.job.port
            )
            self._wires.append(wire)
        started_s = time.perf_counter()
        self._end_s = started_s + self.job.seconds
        if self.job.mode == "open":
            await self._poisson(started_s)
        else:
            for wire in self._wires:
                self._next(wire)
        self._check_end()
        try:
            async with asyncio.timeout(self.job.seconds + ANSWER_S_MAX):
                await self._done.wait()
        except TimeoutError:
            self._statuses[0] += self._under_way
        seconds = time.perf_counter() - started_s
        self._over = True
        for wire in self._wires:
            wire.close()
        return Outcome(
            seconds,
            self._latencies,
            dict(self._statuses),
            dict(self._verdicts),
            self._late,
            self._at,
            self._due_s,
        )

    async def _poisson(self, started_s: float) -> None:
        self._idle.extend(self._wires)
        rng, planned_s = random.Random(self.job.seed), started_s
        while self._at < len(self._requests):
            planned_s += rng.expovariate(self.job.rate_per_s)
            if planned_s >= self._end_s:
                break
            pause_s = planned_s - time.perf_counter()
            if pause_s > 0:
                await asyncio.sleep(pause_s)
            if self._idle:
                self._send(self._idle.popleft(), planned_s)
            else:
                self._late += 1
                self._due.append(planned_s)
        self._end_s = 0.0

    def _next(self, wire: Wire) -> None:
        now_s = time.perf_counter()
        if now_s < self._end_s and self._at < len(self._requests):
            self._send(wire, now_s)

    def _send(self, wire: Wire, since_s: float) -> None:
        request = self._requests[self._at]
        if self.job.codes:
            self._at += 1
        if self.job.mode == "open":
            at = request.index(_ID) + len(_ID)
            self._due_s[request[at : at + 36].decode()] = since_s
        self._under_way += 1
        wire.send(request, since_s)

    def answered(self, wire: Wire, status: int, body: bytes) -> None:
        """Take an answer; send the next request."""
        now_s = time.perf_counter()
        self._latencies.append(now_s - wire.sent_s)
        self._statuses[status] += 1
        at = body.find(VERDICT)
        if at >= 0:
            start = at + len(VERDICT)
            self._verdicts[body[start : body.index(b'"', start)].decode()] += 1
        self._under_way -= 1
        if self.job.mode == "closed":
            self._next(wire)
        elif self._due:
            self._send(wire, self._due.popleft())
        else:
            self._idle.append(wire)
        self._check_end()

    def _check_end(self) -> None:
        over = (
            time.perf_counter() >= self._end_s or self._at >= len(self._requests)
        ) and not self._due
        if over and not self._under_way:
            self._done.set()

    def lost(self, wire: Wire) -> None:
        """A connection ended: an error while somebody still works."""
        if not self._over:
            self._statuses[0] += 1
            self._over = True
            self._done.set()


def requests(job: Job) -> list[bytes]:
    """The bytes to send, with a fresh scan id each."""
    made = []
    for number, code in enumerate(job.codes or [""]):
        body = msgspec.json.encode({"id": str(uuid7()), "code": code, **job.more})
        made.append(
            b"POST %b HTTP/1.1\r\nhost: %b:%d\r\nauthorization: Device %b\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
            % (
                job.path.encode(),
                HOST.encode(),
                job.port,
                job.tokens[number % len(job.tokens)].encode(),
                len(body),
                body,
            )
        )
    return made


async def _serve(pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    while (packed := await loop.run_in_executor(None, pipe.recv_bytes)) != b"":
        job = msgspec.msgpack.decode(packed, type=Job)
        pipe.send_bytes(msgspec.msgpack.encode(await Run(job).go()))


def _child(pipe: Connection) -> None:
    uvloop.run(_serve(pipe))


class Client:
    """The client's process: `with Client() as client: await client.run(job)`."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_child, args=(theirs,), daemon=True)

    def __enter__(self) -> Client:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._pipe.send_bytes(b"")
        self._process.join(5)
        if self._process.is_alive():
            self._process.terminate()

    async def run(self, job: Job) -> Outcome:
        """Do a job; returns when its last answer is there."""
        self._pipe.send_bytes(msgspec.msgpack.encode(job))
        packed = await asyncio.get_running_loop().run_in_executor(
            None, self._pipe.recv_bytes
        )
        return msgspec.msgpack.decode(packed, type=Outcome)
