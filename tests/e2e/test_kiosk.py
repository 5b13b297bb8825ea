"""The kiosk in Chromium: a guest alone before a screen that tells nobody's business."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from ops.ids import uuid7
from tests.e2e.conftest import OpenPage, Watched
from tests.e2e.house import HOLDER, House
from tests.e2e.test_handheld import verdict, wedge
from tests.e2e.test_plan import STICKING_OUT

pytestmark = pytest.mark.browser

DESK = "Please come to the desk"
SIZES = ((1920, 1080), (390, 844))


async def kiosk(page: Page, house: House) -> Page:
    """Make this page a kiosk at the main gate."""
    made = await house.call(
        f"/events/{house.event.id}/devices",
        {"name": "Kiosk", "profile": "kiosk", "gate_id": str(house.event.main_gate)},
    )
    await page.goto(made["pairing_url"])
    await page.wait_for_selector(".kiosk")
    return page


async def ordered(house: House, order: str) -> UUID:
    """A guest with an order: what a look-up needs."""
    pool = house.database.pool
    ticket = await house.event.add_ticket(pool, order, house.event.regular, "Kim")
    placed = uuid7()
    await pool.execute(
        "INSERT INTO orders (id, event_id, order_number, status)"
        " VALUES ($1, $2, $3, 'paid')",
        placed,
        house.event.id,
        order,
    )
    await pool.execute("UPDATE tickets SET order_id = $1 WHERE id = $2", placed, ticket)
    await pool.execute(
        "UPDATE attendees SET last_name = 'Ng', order_id = $1"
        " WHERE id = (SELECT attendee_id FROM tickets WHERE id = $2)",
        placed,
        ticket,
    )
    return ticket


async def shot(page: Page, shots: Path, name: str) -> None:
    for width, height in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        assert await page.evaluate(STICKING_OUT) == [], (name, width)
        await page.screenshot(path=shots / f"{name}-{width}.png")


async def test_a_green_greets_and_everything_else_asks_to_the_desk(
    house: House, open_page: OpenPage, watched: Watched, shots: Path
) -> None:
    page = await kiosk(await open_page(*SIZES[0]), house)
    await expect(page.locator(".scanner")).to_have_count(0)
    await shot(page, shots, "kiosk")
    await wedge(page, house.own_code)
    said = await verdict(page, "admitted")
    assert HOLDER in said
    await page.locator(".verdict").click()
    await wedge(page, "NO SUCH TICKET")
    said = await verdict(page, "refused", "unknown_code")
    assert said.strip() == DESK, "no cause, no code"
    await shot(page, shots, "kiosk-desk")
    # The screen is the next guest's by itself.
    await expect(page.locator(".verdict")).to_have_count(0)


async def test_a_guest_without_a_ticket_is_found_exactly_or_not_at_all(
    house: House, open_page: OpenPage, watched: Watched, shots: Path
) -> None:
    ticket = await ordered(house, "A-77421")
    page = await kiosk(await open_page(*SIZES[0]), house)
    surname, key = page.get_by_label("Last name"), page.get_by_label("Order number")
    await surname.fill("Ng")
    await key.fill("A-00000")
    await page.get_by_role("button", name="Look").click()
    await expect(page.locator(".kiosk .notice")).to_contain_text(DESK)
    await expect(surname).to_have_value("")
    await surname.fill("ng")
    await key.fill("A-77421")
    await page.get_by_role("button", name="Look").click()
    found = page.locator(".kiosk-match")
    await expect(found).to_contain_text("Kim N")
    await expect(found).not_to_contain_text("Ng")
    await shot(page, shots, "kiosk-match")
    await page.get_by_role("button", name="Yes, let me in").click()
    await verdict(page, "admitted")
    method = await house.database.pool.fetchval(
        "SELECT check_in_method FROM check_ins WHERE ticket_id = $1", ticket
    )
    assert method == "manual"
    await page.locator(".verdict").click()
    await page.get_by_role("button", name="Français").click()
    await expect(page.locator(".kiosk-hello")).to_contain_text("Présentez")
    await wedge(page, "NO SUCH TICKET")
    assert "accueil" in await verdict(page, "refused")
