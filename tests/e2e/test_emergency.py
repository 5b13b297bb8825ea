"""An emergency in Chromium: held buttons, staff's handhelds, the roll-call without a
network, all-clear and coming back."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import OpenPage, Watched
from tests.e2e.house import House
from tests.e2e.test_announcements import desk
from tests.e2e.test_handheld import PHONE, scanner
from tests.e2e.test_handheld_acts import SUPERVISOR, press_pin

pytestmark = pytest.mark.browser

HELD = "[data-holding=true]"


@pytest.fixture(scope="module")
async def staffed(house: House) -> House:
    """The house with a supervisor, three guests inside, one of whom needs help."""
    await house.call(
        f"/events/{house.event.id}/operators",
        {"name": "Dana Haddad", "pin": SUPERVISOR, "role": "supervisor"},
    )
    for code in ("T-1", "T-2", "V-2"):
        assert (await house.scan(code))["verdict"] == "admitted"
    await house.database.pool.execute(
        """UPDATE attendees SET accessibility_needs = 'Wheelchair'
            WHERE id = (SELECT attendee_id FROM tickets WHERE id = $1)""",
        house.event.tickets["V-2"],
    )
    answer = await house.http.put(
        f"/api/v1/events/{house.event.id}/emergency/settings",
        json={"assembly_points": ["Car park B"]},
    )
    assert answer.status_code == 200, answer.text
    return house


async def hold(page: Page, name: str, ms: int = 2_000) -> None:
    """Press a held button so long, and until it has had enough if that is the two
    seconds that it asks for: the page may have begun to count later."""
    button = page.locator(f"[data-hold={name}]")
    await expect(button).to_be_enabled()
    await button.scroll_into_view_if_needed()
    box = await button.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await page.mouse.down()
    await page.wait_for_timeout(ms)
    if ms >= 2_000:
        await expect(page.locator(HELD)).to_have_count(0)
    await page.mouse.up()


async def sheet(phone: Page) -> None:
    await phone.get_by_role("button", name="More").click()
    await phone.get_by_role("button", name="Roll-call").click()


async def test_the_whole_of_it(
    staffed: House, open_page: OpenPage, shots: Path, watched: Watched
) -> None:
    watched.expect(r"ERR_INTERNET_DISCONNECTED|Failed to (load|fetch)|ERR_FAILED")
    house, pool = staffed, staffed.database.pool
    phone = await scanner(await open_page(*PHONE), house, "Dana's phone")
    await phone.get_by_role("button", name="Sign on").click()
    await press_pin(phone, SUPERVISOR)
    await expect(phone.locator(".status")).to_contain_text("Dana")
    page = await desk(open_page, house, page_name="emergency")
    await page.screenshot(path=shots / "emergency-calm.png", full_page=True)

    # A touch is nothing, and neither is half a second of it.
    await page.fill("#reason", "Smoke in the kitchen")
    await hold(page, "start", 500)
    assert await pool.fetchval("SELECT count(*) FROM ops.emergencies") == 0
    await hold(page, "start")
    await expect(page.locator("[data-done=stopped]")).to_be_visible()
    # The control room's wall says so as well.
    wall = await page.context.new_page()
    watched.follow(wall)
    await wall.goto(f"{house.url}/control.html?event={house.event.id}")
    await expect(wall.locator(".emergency-strip")).to_contain_text("Smoke")
    await wall.screenshot(path=shots / "control-emergency.png")
    await wall.close()
    assert (await house.scan("T-9"))["reason"] == "admission_stopped"
    band = phone.locator(".notice-band.urgent")
    await expect(band).to_contain_text("nobody enters")
    await phone.screenshot(path=shots / "handheld-emergency.png")
    await band.get_by_role("button", name="Understood").click()
    told = page.locator(".told li", has_text="Dana's phone")
    await expect(told).to_contain_text("understood")

    await hold(page, "freeze")
    await expect(page.locator("[data-done=frozen]")).to_be_visible()
    await hold(page, "publish")
    await expect(page.locator("[data-done=published]")).to_be_visible()
    await page.screenshot(path=shots / "emergency-steps.png", full_page=True)
    sent = await pool.fetchrow(
        "SELECT * FROM event_announcements WHERE target_segments = '{}'"
    )
    assert sent is not None
    assert (sent["priority"], sent["status"]) == ("urgent", "sent")

    tabs = page.get_by_role("navigation")
    await tabs.get_by_role("button", name="Roll-call").click()
    await expect(page.locator("[data-sum=missing]")).to_have_text("3")
    first = page.locator(".roll li").first
    await expect(first).to_contain_text("Wheelchair")  # who needs help stands first
    await page.screenshot(path=shots / "emergency-roll.png", full_page=True)

    # The supervisor's device has the list, also with the network gone.
    await sheet(phone)
    missing = phone.locator("[data-sum=missing]")
    await expect(missing).to_have_text("3")
    helped = phone.locator(".roll-line", has_text="Wheelchair")
    safe = helped.get_by_role("button", name="Safe")
    # The list from before the freeze names the same three, and nobody is marked on it:
    # what is carried along is the frozen one, and opening the list asks for it.
    await expect(safe).to_be_visible()
    await phone.context.set_offline(True)
    await safe.click()
    await expect(missing).to_have_text("2")
    await phone.get_by_role("button", name="+5").click()
    await phone.screenshot(path=shots / "handheld-roll.png")
    await phone.get_by_role("button", name="Close").first.click()
    await phone.context.set_offline(False)
    await expect(page.locator("[data-sum=missing]")).to_have_text("2")
    await expect(page.get_by_text("Car park B 5")).to_be_visible()

    await tabs.get_by_role("button", name="Steps").click()
    await hold(page, "all_clear")
    await expect(page.locator("[data-done=cleared]")).to_be_visible()
    await expect(page.locator(".cleared .banner")).to_contain_text("All clear")
    await page.screenshot(path=shots / "emergency-cleared.png")
    assert (await house.scan("T-9"))["reason"] == "admission_stopped"
    await page.get_by_label("may come in once more").check()
    await hold(page, "reopen")
    await expect(page.locator("[data-done=reopened]")).to_be_visible()
    inside = "SELECT inside FROM ops.areas WHERE id = $1"
    assert await pool.fetchval(inside, house.event.venue) == 0
    assert (await house.scan("T-1"))["verdict"] == "admitted"
    await expect(page.get_by_text("1 of 3 are back")).to_be_visible()
    await page.screenshot(path=shots / "emergency-back.png", full_page=True)
    await hold(page, "close")
    await expect(page.locator("[data-hold=start]")).to_be_visible()
    await tabs.get_by_role("button", name="Reports").click()
    async with page.expect_download() as loading:
        await page.get_by_role("link", name="PDF").click()
    printed = await (await loading.value).path()
    assert printed.read_bytes().startswith(b"%PDF-")
    (shots / "emergency-report.pdf").write_bytes(printed.read_bytes())


async def test_the_copy_survives_a_reload_without_a_network(
    staffed: House, open_page: OpenPage, watched: Watched
) -> None:
    watched.expect(r"ERR_INTERNET_DISCONNECTED|Failed to (load|fetch)|ERR_FAILED")
    phone = await scanner(await open_page(*PHONE), staffed, "Cellar phone")
    await phone.get_by_role("button", name="Sign on").click()
    await press_pin(phone, SUPERVISOR)
    await expect(phone.locator(".status")).to_contain_text("Dana")
    await sheet(phone)
    await expect(phone.locator("[data-sum=all]")).to_be_visible()
    people = await phone.locator("[data-sum=all]").inner_text()
    ready = "navigator.serviceWorker.ready.then(() => true)"
    assert await phone.evaluate(ready)
    await phone.context.set_offline(True)
    await phone.reload()
    await expect(phone.locator(".scanner")).to_be_visible()
    # What is kept lies behind the PIN of who is signed on.
    await sheet(phone)
    await expect(phone.get_by_text("Sign on with your PIN")).to_be_visible()
    await phone.get_by_role("button", name="Close").first.click()
    await phone.locator(".status-button").first.click()
    await press_pin(phone, SUPERVISOR)
    await sheet(phone)
    await expect(phone.locator("[data-sum=all]")).to_have_text(people)
    # Whoever signs off takes the names along.
    await phone.context.set_offline(False)
    await phone.get_by_role("button", name="Close").first.click()
    await phone.get_by_role("button", name="More").click()
    await phone.get_by_role("button", name="Sign off").click()
    await phone.get_by_role("button", name="More").click()
    await expect(phone.get_by_role("button", name="Roll-call")).to_have_count(0)


async def test_a_drill_on_a_phone_in_french(
    staffed: House, open_page: OpenPage, shots: Path
) -> None:
    page = await desk(open_page, staffed, (390, 844), "emergency")
    await page.get_by_role("button", name="Français").click()
    await page.get_by_label("C’est un exercice").check()
    await page.fill("#reason", "Essai")
    # The keyboard holds as well.
    await page.locator("[data-hold=start]").focus()
    await page.keyboard.down(" ")
    await page.wait_for_timeout(2_000)
    await expect(page.locator(HELD)).to_have_count(0)
    await page.keyboard.up(" ")
    await expect(page.locator(".banner")).to_contain_text("EXERCICE")
    await page.screenshot(path=shots / "emergency-drill-390.png", full_page=True)
    assert (await staffed.scan("T-30"))["verdict"] == "admitted"
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    await hold(page, "all_clear")
    await hold(page, "close")
    await expect(page.locator("[data-hold=start]")).to_be_visible()
