"""The recall of a lease: from another door's scan to the device's socket and back."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from redis.asyncio import Redis

from ops.live.recalls import RecallBell
from ops.live.topics import Grants, Subject
from tests.integration.offline.kit import Phone
from tests.integration.offline.test_returns import leased, mode
from tests.live_world import Gate, World, client, serving
from tests.small_event import SmallEvent


@pytest.fixture
def other(phone: Phone) -> Phone:
    """Phone 2, at the main gate as well."""
    return Phone(phone.http, phone.event, phone.event.other_device)


async def test_the_holder_hears_and_its_word_lets_the_guest_in(
    phone: Phone,
    other: Phone,
    event: SmallEvent,
    bearer: dict[str, str],
    redis_url: str,
) -> None:
    await mode(phone, bearer, "strict")
    mine = await leased(phone)
    await leased(other)
    codes = [code for code, ticket in event.tickets.items() if ticket in mine]
    redis = Redis.from_url(redis_url)
    gate = Gate(World(redis))
    gate.grants["holder"] = Grants(
        Subject.DEVICE, {}, frozenset({event.id}), reader_id=event.device
    )
    async with (
        serving(World(redis), redis_url, gatekeeper=gate) as server,
        client(server) as holder,
    ):
        await holder.hello("holder")

        async def answer(state: str) -> Any:
            asked = await holder.hear_op("recall")
            word = {"ticket_id": asked["ticket_id"], "state": state}
            await phone.post("leases/answers", {"answers": [word]})
            return asked

        answering = asyncio.create_task(answer("released"))
        start_s = time.monotonic()
        said = await other.scan(codes[0])
        took_s = time.monotonic() - start_s
        asked = await answering
        assert asked["ticket_id"] == str(event.tickets[codes[0]])
        assert said["verdict"] == "admitted"
        assert took_s < 2, "on a busy machine; 0.3 s is the most that is waited for"
        # The control: the socket is there, and nobody answers.
        held = await other.scan(codes[1])
        assert (held["verdict"], held["reason"]) == ("hold", "other_door")
    await redis.aclose()


def test_rubbish_on_the_channel_is_passed_over() -> None:
    assert RecallBell("redis://127.0.0.1:1", _Nobody()).ring(b"{") == 0  # type: ignore[arg-type]


class _Nobody:
    sockets: frozenset[Any] = frozenset()
