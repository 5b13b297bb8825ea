"""`make screenshots`: every page of the running demo in every size, into out/looks/.

What a machine can tell (words that are cut, what sticks out, contrast, small targets)
is printed; whether a page is any good is for who looks at the pictures.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
from playwright.async_api import Browser, BrowserContext, async_playwright

from ops.auth.attendees import AttendeeTokens
from ops.checkin.keys import SigningKeys
from ops.dev.evenings import LOGINS, PASSWORD
from ops.dev.servers import running_urls
from ops.settings import DEVELOPMENT_SECRET, load
from tests.looks.looker import SIZES, WALL, Size, look_at_all
from tests.looks.views import View, guests, staff
from tests.running import client

OUT = Path(__file__).parents[2] / "out" / "looks"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)
API = "/api/v1"
EMAILS = {login.role: login.email for login in LOGINS}
DEVICES = {"scanner": "scan", "kiosk": "kiosk", "lead": "lead"}
LOCALES = {"en": "en-CA", "fr": "fr-CA"}
_KNOWN = """
SELECT e.id::text AS event,
       (SELECT id::text FROM companies LIMIT 1) AS company,
       (SELECT a.contact_id::text FROM check_ins c JOIN tickets t ON t.id = c.ticket_id
          JOIN attendees a ON a.id = t.attendee_id
         WHERE t.event_id = e.id AND a.contact_id IS NOT NULL LIMIT 1) AS contact,
       (SELECT id::text FROM ops.alerts WHERE event_id = e.id
           AND rule IN ('refund_then_scan', 'two_gates_fast') LIMIT 1) AS alert,
       (SELECT id::text FROM ops.gates WHERE event_id = e.id
         ORDER BY name LIMIT 1) AS gate,
       (SELECT id::text FROM sponsors WHERE event_id = e.id LIMIT 1) AS sponsor
  FROM events e WHERE e.settings ? 'sample' ORDER BY e.starts_at DESC LIMIT 1
"""
# Whoever has the longest name of those who came: it breaks what there is to break. With
# a code of ours: of a seller's there is no picture.
_GUEST = """
SELECT t.id, t.attendee_id FROM tickets t JOIN attendees a ON a.id = t.attendee_id
 WHERE t.event_id = $1::text::uuid AND EXISTS (
   SELECT FROM ops.ticket_codes k
    WHERE k.ticket_id = t.id AND k.kind = 'own' AND k.revoked_at IS NULL)
 ORDER BY EXISTS (SELECT FROM check_ins c WHERE c.ticket_id = t.id) DESC,
       length(a.last_name) DESC, t.id LIMIT 1
"""


class Demo:
    """The running demo, as its people reach it."""

    def __init__(self, base: str, pool: asyncpg.Pool, browser: Browser) -> None:
        self.base, self._pool, self._browser = base, pool, browser
        self.known: dict[str, str] = {}
        self._guest: Any = None
        self._headers: dict[str, str] = {}
        self._contexts: dict[tuple[str, str], BrowserContext] = {}
        self._states: dict[str, Any] = {}

    async def learn(self) -> None:
        """What the addresses of the pages hold."""
        row = await self._pool.fetchrow(_KNOWN)
        self.known = {name: value or "none" for name, value in row.items()}
        self._guest = await self._pool.fetchrow(_GUEST, self.known["event"])
        keys = SigningKeys(self._pool, DEVELOPMENT_SECRET)
        _, signer = await keys.ensure(datetime.now(UTC))
        self.known["code"] = signer.sign(self._guest["id"], 0)

    async def context(self, who: str, language: str) -> BrowserContext:
        """A browser profile in which this person or device is known already."""
        found = self._contexts.get((who, language))
        if found is None:
            found = await self._browser.new_context(
                locale=LOCALES[language],
                permissions=["camera"],
                reduced_motion="reduce",
                storage_state=self._states.get(who),
            )
            found.set_default_timeout(15_000)
            self._contexts[who, language] = found
            await self._enter(found, who)
        return found

    async def _enter(self, context: BrowserContext, who: str) -> None:
        if who == "nobody" or who in self._states:
            return
        page = await context.new_page()
        if who in EMAILS:
            await page.goto(self.base)
            await page.fill("#email", EMAILS[who])
            await page.fill("#password", PASSWORD)
            await page.keyboard.press("Enter")
            await page.wait_for_selector(".events")
            # Once for both languages: signing in is limited, as it should be.
            self._states[who] = await context.storage_state()
        elif who == "attendee":
            async with self._pool.acquire() as db, db.transaction():
                guest = self._guest["attendee_id"]
                token = await AttendeeTokens.make(db, guest, "link", None)
            await page.goto(f"{self.base}/me.html#{token}")
            await page.wait_for_selector(".code img")
        else:
            await page.goto(await self._pairing(who))
            await page.wait_for_selector(".scanner, .kiosk, .lead-page")
        await page.close()

    async def _pairing(self, who: str) -> str:
        async with client(base_url=self.base) as http:
            if not self._headers:
                login = {"email": EMAILS["owner"], "password": PASSWORD}
                answer = await http.post(f"{API}/auth/login", json=login)
                token = answer.json()["access_token"]
                self._headers = {"Authorization": f"Bearer {token}"}
                http.cookies.clear()
            device = {"name": f"{who} of the screenshots", "profile": DEVICES[who]}
            belongs = "sponsor" if who == "lead" else "gate"
            device[f"{belongs}_id"] = self.known[belongs]
            made = await http.post(
                f"{API}/events/{self.known['event']}/devices",
                json=device,
                headers=self._headers,
            )
            if made.status_code != 201:
                raise SystemExit(made.text)
            return str(made.json()["pairing_url"])


async def take(demo: Demo, views: list[View], languages: list[str]) -> list[str]:
    """Look at all views; prints each fault as it is found, and returns them."""
    lines: list[str] = []
    for language in languages:
        for view in views:
            sizes: tuple[Size, ...] = SIZES[language]
            if view.name == "tv":
                sizes = (*sizes[1:], WALL)
            page = await (await demo.context(view.who, language)).new_page()
            console: list[str] = []
            page.on(
                "console",
                lambda said, to=console: (
                    to.append(said.text) if said.type in ("error", "warning") else None
                ),
            )
            found = await look_at_all(
                page, demo.base, view, demo.known, sizes, OUT, language
            )
            found += [f"{view.name}-{language} console: {text}" for text in console]
            await page.close()
            for line in found:
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()
            lines += found
    return lines


async def main() -> int:
    """Take the pictures; 1 if a machine found anything."""
    parser = argparse.ArgumentParser(prog="make screenshots")
    parser.add_argument("--url", default="http://localhost:8000")
    parser.add_argument("--only", default="", help="a pattern of names of views")
    parser.add_argument("--languages", default="en,fr")
    given = parser.parse_args()
    urls = running_urls(load().data_dir / "demo")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if urls is None or path is None:
        sys.stderr.write("start `make demo` beside it, and install Chromium\n")
        return 2
    OUT.mkdir(parents=True, exist_ok=True)
    views = [one for one in (*staff(), *guests()) if re.search(given.only, one.name)]
    async with (
        asyncpg.create_pool(urls[0], min_size=1, max_size=2) as pool,
        async_playwright() as driver,
    ):
        browser = await driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        demo = Demo(given.url.rstrip("/"), pool, browser)
        await demo.learn()
        if demo.known["sponsor"] == "none":  # then there is nobody's phone for leads
            views = [view for view in views if view.who != "lead"]
        lines = await take(demo, views, given.languages.split(","))
        await browser.close()
    return 1 if lines else 0


sys.exit(asyncio.run(main()))
