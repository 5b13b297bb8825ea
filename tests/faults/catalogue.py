"""The faults, one function each: from the first act until nothing is broken by it."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import asyncpg
from redis.exceptions import RedisError

from ops.dev.process import STOP_S_MAX, inhabitants
from tests.faults import crossing, disks
from tests.faults.ground import ROOT, Ground, Process
from tests.faults.limits import UNLIMITED, limit
from tests.faults.proxy import Mode, Proxy
from tests.faults.role import POINTS
from tests.faults.scenario import DOWN_S, Fault, Scene

FROZEN_S = 10.0
FLAPS, FLAP_S = 3, 2.0
STORM_SOCKETS = 2_000
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"

Run = Callable[[Scene], Awaitable[None]]
Pick = Callable[[Ground], list[Process]]
PickHops = Callable[[Ground], list[Proxy]]


# Processes -----------------------------------------------------------------------


def killed(pick: Pick) -> Run:
    """kill -9, and the supervisor's restart."""

    async def run(scene: Scene) -> None:
        victims = pick(scene.ground)
        for process in victims:
            process.kill()
        await scene.ground.serve()

    return run


def frozen(pick: Pick) -> Run:
    """SIGSTOP for ten seconds."""

    async def run(scene: Scene) -> None:
        for process in pick(scene.ground):
            process.signal(signal.SIGSTOP)
        await scene.hold(FROZEN_S)
        for process in pick(scene.ground):
            process.signal(signal.SIGCONT)

    return run


async def rolling_deploy(scene: Scene) -> None:
    """A new process on each port before the old one gets SIGTERM; then once more."""
    ground = scene.ground
    for _ in range(1 if scene.short else 2):
        for n, old in enumerate(list(ground.api)):
            new = Process("api", {}, ground.folder / f"api{n}.log")
            new.env = old.env
            await new.start_until_ready()
            ground.api[n] = new
            code = await asyncio.to_thread(old.stop)
            assert code == 0, f"an old api process ended with {code}"


def crashing(point: str) -> Callable[[Ground], Awaitable[None]]:
    """The first api process will die at the 20th time that it reaches the point."""

    async def prepare(ground: Ground) -> None:
        await asyncio.to_thread(ground.api[0].stop)
        ground.api[0].options = ["--crash", f"{point}:20"]
        await ground.serve()

    return prepare


async def crashed(scene: Scene) -> None:
    """Wait until it has died; the supervisor starts it again without the fault."""
    process = scene.ground.api[0]
    for _ in range(300):
        if not process.alive:
            break
        await asyncio.sleep(0.1)
    assert not process.alive, "the crash point was never reached"
    process.options = []
    await scene.ground.serve()


async def cancelling(ground: Ground) -> None:
    """Both api processes lose a request at a random await, twenty times a second."""
    for process in ground.api:
        await asyncio.to_thread(process.stop)
        process.options = ["--cancel", "20"]
    await ground.serve()


async def until_whole(scene: Scene) -> None:
    """What was prepared goes on for a while; then whole processes take over."""
    await scene.hold(8.0)
    for process in scene.ground.api:
        await asyncio.to_thread(process.stop)
        process.options, process.extra = [], {}
    await scene.ground.serve()


# Valkey --------------------------------------------------------------------------


async def valkey_killed(scene: Scene) -> None:
    """kill -9 of Valkey; back after a while with what its file holds."""
    ground = scene.ground
    ground.freeze(ground.valkey.dir, signal.SIGKILL)
    await scene.hold(DOWN_S)
    await ground.in_thread(ground.valkey.start)


async def valkey_frozen(scene: Scene) -> None:
    """SIGSTOP of Valkey."""
    ground = scene.ground
    ground.freeze(ground.valkey.dir, signal.SIGSTOP)
    await scene.hold(FROZEN_S)
    ground.freeze(ground.valkey.dir, signal.SIGCONT)


def valkey_told(*commands: str, back: tuple[str, ...] = ()) -> Run:
    """Commands of somebody who should not have typed them, and their repair."""

    async def run(scene: Scene) -> None:
        async with scene.ground.store() as store:
            for command in commands:
                await store.execute_command(*command.split())
        await scene.hold(DOWN_S)
        async with scene.ground.store() as store:
            for command in back:
                with suppress(RedisError):
                    await store.execute_command(*command.split())

    return run


