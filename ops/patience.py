"""Waiting for a store no longer than one wants to.

Leaving an asyncpg connection after a timeout waits for the server to confirm the
cancel: 5 s and more when the server is stopped (measured). Who cannot afford that
stops waiting, and lets the work end by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def within(timeout_s: float, work: Coroutine[Any, Any, T]) -> T:
    """The result of the work, if it comes in time.

    Cancelling the caller cancels the work and does not wait for it either.

    Raises:
        TimeoutError: at once when the time is over; the work is cancelled and may
            take its time to end.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=timeout_s)
    except asyncio.CancelledError:
        _abandon(task)
        raise
    if not task.done():
        _abandon(task)
        raise TimeoutError
    return task.result()


CANCEL_AGAIN_S = 0.1


async def ended(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks until they have ended, whatever they end with.

    Once is not enough: a `finally` that fails replaces the cancellation by its own
    error, and whoever catches that goes on. (So the relay once outlived the lead, the
    sync process never led again and an event stayed in mode D for ever.)
    """
    waiting = [task for task in tasks if not task.done()]
    cancelled = False
    while waiting:
        for task in waiting:
            task.cancel()
        try:
            await asyncio.wait(waiting, timeout=CANCEL_AGAIN_S)
        except asyncio.CancelledError:
            cancelled = True  # after them: none is left behind
        waiting = [task for task in waiting if not task.done()]
    if cancelled:
        raise asyncio.CancelledError


_abandoned: set[asyncio.Future[Any]] = set()
"""The loop keeps only weak references to tasks."""


def _abandon(task: asyncio.Future[Any]) -> None:
    _abandoned.add(task)
    task.add_done_callback(_forget)
    task.cancel()


def _forget(task: asyncio.Future[Any]) -> None:
    _abandoned.discard(task)
    if not task.cancelled():
        # Nobody waits for it any more; reading it keeps the loop from complaining.
        task.exception()
