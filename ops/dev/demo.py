"""`ops demo`: a whole evening on this machine, from nothing, with one command.

The demo has a data folder and stores of its own, so that it can never touch a real
event: it refuses to run on stores given by settings.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import msgspec
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ops import log
from ops.db import migrate
from ops.dev import evenings, programme, watch
from ops.dev.sample import Evening
from ops.dev.servers import Embedded, running_urls
from ops.dev.tally import count as count_evening
from ops.errors import SettingsError
from ops.settings import Settings
from ops.supervisor import Supervisor, reserve

FOLDER = "demo"
_STEPS = ("Starting PostgreSQL and Valkey", "Schema", "Sample event", "Starting roles")


def run(
    settings: Settings,
    command: Callable[[str, int, int], list[str]],
    environment: Callable[[Settings], dict[str, str]],
    *,
    fresh: bool = False,
    speed: float = 1.0,
    kind: str = "conference",
    roles: dict[str, int],
    seconds: float | None = None,
) -> None:
    """Run the demo until Ctrl-C, SIGTERM or the end of `seconds`.

    Args:
        command: builds the command of a role's process.
        environment: builds a role's environment from the settings.
        fresh: forget all earlier evenings.
        speed: of a new evening; 2 makes it five minutes long.
        kind: conference, festival or club.

    Raises:
        SettingsError: the settings name stores or production.
        StoreError: another demo runs on this data folder.
    """
    if settings.database_url or settings.redis_url or settings.env != "development":
        raise SettingsError(
            "the demo brings its own stores: "
            "unset OPS_DATABASE_URL, OPS_REDIS_URL and OPS_ENV"
        )
    console = Console(highlight=False)
    settings = msgspec.structs.replace(settings, data_dir=settings.data_dir / FOLDER)
    log.configure("warning", settings.log_format, role="demo")
    if fresh and running_urls(settings.data_dir) is None:
        shutil.rmtree(settings.data_dir, ignore_errors=True)
    stores = Embedded(settings.data_dir)
    with ExitStack() as stack, _progress(console) as progress:
        task = progress.add_task(_STEPS[0], total=len(_STEPS))

        def step(number: int) -> None:
            progress.update(task, completed=number, description=_STEPS[number])

        stack.callback(stores.stop)
        stores.start()
        settings = msgspec.structs.replace(
            settings, database_url=stores.postgres.url, redis_url=stores.valkey.url
        )
        step(1)
        asyncio.run(migrate.upgrade(settings.database_url))
        step(2)
        evening = asyncio.run(_evening(settings, speed, kind))
        step(3)
        settings = _listen(stack, settings)

        def on_ready() -> None:
            progress.stop()
            _say(console, settings, evening)
            if seconds is not None:
                asyncio.get_running_loop().call_later(seconds, supervisor.stop)

        supervisor = Supervisor(
            {"crowd": 1, **roles},
            command=command,
            environ={
                **environment(settings),
                "OPS_LOG_LEVEL": "warning",
            },
            on_ready=on_ready,
        )
        asyncio.run(watch.run(supervisor, stores))
        console.print("Stopping: everything is kept for the next start.")


def count(settings: Settings) -> bool:
    """Compare the crowd's logs of all evenings with the database, and print it.

    Returns whether nothing was lost and nobody came in twice.

    Raises:
        StoreError: the stores of the demo do not start.
    """
    console = Console(highlight=False)
    folder = settings.data_dir / FOLDER
    urls = running_urls(folder)
    stores = Embedded(folder)
    try:
        if urls is None:
            stores.postgres.start()
        url = urls[0] if urls else stores.postgres.url
        return asyncio.run(_count(url, folder, console))
    finally:
        if urls is None:
            stores.stop()


async def _count(url: str, folder: Path, console: Console) -> bool:
    connection = await asyncpg.connect(url)
    try:
        kept = True
        for event_id, title in await evenings.all_of(connection):
            tally = await count_evening(connection, folder, event_id)
            kept = kept and tally.kept
            console.rule(title, align="left")
            for name in tally.__struct_fields__:
                console.print(f"  {name:<14}{getattr(tally, name):>8}")
        return kept
    finally:
        await connection.close()


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


async def _evening(settings: Settings, speed: float, kind: str) -> Evening:
    async with asyncpg.create_pool(settings.database_url, min_size=1) as pool:
        async with pool.acquire() as connection:
            await evenings.prepare(connection)
        now = datetime.now(UTC)
        return await evenings.current(pool, settings.secret_key, now, speed, kind)


def _listen(stack: ExitStack, settings: Settings) -> Settings:
    """Hold both ports; a taken one becomes a free one, because this is only a demo."""
    ports = []
    for port in (settings.port, settings.live_port):
        try:
            held = reserve(settings.host, port)
        except SettingsError:
            held = reserve(settings.host, 0)
        stack.enter_context(held)
        ports.append(held.getsockname()[1])
    return msgspec.structs.replace(settings, port=ports[0], live_port=ports[1])


def _say(console: Console, settings: Settings, evening: Evening) -> None:
    base = settings.base_url
    times = evening.timetable
    opens, closes = times.opens_at.astimezone(), times.at(1.0).astimezone()
    lines = [
        ("Control room", f"{base}/control.html?event={evening.ids.event}"),
        ("Handheld", f"{base}/scan/#pair={evening.enrolment_code}"),
        ("API", f"{base}/docs/"),
        *(
            ("Sign in", f"{login.email}  {evenings.PASSWORD}  ({login.role})")
            for login in evenings.LOGINS
        ),
        ("PIN", f"{programme.pin(0)}  ({programme.OPERATORS[0][0]}, supervisor)"),
        ("Doors", f"{opens:%H:%M:%S} to {closes:%H:%M:%S}"),
    ]
    console.rule(evening.title, align="left")
    for name, text in lines:
        # Addresses are for clicking: never cut, never wrapped.
        console.print(f"  {name:<14}{text}", soft_wrap=True)
    console.print("  Ctrl-C stops everything; the next start goes on from there.")
