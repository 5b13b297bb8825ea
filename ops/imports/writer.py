"""Applies decided rows to the database, a chunk in one transaction.

Uses one connection, which the caller lends for the whole import. A chunk that the
database refuses is halved until the row at fault stands alone: it becomes a problem,
the others are written. A cancelled chunk is undone; importing the file again does the
rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol, TypeAlias
from uuid import UUID

import asyncpg
import msgspec

from ops.ids import uuid7
from ops.imports import statements as sql
from ops.imports import values
from ops.imports.plan import Create, Known, OrderSum, Update, first_state
from ops.imports.rows import Code, ImportRow, Problem
from ops.log import scrubbed

Connection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record]"
    " | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)
Written: TypeAlias = Create | Update

# Classes of SQLSTATE that speak of the server, not of a row: halving does not help.
_SERVER_STATES = ("08", "53", "57", "58", "XX")


_encode = msgspec.json.Encoder().encode


class Coder(Protocol):
    """Reads codes as the door does, makes own ones, seals what must not lie open."""

    def read(self, text: str) -> Code | str:
        """The code of an imported text, or a word that says why no door can read it."""

    def issue(self, ticket_id: UUID) -> Code:
        """The first own code of a ticket."""

    def seal(self, text: str) -> bytes:
        """A code that only this installation can open."""


class Target(msgspec.Struct, frozen=True):
    """Where the rows go."""

    event_id: UUID
    currency: str
    types: dict[str, UUID]  # by folded name
    sums: dict[str, OrderSum]  # by order_ref
    keeps_windows: bool  # the file has no validity: leave that of known tickets


class Writer:
    """Writes chunks of decided rows into one event."""

    def __init__(self, connection: Connection, target: Target, coder: Coder) -> None:
        self._connection = connection
        self._target = target
        self._coder = coder

    async def write(self, changes: Sequence[Written], now: datetime) -> list[Problem]:
        """Write a chunk; returns the rows that the database refused.

        Raises:
            asyncpg.PostgresError: the server failed, not a row.
        """
        if not changes:
            return []
        try:
            async with self._connection.transaction():
                await self._chunk(changes, now)
        except asyncpg.PostgresError as error:
            state = str(getattr(error, "sqlstate", "") or "XX")
            if state.startswith(_SERVER_STATES):
                raise
            if len(changes) == 1:
                cause = f"the database refused it: {scrubbed(error)}"
                return [Problem(changes[0].row.line, cause)]
        else:
            return []
        middle = len(changes) // 2
        first = await self.write(changes[:middle], now)
        return first + await self.write(changes[middle:], now)

    async def _chunk(self, changes: Sequence[Written], now: datetime) -> None:
        rows = [change.row for change in changes]
        contacts = await self._contacts(rows)
        orders = await self._orders(rows, contacts)
        people: list[dict[str, Any]] = []
        tickets: list[dict[str, Any]] = []
        codes: list[dict[str, Any]] = []
        replaced: list[dict[str, Any]] = []
        for change in changes:
            person = self._person(change, contacts, orders)
            ticket = self._ticket(change, person, orders)
            people.append(person)
            tickets.append(ticket)
            code = self._code(change, ticket["id"], now)
            if code:
                codes.append(code)
                if isinstance(change, Update):
                    replaced.append({"ticket_id": ticket["id"], "code_id": code["id"]})
        new = [isinstance(change, Create) for change in changes]
        nobody = [
            isinstance(change, Create) or change.known.attendee_id is None
            for change in changes
        ]
        await self._apply(sql.INSERT_ATTENDEES, _pick(people, nobody, True))
        await self._apply(sql.INSERT_TICKETS, _pick(tickets, new, True))
        await self._apply(sql.UPDATE_ATTENDEES, _pick(people, nobody, False))
        await self._apply(sql.UPDATE_TICKETS, _pick(tickets, new, False))
        await self._apply(sql.INSERT_CODES, codes)
        await self._apply(sql.REVOKE_CODES, replaced, now)

    async def _apply(
        self, statement: str, records: list[dict[str, Any]], *more: Any
    ) -> None:
        if records:
            await self._connection.execute(statement, as_json(records), *more)

    async def _contacts(self, rows: list[ImportRow]) -> dict[str, UUID]:
        """The contacts of all addresses, made where there is none; nobody is renamed.

        The buyer's name makes the contact of a shared address, if the file knows it.
        """
        made: dict[str, dict[str, Any]] = {}
        for row in rows:
            buyer = values.names(row.buyer_name, "", "")
            own = (row.first_name, row.last_name)
            named = buyer if row.buyer_name and row.buyer_email == row.email else own
            for email, (first, last) in (
                (row.buyer_email, buyer if row.buyer_name else own),
                (row.email, named),
            ):
                if email and email not in made:
                    made[email] = {
                        "id": uuid7(),
                        "email": email,
                        "first_name": first,
                        "last_name": last,
                        "phone": row.phone or None,
                    }
        if not made:
            return {}
        # In one order for all imports, so that two of them never wait in a circle.
        records = [made[email] for email in sorted(made)]
        await self._apply(sql.INSERT_CONTACTS, records)
        found = await self._connection.fetch(sql.CONTACTS, list(made))
        return {record["email"]: record["id"] for record in found}

    async def _orders(
        self, rows: list[ImportRow], contacts: dict[str, UUID]
    ) -> dict[str, UUID]:
        """The ids of the rows' orders, by their number at the seller."""
        first: dict[str, ImportRow] = {}
        for row in rows:
            first.setdefault(row.order_ref, row)
        found = await self._connection.fetch(
            sql.ORDERS,
            self._target.event_id,
            list(first),
            [row.order_number for row in first.values()],
        )
        ids = {record["external_ref"]: record["id"] for record in found}
        taken = {record["order_number"] for record in found}
        new, known = [], []
        for ref, row in sorted(first.items()):
            record = self._order(row, contacts)
            if ref in ids:
                known.append(record | {"id": ids[ref]})
                continue
            if row.order_number in taken:
                # Another seller used this number: kiosks need one order a number.
                record["order_number"] = ref.replace(":", "-", 1)
            taken.add(record["order_number"])
            ids[ref] = record["id"]
            new.append(record)
        await self._apply(sql.INSERT_ORDERS, new)
        await self._apply(sql.UPDATE_ORDERS, known)
        return ids

    def _order(self, row: ImportRow, contacts: dict[str, UUID]) -> dict[str, Any]:
        total = self._target.sums[row.order_ref]
        return {
            "id": uuid7(),
            "event_id": self._target.event_id,
            "contact_id": contacts.get(row.buyer_email),
            "order_number": row.order_number,
            "currency": row.currency or self._target.currency,
            "total": total.total,
            "amount_paid": total.paid,
            "status": total.status,
            "source": row.seller,
            "external_ref": row.order_ref,
            "language": row.language or None,
            "placed_at": row.placed_at,
        }

    def _person(
        self, change: Written, contacts: dict[str, UUID], orders: dict[str, UUID]
    ) -> dict[str, Any]:
        row = change.row
        known = change.known.attendee_id if isinstance(change, Update) else None
        return {
            "id": known or uuid7(),
            "event_id": self._target.event_id,
            "contact_id": contacts.get(row.email),
            "order_id": orders[row.order_ref],
            "first_name": row.first_name,
            "last_name": row.last_name,
            "email": row.email or None,
            "email_as_given": row.email_as_given or None,
            "phone": row.phone or None,
            "company": row.company or None,
            "job_title": row.job_title or None,
            "language": row.language or None,
            "notes": row.notes,
            "custom": {"import": row.content()},
        }

    def _ticket(
        self, change: Written, person: dict[str, Any], orders: dict[str, UUID]
    ) -> dict[str, Any]:
        row = change.row
        if isinstance(change, Update):
            ticket_id = change.known.ticket_id
            state, reason = change.state, change.blocked_reason
        else:
            ticket_id = uuid7()
            state, reason = first_state(row)
        return {
            "id": ticket_id,
            "event_id": self._target.event_id,
            "order_id": orders[row.order_ref],
            "attendee_id": person["id"],
            "ticket_type_id": self._target.types[row.ticket_type.casefold()],
            "state": state,
            "blocked_reason": reason,
            "admits": row.admits,
            "price": row.price,
            "currency": row.currency or self._target.currency,
            "seat_label": row.seat or None,
            "valid_from": row.valid_from,
            "valid_to": row.valid_to,
            "keeps_windows": self._target.keeps_windows,
            "external_ref": row.ref,
        }

    def _code(
        self, change: Written, ticket_id: UUID, now: datetime
    ) -> dict[str, Any] | None:
        """The code to write, if any: the seller's, or an own one if it sent none."""
        if isinstance(change, Update) and not change.new_code:
            return None
        code = change.row.code or self._coder.issue(ticket_id)
        text, code_hash, hint = code
        sealed = self._coder.seal(text)
        return {
            "id": uuid7(),
            "event_id": self._target.event_id,
            "code_hash": "\\x" + code_hash.hex(),
            "ticket_id": ticket_id,
            "kind": "imported" if change.row.code else "own",
            "hint": hint,
            "text_sealed": "\\x" + sealed.hex(),
            "issued_at": now,
        }


