"""A list that does not come is withdrawn."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from ops.clock import Clock
from ops.live import polled
from ops.live.hub import Hub
from ops.live.polled import PolledTopic
from ops.live.topics import Kind, Topic

EVENT = UUID(int=1)


@pytest.mark.parametrize("bounded", [True, False])
async def test_a_store_that_hangs_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch, bounded: bool
) -> None:
    """Not bounded: the control, the publisher waits as long as the store likes."""
    monkeypatch.setattr(polled, "READ_S", 0.01 if bounded else 600.0)
    told: list[str] = []

    async def hangs(_: UUID) -> None:
        await asyncio.Event().wait()

    made = PolledTopic(Topic(EVENT, Kind.DEVICES), Hub(), hangs, Clock(), 0.01)
    monkeypatch.setattr(made, "_channel", lambda: None if told else object())
    monkeypatch.setattr(made, "_refuse", told.append)
    running = asyncio.create_task(made.run())
    await asyncio.wait({running}, timeout=5 if bounded else 0.2)
    assert told == (["unavailable"] if bounded else [])
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
