"""The sync role's process: leads or stands by, and runs its duties.

The leader holds an advisory lock on a connection of its own; when that connection
dies, another process takes over and this one starts again as a stand-by.
"""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import uvloop

from ops import log, ready
from ops.cache.client import Cache
from ops.clock import Clock
from ops.crm_sync import statements
from ops.crm_sync.announcer import Announcer
from ops.crm_sync.carrier import Carrier
from ops.crm_sync.closer import Closer
from ops.crm_sync.drain import FACTS_PER_TURN, Drain
from ops.crm_sync.duties import DUTIES
from ops.crm_sync.effects import FACTS_PER_TURN as EFFECTS_PER_TURN
from ops.crm_sync.effects import Effects
from ops.crm_sync.journals import Sweeper
from ops.crm_sync.keeper import Keeper
from ops.crm_sync.mailer import Mailer
from ops.crm_sync.merging import Merger, read_mode
from ops.crm_sync.modes import Modes
from ops.crm_sync.reconcile import Reconciler
from ops.crm_sync.relay import Relay
from ops.crm_sync.schedule import Schedule
from ops.crm_sync.session_news import SessionNews
from ops.crm_sync.settler import Settler
from ops.crm_sync.warm import Warmer
from ops.db.engine import Database
from ops.db.pools import DATABASE_ERRORS
from ops.errors import OpsError, StoreUnavailable
from ops.pages_dir import find
from ops.patience import Step, ended, for_ever
from ops.settings import Settings
from ops.texts import Texts
from ops.watch.forecaster import Forecaster
from ops.watch.watcher import Watcher

CALL_TIMEOUT_S = 2.0
POLL_S = 0.1
"""How long a change waits at most when its notification is lost."""
DRAIN_S = 1.0
"""The desks tell the cache themselves; what they could not waits this long at most."""
WARM_CHECK_S = 0.5
SWEEP_S = 30.0
SEATS_S = 1.0
ANNOUNCE_S = 0.5
MAIL_S = 1.0
SESSION_NEWS_S = 2.0
EFFECTS_S = 0.25
"""A VIP's host hears of him within 2 s, an undo is undone in the CRM as soon."""
SCHEDULE_S = 0.5
CLOSE_S = 1.0
SETTLE_S = 0.5
"""How long an upload that explains a conflict waits for its effect at most."""
PLAN_S = 5.0
MERGE_S = 0.2
"""Every process merges the journals of its machine, also while another leads."""
MODES_S = 0.5
KEEP_S = 5.0
WATCH_S = 0.5
"""How often the watcher is asked; how often it looks is its own affair."""
SAMPLE_S = 5.0
SAMPLE_SHARE = 0.02
"""A sample of a large event may take this share of the time, so it waits longer."""
FORECAST_S = 2.0
RETRY_S = 0.5
LEAD_CHECK_S, LEAD_TRY_S = 5.0, 5.0
"""A lead whose connection is silent is given up: its lock may be another's by now."""
CHANNEL = "ops_outbox"

_TROUBLE = (OpsError, *DATABASE_ERRORS)
_logger = log.get(__name__)


