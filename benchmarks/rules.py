"""Scans with rules, groups, a session and limits beside scans of a plain ticket."""

from __future__ import annotations

from benchmarks.event import BulkEvent
from benchmarks.figure import Figure, Target, paired
from benchmarks.house import House
from benchmarks.scans import Door
from ops.cache import keys
from ops.errors import OpsError
from ops.ids import uuid7

PLACES = 4
LIMIT = 1_000_000
ONE = {"admit": 1}

_PEOPLE = (
    "UPDATE tickets SET admits = $2 WHERE event_id = $1",
    "INSERT INTO ops.session_registrations (session_id, event_id, ticket_id)"
    " SELECT $2, $1, id FROM tickets WHERE event_id = $1",
)


async def switch_on(house: House, event: BulkEvent) -> None:
    """Give a bulk event all that costs a scan something.

    Its gates lead into a room with a hard limit, used by a session for registered
    people with a limit of its own and places kept for artists; an access rule has a
    relative window, passes in all and a day, a least time and a time against passing
    back; each ticket is a group of four.
    """
    room, session, scope = uuid7(), uuid7(), uuid7()
    async with house.db.transaction():
        run = house.db.execute
        await run(
            "INSERT INTO ops.areas (id, event_id, name, kind, capacity)"
            " VALUES ($1, $2, 'Room', 'room', $3)",
            room,
            event.id,
            LIMIT,
        )
        await run(
            "INSERT INTO sessions (id, event_id, title, start_time, end_time, area_id,"
            " door_mode, status) SELECT $1, id, 'Keynote', starts_at, ends_at, $2,"
            " 'registered', 'live' FROM events WHERE id = $3",
            session,
            room,
            event.id,
        )
        await run(
            "INSERT INTO ops.scopes (id, event_id, kind, area_id, parent_id,"
            " session_id, name, tracks_exits, re_entry, capacity, limit_kind,"
            " enter_outer)"
            " VALUES ($1, $2, 'session', $3, $4, $5, 'Keynote', true, 'after_exit', $6,"
            " 'hard', 'ignore')",
            scope,
            event.id,
            room,
            event.scope,
            session,
            LIMIT,
        )
        await run(
            "INSERT INTO ops.access_rules (event_id, scope_id, ticket_type_id,"
            " opens_anchor, opens_offset_minutes, closes_anchor, passes_total,"
            " passes_per_day, pass_gap_minutes, anti_passback_minutes)"
            " VALUES ($1, $2, $3, 'session_start', -30, 'event_end', 5, 3, 1, 5)",
            event.id,
            scope,
            event.kind,
        )
        await run(
            "INSERT INTO ops.held_places (event_id, area_id, access_class, places)"
            " VALUES ($1, $2, 'artist', 50)",
            event.id,
            room,
        )
        await run(
            "UPDATE ops.gates SET area_id = $2 WHERE event_id = $1", event.id, room
        )
        await run("SET LOCAL session_replication_role = replica")
        await run(_PEOPLE[0], event.id, PLACES)
        await run(_PEOPLE[1], event.id, session)
    await house.db.execute("VACUUM (ANALYZE) ops.session_registrations")
    # It may have been warmed as it was before: once more.
    await house.redis.delete(keys.meta(event.id))
    await house.warm(event)


async def beside_plain(
    ruled: Door, plain: Door, rounds: int, seconds: float
) -> list[Figure]:
    """Scans a second of both, in turns; all are admitted, one person each."""
    for door, more in ((plain, {}), (ruled, ONE)):
        await door.scan(500, seconds, **more)
    ours, theirs = [], []
    before = await ruled.house.admitted(ruled.event)
    answered = 0
    for _ in range(rounds):
        scans = await plain.scan(int(2500 * seconds), seconds)
        theirs.append(scans.per_s)
        scans = await ruled.scan(int(2500 * seconds), seconds, **ONE)
        ours.append(scans.per_s)
        answered += scans.count
    written = await ruled.house.admitted(ruled.event) - before
    if written != answered:
        raise OpsError(f"{answered} scans were admitted, {written} are in PostgreSQL")
    return [
        paired(
            "scans with rules, group, session and limits",
            "/s",
            ours,
            theirs,
            "a plain ticket",
            Target("at least", 0.8),
        )
    ]
