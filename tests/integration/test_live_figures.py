"""The figures on the socket against PostgreSQL, with the real desk and both sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from ops.auth.subjects import DeviceIdentity
from ops.auth.tokens import token_hash
from ops.cache import keys
from ops.cache.client import Cache
from ops.checkin.undo import Undo
from ops.crm_sync.drain import Drain
from ops.crm_sync.warm import Warmer
from ops.db.engine import Database
from ops.ids import uuid7
from ops.live import state
from ops.live.alerts import read_alerts
from ops.live.auth import Authenticator
from ops.live.devices import read_devices
from ops.live.plan import read_plan
from ops.live.server import LiveServer, Options
from ops.live.sources import CacheSource, DatabaseSource, count
from ops.live.state import Plan
from ops.live.topics import Kind
from tests.integration.test_desk import Door, door, event, scan  # noqa: F401
from tests.live_world import Client, client
from tests.small_event import SmallEvent

NO_REDIS = "unix:///nonexistent/valkey.sock"


@pytest.fixture
async def warmer(database: Database, redis_url: str) -> AsyncIterator[Warmer]:
    cache = Cache(redis_url, timeout_s=2.0)
    drain = Drain(database, cache)
    await drain.start()
    yield Warmer(database, cache, drain.catch_up)
    await cache.stop()


@asynccontextmanager
async def serving(database: Database, redis_url: str) -> Any:
    async def plan(event_id: UUID) -> Plan | None:
        return await read_plan(database.pool, event_id)

    server = LiveServer(
        Options(redis_url=redis_url, interval_s=0.02, devices_every_s=0.05),
        Authenticator(database.pool),
        plan,
        {
            Kind.DEVICES: partial(read_devices, database.pool),
            Kind.ALERTS: partial(read_alerts, database.pool),
        },
        DatabaseSource(database.pool),
    )
    await server.start()
    yield server
    await server.stop()


async def sign_in(database: Database, permissions: str, event_id: UUID | None) -> str:
    """A staff session with a role everywhere, or in one event alone; its token."""
    role, user, token = uuid7(), uuid7(), f"staff_{uuid7()}"
    await database.pool.execute(
        "INSERT INTO roles (id, name, permissions) VALUES ($1, $2, $3::text::jsonb)",
        role,
        f"role-{role}",
        permissions,
    )
    await database.pool.execute(
        "INSERT INTO users (id, first_name, last_name, email, role_id)"
        " VALUES ($1, 'Zoë', 'Ng', $2, $3)",
        user,
        f"{user}@example.org",
        None if event_id else role,
    )
    if event_id:
        await database.pool.execute(
            "INSERT INTO ops.event_members (id, user_id, event_id, role_id)"
            " VALUES ($1, $2, $3, $4)",
            uuid7(),
            user,
            event_id,
            role,
        )
    await database.pool.execute(
        "INSERT INTO ops.staff_sessions (id, user_id, token_hash, kind, expires_at)"
        " VALUES ($1, $2, $3, 'bearer', now() + interval '1 hour')",
        uuid7(),
        user,
        token_hash(token),
    )
    return token


@asynccontextmanager
async def screen(database: Database, redis_url: str) -> AsyncIterator[Client]:
    """A screen of somebody who may see everything, before it asked for a topic."""
    token = await sign_in(database, '{"*": {"read": true}}', None)
    async with serving(database, redis_url) as server, client(server) as one:
        await one.hello(token)
        yield one


async def evening(door: Door, event: SmallEvent) -> None:  # noqa: F811
    """Entries, exits, re-entries, a group, a lounge, repeats, unknown codes."""
    for n in range(1, 12):
        await scan(door, event, f"T-{n}")
    for n in range(1, 5):
        await scan(door, event, f"T-{n}", direction="out")
    await scan(door, event, "T-1")
    await scan(door, event, "T-1", direction="out")
    await scan(door, event, "T-2")
    await scan(door, event, "T-19", direction="out")
    await scan(door, event, "G-1", admit=3)
    await scan(door, event, "V-1", event.lounge_device)
    await scan(door, event, "V-2", event.lounge_device)
    await scan(door, event, "V-2", event.lounge_device, direction="out")
    await scan(door, event, "V-1", direction="out")
    await scan(door, event, "T-5", event.other_device)
    await scan(door, event, "T-6", event.lounge_device)
    for _ in range(3):
        await scan(door, event, "NEVER SOLD")
    await scan(door, event, "T-3", session_id=event.session)


def without_zeros(counters: state.Counters) -> state.Counters:
    return {k: {n: v for n, v in of.items() if v} for k, of in counters.items()}


async def counted_by_hand(database: Database, event_id: UUID) -> state.Counters:
    """The counters from plain rows, added up here: no statement of the server's."""
    passes = await database.pool.fetch(
        "SELECT c.*, s.no AS scope_no, s.kind, s.area_id, y.no AS type_no,"
        " g.no AS gate_no, g.area_id AS gate_area, x.no AS exit_no"
        " FROM check_ins c JOIN ops.scopes s ON s.id = c.scope_id"
        " JOIN tickets t ON t.id = c.ticket_id"
        " JOIN ticket_types y ON y.id = t.ticket_type_id"
        " LEFT JOIN ops.gates g ON g.id = c.gate_id"
        " LEFT JOIN ops.gates x ON x.id = c.exit_gate_id"
        " WHERE c.event_id = $1 AND c.undone_at IS NULL AND c.scan_id IS NOT NULL"
        " ORDER BY c.checked_in_at",
        event_id,
    )
    seen: dict[str, Counter[int]] = {letter: Counter() for letter in "iegxtmrwcy"}
    known = set()
    days = set()
    for row in passes:
        person = (row["ticket_id"], row["person_no"], row["scope_no"])
        first = person not in known
        known.add(person)
        seen["i"][row["scope_no"]] += row["checked_out_at"] is None
        seen["e"][row["scope_no"]] += first
        seen["g"][row["gate_no"] or 0] += row["gate_area"] == row["area_id"]
        if row["checked_out_at"] and not row["exit_assumed"] and row["exit_no"]:
            seen["x"][row["exit_no"]] += 1
        if row["kind"] == "venue":
            seen["t"][row["type_no"]] += first
            today = (*person, (row["event_day"] - date(1970, 1, 1)).days)
            minute = int(row["checked_in_at"].timestamp() // 60)
            seen["m"][minute] += today not in days
            seen["w"][0] += not first
            days.add(today)
    for *_, day in days:
        seen["y"][day] += 1
    refusals = await database.pool.fetch(
        "SELECT g.no, l.args FROM ops.scan_log l JOIN ops.gates g ON g.id = l.gate_id"
        " WHERE l.event_id = $1 AND l.verdict = 'refused'",
        event_id,
    )
    for row in refusals:
        seen["r"][row["no"]] += "just_now" not in str(row["args"])
    areas = "SELECT no, manual FROM ops.areas WHERE event_id = $1"
    for row in await database.pool.fetch(areas, event_id):
        seen["c"][row["no"]] = row["manual"]
    return {letter: dict(of) for letter, of in seen.items()}


async def test_counters_of_the_cache_equal_those_of_postgresql(
    warmer: Warmer,
    door: Door,  # noqa: F811
    event: SmallEvent,  # noqa: F811
    database: Database,
    redis_url: str,
) -> None:
    await warmer.rebuild(event.id)
    await evening(door, event)
    cache = Cache(redis_url)
    reading = await CacheSource(cache.redis).read(event.id)
    await cache.stop()
    assert reading is not None
    truth = await count(database.pool, event.id)
    assert without_zeros(reading.counters) == without_zeros(truth)
    by_hand = await counted_by_hand(database, event.id)
    assert without_zeros(by_hand) == without_zeros(truth)
    assert all(without_zeros(by_hand)[letter] for letter in "iegxtmrwy")
    plan = await read_plan(database.pool, event.id)
    assert plan is not None
    now = datetime.now(UTC)
    shown, true = (
        state.attendance(plan, counters, state.GateRates(), now, 0.0)
        for counters in (reading.counters, truth)
    )
    assert shown == true
    assert shown["figures"] == {
        "sold": 26,
        "expected": 26,
        "entered": 16,
        "entered_today": 16,
        "inside": 13,
        "counted": 0,
        "re_entries": 3,
        "exits": 6,
        "no_show": None,
        "refused_attempts": shown["figures"]["refused_attempts"],
        "refused_people": shown["figures"]["refused_people"],
    }
    # Negative control: a counter that drifts is noticed.
    reading.counters["i"][plan.venue.no] += 1  # type: ignore[union-attr]
    assert without_zeros(reading.counters) != without_zeros(truth)


async def test_who_comes_on_two_days_arrives_twice(
    warmer: Warmer,
    door: Door,  # noqa: F811
    event: SmallEvent,  # noqa: F811
    database: Database,
    redis_url: str,
) -> None:
    """The curve and the rate of the second day are not those of newcomers alone."""
    for n in range(1, 5):
        await scan(door, event, f"T-{n}")
    await database.pool.execute(
        "UPDATE check_ins SET event_day = event_day - 1, confirmed_at = now(),"
        " checked_in_at = checked_in_at - interval '1 day' WHERE event_id = $1",
        event.id,
    )
    await warmer.rebuild(event.id)
    for n in (1, 2, 3):
        await scan(door, event, f"T-{n}", direction="out")
    for n in (1, 2, 3, 5):
        await scan(door, event, f"T-{n}")
    # Out and in again on one day is one arrival, and so is what an undo leaves of it.
    await scan(door, event, "T-1", direction="out")
    await scan(door, event, "T-1")
    mistaken = await scan(door, event, "T-6")
    await scan(door, event, "T-2", direction="out")
    second = await scan(door, event, "T-2")
    by = DeviceIdentity(event.device, 1, "Phone", "scan", frozenset({event.id}), b"")
    for answered in (mistaken, second):
        undo = Undo(door.stores, door.desk, door.clock)
        await undo.undo(event.id, answered.item.ask.scan.id, by, "a wrong tap")
    cache = Cache(redis_url)
    reading = await CacheSource(cache.redis).read(event.id)
    await cache.stop()
    assert reading is not None
    truth = without_zeros(await count(database.pool, event.id))
    assert without_zeros(reading.counters) == truth
    assert without_zeros(await counted_by_hand(database, event.id)) == truth
    assert sorted(truth["y"].values()) == [4, 4]
    now = datetime.now(UTC)
    noon = int(now.timestamp() // 60) - 12 * 60
    today = sum(people for minute, people in truth["m"].items() if minute > noon)
    assert (today, sum(truth["m"].values())) == (4, 8)
    plan = await read_plan(database.pool, event.id)
    assert plan is not None
    shown = state.attendance(plan, reading.counters, state.GateRates(), now, 0.0)
    assert shown["figures"]["entered"] == 5
    assert shown["figures"]["entered_today"] == sum(shown["curve"]["entered"]) == 4
    assert shown["rate_per_min"] > 0


async def test_the_socket_shows_what_the_desk_did(
    warmer: Warmer,
    door: Door,  # noqa: F811
    event: SmallEvent,  # noqa: F811
    database: Database,
    redis_url: str,
) -> None:
    await warmer.rebuild(event.id)
    async with screen(database, redis_url) as one:
        first = await one.watch(f"event:{event.id}:attendance")
        assert first["data"]["capacity"] == 1000
        await one.say(op="subscribe", topics=[f"event:{event.id}:scans"])
        await one.hear_op("snapshot")
        await scan(door, event, "V-1", event.lounge_device)
        heard = {}
        while len(heard) < 2:
            update = await one.hear_op("update")
            heard[update["topic"].rpartition(":")[2]] = update["data"]
        figures = heard["attendance"]["figures"]
        assert (figures["inside"], figures["entered"]) == (1, 1)
        (line,) = heard["scans"]["lines"]
        assert (line["holder"], line["type"], line["gate"], line["verdict"]) == (
            "O'Brien-Łukasz",
            "VIP",
            "Lounge gate",
            "admitted",
        )
        assert (line["device"], line["area"]) == ("Phone 3", "VIP lounge")


async def test_what_moves_no_counter_is_a_line_of_the_ticker(
    warmer: Warmer,
    door: Door,  # noqa: F811
    event: SmallEvent,  # noqa: F811
    database: Database,
    redis_url: str,
) -> None:
    """An exit of somebody outside, and a code that is read again at once."""
    await warmer.rebuild(event.id)
    async with screen(database, redis_url) as one:
        await one.watch(f"event:{event.id}:scans")
        for fields in ({}, {}, {"direction": "out"}):
            code = "T-19" if fields else "T-1"
            await scan(door, event, code, **fields)
        heard: list[str] = []
        while len(heard) < 3:
            update = await one.hear_op("update")
            heard += [line["reason"] for line in update["data"]["lines"]]
        assert heard == ["ok", "already_inside", "not_inside"]


async def test_without_redis_the_feed_goes_on_and_says_so(
    door: Door,  # noqa: F811
    event: SmallEvent,  # noqa: F811
    database: Database,
) -> None:
    await scan(door, event, "T-1")
    async with screen(database, NO_REDIS) as one:
        first = await one.watch(f"event:{event.id}:attendance")
        assert first["source"] == "database"
        assert first["epoch"].startswith("db-")
        assert first["data"]["figures"]["inside"] == 1
        await one.say(op="subscribe", topics=[f"event:{event.id}:scans"])
        lines = (await one.hear_op("snapshot"))["data"]["lines"]
        assert [line["holder"] for line in lines] == ["Guest 1"]
        await scan(door, event, "V-2", event.lounge_device)
        heard = {}
        while len(heard) < 2:
            update = await one.hear_op("update")
            heard[update["topic"].rpartition(":")[2]] = update["data"]
        assert heard["attendance"]["figures"]["inside"] == 2
        assert [line["holder"] for line in heard["scans"]["lines"]] == ["李小龙"]
        nowhere = f"event:{uuid7()}:sessions"
        assert (await one.watch(nowhere))["code"] == "unknown_topic"


async def test_losing_the_cache_and_its_return_are_snapshots(
    warmer: Warmer,
    door: Door,  # noqa: F811
    event: SmallEvent,  # noqa: F811
    database: Database,
    redis_url: str,
) -> None:
    await warmer.rebuild(event.id)
    await scan(door, event, "T-1")
    async with screen(database, redis_url) as one:
        before = await one.watch(f"event:{event.id}:attendance")
        assert "source" not in before
        cache = Cache(redis_url)
        await cache.redis.flushall()
        lost = await one.hear_op("snapshot")
        assert lost["source"] == "database"
        assert lost["data"]["figures"]["inside"] == 1
        await warmer.rebuild(event.id)
        back = await one.hear_op("snapshot")
        stored = await cache.redis.hget(keys.meta(event.id), "feed_epoch")
        await cache.stop()
        assert back["epoch"] == stored.decode()
        assert back["epoch"] not in (before["epoch"], lost["epoch"])
        assert back["data"]["figures"]["inside"] == 1


async def test_devices_are_those_of_the_event_with_their_state(
    event: SmallEvent,  # noqa: F811
    database: Database,
) -> None:
    other = await SmallEvent.make(database.pool, tickets=1)
    pool = database.pool
    operator = uuid7()
    await pool.execute(
        "INSERT INTO ops.operators (id, event_id, name) VALUES ($1, $2, '李小龙')",
        operator,
        event.id,
    )
    await pool.execute(
        "UPDATE ops.devices SET operator_id = $1 WHERE id = $2", operator, event.device
    )
    # A device of both events: the other one does not learn who holds it, nor where.
    await pool.execute(
        "INSERT INTO ops.device_events (device_id, event_id) VALUES ($1, $2)",
        event.device,
        other.id,
    )
    token = await sign_in(database, '{"devices": {"read": true}}', None)
    async with serving(database, NO_REDIS) as server, client(server) as one:
        await one.hello(token)
        first = await one.watch(f"event:{event.id}:devices")
        by_id = {shown["id"]: shown for shown in first["data"]["devices"]}
        mine = {str(event.device), str(event.other_device), str(event.lounge_device)}
        assert set(by_id) == mine
        assert first["data"]["total"] == 3
        held = by_id[str(event.device)]
        assert (held["gate"], held["operator"]) == ("Main gate", "李小龙")
        await pool.execute(
            "UPDATE ops.devices SET battery = 9, pending = 4, last_seen_at = now()"
            " WHERE id = $1",
            event.device,
        )
        update = await one.hear_op("update")
        by_id = {shown["id"]: shown for shown in update["data"]["devices"]}
        held = by_id[str(event.device)]
        assert (held["battery"], held["pending"]) == (9, 4)
        assert held["last_seen_at"].endswith("Z")
        await pool.execute(
            "UPDATE ops.devices SET state = 'revoked' WHERE id = $1", event.device
        )
        last = (await one.hear_op("update"))["data"]["devices"][-1]
        assert (last["id"], last["state"]) == (str(event.device), "revoked")
        await one.say(op="subscribe", topics=[f"event:{other.id}:devices"])
        there = (await one.hear_op("snapshot"))["data"]["devices"]
        lent = next(d for d in there if d["id"] == str(event.device))
        assert (lent["gate"], lent["operator"]) == (None, None)


async def test_tokens_are_those_of_the_house(
    event: SmallEvent,  # noqa: F811
    database: Database,
) -> None:
    other = await SmallEvent.make(database.pool, tickets=1)
    here = await sign_in(database, '{"events": {"read": true}}', event.id)
    async with serving(database, NO_REDIS) as server:
        async with client(server) as member:
            await member.hello(here)
            topic = f"event:{event.id}:attendance"
            assert (await member.watch(topic))["op"] == "snapshot"
            for name in (f"event:{event.id}:scans", f"event:{other.id}:attendance"):
                assert (await member.watch(name))["code"] == "forbidden"
        async with client(server) as device:
            await device.hello(f"dev_{event.device}")
            assert (await device.watch(topic))["op"] == "snapshot"
            await database.pool.execute(
                "UPDATE ops.devices SET state = 'revoked' WHERE id = $1", event.device
            )
            assert await device.code(within_s=2) == 4100
        for token in (f"dev_{event.device}", "dev_", "\x00", "x" * 4000, "staff_no"):
            async with client(server) as stranger:
                await stranger.hello(token)
                assert await stranger.code() == 4003


async def test_logout_closes_the_socket_within_a_second(
    event: SmallEvent,  # noqa: F811
    database: Database,
) -> None:
    token = await sign_in(database, '{"*": {"read": true}}', None)
    async with serving(database, NO_REDIS) as server, client(server) as one:
        one_client: Client = one
        await one_client.hello(token)
        await database.pool.execute(
            "UPDATE ops.staff_sessions SET revoked_at = now() WHERE token_hash = $1",
            token_hash(token),
        )
        assert await one_client.code(within_s=1.5) == 4100
