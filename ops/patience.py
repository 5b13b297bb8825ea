"""Waiting for a store no longer than one wants to.

Leaving an asyncpg connection after a timeout waits for the server to confirm the
cancel: 5 s and more when the server is stopped (measured). Who cannot afford that
stops waiting, and lets the work end by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
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
