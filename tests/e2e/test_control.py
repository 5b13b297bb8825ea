"""The control room in Chromium, over the real roles and stores."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import OpenPage, Watched
from tests.e2e.house import EMAIL, PASSWORD, House

pytestmark = pytest.mark.browser

INSIDE = ".hero .huge"


async def sign_in(page: Page, password: str = PASSWORD) -> None:
    await page.fill("#email", EMAIL)
    await page.fill("#password", password)
    await page.keyboard.press("Enter")


async def control_room(page: Page, house: House) -> None:
    """Open the control room of the event, signing in on the way."""
    await page.goto(f"{house.url}/control.html?event={house.event.id}")
    await page.wait_for_selector("#email")
    await sign_in(page)
    await page.wait_for_selector("[data-state=fresh]")


async def shown(page: Page) -> int:
    text = await page.inner_text(INSIDE)
    return int(text.replace(",", "").replace("\u00a0", "").replace("–", "0"))


async def test_a_wrong_password_is_said_and_the_right_one_leads_on(
    house: House, open_page: OpenPage, watched: Watched
) -> None:
    watched.expect(r"401 .*auth/login")
    page = await open_page()
    await page.goto(f"{house.url}/control.html?event={house.event.id}")
    await page.wait_for_selector("#email")
    await sign_in(page, "not the password")
    await expect(page.locator("[role=alert]")).to_be_focused()
    await expect(page.locator("[role=alert]")).to_contain_text("not right")
    await sign_in(page)
    await page.wait_for_url("**/control.html?event=*")
    await page.wait_for_selector("[data-state=fresh]")
    await page.goto(f"{house.url}/")
    card = page.locator(".event-card")
    await expect(card).to_contain_text("Small conference")
    await card.click()
    await page.wait_for_selector("[data-state=fresh]")


async def test_a_scan_at_a_door_moves_the_number(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    page = await open_page()
    await control_room(page, house)
    before = await shown(page)
    answer = await house.scan("T-1")
    assert answer["verdict"] == "admitted"
    await expect(page.locator(INSIDE)).to_have_text(str(before + 1))
    line = page.locator(".line").first
    await expect(line).to_contain_text("Guest 1")
    await expect(line.locator(".mark.admitted")).to_be_visible()
    await expect(
        page.locator("tr", has_text="Main gate").locator("td").nth(1)
    ).to_have_text(str(before + 1))
    for code in ("T-2", "T-3", "V-1", "V-2", "nobody's code"):
        await house.scan(code)
    await expect(page.locator(INSIDE)).to_have_text(str(before + 5))
    await expect(page.locator(".line.refused").first).to_contain_text("Unknown code")
    await page.screenshot(path=shots / "control-room.png")


async def test_a_heartbeat_shows_at_the_device(
    house: House, open_page: OpenPage
) -> None:
    page = await open_page()
    await control_room(page, house)
    phone = page.locator(".devices tr", has_text="Phone 2")
    await expect(phone).to_contain_text("Main gate")
    answer = await house.http.post(
        "/api/v1/devices/heartbeat",
        headers={"Authorization": f"Device dev_{house.event.other_device}"},
        json={"battery": 9, "pending": 3},
    )
    assert answer.status_code in (200, 204), answer.text
    await expect(phone).to_contain_text("9 %")
    await expect(phone.locator(".chip")).to_have_count(2)


async def test_the_ticker_filters_and_stands_still_while_read(
    house: House, open_page: OpenPage
) -> None:
    page = await open_page()
    await control_room(page, house)
    await house.scan("T-4")
    await house.scan("no such code")
    look = page.get_by_role("button", name="To look at")
    await look.click()
    await expect(look).to_have_attribute("aria-pressed", "true")
    await expect(page.locator(".line").first).to_contain_text("Unknown code")
    await expect(page.locator(".line.admitted")).to_have_count(0)
    await page.get_by_role("button", name="All", exact=True).click()
    await page.fill("#ticker-words", "guest 4")
    await expect(page.locator(".line")).to_have_count(1)
    await page.fill("#ticker-words", "")
    await page.hover(".lines")
    first = await page.inner_text(".line >> nth=0")
    await house.scan("T-5")
    await expect(page.locator(".ticker .chip").first).to_contain_text("Paused")
    assert await page.inner_text(".line >> nth=0") == first
    await page.mouse.move(5, 5)
    await expect(page.locator(".line").first).to_contain_text("Guest 5")


async def test_a_lost_connection_is_shown_at_once_and_mends_itself(
    house: House, open_page: OpenPage, watched: Watched, shots: Path
) -> None:
    watched.expect(r"WebSocket connection to .* failed")
    page = await open_page()
    await control_room(page, house)
    before = await shown(page)
    house.kill("live")
    # The end of the socket says so, not its silence.
    await expect(page.locator("[data-state=stale]")).to_be_visible(timeout=10_000)
    banner = page.locator(".stale-banner")
    await expect(banner).to_have_attribute("role", "alert")
    await expect(banner).to_contain_text("These figures are old")
    await page.screenshot(path=shots / "control-room-lost.png")
    await house.scan("T-6")
    assert await shown(page) == before
    await house.start("live")
    await page.wait_for_selector("[data-state=fresh]")
    await expect(page.locator(INSIDE)).to_have_text(str(before + 1))
    await expect(banner).to_have_count(0)


async def test_the_page_speaks_french_and_remembers_it(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    page = await open_page(color_scheme="light")
    await control_room(page, house)
    await page.get_by_role("button", name="Français").click()
    await expect(page.locator(".hero h2")).to_have_text("À l’intérieur")
    assert await page.get_attribute("html", "lang") == "fr"
    await page.reload()
    await page.wait_for_selector("[data-state=fresh]")
    await expect(page.locator(".hero h2")).to_have_text("À l’intérieur")
    await page.screenshot(path=shots / "control-room-fr.png")


async def test_dark_light_and_wall_by_keyboard(
    house: House, open_page: OpenPage
) -> None:
    page = await open_page()
    await control_room(page, house)
    assert await page.get_attribute("html", "data-theme") == "dark"
    await page.keyboard.press("Alt+d")
    assert await page.get_attribute("html", "data-theme") == "light"
    await page.keyboard.press("Alt+t")
    await expect(page.locator(".room.tv")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator(".room.tv")).to_have_count(0)
    await page.keyboard.press("Alt+k")
    await expect(page.locator("#ticker-words")).to_be_focused()


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 800), (390, 844)])
async def test_the_page_can_be_used_by_everybody(
    house: House, open_page: OpenPage, size: tuple[int, int], shots: Path
) -> None:
    page = await open_page(*size)
    await page.add_init_script(
        "globalThis.shift = 0; globalThis.moved = [];"
        "new PerformanceObserver((list) => { for (const entry of list.getEntries()) {"
        "globalThis.shift += entry.value; for (const {node, previousRect, currentRect}"
        " of entry.sources) globalThis.moved.push([node?.outerHTML?.slice(0, 70),"
        " previousRect.y, previousRect.height, currentRect.y, currentRect.height]);}"
        "}).observe({type: 'layout-shift', buffered: true});"
    )
    await control_room(page, house)
    assert await page.locator("h1").count() == 1
    assert await page.get_by_role("main").count() == 1
    assert await page.get_by_role("banner").count() == 1
    nameless = await page.evaluate(
        "[...document.querySelectorAll('button, a, input, [role=meter], [role=img]')]"
        ".filter((node) => !(node.getAttribute('aria-label') || node.innerText.trim()"
        " || document.querySelector(`label[for='${node.id}']`)))"
        ".map((node) => node.outerHTML.slice(0, 100))"
    )
    assert nameless == []
    small = await page.evaluate(
        "[...document.querySelectorAll('button, a.button, input')].map((node) =>"
        " [node.outerHTML.slice(0, 60), node.getBoundingClientRect()])"
        ".filter(([, box]) => box.width > 0 && (box.width < 24 || box.height < 24))"
        ".map(([name]) => name)"
    )
    assert small == []
    # Nothing sticks out sideways, however narrow the screen.
    wide = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "skip"
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "figures"
    assert await page.evaluate("globalThis.shift") < 0.1, await page.evaluate(
        "globalThis.moved"
    )
    await page.screenshot(path=shots / f"control-room-{size[0]}.png", full_page=True)


async def test_signing_out_ends_the_live_figures(
    house: House, open_page: OpenPage, watched: Watched
) -> None:
    watched.expect(r"401|403|WebSocket")
    page = await open_page()
    await control_room(page, house)
    other = await page.context.new_page()
    await other.goto(f"{house.url}/")
    await other.wait_for_selector(".event-card")
    await other.get_by_role("button", name="Sign out").click()
    await other.wait_for_selector("#email")
    await expect(page.locator("[data-state=stale]")).to_be_visible()
    await expect(page.locator(".stale-banner")).to_contain_text("signed out")


async def test_the_policy_is_strict_and_kept(house: House, open_page: OpenPage) -> None:
    page = await open_page()
    answer = await page.goto(f"{house.url}/")
    assert answer is not None
    policy = (await answer.all_headers())["content-security-policy"]
    assert "unsafe-inline" not in policy
    assert "'unsafe-eval'" not in policy
    assert "default-src 'self'" in policy
    source = await page.content()
    assert "<script>" not in source
    assert " style=" not in (await answer.text())


async def test_the_api_page_lists_what_the_server_offers(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    page = await open_page()
    await page.goto(f"{house.url}/docs/")
    scan = page.locator(".operation", has_text="/scans").first
    await expect(scan).to_be_visible()
    await page.fill("input[type=search]", "login")
    await expect(page.locator(".operation")).to_have_count(1)
    await expect(page.locator(".operation")).to_contain_text("password")
    await page.screenshot(path=shots / "api.png")


async def test_a_narrow_screen_begins_with_the_figures(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    page = await open_page(390, 844)
    await control_room(page, house)
    ways = page.get_by_role("navigation")
    await expect(ways).to_have_count(0)
    await page.screenshot(path=shots / "control-390-top.png")
    top = await page.get_by_role("banner").bounding_box()
    assert top is not None
    assert top["height"] < 160, top
    await page.get_by_role("button", name="Menu").click()
    await expect(ways.get_by_role("link")).to_have_count(5)
    await page.screenshot(path=shots / "control-390-menu.png")
    await ways.get_by_role("link", name="Doors", exact=True).click()
    await page.wait_for_url("**/doors.html?event=*")


async def test_a_stopped_admission_is_said_on_top(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    page = await open_page()
    await control_room(page, house)
    top = page.get_by_role("banner")
    await expect(top).to_contain_text("Doors open")
    stop = (
        "INSERT INTO ops.admission_stops (event_id, gate_id)"
        " VALUES ($1, $2) RETURNING id"
    )
    pool, event = house.database.pool, house.event
    await pool.execute(stop, event.id, event.main_gate)
    await expect(top).to_contain_text("Stopped in one place")
    await expect(top).to_contain_text("Doors open")
    await pool.execute(stop, event.id, None)
    await expect(top).to_contain_text("Admission stopped")
    await expect(top).not_to_contain_text("Doors open")
    await page.screenshot(path=shots / "control-stopped.png")
    await pool.execute("UPDATE ops.admission_stops SET lifted_at = now()")
    await expect(top).to_contain_text("Doors open")
    await expect(top).not_to_contain_text("topped")