async def valkey_disk_full(scene: Scene) -> None:
    """Its file cannot grow any more."""
    await _disk_full(scene, scene.ground.valkey.dir)
    await scene.ground.in_thread(scene.ground.valkey.start)


async def valkey_gone_bad(scene: Scene) -> None:
    """A restart with the file of an earlier moment: a rollback."""
    ground = scene.ground
    kept = ground.folder / "kept"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(ground.valkey.dir / "appendonlydir", kept)
    await scene.crowd.reach(100, 20)
    ground.freeze(ground.valkey.dir, signal.SIGKILL)
    await asyncio.sleep(0.5)
    shutil.rmtree(ground.valkey.dir / "appendonlydir")
    shutil.copytree(kept, ground.valkey.dir / "appendonlydir")
    await ground.in_thread(ground.valkey.start)


# PostgreSQL ----------------------------------------------------------------------


def postgres_signalled(number: signal.Signals) -> Run:
    """The postmaster gets a signal: fast stop, immediate stop, or kill -9."""

    async def run(scene: Scene) -> None:
        ground = scene.ground
        assert ground.postgres.pid is not None
        os.kill(ground.postgres.pid, number)
        await scene.hold(DOWN_S)
        await ground.in_thread(partial(ground.postgres.wait, STOP_S_MAX))
        await ground.in_thread(ground.postgres.start)

    return run


async def postgres_frozen(scene: Scene) -> None:
    """SIGSTOP of every process of PostgreSQL."""
    ground = scene.ground
    ground.freeze(ground.postgres.dir, signal.SIGSTOP)
    await scene.hold(FROZEN_S)
    ground.freeze(ground.postgres.dir, signal.SIGCONT)


async def postgres_read_only(scene: Scene) -> None:
    """Every transaction that begins is read-only, as on a standby."""
    await _admin(
        scene.ground,
        "ALTER SYSTEM SET default_transaction_read_only = on",
        "SELECT pg_reload_conf()",
    )
    await scene.hold(DOWN_S)
    await _admin(
        scene.ground,
        "SET default_transaction_read_only = off",
        "ALTER SYSTEM RESET default_transaction_read_only",
        "SELECT pg_reload_conf()",
    )


async def postgres_locked(scene: Scene) -> None:
    """Somebody locks the table of admissions."""
    connection = await asyncpg.connect(scene.ground.postgres.url)
    try:
        await connection.execute("BEGIN")
        await connection.execute("LOCK TABLE public.check_ins IN ACCESS EXCLUSIVE MODE")
        await scene.hold(DOWN_S)
    finally:
        await connection.close()


async def postgres_crowded(scene: Scene) -> None:
    """All connections are taken and those of the roles are ended."""
    url = scene.ground.postgres.url
    admin = await asyncpg.connect(url)
    taken: list[asyncpg.Connection] = []
    try:
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name LIKE 'ops %'"
        )
        with suppress(asyncpg.TooManyConnectionsError):
            while True:
                taken.append(await asyncpg.connect(url))
        await scene.hold(DOWN_S)
    finally:
        for connection in (*taken, admin):
            connection.terminate()


async def postgres_disk_full(scene: Scene) -> None:
    """Its files cannot grow any more."""
    await _disk_full(scene, scene.ground.postgres.dir)
    ground = scene.ground
    await ground.in_thread(ground.postgres.stop)
    await ground.in_thread(ground.postgres.start)


async def postgres_flaps(scene: Scene) -> None:
    """Away and back every two seconds."""
    for _ in range(1 if scene.short else FLAPS):
        for proxy in scene.ground.pg:
            proxy.set("cut")
        await asyncio.sleep(FLAP_S)
        for proxy in scene.ground.pg:
            proxy.set("pass")
        await asyncio.sleep(FLAP_S)


