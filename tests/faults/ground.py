"""The proving ground: real stores, real processes, a proxy at each hop, one machine.

The harness starts everything here and ends it by its process id. Each api process
reaches each store through a hop of its own, so that a cut may be one-sided; doors reach
each api process through one as well.

    doors -- http[0] --> api 0 -- pg[0], redis[0] --> PostgreSQL, Valkey
          -- http[1] --> api 1 -- pg[1], redis[1] -->
                         sync, live -- pg[2], redis[2] -->
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import asyncpg
import redis.asyncio
from redis.exceptions import RedisError

from ops.cache import keys
from ops.db import migrate
from ops.dev.process import inhabitants
from ops.dev.servers import EmbeddedPostgres, EmbeddedValkey
from ops.parent import dies_with_parent
from tests.faults.proxy import Proxy
from tests.running import Role, free_port, until_answers
from tests.small_event import SmallEvent

T = TypeVar("T")
WARM_S = 60.0
STEADY_S = "3"
"""Back from mode D after so long without a gap: 10 s in production, which would only
make every row of the report longer."""
DEVICES = 15
ROOT = Path(__file__).parents[2]

_TICKETS = (
    """
    CREATE TEMP TABLE bulk ON COMMIT DROP AS
    SELECT n, gen_random_uuid() AS attendee, gen_random_uuid() AS ticket
    FROM generate_series(1, $1::int) AS n
    """,
    "INSERT INTO attendees (id, event_id, first_name)"
    " SELECT attendee, $1, 'Guest ' || n FROM bulk",
    "INSERT INTO tickets (id, event_id, attendee_id, ticket_type_id)"
    " SELECT ticket, $1, attendee, $2 FROM bulk",
    """
    INSERT INTO ops.ticket_codes (event_id, code_hash, ticket_id, kind)
    SELECT $1, substring(sha256(convert_to('C-' || n, 'UTF8')) FOR 16), ticket,
      'imported' FROM bulk
    """,
)


class Process(Role):
    """A role under the harness; `options` make it crash or forget a guard."""

    def __init__(self, role: str, env: dict[str, str], log: Path) -> None:
        super().__init__(role, env, log)
        self.options: list[str] = []
        self.extra: dict[str, str] = {}
        self.before: list[str] = []
        """What it is started by, such as `setpriv`."""

    def start(self, ready_fd: int | None = None) -> None:
        """Start it; it dies with the harness."""
        module = ["tests.faults.role"] if self.options else ["ops.cli", "serve"]
        command = [sys.executable, "-m", *module, self.role, *self.options]
        if ready_fd is not None:
            command.append(f"--ready-fd={ready_fd}")
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*dies_with_parent("KILL"), *self.before, *command],
                env={**self.env, "PYTHONPATH": str(ROOT), **self.extra},
                stdout=log,
                stderr=log,
                cwd=ROOT,
                pass_fds=() if ready_fd is None else (ready_fd,),
            )

    async def start_until_ready(self) -> None:
        """Start it and wait until it says that it listens, as the supervisor does."""
        mine, theirs = os.pipe()
        try:
            self.start(theirs)
            os.close(theirs)
            said = await asyncio.to_thread(os.read, mine, 1)
        finally:
            os.close(mine)
        assert said == b"1", f"{self.role} ended before it was ready"

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)


class Ground:
    """Everything that runs; made by `open_ground`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # A server dies with the thread that started it: this one lives to the end.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="stores")
        self.postgres = EmbeddedPostgres(folder)
        self.valkey = EmbeddedValkey(folder)
        self.pg: list[Proxy] = []
        self.redis: list[Proxy] = []
        self.http: list[Proxy] = []
        self.api: list[Process] = []
        self.sync: Process
        self.live: Process
        self.db: asyncpg.Pool
        self.ports: list[int] = []

    @property
    def journals(self) -> Path:
        """The machine's journal folder."""
        return self.folder / "journal"

    @property
    def processes(self) -> list[Process]:
        """The four roles."""
        return [*self.api, self.live, self.sync]

    @property
    def urls(self) -> list[str]:
        """Where doors ask."""
        return [f"http://127.0.0.1:{proxy.listen}" for proxy in self.http]

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Start or stop a server without stopping the doors meanwhile."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, work)

    async def start(self) -> None:
        """Stores, schema, hops, processes."""
        await self.in_thread(self.postgres.start)
        await self.in_thread(self.valkey.start)
        await migrate.upgrade(self.postgres.url)
        await self._hops()
        self.db = await asyncpg.create_pool(
            self.postgres.url,
            min_size=0,
            max_size=4,
            max_inactive_connection_lifetime=1,
            server_settings={"search_path": "public", "application_name": "harness"},
        )
        for n in range(2):
            env = self._env(n, OPS_PORT=str(self.ports[n]))
            self.api.append(Process("api", env, self.folder / f"api{n}.log"))
        live = self._env(2, OPS_LIVE_PORT=str(free_port()))
        self.live = Process("live", live, self.folder / "live.log")
        self.sync = Process("sync", self._env(2), self.folder / "sync.log")
        await self.serve()

    async def serve(self) -> None:
        """Start what does not run and wait until it answers."""
        for process in self.processes:
            if not process.alive:
                process.start()
        for n in range(2):
            await self.answers(n)

    async def build(self, *processes: Process, steady_s: str = "") -> None:
        """Start these anew with their options; with `steady_s`, sync as well."""
        if steady_s:
            self.sync.extra = {"OPS_STEADY_S": steady_s}
            processes = (*processes, self.sync)
        for process in processes:
            await asyncio.to_thread(process.stop)
        await self.serve()

    async def whole(self) -> None:
        """Nothing is wrong with any process any more."""
        for process in self.processes:
            if process.options or process.extra or process.before:
                process.options, process.extra, process.before = [], {}, []
                await asyncio.to_thread(process.stop)
        await self.serve()

    async def answers(self, n: int) -> None:
        """Wait until an api process answers."""
        url = f"http://127.0.0.1:{self.ports[n]}/healthz"
        try:
            await until_answers(url, self.api[n].process)
        except AssertionError as error:
            said = (self.folder / f"api{n}.log").read_text(errors="replace")
            raise AssertionError(f"{error}: {said[-600:]}") from None

    async def _hops(self) -> None:
        socket = Path(self.postgres.socket_dir) / ".s.PGSQL.5432"
        for n in range(3):
            self.pg.append(Proxy(self.folder / f"h{n}" / ".s.PGSQL.5432", socket))
            valkey = self.valkey.socket_path
            self.redis.append(Proxy(self.folder / f"h{n}" / "valkey.sock", valkey))
        self.ports = [free_port() for _ in range(2)]
        self.http = [Proxy(free_port(), port) for port in self.ports]
        for proxy in (*self.pg, *self.redis, *self.http):
            await proxy.start()

    def _env(self, hop: int, **more: str) -> dict[str, str]:
        return {
            "OPS_DATABASE_URL": f"postgresql://ops@/ops?host={self.folder / f'h{hop}'}",
            "OPS_REDIS_URL": f"unix://{self.folder / f'h{hop}' / 'valkey.sock'}",
            "OPS_DATA_DIR": str(self.folder),
            "OPS_LOG_LEVEL": "warning",
            "OPS_STEADY_S": STEADY_S,
            **more,
        }

    async def stop(self) -> None:
        """End everything that was started here."""
        for process in self.processes:
            if process.process is not None:
                with suppress(ProcessLookupError):
                    process.signal(signal.SIGCONT)
                with suppress(subprocess.TimeoutExpired):
                    await asyncio.to_thread(process.stop)
                if process.alive:
                    process.kill()
        for proxy in (*self.pg, *self.redis, *self.http):
            await proxy.stop()
        self.freeze(self.postgres.dir, signal.SIGCONT)
        self.freeze(self.valkey.dir, signal.SIGCONT)
        self.db.terminate()
        await self.in_thread(self.valkey.stop)
        await self.in_thread(self.postgres.stop)
        self._thread.shutdown()

    def freeze(self, folder: Path, number: signal.Signals) -> None:
        """Send a signal to every process of a store's data folder, all of them ours."""
        for pid in inhabitants(folder):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    async def heal(self) -> None:
        """Everything runs and every hop passes."""
        self.freeze(self.postgres.dir, signal.SIGCONT)
        self.freeze(self.valkey.dir, signal.SIGCONT)
        for process in self.processes:
            if process.alive:
                process.signal(signal.SIGCONT)
        await self.in_thread(self.postgres.start)
        await self.in_thread(self.valkey.start)
        for proxy in (*self.pg, *self.redis, *self.http):
            proxy.set("pass")
        for process in self.processes:
            if not process.alive:
                process.options = []
        await self.serve()

    async def event(self, tickets: int) -> tuple[SmallEvent, list[tuple[str, UUID]]]:
        """A new event whose cache is warm; the one before is over."""
        await self.db.execute("UPDATE events SET status = 'completed'")
        event = await SmallEvent.make(self.db, tickets=0, capacity=None)
        async with self.db.acquire() as connection, connection.transaction():
            await connection.execute(_TICKETS[0].replace("$1", str(tickets)))
            await connection.execute(_TICKETS[1], event.id)
            await connection.execute(_TICKETS[2], event.id, event.regular)
            await connection.execute(_TICKETS[3], event.id)
            made = await connection.fetch("SELECT n, ticket FROM bulk ORDER BY n")
        event.doors = []
        for n in range(DEVICES):
            device = UUID(int=event.device.int ^ (n + 1))
            await event.add_device(self.db, device, f"Phone {n}", event.main_gate)
            event.doors.append(f"dev_{device}")
        await self.warm(event.id, WARM_S)
        return event, [(f"C-{row['n']}", row["ticket"]) for row in made]

    async def warm(self, event_id: UUID, within_s: float) -> bool:
        """Wait until the cache of an event is ready and the outbox is empty."""
        end_s = time.monotonic() + within_s
        while time.monotonic() < end_s:
            with suppress(OSError, RedisError, asyncpg.PostgresError):
                async with self.store() as store:
                    state = await store.hget(keys.meta(event_id), "state")
                waits = await self.db.fetchval("SELECT count(*) FROM ops.outbox")
                if state == b"ready" and not waits:
                    return True
            await asyncio.sleep(0.05)
        return False

    @asynccontextmanager
    async def store(self) -> AsyncIterator[redis.asyncio.Redis]:
        """A connection of the harness to Valkey, past all hops."""
        async with redis.asyncio.Redis.from_url(
            self.valkey.url, protocol=2, socket_timeout=5
        ) as store:
            yield store


@asynccontextmanager
async def open_ground() -> AsyncIterator[Ground]:
    """A ground in a folder of its own, which is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="ops-f-") as folder:
        ground = Ground(Path(folder))
        try:
            await ground.start()
            yield ground
        finally:
            await ground.stop()
