"""Chromium and the house that it looks at.

Every page of these tests is watched: an error in its console, an exception, or a
request to another host fails the test, unless the test says which error it provokes.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from playwright.async_api import (
    Browser,
    Page,
    Playwright,
    async_playwright,
    expect,
)

from ops.db.engine import Database
from tests.e2e.house import House

# What a door needs is measured elsewhere; here a busy machine must not turn a test red.
expect.set_options(timeout=30_000)

OUT = Path(__file__).parents[2] / "out"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)
Launch = Callable[..., Awaitable[Browser]]
OpenPage = Callable[..., Awaitable[Page]]


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Debian's or Ubuntu's Chromium; these tests have no other way to be true."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    raise AssertionError("install Chromium to test the pages: apt install chromium")


@pytest.fixture(scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    """The driver of the browser."""
    async with async_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
async def launch(playwright: Playwright, chromium_path: str) -> AsyncIterator[Launch]:
    """Start a browser; with `film`, its camera sees that file."""
    browsers: list[Browser] = []

    async def start(film: Path | None = None) -> Browser:
        seen = (f"--use-file-for-fake-video-capture={film}",) if film else ()
        browser = await playwright.chromium.launch(
            executable_path=chromium_path, args=[*ARGUMENTS, *seen]
        )
        browsers.append(browser)
        return browser

    yield start
    for browser in browsers:
        await browser.close()


@pytest.fixture(scope="session")
async def browser(launch: Launch) -> Browser:
    """The browser of the tests that need no camera of their own."""
    return await launch()


class Watched:
    """What went wrong on the pages of a test."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.hosts: set[str] = set()
        # A machine that is busy with other tests: the page must bear it, and does.
        self.expected = [r"503 \(Service Unavailable\) .*/api/v1/"]

    def follow(self, page: Page) -> None:
        """Listen to a page."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"threw {error}"))
        page.on("request", lambda request: self._asked(request.url))
        page.on("websocket", lambda socket: self._asked(socket.url))

    def expect(self, pattern: str) -> None:
        """The test provokes console errors that match this."""
        self.expected.append(pattern)

    def check(self) -> None:
        """Fail for what nobody expected."""
        left = [
            problem
            for problem in self.problems
            if not any(re.search(pattern, problem) for pattern in self.expected)
        ]
        assert left == []
        assert self.hosts <= {"localhost", "127.0.0.1"}, self.hosts

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            where = message.location.get("url", "")
            self.problems.append(f"{message.type}: {message.text} {where}")

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss"):
            self.hosts.add(parts.hostname or "")


@pytest.fixture
def watched() -> Iterator[Watched]:
    """Checked at the end of each test that opens pages."""
    watched = Watched()
    yield watched
    watched.check()


@pytest.fixture
async def open_page(browser: Browser, watched: Watched) -> AsyncIterator[OpenPage]:
    """Open a page in a profile of its own: `await open_page(width=390, ...)`."""
    contexts = []

    async def make(
        width: int = 1600,
        height: int = 900,
        inside: Browser | None = None,
        **options: Any,
    ) -> Page:
        options = {"locale": "en-CA", "color_scheme": "dark", **options}
        context = await (inside or browser).new_context(
            viewport={"width": width, "height": height},
            permissions=["camera"],
            **options,
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = await context.new_page()
        watched.follow(page)
        return page

    yield make
    for context in contexts:
        await context.close()


@pytest.fixture(autouse=True)
def unhurried(valkey_url: str) -> None:
    """Each test starts with full buckets: all of them sign in as the one owner, on a
    quick machine more often than a person may."""
    with redis.Redis.from_url(valkey_url, protocol=2) as client:
        for key in client.scan_iter("{rl:*"):
            client.delete(key)


@pytest.fixture(scope="module")
async def house(
    cloned_database_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """The event and the running roles of a module's tests."""
    database = Database(cloned_database_url, "tests")
    await database.start()
    env = {"OPS_DATABASE_URL": cloned_database_url, "OPS_REDIS_URL": valkey_url}
    house = House(database, env, tmp_path_factory.mktemp("house"))
    try:
        await house.open()
        yield house
    finally:
        await house.close()
        await database.stop()


@pytest.fixture(scope="session")
def shots() -> Path:
    """Where screenshots go, for people to look at; nothing is compared with them."""
    OUT.mkdir(exist_ok=True)
    return OUT
