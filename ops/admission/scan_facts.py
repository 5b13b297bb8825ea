"""The facts of one scan: what both stores are asked, in one shape.

`from_cache` and `from_database` fill it; `decision` reads it. A visit is looked up by
(scope number, person number).
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from ops.cache.entry import CodeState, DeviceEntry, TicketEntry, Visit

Args = dict[str, str | int | bool | None]


class Stored(msgspec.Struct, frozen=True):
    """The answer that this scan id already has in `ops.scan_log`."""

    event_id: UUID
    device_id: UUID | None
    content_hash: str
    verdict: str
    reason: str
    args: Args
    decided_at: datetime
    direction: str = "in"
    ticket_id: UUID | None = None
    scope_id: UUID | None = None
    gate_id: UUID | None = None
    pass_no: int | None = None
    people: int = 0
    durable: str = "none"
    undone_at: datetime | None = None
    superseded_by: UUID | None = None
    """The scan that holds its place now: it is never green again (rule R9)."""

    in_journal: bool = False
    """It comes from a line of a journal, not from the scan log."""

    @property
    def still_green(self) -> bool:
        """Whether the scan log says that this scan let somebody in, and still does."""
        return (
            self.verdict == "admitted"
            and self.durable == "committed"
            and self.superseded_by is None
            and self.undone_at is None
            and not self.in_journal
        )


class OtherEvent(msgspec.Struct, frozen=True):
    """The event to which a code belongs that is not this one's."""

    title: str
    starts_at: datetime
    timezone: str


class ScanFacts(msgspec.Struct):
    """What is known for one scan at the time of the reading."""

    device: DeviceEntry | None = None
    ticket_id: UUID | None = None
    code_state: CodeState = CodeState.LIVE
    ticket: TicketEntry | None = None
    visits: dict[tuple[int, int], Visit] = {}
    stored: Stored | None = None
    other_event: OtherEvent | None = None
    device_names: dict[int, str] = {}
    """Names of the devices of the visits; only PostgreSQL tells them."""
    operators: dict[bytes, str] = {}
    """Names of who let these scans in, as far as somebody was signed on."""
    later: bool = False
    """Of an upload: a live scan let this ticket in or out after the door's time."""
    covered: frozenset[tuple[int, int]] = frozenset()
    """Of an upload of an entry: (scope no, person) that were inside at the door's time,
    on a pass that is over by now."""
    unbound: bool = False
    """The code is a wristband or badge that belongs to no ticket yet."""
    people: dict[UUID, int] | None = None
    """People in scopes and areas; only PostgreSQL tells, None: not known here."""
    kept: dict[UUID, int] = {}
    """Places still kept, by the id of what holds them back; with `people`."""

    def visit(self, scope_no: int, person_no: int) -> Visit | None:
        """The newest pass of a person of the ticket in a scope."""
        return self.visits.get((scope_no, person_no))
