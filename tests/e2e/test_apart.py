"""A phone without its network, and what the control room sees of it: the price while it
is away, the entries beyond one and the comparison when it is back, recalled leases."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import OpenPage, Watched
from tests.e2e.house import House
from tests.e2e.test_doors import doors
from tests.e2e.test_handheld import PHONE, scanner, verdict, wedge
from tests.e2e.test_plan import looked_at

pytestmark = pytest.mark.browser

CUT_OFF = r"ERR_INTERNET_DISCONNECTED|Failed to (load|fetch)|ERR_FAILED"


async def packed(page: Page, mode: str) -> None:
    """Wait until the phone has a package of this mode."""
    line = page.locator(f".status[data-package={mode}]")
    await expect(line).to_be_visible()


async def device_of(house: House, name: str) -> UUID:
    """The id of a paired phone."""
    found: UUID = await house.database.pool.fetchval(
        "SELECT id FROM ops.devices WHERE name = $1", name
    )
    return found


async def silent(house: House, device: UUID) -> None:
    """Half a minute without a word, without waiting for it."""
    await house.database.pool.execute(
        "UPDATE ops.devices SET last_seen_at = now() - interval '31 s' WHERE id = $1",
        device,
    )


async def alone(page: Page, code: str, kind: str, reason: str = "") -> None:
    """A scan that the phone decides by itself, and that goes by touch or by itself."""
    await wedge(page, code)
    await verdict(page, kind, reason)
    await page.keyboard.press("Escape")
    await expect(page.locator(".verdict")).to_have_count(0)


async def test_the_price_is_live_and_what_was_one_too_many_is_found_again(
    house: House, open_page: OpenPage, watched: Watched, shots: Path
) -> None:
    watched.expect(CUT_OFF)
    phone = await scanner(await open_page(*PHONE), house, "Cellar phone")
    device = await device_of(house, "Cellar phone")
    await packed(phone, "bounded")
    page = await doors(open_page, house, "Offline")
    room = await page.context.new_page()
    await room.goto(f"{house.url}/control.html?event={house.event.id}")
    await room.wait_for_selector("[data-state=fresh]")
    await expect(room.locator(".price[data-worst='0']")).to_be_visible()
    await phone.context.set_offline(True)
    await alone(phone, "T-11", "admitted")
    await alone(phone, "T-12", "admitted")
    await alone(phone, "nobody's", "refused", "unknown_code")
    # Meanwhile the same guest's copy comes in at another door.
    assert (await house.scan("T-11"))["verdict"] == "admitted"
    await silent(house, device)
    await expect(room.locator(".price[data-worst='50']")).to_contain_text(
        "At most 50 double entries possible now (devices away: 1)"
    )
    await room.screenshot(path=shots / "control-room-price.png")
    await expect(page.locator(".worst[data-worst='50']")).to_be_visible()
    await expect(page.get_by_role("row", name="Cellar phone").first).to_be_visible()
    await looked_at(page, shots, "doors-offline-away")
    await phone.context.set_offline(False)
    await expect(room.locator(".price[data-worst='0']")).to_be_visible()
    await expect(room.locator(".price .chip.bad")).to_contain_text(
        "Entries beyond one: 1"
    )
    conflict = page.get_by_role("region", name="Entries beyond one").locator("tbody tr")
    await expect(conflict).to_contain_text("Guest 11")
    await expect(conflict).to_contain_text("Cellar phone")
    await expect(conflict).to_contain_text("Phone 2")
    proof = page.get_by_role("region", name="Reconciliation").locator("tbody tr")
    await expect(proof).to_contain_text("Cellar phone")
    await expect(proof.locator(".chip.good")).to_have_text("Agrees")
    figures = await proof.locator("td.figure").all_inner_texts()
    assert figures == ["2", "1", "1", "0"], "admitted = entries + conflicts"
    await looked_at(page, shots, "doors-conflicts")
    await conflict.get_by_role("button", name="Stays").click()
    await expect(conflict).to_contain_text("Stays · Dana")
    await expect(room.locator(".price .chip.bad")).to_have_count(0)
    row = await house.database.pool.fetchrow("SELECT * FROM ops.conflicts")
    assert row is not None
    assert (row["kind"], row["resolution"]) == ("double_entry", "stays")
    assert await house.admissions("T-12") != []


async def test_what_a_revoked_phone_brings_waits_for_a_person(
    house: House, open_page: OpenPage, watched: Watched, shots: Path
) -> None:
    watched.expect(CUT_OFF + r"|401|4100")
    phone = await scanner(await open_page(*PHONE), house, "Stolen phone")
    device = await device_of(house, "Stolen phone")
    await packed(phone, "bounded")
    await phone.context.set_offline(True)
    await alone(phone, "T-15", "admitted")
    await alone(phone, "T-16", "admitted")
    await house.call(f"/devices/{device}/revoke", {})
    await phone.context.set_offline(False)
    page = await doors(open_page, house, "Offline")
    waiting = page.locator("[data-record]")
    await expect(waiting).to_have_count(2)
    assert await house.admissions("T-15") == []
    # It may report no more: nothing to compare is not the same as a difference.
    proof = page.get_by_role("row", name="Stolen phone").filter(has_text="Not yet")
    await expect(proof).to_have_count(1)
    await looked_at(page, shots, "doors-quarantine")
    await waiting.first.get_by_role("button", name="It happened").click()
    await expect(waiting).to_have_count(1)
    await waiting.first.get_by_role("button", name="It did not").click()
    await expect(waiting).to_have_count(0)
    came = [len(await house.admissions(code)) for code in ("T-15", "T-16")]
    assert sorted(came) == [0, 1]


async def leased(house: House, device: UUID) -> dict[str, str]:
    """The codes of the tickets that this phone alone may admit, with their states."""
    rows: list[Any] = await house.database.pool.fetch(
        "SELECT ticket_id, state FROM ops.leases WHERE device_id = $1", device
    )
    codes = {ticket: code for code, ticket in house.event.tickets.items()}
    return {codes[row["ticket_id"]]: row["state"] for row in rows}


async def test_a_lease_is_given_back_over_the_socket_and_kept_without_it(
    house: House, open_page: OpenPage, watched: Watched
) -> None:
    watched.expect(CUT_OFF)
    mode = f"/api/v1/events/{house.event.id}/offline-mode"
    answer = await house.http.put(mode, json={"mode": "strict", "budget": 50})
    assert answer.status_code == 200, answer.text
    phone = await scanner(await open_page(*PHONE), house, "Lease phone")
    device = await device_of(house, "Lease phone")
    await packed(phone, "strict")
    # Granted with the whole package, brought by the delta after it.
    await expect(phone.locator(".status")).not_to_have_attribute("data-leases", "0")
    # A scanner that types says four signs at least.
    held = [code for code in await leased(house, device) if len(code) > 3]
    assert len(held) >= 3, held
    # Its guest stands at another door: the phone is asked and gives the ticket back.
    assert (await house.scan(held[0]))["verdict"] == "admitted"
    assert (await leased(house, device))[held[0]] == "released"
    await phone.context.set_offline(True)
    await alone(phone, held[1], "admitted")
    # Given back is given back, also when nobody could tell the phone otherwise.
    await alone(phone, held[0], "hold", "other_door")
    # The control: nobody answers for the phone, and the other door does not let in.
    assert (await house.scan(held[2]))["reason"] == "other_door"
    await phone.context.set_offline(False)
    # The guest who came in while the phone was alone is in once, everywhere.
    await expect(phone.locator(".status.good")).to_be_visible()
    assert (await house.scan(held[1]))["reason"] == "already_inside"
    assert len(await house.admissions(held[1])) == 1
