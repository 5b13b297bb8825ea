"""Alerts in Chromium: on the wall, taken, ended, set, and a record to print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from ops.ids import uuid7
from tests.e2e.conftest import OpenPage, Watched
from tests.e2e.house import EMAIL, PASSWORD, House

pytestmark = pytest.mark.browser


async def go(page: Page, house: House, path: str) -> None:
    """Open a page of the event, signing in on the way."""
    await page.goto(f"{house.url}/{path}")
    await page.wait_for_selector("#email")
    await page.fill("#email", EMAIL)
    await page.fill("#password", PASSWORD)
    await page.keyboard.press("Enter")


async def fraud(house: House) -> None:
    """One code at two gates within moments, and an area that is full."""
    pool = house.database.pool
    if not house.event.tickets.get("F-1"):
        await house.event.add_ticket(
            pool, "F-1", house.event.regular, "Zoë \u202eevil\u202c O'Brien-Łukasz"
        )
    north = await pool.fetchval(
        "INSERT INTO ops.gates (event_id, area_id, name, direction)"
        " VALUES ($1, $2, 'North gate', 'in') RETURNING id",
        house.event.id,
        house.event.venue,
    )
    assert (await house.scan("F-1"))["verdict"] == "admitted"
    await pool.execute(
        "UPDATE check_ins SET confirmed_at = now() WHERE event_id = $1", house.event.id
    )
    phone = uuid7()
    await house.event.add_device(pool, phone, "Phone North", north)
    again = await house.http.post(
        f"/api/v1/events/{house.event.id}/scans",
        headers={"Authorization": f"Device dev_{phone}"},
        json={"id": str(uuid7()), "code": "F-1"},
    )
    assert again.json()["verdict"] == "refused", again.text
    await pool.execute(
        "UPDATE ops.areas SET capacity = inside + manual + disputed WHERE id = $1",
        house.event.venue,
    )


async def test_alerts_stand_on_the_wall_until_somebody_takes_them(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    await fraud(house)
    page = await open_page()
    await go(page, house, f"control.html?event={house.event.id}")
    await page.wait_for_selector("[data-state=fresh]")
    full = page.locator(".alert[data-rule=area_full]")
    await expect(full).to_contain_text("One out, one in: 0 may enter", timeout=30_000)
    await expect(page.locator(".alert[data-rule=capacity_95]")).to_have_count(0)
    await expect(
        page.locator(".gates tbody", has_text="Main gate").locator(".chip.bad").first
    ).to_contain_text("One out, one in")
    fast = page.locator(".alert[data-rule=two_gates_fast]")
    await expect(fast).to_contain_text("North gate", timeout=30_000)
    await page.screenshot(path=shots / "control-alerts.png")
    await full.get_by_role("button").click()
    await expect(full).to_contain_text("seen by Dana")
    await expect(full.get_by_role("button")).to_have_count(0)
    # The limit is raised: the alert ends by itself, and stays in the history.
    await house.database.pool.execute(
        "UPDATE ops.areas SET capacity = 1000 WHERE id = $1", house.event.venue
    )
    await expect(full).to_have_count(0, timeout=40_000)
    await page.locator(".alerts .alert-tools a").click()
    row = page.locator("tr[data-rule=area_full]").first
    await expect(row).to_contain_text("seen by Dana")
    await page.screenshot(path=shots / "watch-history.png")


async def test_a_case_has_a_record_on_one_page(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    page = await open_page(1280, 900)
    await go(page, house, f"watch.html?event={house.event.id}")
    await page.locator("tr[data-rule=two_gates_fast] a").first.click()
    first = page.locator("[data-part=first]")
    await expect(first).to_contain_text("Main gate")
    await expect(first).to_contain_text("Phone 2")
    await expect(page.locator("[data-part=second]")).to_contain_text("North gate")
    await expect(page.locator(".digest").last).to_have_text(
        re.compile("^[0-9a-f]{64}$")
    )
    await page.emulate_media(media="print")
    await page.screenshot(path=shots / "evidence.png", full_page=True)


async def test_a_rule_is_set_and_put_back(
    house: House, open_page: OpenPage, watched: Watched, shots: Path
) -> None:
    watched.expect(r"422 .*alert-rules")
    page = await open_page(1280, 900, color_scheme="light")
    await go(page, house, f"watch.html?event={house.event.id}#rules")
    rule = page.locator(".rule[data-rule=low_battery]")
    await rule.locator("[name=threshold]").fill("30")
    await rule.locator("[name=clear_at]").fill("20")
    await rule.get_by_role("button", name="Save").click()
    await expect(page.locator(".notice.bad")).to_contain_text("clear_at: ")
    await rule.locator("[name=clear_at]").fill("35")
    await rule.get_by_role("button", name="Save").click()
    await expect(rule).to_contain_text("set for this event")
    await page.reload()
    await expect(rule.locator("[name=threshold]")).to_have_value("30")
    await page.screenshot(path=shots / "watch-rules.png")
    await rule.get_by_role("button", name="As delivered").click()
    await expect(rule.locator("[name=threshold]")).to_have_value("15")


async def test_a_walk_is_set_and_the_page_fits_a_phone(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    page = await open_page(390, 844)
    await go(page, house, f"watch.html?event={house.event.id}#walks")
    await page.select_option("#walk-one", label="Main gate")
    await page.select_option("#walk-other", label="Lounge gate")
    await page.fill("#walk-s", "90")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".acts-table")).to_contain_text("90 s")
    for tab in ("Alerts", "Shifts", "Rules", "Walks"):
        await page.get_by_role("button", name=tab, exact=True).click()
        wide = await page.evaluate(
            "document.documentElement.scrollWidth"
            " - document.documentElement.clientWidth"
        )
        assert wide <= 0, tab
    await page.get_by_role("button", name="Rules", exact=True).click()
    await page.screenshot(path=shots / "watch-phone.png")


async def test_shifts_are_planned_and_who_is_missing_is_seen(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    await house.call(
        f"/events/{house.event.id}/operators",
        {"name": "Zoë O'Brien-Łukasz", "pin": "240917"},
    )
    page = await open_page(1280, 900)
    await go(page, house, f"watch.html?event={house.event.id}#shifts")
    await page.select_option("#shift-where", label="Main gate")
    await page.get_by_role("button", name="Add", exact=True).click()
    row = page.locator("tr[data-state]", has_text="Zoë")
    await expect(row).to_contain_text("missing")
    main = page.locator("li[data-gate='Main gate']")
    await expect(main).to_contain_text("1 short")
    await page.screenshot(path=shots / "watch-shifts.png")
    wall = await page.context.new_page()
    await wall.goto(f"{house.url}/control.html?event={house.event.id}")
    gate = wall.locator(".gates tbody", has_text="Main gate")
    await expect(gate).to_contain_text("1 short")
    await expect(wall.locator("[data-sync=well]")).to_be_visible()
    answer = await house.http.post(
        "/api/v1/devices/operator",
        headers={"Authorization": f"Device dev_{house.event.device}"},
        json={"pin": "240917"},
    )
    assert answer.status_code == 200, answer.text
    await expect(row).to_contain_text("signed on")
    await expect(row).to_contain_text("Phone 1")
    await expect(main).to_contain_text("1 there, 1 planned")
    await expect(gate).not_to_contain_text("short", timeout=30_000)


async def test_the_forecast_stands_on_the_curve_and_waits_at_the_gates(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    await house.database.pool.execute(
        "UPDATE events SET doors_open_at = now() - interval '20 minutes',"
        " starts_at = now() + interval '40 minutes' WHERE id = $1",
        house.event.id,
    )
    for n in range(1, 26):
        await house.scan(f"T-{n}")
    page = await open_page(1920, 1080)
    await go(page, house, f"control.html?event={house.event.id}")
    ahead = page.locator(".curve-ahead")
    await expect(ahead).to_contain_text("95 % in", timeout=60_000)
    await expect(ahead).to_contain_text(re.compile("(ahead of|behind) plan"))
    await expect(ahead).to_contain_text("in the end")
    main = page.locator(".gates tbody", has_text="Main gate").locator(".queue")
    await expect(main).to_contain_text("by scans", timeout=60_000)
    await page.hover(".curve-box .u-over", position={"x": 600, "y": 120})
    await page.screenshot(path=shots / "control-forecast.png")
    # A steward's word is another basis, and a longer wait.
    await house.database.pool.execute(
        "INSERT INTO ops.help_calls (id, event_id, kind, queue, gate_id, called_at,"
        " seen_at) VALUES ($1, $2, 'queue', 'over_barrier', $3, now(), now())",
        uuid7(),
        house.event.id,
        house.event.main_gate,
    )
    await expect(main).to_contain_text("by a steward", timeout=60_000)
    await expect(main).to_contain_text(re.compile(r"wait \d+–\d+ min"))


async def test_many_of_a_kind_are_one_line_and_taken_together(
    house: House, open_page: OpenPage, shots: Path
) -> None:
    """Thirteen refunded tickets and forty guests of honour leave the wall readable."""
    tickets = [house.event.tickets[f"T-{n}"] for n in range(11, 51)]
    await house.database.pool.executemany(
        "INSERT INTO ops.alerts (id, event_id, rule, subject, value, args, ticket_id,"
        " gate_id) VALUES ($1, $2, $3, $4, 1, '{}', $5, $6)",
        [
            (uuid7(), house.event.id, rule, f"shown {n}", ticket, house.event.main_gate)
            for rule, number in (("refund_then_scan", 13), ("vip_arrived", 40))
            for n, ticket in enumerate(tickets[:number])
        ],
    )
    page = await open_page()
    await go(page, house, f"control.html?event={house.event.id}")
    many = page.locator(".alert.many[data-rule=refund_then_scan]")
    await expect(many).to_have_attribute("data-n", "13")
    await expect(many.locator("summary")).to_contain_text("Guest 23")
    vips = page.locator(".alert.many[data-rule=vip_arrived]")
    await expect(vips).to_have_attribute("data-n", "40")
    await expect(vips.get_by_role("button")).to_have_count(0)
    before = int(re.sub(r"\D", "", await page.inner_text(".alert-tools .chip")))
    await page.screenshot(path=shots / "control-many.png")
    # By the keyboard: what is behind the line, with its records.
    await many.locator("summary").focus()
    await page.keyboard.press("Enter")
    await expect(many.locator("li[data-id]").first).to_be_visible()
    await expect(many.locator("li[data-id]")).to_have_count(10)
    await expect(many.locator("li").last).to_contain_text("3 more in the history")
    await many.get_by_role("button", name="I see to all").click()
    await expect(many.get_by_role("button", name="I see to all")).to_have_count(0)
    await expect(many.locator("li[data-id]").first).to_contain_text("seen by Dana")
    # In the history, too, what is for information asks for nobody.
    history = await page.context.new_page()
    await history.goto(f"{house.url}/watch.html?event={house.event.id}")
    told = history.locator("tr[data-rule=vip_arrived]")
    await expect(told.first).to_be_visible()
    await expect(told.get_by_role("button")).to_have_count(0)
    await history.close()
    left = page.locator(".alert-tools .chip")
    if before > 1:
        await expect(left).to_have_text(f"{before - 1} to look at")
    else:
        await expect(left).to_have_count(0)
