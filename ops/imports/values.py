"""Single cells to values: prices, times, states, names, addresses. Pure.

Exporters escape what a spreadsheet would run, write prices and times as their region
does, and states in their language. What cannot be understood raises `BadValue` with a
sentence for the organiser.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Literal, TypeAlias

from ops.sheets.cells import unescape

TicketState: TypeAlias = Literal[
    "valid", "pending", "unpaid", "cancelled", "refunded", "expired", "blocked"
]

TEXT_LENGTH_MAX = 1000  # of a name, a note, a seat
PRICE_MAX = Decimal("99999999.99")  # numeric(10,2)


class BadValue(ValueError):
    """A cell that cannot be understood; the text says why."""


def check(cell: str) -> str:
    """Refuse what PostgreSQL or a screen cannot hold.

    Raises:
        BadValue: a NUL, a byte that was not text, or more than 1,000 characters.
    """
    if "\x00" in cell:
        raise BadValue("it holds a NUL character")
    if not cell.isascii():
        try:
            cell.encode()
        except UnicodeEncodeError:
            raise BadValue("it holds bytes that are no text") from None
    if len(cell) > TEXT_LENGTH_MAX:
        raise BadValue(f"it is longer than {TEXT_LENGTH_MAX} characters")
    return cell


def text(cell: str) -> str:
    """One line of text: NFC, no control characters, single spaces."""
    if not cell:
        return ""
    cell = check(unescape(cell))
    if cell.isascii() and cell.isprintable() and "  " not in cell:
        return cell.strip()
    return " ".join(_CONTROL.sub(" ", unicodedata.normalize("NFC", cell)).split())


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# A spreadsheet that took a code for a number: 1.2E+15, or 123456.0 from a data frame.
_MANGLED = re.compile(r"\d(?:[.,]\d+)?E\+\d+|\d{4,}\.0", re.IGNORECASE)
_SHEET_ERRORS = frozenset(
    ("#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!", "#FORMULA!")
)


def is_mangled(code: str) -> bool:
    """Whether a spreadsheet has replaced a code by a rounded number."""
    return bool(_MANGLED.fullmatch(code))


def is_sheet_error(code: str) -> bool:
    """Whether a code is an error of a spreadsheet, or a formula without its value."""
    return code in _SHEET_ERRORS


def names(full: str, first: str, last: str) -> tuple[str, str]:
    """First and last name; a single word is a first name and leaves the last empty."""
    if first or last:
        return (first, last) if first else (last, "")
    head, _, tail = full.rpartition(" ")
    return (head, tail) if head else (tail, "")


_EMAIL = re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+\.[^\s@,;<>\".]+")


def email(cell: str) -> tuple[str, str]:
    """An address as it is compared (NFC, trimmed, lower case) and as it was given.

    What is no address gives ('', as given): such a row is good, without a contact.
    """
    given = text(cell)
    normalised = unicodedata.normalize("NFC", given).lower()
    if not _EMAIL.fullmatch(normalised) or len(normalised) > 254:
        return "", given
    return normalised, given


_FREE = frozenset(("free", "gratis", "kostenlos", "gratuit", "gratuite", "n/a", "-"))
_NUMBER = re.compile(r"-?\d[\d.,' ]*")
_CURRENCY = re.compile(r"[A-Z]{3}")


def price(cell: str) -> Decimal | None:
    """An amount in whatever region's spelling; None for an empty cell.

    The last of two different separators is the decimal one. A single separator before
    exactly three digits separates thousands: no currency here has three decimals.

    Raises:
        BadValue: no number, a negative one, or more than a price can be.
    """
    cell = text(cell)
    if not cell:
        return None
    if cell.casefold() in _FREE:
        return Decimal(0)
    found = _NUMBER.search(cell)
    if not found:
        raise BadValue(f"{cell!r} is no price")
    digits = found.group().replace(" ", "").replace("'", "").rstrip(".,")
    point = max(digits.rfind("."), digits.rfind(","))
    if point >= 0:
        mark = digits[point]
        both = "." in digits and "," in digits
        thousands = digits.count(mark) > 1 or (not both and len(digits) - point == 4)
        whole = re.sub(r"[.,]", "", digits[:point])
        rest = re.sub(r"[.,]", "", digits[point + 1 :])
        digits = whole + rest if thousands else f"{whole}.{rest}"
    try:
        amount = Decimal(digits)
    except InvalidOperation:
        raise BadValue(f"{cell!r} is no price") from None
    if amount < 0 or amount > PRICE_MAX:
        raise BadValue(f"the price {cell!r} is out of bounds")
    return amount.quantize(Decimal("0.01"))


def currency(cell: str) -> str | None:
    """A three-letter currency, or None."""
    found = _CURRENCY.search(text(cell).upper())
    return found.group() if found else None


_YES = frozenset(("yes", "ja", "oui", "sí", "si", "true", "1", "x", "y"))
_NO = frozenset(("no", "nein", "non", "false", "0", "n"))


def flag(cell: str) -> bool | None:
    """Yes or no in the languages of the exporters; None for an empty cell.

    Raises:
        BadValue: another word.
    """
    word = text(cell).casefold()
    if not word:
        return None
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise BadValue(f"{cell!r} is neither yes nor no")


_STATES: dict[TicketState, tuple[str, ...]] = {
    "valid": (
        *("paid", "valid", "active", "approved", "attending", "confirmed", "completed"),
        *("checked in", "checked_in", "going", "pending (confirmed)", "comped", "free"),
        *("bezahlt", "gültig", "aktiv", "bestätigt", "nimmt teil", "teilnahme"),
        *("ausstehend (bestätigt)", "eingecheckt", "angenommen", "abgeschlossen"),
        *("payé", "payée", "valide", "actif", "active", "confirmé", "confirmée"),
        *("en attente (confirmé)", "participe", "participant", "présent", "approuvé"),
        *("enregistré", "terminé", "accepted"),
    ),
    "pending": (
        *("pending", "approval pending", "pending approval", "pending_approval"),
        *("waitlist", "waitlisted", "invited", "reserved", "awaiting_offline_payment"),
        *(
            "ausstehend",
            "freigabe ausstehend",
            "warteliste",
            "eingeladen",
            "in prüfung",
        ),
        *("en attente", "approbation en attente", "liste d'attente", "invité"),
    ),
    "unpaid": (
        *("unpaid", "not paid", "awaiting payment", "awaiting_payment", "payment due"),
        *("unbezahlt", "nicht bezahlt", "zahlung ausstehend", "offen"),
        *("impayé", "non payé", "en attente de paiement", "paiement en attente"),
    ),
    "cancelled": (
        *("canceled", "cancelled", "declined", "deleted", "void", "transferred"),
        *("not attending", "canceled (paid fee)", "cancelled (paid fee)", "rejected"),
        *("storniert", "abgesagt", "abgelehnt", "storniert (bezahlte gebühr)"),
        *("nimmt nicht teil", "gelöscht", "übertragen"),
        *("annulé", "annulée", "refusé", "refusée", "annulé (frais payés)"),
        *("ne participe pas", "supprimé", "transféré"),
    ),
    "refunded": (
        *("refunded", "refund", "charged back", "chargeback"),
        *("erstattet", "rückerstattet", "zurückerstattet"),
        *("remboursé", "remboursée"),
    ),
    "expired": ("expired", "abgelaufen", "expiré", "expirée", "échu"),
    "blocked": ("blocked", "gesperrt", "blockiert", "bloqué", "bloquée"),
}
# pretix lets some orders in before they are paid.
_VALID_UNPAID = frozenset(
    ("pending (confirmed)", "ausstehend (bestätigt)", "en attente (confirmé)")
)
_STATE_BY_WORD = {word: state for state, words in _STATES.items() for word in words}


def state(cell: str) -> TicketState:
    """A ticket's state from a status word; an empty cell means a valid ticket.

    Raises:
        BadValue: an unknown word. A guess here lets people in or leaves them outside.
    """
    word = text(cell).casefold()
    if not word:
        return "valid"
    try:
        return _STATE_BY_WORD[word]
    except KeyError:
        raise BadValue(f"{cell!r} is an unknown status") from None


def is_valid_unpaid(cell: str) -> bool:
    """Whether a status lets a guest in although the order is not paid yet."""
    return text(cell).casefold() in _VALID_UNPAID


# --- times

_ISO = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")
_PARTS = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})")
_CLOCK = re.compile(
    r"(\d{1,2})[:h](\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([ap])?\.?(m)?\.?", re.IGNORECASE
)
_MONTH_NAME = re.compile(
    r"(?:(\d{1,2})\.?\s+)?([^\W\d_]{3,9})\.?\s+(?:(\d{1,2}),?\s+)?(\d{4})"
)
_ZONE = re.compile(r"(?:Z|[+-]\d{2}:?\d{2})$")
_MONTHS = {
    name: number
    for number, group in enumerate(
        (
            "jan january januar janv janvier",
            "feb february februar févr février",
            "mar march märz mrz mars",
            "apr april avr avril",
            "may mai",
            "jun june juni juin",
            "jul july juli juil juillet",
            "aug august août",
            "sep sept september septembre",
            "oct october okt oktober octobre",
            "nov november novembre",
            "dec december dez dezember déc décembre",
        ),
        1,
    )
    for name in group.split()
}


def day_first(cells: list[str], default: bool) -> bool:
    """Whether 03/04 is the third of April, judged by all dates of a column.

    A first number above 12 shows days first, a second one months first.
    """
    for cell in cells:
        found = _PARTS.match(cell.strip())
        if found and found.group(2) != ".":
            if int(found.group(1)) > 12:
                return True
            if int(found.group(3)) > 12:
                return False
    return default


def moment(cell: str, zone: tzinfo, days_first: bool) -> datetime | None:
    """A time in whatever region's spelling; None for an empty cell.

    Args:
        zone: of the event; times without an offset are local to it.
        days_first: for dates with slashes or hyphens; dots always put the day first.

    Raises:
        BadValue: no date, or one that does not exist.
    """
    cell = text(cell)
    if not cell:
        return None
    try:
        year, month, day, rest = _date(cell, days_first)
        hour, minute, second = _clock(rest)
        found = datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except (ValueError, KeyError):
        raise BadValue(f"{cell!r} is no date") from None
    offset = _ZONE.search(rest)
    if offset:
        stamp = found.replace(tzinfo=None).isoformat() + offset.group()
        return datetime.fromisoformat(stamp)
    return found


def _date(cell: str, days_first: bool) -> tuple[int, int, int, str]:
    if found := _ISO.match(cell):
        year, month, day = map(int, found.groups())
        return year, month, day, cell[found.end() :]
    if found := _PARTS.match(cell):
        one, two = int(found.group(1)), int(found.group(3))
        year = int(found.group(4))
        year += 2000 if year < 100 else 0
        dotted = found.group(2) == "."
        day, month = (one, two) if dotted or days_first else (two, one)
        return year, month, day, cell[found.end() :]
    if found := _MONTH_NAME.match(cell):
        before, name, after, year_word = found.groups()
        day = int(before or after or "")
        return int(year_word), _MONTHS[name.lower()], day, cell[found.end() :]
    raise ValueError(cell)


def _clock(rest: str) -> tuple[int, int, int]:
    found = _CLOCK.search(rest)
    if not found:
        return 0, 0, 0
    hour, minute = int(found.group(1)), int(found.group(2))
    second = int(found.group(3) or 0)
    half = (found.group(4) or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return hour, minute, second
