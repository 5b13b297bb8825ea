"""Every page of the product at phone, laptop and TV size: nothing is cut, covered, too
pale, too small to touch, or a word that was meant for a machine.

Each page is opened in one language, its neighbour in the other; EVERY_LANGUAGE=1 opens
all in both. People look at the pictures (`make screenshots`); this holds what a machine
can see.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from ops.auth.attendees import AttendeeTokens
from ops.checkin import codes
from ops.ids import uuid7
from tests.e2e.conftest import Watched
from tests.e2e.house import EMAIL, PASSWORD, House
from tests.looks.looker import SIZES, look, look_at_all
from tests.looks.views import View, guests, staff

pytestmark = pytest.mark.browser

LONG = "Wolfeschlegelsteinhausenbergerdorff-Ngũgĩ wa Thiong'o Papadimi"
NAMES = (
    ("Zoë 🎪", LONG),
    ("李", "小龙"),
    ("نور", "الفارابي"),
    ("Siobhán", "O'Brien-Łukasz"),
)
LOCALES = {"en": "en-CA", "fr": "fr-CA"}
BOTH = bool(os.environ.get("EVERY_LANGUAGE"))
# What is on the wall is cut to one line where it must be, and whole in its title.
PARTS = {
    "shell": ("doors-", "plan-", "watch-", "announcements-", "emergency-"),
    "crm": ("crm-",),
    "rest": ("home", "control", "tv"),
}


class Filled(NamedTuple):
    """The house with people whose names are difficult, and what addresses hold."""

    house: House
    known: dict[str, str]
    token: str


@pytest.fixture(scope="module")
async def filled(house: House) -> Filled:
    """Some who came, a contact, a company, a session with a title of sixty letters."""
    pool, event = house.database.pool, house.event
    for n, (first, last) in enumerate(NAMES):
        ticket = await event.add_ticket(pool, f"LOOK-{n}", event.regular, first)
        await pool.execute(
            "UPDATE attendees SET first_name = $2, last_name = $3"
            " WHERE id = (SELECT attendee_id FROM tickets WHERE id = $1)",
            *(ticket, first, last),
        )
        assert (await house.scan(f"LOOK-{n}"))["verdict"] == "admitted"
    await house.scan("NO SUCH TICKET")
    start = datetime.now(UTC) + timedelta(hours=1)
    await pool.execute(
        """INSERT INTO sessions (id, event_id, title, start_time, end_time, area_id,
             door_mode, max_attendees)
           VALUES ($1, $2, $3, $4, $5, $6, 'registered', 1)""",
        *(uuid7(), event.id, f"L’art de la file 🎪 {LONG}", start),
        *(start + timedelta(hours=1), event.room),
    )
    company = await house.call("/companies", {"name": f"Łódź & Fils {LONG}"})
    contact = await house.call(
        "/contacts",
        {
            "first_name": "Zoë",
            "last_name": LONG,
            "email": "zoe@example.org",
            "company_id": company["id"],
        },
    )
    attendee: UUID = await pool.fetchval(
        """SELECT t.attendee_id FROM ops.ticket_codes c
             JOIN tickets t ON t.id = c.ticket_id WHERE c.code_hash = $1""",
        codes.code_hash(house.own_code),
    )
    async with pool.acquire() as db, db.transaction():
        token = await AttendeeTokens.make(db, attendee, "link", None)
    known = {
        "event": str(event.id),
        "code": house.own_code,
        "contact": contact["id"],
        "company": company["id"],
    }
    return Filled(house, known, token)


@pytest.fixture(scope="module", params=["en", "fr"])
async def signed_in(
    filled: Filled, browser: Browser, request: pytest.FixtureRequest
) -> AsyncIterator[tuple[str, BrowserContext]]:
    """The owner's browser in one language."""
    context = await browser.new_context(
        locale=LOCALES[request.param], reduced_motion="reduce"
    )
    page = await context.new_page()
    await page.goto(filled.house.url)
    await page.fill("#email", EMAIL)
    await page.fill("#password", PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".events")
    await page.close()
    yield request.param, context
    await context.close()


def opened_in(language: str, views: list[View]) -> list[View]:
    """Those of these views that are opened in a language."""
    return views if BOTH else views[list(LOCALES).index(language) :: len(LOCALES)]


async def wrong(
    filled: Filled, context: BrowserContext, views: list[View], language: str
) -> list[str]:
    """What is wrong with these views, at each size."""
    lines: list[str] = []
    for view in opened_in(language, views):
        page = await context.new_page()
        lines += await look_at_all(
            page,
            filled.house.url,
            view,
            filled.known,
            SIZES[language],
            language=language,
        )
        await page.close()
    return lines


@pytest.mark.parametrize("part", PARTS)
async def test_the_pages_of_staff(
    filled: Filled, signed_in: tuple[str, BrowserContext], part: str
) -> None:
    language, context = signed_in
    views = [
        view
        for view in staff()
        if view.who == "owner" and view.name.startswith(PARTS[part])
    ]
    assert views
    assert await wrong(filled, context, views, language) == []


@pytest.mark.parametrize("language", LOCALES)
async def test_the_pages_of_guests_and_devices(
    filled: Filled, browser: Browser, language: str
) -> None:
    context = await browser.new_context(
        locale=LOCALES[language], permissions=["camera"], reduced_motion="reduce"
    )
    views = [view for view in guests() if view.who == "nobody"]
    lines = await wrong(filled, context, views, language)
    page = await context.new_page()
    await page.goto(f"{filled.house.url}/me.html#{filled.token}")
    await page.wait_for_selector(".code img")
    await page.close()
    views = [view for view in guests() if view.who == "attendee"]
    lines += await wrong(filled, context, views, language)
    page = await context.new_page()
    await page.goto(await filled.house.pairing_url(f"{LONG} {language}"[:60]))
    await page.wait_for_selector(".scanner")
    await page.close()
    views = [view for view in guests() if view.who == "scanner"]
    lines += await wrong(filled, context, views, language)
    await context.close()
    assert lines == []


BROKEN = """() => {
  const made = document.createElement("div");
  made.innerHTML = `
    <p id="wide">wide</p><p id="cut">far too long for so little</p>
    <p id="word">NaN people</p><p id="key">page.no.such.key</p>
    <button id="small">i</button><p id="pale">pale</p>
    <button id="under">under</button><button id="over">over</button>`;
  document.body.append(made);
  const style = (id, more) => Object.assign(document.getElementById(id).style, more);
  style("wide", { width: "3000px" });
  style("cut", { width: "20px", overflow: "hidden", whiteSpace: "nowrap" });
  style("small", { width: "9px", height: "9px", padding: 0, minHeight: 0 });
  style("pale", { color: "#ccc", background: "#fff" });
  style("over", { marginLeft: "-40px" });
}"""


async def test_control_the_measures_see_what_is_wrong(
    filled: Filled, browser: Browser, watched: Watched
) -> None:
    context = await browser.new_context(locale="en-CA", reduced_motion="reduce")
    page: Page = await context.new_page()
    await page.goto(filled.house.url)
    await page.wait_for_selector(".sign-in")
    assert await look(page, SIZES["en"][0]) == []
    await page.evaluate(BROKEN)
    kinds = {kind for kind, _ in await look(page, SIZES["en"][0])}
    assert kinds >= {
        "sticks-out",
        "cut",
        "word",
        "small",
        "contrast",
        "overlap",
    }, kinds
    await context.close()
