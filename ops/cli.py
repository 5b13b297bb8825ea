"""The command `ops`.

Every command imports only what it needs, because a role must start in seconds: the
modules that do the work stand by name in `_WORK` and are the only late imports of the
program. Errors of ours are one line on stderr and exit 2.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import rich_click as click
from rich.console import Console
from rich.markup import escape

from ops import __version__, log, ready
from ops.dev import watch
from ops.dev.servers import Embedded, running_urls
from ops.errors import OpsError
from ops.settings import PREFIX, Settings, load
from ops.supervisor import Supervisor, reserve

# Work -> module and function. The architecture test holds this list.
_WORK = {
    "api": "ops.api_server:run",
    "live": "ops.live.server:run",
    "sync": "ops.crm_sync.worker:run",
    "upgrade": "ops.db.migrate:upgrade",
    "check": "ops.db.migrate:check",
    "current": "ops.commands.schema:is_current",
    "import": "ops.commands.importing:run",
    "demo": "ops.dev.demo:run",
    "count": "ops.dev.demo:count",
    "crowd": "ops.dev.crowd_role:run",
    "event create": "ops.commands.events:create",
    "event copy": "ops.commands.events:copy",
    "user": "ops.commands.users:add",
    "doctor": "ops.commands.doctor:run",
    "preflight": "ops.commands.preflight:run",
    "reconcile": "ops.commands.reconcile:run",
    "backup": "ops.commands.backup:backup",
    "restore": "ops.commands.backup:restore",
    "cert": "ops.commands.certificate:run",
    "openapi": "ops.commands.openapi:run",
}
PRESETS = ("conference", "festival", "club")
_OUT = Console(highlight=False)

click.rich_click.SHOW_ARGUMENTS = True
click.rich_click.GROUP_ARGUMENTS_OPTIONS = True


def _work(name: str) -> Callable[..., Any]:
    module, _, function = _WORK[name].partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


@contextmanager
def stores(settings: Settings) -> Iterator[tuple[Settings, Embedded | None]]:
    """The settings with the addresses of real stores in them, and those started here.

    Given addresses stay. An empty one means the embedded server of the data folder:
    the one that runs there, else one that is started now and stopped at the end.
    """
    if settings.database_url and settings.redis_url:
        yield settings, None
        return
    embedded = None
    urls = running_urls(settings.data_dir)
    if urls is None:
        embedded = Embedded(settings.data_dir)
        embedded.start()
        urls = (embedded.postgres.url, embedded.valkey.url)
    try:
        complete = msgspec.structs.replace(
            settings,
            database_url=settings.database_url or urls[0],
            redis_url=settings.redis_url or urls[1],
        )
        yield complete, embedded
    finally:
        if embedded is not None:
            embedded.stop()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ops")
def cli() -> None:
    """The event-day operations server: doors, live figures, and the CRM behind.

    Settings come from the environment, all with the prefix OPS_. Without any, the
    program starts its own PostgreSQL and Valkey in the data folder.
    """


@cli.command()
@click.argument("role", required=False, type=click.Choice(["api", "live", "sync"]))
@click.option("--api", default=1, type=click.IntRange(0, 32), help="api processes.")
@click.option("--live", default=1, type=click.IntRange(0, 32), help="live processes.")
@click.option("--index", default=0, hidden=True)
@click.option("--ready-fd", type=int, hidden=True)
def serve(
    role: str | None, api: int, live: int, index: int, ready_fd: int | None
) -> None:
    """Run the server: all roles under a supervisor, or one ROLE alone."""
    settings = load()
    if role is None:
        _supervise(settings, {"api": api, "live": live, "sync": 1})
        return
    if ready_fd is not None:
        ready.arm(ready_fd)
    with stores(settings) as (complete, _):
        if role == "api":
            _work(role)(complete, index)
        else:
            _work(role)(complete)


@cli.command()
@click.option("--fresh", is_flag=True, help="Forget all earlier evenings.")
@click.option(
    "--speed",
    default=1.0,
    type=click.FloatRange(0.1, 4.0),
    help="1 is an evening of ten minutes, 2 one of five.",
)
@click.option("--kind", type=click.Choice(PRESETS), default="conference")
@click.option("--api", default=1, type=click.IntRange(1, 32), help="api processes.")
@click.option("--live", default=1, type=click.IntRange(1, 32), help="live processes.")
@click.option("--for", "seconds", type=float, help="Stop after so many seconds.")
@click.option("--count", is_flag=True, help="Only compare the crowd's logs; exit 1.")
def demo(
    fresh: bool,
    speed: float,
    kind: str,
    api: int,
    live: int,
    seconds: float | None,
    count: bool,
) -> None:
    """Play a whole evening here: stores, sample event, roles and a simulated crowd.

    With --count: say what the crowd was told and what the database holds, beside a
    running demo or after it; exit 1 if anything was lost or anybody came in twice.
    """
    if count:
        sys.exit(0 if _work("count")(load()) else 1)
    _work("demo")(
        load(),
        lambda role, index, fd: [
            *role_command(role, index, fd),
            *(["--speed", str(speed)] if role == "crowd" else []),
        ],
        environment,
        fresh=fresh,
        speed=speed,
        kind=kind,
        roles={"api": api, "live": live, "sync": 1},
        seconds=seconds,
    )


@cli.command(hidden=True)
@click.option("--index", default=0)
@click.option("--ready-fd", type=int)
@click.option("--speed", default=1.0)
def crowd(index: int, ready_fd: int | None, speed: float) -> None:
    """The simulated guests of the demo, as its supervisor starts them."""
    if ready_fd is not None:
        ready.arm(ready_fd)
    _work("crowd")(load(), speed)


@cli.group()
def db() -> None:
    """The database: bring it to this program's schema, or check that it is there."""