def as_json(value: object) -> str:
    """A value as the JSON text that the statements take."""
    return _encode(value).decode()


async def known_tickets(
    connection: Connection, event_id: UUID, rows: Sequence[ImportRow]
) -> tuple[dict[bytes, Known], dict[str, Known]]:
    """The tickets that rows may speak of, by code hash and by the seller's number."""
    hashes = [row.code[1] for row in rows if row.code]
    refs = [row.ref for row in rows if row.ref]
    by_code = await connection.fetch(sql.KNOWN_BY_CODE, event_id, hashes)
    by_ref = await connection.fetch(sql.KNOWN_BY_REF, event_id, refs)
    return (
        {bytes(record["code_hash"]): _known(record) for record in by_code},
        {record["external_ref"]: _known(record) for record in by_ref},
    )


def _known(record: asyncpg.Record) -> Known:
    return Known(
        record["ticket_id"],
        record["attendee_id"],
        record["order_id"],
        record["state"],
        record["blocked_reason"],
        record["seller"],
        record["order_number"],
        record["order_ref"],
        record["content"],
        record["erased"],
        record["buyer_erased"],
    )


def _pick(
    records: list[dict[str, Any]], new: list[bool], wanted: bool
) -> list[dict[str, Any]]:
    return [
        record for record, is_new in zip(records, new, strict=True) if is_new is wanted
    ]
