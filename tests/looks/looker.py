"""Opens a page once and looks at it in each size: what is wrong, and a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from playwright.async_api import Error, Page

from tests.looks.views import View

FAULTS = Path(__file__).with_name("faults.js").read_text(encoding="utf-8")
SETTLED = """async () => {
  await document.fonts.ready;
  for (let n = 0; n < 2; n++) await new Promise(requestAnimationFrame);
}"""
HEIGHT_MAX = 4_000  # a longer page shows its first screen


class Size(NamedTuple):
    """A screen: what it is, in CSS pixels, with the theme that it is shown in."""

    name: str
    width: int
    height: int
    theme: str


SIZES: Mapping[str, tuple[Size, ...]] = {
    "en": (
        Size("phone", 390, 844, "light"),
        Size("laptop", 1366, 768, "dark"),
        Size("tv", 1920, 1080, "dark"),
    ),
    "fr": (
        Size("phone", 390, 844, "dark"),
        Size("laptop", 1366, 768, "light"),
        Size("tv", 1920, 1080, "light"),
    ),
}
WALL = Size("4k", 3840, 2160, "dark")


async def open_view(
    page: Page, base: str, view: View, known: Mapping[str, str]
) -> None:
    """Go there, wait for its content, press what is to be pressed."""
    await page.goto(base + view.address.format(**known))
    await page.locator(view.ready).first.wait_for()
    for selector in view.press:
        await page.locator(selector).click()


async def look(
    page: Page, size: Size, picture: Path | None = None
) -> list[tuple[str, str]]:
    """What is wrong at this size, as (kind, what); a picture besides."""
    await page.set_viewport_size({"width": size.width, "height": size.height})
    await page.evaluate(f"document.documentElement.dataset.theme = '{size.theme}'")
    await page.evaluate(SETTLED)
    found = [(kind, what) for kind, what in await page.evaluate(FAULTS)]
    if picture:
        high = await page.evaluate("document.documentElement.scrollHeight")
        await page.screenshot(path=picture, full_page=high <= HEIGHT_MAX)
    return found


async def look_at_all(
    page: Page,
    base: str,
    view: View,
    known: Mapping[str, str],
    sizes: tuple[Size, ...],
    out: Path | None = None,
    language: str = "",
) -> list[str]:
    """Open a view and look at it in these sizes; returns a line for each fault."""
    lines = []
    try:
        await open_view(page, base, view, known)
        for size in sizes:
            name = f"{view.name}-{size.name}-{language}"
            picture = out / f"{name}.png" if out else None
            lines += [
                f"{name} {kind}: {what}"
                for kind, what in await look(page, size, picture)
            ]
    except Error as error:
        lines.append(f"{view.name} did not open: {error.message.splitlines()[0]}")
    return lines
