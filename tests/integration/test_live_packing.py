"""Deflated frames on a real socket: the same messages in a part of the bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from ops.live.codes import CloseCode
from ops.live.server import LiveServer
from tests.live_world import World, client, line, serving

LINES = 40


class Counting(ClientConnection):
    """Counts the bytes that come over the wire."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bytes_read = 0

    def data_received(self, data: bytes) -> None:
        self.bytes_read += len(data)
        super().data_received(data)


@pytest.fixture
async def server(world: World, redis_url: str) -> AsyncIterator[LiveServer]:
    async with serving(world, redis_url, interval_s=0.02) as live:
        yield live


async def test_the_same_messages_in_a_part_of_the_bytes(
    world: World, server: LiveServer
) -> None:
    ticket, seen, cost = await world.ticket("Siobhán O'Brien-Łukasz"), {}, {}
    async with (
        client(server, create_connection=Counting) as plain,
        client(server, compression="deflate", create_connection=Counting) as packed,
    ):
        for one in (plain, packed):
            assert (await one.hello())["op"] == "welcome"
            await one.watch(world.topic("scans"))
        before = [one.socket.bytes_read for one in (plain, packed)]
        await world.batch([line(ticket)] * LINES)
        for name, one, start in zip("ab", (plain, packed), before, strict=True):
            seen[name] = await one.hear_op("update")
            cost[name] = one.socket.bytes_read - start
    assert seen["a"] == seen["b"]
    assert len(seen["a"]["data"]["lines"]) == LINES
    assert cost["b"] * 4 < cost["a"]


async def test_a_late_comer_and_one_who_resumes_read_them_too(
    world: World, server: LiveServer
) -> None:
    ticket, topic = await world.ticket("李小龙"), world.topic("scans")
    async with client(server, compression="deflate") as one:
        await one.hello()
        first = await one.watch(topic)
        await world.batch([line(ticket)] * LINES)
        update = await one.hear_op("update")
        async with client(server, compression="deflate") as late:
            await late.hello()
            shown = await late.watch(topic)
            assert shown["data"]["lines"][-LINES:] == update["data"]["lines"]
        async with client(server, compression="deflate") as back:
            position = {"epoch": first["epoch"], "offset": first["offset"]}
            await back.hello(**{topic: position})
            assert (await back.watch(topic))["count"] == 1
            assert await back.hear_op("update") == update


async def test_what_would_inflate_beyond_the_limit_is_closed(
    server: LiveServer,
) -> None:
    async with client(server, compression="deflate") as one:
        await one.hello()
        await one.socket.send("[" * 10_000_000)
        await one.socket.wait_closed()
        assert one.socket.close_code == CloseCode.FRAME_TOO_BIG.value


async def test_a_window_that_others_do_not_have_is_not_agreed_on(
    world: World, server: LiveServer
) -> None:
    small = ClientPerMessageDeflateFactory(server_max_window_bits=10)
    async with client(server, extensions=[small]) as one:
        assert not one.socket.protocol.extensions
        await one.hello()
        await world.batch([line(await world.ticket("Zoë"))] * LINES)
        assert (await one.watch(world.topic("scans")))["op"] == "snapshot"
