"""Waiting ends when it should, whatever the work does."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from asyncpg import InternalClientError

from ops import patience
from ops.patience import Rests, answering, ended, for_ever, within


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


class Stumbling:
    """A step that ends with each of these, one after the other, and then works."""

    def __init__(self, *errors: BaseException) -> None:
        self._errors = list(errors)
        self.worked = asyncio.Event()

    async def __call__(self) -> None:
        if self._errors:
            error = self._errors.pop(0)
            if isinstance(error, asyncio.CancelledError):
                waiting: asyncio.Future[None] = asyncio.Future()
                waiting.cancel()
                await waiting  # what a driver cancels looks like our own end
            raise error
        self.worked.set()


def _every_kind() -> Stumbling:
    return Stumbling(
        OSError("away"),
        RuntimeError("the handler is closed"),
        InternalClientError("got result for unknown protocol state"),
        asyncio.CancelledError(),
        RecursionError(),
    )


@pytest.fixture
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "REST_S", 0.0)


@pytest.mark.usefixtures("no_rest")
async def test_a_loop_for_ever_survives_what_nobody_thought_of() -> None:
    step = _every_kind()
    task = asyncio.create_task(for_ever(step, 0.0, "test", (OSError,)))
    async with asyncio.timeout(5):
        await step.worked.wait()
    await ended([task])
    assert task.cancelled()


async def test_a_loop_that_names_its_errors_ends_with_the_first_other_one() -> None:
    """The negative control: this is how the loops were that `for_ever` replaced."""
    step = _every_kind()

    async def watch() -> None:
        while True:
            await asyncio.sleep(0)
            with contextlib.suppress(OSError):
                await step()

    task = asyncio.create_task(watch())
    await asyncio.wait({task}, timeout=5)
    assert isinstance(task.exception(), RuntimeError)
    assert not step.worked.is_set()


@pytest.mark.parametrize("replaced", [True, False])
async def test_a_loop_ends_although_its_step_took_the_cancellation(
    replaced: bool,
) -> None:
    """redis-py makes an error of its connection of it, or takes it for its own."""
    begun = asyncio.Event()

    async def takes_it() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if replaced:
                raise OSError("the connection was closed") from None

    task = asyncio.create_task(for_ever(takes_it, 0.0, "test", (OSError,)))
    await begun.wait()
    task.cancel()
    await asyncio.wait({task}, timeout=5)
    assert task.cancelled()


@pytest.mark.usefixtures("no_rest")
async def test_a_step_that_failed_is_followed_by_a_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "REST_S", 7.0)
    slept: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        slept.append(seconds)
        await sleep(0)

    monkeypatch.setattr("ops.patience.asyncio.sleep", noted)
    step = Stumbling(OSError("away"))
    task = asyncio.create_task(for_ever(step, 1.0, "test", (OSError,)))
    await step.worked.wait()
    await sleep(0)
    await ended([task])
    assert slept[:2] == [7.0, 1.0]  # and the first step waits for nothing


async def test_nobody_waits_for_ever_for_an_answer() -> None:
    told: asyncio.Future[int] = asyncio.Future()
    untold: asyncio.Future[int] = asyncio.Future()
    gone: asyncio.Future[int] = asyncio.Future()
    gone.cancel()
    with (
        contextlib.suppress(asyncio.CancelledError),
        answering([told, untold, gone], TimeoutError),
    ):
        told.set_result(7)
        raise asyncio.CancelledError
    assert await told == 7
    with pytest.raises(TimeoutError):
        await untold


def rests_of(costs: list[float], share: float = 0.05) -> list[float]:
    rests = Rests(share, 2.0, 60.0)
    return [rests.after(cost_s) for cost_s in costs]


def test_a_store_that_hung_once_is_looked_at_again_soon() -> None:
    assert rests_of([0.05, 10.0, 0.05]) == [1.0, 2.0, 1.0]
    assert rests_of([10.0, 10.0, 0.05, 10.0]) == [2.0, 4.0, 1.0, 2.0]


def test_what_stays_slow_keeps_to_its_share() -> None:
    """The control: without the doubling it would ask two thirds of the time."""
    costs = [1.0] * 40
    rests = rests_of(costs)
    assert rests[:5] == [2.0, 4.0, 8.0, 16.0, 20.0]
    assert sum(costs[5:]) / (sum(costs[5:]) + sum(rests[5:])) <= 0.05
    assert rests_of([10.0] * 9)[-1] == 60.0
    hasty = [min(rest, 2.0) for rest in rests]
    assert sum(costs) / (sum(costs) + sum(hasty)) > 0.3
