"""The page that a ticket's QR opens, in Chromium, over the real api role."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from ops.checkin import codes, qr
from ops.ids import uuid7
from tests.e2e.conftest import OpenPage, Watched
from tests.e2e.house import HOLDER, House

pytestmark = pytest.mark.browser

LONG = "Workshop: what a very long title of sixty letters does here"
# Reads a picture as the handheld does, with the same library.
READ = """async (picture) => {
  const { readBarcodes } = await import("/vendor/zxing-reader.mjs");
  const image = new Image();
  image.src = picture;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const seen = context.getImageData(0, 0, image.width, image.height);
  const found = await readBarcodes(seen);
  return found.map((one) => one.text);
}"""


@pytest.fixture(scope="module", autouse=True)
async def programme(house: House) -> None:
    """A second day, a session that does not take place, a place, a seat."""
    pool, event = house.database.pool, house.event
    start = datetime.now(UTC)
    for title, kind, hours, status in (
        ("L’art de la file d’attente 🎪", "panel", 2, "cancelled"),
        (LONG, "workshop", 4, "scheduled"),
        ("مقدمة قصيرة", "demo", 24, "scheduled"),
        ("李小龙: Lunch", "lunch", 25, "postponed"),
    ):
        await pool.execute(
            "INSERT INTO sessions (id, event_id, title, session_type, start_time,"
            " end_time, area_id, status) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            uuid7(),
            event.id,
            title,
            kind,
            start + timedelta(hours=hours),
            start + timedelta(hours=hours + 1),
            event.room,
            status,
        )
    venue = uuid7()
    await pool.execute(
        "INSERT INTO venues (id, name, address_line1, city)"
        " VALUES ($1, 'Lakeshore Hall', '1 Queens Quay W', 'Toronto')",
        venue,
    )
    await pool.execute(
        "UPDATE events SET venue_id = $2, doors_open_at = starts_at WHERE id = $1",
        event.id,
        venue,
    )


async def change(house: House, **columns: Any) -> None:
    """Change the ticket, as the desk would."""
    names = ", ".join(f"{name} = ${n}" for n, name in enumerate(columns, 2))
    await house.database.pool.execute(
        f"UPDATE tickets SET {names} WHERE id = ("
        " SELECT ticket_id FROM ops.ticket_codes WHERE code_hash = $1)",
        codes.code_hash(house.own_code),
        *columns.values(),
    )


@pytest.fixture(autouse=True)
async def as_sold(house: House) -> AsyncIterator[None]:
    """Each test begins with a valid ticket and leaves one."""
    yield
    await change(house, state="valid", seat_label=None, valid_to=None)


async def opened(page: Page, house: House) -> Page:
    """Open the address in the QR, as a phone's camera hands it over."""
    await page.goto(qr.address(house.url, house.own_code))
    await page.wait_for_selector(".ticket[data-state]")
    return page


async def read(page: Page) -> list[str]:
    """What a scanner reads off the screen."""
    await expect(page.locator(".code img[data-state=there]")).to_be_visible()
    picture = await page.locator(".code-box").screenshot()
    url = "data:image/png;base64," + base64.b64encode(picture).decode()
    return list(await page.evaluate(READ, url))


