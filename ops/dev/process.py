"""A server process that dies with its parent and owns its data folder.

PR_SET_PDEATHSIG belongs to the *thread* that started the process: call `start()` from
a thread that lives as long as the server shall, usually the main one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, ClassVar

from ops.errors import StoreError

# sun_path holds 108 bytes with its NUL; the longest name we put behind the folder
# is PostgreSQL's ".s.PGSQL.5432.lock".
SOCKET_DIR_LENGTH_MAX = 107 - len("/.s.PGSQL.5432.lock")
START_S_MAX = 120.0  # recovery after a crash replays at most max_wal_size
STOP_S_MAX = 15.0
LOG_BYTES_MAX = 10_000_000
POLL_S = 0.01


class Server:
    """A server process that belongs to one data folder and to one parent."""

    name: ClassVar[str]
    _stop_signals: ClassVar[tuple[signal.Signals, ...]]

    def __init__(self, data_dir: Path | str) -> None:
        self.data_dir = Path(data_dir).absolute()
        self.dir = self.data_dir / self.name
        self.log_path = self.data_dir / f"{self.name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None
        self._socket_dir: Path | None = None

    @property
    def url(self) -> str:
        """Where clients connect; valid once `start` has returned."""
        raise NotImplementedError

    @property
    def pid(self) -> int | None:
        """The server's process id, or None if it does not run."""
        return self._process.pid if self._process and self.alive else None

    @property
    def alive(self) -> bool:
        """Whether the server that `start` started still runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def socket_dir(self) -> Path:
        """The folder of the socket: in the data folder if its path is short enough."""
        if self._socket_dir is None:
            near = self.data_dir / "sockets"
            if len(os.fsencode(near)) <= SOCKET_DIR_LENGTH_MAX:
                self._socket_dir = near
            else:
                self._socket_dir = Path(tempfile.mkdtemp(prefix="ops-"))
        return self._socket_dir

    def start(self) -> None:
        """Start the server and return when it answers; a second call does nothing.

        After a crash of the server a call starts it again on the same data.

        Raises:
            StoreError: another process runs on this data folder, or the server did
                not come up. The message is one line.
        """
        if self.alive:
            return
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            self._take_lock()
            self.socket_dir.mkdir(mode=0o700, exist_ok=True)
            self._prepare()
            with self._log() as log:
                self._process = subprocess.Popen(
                    self._command(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.dir,
                    start_new_session=True,  # Ctrl-C is for the parent alone
                )
            self._wait(self._ready)
        except OSError as error:
            self.stop()
            raise StoreError(f"embedded {self.name} did not start: {error}") from None
        except BaseException:
            self.stop()
            raise

    def wait(self, seconds: float) -> None:
        """Wait for the end of a server that somebody else has told to stop.

        Raises:
            subprocess.TimeoutExpired: it still runs.
        """
        if self._process is not None:
            self._process.wait(seconds)

    def stop(self) -> None:
        """Stop cleanly within `STOP_S_MAX`; may come twice or without a start."""
        if self._process is not None:
            for number in (*self._stop_signals, signal.SIGKILL):
                if self._process.poll() is None:
                    self._process.send_signal(number)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(STOP_S_MAX / len(self._stop_signals))
                    break
            self._process = None
        if self._socket_dir and self._socket_dir.parent != self.data_dir:
            shutil.rmtree(self._socket_dir, ignore_errors=True)
        self._socket_dir = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _prepare(self) -> None:
        raise NotImplementedError

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _ready(self) -> bool:
        raise NotImplementedError

    def _take_lock(self) -> None:
        if self._lock is None:
            lock = (self.data_dir / f"{self.name}.lock").open("ab")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                raise StoreError(
                    f"another process runs the embedded {self.name} in {self.data_dir}"
                ) from None
            self._lock = lock

    @contextmanager
    def _log(self) -> Iterator[IO[bytes]]:
        if self.log_path.exists() and self.log_path.stat().st_size > LOG_BYTES_MAX:
            self.log_path.replace(self.log_path.with_suffix(".log.old"))
        with self.log_path.open("ab") as log:
            yield log

    def _wait(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_S_MAX
        while not done():
            if not self.alive or time.monotonic() > deadline:
                lines = self.log_path.read_text(errors="replace").strip().splitlines()
                last = lines[-1] if lines else "it said nothing"
                raise StoreError(f"embedded {self.name} did not start: {last}")
            time.sleep(POLL_S)

    def _outlive_orphans(self) -> None:
        """Wait for the end of older servers: they have their signal, or lost theirs."""
        deadline = time.monotonic() + STOP_S_MAX
        while pids := inhabitants(self.dir):
            if time.monotonic() > deadline:
                raise StoreError(
                    f"an older {self.name} (process {pids[0]}) still runs in {self.dir}"
                )
            time.sleep(POLL_S)


def inhabitants(folder: Path) -> list[int]:
    """The processes that work in this folder, as both servers and their children do.

    A process id in a file may be somebody else's by now; /proc is the truth. Processes
    of other users are not seen, except by root.
    """
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if (entry / "cwd").readlink() == folder:
                    found.append(int(entry.name))
    return found
