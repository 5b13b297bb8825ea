"""People at the door at a million: the search, a ticket's story, pages of the log.

`python -m benchmarks.people [--people 1000000]`, or the step `people` of `make bench`
with BIG=1. The statements are those that the routes run, over one connection to a real
PostgreSQL; each figure is the median of its calls.
"""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from statistics import median, quantiles
from typing import Any
from uuid import UUID

import asyncpg
import rich_click as click
import uvloop
from rich.console import Console

from benchmarks.bulk import bare
from benchmarks.event import BulkEvent
from benchmarks.figure import Figure, Target
from benchmarks.house import House, open_house
from ops.attendance.history import END, HISTORY
from ops.attendance.search import BEST, SEARCH
from ops.checkin.scan_log import statement

SEARCH_MS_MAX = 50.0
PAGE_MS_MAX = 100.0
CALLS = 60
SEED = 7
_SAY = Console(stderr=True, highlight=False)

# 40,000 last names and 4,000 first names of syllables, frequent ones far more often.
_NAMES = """
CREATE TEMP TABLE made AS
SELECT n, parts, initcap(string_agg((ARRAY['ba','ro','ni','mé','lu','sa','to','ki','ra',
        'ne','vo','da','li','pe','ma','zu','ho','fi','gé','tha'])[
        1 + (n / (20 ^ g)::int) % 20], '' ORDER BY g)) AS name
  FROM (SELECT n, 3 AS parts FROM generate_series(0, 4000) AS n
        UNION ALL SELECT n, 4 FROM generate_series(0, 40000) AS n) AS wanted,
       generate_series(0, 3) AS g
 WHERE g < parts GROUP BY n, parts
"""
_TABLES = (
    "public.attendees",
    "public.tickets",
    "ops.ticket_codes",
    "ops.scan_log",
    "ops.attendee_words",
    "ops.name_words",
)
_PEOPLE = """
INSERT INTO attendees (event_id, first_name, last_name, email, phone, company,
                       created_at)
SELECT $1, f.name, l.name, 'g' || p.n || '@example.org',
       '+1416' || lpad(p.n::text, 7, '0'), c.name || ' Ltd', now()
  FROM (SELECT n, (4000 * random() ^ 2)::int AS first, (40000 * random() ^ 2)::int
               AS last FROM generate_series(1, $2::int) AS n) AS p
  JOIN made f ON f.parts = 3 AND f.n = p.first
  JOIN made l ON l.parts = 4 AND l.n = p.last
  JOIN made c ON c.parts = 3 AND c.n = p.n % 3000
"""
_TICKETS = """
INSERT INTO tickets (event_id, attendee_id, ticket_type_id)
SELECT event_id, id, $2 FROM attendees WHERE event_id = $1
"""
_CODES = """
INSERT INTO ops.ticket_codes (event_id, code_hash, ticket_id, kind, hint)
SELECT event_id, decode(replace(id::text, '-', ''), 'hex'), id, 'imported',
       '…' || upper(right(id::text, 4)) FROM tickets WHERE event_id = $1
"""
_LOG = """
INSERT INTO ops.scan_log (scan_id, event_id, content_hash, verdict, reason, ticket_id,
    device_id, direction, decided_at, durable)
SELECT gen_random_uuid(), t.event_id, '\\x00',
       CASE WHEN n % 50 = 0 THEN 'refused' ELSE 'admitted' END,
       CASE WHEN n % 50 = 0 THEN 'already_inside' ELSE 'ok' END, t.id,
       ($2::uuid[])[1 + n % cardinality($2::uuid[])], 'in',
       now() - n * interval '10 ms', 'committed'
  FROM (SELECT id, event_id, row_number() OVER () AS n FROM tickets
         WHERE event_id = $1) AS t
"""
_WORDS = """
INSERT INTO ops.attendee_words (attendee_id, event_id, words)
SELECT a.id, a.event_id, ops.attendee_vector(e.no, a.first_name, a.last_name, a.company,
                                             a.email, a.phone)
  FROM attendees a JOIN events e ON e.id = a.event_id WHERE a.event_id = $1
"""
_VOCABULARY = """
INSERT INTO ops.name_words (word)
SELECT DISTINCT w FROM (
    SELECT DISTINCT first_name, last_name, company FROM attendees WHERE event_id = $1
) AS a, unnest(ops.speakable(a.first_name, a.last_name, a.company)) AS w
ON CONFLICT DO NOTHING
"""


async def _fill(db: asyncpg.Connection, event: UUID, people: int) -> list[UUID]:
    """An event of so many people, tickets, codes and scans; its sixty devices.

    Without triggers, and with the indexes made afterwards: a million in minutes.
    """
    await db.execute(_NAMES)
    kind = await db.fetchval(
        "INSERT INTO ticket_types (event_id, name, price) VALUES ($1, 'Day', 10)"
        " RETURNING id",
        event,
    )
    devices = [UUID(int=n) for n in range(1, 61)]
    steps: tuple[tuple[str, tuple[Any, ...]], ...] = (
        (_PEOPLE, (event, people)),
        (_TICKETS, (event, kind)),
        (_CODES, (event,)),
        (_LOG, (event, devices)),
        (_WORDS, (event,)),
        (_VOCABULARY, (event,)),
    )
    async with bare(db, _TABLES):
        for query, values in steps:
            await db.execute(query, *values)
    return devices


