"""An attendee's own page in Chromium: the link, the seat, and what is announced."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from ops.auth.attendees import AttendeeTokens
from ops.checkin import codes
from ops.ids import uuid7
from tests.e2e.conftest import OpenPage, Watched
from tests.e2e.house import HOLDER, House

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
async def session(house: House) -> UUID:
    """A session with one seat that may be registered for."""
    made, start = uuid7(), datetime.now(UTC) + timedelta(hours=1)
    await house.database.pool.execute(
        """INSERT INTO sessions (id, event_id, title, start_time, end_time, area_id,
             door_mode, max_attendees, waitlist_enabled)
           VALUES ($1, $2, 'L’art de la file 🎪', $3, $4, $5, 'registered', 1, true)""",
        *(made, house.event.id, start, start + timedelta(hours=1), house.event.room),
    )
    return made


async def private_link(house: House, code: str = "") -> str:
    """The address in the mail of a ticket's holder: of our own code's, if none."""
    pool = house.database.pool
    attendee = await pool.fetchval(
        """SELECT t.attendee_id FROM ops.ticket_codes c
             JOIN tickets t ON t.id = c.ticket_id WHERE c.code_hash = $1""",
        codes.code_hash(code or house.own_code),
    )
    async with pool.acquire() as db, db.transaction():
        token = await AttendeeTokens.make(db, attendee, "link", None)
    return f"{house.url}/me.html#{token}"


async def opened(page: Page, house: House) -> Page:
    await page.goto(await private_link(house))
    await expect(page.locator("h1")).to_have_text("Small conference")
    return page


async def test_the_link_opens_ticket_seat_and_what_is_announced(
    house: House, open_page: OpenPage, session: UUID, shots: Path
) -> None:
    page = await opened(await open_page(390, 844), house)
    assert "att_" not in page.url  # it leaves the address bar at once
    await expect(page.locator(".code img[data-state=there]")).to_be_visible()
    await expect(page.locator(".ticket").first).to_contain_text(HOLDER)
    await page.screenshot(path=shots / "me-ticket-390.png", full_page=True)

    await page.get_by_role("button", name="Agenda").click()
    line = page.locator(".session", has_text="file")
    await expect(line).to_contain_text("Seats left: 1")
    await line.get_by_role("button", name="Take a seat").click()
    await expect(line).to_contain_text("Your seat")
    await expect(line).to_contain_text("Full")
    await page.screenshot(path=shots / "me-agenda-390.png", full_page=True)
    await line.get_by_role("button", name="Give it back").click()
    await expect(line).not_to_contain_text("Your seat")

    made = await house.http.post(
        f"/api/v1/events/{house.event.id}/announcements",
        json={
            "title": "The storm is coming: go to hall B",
            "content": "Please stay inside.\nStaff show you the way.",
            "priority": "urgent",
            "translations": {"fr": {"title": "Tempête", "content": "Hall B."}},
        },
    )
    assert made.status_code == 201, made.text
    sent = await house.http.post(
        f"/api/v1/events/{house.event.id}/announcements/{made.json()['id']}/send",
        json={},
    )
    assert sent.json()["status"] == "sent"
    await expect(page.locator(".tab .count")).to_have_text("1")
    await page.get_by_role("button", name="News").click()
    await expect(page.locator(".news-item")).to_contain_text("go to hall B")
    await page.screenshot(path=shots / "me-news-390.png", full_page=True)
    for _ in range(300):
        figures = await house.http.get(
            f"/api/v1/events/{house.event.id}/announcements/{made.json()['id']}",
        )
        if figures.json()["opened"]:
            break
        await page.wait_for_timeout(100)
    assert (figures.json()["delivered"], figures.json()["opened"]) == (1, 1)


async def test_people_are_met_only_if_they_want_to_be(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    page = await opened(await open_page(1280, 800, color_scheme="light"), house)
    await page.get_by_role("button", name="People").click()
    await expect(page.locator("#people-title")).to_be_visible()
    await page.locator("input[name=headline]").fill("Queues, <b>doors</b> & 李小龙")
    await page.locator("input[name=networking_visible]").check()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.")).to_be_visible()
    await page.screenshot(path=shots / "me-people-1280.png", full_page=True)
    kept = await house.database.pool.fetchval(
        "SELECT headline FROM attendees WHERE networking_visible"
    )
    assert kept == "Queues, <b>doors</b> & 李小龙"


async def test_without_a_network_the_ticket_stays_and_says_its_age(
    house: House, open_page: OpenPage, watched: Watched
) -> None:
    page = await opened(await open_page(390, 844), house)
    await expect(page.locator(".code img[data-state=there]")).to_be_visible()
    watched.expect("Failed to load resource|ERR_INTERNET_DISCONNECTED")
    await page.context.set_offline(True)
    await page.evaluate("dispatchEvent(new Event('online'))")
    await expect(page.locator(".notice.warn")).to_be_visible()
    await expect(page.locator(".code img[data-state=there]")).to_be_visible()


async def test_a_code_that_its_seller_alone_has_is_said_to_be_there(
    house: House, open_page: OpenPage, watched: Watched
) -> None:
    watched.expect("404")
    page = await open_page(390, 844)
    await page.goto(await private_link(house, "T-57"))
    await expect(page.locator(".code-words")).to_contain_text("your seller gave you")
    await expect(page.locator(".code figcaption")).to_have_count(0)


async def test_a_dead_link_asks_for_the_address(
    house: House, open_page: OpenPage, watched: Watched
) -> None:
    watched.expect("401")
    page = await open_page(390, 844, locale="fr-CA")
    await page.goto(f"{house.url}/me.html?event={house.event.id}#att_nothing")
    await expect(page.locator("h1")).to_have_text("Ouvrir ma page")
    await page.locator("input[name=email]").fill("nobody@example.org")
    await page.get_by_role("button", name="Envoyer le code").click()
    await page.locator("input[name=code]").fill("123456")
    await page.get_by_role("button", name="Ouvrir").click()
    await expect(page.locator(".notice.bad")).to_contain_text("Ce code")


async def test_the_ticket_opens_with_no_network(
    house: House, open_page: OpenPage, watched: Watched, shots: Path
) -> None:
    watched.expect(r"ERR_INTERNET_DISCONNECTED|Failed to (load|fetch)|ERR_FAILED")
    page = await opened(await open_page(390, 844), house)
    await expect(page.locator(".code img[data-state=there]")).to_be_visible()
    assert await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await page.context.set_offline(True)
    await page.reload()
    await expect(page.locator(".code img[data-state=there]")).to_be_visible()
    await expect(page.locator(".ticket").first).to_contain_text(HOLDER)
    await page.screenshot(path=shots / "me-offline-390.png", full_page=True)
    await page.context.set_offline(False)


async def test_a_session_that_moves_moves_on_the_open_page(
    house: House, open_page: OpenPage, session: UUID
) -> None:
    page = await opened(await open_page(390, 844), house)
    await page.get_by_role("button", name="Agenda").click()
    line = page.locator(".session", has_text="file")
    await expect(line).to_be_visible()
    await expect(line.locator(".chip", has_text="Moved")).to_have_count(0)
    await house.database.pool.execute(
        "UPDATE sessions SET start_time = start_time + interval '20 minutes',"
        " end_time = end_time + interval '20 minutes' WHERE id = $1",
        session,
    )
    start = await house.database.pool.fetchval(
        "SELECT start_time FROM sessions WHERE id = $1", session
    )
    shown = line.locator("time").first
    # Either the live line or the page's own look brings it; no reload by a person.
    await expect(shown).to_have_attribute("datetime", re.compile(f"{start:%H:%M}"))


async def test_the_qr_opens_what_is_announced_to_all_and_nothing_else(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    base = f"/events/{house.event.id}/announcements"
    for title, audience in (("Doors open 🎪", "all"), ("Only for VIPs", "vip")):
        made = await house.call(
            base, {"title": title, "content": "Now.", "target_audience": audience}
        )
        await house.call(f"{base}/{made['id']}/send", {"at_once": True})
    page = await open_page(390, 844)
    await page.goto(f"{house.url}/t/{house.own_code}")
    await expect(page.locator(".news-item", has_text="Doors open")).to_be_visible()
    await expect(page.get_by_text("Only for VIPs")).to_have_count(0)
    await page.screenshot(path=shots / "ticket-news-390.png", full_page=True)


async def test_what_one_allows_is_seen_and_taken_back(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    pool = house.database.pool
    contact = uuid7()
    await pool.execute(
        "INSERT INTO contacts (id, email, first_name, last_name)"
        " VALUES ($1, $2, 'Siobhán', '')",
        *(contact, "siobhan@example.org"),
    )
    await pool.execute(
        """UPDATE attendees SET contact_id = $2 WHERE id = (
             SELECT t.attendee_id FROM ops.ticket_codes c
               JOIN tickets t ON t.id = c.ticket_id WHERE c.code_hash = $1)""",
        *(codes.code_hash(house.own_code), contact),
    )
    page = await opened(await open_page(1366, 900), house)
    await page.get_by_role("button", name="People").click()
    box = page.get_by_label("Offers and news")
    await expect(box).not_to_be_checked()
    # The page shows what the server has said: the box follows its answer.
    await box.click()
    await expect(page.get_by_text("Saved.")).to_be_visible()
    await expect(box).to_be_checked()
    flag = "SELECT marketing_consent FROM contacts WHERE id = $1"
    assert await pool.fetchval(flag, contact) is True
    await page.screenshot(path=shots / "me-people.png", full_page=True)
    await box.click()
    await expect(box).not_to_be_checked()
    await expect(box).to_be_enabled()
    assert await pool.fetchval(flag, contact) is False
