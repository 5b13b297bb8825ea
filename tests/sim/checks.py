"""The checkers: they read what guests saw and what the stores hold, nothing else.

Each function is one promise and returns what breaks it; I12 is checked by playing an
evening twice (`alike`). I8 (screens) is not simulated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from uuid import UUID

from ops.cache.entry import Phase, unpack_visit
from tests.sim import evening
from tests.sim.world import Answered, World

Check = Callable[[World], list[str]]


def greens(world: World) -> dict[UUID, Answered]:
    """The greens that guests saw, by scan."""
    return {one.scan_id: one for one in world.history if one.verdict == "admitted"}


def told(world: World) -> set[UUID]:
    """The scans that somebody will hear of, because a conflict names them."""
    return {loser for _, _, _, loser in world.record.conflicts if loser}


def one_row_a_place(world: World) -> list[str]:
    """I1."""
    rows = world.record.rows
    places = Counter((row.place, row.p) for row in rows)
    inside = Counter(row.place for row in rows if row.open)
    return [
        f"{place} {count} times"
        for counted in (places, inside)
        for place, count in counted.items()
        if count > 1
    ]


def no_green_is_lost(world: World) -> list[str]:
    """I2: in the record or in the conflicts."""
    rows = {row.scan for row in world.record.rows}
    return [f"{s} lost" for s in greens(world) if s not in rows | told(world)]


def no_exit_is_lost(world: World) -> list[str]:
    """I2 of exits: whose last act was to leave the venue is not inside on record.

    Of tickets of one person: all that was seen green began and ended before the exit
    began, so the exit is the last word. Where a steward gave a place that had been seen
    to another, two may be in, and one of them has left.
    """
    record, scans = world.record, world.scans
    last: dict[UUID, Answered] = {}
    for one in world.history:
        if one.verdict == "admitted" or (one.verdict, one.reason) == ("exited", "ok"):
            before = last.get(one.ticket_id)
            if before is None or before.scan_id != one.scan_id:
                last[one.ticket_id] = one
    found = []
    for ticket_id, one in last.items():
        began = world.started[one.scan_id]
        greens_ = [x for x in world.history if x.ticket_id == ticket_id and x.people]
        clear = all(
            x.t < began or x.scan_id == one.scan_id or x.verdict == "exited"
            for x in greens_
        )
        at_venue = record.plan.gates[scans[one.scan_id].gate].area_id == evening.VENUE
        single = record.tickets[ticket_id].admits == 1
        if one.verdict != "exited" or not (clear and at_venue and single):
            continue
        seen = {x.scan_id for x in greens_ if x.verdict == "admitted"}
        if any(scans[scan].take_over for scan in seen):
            continue
        if any(row.open and row.scan in seen for row in record.by_ticket[ticket_id]):
            found.append(f"{one.scan_id} left, and is inside on record")
    return found


def one_green_a_place(world: World) -> list[str]:
    """I3: every green that was seen has all its rows.

    But for a steward's act: whoever was taken over from, or took over, entered by the
    decision of a person who was told that somebody might be in.
    """
    acts = {guest.take_over for guest in world.scans.values() if guest.take_over}
    acts |= {scan for scan, guest in world.scans.items() if guest.take_over}
    return [f"{s} entered beside another" for s in sorted(without_rows(world) - acts)]


def every_double_is_told(world: World) -> list[str]:
    """I3r: whoever lost his place is reported, whatever the reason."""
    return [f"{scan} not reported" for scan in without_rows(world) - told(world)]


def without_rows(world: World) -> set[UUID]:
    """Greens that were seen and have fewer rows than people."""
    rows = Counter(row.scan for row in world.record.rows)
    return {scan for scan, one in greens(world).items() if rows[scan] < one.people}


def one_answer_a_scan(world: World) -> list[str]:
    """I4: whoever was let through stays so, unless a conflict tells of it.

    An answer that let nobody through may be decided anew: after a kill that took it, by
    another process within the blink before it is written, or in mode D, which cannot
    read it (core.md item 12). An exit is an exit, whatever it is told of its presence.
    """
    reported = told(world)
    through: dict[UUID, tuple[str, str]] = {}
    found = []
    for one in world.history:
        said = one.verdict, one.reason if one.verdict != "exited" else ""
        before = through.get(one.scan_id)
        if before is not None and said != before and one.scan_id not in reported:
            found.append(f"{one.scan_id} answered {before}, then {said}")
        if one.people:
            through.setdefault(one.scan_id, said)
    return found


def red_needs_a_green(world: World) -> list[str]:
    """I5: red "already in" only if another scan's green was handed to somebody.

    The same device reading again within ten seconds is another matter.
    """
    return [
        f"{one.scan_id} red, but nobody was shown a green"
        for one in world.history
        if one.reason in ("already_inside", "already_used")
        and not one.just_now
        and not any(
            t <= one.t and scan != one.scan_id
            for scan, t in world.shown[one.ticket_id].items()
        )
    ]


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
    return [f"{world.record.overfilled} too many"] * bool(world.record.overfilled)


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
    facts = Counter(
        (kind, k, sc, n, p)
        for kind, _, k, sc, n, p in world.record.facts
        if kind != "taken_over"
    )
    wanted: Counter[object] = Counter()
    for row in world.record.rows:
        wanted["admitted", row.k, row.sc, row.n, row.p] += 1
        if not row.open:
            wanted["exited", row.k, row.sc, row.n, row.p] += 1
    wrong = (facts - wanted) | (wanted - facts)
    return [f"facts {dict(wrong)}"] if wrong else []


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
    cache, record = world.cache, world.record
    if (cache.ready, cache.mode) != (True, "N"):
        found.append(f"mode {cache.mode}, ready {cache.ready}")
    shown = {}
    for field, packed in cache.visits.items():
        visit = unpack_visit(packed)
        place = int.from_bytes(field[16:20], "big"), int.from_bytes(field[20:], "big")
        shown[UUID(bytes=field[:16]), *place] = (
            visit.pass_no,
            visit.phase is Phase.OPEN,
            visit.provisional,
        )
    wanted = {
        (ticket_id, *place): (visit.pass_no, visit.phase is Phase.OPEN, False)
        for ticket_id in record.tickets
        for place, visit in record.visits(ticket_id).items()
    }
    return found + [
        f"{place} is {shown.get(place)}, on record {wanted.get(place)}"
        for place in shown.keys() | wanted.keys()
        if shown.get(place) != wanted.get(place)
    ]


CHECKS: dict[str, Check] = {
    "I1": one_row_a_place,
    "I2": no_green_is_lost,
    "I2 exits": no_exit_is_lost,
    "I3": one_green_a_place,
    "I3r": every_double_is_told,
    "I4": one_answer_a_scan,
    "I5": red_needs_a_green,
    "I6": counters_are_the_rows,
    "I7": limits_hold,
    "I9": refunded_stay_out,
    "I10": one_fact_a_row,
    "I11": every_answer_is_logged,
    "quiet": quiet,
}


def problems(world: World) -> dict[str, list[str]]:
    """What is wrong after an evening, by promise; empty if every one is kept."""
    found = {name: check(world) for name, check in CHECKS.items()}
    return {name: what for name, what in found.items() if what}


def alike(one: World, other: World) -> list[str]:
    """I12: two evenings of one seed, with and without wrong clocks, end alike.

    Up to a code that the same device reads twice within ten seconds: who is told "just
    now" and who "already in" goes in neither time, but may do something else then.
    """
    for here, there in zip(one.history, other.history, strict=False):
        if same(here) != same(there):
            nobody = not (here.people or there.people)
            if nobody and (here.just_now or there.just_now):
                return []
            return [f"{here} and {there}"]
    rows = [
        sorted((*row.place, row.p, row.scan, row.open) for row in world.record.rows)
        for world in (one, other)
    ]
    return [] if rows[0] == rows[1] else ["the record is another"]


def same(one: Answered) -> tuple[object, ...]:
    """What may not depend on a clock."""
    return one.t, one.scan_id, one.verdict, one.reason