class Worker:
    """The duties of one sync process. `start` returns when they run."""

    def __init__(self, settings: Settings) -> None:
        self.database = Database(settings.database_url, "ops sync")
        self.cache = Cache(settings.redis_url, timeout_s=CALL_TIMEOUT_S)
        self.relay = Relay(self.database, self.cache)
        self.drain = Drain(self.database, self.cache)
        self.warmer = Warmer(self.database, self.cache, self.drain.catch_up)
        clock = Clock()
        self.announcer = Announcer(self.database, clock)
        self.mailer = Mailer(self.database, clock, settings.smtp_url)
        self.carrier = Carrier(self.database, clock)
        texts = Texts(find().web / "i18n")
        self.session_news = SessionNews(self.database, clock, texts)
        folder = Path(settings.data_dir) / "journal"
        self.reconciler = Reconciler(
            self.database, self.cache, self.warmer, folder, clock
        )
        self.effects = Effects(self.database)
        self.schedule = Schedule(self.database, clock, DUTIES)
        self.merger = Merger(self.database, self.cache, folder)
        self.warmer.merge = self.merger.all
        self.modes = Modes(self.database, self.cache, self.drain, settings.steady_s)
        self.sweeper = Sweeper(
            self.database, folder, self.merger.forget, self.merger.owes
        )
        self.closer = Closer(self.database, clock)
        self.settler = Settler(self.database, self.cache, clock)
        self.keeper = Keeper(self.database, settings.secret_key, clock)
        self.watcher = Watcher(self.database, self._mode, texts)
        self.forecaster = Forecaster(self.database)
        self._settings = settings
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Open the stores and begin."""
        await self.database.start()
        await self.cache.start()
        self._tasks = [
            _kept_up(self._lead, RETRY_S, "sync"),
            _kept_up(self.merger.turn, MERGE_S, "merge"),
        ]

    async def stop(self) -> None:
        """End the duties and close the stores; may come twice."""
        await ended(self._tasks)
        self._tasks = []
        self.merger.stop()
        await self.cache.stop()
        await self.database.stop()

    async def _lead(self) -> None:
        """Wait for the lead, then run all duties until the connection is lost."""
        connection = await asyncpg.connect(
            self._settings.database_url,
            timeout=CALL_TIMEOUT_S,
            server_settings={"application_name": "ops sync lead"},
        )
        try:
            await connection.execute(statements.LEAD)
            _logger.info("sync_leads")
            lost = asyncio.Event()
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(CHANNEL, lambda *_: self._changed.set())
            await self.drain.start()
            await self.effects.start()
            await self._duties(connection, lost)
        finally:
            connection.terminate()

    async def _duties(self, connection: Any, lost: asyncio.Event) -> None:
        duties = [
            _kept_up(duty, pause_s, name)
            for name, duty, pause_s in (
                ("warm", self._warm, WARM_CHECK_S),
                ("relay", self._relay, 0.0),
                ("drain", self._drain, DRAIN_S),
                ("sweep", self._sweep, SWEEP_S),
                ("seats", self._seats, SEATS_S),
                ("announce", self.announcer.turn, ANNOUNCE_S),
                ("mail", self._mail, MAIL_S),
                ("carry", self._carry, MAIL_S),
                ("session_news", self.session_news.turn, SESSION_NEWS_S),
                ("sample", self._sample, SAMPLE_S),
                ("effects", self._effects, EFFECTS_S),
                ("plan", self._plan, PLAN_S),
                ("schedule", self._schedule, SCHEDULE_S),
                ("modes", self.modes.turn, MODES_S),
                ("close", self.closer.turn, CLOSE_S),
                ("settle", self.settler.turn, SETTLE_S),
                ("keep", self.keeper.turn, KEEP_S),
                ("watch", self.watcher.turn, WATCH_S),
                ("forecast", self.forecaster.turn, FORECAST_S),
            )
        ]
        try:
            await _lost(connection, lost)
            _logger.warning("sync_lost_the_lead")
        finally:
            await ended(duties)

    async def _warm(self) -> None:
        await self.warmer.check()

    async def _relay(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._changed.wait()
        self._changed.clear()
        try:
            while await self.relay.turn(self.warmer.warming):
                pass
        except OpsError:
            await self.relay.measure()  # the cache is away: it falls behind
            raise
        await self.relay.measure()

    async def _drain(self) -> None:
        # The rest of a page waits for the next turn: the desks are telling it just now.
        while await self.drain.turn(self.warmer.warming) >= FACTS_PER_TURN:
            pass

    async def _mail(self) -> None:
        while await self.mailer.turn():
            pass

    async def _carry(self) -> None:
        while await self.carrier.turn():
            pass

    async def _sample(self) -> None:
        began_s = time.monotonic()
        await self.reconciler.sample()
        # Its pauses cost nobody anything; counted, one of them put off the next sample
        # by minutes, and counters that were off stayed so.
        busy_s = time.monotonic() - began_s - self.reconciler.rested_s
        await asyncio.sleep(max(0.0, busy_s) / SAMPLE_SHARE)

    async def _effects(self) -> None:
        # A call for few costs as much as one for many: who comes next waits a moment.
        while await self.effects.turn() >= EFFECTS_PER_TURN:
            pass

    async def _plan(self) -> None:
        await self.schedule.plan()

    async def _schedule(self) -> None:
        await self.schedule.turn()

    async def _seats(self) -> None:
        """What falls due by the clock at the doors of sessions, and bands."""
        now = datetime.now(UTC)
        freed = await self.database.pool.fetchval(statements.SEATS_DUE, now)
        turned = await self.database.pool.fetchval(statements.MEDIA_DUE, now)
        if freed or turned:
            _logger.info("seats_due", freed=freed, bands=turned)

    async def _mode(self, event_id: UUID) -> str | None:
        """The mode of an event; None: the cache is cold or away."""
        with suppress(StoreUnavailable):
            found = await read_mode(self.cache, event_id)
            return found[0] if found else None
        return None

    async def _sweep(self) -> None:
        await self.sweeper.sweep()


def _kept_up(duty: Step, pause_s: float, name: str) -> asyncio.Task[None]:
    return asyncio.create_task(for_ever(duty, pause_s, name, _TROUBLE), name=name)


async def _lost(connection: Any, lost: asyncio.Event) -> None:
    """Wait until the connection is closed, or says nothing any more."""
    while not lost.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAD_CHECK_S):
                await lost.wait()
        try:
            await connection.execute("SELECT 1", timeout=LEAD_TRY_S)
        except _TROUBLE:
            return


async def _serve(settings: Settings) -> None:
    worker = Worker(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await worker.start()
    ready.tell()
    try:
        await stop.wait()
    finally:
        await worker.stop()


def run(settings: Settings) -> None:
    """Run the sync role until SIGTERM or SIGINT."""
    log.configure(settings.log_level, settings.log_format, role="sync")
    uvloop.run(_serve(settings))