async def _questions(db: asyncpg.Connection, event: UUID) -> dict[str, list[str]]:
    """What stewards type, by kind; from people that are there."""
    rows = await db.fetch(
        "SELECT a.first_name, a.last_name, a.email, a.phone, c.hint FROM attendees a"
        " JOIN tickets t ON t.attendee_id = a.id"
        " JOIN ops.ticket_codes c ON c.ticket_id = t.id"
        " WHERE a.event_id = $1 LIMIT 3000",
        event,
    )
    chosen = random.Random(SEED).sample(rows, CALLS)
    return {
        "a last name": [row["last_name"].lower() for row in chosen],
        "first and last": [f"{row['first_name']} {row['last_name']}" for row in chosen],
        "three letters": [row["last_name"][:3] for row in chosen],
        "two letters swapped": [
            row["last_name"][:2]
            + row["last_name"][3]
            + row["last_name"][2]
            + row["last_name"][4:]
            for row in chosen
        ],
        "a letter too many": [
            row["last_name"][:3] + "x" + row["last_name"][3:] for row in chosen
        ],
        "an e-mail's beginning": [row["email"][:9] for row in chosen],
        "end of phone": [row["phone"][-4:] for row in chosen],
        "end of code": [row["hint"][-4:] for row in chosen],
        "nobody": [f"qqx{n}wvy" for n in range(CALLS)],
    }


async def _timed(call: Callable[[], Awaitable[Any]]) -> float:
    start = time.perf_counter()
    await call()
    return (time.perf_counter() - start) * 1000


def _figure(name: str, ms: list[float], limit: float) -> Figure:
    return Figure(
        name,
        median(ms),
        "ms",
        target=Target("at most", limit),
        details={"p95_ms": quantiles(ms, n=20)[18], "calls": len(ms)},
    )


async def people(house: House, count: int) -> list[Figure]:
    """The figures, of an event of `count` people."""
    event = (await BulkEvent.make(house.db, 1)).id
    db = house.db
    _SAY.print(f"{count:,} people, tickets, codes and scans ..")
    devices = await _fill(db, event, count)
    figures, every = [], []
    for name, questions in (await _questions(db, event)).items():
        ms = [
            await _timed(lambda q=q: db.fetch(SEARCH, event, q, BEST))  # type: ignore[misc]
            for q in questions
        ]
        every += ms
        figures.append(_figure(f"search: {name}", ms, SEARCH_MS_MAX))
    figures.append(_figure(f"search at {count:,}: all kinds", every, SEARCH_MS_MAX))
    return figures + await _pages(db, event, devices[0], count)


async def _pages(
    db: asyncpg.Connection, event: UUID, device: UUID, count: int
) -> list[Figure]:
    """Pages of the log, first and deep and filtered, and a ticket's story."""
    newest = await db.fetchval(
        "SELECT max(decided_at) FROM ops.scan_log WHERE event_id = $1", event
    )
    deep = newest - timedelta(milliseconds=10 * count * 0.9)
    last = UUID(int=2**128 - 1)
    kinds: dict[str, tuple[Any, ...]] = {
        "first page": (None, None, None, None, None, None),
        "deep page": (None, None, None, None, deep, last),
        "of a device": (device, None, None, None, None, None),
        "refused": (None, None, "refused", None, None, None),
        "a reason that never was": (None, "forged_code", None, None, None, None),
    }
    figures = []
    for name, values in kinds.items():
        ms = [
            await _timed(lambda v=values: db.fetch(statement(*v[:3]), event, *v, 101))  # type: ignore[misc]
            for _ in range(20)
        ]
        figures.append(_figure(f"log at {count:,}: {name}", ms, PAGE_MS_MAX))
    tickets = await db.fetch(
        "SELECT ticket_id FROM ops.scan_log WHERE event_id = $1 LIMIT 60", event
    )
    ms = [
        await _timed(lambda t=row["ticket_id"]: db.fetch(HISTORY, t, *END, 51))  # type: ignore[misc]
        for row in tickets
    ]
    return [*figures, _figure(f"a ticket's story at {count:,}", ms, PAGE_MS_MAX)]


async def _alone(count: int) -> list[Figure]:
    async with open_house() as house:
        return await people(house, count)


@click.command()
@click.option("--people", "count", default=1_000_000, type=click.IntRange(3_000))
def main(count: int) -> None:
    """Measure the search and the histories."""
    for figure in uvloop.run(_alone(count)):
        print(
            f"{figure.name:40} median {figure.value:7.1f} ms"
            f"  p95 {figure.details['p95_ms']:7.1f} ms  {figure.target}"
            f"  {'met' if figure.met else 'MISSED'}"
        )


if __name__ == "__main__":
    main()
