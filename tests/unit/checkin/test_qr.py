"""QR codes: version, mode, border, and that the modules drawn are the symbol's."""

from __future__ import annotations

import io
import re
from uuid import UUID

import pytest
from PIL import Image

from ops.checkin import codes, qr

CODE = codes.sign(bytes(32), 1, UUID(int=7), 0)


def test_a_code_is_version_6_in_the_alphanumeric_mode() -> None:
    made = qr.symbol(CODE)
    assert made.version == 6
    assert qr.is_alphanumeric(made)


def test_an_address_stays_alphanumeric_and_reads_as_the_same_code() -> None:
    text = qr.address("https://tickets.example:8443", CODE)
    made = qr.symbol(text)
    assert made.version == 7
    assert qr.is_alphanumeric(made)
    assert codes.read(text) == codes.read(CODE)


def test_a_code_in_lower_case_would_need_a_larger_symbol() -> None:
    made = qr.symbol(CODE.lower())
    assert not qr.is_alphanumeric(made)
    assert made.version > 6


@pytest.mark.parametrize("base", ["https://example.org/shop", "https://zażółć.example"])
def test_an_address_that_cannot_be_upper_case_is_refused(base: str) -> None:
    with pytest.raises(ValueError):
        qr.address(base, CODE)


def drawn(data: bytes, box_px: int) -> list[list[bool]]:
    """The modules of a PNG, taken from the middle of each box."""
    image = Image.open(io.BytesIO(data)).convert("L")
    side = image.width // box_px
    assert image.size == (side * box_px, side * box_px)
    middle = box_px // 2
    return [
        [
            image.getpixel((x * box_px + middle, y * box_px + middle)) == 0
            for x in range(side)
        ]
        for y in range(side)
    ]


@pytest.mark.parametrize("box_px", [1, 8])
def test_the_png_shows_the_symbol_with_its_border(box_px: int) -> None:
    matrix = qr.symbol(CODE).get_matrix()
    assert drawn(qr.png(CODE, box_px), box_px) == matrix
    assert len(matrix) == 41 + 2 * qr.BORDER
    assert not any(any(row) for row in matrix[: qr.BORDER])


def test_the_svg_shows_the_same_modules_on_white() -> None:
    picture = qr.svg(CODE).decode()
    matrix = qr.symbol(CODE).get_matrix()
    seen = [[False] * len(matrix) for _ in matrix]
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", picture):
        for place in range(int(x), int(x) + int(length)):
            seen[int(y)][place] = True
    assert seen == matrix
    assert 'fill="#fff"' in picture
    assert CODE not in picture


def test_codes_of_others_are_drawn_as_they_are() -> None:
    assert drawn(qr.png("ab-0042", 2), 2) == qr.symbol("ab-0042").get_matrix()
    assert qr.svg("李小龙🎟").startswith(b"<svg")


@pytest.mark.parametrize("box_px", [0, 41])
def test_a_size_out_of_bounds_is_refused(box_px: int) -> None:
    with pytest.raises(ValueError):
        qr.png(CODE, box_px)


def test_a_given_mask_changes_the_picture_and_not_the_code() -> None:
    masked = qr.symbol(CODE, qr.MASK_OF_OWN_CODES)
    assert masked.version == 6
    assert qr.is_alphanumeric(masked)
    assert qr.svg(CODE, 0) != qr.svg(CODE, 1)