async def _admin(ground: Ground, *statements: str) -> None:
    connection = await asyncpg.connect(ground.postgres.url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _disk_full(scene: Scene, folder: object) -> None:
    """No process of a store may make a file longer than 64 KiB, for a while."""
    for pid in inhabitants(folder):
        limit(pid, "65536")
    await scene.hold(DOWN_S)
    for pid in inhabitants(folder):
        limit(pid, UNLIMITED)


# Both stores ---------------------------------------------------------------------


def both(first: Run, second: Run, apart_s: float = 1.0) -> Run:
    """Two faults that overlap, the second a little later."""

    async def run(scene: Scene) -> None:
        async def later() -> None:
            await asyncio.sleep(apart_s)
            await second(scene)

        await asyncio.gather(first(scene), later())

    return run


# The network ---------------------------------------------------------------------


def network(pick: PickHops, mode: Mode, delay_s: float = 0.0) -> Run:
    """A hop that delays, cuts or swallows for a while."""

    async def run(scene: Scene) -> None:
        for proxy in pick(scene.ground):
            proxy.set(mode, delay_s)
        await scene.hold(DOWN_S)
        for proxy in pick(scene.ground):
            proxy.set("pass")

    return run


def resets(pick: PickHops) -> Run:
    """Every connection of a hop is reset, ten times."""

    async def run(scene: Scene) -> None:
        for _ in range(10):
            for proxy in pick(scene.ground):
                proxy.reset()
            await asyncio.sleep(0.2)

    return run


# Files, clocks, crowds -----------------------------------------------------------


async def faked_clock(ground: Ground) -> None:
    """The second api process gets a clock that can be set."""
    offset = ground.folder / "clock"
    offset.write_text("+0")
    process = ground.api[1]
    await asyncio.to_thread(process.stop)
    process.extra = {
        "LD_PRELOAD": FAKETIME,
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_RESET": "1",
    }
    await ground.serve()


async def clock_steps(scene: Scene) -> None:
    """Its clock goes 7 hours ahead, then 2 hours behind."""
    scene.faked_clock = True
    offset = scene.ground.folder / "clock"
    for step in ("+7h", "-2h"):
        offset.write_text(step)
        await scene.hold(DOWN_S)
    await until_whole(scene)


async def poisoned(scene: Scene) -> None:
    """The crowd sends records that nobody can store (1 %)."""
    await scene.hold(8.0)


async def storm(scene: Scene) -> None:
    """2,000 sockets come at once, lose their server and come again."""
    live = scene.ground.live
    url = f"ws://127.0.0.1:{live.env['OPS_LIVE_PORT']}/live"
    count = STORM_SOCKETS // 10 if scene.short else STORM_SOCKETS
    watchers = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.sockets"),
        *(url, scene.crowd.doors[0].token, str(scene.event_id), str(count)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert watchers.stdout is not None
    try:
        async with asyncio.timeout(120):
            assert await watchers.stdout.readline(), "they never came"
            live.kill()
            live.start()
            assert await watchers.stdout.readline(), "they never came back"
            assert await watchers.wait() == 0, "not all came"
    finally:
        if watchers.returncode is None:
            watchers.kill()
            await watchers.wait()


async def nothing(scene: Scene) -> None:
    """An ordinary evening: duplicates, copies and five devices without network."""
    await scene.hold(6.0)


async def random_kills(scene: Scene) -> None:
    """Whatever runs is killed, one after the other, by the seed."""
    random_ = random.Random(scene.crowd.random.random())
    for _ in range(3):
        random_.choice(scene.ground.processes).kill()
        await scene.hold(2.0)
        await scene.ground.serve()


def _api(ground: Ground) -> list[Process]:
    return ground.api


def _one(ground: Ground) -> list[Process]:
    return ground.api[:1]


def _named(name: str) -> Pick:
    return lambda ground: [getattr(ground, name)]


def _hops() -> list[Fault]:
    """Every hop, every thing that a network does."""
    hops: dict[str, PickHops] = {
        "door to api": lambda ground: ground.http[:1],
        "api to PostgreSQL": lambda ground: ground.pg[:2],
        "one api to PostgreSQL": lambda ground: ground.pg[:1],
        "api to Valkey": lambda ground: ground.redis[:2],
        "one api to Valkey": lambda ground: ground.redis[:1],
        "sync to PostgreSQL": lambda ground: ground.pg[2:],
        "sync to Valkey": lambda ground: ground.redis[2:],
    }
    acts: dict[str, Callable[[PickHops], Run]] = {
        "delays 250 ms": lambda pick: network(pick, "delay", 0.25),
        "is cut": lambda pick: network(pick, "cut"),
        "resets": resets,
        "swallows": lambda pick: network(pick, "swallow"),
    }
    gate = {("one api to Valkey", "is cut")}
    return [
        Fault(f"{hop} {act}", "network", make(pick), in_gate=(hop, act) in gate)
        for hop, pick in hops.items()
        for act, make in acts.items()
    ]


_SIGINT = postgres_signalled(signal.SIGINT)
_SIGQUIT = postgres_signalled(signal.SIGQUIT)
_SIGKILL = postgres_signalled(signal.SIGKILL)
_FLUSH = valkey_told("FLUSHALL")

FAULTS: tuple[Fault, ...] = (
    Fault("nothing", "none", nothing),
    Fault("kill -9 of one api", "process", killed(_one), in_gate=True),
    Fault("kill -9 of all api", "process", killed(_api)),
    Fault("kill -9 of live", "process", killed(_named("live"))),
    Fault("kill -9 of sync", "process", killed(_named("sync"))),
    Fault("three random kills", "process", random_kills),
    Fault("SIGSTOP 10 s of one api", "process", frozen(_one)),
    Fault("SIGSTOP 10 s of sync", "process", frozen(_named("sync"))),
    Fault("rolling deploy", "process", rolling_deploy),
    *(
        Fault(f"crash {side} {name}", "crash point", crashed, crashing(point))
        for name in POINTS
        for side in ("before", "after")
        if (point := f"{name}.{side}")
    ),
    Fault("requests cancelled anywhere", "process", until_whole, cancelling),
    Fault("Valkey kill -9", "Valkey", valkey_killed),
    Fault("Valkey SIGSTOP 10 s", "Valkey", valkey_frozen),
    Fault("Valkey FLUSHALL", "Valkey", _FLUSH, in_gate=True),
    Fault("Valkey SCRIPT FLUSH", "Valkey", valkey_told("SCRIPT FLUSH")),
    Fault(
        "Valkey maxmemory",
        "Valkey",
        valkey_told("CONFIG SET maxmemory 1", back=("CONFIG SET maxmemory 0",)),
    ),
    Fault(
        "Valkey evicts (wrong policy)",
        "Valkey",
        valkey_told(
            "CONFIG SET maxmemory-policy allkeys-random",
            "CONFIG SET maxmemory 1500000",
            back=(
                "CONFIG SET maxmemory 0",
                "CONFIG SET maxmemory-policy noeviction",
                "FLUSHALL",
            ),
        ),
    ),
    Fault("Valkey disk full", "Valkey", valkey_disk_full),
    Fault("Valkey restarts with an older file", "Valkey", valkey_gone_bad),
    Fault("PostgreSQL fast stop", "PostgreSQL", _SIGINT),
    Fault("PostgreSQL immediate stop", "PostgreSQL", _SIGQUIT, in_gate=True),
    Fault("PostgreSQL kill -9", "PostgreSQL", _SIGKILL),
    Fault("PostgreSQL SIGSTOP 10 s", "PostgreSQL", postgres_frozen),
    Fault("PostgreSQL read-only", "PostgreSQL", postgres_read_only),
    Fault("PostgreSQL LOCK TABLE", "PostgreSQL", postgres_locked),
    Fault("PostgreSQL too many connections", "PostgreSQL", postgres_crowded),
    Fault("PostgreSQL disk full", "PostgreSQL", postgres_disk_full),
    Fault("PostgreSQL flaps every 2 s", "PostgreSQL", postgres_flaps),
    Fault("PostgreSQL, then Valkey killed", "both", both(_SIGKILL, valkey_killed)),
    Fault("Valkey, then PostgreSQL killed", "both", both(valkey_killed, _SIGKILL)),
    Fault("PostgreSQL stop, then FLUSHALL", "both", both(_SIGINT, _FLUSH)),
    Fault("FLUSHALL, then PostgreSQL stop", "both", both(_FLUSH, _SIGINT, 0.1)),
    *_hops(),
    Fault("poison records 1 %", "input", poisoned, poison=0.01),
    Fault("rubbish in the journal folder", "files", disks.journal_rubbish),
    Fault("no room for the journal", "files", disks.journal_full),
    Fault("read-only journal folder, then D", "files", disks.journal_read_only),
    Fault("the disk stalls in D", "files", disks.disk_stalls, disks.stalling),
    Fault("power cut in D", "files", disks.power_cut, disks.power_noted),
    Fault("the mode moves under commits", "both", disks.mode_moves, disks.slow_beside),
    *crossing.FAULTS,
    Fault("clock +7 h, then -2 h", "clock", clock_steps, faked_clock),
    Fault("2,000 sockets reconnect", "live", storm),
)
