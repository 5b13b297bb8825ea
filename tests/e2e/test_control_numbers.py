"""At the end of an evening each number on the wall is what PostgreSQL holds."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from ops.ids import uuid7
from tests.control_figures import SHOWN, by_sql
from tests.e2e.conftest import OpenPage
from tests.e2e.house import House
from tests.e2e.test_control import control_room

pytestmark = pytest.mark.browser

SEED = 20_261_126


async def scan(house: House, device: Any, code: str, **fields: Any) -> Any:
    answer = await house.http.post(
        f"/api/v1/events/{house.event.id}/scans",
        headers={"Authorization": f"Device dev_{device}"},
        json={"id": str(uuid7()), "code": code, **fields},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def evening(house: House) -> None:
    """150 acts by chance: entries, exits, returns, strangers, a group, the lounge, a
    session, taps without tickets, an undo."""
    event, random_ = house.event, random.Random(SEED)
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


async def test_every_number_on_the_wall_is_what_the_database_holds(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    page = await open_page(1920, 1080)
    await control_room(page, house)
    await evening(house)
    pool = house.database.pool
    shown: dict[str, Any] = {}
    held: dict[str, Any] = {}
    async with asyncio.timeout(60):
        # Screens come to rest within seconds; what they then show must be equal.
        while True:
            held = await by_sql(pool, house.event.id)
            shown = await page.evaluate(SHOWN)
            if shown == held and held == await by_sql(pool, house.event.id):
                break
            await asyncio.sleep(0.25)
    await page.screenshot(path=shots / "control-numbers.png")
    # The evening had everything: no figure is equal because it is nothing.
    for name in ("inside", "entered", "exits", "re_entries", "refused_attempts"):
        assert held["figures"][name] > 0, name
    assert held["figures"]["counted"] != 0
    assert held["areas"]["VIP lounge"] == 2
    assert held["sessions"]["Opening"] > 0
    # Negative control: a row that nobody announced is seen as a difference.
    await pool.execute(
        "UPDATE check_ins SET undone_at = now() WHERE id = ("
        "SELECT id FROM check_ins WHERE event_id = $1 AND undone_at IS NULL"
        " AND checked_out_at IS NULL LIMIT 1)",
        house.event.id,
    )
    assert await by_sql(pool, house.event.id) != shown
