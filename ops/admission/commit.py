"""The request and reply of `ops.commit_scans_v1`, and the cache's view of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

import msgspec

from ops.admission.ask import Ask
from ops.admission.from_database import VisitRow
from ops.admission.outcome import Decision
from ops.admission.plan import Plan
from ops.admission.scan import DoorDecision
from ops.admission.scan_facts import Args, ScanFacts, Stored
from ops.cache.entry import DeviceEntry
from ops.ids import uuid7


class Writing(Protocol):
    """What a commit needs of a scan on its way through a batch."""

    index: int
    ask: Ask
    code: bytes
    content_hash: bytes
    code_hint: str
    device: DeviceEntry
    facts: ScanFacts | None
    decision: Decision | None


class _Answer(msgspec.Struct, frozen=True, gc=False):
    q: UUID | None
    v: str | float | bool
    y: int | None


class _Item(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    i: int
    s: UUID
    k: UUID | None
    v: int
    d: UUID
    g: UUID | None
    gn: str | None
    op: UUID | None
    me: str
    dt: datetime | None
    no: int
    mu: int
    an: list[_Answer] | None = None
    ca: UUID | None = None
    cn: int = 0
    cr: str | None = None
    to: UUID | None = None
    of: bool = False
    le: bool = False
    ac: bool = False


class _Need(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    i: int
    c: UUID
    n: int
    h: list[UUID] | None = None


class _Open(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    i: int
    id: UUID
    sc: UUID
    n: int
    p: int
    ed: date
    x: bool = False


class _Close(msgspec.Struct, frozen=True, gc=False):
    i: int
    sc: UUID
    n: int
    must: bool
    assumed: bool = msgspec.field(name="as")


class LogRow(msgspec.Struct, frozen=True, gc=False):
    """A row of ops.scan_log; `i` ties it to an item, None is written in any case."""

    i: int | None
    s: UUID
    ch: str
    ve: str
    re: str
    ar: Args
    k: UUID | None
    sc: UUID | None
    g: UUID | None
    d: UUID
    op: UUID | None
    di: str
    me: str
    p: int | None
    pe: int
    h: str
    hi: str
    sa: datetime | None
    off: bool
    door: DoorDecision | None


class CommitRequest(msgspec.Struct, frozen=True):
    """Arguments of the function; the lists are JSON text."""

    event_id: UUID
    event_no: int
    mode: str
    now: datetime
    items: str
    needs: str
    opens: str
    closes: str
    logs: str
    confirms: list[UUID]


class Leased(msgspec.Struct, frozen=True):
    """A scan whose ticket only this device, at this gate, may admit (`ops.leases`)."""

    i: int
    d: UUID
    g: int


class Full(msgspec.Struct, frozen=True):
    """A scan for which a limit had no room, and the places that are left."""

    i: int
    fits: int


class CommitReply(msgspec.Struct, frozen=True):
    """What became of the batch."""

    lost: list[int]
    full: list[Full]
    closed: list[VisitRow]
    inside: dict[UUID, int]
    leased: list[Leased] = []
    exits: dict[str, int] = {}
    """Uploaded exits whose entries came now, by number of their gate."""


NOBODY = UUID(int=0)
"""Sorts the rows of people without a ticket; they have none of their own."""
ENDS_LEASES = frozenset({"supervisor", "door_manager", "event_manager"})
"""Who may decide that a device's lease is over without the device."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(CommitReply)


def parse(reply: str) -> CommitReply:
    """Decode the reply of the function."""
    return _decoder.decode(reply)


def commit_request(
    plan: Plan,
    mode: str,
    now: datetime,
    writing: Sequence[Writing],
    logs: list[LogRow],
    confirms: list[UUID],
) -> CommitRequest:
    """One transaction: the rows of these scans, older answers and confirmations.

    Rows are sorted by (ticket, scope, person): two batches that share tickets then
    lock them in one order.
    """
    items: list[_Item] = []
    needs: list[_Need] = []
    opens: list[tuple[bytes, bytes, int, _Open]] = []
    closes: list[tuple[bytes, bytes, int, _Close]] = []
    rows = list(logs)
    for item in writing:
        decision, facts = item.decision, item.facts
        assert decision is not None
        assert facts is not None
        ticket = facts.ticket_id or NOBODY
        items.append(_item(item, facts, decision))
        needs += _needs(plan, item, facts, decision)
        for opened in decision.opens:
            scope = opened.scope.id
            day = plan.days.date(opened.event_day)
            row = _Open(
                item.index,
                uuid7(),
                scope,
                opened.person_no,
                opened.pass_no,
                day,
                opened.past,
            )
            opens.append((ticket.bytes, scope.bytes, opened.person_no, row))
        for closed in decision.closes:
            scope = closed.scope.id
            end = _Close(
                item.index, scope, closed.person_no, closed.must, closed.assumed
            )
            closes.append((ticket.bytes, scope.bytes, closed.person_no, end))
        rows.append(log_row(item, decision, item.index))
    opens.sort(key=_order)
    closes.sort(key=_order)
    return CommitRequest(
        plan.event.id,
        plan.event.no,
        mode,
        now,
        _json(items),
        _json(needs),
        _json([entry[3] for entry in opens]),
        _json([entry[3] for entry in closes]),
        _json(rows),
        confirms,
    )