@db.command()
def upgrade() -> None:
    """Run the migrations that are missing; safe from several machines at once."""
    with stores(load()) as (settings, _):
        asyncio.run(_work("upgrade")(settings.database_url))
        _OUT.print("the database has this program's schema")


@db.command()
def check() -> None:
    """Say whether the database has this program's schema; exit 2 if not."""
    with stores(load()) as (settings, _):
        asyncio.run(_work("check")(settings.database_url))
        _OUT.print("the database has this program's schema")


@cli.command("import")
@click.argument("event")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--mapping",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON: which column is what, for exports that are not recognised.",
)
@click.option("--dry-run", is_flag=True, help="Say what would change; change nothing.")
def import_(event: str, file: Path, mapping: Path | None, dry_run: bool) -> None:
    """Import tickets from a seller's export (CSV or XLSX) into EVENT (id or slug).

    The same file again changes nothing. Bad rows are named, the others imported; the
    exit status is 1 when there were any.
    """
    with stores(load()) as (settings, _):
        work = _work("import")(settings, event, file, mapping, dry_run, _OUT)
        result = asyncio.run(work)
    sys.exit(1 if result.bad else 0)


@cli.group()
def event() -> None:
    """Events: make one from a preset, or as a copy of an earlier one."""


@event.command("create")
@click.argument("title")
@click.option("--preset", required=True, type=click.Choice(PRESETS))
@click.option("--starts", required=True, type=click.DateTime(), help="Local time.")
@click.option("--timezone", help="Of the place, like Europe/Paris.")
@click.option("--capacity", type=click.IntRange(1))
def event_create(
    title: str,
    preset: str,
    starts: datetime,
    timezone: str | None,
    capacity: int | None,
) -> None:
    """Make an event with the areas, gates, types and rules of a preset."""
    with stores(load()) as (settings, _):
        made = _work("event create")(
            settings, preset, title, starts, timezone, capacity
        )
        _OUT.print(f"made {made}")


@event.command("copy")
@click.argument("event")
@click.argument("title")
@click.option("--starts", required=True, type=click.DateTime(), help="Local time.")
@click.option("--devices/--no-devices", default=True, help="They serve both.")
def event_copy(event: str, title: str, starts: datetime, devices: bool) -> None:
    """Make a copy of EVENT (id or slug), its times moved by the clock of its place."""
    with stores(load()) as (settings, _):
        made = _work("event copy")(settings, event, title, starts, devices)
        _OUT.print(f"made {made}")


@cli.command()
@click.argument("email")
@click.option("--role", default="owner", show_default=True, help="A built-in role.")
@click.option("--name", default="", help="As it is written to others.")
@click.option("--language", default="en", type=click.Choice(("en", "fr")))
def user(email: str, role: str, name: str, language: str) -> None:
    """Let EMAIL sign in: a new user, or a new password and role of one who exists.

    The password is asked for twice; when no terminal is there it is read from
    standard input (one line), never from the command line.
    """
    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    with stores(load()) as (settings, _):
        _work("user")(settings, email, role, password, name, language)
        _OUT.print(f"{email} may sign in as {role}", markup=False)


