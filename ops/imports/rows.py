"""Rows of cells to import rows: one ticket each, or the cause why it is none. Pure.

`Rows` keeps what rows share: who holds a position (add-ons have no name of their own)
and which codes and positions were seen (the second one is bad, and names the first).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from ops.imports import values
from ops.imports.dialects import Columns, Field
from ops.imports.values import BadValue, TicketState
from ops.sheets.cells import unescape
from ops.sheets.reading import Line, Row, Unreadable

ADMITS_MAX = 1000  # people on one ticket
CODE_LENGTH_MAX = 512

Code: TypeAlias = tuple[str, bytes, str]
"""A code's text as the door reads it, its hash (16 bytes) and its hint."""

ReadCode: TypeAlias = Callable[[str], Code | str]
"""Read a code as the door will; a word says why no door can."""


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with a row. A note is imported all the same, a bad row is not."""

    line: int
    cause: str
    kind: str = "bad"  # bad, mangled (bad as well, said first), note
    field: str | None = None


class ImportRow(msgspec.Struct, frozen=True, kw_only=True):
    """One ticket of the file, as the door and the CRM will know it."""

    line: int
    seller: str
    code: Code | None
    ref: str | None
    order_ref: str
    order_number: str
    order_status: str
    first_name: str
    last_name: str
    email: str
    email_as_given: str
    buyer_name: str
    buyer_email: str
    buyer_email_as_given: str
    phone: str
    company: str
    job_title: str
    ticket_type: str
    price: Decimal | None
    currency: str | None
    state: TicketState
    admits: int | None
    seat: str
    notes: tuple[str, ...]
    language: str
    placed_at: datetime | None
    valid_from: datetime | None
    valid_to: datetime | None
    warnings: tuple[Problem, ...] = ()

    def content(self) -> str:
        """A fingerprint of everything but the line: equal rows change nothing."""
        parts = [
            getattr(self, name)
            for name in self.__struct_fields__
            if name not in ("line", "warnings")
        ]
        return hashlib.sha256(msgspec.msgpack.encode(parts)).hexdigest()[:32]


class Settings(msgspec.Struct, frozen=True):
    """What a file does not say: the event's zone, and how it spells its dates."""

    zone: tzinfo
    days_first: bool


class _Holder(msgspec.Struct, frozen=True):
    first_name: str
    last_name: str
    email: str
    email_as_given: str
    company: str


class Rows:
    """Makes import rows of one pass over one file; a second pass takes a new one."""

    def __init__(
        self, columns: Columns, settings: Settings, read_code: ReadCode
    ) -> None:
        self._columns = columns
        self._settings = settings
        self._read_code = read_code
        self._holders: dict[tuple[str, str], _Holder] = {}
        self._lines_by_code: dict[bytes, int] = {}
        self._lines_by_ref: dict[str, int] = {}

    def each(self, lines: Iterator[Line]) -> Iterator[ImportRow | Problem]:
        """Every line as an import row or the problem that makes it a bad row."""
        for line in lines:
            yield self.make(line)

    def make(self, line: Line) -> ImportRow | Problem:
        """One line; lines must come in the order of the file."""
        if isinstance(line, Unreadable):
            return Problem(line.line, line.cause)
        try:
            made = _Cells(line, self._columns, self._settings).row(
                self._read_code, self._holders
            )
            self._claim(made)
        except _Bad as bad:
            return bad.problem
        return made

    def _claim(self, row: ImportRow) -> None:
        if row.code:
            first = self._lines_by_code.setdefault(row.code[1], row.line)
            if first != row.line:
                raise _Bad(row.line, f"the same code as line {first}", field=Field.CODE)
        if row.ref:
            first = self._lines_by_ref.setdefault(row.ref, row.line)
            if first != row.line:
                raise _Bad(row.line, f"the same ticket as line {first}")


