"""A whole order with one scan: its waiting tickets, all or the part that fits.

Each ticket is a scan of its own with an id derived from the scan that was sent, so each
has its verdict, its row and its place in the limits, and a retry finds the same ones.
The desk decides them in one batch, in the order of the tickets.
"""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid5

import asyncpg
import msgspec

from ops.admission.ask import Ask, candidates
from ops.admission.scan import ScanRequest
from ops.checkin.answers import Answers, OrderLine, ScanAnswer, languages
from ops.checkin.desk import Desk
from ops.checkin.pending import Answered, Lane
from ops.db.engine import Database
from ops.errors import Unavailable

TICKETS_MAX = 50
"""Of an order, with one scan; more are a group's own ticket or bulk work."""

_NOT_OF_THE_TICKET = frozenset(
    {"malformed_code", "forged_code", "unknown_code", "unassigned_medium",
     "other_event", "admission_stopped", "doors_closed"}
)  # fmt: skip
"""What is wrong with the code or the door would be wrong with the others as well."""

_TICKETS = """
SELECT t.id,
       t.state = 'valid' AND t.admits > (
           SELECT count(*) FROM check_ins ci
           WHERE ci.ticket_id = t.id AND ci.scope_id = ANY ($3)
             AND ci.checked_out_at IS NULL AND ci.undone_at IS NULL) AS waiting
FROM tickets t
WHERE t.event_id = $1 AND t.id <> $2 AND t.order_id = (
    SELECT order_id FROM tickets WHERE id = $2 AND event_id = $1)
ORDER BY t.created_at, t.id LIMIT $4
"""
_DECIDED = "SELECT scan_id FROM ops.scan_log WHERE scan_id = ANY ($1)"


class WholeOrders:
    """Admits orders."""

    def __init__(self, desk: Desk, answers: Answers, database: Database) -> None:
        self._desk, self._answers, self._database = desk, answers, database

    async def scan(
        self, event_id: UUID, device_id: UUID, scan: ScanRequest, lane: Lane
    ) -> tuple[Answered, ScanAnswer]:
        """Decide the scanned ticket, then what waits of its order.

        The answer is the scanned ticket's with one line for each ticket in `tickets`;
        it is green if anybody was let in.

        Raises:
            NotFound, Unauthenticated, Unavailable: as `Desk.scan`; a repeat with the
                same id goes on where this one ended.
        """
        first = await self._desk.scan(event_id, device_id, scan, lane)
        answer = self._answers.make(first)
        ticket = answer.ticket
        out = first.item.ask.direction == "out"
        if out or ticket is None or answer.reason in _NOT_OF_THE_TICKET:
            return first, answer
        wanted = await self._waiting(
            event_id, ticket.id, scan.id, first.item.ask, first
        )
        others = await asyncio.gather(
            *(
                self._desk.scan(
                    event_id, device_id, _of(scan, other), lane, ticket_id=other
                )
                for other in wanted
            )
        )
        return first, self._together(first, answer, [*others])

    async def _waiting(
        self, event_id: UUID, ticket_id: UUID, scan_id: UUID, ask: Ask, first: Answered
    ) -> list[UUID]:
        """The other tickets that wait outside, or were decided with this id before."""
        scopes = [scope.id for scope in candidates(first.plan, ask)]
        try:
            rows = await self._database.pool.fetch(
                _TICKETS, event_id, ticket_id, scopes, TICKETS_MAX, timeout=0.5
            )
            ids = {uuid5(scan_id, str(row["id"])): row["id"] for row in rows}
            found = await self._database.pool.fetch(_DECIDED, list(ids), timeout=0.5)
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise Unavailable(headers={"Retry-After": "1"}) from error
        before = {ids[row["scan_id"]] for row in found}
        return [row["id"] for row in rows if row["waiting"] or row["id"] in before]

    def _together(
        self, first: Answered, answer: ScanAnswer, others: list[Answered]
    ) -> ScanAnswer:
        decided = [one for one in others if not one.item.error]
        answers = [answer, *(self._answers.make(one) for one in decided)]
        lines = tuple(
            OrderLine(
                one.id,
                one.ticket,
                one.verdict,
                one.reason,
                one.message,
                one.people,
                one.pass_no,
            )
            for one in answers
        )
        green = [one for one in answers if one.verdict == "admitted"]
        if len(answers) == 1 or not green:
            return msgspec.structs.replace(answer, tickets=lines)
        people = sum(one.people for one in green)
        held = len(answers) - len(green)
        operator, guest = languages(first)
        told = self._answers.wording
        return msgspec.structs.replace(
            green[0],
            id=answer.id,
            ticket=answer.ticket,
            message=told.order(operator, people, held),
            guest_message=green[0].guest_message
            if held
            else told.order(guest, people, 0),
            replayed=answer.replayed,
            people=people,
            tickets=lines,
        )


def _of(scan: ScanRequest, ticket_id: UUID) -> ScanRequest:
    """The scan of another ticket of the order."""
    return msgspec.structs.replace(
        scan,
        id=uuid5(scan.id, str(ticket_id)),
        code=str(ticket_id),
        admit=None,
        override=None,
        shown=[],
        seq=None,
    )
