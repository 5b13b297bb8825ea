"""Ticket codes drawn as QR codes: SVG and PNG. Pure.

Level M survives 15 % of damage, which a folded sheet or a scratched screen needs. The
border of four modules belongs to the symbol: without it scanners do not find it.
"""

from __future__ import annotations

import io
import re

import qrcode
from qrcode.constants import ERROR_CORRECT_M
from qrcode.image.pil import PilImage
from qrcode.util import MODE_ALPHA_NUM, QRData

BORDER = 4
BOX_PX = 8
BOX_PX_MAX = 40
MASK_OF_OWN_CODES = 0
"""One of the eight masks. Trying all takes 45 ms and finds the one that breaks up large
even areas best; a code of ours is a signature, so random that no mask is better."""

# Upper-case addresses stay in the alphanumeric mode: 5.5 bits a character, not 8.
_HOST = re.compile(r"https?://([A-Z0-9.:-]+)/?", re.IGNORECASE)


def address(base_url: str, code: str) -> str:
    """The code as an address that opens the attendee's page, in upper case.

    Args:
        base_url: scheme, host and port under which the pages are reached.
        code: an own code; others are case-sensitive and are not put in addresses.

    Raises:
        ValueError: a base address with a path or with letters beyond ASCII.
    """
    if not _HOST.fullmatch(base_url):
        raise ValueError("an address for codes is a scheme, a host and a port")
    return f"{base_url.rstrip('/')}/t/{code}".upper()


def symbol(text: str, mask: int | None = None) -> qrcode.QRCode[PilImage]:
    """Encode a text in the smallest version that holds it, in one segment.

    Args:
        mask: 0 to 7; by default all are tried and the best is taken.
    """
    made = qrcode.QRCode(
        error_correction=ERROR_CORRECT_M,
        border=BORDER,
        box_size=BOX_PX,
        mask_pattern=mask,
        image_factory=PilImage,
    )
    made.add_data(QRData(text), optimize=0)
    made.make(fit=True)
    return made


def is_alphanumeric(made: qrcode.QRCode[PilImage]) -> bool:
    """Whether the symbol uses the alphanumeric mode alone."""
    return all(part.mode == MODE_ALPHA_NUM for part in made.data_list)


def outline(text: str) -> tuple[int, str]:
    """The side in modules and the dark modules as an SVG path, for a page to draw."""
    matrix = symbol(text).get_matrix()
    return len(matrix), _path(matrix)


def svg(text: str, mask: int | None = None) -> bytes:
    """Draw a text as SVG, one unit a module; white below, or dark pages invert it."""
    matrix = symbol(text, mask).get_matrix()
    side = len(matrix)
    path = _path(matrix)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" '
        'shape-rendering="crispEdges" role="img" aria-label="QR">'
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{path}"/></svg>'
    ).encode()


def _path(matrix: list[list[bool]]) -> str:
    return "".join(
        f"M{start} {y}h{length}v1h-{length}z"
        for y, row in enumerate(matrix)
        for start, length in _runs(row)
    )


def _runs(row: list[bool]) -> list[tuple[int, int]]:
    """The dark runs of a row as (start, length): a third of the size of modules."""
    runs: list[tuple[int, int]] = []
    start = None
    for x, dark in enumerate([*row, False]):
        if dark and start is None:
            start = x
        elif not dark and start is not None:
            runs.append((start, x - start))
            start = None
    return runs


def png(text: str, box_px: int = BOX_PX) -> bytes:
    """Draw a text as PNG, black and white.

    Args:
        box_px: side of a module in pixels, 1 to 40.

    Raises:
        ValueError: another size.
    """
    if not 1 <= box_px <= BOX_PX_MAX:
        raise ValueError(f"a module is 1 to {BOX_PX_MAX} pixels wide")
    made = symbol(text)
    made.box_size = box_px
    out = io.BytesIO()
    made.make_image().save(out, "PNG")
    return out.getvalue()
