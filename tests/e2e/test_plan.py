"""Places and rules in Chromium: what is changed there is felt at the next scan."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

import pytest
from playwright.async_api import Locator, Page, expect

from ops.ids import uuid7
from tests.e2e.conftest import OpenPage, Watched
from tests.e2e.house import EMAIL, PASSWORD, House
from tests.e2e.test_doors import NAMELESS

pytestmark = pytest.mark.browser

STICKING_OUT = """
document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] :
[...document.querySelectorAll('body *')]
  .filter((node) => !node.closest('.scroll-x')
    && node.getBoundingClientRect().right > document.documentElement.clientWidth)
  .map((node) => node.outerHTML.slice(0, 80))
"""
SIZES = ((1366, 900), (390, 844))


async def plan(open_page: OpenPage, house: House, tab: str = "") -> Page:
    """Sign in and open the page of places and rules."""
    page = await open_page(*SIZES[0])
    address = f"/plan.html?event={house.event.id}"
    await page.goto(f"{house.url}/?next={address.replace('?', '%3F')}")
    await page.fill("#email", EMAIL)
    await page.fill("#password", PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".doors-main .panel")
    if tab:
        await page.get_by_role("navigation").get_by_role("button", name=tab).click()
    return page


async def looked_at(page: Page, shots: Path, name: str) -> None:
    """Screenshots on a desk (dark) and in a hand (light); nothing sticks out."""
    for (width, height), theme in zip(SIZES, ("dark", "light"), strict=True):
        await page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        await page.set_viewport_size({"width": width, "height": height})
        assert await page.evaluate(STICKING_OUT) == [], (name, width)
        assert await page.evaluate(NAMELESS) == [], name
        await page.screenshot(path=shots / f"{name}-{width}.png", full_page=True)
    await page.evaluate("document.documentElement.dataset.theme = 'dark'")
    await page.set_viewport_size({"width": SIZES[0][0], "height": SIZES[0][1]})


async def own_type(house: House, name: str) -> UUID:
    """A ticket type of which no other test of the house has let anybody in or has
    written a rule."""
    made = uuid7()
    await house.database.pool.execute(
        "INSERT INTO ticket_types (id, event_id, name, ticket_category, price)"
        " VALUES ($1, $2, $3, 'general', 100)",
        made,
        house.event.id,
        name,
    )
    return made


def cell(page: Page, scope: str, column: str) -> Locator:
    """A cell of the matrix, by what a screen reader would say of it."""
    return page.get_by_role("button", name=re.compile(f"^{scope}, {column}, "))


async def test_rules_are_changed_beside_the_simulator_and_felt_at_the_door(
    house: House, open_page: OpenPage, watched: Watched, shots: Path
) -> None:
    page = await plan(open_page, house)
    await expect(cell(page, "VIP lounge", "VIP")).to_have_class(re.compile("own"))
    shut = cell(page, "VIP lounge", "Regular")
    await expect(shut).to_have_class(re.compile("not unlisted"))
    gate = str(house.event.lounge_gate)
    assert (await house.scan("T-1", gate_id=gate))["reason"] == "wrong_area"
    # The arrows go from cell to cell: VIP lies right of Regular.
    await shut.focus()
    await page.keyboard.press("ArrowRight")
    await expect(cell(page, "VIP lounge", "VIP")).to_be_focused()
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("Enter")
    said = page.locator(".try-out .why-answer")
    await expect(said).to_have_attribute("data-reason", "wrong_area")
    await looked_at(page, shots, "plan-rules-shut")
    # Allowed with two entries from half an hour before the doors, from 19 years on.
    form = page.locator(".rule-form")
    await form.get_by_role("button", name="May enter", exact=True).click()
    await form.get_by_label("From").select_option("doors")
    await form.get_by_label("Minutes after").fill("-30")
    await form.get_by_label("Entries in all").fill("2")
    await form.get_by_label("Age at least").fill("19")
    await form.get_by_role("button", name="Save").click()
    await expect(said).to_have_attribute("data-reason", "id_check")
    await expect(shut).to_contain_text("from doors −30 min")
    await expect(shut).to_contain_text("2 × in all")
    assert (await house.scan("T-1", gate_id=gate))["reason"] == "id_check"
    # A mistake is told at its field and nothing is saved.
    await form.get_by_label("Age at least").fill("")
    await form.get_by_role("button", name="Save").click()
    await expect(said).to_have_attribute("data-verdict", "admitted")
    # A time of the event, which is in another zone than this browser.
    await form.get_by_label("Until").select_option("at")
    await form.get_by_label("When (").fill("2020-01-01T18:00")
    await form.get_by_role("button", name="Save").click()
    await expect(said).to_have_attribute("data-reason", "too_late")
    closes = await house.database.pool.fetchval(
        "SELECT closes_at AT TIME ZONE 'America/Toronto' FROM ops.access_rules"
        " WHERE scope_id = $1 AND ticket_type_id = $2",
        house.event.lounge_scope,
        house.event.regular,
    )
    assert (closes.year, closes.hour) == (2020, 18)
    # One event day that differs, and a rule for a whole class.
    await page.get_by_role("button", name="One day").click()
    await form.get_by_label("Event day").fill("2031-05-04")
    await form.get_by_role("button", name="May not enter").click()
    await form.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("button", name="2031-05-04")).to_have_attribute(
        "aria-pressed", "true"
    )
    await expect(shut).to_contain_text("1 day(s) differ")
    await page.get_by_role("button", name="All classes").click()
    await cell(page, "Venue", "Press").click()
    await form.get_by_role("button", name="May enter", exact=True).click()
    await form.get_by_role("button", name="Save").click()
    await expect(cell(page, "Venue", "Press")).to_have_class(re.compile("may own"))
    await looked_at(page, shots, "plan-rules")
    # Everybody else is shut out of the venue now, and says so; removed, all may again.
    await expect(cell(page, "Venue", "Regular")).to_have_class(re.compile("unlisted"))
    await page.get_by_role("button", name="Remove the rule").click()
    await expect(cell(page, "Venue", "Regular")).to_have_class(re.compile("may scope"))
    assert (await house.scan("T-2"))["verdict"] == "admitted"
    await page.get_by_role("button", name="Français").click()
    await expect(page.locator(".legend")).to_contain_text("Règle propre")
    watched.expect("422")


async def test_places_are_made_changed_and_kept_when_something_hangs_on_them(
    house: House, open_page: OpenPage, watched: Watched, shots: Path
) -> None:
    watched.expect("409|422")
    page = await plan(open_page, house, "Places and gates")
    await page.get_by_role("button", name="+ Area").click()
    await page.get_by_label("Name", exact=True).fill("Terrace Ł 🎪")
    await page.get_by_label("Lies in").select_option(label="Venue")
    await page.get_by_label("People at most").fill("1")
    await page.screenshot(path=shots / "plan-area-dialog.png")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("dialog")).to_have_count(0)
    await page.get_by_role("button", name="+ Scope").click()
    await page.get_by_label("Name", exact=True).fill("Terrace Ł 🎪")
    await page.get_by_label("Area", exact=True).select_option(label="Terrace Ł 🎪")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("dialog")).to_have_count(0)
    await page.get_by_role("button", name="+ Gate").click()
    await page.get_by_label("Name", exact=True).fill("Terrace gate")
    await page.get_by_label("Area", exact=True).select_option(label="Terrace Ł 🎪")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("dialog")).to_have_count(0)
    line = page.get_by_role("region", name="Gates").locator("tr", has_text="Terrace")
    await expect(line).to_contain_text("In and out")
    await looked_at(page, shots, "plan-places")
    gate = await house.database.pool.fetchval(
        "SELECT id FROM ops.gates WHERE name = 'Terrace gate'"
    )
    # The new place is a place at once: one person fits, the next does not.
    first = await house.scan("T-10", gate_id=str(gate))
    assert (first["verdict"], first["area"]["name"]) == ("admitted", "Terrace Ł 🎪")
    assert (await house.scan("T-11", gate_id=str(gate)))["reason"] == "area_full"
    areas = page.get_by_role("region", name="Areas")
    await areas.get_by_role("button", name="Change Terrace").click()
    await page.get_by_label("People at most").fill("-1")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".field-bad")).to_be_visible()
    await page.get_by_label("People at most").fill("2")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("dialog")).to_have_count(0)
    assert (await house.scan("T-11", gate_id=str(gate)))["verdict"] == "admitted"
    # Where people were scanned is not deleted.
    scopes = page.get_by_role("region", name="Scopes")
    await scopes.get_by_role("button", name="Change Terrace").click()
    await page.get_by_role("button", name="Delete").click()
    await expect(page.locator("dialog .notice.bad")).to_be_visible()
    await page.get_by_role("button", name="Cancel").click()


async def test_a_question_is_written_in_two_languages_and_asked(
    house: House, open_page: OpenPage, watched: Watched, shots: Path
) -> None:
    watched.expect("422")
    page = await plan(open_page, house, "Questions")
    await expect(page.locator(".empty")).to_contain_text("Nothing is asked")
    await page.get_by_role("button", name="+ Question").click()
    dialog = page.locator("dialog")
    await dialog.get_by_label("Question (en)").fill("Which lunch?")
    await dialog.get_by_label("Question (fr)").fill("Quel repas ?")
    await dialog.get_by_label("Kind").select_option("choice")
    await dialog.get_by_label("Ticket type").select_option(label="VIP")
    # A choice without anything to choose would stop every door at its plan.
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.locator(".notice.bad")).to_contain_text("something to choose")
    for n, (english, french) in enumerate((("Vegan", "Végane"), ("Fish", "Poisson"))):
        await dialog.get_by_role("button", name="+ Choice").click()
        await dialog.get_by_label(f"Choice {n + 1} (en)").fill(english)
        await dialog.get_by_label(f"Choice {n + 1} (fr)").fill(french)
    await looked_at(page, shots, "plan-question-dialog")
    await dialog.get_by_role("button", name="Save").click()
    line = page.locator("tbody tr")
    await expect(line).to_contain_text("Vegan / Fish")
    asked = await house.scan("V-1")
    assert asked["reason"] == "needs_answers"
    [question] = asked["questions"]
    wrong = await house.scan("V-1", answers={question["id"]: "meat"})
    assert wrong["reason"] == "needs_answers"
    right = await house.scan("V-1", answers={question["id"]: "o2"})
    assert right["verdict"] == "admitted"
    await looked_at(page, shots, "plan-questions")
    # Switched off, nobody is asked; what was answered stays.
    await line.get_by_role("button", name="Asked", exact=True).click()
    await expect(line.get_by_role("button", name="Not asked")).to_be_visible()
    assert (await house.scan("V-2"))["verdict"] == "admitted"
    kept = await house.database.pool.fetchval("SELECT value FROM ops.answers")
    assert kept == "o2"


async def test_places_are_kept_for_a_type_until_they_are_given_back(
    house: House, open_page: OpenPage, watched: Watched, shots: Path
) -> None:
    watched.expect("422")
    pool = house.database.pool
    await house.event.add_ticket(
        pool, "B-1", await own_type(house, "Banquet"), "Zoë O'Brien-Łukasz"
    )
    page = await plan(open_page, house, "Kept places")
    await expect(page.locator(".empty")).to_contain_text("No places are kept")
    await page.get_by_role("button", name="+ Keep places").click()
    dialog = page.locator("dialog")
    await dialog.get_by_label("Place", exact=True).select_option(label="Venue")
    await dialog.get_by_label("Places", exact=True).fill("-3")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.locator(".field-bad")).to_be_visible()
    await dialog.get_by_label("Places", exact=True).fill("3")
    await dialog.get_by_label("For whom").select_option(label="Banquet")
    await dialog.get_by_label("Until").fill("2099-01-01T18:00")
    await dialog.get_by_label("Reason").fill("Tables of O'Brien-Łukasz 🎪")
    await looked_at(page, shots, "plan-held-dialog")
    await dialog.get_by_role("button", name="Save").click()
    line = page.locator("tbody tr")
    await expect(line).to_contain_text("Tables of O'Brien-Łukasz 🎪")
    await expect(line).to_contain_text("2099")
    # Three kept places and one more, beside whoever other tests have let in.
    await pool.execute(
        "UPDATE ops.areas SET capacity = inside + 4 WHERE id = $1", house.event.venue
    )
    assert (await house.scan("T-20"))["verdict"] == "admitted"
    assert (await house.scan("T-21"))["reason"] == "area_full"
    assert (await house.scan("B-1"))["verdict"] == "admitted"
    await looked_at(page, shots, "plan-held")
    # The class instead of the type: one choice, so never both.
    await line.get_by_role("button", name="Change").click()
    await dialog.get_by_label("For whom").select_option(label="Artists")
    await dialog.get_by_role("button", name="Save").click()
    await expect(line).to_contain_text("Artists")
    await line.get_by_role("button", name="Change").click()
    await dialog.get_by_role("button", name="Delete").click()
    await expect(page.locator(".empty")).to_contain_text("No places are kept")
    assert (await house.scan("T-21"))["verdict"] == "admitted"
    await pool.execute(
        "UPDATE ops.areas SET capacity = 1000 WHERE id = $1", house.event.venue
    )


async def test_one_ticket_may_more_than_its_type(
    house: House, open_page: OpenPage, watched: Watched, shots: Path
) -> None:
    watched.expect("422")
    gate = str(house.event.lounge_gate)
    pool = house.database.pool
    # The lounge's rules know nothing of their type, and the exception is for one alone.
    kind = await own_type(house, "Day visitor")
    await house.event.add_ticket(pool, "R-1", kind, "Thị O'Brien-Łukasz")
    await house.event.add_ticket(pool, "R-2", kind, "李小龙")
    assert (await house.scan("R-1", gate_id=gate))["reason"] == "wrong_area"
    page = await plan(open_page, house, "Single tickets")
    await expect(page.locator(".empty")).to_contain_text("No ticket has an exception")
    await page.get_by_role("searchbox").fill("Thị")
    await page.get_by_role("button", name="Look").click()
    await page.get_by_role("button", name="Exception for Thị").click()
    dialog = page.locator("dialog")
    await dialog.get_by_label("Scope").select_option(label="VIP lounge")
    await dialog.get_by_label("Allowed?").select_option(label="May enter")
    await dialog.get_by_label("Reason").fill("Stands in for the host")
    await dialog.get_by_label("Entries in all").fill("1")
    await looked_at(page, shots, "plan-exemption-dialog")
    await dialog.get_by_role("button", name="Save").click()
    line = page.locator("tbody tr")
    await expect(line).to_contain_text("May enter")
    await expect(line).to_contain_text("Thị O'Brien-Łukasz")
    assert (await house.scan("R-1", gate_id=gate))["verdict"] == "admitted"
    assert (await house.scan("R-2", gate_id=gate))["reason"] == "wrong_area"
    await looked_at(page, shots, "plan-exemptions")
    await page.get_by_role("button", name="Français").click()
    await expect(line).to_contain_text("Peut entrer")
    await line.get_by_role("button").click()
    await dialog.get_by_role("button", name="Supprimer").click()
    await expect(page.locator(".empty")).to_contain_text("Aucun billet")
