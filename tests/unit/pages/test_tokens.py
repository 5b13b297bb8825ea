"""The colours of the pages can be read: contrast by WCAG 2.2, from the tokens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

WEB = Path(__file__).parents[3] / "web"
KIOSK = WEB.parent / "kiosk"
TOKENS = (WEB / "css" / "tokens.css").read_text(encoding="utf-8")

# (words, ground): 4.5 to 1 is asked for text of any size.
TEXT = [
    *((ink, ground) for ink in ("ink", "ink-soft", "ink-faint") for ground in
      ("ground", "surface", "raised", "sunken")),
    *((ink, "surface") for ink in ("accent", "good", "warn", "bad", "calm", "second")),
    *((ink, "ground") for ink in ("accent", "bad")),
    *((ink, "raised") for ink in ("accent", "good", "warn", "bad")),
    ("accent-ink", "accent"),
    ("good", "good-soft"),
    ("warn", "warn-soft"),
    ("bad", "bad-soft"),
    ("ink", "accent-soft"),
    ("code-ink", "code"),
    *((f"{tone}-ink", tone) for tone in ("go", "wait", "stop", "out", "again")),
]  # fmt: skip
# (mark, ground): 3 to 1 is asked for edges of controls and for parts of pictures.
MARKS = [
    ("edge", "surface"),
    ("edge", "ground"),
    ("accent", "sunken"),
    ("accent", "surface"),
    ("second", "surface"),
    ("warn", "sunken"),
    ("bad", "sunken"),
]


def palette(theme: str) -> dict[str, str]:
    """The colours of a theme; dark overrides light."""
    light, _, rest = TOKENS.partition(':root[data-theme="dark"]')
    dark = rest.partition("}")[0]
    found = dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6});", light))
    if theme == "dark":
        found |= dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6});", dark))
    return found


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_is_right() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_can_be_read(theme: str, ink: str, ground: str) -> None:
    colours = palette(theme)
    assert contrast(colours[ink], colours[ground]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("mark", "ground"), MARKS)
def test_marks_can_be_seen(theme: str, mark: str, ground: str) -> None:
    colours = palette(theme)
    assert contrast(colours[mark], colours[ground]) >= 3


def test_every_token_that_a_page_names_exists() -> None:
    known = set(re.findall(r"^\s*(--[\w-]+):", TOKENS, re.MULTILINE))
    sheets = [*WEB.glob("css/*.css"), *KIOSK.glob("css/*.css")]
    assert len(sheets) >= 4
    for sheet in sheets:
        used = set(re.findall(r"var\((--[\w-]+)", sheet.read_text(encoding="utf-8")))
        assert used <= known, sheet.name


def test_every_text_that_a_page_names_exists() -> None:
    catalogue = (WEB / "i18n" / "en.json").read_text(encoding="utf-8")
    scripts = [*WEB.glob("js/**/*.js"), *WEB.glob("lib/*.js"), *KIOSK.glob("js/*.js")]
    for script in scripts:
        text = script.read_text(encoding="utf-8")
        for key in re.findall(r"\"((?:page|verdict)\.[\w.]*\w)\"", text):
            assert f'"{key}"' in catalogue, f"{script.name}: {key}"
        # A key that is put together: at least one text begins like it.
        for start in re.findall(r"`((?:page|verdict)\.[\w.]+\.)\$\{", text):
            assert f'"{start}' in catalogue, f"{script.name}: {start}"
