"""The page of the doors in Chromium: what door managers do, felt at the next scan."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from ops.ids import uuid7
from tests.e2e.conftest import OpenPage
from tests.e2e.house import EMAIL, PASSWORD, House

pytestmark = pytest.mark.browser

NAMELESS = """
[...document.querySelectorAll('button, a, input, select')]
  .filter((node) => !(node.getAttribute('aria-label') || node.innerText.trim()
    || document.querySelector(`label[for='${node.id}']`)))
  .map((node) => node.outerHTML.slice(0, 100))
"""


async def doors(
    open_page: OpenPage,
    house: House,
    tab: str = "",
    size: tuple[int, int] = (1366, 900),
) -> Page:
    """Sign in and open the page of the doors."""
    page = await open_page(*size)
    address = f"/doors.html?event={house.event.id}"
    await page.goto(f"{house.url}/?next={address.replace('?', '%3F')}")
    await page.fill("#email", EMAIL)
    await page.fill("#password", PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".doors-main .panel")
    await expect(page.locator(".doors-top .chip.good")).to_be_visible()
    if tab:
        await page.get_by_role("navigation").get_by_role("button", name=tab).click()
    return page


async def call(house: House, **fields: Any) -> str:
    """A steward presses Help."""
    call_id = str(uuid7())
    answer = await house.http.post(
        f"/api/v1/events/{house.event.id}/help-calls",
        headers={"Authorization": f"Device dev_{house.event.device}"},
        json={"id": call_id, "kind": "security", **fields},
    )
    assert answer.status_code == 200, answer.text
    return call_id


async def test_doors_and_gates_are_set_and_felt(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    page = await doors(open_page, house)
    await page.screenshot(path=shots / "doors.png", full_page=True)
    await page.locator(".state-buttons .button").nth(2).click()
    # Shutting all doors is asked twice.
    assert (await house.scan("T-50"))["verdict"] == "admitted"
    await page.locator(".state-buttons .button").nth(2).click()
    await expect(page.locator(".notice")).to_contain_text("next scan")
    assert (await house.scan("T-51"))["reason"] == "doors_closed"
    await page.locator(".state-buttons .button").nth(0).click()
    await expect(page.locator(".state-buttons .button").nth(0)).to_have_attribute(
        "aria-pressed", "true"
    )
    assert (await house.scan("T-51"))["verdict"] == "admitted"
    await page.get_by_label("Instead of Main gate").select_option(label="Room 1 door")
    await expect(page.locator(".notice")).to_contain_text("next scan")
    for _ in range(600):  # the notice may still be the one of the act before
        instead = await house.database.pool.fetchval(
            "SELECT use_instead_id FROM ops.gates WHERE id = $1", house.event.main_gate
        )
        if instead is not None:
            break
        await page.wait_for_timeout(50)
    assert instead == house.event.room_gate


async def test_a_stop_names_the_devices_that_have_not_confirmed(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    page = await doors(open_page, house)
    await page.get_by_label("Why?", exact=True).fill("smoke")
    stop = page.get_by_role("button", name="Stop", exact=True)
    await stop.click()
    await page.get_by_role("button", name="Sure? Touch again").click()
    line = page.locator(".stop-line")
    await expect(line).to_contain_text("Not confirmed yet")
    await page.screenshot(path=shots / "doors-stop.png", full_page=True)
    assert (await house.scan("T-52"))["reason"] == "admission_stopped"
    await page.get_by_role("button", name="Reopen").click()
    await expect(line).to_have_count(0)
    assert (await house.scan("T-52"))["verdict"] == "admitted"


async def test_a_device_is_renamed_moved_locked_and_revoked(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    page = await doors(open_page, house, "Devices")
    field = page.get_by_label("Name of Phone 3")
    await field.fill("李小龙's phone")
    await field.blur()
    moved = page.get_by_label("Gate of 李小龙's phone")
    await moved.select_option(label="Main gate")
    line = page.locator("tr", has=page.get_by_label("Name of 李小龙's phone"))
    await line.get_by_role("button", name="Lock").click()
    await expect(line.get_by_text("Locked", exact=True)).to_be_visible()
    row = await house.database.pool.fetchrow(
        "SELECT * FROM ops.devices WHERE id = $1", house.event.lounge_device
    )
    assert row is not None
    assert (row["name"], row["gate_id"]) == ("李小龙's phone", house.event.main_gate)
    assert row["locked_at"] is not None
    await line.get_by_role("button", name="Revoke").click()
    await line.get_by_role("button", name="Sure? Touch again").click()
    await expect(line.get_by_text("Revoked", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Make a code").click()
    await expect(page.locator(".qr")).to_be_visible()
    await page.screenshot(path=shots / "doors-devices.png", full_page=True)


async def test_a_call_stands_above_the_figures_until_it_is_seen(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    page = await doors(open_page, house, "Help")
    room = await page.context.new_page()
    await room.goto(f"{house.url}/control.html?event={house.event.id}")
    await room.wait_for_selector("[data-state=fresh]")
    call_id = await call(house, kind="queue", queue="long")
    band = room.locator(f"[data-call='{call_id}']")
    await expect(band).to_be_visible()
    # A minute ago: it is louder.
    await house.database.pool.execute(
        "UPDATE ops.help_calls SET received_at = received_at - interval '70 s'"
        " WHERE id = $1",
        UUID(call_id),
    )
    await expect(room.locator(".help-call.loud")).to_be_visible()
    await room.screenshot(path=shots / "control-room-call.png")
    await band.get_by_role("button", name="Seen").click()
    await expect(band).to_have_count(0)
    await expect(page.locator(f"[data-call='{call_id}']")).to_contain_text("Seen by")
    await page.get_by_label("What happened").fill("O'Brien-Łukasz fell 🤕")
    await page.get_by_role("button", name="Report").click()
    await expect(page.locator(".incident")).to_contain_text("O'Brien-Łukasz fell")
    await page.screenshot(path=shots / "doors-help.png", full_page=True)
    await page.locator(".incident").get_by_role("button", name="Close").click()
    await expect(page.locator(".incident")).to_have_count(0)


async def test_the_log_tells_a_story_and_the_simulator_says_why(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    await house.scan("T-55")
    page = await doors(open_page, house, "Log")
    await page.get_by_role("button", name="Guest 55").first.click()
    await expect(page.locator(".story li").first).to_be_visible()
    await page.screenshot(path=shots / "doors-log.png")
    await page.get_by_role("navigation").get_by_role("button", name="Why?").click()
    await page.get_by_label("Ticket code").fill("T-56")
    await page.get_by_label("Gate", exact=True).select_option(label="Lounge gate")
    await page.get_by_role("button", name="What would happen?").click()
    await expect(page.locator(".why-answer")).to_have_attribute(
        "data-verdict", "refused"
    )
    await expect(page.locator(".check.nearest")).to_be_visible()
    await page.screenshot(path=shots / "doors-why.png", full_page=True)
    assert await house.admissions("T-56") == []


async def test_the_absence_of_the_network_has_a_price_tag(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    await house.database.pool.execute(
        "INSERT INTO ops.offline_settings (event_id, mode, budget, package_hours)"
        " VALUES ($1, 'bounded', 7, 12)",
        house.event.id,
    )
    page = await doors(open_page, house, "Offline")
    await expect(page.locator(".worst")).to_contain_text("double entries possible")
    await page.get_by_role("button", name="Strict").click()
    await expect(page.get_by_role("button", name="Strict")).to_have_attribute(
        "aria-pressed", "true"
    )
    await page.screenshot(path=shots / "doors-offline.png", full_page=True)
    # Another mode, and nothing else that was chosen.
    kept = await house.database.pool.fetchrow(
        "SELECT mode, budget, package_hours FROM ops.offline_settings"
        " WHERE event_id = $1",
        house.event.id,
    )
    assert tuple(kept or ()) == ("strict", 7, 12)


@pytest.mark.parametrize("size", [(1920, 1080), (390, 844)])
async def test_nothing_sticks_out_and_everything_has_a_name(
    house: House, open_page: OpenPage, size: tuple[int, int], shots: Path
) -> None:
    page = await doors(open_page, house, size=size)
    for tab in (
        "People",
        "Many at once",
        "Counts",
        "Devices",
        "Help",
        "Offline",
        "Log",
        "Why?",
    ):
        await page.get_by_role("navigation").get_by_role("button", name=tab).click()
        await page.wait_for_selector(".doors-main .panel")
        nameless = await page.evaluate(NAMELESS)
        assert nameless == [], tab
        wide = await page.evaluate(
            "document.documentElement.scrollWidth"
            " - document.documentElement.clientWidth"
        )
        assert wide <= 0, tab
        await page.screenshot(path=shots / f"doors-{tab.strip('?')}-{size[0]}.png")