def _order(entry: tuple[bytes, bytes, int, object]) -> tuple[bytes, bytes, int]:
    return entry[:3]


def _json(rows: object) -> str:
    return _encoder.encode(rows).decode()


def _item(item: Writing, facts: ScanFacts, decision: Decision) -> _Item:
    ask, device = item.ask, item.device
    gate, counted, override = ask.gate, decision.counted, ask.scan.override
    return _Item(
        item.index,
        ask.scan.id,
        facts.ticket_id if facts.ticket else None,
        facts.ticket.version if facts.ticket else 0,
        ask.device_id,
        gate.id if gate else None,
        gate.name if gate else None,
        UUID(bytes=device.operator_id) if device.operator_id else None,
        ask.scan.method,
        ask.at if ask.scan.offline else None,
        len(decision.opens),
        sum(closed.must for closed in decision.closes),
        _answers(decision) or None,
        counted.area_id if counted else None,
        counted.people if counted else 0,
        override.reason if counted and override else None,
        decision.takes,
        ask.scan.offline,
        bool(ask.scan.override) and device.operator_role in ENDS_LEASES,
        ask.accepted,
    )


def _answers(decision: Decision) -> list[_Answer]:
    return [
        _Answer(one.question_id, one.value, one.years or None) for one in decision.given
    ]


def _needs(
    plan: Plan, item: Writing, facts: ScanFacts, decision: Decision
) -> list[_Need]:
    """The same with the held places that are not for them."""
    kind, access = None, ""
    if facts.ticket is not None:
        kind = plan.types_by_no.get(facts.ticket.type_no)
        access = facts.ticket.access_class
    at = item.ask.at
    return [
        _Need(
            item.index, place, people, plan.kept_from(place, kind, access, at) or None
        )
        for place, people in limits(plan, decision).items()
    ]


def limits(plan: Plan, decision: Decision) -> dict[UUID, int]:
    """Places that the scan takes of hard limits; an event manager's act asks none."""
    if decision.past_limits:
        return {}
    taken: dict[UUID, int] = {}
    replaced = {
        (closed.scope.id, closed.person_no) for closed in decision.closes if closed.must
    }
    for opened in decision.opens:
        if opened.past or (opened.scope.id, opened.person_no) in replaced:
            continue
        for place, _ in plan.limits(opened.scope):
            taken[place] = taken.get(place, 0) + 1
    if decision.counted and decision.scope:
        area_id = decision.counted.area_id
        if any(place == area_id for place, _ in plan.limits(decision.scope)):
            taken[area_id] = decision.counted.people
    return taken


def log_row(item: Writing, decision: Decision, index: int | None) -> LogRow:
    """The row of the scan log for this answer."""
    ask, device, facts = item.ask, item.device, item.facts
    args = dict(decision.args)
    if decision.overridden:
        args["overridden"] = decision.overridden
    if decision.just_now:
        args["just_now"] = True
    if decision.given:
        # In the log as well: a merge of the journal writes the answers from here.
        args["given"] = _json(_answers(decision))
    if decision.questions:
        args["asked"] = ",".join(asked.key for asked in decision.questions)
    if decision.reason == "choose_session":
        args["sessions"] = ",".join(str(choice) for choice in decision.choices)
    if ask.scan.override:
        args["override_reason"] = ask.scan.override.reason
    return LogRow(
        index,
        ask.scan.id,
        item.content_hash.hex(),
        decision.verdict,
        decision.reason,
        args,
        facts.ticket_id if facts and facts.ticket else None,
        decision.scope.id if decision.scope else None,
        ask.gate.id if ask.gate else None,
        ask.device_id,
        UUID(bytes=device.operator_id) if device.operator_id else None,
        ask.direction,
        ask.scan.method,
        decision.pass_no,
        decision.people,
        item.code[:16].hex() if len(item.code) in (16, 32) else "",
        item.code_hint,
        ask.scan.scanned_at,
        ask.scan.offline,
        ask.scan.door,
    )


def door_row(item: Writing, stored: Stored) -> LogRow:
    """A row that adds to a stored answer what the device showed; no other column."""
    scan = item.ask.scan
    return LogRow(
        None,
        scan.id,
        stored.content_hash,
        stored.verdict,
        stored.reason,
        {},
        stored.ticket_id,
        stored.scope_id,
        stored.gate_id,
        item.ask.device_id,
        None,
        stored.direction,
        scan.method,
        stored.pass_no,
        stored.people,
        "",
        item.code_hint,
        scan.scanned_at,
        True,
        scan.door,
    )


def only_logs(
    plan: Plan, mode: str, now: datetime, logs: list[LogRow], confirms: list[UUID]
) -> CommitRequest:
    """A transaction without scans: what waited longer than a batch may take."""
    return commit_request(plan, mode, now, [], logs, confirms)