async def test_the_qr_opens_the_ticket_and_the_door_can_read_it(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    await change(house, seat_label="Row C, 12")
    page = await opened(await open_page(360, 780), house)
    await expect(page.locator("h1")).to_have_text("Small conference")
    await expect(page.locator(".type-row")).to_contain_text("VIP")
    await expect(page.locator(".type-row .chip")).to_have_text("Valid")
    await expect(page.locator(".facts .seat")).to_have_text("Row C, 12")
    await expect(page.locator(".facts")).to_contain_text("Lakeshore Hall")
    assert await read(page) == [house.own_code]
    # Big and white in the dark theme as well.
    box = await page.locator(".code-box").bounding_box()
    assert box is not None
    assert box["width"] >= 290
    assert abs(box["width"] - box["height"]) < 1
    assert await page.get_attribute("html", "data-theme") == "dark"
    ground = "getComputedStyle(document.querySelector('.code-box')).backgroundColor"
    assert await page.evaluate(ground) == "rgb(255, 255, 255)"
    assert HOLDER not in await page.content()
    await page.screenshot(path=shots / "ticket-360-dark.png", full_page=True)


async def test_the_agenda_stands_by_day_with_rooms_at_the_time_of_the_event(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    # The phone lives in Tokyo, the event in Toronto.
    page = await opened(
        await open_page(1280, 900, color_scheme="light", timezone_id="Asia/Tokyo"),
        house,
    )
    lines = page.locator(".session")
    await expect(lines).to_have_count(5)
    first = lines.first
    await expect(first).to_contain_text("Opening")
    await expect(first).to_contain_text("Room 1 · Keynote")
    await expect(first.locator(".chip")).to_have_text("Now")
    begins = await house.database.pool.fetchval(
        "SELECT to_char(start_time AT TIME ZONE 'America/Toronto', 'HH24:MI')"
        " FROM sessions WHERE id = $1",
        house.event.session,
    )
    await expect(first.locator("time").first).to_have_text(begins)
    await expect(page.locator(".agenda")).to_contain_text("Eastern Time")
    assert await page.locator(".day").count() >= 2
    await expect(lines.filter(has_text="file d’attente").locator(".chip")).to_have_text(
        "Cancelled"
    )
    assert await read(page) == [house.own_code]
    await page.screenshot(path=shots / "ticket-1280.png", full_page=True)


async def test_the_page_speaks_the_browsers_language_and_switches(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    page = await opened(await open_page(390, 844, locale="fr-CA"), house)
    assert await page.get_attribute("html", "lang") == "fr"
    await expect(page.locator("#agenda")).to_have_text("Programme")
    await expect(page.locator(".type-row .chip")).to_have_text("Valable")
    await expect(page.locator(".agenda")).to_contain_text("heure de l’Est")
    assert "page.ticket" not in await page.content()
    await page.screenshot(path=shots / "ticket-fr.png", full_page=True)
    await page.get_by_role("button", name="English").click()
    await expect(page.locator("#agenda")).to_have_text("Agenda")
    await expect(page).to_have_title(re.compile("^Your ticket"))
    await page.reload()
    await expect(page.locator("#agenda")).to_have_text("Agenda")


@pytest.mark.parametrize(
    ("state", "shown", "words"),
    [
        ("cancelled", "cancelled", "was cancelled"),
        ("refunded", "refunded", "was refunded"),
        ("expired", "expired", "has expired"),
    ],
)
async def test_a_ticket_that_opens_no_door_shows_no_code(
    house: House,
    open_page: OpenPage,
    shots: Path,
    state: str,
    shown: str,
    words: str,
) -> None:
    await change(house, state=state)
    page = await opened(await open_page(360, 780), house)
    await expect(page.locator(".ticket")).to_have_attribute("data-state", shown)
    await expect(page.locator(".no-code")).to_contain_text(words)
    assert await page.locator(".code").count() == 0
    await page.screenshot(path=shots / f"ticket-{shown}.png", full_page=True)


async def test_an_unpaid_ticket_is_sent_to_the_desk_without_a_word_why(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    await change(house, state="unpaid", valid_to=datetime.now(UTC) + timedelta(hours=3))
    page = await opened(await open_page(360, 780, color_scheme="light"), house)
    await expect(page.locator(".ticket .notice")).to_contain_text("information desk")
    await expect(page.locator(".facts")).to_contain_text("until")
    assert "paid" not in (await page.inner_text("main")).lower()
    assert await read(page) == [house.own_code]
    await page.screenshot(path=shots / "ticket-desk.png", full_page=True)


async def test_a_code_that_opens_nothing_says_what_to_do(
    house: House, open_page: OpenPage, watched: Watched, shots: Path
) -> None:
    watched.expect(r"404 .*api/v1/ticket/")
    page = await open_page(360, 780)
    await page.goto(f"{house.url}/T/{house.own_code[:-1]}")
    await expect(page.get_by_role("alert")).to_contain_text("not known here")
    await page.screenshot(path=shots / "ticket-unknown.png")
    await page.goto(f"{house.url}/ticket.html")
    await expect(page.get_by_role("alert")).to_contain_text("not known here")


async def test_the_ticket_stays_when_the_network_goes(
    house: House, open_page: OpenPage, watched: Watched
) -> None:
    # A minute in an instant: the page gives up a socket that is just being opened.
    watched.expect(r"ERR_INTERNET_DISCONNECTED|closed before the connection")
    page = await open_page(390, 844)
    await page.clock.install()
    await opened(page, house)
    assert await read(page) == [house.own_code]
    await page.context.set_offline(True)
    await page.clock.fast_forward(60_000)
    old = page.locator("main > .notice")
    await expect(old).to_contain_text("No connection")
    assert await read(page) == [house.own_code]
    await page.context.set_offline(False)
    await page.clock.fast_forward(60_000)
    await expect(old).to_have_count(0)


async def test_a_code_that_could_not_be_loaded_comes_by_itself(
    house: House, open_page: OpenPage, watched: Watched
) -> None:
    watched.expect(r"429 .*qr\.svg")
    page = await open_page(390, 844)
    asked: list[str] = []

    async def crowded(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            await route.fulfill(status=429)
        else:
            await route.continue_()

    await page.route("**/qr.svg*", crowded)
    await opened(page, house)
    await expect(page.locator(".code-words")).to_contain_text("Trying again")
    assert await read(page) == [house.own_code]
    assert len(asked) == 2


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("language", ["en-CA", "fr-CA"])
async def test_the_page_can_be_used_by_everybody(
    house: House, open_page: OpenPage, width: int, language: str
) -> None:
    await change(house, seat_label="Balcony left, row 112, seat 2048 (aisle)")
    page = await open_page(width, 800, locale=language)
    await page.add_init_script(
        "globalThis.shift = 0; new PerformanceObserver((list) => {"
        "for (const entry of list.getEntries()) globalThis.shift += entry.value;"
        "}).observe({type: 'layout-shift', buffered: true});"
    )
    await opened(page, house)
    await expect(page.locator(".code img[data-state=there]")).to_be_visible()
    assert await page.locator("h1").count() == 1
    assert await page.get_by_role("main").count() == 1
    wide = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0
    nameless = await page.evaluate(
        "[...document.querySelectorAll('button, img:not([alt=\"\"])')].filter((node) =>"
        " !(node.getAttribute('aria-label') || node.alt || node.innerText?.trim()))"
        ".map((node) => node.outerHTML.slice(0, 100))"
    )
    assert nameless == []
    small = await page.evaluate(
        "[...document.querySelectorAll('button')].map((node) =>"
        " node.getBoundingClientRect()).filter((box) => Math.min(box.width,"
        " box.height) < 44).length"
    )
    assert small == 0
    assert await page.evaluate("globalThis.shift") < 0.1


async def test_the_page_keeps_the_policy(house: House, open_page: OpenPage) -> None:
    page = await open_page()
    answer = await page.goto(qr.address(house.url, house.own_code))
    assert answer is not None
    policy = (await answer.all_headers())["content-security-policy"]
    assert "unsafe-inline" not in policy
    source = await answer.text()
    assert "<script>" not in source
    assert " style=" not in source
    assert house.own_code not in source
