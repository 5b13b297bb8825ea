"""The CRM in Chromium: a lead becomes an order, a person's rights, who sees what."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import expect

from ops.auth.accounts import create_user
from tests.e2e.conftest import OpenPage, Watched
from tests.e2e.house import PASSWORD, House
from tests.e2e.test_crm import opened

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
async def filled(house: House) -> dict[str, Any]:
    """A company with a contact, and a lead of it."""
    tag = uuid4().hex[:6]
    company = await house.call("/companies", {"name": f"Łódź & Fils {tag}"})
    contact = await house.call(
        "/contacts",
        {
            "first_name": "Zoë",
            "last_name": "O'Brien-Łukasz",
            "email": f"zoe.{tag}@example.org",
            "company_id": company["id"],
        },
    )
    lead = await house.call(
        "/leads",
        {
            "lead_source": "event",
            "contact_id": contact["id"],
            "company_id": company["id"],
            "event_id": str(house.event.id),
            "estimated_value": "4800.00",
            "probability_percentage": 40,
            "expected_close_date": "2031-05-20",
        },
    )
    return {"company": company, "contact": contact, "lead": lead}


async def test_a_lead_becomes_a_deal_and_an_order(
    house: House, filled: dict[str, Any], open_page: OpenPage, shots: Path
) -> None:
    page = await open_page(width=1920, height=1080)
    await opened(page, house, "pipeline/leads")
    lead = filled["lead"]
    card = page.locator(f"#card-{lead['id']}")
    await expect(card).to_have_text("Zoë O'Brien-Łukasz")
    await card.press("Alt+ArrowRight")
    await expect(
        page.locator(f"[data-stage=contacted] #card-{lead['id']}")
    ).to_be_visible()
    await expect(card).to_be_focused()
    await page.screenshot(path=shots / "crm-leads.png")
    await card.press("Enter")
    await expect(page.locator("#f-contact_id")).to_have_value("Zoë O'Brien-Łukasz")
    await page.click("dialog summary")
    await expect(page.locator(".steps li")).to_have_count(2)
    await page.click("text=Make an opportunity")
    company = filled["company"]["name"]
    deal = page.locator("[data-stage=qualification] .card", has_text=company).first
    await expect(deal).to_be_visible()
    await page.click("nav.parts >> text=Forecast")
    row = page.locator("tbody tr", has_text="May 2031")
    await expect(row).to_contain_text("1,920")  # 40 % of 4,800
    await page.screenshot(path=shots / "crm-forecast.png")
    await page.click("nav.parts >> text=Opportunities")
    await deal.locator("button").click()
    await page.click("text=Won: make the order")
    await expect(page.locator(".told")).to_contain_text("Order CRM-")
    won = page.locator("[data-stage=closed_won] .card", has_text=company)
    await expect(won).to_have_count(1)
    made = await house.database.pool.fetchrow(
        "SELECT o.total, l.lead_status FROM orders o"
        " JOIN opportunities d ON d.id = o.opportunity_id"
        " JOIN leads l ON l.id = d.lead_id WHERE l.id = $1::text::uuid",
        lead["id"],
    )
    assert (str(made["total"]), made["lead_status"]) == ("4800.00", "closed_won")


async def test_another_row_is_named_by_typing(
    house: House, filled: dict[str, Any], open_page: OpenPage, shots: Path
) -> None:
    page = await open_page(width=390, height=844)
    await opened(page, house, f"contacts/{filled['contact']['id']}")
    name = (await house.call("/companies", {"name": "Nguyễn Média"}))["name"]
    await page.click("text=Edit")
    await page.fill("#f-company_id", "nobody at all")
    await page.click("dialog button[type=submit]")
    await expect(page.locator("dialog[open]")).to_be_visible()  # it names nothing
    await page.fill("#f-company_id", "nguyen med")
    await expect(page.locator("#f-company_id-found option")).to_have_count(1)
    await page.fill("#f-company_id", name)
    await page.fill("#f-tags", "press,  regular ,")
    await page.screenshot(path=shots / "crm-edit-narrow.png")
    await page.click("dialog button[type=submit]")
    await expect(page.locator(".facts")).to_contain_text(name)
    await expect(page.locator(".facts")).to_contain_text("press, regular")


async def test_a_reminder_is_given_and_put_away(
    house: House, filled: dict[str, Any], open_page: OpenPage, shots: Path
) -> None:
    owner = (await house.http.get("/api/v1/auth/me")).json()["user"]["id"]
    task = await house.call(
        "/tasks",
        {
            "title": "Send the seating plan",
            "assigned_to": owner,
            "due_date": "2026-01-02T15:00:00Z",
            "reminder_date": "2026-01-01T15:00:00Z",
            "contact_id": filled["contact"]["id"],
        },
    )
    given = "SELECT true FROM ops.reminders WHERE task_id = $1::text::uuid"
    for _ in range(300):  # the keeper gives it within some seconds
        if await house.database.pool.fetchval(given, task["id"]):
            break
        await asyncio.sleep(0.2)
    page = await open_page()
    await opened(page, house, "tasks")
    shown = page.locator(".reminders .todo", has_text="Send the seating plan")
    await expect(shown).to_have_count(1)
    await page.screenshot(path=shots / "crm-reminders.png")
    await shown.locator("text=Put away").click()
    await expect(shown).to_have_count(0)
    await page.click(".pile.overdue .task-name >> text=Send the seating plan")
    await expect(page.locator("#f-assigned_to")).to_have_value(owner)
    await expect(page.locator("#f-contact_id")).to_have_value("Zoë O'Brien-Łukasz")


async def test_consents_everything_and_erasure(
    house: House,
    filled: dict[str, Any],
    open_page: OpenPage,
    watched: Watched,
    shots: Path,
) -> None:
    watched.expect(r"422 .*consents")
    person = await house.call(
        "/contacts",
        {
            "first_name": "Siân",
            "last_name": "Wolfeschlegelstein-Ngũgĩ",
            "email": f"{uuid4().hex}@example.org",
        },
    )
    text = {"purpose": "email", "version": "2026-11", "language": "fr", "body": "Oui."}
    await house.call("/consent-texts", text)
    page = await open_page(locale="fr-CA", color_scheme="light")
    await opened(page, house, f"contacts/{person['id']}")
    await page.click("button:has-text('+ Consentement')")
    await page.select_option("#f-regime", "gdpr")
    await page.fill("#f-source", "papier")
    await page.click("dialog button[type=submit]")
    await expect(page.locator("#f-text_id-bad")).to_be_visible()
    await page.select_option("#f-text_id", index=1)
    await page.click("dialog button[type=submit]")
    await expect(page.locator(".consent-list")).to_contain_text("GDPR")
    await expect(page.locator(".consent-list .chip.good")).to_have_count(1)
    async with page.expect_download() as started:
        await page.click("text=Tout sur cette personne")
    path = await (await started.value).path()
    told = await asyncio.to_thread(Path(path).read_text)
    assert "Wolfeschlegelstein-Ngũgĩ" in told
    await page.screenshot(path=shots / "crm-privacy-fr.png", full_page=True)
    await page.click("text=Effacer…")
    await page.fill("#f-reason", "demande écrite")
    await page.screenshot(path=shots / "crm-erase-fr.png")
    await page.click("text=Effacer définitivement")
    await expect(page.locator("h1")).not_to_contain_text("Wolfeschlegelstein")
    left = await house.database.pool.fetchval(
        "SELECT last_name FROM contacts WHERE id = $1::text::uuid", person["id"]
    )
    assert left == ""
    await page.goto(f"{house.url}/crm.html#privacy/erasures")
    await expect(page.locator("tbody")).to_contain_text("demande écrite")
    await page.click("nav.parts >> text=Durées de conservation")
    rules = (await house.http.get("/api/v1/privacy/retention")).json()
    await expect(page.locator("tbody tr")).to_have_count(len(rules))
    await page.screenshot(path=shots / "crm-retention-fr.png")
    await page.click("nav.parts >> text=Journal")
    await expect(page.locator("tbody tr").first).to_contain_text("contacts.erase")


async def test_roles_see_what_is_theirs(
    house: House, filled: dict[str, Any], open_page: OpenPage
) -> None:
    async with house.database.pool.acquire() as connection:
        await create_user(connection, "sal@example.org", PASSWORD, "sales")
    page = await open_page()
    await opened(page, house, "pipeline", email="sal@example.org")
    views = await page.locator(".crm-top nav a").all_inner_texts()
    assert views == ["Contacts", "Companies", "Pipeline", "Tasks", "Segments"]
    await expect(page.locator("nav.parts a")).to_have_count(4)
    await page.goto(f"{house.url}/crm.html#contacts/{filled['contact']['id']}")
    await expect(page.locator("#privacy")).to_be_visible()
    await expect(page.locator("text=Edit")).to_be_visible()
    await expect(page.locator("text=Erase")).to_have_count(0)
    await expect(page.locator("text=Everything about this person")).to_have_count(0)


async def test_rules_of_the_score_and_of_the_door_are_set(
    house: House, open_page: OpenPage, shots: Path, watched: Watched
) -> None:
    watched.expect(r"400 .*score-rules")
    watched.expect(r"422 .*effect-rules")
    page = await open_page(width=1280, height=900)
    await opened(page, house, "pipeline/rules")
    score = page.locator("section", has=page.locator("#rules-score")).last
    door = page.locator("section", has=page.locator("#rules-effects")).last
    await score.locator("text=New").click()
    await page.fill("#f-name", "Came, 2 × 🎪")
    await page.select_option("#f-signal", "event_attended")
    await page.fill("#f-points", "200")
    await page.click("dialog button[type=submit]")
    await expect(page.locator("#f-points-bad")).to_be_visible()
    await page.fill("#f-points", "20")
    await page.click("dialog button[type=submit]")
    await expect(score.locator("tbody tr")).to_contain_text(["+20"])

    await page.select_option("#rules-event", str(house.event.id))
    await door.locator("text=New").click()
    await page.fill("#f-name", "Talk at the booth")
    await page.select_option("#f-happened", "attended_session")
    await page.select_option("#f-action", "lead")
    await page.fill("#f-lead_score", "60")
    await page.click("dialog button[type=submit]")
    await expect(page.locator("#f-session_id-bad")).to_be_visible()
    await page.select_option("#f-session_id", str(house.event.session))
    await page.screenshot(path=shots / "crm-rule.png")
    await page.click("dialog button[type=submit]")
    row = door.locator("tbody tr", has_text="Talk at the booth")
    await expect(row).to_contain_text("was in the session")
    await page.screenshot(path=shots / "crm-rules.png")
    kept = await house.database.pool.fetchrow(
        "SELECT session_id, lead_score, due_hours, enabled FROM ops.effect_rules"
        " WHERE name = 'Talk at the booth'"
    )
    assert tuple(kept) == (house.event.session, 60, 24, True)

    await row.get_by_role("button", name="Talk at the booth").click()
    await page.uncheck("#f-enabled")
    await page.click("dialog button[type=submit]")
    await expect(row.locator(".chip")).to_have_text("off")
    await row.get_by_role("button", name="Talk at the booth").click()
    await page.click("dialog >> text=Delete")
    await expect(row).to_have_count(0)
    await score.get_by_role("button", name="Came, 2 × 🎪").click()
    await page.click("dialog >> text=Delete")
    await expect(score.locator("tbody tr")).to_have_count(0)
