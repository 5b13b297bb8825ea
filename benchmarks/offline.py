"""Offline packages: size a ticket, time to build, time of a minute's delta.

`python -m benchmarks.offline` on durable stores, 100,000 tickets whose people all have
names of their own. The whole package is measured before anybody came and after all
tickets were admitted once; a delta after as many entries as a busy minute has.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import rich_click as click
from rich.console import Console
from rich.table import Table

from benchmarks.cache import _ADMIT_ALL
from benchmarks.event import BulkEvent
from benchmarks.house import House, open_house
from benchmarks.usage import Usage
from ops.clock import Clock
from ops.db.engine import Database
from ops.offline.package import Signing, read
from ops.offline.packages import Packages
from ops.offline.sealing import ShiftKeys

BYTES_MAX, BUILD_S_MAX, DELTA_MS_MAX = 60.0, 5.0, 50.0
DELTAS = 25
A_MINUTE = 1_200
"""Entries a minute: 20 a second, a full arena's doors."""

_FIRST = "Aoife Siobhán Łukasz Marie-Ève Priya 小龙 نور Ngozi Björn Chloé Oisín Pia"
_LAST = "O'Brien Tremblay 李 الهدى Gagné Ångström Nguyễn Haut-Saint-Laurent Wójcik Xu"


async def _names(house: House, event: BulkEvent) -> None:
    """Everybody gets a name that hardly anybody else has."""
    chance, first, last = random.Random(7), _FIRST.split(), _LAST.split()
    people = "SELECT id FROM attendees WHERE event_id = $1"
    rows = await house.db.fetch(people, event.id)
    syllables = [a + b for a in "bcdfgklmnprstvz" for b in "aeiou"]

    def surname() -> str:
        made = "".join(chance.choices(syllables, k=chance.randint(1, 3))).title()
        return f"{chance.choice(last)}-{made}"

    named = [(row["id"], chance.choice(first), surname()) for row in rows]
    await house.db.execute("SET session_replication_role = replica")
    await house.db.execute(
        "UPDATE attendees a SET first_name = p.first, last_name = p.last"
        " FROM unnest($1::uuid[], $2::text[], $3::text[]) AS p(id, first, last)"
        " WHERE a.id = p.id",
        *map(list, zip(*named, strict=True)),
    )
    await house.db.execute("SET session_replication_role = origin")
    await house.db.execute("VACUUM (ANALYZE) attendees")


async def _timed(make: Callable[[], Any]) -> tuple[float, bytes]:
    start_s = time.perf_counter()
    body: bytes = await make()
    return time.perf_counter() - start_s, body


async def _pauses(stop: asyncio.Event) -> float:
    """The longest time for which the loop did not turn, in ms."""
    worst = 0.0
    while not stop.is_set():
        start_s = time.perf_counter()
        await asyncio.sleep(0.001)
        worst = max(worst, (time.perf_counter() - start_s) * 1000 - 1)
    return worst


async def _enter(house: House, event: BulkEvent, people: int) -> None:
    """People enter: rows and facts, as a commit writes them."""
    await house.db.execute(
        "WITH t AS (SELECT id, attendee_id FROM tickets WHERE event_id = $1"
        "  ORDER BY random() LIMIT $5), c AS (INSERT INTO check_ins (event_id,"
        "  attendee_id, ticket_id, scope_id, area_id, gate_id, scan_id, pass_no)"
        "  SELECT $1, t.attendee_id, t.id, $2, $3, $4, gen_random_uuid(), 1 FROM t"
        "  ON CONFLICT DO NOTHING)"
        " INSERT INTO ops.facts (event_id, kind, payload) SELECT $1, 'admitted',"
        "  jsonb_build_object('ticket_id', t.id) FROM t",
        event.id,
        event.scope,
        event.venue,
        event.gates[0],
        people,
    )


async def measure(tickets: int) -> dict[str, float]:
    """All figures."""
    found: dict[str, float] = {}
    async with open_house() as house:
        event = await BulkEvent.make(house.db, tickets)
        await _names(house, event)
        device = await house.db.fetchval(
            "SELECT device_id FROM ops.device_events WHERE event_id = $1 LIMIT 1",
            event.id,
        )
        await house.db.execute(
            "INSERT INTO ops.offline_settings (event_id, mode) VALUES ($1, 'open')",
            event.id,
        )
        database = Database(house.database_url, "bench")
        await database.start()
        signing = Signing(1, lambda message: bytes(64))

        async def keys() -> tuple[Signing, dict[int, bytes]]:
            return signing, {}

        def packages() -> Packages:
            return Packages(database, Clock(), ShiftKeys("s" * 32), keys)

        assert house.embedded.postgres.pid
        server = {"PostgreSQL": house.embedded.postgres.pid}
        for name in ("sold", "admitted"):
            usage = Usage(server)
            mine_s = time.process_time()
            stop = asyncio.Event()
            watching = asyncio.create_task(_pauses(stop))
            built_s, body = await _timed(
                lambda: packages().make(event.id, device, None)
            )
            stop.set()
            spent = usage.spent_s() | {"Python": time.process_time() - mine_s}
            for process, cpu_s in spent.items():
                found[f"CPU s of {process}, {name}"] = cpu_s
            head, _ = read(body)
            found[f"bytes a ticket, {name}"] = len(body) / tickets
            found[f"build s, {name}"] = built_s
            found[f"longest pause ms, {name}"] = await watching
            if name == "sold":
                await _enter(house, event, A_MINUTE)
                await house.db.execute("ANALYZE ops.facts")
                delta = partial(packages().make, event.id, device, head["cursor"])
                usage, mine_s = Usage(server), time.process_time()
                times = [await _timed(delta) for _ in range(DELTAS)]
                cpu_s = usage.spent_s()["PostgreSQL"] + time.process_time() - mine_s
                found["CPU ms of a delta"] = cpu_s / DELTAS * 1000
                found["delta ms, a minute"] = median(t for t, _ in times) * 1000
                found["delta KB, a minute"] = len(times[0][1]) / 1000
                await house.db.execute(
                    _ADMIT_ALL, event.id, event.scope, event.venue, event.gates[0]
                )
                await house.db.execute("VACUUM (ANALYZE) check_ins")
        await database.stop()
    return found


@click.command()
@click.option("--tickets", default=100_000)
@click.option("--json", "as_json", is_flag=True)
def main(tickets: int, as_json: bool) -> None:
    """Measure packages against their targets."""
    found = asyncio.run(measure(tickets))
    if as_json:
        print(json.dumps(found))
        return
    table = Table("figure", "value", "target")
    limits = {"bytes": BYTES_MAX, "build": BUILD_S_MAX, "delta ms": DELTA_MS_MAX}
    for name, value in found.items():
        limit = next((most for key, most in limits.items() if key in name), None)
        table.add_row(name, f"{value:.2f}", f"<= {limit:g}" if limit else "")
    Console().print(table)


if __name__ == "__main__":
    main()
