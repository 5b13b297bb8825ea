"""Waiting for a store no longer than one wants to, and going on whatever it does.

Leaving an asyncpg connection after a timeout waits for the server to confirm the
cancel: 5 s and more when the server is stopped (measured). Who cannot afford that
stops waiting, and lets the work end by itself.

What lives as long as its process is a loop of `for_ever`: drivers end a broken
connection with errors of kinds that nobody thought of, and a watch or a relay that one
of them ended is missed by nobody until the doors miss it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

from ops import log

T = TypeVar("T")
Step = Callable[[], Awaitable[object]]
Errors = tuple[type[Exception], ...]

REST_S = 0.5
"""After a step that failed: so that a store that is away is not asked in a hurry."""

_logger = log.get(__name__)


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


async def safely(step: Step, name: str, expected: Errors = ()) -> bool:
    """Take a step; whether it got through. What it raises is logged, and no more.

    A cancellation goes through if somebody asked for one. (A driver may cancel what it
    waits for itself, which looks the same inside.)

    Args:
        expected: what is no defect (a store is away); anything else is logged with
            where it came from.
    """
    task = asyncio.current_task()
    assert task is not None
    try:
        await step()
    except expected as error:
        _logger.warning("step_failed", step=name, error=log.scrubbed(error))
        return False
    except asyncio.CancelledError as error:
        if task.cancelling():
            raise
        _logger.exception("step_broken", step=name, error=log.scrubbed(error))
        return False
    except Exception as error:
        _logger.exception("step_broken", step=name, error=log.scrubbed(error))
        return False
    return True


async def for_ever(
    step: Step, pause_s: float, name: str, expected: Errors = ()
) -> NoReturn:
    """Take a step again and again until cancelled, whatever it raises.

    Ends when it is cancelled also where the step makes an error of its own of the
    cancellation or swallows it, as redis-py does.

    Args:
        pause_s: between two steps; at least `REST_S` after one that failed.
        expected: see `safely`.
    """
    task = asyncio.current_task()
    assert task is not None
    while True:
        got_through = await safely(step, name, expected)
        if task.cancelling():
            raise asyncio.CancelledError
        await asyncio.sleep(pause_s if got_through else max(pause_s, REST_S))


@contextmanager
def answering(
    waiting: Iterable[asyncio.Future[Any]], otherwise: Callable[[], Exception]
) -> Iterator[None]:
    """However the block is left, nobody waits for an answer any more.

    Args:
        otherwise: the error for those whom the block has told nothing.
    """
    try:
        yield
    finally:
        for answer in waiting:
            if not answer.done():
                answer.set_exception(otherwise())
                answer.exception()  # seen, also if whoever asked has gone


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


class Rests:
    """How long to rest between pieces of work, by what the last one cost.

    In the long run no more than its share of the time is spent. But what is suddenly
    slow is tried again soon, then later and later: a store that hung for ten seconds is
    no reason to see nothing for minutes after it.

    Args:
        share: of the time, at most.
        soon_s: the rest after the first piece that asks for more; doubled from then on.
        most_s: the longest rest.
    """

    def __init__(self, share: float, soon_s: float, most_s: float) -> None:
        self._share, self._soon_s, self._most_s = share, soon_s, most_s
        self._slow = 0

    def after(self, cost_s: float) -> float:
        """The rest after a piece of work that took so long, done or failed."""
        due_s = min(self._most_s, cost_s / self._share)
        if due_s <= self._soon_s:
            self._slow = 0
            return due_s
        rest_s = min(due_s, self._soon_s * 2.0**self._slow)
        if rest_s < due_s:
            self._slow += 1
        return rest_s