class _Bad(Exception):
    def __init__(self, line: int, cause: str, *, kind: str = "bad", field: Any = None):
        self.problem = Problem(line, cause, kind, field and str(field))


class _Cells:
    """The cells of one row, by field."""

    def __init__(self, row: Row, columns: Columns, settings: Settings) -> None:
        self._row = row
        self._columns = columns
        self._settings = settings
        self._warnings: list[Problem] = []

    def _raw(self, field: Field) -> str:
        place = self._columns.by_field.get(field)
        return "" if place is None else self._row.cells[place]

    def _get(self, field: Field, reading: Callable[[str], Any] = values.text) -> Any:
        try:
            return reading(self._raw(field))
        except BadValue as bad:
            raise _Bad(self._row.line, f"{_WORDS[field]}: {bad}", field=field) from None

    def row(
        self, read_code: ReadCode, holders: dict[tuple[str, str], _Holder]
    ) -> ImportRow:
        seller = self._columns.seller
        code = self._code(read_code)
        order, position = self._get(Field.ORDER), self._get(Field.POSITION)
        ref = self._get(Field.REF) or (f"{order}/{position}" if position else "")
        if not ref and code is None:
            raise _Bad(
                self._row.line,
                "it has neither a code nor a number of its own, so that the next "
                "import could not find it again",
            )
        state, order_status = self._state()
        number = order or ref or _number(code)
        holder = self._holder(holders.get((order, self._get(Field.PARENT))))
        if position:
            holders[order, position] = holder
        buyer_email, buyer_as_given = self._email(Field.BUYER_EMAIL)
        return ImportRow(
            line=self._row.line,
            seller=seller,
            code=code,
            ref=f"{seller}:{ref}" if ref else None,
            order_ref=f"{seller}:{number}",
            order_number=number,
            order_status=order_status,
            first_name=holder.first_name,
            last_name=holder.last_name,
            email=holder.email,
            email_as_given=holder.email_as_given,
            buyer_name=self._get(Field.BUYER_NAME),
            buyer_email=buyer_email or holder.email,
            buyer_email_as_given=buyer_as_given or holder.email_as_given,
            phone=self._get(Field.PHONE),
            company=holder.company,
            job_title=self._get(Field.JOB_TITLE),
            ticket_type=self._type(),
            price=self._get(Field.PRICE, values.price),
            currency=self._currency(),
            state=state,
            admits=self._admits(),
            seat=self._get(Field.SEAT),
            notes=self._notes(),
            language=self._get(Field.LANGUAGE)[:5].lower(),
            placed_at=self._placed_at(),
            valid_from=self._get(Field.VALID_FROM, self._moment),
            valid_to=self._get(Field.VALID_TO, self._moment),
            warnings=tuple(self._warnings),
        )

    def _code(self, read_code: ReadCode) -> Code | None:
        """The code exactly: no case, no zero, no inner space of it is touched."""
        line = self._row.line
        code = self._get(Field.CODE, lambda cell: unescape(values.check(cell)).strip())
        if self._columns.dialect == "luma" and "pk=" not in code:
            return None  # the address of the event's check-in page, the same for all
        if not code:
            return None
        if values.is_mangled(code):
            raise _Bad(
                line,
                f"a spreadsheet made the number {code} of the code; export the file "
                "again and do not open it in a spreadsheet",
                kind="mangled",
                field=Field.CODE,
            )
        if values.is_sheet_error(code):
            cause = f"{code} stands where the code should be"
            raise _Bad(line, cause, kind="mangled", field=Field.CODE)
        if "\ufffd" in code:
            raise _Bad(line, "letters of the code were lost", field=Field.CODE)
        read = read_code(code)
        if isinstance(read, str):
            cause = f"no door could read this code ({read.replace('_', ' ')})"
            raise _Bad(line, cause, field=Field.CODE)
        return read

    def _state(self) -> tuple[TicketState, str]:
        """The ticket's state, and the order's status as far as this row tells it."""
        state: TicketState = self._get(Field.STATUS, values.state)
        if self._get(Field.PAID, values.flag) is False:
            state = "unpaid"
        order_status = _ORDER_STATUS[state]
        if values.is_valid_unpaid(self._raw(Field.STATUS)):
            order_status = "pending"
        blocked = self._get(Field.BLOCKED, values.flag)
        if blocked and state in ("valid", "pending", "unpaid"):
            state = "blocked"
        return state, order_status

    def _holder(self, parent: _Holder | None) -> _Holder:
        first, last = values.names(
            self._get(Field.NAME),
            self._get(Field.FIRST_NAME),
            self._get(Field.LAST_NAME),
        )
        email, as_given = self._email(Field.EMAIL)
        company = self._get(Field.COMPANY)
        if parent and not (first or last):
            first, last = parent.first_name, parent.last_name
            company = company or parent.company
            if not as_given:
                email, as_given = parent.email, parent.email_as_given
        if not (first or last):
            first, last = values.names(self._get(Field.BUYER_NAME), "", "")
        if not as_given:
            email, as_given = self._email(Field.BUYER_EMAIL, warn=False)
        return _Holder(first, last, email, as_given, company)

    def _email(self, field: Field, warn: bool = True) -> tuple[str, str]:
        email, as_given = self._get(field, values.email)
        if as_given and not email and warn:
            self._warn(field, f"{as_given!r} is no e-mail address: no contact is made")
        return email, as_given

    def _warn(self, field: Field, cause: str) -> None:
        self._warnings.append(Problem(self._row.line, cause, "note", str(field)))

    def _type(self) -> str:
        product = self._get(Field.TYPE) or "Imported"
        variation = self._get(Field.VARIATION)
        # As pretix joins them in its check-in lists: both exports name one type.
        return f"{product} – {variation}" if variation else product

    def _currency(self) -> str | None:
        named: str | None = self._get(Field.CURRENCY, values.currency)
        return named or values.currency(self._raw(Field.PRICE))

    def _admits(self) -> int | None:
        cell = self._get(Field.QUANTITY)
        if not cell:
            return None
        count = int(cell) if cell.isascii() and cell.isdigit() else 0
        if not 1 <= count <= ADMITS_MAX:
            raise _Bad(
                self._row.line,
                f"{_WORDS[Field.QUANTITY]}: {cell!r} is not 1 to {ADMITS_MAX}",
                field=Field.QUANTITY,
            )
        return count

    def _notes(self) -> tuple[str, ...]:
        try:
            notes = [
                values.text(self._row.cells[place]) for place in self._columns.notes
            ]
        except BadValue as bad:
            cause = f"{_WORDS[Field.NOTE]}: {bad}"
            raise _Bad(self._row.line, cause, field=Field.NOTE) from None
        return tuple(note for note in notes if note)

    def _placed_at(self) -> datetime | None:
        """When it was bought; an unreadable date is no reason to lose a ticket."""
        cell = f"{self._raw(Field.ORDER_DATE)} {self._raw(Field.ORDER_TIME)}"
        try:
            return self._moment(cell)
        except BadValue as bad:
            self._warn(Field.ORDER_DATE, f"{_WORDS[Field.ORDER_DATE]}: {bad}")
            return None

    def _moment(self, cell: str) -> datetime | None:
        return values.moment(cell, self._settings.zone, self._settings.days_first)


def _number(code: Code | None) -> str:
    """An order number for a code that came alone."""
    return f"I-{code[1].hex()[:12].upper()}" if code else ""


_ORDER_STATUS: dict[TicketState, str] = {
    "valid": "paid",
    "blocked": "paid",
    "pending": "pending",
    "unpaid": "pending",
    "cancelled": "cancelled",
    "refunded": "refunded",
    "expired": "expired",
}
_WORDS = {field: field.value.replace("_", " ") for field in Field}
