"""At the end of an evening each number on the wall is what PostgreSQL holds."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from ops.ids import uuid7
from tests.control_figures import SHOWN, by_sql
from tests.control_wall import RATES, WALL, Wall
from tests.e2e.conftest import OpenPage
from tests.e2e.house import House
from tests.e2e.test_control import control_room

pytestmark = pytest.mark.browser

SEED = 20_261_126
SNAPSHOT = 50
RINGING = ["low_battery", "capacity_95"]
SETTLED = """
SELECT (SELECT count(DISTINCT rule) FROM ops.alerts WHERE event_id = $1
           AND cleared_at IS NULL AND rule = ANY ($2)) = cardinality($2)
   AND EXISTS (SELECT FROM ops.forecasts
                WHERE event_id = $1 AND made_at IS NOT NULL)
"""
"""Who looks now and then has looked."""


async def scan(house: House, device: Any, code: str, **fields: Any) -> Any:
    answer = await house.http.post(
        f"/api/v1/events/{house.event.id}/scans",
        headers={"Authorization": f"Device dev_{device}"},
        json={"id": str(uuid7()), "code": code, **fields},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def set_up(house: House) -> None:
    """Limits, a shift that nobody works, devices with something to tell, a call."""
    event, pool = house.event, house.database.pool
    await pool.execute("UPDATE ops.areas SET capacity = 9 WHERE id = $1", event.lounge)
    await pool.execute(
        "UPDATE sessions SET max_attendees = 30 WHERE id = $1", event.session
    )
    await pool.execute(
        "WITH o AS (INSERT INTO ops.operators (event_id, name) VALUES ($1, 'Wu Bo')"
        " RETURNING id) INSERT INTO ops.shifts (event_id, operator_id, gate_id,"
        " starts_at, ends_at) SELECT $1, o.id, $2, now() - interval '1 minute',"
        " now() + interval '3 hours' FROM o",
        *(event.id, event.main_gate),
    )
    for device, battery, pending in (
        (event.device, 81, 0),
        (event.other_device, 9, 3),
        (event.lounge_device, 33, 0),
    ):
        told = await house.http.post(
            "/api/v1/devices/heartbeat",
            headers={"Authorization": f"Device dev_{device}"},
            json={"battery": battery, "pending": pending},
        )
        assert told.status_code in (200, 204), told.text


async def evening(house: House) -> None:
    """150 acts by chance: entries, exits, returns, strangers, a group, the lounge, a
    session, taps without tickets, an undo."""
    event, random_ = house.event, random.Random(SEED)
    await set_up(house)
    room = uuid7()
    await event.add_device(house.database.pool, room, "Phone room", event.room_gate)
    codes = [f"T-{n}" for n in range(1, 55)]
    last = None
    for _ in range(150):
        what = random_.random()
        code = random_.choice(codes)
        device = random_.choice((event.device, event.other_device))
        if what < 0.55:
            last = await scan(house, device, code)
        elif what < 0.75:
            await scan(house, device, code, direction="out")
        elif what < 0.85:
            await scan(house, device, f"stranger {random_.randrange(20)}")
        elif what < 0.93:
            await scan(house, room, code)
        else:
            await house.http.post(
                f"/api/v1/events/{event.id}/counts",
                headers={"Authorization": f"Device dev_{device}"},
                json={
                    "id": str(uuid7()),
                    "gate_id": str(event.main_gate),
                    "delta": random_.choice((1, 2, 5, -1)),
                },
            )
    await scan(house, event.device, "G-1", admit=3)
    for code in ("V-1", "V-2"):
        await scan(house, event.device, code)
        await scan(house, event.lounge_device, code)
    await scan(house, event.lounge_device, "T-1")
    mistaken = await scan(house, event.device, "T-58")
    assert mistaken["verdict"] == "admitted", mistaken
    await house.call(
        f"/events/{event.id}/scans/{mistaken['id']}/undo", {"reason": "the wrong line"}
    )
    assert last is not None
    # Two more may come: nearly full, which rings, and is one alert and not two.
    await house.database.pool.execute(
        "UPDATE ops.areas SET capacity = inside + manual + disputed + 2 WHERE id = $1",
        event.venue,
    )


async def test_every_number_on_the_wall_is_what_the_database_holds(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    page = await open_page(1920, 1080)
    await control_room(page, house)
    await evening(house)
    pool = house.database.pool
    shown, held = await at_rest(page, house)
    await page.screenshot(path=shots / "control-numbers.png")
    # The evening had everything: no figure is equal because it is nothing.
    for name in ("inside", "entered", "exits", "re_entries", "refused_attempts"):
        assert held["figures"][name] > 0, name
    assert held["figures"]["counted"] != 0
    assert held["areas"]["VIP lounge"] == 2
    assert held["sessions"]["Opening"] > 0
    for name in ("capacity", "percent", "ahead", "open", "ill", "sync", "lines"):
        assert shown["wall"][name], name
    assert shown["wall"]["devices"]["Phone 2"] == {"battery": [9], "chips": [[3]]}
    assert [1] in shown["wall"]["gates"]["Main gate"]["chips"]
    await rates_are_of_this_evening(page, house)
    # Negative control: a number that nobody holds against anything is found.
    await page.evaluate("document.querySelector('.hero h2').append(' 17')")
    assert (await page.evaluate(WALL))["unclaimed"] == [":  17"]
    # Negative control: a row that nobody announced is seen as a difference.
    await pool.execute(
        "UPDATE check_ins SET undone_at = now() WHERE id = ("
        "SELECT id FROM check_ins WHERE event_id = $1 AND undone_at IS NULL"
        " AND checked_out_at IS NULL LIMIT 1)",
        house.event.id,
    )
    assert await by_sql(pool, house.event.id) != held


async def at_rest(page: Page, house: House) -> tuple[Any, Any]:
    """What the wall shows and what PostgreSQL holds, once they are equal.

    Screens come to rest within seconds; a forecast is made anew each quarter of a
    minute, so both are read until they are of one moment.
    """
    pool, event_id = house.database.pool, house.event.id
    shown: Any = {}
    held: Any = {}
    wall: Any = {}
    try:
        async with asyncio.timeout(90):
            while True:
                if not await pool.fetchval(SETTLED, event_id, RINGING):
                    await asyncio.sleep(0.25)
                    continue
                held = await by_sql(pool, event_id)
                wall = await Wall(pool, event_id, held).read()
                shown = await page.evaluate(SHOWN)
                around = await page.evaluate(WALL)
                for one in (wall, around):
                    one["bars"] = sorted(one["bars"])
                # A ticker that missed something begins anew, with the newest 50.
                newest = list(wall["lines"])[:SNAPSHOT]
                if set(newest) <= around["lines"].keys():
                    for scan_id in wall["lines"].keys() - around["lines"].keys():
                        del wall["lines"][scan_id]
                if shown == held and around == wall:
                    return {**shown, "wall": around}, held
                await asyncio.sleep(0.25)
    except TimeoutError:
        differ = {k: (around[k], wall[k]) for k in wall if around[k] != wall[k]}
        raise AssertionError(f"{differ}; {shown}; {held}") from None


async def rates_are_of_this_evening(page: Page, house: House) -> None:
    """A rate moves with each second: it lies between what its window allows.

    `tests/integration/watch/test_figures_on_record.py` holds it exactly, at a moment
    that stands still.
    """
    pool, event_id = house.database.pool, house.event.id
    rates = await page.evaluate(RATES)
    lately = await pool.fetchval(
        "SELECT count(*) FROM (SELECT min(c.checked_in_at) AS at FROM check_ins c"
        " JOIN ops.scopes s ON s.id = c.scope_id AND s.kind = 'venue'"
        " WHERE c.event_id = $1 AND c.undone_at IS NULL"
        " GROUP BY c.ticket_id, c.person_no) f"
        " WHERE f.at > date_trunc('minute', now()) - interval '5 minutes'",
        event_id,
    )
    assert 0 <= rates["all"] <= lately * 60 / 240 + 0.5
    entered = dict(
        await pool.fetch(
            "SELECT g.name, count(c.id) FROM ops.gates g LEFT JOIN check_ins c"
            " ON c.gate_id = g.id AND c.area_id = g.area_id AND c.undone_at IS NULL"
            " AND c.checked_in_at > now() - interval '3 minutes'"
            " WHERE g.event_id = $1 GROUP BY g.name",
            event_id,
        )
    )
    for name, rate in rates["gates"].items():
        # From the first 15 seconds that the process watched to its two minutes.
        assert rate is None or 0 <= rate <= entered[name] * 60 / 15 + 0.5, name


async def test_once_it_is_over_the_wall_says_who_never_came(
    house: House, open_page: OpenPage
) -> None:
    """The same evening a moment after its end: no-show = expected - guests entered."""
    pool, event_id = house.database.pool, house.event.id
    page = await open_page(1920, 1080)
    await control_room(page, house)
    tile = page.locator(".tile").nth(5)
    await expect(tile).to_contain_text("Counted")
    await pool.execute(
        "UPDATE events SET starts_at = now() - interval '3 hours',"
        " ends_at = now() - interval '1 second' WHERE id = $1",
        event_id,
    )
    held = await by_sql(pool, event_id)
    guests = await pool.fetchval(
        "SELECT count(*) FROM (SELECT DISTINCT c.ticket_id, c.person_no"
        " FROM check_ins c JOIN ops.scopes s ON s.id = c.scope_id AND s.kind = 'venue'"
        " JOIN tickets t ON t.id = c.ticket_id AND t.access_class = 'guest'"
        " WHERE c.event_id = $1 AND c.undone_at IS NULL) x",
        event_id,
    )
    never = held["figures"]["expected"] - guests
    assert never > 0
    await expect(tile).to_contain_text("No-show")
    await expect(tile.locator(".tile-figure")).to_have_text(str(never))
