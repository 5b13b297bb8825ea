"""What a phone does beside one ticket at a time: counts, orders, drinks, bands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from ops.ids import uuid7
from tests.e2e.conftest import OpenPage, Watched
from tests.e2e.house import House
from tests.e2e.test_handheld import PHONE, scanner, verdict, wedge

pytestmark = pytest.mark.browser


async def sheet(page: Page, *names: str) -> None:
    """Open a sheet from the thumb, then from the menu."""
    for name in names:
        await page.get_by_role("button", name=name, exact=True).click()


async def counted(house: House) -> int:
    """People counted without tickets in the venue."""
    found: int = await house.database.pool.fetchval(
        "SELECT manual FROM ops.areas WHERE id = $1", house.event.venue
    )
    return found


async def until_counted(house: House, page: Page, wanted: int) -> None:
    """Wait until the taps have come to PostgreSQL."""
    for _ in range(300):
        if await counted(house) == wanted:
            return
        await page.wait_for_timeout(50)
    raise AssertionError((await counted(house), wanted))


async def test_people_without_tickets_are_tapped_also_without_a_network(
    house: House, open_page: OpenPage, watched: Watched, shots: Path
) -> None:
    watched.expect(r"ERR_INTERNET_DISCONNECTED|Failed to (load|fetch)")
    page = await scanner(await open_page(*PHONE), house, "Clicker phone")
    await sheet(page, "Count")
    for way in ("IN 5", "IN 2", "IN 1", "OUT 1"):
        await page.get_by_role("button", name=way, exact=True).click()
    await expect(page.locator(".tap-sum")).to_contain_text("Here: 8 in, 1 out")
    await until_counted(house, page, 7)
    await expect(page.locator(".tap-sum")).to_contain_text("Inside: 7")
    await page.screenshot(path=shots / "handheld-clicker.png")
    await page.get_by_role("button", name="Undo −1").click()
    await until_counted(house, page, 8)
    await page.context.set_offline(True)
    for _ in range(3):
        await page.get_by_role("button", name="IN 1", exact=True).click()
    await expect(page.locator(".tap-sum")).to_contain_text("Here: 11 in")
    assert await counted(house) == 8
    await page.context.set_offline(False)
    await until_counted(house, page, 11)
    taps = await house.database.pool.fetchval("SELECT count(*) FROM ops.counts")
    assert taps == 8


async def test_one_code_lets_in_its_whole_order(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    order = uuid7()
    await house.database.pool.execute(
        "INSERT INTO orders (id, event_id, order_number) VALUES ($1, $2, 'A-1042')",
        order,
        house.event.id,
    )
    for code in ("T-20", "T-21", "T-22"):
        await house.database.pool.execute(
            "UPDATE tickets SET order_id = $2 WHERE id = $1",
            house.event.tickets[code],
            order,
        )
    assert (await house.scan("T-21"))["verdict"] == "admitted"
    page = await scanner(await open_page(*PHONE), house, "Order phone")
    await sheet(page, "More", "Whole orders at once")
    await expect(page.locator(".mode-band")).to_contain_text("whole order")
    await wedge(page, "T-20")
    words = await verdict(page, "admitted")
    await page.screenshot(path=shots / "handheld-order.png")
    assert "Guest 22" in words
    assert "2" in words, "how many came in"
    for code in ("T-20", "T-21", "T-22"):
        assert len(await house.admissions(code)) == 1
    await page.locator(".mode-band .status-button").click()
    await expect(page.locator(".mode-band")).to_have_count(0)


async def bar(house: House) -> Any:
    """A bar with two things; each regular ticket has two drinks."""
    base = f"/events/{house.event.id}"
    drink = await house.call(f"{base}/items", {"name": "Drink 🍹"})
    await house.call(f"{base}/items", {"name": "Lunch"})
    point = await house.call(f"{base}/redemption-points", {"name": "Bar Łuna"})
    await house.call(
        f"{base}/entitlements",
        {
            "item_id": drink["id"],
            "ticket_type_id": str(house.event.regular),
            "quantity": 2,
        },
    )
    return point


async def test_drinks_are_handed_out_until_none_is_left(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    await bar(house)
    page = await scanner(await open_page(*PHONE), house, "Bar phone")
    await sheet(page, "More", "Drinks and lunches")
    await page.get_by_label("Point").select_option(label="Bar Łuna")
    begin = page.get_by_role("button", name="Begin")
    # This bar hands out more than one thing: which one is asked first.
    await expect(begin).to_be_disabled()
    await page.get_by_label("What is handed out").select_option(label="Drink 🍹")
    await page.screenshot(path=shots / "handheld-redeem-sheet.png")
    await begin.click()
    await expect(page.locator(".mode-band")).to_contain_text("Bar Łuna · Drink")
    await wedge(page, "T-25")
    assert "1 left" in await verdict(page, "redeemed")
    await page.screenshot(path=shots / "handheld-redeemed.png")
    await expect(page.locator(".verdict")).to_have_count(0)
    # The same code within ten seconds: a person looks, and says so.
    await wedge(page, "T-25")
    await verdict(page, "hold", "again")
    await page.get_by_role("button", name="Yes, once more").click()
    assert "0 left" in await verdict(page, "redeemed")
    await expect(page.locator(".verdict")).to_have_count(0)
    await wedge(page, "T-25")
    await verdict(page, "refused", "nothing_left")
    await page.screenshot(path=shots / "handheld-nothing-left.png")
    await page.keyboard.press("Escape")
    assert await house.admissions("T-25") == []
    units = await house.database.pool.fetchval(
        "SELECT count(*) FROM ops.redemption_units WHERE ticket_id = $1",
        house.event.tickets["T-25"],
    )
    assert units == 2
    await page.locator(".mode-band .status-button").click()
    await wedge(page, "T-25")
    await verdict(page, "admitted", "ok")


async def test_a_band_takes_the_place_of_the_ticket(
    house: House, open_page: OpenPage, watched: Watched, shots: Path
) -> None:
    watched.expect(r"409 .*/media/bind$")
    await house.call(
        f"/events/{house.event.id}/media/list", {"media": [{"code": "BAND-0002"}]}
    )
    page = await scanner(await open_page(*PHONE), house, "Band phone")
    await sheet(page, "More", "Wristband or badge")
    await wedge(page, "T-26")
    await expect(page.locator(".band-row.have")).to_have_count(1)
    await page.screenshot(path=shots / "handheld-band.png")
    await wedge(page, "BAND-0001")
    await expect(page.locator(".notice")).to_contain_text("Linked")
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog")).to_have_count(0)
    await wedge(page, "BAND-0001")
    assert "Guest 26" in await verdict(page, "admitted", "ok")
    await expect(page.locator(".verdict")).to_have_count(0)
    # The ticket's own code was exchanged: a phone does not go back over the fence.
    await wedge(page, "T-26")
    await verdict(page, "refused", "exchanged")
    await page.keyboard.press("Escape")
    # A band of the stock that belongs to nobody yet: linked from the verdict itself.
    await wedge(page, "BAND-0002")
    await verdict(page, "hold", "unassigned_medium")
    await page.get_by_role("button", name="Link it to a ticket").click()
    await wedge(page, "T-27")
    await expect(page.locator(".notice")).to_contain_text("Linked")
    await page.screenshot(path=shots / "handheld-band-linked.png")
    # The same band for somebody else: one winner.
    await wedge(page, "T-28")
    await wedge(page, "BAND-0002")
    await expect(page.locator(".notice.bad")).to_be_visible()
    bound = await house.database.pool.fetch(
        "SELECT ticket_id FROM ops.ticket_codes"
        " WHERE kind = 'medium' AND revoked_at IS NULL ORDER BY issued_at"
    )
    tickets = house.event.tickets
    assert [row["ticket_id"] for row in bound] == [tickets["T-26"], tickets["T-27"]]


async def test_the_door_is_told_that_it_is_held_and_that_its_place_is_full(
    house: House, open_page: OpenPage, watched: Watched, shots: Path
) -> None:
    """By the socket: no heartbeat says which gate to use or how many may enter. Without
    it nothing old is shown."""
    watched.expect(r"WebSocket connection|ERR_CONNECTION_REFUSED")
    page = await scanner(await open_page(*PHONE), house, "Held phone")
    root, status = f"/events/{house.event.id}", page.locator(".status-words")
    gate = f"{root}/gates/{house.event.main_gate}/doors"
    await expect(status).to_have_text("Online")
    beats: list[str] = []
    await page.route(
        "**/devices/heartbeat", lambda route: beats.append(route.request.url)
    )
    other = {"use_instead_id": str(house.event.lounge_gate)}
    await house.call(gate, {"state": "closed", **other})
    await expect(status).to_contain_text("Doors closed")
    await expect(status).to_contain_text("Use \u2068Lounge gate\u2069")
    await house.call(gate, {"state": "open"})
    await expect(status).to_have_text("Online")
    # The place stays full for as long as this test looks.
    rule = {"enabled": True, "threshold": 100, "clear_at": 97, "for_s": 0}
    answer = await house.http.put(
        f"/api/v1{root}/alert-rules/area_full", json={**rule, "clear_s": 3600}
    )
    assert answer.status_code == 200, answer.text
    await house.scan("T-31")
    await house.database.pool.execute(
        "UPDATE ops.areas SET capacity = inside + manual WHERE id = $1",
        house.event.venue,
    )
    band = page.locator(".full-band")
    await expect(band).to_have_attribute("data-may-enter", "0", timeout=20_000)
    await expect(band).to_contain_text("one out, one in. Nobody may enter now")
    await page.screenshot(path=shots / "handheld-full.png")
    out = await house.scan("T-31", direction="out")
    assert out["verdict"] == "exited"
    await expect(band).to_contain_text("1 may enter", timeout=20_000)
    await page.screenshot(path=shots / "handheld-one-out-one-in.png")
    house.kill("live")
    await expect(band).to_have_count(0)
    await house.start("live")
    await expect(band).to_contain_text("1 may enter", timeout=30_000)
