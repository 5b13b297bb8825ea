"""Faults of the journal's disk, and of a mode that moves under a commit."""

from __future__ import annotations

import os

from tests.faults import power
from tests.faults.ground import Ground
from tests.faults.limits import UNLIMITED, limit
from tests.faults.role import STALLS
from tests.faults.scenario import DOWN_S, Scene


async def journal_rubbish(scene: Scene) -> None:
    """Rubbish, half a file and a lost owner's file lie in the journal folder."""
    place = scene.ground.journals
    place.mkdir(exist_ok=True)
    (place / "rubbish.journal").write_bytes(os.urandom(5_000))
    whole = next((p for p in place.glob("*.journal") if p.stat().st_size), None)
    if whole is not None:
        half = whole.read_bytes()
        (place / "torn.journal").write_bytes(half[: len(half) // 2 + 100])
    scene.ground.api[0].kill()
    await scene.ground.serve()
    await scene.hold(DOWN_S)
    for name in ("rubbish.journal", "torn.journal"):
        (place / name).unlink(missing_ok=True)


async def journal_full(scene: Scene) -> None:
    """The api processes cannot make a file longer: the journal takes no line."""
    for process in scene.ground.api:
        assert process.process is not None
        limit(process.process.pid, "8192")
    await scene.hold(DOWN_S)
    for process in scene.ground.api:
        assert process.process is not None
        limit(process.process.pid, UNLIMITED)


async def journal_read_only(scene: Scene) -> None:
    """An api process starts with a folder that it cannot write; then mode D comes.

    Root may write everywhere, so that process starts without the right to.
    """
    ground = scene.ground
    one = ground.api[0]
    one.kill()
    if os.getuid() == 0:
        less = "-dac_override,-dac_read_search"
        one.before = ["setpriv", f"--bounding-set={less}", "--inh-caps=-all"]
    ground.journals.chmod(0o500)
    try:
        await ground.serve()
        await scene.hold(DOWN_S)
        await ground.in_thread(ground.postgres.stop)
        await scene.hold(DOWN_S)
        await ground.in_thread(ground.postgres.start)
    finally:
        ground.journals.chmod(0o700)
    await ground.whole()


async def stalling(ground: Ground) -> None:
    """Both api processes can be told that their disk takes long."""
    for process in ground.api:
        process.options = ["--stalls"]
    await ground.build(*ground.api)


async def disk_stalls(scene: Scene) -> None:
    """PostgreSQL is stopped, and the disk takes 1.5 s for each line for a while."""
    ground = scene.ground
    stalls = ground.folder / STALLS
    await ground.in_thread(ground.postgres.stop)
    await scene.crowd.reach(50, 20)
    try:
        stalls.touch()
        await scene.hold(DOWN_S)
    finally:
        stalls.unlink()
    await scene.crowd.reach(50, 20)
    await ground.in_thread(ground.postgres.start)
    await ground.whole()


async def power_noted(ground: Ground) -> None:
    """Both api processes note how much of their journals the disk has."""
    for process in ground.api:
        process.options = ["--power"]
    await ground.build(*ground.api)


async def power_cut(scene: Scene) -> None:
    """PostgreSQL is stopped, and in the middle of mode D the power fails."""
    ground = scene.ground
    await ground.in_thread(ground.postgres.stop)
    await scene.crowd.reach(150, 20)
    for process in (*ground.api, ground.sync):
        process.kill()
        process.options = []
    power.cut(ground.journals)
    await ground.in_thread(ground.postgres.start)
    await ground.serve()


async def slow_beside(ground: Ground, *options: str) -> None:
    """The first api process is slow between a commit and its line; the way back from
    mode D takes no time."""
    ground.api[0].options = ["--pause", "journal.before:0.3", *options]
    await ground.build(ground.api[0], steady_s="0.2")


async def mode_moves(scene: Scene) -> None:
    """The other api process loses PostgreSQL, so the mode goes back and forth under the
    commits of the slow one; every ticket comes to two doors."""
    ground = scene.ground
    scene.crowd.copies = 1.0
    ground.pg[1].set("cut")
    await scene.hold(18.0)
    ground.pg[1].set("pass")
    await ground.whole()
