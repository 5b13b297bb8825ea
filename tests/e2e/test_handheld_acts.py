"""What a steward does beside scanning, on a phone in Chromium over the real roles."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from ops.ids import uuid7
from tests.e2e.conftest import OpenPage, Watched
from tests.e2e.house import House
from tests.e2e.test_handheld import PHONE, scanner, verdict, wedge

pytestmark = pytest.mark.browser

STEWARD, SUPERVISOR = "240911", "240922"


@pytest.fixture(scope="module")
async def staffed(house: House) -> House:
    """The house with a steward and a supervisor."""
    for name, pin, role in (
        ("Zoë O'Brien-Łukasz", STEWARD, "steward"),
        ("Dana Haddad", SUPERVISOR, "supervisor"),
    ):
        await house.call(
            f"/events/{house.event.id}/operators",
            {"name": name, "pin": pin, "role": role},
        )
    return house


async def press_pin(page: Page, pin: str) -> None:
    for digit in pin:
        await page.get_by_role("button", name=digit, exact=True).click()
    await page.get_by_role("button", name="OK", exact=True).click()


async def phone(open_page: OpenPage, house: House, name: str) -> Page:
    return await scanner(await open_page(*PHONE), house, name)


async def test_a_call_for_help_and_the_answer_that_comes_back(
    staffed: House, open_page: OpenPage, shots: Path
) -> None:
    page = await phone(open_page, staffed, "Help phone")
    await page.get_by_role("button", name="Help").click()
    await page.screenshot(path=shots / "handheld-help.png")
    await page.get_by_role("button", name="Queue", exact=True).click()
    await page.get_by_role("button", name="Over the barrier").click()
    band = page.locator(".help-band")
    await expect(band).to_contain_text("nobody has seen it yet")
    row = await staffed.database.pool.fetchrow(
        "SELECT * FROM ops.help_calls ORDER BY received_at DESC LIMIT 1"
    )
    assert row is not None
    assert (row["kind"], row["queue"]) == ("queue", "over_barrier")
    assert row["gate_id"] == staffed.event.main_gate
    await staffed.call(f"/events/{staffed.event.id}/help-calls/{row['id']}/seen", {})
    await expect(band).to_contain_text("seen by Dana")
    await page.screenshot(path=shots / "handheld-help-seen.png")


async def test_a_call_made_without_a_network_is_sent_when_it_is_back(
    staffed: House, open_page: OpenPage, watched: Watched
) -> None:
    watched.expect(r"ERR_INTERNET_DISCONNECTED|Failed to (load|fetch)")
    watched.expect(r"ArrayBuffer instantiation .*/zxing-reader")  # was on its way
    page = await phone(open_page, staffed, "Cellar phone")
    await page.context.set_offline(True)
    await page.get_by_role("button", name="Help").click()
    await page.get_by_role("button", name="Medical").click()
    await expect(page.locator(".help-band")).to_contain_text("kept")
    await page.context.set_offline(False)
    await expect(page.locator(".help-band")).to_contain_text("nobody has seen")
    made = await staffed.database.pool.fetchval(
        "SELECT count(*) FROM ops.help_calls h JOIN ops.devices d ON d.id = h.device_id"
        " WHERE d.name = 'Cellar phone'"
    )
    assert made == 1


async def test_a_guest_is_found_by_name_and_admitted_by_hand(
    staffed: House, open_page: OpenPage, shots: Path
) -> None:
    page = await phone(open_page, staffed, "Search phone")
    await page.get_by_role("button", name="Find").click()
    await page.get_by_label("Name, company").fill("李小")
    person = page.locator(".person", has_text="李小龙")
    await expect(person).to_be_visible()
    await page.screenshot(path=shots / "handheld-search.png")
    await person.click()
    await page.get_by_role("button", name="Admit by hand").click()
    assert "李小龙" in await verdict(page, "admitted", "ok")
    [row] = await staffed.admissions("V-2")
    assert row["check_in_method"] == "manual"


async def test_a_supervisor_lets_in_for_one_action_and_the_steward_is_on_again(
    staffed: House, open_page: OpenPage, shots: Path
) -> None:
    page = await phone(open_page, staffed, "Override phone")
    await page.get_by_role("button", name="Sign on").click()
    await press_pin(page, STEWARD)
    await expect(page.locator(".status")).to_contain_text("Zoë")
    await staffed.database.pool.execute(
        "UPDATE tickets SET state = 'blocked' WHERE id = $1",
        staffed.event.tickets["T-30"],
    )
    await wedge(page, "T-30")
    words = await verdict(page, "hold", "blocked")
    # The guest reads along: the cause stands behind a touch.
    assert "blocked" not in words.lower()
    await page.screenshot(path=shots / "handheld-blocked.png")
    await page.get_by_role("button", name="Supervisor lets in").click()
    await page.get_by_label("Why?", exact=True).select_option("identity")
    await page.screenshot(path=shots / "handheld-override.png")
    await press_pin(page, SUPERVISOR)
    await verdict(page, "admitted")
    await expect(page.locator(".verdict")).to_have_count(0)
    await expect(page.locator(".status")).to_contain_text("Zoë")
    row = await staffed.database.pool.fetchrow(
        "SELECT l.*, o.name FROM ops.scan_log l"
        " JOIN ops.operators o ON o.id = l.operator_id"
        " WHERE l.ticket_id = $1 AND l.verdict = 'admitted'",
        staffed.event.tickets["T-30"],
    )
    assert row is not None
    assert row["name"] == "Dana Haddad"


async def test_a_supervisor_is_told_who_let_the_ticket_in_meanwhile(
    staffed: House, open_page: OpenPage, shots: Path
) -> None:
    """What was on the screen is what is decided on; the second body is asked about."""
    page = await phone(open_page, staffed, "Late phone")
    pool, ticket = staffed.database.pool, staffed.event.tickets["T-33"]
    await pool.execute("UPDATE tickets SET state = 'blocked' WHERE id = $1", ticket)
    await pool.execute(
        "UPDATE ops.devices SET operator_id = (SELECT id FROM ops.operators"
        " WHERE event_id = $2 AND role = 'supervisor' LIMIT 1) WHERE id = $1",
        staffed.event.other_device,
        staffed.event.id,
    )
    await wedge(page, "T-33")
    await verdict(page, "hold", "blocked")
    first = await staffed.scan("T-33", override={"reason": "known", "saw": "blocked"})
    assert first["verdict"] == "admitted"
    await page.get_by_role("button", name="Supervisor lets in").click()
    await page.get_by_label("Why?", exact=True).select_option("identity")
    await press_pin(page, SUPERVISOR)
    told = page.locator(".verdict")
    await expect(told).to_contain_text("Let in by Dana Haddad")
    await expect(told).to_contain_text("Phone 2")
    await page.screenshot(path=shots / "handheld-override-told.png")
    assert len(await staffed.admissions("T-33")) == 1
    # Asked again, about that one, it is the supervisor's own decision.
    await page.get_by_role("button", name="Supervisor lets in").click()
    await page.get_by_label("Why?", exact=True).select_option("family")
    await press_pin(page, SUPERVISOR)
    await verdict(page, "admitted")
    assert len(await staffed.admissions("T-33")) == 2


async def test_gate_and_direction_stand_behind_a_pin(
    staffed: House, open_page: OpenPage, shots: Path
) -> None:
    page = await phone(open_page, staffed, "Setup phone")
    await page.get_by_role("button", name="More", exact=True).click()
    await page.screenshot(path=shots / "handheld-menu.png")
    await page.get_by_role("button", name="Gate and direction").click()
    await press_pin(page, STEWARD)
    await page.get_by_label("Gate", exact=True).select_option(label="Lounge gate")
    await page.get_by_label("Direction", exact=True).select_option("out")
    await page.screenshot(path=shots / "handheld-setup.png")
    await page.get_by_role("button", name="Done").click()
    await expect(page.locator(".status")).to_contain_text("Lounge gate")
    await expect(page.locator(".direction.out")).to_be_visible()


async def test_a_locked_phone_shows_a_pin_and_nothing_else(
    staffed: House, open_page: OpenPage, watched: Watched, shots: Path
) -> None:
    watched.expect(r"423")
    page = await phone(open_page, staffed, "Lost phone")
    device = await staffed.database.pool.fetchval(
        "SELECT id FROM ops.devices WHERE name = 'Lost phone'"
    )
    await staffed.call(f"/devices/{device}/lock", {})
    await wedge(page, "T-31")
    await expect(page.locator("[data-locked]")).to_be_visible()
    assert await page.locator(".camera").count() == 0
    await page.screenshot(path=shots / "handheld-locked.png")
    await press_pin(page, STEWARD)
    await expect(page.locator(".scanner")).to_be_visible()
    # What was read before the lock was known is not lost.
    await expect(page.locator(".past")).not_to_have_count(0)


QUESTION = """
INSERT INTO ops.questions (id, event_id, ticket_type_id, kind, text, options, required)
VALUES ($1, $2, $3, $4, $5::text::jsonb, $6::text::jsonb, true)
"""


async def test_questions_are_asked_before_the_door_opens(
    staffed: House, open_page: OpenPage, shots: Path
) -> None:
    event = staffed.event
    for kind, text, options in (
        ("choice", {"en": "Which lunch?"}, [{"value": "v", "text": {"en": "Vegan"}}]),
        ("yes_no", {"en": "Lanyard given?", "fr": "Cordon remis ?"}, []),
    ):
        await staffed.database.pool.execute(
            QUESTION,
            uuid7(),
            event.id,
            event.vip,
            kind,
            json.dumps(text),
            json.dumps(options),
        )
    try:
        page = await phone(open_page, staffed, "Question phone")
        await page.fill("#manual-code", "V-1")
        await page.get_by_role("button", name="Check").click()
        await verdict(page, "hold", "needs_answers")
        await page.screenshot(path=shots / "handheld-questions.png")
        send = page.get_by_role("button", name=re.compile("missing|Go on"))
        await expect(send).to_be_disabled()
        await page.get_by_role("button", name="Vegan").click()
        await page.get_by_role("button", name="Yes", exact=True).click()
        await send.click()
        await verdict(page, "admitted")
    finally:
        await staffed.database.pool.execute("DELETE FROM ops.questions")


async def test_an_age_is_asked_for_and_a_yes_admits(
    staffed: House, open_page: OpenPage, shots: Path
) -> None:
    await staffed.database.pool.execute(
        "UPDATE ticket_types SET min_age = 19 WHERE id = $1", staffed.event.regular
    )
    try:
        page = await phone(open_page, staffed, "Age phone")
        await wedge(page, "T-29")
        await verdict(page, "hold", "id_check")
        await page.screenshot(path=shots / "handheld-age.png")
        await page.get_by_role("button", name="Yes", exact=True).click()
        await verdict(page, "admitted", "ok")
    finally:
        await staffed.database.pool.execute(
            "UPDATE ticket_types SET min_age = NULL WHERE id = $1",
            staffed.event.regular,
        )


async def test_a_sponsors_phone_makes_leads_and_no_entries(
    staffed: House, open_page: OpenPage, shots: Path
) -> None:
    pool, event = staffed.database.pool, staffed.event
    company, sponsor = uuid7(), uuid7()
    await pool.execute(
        "INSERT INTO companies (id, name) VALUES ($1, 'Analytical Engines')", company
    )
    await pool.execute(
        "INSERT INTO sponsors (id, event_id, company_id) VALUES ($1, $2, $3)",
        sponsor,
        event.id,
        company,
    )
    made: Any = await staffed.call(
        f"/events/{event.id}/enrolments",
        {
            "profile": "lead",
            "sponsor_id": str(sponsor),
            "max_devices": 3,
            "valid_until": "2099-01-01T00:00:00Z",
        },
    )
    page = await open_page(*PHONE)
    await page.goto(made["pairing_url"])
    await page.wait_for_selector(".lead-page")
    for _ in range(2):
        await page.fill("#lead-code", "T-40")
        await page.get_by_role("button", name="Check").click()
        await expect(page.locator(".lead-card")).to_contain_text("Guest 40")
    await expect(page.locator(".lead-card")).to_contain_text("2 visits")
    await page.get_by_role("radio", name="4 of 5").click()
    await page.get_by_label("Notes").fill("wants a demo")
    await page.get_by_label("Notes").blur()
    await page.screenshot(path=shots / "lead.png", full_page=True)
    await expect(page.get_by_role("radio", name="4 of 5")).to_be_checked()
    row = await pool.fetchrow("SELECT * FROM ops.sponsor_leads")
    assert row is not None
    assert (row["visits"], row["rating"]) == (2, 4)
    assert await staffed.admissions("T-40") == []


VAULT = """() => new Promise((done) => {
  const asked = indexedDB.open("handheld");
  asked.onsuccess = () => {
    const read = asked.result.transaction("facts").objectStore("facts").get("vault");
    read.onsuccess = () => {
      asked.result.close();
      done(Boolean(read.result));
    };
  };
})"""
KEPT = f"""async () => {{
  const kept = {VAULT};
  while (!(await kept())) await new Promise((again) => setTimeout(again, 20));
}}"""
"""Comes back when the vault is in the store; `wait_for_function` takes a promise for
a yes."""


async def sign_on(page: Page, pin: str) -> None:
    await page.locator(".status-button").click()
    await press_pin(page, pin)


async def test_the_pin_opens_the_names_after_a_reload_without_the_server(
    staffed: House, open_page: OpenPage, watched: Watched, shots: Path
) -> None:
    watched.expect(r"Failed to load resource: net::ERR")
    page = await phone(open_page, staffed, "Vault phone")
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await expect(page.locator(".status")).to_have_attribute("data-package", "bounded")
    await sign_on(page, STEWARD)
    await expect(page.locator(".status-button")).to_contain_text("Zoë")
    await page.evaluate(KEPT)
    staffed.kill("api")
    await page.reload()
    await page.wait_for_selector(".scanner")
    await wedge(page, "T-58")
    words = await verdict(page, "admitted", "ok")
    assert "Guest 58" not in words, "admitted without a name until the PIN is there"
    await expect(page.locator(".verdict")).to_have_count(0)
    await sign_on(page, "0000")
    await expect(page.get_by_role("alert")).to_contain_text("9 tries left")
    await page.screenshot(path=shots / "handheld-pin-left.png")
    await press_pin(page, STEWARD)
    await expect(page.locator("dialog")).to_have_count(0)
    await wedge(page, "T-59")
    assert "Guest 59" in await verdict(page, "admitted", "ok")
    await expect(page.locator(".verdict")).to_have_count(0)
    await page.locator(".status-button").click()
    for left in range(9, 0, -1):
        await press_pin(page, "0000")
        await expect(page.get_by_role("alert")).to_contain_text(f"{left} tries left")
    await press_pin(page, "0000")
    await expect(page.get_by_role("alert")).to_contain_text("No names are kept")
    assert await page.evaluate(VAULT) is False
    await staffed.start("api")
