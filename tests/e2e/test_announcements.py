"""The page of announcements in Chromium: counted before it goes, taken back, corrected,
followed by name; and the staff's handhelds, which hear of it at once."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import OpenPage, Watched
from tests.e2e.house import EMAIL, PASSWORD, House
from tests.e2e.test_handheld import PHONE, scanner
from tests.e2e.test_me import private_link

pytestmark = pytest.mark.browser


async def desk(
    open_page: OpenPage,
    house: House,
    size: tuple[int, int] = (1366, 900),
    page_name: str = "announcements",
) -> Page:
    """Sign in and open a page of the event."""
    page = await open_page(*size)
    address = f"/{page_name}.html?event={house.event.id}"
    await page.goto(f"{house.url}/?next={address.replace('?', '%3F')}")
    await page.fill("#email", EMAIL)
    await page.fill("#password", PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".doors-main .panel")
    await expect(page.locator(".doors-top .chip.good")).to_be_visible()
    return page


async def write(page: Page, title: str, french: str = "") -> None:
    await page.fill("#title-en", title)
    await page.fill("#content-en", "Please come to the stage.\nThank you.")
    if french:
        await page.fill("#title-fr", french)
        await page.fill("#content-fr", "Venez à la scène.")


async def last(house: House, title: str) -> dict[str, object]:
    row = await house.database.pool.fetchrow(
        "SELECT * FROM event_announcements WHERE title = $1", title
    )
    assert row is not None
    return dict(row)


async def people(house: House, where: str = "true") -> int:
    found: int = await house.database.pool.fetchval(
        f"""SELECT count(DISTINCT a.id) FROM attendees a
              JOIN tickets t ON t.attendee_id = a.id
              JOIN ticket_types k ON k.id = t.ticket_type_id
             WHERE a.event_id = $1 AND a.status <> 'cancelled'
               AND t.state IN ('valid', 'blocked', 'unpaid', 'pending') AND {where}""",
        house.event.id,
    )
    return found


async def test_it_is_counted_before_it_goes_and_can_be_taken_back(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    page = await desk(open_page, house)
    figure = page.locator("[data-figure=people]")
    await expect(figure).to_have_text(str(await people(house)))
    await page.select_option("#audience", "vip")
    vips = await people(house, "k.ticket_category = 'vip'")
    await expect(figure).to_have_text(str(vips))
    await write(page, "Champagne 🎪 for O'Brien-Łukasz", "Champagne pour 李小龙")
    await page.get_by_label("Text message").check()
    await expect(page.locator(".announce-count .chip")).to_contain_text("not set up")
    await page.screenshot(path=shots / "announce-write.png", full_page=True)
    await page.locator("[data-act=send]").click()
    line = page.locator(".sent-line", has_text="Champagne")
    await expect(line.locator("[data-act=recall]")).to_contain_text("Take back")
    await line.locator("[data-act=recall]").click()
    await expect(page.locator(".notice")).to_contain_text("nobody got it")
    await expect(line).to_have_attribute("data-status", "cancelled")
    kept = await last(house, "Champagne 🎪 for O'Brien-Łukasz")
    assert (kept["status"], kept["sent_at"]) == ("cancelled", None)


async def test_reach_climbs_and_the_unreached_are_named_and_it_is_corrected(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    guest = await open_page(390, 844)
    await guest.goto(await private_link(house))
    await expect(guest.locator("h1")).to_be_visible()
    page = await desk(open_page, house)
    await page.select_option("#priority", "urgent")
    await page.select_option("#audience", "vip")
    await write(page, "Hall B is open", "La salle B est ouverte")
    vips = await people(house, "k.ticket_category = 'vip'")
    await page.locator("[data-act=send]").click()
    line = page.locator(".sent-line", has_text="Hall B is open")
    await expect(line).to_have_attribute("data-status", "sent")
    # The guest's page is open: one of them has it, the others are missed by name.
    await expect(line.locator("[data-figure=reach]").first).to_have_text(f"1 / {vips}")
    await line.get_by_role("button", name="Hall B is open").click()
    await line.locator("[data-missed=in_app]").click()
    missed = line.locator(".missed-list li")
    await expect(missed).to_have_count(vips - 1)
    await page.screenshot(path=shots / "announce-sent.png", full_page=True)

    await line.get_by_role("button", name="Correct it").click()
    await expect(page.locator(".notice")).to_contain_text("Hall B is open")
    await write(page, "Hall C is open, not B", "La salle C est ouverte")
    await page.locator("[data-act=send]").click()
    fixed = page.locator(".sent-line", has_text="Hall C is open, not B")
    await expect(fixed.first).to_have_attribute("data-status", "sent")
    first, second = (
        await last(house, "Hall B is open"),
        await last(house, "Hall C is open, not B"),
    )
    assert second["corrects_id"] == first["id"]
    assert second["target_audience"] == "vip"
    await expect(page.get_by_text("corrected by “Hall C")).to_be_visible()
    await guest.get_by_role("button", name="News").click()
    await expect(guest.locator(".news-item").first).to_contain_text("Correction")


async def test_a_template_speaks_two_languages_and_makes_a_draft(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    page = await desk(open_page, house, (390, 844))
    await write(page, "Last bus at one", "Dernier bus à une heure")
    await page.screenshot(path=shots / "announce-write-390.png", full_page=True)
    tabs = page.get_by_role("navigation")
    await tabs.get_by_role("button", name="Templates").click()
    await page.fill("#template-name", "Last bus")
    await page.get_by_role("button", name="Keep what is written").click()
    await expect(page.locator(".sent-line")).to_contain_text("en, fr")
    await page.screenshot(path=shots / "announce-templates-390.png", full_page=True)
    await page.reload()
    await page.get_by_role("button", name="Use", exact=True).click()
    await expect(page.locator("#title-fr")).to_have_value("Dernier bus à une heure")
    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390


async def test_staff_devices_hear_it_and_say_that_they_understood(
    house: House, open_page: OpenPage, shots: Path, watched: Watched
) -> None:
    watched.expect(r"ERR_INTERNET_DISCONNECTED|Failed to (load|fetch)")
    phone = await scanner(await open_page(*PHONE), house, "Gate C phone")
    page = await desk(open_page, house)
    await page.get_by_role("button", name="Staff devices").click()
    await page.get_by_label("Main gate", exact=True).check()
    await page.select_option("#priority", "urgent")
    await write(page, "Gate C: open a second lane")
    await page.locator("[data-act=send]").click()
    band = phone.locator(".notice-band")
    await expect(band).to_contain_text("open a second lane")
    await phone.screenshot(path=shots / "handheld-notice.png")
    made = await last(house, "Gate C: open a second lane")

    async def receipt() -> dict[str, object]:
        row = await house.database.pool.fetchrow(
            """SELECT r.* FROM ops.announcement_receipts r
                 JOIN ops.devices d ON d.id = r.recipient_id
                WHERE r.announcement_id = $1 AND d.name = 'Gate C phone'""",
            made["id"],
        )
        assert row is not None
        return dict(row)

    line = page.locator(".sent-line", has_text="second lane")
    await expect(line.locator("[data-figure=reach]").first).to_contain_text("1 / ")
    assert (await receipt())["opened_at"] is None
    await band.get_by_role("button", name="Understood").click()
    await expect(band).to_have_count(0)
    await expect(line).to_contain_text("1 opened it")
    assert (await receipt())["kind"] == "device"
    # It stays understood after the page was loaded anew.
    await phone.reload()
    await expect(phone.locator(".status")).to_be_visible()
    await expect(phone.locator(".notice-band")).to_have_count(0)
    # A sponsor's phone or a kiosk is nobody of the staff.
    others = await house.database.pool.fetchval(
        """SELECT count(*) FROM ops.announcement_receipts r
             JOIN ops.devices d ON d.id = r.recipient_id
            WHERE r.announcement_id = $1 AND d.profile <> 'scan'""",
        UUID(str(made["id"])),
    )
    assert others == 0
