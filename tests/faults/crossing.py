"""A commit and a claim that are late for the mode of their event, step by step.

Left to chance the two processes cross at the right moment once in a hundred evenings,
so here each step waits for the one before: a process is held at a point while a file
lies in the data folder (`tests.faults.role --hold`). The doors rest meanwhile.

    late finish   api 0 has committed in N and not told anybody; api 1 has lost
                  PostgreSQL, puts the event into D and lets the same ticket in
    late claim    api 1 has decided in D and not claimed; the event goes back to N, and
                  api 0 commits the same ticket
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from uuid import UUID

from redis.exceptions import RedisError

from ops.cache import keys
from tests.faults.doors import Guest
from tests.faults.ground import Ground
from tests.faults.role import HOLD, REACHED
from tests.faults.scenario import Fault, Scene

ROUNDS = 3
STEP_S = 30.0
"""A machine that is busy takes long for a step; none of them takes a second else."""
PATIENT_S = 15.0
STEADY_S = "0.2"
COMMIT, CLAIM = "commit.after", "claim.before"


def holding(
    first: tuple[str, ...] = (), second: tuple[str, ...] = ()
) -> Callable[[Ground], Awaitable[None]]:
    """Both api processes can be held, each with further options of its role."""

    async def prepare(ground: Ground) -> None:
        ground.api[0].options = ["--hold", COMMIT, *first]
        ground.api[1].options = ["--hold", CLAIM, *second]
        await ground.build(*ground.api, steady_s=STEADY_S)

    return prepare


async def late_finish(scene: Scene) -> None:
    """What was committed in N is told when the event is in D."""
    ground = scene.ground
    async with _resting(scene):
        for _ in range(ROUNDS):
            guest = scene.crowd.aside()
            await _until(lambda: _in_mode(scene, b"N"))
            with _held(ground, COMMIT):
                slow = asyncio.create_task(_ask(scene, guest, 0))
                await _until(
                    lambda one=guest, task=slow: _entered(scene, one.ticket, task)
                )
                ground.pg[1].set("cut")
                await _ask(scene, guest, 1)
            await slow
    await ground.whole()


async def late_claim(scene: Scene) -> None:
    """What was decided in D is claimed when the event is in N."""
    ground = scene.ground
    async with _resting(scene):
        ground.pg[1].set("cut")
        for _ in range(ROUNDS):
            guest = scene.crowd.aside()
            with ExitStack() as claims:
                claim = claims.enter_context(_held(ground, CLAIM))
                late = asyncio.create_task(_ask(scene, guest, 1))
                await _until(_is_there(claim.with_suffix(REACHED), late))
                await _until(lambda: _in_mode(scene, b"N"))
                with _held(ground, COMMIT):
                    slow = asyncio.create_task(_ask(scene, guest, 0))
                    await _until(
                        lambda one=guest, task=slow: _entered(scene, one.ticket, task)
                    )
                    claims.close()
                    await late
                await slow
    await ground.whole()


@asynccontextmanager
async def _resting(scene: Scene) -> AsyncIterator[None]:
    """Nobody else comes; afterwards everything is as it was."""
    scene.crowd.resting = True
    try:
        # Who is asked for now would be held as well, and the guest behind him.
        await _until(lambda: _all_quiet(scene))
        yield
    finally:
        scene.crowd.resting = False
        scene.ground.pg[1].set("pass")


@contextmanager
def _held(ground: Ground, point: str) -> Iterator[Path]:
    """Within: whoever can be held at this point stays there."""
    file = ground.folder / f"{HOLD}{point}"
    file.touch()
    try:
        yield file
    finally:
        file.unlink()
        file.with_suffix(REACHED).unlink(missing_ok=True)


async def _ask(scene: Scene, guest: Guest, process: int) -> None:
    """A door of that process asks as it always does, only with more patience."""
    door = scene.crowd.doors[process]
    await door.ask(guest, PATIENT_S)


async def _all_quiet(scene: Scene) -> bool:
    return not any(door.busy for door in scene.crowd.doors)


async def _entered(scene: Scene, ticket: UUID, asked: asyncio.Task[None]) -> bool:
    """Whether the commit stands; or whoever asked for it was answered without one: a
    busy machine may take PostgreSQL from that process, then nothing crosses this time.
    """
    if asked.done():
        return True
    found: bool = await scene.ground.db.fetchval(
        "SELECT EXISTS (SELECT 1 FROM check_ins WHERE ticket_id = $1)", ticket
    )
    return found


async def _in_mode(scene: Scene, mode: bytes) -> bool:
    with suppress(OSError, RedisError):
        async with scene.ground.store() as store:
            found: bytes = await store.hget(keys.meta(scene.event_id), "mode")
            return found == mode
    return False


def _is_there(file: Path, asked: asyncio.Task[None]) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return asked.done() or await asyncio.to_thread(file.exists)

    return look


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(STEP_S):
        while not await holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


FAULTS = (
    Fault("a commit is late for its mode", "both", late_finish, holding()),
    Fault("a claim is late for its epoch", "both", late_claim, holding()),
)