@cli.command()
def doctor() -> None:
    """Check settings, disk, stores, schema and clock; exit 2 if something is bad."""
    with stores(load()) as (settings, _):
        _say(asyncio.run(_work("doctor")(settings)))


@cli.command()
@click.argument("event")
def preflight(event: str) -> None:
    """Check whether EVENT (id or slug) is fit to open its doors; exit 2 if not."""
    with stores(load()) as (settings, _):
        _say(asyncio.run(_work("preflight")(settings, event)))


@cli.command()
@click.argument("event")
@click.option("--repair", is_flag=True, help="Make it say what the record says.")
@click.option("--retire", metavar="MACHINE", help="Wait for its journals no longer.")
def reconcile(event: str, repair: bool, retire: str | None) -> None:
    """Compare cache, journals and counters of EVENT (id or slug) with the record.

    In journal mode it also names the machines whose journals are waited for.

    Exit 1 if something differs in the end.
    """
    with stores(load()) as (settings, _):
        agrees = asyncio.run(_work("reconcile")(settings, event, repair, _OUT, retire))
    sys.exit(0 if agrees else 1)


@cli.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write database and journals into FILE (a tar); doors may go on meanwhile.

    OPS_SECRET_KEY is not in it: keep it beside the backups, not in them.
    """
    with stores(load()) as (settings, _):
        made = _work("backup")(settings, file)
    _OUT.print(f"{file}: schema {made.revision}, {len(made.sums)} files")


@cli.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Drop what the database holds now.")
def restore(file: Path, force: bool) -> None:
    """Put FILE of `ops backup` into an empty database. Stop the roles before."""
    with stores(load()) as (settings, _):
        made = asyncio.run(_work("restore")(settings, file, force=force))
    _OUT.print(f"restored what was backed up at {made.made_at:%Y-%m-%d %H:%M} UTC")


def _say(findings: list[Any]) -> None:
    colours = {"good": "green", "doubtful": "yellow", "bad": "red"}
    for subject, state, detail in findings:
        _OUT.print(f"  {subject:<12} [{colours[state]}]{state:<9}[/] {escape(detail)}")
    if any(finding.state == "bad" for finding in findings):
        sys.exit(2)


@cli.command()
@click.option("--out", default=Path(), type=click.Path(path_type=Path), help="Folder.")
@click.argument("names", nargs=-1)
def cert(out: Path, names: tuple[str, ...]) -> None:
    """Make a self-signed certificate for a LAN; NAMES: hosts and addresses.

    Without names: this machine's own.
    """
    certificate, key = _work("cert")(out, list(names), datetime.now(UTC))
    _OUT.print(f"OPS_TLS_CERT={certificate} OPS_TLS_KEY={key}", soft_wrap=True)


@cli.command()
def openapi() -> None:
    """Print the OpenAPI document of the API."""
    click.echo(_work("openapi")(load()))


def _supervise(settings: Settings, roles: dict[str, int]) -> None:
    log.configure(settings.log_level, settings.log_format, role="supervisor")
    with stores(settings) as (complete, embedded):
        if not asyncio.run(_work("current")(complete.database_url)):
            asyncio.run(_work("check")(complete.database_url))
        pages = reserve(settings.host, settings.port)
        sockets = reserve(settings.host, settings.live_port)
        with pages, sockets:
            complete = msgspec.structs.replace(
                complete,
                port=pages.getsockname()[1],
                live_port=sockets.getsockname()[1],
            )
            supervisor = Supervisor(
                roles,
                command=role_command,
                environ=environment(complete),
                on_ready=lambda: _OUT.print(f"serving {complete.base_url}"),
            )
            asyncio.run(watch.run(supervisor, embedded))


def role_command(role: str, index: int, ready_fd: int) -> list[str]:
    """The command of a child of the supervisor."""
    numbers = [f"--index={index}", f"--ready-fd={ready_fd}"]
    words = [role] if role == "crowd" else ["serve", role]
    return [sys.executable, "-m", "ops.cli", *words, *numbers]


def environment(settings: Settings) -> dict[str, str]:
    """This process's environment with the settings as they are now."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
    for name in settings.__struct_fields__:
        environ[PREFIX + name.upper()] = str(getattr(settings, name))
    return environ


def main() -> None:
    """The entry point of the command `ops`."""
    try:
        cli(prog_name="ops")
    except OpsError as error:
        click.echo(f"ops: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
