"""People at the page of the doors: eject and ban, counted corrections, many at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import OpenPage, Watched
from tests.e2e.house import House
from tests.e2e.test_doors import doors
from tests.e2e.test_plan import looked_at

pytestmark = pytest.mark.browser


async def figures(house: House, area: str) -> Any:
    """The figures of a place, as the API says them."""
    answer = await house.http.get(f"/api/v1/events/{house.event.id}/counts")
    return next(one for one in answer.json() if one["area"] == area)


async def test_somebody_is_put_out_kept_out_and_let_in_again(
    house: House, open_page: OpenPage, watched: Watched, shots: Path
) -> None:
    watched.expect("422")
    await house.database.pool.execute(
        "UPDATE attendees SET email = 'zoe@example.org' WHERE first_name = $1",
        "O'Brien-Łukasz",
    )
    assert (await house.scan("V-1"))["verdict"] == "admitted"
    page = await doors(open_page, house, "People")
    await page.get_by_label("Name, company").fill("1")
    await page.get_by_role("button", name="Look").click()
    await expect(page.locator(".notice.bad")).to_be_visible()
    await page.get_by_label("Name, company").fill("OBRIEN")
    await page.get_by_role("button", name="Look").click()
    ticket = f"[data-ticket='{house.event.tickets['V-1']}']"
    person = page.locator(".incident", has=page.locator(ticket))
    await expect(person.locator(".chip", has_text="Inside")).to_be_visible()
    await person.get_by_role("button", name="Eject").click()
    form = page.get_by_role("form", name="Eject O'Brien-Łukasz")
    await form.get_by_label("Why?").fill("Threw a bottle 🍾")
    await form.get_by_label("And a ban?").select_option("event")
    await looked_at(page, shots, "doors-eject")
    await form.get_by_role("button", name="Eject now").click()
    await expect(person.locator(".chip.bad")).to_have_text("Blocked")
    ban = page.locator("[data-ban]")
    await expect(ban).to_contain_text("zoe@example.org")
    [row] = await house.admissions("V-1")
    assert row["checked_out_at"] is not None
    assert (await house.scan("V-1"))["reason"] in ("blocked", "banned")
    # A name alone bans nobody: the form asks for the date of birth.
    bans = page.get_by_role("form", name="Ban somebody")
    await bans.get_by_label("Known by").select_option("name")
    await expect(bans.get_by_label("Date of birth")).to_be_visible()
    await bans.get_by_label("Known by").select_option("email")
    await bans.get_by_label("E-mail").fill("Nobody@Example.org")
    await bans.get_by_label("Why?").fill("Sells forged tickets")
    await bans.get_by_label("Until").fill("2031-01-01T06:00")
    await bans.get_by_role("button", name="Ban", exact=True).click()
    await expect(ban).to_have_count(2)
    await expect(ban.first).to_contain_text("nobody@example.org")
    await looked_at(page, shots, "doors-people")
    line = page.locator("[data-ban]", has_text="zoe@example.org")
    await line.get_by_role("button", name="Lift").click()
    await line.get_by_label("Why?").fill("Settled")
    await line.get_by_role("button", name="Lift").click()
    await expect(ban).to_have_count(1)
    await page.get_by_role("button", name="Lifted ones too").click()
    await expect(page.locator("[data-ban].gone")).to_have_count(1)


async def test_a_place_is_set_to_what_was_counted(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    await house.scan("T-1")
    before = await figures(house, "Venue")
    page = await doors(open_page, house, "Counts")
    line = page.locator("tr", has_text="Venue").first
    await line.get_by_role("button", name="Correct Venue").click()
    form = page.get_by_role("form", name="Correct Venue")
    await form.get_by_label("Counted now").fill("1234")
    await form.get_by_label("Why?").fill("Heads counted at the fire drill")
    await form.get_by_role("button", name="Set").click()
    await expect(line).to_contain_text("1,234")
    await expect(line.locator(".chip.bad")).to_contain_text("234 too many")
    await looked_at(page, shots, "doors-counts")
    after = await figures(house, "Venue")
    assert (after["scanned"], after["inside"]) == (before["scanned"], 1234)
    reason = await house.database.pool.fetchval(
        "SELECT reason FROM ops.counts WHERE reason IS NOT NULL"
    )
    assert reason == "Heads counted at the fire drill"
    await line.get_by_role("button", name="Correct Venue").click()
    await form.get_by_label("Counted now").fill(str(before["scanned"]))
    await form.get_by_label("Why?").fill("Counted again")
    await form.get_by_role("button", name="Set").click()
    await expect(line.locator(".chip.bad")).to_have_count(0)


async def test_many_go_in_and_out_through_the_rules_of_a_door(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    pool = house.database.pool
    await pool.execute(
        "UPDATE tickets SET state = 'cancelled' WHERE id = $1",
        house.event.tickets["T-40"],
    )
    await house.scan("T-41")
    page = await doors(open_page, house, "Many at once")
    await page.get_by_label("Ticket type").select_option(label="Regular")
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator(".pick")).to_have_count(60)
    # Who is cancelled is not chosen by itself; chosen by hand, the door says no.
    cancelled = page.get_by_label("Guest 40", exact=True)
    await expect(cancelled).not_to_be_checked()
    await cancelled.check()
    await page.get_by_label("Guest 59", exact=True).uncheck()
    await page.get_by_label("Why?").fill("The coach from Łódź is here")
    await looked_at(page, shots, "doors-bulk")
    await page.get_by_role("button", name="Go: 59 tickets").click()
    outcome = page.locator("[data-bulk]")
    await expect(outcome).to_be_visible()
    done, away, failed = (await outcome.get_attribute("data-bulk") or "").split()
    assert int(failed) == 0
    assert int(done) + int(away) == 59
    rows = page.locator("tbody tr")
    await expect(rows.filter(has_text="Guest 40")).to_contain_text("Cancelled")
    await expect(rows.filter(has_text="Guest 41")).to_contain_text("Already inside")
    await looked_at(page, shots, "doors-bulk-done")
    assert await house.admissions("T-59") == []
    [row] = await house.admissions("T-42")
    assert row["check_in_method"] == "manual"
    await page.get_by_label("Direction").select_option("out")
    await page.get_by_role("button", name="Go: 59 tickets").click()
    await expect(rows.filter(has_text="Guest 42")).to_contain_text("Left")
    [row] = await house.admissions("T-42")
    assert row["checked_out_at"] is not None
