"""What a row changes, given what is there. Pure.

The seller rules over the tickets it sold: its later export changes their states. Three
things it does not rule over: a block set here outlives every import, a ticket that is
missing from a file is listed and never cancelled, and nobody is renamed in contacts.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias
from uuid import UUID

import msgspec

from ops.imports.dialects import UNNAMED_SELLER
from ops.imports.rows import ImportRow, Problem

SELLER_BLOCK = "blocked by the seller"
"""The reason of a block that came with an import; any other is local."""


class Known(msgspec.Struct, frozen=True):
    """A ticket that is there already, as far as an import must know it."""

    ticket_id: UUID
    attendee_id: UUID | None
    order_id: UUID | None
    state: str
    blocked_reason: str | None
    seller: str
    order_number: str
    order_ref: str | None
    content: str | None
    erased: bool = False
    buyer_erased: bool = False


class Create(msgspec.Struct, frozen=True):
    """A new ticket."""

    row: ImportRow


class Update(msgspec.Struct, frozen=True):
    """A ticket whose row differs from the one that was imported last."""

    row: ImportRow
    known: Known
    state: str
    blocked_reason: str | None
    new_code: bool


class Unchanged(msgspec.Struct, frozen=True):
    """The same row as last time."""

    known: Known


Change: TypeAlias = Create | Update | Unchanged | Problem


def decide(row: ImportRow, by_code: Known | None, by_ref: Known | None) -> Change:
    """Decide what a row does.

    Args:
        by_code: the ticket that this row's code opens, or opened once.
        by_ref: the ticket with this row's number at its seller.
    """
    if by_code and by_code.seller != row.seller:
        return Problem(
            row.line,
            f"the same code was sold by {by_code.seller} "
            f"(order {by_code.order_number}): a door could not tell them apart",
            field="code",
        )
    if (
        by_code
        and row.seller == UNNAMED_SELLER
        and by_ref is None
        and by_code.order_ref != row.order_ref
    ):
        return Problem(
            row.line,
            f"the same code was imported with order {by_code.order_number}; if another "
            "seller sold it, name the seller",
            field="code",
        )
    if by_code and by_ref and by_code.ticket_id != by_ref.ticket_id:
        return Problem(
            row.line,
            f"its code is already that of another ticket "
            f"(order {by_code.order_number})",
            field="code",
        )
    known = by_ref or by_code
    if known is None:
        return Create(row)
    row = forgotten(row, known)
    if known.content == row.content():
        return Unchanged(known)
    state, reason = merge_state(known, row)
    return Update(row, known, state, reason, row.code is not None and by_code is None)


def forgotten(row: ImportRow, known: Known) -> ImportRow:
    """The row without those who were erased here: a file does not bring them back."""
    gone: dict[str, object] = {}
    if known.buyer_erased:
        gone |= {"buyer_name": "", "buyer_email": ""}
        if row.email == row.buyer_email:
            gone |= {"email": "", "email_as_given": ""}
    if known.erased:
        names = ("first_name", "last_name", "email", "email_as_given", "phone")
        gone |= dict.fromkeys((*names, "company", "job_title"), "")
        gone["notes"] = ()
    return msgspec.structs.replace(row, **gone) if gone else row


def first_state(row: ImportRow) -> tuple[str, str | None]:
    """The state of a new ticket, and the reason if it is blocked."""
    return row.state, SELLER_BLOCK if row.state == "blocked" else None


def merge_state(known: Known, row: ImportRow) -> tuple[str, str | None]:
    """The state after an import: the seller's, unless somebody here blocked it."""
    if known.state == "blocked" and known.blocked_reason != SELLER_BLOCK:
        return known.state, known.blocked_reason
    return first_state(row)


class OrderSum(msgspec.Struct):
    """What the rows of a file say of one order."""

    total: Decimal = Decimal(0)
    statuses: frozenset[str] = frozenset()

    def add(self, row: ImportRow) -> None:
        """Count a row in; only what is still owed or paid is part of the total."""
        self.statuses |= {row.order_status}
        if row.order_status in ("paid", "pending"):
            self.total += row.price or 0

    @property
    def status(self) -> str:
        """The order's status from those of its rows."""
        if "paid" in self.statuses:
            return "partially_refunded" if "refunded" in self.statuses else "paid"
        for status in ("pending", "refunded", "expired"):
            if status in self.statuses:
                return status
        return "cancelled"

    @property
    def paid(self) -> Decimal:
        """What came in, as far as the file tells."""
        return (
            self.total if self.status in ("paid", "partially_refunded") else Decimal(0)
        )


_CATEGORIES = (
    ("vip", "vip"),
    ("student", "student"),
    ("étudiant", "student"),
    ("early", "early_bird"),
    ("speaker", "speaker"),
    ("sponsor", "sponsor"),
    ("group", "group"),
)


def category(name: str) -> str:
    """The category of a ticket type that a file names for the first time: a guess,
    which the organiser is told to look at.
    """
    folded = name.casefold()
    return next((word for part, word in _CATEGORIES if part in folded), "general")
