"""The live socket: a real server, a real Valkey, a real websocket client."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from ops.cache import keys
from ops.clock import FixedClock
from ops.live.devices import Devices
from ops.live.server import LiveServer
from ops.live.topics import Kind
from tests.live_world import ORIGIN, Client, Gate, World, client, device, line, serving


@pytest.fixture
async def server(world: World, redis_url: str) -> AsyncIterator[LiveServer]:
    async with serving(world, redis_url, interval_s=0.02) as live:
        yield live


@pytest.fixture
async def greeted(server: LiveServer) -> AsyncIterator[Client]:
    async with client(server) as one:
        welcome = await one.hello()
        assert welcome["op"] == "welcome"
        assert welcome["ping_s"] == 25
        yield one


async def test_snapshot_then_updates_with_prev(world: World, greeted: Client) -> None:
    await world.batch(i_1=3, e_1=3, g_1=3, t_1=3)
    first = await greeted.watch(world.topic("attendance"))
    assert (first["op"], first["epoch"], first["offset"]) == ("snapshot", "e1", 1)
    assert first["data"]["figures"]["inside"] == 3
    await world.batch(i_1=1, e_1=1, g_1=1, t_1=1)
    update = await greeted.hear_op("update")
    assert (update["prev"], update["offset"]) == (1, 2)
    assert update["data"]["figures"]["inside"] == 4
    assert update["data"]["gates"][0]["entered"] == 4
    assert set(update["data"]) == set(first["data"])


async def test_sessions_show_the_room_and_its_people(
    world: World, greeted: Client
) -> None:
    await world.batch(i_2=12, e_2=15)
    shown = (await greeted.watch(world.topic("sessions")))["data"]["sessions"][0]
    assert (shown["room"], shown["inside"], shown["entered"]) == ("Room 201", 12, 15)
    assert (shown["capacity"], shown["limit"], shown["registered"]) == (80, "soft", 66)


async def test_scans_carry_names_and_are_gapless(world: World, greeted: Client) -> None:
    first = await world.ticket("Siobhán O'Brien-Łukasz")
    await world.batch([line(first)])
    snapshot = await greeted.watch(world.topic("scans"))
    assert [shown["holder"] for shown in snapshot["data"]["lines"]] == [
        "Siobhán O'Brien-Łukasz"
    ]
    second = await world.ticket("李小龙 🎫")
    await world.batch([line(second), line(None, "refused")])
    update = await greeted.hear_op("update")
    assert (update["prev"], update["offset"]) == (1, 3)
    lines = update["data"]["lines"]
    assert [(shown["holder"], shown["verdict"]) for shown in lines] == [
        ("李小龙 🎫", "admitted"),
        (None, "refused"),
    ]
    assert lines[0]["gate"] == "Gate A"
    assert lines[0]["device"] == "Scanner 7"
    assert lines[0]["operator"] == "Zoë"
    assert lines[0]["type"] == "General"
    assert lines[0]["area"] == "Hall"
    assert lines[0]["at"] == "2026-11-22T14:00:00Z"


async def test_one_reading_serves_all_sockets(world: World, server: LiveServer) -> None:
    async def one() -> int:
        async with client(server) as socket:
            await socket.hello()
            offset: int = (await socket.watch(world.topic("attendance")))["offset"]
            return offset

    assert set(await asyncio.gather(*(one() for _ in range(40)))) == {0}
    assert world.plan_reads == 1


async def test_silent_socket_is_closed(world: World, redis_url: str) -> None:
    async with (
        serving(world, redis_url, hello_within_s=0.05) as live,
        client(live) as mute,
    ):
        assert await mute.code() == 4001


@pytest.mark.parametrize(
    "frame",
    [
        '{"op":"subscribe","topics":[]}',
        '{"op":"hello","v":2,"token":"staff_all"}',
        "[" * 50_000,
        '{"op":"hello","v":1,"token":"\\ud800"}',
        b"\x00\xff",
        "",
    ],
)
async def test_anything_but_a_hello_first_is_4001(
    server: LiveServer, frame: str | bytes
) -> None:
    async with client(server) as stranger:
        await stranger.socket.send(frame)
        assert await stranger.code() == 4001


async def test_unknown_token_is_4003(server: LiveServer) -> None:
    async with client(server) as stranger:
        assert (await stranger.hello("staff_forged"))["op"] == "bye"
        assert await stranger.code() == 4003


async def test_frame_of_a_megabyte_is_4009(greeted: Client) -> None:
    await greeted.socket.send("x" * 1_000_000)
    assert await greeted.code() == 4009


async def test_too_many_frames_is_4029(greeted: Client) -> None:
    for _ in range(60):
        await greeted.say(op="ping")
    assert await greeted.code() == 4029


async def test_malformed_frame_after_hello_is_answered(
    world: World, greeted: Client
) -> None:
    for text in ("{", '{"op":"dance"}', '{"op":"subscribe"}', '{"op":"resync"}'):
        await greeted.socket.send(text)
        assert await greeted.hear() == {"op": "error", "code": "malformed_frame"}
    await greeted.say(op="ping")
    assert (await greeted.hear())["op"] == "pong"


async def test_permissions_are_asked_for_each_topic(
    world: World, server: LiveServer
) -> None:
    async with client(server) as device:
        await device.hello("dev_7")
        assert (await device.watch(world.topic("attendance")))["op"] == "snapshot"
        refusal = await device.watch(world.topic("scans"))
        assert (refusal["op"], refusal["code"]) == ("error", "forbidden")
        other = world.topic("attendance").replace(str(world.event_id)[:8], "01234567")
        assert (await device.watch(other))["code"] == "forbidden"
        assert (await device.watch("event:1:attendance"))["code"] == "unknown_topic"


async def test_devices_are_sent_when_they_change_and_read_for_watchers_alone(
    world: World, redis_url: str
) -> None:
    topic = world.topic("devices")
    async with (
        serving(world, redis_url, devices_every_s=0.02, interval_s=0.02) as live,
        client(live) as one,
    ):
        await one.hello()
        await one.watch(world.topic("attendance"))
        assert world.device_reads == 0  # nobody watches devices
        await one.say(op="subscribe", topics=[topic])
        first = await one.hear_op("snapshot")
        assert first["topic"] == topic
        assert "source" not in first
        (shown,) = first["data"]["devices"]
        assert shown == {
            "id": shown["id"],
            "name": "Scanner 7",
            "profile": "scan",
            "gate_id": None,
            "gate": "Gate A",
            "operator": "Zoë",
            "battery": 80,
            "pending": 0,
            "software": "handheld 1",
            "clock_skew_ms": 40,
            "last_seen_at": "2026-11-22T14:00:00Z",
            "state": "active",
        }
        # Read again and again, and not a word while nothing changed.
        await _until(lambda: world.device_reads >= 4, world, one)
        weak = device("O'Brien-Łukasz 📷", battery=9)
        world.devices = Devices((*world.devices.devices, weak), 2)
        update = await one.hear_op("update")
        assert (update["prev"], update["offset"]) == (
            first["offset"],
            first["offset"] + 1,
        )
        assert [d["battery"] for d in update["data"]["devices"]] == [80, 9]
        await one.say(op="unsubscribe", topic=topic)
        await one.hear_op("unsubscribed")
        await _until(lambda: not live.feed.own[Kind.DEVICES].events, world, one)
        reads = world.device_reads
        await one.say(op="resync", topic=world.topic("attendance"))
        await one.hear_op("snapshot")
        assert world.device_reads == reads


async def test_coming_and_going_reads_devices_no_oftener(
    world: World, redis_url: str
) -> None:
    topic = world.topic("devices")
    async with (
        serving(world, redis_url, devices_every_s=60) as live,
        client(live) as one,
    ):
        await one.hello()
        for _ in range(5):
            assert (await one.watch(topic))["op"] == "snapshot"
            await one.say(op="unsubscribe", topic=topic)
            await one.hear_op("unsubscribed")
        assert world.device_reads == 1


async def test_devices_that_cannot_be_read_are_not_shown_as_new(
    world: World, redis_url: str
) -> None:
    topic, known = world.topic("devices"), world.devices
    async with (
        serving(world, redis_url, devices_every_s=0.02, mark_after_s=0.05) as live,
        client(live) as one,
        client(live) as other,
    ):
        await one.hello()
        await one.watch(topic)
        world.devices = None
        gone = await one.hear_op("error")
        assert (gone["code"], gone["topic"]) == ("unavailable", topic)
        await other.hello()
        assert (await other.watch(topic))["code"] == "unavailable"
        # Figures go on: they do not wait for PostgreSQL.
        await other.say(op="subscribe", topics=[world.topic("attendance")])
        assert (await other.hear_op("snapshot"))["topic"] == world.topic("attendance")
        world.devices = known
        for each in (one, other):
            assert (await each.hear_op("snapshot"))["topic"] == topic


async def test_event_that_does_not_exist(world: World, greeted: Client) -> None:
    nobody = UUID("00000000-0000-7000-8000-000000000000")
    nowhere = f"event:{nobody}:attendance"
    assert (await greeted.watch(nowhere))["code"] == "unavailable"  # cold, no database
    await greeted.say(op="unsubscribe", topic=nowhere)
    assert (await greeted.hear_op("unsubscribed"))["topic"] == nowhere
    devices = f"event:{nobody}:devices"
    assert (await greeted.watch(devices))["code"] == "unknown_topic"
    await world.warm(event_id=nobody)
    assert await greeted.watch(nowhere) == {
        "op": "error",
        "code": "unknown_topic",
        "topic": nowhere,
    }


async def test_foreign_origin_with_a_cookie_is_refused_at_the_handshake(
    server: LiveServer,
) -> None:
    headers = {"Cookie": "a=b; ops_session=staff_all", "Origin": "https://evil.example"}
    with pytest.raises(InvalidStatus) as refused:
        async with client(server, additional_headers=headers):
            pass
    assert refused.value.response.status_code == 403


async def test_cookie_of_an_allowed_origin_says_hello(
    world: World, server: LiveServer
) -> None:
    headers = {"Cookie": "a=b; ops_session=staff_all"}
    async with client(server, additional_headers=headers, origin=ORIGIN) as page:
        assert (await page.hello(None))["op"] == "welcome"
    # Without an Origin it is a program: its cookie does not count.
    async with client(server, additional_headers=headers) as program:
        await program.hello(None)
        assert await program.code() == 4003


async def test_at_most_one_update_an_interval(world: World, redis_url: str) -> None:
    clock = FixedClock(world.plan.event.starts_at)
    async with (
        serving(world, redis_url, clock=clock, interval_s=0.25) as live,
        client(live) as one,
    ):
        await one.hello()
        await one.watch(world.topic("attendance"))
        for _ in range(50):
            await world.batch(i_1=1)
        # The clock stands: whatever happens, nothing may be sent.
        await one.say(op="ping")
        assert (await one.hear())["op"] == "pong"
        clock.move(clock.now() + _seconds(0.25))
        update = await one.hear_op("update")
        assert (update["prev"], update["offset"]) == (0, 50)
        assert update["data"]["figures"]["inside"] == 50
        # Negative control: the next one comes as soon as the clock goes on.
        await world.batch(i_1=1)
        clock.move(clock.now() + _seconds(0.25))
        assert (await one.hear_op("update"))["prev"] == 50


async def test_resync_gives_a_snapshot(world: World, greeted: Client) -> None:
    topic = world.topic("attendance")
    await greeted.watch(topic)
    await greeted.say(op="resync", topic=topic)
    assert (await greeted.hear_op("snapshot"))["offset"] == 0
    await greeted.say(op="unsubscribe", topics=[topic])
    assert (await greeted.hear_op("unsubscribed"))["topic"] == topic
    await greeted.say(op="resync", topic=topic)
    assert (await greeted.hear())["code"] == "not_subscribed"


async def test_new_epoch_is_announced_by_a_snapshot(
    world: World, greeted: Client
) -> None:
    await world.batch([line()], i_1=9)
    await greeted.watch(world.topic("attendance"))
    await greeted.say(op="subscribe", topics=[world.topic("scans")])
    await greeted.hear_op("snapshot")
    await world.forget()
    await world.warm("e2")
    heard = [await greeted.hear_op("snapshot") for _ in range(2)]
    assert {frame["epoch"] for frame in heard} == {"e2"}
    # The stream of the new epoch is followed.
    await world.batch([line()], i_1=1)
    updates = [await greeted.hear_op("update") for _ in range(2)]
    assert {frame["offset"] for frame in updates} == {1}


async def test_figures_that_nobody_can_tell_are_withdrawn(
    world: World, redis_url: str
) -> None:
    topic = world.topic("attendance")
    async with (
        serving(world, redis_url, interval_s=0.02, mark_after_s=0.05) as live,
        client(live) as one,
    ):
        await one.hello()
        before = await one.watch(topic)
        await one.hear_op("mark")
        await world.forget()  # and there is no PostgreSQL
        gone = await one.hear_op("error")
        assert (gone["code"], gone["topic"]) == ("unavailable", topic)
        # Nothing vouches for what the client has: no mark until there is a state.
        assert (await one.hear())["op"] == "error"
        await world.warm(before["epoch"])
        while (frame := await one.hear())["op"] != "snapshot":
            assert frame["op"] == "error"
        assert (frame["epoch"], frame["offset"]) == (before["epoch"], 0)


async def test_resume_of_scans_gives_what_was_missed(
    world: World, server: LiveServer
) -> None:
    topic = world.topic("scans")
    async with client(server) as stays, client(server) as goes:
        await stays.hello()
        await stays.watch(topic)
        await goes.hello()
        left = await goes.watch(topic)
        await goes.socket.close()
        for _ in range(3):
            await world.batch([line()])
            await stays.hear_op("update")
        position = {"epoch": left["epoch"], "offset": left["offset"]}
        async with client(server) as back:
            await back.hello(**{topic: position})
            assert (await back.watch(topic))["op"] == "resumed"
            offsets = [(await back.hear_op("update"))["offset"] for _ in range(3)]
            assert offsets == [1, 2, 3]
        async with client(server) as stranger:
            await stranger.hello(**{topic: {"epoch": "other", "offset": 0}})
            assert (await stranger.watch(topic))["op"] == "snapshot"


async def test_lost_stream_entries_end_in_a_snapshot(
    world: World, greeted: Client
) -> None:
    topic = world.topic("scans")
    await greeted.watch(topic)
    # A batch whose entry nobody sees (trimmed), then one that is seen.
    await world.redis.hincrby(keys.meta(world.event_id), "off:scans", 5)
    await world.batch([line()])
    assert (await greeted.hear_op("snapshot"))["offset"] == 6


async def test_marks_show_a_lost_tail(world: World, redis_url: str) -> None:
    async with (
        serving(world, redis_url, mark_after_s=0.05) as live,
        client(live) as one,
    ):
        await one.hello()
        await one.watch(world.topic("sessions"))
        mark = await one.hear_op("mark")
        assert (mark["topic"], mark["offset"]) == (world.topic("sessions"), 0)


async def test_a_change_without_the_stream_is_found(
    world: World, greeted: Client
) -> None:
    await greeted.watch(world.topic("attendance"))
    await world.redis.hset(keys.counters(world.event_id), "i:1", 77)
    await world.redis.hincrby(keys.meta(world.event_id), "off:attendance", 1)
    update = await greeted.hear_op("update")
    assert update["data"]["figures"]["inside"] == 77


async def test_people_counted_by_hand_show_without_a_scan(
    world: World, greeted: Client
) -> None:
    await greeted.watch(world.topic("attendance"))
    await world.redis.hset(keys.counters(world.event_id), "c:1", 12)
    snapshot = await greeted.hear_op("snapshot", within_s=2)
    figures = snapshot["data"]["figures"]
    assert (figures["inside"], figures["counted"]) == (12, 12)
    assert snapshot["offset"] == 0


async def test_plan_change_shows_within_a_second(world: World, greeted: Client) -> None:
    await greeted.watch(world.topic("attendance"))
    closed = msgspec.structs.replace(world.plan.event, doors_state="held")
    world.plan = msgspec.structs.replace(world.plan, event=closed)
    await world.redis.hincrby(keys.meta(world.event_id), "plan", 1)
    snapshot = await greeted.hear_op("snapshot", within_s=2)
    assert snapshot["data"]["event"]["doors_state"] == "held"


async def test_revoked_token_is_closed(world: World, redis_url: str) -> None:
    gate = Gate(world)
    async with (
        serving(world, redis_url, gatekeeper=gate) as live,
        client(live) as one,
        client(live) as other,
    ):
        await one.hello("staff_here")
        await other.hello("staff_all")
        await other.watch(world.topic("attendance"))
        del gate.grants["staff_here"]
        assert await one.code(within_s=2) == 4100
        await other.say(op="ping")
        assert (await other.hear_op("pong"))["op"] == "pong"
        narrowed = msgspec.structs.replace(gate.grants["staff_all"], permissions={})
        gate.grants["staff_all"] = narrowed
        assert (await other.hear_op("error"))["code"] == "forbidden"


async def test_drain_sends_everybody_away_with_a_time(
    world: World, redis_url: str
) -> None:
    clients = AsyncExitStack()
    async with serving(world, redis_url) as live:
        sockets = [await clients.enter_async_context(client(live)) for _ in range(5)]
        for one in sockets:
            await one.hello()
    byes = [await one.hear_op("bye") for one in sockets]
    assert {bye["code"] for bye in byes} == {4101}
    assert len({bye["retry_ms"] for bye in byes}) > 1
    assert {await one.code() for one in sockets} == {4101}
    await clients.aclose()


async def test_drain_waits_for_nobody_who_is_silent(
    world: World, redis_url: str
) -> None:
    clients = AsyncExitStack()
    async with serving(world, redis_url) as live:
        mute = await clients.enter_async_context(client(live))
        _, half_open = await asyncio.open_connection("127.0.0.1", live.port)
        half_open.write(b"GET /live HTTP/1.1\r\n")
        before = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - before < 4.0
    assert await mute.code() == 4101
    half_open.close()
    await clients.aclose()


async def test_rubbish_in_the_cache_costs_one_line(
    world: World, greeted: Client
) -> None:
    topic = world.topic("scans")
    await greeted.watch(topic)
    ticket = await world.ticket("Zoë")
    await world.redis.hset(keys.tickets(world.event_id), b"0" * 16, b"rubbish")
    await world.redis.xadd(keys.feed(world.event_id), {"s": "x", "l": b"\xc1"})
    await world.batch([line(b"0" * 16), line(ticket)])
    update = await greeted.hear_op("update")
    assert [shown["holder"] for shown in update["data"]["lines"]] == [None, "Zoë"]


async def test_tls(world: World, redis_url: str, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    trust = ssl.create_default_context(cafile=certificate)
    async with serving(world, redis_url, tls_cert=certificate, tls_key=key) as live:
        address = f"wss://localhost:{live.port}/live"
        async with connect(address, ssl=trust, compression=None) as socket:
            one = Client(socket)
            await one.hello()
            assert (await one.watch(world.topic("attendance")))["op"] == "snapshot"


def self_signed(folder: Path) -> tuple[str, str]:
    """A certificate of localhost and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(paths[0]), str(paths[1])


