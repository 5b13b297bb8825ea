"""A line of text as it is drawn from left to right. Pure.

A PDF takes glyphs in the order in which they stand on paper. Hebrew and Arabic run from
right to left, and an Arabic letter has up to four shapes; Unicode knows both, so that a
name needs no library: runs are turned around, letters take the presentation form that
their neighbours ask for. Enough for names and single lines; not for paragraphs of mixed
text with numbers and nested quotes.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

_FORMS: Final = ("isolated", "final", "initial", "medial")
_MIRRORED: Final = str.maketrans("()[]{}<>«»", ")(][}{><»«")
_RTL: Final = frozenset({"R", "AL"})
_TIED: Final = frozenset("\ufef6\ufef8\ufefa\ufefc")
"""Lam with alef where a letter before it ties to them."""
_NUMBERS: Final = re.compile(r"[0-9]+(?:[.,:/][0-9]+)*")


@cache
def _shapes() -> dict[str, dict[str, str]]:
    """Letter (or pair) -> form -> glyph, as the character database decomposes them."""
    found: dict[str, dict[str, str]] = {}
    for code in (*range(0xFB50, 0xFC00), *range(0xFE70, 0xFEFD)):
        parts = unicodedata.decomposition(chr(code)).split()
        if parts and parts[0].strip("<>") in _FORMS:
            text = "".join(chr(int(part, 16)) for part in parts[1:])
            found.setdefault(text, {}).setdefault(parts[0].strip("<>"), chr(code))
    return found


def is_rtl(text: str) -> bool:
    """Whether a line begins with a letter that is read from the right."""
    for char in text:
        direction = unicodedata.bidirectional(char)
        if direction in _RTL:
            return True
        if direction == "L":
            return False
    return False


def drawn(text: str) -> str:
    """The line in the order of its glyphs."""
    if not any(unicodedata.bidirectional(char) in _RTL for char in text):
        return text
    right = is_rtl(text)
    runs = _runs(_shaped(text), right=right)
    turned = [_turned(run) if rtl else run for run, rtl in runs]
    return "".join(reversed(turned) if right else turned)


def _turned(run: str) -> str:
    """A run as it is drawn: numbers in it keep their order, brackets face about."""
    backwards = run[::-1].translate(_MIRRORED)
    return _NUMBERS.sub(lambda found: found[0][::-1], backwards)


def _runs(text: str, *, right: bool) -> list[tuple[str, bool]]:
    """Parts by direction; spaces and marks belong to the line's own where unsure."""
    kinds: list[bool | None] = []
    for char in text:
        direction = unicodedata.bidirectional(char)
        strong = direction in _RTL if direction in ("L", *_RTL) else None
        kinds.append(strong)
    for at, kind in enumerate(kinds):
        if kind is None:
            before = next(
                (one for one in reversed(kinds[:at]) if one is not None), right
            )
            after = next((one for one in kinds[at:] if one is not None), right)
            kinds[at] = before if before == after else right
    runs: list[tuple[str, bool]] = []
    for char, kind in zip(text, kinds, strict=True):
        if runs and runs[-1][1] == kind:
            runs[-1] = (runs[-1][0] + char, bool(kind))
        else:
            runs.append((char, bool(kind)))
    return runs


def _shaped(text: str) -> str:
    """Each Arabic letter in the form that its neighbours ask for."""
    shapes = _shapes()
    text = _ligatures(text, shapes)
    letters = [at for at, char in enumerate(text) if unicodedata.combining(char) == 0]
    made = list(text)
    for place, at in enumerate(letters):
        forms = shapes.get(text[at])
        if not forms:
            continue
        before = text[letters[place - 1]] if place else ""
        after = text[letters[place + 1]] if place + 1 < len(letters) else ""
        joins_before = "initial" in shapes.get(before, {}) and "final" in forms
        tied = "final" in shapes.get(after, {}) or after in _TIED
        joins_after = tied and "initial" in forms
        form = {
            (False, False): "isolated",
            (True, False): "final",
            (False, True): "initial",
            (True, True): "medial",
        }[joins_before, joins_after]
        made[at] = forms.get(form) or forms.get("isolated") or text[at]
    return "".join(made)


def _ligatures(text: str, shapes: dict[str, dict[str, str]]) -> str:
    """Lam with alef is one glyph; the other ligatures are ornament."""
    for alef in "\u0622\u0623\u0625\u0627":
        pair = "\u0644" + alef
        if pair in text and pair in shapes:
            text = _joined(text, pair, shapes[pair])
    return text


def _joined(text: str, pair: str, forms: dict[str, str]) -> str:
    parts = text.split(pair)
    made = parts[0]
    for part in parts[1:]:
        tied = "initial" in _shapes().get(made[-1:], {})
        made += forms["final" if tied and "final" in forms else "isolated"] + part
    return made
