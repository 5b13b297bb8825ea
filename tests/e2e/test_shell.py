"""What the pages of an event have in common: old lists say so, a server that comes late
is waited for."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from tests.e2e.conftest import OpenPage, Watched
from tests.e2e.house import House
from tests.e2e.test_doors import doors

pytestmark = pytest.mark.browser

PAGES = ("doors", "watch", "announcements", "emergency", "plan")
LONG = "Rencontre internationale des métiers de la scène, troisième édition"
LIVE, OLD = ".doors-top .chip.good", ".stale-banner"


def address(house: House, name: str) -> str:
    return f"{house.url}/{name}.html?event={house.event.id}"


async def test_what_is_old_says_so_on_every_page(
    house: House, open_page: OpenPage, watched: Watched, shots: Path
) -> None:
    watched.expect(r"WebSocket connection to .* failed")
    first = await doors(open_page, house)
    tabs: dict[str, Page] = {"doors": first}
    for name in PAGES[1:]:
        tabs[name] = await first.context.new_page()
        await tabs[name].goto(address(house, name))
    for page in tabs.values():
        await expect(page.locator(LIVE)).to_be_visible()
        await expect(page.locator(OLD)).to_have_count(0)
    house.kill("live")
    for name, page in tabs.items():
        await page.bring_to_front()
        await expect(page.locator(OLD)).to_contain_text("These figures are old")
        await page.screenshot(path=shots / f"{name}-lost.png")
    await house.start("live")
    for page in tabs.values():
        await page.bring_to_front()
        await expect(page.locator(OLD)).to_have_count(0)
        await expect(page.locator(LIVE)).to_be_visible()
        if page is not first:
            await page.close()


@pytest.mark.parametrize("silent", ["events", "config.json"])
async def test_a_page_waits_for_a_server_that_comes_late(
    house: House, open_page: OpenPage, watched: Watched, silent: str
) -> None:
    watched.expect(r"ERR_FAILED")
    page = await doors(open_page, house)
    left = [2]
    tail = f"/api/v1/events/{house.event.id}" if silent == "events" else "/config.json"

    async def away(route: Route) -> None:
        left[0] -= 1
        await (route.abort() if left[0] >= 0 else route.continue_())

    await page.route(lambda url: url.endswith(tail), away)
    await page.reload()
    if silent == "events":
        await expect(page.get_by_role("alert")).to_contain_text("does not answer")
    await expect(page.locator(LIVE)).to_be_visible()
    await expect(page.locator(".doors-main .panel").first).to_be_visible()
    await expect(page.locator(".notice.bad")).to_have_count(0)
    assert left[0] < 0  # it was asked again


async def test_a_page_whose_parts_do_not_come_says_so_and_opens_itself(
    house: House, open_page: OpenPage, watched: Watched
) -> None:
    watched.expect(r"ERR_FAILED")
    page = await doors(open_page, house)
    gone = True

    async def away(route: Route) -> None:
        await (route.abort() if gone else route.continue_())

    for part in ("model.js", "healthz"):
        await page.route(f"**/{part}", away)
    await page.reload()
    notice = page.locator("#app > [role=alert]")
    await expect(notice).to_contain_text("could not be loaded whole")
    gone = False
    await expect(page.locator(LIVE)).to_be_visible()
    await expect(notice).to_have_count(0)


async def test_nothing_sticks_out_of_a_phone_in_french(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    await house.database.pool.execute(
        "UPDATE events SET title = $2 WHERE id = $1", house.event.id, LONG
    )
    page = await doors(open_page, house, size=(390, 844))
    await page.get_by_role("button", name="Français").click()
    for name in (*PAGES, "control"):
        await page.goto(address(house, name))
        await expect(page.locator(f"{LIVE}, [data-state=fresh]").first).to_be_visible()
        await expect(page.locator("h1")).to_contain_text(LONG)
        await page.screenshot(path=shots / f"{name}-390-fr.png", full_page=True)
        wide = await page.evaluate(
            "document.documentElement.scrollWidth"
            " - document.documentElement.clientWidth"
        )
        assert wide <= 0, name
        # Whatever is said on a page, the way out of the hall is one touch away.
        if name not in ("control", "emergency"):
            way = page.locator(f"a[href='/emergency.html?event={house.event.id}']")
            await expect(way).to_be_visible()
