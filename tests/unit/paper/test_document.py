"""Names of any script on paper: order, shapes, fonts, and nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.paper.document import Document
from ops.paper.fonts import BOLD, PLAIN, WIDE, markup, runs
from ops.paper.script import drawn, is_rtl


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Zoë O'Brien-Łukasz", "Zoë O'Brien-Łukasz"),
        ("李小龙", "李小龙"),
        ("שלום", "םולש"),
        ("מרים כהן", "ןהכ םירמ"),
        # mim initial, ha medial, mim medial, dal final; from the right
        ("محمد", "\ufeaa\ufee4\ufea4\ufee3"),
        # dal ties nothing to what follows: it stands final, the next is isolated
        ("دد", "\ufea9\ufea9"),
        # lam and alef are one glyph
        ("لا", "\ufefb"),
        ("سلام", "\ufee1\ufefc\ufeb3"),
        # numbers keep their order within a line that runs from the right
        ("כהן 123", "123 ןהכ"),
        ("(כהן)", "(ןהכ)"),
        # Latin first: the name stands in its place, turned
        ("Dr. כהן, hall B", "Dr. ןהכ, hall B"),
    ],
)
def test_a_line_as_it_is_drawn(text: str, wanted: str) -> None:
    assert drawn(text) == wanted


def test_which_side_a_line_begins_on() -> None:
    assert is_rtl("12 כהן")
    assert not is_rtl("Zoë כהן")
    assert not is_rtl("")


def test_each_character_has_a_font_or_a_name() -> None:
    assert runs("Łukasz Ωμέγα Жанна") == [(PLAIN, "Łukasz Ωμέγα Жанна")]
    assert runs("A 李小龙 B") == [(PLAIN, "A "), (WIDE, "李小龙"), (PLAIN, " B")]
    assert runs("한글 かな", BOLD)[0] == (WIDE, "한글")
    assert runs("Zoë 🎪") == [(PLAIN, "Zoë [circus tent]")]
    assert runs("a\u200db\x00c") == [(PLAIN, "abc")]


def test_nothing_in_a_name_is_markup() -> None:
    assert markup("<b>& 李</b>") == (
        f'&lt;b&gt;&amp; <font name="{WIDE}">李</font>&lt;/b&gt;'
    )


@given(st.text(max_size=60))
def test_any_text_can_be_written(text: str) -> None:
    made = markup(text.encode("utf-8", "ignore").decode())
    assert "<script" not in made.replace("&lt;", "")


def test_a_document_embeds_its_fonts_and_has_its_pages() -> None:
    document = Document("Évening 李小龙", "foot مرحبا", "fr")
    document.head("Tables")
    document.line("one line with 🎪 and כהן")
    document.curve([0, 3, 9, 4], [(0, "18:00"), (3, "22:00")])
    rows = [[f"Zoë {n} 李", n, "محمد"] for n in range(200)]
    document.table(["name", "n", "other"], rows, [3, 1, 2])
    made = document.pdf()
    assert made.startswith(b"%PDF-")
    assert made.count(b"/Type /Page\n") + made.count(b"/Type /Page ") >= 3
    for font in (b"DejaVuSans", b"DroidSansFallback"):
        assert font in made
    # Fonts travel in the file: nothing is left to the reader's machine.
    assert made.count(b"/FontFile2") >= 3


def test_an_empty_document_is_one() -> None:
    document = Document("", "", "en")
    document.curve([], [])
    document.table(["a"], [], [1])
    assert len(document.pdf()) > 1000
