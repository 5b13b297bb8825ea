"""The crowd as a process under the demo's supervisor: evening after evening."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from datetime import UTC, datetime

import asyncpg
import click

from ops import log, ready
from ops.dev import evenings
from ops.dev.crowd import Crowd
from ops.settings import Settings

PAUSE_S = 20.0
# A demo that somebody forgot must not fill a disk: two hours at the usual speed.
EVENINGS_MAX = 12


def run(settings: Settings, speed: float = 1.0) -> None:
    """Play the evening that goes on and the next ones, until SIGTERM or SIGINT."""
    log.configure(settings.log_level, settings.log_format, role="crowd")
    asyncio.run(_until_told(settings, speed))


async def _until_told(settings: Settings, speed: float) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    playing = asyncio.create_task(_play(settings, speed))
    stopped = asyncio.create_task(told.wait())
    await asyncio.wait((playing, stopped), return_when=asyncio.FIRST_COMPLETED)
    if playing.done():
        playing.result()  # an error ends the process: the supervisor starts it again
        await stopped
    playing.cancel()
    with suppress(asyncio.CancelledError):
        await playing


async def _play(settings: Settings, speed: float) -> None:
    for played in range(EVENINGS_MAX):
        pool = asyncpg.create_pool(settings.database_url, min_size=1, max_size=1)
        async with pool:
            now = datetime.now(UTC)
            evening = await evenings.current(pool, settings.secret_key, now, speed)
        ready.tell()
        if played:
            address = f"{settings.base_url}/control.html?event={evening.ids.event}"
            click.echo(f"{evening.title} begins: {address}")
        await Crowd(settings, evening).play()
        left = evening.timetable.at(1.0) - datetime.now(UTC)
        await asyncio.sleep(max(0.0, left.total_seconds()) + PAUSE_S)
