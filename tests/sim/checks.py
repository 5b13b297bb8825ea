"""The checkers: they read what guests saw and what the stores hold, nothing else.

I8 (feeds) has tests of its own (docs/architecture.md). I7 is watched by the record as
its rows are written.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from uuid import UUID

from ops.cache.entry import Phase, unpack_visit
from tests.sim import evening
from tests.sim.world import Answered, World


def problems(world: World) -> list[str]:
    """What is wrong after an evening; empty if every invariant holds."""
    found: list[str] = []
    for check in (
        one_row_a_place,
        no_green_is_lost,
        one_green_a_place,
        one_answer_a_scan,
        red_needs_a_green,
        counters_are_the_rows,
        limits_hold,
        refunded_stay_out,
        one_fact_a_row,
        every_answer_is_logged,
        quiet,
    ):
        found += [f"{check.__name__}: {what}" for what in check(world)]
    return found


def greens(world: World) -> dict[UUID, Answered]:
    """The greens that guests saw, by scan."""
    return {one.scan_id: one for one in world.history if one.verdict == "admitted"}


def one_row_a_place(world: World) -> list[str]:
    """I1."""
    places = Counter((row.place, row.p) for row in world.record.rows)
    inside = Counter(row.place for row in world.record.rows if row.open)
    return [
        f"{place} {count} times"
        for counted in (places, inside)
        for place, count in counted.items()
        if count > 1
    ]


def no_green_is_lost(world: World) -> list[str]:
    """I2: in the record or in the conflicts."""
    rows = {row.scan for row in world.record.rows}
    told = {loser for _, _, _, loser in world.record.conflicts}
    return [f"{scan} lost" for scan in greens(world) if scan not in rows | told]


def one_green_a_place(world: World) -> list[str]:
    """I3r: every green that was seen has rows of its own, or it is reported."""
    told = {loser for _, _, _, loser in world.record.conflicts}
    return [
        f"{scan} seen green, without rows of its own, and not reported"
        for scan in without_rows(world)
        if scan not in told
    ]


def residue(world: World) -> list[str]:
    """I3, strictly: greens that were seen and lost their place, all of them reported.

    The gate bounds how many evenings have one (docs/subsystems/journal.md).
    """
    told = {loser for _, _, _, loser in world.record.conflicts}
    return [f"{scan} entered beside another" for scan in without_rows(world) & told]


def without_rows(world: World) -> set[UUID]:
    """Greens that were seen and have fewer rows than people."""
    rows = Counter(row.scan for row in world.record.rows)
    return {scan for scan, one in greens(world).items() if rows[scan] < one.people}


def one_answer_a_scan(world: World) -> list[str]:
    """I4: whoever was let through stays so, unless a conflict tells of it.

    An answer that let nobody through may be decided anew: after a kill that took it, by
    another process within the blink before it is written, or in mode D, which cannot
    read it (core.md item 12).
    """
    reported = {loser for _, _, _, loser in world.record.conflicts}
    through: dict[UUID, tuple[str, str]] = {}
    found = []
    for one in world.history:
        said = one.verdict, one.reason
        before = through.get(one.scan_id)
        if before is not None and said != before and one.scan_id not in reported:
            found.append(f"{one.scan_id} answered {before}, then {said}")
        if one.people:
            through.setdefault(one.scan_id, said)
    return found


def red_needs_a_green(world: World) -> list[str]:
    """I5. The same device reading again within ten seconds is another matter."""
    found = []
    seen: dict[UUID, set[UUID]] = defaultdict(set)
    for one in world.history:
        if one.verdict == "admitted":
            seen[one.ticket_id].add(one.scan_id)
    for one in world.history:
        others = seen[one.ticket_id] - {one.scan_id}
        red = one.reason in ("already_inside", "already_used") and not one.just_now
        if red and not others and not stored_just_now(world, one):
            found.append(f"{one.scan_id} red, but nobody saw a green")
    return found


def stored_just_now(world: World, one: Answered) -> bool:
    """Whether a repeated answer was one of `just_now`."""
    kept = world.record.log.get(one.scan_id)
    return bool(kept and kept["ar"].get("just_now"))


def counters_are_the_rows(world: World) -> list[str]:
    """I6, on both sides."""
    found = []
    open_rows = Counter(row.sc for row in world.record.rows if row.open)
    for scope in world.record.plan.scopes.values():
        counted = world.record.inside[scope.id]
        cached = world.cache.counters[f"i:{scope.no}"]
        if not counted == cached == open_rows[scope.id]:
            found.append(
                f"{scope.name}: {open_rows[scope.id]} rows, {counted} in the record,"
                f" {cached} in the cache"
            )
    return found


def limits_hold(world: World) -> list[str]:
    """I7: a commit never exceeds a limit; a merge brings what has happened."""
    return [f"{world.record.overfilled} commits too many"] * bool(
        world.record.overfilled
    )


def refunded_stay_out(world: World) -> list[str]:
    """I9: with PostgreSQL, a ticket refunded before the scan began is not admitted."""
    return [
        f"{one.scan_id} admitted after its refund"
        for one in world.history
        if one.verdict == "admitted"
        and one.durable == "committed"
        and world.refunded.get(one.ticket_id, 10**9) < world.started[one.scan_id]
    ]


def one_fact_a_row(world: World) -> list[str]:
    """I10."""
    facts = Counter((kind, k, sc, n, p) for kind, _, k, sc, n, p in world.record.facts)
    wanted: Counter[object] = Counter()
    for row in world.record.rows:
        wanted["admitted", row.k, row.sc, row.n, row.p] += 1
        if not row.open:
            wanted["exited", row.k, row.sc, row.n, row.p] += 1
    return (
        []
        if facts == wanted
        else [f"facts {dict((facts - wanted) | (wanted - facts))}"]
    )


def every_answer_is_logged(world: World) -> list[str]:
    """I11: except refusals that a kill took."""
    return [
        f"{one.scan_id} {one.verdict} is not in the log"
        for one in world.history
        if one.scan_id not in world.record.log
        and not (world.killed and one.people == 0)
    ]


def quiet(world: World) -> list[str]:
    """The event is back in normal mode, and the cache shows what is on record."""
    found = []
    if (world.cache.ready, world.cache.mode) != (True, "N"):
        found.append(f"mode {world.cache.mode}, ready {world.cache.ready}")
    for ticket_id in evening.TICKETS:
        record = world.record.visits(ticket_id)
        for field, packed in world.cache.visits.items():
            if field[:16] != ticket_id.bytes:
                continue
            visit = unpack_visit(packed)
            place = (
                int.from_bytes(field[16:20], "big"),
                int.from_bytes(field[20:], "big"),
            )
            known = record.get(place)
            if visit.provisional or known is None:
                found.append(f"{ticket_id} {place} is provisional for ever")
            elif (known.pass_no, known.phase is Phase.OPEN) != (
                visit.pass_no,
                visit.phase is Phase.OPEN,
            ):
                found.append(f"{ticket_id} {place} differs in the cache")
    return found
