"""A role with something wrong with it: for the harness alone, no part of the program.

    python -m tests.faults.role api --crash commit.after:30
    python -m tests.faults.role api --cancel 0.02
    python -m tests.faults.role api --without replay
    python -m tests.faults.role api --pause journal.before:0.3

The program itself has no switch for any of this; here its parts are replaced before it
starts, as `benchmarks/api_role.py` adds a route. `--crash POINT:N` sends this process
SIGKILL at the N-th time a batch reaches the point; `--cancel` cancels a random request
at a random await, so often a second; `--without GUARD` leaves a guard out; `--pause`
makes a step slow, so that others get between; `--stalls` lets the disk of the journal
take 1.5 s while a file `stalls` lies in the data folder; `--hold` stops at a point
while a file named after it lies there (`tests.faults.crossing`); `--power` notes beside
each journal how much of it the disk has (`tests.faults.power`).
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import itertools
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from ops import api_server
from ops.admission import commit
from ops.admission.commands import Commit
from ops.admission.deciding import Deciding
from ops.admission.journal import Journal
from ops.admission.journals import Journals
from ops.cache.scripts import Script
from ops.checkin import stores
from ops.checkin.answers import Answers
from ops.checkin.stores import Stores
from ops.settings import load
from tests.faults import power

STALLS, STALL_S = "stalls", 1.5
HOLD, REACHED = "hold.", ".reached"

POINTS: dict[str, tuple[type, str]] = {
    "facts": (Stores, "read_cache"),
    "commit": (Stores, "commit"),
    "journal": (Journal, "append"),
    "finish": (Stores, "finish"),
    "answer": (Answers, "make"),
}
"""What happens in a batch, in this order; each can be died before and after."""
SLOW = {**POINTS, "claim": (Stores, "claim")}
"""What can be made slow; places are claimed in mode D alone."""


def crash(point: str, at: int) -> None:
    """Die at the `at`-th time that the point is reached.

    Args:
        point: `facts.before` to `answer.after`.
    """
    name, _, side = point.partition(".")
    owner, method = POINTS[name]
    original = getattr(owner, method)
    times = itertools.count(1)

    def maybe(when: str) -> None:
        if side == when and next(times) == at:
            os.kill(os.getpid(), signal.SIGKILL)

    if asyncio.iscoroutinefunction(original):

        async def dying(self: Any, *args: Any, **more: Any) -> Any:
            maybe("before")
            done = await original(self, *args, **more)
            maybe("after")
            return done
    else:

        def dying(self: Any, *args: Any) -> Any:
            maybe("before")
            done = original(self, *args)
            maybe("after")
            return done

    setattr(owner, method, dying)


def pause(point: str, seconds: float) -> None:
    """Wait at a point, each time."""
    name, _, side = point.partition(".")
    owner, method = SLOW[name]
    original = getattr(owner, method)

    async def slow(self: Any, *args: Any, **more: Any) -> Any:
        if side == "before":
            await asyncio.sleep(seconds)
        done = await original(self, *args, **more)
        if side == "after":
            await asyncio.sleep(seconds)
        return done

    setattr(owner, method, slow)


def hold(point: str, folder: Path) -> None:
    """Stay at a point while its file lies in the folder; say that it was reached.

    Of commits only those that let somebody in: the desk begins nothing while it waits
    for what it writes behind its answers.
    """
    name, _, side = point.partition(".")
    owner, method = SLOW[name]
    original = getattr(owner, method)
    file = folder / f"{HOLD}{point}"

    async def held() -> None:
        if not file.exists():
            return
        file.with_suffix(REACHED).touch()
        while file.exists():  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async def slow(self: Any, *args: Any, **more: Any) -> Any:
        if side == "before":
            await held()
        done = await original(self, *args, **more)
        enters = not isinstance(args[0], Commit) or args[0].request.opens != "[]"
        if side == "after" and enters:
            await held()
        return done

    setattr(owner, method, slow)


def stalling() -> None:
    """The disk takes 1.5 s for each line of mode D while somebody says so."""
    write = Journal._write

    def stalled(self: Journal, lines: Any, synced: bool, marks: Any) -> None:
        if synced and (self.path.parents[1] / STALLS).exists():
            time.sleep(STALL_S)
        write(self, lines, synced, marks)

    Journal._write = stalled


def noting_power() -> None:
    """Note after each write how much of the file a power cut would leave."""
    write = Journal._write

    def noting(self: Journal, lines: Any, synced: bool, marks: Any) -> None:
        write(self, lines, synced, marks)
        power.note(self.path, self._database)

    Journal._write = noting


def without_fsync() -> None:
    """Answer in mode D without waiting for the disk."""
    write = Journal._write

    def hasty(self: Journal, lines: Any, synced: bool, marks: Any) -> None:
        write(self, lines, False, marks)

    Journal._write = hasty


def without_fence() -> None:
    """Tell the cache of a commit although the mode has moved meanwhile."""
    stores.FINISH = _weaker(
        stores.FINISH,
        "if ARGV[3] ~= '' and meta[4] ~= ARGV[3] then return {ARGV[1], 'moved'} end",
    )


def without_epoch() -> None:
    """Take places in mode D although the event is in another epoch by now."""
    stores.CLAIM = _weaker(
        stores.CLAIM,
        "if meta[4] ~= ARGV[3] or meta[5] ~= 'D' then return {ARGV[1], 'moved'} end",
    )


def _weaker(script: Script, guard: str) -> Script:
    assert guard in script.text, f"the guard is not where it was: {guard}"
    text = script.text.replace(guard, "")
    sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return Script(script.name, text, sha)


def without_replay() -> None:
    """Decide a scan anew although its answer is stored (idempotency off)."""
    look = Deciding._look

    def forgetful(self: Deciding, item: Any, *, verified: bool) -> None:
        item.facts = msgspec.structs.replace(item.facts, stored=None)
        look(self, item, verified=verified)

    Deciding._look = forgetful


def without_commit() -> None:
    """Answer first and commit a little later (a write-behind)."""
    original = Stores.commit
    later: set[asyncio.Task[Any]] = set()

    async def behind(self: Stores, command: Any) -> Any:
        async def write() -> None:
            await asyncio.sleep(0.5)
            await original(self, command)

        task = asyncio.create_task(write())
        later.add(task)
        task.add_done_callback(later.discard)
        return commit.parse('{"lost":[],"full":[],"closed":[],"inside":{}}')

    Stores.commit = behind


def without_verify() -> None:
    """Believe the cache when it turns a guest away."""
    look = Deciding._look

    def credulous(self: Deciding, item: Any, *, verified: bool) -> None:
        look(self, item, verified=True)

    Deciding._look = credulous


def without_journal() -> None:
    """Answer without a line on the disk."""

    async def forgetful(self: Journal, *args: Any, **more: Any) -> Any:
        return []

    Journal.append = forgetful


def without_look() -> None:
    """Do not look into the journals of the other processes."""
    Journals.look = lambda self, ticket_ids: []


def cancel_often(per_s: float) -> None:
    """Cancel a random request now and then, as a client that goes away does."""
    started = api_server._Server.startup

    async def startup(self: Any, sockets: Any = None) -> None:
        await started(self, sockets)
        self.cancelling = asyncio.create_task(_cancel(per_s))

    api_server._Server.startup = startup


async def _cancel(per_s: float) -> None:
    while True:
        await asyncio.sleep(random.expovariate(per_s))
        requests = [
            task
            for task in asyncio.all_tasks()
            if "run_asgi" in getattr(task.get_coro(), "__qualname__", "")
        ]
        if requests:
            random.choice(requests).cancel()


WITHOUT: dict[str, Callable[[], None]] = {
    "replay": without_replay,
    "commit": without_commit,
    "verify": without_verify,
    "journal": without_journal,
    "look": without_look,
    "fsync": without_fsync,
    "fence": without_fence,
    "epoch": without_epoch,
}


def main() -> None:
    """Replace what is asked for, then serve until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["api"])
    parser.add_argument("--crash", metavar="POINT:N")
    parser.add_argument("--cancel", type=float)
    parser.add_argument("--without", choices=sorted(WITHOUT))
    parser.add_argument("--pause", metavar="POINT:SECONDS")
    parser.add_argument("--hold", metavar="POINT")
    parser.add_argument("--stalls", action="store_true")
    parser.add_argument("--power", action="store_true")
    options = parser.parse_args()
    if options.crash:
        point, _, at = options.crash.partition(":")
        crash(point, int(at))
    if options.cancel:
        cancel_often(options.cancel)
    if options.stalls:
        stalling()
    if options.power:
        noting_power()
    if options.pause:
        point, _, seconds = options.pause.partition(":")
        pause(point, float(seconds))
    if options.hold:
        hold(options.hold, Path(load().data_dir))
    if options.without:
        WITHOUT[options.without]()
    api_server.run(load())


if __name__ == "__main__":
    main()