async def test_slow_reader_gets_a_snapshot_then_4008(
    world: World, redis_url: str
) -> None:
    long = msgspec.structs.replace(world.plan.event, title="T" * 30_000)
    world.plan = msgspec.structs.replace(world.plan, event=long)
    topic = world.topic("attendance")
    async with (
        serving(world, redis_url, interval_s=0.001, send_buffer_bytes=4096) as live,
        client(live, max_queue=1) as slow,
        client(live) as quick,
    ):
        await slow.hello()
        await slow.watch(topic)
        await quick.hello()
        await quick.watch(topic)
        await _fall_behind(world, live, quick)
        # It reads again: what it missed comes as one snapshot.
        heard = await _until_snapshot(slow)
        assert heard["offset"] > heard["applied"] + 1
        await _fall_behind(world, live, quick)
        assert await slow.code(within_s=10) == 4008
        # The quick one was never disturbed.
        await quick.say(op="ping")
        await quick.hear_op("pong")


async def test_full_process_answers_1013(world: World, redis_url: str) -> None:
    async with (
        serving(world, redis_url, sockets_max=1) as live,
        client(live) as first,
    ):
        await first.hello()
        async with client(live) as second:
            assert await second.code() == 1013


async def test_plain_http(server: LiveServer) -> None:
    assert await _get(server, "/healthz") == (200, "ok\n")
    status, text = await _get(server, "/metrics")
    assert status == 200
    assert "ops_sockets" in text
    assert (await _get(server, "/elsewhere"))[0] == 404


