"""Negative controls: one guard is taken away, and the checker has to see the harm.

A harness that stays green without the guard proves nothing. No switch of the program
is used: parts of a process are replaced by `tests.faults.role`, keys and functions of
the database are changed in the database of the harness alone, and put back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import msgspec

from ops.dev.handheld import Note
from tests.faults.crossing import holding, late_claim, late_finish
from tests.faults.disks import power_cut
from tests.faults.ground import Ground
from tests.faults.scenario import Fault, Scene, play

SETTLE_S = 2.0
"""Nobody waits for a broken build to come right."""

_KEYS = (
    "ALTER TABLE public.check_ins DROP CONSTRAINT IF EXISTS uq_check_ins_pass",
    "ALTER TABLE public.check_ins DROP CONSTRAINT IF EXISTS uq_check_ins_scan",
    "DROP INDEX IF EXISTS public.uq_check_ins_inside",
    # An exit then ends two presences, and no value shall be refused for that.
    "DROP INDEX IF EXISTS public.uq_check_ins_exit",
    # The same columns, so that nothing is slower; only nothing is unique.
    "CREATE INDEX control_pass ON public.check_ins"
    " (ticket_id, scope_id, person_no, pass_no)",
    "CREATE INDEX control_scan ON public.check_ins (scan_id, scope_id, person_no)",
    "CREATE INDEX control_exit ON public.check_ins (exit_scan_id, scope_id, person_no)",
)
_KEYS_BACK = (
    "DROP INDEX public.control_pass",
    "DROP INDEX public.control_scan",
    "DROP INDEX public.control_exit",
    "TRUNCATE public.check_ins CASCADE",
    "ALTER TABLE public.check_ins ADD CONSTRAINT uq_check_ins_pass"
    " UNIQUE (ticket_id, scope_id, person_no, pass_no)",
    "ALTER TABLE public.check_ins ADD CONSTRAINT uq_check_ins_scan"
    " UNIQUE (scan_id, scope_id, person_no)",
    "CREATE UNIQUE INDEX uq_check_ins_inside ON public.check_ins"
    " (ticket_id, scope_id, person_no)"
    " WHERE checked_out_at IS NULL AND undone_at IS NULL",
    "CREATE UNIQUE INDEX uq_check_ins_exit ON public.check_ins"
    " (exit_scan_id, scope_id, person_no) WHERE exit_scan_id IS NOT NULL",
)
_COMMIT = """
SELECT pg_get_functiondef(p.oid) FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = 'ops' AND p.proname ~ '^(commit_scans|doors_told)_v'
"""


class Control(msgspec.Struct, frozen=True):
    """A guard, how it is taken away and put back, the fault, what must be seen."""

    name: str
    invariant: str
    off: Callable[[Ground], Awaitable[None]]
    back: Callable[[Ground], Awaitable[None]]
    fault: Callable[[Scene], Awaitable[None]]
    sees: tuple[str, ...]
    in_gate: bool = False


class Caught(msgspec.Struct):
    """What the checker said."""

    name: str
    invariant: str
    broken: dict[str, int]
    caught: bool


async def control(
    ground: Ground, one: Control, seed: int, *, short: bool = False
) -> Caught:
    """Play without the guard; put it back whatever happens."""
    fault = Fault(f"without {one.name}", "control", one.fault, one.off)
    try:
        result = await play(ground, fault, seed, short=short, settle_s=SETTLE_S)
    except AssertionError as error:  # a guard that is not where it was
        return Caught(one.name, one.invariant, {str(error)[:120]: 1}, False)
    finally:
        await one.back(ground)
        await ground.heal()
    broken = result.findings.broken
    return Caught(one.name, one.invariant, broken, bool(set(one.sees) & set(broken)))


def sql(*statements: str) -> Callable[[Ground], Awaitable[None]]:
    """Run statements on the harness's own database."""

    async def run(ground: Ground) -> None:
        for statement in statements:
            await ground.db.execute(statement)

    return run


def patched(old: str, new: str) -> Callable[[Ground], Awaitable[None]]:
    """The functions of a batch with a piece of their text exchanged."""

    async def run(ground: Ground) -> None:
        _ORIGINALS[:] = [row[0] for row in await ground.db.fetch(_COMMIT)]
        changed = [text for text in _ORIGINALS if old in text]
        assert changed, f"the guard is not where it was: {old}"
        for text in changed:
            await ground.db.execute(text.replace(old, new))

    return run


