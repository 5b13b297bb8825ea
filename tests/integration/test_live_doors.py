"""The topic doors: a device hears by its socket of held doors and of a full place."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from ops.db.engine import Database
from ops.ids import uuid7
from ops.live.auth import Authenticator
from ops.live.doors import read_doors
from ops.live.server import LiveServer, Options
from ops.live.topics import Kind
from tests.live_world import Client, client
from tests.small_event import SmallEvent


@pytest.fixture
async def event(database: Database) -> SmallEvent:
    return await SmallEvent.make(database.pool)


@pytest.fixture
async def server(database: Database, redis_url: str) -> AsyncIterator[LiveServer]:
    async def nothing(_: UUID) -> None:
        return None

    server = LiveServer(
        Options(redis_url=redis_url),
        Authenticator(database.pool),
        nothing,
        {Kind.DOORS: partial(read_doors, database.pool)},
    )
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def gate_of(frame: dict[str, Any], gate_id: UUID) -> dict[str, Any]:
    """One gate of what was told."""
    [found] = [g for g in frame["data"]["gates"] if g["id"] == str(gate_id)]
    return dict(found)


async def told(socket: Client) -> dict[str, Any]:
    """The next state, whatever marks come before it."""
    while True:
        frame = await socket.hear()
        if frame["op"] in ("snapshot", "update"):
            return dict(frame)


@asynccontextmanager
async def device_of(server: LiveServer, device: UUID) -> Any:
    """The socket of a device."""
    async with client(server) as socket:
        assert (await socket.hello(f"dev_{device}"))["op"] == "welcome"
        yield socket


async def full(database: Database, event: SmallEvent, inside: int) -> None:
    """So many of ten are in, and the alert of a full venue stands."""
    await database.pool.execute(
        "UPDATE ops.areas SET capacity = 10, inside = $2 WHERE id = $1",
        *(event.venue, inside),
    )
    await database.pool.execute(
        "INSERT INTO ops.alerts (id, event_id, rule, subject, value, area_id)"
        " VALUES ($1, $2, 'area_full', $3, 100, $4) ON CONFLICT DO NOTHING",
        *(uuid7(), event.id, str(event.venue), event.venue),
    )


async def test_a_device_hears_of_its_doors(
    database: Database, event: SmallEvent, server: LiveServer
) -> None:
    topic = f"event:{event.id}:doors"
    async with device_of(server, event.device) as socket:
        await socket.say(op="subscribe", topics=[topic])
        open_doors = gate_of(await told(socket), event.main_gate)
        assert (open_doors["doors"], open_doors["full"]) == ("open", None)
        await database.pool.execute(
            "UPDATE ops.gates SET state = 'closed', use_instead_id = $2 WHERE id = $1",
            *(event.main_gate, event.lounge_gate),
        )
        closed = gate_of(await told(socket), event.main_gate)
        assert (closed["doors"], closed["use_instead"]) == ("closed", "Lounge gate")
        await database.pool.execute(
            "UPDATE events SET doors_state = 'last_entry' WHERE id = $1", event.id
        )
        frame = await told(socket)
        # The stricter one of the event's and the gate's own.
        assert gate_of(frame, event.main_gate)["doors"] == "closed"
        assert gate_of(frame, event.room_gate)["doors"] == "last_entry"


async def test_one_out_one_in_at_the_gates_of_the_full_place_alone(
    database: Database, event: SmallEvent, server: LiveServer
) -> None:
    topic = f"event:{event.id}:doors"
    await full(database, event, 10)
    async with device_of(server, event.device) as socket:
        await socket.say(op="subscribe", topics=[topic])
        frame = await told(socket)
        at_main = gate_of(frame, event.main_gate)["full"]
        assert (at_main["place"], at_main["may_enter"]) == ("Venue", 0)
        assert gate_of(frame, event.lounge_gate)["full"] is None
        await full(database, event, 8)  # two went out: counted anew, not by the alert
        assert gate_of(await told(socket), event.main_gate)["full"]["may_enter"] == 2
        await database.pool.execute("UPDATE ops.alerts SET cleared_at = now()")
        assert gate_of(await told(socket), event.main_gate)["full"] is None


async def test_a_full_room_speaks_by_its_session(
    database: Database, event: SmallEvent, server: LiveServer
) -> None:
    await database.pool.execute(
        "UPDATE sessions SET max_attendees = 3 WHERE id = $1", event.session
    )
    await database.pool.execute(
        "UPDATE ops.scopes SET inside = 5, capacity = NULL WHERE session_id = $1",
        event.session,
    )
    await database.pool.execute(
        "INSERT INTO ops.alerts (id, event_id, rule, subject, value, session_id)"
        " VALUES ($1, $2, 'area_full', 'room', 166, $3)",
        *(uuid7(), event.id, event.session),
    )
    async with device_of(server, event.device) as socket:
        await socket.say(op="subscribe", topics=[f"event:{event.id}:doors"])
        room = gate_of(await told(socket), event.room_gate)["full"]
        # Beyond its seats by an override: never less than nobody.
        assert room == {"place": "Opening", "inside": 5, "capacity": 3, "may_enter": 0}


async def test_no_other_event_hears_it(
    database: Database, event: SmallEvent, server: LiveServer
) -> None:
    other = await SmallEvent.make(database.pool)
    async with device_of(server, other.device) as socket:
        await socket.say(op="subscribe", topics=[f"event:{event.id}:doors"])
        frame = await socket.hear()
        assert (frame["op"], frame["code"]) == ("error", "forbidden")
