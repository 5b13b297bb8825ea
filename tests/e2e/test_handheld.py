"""The handheld in Chromium: a camera that sees a ticket, a scanner that types, a
server that dies, over the real roles and stores."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from ops.checkin import qr
from tests.e2e.conftest import Launch, OpenPage, Watched
from tests.e2e.house import HOLDER, PIN, House, film

pytestmark = pytest.mark.browser

PHONE = (390, 844)


async def scanner(page: Page, house: House, name: str) -> Page:
    """Make this page a scanner at the main gate."""
    await page.goto(await house.pairing_url(name))
    await page.wait_for_selector(".scanner")
    return page


KEY_GAP_S = 0.005


async def wedge(page: Page, code: str) -> None:
    """Type as a scanner does: real keys, milliseconds apart, and Enter.

    The keys say themselves when they were pressed: a busy machine that brings them
    late must not look like a person who types.
    """
    session = await page.context.new_cdp_session(page)
    enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
    keys = [{"key": key} | ({"text": key} if key >= " " else {}) for key in code]
    typed = [*keys, enter | {"text": "\r"}]
    start_s = time.time() - len(typed) * KEY_GAP_S
    await asyncio.gather(
        *(
            session.send(
                "Input.dispatchKeyEvent",
                {"type": kind, "timestamp": start_s + at * KEY_GAP_S, **key},
            )
            for at, key in enumerate(typed)
            for kind in ("keyDown", "keyUp")
        )
    )
    await session.detach()


SEEN = """async ([selector, withinMs]) => {
  const end = performance.now() + withinMs;
  for (;;) {
    const found = document.querySelector(selector);
    const box = found?.getBoundingClientRect();
    if (box?.width > 0) return [box.width, box.height, found.innerText];
    if (performance.now() > end) return null;
    await new Promise((again) => setTimeout(again, 20));
  }
}"""


SHOWN = """() => [...document.querySelectorAll(".verdict")].map(
  (one) => [one.dataset.verdict, one.dataset.reason, one.innerText])"""


async def verdict(page: Page, kind: str, reason: str = "", look: str = "") -> str:
    """Wait for a verdict over the whole screen; returns its words.

    All of it is read in one moment of the page: a green goes by itself after less than
    two seconds, which is not long for a busy machine.
    """
    selector = f".verdict{look}[data-verdict={kind}]"
    selector += f"[data-reason={reason}]" if reason else ""
    seen = await page.evaluate(SEEN, [selector, 30_000])
    assert seen, (selector, await page.evaluate(SHOWN))
    width, height, words = seen
    size = page.viewport_size
    assert size is not None
    assert (width, height) == (size["width"], size["height"])
    return str(words)


async def logged(house: House, code: str, wanted: int) -> int:
    """How often a ticket stands in the log, once it is there so often."""
    async with asyncio.timeout(15):
        while True:
            found: int = await house.database.pool.fetchval(
                "SELECT count(*) FROM ops.scan_log WHERE ticket_id = $1",
                house.event.tickets[code],
            )
            if found >= wanted:
                return found
            await asyncio.sleep(0.02)


async def test_the_camera_reads_a_ticket_and_shows_green_with_the_name(
    house: House, open_page: OpenPage, launch: Launch, tmp_path: Path, shots: Path
) -> None:
    film(qr.address(house.url, house.own_code), tmp_path / "ticket.y4m")
    page = await open_page(*PHONE, inside=await launch(tmp_path / "ticket.y4m"))
    await scanner(page, house, "Camera phone")
    words = await verdict(page, "admitted", "ok")
    assert HOLDER in words
    await page.screenshot(path=shots / "handheld-green.png")
    # Green goes by itself, and the code that is still in the picture is no new scan.
    await expect(page.locator(".verdict")).to_have_count(0)
    await page.screenshot(path=shots / "handheld.png")
    [row] = await house.admissions("own")
    assert row["confirmed_at"] is not None
    # The same ticket typed by a scanner at once is no alarm and no second entry.
    await wedge(page, house.own_code)
    assert "just now" in await verdict(page, "refused", "already_inside", ".again")
    assert len(await house.admissions("own")) == 1
    # The refusal is in the log within 0.1 s, and the repeated picture is not.
    assert await logged(house, "own", 2) == 2


async def test_a_copy_is_red_until_it_is_touched(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    await house.scan("T-10")
    page = await scanner(await open_page(*PHONE), house, "Phone red")
    await wedge(page, "T-10")
    words = await verdict(page, "refused", "already_inside")
    assert "Guest 10" in words
    assert "Main gate" in words
    assert "Phone 2" in words
    await page.screenshot(path=shots / "handheld-red.png")
    await page.wait_for_timeout(2_500)
    await expect(page.locator(".verdict.stop")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.locator(".verdict")).to_have_count(0)


async def test_green_never_blocks_the_next_guest(
    house: House, open_page: OpenPage
) -> None:
    page = await scanner(await open_page(*PHONE), house, "Phone quick")
    for n in range(11, 16):
        await wedge(page, f"T-{n}")
        await expect(page.locator(".verdict-name")).to_have_text(f"Guest {n}")
    for n in range(11, 16):
        assert len(await house.admissions(f"T-{n}")) == 1


async def test_a_scanner_that_types_into_the_field_sends_one_scan(
    house: House, open_page: OpenPage
) -> None:
    page = await scanner(await open_page(*PHONE), house, "Phone wedge")
    await page.focus("#manual-code")
    await wedge(page, "T-16\x00\x1d")
    await expect(page.locator(".verdict-name")).to_have_text("Guest 16")
    assert await page.input_value("#manual-code") == ""
    rows = await house.database.pool.fetchval(
        "SELECT count(*) FROM ops.scan_log WHERE ticket_id = $1",
        house.event.tickets["T-16"],
    )
    assert rows == 1


async def test_a_person_types_a_code(house: House, open_page: OpenPage) -> None:
    page = await scanner(await open_page(*PHONE), house, "Phone typed")
    await page.locator("#manual-code").press_sequentially("T-17", delay=90)
    await page.keyboard.press("Enter")
    await expect(page.locator(".verdict-name")).to_have_text("Guest 17")
    [row] = await house.admissions("T-17")
    assert row["check_in_method"] == "manual"


async def test_a_group_is_asked_how_many(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    event = house.event
    await event.add_ticket(
        house.database.pool, "GROUP-1", event.group, "Família 🎉", admits=4
    )
    page = await scanner(await open_page(*PHONE), house, "Phone group")
    await wedge(page, "GROUP-1")
    words = await verdict(page, "hold", "needs_count")
    assert "4 places free" in words
    await page.screenshot(path=shots / "handheld-group.png")
    await page.get_by_role("button", name="3", exact=True).click()
    words = await verdict(page, "admitted", "ok")
    assert "3 of 4 inside" in words
    assert len(await house.admissions("GROUP-1")) == 3


async def test_the_last_admission_can_be_undone(
    house: House, open_page: OpenPage
) -> None:
    page = await scanner(await open_page(*PHONE), house, "Phone undo")
    await wedge(page, "T-18")
    await verdict(page, "admitted", "ok")
    await expect(page.locator(".verdict")).to_have_count(0)
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator(".past").first).to_contain_text("Undone")
    [row] = await house.admissions("T-18")
    assert row["undone_at"] is not None


async def test_a_person_signs_on_and_turns_the_direction(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    await house.call(
        f"/events/{house.event.id}/operators",
        {"name": "Étienne Côté", "pin": PIN, "role": "steward"},
    )
    page = await scanner(await open_page(*PHONE), house, "Phone turned")
    await wedge(page, "T-19")
    await verdict(page, "admitted", "ok")
    await expect(page.locator(".verdict")).to_have_count(0)
    await page.locator("button.direction").click()
    await expect(page.locator(".pin")).to_be_focused()
    await page.screenshot(path=shots / "handheld-pin.png")
    await page.keyboard.type(PIN, delay=80)
    await page.keyboard.press("Enter")
    await page.get_by_label("Direction", exact=True).select_option("out")
    await page.get_by_role("button", name="Done").click()
    await expect(page.locator(".direction.out")).to_be_visible()
    await expect(page.locator(".status")).to_contain_text("Étienne Côté")
    await wedge(page, "T-19")
    await verdict(page, "exited", "ok", ".out")
    await page.screenshot(path=shots / "handheld-exit.png")
    [row] = await house.admissions("T-19")
    assert row["checked_out_at"] is not None


async def test_the_scanner_speaks_french(house: House, open_page: OpenPage) -> None:
    page = await scanner(
        await open_page(*PHONE, locale="fr-CA"), house, "Téléphone français"
    )
    assert await page.get_attribute("html", "lang") == "fr"
    await expect(page.locator(".status")).to_contain_text("En ligne")
    await expect(page.locator(".direction")).to_contain_text("ENTRÉE")


async def test_a_code_that_does_not_pair_is_said(
    house: House, open_page: OpenPage, watched: Watched
) -> None:
    watched.expect(r"devices/pair")
    page = await open_page(*PHONE)
    await page.goto(f"{house.url}/scan/")
    await page.fill("#pairing-code", "ZZZZ-ZZZZ-ZZZZ")
    await page.get_by_role("button", name="Pair").click()
    await expect(page.locator("[role=alert]")).to_be_visible()


async def test_nothing_is_lost_while_the_server_is_gone(
    house: House, open_page: OpenPage, watched: Watched, shots: Path
) -> None:
    watched.expect(r"Failed to load resource: net::ERR")
    page = await open_page(*PHONE)
    # No package came through: then only a person can decide.
    await page.route("**/offline-package*", lambda route: route.abort())
    await scanner(page, house, "Phone alone")
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    house.kill("api")
    await wedge(page, "T-20")
    words = await verdict(page, "silent")
    assert "Do not admit yet" in words
    await page.screenshot(path=shots / "handheld-silent.png")
    await page.get_by_role("button", name="Scan the next guest").click()
    await expect(page.locator(".status")).to_contain_text("1 waiting")
    assert await house.admissions("T-20") == []
    # The page opens with the server gone, and still knows what waits.
    await page.reload()
    await page.wait_for_selector(".scanner")
    await expect(page.locator(".status")).to_contain_text("1 waiting")
    await expect(page.locator(".status")).to_contain_text("No answer")
    await house.start("api")
    await expect(page.locator(".status")).to_contain_text("Online")
    await expect(page.locator(".past").first).to_contain_text("Guest 20")
    await expect(page.locator(".late")).to_be_visible()
    assert len(await house.admissions("T-20")) == 1
    # The guest comes back: the same scan is asked again, and now it is shown.
    await wedge(page, "T-20")
    words = await verdict(page, "admitted", "ok")
    assert "Guest 20" in words
    assert len(await house.admissions("T-20")) == 1


async def test_the_device_decides_alone_and_the_counts_agree(
    house: House, open_page: OpenPage, watched: Watched, shots: Path
) -> None:
    """Paired, packed, the server killed, reloaded, scanned; the server is back."""
    watched.expect(r"Failed to load resource: net::ERR")
    page = await scanner(await open_page(*PHONE), house, "Phone on its own")
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await expect(page.locator(".status")).to_have_attribute("data-package", "bounded")
    await wedge(page, "T-50")
    await verdict(page, "admitted", "ok")
    await expect(page.locator(".verdict")).to_have_count(0)
    house.kill("api")
    await page.reload()
    await page.wait_for_selector(".scanner")
    await expect(page.locator(".status")).to_have_attribute("data-package", "bounded")
    await wedge(page, "T-51")
    await verdict(page, "admitted", "ok")
    await page.screenshot(path=shots / "handheld-alone.png")
    await expect(page.locator(".verdict")).to_have_count(0)
    await expect(page.locator(".status")).to_contain_text("1 waiting")
    # What the server let in before is known here too.
    await wedge(page, "T-50")
    await verdict(page, "refused", "already_inside")
    await page.keyboard.press("Escape")
    await wedge(page, "nobody's")
    await verdict(page, "refused", "unknown_code")
    await page.keyboard.press("Escape")
    await page.screenshot(path=shots / "handheld-alone-line.png")
    assert await house.admissions("T-51") == []
    await house.start("api")
    await expect(page.locator(".status")).to_contain_text("Online")
    [row] = await house.admissions("T-51")
    assert row["door_time"] is not None
    proof = await agreed(house, "Phone on its own")
    assert (proof["counts"]["admitted"], proof["entries"]) == (1, 1)
    assert proof["counts"]["turned_away"] == proof["turned_away"] == 2
    # And it goes on with the server.
    await wedge(page, "T-52")
    await verdict(page, "admitted", "ok")


async def agreed(house: House, name: str) -> dict[str, Any]:
    """The comparison of a device, once it agrees."""
    async with asyncio.timeout(30):
        while True:
            answer = await house.http.get(
                f"/api/v1/events/{house.event.id}/offline-proof"
            )
            found = {one["device"]: one for one in answer.json()}.get(name)
            if found and found["agrees"] and found["counts"]["admitted"]:
                return found
            await asyncio.sleep(0.1)
