"""A small world for the tests of the live role: a plan, a desk that writes what the
finish script writes, a gate that knows a few tokens, a client that reads frames.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import msgspec
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from ops.auth.tokens import token_hash
from ops.cache import keys
from ops.cache.entry import TicketEntry, pack_ticket
from ops.errors import StoreUnavailable
from ops.ids import uuid7
from ops.live.devices import Device, Devices
from ops.live.server import LiveServer, Options
from ops.live.state import (
    AreaInfo,
    EventInfo,
    GateInfo,
    Plan,
    ScopeInfo,
    SessionInfo,
    TypeInfo,
)
from ops.live.topics import Grants, Kind, Subject

STARTS = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
ORIGIN = "https://doors.example.org"


class World:
    """One event: ids, its plan, and the desk's side of the cache."""

    def __init__(self, redis: Redis) -> None:
        self.redis: Any = redis
        self.event_id, self.venue_id, self.room_id = uuid7(), uuid7(), uuid7()
        self.gate_id, self.session_id = uuid7(), uuid7()
        self.plan_reads = self.device_reads = 0
        self.devices: Devices | None = Devices((device("Scanner 7"),), 1)
        self.plan = Plan(
            event=EventInfo(
                id=self.event_id,
                title="Doors & Données 2026",
                timezone="America/Toronto",
                status="live",
                doors_state="open",
                stopped=None,
                starts_at=STARTS,
                ends_at=STARTS + timedelta(hours=10),
                doors_open_at=STARTS - timedelta(hours=1),
                day_starts_at=time(6),
                capacity=5000,
            ),
            scopes=(
                ScopeInfo(1, "venue", self.venue_id, None, None, "hard", True),
                ScopeInfo(
                    2, "session", self.room_id, self.session_id, 80, "soft", True
                ),
            ),
            areas=(
                AreaInfo(self.venue_id, 1, "Hall", "venue", 4800, "hard"),
                AreaInfo(self.room_id, 2, "Room 201", "room", 120, "hard"),
            ),
            gates=(GateInfo(self.gate_id, 1, "Gate A", self.venue_id, "open", 2),),
            types=(
                TypeInfo(uuid7(), 1, "General", "general", True, 4000, 3900),
                TypeInfo(uuid7(), 2, "Crew", "speaker", False, 0, 0),
            ),
            sessions=(
                SessionInfo(
                    self.session_id,
                    "Queues",
                    "keynote",
                    self.room_id,
                    STARTS,
                    STARTS + timedelta(hours=1),
                    None,
                    None,
                    120,
                    "track",
                    "scheduled",
                    66,
                ),
            ),
            refused_people=0,
            devices={7: "Scanner 7"},
            operators={3: "Zoë"},
        )

    def topic(self, kind: str) -> str:
        return f"event:{self.event_id}:{kind}"

    async def read_plan(self, event_id: UUID) -> Plan | None:
        self.plan_reads += 1
        return self.plan if event_id == self.event_id else None

    async def read_devices(self, event_id: UUID) -> Devices | None:
        self.device_reads += 1
        if self.devices is None:
            raise StoreUnavailable("devices")
        return self.devices if event_id == self.event_id else None

    async def warm(self, epoch: str = "e1", event_id: UUID | None = None) -> None:
        """The cache as it is after warming."""
        server = await self.redis.info("server")
        await self.redis.hset(
            keys.meta(event_id or self.event_id),
            mapping={
                "state": "ready",
                "layout": keys.LAYOUT_VERSION,
                "run_id": server["run_id"],
                "feed_epoch": epoch,
                "plan": 1,
            },
        )

    async def forget(self) -> None:
        """The cache lost the event."""
        found = await self.redis.keys(f"{keys.tag(self.event_id)}*")
        if found:
            await self.redis.delete(*found)

    async def batch(
        self, lines: Iterable[list[Any]] = (), **counters: int
    ) -> tuple[int, int]:
        """One batch of the desk; counters as `i_1=5`. The offsets after it."""
        lines = list(lines)
        meta, counts = keys.meta(self.event_id), keys.counters(self.event_id)
        for name, by in counters.items():
            await self.redis.hincrby(counts, name.replace("_", ":"), by)
        attendance = await self.redis.hincrby(meta, "off:attendance", 1)
        await self.redis.hincrby(meta, "off:sessions", 1)
        scans = await self.redis.hincrby(meta, "off:scans", len(lines))
        await self.redis.xadd(
            keys.feed(self.event_id),
            {"a": attendance, "s": scans, "l": msgspec.msgpack.encode(lines)},
        )
        return attendance, scans

    async def ticket(self, name: str) -> bytes:
        """A ticket in the cache; its id."""
        ticket_id = uuid7().bytes
        entry = TicketEntry(1, 1, "valid", 1, "guest", name)
        await self.redis.hset(
            keys.tickets(self.event_id), ticket_id, pack_ticket(entry)
        )
        return ticket_id