async def _fall_behind(world: World, live: LiveServer, quick: Client) -> None:
    """Publish until the server has stopped writing to some socket, or closed it."""
    async with asyncio.timeout(20):
        missed, sockets = 0, len(live.hub.sockets)
        while missed < 3 and len(live.hub.sockets) == sockets:
            await world.batch(i_1=1)
            await quick.hear_op("update")
            missed += any(socket.stale for socket in live.hub.sockets)


async def _until_snapshot(slow: Client) -> dict[str, Any]:
    applied = 0
    while True:
        frame = await slow.hear()
        if frame["op"] == "snapshot":
            return {**frame, "applied": applied}
        applied = frame["offset"]


async def _get(server: LiveServer, path: str) -> tuple[int, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    head, _, body = answer.partition("\r\n\r\n")
    return int(head.split()[1]), body


async def _until(true: Callable[[], bool], world: World, one: Client) -> None:
    """Scan until something holds; nothing else may be said meanwhile."""
    async with asyncio.timeout(10):
        while not true():
            await world.batch(i_1=1)
            while (frame := await one.hear())["op"] != "update":
                assert frame["topic"] == world.topic("attendance")
            assert frame["topic"] == world.topic("attendance")


def _seconds(number: float) -> timedelta:
    return timedelta(seconds=number)