async def unpatched(ground: Ground) -> None:
    """The functions as they were."""
    for text in _ORIGINALS:
        await ground.db.execute(text)
    _ORIGINALS.clear()


_ORIGINALS: list[str] = []


def builds(*options: str) -> Callable[[Ground], Awaitable[None]]:
    """Both api processes with something replaced."""

    async def run(ground: Ground) -> None:
        for process in ground.api:
            await asyncio.to_thread(process.stop)
            process.options = list(options)
        await ground.serve()

    return run


async def quiet(scene: Scene) -> None:
    """Only the crowd with its copies and duplicates."""
    await scene.crowd.reach(400, 30)


async def killed_later(scene: Scene) -> None:
    """kill -9 of both api processes in the middle of the rush."""
    await scene.crowd.reach(100, 30)
    for process in scene.ground.api:
        process.kill()
        process.options = []
    await scene.ground.serve()


async def refunds_unheard(scene: Scene) -> None:
    """Refunds by psql while the relay is dead; the tickets come to the doors."""
    ground, crowd = scene.ground, scene.crowd
    ground.sync.kill()
    rows = await ground.db.fetch(
        "UPDATE tickets SET state = 'refunded' WHERE id = ANY ($1) RETURNING id",
        crowd.coming(80),
    )
    for row in rows:
        crowd.doors[0].journal.write(
            Note("refunded", row["id"], datetime.now(UTC), ticket=row["id"])
        )
    await crowd.reach(150, 30)


async def doors_alone(scene: Scene) -> None:
    """No api for a while: devices decide, copies among what they let in."""
    for proxy in scene.ground.http:
        proxy.set("cut")
    await asyncio.sleep(6.0)


async def journal_then_flush(scene: Scene) -> None:
    """PostgreSQL is stopped, the doors go on by journal, and the cache is emptied."""
    ground = scene.ground
    await ground.in_thread(ground.postgres.stop)
    await scene.crowd.reach(150, 20)
    for process in ground.api:
        process.kill()
        process.options = []
    async with ground.store() as store:
        await store.flushall()
    await ground.in_thread(ground.postgres.start)
    await ground.serve()


async def hasty(ground: Ground) -> None:
    """Greens of mode D do not wait for the disk."""
    for process in ground.api:
        process.options = ["--power", "--without", "fsync"]
    await ground.build(*ground.api)


async def whole_again(ground: Ground) -> None:
    """No process has anything replaced."""
    await ground.whole()


whole = builds()

CONTROLS: tuple[Control, ...] = (
    Control(
        "the unique keys",
        "I1, I3",
        sql(*_KEYS),
        sql(*_KEYS_BACK),
        quiet,
        ("doubled", "crowded"),
    ),
    Control(
        "the stored answer (idempotency)",
        "I4",
        builds("--without", "replay"),
        whole,
        quiet,
        ("wrong_red", "contradicted", "answered_twice"),
    ),
    Control(
        "the commit before the answer",
        "I2",
        builds("--without", "commit"),
        whole,
        killed_later,
        ("lost", "unlogged"),
        in_gate=True,
    ),
    Control(
        "the ticket's version",
        "I9",
        patched("AND t.version = q.v", ""),
        unpatched,
        refunds_unheard,
        ("revoked_in",),
    ),
    Control(
        "the report of a door that disagrees",
        "I3r",
        patched("<> (l.verdict = 'admitted')", "<> (l.verdict = 'admitted') AND false"),
        unpatched,
        doors_alone,
        ("silent_doubles",),
    ),
    Control(
        "the line in the journal",
        "I2",
        builds("--without", "journal"),
        whole,
        journal_then_flush,
        ("lost", "unlogged"),
    ),
    Control(
        "the fsync of the journal",
        "I2",
        hasty,
        whole_again,
        power_cut,
        ("lost", "unlogged"),
    ),
    Control(
        "the fence of the cache's finish",
        "I3",
        holding(first=("--without", "fence")),
        whole_again,
        late_finish,
        ("doubled",),
    ),
    Control(
        "the epoch of the claim",
        "I3",
        holding(second=("--without", "epoch")),
        whole_again,
        late_claim,
        ("doubled",),
    ),
)