def device(name: str, battery: int | None = 80) -> Device:
    """A device at a gate, seen when the doors opened."""
    return Device(
        id=uuid7(),
        name=name,
        profile="scan",
        gate_id=None,
        gate="Gate A",
        operator="Zoë",
        battery=battery,
        pending=0,
        software="handheld 1",
        clock_skew_ms=40,
        last_seen_at=STARTS,
        state="active",
    )


def line(ticket_id: bytes | None = None, verdict: str = "admitted") -> list[Any]:
    """A scan line as the desk packs it."""
    at_ms = int(STARTS.timestamp() * 1000)
    names = [ticket_id, 1, 1, 1, 7, 3, "…7QK2"]
    return [uuid7().bytes, at_ms, verdict, "ok", "in", 1, *names]


class Gate:
    """The tokens that open something."""

    def __init__(self, world: World) -> None:
        everything = frozenset({"*.read"})
        self.grants = {
            "staff_all": Grants(Subject.STAFF, {None: everything}),
            "staff_here": Grants(
                Subject.STAFF,
                {world.event_id: frozenset({"events.read"})},
            ),
            "dev_7": Grants(Subject.DEVICE, {}, frozenset({world.event_id})),
        }

    async def identify(self, token: str) -> Grants | None:
        return self.grants.get(token)

    async def look_up(
        self, hashes: Iterable[bytes], subjects: Collection[Subject] = tuple(Subject)
    ) -> dict[bytes, Grants]:
        wanted = set(hashes)
        return {
            token_hash(token): grants
            for token, grants in self.grants.items()
            if token_hash(token) in wanted and grants.subject in subjects
        }


class Client:
    """A websocket that speaks JSON."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def hear(self, within_s: float = 5.0) -> dict[str, Any]:
        async with asyncio.timeout(within_s):
            frame: dict[str, Any] = json.loads(await self.socket.recv())
            return frame

    async def hear_op(self, op: str, within_s: float = 5.0) -> dict[str, Any]:
        """The next frame of this kind, skipping others."""
        async with asyncio.timeout(within_s):
            while True:
                frame = await self.hear(within_s)
                if frame["op"] == op:
                    return frame

    async def hello(
        self, token: str | None = "staff_all", **resume: Any
    ) -> dict[str, Any]:
        await self.say(op="hello", v=1, token=token, resume=resume)
        return await self.hear()

    async def watch(self, *topics: str) -> dict[str, Any]:
        await self.say(op="subscribe", topics=list(topics))
        return await self.hear()

    async def code(self, within_s: float = 5.0) -> int | None:
        """The close code, once everything before it was read."""
        async with asyncio.timeout(within_s):
            with suppress(ConnectionClosed):
                async for _ in self.socket:
                    pass
            await self.socket.wait_closed()
        return self.socket.close_code


@asynccontextmanager
async def serving(world: World, redis_url: str, **changed: Any) -> Any:
    """A live server for this world on a free port."""
    given = {
        name: changed.pop(name)
        for name in ("clock", "database", "gatekeeper")
        if name in changed
    }
    options = Options(
        redis_url=redis_url, allowed_origins=frozenset({ORIGIN}), **changed
    )
    gate = given.pop("gatekeeper", None) or Gate(world)
    server = LiveServer(
        options, gate, world.read_plan, {Kind.DEVICES: world.read_devices}, **given
    )
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def client(server: LiveServer, **arguments: Any) -> Any:
    """A connected client that has not said hello."""
    url = f"ws://127.0.0.1:{server.port}/live"
    given = {"compression": None, "close_timeout": 1} | arguments
    async with connect(url, **given) as connection:
        yield Client(connection)
