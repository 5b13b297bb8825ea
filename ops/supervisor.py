"""`ops serve`: one child process per role, kept alive, stopped in order.

A child that ends is started again after a pause with full jitter. Stopping goes api,
live, sync: first nobody new comes in, then the screens go, last the work behind them
is finished. SIGHUP exchanges the children one by one: the new one serves before the
old one is asked to go; clients repeat the same scan id on a reset connection. The
kernel kills the children if the supervisor dies (PR_SET_PDEATHSIG), so it must run in
a process's main thread.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from ops import log
from ops.errors import SettingsError
from ops.parent import dies_with_parent
from ops.patience import for_ever, safely

ORDER = ("crowd", "api", "live", "sync")  # of stopping; the crowd is the demo's
READY_S_MAX = 60.0  # a role that says nothing for so long is not coming
STOP_S_MAX = 10.0  # per role; uvicorn grants its requests 5 s
BACKOFF_S_FIRST = 0.2
BACKOFF_S_MAX = 10.0
STEADY_S = 30.0  # a child that lived so long has earned a fresh backoff
PROCESSES_MAX = 64

_log = log.get("supervisor")


class Slot:
    """A place for one child: role, number, and the process that fills it now."""

    def __init__(self, role: str, index: int) -> None:
        self.role, self.index = role, index
        self.process: asyncio.subprocess.Process | None = None
        self.serves = asyncio.Event()
        self.failures = 0

    @property
    def filled(self) -> bool:
        """Whether a process lives here."""
        return self.process is not None and self.process.returncode is None


class Supervisor:
    """Runs the children of `roles` until it is told to stop.

    Args:
        roles: how many processes of each role.
        command: builds a child's command from role, number and the number of the
            file descriptor on which it says that it is ready.
        environ: the children's environment.
        on_ready: called once, when every child serves for the first time.
    """

    def __init__(
        self,
        roles: Mapping[str, int],
        command: Callable[[str, int, int], Sequence[str]],
        environ: Mapping[str, str],
        on_ready: Callable[[], None] | None = None,
    ) -> None:
        if sum(roles.values()) > PROCESSES_MAX:
            raise SettingsError(f"at most {PROCESSES_MAX} processes")
        self._slots = [
            Slot(role, index) for role in ORDER for index in range(roles.get(role, 0))
        ]
        self._command = command
        self._environ = dict(environ)
        self._on_ready = on_ready
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._rolling = asyncio.Lock()
        self._tasks: set[asyncio.Task[bool]] = set()
        self._leaving: set[asyncio.subprocess.Process] = set()

    @property
    def pids(self) -> dict[tuple[str, int], int]:
        """The process id of each child that runs."""
        return {
            (slot.role, slot.index): slot.process.pid
            for slot in self._slots
            if slot.process is not None and slot.filled
        }

    def stop(self) -> None:
        """Ask for the end; the second time without patience."""
        if self._stopping.is_set():
            self._hurry.set()
        self._stopping.set()

    def roll(self) -> None:
        """Exchange all children one by one, behind `run`."""
        task = asyncio.create_task(safely(self._roll, "roll", (OSError,)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def run(self) -> None:
        """Start everything; return when `stop` was called and everything has ended.

        SIGTERM and SIGINT stop; SIGHUP rolls, or stops when it comes from a terminal
        that was closed. Bounded: `STOP_S_MAX` per role.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        # A terminal that closes says the same as somebody who wants a rolling restart.
        hangup = self.stop if os.isatty(0) else self.roll
        loop.add_signal_handler(signal.SIGHUP, hangup)
        keepers = [
            asyncio.create_task(for_ever(partial(self._keep, slot), 0.0, "keep"))
            for slot in self._slots
        ]
        first = asyncio.create_task(self._first_ready())
        await self._stopping.wait()
        first.cancel()
        for task in (*keepers, *self._tasks):
            task.cancel()
        await asyncio.gather(*keepers, *self._tasks, first, return_exceptions=True)
        for role in ORDER:
            children = [slot.process for slot in self._slots if slot.role == role]
            await asyncio.gather(*(self._end(child) for child in children if child))
        await asyncio.gather(*(self._end(child) for child in self._leaving))
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.remove_signal_handler(number)

    async def _first_ready(self) -> None:
        for slot in self._slots:
            await slot.serves.wait()
        _log.info("all_ready", processes=len(self._slots))
        if self._on_ready is not None:
            self._on_ready()

    async def _keep(self, slot: Slot) -> None:
        """Fill the slot, and return when it is to be filled again."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        # No process or no file is to be had, now: the next try comes.
        await safely(partial(self._fill, slot), "fill", (OSError,))
        # A rolling restart may have put another process here: then keep that one.
        while slot.filled and slot.process is not None:
            await slot.process.wait()
        if loop.time() - began > STEADY_S:
            slot.failures = 0
        pause_s = random.uniform(0, _backoff_s(slot.failures))
        slot.failures += 1
        _log.warning(
            "ended",
            role=slot.role,
            index=slot.index,
            code=slot.process.returncode if slot.process else None,
            again_in_s=round(pause_s, 2),
        )
        await asyncio.sleep(pause_s)

    async def _fill(self, slot: Slot) -> None:
        """Put a process into a slot that has none; return when it serves or is gone."""
        if slot.filled:
            return
        child, pipe = await self._spawn(slot)
        slot.process = child
        if await self._until_ready(child, pipe):
            slot.serves.set()
            _log.info("ready", role=slot.role, index=slot.index, pid=child.pid)
        elif child.returncode is None:
            _log.error("not_ready", role=slot.role, index=slot.index)
            await self._end(child)

    async def _spawn(self, slot: Slot) -> tuple[asyncio.subprocess.Process, int]:
        """A new child and the read end of the pipe on which it says it is ready."""
        mine, theirs = os.pipe()
        os.set_blocking(mine, False)
        command = self._command(slot.role, slot.index, theirs)
        try:
            child = await asyncio.create_subprocess_exec(
                *dies_with_parent("KILL"),
                *command,
                env=self._environ,
                pass_fds=(theirs,),
                stdin=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the supervisor alone
            )
        except BaseException:
            os.close(mine)
            raise
        finally:
            os.close(theirs)
        return child, mine

    async def _until_ready(self, child: asyncio.subprocess.Process, pipe: int) -> bool:
        """Whether the child said that it serves, before it ended or time was up."""
        loop = asyncio.get_running_loop()
        said: asyncio.Future[bool] = loop.create_future()

        def readable() -> None:
            loop.remove_reader(pipe)
            if not said.done():
                with suppress(OSError):
                    said.set_result(os.read(pipe, 1) == b"1")

        loop.add_reader(pipe, readable)
        try:
            async with asyncio.timeout(READY_S_MAX):
                return await said and child.returncode is None
        except TimeoutError:
            return False
        finally:
            loop.remove_reader(pipe)
            os.close(pipe)

    async def _roll(self) -> None:
        async with self._rolling:
            for slot in self._slots:
                new, pipe = await self._spawn(slot)
                try:
                    serves = await self._until_ready(new, pipe)
                except asyncio.CancelledError:
                    await self._end(new)
                    raise
                if not serves:
                    _log.error("roll_failed", role=slot.role, index=slot.index)
                    await self._end(new)
                    return  # the old ones go on: better an old program than none
                old, slot.process = slot.process, new
                slot.serves.set()
                _log.info("rolled", role=slot.role, index=slot.index, pid=new.pid)
                if old is not None:
                    await self._end(old)

    async def _end(self, child: asyncio.subprocess.Process) -> None:
        """SIGTERM, and SIGKILL after `STOP_S_MAX` or when somebody is in a hurry."""
        if child.returncode is not None:
            return
        self._leaving.add(child)  # until it has ended, even if this wait is cancelled
        child.terminate()
        ended = asyncio.create_task(child.wait())
        hurry = asyncio.create_task(self._hurry.wait())
        await asyncio.wait(
            (ended, hurry),
            timeout=STOP_S_MAX,
            return_when=asyncio.FIRST_COMPLETED,
        )
        hurry.cancel()
        if child.returncode is None:
            _log.warning("killed", pid=child.pid)
            with suppress(ProcessLookupError):
                child.kill()
        await ended
        self._leaving.discard(child)


def _backoff_s(failures: int) -> float:
    return float(min(BACKOFF_S_MAX, BACKOFF_S_FIRST * 2 ** min(failures, 10)))


def reserve(host: str, port: int) -> socket.socket:
    """Hold an address for the children, and find out now if somebody else has it.

    The socket never listens: the children share its port with SO_REUSEPORT. Port 0
    picks a free one.

    Raises:
        SettingsError: another program has the address.
    """
    # Only a bind without SO_REUSEPORT notices another `ops serve` of this user.
    probe = _bound(host, port, socket.SO_REUSEADDR)
    port = probe.getsockname()[1]
    probe.close()
    return _bound(host, port, socket.SO_REUSEPORT)


def _bound(host: str, port: int, option: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, option, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise SettingsError(
            f"cannot listen on {host}:{port}: {error.strerror}"
        ) from None
    return bound
