"""How alike two people are: names in any order and script, phones in E.164, mailboxes.

Pure. PostgreSQL finds who may be meant (trigrams of names, equal numbers and
mailboxes); here it is judged.
"""

from __future__ import annotations

import unicodedata
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final, NamedTuple

import phonenumbers

REGION_DEFAULT: Final = "CA"
NAME_LIKE: Final = 0.82
"""Two spellings of one name reach it; brothers and sisters seldom do."""
LISTED_FROM: Final = 0.6

_LETTERS: Final = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ß": "ss", "æ": "ae", "œ": "oe"}
)
_REGIONS: Final = {
    "canada": "CA",
    "usa": "US",
    "united states": "US",
    "united states of america": "US",
    "france": "FR",
    "germany": "DE",
    "deutschland": "DE",
    "united kingdom": "GB",
    "uk": "GB",
    "italy": "IT",
    "spain": "ES",
    "poland": "PL",
    "switzerland": "CH",
    "belgium": "BE",
    "netherlands": "NL",
    "mexico": "MX",
    "brazil": "BR",
    "india": "IN",
    "china": "CN",
    "japan": "JP",
    "australia": "AU",
}


class Known(NamedTuple):
    """What is compared of a person."""

    name: str
    email: str
    phone: str
    company: str
    city: str


class Likeness(NamedTuple):
    """How likely two are one, 0 to 1, and what speaks for it."""

    score: float
    reasons: list[str]


def phone_of(text: str | None, country: str | None) -> str:
    """A number in E.164; '' if it is none.

    Args:
        country: its name or two letters; numbers without +.. belong to it.
    """
    if not text:
        return ""
    word = (country or "").strip()
    region = _REGIONS.get(word.lower()) or (
        word.upper() if len(word) == 2 else REGION_DEFAULT
    )
    if region not in phonenumbers.SUPPORTED_REGIONS:
        region = REGION_DEFAULT
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=4_096)
def plain_name(text: str) -> str:
    """A name without accents, case, marks and order: to compare, not to show."""
    spread = unicodedata.normalize("NFKD", text.casefold()).translate(_LETTERS)
    letters = "".join(
        letter if letter.isalnum() else " "
        for letter in spread
        if not unicodedata.combining(letter)
    )
    return " ".join(sorted(letters.split()))


def mailbox(email: str) -> str:
    """An address without the `+tag` that some people add."""
    local, at, domain = email.lower().rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def name_ratio(one: str, other: str) -> float:
    """How alike two names are, 0 to 1."""
    first, second = plain_name(one), plain_name(other)
    if not first or not second:
        return 0.0
    return SequenceMatcher(None, first, second, autojunk=False).ratio()


def compare(one: Known, other: Known) -> Likeness:
    """Judge two people."""
    reasons: list[str] = []
    ratio = name_ratio(one.name, other.name)
    score = 0.0
    if mailbox(one.email) == mailbox(other.email):
        score, reasons = 0.9, ["email"]
    if one.phone and one.phone == other.phone:
        # A switchboard or a family shares a number: the name has to fit as well.
        score = max(score, 0.9 if ratio >= NAME_LIKE else 0.6)
        reasons.append("phone")
    if ratio >= NAME_LIKE:
        reasons.append("name")
        if reasons == ["name"]:
            score = 0.4 + 0.2 * (ratio - NAME_LIKE) / (1 - NAME_LIKE)
            for word, mine, theirs, weight in (
                ("company", one.company, other.company, 0.25),
                ("city", one.city, other.city, 0.1),
            ):
                if mine and mine.casefold() == theirs.casefold():
                    score += weight
                    reasons.append(word)
        else:
            score = min(1.0, score + 0.1)
    return Likeness(round(score, 3), reasons)
