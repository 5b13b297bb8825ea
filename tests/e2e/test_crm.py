"""The CRM in Chromium: searching, a contact's life, the board by drag and by keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import OpenPage, Watched
from tests.e2e.house import EMAIL, PASSWORD, House
from tests.running import client

pytestmark = pytest.mark.browser

API = "/api/v1"
LONG = "Wolfeschlegelsteinhausenbergerdorff-Ngũgĩ wa Thiong'o Papadimi"
NARROW = (
    *("contacts", "companies", "pipeline/opportunities", "pipeline/leads"),
    *("pipeline/forecast", "pipeline/rules", "tasks", "segments", "team"),
    *("privacy/retention", "privacy/erasures", "privacy/texts", "privacy/audit"),
)
NAMES = (
    ("Zoë", "O'Brien-Łukasz"),
    ("李", "小龙"),
    ("نور", "الفارابي"),
    ("Émile 🎪", LONG),
)


@pytest.fixture(scope="module")
async def filled(house: House) -> dict[str, Any]:
    """A company, contacts with difficult names, deals and tasks."""
    async with client(base_url=house.url) as http:
        login = {"email": EMAIL, "password": PASSWORD}
        answer = (await http.post(f"{API}/auth/login", json=login)).json()
        http.cookies.clear()
        http.headers["Authorization"] = f"Bearer {answer['access_token']}"

        async def make(resource: str, **body: Any) -> dict[str, Any]:
            made = await http.post(f"{API}/{resource}", json=body)
            assert made.status_code == 201, made.text
            return made.json()

        company = await make("companies", name="Łódź & Fils", account_type="customer")
        contacts = [
            await make(
                "contacts",
                first_name=first,
                last_name=last,
                email=f"person{n}@example.org",
                company_id=company["id"],
                lead_score=95 - n * 20,
                contact_type="vip" if n == 0 else "individual",
                email_consent=n == 0,
            )
            for n, (first, last) in enumerate(NAMES)
        ]
        for n in range(60):
            await make(
                "contacts",
                first_name="Guest",
                last_name=f"Number {n:02}",
                email=f"guest{n}@example.org",
            )
        deals = [
            await make(
                "opportunities",
                name=name,
                stage=stage,
                amount=amount,
                probability=chance,
                company_id=company["id"],
                contact_id=contacts[0]["id"],
                expected_close_date="2027-01-31",
            )
            for name, stage, amount, chance in (
                ("Booth at the autumn fair", "prospecting", "12500.00", 20),
                ("Gala tables", "proposal", "4800.50", 60),
                ("Group tickets", "negotiation", "990.00", 80),
            )
        ]
        me = answer["user"]["id"]
        for title, due in (
            ("Call back about the booth", "2026-01-02T15:00:00Z"),
            ("Send the floor plan", "2030-01-02T15:00:00Z"),
        ):
            await make(
                "tasks",
                title=title,
                due_date=due,
                priority="urgent",
                assigned_to=me,
                contact_id=contacts[0]["id"],
            )
    return {"contacts": contacts, "company": company, "deals": deals}


async def opened(
    page: Page,
    house: House,
    where: str = "contacts",
    email: str = EMAIL,
    password: str = PASSWORD,
) -> None:
    """Open a view, signing in on the way."""
    await page.goto(f"{house.url}/crm.html#{where}")
    await page.wait_for_selector("#email")
    await page.fill("#email", email)
    await page.fill("#password", password)
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".crm h1")


async def test_people_are_found_and_opened(
    house: House, filled: dict[str, Any], open_page: OpenPage, shots: Path
) -> None:
    page = await open_page()
    await opened(page, house)
    await expect(page.locator("tbody tr")).to_have_count(50)
    await page.select_option("#sort", "-lead_score")
    await expect(page.locator("tbody tr").first).to_contain_text("O'Brien-Łukasz")
    await page.screenshot(path=shots / "crm-contacts.png")
    await page.click("text=More")
    await expect(page.locator("tbody tr")).to_have_count(64)
    await page.keyboard.press("Alt+k")
    await page.keyboard.type("OBRIEN LUKASZ".replace("OBRIEN", "o'brien"))
    await expect(page.locator("tbody tr")).to_have_count(1)
    await page.fill("#search", "小龙")
    await expect(page.locator("tbody tr")).to_contain_text("李 小龙")
    await page.fill("#search", "nobody at all")
    await expect(page.locator(".empty.big")).to_contain_text("nobody at all")
    await page.fill("#search", "zoe")
    await page.click("text=Zoë O'Brien-Łukasz")
    await expect(page.locator("h1")).to_have_text("Zoë O'Brien-Łukasz")
    await expect(page.locator(".timeline .entry").first).to_be_visible()
    await page.click("button:has-text('+ Note')")
    await page.fill("#f-content", "Prefers to be called after four.")
    await page.keyboard.press("Tab")
    await page.click("dialog button[type=submit]")
    await expect(page.locator(".told")).to_have_text("Saved.")
    await expect(page.locator(".entry.kind-note").first).to_be_visible()
    await page.screenshot(path=shots / "crm-contact.png", full_page=True)


async def test_a_contact_is_made_and_mistakes_stand_at_their_field(
    house: House,
    filled: dict[str, Any],
    open_page: OpenPage,
    watched: Watched,
    shots: Path,
) -> None:
    watched.expect(r"(409|422|412) .*contacts")
    page = await open_page(color_scheme="light")
    await opened(page, house)
    await page.click("text=New")
    await page.fill("#f-first_name", "Ana")
    await page.fill("#f-last_name", "Måns")
    await page.fill("#f-email", "person0@example.org")
    await page.click("dialog button[type=submit]")
    await expect(page.locator("#f-email-bad")).to_be_visible()
    await expect(page.locator("#f-email")).to_have_value("person0@example.org")
    await page.screenshot(path=shots / "crm-form-light.png")
    await page.fill("#f-email", "ana.mans@example.org")
    await page.click("dialog button[type=submit]")
    await expect(page.locator("h1")).to_have_text("Ana Måns")
    # Somebody else changes it meanwhile: nothing is lost silently.
    await page.click("text=Edit")
    contact = page.url.split("/")[-1]
    await house.database.pool.execute(
        "UPDATE contacts SET city = 'Łódź' WHERE id = $1::text::uuid", contact
    )
    await page.fill("#f-job_title", "Host")
    await page.click("dialog button[type=submit]")
    await expect(page.locator("dialog .notice.bad")).to_contain_text("meanwhile")
    await page.click("dialog button[type=submit]")
    # "Saved." may still be the word about the first time: the form goes when it is.
    await expect(page.locator("dialog[open]")).to_have_count(0)
    await expect(page.locator(".told")).to_have_text("Saved.")
    both = await house.database.pool.fetchrow(
        "SELECT city, job_title FROM contacts WHERE id = $1::text::uuid", contact
    )
    assert tuple(both) == ("Łódź", "Host")


async def test_a_deal_is_moved_by_drag_and_by_keys(
    house: House, filled: dict[str, Any], open_page: OpenPage, shots: Path
) -> None:
    page = await open_page()
    await opened(page, house, "pipeline")
    for deal in filled["deals"]:
        await expect(page.locator(f"#card-{deal['id']}")).to_be_visible()
    await expect(page.locator(".sums")).to_contain_text("18,291")
    await page.screenshot(path=shots / "crm-pipeline.png")
    card = page.locator(".card", has_text="Booth at the autumn fair")
    await card.drag_to(page.locator("[data-stage=qualification]"))
    there = page.locator("[data-stage=qualification] .card")
    await expect(there).to_contain_text("Booth")
    # The board shows a move at once; it is told once the server has it.
    told = page.locator(".told")
    await expect(told).to_contain_text("Booth")
    await page.locator(f"#card-{filled['deals'][1]['id']}").press("Alt+ArrowRight")
    await expect(page.locator("[data-stage=negotiation] .card")).to_have_count(2)
    await expect(told).to_contain_text("Gala")
    group = page.locator(".card", has_text="Group tickets")
    await group.drag_to(page.locator("[data-stage=closed_lost]"))
    await page.fill("#f-loss_reason", "Chose another date")
    await page.click("dialog button[type=submit]")
    await expect(page.locator("[data-stage=closed_lost] .card")).to_have_count(1)
    await expect(told).to_contain_text("Group")
    rows = await house.database.pool.fetch(
        "SELECT name, stage, loss_reason FROM opportunities"
        " WHERE id::text = ANY($1) ORDER BY name",
        [deal["id"] for deal in filled["deals"]],
    )
    assert [tuple(row) for row in rows] == [
        ("Booth at the autumn fair", "qualification", None),
        ("Gala tables", "negotiation", None),
        ("Group tickets", "closed_lost", "Chose another date"),
    ]


async def test_tasks_are_done_and_the_team_is_seen(
    house: House, filled: dict[str, Any], open_page: OpenPage, shots: Path
) -> None:
    page = await open_page()
    await opened(page, house, "tasks")
    await expect(page.locator(".pile.overdue .todo")).to_have_count(1)
    await page.screenshot(path=shots / "crm-tasks.png")
    await page.check(".pile.overdue input")
    await expect(page.locator(".told")).to_contain_text("Done")
    await page.click("nav >> text=Team")
    await expect(page.locator("tbody tr").first).to_be_visible()
    await page.click("text=New")
    await page.fill("#f-first_name", "Noor")
    await page.fill("#f-last_name", "al-Fārābī")
    await page.fill("#f-email", "noor@example.org")
    await page.select_option("#f-role_id", label="sales")
    await page.click("dialog button[type=submit]")
    link = await page.inner_text(".link code")
    await page.screenshot(path=shots / "crm-team.png", full_page=True)
    other = await open_page(width=390, height=844, locale="fr-CA")
    await other.goto(link)
    await other.fill("#password", "correct horse battery")
    await other.screenshot(path=shots / "crm-invitation-fr.png")
    await other.keyboard.press("Enter")
    await expect(other.locator("h1")).to_contain_text("défini")


async def test_narrow_french_and_companies(
    house: House, filled: dict[str, Any], open_page: OpenPage, shots: Path
) -> None:
    page = await open_page(width=390, height=844, locale="fr-CA")
    await opened(page, house)
    await expect(page.locator("h1")).to_have_text("Contacts")
    await page.screenshot(path=shots / "crm-narrow-fr.png")
    for view in NARROW:
        await page.goto(f"{house.url}/crm.html#{view}")
        await expect(page.locator("main h1")).to_be_visible()
        await expect(page.locator("[aria-busy=true]")).to_have_count(0)
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, view
    await page.goto(f"{house.url}/crm.html#companies/{filled['company']['id']}")
    await expect(page.locator("h1")).to_have_text("Łódź & Fils")
    await expect(page.locator(".plain-list").first).to_contain_text("小龙")
    await page.screenshot(path=shots / "crm-company-fr.png", full_page=True)


async def test_the_tables_under_admin(
    house: House,
    filled: dict[str, Any],
    open_page: OpenPage,
    watched: Watched,
    shots: Path,
) -> None:
    watched.expect(r"422 .*venues/create")
    page = await open_page(color_scheme="light")
    await page.goto(f"{house.url}/admin/")
    await page.wait_for_selector("#email")
    await page.fill("#email", EMAIL)
    await page.fill("#password", PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator(".navbar").first).to_be_visible()
    await page.goto(f"{house.url}/admin/venues/create")
    await page.fill("[name=name]", "Forum Łuna")
    await page.fill("[name=total_capacity]", "-5")
    await page.screenshot(path=shots / "admin-create.png")
    await page.locator("form button[type=submit]").last.click()
    await expect(page.locator("body")).to_contain_text("Between 0")
    await page.fill("[name=total_capacity]", "900")
    await page.locator("form button[type=submit]").last.click()
    await page.goto(f"{house.url}/admin/venues/list")
    await expect(page.locator("table")).to_contain_text("Forum Łuna")
    await page.goto(f"{house.url}/admin/contacts/list")
    await expect(page.locator("table")).to_contain_text("example.org")
    await page.screenshot(path=shots / "admin-contacts.png")
    made = await house.database.pool.fetchval(
        "SELECT count(*) FROM ops.audit_log WHERE action = 'venues.create'"
    )
    assert made == 1


async def test_a_file_is_previewed_then_imported(
    house: House, filled: dict[str, Any], open_page: OpenPage, shots: Path
) -> None:
    page = await open_page(color_scheme="light")
    await opened(page, house)
    await page.click("text=Import")
    lines = (
        "Prénom;Nom;Courriel;Entreprise;Remarque\n"
        "Zoë;O'Brien-Łukasz;person0@example.org;Łódź & Fils;x\n"
        "Sam;Fischer;sam.fischer@example.org;New & Co;\n"
        "Nobody;At All;not an address;;\n"
    )
    file = {"name": "people.csv", "mimeType": "text/csv", "buffer": lines.encode()}
    await page.set_input_files("#file", files=[file])
    await expect(page.locator(".import-problems")).to_contain_text("e-mail")
    rows = house.database.pool
    there = "SELECT count(*) FROM contacts WHERE email = 'sam.fischer@example.org'"
    assert await rows.fetchval(there) == 0
    await expect(page.locator(".import-columns summary")).to_contain_text("4 of 5")
    await page.select_option("#column-4", "job_title")
    await expect(page.locator(".import-columns summary")).to_contain_text("5 of 5")
    await page.screenshot(path=shots / "crm-import.png")
    await page.click("text=Import now")
    await expect(page.locator(".told")).to_contain_text("imported")
    assert await rows.fetchval(there) == 1
    job = "SELECT job_title FROM contacts WHERE email = 'person0@example.org'"
    assert await rows.fetchval(job) == "x"


async def test_a_segment_is_composed_and_opened(
    house: House, filled: dict[str, Any], open_page: OpenPage, shots: Path
) -> None:
    page = await open_page()
    await opened(page, house, "segments")
    await page.click("text=New")
    await page.fill("#segment-name", "VIPs of Łódź & Fils")
    await page.select_option("#kind-0", "vip")
    await expect(page.locator(".segment-count b")).to_have_text("1")
    await page.click("text=+ Condition")
    await page.select_option("#argument-1-field", "company_name")
    await page.fill("#argument-1-value", "Łódź & Fils")
    await expect(page.locator(".segment-count b")).to_have_text("1")
    await page.screenshot(path=shots / "crm-segment.png")
    await page.click("button[type=submit]")
    await expect(page.locator(".told")).to_have_text("Saved.")
    await page.click("text=VIPs of Łódź & Fils")
    await expect(page.locator("tbody")).to_contain_text("O'Brien-Łukasz")
