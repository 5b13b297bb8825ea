"""Waiting ends when it should, whatever the work does."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from ops import patience
from ops.patience import ended, within


async def _slow_to_leave(left: asyncio.Event, may_leave: asyncio.Event) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        await may_leave.wait()
        left.set()


async def test_a_result_and_an_error_come_through() -> None:
    async def seven() -> int:
        return 7

    async def fails() -> None:
        raise ValueError("no")

    assert await within(1, seven()) == 7
    with pytest.raises(ValueError, match="no"):
        await within(1, fails())


async def test_work_that_does_not_end_is_left_behind() -> None:
    left, may_leave = asyncio.Event(), asyncio.Event()
    with pytest.raises(TimeoutError):
        await within(0.01, _slow_to_leave(left, may_leave))
    assert not left.is_set()
    assert patience._abandoned
    may_leave.set()
    await left.wait()
    await asyncio.sleep(0)
    assert not patience._abandoned


async def test_asyncios_own_timeout_would_wait_for_it() -> None:
    """The negative control: this is what `within` is for."""
    left, may_leave = asyncio.Event(), asyncio.Event()

    async def impatient() -> None:
        async with asyncio.timeout(0.01):
            await _slow_to_leave(left, may_leave)

    task = asyncio.create_task(impatient())
    await asyncio.wait({task}, timeout=0.1)
    assert not task.done()
    may_leave.set()
    with pytest.raises(TimeoutError):
        await task


async def test_cancelling_the_caller_does_not_wait_either() -> None:
    left, may_leave = asyncio.Event(), asyncio.Event()
    caller = asyncio.create_task(within(5, _slow_to_leave(left, may_leave)))
    await asyncio.sleep(0.01)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert not left.is_set()
    may_leave.set()
    await left.wait()


async def test_who_swallows_the_cancellation_is_cancelled_again() -> None:
    """A `finally` that fails replaces the cancellation by its own error."""
    turns = 0

    async def stubborn() -> None:
        nonlocal turns
        while True:
            turns += 1
            with contextlib.suppress(OSError):
                try:
                    await asyncio.Event().wait()
                finally:
                    if turns == 1:
                        raise OSError("the store is away, too")

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await ended([task])
    assert task.cancelled()
    assert turns == 2
